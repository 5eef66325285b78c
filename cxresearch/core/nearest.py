"""The correlation matrix nearest to one that is none: negative eigenvalues from correlations estimated pair by pair."""

import numpy as np

from cxresearch.errors import InputError

FLOOR = 1e-6  # smallest eigenvalue of the nearest matrix, as a share of the largest
STEPS = 1000
SETTLED = 1e-8  # largest change of an entry, when the search ends


def is_positive_definite(corr: np.ndarray) -> bool:
    """Whether all eigenvalues of a correlation matrix (p, p) exceed FLOOR times the largest."""
    values = np.linalg.eigvalsh(corr)
    return bool(values[0] > FLOOR * values[-1])


def nearest_correlation(corr: np.ndarray) -> np.ndarray:
    """The positive definite correlation matrix (p, p) nearest to a symmetric one with ones on its diagonal.

    Nearest in the sum of squared differences, with the smallest eigenvalue held at FLOOR times the largest. The matrix itself
    if it is positive definite already.

    Raises
    ------
    InputError
        If the search does not settle.

    References
    ----------
    Higham (2002) IMA Journal of Numerical Analysis 22:329-343, doi:10.1093/imanum/22.3.329: alternating projections with
    Dykstra's correction, as `Matrix::nearPD` of R.

    Examples
    --------
    >>> nearest_correlation(np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])).round(3)
    array([[ 1. ,  0.5, -0.5],
           [ 0.5,  1. ,  0.5],
           [-0.5,  0.5,  1. ]])
    """
    if is_positive_definite(corr):
        return corr
    found, correction = corr.copy(), np.zeros_like(corr)
    for _ in range(STEPS):
        wanted = found - correction
        values, vectors = np.linalg.eigh(wanted)
        psd = (vectors * np.maximum(values, 0)) @ vectors.T
        correction = psd - wanted
        before, found = found, psd.copy()
        np.fill_diagonal(found, 1.0)
        if np.abs(found - before).max() < SETTLED:
            return _lifted(found)
    raise InputError(
        "the correlations must have a nearest positive definite matrix",
        f"the search did not settle in {STEPS} steps",
        "Leave out items that are nearly the same, or use Pearson correlations.",
    )


def _lifted(corr: np.ndarray) -> np.ndarray:
    """The matrix with eigenvalues of at least FLOOR times the largest, and ones on its diagonal."""
    values, vectors = np.linalg.eigh(corr)
    lifted = (vectors * np.maximum(values, 2 * FLOOR * values[-1])) @ vectors.T
    scale = 1 / np.sqrt(np.diag(lifted))
    lifted *= np.outer(scale, scale)
    np.fill_diagonal(lifted, 1.0)
    return lifted
