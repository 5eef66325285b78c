"""Several grouping columns at once: what is said of them together, and whether means may be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pandas as pd

from cxresearch.core.results import Finding, GroupCode, Result, View
from cxresearch.methods.invariance_sample import NAMED

CHANGE = "invariance_cfi_change"
BEST_FIRST = ("scalar", "metric", "metric_untested", "configural", "configural_untested", "not_judged")
LISTED = ("by", "metric", "scalar")  # values that are told column by column


@dataclass(frozen=True, slots=True, kw_only=True)
class InvarianceGate(Result):
    """Whether means of some measures may be compared, over every grouping column.

    Attributes
    ----------
    table : the changes in CFI that decide, by MLR where there is one
    found : what is to be said before means are compared
    """

    views: ClassVar[Mapping[str, View]] = {"invariance_gate": View((CHANGE,), rows=("method",), columns="scale")}

    found: Finding

    def finding(self) -> Finding:
        """For which columns means may be compared, for which not, and for which that could not be tested."""
        return self.found


def decisive(table: pd.DataFrame) -> pd.DataFrame:
    """The changes in CFI by which columns were judged: those by MLR, of a column without them those by ML."""
    rows = table[table["quantity"] == CHANGE]
    robust = rows["method"].str.startswith("mlr; ")
    by = rows["method"].map(lambda method: method.rpartition("by ")[2])
    return rows[robust | ~by.isin(by[robust])].reset_index(drop=True)


def scope_of(left_out: Sequence[GroupCode]) -> Finding | None:
    """Of which groups a verdict does not speak, if of any."""
    if not left_out:
        return None
    key = "scope" if len(left_out) <= NAMED else "scope_many"
    return Finding(f"invariance.{key}", {"groups": list(left_out), "count": len(left_out)})


def draw_together(found: Mapping[str, Finding]) -> Finding:
    """The findings of several columns in one: each conclusion once, with its columns, and each caution once."""
    if len(found) == 1:
        return next(iter(found.values()))
    kinds = [[one for one in found.values() if one.key == f"invariance.{key}"] for key in BEST_FIRST]
    return replace(in_one(*(_merged(same) for same in kinds if same)), cautions=tuple(_shared(found)))


def in_one(first: Finding, *more: Finding) -> Finding:
    """Findings without cautions as the sentences of one."""
    if not more:
        return first
    rule = next((one.rule for one in (first, *more) if one.rule), None)
    return Finding("invariance.several", {"said": replace(first, cautions=more)}, rule)


def _merged(same: Sequence[Finding]) -> Finding:
    """Columns with the same conclusion in one sentence, without cautions."""
    every: list[dict[str, Any]] = [{**one.values} for one in same]  # noqa: PD011  (a mapping)
    left_out = [code for told in every for code in told["left_out"]]
    lists = {name: [told[name] for told in every] for name in LISTED if name in every[0]}
    change = min(told["change"] for told in every)
    together = {**every[0], **lists, "change": change, "left_out": left_out, "scope": scope_of(left_out)}
    return Finding(same[0].key, together, same[0].rule)


def _shared(found: Mapping[str, Finding]) -> list[Finding]:
    """Every caution once, those of the same columns together, behind the names of these where they are not all."""
    told: list[tuple[Finding, list[str]]] = []
    for by, one in found.items():
        for caution in one.cautions:
            known = next((columns for other, columns in told if other == caution), None)
            if known is None:
                told.append((caution, [by]))
            elif by not in known:
                known.append(by)
    said = []
    for group in sorted(
        {tuple(columns) for _, columns in told}, key=lambda group: (-len(group), list(found).index(group[0]))
    ):
        same = [caution for caution, columns in told if tuple(columns) == group]
        if len(group) < len(found):
            same = [Finding("invariance.of_columns", {"by": list(group), "said": in_one(*same)})]
        said += same
    return said
