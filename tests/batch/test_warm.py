"""Warm kernels are as plain ones, only sooner."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from batch.samples import pool_of, write_notebook, write_study

from cxresearch.batch.execute import execute
from cxresearch.batch.kernels import KernelPool
from cxresearch.batch.warm import IS_SAFE, ForkServer, spared_by

pytestmark = pytest.mark.skipif(not IS_SAFE, reason="kernels are forked on Linux only")
FIGURE = "import seaborn as sns, matplotlib.pyplot as plt\nsns.lineplot(x=[1, 2], y=[1, 3]);"
RANDOM = "import random, numpy as np; print(np.random.rand(), random.random())"


@pytest.fixture(scope="module")
def pool():
    with pool_of(warm=True) as pool:
        yield pool


@pytest.fixture
def run(notebooks, tmp_path, pool):
    def run_cells(*cells, pool=pool):
        execution = execute(notebooks("01_one", *cells) / "01_one.ipynb", {}, folder=tmp_path, pool=pool)
        assert execution.failure is None, execution.failure
        return execution

    return run_cells


def outputs(execution) -> list[dict]:
    return [output for cell in execution.notebook.cells for output in cell.get("outputs", [])]


def printed(execution) -> str:
    return "".join(output["text"] for output in outputs(execution) if output.output_type == "stream").strip()


def is_gone(pid: int, seconds: float = 10) -> bool:
    """Whether a process ends in time (a zombie that nobody waits for has ended)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_the_server_has_one_thread_when_it_forks(run, pool):
    parent = int(printed(run("import os; print(os.getppid())")))
    assert parent == pool.server.process.pid
    assert len(list(Path(f"/proc/{parent}/task").iterdir())) == 1


def test_the_stack_is_there_before_the_first_cell(run):
    wanted = ["numpy", "pandas", "seaborn", "statsmodels.api", "factor_analyzer", "cxresearch.methods.cases"]
    assert printed(run(f"import sys; print([name for name in {wanted} if name not in sys.modules])")) == "[]"


def test_what_neither_methods_nor_notebooks_name_is_spared(run, notebooks):
    folder = notebooks("02_two", "from seaborn import lineplot")
    spared = spared_by(folder.glob("*.ipynb"))
    assert spared == ["statsmodels.api", "statsmodels.formula.api"]
    with closing(ForkServer({}, spared)) as server, KernelPool(jobs=1, server=server) as pool:
        wanted = ["numpy", "seaborn", "cxresearch.methods.cases", *spared]
        there = run(f"import sys; print(*[name for name in {wanted} if name in sys.modules])", pool=pool)
        assert printed(there).split() == wanted[:3]
        assert printed(run("import statsmodels.api as sm; print(sm.OLS.__name__)", pool=pool)) == "OLS"


def test_nothing_is_imported_between_the_fork_and_the_end_of_a_report(run, study_file, tmp_path):
    report = f"""
import cxresearch as cx
report = cx.start_report(cx.open_study({str(study_file("post"))!r}), "01_one", {str(tmp_path)!r})
report.figure(plt.subplots(layout="constrained")[1], "answers")
report.finish()"""
    code = "from cxresearch.batch.forkserver import preload; preload(); import sys; print({*sys.modules})"
    preloaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    execution = run("import sys, matplotlib.pyplot as plt", report, f"print(*set(sys.modules) - {preloaded})")
    assert {name.partition(".")[0] for name in printed(execution).split()} == {"matplotlib_inline"}


def test_a_figure_is_shown_as_by_a_plain_kernel(run):
    with KernelPool(jobs=1) as plain:
        shown = [output["data"] for output in outputs(run(FIGURE, pool=plain))]
    assert "image/png" in shown[0]
    assert [output["data"] for output in outputs(run(FIGURE))] == shown


def test_output_of_cells_of_commands_and_of_c_code_is_kept(run, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # with it, ipykernel leaves file descriptors alone
    wait = "import time; time.sleep(0.5)"  # descriptors are read by a thread
    said = printed(run(f"import os; print('cell'); os.system('echo command'); os.write(1, b'C\\n'); {wait}"))
    assert sorted(said.split()) == ["C", "cell", "command"]


def test_each_notebook_starts_afresh(run):
    leave = "import os, math, numpy as np; left = 1; math.pi = 3; os.environ['LEFT'] = '1'; os.chdir('/')"
    run(leave, RANDOM)
    look = "import os, math; print('left' in globals(), round(math.pi, 2), 'LEFT' in os.environ, os.getcwd() == '/')"
    assert printed(run(look)) == "False 3.14 False False"
    assert printed(run("print(len(In), get_ipython().history_manager.hist_file)")) == "4 :memory:"


def test_a_kernel_ends_as_a_plain_one_does(run, tmp_path):
    leave = "import atexit; left = open('left.txt', 'w'); left.write('whole'); atexit.register(lambda: open('end.txt', 'w').write('end'));"
    run(leave)
    assert (tmp_path / "left.txt").read_text() == "whole"
    assert (tmp_path / "end.txt").read_text() == "end"


def test_each_notebook_has_its_own_random_numbers(run):
    numbers = [number for _ in range(2) for number in printed(run(RANDOM)).split()]
    assert len(set(numbers)) == 4


@pytest.mark.parametrize("threads", ["1", "2"])
def test_linear_algebra_has_one_thread_unless_the_user_gives_it_more(run, monkeypatch, threads):
    monkeypatch.setattr("cxresearch.batch.environment.count_cores", lambda: 2)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    if threads != "1":
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    count = "import threadpoolctl as t; print(max(p['num_threads'] for p in t.threadpool_info() if p['user_api'] == 'blas'))"
    with pool_of(warm=True) as pool:
        assert printed(run(count, pool=pool)) == threads
        assert len(list(Path(f"/proc/{pool.server.process.pid}/task").iterdir())) == 1


def test_a_kernel_can_be_interrupted(pool):
    kernel = pool.take()
    try:
        assert asyncio.run(interrupt(kernel)) == ["KeyboardInterrupt", "ok"]
    finally:
        pool.give_back(kernel)
    assert is_gone(kernel.process.pid)


async def interrupt(kernel) -> list[str]:
    """What a sleeping cell says that is interrupted, and how the next one ends."""
    await kernel.start_kernel()
    client = kernel.client()
    client.start_channels()
    await client.wait_for_ready(timeout=30)
    client.execute("import time; time.sleep(60)", stop_on_error=False)  # else what comes at once is dropped
    await asyncio.sleep(0.5)
    await kernel.interrupt_kernel()
    stopped = (await client.get_shell_msg(timeout=20))["content"]["ename"]
    client.execute("1")
    after = (await client.get_shell_msg(timeout=20))["content"]["status"]
    client.stop_channels()
    await kernel.cleanup_resources()
    return [stopped, after]


def test_what_ran_in_a_lost_server_runs_once_more_in_a_plain_kernel(notebooks, tmp_path):
    waits = """
from pathlib import Path
import os, time
print(os.getppid())
if not Path("begun").exists():
    Path("begun").touch()
    time.sleep(600)
"""
    folder = notebooks("01_waits", waits)
    notebooks("02_next", "import os; print(os.getppid())")
    with pool_of(warm=True) as pool, ThreadPoolExecutor() as threads:
        first, second = (
            threads.submit(execute, folder / f"{name}.ipynb", {}, folder=tmp_path, pool=pool)
            for name in ("01_waits", "02_next")
        )
        deadline = time.monotonic() + 40
        while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        pool.server.process.kill()
        executions = [first.result(), second.result()]
    assert [execution.failure for execution in executions] == [None, None]
    assert executions[0].retried == "the process that warm kernels are forked from was lost"
    assert int(printed(executions[0])) == os.getpid()


def test_without_a_server_the_notebook_runs_in_a_plain_kernel(run, monkeypatch):
    monkeypatch.setattr("cxresearch.batch.warm._NO_THREADS", {"PYTHONHOME": "no-such-python"})
    with pool_of(warm=True) as pool:
        pool.server.process.wait()
        seen = iter([True, False])  # it ends between the look at it and the fork
        monkeypatch.setattr(ForkServer, "is_alive", property(lambda _: next(seen)))
        execution = run("import os; print(os.getppid())", pool=pool)
    assert printed(execution) == str(os.getpid())
    assert execution.retried.startswith("the kernel did not start (the server of warm kernels is gone: ")


def test_no_process_outlives_a_run_that_is_killed(tmp_path):
    sleeps = f"""
import os, subprocess, time
from pathlib import Path
child = subprocess.Popen(["sleep", "600"])
Path({str(tmp_path / "pids")!r}).write_text(f"{{os.getppid()}} {{os.getpid()}} {{child.pid}}")
time.sleep(600)
"""
    file, notebooks = write_study(tmp_path, "post"), write_notebook(tmp_path / "notebooks", "01_sleeps", sleeps)
    write_notebook(notebooks, "02_waits", "1")
    words = ["-m", "cxresearch", "run", file, "--notebooks", notebooks, "--outputs", tmp_path / "out"]
    process = subprocess.Popen([sys.executable, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 40
    while not (tmp_path / "pids").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.2)
    process.kill()
    process.communicate(timeout=20)
    assert all(is_gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_closing_a_server_that_is_still_importing_ends_it_at_once():
    server = ForkServer({})
    server.close()
    assert server.process.returncode == -signal.SIGKILL  # it was not waited for
