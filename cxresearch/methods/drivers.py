"""Service drivers: regression of an outcome on drivers, relative importance, importance-performance map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from cxresearch.core.answers import Answers, Missing, count_rows, moments_of, names_of, replicates_of, sound_answers
from cxresearch.core.cautions import few_clusters
from cxresearch.core.correlation import bootstrap_spearman
from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import Moments
from cxresearch.core.results import Finding, Result, View, gather, tidy
from cxresearch.core.rules import RULES
from cxresearch.methods.driver_incomplete import IncompleteScores, em_correlations
from cxresearch.methods.driver_large import large_correlations, large_fit
from cxresearch.methods.driver_rows import (
    Fit,
    classical_fit,
    complete_rows,
    correlations,
    listed_names,
    no_replicates,
    plain_correlations,
    refuse_few,
    refuse_hopeless,
    refuse_unanswered,
    robust_fit,
    usable_replicates,
)
from cxresearch.methods.driver_table import CONCENTRATE, FEWEST_ON_MAP, driver_table, outcome_score
from cxresearch.methods.importance import MOST_DRIVERS


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverRegression(Result):
    """What `regress_drivers` returns.

    Attributes
    ----------
    outcome, drivers : what was regressed on what
    r_squared, adjusted_r_squared : of the regression
    intercept : of the unstandardised regression
    importance : "lmg", or "johnson" where there are too many drivers for LMG: what the map and the finding rest on
    crosshair : (performance, importance) at which the quadrants of the map meet: the means over the drivers; None with fewer
        than three drivers, which have no quadrants
    on_hundred : whether performance is on 0 to 100 (each driver's range was given), or in the drivers' own units
    leads : whether the interval of the first driver's importance less the second's lies above 0
    n_clusters : clusters behind the standard errors; None without clusters
    n_failed : bootstrap replicates with collinear drivers or a constant, left out of the intervals
    """

    views: ClassVar[Mapping[str, View]] = {
        "driver_importance": View(("importance_lmg", "importance_johnson"), rows=("term",)),
        "driver_fit": View(("r_squared", "adjusted_r_squared", "r_squared_pooled"), rows=("scale",)),
        "driver_coefficients": View(("coefficient",), rows=("term",), columns="numbers"),
        "driver_betas": View(("beta", "vif"), rows=("term",)),
        "driver_correlations": View(("correlation",), rows=("term",), columns="numbers", method="-spearman"),
        "driver_rank_correlations": View(("correlation",), rows=("term",), columns="numbers", method="spearman"),
        "driver_performance": View(("performance", "quadrant"), rows=("term",)),
    }

    outcome: str
    drivers: tuple[str, ...]
    r_squared: float
    adjusted_r_squared: float
    intercept: float
    importance: Literal["lmg", "johnson"]
    crosshair: tuple[float, float] | None
    on_hundred: bool
    leads: bool
    n_clusters: int | None
    n_failed: int
    design_words: str

    def finding(self) -> Finding:
        """Which drivers carry the explained variance; with every reservation that applies."""
        total = self.pick("r_squared").iloc[0]
        shares = self.pick(f"importance_{self.importance}").sort_values("estimate", ascending=False)
        first, second = shares.iloc[0], shares.iloc[min(1, len(shares) - 1)]
        key = "single" if len(shares) == 1 else "leads" if self.leads else "shared"
        if np.isnan(total["conf_low"]):
            key = "single_plain" if len(shares) == 1 else "shared_plain"
        values = {
            "outcome": self.outcome, "n": self.n_used, "r_squared": self.r_squared,
            "r_squared_low": total["conf_low"], "r_squared_high": total["conf_high"],
            "first": first["term"], "share": first["estimate"], "low": first["conf_low"], "high": first["conf_high"],
            "second": second["term"], "second_share": second["estimate"],
        }  # fmt: skip
        return Finding(f"drivers.{key}", values, cautions=tuple(self._cautions()))

    def reservations(self, view: str) -> tuple[str, ...]:
        """Why there are no rank correlations, where there are none."""
        absent = view == "driver_rank_correlations" and self.pick("correlation", method="spearman").empty
        return (f"drivers.no_ranks_{'incomplete' if self.n_incomplete else 'moments'}",) if absent else ()

    def map_finding(self) -> Finding:
        """Which drivers the importance-performance map puts into "concentrate here", and whose place is not certain."""
        if self.pick("performance").empty:
            return Finding("drivers.map_without_means")
        if self.crosshair is None:
            return Finding("drivers.map_without_quadrants", {"count": len(self.drivers), "fewest": FEWEST_ON_MAP})
        quadrants = self.pick("quadrant")
        named = list(quadrants["term"][quadrants["estimate"] == CONCENTRATE])
        unsure = self._uncertain_places(self.crosshair)
        cautions = [Finding("drivers.map_uncertain", {"drivers": unsure})] if unsure else []
        cautions.append(Finding("drivers.map_relative", {"outcome": self.outcome}))
        key = "drivers.map_concentrate" if named else "drivers.map_nothing"
        return Finding(key, {"drivers": named}, cautions=tuple(cautions))

    def _uncertain_places(self, crosshair: tuple[float, float]) -> list[str]:
        """Drivers whose interval of performance or importance holds the line of the map."""
        crossed: set[str] = set()
        for quantity, line in zip(("performance", f"importance_{self.importance}"), crosshair, strict=True):
            rows = self.pick(quantity)
            crossed |= set(rows["term"][(rows["conf_low"] <= line) & (rows["conf_high"] >= line)])
        return [name for name in self.drivers if name in crossed]

    def _cautions(self) -> list[Finding]:
        slopes, vif = self.pick("coefficient"), self.pick("vif")
        clear = slopes[RULES["significance"].met(slopes["p_value"].to_numpy())]
        negative = clear[clear["estimate"] < 0]
        inflated = vif[~RULES["vif"].met(vif["estimate"].to_numpy())]
        several = len(self.drivers) > 1
        thin = not RULES["rows_per_driver"].met(self.n_used / len(self.drivers))
        said: list[tuple[bool, str, dict[str, Any], str | None]] = [
            (thin, "few_rows", {"n": self.n_used, "count": len(self.drivers)}, "rows_per_driver"),
            (several, "given_others" if len(clear) else "none_given_others", {"drivers": list(clear["term"])}, "significance"),
            (len(negative) > 0, "negative", {"drivers": list(negative["term"])}, None),
            (len(inflated) > 0, "vif", {"drivers": list(inflated["term"]), "worst": vif["estimate"].max()}, "vif"),
            (self.importance == "johnson", "johnson_only", {"count": len(self.drivers), "most": MOST_DRIVERS}, None),
            (self.n_failed > 0, "failed_replicates", {"failed": self.n_failed}, None),
            (self.n_incomplete > 0, self.missing_policy, {"n_incomplete": self.n_incomplete, "n": self.n_used}, None),
            (True, "association", {"outcome": self.outcome}, None),
        ]  # fmt: skip
        found = [
            Finding(f"drivers.{key}", values, RULES[rule] if rule else None)
            for holds, key, values, rule in said
            if holds
        ]
        return few_clusters(self.n_clusters) + found


def regress_drivers(
    scores: Answers,
    outcome: str,
    *,
    drivers: Sequence[str],
    ranges: Mapping[str, tuple[float, float]] | None = None,
    design: Design | None = None,
    missing: Missing = "drop",
    items: pd.DataFrame | None = None,
    scales: Mapping[str, Sequence[str]] | None = None,
    n_imputations: int = 20,
    n_bootstrap: int = 2000,
    seed: int = 0,
) -> DriverRegression:
    """Regress an outcome on drivers and share its explained variance among them.

    Least squares (weighted where the design has weights). Standard errors are HC3, or CR1 with t on G - 1 where it has
    clusters. Importance is LMG (R² added, averaged over all orders of entry) beside Johnson's relative weights; both sum to
    R². Intervals of R², betas, importance and performance are expanded percentiles of a bootstrap of rows or clusters. That of
    R² and adjusted R² takes the replicates of adjusted R², and is cut at 0 and 1, beyond which no share can lie; the adjusted
    R² itself is not cut. The importance-performance map sets each driver's importance against its mean; its quadrants, which
    need three drivers, meet at the means of both.

    Rows are used that are complete on the outcome and all drivers and have a weight above 0; or, if `missing` says so, those with
    any answer to what they are made of. Nothing here shows a cause.

    Parameters
    ----------
    scores : one row a respondent; numeric columns for the outcome and the drivers; a large table; or Moments (of a published matrix), which give
        classical standard errors, no bootstrap intervals and no rank correlations, and a map only if they have means
    outcome, drivers : columns of `scores`
    ranges : lowest and highest possible score of each driver; performance is then on 0 to 100
    design : survey weights and clusters
    missing : "drop": complete rows; "em": maximum-likelihood moments of incomplete rows, with errors of the bootstrap and without rank
        correlations; "impute": as "em", but coefficients with their errors are pooled over imputed answers by Rubin's rules, and
        the pooled R² stands beside that of maximum likelihood
    items, scales : for "em" and "impute", the answers (n, q) behind the scores, and construct -> items; the scores themselves are taken
        for incomplete variables where they are left out
    n_imputations : of "impute"
    n_bootstrap : replicates behind the intervals; 0 for none

    Raises
    ------
    InputError
        For data that are neither rows nor Moments; for a column that is missing, constant, text or given twice; for collinear drivers, an outcome that the drivers
        make up exactly, fewer rows than p + 2, a column without any value, a single cluster, or a row that alone decides a coefficient (HC3).

    References
    ----------
    MacKinnon and White (1985) Journal of Econometrics 29:305-325, doi:10.1016/0304-4076(85)90158-7. Cameron and Miller
    (2015) Journal of Human Resources 50:317-372, doi:10.3368/jhr.50.2.317. Grömping (2006), doi:10.18637/jss.v017.i01.
    Johnson (2000), doi:10.1207/S15327906MBR3501_1. Martilla and James (1977) Journal of Marketing 41:77-79,
    doi:10.1177/002224297704100112. Hesterberg (2015), doi:10.1080/00031305.2015.1089789 (expanded percentiles).

    >>> rng = np.random.default_rng(1)
    >>> scores = pd.DataFrame(rng.normal(size=(200, 2)), columns=["speed", "price"])
    >>> scores["satisfaction"] = 2 * scores["speed"] + scores["price"] + rng.normal(size=200)
    >>> found = regress_drivers(scores, "satisfaction", drivers=["speed", "price"], n_bootstrap=50)
    >>> shares = found.pick("importance_lmg")["estimate"]
    >>> bool(abs(shares.sum() - found.r_squared) < 1e-12)
    True
    """
    scores, design = sound_answers(scores, design=design, missing=missing), design or Design()
    names, total = listed_names(names_of(scores), outcome, list(drivers)), count_rows(scores, [])
    if missing != "drop" and isinstance(scores, pd.DataFrame):
        source = IncompleteScores.of(scores if items is None else items, names, scales or {}, design)
        parts = _of_incomplete(source, total, n_bootstrap, seed, n_imputations if missing == "impute" else 0)
    else:
        parts = _of_complete(scores, names, total, design, n_bootstrap, seed)
    moments, replicates, fit = parts.moments, parts.replicates, parts.fit
    table, headline = driver_table(moments, replicates, fit, parts.correlation_rows, ranges)
    return DriverRegression(
        table=gather([table, parts.more_rows, outcome_score(*parts.outcome, ranges)]),
        n_used=int(moments.n),
        n_dropped=total - int(moments.n),
        missing_policy=missing,
        n_incomplete=moments.n_incomplete,
        iterations=moments.iterations,
        outcome=outcome,
        drivers=tuple(drivers),
        intercept=fit.intercept,
        n_clusters=fit.n_clusters,
        n_failed=parts.n_failed,
        design_words=moments.design_words,
        **headline,
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the table of a regression is made of; `replicates` may be empty."""

    moments: Moments
    replicates: Moments
    outcome: tuple[Moments, Moments]  # its own moments and replicates, by all who answered it
    fit: Fit
    correlation_rows: pd.DataFrame
    more_rows: pd.DataFrame
    n_failed: int


def _of_complete(scores: Answers, names: list[str], total: int, design: Design, n_bootstrap: int, seed: int) -> _Parts:
    """From complete rows, a large table, or moments."""
    data = complete_rows(scores, names, design) if isinstance(scores, pd.DataFrame) else scores
    every, design = design, design.on(data.index) if isinstance(data, pd.DataFrame) else design
    refuse_unanswered([name for name in names if total and not count_rows(scores, [name])])
    refuse_few(count_rows(data, names), total, len(names) - 1)
    moments = moments_of(data, names, design=design)
    refuse_hopeless(moments, design)
    replicates, n_failed = usable_replicates(replicates_of(data, names, n_bootstrap, seed=seed, design=design), moments)
    if isinstance(data, pd.DataFrame):
        rank_stack = _rank_replicates(data, n_bootstrap, seed, design)
        fit, correlation_rows = robust_fit(data, design), correlations(data, moments, replicates, rank_stack, design)
    elif isinstance(data, LargeTable):
        table = data[names]
        fit, correlation_rows = large_fit(table), large_correlations(table, replicates, n_bootstrap, seed=seed)
    else:
        fit, correlation_rows = classical_fit(moments), plain_correlations(moments)
    alone = moments_of(scores, names[-1:], design=every)
    again = replicates_of(scores, names[-1:], n_bootstrap, seed=seed, design=every)
    own = (alone, no_replicates(alone) if again is None else again)
    return _Parts(moments, replicates, own, fit, correlation_rows, tidy("", []), n_failed)


def _of_incomplete(source: IncompleteScores, total: int, n_bootstrap: int, seed: int, n_imputations: int) -> _Parts:
    """From incomplete rows, by maximum likelihood; with imputations, coefficients are pooled over these."""
    refuse_unanswered(source.unanswered())
    refuse_few(len(source.answers), total, len(source.recipe.columns) - 1)
    moments = source.moments()
    refuse_hopeless(moments, source.design)
    replicates, n_failed = usable_replicates(source.replicates(n_bootstrap, seed), moments)
    rows = em_correlations(moments, replicates)
    if n_imputations:
        fit, pooled = source.imputed_fit(n_imputations, seed)
        return _Parts(moments, replicates, (moments, replicates), fit, rows, pooled, n_failed)
    return _Parts(
        moments, replicates, (moments, replicates), source.fit(moments, replicates), rows, tidy("", []), n_failed
    )


def _rank_replicates(frame: pd.DataFrame, n_bootstrap: int, seed: int, design: Design) -> np.ndarray:
    """Rank correlations (B, p) with the outcome in the resamples of a design; a simple sample needs none."""
    if design.is_simple:
        return np.empty((0, frame.shape[1] - 1))
    stack = bootstrap_spearman(frame, str(frame.columns[-1]), n_bootstrap, seed=seed, design=design)
    return stack[np.isfinite(stack).all(axis=1)]
