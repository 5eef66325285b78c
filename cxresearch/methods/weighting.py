"""Weights from experts who compare criteria in pairs: the analytic hierarchy process (AHP)."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

import numpy as np
import pandas as pd

from cxresearch.core.resampling import interval, resample_counts
from cxresearch.core.results import gather
from cxresearch.errors import InputError, name_some
from cxresearch.methods.ahp_group import Aggregation, Appraisal, appraise, group_weights
from cxresearch.methods.ahp_matrix import RandomIndex, WeightMethod, linked_groups
from cxresearch.methods.ahp_result import ExpertWeights
from cxresearch.methods.ahp_tables import (
    Choices,
    LeveledWeights,
    Place,
    Rows,
    Treatment,
    add_experts,
    add_group,
    add_other,
    check_table,
    levels,
)
from cxresearch.methods.hierarchy import Hierarchy
from cxresearch.methods.judgements import read_judgements

Counts = dict[str, np.ndarray]  # parent -> (..., experts) how much each expert counts there
Bounds = dict[Place, tuple[float, float]]
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)
NAMED_ONE_BY_ONE = 5  # experts in the message that nobody is left


def weigh_experts(
    judgements: pd.DataFrame,
    hierarchy: Mapping[str, Iterable[object]] | None = None,
    *,
    method: WeightMethod = "eigenvector",
    random_index: RandomIndex = "saaty",
    aggregation: Aggregation = "aij",
    inconsistent: Treatment = "keep",
    expert_weights: Mapping[str, float] | None = None,
    n_bootstrap: int = 2000,
    seed: int = 0,
) -> ExpertWeights:
    """Weigh criteria by what experts say when they compare them in pairs.

    Parameters
    ----------
    judgements : long form with the columns expert, parent, left, right, judgement (9 .. 1/9, numbers or text such as "1/3";
        blank = not asked); or one expert's square matrix with the same labels on rows and columns
    hierarchy : parent -> criteria below it, any depth; found in the judgements where not given
    method : how a matrix becomes weights
    random_index : table of random consistency indices behind the consistency ratio
    aggregation : which weights of the group are the main result: "aij" from the geometric means of the judgements,
        "aip_geometric" or "aip_arithmetic" from the means of the experts' weights; all three are in the table
    inconsistent : whether experts whose consistency ratio breaks Saaty's rule below a parent count there; the other way is
        in the table too
    expert_weights : expert -> how much each counts; equal where not given
    n_bootstrap : resamples of the experts behind the 95 % intervals of the group's weights; 0 for none

    Returns
    -------
    ExpertWeights
        Local weights sum to 1 below each parent, global weights to 1 over the criteria with none below them. A matrix with
        gaps is estimated after Harker (1987) and says so; an expert whose comparisons do not join all criteria below a
        parent is left out there. Three criteria or more that no more comparisons join than this takes have no consistency
        ratio: nothing could contradict. `n` counts the experts behind a number of the group, and the judgements behind
        one of a single expert.

    Raises
    ------
    InputError
        With all faults of the judgements at once; if nobody is left below a parent; if the random index has no value.

    References
    ----------
    Saaty (1980) The Analytic Hierarchy Process, McGraw-Hill. Harker (1987), doi:10.1016/0270-0255(87)90503-3. Forman and
    Peniwati (1998), doi:10.1016/S0377-2217(97)00244-0. Hesterberg (2015), doi:10.1080/00031305.2015.1089789 (intervals).

    >>> matrix = pd.DataFrame([[1, 3, 5], ["1/3", 1, 2], ["1/5", "1/2", 1]], index=list("abc"), columns=list("abc"))
    >>> weigh_experts(matrix).weights.round(3).to_dict()
    {'a': 0.648, 'b': 0.23, 'c': 0.122}
    """
    for name, value, known in (
        ("method", method, WeightMethod),
        ("random_index", random_index, RandomIndex),
        ("aggregation", aggregation, Aggregation),
        ("inconsistent", inconsistent, Treatment),
    ):
        _refuse_unknown(name, value, get_args(known))
    experts, ordered, panels = read_judgements(judgements, hierarchy)
    appraisals = [appraise(panel, method=method, table=random_index) for panel in panels]
    shares = _expert_shares(expert_weights, experts)
    ways: dict[Treatment, Counts] = {
        "keep": {each.parent: shares * each.connected for each in appraisals},
        "drop": {each.parent: shares * (each.connected & ~each.inconsistent) for each in appraisals},
    }
    counts = ways[inconsistent]
    _refuse_empty_groups(appraisals, counts, experts, inconsistent)
    used = np.any([counts[each.parent] > 0 for each in appraisals], axis=0)
    choices = Choices(method, random_index, aggregation, inconsistent)
    bounds = _bounds(appraisals, ordered, counts, n_bootstrap, seed)
    return ExpertWeights(
        table=_table(appraisals, ordered, experts, choices, ways, bounds),
        n_used=int(used.sum()),
        n_dropped=int((~used).sum()),
        hierarchy=ordered,
        experts=experts,
        method=method,
        random_index=random_index,
        aggregation=aggregation,
        inconsistent=inconsistent,
        checks=check_table(appraisals, experts),
    )


def _table(
    appraisals: list[Appraisal],
    hierarchy: Hierarchy,
    experts: tuple[str, ...],
    choices: Choices,
    ways: Mapping[Treatment, Counts],
    bounds: Mapping[Aggregation, Bounds],
) -> pd.DataFrame:
    """The group first, then the group with inconsistent experts, if any, treated the other way, then every expert."""
    rows = Rows()
    counts = ways[choices.inconsistent]
    weights = {how: _leveled(appraisals, hierarchy, counts, how) for how in AGGREGATIONS}
    add_group(rows, appraisals, counts, weights, bounds, choices)
    if any(each.inconsistent.any() for each in appraisals):
        other = ways["drop" if choices.inconsistent == "keep" else "keep"]
        add_other(rows, _leveled(appraisals, hierarchy, other, choices.aggregation), other, choices)
    add_experts(rows, appraisals, hierarchy, experts, choices)
    return gather(list(rows.frames()))


def _refuse_unknown(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"`{name}` must be one of {', '.join(known)}", f"found {value!r}")


def _expert_shares(expert_weights: Mapping[str, float] | None, experts: tuple[str, ...]) -> np.ndarray:
    """How much each expert counts, (experts,)."""
    if expert_weights is None:
        return np.ones(len(experts))
    given = {str(name): float(weight) for name, weight in expert_weights.items()}
    missing = [name for name in experts if name not in given]
    unknown = [name for name in given if name not in experts]
    bad = [name for name, weight in given.items() if not (np.isfinite(weight) and weight >= 0)]
    if missing or unknown or bad or sum(given.values()) == 0:
        faults = [("no weight for", missing), ("unknown", unknown), ("negative or no number for", bad)]
        raise InputError(
            "`expert_weights` must give every expert a weight of 0 or more, and some above 0",
            "found " + ("; ".join(f"{what} {name_some(names)}" for what, names in faults if names) or "only zeros"),
            "Name the experts as in the judgements.",
        )
    return np.array([given[name] for name in experts])


def _refuse_empty_groups(
    appraisals: list[Appraisal], counts: Counts, experts: tuple[str, ...], inconsistent: Treatment
) -> None:
    empty = [each for each in appraisals if not counts[each.parent].any()]
    if empty:
        joined = "whose comparisons join all criteria" + " and are consistent" * (inconsistent == "drop")
        raise InputError(
            f"below each parent there must be an expert {joined}",
            "found none " + "; ".join(f"below {each.parent}: {_why_nobody(each, experts)}" for each in empty),
            "Ask for comparisons that link the criteria across each |"
            + (', or use `inconsistent="keep"`.' if inconsistent == "drop" else "."),
        )


def _why_nobody(appraisal: Appraisal, experts: tuple[str, ...]) -> str:
    """Why each expert is left out below a parent: criteria that are not linked, judgements that contradict, no weight."""
    said = []
    for place, expert in enumerate(experts[:NAMED_ONE_BY_ONE]):
        if appraisal.inconsistent[place]:
            said.append(f"{expert} has a consistency ratio of {appraisal.ratio[place]:.2f}")
        elif appraisal.connected[place]:
            said.append(f"{expert} has a weight of 0")
        else:
            groups = linked_groups(appraisal.matrices[place])
            names = (", ".join(appraisal.criteria[number] for number in group) for group in groups)
            said.append(f"{expert} does not link {' | '.join(names)}")
    more = len(experts) - len(said)
    return ", ".join(said) + f", and {more} more" * (more > 0)


def _leveled(appraisals: list[Appraisal], hierarchy: Hierarchy, counts: Counts, how: Aggregation) -> LeveledWeights:
    """The group's local and global weights, (...,) as the counts (..., experts) have it."""
    local = {each.parent: group_weights(each, counts[each.parent], how) for each in appraisals}
    leading = next(iter(local.values())).shape[:-1]
    local |= {parent: np.ones((*leading, 1)) for parent in hierarchy if parent not in local}
    return levels(hierarchy, local)


def _bounds(
    appraisals: list[Appraisal], hierarchy: Hierarchy, counts: Counts, n_bootstrap: int, seed: int
) -> dict[Aggregation, Bounds]:
    """95 % expanded percentile intervals over resampled experts; none for a single expert.

    The same experts are drawn below every parent. nan where some resample holds no expert usable below a parent.
    """
    n_experts = len(next(iter(counts.values())))
    if n_experts < 2 or n_bootstrap == 0:
        return {how: {} for how in AGGREGATIONS}
    blocks = resample_counts(n_experts, n_bootstrap, seed=seed, clustered=False)
    drawn = np.concatenate([block for _, block in blocks])
    resampled = {parent: drawn * count for parent, count in counts.items()}
    found: dict[Aggregation, Bounds] = {}
    for how in AGGREGATIONS:
        replicates = _leveled(appraisals, hierarchy, resampled, how)
        low, high = interval(np.stack(list(replicates.values()), axis=1), n_units=n_experts)
        found[how] = {key: (low[place], high[place]) for place, key in enumerate(replicates)}
    return found
