"""What a comparison of groups returns, and what it says, with every reservation that applies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from cxresearch.core.cautions import few_clusters
from cxresearch.core.results import Finding, GroupCode, Result, View
from cxresearch.core.rules import RULES

SIZES = ("effect_large", "effect_medium", "effect_small")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseComparison(Result):
    """What `compare_cases` returns.

    Attributes
    ----------
    measures : what was compared, in order
    unusable : measures that do not vary, or have fewer than two groups that are large enough
    by : the grouping column
    groups : codes of the groups compared on the first measure
    left_out : codes of groups with too few rows on some measure
    min_group : rows that a group needs
    design_words : '', 'weighted', 'clustered' or both
    n_clusters : clusters of the first measure's rows; None without clusters
    lone : groups with a single cluster: their means have no standard error
    by_complete : groups whose incomplete rows do not count, though the study asks for them, as they have no maximum-likelihood means
    """

    views: ClassVar[Mapping[str, View]] = {
        "group_means": View(("group_mean", "rank"), rows=("scale", "group")),
        "group_tests": View(
            (
                "wald_f",
                "wald_df_denominator",
                "welch_f",
                "welch_df_denominator",
                "kruskal_h",
                "eta_squared",
                "omega_squared",
            ),
            rows=("scale",),
            columns="numbers",
        ),
        "group_pairs": View(("mean_difference",), rows=("scale", "term"), columns="numbers"),
        "group_effects": View(("hedges_g", "cohens_d"), rows=("scale", "term")),
        "group_profile": View(("group_mean",), rows=("scale",), columns="group", method="-unweighted"),
    }

    measures: tuple[str, ...]
    unusable: tuple[str, ...]
    by: str
    groups: tuple[str, ...]
    left_out: tuple[str, ...]
    min_group: int
    design_words: str
    n_clusters: int | None
    lone: tuple[str, ...]
    by_complete: tuple[str, ...] = ()

    def finding(self) -> Finding:
        """Whether and where the groups differ; of several measures, on which they differ most."""
        return comparison_finding(self)


def comparison_finding(result: CaseComparison) -> Finding:
    """One measure: whether the groups differ, who leads, which pairs; several: on which they differ most."""
    if len(result.measures) > 1:
        return _profile(result)
    measure = result.measures[0]
    means = heedful_means(result, measure).sort_values("estimate", ascending=False)
    first, last = means.iloc[0], means.iloc[-1]
    test = overall_test(result, measure)
    differ = bool(RULES["significance"].met(test["p_value"]))
    values = {
        "measure": measure, "by": result.by, "count": len(means),
        "first": GroupCode(first["group"], result.by), "first_mean": first["estimate"],
        "last": GroupCode(last["group"], result.by), "last_mean": last["estimate"],
        "low": first["conf_low"], "high": first["conf_high"], "last_low": last["conf_low"], "last_high": last["conf_high"],
        "test": test["quantity"], "p": test["p_value"], "eta": result.pick("eta_squared", scale=measure)["estimate"].iloc[0],
    }  # fmt: skip
    key = "differ" if differ else "no_difference"
    cautions = [*_pairs(result, measure), *_first_place(result, measure), *_reservations(result, test["quantity"])]
    return Finding(f"cases.{key}", values, RULES["significance"], tuple(cautions))


def overall_test(result: CaseComparison, measure: str) -> pd.Series:
    """The test that speaks for a measure: the Wald test of a design, else Welch, else Kruskal-Wallis."""
    for quantity in ("wald_f", "welch_f", "kruskal_h"):
        found = result.pick(quantity, scale=measure)
        if len(found):
            return found.iloc[0]
    raise LookupError(measure)


def heedful_means(result: CaseComparison, measure: str) -> pd.DataFrame:
    """The group means that respect the design, of a measure."""
    means = result.pick("group_mean", scale=measure)
    return means[["unweighted" not in method.split("; ") for method in means["method"]]]


def _profile(result: CaseComparison) -> Finding:
    tests = pd.DataFrame([overall_test(result, measure) for measure in result.measures])
    differ = tests["scale"][RULES["significance"].met(tests["p_value"].to_numpy())]
    eta = pd.concat([result.pick("eta_squared", scale=measure) for measure in result.measures])
    most = eta.iloc[eta["estimate"].argmax()]
    values = {
        "by": result.by, "count": len(result.measures), "differ": list(differ), "n_differ": len(differ),
        "tests": list(dict.fromkeys(tests["quantity"])), "most": most["scale"], "eta": most["estimate"],
    }  # fmt: skip
    key = "profile" if len(differ) else "profile_no_difference"
    cautions = [Finding("cases.profile_many_tests"), *_reservations(result, tests["quantity"].iloc[0])]
    return Finding(f"cases.{key}", values, RULES["significance"], tuple(cautions))


def _pairs(result: CaseComparison, measure: str) -> list[Finding]:
    """Which pairs differ after adjustment, and the largest effect size."""
    found = result.pick("mean_difference", scale=measure)
    if found.empty:
        return []
    if len(found) == 1:  # the test of all groups was that of the pair
        return _largest_effect(result, measure)
    clear = found["term"][RULES["significance"].met(found["p_value"].to_numpy())]
    told = {"by": result.by, "measure": measure, "count": len(found)}
    said = [
        Finding("cases.pairs", {**told, "pairs": _codes(clear, result.by)}, RULES["significance"])
        if len(clear)
        else Finding("cases.no_pairs", told, RULES["significance"])
    ]
    return said + _largest_effect(result, measure)


def _largest_effect(result: CaseComparison, measure: str) -> list[Finding]:
    effects = result.pick("hedges_g", scale=measure).dropna(subset=["estimate"])
    if effects.empty:
        return []
    largest = effects.iloc[effects["estimate"].abs().argmax()]
    rule = next((RULES[key] for key in SIZES if RULES[key].met(abs(largest["estimate"]))), None)
    values = {
        "by": result.by, "pair": GroupCode(largest["term"], result.by), "g": largest["estimate"],
        "low": largest["conf_low"], "high": largest["conf_high"],
    }  # fmt: skip
    return [Finding(f"cases.{rule.key if rule else 'effect_tiny'}", values, rule or RULES["effect_small"])]


def _first_place(result: CaseComparison, measure: str) -> list[Finding]:
    """How sure the first rank is."""
    found = result.pick("rank", scale=measure)
    best = found.iloc[found["estimate"].argmin()]
    if pd.isna(best["conf_high"]):
        return []
    values = {
        "by": result.by, "first": GroupCode(best["group"], result.by), "low": best["conf_low"], "high": best["conf_high"],
    }  # fmt: skip
    return [Finding("cases.rank_sure" if best["conf_high"] == best["estimate"] else "cases.rank_unsure", values)]


def _reservations(result: CaseComparison, test: str) -> list[Finding]:
    """Everything that limits the comparison."""
    design = set(result.design_words.split("; "))
    heedless = [word for word in ("weighted", "clustered") if word in design]
    fallback = test == "kruskal_h" or (bool(heedless) and test != "wald_f")
    left_out = "left_out" if len(result.measures) == 1 else "left_out_of_some"
    said: list[tuple[str, bool, Mapping[str, object]]] = [
        ("heedless_both", len(heedless) == 2, {}),
        ("heedless_weights", heedless == ["weighted"], {}),
        ("heedless_clusters", heedless == ["clustered"], {}),
        ("fallback_kruskal", fallback and test == "kruskal_h", {}),
        ("fallback_welch", fallback and test == "welch_f", {}),
        ("lone", len(result.lone) > 0, {"by": result.by, "groups": _codes(result.lone, result.by)}),
        ("unusable", len(result.unusable) > 0, {"by": result.by, "measures": list(result.unusable), "least": result.min_group}),
        (left_out, len(result.left_out) > 0, {
            "by": result.by, "groups": _codes(result.left_out, result.by), "least": result.min_group,
        }),
        ("em", result.n_incomplete > 0, {"n_incomplete": result.n_incomplete, "n": result.n_used}),
        ("no_em", len(result.by_complete) > 0, {"groups": _codes(result.by_complete, result.by)}),
        ("association", True, {}),
    ]  # fmt: skip
    few = few_clusters(result.n_clusters)
    return few + [Finding(f"cases.{key}", values) for key, holds, values in said if holds]


def _codes(codes: Iterable[str], by: str) -> list[GroupCode]:
    return [GroupCode(code, by) for code in codes]
