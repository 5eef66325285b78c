"""What several fields of a study file can get wrong together: tickets, indicators, targets, notebooks."""

import re
from collections.abc import Iterator

from cxresearch.study.checks import Known
from cxresearch.study.faults import Fault, Where, did_you_mean, nearest
from cxresearch.study.file import StudyFile
from cxresearch.study.service_parts import INDICATOR_KINDS, AppraisalItem, ServiceIndicator

STANDARD_NOTEBOOKS = (
    "00_data_quality",
    "01_reliability",
    "02_factor_analysis",
    "03_confirmatory",
    "04_ahp_weighting",
    "05_satisfaction_index",
    "06_service_drivers",
    "07_index_model",
    "08_case_comparison",
    "09_complaints",
    "10_service_kpis",
    "11_customers",
    "12_monitoring",
    "13_robustness",
)
_SET_BY_RUN = ("study_file", "output_dir")
_TICKETS_NEED = {  # field -> the field it makes no sense without
    "response_promise": "first_response",
    "promise": "closed",
    "stages": "opened",
    "closed": "opened",
    "first_response": "opened",
    "repeat_window": "customer",
    "keywords": "text",
}


_COMPANIONS = ("of", "per", "sum_squares", "scale")
_GOES_WITH: dict[str, tuple[set[str], set[str]]] = {  # kind of indicator -> what it needs, what it may have
    "hits": ({"of"}, set()),
    "sum": ({"of"}, {"sum_squares"}),
    "events": ({"per"}, set()),
    "score": (set(), {"of", "scale"}),
    "count": (set(), set()),
}


def check_service(file: StudyFile, known: Known) -> Iterator[Fault]:
    """Faults of tickets, service records, appraisal, customers, targets and notebooks."""
    yield from _check_tickets(file)
    for name, indicator in file.operations.indicators.items() if file.operations is not None else ():
        if not known.is_faulty("operations", "indicators", name):
            yield from (Fault(("operations", "indicators", name), fault) for fault in _check_indicator(indicator))
    for at, item in enumerate(file.appraisal.items if file.appraisal is not None else ()):
        if not known.is_faulty("appraisal", "items", at):
            yield from (Fault(("appraisal", "items", at), fault) for fault in _check_appraisal(item))
    for at, target in enumerate(file.targets):
        if (target.value is None) == (target.change is None) and not known.is_faulty("targets", at):
            yield Fault(("targets", at), "must have either `value` or `change`")
    yield from _check_references(file, known)
    yield from _check_notebooks(file)
    if file.customers is not None:
        yield from _distinct(("customers", "tiers"), [tier.label for tier in file.customers.tiers])


def _check_tickets(file: StudyFile) -> Iterator[Fault]:
    if file.tickets is None:
        return
    for needed in dict.fromkeys(_TICKETS_NEED.values()):
        users = [f"`{field}`" for field, its in _TICKETS_NEED.items() if its == needed and getattr(file.tickets, field)]
        if users and getattr(file.tickets, needed) is None:
            yield Fault(("tickets", needed), f"is required with {', '.join(users)}")
    yield from _distinct(("tickets", "stages"), [stage.name for stage in file.tickets.stages])


def _distinct(path: Where, names: list[str]) -> Iterator[Fault]:
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield Fault(path, f"each must have a name of its own, found '{name}' again")


def _check_indicator(indicator: ServiceIndicator) -> Iterator[str]:
    kinds = [kind for kind in INDICATOR_KINDS if getattr(indicator, kind) is not None]
    if len(kinds) != 1:
        found = " and ".join(f"`{kind}`" for kind in kinds) or "none"
        yield f"must have one of {', '.join(f'`{kind}`' for kind in INDICATOR_KINDS)}, found {found}"
        return
    needed, allowed = _GOES_WITH[kinds[0]]
    for companion in _COMPANIONS:
        is_given = getattr(indicator, companion) is not None
        if companion in needed and not is_given:
            yield f"`{kinds[0]}` needs `{companion}`"
        if is_given and companion not in needed | allowed:
            yield f"`{companion}` does not go with `{kinds[0]}`"
    if kinds[0] == "hits" and indicator.target is not None and not 0 <= indicator.target <= 1:
        yield f"the `target` of a share lies between 0 and 1, found {indicator.target:g}"


def _check_appraisal(item: AppraisalItem) -> Iterator[str]:
    if (item.steps is None) == (item.deduct is None):
        yield "must have either `steps` or `deduct` with `per`"
    elif (item.deduct is None) != (item.per is None):
        yield "`deduct` and `per` go together"
    elif item.cap is not None and item.deduct is None:
        yield "`cap` goes with `deduct`"
    most = max((points for _, points in item.steps or []), default=0)
    if most > item.full:
        yield f"no step may give more than the full {item.full:g} points, found {most:g}"


def _check_references(file: StudyFile, known: Known) -> Iterator[Fault]:
    """Indicators nearly named like one of `operations`; others may come from tickets, customers or the indicator table."""
    own = list(file.operations.indicators) if file.operations is not None else []
    named: list[tuple[Where, str]] = []
    for at, target in enumerate(file.targets):
        named.append((("targets", at, "indicator"), target.indicator))
    for at, item in enumerate(file.appraisal.items if file.appraisal is not None else ()):
        named.append((("appraisal", "items", at, "indicator"), item.indicator))
    if file.appraisal is not None and not {"operations", "indicators"} & known.given:
        yield Fault(("appraisal",), "needs `operations` or `indicators`")
    for path, name in named:
        is_known = name in own or name in file.constructs or known.is_left_out(name) or "indicators" in known.given
        if not is_known and nearest(name, own):
            yield Fault(path, f"'{name}' is no indicator of `operations`{did_you_mean(name, own)}")


def _check_notebooks(file: StudyFile) -> Iterator[Fault]:
    for name, choices in file.notebooks.items():
        here: Where = ("notebooks", name)
        if name not in STANDARD_NOTEBOOKS:
            near = nearest(name, STANDARD_NOTEBOOKS)
            if near or not re.fullmatch(r"\d\d_\w+", name):
                yield Fault(
                    here, f"must name a notebook, such as 01_reliability{did_you_mean(name, STANDARD_NOTEBOOKS)}"
                )
        for parameter in choices:
            if parameter in _SET_BY_RUN:
                yield Fault((*here, parameter), "is set by the run; take it out")
