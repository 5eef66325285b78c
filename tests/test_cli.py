import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from batch.samples import write_notebook, write_study
from click.testing import CliRunner, Result

from cxresearch.batch.lock import hold
from cxresearch.batch.plan import plan_run
from cxresearch.batch.warm import IS_SAFE, ForkServer
from cxresearch.cli import main

START = """
import cxresearch as cx
study = cx.open_study(study_file)
report = cx.start_report(study, "{name}", output_dir)
"""
RECORD = """
from pathlib import Path
from cxresearch.core.results import Result, tidy
result = Result(table=tidy("rows_used", [len(study.survey().frame)], n=4), n_used=4)
report._record(result)
"""
MEET = """
import time
Path(output_dir, f"{study.name}.here").touch()
deadline = time.monotonic() + 30
while len(list(Path(output_dir).glob("*.here"))) < 2:
    assert time.monotonic() < deadline, "the other study is not run at the same time"
    time.sleep(0.05)
"""


def command(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Two studies, a bad one, and notebooks: one good, one flaky, one that dies, one that needs experts."""
    folder = tmp_path_factory.mktemp("place")
    for name in ("bank", "post"):
        write_study(folder, name)
    write_study(folder, "bad", choices="{02_flaky: {n_bootstrp: 3}}")
    notebooks = folder / "notebooks"
    write_notebook(notebooks, "01_good", START.format(name="01_good"), RECORD, MEET, "report.finish()")
    flaky = f'assert study.name != "post" or not Path({str(folder / "broken")!r}).exists(), "the branch is closed"'
    write_notebook(notebooks, "02_flaky", START.format(name="02_flaky"), RECORD, flaky, "report.finish()")
    dies = "import os; 'bank' in study_file and os.kill(os.getpid(), 9)"
    write_notebook(notebooks, "03_dies", dies)
    write_notebook(notebooks, "04_experts", "1", needs=("experts.judgements",))
    return folder


@pytest.fixture(scope="module")
def first(place) -> Result:
    """The run of everything, over outputs that an earlier run has left."""
    records = place / "out" / "post" / "records"
    records.mkdir(parents=True)
    (records / "02_flaky.csv").write_text("study,notebook,quantity\npost,02_flaky,stale\n")
    (records.parent / "02_flaky.ipynb").write_text("{}")
    (place / "broken").touch()
    files = [place / f"{name}.yaml" for name in ("bank", "bad", "post")]
    before = Path.cwd()
    result = command("run", *files, "--notebooks", place / "notebooks", "--outputs", place / "out", "--jobs", 2)
    assert Path.cwd() == before
    return result


@pytest.fixture(scope="module")
def second(place, first) -> Result:
    """What failed is mended and run again."""
    (place / "broken").unlink()
    files = [place / f"{name}.yaml" for name in ("bank", "post")]
    return command("run", *files, "--notebooks", place / "notebooks", "--outputs", place / "out", "--only", "2")


def statuses(folder: Path) -> dict[str, str]:
    return {row["notebook"]: row["status"] for row in json.loads((folder / "status.json").read_text())}


def test_a_bad_study_file_is_told_first_and_the_others_run(first):
    assert first.exit_code == 2
    assert (
        "notebooks.02_flaky.n_bootstrp: the notebook has no such parameter; did you mean 'n_bootstrap'?" in first.stderr
    )
    assert first.stderr.index("n_bootstrp") < first.stderr.index("[1/8]")
    assert first.stderr.splitlines()[-2] == "refused: 1 study file (all faults stand above)"
    assert "bad.yaml: " in first.stderr.splitlines()[-1]


def test_one_line_a_notebook_with_its_status_and_reason(first, place):
    out = place / "out"
    lines = [re.sub(r" +[\d.]+ s(?= |$)", "", re.sub(r"  +", "  ", line)) for line in first.stdout.splitlines()]
    lines = [re.sub(r"open it with: \S*jupyter ", "open it with: jupyter ", line) for line in lines]
    died = "cell 3: the kernel died (it was ended by signal SIGKILL, perhaps for want of memory)"
    assert lines == [
        "bank  01_good  ok",
        "bank  02_flaky  ok",
        f"bank  03_dies  failed  {died}",
        f"  open it with: jupyter lab {out / 'bank' / '03_dies.failed.ipynb'}",
        "bank  04_experts  skipped  the study file has no `experts`",
        "post  01_good  ok",
        "post  02_flaky  failed  cell 5: AssertionError: the branch is closed",
        f"  open it with: jupyter lab {out / 'post' / '02_flaky.failed.ipynb'}",
        "post  03_dies  ok",
        "post  04_experts  skipped  the study file has no `experts`",
        "",
        "4 ok, 2 skipped, 2 failed",
        f"page: {out / 'bank' / 'index.html'}",
        f"page: {out / 'post' / 'index.html'}",
        f"report: {out / 'run.html'}",
    ]


def test_nothing_old_passes_for_current(first, place):
    folder = place / "out" / "post"
    numbers = pd.read_csv(folder / "results.csv")
    assert numbers[["study", "notebook", "quantity", "estimate"]].to_numpy().tolist() == [
        ["post", "01_good", "rows_used", 4.0]
    ]
    files = {path.name for path in folder.iterdir() if path.is_file()}
    assert files == {
        *("01_good.ipynb", "02_flaky.failed.ipynb", "03_dies.ipynb"),
        *("results.csv", "status.json", "index.html"),
    }


def test_a_failed_notebook_is_kept_with_its_error(first, place):
    cells = json.loads((place / "out" / "post" / "02_flaky.failed.ipynb").read_text())["cells"]
    assert "cell 5: AssertionError: the branch is closed" in "".join(cells[0]["source"])
    assert any(output.get("ename") == "AssertionError" for cell in cells for output in cell.get("outputs", []))


def test_the_page_says_what_was_left_out(first, place):
    page = (place / "out" / "post" / "index.html").read_text(encoding="utf-8")
    assert "the branch is closed" in page
    assert "the study file has no <code>experts</code>" in page
    assert "cell 5 stopped: AssertionError: the branch is closed" in page


def test_run_json_tells_what_became_of_every_notebook(first, place):
    report = json.loads((place / "out" / "run.json").read_text())
    rows = {(row["study"], row["notebook"]): row for row in report["notebooks"]}
    assert len(rows) == 8
    assert rows["post", "01_good"]["status"] == "ok"
    assert 0 < rows["post", "01_good"]["seconds"] <= report["seconds"]
    assert rows["post", "02_flaky"]["reason"] == "cell 5: AssertionError: the branch is closed"
    assert rows["bank", "04_experts"]["status"] == "skipped"
    assert not any(row["cached"] or row["retried"] for row in rows.values())
    assert rows["bank", "04_experts"]["missing"] == ["experts"]
    assert rows["post", "01_good"]["memory"] > 20_000_000
    assert (rows["post", "01_good"]["file"], rows["post", "02_flaky"]["file"]) == (
        "post/01_good.ipynb",
        "post/02_flaky.failed.ipynb",
    )
    assert (report["jobs"], report["warm"], report["end"]) == (2, IS_SAFE, "finished")
    assert [Path(file).name for file in report["faults"]] == ["bad.yaml"]


def test_running_again_what_failed_puts_it_in_place(second, place):
    assert second.exit_code == 0, second.output
    assert [line.split()[:3] for line in second.stdout.splitlines()[:2]] == [
        ["bank", "02_flaky", "ok"],
        ["post", "02_flaky", "ok"],
    ]
    folder = place / "out" / "post"
    assert (folder / "02_flaky.ipynb").exists()
    assert not (folder / "02_flaky.failed.ipynb").exists()
    assert list(pd.read_csv(folder / "results.csv")["notebook"]) == ["01_good", "02_flaky"]
    assert "the branch is closed" not in (folder / "index.html").read_text(encoding="utf-8")
    assert statuses(folder) == {"01_good": "ok", "02_flaky": "ok", "03_dies": "ok", "04_experts": "skipped"}
    assert statuses(place / "out" / "bank")["03_dies"] == "failed"  # this run left it alone


def test_a_failure_alone_is_status_1(tmp_path):
    file, notebooks = write_study(tmp_path, "post"), tmp_path / "notebooks"
    write_notebook(notebooks, "01_bare", parameters=None)
    write_notebook(notebooks, "02_raises", "1/0")
    result = command("run", file, "--notebooks", notebooks, "--outputs", tmp_path / "out")
    assert result.exit_code == 1
    assert "01_bare    failed             it has no code cell with the tag `parameters`" in result.stdout
    assert "cell 3: ZeroDivisionError: division by zero" in result.stdout


def test_outputs_that_cannot_be_written_are_a_failure_with_the_reason(tmp_path):
    (tmp_path / "out").write_text("a file where the folder should be")
    file, notebooks = write_study(tmp_path, "post"), write_notebook(tmp_path / "notebooks", "01_one", "1")
    result = command("run", file, "--notebooks", notebooks, "--outputs", tmp_path / "out")
    assert result.exit_code == 1
    assert re.search(r"post +01_one +failed +outputs cannot be written to ", result.stdout)
    assert re.search(r"post +index.html +failed +outputs cannot be written to ", result.stdout)


def test_a_page_that_cannot_be_written_is_a_failure_and_no_old_one_stays(tmp_path):
    file, notebooks = write_study(tmp_path, "post"), write_notebook(tmp_path / "notebooks", "01_one", "1")
    pages = tmp_path / "out" / "post" / "pages"
    pages.mkdir(parents=True)
    (pages / "02_two.json").write_text("no page")
    (pages.parent / "index.html").write_text("an old page")
    result = command("run", file, "--notebooks", notebooks, "--outputs", tmp_path / "out")
    assert result.exit_code == 1
    assert re.search(r"post  01_one      ok +[\d.]+ s\npost  index.html  failed +JSONDecodeError: ", result.stdout)
    assert not (pages.parent / "index.html").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "07"], "Error: `--only` must name notebooks by number or name; found '07'. There are 01_one."),
        (
            ["--notebooks", "nowhere"],
            "Error: a folder with notebooks named like 01_reliability.ipynb; found none in nowhere",
        ),
    ],
)
def test_what_cannot_be_run_at_all_is_told_plainly(tmp_path, words, message):
    file, notebooks = write_study(tmp_path, "post"), write_notebook(tmp_path / "notebooks", "01_one", "1")
    result = command("run", file, "--notebooks", notebooks, "--outputs", tmp_path / "out", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("number", "times"),
    [(signal.SIGINT, 1), (signal.SIGINT, 4), (signal.SIGTERM, 1)],
    ids=["ctrl-c", "impatiently", "terminate"],
)
def test_breaking_off_leaves_no_kernel_and_says_what_was_done(tmp_path, number, times):
    file, notebooks = write_study(tmp_path, "post"), tmp_path / "notebooks"
    sleeps = f"import os, time; from pathlib import Path; Path({str(tmp_path / 'pids')!r}).write_text(f'{{os.getppid()}} {{os.getpid()}}'); time.sleep(600)"
    write_notebook(notebooks, "01_sleeps", sleeps)
    write_notebook(notebooks, "02_waits", "1")
    words = ["run", file, "--notebooks", notebooks, "--outputs", tmp_path / "out", "--jobs", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "cxresearch", *map(str, words)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "pids").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    for _ in range(times):
        process.send_signal(number)
        time.sleep(0.1)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "post  01_sleeps  failed" in stdout
    assert "the run was stopped" in stdout
    assert "02_waits" not in stdout
    assert "Stopped before the end." in stderr
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (report["end"], [row["status"] for row in report["notebooks"]]) == ("stopped", ["failed", "not run"])
    assert (tmp_path / "out" / "post" / "01_sleeps.failed.ipynb").exists()
    assert (tmp_path / "out" / "post" / "index.html").exists()
    assert not list((tmp_path / "out").rglob(".*"))
    for pid in (tmp_path / "pids").read_text().split():  # the server of warm kernels and the kernel
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_breaking_off_before_anything_is_run_says_so(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("cxresearch.study.urls.find_studies", interrupted)
    result = command("check", write_study(tmp_path, "post"))
    assert (result.exit_code, result.stderr) == (130, "Stopped before the end.\n")


@pytest.mark.parametrize("options", [[], ["--fail-fast"]], ids=["to the end", "fail fast"])
def test_a_failure_stops_the_others_only_if_asked(tmp_path, options):
    file, notebooks = write_study(tmp_path, "post"), tmp_path / "notebooks"
    for name, cell in {"01_raises": "1/0", "02_waits": "1", "03_waits": "1"}.items():
        write_notebook(notebooks, name, cell)
    result = command("run", file, "--notebooks", notebooks, "--outputs", tmp_path / "out", "--jobs", "1", *options)
    assert result.exit_code == 1
    assert ("Stopped at the first failure." in result.stderr) == bool(options)
    assert ("03_waits" in result.stdout) != bool(options)
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert report["end"] == ("first failure" if options else "finished")
    assert (tmp_path / "out" / "post" / "index.html").exists()


def test_a_notebook_that_takes_too_long_has_failed(tmp_path):
    file = write_study(tmp_path, "post")
    notebooks = write_notebook(tmp_path / "notebooks", "01_sleeps", "import time; time.sleep(600)")
    words = ["--notebooks", notebooks, "--outputs", tmp_path / "out", "--timeout", "0.5"]
    result = command("run", file, *words)
    assert result.exit_code == 1
    assert "cell 3: it was stopped after 0.5 s (--timeout)" in result.stdout


def test_a_study_that_another_run_is_at_work_on_is_left_alone(tmp_path):
    files = [write_study(tmp_path, name) for name in ("bank", "post")]
    notebooks = write_notebook(tmp_path / "notebooks", "01_one", "1")
    with hold(tmp_path / "out" / "post"):
        result = command("run", *files, "--notebooks", notebooks, "--outputs", tmp_path / "out", "--plain")
        assert [path.name for path in (tmp_path / "out" / "post").iterdir()] == [".lock"]
    assert result.exit_code == 1
    assert re.search(r"bank  01_one  ok", result.stdout)
    assert re.search(rf"post  01_one  failed +another run is writing there \(process {os.getpid()} on ", result.stdout)


@pytest.mark.skipif(not IS_SAFE, reason="kernels are forked on Linux only")
def test_the_server_of_kernels_starts_before_a_first_run_is_planned_and_ends_with_it(tmp_path, monkeypatch):
    servers, planned = [], []

    class Seen(ForkServer):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            servers.append(self)

    def plan(*words, **options):
        planned.append(len(servers))
        return plan_run(*words, **options)

    for place in ("warm", "run"):
        monkeypatch.setattr(f"cxresearch.batch.{place}.ForkServer", Seen)
    monkeypatch.setattr("cxresearch.batch.plan.plan_run", plan)
    notebooks = write_notebook(tmp_path / "notebooks", "01_one", "import os; print(os.getppid())")
    write_notebook(notebooks, "02_two", "1")
    words = ["run", write_study(tmp_path, "post"), "--notebooks", notebooks, "--outputs", tmp_path / "out"]
    assert command(*words).exit_code == 0
    first, *others = servers
    assert not others
    assert str(first.process.pid) in (tmp_path / "out" / "post" / "01_one.ipynb").read_text()
    assert command(*words).exit_code == 0  # nothing has changed
    assert command(*words, "--force", "--dry-run").exit_code == 0
    assert command("run", tmp_path / "no.yaml", *words[2:-1], tmp_path / "other").exit_code == 2
    assert planned == [1, 1, 1, 2]
    assert [server.process.poll() is not None for server in servers] == [True, True]


def test_check_lists_every_fault(tmp_path):
    good, bad = write_study(tmp_path, "good"), write_study(tmp_path, "bad")
    bad.write_text(bad.read_text().replace("[a, b]", "[a, c]").replace("scale: [1, 5]", "scal: [1, 5]"))
    assert command("check", good).exit_code == 0
    result = command("check", good, bad, tmp_path / "missing.yaml")
    assert result.exit_code == 2
    assert result.stdout == f"{good}: no faults\n"
    assert len([line for line in result.stderr.splitlines() if line.startswith("  constructs.speed")]) == 2
    assert f"no such file: {tmp_path / 'missing.yaml'}" in result.stderr
    title, first, last = result.stderr.splitlines()[-3:]
    assert title == "refused: 2 study files (all faults stand above)"
    assert first.startswith(f"  {bad}: constructs.speed")
    assert first.endswith("(and 1 more)")
    assert last.startswith(f"  {tmp_path / 'missing.yaml'}: ")
    assert "more)" not in last


def test_a_single_study_with_nothing_but_faults_is_not_told_twice(tmp_path):
    bad = write_study(tmp_path, "bad")
    bad.write_text(bad.read_text().replace("[a, b]", "[a, c]"))
    assert "refused" not in command("check", bad).stderr


def test_check_notes_what_looks_odd(tmp_path):
    file, notebooks = write_study(tmp_path, "post"), write_notebook(tmp_path / "notebooks", "01_one", "1")
    with file.open("a") as stream:
        stream.write("tickets: {data: answers.csv}\n")
    (tmp_path / "answers.csv").write_text("a,b\n1,2\n3,9\n5,9\n2,2\n")
    result = command("check", file, "--notebooks", notebooks)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{file}: no faults",
        "  note: speed: 25 % of the answers lie outside its scale [1, 5], all are 9; is 9 a code of `missing`?",
        "  note: tickets: read by no notebook of this version",
    ]


def test_check_notes_an_encoding_that_makes_no_sense_beside_the_faults_it_brings(tmp_path):
    file, notebooks = write_study(tmp_path, "post"), write_notebook(tmp_path / "notebooks", "01_one", "1")
    file.write_text(file.read_text().replace("data: answers.csv", "data: answers.csv, encoding: latin-1"))
    text = "a,b,意见\n1,2,服务态度很好\n3,4,快递送货太慢\n"
    note = "  note: answers.csv is read as iso8859-1 but looks like gb18030; check `survey.encoding` or leave it out"
    (tmp_path / "answers.csv").write_text(text, encoding="gb18030")
    sound = command("check", file, "--notebooks", notebooks)
    assert (sound.exit_code, sound.stdout.splitlines()) == (0, [f"{file}: no faults", note])
    (tmp_path / "answers.csv").write_text(text.replace("b,", "满意度,"), encoding="gb18030")
    faulty = command("check", file, "--notebooks", notebooks)
    assert faulty.exit_code == 2
    assert note in faulty.stderr.splitlines()


def test_check_knows_the_parameters_of_the_notebooks(tmp_path):
    file = write_study(tmp_path, "post", choices="{01_one: {n_bootstrap: many}}")
    notebooks = write_notebook(tmp_path / "notebooks", "01_one", "1")
    result = command("check", file, "--notebooks", notebooks)
    assert result.exit_code == 2
    assert "notebooks.01_one.n_bootstrap: must be int; found 'many'" in result.stderr


def test_schema_to_a_file_or_the_terminal(tmp_path):
    shown = command("schema")
    assert shown.exit_code == 0
    command("schema", tmp_path / "study.schema.json")
    assert json.loads((tmp_path / "study.schema.json").read_text()) == json.loads(shown.stdout)
    assert json.loads(shown.stdout)["required"] == ["study"]
