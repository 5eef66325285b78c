import os
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from batch.samples import at_most, pool_of

from cxresearch.batch.environment import kernel_environment
from cxresearch.batch.execute import execute
from cxresearch.batch.kernels import KernelPool

PATIENCE = 40  # seconds after which a run counts as hanging


class BrokenFirst(KernelPool):
    """Its first kernels cannot start."""

    def __init__(self, broken: int) -> None:
        super().__init__(jobs=1)
        self.broken = broken

    def take(self):
        kernel = super().take()
        if self.broken:
            self.broken -= 1
            kernel.environment = {**kernel.environment, "PYTHONPATH": "", "PYTHONHOME": "no-such-python"}
        return kernel


@pytest.fixture(autouse=True)
def never_hangs():
    with at_most(PATIENCE):
        yield


@pytest.fixture(scope="module", params=["plain", "warm"])
def kernels(request):
    """A pool of kernels of each sort; both behave alike."""
    with pool_of(warm=request.param == "warm") as pool:
        yield pool


@pytest.fixture
def run(notebooks, tmp_path, request):
    def run_cells(*cells, pool=None, parameters=None, timeout=None):
        source = notebooks("01_one", *cells) / "01_one.ipynb"
        pool = pool or request.getfixturevalue("kernels")
        return execute(source, parameters or {}, folder=tmp_path, pool=pool, timeout=timeout)

    return run_cells


def printed(execution) -> list[str]:
    return [out.text.strip() for cell in execution.notebook.cells for out in cell.get("outputs", []) if "text" in out]


@pytest.mark.usefixtures("kernels")
def test_runs_this_interpreter_in_the_folder_with_the_parameters(run, tmp_path):
    here = Path.cwd()
    code = "import os, sys, cxresearch; print(sys.executable); print(os.getcwd()); print(n_bootstrap, study_file)"
    execution = run(code, parameters={"n_bootstrap": 7, "study_file": 'a "b" {c}.yaml'})
    assert execution.failure is None
    assert execution.retried == ""
    assert printed(execution) == ["\n".join([sys.executable, str(tmp_path), '7 a "b" {c}.yaml'])]
    assert Path.cwd() == here
    nbformat.validate(execution.notebook)


@pytest.mark.usefixtures("kernels")
def test_a_raising_cell_stops_the_notebook_and_is_named(run):
    execution = run("print('before')", "raise ValueError('no\\nrows')", "print('after')")
    assert str(execution.failure) == "cell 4: ValueError: no rows"  # after the parameters and those handed over
    assert printed(execution) == ["before"]
    assert "cell 4: ValueError: no rows" in execution.notebook.cells[0].source
    assert execution.notebook.cells[-2].outputs[0].ename == "ValueError"


@pytest.mark.usefixtures("kernels")
def test_a_fault_that_users_can_mend_is_told_without_the_name_of_its_class(run):
    execution = run(
        "from cxresearch.errors import InputError", "raise InputError('rows must be there', 'none', 'Look.')"
    )
    assert execution.failure.cell == 4
    assert str(execution.failure) == "cell 4: rows must be there; none. Look."


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("os.kill(os.getpid(), 9)", "ended by signal SIGKILL, perhaps for want of memory"),
        ("os._exit(3)", "ended with status 3"),
    ],
)
@pytest.mark.usefixtures("kernels")
def test_a_killed_kernel_is_a_failure_and_leaves_no_process(run, ending, reason):
    child = "import os, subprocess; child = subprocess.Popen(['sleep', '600']); print(child.pid)"
    execution = run(child, ending, "print('after')")
    assert str(execution.failure) == f"cell 4: the kernel died (it was {reason})".replace(
        "was ended with", "ended with"
    )
    assert execution.retried == ""
    assert not is_running(int(printed(execution)[0]))


@pytest.mark.usefixtures("kernels")
def test_cells_that_take_too_long_are_stopped(run):
    child = "import os, subprocess; child = subprocess.Popen(['sleep', '600']); print(child.pid)"
    execution = run(child, "import time; time.sleep(600)", timeout=1.5)
    assert str(execution.failure) == "cell 4: it was stopped after 1.5 s (--timeout)"
    assert execution.seconds < PATIENCE / 2
    assert not is_running(int(printed(execution)[0]))


@pytest.mark.usefixtures("kernels")
def test_time_is_that_of_all_cells_together(run):
    execution = run(*["import time; time.sleep(0.7)"] * 4, timeout=2)
    assert execution.failure.cell in (5, 6)
    assert run("1", timeout=PATIENCE).failure is None


def is_running(pid: int) -> bool:
    """Whether a process lives on (a zombie that nobody waits for does not)."""
    for _ in range(20):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except (ProcessLookupError, FileNotFoundError):
            return False
        time.sleep(0.1)
    return True


@pytest.mark.usefixtures("kernels")
def test_a_notebook_that_leaves_early_has_failed(run):
    assert str(run("import sys; sys.exit()").failure) == "cell 3: SystemExit"


def test_a_kernel_that_does_not_start_is_tried_once_more(run):
    execution = run("print('done')", pool=BrokenFirst(1))
    assert execution.failure is None
    assert execution.retried.startswith("the kernel did not start (it ended with status 1")
    assert printed(execution) == ["done"]


def test_a_kernel_that_never_starts_is_a_failure_with_its_reason(run):
    execution = run("print('done')", pool=BrokenFirst(9))
    assert str(execution.failure).startswith("the kernel did not start (it ended with status 1: ")
    assert execution.failure.cell is None


@pytest.mark.parametrize("warm", [False, True])
def test_stopping_the_pool_ends_running_kernels(run, warm):
    with pool_of(warm=warm) as pool:
        stopper = threading.Timer(2, pool.stop)
        stopper.start()
        execution = run("import time; time.sleep(600)", pool=pool)
        stopper.join()
        assert execution.failure.error == "the run was stopped"
        assert execution.seconds < PATIENCE / 2
        assert run("1", pool=pool).failure is not None


def test_each_kernel_gets_its_share_of_the_cores(monkeypatch):
    monkeypatch.setattr("cxresearch.batch.environment.count_cores", lambda: 8)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert kernel_environment(jobs=2)["OMP_NUM_THREADS"] == "4"
    assert kernel_environment(jobs=9)["OMP_NUM_THREADS"] == "1"
    assert kernel_environment(jobs=9)["OPENBLAS_NUM_THREADS"] == "3"
    assert kernel_environment(jobs=2)["MKL_NUM_THREADS"] == "1"  # linear algebra waits more than it works with several
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert kernel_environment(jobs=2)["MKL_NUM_THREADS"] == "2"
