import fcntl
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from batch.samples import write_notebook, write_study
from click.testing import CliRunner

from cxresearch.batch.lock import FILE, SECONDS_OF_SILENCE, InUseError, hold
from cxresearch.batch.remote_lock import RemoteLocks
from cxresearch.cli import main
from cxresearch.study.urls import Url

HOLD = """
import sys, time
from pathlib import Path
from cxresearch.batch.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_held_folder_names_its_owner_and_age(tmp_path, other):
    with (
        pytest.raises(InUseError, match=rf"^another run is writing there \(process {other.pid} on .+, for 0 min\)$"),
        hold(tmp_path),
    ):
        pytest.fail("both hold it")


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path, other):
    other.kill()
    other.wait()
    assert json.loads((tmp_path / FILE).read_text())["process"] == other.pid
    with hold(tmp_path):
        assert json.loads((tmp_path / FILE).read_text())["process"] != other.pid


def test_nothing_is_left_and_it_can_be_held_again(tmp_path):
    for _ in range(2):
        with hold(tmp_path / "new"), pytest.raises(InUseError), hold(tmp_path / "new"):
            pytest.fail("both hold it")
        assert list((tmp_path / "new").iterdir()) == []


def test_an_owner_that_has_not_written_its_name_is_unknown(tmp_path):
    with hold(tmp_path):
        (tmp_path / FILE).write_text("")
        with pytest.raises(InUseError, match="process unknown"), hold(tmp_path):
            pytest.fail("both hold it")


def test_a_folder_that_cannot_be_locked_is_left_to_the_notebooks(tmp_path):
    (tmp_path / "file").touch()
    with hold(tmp_path / "file"):
        pass


@pytest.fixture
def as_another():
    """Another user than root, to whom a file without the right to write is closed."""
    was = os.geteuid()
    if not was:
        os.seteuid(65534)
    yield
    os.seteuid(was)


@pytest.fixture
def shared():
    """A folder that everybody may write to; those of pytest are its user's own."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


def test_the_lock_of_another_user_is_respected_and_taken_over_when_he_is_gone(shared, as_another):
    (shared / FILE).write_text("{}")
    (shared / FILE).chmod(0o444)
    with (shared / FILE).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InUseError, match="another run is writing there"), hold(shared):
            pytest.fail("both hold it")
    with hold(shared):
        assert json.loads((shared / FILE).read_text())["process"] == os.getpid()
    assert not (shared / FILE).exists()


def signed(age):
    return json.dumps({"process": 7, "host": "elsewhere", "since": time.time() - 300, "alive": time.time() - age})


def test_a_run_that_comes_by_url_is_left_alone_as_long_as_it_signs(tmp_path):
    (tmp_path / FILE).write_text(signed(age=60))
    with (
        pytest.raises(InUseError, match=r"^another run is writing there \(process 7 on elsewhere, for 5 min\)$"),
        hold(tmp_path),
    ):
        pytest.fail("both hold it")
    assert json.loads((tmp_path / FILE).read_text())["host"] == "elsewhere"
    (tmp_path / FILE).write_text(signed(age=SECONDS_OF_SILENCE + 1))
    with hold(tmp_path):
        assert json.loads((tmp_path / FILE).read_text())["host"] != "elsewhere"


def test_a_run_that_comes_by_url_leaves_one_alone_that_locks(tmp_path, other):
    locks = RemoteLocks()  # a mounted share and its server's address, say
    with (
        pytest.raises(InUseError, match=rf"^another run is writing there \(process {other.pid} on .+, for 0 min\)$"),
        locks.hold(Url(f"file://{tmp_path}")),
    ):
        pytest.fail("both hold it")


def test_a_lock_whose_writer_was_killed_half_way_is_taken_over(tmp_path):
    locks, place = RemoteLocks(), Url(f"file://{tmp_path}")
    for half in ("", '{"process": 7, "ho'):
        (tmp_path / FILE).write_text(half)
        with locks.hold(place):
            assert json.loads((tmp_path / FILE).read_text())["token"]
        assert not (tmp_path / FILE).exists()
    locks.close()


def test_one_folder_by_path_and_by_url_is_one_folder(tmp_path):
    write_study(tmp_path, "post")
    wait = f"""
import pathlib, time
(pathlib.Path({str(tmp_path)!r}) / "begun").touch()
while not (pathlib.Path({str(tmp_path)!r}) / "end").exists(): time.sleep(0.01)
folder = pathlib.Path(output_dir) / "post" / "records"
(folder / "01_one.csv").write_text("study,notebook,quantity,estimate\\npost,01_one,rows,7\\n")
"""
    write_notebook(tmp_path / "notebooks", "01_one", wait)
    words = ["run", tmp_path / "post.yaml", "--notebooks", tmp_path / "notebooks", "--plain", "--outputs"]
    by_path, by_url = ([*map(str, words), f"{start}{tmp_path}/out"] for start in ("", "file://"))
    with subprocess.Popen([sys.executable, "-m", "cxresearch", *by_path], stderr=subprocess.DEVNULL) as first:
        while not (tmp_path / "begun").exists():
            assert first.poll() is None
            time.sleep(0.01)
        refused = CliRunner().invoke(main, by_url)
        (tmp_path / "end").touch()
        assert first.wait() == 0
    assert refused.exit_code == 1
    assert re.search(rf"01_one  failed +another run is writing there \(process {first.pid} on ", refused.stdout)
    again = CliRunner().invoke(main, by_url)
    assert "Everything is up to date." in again.stdout
    assert (tmp_path / "out" / "post" / "results.csv").read_text().count("rows") == 1
    assert not list((tmp_path / "out").rglob(".*"))
