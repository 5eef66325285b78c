"""Relative importance of drivers from correlation matrices, any leading axes: LMG and Johnson's weights.

Both split the R² of a regression among its drivers; the shares of each method sum to R².
"""

from math import factorial

import numpy as np

from cxresearch.errors import InputError

MOST_DRIVERS = 12  # LMG looks at every subset: 2^12 = 4,096 regressions a replicate
CHUNK = 128  # replicates at a time; bounds the memory, does not change the numbers


def r_squared(correlation: np.ndarray) -> np.ndarray:
    """(...,) R² of the last variable on the others, from correlations (..., p + 1, p + 1)."""
    return np.einsum("...i,...i->...", betas(correlation), correlation[..., :-1, -1])


def adjust(total: np.ndarray, n: int, p: int) -> np.ndarray:
    """(...,) adjusted R² of the R² (...,) of p variables in n rows."""
    return 1 - (1 - total) * (n - 1) / (n - p - 1)


def betas(correlation: np.ndarray) -> np.ndarray:
    """(..., p) standardised coefficients of the last variable on the others, from correlations (..., p + 1, p + 1)."""
    return np.linalg.solve(correlation[..., :-1, :-1], correlation[..., :-1, -1:])[..., 0]


def inflation(correlation: np.ndarray) -> np.ndarray:
    """(..., p) variance inflation factors of all variables but the last, from correlations (..., p + 1, p + 1)."""
    return np.diagonal(np.linalg.inv(correlation[..., :-1, :-1]), axis1=-2, axis2=-1)


def lmg(correlation: np.ndarray) -> np.ndarray:
    """Share of R² that each driver adds, averaged over all orders in which the drivers can enter.

    Parameters
    ----------
    correlation : (..., p + 1, p + 1) correlations of the p drivers and, last, the outcome

    Returns
    -------
    (..., p), summing to R²

    Raises
    ------
    InputError
        If there are more than MOST_DRIVERS drivers.

    References
    ----------
    Lindeman, Merenda and Gold (1980) Introduction to Bivariate and Multivariate Analysis, p. 119 ff. Grömping (2006)
    Journal of Statistical Software 17(1), doi:10.18637/jss.v017.i01.

    >>> lmg(np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.3], [0.6, 0.3, 1.0]])).round(2)
    array([0.36, 0.09])
    """
    drivers = correlation.shape[-1] - 1
    if drivers > MOST_DRIVERS:
        raise InputError(
            f"LMG takes at most {MOST_DRIVERS} drivers",
            f"found {drivers}",
            "Use Johnson's weights, or fewer drivers.",
        )
    stack = correlation.reshape(-1, drivers + 1, drivers + 1)
    weights = _subset_weights(drivers)
    shares = np.empty((len(stack), drivers))
    for at in range(0, len(stack), CHUNK):
        shares[at : at + CHUNK] = r_squared_of_subsets(stack[at : at + CHUNK]) @ weights
    return shares.reshape(*correlation.shape[:-2], drivers)


def r_squared_of_subsets(correlation: np.ndarray) -> np.ndarray:
    """R² of the outcome on every subset of the drivers, shape (..., 2^p).

    The drivers are taken up one after the other. At each, every subset so far goes on twice: without the driver (its row
    and column are left out) and with it (its part is swept out of what remains). Driver i is in a subset when bit
    p - 1 - i of the subset's place is set.

    Parameters
    ----------
    correlation : (..., p + 1, p + 1) correlations of the p drivers and, last, the outcome
    """
    rest = correlation[..., None, :, :]
    while rest.shape[-1] > 1:
        without = rest[..., 1:, 1:]
        column = rest[..., 1:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):  # a replicate with collinear drivers gives nan
            swept = without - column[..., :, None] * (column / rest[..., 0, 0, None])[..., None, :]
        both = np.stack([without, swept], axis=-3)
        rest = both.reshape(*both.shape[:-4], -1, *both.shape[-2:])
    return correlation[..., -1:, -1] - rest[..., 0, 0]


def johnson(correlation: np.ndarray) -> np.ndarray:
    """Johnson's relative weights, by the symmetric square root of the driver correlations.

    The drivers are replaced by the orthogonal variables nearest to them; what these explain is handed back by their
    squared correlations with the drivers.

    Parameters
    ----------
    correlation : (..., p + 1, p + 1) correlations of the p drivers and, last, the outcome

    Returns
    -------
    (..., p), summing to R²

    References
    ----------
    Johnson (2000) Multivariate Behavioral Research 35:1-19, doi:10.1207/S15327906MBR3501_1.

    >>> johnson(np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.3], [0.6, 0.3, 1.0]])).round(2)
    array([0.36, 0.09])
    """
    usable = np.isfinite(correlation).all(axis=(-2, -1), keepdims=True)
    drivers = np.where(usable, correlation, np.eye(correlation.shape[-1]))[..., :-1, :-1]
    values, vectors = np.linalg.eigh(drivers)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(values)[..., None, :]
        square_root = (vectors * root) @ np.swapaxes(vectors, -1, -2)
        inverse = (vectors / root) @ np.swapaxes(vectors, -1, -2)
        slopes = np.einsum("...ij,...j->...i", inverse, correlation[..., :-1, -1])
        return np.einsum("...ij,...j->...i", square_root**2, slopes**2)


def _subset_weights(drivers: int) -> np.ndarray:
    """(2^p, p) weights that turn the R² of all subsets into LMG shares: + for subsets with the driver, - without."""
    members = (np.arange(2**drivers)[:, None] >> np.arange(drivers - 1, -1, -1)) & 1
    size = members.sum(axis=1)
    orders = np.array([factorial(k) * factorial(drivers - 1 - k) / factorial(drivers) for k in range(drivers)])
    added = np.where(size > 0, orders[np.maximum(size - 1, 0)], 0)
    missed = np.where(size < drivers, orders[np.minimum(size, drivers - 1)], 0)
    return np.where(members == 1, added[:, None], -missed[:, None])
