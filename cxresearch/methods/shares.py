"""Shares with their intervals: of rows, or of the population that weighted or clustered rows stand for."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

from cxresearch.methods.linearised import linearised_means


class Share(NamedTuple):
    """Estimates, standard errors and 95 % bounds, each shape (k,); degrees of freedom of the interval."""

    estimate: np.ndarray
    std_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    df: float


def wilson_share(count: np.ndarray, n: np.ndarray | float, level: float = 0.95) -> Share:
    """Shares of independent rows with Wilson's score interval, which holds for shares near 0 and 1 too.

    Parameters
    ----------
    count : (k,) rows that have it
    n : rows looked at; nan bounds where there are none

    References
    ----------
    Wilson (1927) JASA 22:209-212, doi:10.1080/01621459.1927.10502953.

    >>> share = wilson_share(np.array([15.0]), 148)
    >>> share.low.round(4), share.high.round(4)
    (array([0.0624]), array([0.1605]))
    """
    count, n = np.broadcast_arrays(np.asarray(count, float), np.asarray(n, float))
    z = ndtri((1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = count / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        margin = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
        error = np.sqrt(share * (1 - share) / n)
    low = np.where(count == 0, 0.0, centre - margin)  # exact at the ends, where rounding would leave a trace
    high = np.where(count == n, 1.0, centre + margin)
    empty = n == 0
    return Share(share, error, np.where(empty, np.nan, low), np.where(empty, np.nan, high), np.nan)


def design_share(indicators: np.ndarray, weights: np.ndarray, clusters: np.ndarray, level: float = 0.95) -> Share:
    """Weighted shares; linearised standard errors between clusters; t interval on the logit scale.

    Parameters
    ----------
    indicators : (n, k) of 0 and 1
    weights : (n,)
    clusters : (n,) numbers of clusters 0..G-1, each row its own where there are none

    Returns
    -------
    Share with G - 1 degrees of freedom; bounds are nan where a share is 0 or 1; no errors and bounds from a single cluster

    References
    ----------
    Korn and Graubard (1998) Survey Methodology 24:193-201; errors as in `linearised_means`.
    """
    n, k = indicators.shape
    found = linearised_means(
        indicators.ravel(), np.repeat(weights, k), np.tile(np.arange(k), n), np.repeat(clusters, k), k
    )
    return logit_share(found.mean, found.std_error, float(clusters.max()), level)


def logit_share(share: np.ndarray, error: np.ndarray, df: float, level: float = 0.95) -> Share:
    """Shares (k,) with their errors, and the t interval on the logit scale; no bounds where a share is 0 or 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = stdtrit(df, (1 + level) / 2) * error / (share * (1 - share))
        centre = np.log(share / (1 - share))
        low, high = 1 / (1 + np.exp(margin - centre)), 1 / (1 + np.exp(-margin - centre))
    inner = (share > 0) & (share < 1)
    return Share(share, error, np.where(inner, low, np.nan), np.where(inner, high, np.nan), df)
