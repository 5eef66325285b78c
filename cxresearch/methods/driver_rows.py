"""The parts of the driver analysis that need the rows themselves: checks, robust errors, correlations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cxresearch.core.correlation import correlate
from cxresearch.core.design import Design
from cxresearch.core.moments import ROUNDING, Moments
from cxresearch.core.results import gather, tidy, words
from cxresearch.errors import InputError, name_some

BOOTSTRAP = "percentile bootstrap"
SINGULAR = 1e-10  # smallest eigenvalue of the driver correlations below which drivers count as collinear


@dataclass(frozen=True, slots=True)
class Fit:
    """A regression with robust errors.

    Attributes
    ----------
    rows : coefficient rows of the result's table, one a driver
    intercept : of the regression
    n_clusters : clusters behind the errors; None where each row stands for itself
    """

    rows: pd.DataFrame
    intercept: float
    n_clusters: int | None


def listed_names(known: Sequence[str], outcome: str, drivers: list[str]) -> list[str]:
    """Drivers and, last, the outcome, once it is sure that they are different and among the known names."""
    wanted = [*drivers, outcome]
    unknown = [name for name in wanted if name not in known]
    twice = sorted({str(name) for name in wanted if wanted.count(name) > 1})
    if not drivers or unknown or twice:
        found = f"no column {name_some(unknown)}" if unknown else f"{name_some(twice)} twice" if twice else "no driver"
        raise InputError(
            "`outcome` and `drivers` must name different columns, at least one of them a driver",
            f"found {found}",
            f"The names are {name_some(known, 12)}.",
        )
    return wanted


def complete_rows(scores: pd.DataFrame, names: list[str], design: Design) -> pd.DataFrame:
    """Drivers and, last, the outcome: rows that are complete on all of them and have a weight above 0.

    Raises
    ------
    InputError
        If a column holds text.
    """
    frame = scores[names]
    text = [str(name) for name, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if text:
        raise InputError(
            "outcome and drivers must be numeric", f"found text in {name_some(text)}", "Map words to numbers."
        )
    frame = frame.astype(float).dropna()
    if design.weights is not None:
        frame = frame[design.weights_on(frame.index) > 0]
    return frame


def refuse_unanswered(names: Sequence[str]) -> None:
    """Refuse an outcome or drivers, `names`, for which no row has a value."""
    if names:
        raise InputError(
            "the outcome and every driver of a regression must have answers",
            f"no row has a value of {name_some(names)}",
            "Leave it out of `drivers`, or find out why it has no answers: `cxresearch check` names the items.",
        )


def refuse_few(n: int, total: int, n_drivers: int) -> None:
    """Refuse fewer complete rows than a regression on so many drivers has coefficients, and one to spare."""
    if n < n_drivers + 2:
        raise InputError(
            f"a regression on {n_drivers} drivers needs at least {n_drivers + 2} complete rows",
            f"found {n:,} of {total:,}",
            "Check `where` and the missing answers, or use fewer drivers.",
        )


def refuse_hopeless(moments: Moments, design: Design) -> None:
    """Refuse constants, collinear drivers, an outcome that the drivers make up exactly, and a single cluster."""
    spread = moments.sd
    constant = [
        name for name, sd, mean in zip(moments.names, spread, moments.mean, strict=True) if sd <= ROUNDING * abs(mean)
    ]
    if constant:
        raise InputError("outcome and drivers must vary", f"{name_some(constant)} is constant", "Leave it out.")
    corr = moments.corr
    values, vectors = np.linalg.eigh(corr[:-1, :-1])
    if values[0] < SINGULAR:
        tied = [name for name, part in zip(moments.names, vectors[:, 0], strict=False) if abs(part) > 1e-4]
        raise InputError(
            "no driver may be an exact combination of others",
            f"{name_some(tied)} are collinear",
            "Leave out one of them (the same column twice, or a sum beside its parts).",
        )
    left = np.linalg.eigvalsh(corr)[0]
    if left < SINGULAR:
        raise InputError(
            "the drivers must leave something of the outcome unexplained",
            f"{moments.names[-1]} is an exact combination of {name_some(moments.names[:-1])}",
            "Leave out the drivers that are part of the outcome.",
        )
    if design.clusters is not None and design.clusters.nunique() < 2:
        raise InputError("cluster-robust errors need two clusters", "found 1", "Check `cluster` and `where`.")


def robust_fit(frame: pd.DataFrame, design: Design) -> Fit:
    """Least squares with HC3 errors and t on n - p - 1, or with CR1 errors by cluster and t on G - 1.

    Raises
    ------
    InputError
        If a row has leverage 1, so that HC3 does not exist.
    """
    from statsmodels.regression.linear_model import WLS

    names = list(frame.columns[:-1])
    x = np.column_stack([np.ones(len(frame)), frame[names].to_numpy()])
    plain = WLS(frame.iloc[:, -1].to_numpy(), x, weights=design.weights_on(frame.index)).fit()
    n_clusters = None
    if design.clusters is None:
        _refuse_full_leverage(plain.model.wexog, frame)
        robust = plain.get_robustcov_results("HC3", use_t=True)
    else:
        codes = design.clusters_on(frame.index)
        n_clusters = int(codes.max()) + 1
        robust = plain.get_robustcov_results(
            "cluster", groups=codes, use_correction=True, df_correction=True, use_t=True
        )
    low, high = robust.conf_int(0.05).T
    rows = tidy(
        "coefficient",
        robust.params[1:],
        scale="drivers",
        term=names,
        std_error=robust.bse[1:],
        statistic=robust.tvalues[1:],
        df=plain.df_resid if n_clusters is None else n_clusters - 1,
        p_value=robust.pvalues[1:],
        conf_low=low[1:],
        conf_high=high[1:],
        n=len(frame),
        method=words("ols", design.words, "hc3" if n_clusters is None else "cr1"),
    )
    return Fit(rows, float(robust.params[0]), n_clusters)


def classical_fit(moments: Moments) -> Fit:
    """Least squares from moments alone, drivers first and the outcome last: classical errors and t on n - p - 1."""
    from scipy.special import stdtr, stdtrit

    n, p = int(moments.n), len(moments.names) - 1
    inverse = np.linalg.inv(moments.cov[:-1, :-1])
    slopes, df = inverse @ moments.cov[:-1, -1], n - p - 1.0
    left = (n - 1) * (moments.cov[-1, -1] - slopes @ moments.cov[:-1, -1]) / df
    error = np.sqrt(left * np.diag(inverse) / (n - 1))
    t, half = slopes / error, stdtrit(df, 0.975) * error
    rows = tidy(
        "coefficient",
        slopes,
        scale="drivers",
        term=moments.names[:-1],
        std_error=error,
        statistic=t,
        df=df,
        p_value=2 * stdtr(df, -np.abs(t)),
        conf_low=slopes - half,
        conf_high=slopes + half,
        n=n,
        method=words("ols", moments.design_words, "classical"),
    )
    return Fit(rows, float(moments.mean[-1] - slopes @ moments.mean[:-1]), None)


def plain_correlations(moments: Moments) -> pd.DataFrame:
    """Correlations of each driver and, last, the outcome: t test and Fisher's z interval, from moments alone."""
    r, n = moments.corr[:-1, -1], int(moments.n)
    kind = moments.design_words or "pearson"  # of moments alone nobody knows what correlations they hold
    columns = {"scale": moments.names[-1], "term": moments.names[:-1], "n": n}
    return tidy("correlation", r, **correlation_tests(r, n, 1.0), method=words(kind, "fisher z"), **columns)


def correlations(
    frame: pd.DataFrame, moments: Moments, replicates: Moments, rank_stack: np.ndarray, design: Design
) -> pd.DataFrame:
    """Pearson and Spearman correlations of each driver and the outcome.

    A simple sample has a t test and Fisher's z interval, widened for Spearman after Bonett and Wright (2000), Psychometrika
    65:23-28, doi:10.1007/BF02294183. A design has weighted estimates (mid-ranks of the weights) with bootstrap errors; the
    ranks are taken anew in each resample (`rank_stack`, (B, p); without rows where there is no bootstrap).
    """
    ranks = correlate(frame, "spearman", design=design).cov[:-1, -1]
    columns: dict[str, Any] = {"scale": str(frame.columns[-1]), "term": list(frame.columns[:-1]), "n": len(frame)}
    if design.is_simple:
        tests = correlation_tests(ranks, len(frame), 1 + ranks**2 / 2)
        return gather([
            plain_correlations(moments), tidy("correlation", ranks, **tests, method="spearman; fisher z", **columns)
        ])  # fmt: skip
    pearson, stacks = moments.corr[:-1, -1], (replicates.corr[:, :-1, -1], rank_stack)
    return gather([
        with_interval(replicates, "correlation", estimate, stack, method=words(kind, design.words), **columns)
        for kind, estimate, stack in zip(("pearson", "spearman"), (pearson, ranks), stacks, strict=True)
    ])  # fmt: skip


def with_interval(
    replicates: Moments,
    quantity: str,
    estimate: np.ndarray,
    stack: np.ndarray,
    *,
    method: str,
    how: str = BOOTSTRAP,
    **columns: object,
) -> pd.DataFrame:
    """Rows with the standard error and interval of their replicates (B, ...), or without either where there are none."""
    if len(stack) < 2:
        return tidy(quantity, estimate, method=method, **columns)
    low, high = replicates.interval(stack)
    bounds = {"std_error": stack.std(axis=0, ddof=1), "conf_low": low, "conf_high": high}
    return tidy(quantity, estimate, method=words(method, how), **bounds, **columns)


def correlation_tests(r: np.ndarray, n: int, widening: float | np.ndarray) -> dict[str, np.ndarray]:
    """t test of r (p,) on n - 2, and the interval of Fisher's z with variance widening / (n - 3)."""
    from scipy.special import ndtri, stdtr

    with np.errstate(divide="ignore", invalid="ignore"):  # r of 1, or three rows: no interval
        t = r * np.sqrt((n - 2) / (1 - r**2))
        z, half = np.arctanh(r), ndtri(0.975) * np.sqrt(np.divide(widening, n - 3))
        low, high = np.tanh(z - half), np.tanh(z + half)
    df = np.full(len(r), n - 2.0)
    return {"statistic": t, "df": df, "p_value": 2 * stdtr(df, -np.abs(t)), "conf_low": low, "conf_high": high}


def _refuse_full_leverage(x: np.ndarray, frame: pd.DataFrame) -> None:
    leverage = (np.linalg.qr(x)[0] ** 2).sum(axis=1)
    alone = frame.index[leverage > 1 - 1e-9]
    if len(alone):
        raise InputError(
            "no single row may decide a coefficient alone (HC3 errors do not exist then)",
            f"row {name_some(alone)} does",
            "Leave out the driver that only this row has, or the row.",
        )


def usable_replicates(stack: Moments | None, moments: Moments) -> tuple[Moments, int]:
    """The bootstrap stack without the replicates that cannot be estimated, and how many those are; may be empty."""
    if stack is None:
        return no_replicates(moments), 0
    corr = stack.corr
    usable = np.isfinite(corr).all(axis=(-2, -1))
    smallest = np.linalg.eigvalsh(np.where(usable[:, None, None], corr, np.eye(corr.shape[-1]))[:, :-1, :-1])[:, 0]
    usable &= smallest > 1e-10
    kept = replace(stack, n=stack.n[usable], mean=stack.mean[usable], cov=stack.cov[usable])
    return kept, int((~usable).sum())


def no_replicates(moments: Moments) -> Moments:
    """A bootstrap without replicates."""
    return replace(moments, n=np.empty(0), mean=moments.mean[None][:0], cov=moments.cov[None][:0])
