"""Read a table from any of the files that surveys come in.

Text stays text: only blank cells are missing, "NA" or "Blank" are for the survey to judge. A column is numeric when every
cell that is not blank is a number.
"""

import os
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxresearch.errors import InputError, name_some
from cxresearch.study.faults import nearest
from cxresearch.study.readers import DATABASES, Table, read_file
from cxresearch.study.urls import Place, Url, is_url, locate

_NUMBER = r"[+-]?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"  # leading zeros and 16 digits are codes
DATABASE = "::"  # between a database file and the name of a table in it
_fits = re.compile(_NUMBER).fullmatch


def read_table(data: str | list[str], *, folder: Place, encoding: str | None = None, sheet: str | None = None) -> Table:
    """Read one file, several, or all that a pattern finds, as one table, without its wholly blank rows.

    Parameters
    ----------
    data : path, URL, list of these, or pattern such as "waves/*.csv"; csv, tsv (also .gz), xlsx, sav, dta, parquet; a folder of
        parquet files; "file.duckdb::table"
    folder : where relative paths start
    encoding : of text files; found out where None
    sheet : of workbooks; the first where None

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
    parts = [read_file(path, encoding, sheet=sheet, table=name) for path, name in find_tables(data, folder)]
    _refuse_different_columns(parts)
    names = list(parts[0].frame.columns)
    frame = pd.concat([part.frame[names] for part in parts], ignore_index=True) if len(parts) > 1 else parts[0].frame
    blank = _blank_rows(frame)
    frame = frame[~blank] if blank.any() else frame
    return Table(
        plain_cells(frame),
        tuple(path for part in parts for path in part.paths),
        ", ".join(dict.fromkeys(part.encoding for part in parts if part.encoding)),
        _merged([part.value_labels for part in parts]),
        _merged([part.variable_labels for part in parts]),
        int(blank.sum()),
    )


def column_names(
    data: str | list[str], *, folder: Place, encoding: str | None = None, sheet: str | None = None
) -> list[str]:
    """The column names of a table, without reading its rows; of the first file where there are several.

    Raises
    ------
    InputError
        As `read_table`, for what shows in the first lines.
    """
    path, name = find_tables(data, folder)[0]
    return list(read_file(path, encoding, sheet=sheet, table=name, header_only=True).frame.columns)


def find_files(data: str | list[str], folder: Place) -> list[Place]:
    """The files of `find_tables`, each once."""
    return list(dict.fromkeys(path for path, _ in find_tables(data, folder)))


def find_tables(data: str | list[str], folder: Place) -> list[tuple[Place, str]]:
    """The files that a path, a list of paths, a folder of parquet files or a pattern means, in sorted order.

    Beside each file stands the table in it that is meant, of an entry "answers.duckdb::customers"; "" elsewhere.

    Raises
    ------
    InputError
        If there is no such file, or a pattern or folder has none.
    """
    found: list[tuple[Place, str]] = []
    for entry in [data] if isinstance(data, str) else data:
        place, _, name = (entry, "", "") if is_url(entry) else entry.partition(DATABASE)
        path = locate(folder, place)
        if isinstance(path, Url):
            _refuse_database(path)
        is_pattern = any(mark in place for mark in "*?[") and not path.exists()
        several = sorted(_glob(path), key=str) if is_pattern else _parquet_in(path)
        if not several:
            raise InputError(
                "the pattern of a data file must find some"
                if is_pattern
                else "a folder of data must hold parquet files",
                f"none fit '{entry}'",
                "Check it; it starts at the study file.",
            )
        found += [(each, name) for each in several]
    for path, _ in found:
        if not path.is_file():
            near = nearest(path.name, [other.name for other in path.parent.glob("*")])
            action = f"Did you mean '{near}'?" if near else "Check the path; it starts at the study file."
            shown = os.path.normpath(path) if isinstance(path, Path) else path
            raise InputError(f"no such file: {shown}", action=action)
    return found


def _refuse_database(url: Url) -> None:
    """A database is read page by page, which no URL allows."""
    if any(link.partition("?")[0].lower().endswith(DATABASES) for link in url.address.split("::")):
        raise InputError(
            "a database file must lie on this machine",
            f"found {url}",
            "Copy it here, or export the table as parquet, which may lie at a URL.",
        )


def _parquet_in(path: Place) -> Sequence[Place]:
    """The parquet files below a folder; anything else is itself."""
    return sorted(path.rglob("*.parquet"), key=str) if path.is_dir() else [path]


def _glob(path: Place) -> Sequence[Place]:
    if isinstance(path, Url):
        return path.glob()
    anchor = Path(path.anchor) if path.is_absolute() else Path()
    return [found for found in anchor.glob(str(path.relative_to(anchor))) if found.is_file()]


def _blank_rows(frame: pd.DataFrame) -> np.ndarray:
    """Which rows (n,) hold nothing in any column; each column is looked at where the ones before it are blank."""
    blank = np.ones(len(frame), bool)
    for name in frame:
        places = np.flatnonzero(blank)
        if not len(places):
            break
        cells = frame[name].iloc[places]
        gone = cells.isna().to_numpy()
        text = np.array([isinstance(cell, str) and not cell.strip() for cell in cells.to_numpy()], dtype=bool)
        blank[places] = gone | text
    return blank


def plain_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with trimmed text, blanks missing, and columns that hold nothing but numbers as numbers."""
    return pd.DataFrame({name: _as_numbers(frame[name]) for name in frame}, columns=frame.columns)


def _as_numbers(column: pd.Series) -> pd.Series:
    """The column with trimmed text, blanks missing, and as numbers if everything in it is a number.

    Each distinct value is judged once.
    """
    if not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
        return column
    try:
        places, distinct = pd.factorize(column)
    except TypeError:  # cells that hold lists, in a parquet file
        return column
    values = distinct.tolist()
    trimmed = [(value.strip() or np.nan) if isinstance(value, str) else value for value in values]
    if all(map(_is_number, trimmed)):
        numbers = _whole(pd.to_numeric(pd.Series([*trimmed, np.nan], dtype=object)).to_numpy(), places)
        return pd.Series(numbers[places], index=column.index, name=column.name)
    if trimmed == values and not pd.api.types.is_object_dtype(column):
        return column
    made = pd.Series([*trimmed, np.nan], dtype=object).iloc[places].set_axis(column.index)
    made.name = column.name
    return made.infer_objects()


def _whole(distinct: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Distinct numbers, the last for blank cells, as integers where all are whole and no cell is blank."""
    numbers = distinct[:-1]
    if (places < 0).any() or pd.isna(numbers).any() or (abs(numbers) >= 2**53).any() or (numbers % 1 != 0).any():
        return distinct
    return numbers.astype("int64")


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _fits(value) is not None
    return isinstance(value, (int, float, Decimal, np.number)) and not isinstance(value, bool)  # nan is a blank cell


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
