"""What a test of measurement invariance returns, and what it says of comparisons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from cxresearch.core.results import Finding, GroupCode, Result, View
from cxresearch.core.rules import RULES, Rule
from cxresearch.methods.cfa_indices import FitIndices
from cxresearch.methods.invariance_gate import InvarianceGate, decisive, draw_together, in_one, scope_of
from cxresearch.methods.invariance_model import LEVELS
from cxresearch.methods.invariance_rows import Levels, difference_test
from cxresearch.methods.invariance_scores import KINDS, Partial, release_items

FIT_RULES = {"cfi": RULES["cfi_good"], "rmsea": RULES["rmsea_good"]}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found for one grouping column.

    Attributes
    ----------
    by : the grouping column
    level : the highest level whose steps all hold: "scalar", "metric" or "configural"; "" where nothing could be judged
    groups : codes of the groups compared
    n : respondents of these groups
    changes : level -> change in CFI from the level before, by MLR where there is one; nan where a level has no solution
    differing : items whose loading (level "configural") or intercept ("metric", "scalar") is not the same in all groups by tests
        adjusted for their number
    cautions : what qualifies the level, most serious first; where nothing could be judged, why
    left_out : codes of the groups of the column that are not compared
    """

    by: str
    level: str
    groups: tuple[str, ...]
    n: int
    changes: Mapping[str, float]
    differing: tuple[str, ...]
    cautions: tuple[Finding, ...]
    left_out: tuple[GroupCode, ...] = ()

    @classmethod
    def none(cls, by: str, why: tuple[Finding, ...]) -> "Verdict":
        """A column that could not be judged."""
        return cls(by, "", (), 0, {}, (), why)

    @classmethod
    def of(cls, levels: Levels) -> "Verdict":
        """The verdict of the rule on changes in CFI."""
        judged, level = levels.judged, reached(levels.judged)
        steps = zip(LEVELS[1:], judged, judged[1:], strict=False)
        changes: dict[str, float] = {name: after.cfi - before.cfi for name, before, after in steps}
        place = min(LEVELS.index(level) + 1, len(levels.fits) - 1)
        partial = release_items(levels.fits[place], levels.sample.moments) if place else None
        return cls(
            by=levels.sample.by,
            level=level,
            groups=levels.sample.codes,
            n=levels.sample.n,
            changes={name: changes.get(name, np.nan) for name in LEVELS[1:]},
            differing=tuple(levels.sample.model.items[item] for item in partial.items) if partial else (),
            cautions=tuple(_cautions(levels, level, partial)),
            left_out=tuple(
                code
                for found in levels.sample.left_out
                for code in found.values.get("groups", [found.values.get("group")])
            ),
        )

    @property
    def conclusion(self) -> str:
        """The level reached, and whether the next one was not tested, for want of a solution: "metric", "metric_untested"."""
        following = LEVELS[LEVELS.index(self.level) + 1 :]
        return f"{self.level}_untested" if following and np.isnan(self.changes[following[0]]) else self.level

    def finding(self, rule: Rule = RULES["invariance_cfi"]) -> Finding:
        """The level reached, and why not the next one."""
        told = {"by": self.by, "left_out": self.left_out, "scope": scope_of(self.left_out)}
        values = {
            **told,
            "limit": abs(rule.value),
            "change": min(self.changes.values(), default=np.nan),
            **self.changes,
        }
        if not self.level:
            return Finding("invariance.not_judged", values, None, self.cautions)
        return Finding(f"invariance.{self.conclusion}", values, rule, self.cautions)


def reached(indices: list[FitIndices], rule: Rule = RULES["invariance_cfi"]) -> str:
    """The highest level whose steps all keep CFI within the rule."""
    level = LEVELS[0]
    for name, before, after in zip(LEVELS[1:], indices, indices[1:], strict=False):
        if not rule.met(after.cfi - before.cfi):
            break
        level = name
    return level


@dataclass(frozen=True, slots=True, kw_only=True)
class InvarianceResult(Result):
    """Measurement invariance over one or several grouping columns.

    Attributes
    ----------
    scales : the constructs of the model
    verdicts : grouping column -> what was found
    cautions : what holds for all columns
    """

    views: ClassVar[Mapping[str, View]] = {
        "invariance_fit": View(
            (
                "invariance_cfi",
                "invariance_cfi_change",
                "invariance_rmsea",
                "invariance_rmsea_change",
                "invariance_srmr",
                "invariance_srmr_change",
            ),
            rows=("method", "scale"),
        ),
        "invariance_tests": View(
            ("invariance_chi2", "invariance_chi2_change"), rows=("method", "scale"), columns="numbers"
        ),
        "invariance_items": View(
            ("invariance_loading_change", "invariance_intercept_change"),
            rows=("method", "term", "group"),
            columns="numbers",
        ),
    }

    scales: Mapping[str, list[str]]
    verdicts: Mapping[str, Verdict]
    cautions: tuple[Finding, ...]

    def level(self, by: str) -> str:
        """The level reached for a grouping column, "" where none could be judged."""
        return self.verdicts[by].level

    def finding(self, rule: Rule = RULES["invariance_cfi"]) -> Finding:
        """The level reached for each grouping column; each conclusion, and each caution, once."""
        if not self.verdicts:
            return Finding("invariance.no_groups")
        found = draw_together({by: verdict.finding(rule) for by, verdict in self.verdicts.items()})
        return replace(found, cautions=(*found.cautions, *self.cautions))

    def gate(self, measures: str | Sequence[str], rule: Rule = RULES["invariance_cfi"]) -> InvarianceGate:
        """Whether means of some measures may be compared between the groups of each column: to be said before they are."""
        names = [measures] if isinstance(measures, str) else list(measures)
        single = [name for name in names if name not in self.scales]
        untested = Finding("invariance.gate_single", {"measures": single})
        found = self.finding(rule)
        if len(single) == len(names):
            found = untested
        elif single:
            found = replace(in_one(replace(found, cautions=()), untested), cautions=found.cautions)
        return InvarianceGate(
            table=decisive(self.table),
            n_used=self.n_used,
            n_dropped=self.n_dropped,
            missing_policy=self.missing_policy,
            n_incomplete=self.n_incomplete,
            iterations=self.iterations,
            found=found,
        )


def _cautions(levels: Levels, level: str, partial: Partial | None) -> list[Finding]:
    """What qualifies the level reached, most serious first."""
    sample, judged = levels.sample, levels.judged
    found = [*_improper(levels, level), *_misfit(judged[0]), *_items(levels, level, partial)]
    if len(levels.fits) < len(LEVELS):
        found.append(Finding("invariance.no_solution", {"level": LEVELS[len(levels.fits)]}))
    if not levels.scaled:
        found.append(Finding("invariance.no_robust"))
    plain = reached(levels.plain)
    if plain != level:
        found.append(Finding("invariance.estimators_differ", {"level": plain}))
    found += [*_by_chen(sample.n, judged, level), *sample.left_out]
    if sample.n_dropped:
        values = {"n_dropped": sample.n_dropped, "total": sample.n_dropped + sample.n_counted}
        found.append(Finding(f"invariance.{'dropped' if sample.missing == 'drop' else 'dropped_any'}", values))
    return found


def _improper(levels: Levels, level: str) -> list[Finding]:
    """Groups whose values at the level reached cannot be."""
    fit, sample = levels.fits[LEVELS.index(level)], levels.sample
    heywood = fit.heywood.any(axis=1)
    bad = heywood | ~fit.definite
    if not bad.any():
        return []
    reasons = [*(["heywood case"] if heywood.any() else []), *([] if fit.definite.all() else ["not positive definite"])]
    groups = [GroupCode(code, sample.by) for code, is_bad in zip(sample.codes, bad, strict=True) if is_bad]
    return [Finding("invariance.improper", {"groups": groups, "reasons": reasons})]


def _misfit(base: FitIndices) -> list[Finding]:
    """That the model with nothing equal misses the rules of good fit."""
    values = {name: getattr(base, name) for name in FIT_RULES}
    misses = [name for name, value in values.items() if not FIT_RULES[name].met(value)]
    limits = {f"{name}_limit": rule.value for name, rule in FIT_RULES.items()}
    return [Finding("invariance.misfit", {**values, **limits}, FIT_RULES["cfi"])] if misses and base.df else []


def _items(levels: Levels, level: str, partial: Partial | None) -> list[Finding]:
    """The items that differ by themselves, whatever the rule on the whole says, and whether the next level holds without them."""
    if partial is None:
        return []
    sample, place = levels.sample, LEVELS.index(partial.fit.parameters.grouped.level)
    holds = LEVELS.index(level) >= place
    if not partial.items:
        test = difference_test(levels.judged[place - 1], levels.judged[place])
        return [] if holds else [Finding("invariance.no_items", {"p": test[2] if test else np.nan})]
    values = {
        "items": [sample.model.items[item] for item in partial.items],
        "item": sample.model.items[partial.items[0]],
        "group": GroupCode(sample.codes[partial.groups[0]], sample.by),
        "change": partial.changes[0] * sample.deviations[partial.items[0]],
    }
    found = [Finding(f"invariance.{KINDS[LEVELS[place]]}", values, RULES["significance"])]
    if not holds:
        rule, change = RULES["invariance_cfi"], levels.judge(partial.fit).cfi - levels.judged[place - 1].cfi
        key = "partial" if rule.met(change) else "no_partial"
        found.append(Finding(f"invariance.{key}_{LEVELS[place]}", {"change": change, "limit": abs(rule.value)}, rule))
    return found


def _by_chen(n: int, judged: list[FitIndices], level: str) -> list[Finding]:
    """What the rules of Chen say where they disagree."""
    size = "small" if RULES["invariance_small_sample"].met(n) else "large"
    cfi, rmsea = RULES[f"invariance_cfi_{size}"], RULES[f"invariance_rmsea_{size}"]
    strict = LEVELS[0]
    for name, before, after in zip(LEVELS[1:], judged, judged[1:], strict=False):
        if not (cfi.met(after.cfi - before.cfi) and rmsea.met(after.rmsea - before.rmsea)):
            break
        strict = name
    if strict == level:
        return []
    return [Finding("invariance.by_chen", {"level": strict, "cfi": abs(cfi.value), "rmsea": rmsea.value, "n": n}, cfi)]
