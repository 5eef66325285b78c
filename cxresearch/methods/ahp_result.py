"""What an expert weighting returns, and what it says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.results import Finding, Result, View, words
from cxresearch.core.rules import RULES
from cxresearch.methods.ahp_group import Aggregation
from cxresearch.methods.ahp_matrix import RandomIndex, WeightMethod
from cxresearch.methods.ahp_tables import MAIN, OTHER_TREATMENT, Treatment
from cxresearch.methods.hierarchy import Hierarchy, leaves

RULE = RULES["consistency_ratio"]
FEW_EXPERTS = 10  # fewer give intervals that can only be rough: a bootstrap draws from so few different ones
NAMED_ONE_BY_ONE = 3  # experts with gaps or left out, before they are only counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertWeights(Result):
    """Weights of criteria from pairwise comparisons, by expert and of the group.

    Attributes
    ----------
    hierarchy : parent -> criteria, the goal first
    experts : everybody in the table of judgements, in its order
    method, random_index, aggregation, inconsistent : the choices made
    checks : one row an expert and parent: judgements made, gaps, whether they join all criteria (`connected`), how many
        there are to `spare` for that, consistency ratio (nan where nothing could contradict), whether it keeps Saaty's
        rule, and the judgement farthest from the weights with what these suggest
    n_used, n_dropped : experts who count in the group below some parent, and those who count below none
    """

    infers: ClassVar[bool] = False
    views: ClassVar[Mapping[str, View]] = {
        "ahp_weights": View(("weight_local", "weight_global"), rows=("scale", "term"), method="main"),
        "ahp_consistency": View(("consistency_ratio",), rows=("group",), columns="scale", method="one"),
        "ahp_deviations": View(("judgement_deviation",), rows=("group", "scale", "term"), method="one"),
        "ahp_experts": View(("weight_local",), rows=("scale", "term"), columns="group", method="one"),
        "ahp_group": View(("consistency_ratio", "consensus"), rows=("scale",), method="together"),
        "ahp_aggregation": View(("weight_global",), rows=("scale", "term"), method="together -treatment"),
        "ahp_both_ways": View(("weight_global",), rows=("scale", "term"), method="together -aggregation"),
    }

    hierarchy: Hierarchy
    experts: tuple[str, ...]
    method: WeightMethod
    random_index: RandomIndex
    aggregation: Aggregation
    inconsistent: Treatment
    checks: pd.DataFrame

    @property
    def goal(self) -> str:
        """What all criteria serve."""
        return next(iter(self.hierarchy))

    @property
    def weights(self) -> pd.Series:
        """Global weights of the criteria that have none below them: the main result; they sum to 1."""
        return self._global(MAIN).reindex(leaves(self.hierarchy)).rename("weight")

    def value(self, quantity: str, *, method: str = "", **keys: str) -> float:
        """The one estimate that fits; where several do, the one that is a main result."""
        as_main = words(method, MAIN)
        one_is_main = len(self.pick(quantity, method=as_main, **keys)) == 1
        return Result.value(self, quantity, method=as_main if one_is_main else method, **keys)

    def _global(self, place: str) -> pd.Series:
        """Global weight by criterion; of one that stands below several parents, the whole."""
        rows = self.pick("weight_global", method=place)
        whole = rows.sort_values("scale", key=lambda names: names == self.goal, kind="stable").drop_duplicates(
            "term", keep="last"
        )
        return whole.set_index("term")["estimate"]

    def finding(self) -> Finding:
        """What weighs most; then consistency, gaps and exclusions of the experts as cautions."""
        rows = self.pick("weight_local", scale=self.goal, method=MAIN)
        top = rows.iloc[int(rows["estimate"].argmax())]
        values = {
            "top": top["term"],
            "weight": top["estimate"],
            "low": top["conf_low"],
            "high": top["conf_high"],
            "n_experts": int(top["n"]),
        }
        key = "weighting.top" if np.isfinite(top["conf_low"]) else "weighting.top_alone"
        rough = [Finding("weighting.few_experts", {"n_experts": int(top["n"]), "wanted": FEW_EXPERTS})]
        few = np.isfinite(top["conf_low"]) and top["n"] < FEW_EXPERTS
        return Finding(key, values, cautions=(*self._cautions(), *(rough if few else [])))

    def _cautions(self) -> Iterator[Finding]:
        if len(self.hierarchy) > 1:
            yield Finding("weighting.top_leaf", {"leaf": self.weights.idxmax(), "weight": self.weights.max()})
        checked = self.checks[self.checks["connected"] & (self.checks["spare"] > 0)]
        if len(checked):
            yield from self._consistency(checked)
        else:
            yield Finding("weighting.none_checked")
        yield from self._unjudged()

    def _consistency(self, checked: pd.DataFrame) -> Iterator[Finding]:
        """Who keeps the rule, of those who made more comparisons than are needed to join the criteria below some parent."""
        consistent = checked.groupby("expert", sort=False)["consistent"].all()
        failing = list(consistent.index[~consistent])
        values = {
            "n": len(consistent),
            "n_consistent": int(consistent.sum()),
            "experts": failing,
            "random_index": self.random_index,
        }
        yield Finding(f"weighting.{'some_inconsistent' if failing else 'all_consistent'}", values, RULE)
        if failing:
            breaking = checked[~checked["consistent"]]
            worst = breaking.iloc[int(breaking["deviation"].argmax())]
            names = ("expert", "parent", "consistency_ratio", "left", "right", "judgement", "suggested")
            yield Finding("weighting.farthest", {name: worst[name] for name in names})
            yield self._both_ways()

    def _both_ways(self) -> Finding:
        """How far the global weights move if inconsistent experts are treated the other way."""
        now, other = self._global(MAIN), self._global(OTHER_TREATMENT)
        if not now.index.isin(other.index).all():
            return Finding("weighting.nobody_consistent", {}, RULE)
        main = self.hierarchy[self.goal]
        same = list(now[main].sort_values().index) == list(other[main].sort_values().index)
        shift = (now - other).abs().max()
        return Finding(f"weighting.{self.inconsistent}_{'same' if same else 'other'}_order", {"shift": shift})

    def _unjudged(self) -> Iterator[Finding]:
        """Gaps that were estimated, experts left out, and matrices in which nothing could contradict."""
        gaps = self.checks[self.checks["connected"] & (self.checks["n_gaps"] > 0)]
        by_expert = gaps.groupby("expert", sort=False)["gaps"].sum()
        if 0 < len(by_expert) <= NAMED_ONE_BY_ONE:
            for expert, pairs in by_expert.items():
                yield Finding("weighting.gaps", {"expert": expert, "pairs": list(pairs), "n": len(pairs)})
        elif len(by_expert):
            yield Finding("weighting.many_gaps", {"experts": list(by_expert.index), "n": int(gaps["n_gaps"].sum())})
        for parent, rows in self.checks[~self.checks["connected"]].groupby("parent", sort=False):
            yield Finding("weighting.left_out", {"parent": parent, "experts": list(rows["expert"])})
        bare = self.checks[self.checks["connected"] & (self.checks["spare"] == 0) & (self.checks["n_judged"] > 1)]
        if len(bare) and (self.checks["spare"] > 0).any():
            yield Finding("weighting.unchecked", {"experts": list(bare["expert"].unique())})
