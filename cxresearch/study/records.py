"""The tables of a study as records: typed, and looked at for gaps, impossible cells, age and free text."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxresearch.core.records import Records
from cxresearch.study.answers import read_answers
from cxresearch.study.questions import questions_of
from cxresearch.study.record_cells import as_floats, as_texts, as_times, as_truths, is_filled
from cxresearch.study.tables import read_table
from cxresearch.study.urls import Place

if TYPE_CHECKING:
    from cxresearch.study.file import StudyFile
    from cxresearch.study.service_parts import Customers, Observations, Operations, Tickets
    from cxresearch.study.survey import Survey

TABLES = ("survey", "tickets", "operations", "observations", "customers")
_LONG_NUMBER = 10**10  # from here on a number may be that of a telephone
_DAY = pd.Timedelta(days=1)


class _Cells:
    """The columns of one table as they are read: each judged once, by what it should hold."""

    def __init__(self, raw: pd.DataFrame) -> None:
        self.raw = raw
        self.typed: dict[str, pd.Series] = {}
        self.valid: dict[str, pd.Series] = {}
        self.filled: dict[str, pd.Series] = {}

    def read(self, columns: Iterable[str | None], kind: Callable[[pd.Series], pd.Series], *, needed: bool) -> None:
        """Read columns as a kind; a filled cell that is none of it is not valid."""
        for name in columns:
            if name is None or name in self.typed:
                continue
            filled = is_filled(self.raw[name])
            self.typed[name] = kind(self.raw[name])
            if kind is not as_texts:
                self.valid[name] = ~filled | self.typed[name].notna()
            if needed:
                self.filled[name] = filled

    def require(self, name: str | None, right: pd.Series) -> None:
        """A cell of the column is valid only where it is right, or missing."""
        if name is not None:
            self.valid[name] = self.valid.get(name, pd.Series(True, self.raw.index)) & (right | self.typed[name].isna())

    def require_unique(self, name: str | None) -> None:
        """No two records have the same number; both are suspect."""
        if name is not None:
            self.require(name, ~self.typed[name].duplicated(keep=False))

    def require_within(self, columns: Iterable[str | None], low: float, high: float = np.inf) -> None:
        """Numbers lie between two limits."""
        for name in columns:
            if name is not None:
                self.require(name, self.typed[name].between(low, high))

    def records(self, name: str, age_days: pd.Series | None = None) -> Records:
        """What was found."""
        frames = [pd.DataFrame(part, index=self.raw.index) for part in (self.typed, self.filled, self.valid)]
        judged = [column for column, cells in self.typed.items() if not pd.api.types.is_object_dtype(cells)]
        texts = _texts_of(self.raw.drop(columns=judged))
        return Records(name=name, frame=frames[0], filled=frames[1], valid=frames[2], texts=texts, age_days=age_days)


def read_records(file: "StudyFile", name: str, folder: Place) -> Records:
    """One of the tables but the survey, whose part the study file must have.

    Raises
    ------
    InputError
        If its files cannot be read.
    """
    part = getattr(file, name)
    cells = _Cells(read_table(part.data, folder=folder).frame)
    if name == "customers":
        return _read_customers(cells, part, file.tickets.as_of if file.tickets is not None else None)
    if name == "tickets":
        return _read_tickets(cells, part)
    return _read_operations(cells, part) if name == "operations" else _read_observations(cells, part)


def survey_records(file: "StudyFile", survey: "Survey", shared: np.ndarray | None = None) -> Records:
    """The rows used of the survey as records: whole where every question and group is known, valid within the scales.

    `shared` says whose number another row bears too, where the rows are a sample and that row need not be in it.
    """
    questions = questions_of(file).items()
    without_limits = {name: replace(question, low=-np.inf, high=np.inf) for name, question in questions}
    given = read_answers(survey.frame, without_limits).given.notna()
    valid = ~given | survey.answers.notna()
    identity = file.survey.id if file.survey is not None else None
    if identity is not None and (shared is not None or not survey.design.sampled):
        numbers = as_texts(survey.frame[identity])
        repeated = numbers.duplicated(keep=False) if shared is None else shared
        valid = valid.assign(**{identity: ~repeated | numbers.isna()})
    filled = pd.concat([given, survey.groups.drop(columns=given.columns, errors="ignore").notna()], axis=1)
    texts = _texts_of(survey.frame.drop(columns=given.columns))
    sampled = survey.design.sampled
    return Records(name="survey", frame=survey.answers, filled=filled, valid=valid, texts=texts, sampled=sampled)


def _read_tickets(cells: _Cells, part: "Tickets") -> Records:
    steps = [part.first_response, part.handled, part.replied, part.closed, part.escalated, *(s.at for s in part.stages)]
    cells.read([part.opened], as_times, needed=True)
    cells.read(steps, as_times, needed=False)
    cells.read([part.id, part.category, part.channel, part.unit, part.region, part.department], as_texts, needed=True)
    cells.read([part.contacts, part.cost], as_floats, needed=False)
    cells.read([part.valid, part.resolved], as_truths, needed=False)
    cells.read(
        [part.subcategory, part.cause, part.customer, part.satisfied, part.remedy, part.text], as_texts, needed=False
    )
    cells.require_unique(part.id)
    cells.require_within([part.contacts, part.cost], 0)
    times = [name for name in dict.fromkeys([part.opened, *steps]) if name is not None]
    for name in times:
        if part.as_of is not None:
            cells.require(name, cells.typed[name] < pd.Timestamp(part.as_of) + _DAY)
        if part.opened is not None and name != part.opened:
            opened = cells.typed[part.opened]
            cells.require(name, (cells.typed[name] >= opened) | opened.isna())
    return cells.records("tickets")


def _read_operations(cells: _Cells, part: "Operations") -> Records:
    cells.read([part.unit, part.period, *part.by], as_texts, needed=True)
    indicators = part.indicators.values()
    counts = [
        part.exposure,
        *(getattr(i, kind) for i in indicators for kind in ("hits", "of", "events", "per", "count", "sum_squares")),
    ]
    cells.read([*counts, *(i.sum for i in indicators), *(i.score for i in indicators)], as_floats, needed=True)
    cells.require_within(dict.fromkeys(counts), 0)
    for indicator in indicators:
        if indicator.hits is not None and indicator.of is not None:
            hits, of = cells.typed[indicator.hits], cells.typed[indicator.of]
            cells.require(indicator.hits, (hits <= of) | of.isna())
        if indicator.score is not None and indicator.scale is not None:
            cells.require_within([indicator.score], *indicator.scale)
    return cells.records("operations")


def _read_observations(cells: _Cells, part: "Observations") -> Records:
    cells.read([part.unit, part.period, part.rater], as_texts, needed=True)
    cells.read(part.items, as_floats, needed=True)
    if part.scale is not None:
        cells.require_within(part.items, *part.scale)
    return cells.records("observations")


def _read_customers(cells: _Cells, part: "Customers", as_of: object) -> Records:
    cells.read([part.id], as_texts, needed=True)
    amounts = [part.value, part.frequency, part.recency, part.tenure]
    cells.read(amounts, as_floats, needed=True)
    cells.read([part.churned, part.repurchased, part.recommended, part.active], as_truths, needed=True)
    cells.read([part.updated], as_times, needed=True)
    cells.read([part.satisfaction], as_floats, needed=False)
    cells.require_unique(part.id)
    cells.require_within(amounts, 0)
    if part.updated is None:
        return cells.records("customers")
    updated = cells.typed[part.updated]
    last = pd.Timestamp(as_of) + _DAY if as_of is not None else updated.max()  # type: ignore[arg-type]
    if as_of is not None:
        cells.require(part.updated, updated < last)
    return cells.records("customers", age_days=(last - updated).dt.total_seconds() / _DAY.total_seconds())


def _texts_of(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that hold text, or numbers as long as those of telephones."""
    kinds = pd.api.types
    return frame[
        [
            name
            for name, column in frame.items()
            if kinds.is_object_dtype(column)
            or kinds.is_string_dtype(column)
            or (kinds.is_integer_dtype(column) and bool((column.abs() >= _LONG_NUMBER).any()))
        ]
    ]
