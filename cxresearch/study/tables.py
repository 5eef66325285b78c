"""Read a table from any of the files that surveys come in.

Text stays text: only blank cells are missing, "NA" or "Blank" are for the survey to judge. A column is numeric when every
cell that is not blank is a number.
"""

import gzip
import io
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxresearch.errors import InputError, name_some
from cxresearch.study.encoding import decode
from cxresearch.study.faults import nearest

SEPARATORS = (",", ";", "\t")
_TEXT = (".csv", ".tsv", ".txt")
_SHEETS = (".xlsx", ".xlsm", ".xls")
KINDS = ("csv", "tsv", "csv.gz", "tsv.gz", "xlsx", "sav", "dta", "parquet")
_NUMBER = r"[+-]?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"  # leading zeros and 16 digits are codes
_DECIMAL_COMMA = r"[+-]?(?:0|[1-9]\d{0,14})(?:,\d+)?"
_fits = re.compile(_NUMBER).fullmatch


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    frame : DataFrame, index 0..n-1; column names are text without blanks around them
    paths : the files read, in order
    encoding : of the text, "utf-8" for instance; "" for binary files
    value_labels : column -> code -> label, from .sav and .dta files
    variable_labels : column -> label, likewise
    """

    frame: pd.DataFrame
    paths: tuple[Path, ...]
    encoding: str = ""
    value_labels: dict[str, dict[Any, str]] = field(default_factory=dict)
    variable_labels: dict[str, str] = field(default_factory=dict)


def read_table(data: str | list[str], *, folder: Path, encoding: str | None = None) -> Table:
    """Read one file, several, or all that a pattern finds, as one table.

    Parameters
    ----------
    data : path, list of paths, or pattern such as "waves/*.csv"; csv, tsv (also .gz), xlsx (its first sheet), sav, dta, parquet
    folder : where relative paths start
    encoding : of text files; found out where None

    Raises
    ------
    InputError
        If a file is not there, empty, unreadable or of an unknown kind, if a column name stands twice, or if the columns
        of several files differ.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "answers.csv").write_text("q1;company\\n4;Cedar\\n;NA\\n")
    >>> read_table("answers.csv", folder=folder).frame
        q1 company
    0  4.0   Cedar
    1  NaN      NA
    """
    parts = [_read_file(path, encoding) for path in find_files(data, folder)]
    _refuse_different_columns(parts)
    names = list(parts[0].frame.columns)
    frame = pd.concat([part.frame[names] for part in parts], ignore_index=True) if len(parts) > 1 else parts[0].frame
    return Table(
        pd.DataFrame({name: _as_numbers(frame[name]) for name in names}, columns=names),
        tuple(path for part in parts for path in part.paths),
        ", ".join(dict.fromkeys(part.encoding for part in parts if part.encoding)),
        _merged([part.value_labels for part in parts]),
        _merged([part.variable_labels for part in parts]),
    )


def column_names(data: str | list[str], *, folder: Path, encoding: str | None = None) -> list[str]:
    """The column names of a table, without reading its rows; of the first file where there are several.

    Raises
    ------
    InputError
        As `read_table`, for what shows in the first lines.
    """
    return list(_read_file(find_files(data, folder)[0], encoding, header_only=True).frame.columns)


def find_files(data: str | list[str], folder: Path) -> list[Path]:
    """The files that a path, a list of paths or a pattern means; patterns in sorted order.

    Raises
    ------
    InputError
        If there is no such file, or a pattern finds none.
    """
    found: list[Path] = []
    for entry in [data] if isinstance(data, str) else data:
        path = Path(folder) / entry
        is_pattern = not path.exists() and any(mark in entry for mark in "*?[")
        several = sorted(_glob(path)) if is_pattern else [path]
        if not several:
            raise InputError(
                "the pattern of a data file must find some",
                f"none fit '{entry}'",
                "Check it; it starts at the study file.",
            )
        found += several
    for path in found:
        if not path.is_file():
            near = nearest(path.name, [other.name for other in path.parent.glob("*")])
            action = f"Did you mean '{near}'?" if near else "Check the path; it starts at the study file."
            raise InputError("a data file must be there", f"found no file {path}", action)
    return found


def as_codes(column: pd.Series) -> pd.Series:
    """A column as text codes, missing where it is missing; whole numbers have no decimals.

    >>> as_codes(pd.Series([1.0, 2.5, None])).tolist()
    ['1', '2.5', nan]
    """
    codes = {value: code_of(value) for value in column.dropna().unique()}
    return column.map(codes).astype(object)


def code_of(value: Any) -> str:
    """One value as text: 1.0 and "1" are '1', dates are ISO dates, text loses the blanks around it."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return value.date().isoformat()
    return str(value).strip()


def _glob(path: Path) -> list[Path]:
    anchor = Path(path.anchor) if path.is_absolute() else Path()
    return [found for found in anchor.glob(str(path.relative_to(anchor))) if found.is_file()]


def _read_file(path: Path, encoding: str | None, *, header_only: bool = False) -> Table:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-1] if suffixes else ""
    if kind == ".gz" and len(suffixes) > 1:
        kind = suffixes[-2] + ".gz"
    try:
        if kind.removesuffix(".gz") in _TEXT:
            return _read_text(path, kind, encoding, header_only)
        if kind in _SHEETS:
            return _read_sheet(path, header_only)
        if kind in (".sav", ".zsav", ".dta"):
            return _read_labelled(path, kind, header_only)
        if kind == ".parquet":
            return _read_parquet(path, header_only)
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


def _read_text(path: Path, kind: str, encoding: str | None, header_only: bool) -> Table:
    opener = gzip.open if kind.endswith(".gz") else open
    with opener(path, "rb") as stream:
        try:
            raw = _first_lines(stream) if header_only else stream.read()
        except (EOFError, zlib.error) as error:
            raise InputError(f"{path.name} must be a whole gzip file", f"found: {error}", "Copy it anew.") from error
    text, found = decode(raw, path, encoding)
    if not text.strip():
        raise _empty(path)
    separator = "\t" if kind.startswith(".tsv") else _separator(text)
    cells = pd.read_csv(
        io.StringIO(text),
        header=None,
        sep=separator,
        dtype=str,
        keep_default_na=False,
        na_values=[""],
        nrows=1 if header_only else None,
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


def _read_sheet(path: Path, header_only: bool) -> Table:
    from python_calamine import CalamineWorkbook

    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    rows = sheet.to_python(nrows=1 if header_only else None)
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


def _read_parquet(path: Path, header_only: bool) -> Table:
    import pyarrow.parquet as pq

    if header_only:
        names = pq.read_schema(path).names
        return Table(_with_header(pd.DataFrame(columns=range(len(names))), names, path), (path,))
    frame = pd.read_parquet(path)
    return Table(_with_header(frame, list(frame.columns), path), (path,))


def _with_header(rows: pd.DataFrame, header: list[Any], path: Path) -> pd.DataFrame:
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


def _as_numbers(column: pd.Series) -> pd.Series:
    """The column with trimmed text, blanks missing, and as numbers if everything in it is a number."""
    if pd.api.types.is_object_dtype(column):
        column = column.map(_trimmed).infer_objects()
    elif pd.api.types.is_string_dtype(column):
        column = column.str.strip()
        column = column.mask(column == "")
    if not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
        return column
    filled = column.dropna()
    is_number = filled.head(50).map(_is_number).all() and filled.map(_is_number).all()
    return pd.to_numeric(column) if is_number else column


def _trimmed(value: Any) -> Any:
    return (value.strip() or np.nan) if isinstance(value, str) else value


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _fits(value) is not None
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _refuse_different_columns(parts: list[Table]) -> None:
    first = set(parts[0].frame.columns)
    for part in parts[1:]:
        names = set(part.frame.columns)
        if names != first:
            told = [f"only in {parts[0].paths[0].name}: {name_some(sorted(first - names))}"] if first - names else []
            told += [f"only in {part.paths[0].name}: {name_some(sorted(names - first))}"] if names - first else []
            raise InputError(
                "files read as one table must have the same columns", "; ".join(told), "Rename or add the columns."
            )


def _merged(labels: list[dict[str, Any]]) -> dict[str, Any]:
    together: dict[str, Any] = {}
    for more in reversed(labels):
        together |= more
    return together


def _empty(path: Path) -> InputError:
    return InputError(f"{path.name} must hold a table", "found an empty file", "Export the data anew.")
