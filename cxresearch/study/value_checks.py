"""Whether the values that a study file names occur in the rows of its survey."""

from collections.abc import Iterator

import pandas as pd

from cxresearch.errors import name_some
from cxresearch.study.codes import code_of
from cxresearch.study.faults import Fault, did_you_mean, nearest
from cxresearch.study.file import StudyFile
from cxresearch.study.large_survey import LargeSurvey
from cxresearch.study.survey import Survey


def check_values(file: StudyFile, survey: Survey | LargeSurvey) -> Iterator[Fault]:
    """Cases and periods that no row of the survey has, and benchmarks of columns that hold no numbers."""
    cases = file.cases
    if cases is None:
        return
    named = {
        "treated": (cases.by, cases.treated),
        "before": (cases.period, cases.before),
        "after": (cases.period, cases.after),
    }
    for field, (column, values) in named.items():
        if column is not None:
            known = survey.values_of(column)
            yield from _absent(field, column, values, known)
    for name in cases.benchmark:
        near = survey if isinstance(survey, Survey) else survey.sample
        if name not in file.constructs and not pd.api.types.is_numeric_dtype(near.answers.get(name, near.frame[name])):
            yield Fault(("cases", "benchmark"), f"column '{name}' holds text; a benchmark needs numbers")


def _absent(field: str, column: str, values: list[str], known: list[str]) -> Iterator[Fault]:
    for value in values:
        if code_of(value) not in known:
            hint = did_you_mean(value, known) if nearest(value, known) else f", which holds {name_some(sorted(known))}"
            yield Fault(("cases", field), f"'{value}' does not occur in column '{column}'{hint}")
