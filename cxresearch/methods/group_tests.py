"""Tests of differences between groups: Welch, Kruskal-Wallis, Wald, pairs after Games and Howell, effect sizes."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from cxresearch.core.moments import deviations_from
from cxresearch.core.results import gather, tidy, words
from cxresearch.methods.group_means import GroupMeans
from cxresearch.methods.studentized_range import range_isf, range_sf

LEVEL = 0.95


def omnibus(samples: Sequence[np.ndarray], **columns: object) -> pd.DataFrame:
    """Welch's ANOVA and Kruskal-Wallis (corrected for ties) of k samples; no Welch where a sample does not vary.

    References
    ----------
    Welch (1951) Biometrika 38:330-336, doi:10.1093/biomet/38.3-4.330. Kruskal and Wallis (1952) Journal of the American
    Statistical Association 47:583-621, doi:10.1080/01621459.1952.10483441.
    """
    from scipy.stats import kruskal
    from statsmodels.stats.oneway import anova_oneway

    method = str(columns.pop("method"))
    rows = []
    if all(np.ptp(sample) > 0 for sample in samples):
        welch = anova_oneway(list(samples), use_var="unequal", welch_correction=True)
        numbers = {"statistic": welch.statistic, "df": welch.df_num, "p_value": welch.pvalue}
        rows.append(tidy("welch_f", welch.statistic, **numbers, method=words("welch", method), **columns))
        rows.append(tidy("welch_df_denominator", welch.df_denom, method=words("welch", method), **columns))
    h, p = kruskal(*samples)
    rows.append(tidy("kruskal_h", h, statistic=h, df=len(samples) - 1, p_value=p, method=method, **columns))
    return gather(rows)


def wald(means: GroupMeans, units: int, **columns: object) -> pd.DataFrame:
    """Wald test that all groups have one mean, from the design's covariances; its F and denominator degrees of freedom.

    Where no two groups share a cluster, the statistic is referred to F as Welch does, with the clusters of each group as
    its degrees of freedom; else it is adjusted as W (d - r + 1) / (d r) on r = k - 1 and d - r + 1, d = units - 1. No rows
    where a group has a single cluster or the clusters are too few.

    References
    ----------
    Welch (1951) Biometrika 38:330-336, doi:10.1093/biomet/38.3-4.330. Korn and Graubard (1990) The American Statistician
    44:270-276, doi:10.1080/00031305.1990.10475737.
    """
    from scipy.special import fdtrc

    r, d = len(means.n) - 1, units - 1
    contrasts = np.eye(r + 1)[1:] - np.eye(r + 1)[0]
    cov, gaps = contrasts @ means.cov @ contrasts.T, contrasts @ means.mean
    if d < r or not np.isfinite(cov).all() or np.linalg.matrix_rank(cov) < r:
        return tidy("wald_f", [])
    total = gaps @ np.linalg.solve(cov, gaps)
    if np.count_nonzero(means.cov) == r + 1:  # diagonal: groups do not share clusters
        share = 1 / np.diag(means.cov)
        lack = ((1 - share / share.sum()) ** 2 / means.df).sum()
        f, below, name = (
            total / r / (1 + 2 * (r - 1) / (r * (r + 2)) * lack),
            r * (r + 2) / (3 * lack),
            "welch adjusted",
        )
    else:
        f, below, name = total * (d - r + 1) / (d * r), d - r + 1, "korn graubard adjusted"
    method = words("wald", name, str(columns.pop("method")))
    return gather([
        tidy("wald_f", f, statistic=f, df=r, p_value=fdtrc(r, below, f), method=method, **columns),
        tidy("wald_df_denominator", below, method=method, **columns),
    ])  # fmt: skip


def game_pairs(means: GroupMeans, **columns: object) -> pd.DataFrame:
    """Differences of all pairs of means with p and intervals adjusted for their number, after Games and Howell.

    Each pair has its own standard error and Welch-Satterthwaite degrees of freedom, referred to the studentized range. The
    errors are those of the design; for a simple sample this is the Games-Howell test itself.

    References
    ----------
    Games and Howell (1976) Journal of Educational Statistics 1:113-125, doi:10.3102/10769986001002113.
    """
    first, second = pair_places(len(means.n))
    gap, error, df = differences(means)
    p, half, t = np.full((3, len(gap)), np.nan)
    fine = (error > 0) & np.isfinite(df)
    t[fine] = gap[fine] / error[fine]
    p[fine] = range_sf(np.sqrt(2) * np.abs(t[fine]), len(means.n), df[fine])
    half[fine] = range_isf(1 - LEVEL, len(means.n), df[fine]) / np.sqrt(2) * error[fine]
    return tidy(
        "mean_difference",
        gap,
        term=pair_names(means.names),
        std_error=error,
        statistic=t,
        df=df,
        p_value=p,
        conf_low=gap - half,
        conf_high=gap + half,
        n=means.n[first] + means.n[second],
        **columns,
    )


def differences(means: GroupMeans) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Differences (pairs,) of means, their standard errors, and Welch-Satterthwaite degrees of freedom.

    Groups that share clusters have correlated means; their degrees of freedom are at most the pair's clusters less one.
    """
    first, second = pair_places(len(means.n))
    variance = np.diag(means.cov)
    error = np.sqrt(np.maximum(variance[first] + variance[second] - 2 * means.cov[first, second], 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = variance[first] ** 2 / means.df[first] + variance[second] ** 2 / means.df[second]
        df = np.minimum((variance[first] + variance[second]) ** 2 / shares, means.shared[first, second] - 1)
    return means.mean[first] - means.mean[second], error, df


def effects(means: GroupMeans, variance: np.ndarray, *, simple: bool, **columns: object) -> pd.DataFrame:
    """Cohen's d and Hedges' g of all pairs, by the pooled standard deviation of the two groups.

    g = J d with the exact J(m) = Γ(m/2) / (sqrt(m/2) Γ((m-1)/2)), m = n1 + n2 - 2. For a simple sample the interval inverts
    the noncentral t distribution; for a design it is d ± t sqrt(se² / s² + d² / (2 m)), se the linearised error of the
    difference and s the pooled standard deviation. That of g is J times that of d.

    Parameters
    ----------
    variance : (k,) of the groups, denominator n - 1
    simple : whether the sample has neither weights nor clusters

    References
    ----------
    Hedges (1981) Journal of Educational Statistics 6:107-128, doi:10.3102/10769986006002107. Steiger and Fouladi (1997) in
    What If There Were No Significance Tests?, pp. 221-257.
    """
    first, second = pair_places(len(means.n))
    n1, n2 = means.n[first], means.n[second]
    m = n1 + n2 - 2.0
    gap, error, df = differences(means)
    spread = np.sqrt(((n1 - 1) * variance[first] + (n2 - 1) * variance[second]) / m)
    spread[spread == 0] = np.nan  # neither group varies: no standardised difference
    d = gap / spread
    if simple:
        low, high = noncentral_interval(d, n1, n2)
    else:
        half = _t_quantile(df) * np.sqrt((error / spread) ** 2 + d**2 / (2 * m))
        low, high = d - half, d + half
    method = words("pooled sd", "noncentral t" if simple else "linearised", str(columns.pop("method")))
    columns |= {"term": pair_names(means.names), "n": n1 + n2, "method": method}
    shrink = small_sample_correction(m)
    return gather([
        tidy("cohens_d", d, conf_low=low, conf_high=high, **columns),
        tidy("hedges_g", shrink * d, conf_low=shrink * low, conf_high=shrink * high, **columns),
    ])  # fmt: skip


def small_sample_correction(m: np.ndarray) -> np.ndarray:
    """Hedges' exact J (pairs,) for m degrees of freedom.

    >>> small_sample_correction(np.array([10.0])).round(6)
    array([0.922746])
    """
    from scipy.special import gammaln

    return np.exp(gammaln(m / 2) - gammaln((m - 1) / 2)) / np.sqrt(m / 2)


def _t_quantile(df: np.ndarray) -> np.ndarray:
    from scipy.special import stdtrit

    return np.where(np.isfinite(df), stdtrit(np.where(np.isfinite(df), df, 1), (1 + LEVEL) / 2), np.nan)


def noncentral_interval(d: np.ndarray, n1: np.ndarray, n2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interval of Cohen's d (m,) for groups of n1 and n2 rows, by inverting the noncentral t distribution."""
    from scipy.optimize import brentq
    from scipy.stats import nct

    scale = np.sqrt(1 / n1 + 1 / n2)
    df, t = n1 + n2 - 2.0, d / scale

    def bound(t_one: float, df_one: float, level: float) -> float:
        reach = 6 * np.sqrt(1 + t_one**2 / (2 * df_one))  # the normal approximation needs 1.96 of these

        def excess(nc: float) -> float:
            reached = nct.cdf(t_one, df_one, nc)
            return (reached if np.isfinite(reached) else float(nc < t_one)) - level

        return brentq(excess, t_one - reach, t_one + reach, xtol=1e-12)

    tails = ((1 + LEVEL) / 2, (1 - LEVEL) / 2)
    low, high = (
        np.array([bound(*one, tail) if np.isfinite(one[0]) else np.nan for one in zip(t, df, strict=True)])
        for tail in tails
    )
    return low * scale, high * scale


def explained(
    weights: np.ndarray, values: np.ndarray, codes: np.ndarray, *, with_interval: bool, **columns: object
) -> pd.DataFrame:
    """Eta squared and omega squared: the share of the variance that lies between the groups.

    Omega squared corrects eta squared for chance and may be slightly negative. The interval of eta squared (simple samples)
    inverts the noncentral F distribution: ncp / (ncp + n).

    References
    ----------
    Hays (1963) Statistics for Psychologists. Steiger (2004) Psychological Methods 9:164-182,
    doi:10.1037/1082-989X.9.2.164.
    """
    total = np.bincount(codes, weights)  # weights have mean 1, or count the rows with a value
    mean = np.bincount(codes, weights * values) / total
    within = weights @ deviations_from(values, mean[codes]) ** 2
    return explained_between(total, mean, within, with_interval=with_interval, **columns)


def explained_between(
    total: np.ndarray, mean: np.ndarray, within: float, *, with_interval: bool, **columns: object
) -> pd.DataFrame:
    """The same of the weights (k,) and means (k,) of groups, and the squares within them."""
    groups, n = len(total), float(total.sum())
    between = total @ (mean - total @ mean / n) ** 2
    error = within / (n - groups)
    eta = between / (between + within)
    omega = (between - (groups - 1) * error) / (between + within + error)
    method = str(columns.pop("method"))
    if not with_interval or error == 0:
        return gather([tidy(name, value, method=method, **columns)
                       for name, value in (("eta_squared", eta), ("omega_squared", omega))])  # fmt: skip
    low, high = eta_interval(between / (groups - 1) / error, groups - 1, round(n) - groups)
    return gather([
        tidy("eta_squared", eta, conf_low=low, conf_high=high, method=words("noncentral f", method), **columns),
        tidy("omega_squared", omega, method=method, **columns),
    ])  # fmt: skip


def eta_interval(f: float, df_between: int, df_within: int) -> tuple[float, float]:
    """Interval of eta squared by inverting the noncentral F distribution at the classical F."""
    from scipy.optimize import brentq
    from scipy.stats import f as central
    from scipy.stats import ncf

    def bound(level: float) -> float:
        if central.cdf(f, df_between, df_within) <= level:
            return 0.0
        high = 10.0 + 4 * df_between * f
        while ncf.cdf(f, df_between, df_within, high) > level:
            high *= 2
        return brentq(lambda nc: ncf.cdf(f, df_between, df_within, nc) - level, 1e-12, high, xtol=1e-10)

    low, high = (bound(level) for level in ((1 + LEVEL) / 2, (1 - LEVEL) / 2))
    n = df_between + df_within + 1
    return low / (low + n), high / (high + n)


def pair_places(groups: int) -> tuple[np.ndarray, np.ndarray]:
    """First and second group of every pair, in the order of the groups."""
    first, second = np.triu_indices(groups, 1)
    return first, second


def pair_names(names: Sequence[str]) -> list[str]:
    """`A - B` for every pair, in the order of `pair_places`."""
    return [f"{a} - {b}" for a, b in combinations(names, 2)]
