import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import fsspec
import pytest
from batch.samples import at_most, write_notebook, write_study
from click.testing import CliRunner, Result

from cxresearch.batch import cluster as runner
from cxresearch.batch.cluster_checks import check_cluster
from cxresearch.batch.freshness import key_of_software
from cxresearch.cli import main
from cxresearch.errors import InputError

PATIENCE = 60  # seconds after which a run counts as hanging
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as local:
        print(local.scheduler_address, flush=True)
        for line in sys.stdin:
            local.scale(int(line))
"""
WRITE = """
import csv, pathlib
rows = list(csv.reader((pathlib.Path(study_file).parent / "answers.csv").open()))
folder = pathlib.Path(output_dir) / pathlib.Path(study_file).stem
for name in ("tables/{name}_rows", "records/{name}"):
    (folder / name).with_suffix(".csv").write_text(f"study,notebook,quantity,estimate\\n{{folder.name}},{name},rows,{{len(rows)}}\\n")
"""  # what a report does, without importing the stack


@pytest.fixture(scope="module")
def workers():
    """Two workers, each a process of its own that is started anew when it is lost; a number written to it is how many it has."""
    with subprocess.Popen([sys.executable, "-c", CLUSTER], text=True, bufsize=1, **PIPES) as process:
        yield process
        process.stdin.close()


@pytest.fixture(scope="module")
def cluster(workers):
    """Address of their scheduler."""
    return workers.stdout.readline().strip()


@pytest.fixture(autouse=True)
def never_hangs():
    with at_most(PATIENCE):
        yield


def words(folder: Path, *studies: str, out: str = "out") -> list[str]:
    files = [folder / f"{study}.yaml" for study in studies or ("post",)]
    return [*map(str, ["run", *files, "--notebooks", folder / "notebooks", "--outputs", folder / out, "--plain"])]


def on(cluster: str, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--scheduler", cluster])


def contents(folder: Path) -> dict[str, bytes]:
    """Everything of the studies but what tells of times."""
    paths = [path for path in folder.rglob("*/*") if path.is_file() and path.suffix not in (".ipynb", ".json")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def statuses(folder: Path) -> dict[str, dict]:
    return {row["notebook"]: row for row in json.loads((folder / "status.json").read_text())}


def has_ended(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    return False


def test_a_cluster_gives_what_this_machine_gives(tmp_path, cluster):
    write_study(tmp_path, "post")
    write_notebook(tmp_path / "notebooks", "01_one", WRITE.format(name="01_one"))
    write_notebook(tmp_path / "notebooks", "02_raises", "print('so far')", "1 / 0")
    write_notebook(tmp_path / "notebooks", "03_experts", "1", needs=("experts.judgements",))
    far = on(cluster, *words(tmp_path, out="far"))
    near = CliRunner().invoke(main, words(tmp_path, out="near"))
    assert (far.exit_code, near.exit_code) == (1, 1)
    plainly = [re.sub(r" +[\d.]+ s(?= |$)", "", each.stdout, flags=re.MULTILINE) for each in (far, near)]
    assert plainly[0].replace(str(tmp_path / "far"), str(tmp_path / "near")) == plainly[1]
    assert "post/tables/01_one_rows.csv" in contents(tmp_path / "far")
    assert b"post,01_one,rows,5" in contents(tmp_path / "far")["post/results.csv"].replace(b",,,,", b",")
    assert contents(tmp_path / "far") == contents(tmp_path / "near")
    for name in ("01_one", "02_raises.failed"):
        told = [json.loads((tmp_path / out / "post" / f"{name}.ipynb").read_text()) for out in ("far", "near")]
        sources = [[cell["source"] for cell in notebook["cells"]] for notebook in told]
        assert any(str(tmp_path / "far") in "".join(source) for source in sources[0])
        assert str(sources[0]).replace(str(tmp_path / "far"), str(tmp_path / "near")) == str(sources[1])
    report = json.loads((tmp_path / "far" / "run.json").read_text())
    assert (report["scheduler"], report["workers"], report["jobs"]) == (cluster, 2, 2)
    again = on(cluster, *words(tmp_path, out="far"), "--only", "1")
    assert "Everything is up to date." in again.stdout


def test_a_task_whose_worker_is_killed_is_done_by_another_one(tmp_path, cluster):
    write_study(tmp_path, "post")
    kill = f"import pathlib\nif not pathlib.Path({str(tmp_path / 'pid')!r}).exists():" + indented(kill_worker(tmp_path))
    write_notebook(tmp_path / "notebooks", "01_kills", kill, WRITE.format(name="01_kills"))
    write_notebook(tmp_path / "notebooks", "02_other", WRITE.format(name="02_other"))
    result = on(cluster, *[word for word in words(tmp_path) if word != "--plain"])
    assert result.exit_code == 0, result.output
    told = statuses(tmp_path / "out" / "post")
    assert re.fullmatch(r"worker tcp://127\.0\.0\.1:\d+ was lost", told["01_kills"]["retried"])
    assert told["02_other"]["status"] == "ok"
    assert (tmp_path / "out" / "post" / "results.csv").read_text().replace(",,,,", ",").count("rows,5") == 2
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_a_task_that_costs_two_workers_has_failed(tmp_path, cluster):
    write_study(tmp_path, "post")
    write_notebook(tmp_path / "notebooks", "01_kills", kill_worker(tmp_path))
    write_notebook(tmp_path / "notebooks", "02_other", WRITE.format(name="02_other"))
    result = on(cluster, *words(tmp_path))
    assert result.exit_code == 1, result.output
    told = statuses(tmp_path / "out" / "post")
    assert re.fullmatch(r"worker tcp://127\.0\.0\.1:\d+ was lost", told["01_kills"]["reason"])
    assert re.fullmatch(r"worker tcp://127\.0\.0\.1:\d+ was lost", told["01_kills"]["retried"])
    assert told["01_kills"]["reason"] != told["01_kills"]["retried"]
    assert told["02_other"]["status"] == "ok"
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_what_a_cluster_delivers_may_go_to_a_url(tmp_path, cluster):
    write_study(tmp_path, "post")
    write_notebook(tmp_path / "notebooks", "01_one", WRITE.format(name="01_one"))
    memory = fsspec.filesystem("memory")
    result = on(cluster, *[word.replace(str(tmp_path / "out"), "memory://lab") for word in words(tmp_path)])
    assert result.exit_code == 0, result.output
    assert b"post,01_one,rows,5" in memory.cat("/lab/post/results.csv").replace(b",,,,", b",")
    assert b'output_dir = \\"memory://lab\\"' in memory.cat("/lab/post/01_one.ipynb")
    memory.store.clear()


def kill_worker(folder: Path) -> str:
    """A cell that kills the worker which its kernel belongs to, at once or behind the server of warm kernels, and lives on."""
    return f"""
import os, pathlib, signal, time
pathlib.Path({str(folder / "pid")!r}).write_text(str(os.getpid()))
parent = os.getppid()
if b"forkserver" in pathlib.Path(f"/proc/{{parent}}/cmdline").read_bytes():
    parent = int(pathlib.Path(f"/proc/{{parent}}/stat").read_text().rpartition(")")[2].split()[1])
os.kill(parent, signal.SIGKILL)
time.sleep(600)"""


def indented(cell: str) -> str:
    return cell.replace("\n", "\n    ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_a_run_that_is_broken_off_leaves_no_kernel_on_a_worker(tmp_path, cluster, number):
    write_study(tmp_path, "post")
    sleep = (
        f"import os, pathlib, time; pathlib.Path({str(tmp_path)!r}, f'{{os.getpid()}}.pid').touch(); time.sleep(600)"
    )
    for name in ("01_one", "02_two", "03_three"):
        write_notebook(tmp_path / "notebooks", name, sleep)
    command = [sys.executable, "-m", "cxresearch", *words(tmp_path), "--scheduler", cluster]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            while not list(tmp_path.glob("*.pid")):
                time.sleep(0.05)
            process.send_signal(number)
            stdout, stderr = process.communicate()
        finally:
            process.kill()
    begun: set[int] = set()
    while (known := {int(path.stem) for path in tmp_path.glob("*.pid")}) != begun:  # one may have been just starting
        begun = known
        assert all(map(has_ended, begun))
        time.sleep(0.5)
    assert len(begun) <= 2  # not the one that waited
    assert not list((tmp_path / "out" / "post").glob("*.ipynb"))
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert 1 <= len(re.findall(r"failed +the run was stopped", stdout)) <= 2  # not the one that waited
        assert stderr.endswith("Stopped before the end.\n")


def test_a_scheduler_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "SECONDS_TO_CONNECT", 0.5)
    write_study(tmp_path, "post")
    write_notebook(tmp_path / "notebooks", "01_one", "1")
    result = on("tcp://127.0.0.1:9", *words(tmp_path))
    assert result.exit_code == 2
    assert "none answers at tcp://127.0.0.1:9 within 0.5 s" in result.stderr
    assert "Start one with `dask scheduler`" in result.stderr
    assert not list((tmp_path / "out").rglob("*.ipynb"))


def test_without_dask_it_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "cxresearch.batch.cluster")
    write_study(tmp_path, "post")
    write_notebook(tmp_path / "notebooks", "01_one", "1")
    result = on("tcp://127.0.0.1:9", *words(tmp_path))
    assert result.exit_code == 2
    assert "`--scheduler` needs Dask; `distributed` is not installed. pip install 'cxresearch[dask]'" in result.stderr


def test_jobs_are_those_of_the_cluster(tmp_path):
    result = on("tcp://127.0.0.1:9", "run", "post.yaml", "--jobs", "3")
    assert result.exit_code == 2
    assert "--jobs is for this machine" in result.stderr


def test_workers_with_another_cxresearch_are_refused(tmp_path, cluster, monkeypatch):
    monkeypatch.setattr("cxresearch.batch.cluster_checks.key_of_software", lambda: {"cxresearch": "another"})
    write_study(tmp_path, "post")
    write_notebook(tmp_path / "notebooks", "01_one", "1")
    result = on(cluster, *words(tmp_path))
    assert result.exit_code == 2
    assert "found another cxresearch at the scheduler, another cxresearch at tcp://127.0.0.1:" in result.stderr


def test_a_worker_that_comes_later_with_another_cxresearch_does_nothing(tmp_path, cluster, monkeypatch):
    monkeypatch.setattr(runner, "key_of_software", lambda: {"cxresearch": "another"})
    write_study(tmp_path, "post")
    write_notebook(tmp_path / "notebooks", "01_one", "1")
    result = on(cluster, *words(tmp_path))
    assert re.search(r"worker tcp://127\.0\.0\.1:\d+ has another cxresearch than this machine", result.stdout)


@pytest.mark.parametrize(("there", "what"), [(True, "finds another file than this machine at"), (False, "cannot read")])
def test_a_file_that_a_worker_does_not_see_is_named_with_the_worker(tmp_path, cluster, monkeypatch, there, what):
    write_study(tmp_path, "post")
    write_notebook(tmp_path / "notebooks", "01_one", "1")
    data = tmp_path / "answers.csv"

    def stamp_of(path):
        stamp = runner_stamp(path)
        if path == data:
            data.write_text("a,b\n1,1\n") if there else data.unlink()
        return stamp

    runner_stamp = runner.stamp_of
    monkeypatch.setattr(runner, "stamp_of", stamp_of)
    result = on(cluster, *words(tmp_path))
    assert result.exit_code == 1
    assert re.search(
        rf"worker tcp://127\.0\.0\.1:\d+ {what} {re.escape(str(data))}; put it where every worker", result.stdout
    )


class Client:
    """What a client says of a cluster."""

    scheduler = type("Scheduler", (), {"address": "tcp://host:8786"})

    def __init__(self, scheduler="3.11.2.final.0", workers=None, software=None):
        self.pythons = {"scheduler": scheduler, "workers": workers or {}}
        self.software = software

    def get_versions(self):
        def told(python):
            return {"host": {"python": python}}

        workers = {place: told(python) for place, python in self.pythons["workers"].items()}
        return {"client": told("3.11.9.final.0"), "scheduler": told(self.pythons["scheduler"]), "workers": workers}

    def run_on_scheduler(self, probe):
        return key_of_software()["cxresearch"]

    def run(self, probe, on_error):
        return dict.fromkeys(self.pythons["workers"], self.software or probe())


def test_a_cluster_must_have_workers_of_the_same_python_and_package():
    check_cluster(Client(workers={"tcp://a:1": "3.11.4.final.0"}))
    with pytest.raises(
        InputError, match=r"must have workers; tcp://host:8786 has none\. Start some with `dask worker`"
    ):
        check_cluster(Client())
    with pytest.raises(InputError, match=r"must have Python 3\.11; found Python 3\.12 at tcp://a:1\. Install"):
        check_cluster(Client(workers={"tcp://a:1": "3.12.0.final.0", "tcp://b:1": "3.11.0.final.0"}))
    with pytest.raises(InputError, match=r"found Python 3\.13 at the scheduler"):
        check_cluster(Client("3.13.1.final.0", workers={"tcp://a:1": "3.11.0.final.0"}))
    with pytest.raises(InputError, match=r"must have cxresearch .+; found no cxresearch at tcp://a:1"):
        check_cluster(Client(workers={"tcp://a:1": "3.11.0.final.0"}, software=ModuleNotFoundError("cxresearch")))


def test_without_workers_the_run_ends(tmp_path, workers, cluster, monkeypatch):  # the last test: it leaves none
    monkeypatch.setattr(runner, "SECONDS_WITHOUT_WORKERS", 1)
    write_study(tmp_path, "post")
    write_notebook(
        tmp_path / "notebooks", "01_waits", f"open({str(tmp_path / 'mark')!r}, 'w'); import time; time.sleep(600)"
    )
    leaving = threading.Thread(target=lambda: wait_for(tmp_path / "mark") or workers.stdin.write("0\n"))
    leaving.start()
    result = on(cluster, *words(tmp_path))
    leaving.join()
    assert result.exit_code == 1
    assert statuses(tmp_path / "out" / "post")["01_waits"]["reason"] == "no worker of the cluster is left"


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.05)
