"""Common factors of one correlation matrix, by factor_analyzer: extraction, rotation, and a stated order and sign.

Of factor_analyzer only the unrotated solution and the bare rotation are used: after an oblique rotation its own
communalities ignore the factor correlations, and its factor correlations stand in another order than its loadings.
"""

import warnings
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from cxresearch.errors import InputError

Extraction = Literal["minres", "ml"]
Rotation = Literal["oblimin", "promax", "varimax", "none"]
LOWEST_UNIQUENESS = 0.005  # factor_analyzer's bound
HEYWOOD = 0.01  # an item left with less variance of its own than this has, to the fit's accuracy, reached the bound
ROTATION_STEPS = 5000


@dataclass(frozen=True, slots=True)
class Factors:
    """A factor solution of p items and m factors, ordered by the variance that each factor explains, largest first.

    Each factor has the sign that makes the sum of its loadings positive.

    Attributes
    ----------
    loadings : (p, m) pattern: regression of items on factors
    structure : (p, m) correlation of items and factors
    phi : (m, m) factor correlations; the identity after an orthogonal rotation
    communalities : (p,) loadings times structure, summed over factors
    variance : (m,) share of the items' total variance that each factor explains; they add up to the mean communality
    converged : whether extraction and rotation both ended at a solution
    heywood : (p,) items whose uniqueness is at its lower bound
    """

    loadings: np.ndarray
    structure: np.ndarray
    phi: np.ndarray
    communalities: np.ndarray
    variance: np.ndarray
    converged: bool
    heywood: np.ndarray


def extract_factors(corr: np.ndarray, n_factors: int, extraction: Extraction, rotation: Rotation) -> Factors:
    """Extract and rotate factors of a positive definite correlation matrix (p, p).

    Minres minimises the squared residual correlations; ml the normal likelihood. Oblimin is direct quartimin (gamma 0)
    without Kaiser normalisation; varimax and promax (power 4) use it.

    References
    ----------
    Harman and Jones (1966) Psychometrika 31:351-368, doi:10.1007/BF02289468. Jennrich and Sampson (1966) Psychometrika
    31:313-323, doi:10.1007/BF02289465. Kaiser (1958) Psychometrika 23:187-200, doi:10.1007/BF02289233. Hendrickson and
    White (1964) British Journal of Statistical Psychology 17:65-70, doi:10.1111/j.2044-8317.1964.tb00244.x.

    Raises
    ------
    InputError
        For an unknown extraction or rotation, or more factors than the number of items can identify.
    """
    for name, value, allowed in (("extraction", extraction, Extraction), ("rotation", rotation, Rotation)):
        if value not in get_args(allowed):
            raise InputError(
                f"`{name}` must be one of {', '.join(get_args(allowed))}", f"found {value!r}", "Choose one of these."
            )
    if not 1 <= n_factors <= most_factors(len(corr)):
        raise InputError(
            f"{len(corr)} items can tell 1 to {most_factors(len(corr))} factors apart",
            f"found `n_factors` {n_factors}",
            "Ask for fewer factors, or analyse more items.",
        )
    unrotated, extracted = _extract(corr, n_factors, extraction)
    loadings, phi, rotated = _rotate(unrotated, rotation if n_factors > 1 else "none")
    structure = loadings @ phi
    variance = (loadings * structure).sum(axis=0) / len(corr)
    order = np.argsort(-variance, kind="stable")
    sign = np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)[order]
    communalities = (loadings * structure).sum(axis=1)
    return Factors(
        loadings=loadings[:, order] * sign,
        structure=structure[:, order] * sign,
        phi=phi[np.ix_(order, order)] * np.outer(sign, sign),
        communalities=communalities,
        variance=variance[order],
        converged=extracted and rotated,
        heywood=communalities > 1 - HEYWOOD,
    )


def most_factors(p: int) -> int:
    """The most factors whose model of p items has no negative degrees of freedom (Ledermann 1937).

    >>> [most_factors(p) for p in (2, 3, 4, 5, 6, 24)]
    [0, 1, 1, 2, 3, 17]
    """
    return max((m for m in range(p) if (p - m) ** 2 >= p + m), default=0)


def _extract(corr: np.ndarray, n_factors: int, extraction: Extraction) -> tuple[np.ndarray, bool]:
    """Unrotated loadings (p, m), and whether the fit converged."""
    from factor_analyzer import FactorAnalyzer

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = FactorAnalyzer(
            n_factors, rotation=None, method=extraction, is_corr_matrix=True, bounds=(LOWEST_UNIQUENESS, 1)
        ).fit(corr.copy())  # a copy: the fit overwrites the diagonal
    return np.asarray(model.loadings_), not any("converge" in str(warning.message) for warning in told)


def _rotate(unrotated: np.ndarray, rotation: Rotation) -> tuple[np.ndarray, np.ndarray, bool]:
    """Rotated loadings, factor correlations, and whether more steps would change nothing."""
    identity = np.eye(unrotated.shape[1])
    if rotation == "none":
        return unrotated, identity, True
    loadings, phi = _turn(unrotated, rotation, ROTATION_STEPS)
    further, _ = _turn(unrotated, rotation, 2 * ROTATION_STEPS)
    return loadings, identity if phi is None else phi, bool(np.allclose(loadings, further, atol=1e-6))


def _turn(unrotated: np.ndarray, rotation: Rotation, steps: int) -> tuple[np.ndarray, np.ndarray | None]:
    from factor_analyzer import Rotator

    rotator = Rotator(method=rotation, max_iter=steps, tol=1e-7)
    return np.asarray(rotator.fit_transform(unrotated)), rotator.phi_
