"""How each column of the answers is to be read: scales, codes and missing codes of the study file."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxresearch.errors import InputError
from cxresearch.study.answers import Question, key_of

if TYPE_CHECKING:
    from cxresearch.study.file import StudyFile

RECOMMEND = (0.0, 10.0)  # the scale of the Net Promoter question


def questions_of(file: "StudyFile") -> dict[str, Question]:
    """How each column of the answers is read: items first, then outcome, drivers and `recommend`.

    Raises
    ------
    InputError
        If a reversed item has no scale.
    """
    everywhere = frozenset(map(key_of, file.survey.missing if file.survey is not None else []))
    questions: dict[str, Question] = {}
    for construct in file.constructs.values():
        low, high = construct.scale or (-np.inf, np.inf)
        missing = everywhere | frozenset(map(key_of, construct.missing))
        for item in construct.items:
            turned = item in construct.reversed
            if turned and construct.scale is None:
                raise InputError(
                    f"the reversed item '{item}' needs a scale",
                    "its construct has none",
                    "Add `scale: [lowest, highest]`.",
                )
            questions.setdefault(item, Question(construct.codes, missing, low, high, turned))
    for column in extra_columns(file):
        questions.setdefault(column, _plain_question(file, column, everywhere))
    return questions


def ranges_of(questions: Mapping[str, Question], log: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """The scales of the columns; without a scale, the ends of `codes` where every answer was given in such words."""
    ranges = {}
    n_answers = log["n_rows"] - log["n_missing"]
    worded = set(log.index[(log["n_text"] == n_answers) & (n_answers > 0)])
    for name, question in questions.items():
        ends = [number for number in question.codes.values() if key_of(number) not in question.missing]
        if np.isfinite(question.low):
            ranges[name] = (question.low, question.high)
        elif name in worded and len(ends) > 1:
            ranges[name] = (min(ends), max(ends))
    return ranges


def _plain_question(file: "StudyFile", column: str, missing: frozenset[str]) -> Question:
    """Outcome and drivers have missing codes but no scale; of `recommend` 0 to 10 are answers, whatever is a code elsewhere."""
    if column != file.recommend:
        return Question(missing=missing)
    low, high = RECOMMEND
    if column == file.outcome or column in file.drivers_used:
        return Question(missing=missing, low=low, high=high)
    answers = {key_of(number) for number in range(int(low), int(high) + 1)}
    return Question(missing=missing - answers, low=low, high=high)


def extra_columns(file: "StudyFile") -> list[str]:
    """Outcome, driver and `recommend` columns that are neither a construct nor an item."""
    known = {*file.scales, *(item for items in file.scales.values() for item in items)}
    named = [file.outcome, *file.drivers_used, file.recommend]
    return list(dict.fromkeys(name for name in named if name and name not in known))
