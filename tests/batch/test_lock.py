import json
import subprocess
import sys

import pytest

from cxresearch.batch.lock import FILE, InUseError, hold

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
