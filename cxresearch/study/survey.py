"""The survey of a study: rows, answers on their scales, groups, and how the sample was drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.personal import mask, mask_codes
from cxresearch.errors import InputError, name_some
from cxresearch.study import filters
from cxresearch.study.answers import read_answers
from cxresearch.study.codes import as_codes, code_of
from cxresearch.study.faults import did_you_mean
from cxresearch.study.questions import extra_columns, questions_of, ranges_of
from cxresearch.study.readers import Table
from cxresearch.study.screening import CARELESS, flag_rows
from cxresearch.study.tables import read_table
from cxresearch.study.urls import Place

if TYPE_CHECKING:
    from cxresearch.study.file import StudyFile
    from cxresearch.study.parts import SurveyPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscreened:
    """All rows that `where` leaves, also those dropped for a flag: what the answers were before screening.

    Attributes
    ----------
    answers : as in Survey
    outcome : scores of the outcome; None where the study has none
    design : survey weights and clusters
    """

    answers: pd.DataFrame
    outcome: pd.Series | None
    design: Design


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A survey as the study file wants it read.

    Attributes
    ----------
    frame : every column of the rows used; the index counts the rows of the data from 0
    answers : floats; all items in study order, then those of outcome, drivers and `recommend` that are no items. Missing and
        out-of-scale answers are nan, reversed items turned round
    items : every item, in study order
    scales : construct -> items
    ranges : column of `answers` -> (low, high): items whose construct has a scale, or only worded answers, and `recommend`
    scores : floats; construct means (nan unless all items are answered), then outcome and driver columns that are no construct
    outcome, drivers : as in `scores`; by default every other construct drives, but for one named loyalty
    groups : text codes ("1", never "1.0"), missing where missing, personal data masked; a column for each of `groups:`, and
        `cases.by`
    by : `cases.by`, else the first of `groups:`
    design : survey weights and clusters
    missing_policy : what becomes of rows that lack an answer: "drop", "em" or "impute"
    item_log : what happened to each column of `answers`: n_rows, n_missing, of these n_missing_code and n_out_of_scale; n_text
    row_log : reason, n: rows_read, then rows dropped by reason (blank, where, ...), then rows_used
    flags : bool; duplicate, straightliner, speeder, the indices of careless answering and several_indices (two or more of
        them agree), as far as they can be judged, of the rows that `where` leaves, also of those dropped for a flag
    unscreened : answers, outcome and design of the rows of `flags`
    encoding : of the data, "" for binary files
    paths : the files read
    value_labels : column -> code as text -> label, from .sav and .dta files
    variable_labels : column -> label, likewise
    """

    frame: pd.DataFrame
    answers: pd.DataFrame
    items: list[str]
    scales: dict[str, list[str]]
    ranges: dict[str, tuple[float, float]]
    scores: pd.DataFrame
    outcome: str | None
    drivers: list[str]
    groups: pd.DataFrame
    by: str | None
    design: Design
    missing_policy: Literal["drop", "em", "impute"]
    item_log: pd.DataFrame
    row_log: pd.DataFrame
    flags: pd.DataFrame
    unscreened: Unscreened
    encoding: str
    paths: tuple[Place, ...]
    value_labels: dict[str, dict[str, str]]
    variable_labels: dict[str, str]

    @property
    def score_ranges(self) -> dict[str, tuple[float, float]]:
        """Column of `scores` -> lowest and highest possible score, where the study file gives a scale."""
        return score_ranges_of(self.ranges, self.scales, list(map(str, self.scores)))

    @property
    def sample(self) -> "Survey":
        """The rows themselves; of a large survey, a random sample of them."""
        return self

    @property
    def n_duplicates(self) -> int:
        """Rows that repeat an earlier row or respondent, among those of `flags`."""
        return int(self.flags["duplicate"].sum())

    @property
    def outcome_scores(self) -> pd.Series | None:
        """The scores of the outcome; None where the study has none."""
        return self.scores[self.outcome] if self.outcome else None

    def scores_by(self, column: str) -> pd.DataFrame:
        """`scores` and, beside them, one column of `groups`."""
        return self.scores.assign(**{column: self.groups[column]})

    def values_of(self, column: str) -> list[str]:
        """The different values of a column of the data, as text codes."""
        return list(as_codes(self.frame[column]).dropna().unique())

    def comparable_groups(self, min_group: int = 2) -> list[str]:
        """The columns of `groups` in which two groups or more have `min_group` rows with an outcome."""
        answered = self.groups[self.scores[self.outcome].notna()]
        return [str(name) for name in answered if (answered[name].value_counts() >= min_group).sum() >= 2]


def score_ranges_of(
    ranges: Mapping[str, tuple[float, float]], scales: Mapping[str, list[str]], scores: list[str]
) -> dict[str, tuple[float, float]]:
    """Lowest and highest possible value of each score, where the items of a construct have ranges."""
    of_constructs = {name: ranges[items[0]] for name, items in scales.items() if all(item in ranges for item in items)}
    return {name: limits for name, limits in (dict(ranges) | of_constructs).items() if name in scores}


def read_survey(file: "StudyFile", folder: Place) -> Survey:
    """Read the survey that a study file describes.

    Parameters
    ----------
    file : the study file; must have `survey`
    folder : where its paths start

    Raises
    ------
    InputError
        If a file or column is not there, an answer is neither a number nor a known word, a weight is negative or missing, or
        no row is left.
    """
    part = survey_part(file)
    return survey_of(file, read_table(part.data, folder=folder, encoding=part.encoding, sheet=part.sheet))


def survey_of(file: "StudyFile", table: Table, *, sampled: str = "") -> Survey:
    """The survey that a study file describes, once its table is read; `sampled` says of what the rows are a sample."""
    part, questions = survey_part(file), questions_of(file)
    refuse_absent_columns(file, list(table.frame.columns))
    frame = _filtered(table.frame, part.where)
    answers = read_answers(frame, questions)
    items = list(dict.fromkeys(item for its_items in file.scales.values() for item in its_items))
    ranges = ranges_of(questions, answers.log)
    of_items = {item: limits for item, limits in ranges.items() if item in items}
    flags = flag_rows(
        frame,
        answers.given,
        of_items,
        scales=file.scales,
        reversed_items=[item for item in items if questions[item].reversed],
        identity=part.id,
        seconds=part.seconds,
    )
    if sampled:  # a copy and its original are rarely drawn together: a sample cannot tell how many there are
        flags = flags.drop(columns="duplicate")
    scores, design = _scores(file, answers.values), _design(frame, part, sampled)
    unscreened = Unscreened(
        answers=answers.values, outcome=scores[file.outcome] if file.outcome else None, design=design
    )
    kept, dropped = _kept_rows(flags, duplicates=part.duplicates, careless=part.careless)
    if dropped:
        frame, answers = frame.loc[kept], read_answers(frame.loc[kept], questions)
        scores, design = scores.loc[kept], _design(frame, part, sampled)
    if part.where:
        dropped = {"where": len(table.frame) - len(flags), **dropped}
    if table.n_blank:
        dropped = {"blank": table.n_blank, **dropped}
    return Survey(
        frame=frame,
        answers=answers.values,
        items=items,
        scales=file.scales,
        ranges=ranges,
        scores=scores,
        outcome=file.outcome,
        drivers=file.drivers_used,
        groups=_groups(file, frame),
        by=case_column(file),
        design=design,
        missing_policy=part.missing_policy,
        item_log=answers.log,
        row_log=row_log_of(rows_read=len(table.frame) + table.n_blank, **dropped, rows_used=len(frame)),
        flags=flags,
        unscreened=unscreened,
        encoding=table.encoding,
        paths=table.paths,
        value_labels={column: _text_keys(labels) for column, labels in table.value_labels.items()},
        variable_labels={column: mask(label) for column, label in table.variable_labels.items()},
    )


def survey_part(file: "StudyFile") -> "SurveyPart":
    """The survey of a study file, once it is sure that it has one."""
    if file.survey is None:
        raise InputError("the study must have a survey", "found no `survey:`", "Add it to the study file.")
    return file.survey


def columns_of(file: "StudyFile") -> dict[str, str]:
    """Every column that reading the survey needs -> where the study file names it."""
    part = survey_part(file)
    single = {
        "survey.id": part.id,
        "survey.weight": part.weight,
        "survey.cluster": part.cluster,
        "survey.seconds": part.seconds,
    }
    needed = {column: path for path, column in single.items() if column}
    for name, items in file.scales.items():
        needed |= dict.fromkeys(items, f"constructs.{name}.items")
    needed |= dict.fromkeys(extra_columns(file), "outcome, drivers or recommend")
    needed |= dict.fromkeys(group_columns(file), "groups or cases.by")
    return needed


def refuse_absent_columns(file: "StudyFile", known: list[str]) -> None:
    """Refuse a study file that names columns which are not there."""
    faults = []
    for column, path in columns_of(file).items():
        if column not in known:
            faults.append(f"no '{column}' ({path}{did_you_mean(column, known)})")
    if faults:
        raise InputError("the survey must have the columns that the study file names", f"found {name_some(faults, 10)}")


def _filtered(frame: pd.DataFrame, where: str | None) -> pd.DataFrame:
    kept = frame if where is None else frame[filters.parse(where).mask(frame)]
    if kept.empty:
        found = f"the filter `{where}` left out all {len(frame)}" if len(frame) else "the data have none"
        raise InputError("the survey must have rows", found, "Loosen `survey.where`." if len(frame) else "Export anew.")
    return kept


def _kept_rows(flags: pd.DataFrame, *, duplicates: str, careless: str) -> tuple[pd.Series, dict[str, int]]:
    """Which rows stay, and how many went for which reason; a row that is both counts as a duplicate."""
    kept = pd.Series(True, index=flags.index)
    dropped = {}
    for reason, drop in {"duplicate": duplicates, **dict.fromkeys(CARELESS, careless)}.items():
        if drop == "drop" and reason in flags:
            dropped[reason] = int((kept & flags[reason]).sum())
            kept &= ~flags[reason]
    if not kept.any():
        told = ", ".join(f"{count} as {reason}" for reason, count in dropped.items())
        raise InputError(
            "the survey must have rows",
            f"all {len(kept)} were dropped ({told})",
            "Set `survey.duplicates` or `survey.careless` to keep.",
        )
    return kept, dropped


def _scores(file: "StudyFile", answers: pd.DataFrame) -> pd.DataFrame:
    scores = {name: answers[items].to_numpy().mean(axis=1) for name, items in file.scales.items()}
    for name in [file.outcome, *file.drivers_used]:
        if name and name not in scores:
            scores[name] = answers[name].to_numpy()
    return pd.DataFrame(scores, index=answers.index)


def _groups(file: "StudyFile", frame: pd.DataFrame) -> pd.DataFrame:
    columns = group_columns(file)
    return pd.DataFrame(
        {name: mask_codes(as_codes(frame[name])) for name in columns}, index=frame.index, columns=columns
    )


def group_columns(file: "StudyFile") -> list[str]:
    """The columns of `groups:`, and `cases.by`."""
    by = case_column(file)
    return list(dict.fromkeys([*file.groups, *([by] if by else [])]))


def case_column(file: "StudyFile") -> str | None:
    """`cases.by`, else the first of `groups:`."""
    by = file.cases.by if file.cases else None
    return by or next(iter(file.groups), None)


def _design(frame: pd.DataFrame, part: "SurveyPart", sampled: str) -> Design:
    weights = None if part.weight is None else frame[part.weight]
    return Design(weights, None if part.cluster is None else as_codes(frame[part.cluster]), sampled)


def row_log_of(**counts: int) -> pd.DataFrame:
    """The log of rows: reason, n."""
    return pd.DataFrame(list(counts.items()), columns=["reason", "n"])


def _text_keys(labels: Mapping[Any, str]) -> dict[str, str]:
    return {code_of(code): mask(str(label)) for code, label in labels.items()}
