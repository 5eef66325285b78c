"""What is up to date is not run again, and what is not says why."""

import json
import re
import shutil
import sys

import pytest
from batch.samples import write_notebook, write_study
from click.testing import CliRunner

from cxresearch.batch import freshness
from cxresearch.cli import main

REPORT = """
import os
from pathlib import Path
import cxresearch as cx
report = cx.start_report(cx.open_study(study_file), "{name}", output_dir)
Path(output_dir, "post", "tables", "{name}_answers.csv").write_text("table")
{more}
report.finish()
"""


def runner(folder):
    """run(*options) -> what is said on the terminal."""

    def run_command(*options: str, status: int = 0) -> str:
        words = [
            "run",
            folder / "post.yaml",
            "--notebooks",
            folder / "notebooks",
            "--outputs",
            folder / "out",
            *options,
        ]
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == status, result.output
        return re.sub(r" +\d+\.\d s", "", result.stdout)

    return run_command


def write_two_notebooks(folder):
    write_study(folder, "post")
    for name in ("01_one", "02_two"):
        write_notebook(folder / "notebooks", name, REPORT.format(name=name, more=""))


@pytest.fixture
def run(tmp_path):
    """Runs two notebooks of one study."""
    write_two_notebooks(tmp_path)
    return runner(tmp_path)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder of a study after its first run."""
    folder = tmp_path_factory.mktemp("done")
    write_two_notebooks(folder)
    assert "2 ok" in runner(folder)()
    return folder


@pytest.fixture
def fresh(done, tmp_path):
    """Runs a copy of it."""
    shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    return runner(tmp_path)


def plan(run, *options: str) -> dict[str, str]:
    """What a run would do with each notebook."""
    return {line.split("  ")[1]: line.split("  ")[2] for line in run("--dry-run", *options).splitlines()}


def change(path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_second_run_does_nothing_and_says_so(fresh, tmp_path):
    folder = tmp_path / "out" / "post"
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert fresh().splitlines() == [
        "post  01_one  ok                 up to date",
        "post  02_two  ok                 up to date",
        "",
        "2 up to date",
        "Everything is up to date.",
        f"page: {folder / 'index.html'}",
        f"report: {folder.parent / 'run.html'}",
    ]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


def test_a_dry_run_runs_nothing(run, tmp_path):
    assert plan(run) == dict.fromkeys(["01_one", "02_two"], "run: it has not run yet")
    assert not (tmp_path / "out").exists()


def test_force_runs_all_the_same(fresh):
    assert plan(fresh, "--force", "--only", "2") == {"02_two": "run: --force"}
    assert "2 ok" in fresh("--force")


def test_a_changed_parameter_runs_its_notebook_only(fresh, tmp_path):
    change(tmp_path / "post.yaml", "notebooks: {}", "notebooks: {01_one: {n_bootstrap: 3}}")
    assert plan(fresh) == {"01_one": "run: parameters changed: n_bootstrap", "02_two": "up to date"}
    report = tmp_path / "out" / "run.json"
    report.unlink()
    assert fresh().splitlines()[:4] == [
        "post  01_one  ok",
        "post  02_two  ok                 up to date",
        "",
        "1 ok, 1 up to date",
    ]
    assert {row["notebook"]: row["cached"] for row in json.loads(report.read_text())["notebooks"]} == {
        "01_one": False,
        "02_two": True,
    }
    assert plan(fresh) == dict.fromkeys(["01_one", "02_two"], "up to date")


def test_changed_data_run_everything(fresh, tmp_path):
    change(tmp_path / "answers.csv", "1,2", "1,3")
    assert plan(fresh) == dict.fromkeys(["01_one", "02_two"], "run: data changed: answers.csv")


def test_what_a_notebook_does_not_read_may_change(tmp_path):
    run, experts = runner(tmp_path), "experts: {judgements: judgements.csv}\n"
    study = write_study(tmp_path, "post")
    study.write_text(study.read_text() + experts)
    (tmp_path / "judgements.csv").write_text("expert,parent,left,right,judgement\n1,speed,a,b,3\n")
    more = {"01_one": "cx.open_study(study_file).survey()", "02_two": "report.study.judgements()"}
    for name, needs in {"01_one": ("survey",), "02_two": ("experts.judgements",)}.items():
        cell = REPORT.format(name=name, more=more[name])
        write_notebook(tmp_path / "notebooks", name, cell, needs=needs, uses=[])
    assert "2 ok" in run()
    change(tmp_path / "judgements.csv", "a,b,3", "a,b,5")
    assert plan(run) == {"01_one": "up to date", "02_two": "run: data changed: judgements.csv"}
    assert "1 ok, 1 up to date" in run()
    change(study, "judgements: judgements.csv", "judgements: [judgements.csv]")
    changed = "run: study file changed: experts.judgements"
    assert plan(run) == {"01_one": "up to date", "02_two": changed}
    change(tmp_path / "answers.csv", "1,2", "1,3")
    assert plan(run) == {"01_one": "run: data changed: answers.csv", "02_two": changed}


def test_a_changed_study_file_is_told_by_its_parts(fresh, tmp_path):
    change(tmp_path / "post.yaml", "[1, 5]", "[1, 6]")
    assert plan(fresh)["01_one"] == "run: study file changed: constructs"
    change(tmp_path / "post.yaml", "[1, 6]", "[1, 5]")
    change(tmp_path / "post.yaml", "study:", "# a comment\nstudy:")
    assert plan(fresh)["01_one"] == "up to date"


def test_a_changed_notebook_runs_again_unless_only_its_outputs_changed(fresh, tmp_path):
    path = tmp_path / "notebooks" / "02_two.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "shown"}]
    path.write_text(json.dumps(notebook))
    assert plan(fresh)["02_two"] == "up to date"
    change(path, "report.finish()", "report.finish();")
    assert plan(fresh) == {"01_one": "up to date", "02_two": "run: notebook changed"}


def test_a_changed_package_runs_everything(fresh, tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text("x = 1")
    lock, dist = tmp_path / "requirements.lock", tmp_path / "numpy-9.9.dist-info"
    lock.write_text("numpy==9.9")
    dist.mkdir()
    monkeypatch.setattr(freshness, "_HOME", tmp_path / "package")
    monkeypatch.setattr(freshness, "_LOCK", lock)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    freshness.key_of_software.cache_clear()
    try:
        said = "run: cxresearch changed; lock file changed; installed packages changed"
        assert plan(fresh) == dict.fromkeys(["01_one", "02_two"], said)
    finally:
        freshness.key_of_software.cache_clear()


@pytest.mark.parametrize(
    "name", ["tables/01_one_answers.csv", "01_one.ipynb", "records/01_one.csv", "pages/01_one.json"]
)
def test_a_notebook_whose_outputs_are_gone_runs_again(fresh, tmp_path, name):
    (tmp_path / "out" / "post" / name).unlink()
    assert plan(fresh) == {"01_one": f"run: outputs are gone: {name.rpartition('/')[2]}", "02_two": "up to date"}


def test_outputs_that_somebody_has_changed_are_made_again(fresh, tmp_path):
    (tmp_path / "out" / "post" / "tables" / "02_two_answers.csv").write_text("by hand")
    said = "run: outputs are not as they were written: 02_two_answers.csv"
    assert plan(fresh) == {"01_one": "up to date", "02_two": said}


def test_a_page_that_is_gone_is_written_again(fresh, tmp_path):
    page = tmp_path / "out" / "post" / "index.html"
    page.unlink()
    assert "2 up to date" in fresh()
    assert page.exists()


def test_what_failed_or_was_skipped_runs_again(fresh, tmp_path):
    path = tmp_path / "notebooks" / "02_two.ipynb"
    good = path.read_text()
    write_notebook(tmp_path / "notebooks", "02_two", "1/0")
    assert "1 up to date, 1 failed" in fresh(status=1)
    assert plan(fresh)["02_two"] == "run: it failed the last time"
    write_notebook(tmp_path / "notebooks", "02_two", "1", needs=("experts.judgements",))
    assert plan(fresh)["02_two"] == "skip: the study file has no `experts`"
    assert "1 up to date, 1 skipped" in fresh()
    assert "Everything is up to date." in fresh()
    path.write_text(good)
    assert plan(fresh)["02_two"] == "run: it was skipped the last time"
