"""Every fault really caused: it ends with its exit status and a line that names it; nothing half-written or running is left."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from batch.samples import write_notebook, write_study
from click.testing import CliRunner

from cxresearch.batch.warm import IS_SAFE
from cxresearch.cli import main
from cxresearch.present.outputs import remove_leftovers, write_whole

FULL = "No space left on device"
TALKS = "print('x' * 3_000_000)"
FILLS = """
import cxresearch as cx
report = cx.start_report(cx.open_study(study_file), "02_fills", output_dir)
(report.folder / "tables" / "02_fills_all.csv").write_bytes(b"x" * 5_000_000)
"""
SORTS = ["--plain", pytest.param("--jobs=2", id="warm", marks=pytest.mark.skipif(not IS_SAFE, reason="no fork"))]


@pytest.fixture
def run(tmp_path):
    """run(*options) -> exit status, stdout and stderr of a run of the study `post`."""
    write_study(tmp_path, "post")
    (tmp_path / "notebooks").mkdir()

    def run_command(*options: str, outputs: Path = tmp_path / "out"):
        places = ["--notebooks", tmp_path / "notebooks", "--outputs", outputs]
        return CliRunner().invoke(main, [str(word) for word in ["run", tmp_path / "post.yaml", *places, *options]])

    return run_command


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.getuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root on Linux only")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def half_written(folder: Path) -> list[Path]:
    return list(folder.rglob(".*.part"))


def test_a_disk_that_is_full_fails_what_does_not_fit_and_the_next_run_does_the_rest(run, tmp_path, tiny_disk):
    for name, cell in {"01_fits": "1", "02_fills": FILLS, "03_talks": TALKS}.items():
        write_notebook(tmp_path / "notebooks", name, cell)
    result = run("--plain", "--jobs=1", outputs=tiny_disk)
    folder = tiny_disk / "post"
    assert result.exit_code == 1
    assert re.search(r"post  01_fits   ok ", result.stdout)
    assert re.search(rf"post  02_fills  failed .* cell 3: OSError: .*{FULL}", result.stdout)
    assert f"lab {folder / '02_fills.failed.ipynb'}" in result.stdout
    cannot = f"outputs cannot be written to {folder}: {FULL}"
    assert re.search(rf"post  03_talks  failed .* {cannot}; its notebook is not kept: {cannot}", result.stdout)
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert names == {"01_fits.ipynb", "02_fills.failed.ipynb", "results.csv", "status.json", "index.html"}
    assert half_written(tiny_disk) == []
    subprocess.run(["mount", "-o", "remount,size=40m", tiny_disk], check=True)
    result = run("--plain", outputs=tiny_disk)
    assert result.exit_code == 0
    assert "2 ok, 1 up to date" in result.stdout


def test_a_disk_without_any_room_is_told_and_nothing_is_left_there(run, tmp_path, tiny_disk):
    write_notebook(tmp_path / "notebooks", "01_one", "1")
    subprocess.run(["cp", "/dev/zero", tiny_disk / "filler"], stderr=subprocess.DEVNULL)
    result = run("--plain", outputs=tiny_disk)
    assert result.exit_code == 1
    assert re.search(rf"post  01_one      failed .* outputs cannot be written to .+: {FULL}", result.stdout)
    assert re.search(rf"post  index.html  failed .* outputs cannot be written to .+: {FULL}", result.stdout)
    assert f"There is no report: outputs cannot be written to {tiny_disk}: {FULL}" in result.stderr
    assert [path.name for path in tiny_disk.rglob("*") if path.is_file()] == ["filler"]


def test_files_that_may_not_grow_are_told_as_a_full_disk_is(run, tmp_path):
    write_notebook(tmp_path / "notebooks", "01_talks", TALKS)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        result = run("--plain")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert result.exit_code == 1
    assert re.search(r"01_talks  failed .* outputs cannot be written to .+: File too large", result.stdout)
    assert half_written(tmp_path) == []
    assert not list((tmp_path / "out").rglob("*.ipynb"))
    assert json.loads((tmp_path / "out" / "run.json").read_text())["notebooks"][0]["status"] == "failed"


def test_a_file_in_place_of_the_outputs_is_told(run, tmp_path):
    write_notebook(tmp_path / "notebooks", "01_one", "1")
    (tmp_path / "out").write_text("not a folder")
    result = run("--plain")
    assert result.exit_code == 1
    assert re.search(r"01_one +failed +outputs cannot be written to .+: (File exists|Not a directory)", result.stdout)
    assert "There is no report: outputs cannot be written to " in result.stderr
    assert (tmp_path / "out").read_text() == "not a folder"


def test_outputs_that_may_not_be_written_are_told(run, tmp_path, tiny_disk):
    write_notebook(tmp_path / "notebooks", "01_one", "1")
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    result = run("--plain", outputs=tiny_disk)
    assert result.exit_code == 1
    assert re.search(r"01_one      failed +outputs cannot be written to .+: Read-only file system", result.stdout)


@pytest.mark.parametrize("sort", SORTS)
def test_kernels_want_no_port_that_somebody_else_could_take(run, tmp_path, sort):
    told = "from ipykernel.connect import get_connection_info; told = get_connection_info(unpack=True)"
    look = f"{told}; assert told['transport'] == 'ipc', told"
    for name in ("01_one", "02_two"):
        write_notebook(tmp_path / "notebooks", name, look)
    result = run(sort)
    assert result.exit_code == 0, result.output
    assert "second start" not in result.stdout


def test_more_memory_than_allowed_is_told_and_kept(run, tmp_path):
    taking = "taken = bytearray(600_000_000); taken[::4096] = b'x' * len(taken[::4096]); import time; time.sleep(60)"
    write_notebook(tmp_path / "notebooks", "01_takes", taking)
    result = run("--memory", "300MB")
    assert result.exit_code == 1
    assert re.search(r"post  01_takes  failed .* cell 3: it used more than 300 MB \(--memory\)", result.stdout)
    assert (tmp_path / "out" / "post" / "01_takes.failed.ipynb").exists()
    [row] = json.loads((tmp_path / "out" / "run.json").read_text())["notebooks"]
    assert row["memory"] > 300_000_000


def test_a_limit_that_is_none_is_bad_input(run, tmp_path):
    write_notebook(tmp_path / "notebooks", "01_one", "1")
    result = run("--memory", "much")
    assert result.exit_code == 2
    assert "Error: `--memory` must be a size; found 'much'." in result.stderr


def test_a_writer_that_fails_leaves_nothing_aside(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "taken", b"content")
    assert half_written(tmp_path) == []


def test_what_a_killed_writer_left_is_removed_once_it_is_old(tmp_path):
    old, new = tmp_path / "post" / ".results.csv.1.part", tmp_path / ".run.json.2.part"
    for path in (old, new):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    os.utime(old, (time.time() - 120,) * 2)
    remove_leftovers(tmp_path)
    assert half_written(tmp_path) == [new]


LOGS = """
import os, time
from pathlib import Path
study = Path(study_file).stem
if study in ("s3", "s4") and not Path(output_dir, "go").exists():
    with open(Path(output_dir, "pids"), "a") as pids:
        pids.write(f"{os.getpid()} ")
    time.sleep(600)
with open(Path(output_dir, "log"), "a") as log:
    log.write(f"{study} ")
"""


def test_a_killed_run_leaves_a_true_report_and_the_next_one_does_exactly_the_rest(tmp_path):
    names = [f"s{n}" for n in range(1, 7)]
    files = [write_study(tmp_path, name) for name in names]
    notebooks, outputs = write_notebook(tmp_path / "notebooks", "01_logs", LOGS), tmp_path / "out"
    words = ["run", *files, "--notebooks", notebooks, "--outputs", outputs, "--jobs", "2"]
    command = [sys.executable, "-m", "cxresearch", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60

    def is_waiting() -> bool:  # two kernels are at work, and what came before them is in the report
        rows = json.loads((outputs / "run.json").read_text())["notebooks"] if (outputs / "run.json").exists() else []
        done = [row["study"] for row in rows if row["status"] == "ok"]
        pids = (outputs / "pids").read_text().split() if (outputs / "pids").exists() else []
        return len(pids) == 2 and done == ["s1", "s2"]

    while not is_waiting():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(started, timeout=15)
    assert alive == []
    report = json.loads((outputs / "run.json").read_text())
    assert report["end"] is None
    assert [row["status"] for row in report["notebooks"]] == ["ok", "ok", *["not run"] * 4]
    assert f"not ended: process {process.pid} on" in (outputs / "run.html").read_text()

    (outputs / "go").touch()
    result = CliRunner().invoke(main, command[3:])
    assert result.exit_code == 0, result.output
    assert "4 ok, 2 up to date" in result.stdout
    assert sorted((outputs / "log").read_text().split()) == names
    report = json.loads((outputs / "run.json").read_text())
    assert (report["end"], [row["cached"] for row in report["notebooks"]]) == ("finished", [True] * 2 + [False] * 4)
    assert half_written(outputs) == []
    assert all((outputs / name / "index.html").exists() for name in names)


def test_two_runs_at_once_on_the_same_outputs_do_not_mix(tmp_path):
    """The first one is at work on `bank`; the second does `post` meanwhile, and leaves `bank` alone."""
    waits = "from pathlib import Path\nimport time\nPath(output_dir, 'here').touch()\nwhile 'bank' in study_file and not Path(output_dir, 'go').exists():\n    time.sleep(0.05)"
    notebooks, outputs = write_notebook(tmp_path / "notebooks", "01_waits", waits), tmp_path / "out"
    bank, post = (write_study(tmp_path, name) for name in ("bank", "post"))
    words = ["--notebooks", notebooks, "--outputs", outputs, "--plain"]
    first = subprocess.Popen(
        [sys.executable, "-m", "cxresearch", "run", *map(str, [bank, *words])],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    while not (outputs / "here").exists():
        time.sleep(0.05)
    second = CliRunner().invoke(main, ["run", *map(str, [bank, post, *words])])
    (outputs / "go").touch()
    said = first.communicate(timeout=40)[0]
    assert (first.returncode, second.exit_code) == (0, 1)
    assert f"report: {outputs / 'run.html'}" in said
    assert re.search(rf"bank  01_waits  failed +another run is writing there \(process {first.pid} ", second.stdout)
    [other] = outputs.glob("run-*.json")
    assert f"report: {other.with_suffix('.html')}" in second.stdout
    reports = [json.loads(path.read_text()) for path in (outputs / "run.json", other)]
    assert [[(row["study"], row["status"]) for row in report["notebooks"]] for report in reports] == [
        [("bank", "ok")],
        [("bank", "failed"), ("post", "ok")],
    ]
