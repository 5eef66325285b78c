"""Rows set aside by the engine are the rows they were made of, and leave nothing behind."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import narwhals as nw
import pytest

from cxresearch.study.aside import set_aside

MADE = "SELECT range::TINYINT AS answer, range / 2 AS score, 'b' || range AS branch FROM range(100)"


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def rows_of(frame: nw.LazyFrame) -> list[tuple]:
    return sorted(frame.to_native().fetchall())


def test_the_same_rows_without_what_they_were_made_of(scratch):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE made AS {MADE}")
    frame = nw.from_native(connection.sql("SELECT * FROM made")).lazy()
    wanted, schema = rows_of(frame), frame.collect_schema()
    aside = set_aside(connection, frame)
    connection.execute("DROP TABLE made")
    assert rows_of(aside) == wanted
    assert aside.collect_schema() == schema
    if os.name == "posix":
        assert list(scratch.iterdir()) == []


def test_where_there_is_no_room_the_rows_stay_where_they_are(scratch, monkeypatch):
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: str(scratch / "nowhere"))
    connection = duckdb.connect()
    frame = nw.from_native(connection.sql(MADE)).lazy()
    assert set_aside(connection, frame) is frame
    assert len(rows_of(frame)) == 100


@pytest.mark.skipif(os.name != "posix", reason="an open file keeps its name elsewhere")
def test_nothing_is_left_of_a_killed_process(tmp_path):
    code = f"""
import duckdb, os, signal, narwhals as nw
from cxresearch.study.aside import set_aside
connection = duckdb.connect()
aside = set_aside(connection, nw.from_native(connection.sql("{MADE}")).lazy())
print(len(aside.to_native().fetchall()), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout.strip(), done.returncode) == ("100", -9)
    assert list(Path(tmp_path).iterdir()) == []
