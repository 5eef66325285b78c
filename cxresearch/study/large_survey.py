"""A survey larger than memory: the same face as `Survey`, its answers left where they lie."""

from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Literal

import narwhals as nw
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.large import SAMPLE, LargeTable, in_sample, told_sample
from cxresearch.core.personal import mask_codes
from cxresearch.core.reductions import random_number, to_pandas, value_counts
from cxresearch.errors import InputError
from cxresearch.study import filters
from cxresearch.study.aside import set_aside
from cxresearch.study.codes import BLANKS, as_codes
from cxresearch.study.lazy_answers import LazyAnswers, lazy_answers, lazy_codes
from cxresearch.study.lazy_table import ROW, LazyTable, open_lazily
from cxresearch.study.questions import questions_of, ranges_of
from cxresearch.study.readers import Table
from cxresearch.study.repeats import Repeats, find_repeats
from cxresearch.study.survey import (
    Survey,
    Unscreened,
    case_column,
    group_columns,
    refuse_absent_columns,
    row_log_of,
    score_ranges_of,
    survey_of,
    survey_part,
)
from cxresearch.study.tables import plain_cells
from cxresearch.study.urls import Place

if TYPE_CHECKING:
    import duckdb

    from cxresearch.study.file import StudyFile


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeSurvey:
    """A survey as the study file wants it read, of any number of respondents.

    Attributes
    ----------
    answers, scores, groups : as in `Survey`, as large tables; weights and clusters stand in them
    items, scales, ranges, outcome, drivers, by, item_log, row_log, paths : as in `Survey`
    design : of nothing, as the tables have their own
    missing_policy : always "drop"
    sample : a random sample of the rows as an ordinary survey, for what needs the answers themselves
    """

    answers: LargeTable
    scores: LargeTable
    groups: LargeTable
    items: list[str]
    scales: dict[str, list[str]]
    ranges: dict[str, tuple[float, float]]
    outcome: str | None
    drivers: list[str]
    by: str | None
    item_log: pd.DataFrame
    row_log: pd.DataFrame
    paths: tuple[Place, ...]
    sample: Survey
    rows: nw.LazyFrame
    names: list[str]
    identity: str | None
    seed: int
    connection: "duckdb.DuckDBPyConnection"
    design: Design = field(default_factory=Design)
    missing_policy: Literal["drop"] = "drop"
    encoding: str = ""
    value_labels: dict[str, dict[str, str]] = field(default_factory=dict)
    variable_labels: dict[str, str] = field(default_factory=dict)
    _found: list[Repeats] = field(default_factory=list, repr=False)

    @property
    def flags(self) -> pd.DataFrame:
        """Flags of the rows of the sample; a duplicate is one that repeats any earlier row, whether in the sample or not."""
        flags = self.sample.flags.drop(columns="duplicate", errors="ignore")
        flags.insert(0, "duplicate", self.repeats.repeated)
        return flags

    @property
    def n_duplicates(self) -> int:
        """Rows that repeat an earlier row or respondent, among all rows."""
        return self.repeats.n

    @property
    def repeats(self) -> Repeats:
        """What repeats among all rows, looked for once, when asked for."""
        if not self._found:
            drawn = _drawn(len(self.answers), self.seed)
            self._found.append(find_repeats(self.connection, self.rows, self.names, drawn, identity=self.identity))
        return self._found[0]

    @property
    def outcome_scores(self) -> LargeTable:
        """The scores of the outcome, with weights and clusters; no column where the study has no outcome."""
        return self.scores[[self.outcome] if self.outcome else []]

    @property
    def unscreened(self) -> Unscreened:
        """The rows of the sample, those dropped for a flag too."""
        return self.sample.unscreened

    @property
    def score_ranges(self) -> dict[str, tuple[float, float]]:
        """Column of `scores` -> lowest and highest possible score, where the study file gives a scale."""
        return score_ranges_of(self.ranges, self.scales, list(self.scores.names))

    def scores_by(self, column: str) -> LargeTable:
        """`scores`; every column of `groups` stands beside them."""
        return self.scores

    def comparable_groups(self, min_group: int = 2) -> list[str]:
        """The columns of `groups` in which two groups or more have `min_group` rows with an outcome."""
        outcome = str(self.outcome)
        found = []
        for name in self.groups:
            counts = self.scores.counts(outcome, name).dropna(subset=[outcome, name])
            if (counts.groupby(name)["n"].sum() >= min_group).sum() >= 2:
                found.append(name)
        return found

    def values_of(self, column: str) -> list[str]:
        """The different values of a column of the data, as text codes."""
        return list(as_codes(value_counts(self.rows, [column])[column]).dropna().unique())


def read_large_survey(file: "StudyFile", folder: Place) -> LargeSurvey:
    """The survey that a study file describes, left where it lies.

    Careless answers are looked for in a random sample, and duplicates counted where they lie, so neither can be dropped.

    Raises
    ------
    InputError
        As `read_survey`; if duplicates or careless answers are to be dropped, or missing answers not simply left out.
    """
    part, questions = survey_part(file), questions_of(file)
    for name, value, plain in (
        ("duplicates", part.duplicates, "keep"),
        ("careless", part.careless, "keep"),
        ("missing_policy", part.missing_policy, "drop"),
    ):
        if value != plain:
            raise InputError(
                f"`survey.{name}: {value}` needs all rows in memory",
                "found a survey that is too large",
                f"Set it to {plain}, screen the data beforehand, or set `survey.large: no` where memory allows.",
            )
    table = open_lazily(part, folder)
    refuse_absent_columns(file, table.names)
    rows, dropped = _kept(table, part.where)
    answers = lazy_answers(rows, questions)
    made = _columns(file, rows, answers, part.weight, part.cluster)
    groups = group_columns(file)
    large = LargeTable.of(
        set_aside(table.connection, rows.select(*(column.alias(name) for name, column in made.items()), ROW)),
        {name: f"answer:{name}" for name in questions},
        row=ROW,
        weight="weight" if part.weight else None,
        cluster="cluster" if part.cluster else None,
        groups=groups,
    )
    log = answers.log(large.outline["n"])
    return LargeSurvey(
        answers=large,
        scores=large.derive(_scores(file)),
        groups=large.only_groups(),
        items=list(dict.fromkeys(item for items in file.scales.values() for item in items)),
        scales=file.scales,
        ranges=ranges_of(questions, log),
        outcome=file.outcome,
        drivers=file.drivers_used,
        by=case_column(file),
        item_log=log,
        row_log=row_log_of(rows_read=table.n_rows, **dropped, rows_used=large.n_rows),
        paths=table.paths,
        sample=_sample(file, table, rows, large.n_rows),
        rows=rows,
        names=table.names,
        identity=part.id,
        seed=file.seed,
        connection=table.connection,
    )


def _kept(table: LazyTable, where: str | None) -> tuple[nw.LazyFrame, dict[str, int]]:
    """The rows that are not wholly blank and fit the filter, and how many went for which reason."""
    rows, dropped = table.frame, {}
    schema = rows.collect_schema()
    blank = nw.all_horizontal(*(_is_blank(name, schema) for name in table.names), ignore_nulls=False)
    steps = {"blank": ~blank}
    if where is not None:
        steps["where"] = filters.parse(where).expression(schema)
    left = table.n_rows
    for reason, condition in steps.items():
        kept = rows.filter(condition)
        n = int(to_pandas(kept.select(nw.len().alias("n")))["n"].iloc[0])
        if n < left:
            rows, dropped[reason], left = kept, left - n, n
        elif reason == "where":
            dropped[reason] = 0
    if not left:
        raise InputError(
            "the survey must have rows",
            f"the filter `{where}` left out all {table.n_rows}" if table.n_rows else "the data have none",
            "Loosen `survey.where`." if table.n_rows else "Export anew.",
        )
    return rows, dropped


def _is_blank(name: str, schema: nw.Schema) -> nw.Expr:
    column = nw.col(name)
    return column.is_null() | (column.str.strip_chars(BLANKS) == "") if schema[name] == nw.String else column.is_null()


def _columns(
    file: "StudyFile", rows: nw.LazyFrame, answers: LazyAnswers, weight: str | None, cluster: str | None
) -> dict[str, nw.Expr]:
    """Everything a large table is made of, under names that cannot meet."""
    made = {f"answer:{name}": column for name, column in answers.columns.items()}
    if weight is not None:
        made["weight"] = nw.col(weight)
    if cluster is not None:
        made["cluster"] = nw.col(cluster)
    for name in group_columns(file):
        values = value_counts(rows, [name])[name].dropna()
        codes = mask_codes(as_codes(values))
        made[name] = lazy_codes(name, dict(zip(values, codes, strict=True)))
    return made


def _scores(file: "StudyFile") -> dict[str, nw.Expr]:
    """Construct means, null unless all items are answered, then outcome and driver columns that are no construct."""
    scores = {
        name: reduce(add, [nw.col(item) for item in items]) / float(len(items)) for name, items in file.scales.items()
    }
    for name in [file.outcome, *file.drivers_used]:
        if name and name not in scores:
            scores[name] = nw.col(name)
    return scores


def _drawn(n_rows: int, seed: int) -> nw.Expr:
    """Whether a row belongs to the sample."""
    return in_sample(random_number(ROW), SAMPLE / n_rows, seed) if n_rows > SAMPLE else nw.col(ROW) >= 0


def _sample(file: "StudyFile", table: LazyTable, rows: nw.LazyFrame, n_rows: int) -> Survey:
    kept = rows.filter(_drawn(n_rows, file.seed))
    frame = to_pandas(kept.select(*table.names, ROW)).sort_values(ROW, ignore_index=True).drop(columns=ROW)
    said = told_sample(len(frame), n_rows) if n_rows > SAMPLE else ""
    return survey_of(file, Table(plain_cells(frame), table.paths), sampled=said)
