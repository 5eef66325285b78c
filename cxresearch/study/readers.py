"""Readers of one file: text with any separator and encoding, sheets, labelled data, parquet."""

import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxresearch.errors import InputError, name_some
from cxresearch.study.codes import code_of
from cxresearch.study.encoding import decode
from cxresearch.study.faults import did_you_mean
from cxresearch.study.urls import Place, Url

if TYPE_CHECKING:
    import duckdb

SEPARATORS = (",", ";", "\t")
KINDS = ("csv", "tsv", "csv.gz", "tsv.gz", "xlsx", "sav", "dta", "parquet", "duckdb")
_TEXT = (".csv", ".tsv", ".txt")
DATABASES = (".duckdb", ".ddb", ".db")
_SHEETS = (".xlsx", ".xlsm", ".xls")
_BLANK_START = re.compile(r"\A(?:[ \t]*\r?\n)+")
_DECIMAL_COMMA = r"[+-]?(?:0|[1-9]\d{0,14})(?:,\d+)?"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    frame : DataFrame; column names are text without blanks around them, the index counts the rows of the data from 0
    paths : the files read, in order
    encoding : of the text, "utf-8" for instance; "" for binary files
    value_labels : column -> code -> label, from .sav and .dta files
    variable_labels : column -> label, likewise
    n_blank : rows without any content, which are left out
    """

    frame: pd.DataFrame
    paths: tuple[Place, ...]
    encoding: str = ""
    value_labels: dict[str, dict[Any, str]] = field(default_factory=dict)
    variable_labels: dict[str, str] = field(default_factory=dict)
    n_blank: int = 0


def read_file(
    path: Place, encoding: str | None, *, sheet: str | None = None, table: str = "", header_only: bool = False
) -> Table:
    """Read one file, or no more of it than its header.

    Of a workbook one sheet is read, the first where `sheet` is None; of a database the `table`.

    Raises
    ------
    InputError
        If the file is empty, unreadable or of an unknown kind, if it has no such sheet, or if a column name stands twice.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-1] if suffixes else ""
    if kind == ".gz" and len(suffixes) > 1:
        kind = suffixes[-2] + ".gz"
    if sheet is not None and kind not in _SHEETS:
        raise InputError("`survey.sheet` is for workbooks", f"found {path.name}", "Leave it out.")
    try:
        if isinstance(path, Url):
            return _read_url(path, kind, encoding, sheet, header_only)
        if kind.removesuffix(".gz") in _TEXT:
            return _read_text(path, kind, encoding, header_only)
        if kind in _SHEETS:
            return _read_sheet(path, sheet, header_only)
        if kind in (".sav", ".zsav", ".dta"):
            return _read_labelled(path, kind, header_only)
        if kind == ".parquet":
            return _read_parquet(path, header_only)
        if kind in DATABASES:
            return _read_database(path, table, header_only)
    except InputError:
        raise
    except Exception as error:  # each reader has errors of its own; the user needs one sentence
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path.name} must be a readable {kind.lstrip('.')} file", f"found: {reason}", "Save or export it anew."
        ) from error
    raise InputError(
        f"a data file must be one of {', '.join(KINDS)}", f"found {path.name}", "Convert it to one of these."
    )


def _read_url(path: Url, kind: str, encoding: str | None, sheet: str | None, header_only: bool) -> Table:
    """Fetch the whole file, or no more of it than its header where that can be done."""
    if header_only and kind in _TEXT:
        return _read_text(path, kind, encoding, header_only)
    if header_only and kind == ".parquet":
        return _read_parquet(path, header_only)
    with path.on_disk() as local:
        return replace(read_file(local, encoding, sheet=sheet, header_only=header_only), paths=(path,))


def _read_text(path: Place, kind: str, encoding: str | None, header_only: bool) -> Table:
    with path.open("rb") as packed:
        stream = gzip.GzipFile(fileobj=packed) if kind.endswith(".gz") else packed
        try:
            raw = _first_lines(stream) if header_only else stream.read()
        except (EOFError, zlib.error) as error:
            raise InputError(f"{path.name} must be a whole gzip file", f"found: {error}", "Copy it anew.") from error
    text, found = decode(raw, path, encoding)
    text = _BLANK_START.sub("", text).rstrip("\r\n")
    if not text.strip():
        raise _empty(path)
    separator = "\t" if kind.startswith(".tsv") else _separator(text)
    if header_only:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        return Table(_with_header(pd.DataFrame(columns=range(len(header))), header, path), (path,), found)
    cells = pd.read_csv(
        io.StringIO(text),
        header=None,
        sep=separator,
        dtype=str,
        keep_default_na=False,
        na_values=[""],
        skip_blank_lines=False,  # so that rows are counted as a spreadsheet counts them
        low_memory=False,
    )
    frame = _with_header(cells.iloc[1:], cells.iloc[0].tolist(), path)
    if separator == ";":
        frame = frame.apply(_with_decimal_point)
    return Table(frame, (path,), found)


def _first_lines(stream: Any, size: int = 1 << 16) -> bytes:
    """The start of a file up to the end of a line, as long as it has the header in it."""
    raw = stream.read(size)
    while True:
        more = stream.read(size)
        end = raw.rfind(b"\n")
        if not more:
            return bytes(raw)
        if end > 0:
            is_wide = b"\0" in raw[:size]  # UTF-16: the line feed has two bytes
            return bytes(raw[: end + 2 if is_wide and raw[end + 1 : end + 2] == b"\0" else end + 1])
        raw += more


def _separator(text: str) -> str:
    """The separator that stands most often in the header, outside quotation marks; a comma where there is none."""
    header = "".join(text.lstrip().split("\n", 1)[0].split('"')[::2])
    return max(SEPARATORS, key=header.count)


def _with_decimal_point(column: pd.Series) -> pd.Series:
    """Turn decimal commas, the companions of semicolons, into points, if the whole column is numbers of that form."""
    filled = column.dropna()
    if len(filled) and filled.str.contains(",", regex=False).any() and filled.str.fullmatch(_DECIMAL_COMMA).all():
        return column.str.replace(",", ".", regex=False)
    return column


def sheet_names(path: Place) -> list[str]:
    """The sheets of a workbook; [] for any other file."""
    from python_calamine import CalamineWorkbook

    if path.suffix.lower() not in _SHEETS:
        return []
    if isinstance(path, Url):
        with path.on_disk() as local:
            return sheet_names(local)
    return list(CalamineWorkbook.from_path(path).sheet_names)


def _read_sheet(path: Path, sheet: str | None, header_only: bool) -> Table:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    known = book.sheet_names
    if sheet is not None and sheet not in known:
        near = did_you_mean(sheet, known)
        raise InputError(
            f"`survey.sheet` must name a sheet of {path.name} ({', '.join(known)})", f"found '{sheet}'{near}"
        )
    rows = book.get_sheet_by_name(sheet or known[0]).to_python(nrows=1 if header_only else None)
    if not rows:
        raise _empty(path)
    return Table(
        _with_header(pd.DataFrame(rows[1:], columns=range(len(rows[0])), dtype=object), rows[0], path), (path,)
    )


def _read_labelled(path: Path, kind: str, header_only: bool) -> Table:
    import pyreadstat

    reader = pyreadstat.read_dta if kind == ".dta" else pyreadstat.read_sav
    frame, meta = reader(str(path), metadataonly=header_only)
    frame = _with_header(frame, meta.column_names, path)
    labels = {name.strip(): dict(codes) for name, codes in meta.variable_value_labels.items()}
    said = {name.strip(): label for name, label in meta.column_names_to_labels.items() if label}
    return Table(frame, (path,), "", labels, said)


def _read_parquet(path: Place, header_only: bool) -> Table:
    import pyarrow.parquet as pq

    with path.open("rb") as stream:
        if header_only:
            names = pq.read_schema(stream).names
            return Table(_with_header(pd.DataFrame(columns=range(len(names))), names, path), (path,))
        frame = pd.read_parquet(stream)
    return Table(_with_header(frame, list(frame.columns), path), (path,))


def _read_database(path: Path, table: str, header_only: bool) -> Table:
    relation = open_database(path, table)
    frame = (relation.limit(0) if header_only else relation).to_arrow_table().to_pandas()
    return Table(_with_header(frame, list(frame.columns), path), (path,))


def open_database(path: Path, table: str) -> "duckdb.DuckDBPyRelation":
    """A table or view of a DuckDB file, which is only read.

    Raises
    ------
    InputError
        If no table is named, or there is none of that name.
    """
    import duckdb

    connection = duckdb.connect(str(path), read_only=True)
    known = [
        str(name)
        for (name,) in connection.execute(
            "SELECT table_name FROM information_schema.tables ORDER BY table_name"
        ).fetchall()
    ]
    if table not in known:
        near = did_you_mean(table, known) if table else ""
        raise InputError(
            f"a table of {path.name} must be named, as in '{path.name}::{known[0] if known else 'answers'}'",
            f"found '{table}'{near}" if table else f"found none; it has {name_some(known) or 'no table'}",
        )
    return connection.table(f'"{table}"')


def _with_header(rows: pd.DataFrame, header: list[Any], path: Place) -> pd.DataFrame:
    """The rows under their column names; columns without name and content are left out."""
    names = ["" if pd.isna(name) else code_of(name) for name in header]
    named = [bool(name) or bool(rows.iloc[:, place].notna().any()) for place, name in enumerate(names)]
    kept = [name or f"column_{place + 1}" for place, name in enumerate(names) if named[place]]
    twice = sorted({name for name in kept if kept.count(name) > 1})
    if twice:
        raise InputError(
            f"each column of {path.name} must have a name of its own",
            f"found more than once: {name_some(twice)}",
            "Rename the columns in the file.",
        )
    if not kept:
        raise _empty(path)
    frame = rows.loc[:, named].reset_index(drop=True)
    frame.columns = pd.Index(kept)
    return frame


def _empty(path: Place) -> InputError:
    return InputError(f"{path.name} must hold a table", "found an empty file", "Export the data anew.")
