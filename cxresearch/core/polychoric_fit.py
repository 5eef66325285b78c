"""Polychoric correlations of many contingency tables at once, by maximum likelihood for given thresholds."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from cxresearch.core.bivariate_normal import FAR, cells, densities, rectangle_probabilities

LIMIT = 0.999  # no estimate beyond it: a table whose likelihood still rises there says only that it is near 1
STEP = 1e-6  # the last Newton step; the error left is of the order of its square
STEPS = 60
BLOCK = 4096  # tables at a time; bounds memory, does not change the numbers
ROUNDING = 1e-12
GAIN = 1e-17  # the likelihood a row may gain by another step, when the search ends all the same
FLAT = 1e-9  # the likelihood a row may lose by going to the limit, when the estimate is put there
LEAST = 1e-15  # probability of a cell, where rounding leaves less


@dataclass(frozen=True, slots=True)
class Fits:
    """Correlations of m tables.

    Attributes
    ----------
    rho : (m,); nan where one of the two items is constant
    at_limit : (m,) whether the likelihood rises up to LIMIT or -LIMIT
    converged : (m,) whether the search ended at a maximum
    """

    rho: np.ndarray
    at_limit: np.ndarray
    converged: np.ndarray


def thresholds(margins: np.ndarray) -> np.ndarray:
    """Normal quantiles (..., K - 1) of the cumulative shares of margins (..., K); -FAR or FAR beside empty ends.

    >>> thresholds(np.array([50.0, 0.0, 50.0]))
    array([0., 0.])
    """
    totals = np.cumsum(margins, axis=-1)
    with np.errstate(invalid="ignore"):
        below = totals[..., :-1] / totals[..., -1:]
    below = np.where(below > 1 - ROUNDING, 1.0, below)  # nothing lies above, but for what rounding of weights left
    return np.clip(ndtri(below), -FAR, FAR)


def fit_correlations(tables: np.ndarray, a: np.ndarray, b: np.ndarray) -> Fits:
    """The correlation rho (m,) that makes each table (m, I, J) most likely, given thresholds a (m, I - 1), b (m, J - 1).

    Newton's method on all tables together, each step halved until the likelihood rises; Fisher scoring where the likelihood
    is not concave. Nothing is added to empty cells.

    References
    ----------
    Olsson (1979) Psychometrika 44:443-460, doi:10.1007/BF02296207 (the two-step estimator).
    """
    parts = [slice(start, start + BLOCK) for start in range(0, len(tables), BLOCK)] or [slice(0, 0)]
    fits = [_fit_block(tables[part], a[part], b[part]) for part in parts]
    return Fits(*(np.concatenate([getattr(fit, name) for fit in fits]) for name in Fits.__slots__))


def _fit_block(tables: np.ndarray, a: np.ndarray, b: np.ndarray) -> Fits:
    shares = tables / np.maximum(tables.sum(axis=(1, 2), keepdims=True), LEAST)
    rho = _start(shares, a, b)
    converged = np.isnan(rho)  # constant items have nothing to search for
    step, reached = np.zeros_like(rho), np.full_like(rho, -np.inf)
    open_ = np.flatnonzero(~converged)
    for _ in range(STEPS):
        part, cuts, old = shares[open_], (a[open_], b[open_]), rho[open_] - step[open_]
        chance = np.maximum(rectangle_probabilities(*cuts, rho[open_]), LEAST)
        likelihood = (part * np.log(chance)).sum(axis=(1, 2))
        better = likelihood >= reached[open_] - LEAST
        onward, gain = _next(part, chance, *cuts, rho[open_])
        reached[open_] = np.where(better, likelihood, reached[open_])
        step[open_] = np.where(better, onward - rho[open_], step[open_] / 2)
        rho[open_] = np.where(better, onward, old + step[open_])
        settled = (np.abs(step[open_]) < STEP) | (better & (gain < GAIN))
        converged[open_[settled]] = True
        open_ = open_[~settled]
        if not len(open_):
            break
    return _to_the_limit(Fits(rho, np.zeros(len(rho), bool), converged), shares, a, b, reached)


def _to_the_limit(fits: Fits, shares: np.ndarray, a: np.ndarray, b: np.ndarray, reached: np.ndarray) -> Fits:
    """The fits, those whose likelihood does not fall towards the limit put there: the search ends anywhere on level ground."""
    near = np.flatnonzero(np.abs(fits.rho) > 0.95)
    limit = LIMIT * np.sign(fits.rho[near])
    chance = np.maximum(rectangle_probabilities(a[near], b[near], limit), LEAST)
    level = (shares[near] * np.log(chance)).sum(axis=(1, 2)) >= reached[near] - FLAT
    rho, at_limit, converged = fits.rho.copy(), fits.at_limit.copy(), fits.converged.copy()
    rho[near[level]] = limit[level]
    at_limit[near[level]] = converged[near[level]] = True
    return Fits(rho, at_limit, converged)


def _next(
    shares: np.ndarray, chance: np.ndarray, a: np.ndarray, b: np.ndarray, rho: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a Newton step leads, at most half of the way to 1 or -1 and never beyond the limit; and what it may gain."""
    first, second = (_cells_of(part) for part in densities(a, b, rho))
    ratio = shares / chance
    score = (ratio * first).sum(axis=(1, 2))
    observed = (ratio * (first * first / chance - second)).sum(axis=(1, 2))
    expected = np.maximum((first * first / chance).sum(axis=(1, 2)), LEAST)
    step = score / np.where(observed > 0.1 * expected, observed, expected)
    onward = np.clip(np.clip(rho + step, (rho - 1) / 2, (rho + 1) / 2), -LIMIT, LIMIT)
    return onward, score * step


def _cells_of(corners: np.ndarray) -> np.ndarray:
    """Derivatives in the cells (m, I, J) of derivatives at the inner corners (m, I - 1, J - 1); they vanish at the rim."""
    return cells(np.pad(corners, ((0, 0), (1, 1), (1, 1))))


def _start(shares: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One scoring step from independence: covariance of mean normal scores over the product of their variances."""
    scores = [_normal_scores(shares.sum(axis=2), a), _normal_scores(shares.sum(axis=1), b)]
    product = np.einsum("mij,mi,mj->m", shares, *scores)
    spread = (shares.sum(axis=2) * scores[0] ** 2).sum(axis=1) * (shares.sum(axis=1) * scores[1] ** 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > ROUNDING, np.clip(product / spread, -0.9, 0.9), np.nan)


def _normal_scores(margins: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Mean (m, I) of a standard normal variable within each category; 0 in empty ones."""
    density = np.pad(np.exp(-cuts * cuts / 2) / np.sqrt(2 * np.pi), ((0, 0), (1, 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(margins > 0, (density[:, :-1] - density[:, 1:]) / margins, 0.0)


def influences(tables: np.ndarray, a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """How much an answer in each cell (m, I, J) moves the estimate: n times its change by one more such row.

    Thresholds are estimated too, each from its own margin, and their doubt enters. The mean square of the influences over
    the rows, divided by n, is the asymptotic variance of the two-step estimate; their mean products over pairs are the
    asymptotic covariances. Information is the mean product of the scores, as in Muthen (1984) and lavaan.

    References
    ----------
    Muthen (1984) Psychometrika 49:115-132, doi:10.1007/BF02294210. Olsson (1979), doi:10.1007/BF02296207.
    """
    total = tables.sum(axis=(1, 2), keepdims=True)
    shares = tables / total
    chance = np.maximum(rectangle_probabilities(a, b, rho), LEAST)
    score = np.where(shares > 0, _cells_of(densities(a, b, rho)[0]) / chance, 0.0)
    weighed = shares * score / chance
    by_row = _threshold_part(weighed, a, b, rho, shares.sum(axis=2))
    by_column = _threshold_part(weighed.swapaxes(1, 2), b, a, rho, shares.sum(axis=1))
    information = (shares * score**2).sum(axis=(1, 2))
    information = np.where(information > ROUNDING, information, np.nan)[:, None, None]  # nan at the limit
    return (score - by_row[:, :, None] - by_column[:, None, :]) / information


def _threshold_part(
    weighed: np.ndarray, a: np.ndarray, b: np.ndarray, rho: np.ndarray, margin: np.ndarray
) -> np.ndarray:
    """What an answer in each row category (m, I) adds to the score by way of the thresholds a."""
    rest = np.sqrt((1 - rho) * (1 + rho))[:, None, None]
    below = np.pad(ndtr((b[:, None, :] - rho[:, None, None] * a[:, :, None]) / rest), ((0, 0), (0, 0), (1, 0)))
    inside = np.diff(below, axis=2, append=1.0)  # of each column category, at each threshold
    slope = (inside * (weighed[:, :-1] - weighed[:, 1:])).sum(axis=2)
    up_to = np.pad(slope[:, ::-1].cumsum(axis=1)[:, ::-1], ((0, 0), (0, 1)))
    return up_to - (margin * up_to).sum(axis=1, keepdims=True)
