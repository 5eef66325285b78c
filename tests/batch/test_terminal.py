import io
from dataclasses import replace
from pathlib import Path

import pytest

from cxresearch.batch.outcome import Outcome, recall, remember
from cxresearch.batch.pace import Pace
from cxresearch.batch.plan import Task
from cxresearch.batch.terminal import Progress, summary

OK = Outcome("post", "01_one", "ok", seconds=4.21)
SLOW = Outcome("post", "02_two", "ok", seconds=9.0, retried="the kernel did not start (Address already in use)")
FAILED = Outcome(
    "post",
    "06_six",
    "failed",
    "cell 5: ValueError: no rows",
    3.0,
    cell=5,
    missing=("rows",),
    kept=Path("out/post/06_six.failed.ipynb"),
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def on_the_path(monkeypatch, tmp_path):
    """A Jupyter on the PATH."""
    (tmp_path / "jupyter").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_jupyter_that_is_not_on_the_path_is_named_as_it_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert "open it with: jupyter lab " in summary([FAILED], [])
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "jupyter").touch(0o755)
    assert f"open it with: {Path('.venv/bin/jupyter')} lab " in summary([FAILED], [])


@pytest.mark.usefixtures("on_the_path")
def test_summary_tells_second_starts_and_how_to_open_what_failed():
    assert summary([OK, SLOW, FAILED], [Path("out/post/index.html")]).splitlines() == [
        "post  01_one  ok          4.2 s",
        "post  02_two  ok          9.0 s  second start: the kernel did not start (Address already in use)",
        "post  06_six  failed      3.0 s  cell 5: ValueError: no rows",
        "      open it with: jupyter lab out/post/06_six.failed.ipynb",
        "",
        "2 ok, 1 failed",
        "page: out/post/index.html",
    ]


@pytest.mark.parametrize("in_ci", [True, False])
def test_plain_lines_in_ci_and_in_files(monkeypatch, in_ci):
    monkeypatch.setenv("CI", "true" if in_ci else "")
    stream = Terminal() if in_ci else io.StringIO()
    with Progress(tasks(3), 2, stream) as progress:
        progress.tick(OK)
        progress.tick(replace(SLOW, cached=True))
        progress.tick(FAILED)
    assert stream.getvalue() == (
        "[1/3] post 01_one ok in 4.2 s\n[3/3] post 06_six failed: cell 5: ValueError: no rows\n"
    )


def test_a_bar_on_a_terminal_tells_failures_at_once(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    stream = Terminal()
    with Progress(tasks(2, 40.0), 2, stream) as progress:
        assert "0/2" in stream.getvalue()
        assert "about 40 s left" in stream.getvalue()
        progress.tick(FAILED)
        assert "post 06_six failed: cell 5: ValueError: no rows\n" in stream.getvalue()
        progress.tick(OK)
    assert "2/2" in stream.getvalue()


def tasks(n: int, expected: float = 0.0, study: str = "post") -> list[Task]:
    names = ("01_one", "02_two", "06_six")[:n]
    return [Task(study, name, Path(), Path(), why="it has not run yet", expected=expected) for name in names]


class TestTimeLeft:
    """Seconds of earlier runs, corrected by the pace of this one; else the pace alone."""

    def test_nothing_is_known_at_the_first_start(self):
        assert Pace(tasks(3), jobs=1).seconds_left() is None

    def test_earlier_seconds_are_shared_among_the_jobs(self):
        assert Pace(tasks(3, 10.0), jobs=1).seconds_left() == 30
        assert Pace(tasks(3, 10.0), jobs=2).seconds_left() == 15

    def test_the_longest_notebook_bounds_it(self):
        [one, two] = tasks(2, 4.0)
        assert Pace([replace(one, expected=90.0), two], jobs=8).seconds_left() == 90

    def test_a_slower_machine_takes_longer(self):
        pace = Pace(tasks(3, 10.0), jobs=1)
        pace.done(replace(OK, seconds=20.0))
        assert pace.seconds_left() == 40

    def test_new_notebooks_take_what_they_take_in_other_studies_else_the_mean(self):
        pace = Pace([*tasks(2), *tasks(3, study="bank")], jobs=1)
        pace.done(replace(OK, seconds=6.0))
        pace.done(replace(SLOW, seconds=2.0))
        assert pace.seconds_left() == 6 + 2 + 4

    def test_what_is_up_to_date_takes_no_time(self):
        [one, two] = tasks(2, 10.0)
        pace = Pace([replace(one, why=""), two], jobs=1)
        pace.done(replace(OK, cached=True))
        assert pace.seconds_left() == 10

    def test_nothing_is_left_at_the_end(self):
        pace = Pace(tasks(1, 10.0), jobs=1)
        pace.done(OK)
        assert pace.seconds_left() == 0


def test_a_folder_remembers_what_this_run_left_alone(tmp_path):
    remember(tmp_path, [OK, FAILED])
    mended = Outcome("post", "06_six", "ok", seconds=1.0)
    assert remember(tmp_path, [mended, SLOW]) == [OK, SLOW, mended]
    assert recall(tmp_path) == [OK, SLOW, mended]


@pytest.mark.parametrize("content", ["", "[{}]", "[3]", '[{"kept": null, "colour": 1}]', '{"a": 1}'])
def test_a_spoilt_memory_is_no_memory(tmp_path, content):
    (tmp_path / "status.json").write_text(content)
    assert recall(tmp_path) == []
