"""How consistently the items of each scale measure: alpha, omega, split halves, and what each item adds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.answers import (
    Answers,
    Missing,
    count_rows,
    moments_of,
    names_of,
    replicates_of,
    rows_with,
    sound_answers,
)
from cxresearch.core.cautions import few_clusters
from cxresearch.core.correlation import identical_pairs
from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import Moments
from cxresearch.core.results import Finding, Result, View, gather
from cxresearch.core.rules import RULES, Rule
from cxresearch.errors import InputError, name_some
from cxresearch.methods.reliability_rows import ALL, JudgedScale


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityResult(Result):
    """Reliability of each scale and of all items together.

    Attributes
    ----------
    alpha, omega : coefficient of each scale; omega only where it is defined
    cautions : scales and items that need a reader's eye, or were left out, and why
    n_bootstrap : replicates behind each percentile interval; 0 where there are none
    """

    views: ClassVar[Mapping[str, View]] = {
        "reliability": View(
            ("alpha", "alpha_standardized", "omega_total", "split_half", "mean_inter_item_correlation"), rows=("scale",)
        ),
        "reliability_items": View(("item_rest_correlation", "alpha_if_dropped"), rows=("scale", "term")),
    }

    alpha: pd.Series
    omega: pd.Series
    cautions: tuple[Finding, ...]
    n_bootstrap: int

    def finding(self, rule: Rule = RULES["alpha_acceptable"]) -> Finding:
        """Which scales reach the rule, by alpha."""
        scales = self.pick("alpha").set_index("scale").drop(index=ALL, errors="ignore")
        if scales.empty:
            return Finding("reliability.only_all", {"estimate": self.alpha[ALL]}, None, self.cautions)
        below = [str(scale) for scale, estimate in scales["estimate"].items() if not rule.met(estimate)]
        lowest = str(scales["estimate"].idxmin())
        values = {
            "n_scales": len(scales),
            "n_met": len(scales) - len(below),
            "below": below,
            "lowest": lowest,
            "estimate": scales.loc[lowest, "estimate"],
            "conf_low": scales.loc[lowest, "conf_low"],
            "conf_high": scales.loc[lowest, "conf_high"],
        }
        key = "reliability.some_below" if below else "reliability.all_reach"
        return Finding(key if scales["conf_low"].notna()[lowest] else f"{key}_plain", values, rule, self.cautions)


def check_reliability(
    answers: Answers,
    scales: Mapping[str, Sequence[str]],
    *,
    design: Design | None = None,
    missing: Missing = "drop",
    n_bootstrap: int = 2000,
    seed: int = 0,
) -> ReliabilityResult:
    """Judge the reliability of each scale by the rows that answered its items.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered, reversed items already turned round; a large table; or Moments (of a published matrix),
        which give estimates without intervals
    scales : scale -> items
    design : weights and clusters, respected by estimates and intervals
    missing : "drop": the rows that answered all items of a scale; "em": all that answered any, by maximum likelihood
    n_bootstrap : replicates behind each 95 % expanded percentile interval; 0 for no intervals
    seed : of the bootstrap

    Returns
    -------
    ReliabilityResult. For each scale and for `all` items: alpha (raw, of covariances), alpha_standardized (of correlations),
    omega_total (one-factor maximum likelihood; three items or more, whose covariances are not singular), split_half, mean_inter_item_correlation. For each item:
    item_rest_correlation and alpha_if_dropped (three items or more). Scales that cannot be judged are left out and named
    in `cautions`.

    Raises
    ------
    InputError
        For data that are neither rows nor Moments, items that are not in them, text, a scale named `all`, or if no scale can be judged.

    References
    ----------
    Cronbach (1951), doi:10.1007/BF02310555. McDonald (1999) Test Theory. Hayes and Coutts (2020),
    doi:10.1080/19312458.2020.1718629. Kelley and Pornprasertmanit (2016) Psychological Methods 21:69-92,
    doi:10.1037/a0040086 (bootstrap intervals). Hesterberg (2015), doi:10.1080/00031305.2015.1089789 (expanded percentiles).

    Examples
    --------
    >>> answers = pd.DataFrame({"q1": [1.0, 2, 3, 4], "q2": [2.0, 2, 4, 5]})
    >>> print(round(check_reliability(answers, {"speed": ["q1", "q2"]}, n_bootstrap=200).alpha["speed"], 4))
    0.967
    """
    answers, design = sound_answers(answers, design=design, missing=missing), design or Design()
    _refuse_bad_scales(answers, scales)
    every = list(dict.fromkeys(item for items in scales.values() for item in items))
    usable, left_out = sort_scales(answers, {**scales, ALL: every}, design, missing=missing)
    if not usable:
        raise InputError(
            "some scale must have two different items that were answered together",
            f"found none among {name_some(scales)} ({len(scales)} scales)",
            "Check `constructs` and missing answers in the study file.",
        )
    draw = partial(replicates_of, answers, n_bootstrap=n_bootstrap, seed=seed, design=design, missing=missing)
    judged = _judge(usable, draw, shared=missing == "drop")
    alone = len(judged) == 1  # every scale has one item: then the items are told within all
    table = gather([rows for scale in judged for rows in scale.tables(with_items=alone or scale.name != ALL)])
    n_used, n_dropped, n_clusters = _count_rows(answers, usable, design, missing)
    return ReliabilityResult(
        table=table,
        n_used=n_used,
        n_dropped=n_dropped,
        missing_policy=missing,
        n_incomplete=max(moments.n_incomplete for moments in usable.values()),
        iterations=max(moments.iterations for moments in usable.values()),
        alpha=_by_scale(table, "alpha"),
        omega=_by_scale(table, "omega_total"),
        cautions=(*left_out, *_cautions(judged, table), *few_clusters(n_clusters)),
        n_bootstrap=n_bootstrap if any(scale.replicates is not None for scale in judged) else 0,
    )


def _count_rows(
    answers: Answers, usable: Mapping[str, Moments], design: Design, missing: Missing
) -> tuple[int, int, int | None]:
    """Rows that answered some scale, rows that did not, and the clusters of the former."""
    if isinstance(answers, LargeTable):
        n = answers.count_answered([moments.names for moments in usable.values()])
        return n, len(answers) - n, answers.clusters
    if isinstance(answers, Moments):
        return int(answers.n), 0, None
    counted = [rows_with(answers, moments.names, missing=missing) for moments in usable.values()]
    used = pd.concat(counted, axis=1).any(axis=1)
    return int(used.sum()), int((~used).sum()), design.count_clusters(answers.index[used])


def _refuse_bad_scales(answers: Answers, scales: Mapping[str, Sequence[str]]) -> None:
    known = names_of(answers)
    unknown = [item for items in scales.values() for item in items if item not in known]
    if unknown:
        raise InputError(
            "every item of `scales` must be a column of `answers`", f"found no {name_some(unknown)}", "Check the names."
        )
    if ALL in scales:
        raise InputError(
            f"`scales` must not use the name `{ALL}`", "it stands for all items of the study", "Rename the scale."
        )


def sort_scales(
    answers: Answers, scales: Mapping[str, Sequence[str]], design: Design, *, missing: Missing = "drop"
) -> tuple[dict[str, Moments], list[Finding]]:
    """Moments of the scales that can be judged, and why the others cannot."""
    usable: dict[str, Moments] = {}
    single = [name for name, items in scales.items() if len(items) < 2 and name != ALL]
    left_out = [Finding("reliability.one_item", {"scales": single})] if single else []
    for name, items in scales.items():
        if len(items) < 2:
            continue
        n = min(count_rows(answers, part) for part in ([[item] for item in items] if missing != "drop" else [items]))
        if n < 3:
            left_out.append(Finding("reliability.too_few_rows", {"scale": name, "n": n}))
            continue
        try:
            moments = moments_of(answers, items, design=design, missing=missing)
        except InputError:
            if missing == "drop":
                raise
            left_out.append(Finding("reliability.no_em", {"scale": name}))
            continue
        constant = [item for item, sd in zip(items, moments.sd, strict=True) if not sd > 0]
        twins = [] if constant else _identical(moments)
        if constant:
            left_out.append(Finding("reliability.constant_items", {"scale": name, "items": constant}))
        elif twins:
            left_out.append(Finding("reliability.identical_items", {"scale": name, "items": twins}))
        else:
            usable[name] = moments
    return usable, left_out


def _identical(moments: Moments) -> list[str]:
    """Items that are the same as another, up to units or direction."""
    places = np.unique(identical_pairs(moments.corr))
    return [moments.names[place] for place in places]


def _judge(
    usable: Mapping[str, Moments], draw: Callable[[Sequence[str]], Moments | None], *, shared: bool
) -> list[JudgedScale]:
    """The scales with their bootstraps; where `shared`, scales answered by the same rows as all items have theirs."""
    every = draw(usable[ALL].names) if ALL in usable else None
    judged = []
    for name, moments in usable.items():
        same = name == ALL or (shared and ALL in usable and int(moments.n) == int(usable[ALL].n))
        replicates = every.select(moments.names) if every is not None and same else draw(moments.names)
        judged.append(JudgedScale.of(name, moments, replicates))
    return judged


def _by_scale(table: pd.DataFrame, quantity: str) -> pd.Series:
    rows = table[table["quantity"] == quantity]
    return pd.Series(rows["estimate"].to_numpy(), index=rows["scale"].to_numpy(), name=quantity)


def _cautions(judged: list[JudgedScale], table: pd.DataFrame) -> list[Finding]:
    """What a reader must know about scales that were judged."""
    rest = table[table["quantity"] == "item_rest_correlation"]
    low = rest[~RULES["item_rest"].met(rest["estimate"].to_numpy()) & (rest["estimate"] >= 0)]  # not said twice
    weak = Finding("reliability.low_items", {"items": list(dict.fromkeys(low["term"]))}, RULES["item_rest"])
    found = {
        "reliability.negative_items": {"items": list(rest["term"][rest["estimate"] < 0])},
        "reliability.two_items": {"scales": [s.name for s in judged if len(s.moments.names) == 2 and s.name != ALL]},
        "reliability.omega_failed": {"scales": [s.name for s in judged if s.has_failed]},
        "reliability.heywood": {"scales": [s.name for s in judged if s.is_heywood]},
        "reliability.unstable": {"scales": [s.name for s in judged if s.is_unstable]},
    }
    singular = [
        Finding("reliability.omega_singular", {"scale": s.name, "n": int(s.moments.n), "count": len(s.moments.names)})
        for s in judged
        if s.is_singular
    ]
    said = [Finding(key, values) for key, values in found.items() if any(values.values())]
    return singular + said + ([weak] if len(low) else [])
