"""What several fields of a study file can get wrong together: tickets, indicators, targets, notebooks."""

import re
from collections.abc import Iterator

from cxresearch.study.faults import Fault, Where, did_you_mean, nearest
from cxresearch.study.file import StudyFile

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


def check_service(file: StudyFile, given: frozenset[str], texts: frozenset[str]) -> Iterator[Fault]:
    """Faults of tickets, indicators, targets and notebooks.

    Parameters
    ----------
    file : the study file without its faulty parts
    given : its keys at the top, faulty ones included
    texts : what stands in its faulty parts
    """
    yield from _check_tickets(file, texts)
    yield from _check_indicators(file, given, texts)
    yield from _check_notebooks(file)


def _check_tickets(file: StudyFile, texts: frozenset[str]) -> Iterator[Fault]:
    for field, needed in _TICKETS_NEED.items():
        if getattr(file.tickets, field, None) and getattr(file.tickets, needed) is None and needed not in texts:
            yield Fault(("tickets", needed), f"is required with `{field}`")


def _check_indicators(file: StudyFile, given: frozenset[str], texts: frozenset[str]) -> Iterator[Fault]:
    """Indicators nearly named like one of `operations`; others may come from tickets, customers or the indicator table."""
    own = list(file.operations.indicators) if file.operations is not None else []
    named: list[tuple[Where, str]] = [
        (("targets", at, "indicator"), target.indicator) for at, target in enumerate(file.targets)
    ]
    if file.appraisal is not None:
        named += [
            (("appraisal", "items", at, "indicator"), each.indicator) for at, each in enumerate(file.appraisal.items)
        ]
        if not {"operations", "indicators"} & given:
            yield Fault(("appraisal",), "needs `operations` or `indicators`")
    others = {*file.constructs, *texts}
    for path, name in named:
        if name not in own and name not in others and "indicators" not in given and nearest(name, own):
            yield Fault(path, f"'{name}' is no indicator of `operations`{did_you_mean(name, own)}")


def _check_notebooks(file: StudyFile) -> Iterator[Fault]:
    for name, choices in file.notebooks.items():
        here: Where = ("notebooks", name)
        if name not in STANDARD_NOTEBOOKS:
            near = nearest(name, STANDARD_NOTEBOOKS)
            if near or not re.fullmatch(r"\d\d_\w+", name):
                yield Fault(
                    here, "must be a notebook, such as 01_reliability" + (f"; did you mean '{near}'?" if near else "")
                )
        for parameter in choices:
            if parameter in _SET_BY_RUN:
                yield Fault((*here, parameter), "is set by the run; take it out")
