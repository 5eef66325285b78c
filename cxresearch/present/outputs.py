"""The folder of one study's outputs: what each notebook owns in it, and how files get there whole."""

import csv
import io
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from cxresearch.core.results import RECORD_COLUMNS

FOLDERS = ("tables", "figures", "records", "pages")
_SECONDS_TO_WRITE = 60


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file aside and move it into place, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        aside.write_bytes(content)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return path


def remove_leftovers(folder: Path) -> None:
    """Remove files that were being written when their writer was killed: nobody takes a minute to write one."""
    for path in folder.glob("**/.*.part"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _SECONDS_TO_WRITE:
                path.unlink()


def clear_notebook(folder: Path, notebook: str) -> None:
    """Remove what an earlier run of this notebook wrote, so that nothing stale stays, and make the folders."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for path in files_of_notebook(folder, notebook):
        path.unlink(missing_ok=True)
    assemble_results(folder)


def files_of_notebook(folder: Path, notebook: str) -> list[Path]:
    """What a notebook has written there: tables, figures, records, its part of the page."""
    owned = [*(folder / "tables").glob(f"{notebook}_*"), *(folder / "figures").glob(f"{notebook}_*")]
    owned += [folder / "records" / f"{notebook}.csv", folder / "pages" / f"{notebook}.json"]
    return sorted(path for path in owned if path.exists())


def assemble_results(folder: Path) -> Path:
    """Write results.csv anew from the records of all notebooks, in their order.

    Notebooks of one study may finish at the same time in several processes: who finds that the records have changed meanwhile
    writes again, so that the last file in place holds them all.
    """
    while True:
        try:
            seen = _stamps(folder)
            records = [path.read_bytes() for path in seen]
        except FileNotFoundError:  # a notebook that starts anew has just removed its record
            continue
        written = write_whole(folder / "results.csv", _joined(records))
        if _unchanged(folder, seen):
            return written


def _joined(records: Iterable[bytes]) -> bytes:
    """One table of all records; where an older version wrote one with other columns, they are brought to the present ones."""
    parts = [record.partition(b"\n") for record in records]
    headings = {heading for heading, _, _ in parts}
    if len(headings) == 1:
        return b"".join([headings.pop(), b"\n", *(rows for _, _, rows in parts)])
    return b"".join([",".join(RECORD_COLUMNS).encode(), b"\n", *(_refitted(b"".join(part)) for part in parts)])


def _refitted(record: bytes) -> bytes:
    """The rows of a record with other columns; what is new stays blank."""
    rows = io.StringIO()
    writer = csv.DictWriter(rows, RECORD_COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writerows(csv.DictReader(io.StringIO(record.decode(), newline="")))
    return rows.getvalue().encode()


def _unchanged(folder: Path, seen: dict[Path, int]) -> bool:
    try:
        return _stamps(folder) == seen
    except FileNotFoundError:
        return False


def _stamps(folder: Path) -> dict[Path, int]:
    """The record files, sorted by notebook, with their times of change."""
    return {path: path.stat().st_mtime_ns for path in sorted((folder / "records").glob("*.csv"))}
