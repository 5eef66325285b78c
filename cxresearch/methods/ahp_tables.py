"""The rows of results.csv, and the check list, of an expert weighting."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from cxresearch.core.results import COLUMNS, NUMBERS, PAIR, tidy, words
from cxresearch.methods.ahp_group import Aggregation, Appraisal, group_matrix
from cxresearch.methods.ahp_matrix import (
    RandomIndex,
    WeightMethod,
    consensus,
    consistency_index,
    consistency_ratio,
    deviations,
    principal_eigen,
)
from cxresearch.methods.hierarchy import Hierarchy, global_weights, shared_totals

ONE, TOGETHER, MAIN = "one expert", "experts together", "main result"
OTHER_AGGREGATION, OTHER_TREATMENT = "other aggregation", "other treatment"  # beside the main result, for comparison
Treatment = Literal["keep", "drop"]
TREATMENT_WORDS: dict[Treatment, str] = {"keep": "inconsistent experts kept", "drop": "inconsistent experts left out"}
HOW_WORDS: dict[Aggregation, str] = {
    "aij": "aij",
    "aip_geometric": "aip; geometric",
    "aip_arithmetic": "aip; arithmetic",
}
Place = tuple[str, str, str]  # quantity, parent, criterion
LeveledWeights = dict[Place, np.ndarray]  # (...,)


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices that stand in the method of every row."""

    method: WeightMethod
    random_index: RandomIndex
    aggregation: Aggregation
    inconsistent: Treatment

    @property
    def weighing(self) -> str:
        """How a matrix becomes weights, in words."""
        return self.method.replace("_", " ")

    def together(self, how: Aggregation) -> str:
        """The method of the group's weights."""
        place = MAIN if how == self.aggregation else OTHER_AGGREGATION
        return words(self.weighing, HOW_WORDS[how], TOGETHER, TREATMENT_WORDS[self.inconsistent], place)

    def treated_otherwise(self) -> str:
        """The method of the group's weights had inconsistent experts been treated the other way."""
        other: Treatment = "drop" if self.inconsistent == "keep" else "keep"
        return words(self.weighing, HOW_WORDS[self.aggregation], TOGETHER, TREATMENT_WORDS[other], OTHER_TREATMENT)


def levels(hierarchy: Hierarchy, local: Mapping[str, np.ndarray]) -> LeveledWeights:
    """Local and global weight of every criterion below every parent; a criterion below several, its whole weight too.

    Parameters
    ----------
    local : parent -> (..., k)
    """
    shares = global_weights(hierarchy, local)
    found: LeveledWeights = {}
    for quantity, weights in (("weight_local", local), ("weight_global", shares)):
        for parent, below in hierarchy.items():
            found |= {(quantity, parent, child): weights[parent][..., place] for place, child in enumerate(below)}
    goal = next(iter(hierarchy))
    return found | {("weight_global", goal, name): total for name, total in shared_totals(hierarchy, shares).items()}


class Rows:
    """Rows of a result's table, gathered quantity by quantity: one frame a quantity, however many experts."""

    def __init__(self) -> None:
        self._parts: dict[str, list[dict[str, Any]]] = {}

    def add(self, quantity: str, estimate: Any, **columns: Any) -> None:
        """Rows of one quantity: an estimate or (m,) of them, with columns of a result as for `tidy`."""
        estimates = np.atleast_1d(np.asarray(estimate, float))
        spread = {name: np.broadcast_to(np.asarray(value), estimates.shape) for name, value in columns.items()}
        self._parts.setdefault(quantity, []).append({"estimate": estimates, **spread})

    def frames(self) -> Iterator[pd.DataFrame]:
        """One frame a quantity, in the order in which quantities came."""
        for quantity, parts in self._parts.items():
            names = [name for name in COLUMNS if any(name in part for part in parts)]
            blank = {name: np.nan if name in NUMBERS else "" for name in names}
            columns = {
                name: np.concatenate(
                    [np.broadcast_to(part.get(name, blank[name]), part["estimate"].shape) for part in parts]
                )
                for name in names
            }
            yield tidy(quantity, columns.pop("estimate"), **columns)


def add_experts(
    rows: Rows, appraisals: list[Appraisal], hierarchy: Hierarchy, experts: tuple[str, ...], choices: Choices
) -> None:
    """Weights, eigenvalue, consistency and the farthest judgement of each expert; `n` counts the judgements below the parent."""
    local = {each.parent: each.weights for each in appraisals}
    local |= {parent: np.ones((len(experts), 1)) for parent in hierarchy if parent not in local}
    by_parent = {each.parent: each for each in appraisals}
    names = np.array(experts)
    for (quantity, parent, term), values in levels(hierarchy, local).items():
        there = np.isfinite(values)
        none = np.zeros(len(experts), int)  # a criterion alone below its parent is not judged
        gaps, judged = (by_parent[parent].gaps, by_parent[parent].judged) if parent in by_parent else (none, none)
        method = [words(choices.weighing, ONE, _gap_words(gap, choices.method)) for gap in gaps[there]]
        rows.add(quantity, values[there], scale=parent, term=term, group=names[there], n=judged[there], method=method)
    for each in appraisals:
        _add_consistency(rows, each, names, choices)
    _add_farthest(rows, check_table(appraisals, experts))


def _gap_words(gaps: int, method: WeightMethod) -> str:
    if gaps == 0:
        return ""
    how = "logarithmic least squares" if method == "geometric_mean" else "harker 1987"
    return words(how, "1 gap" if gaps == 1 else f"{gaps} gaps")


def _add_consistency(rows: Rows, appraisal: Appraisal, names: np.ndarray, choices: Choices) -> None:
    """Eigenvalue and index of those who join all criteria; the ratio of those whom a comparison more could contradict."""
    for quantity, values, table in (
        ("lambda_max", appraisal.eigenvalue, ""),
        ("consistency_index", appraisal.index, ""),
        ("consistency_ratio", appraisal.ratio, choices.random_index),
    ):
        there = np.isfinite(values)
        method = [words(table, ONE, _gap_words(gap, "eigenvector")) for gap in appraisal.gaps[there]]
        keys = {"scale": appraisal.parent, "group": names[there], "n": appraisal.judged[there]}
        rows.add(quantity, values[there], **keys, method=method)


def _add_farthest(rows: Rows, checks: pd.DataFrame) -> None:
    """One judgement an expert: of all that this expert made, the one farthest from the weights."""
    usable = checks[checks["connected"]]
    farthest = usable.loc[usable.groupby("expert", sort=False)["deviation"].idxmax()]
    rows.add(
        "judgement_deviation",
        farthest["deviation"],
        scale=farthest["parent"],
        term=farthest["left"] + PAIR + farthest["right"],
        group=farthest["expert"],
        n=farthest["n_judged"],
        method=words("saaty 2003", ONE),
    )


def farthest_judgements(appraisal: Appraisal) -> pd.DataFrame:
    """The judgement of each expert that lies farthest from the principal eigenvector's weights, one row an expert.

    Columns left, right, judgement (as given, `left` over `right`), suggested (ratio of the weights) and deviation, their
    ratio: 1 is agreement. The pair is turned so that the judgement is the larger one. Experts who are not connected are
    left blank.
    """
    k = len(appraisal.criteria)
    usable = np.where(appraisal.connected[:, None, None], appraisal.matrices, 1.0)
    weights, _ = principal_eigen(usable)
    off = np.nan_to_num(deviations(usable, weights) * (1 - np.eye(k)), nan=0.0)
    place = off.round(9).reshape(len(off), -1).argmax(axis=1)  # of equals, the first
    left, right = place // k, place % k
    rows = np.arange(len(off))
    names = np.array(appraisal.criteria)
    farthest = pd.DataFrame(
        {
            "left": names[left],
            "right": names[right],
            "judgement": usable[rows, left, right],
            "suggested": weights[rows, left] / weights[rows, right],
            "deviation": off[rows, left, right],
        }
    )
    return farthest.where(pd.Series(appraisal.connected))


def add_group(
    rows: Rows,
    appraisals: list[Appraisal],
    counts: Mapping[str, np.ndarray],
    weights: Mapping[Aggregation, LeveledWeights],
    bounds: Mapping[Aggregation, Mapping[Place, tuple[float, float]]],
    choices: Choices,
) -> None:
    """Weights of the group with their intervals, its consistency and its consensus; `n` counts the experts."""
    n_by_parent = {each.parent: int((counts[each.parent] > 0).sum()) for each in appraisals}
    everyone = max(n_by_parent.values())
    for how, found in weights.items():
        method = choices.together(how)
        for (quantity, parent, term), weight in found.items():
            low, high = bounds[how].get((quantity, parent, term), (np.nan, np.nan))
            n = n_by_parent.get(parent, everyone)
            rows.add(
                quantity, weight, scale=parent, term=term, conf_low=low, conf_high=high, n=n, method=method
            )  # fmt: skip
    for each in appraisals:
        _add_group_consistency(rows, each, counts[each.parent], choices)


def add_other(rows: Rows, weights: LeveledWeights, counts: Mapping[str, np.ndarray], choices: Choices) -> None:
    """The group's weights had inconsistent experts been treated the other way; left out where nobody would be left."""
    method = choices.treated_otherwise()
    n_by_parent = {parent: int((count > 0).sum()) for parent, count in counts.items()}
    everyone = max(n_by_parent.values())
    for (quantity, parent, term), weight in weights.items():
        if np.isfinite(weight):
            n = n_by_parent.get(parent, everyone)
            rows.add(quantity, weight, scale=parent, term=term, n=n, method=method)


def _add_group_consistency(rows: Rows, appraisal: Appraisal, counts: np.ndarray, choices: Choices) -> None:
    k = len(appraisal.criteria)
    _, eigenvalue = principal_eigen(group_matrix(appraisal, counts))
    index = consistency_index(eigenvalue, k)
    ratio = consistency_ratio(index, k, table=choices.random_index)
    keys = {"scale": appraisal.parent, "n": int((counts > 0).sum())}
    together = words(TOGETHER, TREATMENT_WORDS[choices.inconsistent])
    rows.add("lambda_max", eigenvalue, **keys, method=words("aij", together))
    rows.add("consistency_index", index, **keys, method=words("aij", together))
    some = counts > 0
    if np.isfinite(appraisal.ratio[some]).any():  # gaps are filled without contradiction: of trees alone it would be 0
        rows.add("consistency_ratio", ratio, **keys, method=words(choices.random_index, "aij", together))
    if some.sum() > 1:
        agreement = consensus(appraisal.weights[some], counts[some])
        rows.add("consensus", agreement, **keys, method=words(choices.weighing, "shannon entropy", together))


def check_table(appraisals: list[Appraisal], experts: tuple[str, ...]) -> pd.DataFrame:
    """One row an expert and parent: what was judged, whether it is usable and consistent, the farthest judgement."""
    parts = []
    for each in appraisals:
        part = pd.DataFrame(
            {
                "expert": experts,
                "parent": each.parent,
                "n_judged": each.judged,
                "n_gaps": each.gaps,
                "gaps": [_open_pairs(matrix, each.criteria) for matrix in each.matrices],
                "connected": each.connected,
                "spare": each.spare,
                "consistency_ratio": each.ratio,
                "consistent": each.consistent,
            }
        )
        parts.append(pd.concat([part, farthest_judgements(each)], axis=1))
    return pd.concat(parts, ignore_index=True)


def _open_pairs(matrix: np.ndarray, criteria: tuple[str, ...]) -> tuple[str, ...]:
    left, right = np.nonzero(np.triu(np.isnan(matrix)))
    return tuple(f"{criteria[i]}{PAIR}{criteria[j]}" for i, j in zip(left, right, strict=True))
