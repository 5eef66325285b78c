"""Studentized range distribution for many comparisons at once.

SciPy's quantile takes 0.15 s for one pair of groups, because its degrees of freedom differ from pair to pair, so that fifty
groups would take minutes. Here the range of normal values is tabulated once a number of groups (as a Chebyshev series), and
all pairs are then integrated at once. The tests hold it against R's ptukey and qtukey and against SciPy.
"""

from functools import cache

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import chdtri, gammaln, ndtr

_REACH = 8.5  # standard normal deviates beyond which nothing is left to integrate
_WIDEST = 2 * _REACH  # a wider range of normal values does not happen
_LARGE = 1e7  # from here on the degrees of freedom make no difference
_TAIL = 1e-17
_INNER, _OUTER, _DEGREE = 400, 160, 120  # nodes over the largest value, nodes over the standard deviation, series


def range_sf(q: np.ndarray, groups: int, df: np.ndarray) -> np.ndarray:
    """P(Q > q) of the studentized range of `groups` means.

    Parameters
    ----------
    q, df : (m,) statistics and degrees of freedom

    Returns
    -------
    (m,), accurate to about 1e-10 for two degrees of freedom or more, and to 1e-6 below

    References
    ----------
    Copenhaver and Holland (1988) Journal of Statistical Computation and Simulation 30:1-15,
    doi:10.1080/00949658808811082.

    >>> range_sf(np.array([3.5]), 4, np.array([55.3])).round(6)
    array([0.075171])
    """
    q, df = np.broadcast_arrays(np.asarray(q, float), np.minimum(np.asarray(df, float), _LARGE))
    nodes, weights = _gauss(_OUTER)
    low, high = (np.sqrt(chdtri(df, tail) / df) for tail in (1 - 1e-15, _TAIL))
    high = np.clip(
        _WIDEST / np.maximum(q, 1e-300), low, high
    )  # nothing is beyond q once the standard deviation is larger
    half = (high - low)[:, None] / 2
    s = low[:, None] + half * (1 + nodes)
    constant = np.log(2) + df / 2 * np.log(df / 2) - gammaln(df / 2)
    log_density = constant[:, None] + (df[:, None] - 1) * np.log(s) - df[:, None] * s**2 / 2
    beyond = chebyshev.chebval(2 * q[:, None] * s / _WIDEST - 1, _normal_range(groups))
    return np.clip((half * weights * np.exp(log_density) * beyond).sum(axis=1), 0, 1)


def range_isf(tail: float, groups: int, df: np.ndarray) -> np.ndarray:
    """The q (m,) with P(Q > q) = `tail`, for each of the degrees of freedom (m,): secant steps kept within a bracket.

    >>> range_isf(0.05, 4, np.array([55.3])).round(6)
    array([3.746122])
    """
    df = np.asarray(df, float)
    low, high = np.zeros(len(df)), np.full(len(df), 4.0)
    f_low, f_high = np.full(len(df), 1 - tail), range_sf(high, groups, df) - tail
    while (short := f_high > 0).any():
        low, f_low = np.where(short, high, low), np.where(short, f_high, f_low)
        high = np.where(short, 2 * high, high)
        f_high = range_sf(high, groups, df) - tail
    for step in range(200):
        cut = low + (high - low) * (f_low / (f_low - f_high) if step % 3 else 0.5)
        f_cut = range_sf(cut, groups, df) - tail
        low, f_low = np.where(f_cut > 0, cut, low), np.where(f_cut > 0, f_cut, f_low)
        high, f_high = np.where(f_cut > 0, high, cut), np.where(f_cut > 0, f_high, f_cut)
        if (np.minimum(high - low, np.abs(f_cut)) < 1e-13 * high).all():
            break
    return np.where(f_low < -f_high, low, high)


@cache
def _gauss(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(count)


@cache
def _normal_range(groups: int) -> np.ndarray:
    """Chebyshev coefficients, over 0 to _WIDEST, of P(range > w) of `groups` standard normal values."""
    nodes, weights = _gauss(_INNER)
    z = _REACH * nodes  # the largest of the values
    largest = groups * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * _REACH * weights

    def beyond(x: np.ndarray) -> np.ndarray:
        w = (x[:, None] + 1) * _WIDEST / 2
        return (largest * (ndtr(z) ** (groups - 1) - (ndtr(z) - ndtr(z - w)) ** (groups - 1))).sum(axis=1)

    return chebyshev.chebinterpolate(beyond, _DEGREE)
