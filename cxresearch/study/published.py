"""A survey of which only a correlation matrix was published: the same face as `Survey`, without answers."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.errors import InputError, name_some
from cxresearch.study.tables import read_table
from cxresearch.study.urls import Place

if TYPE_CHECKING:
    from cxresearch.study.file import StudyFile

MEAN, SD = "mean", "sd"  # lines below the matrix
ROUNDING = 1e-6  # by which the two triangles of a printed matrix may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSurvey:
    """Correlations of the items, and their means and deviations where they were published.

    Attributes
    ----------
    answers : moments of the items and of outcome and drivers that are no items
    scores : moments of constructs and of outcome and driver columns
    items, scales, ranges, outcome, drivers : as in `Survey`
    design, missing_policy, groups, by : of nothing, as there are no rows
    """

    answers: Moments
    scores: Moments
    items: list[str]
    scales: dict[str, list[str]]
    ranges: dict[str, tuple[float, float]]
    outcome: str | None
    drivers: list[str]
    design: Design = field(default_factory=Design)
    missing_policy: Literal["drop"] = "drop"
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    by: None = None

    @property
    def score_ranges(self) -> dict[str, tuple[float, float]]:
        """Column of `scores` -> lowest and highest possible score, where the study file gives a scale."""
        of_constructs = {
            name: self.ranges[items[0]] for name, items in self.scales.items() if all(i in self.ranges for i in items)
        }
        return {name: limits for name, limits in (self.ranges | of_constructs).items() if name in self.scores.names}


def read_published(file: "StudyFile", folder: Place) -> PublishedSurvey:
    """The survey whose correlations a study file gives.

    Raises
    ------
    InputError
        If the matrix lacks an item, is not square, symmetric with ones on its diagonal, or positive definite; if reversed items
        are to be turned round but have no scale.
    """
    part = file.survey
    if part is None or not part.correlation:
        raise InputError(
            "the study must have correlations", "found no `survey.correlation`", "Add it to the study file."
        )
    moments = moments_of_table(
        read_table(part.correlation, folder=folder, encoding=part.encoding).frame, int(part.n or 0)
    )
    moments = _turned(moments, file)
    items = list(dict.fromkeys(item for its_items in file.scales.values() for item in its_items))
    others = [name for name in (file.outcome, *file.drivers_used) if name and name not in file.scales]
    answers = moments.select(list(dict.fromkeys([*items, *others])))
    recipe = {name: {item: 1 / len(its_items) for item in its_items} for name, its_items in file.scales.items()}
    recipe |= {name: {name: 1.0} for name in others}
    return PublishedSurvey(
        answers=answers,
        scores=answers.combine(pd.DataFrame(recipe).reindex(answers.names).fillna(0.0)),
        items=items,
        scales=file.scales,
        ranges={item: each.scale for each in file.constructs.values() if each.scale for item in each.items},
        outcome=file.outcome,
        drivers=file.drivers_used,
    )


def moments_of_table(frame: pd.DataFrame, n: int) -> Moments:
    """Moments of a table as it is printed: a column of names, one column an item, one line an item, and lines `mean` and `sd` below.

    Either triangle may be left blank.

    >>> table = pd.DataFrame({"item": ["a", "b", "sd"], "a": [1.0, 0.5, 2.0], "b": [None, 1.0, 3.0]})
    >>> moments_of_table(table, 100).cov
    array([[4., 3.],
           [3., 9.]])

    Raises
    ------
    InputError
        If it is no such table, or no correlation matrix that answers can have.
    """
    table = frame.set_index(frame.columns[0])
    table.index, table.columns = table.index.map(lambda name: str(name).strip()), table.columns.map(str)
    items = list(table.columns)
    lines = [name for name in table.index if name not in (MEAN, SD)]
    if lines != items:
        odd = sorted(set(lines) ^ set(items)) or lines
        raise InputError(
            "a correlation matrix must have the same items on lines and columns, in the same order",
            f"found {len(lines)} lines and {len(items)} columns; they differ in {name_some(odd)}",
            f"Below the matrix, only the lines `{MEAN}` and `{SD}` may stand.",
        )
    numbers = table.apply(pd.to_numeric, errors="coerce")
    matrix = _whole(numbers.loc[items].to_numpy(float), items)
    given = {name: numbers.loc[name].to_numpy(float) for name in (MEAN, SD) if name in table.index}
    for name, values in given.items():
        if not np.isfinite(values).all() or (name == SD and (values <= 0).any()):
            raise InputError(
                f"the line `{name}` must have a {'number above 0' if name == SD else 'number'} for every item",
                f"found {name_some(np.array(items)[~(np.isfinite(values) & ((name == MEAN) | (values > 0)))])} without",
                "Fill the line, or delete it.",
            )
    corr = pd.DataFrame(matrix, index=items, columns=items)
    return Moments.from_correlation(corr, n, mean=given.get(MEAN), sd=given.get(SD))


def _whole(matrix: np.ndarray, items: list[str]) -> np.ndarray:
    """Both triangles, once it is sure that they agree and that answers can have these correlations."""
    mirror = np.where(np.isnan(matrix), matrix.T, matrix)
    faults = {
        "has no number for": np.isnan(mirror),
        "has two different numbers for": np.abs(mirror - mirror.T) > ROUNDING,
        "has a number beyond -1 and 1 for": np.abs(mirror) > 1,
        "has no 1 on the diagonal of": np.diag(np.abs(np.diag(mirror) - 1) > ROUNDING),
    }
    for what, where in faults.items():
        pairs = [items[i] if i == j else f"{items[i]} and {items[j]}" for i, j in np.argwhere(np.triu(where | where.T))]
        if pairs:
            raise InputError(
                "a correlation matrix must be complete and symmetric, with ones on its diagonal and values from -1 to 1",
                f"it {what} {name_some(pairs)} ({len(pairs)} cells)",
                "Mend the table; one of the two triangles may be left blank.",
            )
    smallest = float(np.linalg.eigvalsh(mirror)[0])
    if smallest <= 0:
        raise InputError(
            "a correlation matrix of answers must be positive definite",
            f"its smallest eigenvalue is {smallest:.4g}",
            "Look for a misprint or a wrong sign; a matrix of pairwise or polychoric correlations may not be one of answers.",
        )
    return (mirror + mirror.T) / 2


def _turned(moments: Moments, file: "StudyFile") -> Moments:
    """With the items that are worded the other way turned round."""
    sign = np.ones(len(moments.names))
    mean = moments.mean.copy()
    for construct in file.constructs.values():
        for item in construct.reversed:
            place = moments.names.index(item)
            sign[place] = -1
            mean[place] = sum(construct.scale or (np.nan, np.nan)) - mean[place]
    return Moments(moments.n, mean, moments.cov * np.outer(sign, sign), moments.names)
