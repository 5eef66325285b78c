"""The parts of the driver analysis that need rows, for a large table: robust errors and correlations, exactly, from sums."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from cxresearch.core.large import LargeTable
from cxresearch.core.large_correlation import (
    MOST_RANKS,
    bootstrap_large_spearman,
    count_answers,
    large_rank_correlations,
)
from cxresearch.core.moments import Moments
from cxresearch.core.results import gather, tidy, words
from cxresearch.core.totals import Totals
from cxresearch.methods.driver_rows import Fit, correlation_tests, with_interval


def large_fit(table: LargeTable) -> Fit:
    """Least squares of the last column on the others: HC3 errors by a second pass, or CR1 errors from the clusters' sums.

    The errors are those that `robust_fit` gives for the same rows.

    References
    ----------
    MacKinnon and White (1985), doi:10.1016/0304-4076(85)90158-7. Cameron and Miller (2015), doi:10.3368/jhr.50.2.317.
    """
    totals = table.totals()
    moments = totals.moments()
    n, p, total = totals.n, len(table.names) - 1, float(totals.sums[:, 0].sum())
    products = moments.cov * (n - 1) / n * total  # weighted sums of products of deviations
    inverse = np.linalg.inv(products[:p, :p])
    slopes = inverse @ products[:p, p]
    if table.clusters is None:
        whole = np.zeros((p + 1, p + 1))
        whole[0, 0], whole[1:, 1:] = 1 / total, inverse
        middle, df, kind = table.residual_products(moments.mean, slopes, whole), n - p - 1.0, "hc3"
    else:
        moved, units = _by_unit(totals, moments, slopes), len(totals.sums)
        middle = moved.T @ moved * units / (units - 1) * (n - 1) / (n - p - 1)
        df, kind = units - 1.0, "cr1"
    error = np.sqrt(np.diag(inverse @ middle @ inverse))
    t, half = slopes / error, stdtrit(df, 0.975) * error
    rows = tidy(
        "coefficient",
        slopes,
        scale="drivers",
        term=list(table.names[:-1]),
        std_error=error,
        statistic=t,
        df=df,
        p_value=2 * stdtr(df, -np.abs(t)),
        conf_low=slopes - half,
        conf_high=slopes + half,
        n=n,
        method=words("ols", _design_words(table), kind),
    )
    return Fit(rows, float(moments.mean[-1] - slopes @ moments.mean[:-1]), table.clusters)


def _by_unit(totals: Totals, moments: Moments, slopes: np.ndarray) -> np.ndarray:
    """What each cluster adds to the normal equations (units, p): sums of weight x deviation x residual."""
    p1 = len(totals.names)
    upper = np.triu_indices(p1)
    weight, first = totals.sums[:, 0], totals.sums[:, 1 : p1 + 1]
    second = np.empty((len(weight), p1, p1))
    second[:, upper[0], upper[1]] = second[:, upper[1], upper[0]] = totals.sums[:, p1 + 1 :]
    off = moments.mean - totals.centre
    cross = first[:, :, None] * off
    around = second - cross - cross.swapaxes(1, 2) + weight[:, None, None] * np.outer(off, off)
    return (around @ np.append(-slopes, 1.0))[:, :-1]


def large_correlations(table: LargeTable, replicates: Moments, n_bootstrap: int, *, seed: int) -> pd.DataFrame:
    """Pearson and Spearman correlations of each driver and, last, the outcome; ranks only where answers are few enough.

    Without weights and clusters as in `correlations`; else both with a bootstrap, of the draws (`seed`) of the replicates.
    """
    moments = table.totals().moments()
    r, n = moments.corr[:-1, -1], int(moments.n)
    columns: dict[str, Any] = {"scale": table.names[-1], "term": list(table.names[:-1]), "n": n}
    simple = not table.weighted and table.clusters is None
    if simple:
        parts = [tidy("correlation", r, **correlation_tests(r, n, 1.0), method="pearson; fisher z", **columns)]
    else:
        said = words("pearson", moments.design_words)
        parts = [with_interval(replicates, "correlation", r, replicates.corr[:, :-1, -1], method=said, **columns)]
    if (count_answers(table.complete()) <= MOST_RANKS).all():
        ranks = large_rank_correlations(table)[:-1, -1]
        if simple:
            tests = correlation_tests(ranks, n, 1 + ranks**2 / 2)
            parts.append(tidy("correlation", ranks, **tests, method="spearman; fisher z", **columns))
        else:
            stack = bootstrap_large_spearman(table, n_bootstrap, seed=seed)
            usable = stack[np.isfinite(stack).all(axis=1)]
            said = words("spearman", moments.design_words)
            parts.append(with_interval(replicates, "correlation", ranks, usable, method=said, **columns))
    return gather(parts)


def _design_words(table: LargeTable) -> str:
    """Weights and clusters, where no bootstrap is concerned."""
    return words("weighted" if table.weighted else "", "clustered" if table.clusters is not None else "")
