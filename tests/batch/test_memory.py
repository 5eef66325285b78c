"""A notebook over its limit of memory is ended and told plainly; what each took is known."""

import os
import subprocess
import sys
import time

import pytest
from batch.samples import pool_of

from cxresearch.batch.execute import execute
from cxresearch.batch.memory import MEASURE, Watcher, bytes_of
from cxresearch.batch.warm import IS_SAFE
from cxresearch.errors import InputError

MB = 10**6
LIMIT = 400 * MB
TAKE = "import time; taken = bytearray({size}); taken[::4096] = b'x' * len(taken[::4096]); time.sleep({wait})"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TAKE.format(size=600 * MB, wait=60)!r}])"


@pytest.fixture(
    scope="module", params=[False, pytest.param(True, marks=pytest.mark.skipif(not IS_SAFE, reason="no fork"))]
)
def pool(request):
    with pool_of(warm=request.param, memory=LIMIT) as pool:
        yield pool


@pytest.fixture
def run(notebooks, tmp_path, pool):
    def run_cells(*cells):
        return execute(notebooks("01_one", *cells) / "01_one.ipynb", {}, folder=tmp_path, pool=pool, timeout=40)

    return run_cells


@pytest.mark.parametrize("cell", [TAKE.format(size=600 * MB, wait=60), CHILD], ids=["kernel", "child"])
def test_what_takes_more_than_the_limit_is_ended(run, cell):
    execution = run("print('before')", cell, "print('after')")
    assert str(execution.failure) == "cell 4: it used more than 400 MB (--memory)"
    assert execution.retried == ""
    assert execution.memory > LIMIT


def test_what_stays_below_it_runs_to_its_end_and_its_peak_is_known(run):
    small, large = run("1"), run(TAKE.format(size=150 * MB, wait=0))
    assert small.failure is large.failure is None
    assert 20 * MB < small.memory < LIMIT - 150 * MB
    assert large.memory - small.memory == pytest.approx(150 * MB, abs=25 * MB)


@pytest.mark.skipif(MEASURE != "PSS", reason="elsewhere shared memory counts in full")
def test_shared_memory_counts_by_shares():
    """Two processes that share 200 MB take 200 MB together, not 400."""
    fork = f"import os, time; taken = b'x' * {200 * MB}; child = os.fork(); child and print(child, flush=True); time.sleep(60)"
    watcher = Watcher()
    with subprocess.Popen([sys.executable, "-c", fork], stdout=subprocess.PIPE, start_new_session=True) as process:
        child = int(process.stdout.readline())
        usage = watcher.watch(process.pid, process.kill)
        watcher.look(usage)
        one = Watcher().watch(child, process.kill)
        watcher.look(one)
        os.killpg(process.pid, 9)
    watcher.close()
    assert 200 * MB < usage.peak < 250 * MB
    assert one.peak == pytest.approx(usage.peak / 2, rel=0.1)


def test_watching_what_has_ended_is_no_error():
    watcher = Watcher(limit=1)
    process = subprocess.Popen(["true"])
    process.wait()
    usage = watcher.watch(process.pid, lambda: pytest.fail("there is nothing to end"))
    watcher.look(usage)
    time.sleep(0.7)
    watcher.close()
    assert usage.peak == 0


@pytest.mark.parametrize("text", ["", "four", "4", "-4GB", "0GB", "4 XB"])
def test_a_limit_that_is_no_size_is_told(text):
    with pytest.raises(InputError, match=r"`--memory` must be a size; found .+ Write it like 4GB"):
        bytes_of(text)
