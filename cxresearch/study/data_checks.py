"""Whether the files that a study file names are there and hold the columns that it names."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic.fields import FieldInfo

from cxresearch.errors import InputError, name_some
from cxresearch.study import faults, filters
from cxresearch.study.faults import Fault, Where
from cxresearch.study.fields import Names, Part
from cxresearch.study.file import StudyFile
from cxresearch.study.readers import sheet_names
from cxresearch.study.tables import column_names, find_files
from cxresearch.study.urls import Place

Headers = dict[Where, list[str]]  # path of a table in the study file -> its columns
SURVEY: Where = ("survey", "data")
CORRELATION: Where = ("survey", "correlation")
_MANY, _FEW = 4, 0.1  # columns that must be named, and the share of them in a table, to say that it is another one
COUNTRIES = ("cn",)  # calendars that come with the project
_TABLES: dict[str, Where] = {part: (part, "data") for part in ("tickets", "operations", "observations", "customers")}
_FIXED: dict[
    Where, tuple[tuple[str, ...], tuple[str, ...]]
] = {  # tables of fixed form: columns they need, and may have
    ("survey", "invited"): (("group", "value", "invited"), ()),
    ("survey", "population"): (("group", "value", "share"), ()),
    ("experts", "judgements"): (("expert", "parent", "left", "right", "judgement"), ()),
    ("experts", "scores"): (("expert", "criterion", "points"), ()),
    ("cases", "published"): (("unit", "measure", "value"), ("period", "n", "source")),
    ("indicators",): (
        ("dimension", "indicator"),
        ("label", "definition", "table", "unit", "better", "floor", "full", "weight", "target", "stage"),
    ),
    ("actions",): (
        ("id", "measure"),
        ("problem", "indicator", "unit", "responsible", "start", "due", "done", "status"),
    ),
    ("mechanisms",): (("organisation", "criterion", "level"), ("country", "evidence", "source", "coder")),
}


def named_files(file: StudyFile) -> list[tuple[Where, list[str]]]:
    """Every data file that a study file names, and where; a calendar that is no country is a file."""
    found = list(_named("files", file))
    calendar = file.tickets.calendar if file.tickets is not None else None
    return [*found, (("tickets", "calendar"), [calendar])] if calendar not in (None, *COUNTRIES) else found


def read_headers(file: StudyFile, folder: Place) -> tuple[Headers, list[Fault]]:
    """The columns of every table named; tables that cannot be read are faults."""
    headers: Headers = {}
    found: list[Fault] = []
    for where, data in named_files(file):
        own = file.survey if where == SURVEY else None
        choices = {} if own is None else {"encoding": own.encoding, "sheet": own.sheet}
        try:
            headers[where] = column_names(data, folder=folder, **choices)
            if where == CORRELATION:
                headers[SURVEY] = headers.pop(where)[1:]  # its items stand for the columns of answers
        except InputError as error:
            found.append(Fault(where, str(error)))
    return headers, found


def check_survey_table(file: StudyFile, headers: Headers, folder: Place) -> Iterator[Fault]:
    """The one fault that nearly all columns are absent: it is another table, or there are lines above its header."""
    named = {column for path, column in _named("columns", file) if _TABLES.get(str(path[0]), SURVEY) == SURVEY}
    header = headers.get(SURVEY, [])
    count = len(named.intersection(header))
    if (
        file.survey is None
        or not file.survey.data
        or SURVEY not in headers
        or len(named) < _MANY
        or count > _FEW * len(named)
    ):
        return
    path = find_files(file.survey.data, folder)[0]
    sheets = sheet_names(path)
    sheet = file.survey.sheet or next(iter(sheets), "")
    others = [name for name in sheets if name != sheet]
    place = told(file.survey.data) + (f", sheet {sheet}" if sheet else "")
    place += f" (other sheets: {name_some(others)})" if others else ""
    yield Fault(
        SURVEY,
        f"{count or 'none'} of the {len(named)} columns that the study names {'is' if count < 2 else 'are'} in {place}; "
        f"it begins with: {name_some(header)}. "
        + ("Choose the sheet with `survey.sheet`, or delete" if others else "Is it the right file? If so, delete")
        + " the lines above the header",
    )


def check_columns(file: StudyFile, headers: Headers) -> Iterator[Fault]:
    """Columns that are named and not there."""
    files = dict(named_files(file))
    for path, column in _named("columns", file):
        table = _TABLES.get(str(path[0]), SURVEY)
        if table in headers and column not in headers[table]:
            yield Fault(path, absent(column, headers[table], files[table]))
    yield from _check_filters(file, headers, files)
    for table in _FIXED.keys() & headers.keys():
        yield from _check_fixed(table, headers[table], files[table])


def absent(column: str, header: list[str], data: list[str]) -> str:
    """That a column is not in a table, and which one may be meant."""
    return f"column '{column}' is not in {told(data)}{faults.did_you_mean(column, header)}"


def told(data: list[str]) -> str:
    """Data files as a message names them."""
    first = data[0]
    while first.startswith("../"):
        first = first.removeprefix("../")
    return first + (f" (and {len(data) - 1} more)" if len(data) > 1 else "")


def _check_fixed(table: Where, header: list[str], data: list[str]) -> Iterator[Fault]:
    needed, allowed = _FIXED[table]
    others = [name for name in header if name not in needed + allowed]
    for column in needed + allowed:
        if column not in header and (column in needed or faults.nearest(column, others)):
            yield Fault(table, absent(column, others, data))


def _check_filters(file: StudyFile, headers: Headers, files: dict[Where, list[str]]) -> Iterator[Fault]:
    wheres: list[tuple[Where, str, Where]] = []
    if file.survey is not None and file.survey.where:
        wheres.append((("survey", "where"), file.survey.where, SURVEY))
    for at, tier in enumerate(file.customers.tiers if file.customers is not None else []):
        wheres.append((("customers", "tiers", at, "where"), tier.where, _TABLES["customers"]))
    for path, text, table in wheres:
        try:
            columns = filters.parse(text).columns
        except InputError as error:
            yield Fault(path, str(error))
            continue
        for column in columns if table in headers else ():
            if column not in headers[table]:
                yield Fault(path, absent(column, headers[table], files[table]))


def _named(what: str, part: Part, path: Where = ()) -> Iterator[tuple[Where, Any]]:
    """The columns (one by one) or files (a list a table) that a part names, with their paths."""
    for name, field in type(part).model_fields.items():
        value, here = getattr(part, name), (*path, name)
        if value is not None and _marked(field) == what:
            yield from ([(here, value)] if value else []) if what == "files" else _each(value, here)
        else:
            for step, inner in _inner(value):
                yield from _named(what, inner, (*here, *step))


def _each(value: Any, path: Where) -> Iterator[tuple[Where, str]]:
    """Column by column of a name, a list, a mapping column -> label, or a mapping question -> columns."""
    if isinstance(value, str):
        yield path, value
    for entry in value if isinstance(value, list | dict) else ():
        columns = value[entry] if isinstance(value, dict) and isinstance(value[entry], list) else None
        yield from ((path, entry),) if columns is None else _each(columns, (*path, entry))


def _inner(value: Any) -> Iterator[tuple[Where, Part]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, Part):
        yield (), value
    yield from (((step,), entry) for step, entry in entries if isinstance(entry, Part))


def _marked(field: FieldInfo) -> str:
    inside = [mark for kind in get_args(field.annotation) for mark in getattr(kind, "__metadata__", ())]
    return next((mark.what for mark in [*field.metadata, *inside] if isinstance(mark, Names)), "")
