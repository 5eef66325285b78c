"""What looks odd in a survey though nothing in its study file is wrong: scales that hardly fit, answers without a scale."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxresearch.errors import name_some
from cxresearch.study.answers import read_answers
from cxresearch.study.large_survey import LargeSurvey
from cxresearch.study.questions import questions_of
from cxresearch.study.survey import Survey

if TYPE_CHECKING:
    from cxresearch.study.file import StudyFile

_OUTSIDE = 0.02  # share of answers outside the scale that is told
_ALIKE = 0.9  # share of them that is "nearly all"
_UNUSED = 0.3  # part of a scale at one end of which nobody made use
_ENOUGH = 30  # answers, to say that nobody did
_Limits = tuple[float, float]


def hints_of(survey: Survey | LargeSurvey, file: "StudyFile") -> list[str]:
    """Sentences on the survey of a study that a careful reader would ask about; [] if there are none.

    Scales are judged by the answers as given: before reversal, with those outside the scale; of a large survey by its sample.
    """
    survey = survey if isinstance(survey, Survey) else survey.sample
    questions = {
        name: replace(question, low=-np.inf, high=np.inf, reversed=False)
        for name, question in questions_of(file).items()
    }
    given = read_answers(survey.frame, questions).given
    hints = []
    for name, items in survey.scales.items():
        limits = survey.ranges.get(items[0])
        hints += _unanswered(name, given[items], is_regressed=name in {file.outcome, *survey.drivers})
        if limits is None or any(item not in survey.ranges for item in items):
            hints += _without_scale(name, given[items])
        else:
            hints += _with_scale(name, given[items], limits)
    if file.recommend in survey.items:
        home = next(name for name, items in survey.scales.items() if file.recommend in items)
        hints.append(f"recommend: {file.recommend} is an item of construct {home}")
    elif file.recommend is not None:
        hints += _with_scale("recommend", given[[file.recommend]], survey.ranges[file.recommend], is_fixed=True)
    return hints


def _unanswered(name: str, given: pd.DataFrame, *, is_regressed: bool) -> list[str]:
    """That nobody answered a construct, or some of its items, and what comes of it."""
    empty = [str(item) for item in given if given[item].isna().all()]
    if not empty or given.empty:
        return []
    which = "any of its items" if len(empty) == given.shape[1] else "all of its items"
    unable = "factor analyses and the regression of drivers" if is_regressed else "factor analyses"
    return [
        f"{name}: nobody answered {which} (no answers: {name_some(empty, 12)}); its reliability and its scores are left out, "
        f"and {unable} cannot run; check the columns and `missing`, or take this out of `constructs`"
    ]


def _without_scale(name: str, given: pd.DataFrame) -> list[str]:
    values = _values(given)
    if not len(values):
        return []
    return [f"{name}: no scale given; the answers run from {values.min():g} to {values.max():g}"]


def _with_scale(name: str, given: pd.DataFrame, limits: _Limits, *, is_fixed: bool = False) -> list[str]:
    """Hints on a construct, or on those of its items that alone go beyond its scale."""
    values = _values(given)
    if _share_outside(values, limits) > _OUTSIDE:
        return [f"{name}: {_outside(values, limits, is_fixed)}"]
    columns = {item: _values(given[[item]]) for item in given}
    found = [
        f"{item}: {_outside(answers, limits, is_fixed)}"
        for item, answers in columns.items()
        if _share_outside(answers, limits) > _OUTSIDE
    ]
    return found or [f"{name}: {unused}" for unused in _unused(values, limits)]


def _outside(values: np.ndarray, limits: _Limits, is_fixed: bool) -> str:
    low, high = limits
    outside = values[(values < low) | (values > high)]
    distinct, counts = np.unique(outside, return_counts=True)
    most = distinct[counts.argmax()]
    alike = counts.max() / len(outside)
    which = f"from {outside.min():g} to {outside.max():g}"
    if alike >= _ALIKE:
        which = f"{'all' if alike == 1 else 'nearly all'} are {most:g}"
    said = f"{100 * len(outside) / len(values):.0f} % of the answers lie outside its scale [{low:g}, {high:g}], {which}"
    return f"{said}{_meant(values, limits, most if alike >= _ALIKE else None, is_fixed)}"


def _meant(values: np.ndarray, limits: _Limits, one: float | None, is_fixed: bool) -> str:
    """The scale or the code that may be meant: a single answer far from the scale is a code."""
    low, high = limits
    distance = 0 if one is None else max(low - one, one - high)
    if distance > 1:
        return f"; is {one:g} a code of `missing`?"
    if is_fixed:
        return ""
    near = values[(values >= low - (high - low)) & (values <= high + (high - low))]
    if one is not None:
        near = near[((near >= low) & (near <= high)) | (near == one)]
    is_whole = low in near and high in near
    code = f", or {one:g} a code of `missing`" if one is not None and is_whole else ""
    return f"; is the scale [{near.min():g}, {near.max():g}]{code}?" if len(near) else ""


def _unused(values: np.ndarray, limits: _Limits) -> list[str]:
    low, high = limits
    if len(values) < _ENOUGH:
        return []
    inside = values[(values >= low) & (values <= high)]
    room = _UNUSED * (high - low) - 1e-9
    found = []
    if high - inside.max() >= room:
        found.append(f"no answer above {inside.max():g} on a scale to {high:g}")
    if inside.min() - low >= room:
        found.append(f"no answer below {inside.min():g} on a scale from {low:g}")
    return found


def _share_outside(values: np.ndarray, limits: _Limits) -> float:
    return float(np.mean((values < limits[0]) | (values > limits[1]))) if len(values) else 0.0


def _values(given: pd.DataFrame) -> np.ndarray:
    """The answers (m,) that are there."""
    values = given.to_numpy(float).ravel()
    return values[~np.isnan(values)]
