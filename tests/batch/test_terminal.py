import io
from pathlib import Path

import pytest

from cxresearch.batch.outcome import Outcome, recall, remember
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
    with Progress(2, stream) as progress:
        progress.tick(OK)
        progress.tick(FAILED)
    assert stream.getvalue() == (
        "[1/2] post 01_one ok in 4.2 s\n[2/2] post 06_six failed: cell 5: ValueError: no rows\n"
    )


def test_a_bar_on_a_terminal_tells_failures_at_once(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    stream = Terminal()
    with Progress(2, stream) as progress:
        progress.tick(FAILED)
        assert "post 06_six failed: cell 5: ValueError: no rows\n" in stream.getvalue()
        progress.tick(OK)
    assert "2/2" in stream.getvalue()


def test_a_folder_remembers_what_this_run_left_alone(tmp_path):
    remember(tmp_path, [OK, FAILED])
    mended = Outcome("post", "06_six", "ok", seconds=1.0)
    assert remember(tmp_path, [mended, SLOW]) == [OK, SLOW, mended]
    assert recall(tmp_path) == [OK, SLOW, mended]


@pytest.mark.parametrize("content", ["", "[{}]", "[3]", '[{"kept": null, "colour": 1}]', '{"a": 1}'])
def test_a_spoilt_memory_is_no_memory(tmp_path, content):
    (tmp_path / "status.json").write_text(content)
    assert recall(tmp_path) == []
