"""Service drivers: regression of an outcome on drivers, relative importance, importance-performance map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments, bootstrap_moments
from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.core.rules import RULES
from cxresearch.methods.driver_rows import complete_rows, correlations, refuse_hopeless, robust_fit
from cxresearch.methods.importance import MOST_DRIVERS, adjust, betas, inflation, johnson, lmg, r_squared

BOOTSTRAP = "percentile bootstrap"
FEWEST_ON_MAP = 3  # the mean over two drivers always lies between them: it tells nothing
CONCENTRATE, KEEP_UP, LOW_PRIORITY, OVERKILL = 1, 2, 3, 4  # quadrants A to D of Martilla and James (1977)


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
        "driver_fit": View(("r_squared", "adjusted_r_squared"), rows=("scale",)),
        "driver_coefficients": View(("coefficient",), rows=("term",), columns="numbers"),
        "driver_betas": View(("beta", "vif"), rows=("term",)),
        "driver_correlations": View(("correlation",), rows=("term",), columns="numbers", method="pearson"),
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
        values = {
            "outcome": self.outcome, "n": self.n_used, "r_squared": self.r_squared,
            "r_squared_low": total["conf_low"], "r_squared_high": total["conf_high"],
            "first": first["term"], "share": first["estimate"], "low": first["conf_low"], "high": first["conf_high"],
            "second": second["term"], "second_share": second["estimate"],
        }  # fmt: skip
        return Finding(f"drivers.{key}", values, cautions=tuple(self._cautions()))

    def map_finding(self) -> Finding:
        """Which drivers the importance-performance map puts into "concentrate here", and whose place is not certain."""
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
        few = self.n_clusters is not None and not RULES["clusters"].met(self.n_clusters)
        thin = not RULES["rows_per_driver"].met(self.n_used / len(self.drivers))
        said: list[tuple[bool, str, dict[str, Any], str | None]] = [
            (thin, "few_rows", {"n": self.n_used, "count": len(self.drivers)}, "rows_per_driver"),
            (several, "given_others" if len(clear) else "none_given_others", {"drivers": list(clear["term"])}, "significance"),
            (len(negative) > 0, "negative", {"drivers": list(negative["term"])}, None),
            (len(inflated) > 0, "vif", {"drivers": list(inflated["term"]), "worst": vif["estimate"].max()}, "vif"),
            (self.importance == "johnson", "johnson_only", {"count": len(self.drivers), "most": MOST_DRIVERS}, None),
            (few, "few_clusters", {"clusters": self.n_clusters}, "clusters"),
            (self.n_failed > 0, "failed_replicates", {"failed": self.n_failed}, None),
            (bool(self.design_words), "spearman_unweighted", {}, None),
            (True, "association", {"outcome": self.outcome}, None),
        ]  # fmt: skip
        return [
            Finding(f"drivers.{key}", values, RULES[rule] if rule else None)
            for holds, key, values, rule in said
            if holds
        ]


def regress_drivers(
    scores: pd.DataFrame,
    outcome: str,
    *,
    drivers: Sequence[str],
    ranges: Mapping[str, tuple[float, float]] | None = None,
    design: Design | None = None,
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

    Rows are used that are complete on the outcome and all drivers and have a weight above 0. Nothing here shows a cause.

    Parameters
    ----------
    scores : one row a respondent; numeric columns for the outcome and the drivers
    outcome, drivers : columns of `scores`
    ranges : lowest and highest possible score of each driver; performance is then on 0 to 100
    design : survey weights and clusters
    n_bootstrap : replicates behind the intervals; 0 for none

    Raises
    ------
    InputError
        For a column that is missing, constant, text or given twice; for collinear drivers, an outcome that the drivers
        make up exactly, fewer rows than p + 2, a single cluster, or a row that alone decides a coefficient (HC3).

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
    design = design or Design()
    frame = complete_rows(scores, outcome, list(drivers), design)
    design = design.on(frame.index)
    moments = Moments.from_frame(frame, design=design)
    refuse_hopeless(moments, design)
    replicates, n_failed = _replicates(frame, n_bootstrap, seed, design)
    fit = robust_fit(frame, design)
    table, headline = _table(frame, moments, replicates, fit.rows, design, ranges)
    return DriverRegression(
        table=table,
        n_used=len(frame),
        n_dropped=len(scores) - len(frame),
        outcome=outcome,
        drivers=tuple(drivers),
        intercept=fit.intercept,
        n_clusters=fit.n_clusters,
        n_failed=n_failed,
        design_words=design.words,
        **headline,
    )


def _replicates(frame: pd.DataFrame, n_bootstrap: int, seed: int, design: Design) -> tuple[Moments, int]:
    """The bootstrap stack without the replicates that cannot be estimated, and how many those are."""
    stack = bootstrap_moments(frame, n_bootstrap, seed=seed, design=design)
    corr = stack.corr
    usable = np.isfinite(corr).all(axis=(-2, -1))
    smallest = np.linalg.eigvalsh(np.where(usable[:, None, None], corr, np.eye(corr.shape[-1]))[:, :-1, :-1])[:, 0]
    usable &= smallest > 1e-10
    kept = replace(stack, n=stack.n[usable], mean=stack.mean[usable], cov=stack.cov[usable])
    return kept, int((~usable).sum())


def _table(
    frame: pd.DataFrame,
    moments: Moments,
    replicates: Moments,
    slopes: pd.DataFrame,
    design: Design,
    ranges: Mapping[str, tuple[float, float]] | None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """All rows, and the headline numbers among them."""
    n, names = len(frame), list(moments.names[:-1])
    common = {"scale": "drivers", "n": n}
    by_driver = common | {"term": names}
    boot = words("ols", design.words, BOOTSTRAP)
    with_interval = partial(_with_interval, replicates)
    total = r_squared(moments.corr)
    adjusted, stack = (adjust(r_squared(m.corr), n, len(names)) for m in (moments, replicates))
    parts = [  # the percentiles of R² itself lie too high, so both take those of adjusted R², which estimates the same
        _cut(
            with_interval(
                "r_squared", total, stack, method=words("ols", design.words, "adjusted " + BOOTSTRAP), **common
            )
        ),
        _cut(with_interval("adjusted_r_squared", adjusted, stack, method=boot, **common)),
        slopes,
        with_interval("beta", betas(moments.corr), betas(replicates.corr), method=boot, **by_driver),
        tidy("vif", inflation(moments.corr), method=design.words, **by_driver),
    ]
    shares = {"johnson": (johnson(moments.corr), johnson(replicates.corr))}
    if len(names) <= MOST_DRIVERS:
        shares = {"lmg": (lmg(moments.corr), lmg(replicates.corr))} | shares
    for kind, (share, stack) in shares.items():
        parts.append(
            with_interval(f"importance_{kind}", share, stack, method=words(design.words, BOOTSTRAP), **by_driver)
        )
    main = next(iter(shares))
    performance, crosshair, on_hundred = _performance_rows(
        moments, replicates, ranges, main, shares[main][0], by_driver
    )
    parts += [correlations(frame, moments, replicates, design), performance]
    headline = {
        "r_squared": float(total), "adjusted_r_squared": float(adjusted), "importance": main,
        "crosshair": crosshair, "on_hundred": on_hundred, "leads": _leads(*shares[main], replicates),
    }  # fmt: skip
    return gather(parts), headline


def _leads(share: np.ndarray, stack: np.ndarray, replicates: Moments) -> bool:
    """Whether the largest share can be told from the next: the interval of their difference lies above 0."""
    if len(share) == 1:
        return True
    if len(stack) < 2:
        return False
    first, second = np.argsort(-share)[:2]
    return bool(replicates.interval(stack[:, first] - stack[:, second])[0] > 0)


def _performance_rows(
    moments: Moments,
    replicates: Moments,
    ranges: Mapping[str, tuple[float, float]] | None,
    kind: str,
    share: np.ndarray,
    columns: Mapping[str, object],
) -> tuple[pd.DataFrame, tuple[float, float] | None, bool]:
    """Performance and quadrant of each driver, the crosshair, and whether performance is on 0 to 100."""
    names = moments.names[:-1]
    on_hundred = ranges is not None and all(name in ranges for name in names)
    low, high = np.array([ranges[name] for name in names], float).T if on_hundred and ranges else (0.0, 100.0)
    performance, stack = (100 * (m.mean[..., :-1] - low) / (high - low) for m in (moments, replicates))
    unit = "mean, 0 to 100" if on_hundred else "mean"
    how = words(unit, moments.design_words, BOOTSTRAP)
    rows = _with_interval(replicates, "performance", performance, stack, method=how, **columns)
    if len(names) < FEWEST_ON_MAP:
        return rows, None, on_hundred
    crosshair = float(performance.mean()), float(share.mean())
    well, heavy = performance >= crosshair[0], share >= crosshair[1]
    quadrant = np.where(heavy, np.where(well, KEEP_UP, CONCENTRATE), np.where(well, OVERKILL, LOW_PRIORITY))
    how = words(kind, unit, "crosshair at means", moments.design_words)
    return gather([rows, tidy("quadrant", quadrant, method=how, **columns)]), crosshair, on_hundred


def _with_interval(
    replicates: Moments, quantity: str, estimate: np.ndarray, stack: np.ndarray, **columns: object
) -> pd.DataFrame:
    if len(stack) < 2:
        return tidy(quantity, estimate, **columns)
    low, high = replicates.interval(stack)
    return tidy(quantity, estimate, std_error=stack.std(axis=0, ddof=1), conf_low=low, conf_high=high, **columns)


def _cut(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a share, its interval kept between 0 and 1."""
    return rows.assign(**{bound: rows[bound].clip(0, 1) for bound in ("conf_low", "conf_high")})
