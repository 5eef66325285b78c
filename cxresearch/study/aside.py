"""What was made of a table too large for memory, computed once and set aside for the passes that follow."""

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw

if TYPE_CHECKING:
    import duckdb


def set_aside(connection: "duckdb.DuckDBPyConnection", frame: nw.LazyFrame) -> nw.LazyFrame:
    """The rows of a frame of the connection, from now on read from a file of the engine; as they were where the disk is full.

    The file has no name once it is open, so that it goes with the process however that ends; where the system does not allow
    this, it is deleted at the end.
    """
    import duckdb

    folder = Path(tempfile.mkdtemp(prefix="cxresearch-"))
    place = "'" + str(folder / "rows.duckdb").replace("'", "''") + "'"
    name = folder.name.replace("-", "_")
    try:
        connection.execute(f'ATTACH {place} AS "{name}"')
        frame.to_native().create(f'"{name}".main.rows')
        connection.execute(f'DETACH "{name}"')  # which writes everything into one file
        connection.execute(f'ATTACH {place} AS "{name}" (READ_ONLY)')
        return nw.from_native(connection.table(f'"{name}".main.rows')).lazy()
    except duckdb.IOException:
        connection.execute(f'DETACH DATABASE IF EXISTS "{name}"')
        return frame
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            weakref.finalize(connection, shutil.rmtree, folder, ignore_errors=True)
