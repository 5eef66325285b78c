"""The bivariate normal distribution over grids of thresholds, for many correlations at once."""

import numpy as np
from scipy.special import ndtr, owens_t

FAR = 30.0  # stands for an infinite threshold: nothing lies beyond it
BANDS = (
    (0.3, 6),
    (0.75, 12),
    (0.925, 20),
)  # Gauss-Legendre nodes up to each |correlation| (Genz 2004); Owen's T beyond
LEGENDRE = {nodes: np.polynomial.legendre.leggauss(nodes) for _, nodes in BANDS}


def rectangle_probabilities(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """Probabilities (m, I, J) of the cells that thresholds a (m, I - 1) and b (m, J - 1) cut out, correlation rho (m,).

    Thresholds stand in ascending order within -FAR and FAR; equal ones give an empty cell.

    Examples
    --------
    >>> rectangle_probabilities(np.zeros((1, 1)), np.zeros((1, 1)), np.array([0.5])).round(6)
    array([[[0.333333, 0.166667],
            [0.166667, 0.333333]]])
    """
    m, rows, columns = len(rho), a.shape[1] + 1, b.shape[1] + 1
    below = np.zeros((m, rows + 1, columns + 1))
    below[:, 1:-1, 1:-1] = cumulative(a, b, rho)
    below[:, 1:-1, -1] = ndtr(a)
    below[:, -1, 1:-1] = ndtr(b)
    below[:, -1, -1] = 1.0
    return cells(below)


def cells(below: np.ndarray) -> np.ndarray:
    """What lies in each cell (m, I, J), of what lies below the corners of the cells (m, I + 1, J + 1)."""
    across = below[:, 1:] - below[:, :-1]
    return across[:, :, 1:] - across[:, :, :-1]


def cumulative(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """Probability (m, A, B) that both normal variables are at most a (m, A) and b (m, B), correlation rho (m,).

    By Gauss-Legendre quadrature of Plackett's integral up to |rho| = .925, by Owen's T beyond; absolute error below 1e-14.

    References
    ----------
    Drezner and Wesolowsky (1990) Journal of Statistical Computation and Simulation 35:101-107,
    doi:10.1080/00949659008811236. Genz (2004) Statistics and Computing 14:251-260,
    doi:10.1023/B:STCO.0000035304.20635.31. Owen (1956) Annals of Mathematical Statistics 27:1075-1090,
    doi:10.1214/aoms/1177728074.
    """
    found = np.empty((len(rho), a.shape[1], b.shape[1]))
    size, done = np.abs(rho), np.zeros(len(rho), bool)
    for most, nodes in BANDS:
        here = (size <= most) & ~done
        if here.any():
            found[here] = _by_quadrature(a[here], b[here], rho[here], nodes)
        done |= here
    if not done.all():
        found[~done] = _by_owens_t(a[~done], b[~done], rho[~done])
    return found


def densities(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Density (m, A, B) at each pair of thresholds, which is the derivative of `cumulative` by rho, and its derivative by rho."""
    product = a[:, :, None] * b[:, None, :]
    squares = (a * a)[:, :, None] + (b * b)[:, None, :]
    r = rho[:, None, None]
    rest = 1 - r * r
    density = np.exp((r * product - squares / 2) / rest) / (2 * np.pi * np.sqrt(rest))
    return density, density * (r / rest + ((1 + r * r) * product - r * squares) / rest**2)


def _by_quadrature(a: np.ndarray, b: np.ndarray, rho: np.ndarray, nodes: int) -> np.ndarray:
    """The integral of the density over the correlation from 0 to rho, in terms of the arc sine, added to independence."""
    half = np.arcsin(rho) / 2
    product = a[:, :, None] * b[:, None, :]
    squares = ((a * a)[:, :, None] + (b * b)[:, None, :]) / 2
    total = np.zeros_like(product)
    for point, share in zip(*LEGENDRE[nodes], strict=True):
        sine = np.sin(half * (1 + point))
        rest = 1 / (1 - sine * sine)
        exponent = product * (sine * rest)[:, None, None]
        exponent -= squares * rest[:, None, None]
        total += share * np.exp(exponent, out=exponent)
    return total * (half / (2 * np.pi))[:, None, None] + ndtr(a)[:, :, None] * ndtr(b)[:, None, :]


def _by_owens_t(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> np.ndarray:
    tiny = 1e-300  # in place of 0, whose ratio has no sign
    first = np.where(a == 0, tiny, a)[:, :, None]
    second = np.where(b == 0, tiny, b)[:, None, :]
    r = rho[:, None, None]
    rest = np.sqrt((1 - r) * (1 + r))
    with np.errstate(over="ignore"):
        towards_b = (second / first - r) / rest
        towards_a = (first / second - r) / rest
    opposite = (first > 0) != (second > 0)
    both = (ndtr(first) + ndtr(second) - opposite) / 2
    return np.maximum(both - owens_t(first, towards_b) - owens_t(second, towards_a), 0.0)
