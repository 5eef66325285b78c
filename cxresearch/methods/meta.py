"""The same number from several studies, pooled by random effects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.core.rules import RULES, Rule
from cxresearch.errors import InputError, name_some

NEEDED = ("study", "quantity", "scale", "term", "estimate", "std_error", "conf_low", "conf_high", "n")
Transform = Literal["none", "log_complement"]
KEYS = ["scale", "term"]
NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledResult(Result):
    """Numbers that several studies share, with what they come to together.

    Attributes
    ----------
    n_studies : studies that share a number with another
    cautions : what a reader must know, and what was left out
    """

    infers: ClassVar[bool] = False
    views: ClassVar[Mapping[str, View]] = {
        "pooled": View(("pooled_estimate", "prediction", "i_squared", "tau"), rows=("scale", "term")),
        "pooled_studies": View(("study_estimate", "study_weight"), rows=("scale", "term", "group")),
    }

    n_studies: int
    cautions: tuple[Finding, ...]

    def finding(self, rule: Rule = RULES["i_squared_moderate"]) -> Finding:
        """How many numbers were pooled, and how many differ between the studies more than chance would let them."""
        pooled, spread = self.pick("pooled_estimate"), self.pick("i_squared")
        values = {
            "n": len(pooled),
            "n_studies": self.n_studies,
            "n_differ": int(rule.met(spread["estimate"].to_numpy()).sum()),
        }
        return Finding("meta.pooled", values, rule, self.cautions)


def pool_studies(
    estimates: pd.DataFrame, *, transform: Transform = "none", copies: Mapping[str, str] = NONE
) -> PooledResult:
    """Pool a quantity that two or more studies share, scale by scale and term by term, each by a random-effects meta-analysis.

    The variance between studies is that of Paule and Mandel (1982), the interval that of Hartung and Knapp (2001) on k - 1
    degrees of freedom, never narrower than the plain one (Roever et al. 2015).

    Parameters
    ----------
    estimates : rows of one quantity, one a study and number, with the columns study, quantity, scale, term, estimate,
        std_error, conf_low, conf_high, n; those with equal scale and term are pooled. Without a standard error it is taken from
        the 95 % interval
    copies : study -> the other one whose respondents it repeats (`find_copies`); it is listed with a weight of 0 and counts nowhere
    transform : "log_complement" pools -log(1 - x), made for coefficient alpha (Bonett 2010), and turns the results back

    Returns
    -------
    PooledResult. For each number: study_estimate and study_weight (group = study), pooled_estimate with its interval,
    prediction (the interval where a new study's value is expected; three studies or more), heterogeneity_q, tau (on the
    scale that is pooled), i_squared. `n` is that of all studies together.

    Raises
    ------
    InputError
        If a column is missing, there are several quantities, a study has two rows for one number, or no number is shared by
        two studies.

    References
    ----------
    Paule and Mandel (1982) J Res NBS 87:377-385, doi:10.6028/jres.087.022. Hartung and Knapp (2001) Statistics in Medicine
    20:3875-3889, doi:10.1002/sim.1009. Roever, Knapp and Friede (2015) doi:10.1186/s12874-015-0091-1. Higgins, Thompson and
    Spiegelhalter (2009) JRSS A 172:137-159, doi:10.1111/j.1467-985X.2008.00552.x (prediction). Higgins and Thompson (2002)
    doi:10.1002/sim.1186 (I squared). Bonett (2010) Psychological Methods 15:368-385, doi:10.1037/a0020142.

    Examples
    --------
    >>> four = pd.DataFrame({"study": list("abcd"), "quantity": "beta", "scale": "drivers", "term": "speed", "n": 100,
    ...     "estimate": [0.1, 0.3, 0.5, 0.2], "std_error": [0.1, 0.14142, 0.12247, 0.17321], "conf_low": np.nan, "conf_high": np.nan})
    >>> print(round(pool_studies(four).value("pooled_estimate"), 4))
    0.2715
    """
    is_copy = estimates["study"].isin(list(copies)) if "study" in estimates else np.zeros(len(estimates), bool)
    usable, left_out = usable_rows(estimates[~is_copy], transform)
    twice = dict(list(estimates[is_copy].groupby(KEYS)))
    parts = [_pool(group, transform, twice.get(key)) for key, group in usable.groupby(KEYS, sort=False)]
    studies = usable["study"].nunique()
    few = [Finding("meta.few_studies", {"n": studies}, RULES["studies_for_pooling"])]
    return PooledResult(
        table=gather([rows for part in parts for rows in part]),
        n_used=respondents(usable),
        n_studies=studies,
        cautions=(*left_out, *(few if not RULES["studies_for_pooling"].met(studies) else [])),
    )


def respondents(usable: pd.DataFrame) -> int:
    """Respondents of all studies: the most that any number of a study has."""
    return int(usable.groupby("study")["n"].max().sum())


def usable_rows(estimates: pd.DataFrame, transform: Transform) -> tuple[pd.DataFrame, list[Finding]]:
    """Rows that can be pooled, with `effect` and `variance` on the scale to pool on, and what was left out."""
    _refuse_bad_rows(estimates)
    effect, low, high = (
        _forward(estimates[name].to_numpy(float), transform) for name in ("estimate", "conf_low", "conf_high")
    )
    from_interval = np.abs(high - low) / (2 * 1.959963984540054)
    given = estimates["std_error"].to_numpy(float) if transform == "none" else np.full(len(estimates), np.nan)
    error = np.where(np.isfinite(given), given, from_interval)
    rows = estimates.assign(effect=effect, variance=error**2)
    sound = np.isfinite(effect) & np.isfinite(error) & (error > 0)
    usable = rows[sound]
    usable = usable[usable.groupby(KEYS)["study"].transform("size") >= 2]
    if usable.empty:
        raise InputError(
            "some number must be shared by two studies or more, each with a standard error or an interval",
            f"found none among {name_some(estimates['study'].unique())} ({len(estimates)} rows)",
            "Studies share a number where their constructs and items have the same names.",
        )
    without = estimates.loc[~sound, "study"].unique()
    return usable, [Finding("meta.no_error", {"studies": list(without)})] if len(without) else []


def _refuse_bad_rows(estimates: pd.DataFrame) -> None:
    absent = [name for name in NEEDED if name not in estimates]
    if absent:
        raise InputError(
            f"`estimates` must have the columns {', '.join(NEEDED)}", f"found no {name_some(absent)}", "Add them."
        )
    if len(set(estimates["quantity"])) > 1:
        raise InputError(
            "`estimates` must hold one quantity",
            f"found {name_some(estimates['quantity'].unique())}",
            "Pool each apart.",
        )
    twice = estimates[estimates.duplicated(["study", *KEYS], keep=False)]
    if len(twice):
        raise InputError(
            "each study must have one row a number",
            f"found several of {name_some(twice['study'].unique())} for {name_some(twice['quantity'].unique())}",
            "Choose one method.",
        )


def _pool(group: pd.DataFrame, transform: Transform, twice: pd.DataFrame | None) -> list[pd.DataFrame]:
    """One number of several studies: their estimates and weights, the pooled one, and how much they differ.

    Copies of studies (`twice`) stand among them without any weight.
    """
    from scipy.special import chdtrc, stdtrit

    effect, variance, k = group["effect"].to_numpy(), group["variance"].to_numpy(), len(group)
    tau2 = _between(effect, variance)
    weight = 1 / (variance + tau2)
    centre = weight @ effect / weight.sum()
    widening = max(1.0, float(weight @ (effect - centre) ** 2 / (k - 1)))
    error = np.sqrt(widening / weight.sum())
    half = stdtrit(k - 1, 0.975) * error
    fixed = 1 / variance
    q = float(fixed @ (effect - fixed @ effect / fixed.sum()) ** 2)
    typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - fixed @ fixed)
    columns = {name: group[name].iloc[0] for name in ("scale", "term")}
    columns |= {"n": group["n"].sum(), "method": _method(group, transform)}
    natural = columns if transform != "none" else {**columns, "std_error": error}
    listed = group if twice is None else pd.concat([group, twice])
    shares = np.append(weight / weight.sum(), np.zeros(len(listed) - k))
    rows = [
        *study_rows(listed),
        tidy(
            "study_weight",
            shares,
            **{**columns, "n": listed["n"].to_numpy()},
            group=listed["study"].tolist(),
        ),
        tidy("pooled_estimate", _back(centre, transform), df=k - 1, **natural, **_bounds(centre, half, transform)),
        tidy("heterogeneity_q", q, statistic=q, df=k - 1, p_value=chdtrc(k - 1, q), **columns),
        tidy("tau", np.sqrt(tau2), **columns),
        tidy("i_squared", tau2 / (tau2 + typical), **columns),
    ]
    if k > 2:
        far = stdtrit(k - 2, 0.975) * np.sqrt(tau2 + error**2)
        rows.append(
            tidy("prediction", _back(centre, transform), df=k - 2, **columns, **_bounds(centre, far, transform))
        )
    return rows


def _between(effect: np.ndarray, variance: np.ndarray) -> float:
    """Variance between studies after Paule and Mandel: where the weighted squares come to k - 1; 0 if they never reach that."""
    from scipy.optimize import brentq

    def excess(tau2: float) -> float:
        weight = 1 / (variance + tau2)
        return float(weight @ (effect - weight @ effect / weight.sum()) ** 2) - (len(effect) - 1)

    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0.0, np.ptp(effect) ** 2 * len(effect), xtol=1e-15, rtol=1e-12))


def _method(group: pd.DataFrame, transform: Transform) -> str:
    turned = "log of 1 - x" if transform == "log_complement" else ""
    return words(f"of {group['quantity'].iloc[0]}", "random effects", "paule-mandel", "hartung-knapp", turned)


def study_rows(group: pd.DataFrame) -> list[pd.DataFrame]:
    """The estimates of the studies as they stand in their results.csv."""
    columns = {name: group[name].to_numpy() for name in ("std_error", "conf_low", "conf_high", "n")}
    keys = {name: group[name].iloc[0] for name in ("scale", "term")}
    method = f"of {group['quantity'].iloc[0]}"
    return [tidy("study_estimate", group["estimate"], group=group["study"].tolist(), method=method, **keys, **columns)]


def _forward(values: np.ndarray, transform: Transform) -> np.ndarray:
    if transform == "none":
        return values
    with np.errstate(invalid="ignore", divide="ignore"):
        return -np.log(1 - values)


def _back(value: float, transform: Transform) -> float:
    return value if transform == "none" else 1 - np.exp(-value)


def _bounds(centre: float, half: float, transform: Transform) -> dict[str, float]:
    return {"conf_low": _back(centre - half, transform), "conf_high": _back(centre + half, transform)}
