"""A worker of a Dask cluster: it runs notebooks aside, in a folder of its own, and hands over what they wrote.

The runner alone writes to the folder of the outputs. A worker that is lost, or one that is slow to learn that nobody waits for it
any more, leaves nothing there.
"""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from distributed import Reschedule, Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from cxresearch.batch.environment import kernel_environment
from cxresearch.batch.freshness import key_of_software
from cxresearch.batch.kernels import KernelPool
from cxresearch.batch.outcome import Outcome
from cxresearch.batch.plan import Task
from cxresearch.batch.warm import IS_SAFE, ForkServer
from cxresearch.batch.workers import run_task

_SECONDS_IDLE = 60  # after which a worker lets go of the memory that warm kernels are forked from
_ENOUGH = 1 << 20  # bytes at the start of a file that tell one from another of the same size


@dataclass(frozen=True, slots=True)
class Delivery:
    """A task as a worker has done it.

    Attributes
    ----------
    outcome : with `kept` as a name in `files`
    files : path relative to the study's folder -> content
    """

    outcome: Outcome
    files: Mapping[str, bytes] = field(default_factory=dict)


class RemoteKernels(WorkerPlugin):
    """The kernels of one run on one worker; they end with their task, whether it is done, cancelled or without a client.

    Parameters
    ----------
    slots : host -> tasks at a time on all workers there, which share its cores
    warm : fork kernels from one server where that is safe
    software : hash of the runner's cxresearch
    memory, timeout : limits of a notebook
    """

    def __init__(
        self, slots: Mapping[str, int], *, warm: bool, software: str, memory: int | None, timeout: float | None
    ) -> None:
        self._slots, self._warm, self._software = slots, warm, software
        self._memory, self._timeout = memory, timeout

    def setup(self, worker: Worker) -> None:
        """Be ready on a worker."""
        self._worker = worker
        self._pools: dict[str, KernelPool] = {}
        self._unwanted: set[str] = set()
        self._server: ForkServer | None = None
        self._closing: threading.Timer | None = None
        self._lock = threading.Lock()
        self._over = False

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """End the kernel of a task that nobody waits for any more."""
        if start in ("executing", "long-running") and finish not in ("memory", "error"):
            with self._lock:
                self._unwanted.add(key)
                pool = self._pools.get(key)
            if pool is not None:
                pool.stop()

    def teardown(self, worker: Worker) -> None:
        """End everything: the run is over, or the worker stops."""
        with self._lock:
            self._over = True
            pools = list(self._pools.values())
        for pool in pools:
            pool.stop()
        self._close_server()

    def run(self, key: str, task: Task, inputs: Mapping[str, str]) -> Delivery:
        """Run one task in a folder that is removed afterwards."""
        reason = self._why_not(inputs)
        if reason:
            return Delivery(Outcome(task.study, task.notebook, "failed", reason))
        with self._pool(key) as pool, TemporaryDirectory(dir=self._worker.local_directory) as place:
            here = replace(task, folder=Path(place) / task.study)
            outcome = run_task(here, pool, self._timeout)
            if self._over:  # it was ended with the worker, not by a fault of its own
                raise Reschedule
            return _delivery(outcome, here.folder)

    def _why_not(self, inputs: Mapping[str, str]) -> str:
        """Why this worker cannot do the task, "" if it can."""
        name = f"worker {self._worker.address}"
        if key_of_software()["cxresearch"] != self._software:
            return f"{name} has another cxresearch than this machine; install the same one there"
        for path, stamp in inputs.items():
            found = stamp_of(Path(path))
            if found != stamp:
                what = f"finds another file than this machine at {path}" if found else f"cannot read {path}"
                return f"{name} {what}; put it where every worker finds it under this path, or name it by a URL"
        return ""

    @contextmanager
    def _pool(self, key: str) -> Iterator[KernelPool]:
        """Kernels for one task, to be stopped apart from the others."""
        jobs = self._slots.get(host_of(self._worker.address), self._worker.state.nthreads)
        with self._lock:
            if self._closing is not None:
                self._closing.cancel()
            if self._warm and IS_SAFE and (self._server is None or not self._server.is_alive):
                self._server = ForkServer(kernel_environment(jobs))
            pool = self._pools[key] = KernelPool(jobs, server=self._server, memory=self._memory)
            pool.stopped = key in self._unwanted
        try:
            with pool:
                yield pool
        finally:
            with self._lock:
                del self._pools[key]
                self._unwanted.discard(key)
                if not self._pools:
                    self._closing = threading.Timer(_SECONDS_IDLE, self._close_server)
                    self._closing.daemon = True
                    self._closing.start()

    def _close_server(self) -> None:
        with self._lock:
            if self._closing is not None:
                self._closing.cancel()
            server, self._server = self._server, None
        if server is not None:
            server.close()


def run_on_worker(run: str, task: Task, inputs: Mapping[str, str]) -> Delivery:
    """What the cluster is given to do: run a task by the kernels of a run, whose plugin has its name."""
    worker = get_worker()
    key = worker.get_current_task()
    worker.log_event(run, {"key": key, "worker": worker.address})
    kernels = worker.plugins.get(run)
    if kernels is None:  # the worker is about to stop
        raise Reschedule
    return kernels.run(key, task, inputs)


def stamp_of(path: Path) -> str:
    """What tells a file from another one; "" if it cannot be read."""
    if path.is_dir():
        return "folder"
    try:
        with path.open("rb") as stream:
            return f"{path.stat().st_size} {hashlib.sha256(stream.read(_ENOUGH)).hexdigest()[:16]}"
    except OSError:
        return ""


def _delivery(outcome: Outcome, folder: Path) -> Delivery:
    names = [*outcome.files, *([outcome.kept.name] if outcome.kept else [])]
    kept = Path(outcome.kept.name) if outcome.kept else None
    return Delivery(replace(outcome, kept=kept), {name: (folder / name).read_bytes() for name in names})


def host_of(address: str) -> str:
    """The host in an address such as tcp://host:port."""
    return address.rpartition("://")[2].rpartition(":")[0]
