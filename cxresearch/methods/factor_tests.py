"""Whether a correlation matrix suits factor analysis, and how many factors it holds."""

import numpy as np
from scipy.special import chdtrc

CHUNK = 256  # random data sets at a time; bounds memory, does not change the numbers


def kmo(corr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kaiser-Meyer-Olkin measure (...,) and measure of sampling adequacy of each item (..., p) of corr (..., p, p).

    Squared correlations over squared correlations plus squared partial (anti-image) correlations, off the diagonal.

    References
    ----------
    Kaiser (1974) Psychometrika 39:31-36, doi:10.1007/BF02291575.

    Examples
    --------
    >>> overall, items = kmo(np.array([[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]]))
    >>> print(overall.round(4))
    0.6923
    """
    inverse = np.linalg.inv(corr)
    scale = 1 / np.sqrt(np.diagonal(inverse, axis1=-2, axis2=-1))
    off = 1 - np.eye(corr.shape[-1])
    partial = (inverse * scale[..., :, None] * scale[..., None, :] * off) ** 2
    simple = (corr * off) ** 2
    items = simple.sum(axis=-1) / (simple + partial).sum(axis=-1)
    return simple.sum(axis=(-2, -1)) / (simple + partial).sum(axis=(-2, -1)), items


def bartlett(corr: np.ndarray, n: float) -> tuple[float, float, float]:
    """Test that a correlation matrix (p, p) of n rows is the identity: chi-square, degrees of freedom, p value.

    References
    ----------
    Bartlett (1951) Biometrika 38:337-344, doi:10.1093/biomet/38.3-4.337.
    """
    p = len(corr)
    chi2 = -(n - 1 - (2 * p + 5) / 6) * np.linalg.slogdet(corr)[1]
    df = p * (p - 1) / 2
    return float(chi2), df, float(chdtrc(df, chi2))


def eigenvalues(corr: np.ndarray) -> np.ndarray:
    """Eigenvalues (..., p), largest first."""
    return np.linalg.eigvalsh(corr)[..., ::-1]


def random_eigenvalues(n: float, p: int, n_random: int, *, seed: int) -> np.ndarray:
    """Eigenvalues (n_random, p), largest first, of correlation matrices of n rows of p unrelated normal variables.

    The matrices are drawn as such (Wishart, by Bartlett's decomposition), so that the number of rows costs nothing;
    `n` need not be whole: under weights it is the effective number of rows.

    References
    ----------
    Horn (1965) Psychometrika 30:179-185, doi:10.1007/BF02289447. Odell and Feiveson (1966) JASA 61:199-203,
    doi:10.1080/01621459.1966.10502018.

    Examples
    --------
    >>> random_eigenvalues(100, 5, 200, seed=1).mean(axis=0).round(1)
    array([1.3, 1.1, 1. , 0.9, 0.7])
    """
    rng = np.random.default_rng(seed)
    below = np.tril_indices(p, -1)
    values = np.empty((n_random, p))
    for start in range(0, n_random, CHUNK):
        size = min(CHUNK, n_random - start)
        factor = np.zeros((size, p, p))
        factor[:, np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(n - 1 - np.arange(p), size=(size, p)))
        factor[:, below[0], below[1]] = rng.standard_normal((size, len(below[0])))
        factor /= np.sqrt((factor**2).sum(axis=-1, keepdims=True))  # rows of length 1: the product is a correlation
        values[start : start + size] = eigenvalues(factor @ factor.swapaxes(-1, -2))
    return values


def average_partials(corr: np.ndarray) -> np.ndarray:
    """Mean squared partial correlation (p - 1,) of the items once 0, 1, ..., p - 2 principal components are taken out.

    The number of components that leaves the smallest is Velicer's minimum average partial: beyond it, components take what
    few items share.

    References
    ----------
    Velicer (1976) Psychometrika 41:321-327, doi:10.1007/BF02293557.

    Examples
    --------
    >>> average_partials(np.array([[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]])).round(4)
    array([0.25, 0.25])
    """
    p = len(corr)
    values, vectors = np.linalg.eigh(corr)
    parts = vectors.T[::-1, :, None] * vectors.T[::-1, None, :] * values[::-1, None, None]
    left = corr - np.concatenate([np.zeros((1, p, p)), parts[: p - 2].cumsum(axis=0)])
    own = np.diagonal(left, axis1=1, axis2=2)
    squares = left**2 / (own[:, :, None] * own[:, None, :])
    return (squares.sum(axis=(1, 2)) - p) / (p * (p - 1))


def empirical_kaiser(observed: np.ndarray, n: float) -> np.ndarray:
    """Limits (p,) of the empirical Kaiser criterion for the eigenvalues (p,) of n rows, largest first.

    The largest eigenvalue that unrelated items would show by chance, scaled by the variance that the eigenvalues before it
    have left; never below 1.

    References
    ----------
    Braeken and van Assen (2017) Psychological Methods 22:450-466, doi:10.1037/met0000074.

    Examples
    --------
    >>> empirical_kaiser(np.array([2.5, 0.8, 0.4, 0.3]), 100)
    array([1.44, 1.  , 1.  , 1.  ])
    """
    p = len(observed)
    before = np.concatenate([[0.0], np.cumsum(observed)[:-1]])
    return np.maximum((p - before) / np.arange(p, 0, -1) * (1 + np.sqrt(p / n)) ** 2, 1.0)


def leading(observed: np.ndarray, limits: np.ndarray | float) -> int:
    """How many of the first eigenvalues (p,) exceed their limits before one does not.

    >>> leading(np.array([3.0, 1.2, 0.8]), np.array([1.4, 1.3, 0.5]))
    1
    """
    below = observed <= limits
    return int(np.argmax(below)) if below.any() else len(observed)
