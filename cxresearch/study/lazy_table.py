"""Tables that are not read into memory: parquet files and database tables, behind one engine."""

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from cxresearch.errors import InputError, name_some
from cxresearch.study.codes import code_of
from cxresearch.study.readers import DATABASES
from cxresearch.study.tables import find_tables
from cxresearch.study.urls import Place, Url

if TYPE_CHECKING:
    import duckdb

    from cxresearch.study.parts import SurveyPart

MOST_ROWS = 2_000_000  # a survey with more is not read into memory, unless its study file wants it so
MEMORY = "1GB"  # that the engine may take before it turns to the disk
ROW = "_row"  # column that numbers the rows
_FILE = 2**33  # rows that a file may have
_KINDS = (".parquet", *DATABASES)


@dataclass(frozen=True, slots=True)
class LazyTable:
    """A table that an engine reads when asked.

    Attributes
    ----------
    frame : its columns, names without blanks around them, and ROW
    names : the columns without ROW
    n_rows : rows
    paths : the files
    connection : to the engine
    """

    frame: nw.LazyFrame
    names: list[str]
    n_rows: int
    paths: tuple[Place, ...]
    connection: "duckdb.DuckDBPyConnection"


def is_large(part: "SurveyPart", folder: Place) -> bool:
    """Whether a survey is left where it lies: as `survey.large` says, or by its number of rows.

    Raises
    ------
    InputError
        If `survey.large` is yes for files that can only be read as a whole.
    """
    found = find_tables(part.data, folder)
    fits = all(_can_be_left(path) for path, _ in found)
    if part.large == "yes" and not fits:
        raise InputError(
            "`survey.large: yes` needs parquet files or a table of a DuckDB file",
            f"found {name_some(path.name for path, _ in found)}",
            "Convert the data to parquet, or leave `survey.large` out.",
        )
    return part.large == "yes" or (part.large == "auto" and fits and _count(found) > MOST_ROWS)


def _can_be_left(path: Place) -> bool:
    kind = path.suffix.lower()
    return kind == ".parquet" if isinstance(path, Url) else kind in _KINDS


def open_lazily(part: "SurveyPart", folder: Place) -> LazyTable:
    """The table of a survey, left where it lies.

    Raises
    ------
    InputError
        If a file cannot be read, the columns of several files differ, or a column name stands twice.
    """
    found = find_tables(part.data, folder)
    try:
        connection = _connect()
        relation = _relation(connection, found)
        raw = [name for name in relation.columns if name != ROW]
        names = [code_of(name) for name in raw]
        _refuse_twice(names)
        frame = nw.from_native(relation).lazy()
        frame = frame.select(*(nw.col(old).alias(new) for old, new in zip(raw, names, strict=True)), ROW)
        return LazyTable(frame, names, _count(found), tuple(dict.fromkeys(path for path, _ in found)), connection)
    except InputError:
        raise
    except Exception as error:  # the engine has errors of its own; the user needs one sentence
        reason = " ".join(str(error).split("\n")[0].split())
        raise InputError(
            f"{name_some(path.name for path, _ in found)} must be one readable table",
            f"found: {reason}",
            "Export it anew.",
        ) from error


def _relation(connection: "duckdb.DuckDBPyConnection", found: list[tuple[Place, str]]) -> "duckdb.DuckDBPyRelation":
    for system in dict.fromkeys(path.system() for path, _ in found if isinstance(path, Url)):
        connection.register_filesystem(system)
    if found[0][0].suffix.lower() in DATABASES:
        return connection.sql(
            " UNION ALL BY NAME ".join(_of_table(connection, *each, at) for at, each in enumerate(found))
        )
    _refuse_different(found)
    files = ", ".join(_quoted(path) for path, _ in found)
    return connection.sql(
        f"SELECT * EXCLUDE (file_row_number), file_index * {_FILE} + file_row_number AS {ROW} "
        f"FROM read_parquet([{files}], file_row_number = true, hive_partitioning = false, union_by_name = true)"
    )


def _of_table(connection: "duckdb.DuckDBPyConnection", path: Place, name: str, at: int) -> str:
    """A query of one table of a database file, which is attached for reading."""
    connection.execute(f"ATTACH IF NOT EXISTS {_quoted(path)} AS file{at} (READ_ONLY)")
    known = dict(
        connection.execute(
            "SELECT table_name, table_type FROM information_schema.tables WHERE table_catalog = ?", [f"file{at}"]
        ).fetchall()
    )
    if name not in known:
        raise InputError(
            f"a table of {path.name} must be named, as in '{path.name}::{next(iter(known), 'answers')}'",
            f"found '{name}'" if name else f"found none; it has {name_some(known) or 'no table'}",
        )
    number = "rowid" if known[name] == "BASE TABLE" else "row_number() OVER () - 1"
    place = f'file{at}."{name}"'.replace('""', '"')
    return f"SELECT *, {at} * {_FILE} + {number} AS {ROW} FROM {place}"


def _connect() -> "duckdb.DuckDBPyConnection":
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": tempfile.gettempdir(),
        "preserve_insertion_order": False,
    }
    return duckdb.connect(config=settings)


def _quoted(path: Place) -> str:
    return "'" + (path.address if isinstance(path, Url) else str(path)).replace("'", "''") + "'"


def _count(found: list[tuple[Place, str]]) -> int:
    """Rows of the tables, from what their files say of themselves."""
    import pyarrow.parquet as pq

    total = 0
    connection: Any = None
    for at, (path, name) in enumerate(found):
        if path.suffix.lower() in DATABASES:
            connection = connection or _connect()
            total += connection.sql(f"SELECT count(*) FROM ({_of_table(connection, path, name, at)})").fetchall()[0][0]
        else:
            with path.open("rb") as stream:
                total += pq.read_metadata(stream).num_rows
    return total


def _columns(path: Place) -> set[str]:
    import pyarrow.parquet as pq

    with path.open("rb") as stream:
        return set(pq.read_schema(stream).names)


def _refuse_different(found: list[tuple[Place, str]]) -> None:
    first = _columns(found[0][0])
    for path, _ in found[1:]:
        names = _columns(path)
        if names != first:
            raise InputError(
                "files read as one table must have the same columns",
                f"found {name_some(sorted(first ^ names))} in {found[0][0].name} or {path.name} alone",
                "Rename or add the columns.",
            )


def _refuse_twice(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            "each column must have a name of its own",
            f"found more than once: {name_some(twice)}",
            "Rename the columns.",
        )
