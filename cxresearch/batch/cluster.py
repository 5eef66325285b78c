"""The workers of a Dask cluster do the tasks of a run; this machine plans it and keeps the outputs."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import distributed

from cxresearch.batch.cluster_checks import check_cluster
from cxresearch.batch.freshness import key_of_software
from cxresearch.batch.outcome import Outcome, said_by
from cxresearch.batch.plan import Plan, Task
from cxresearch.batch.remote_kernels import Delivery, RemoteKernels, host_of, run_on_worker, stamp_of
from cxresearch.batch.workers import do_without_kernel, put_in_place
from cxresearch.errors import InputError

SECONDS_TO_CONNECT = 10
SECONDS_WITHOUT_WORKERS = 30
_SECONDS_BETWEEN_LOOKS = 1

Event = tuple[float, Mapping[str, Any]]  # time and content


@dataclass(slots=True)
class _Pending:
    """A task that is not done yet.

    Attributes
    ----------
    future : what the run waits for
    remote : what the cluster will give
    worker : where it was begun last, "" while it waits
    lost : the workers on which it was begun before
    """

    task: Task
    future: Future[Outcome]
    remote: distributed.Future
    worker: str = ""
    lost: list[str] = field(default_factory=list)

    def fail(self, reason: str) -> None:
        """End it without a result."""
        self.end(Outcome(self.task.study, self.task.notebook, "failed", reason))

    def end(self, outcome: Outcome) -> None:
        """End it, if nobody else has."""
        if self.lost:
            outcome = replace(outcome, retried="; ".join(filter(None, [_lost(self.lost), outcome.retried])))
        with suppress(InvalidStateError):
            self.future.set_result(outcome)


class Cluster:
    """The workers of a Dask cluster, as many tasks at a time as they have threads.

    A task whose worker is lost is begun once more, on another one; if that is lost too, the task has failed.

    Parameters
    ----------
    address : of the scheduler, such as tcp://host:port
    plan : the whole run
    warm : fork kernels from one server on each worker, where that is safe
    memory : bytes that a kernel and all that it has started may take
    timeout : seconds that the cells of a notebook may take together

    Raises
    ------
    InputError
        If the scheduler cannot be reached or has no workers, or if they have another Python or cxresearch than this machine.
    """

    def __init__(
        self, address: str, plan: Plan, *, warm: bool, memory: int | None = None, timeout: float | None = None
    ) -> None:
        self._run = f"cxresearch-{uuid4().hex[:12]}"
        self._plan, self._inputs = plan, defaultdict[str, dict[str, str]](dict)
        self._pending: dict[str, _Pending] = {}
        self._over, self._stopped = threading.Event(), False
        self._client = _connect(address)
        try:
            check_cluster(self._client)
            threads = self._client.nthreads()
            slots: dict[str, int] = defaultdict(int)
            for worker, count in threads.items():
                slots[host_of(worker)] += count
            software = key_of_software()["cxresearch"]
            kernels = RemoteKernels(dict(slots), warm=warm, software=software, memory=memory, timeout=timeout)
            self._client.register_plugin(kernels, name=self._run)
            self._client.subscribe_topic(self._run, self._take_note_of_begin)
            self._client.subscribe_topic("all", self._take_note_of_worker)
        except BaseException:
            self._client.close()
            raise
        jobs = sum(threads.values())
        self.told: Mapping[str, Any] = {"jobs": jobs, "warm": warm, "scheduler": address, "workers": len(threads)}

    def __enter__(self) -> "Cluster":
        threading.Thread(target=self._watch_workers, name="workers", daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._over.set()
        with suppress(Exception):  # the scheduler is gone: its workers end the kernels by themselves
            self._client.unsubscribe_topic("all")
            self._client.unregister_worker_plugin(self._run)
        self._client.close()

    def submit(self, task: Task) -> Future[Outcome]:
        """Give a task to the cluster; what needs no kernel is done here."""
        future: Future[Outcome] = Future()
        done = do_without_kernel(task)
        if done:
            future.set_result(done)
            return future
        key = f"{task.notebook}-{task.study}-{self._run}"
        remote = self._client.submit(
            run_on_worker, self._run, task, self._inputs_of(task), key=key, pure=False, retries=0
        )
        self._pending[key] = _Pending(task, future, remote)
        remote.add_done_callback(partial(self._settle, key))
        return future

    def stop(self) -> None:
        """Drop what has not begun; end the kernels of what runs."""
        self._stopped = True
        pending = list(self._pending.values())
        for each in pending:
            if each.worker:
                each.fail("the run was stopped")
            else:
                each.future.cancel()
        with suppress(Exception):  # the scheduler is gone
            self._client.cancel([each.remote for each in pending], force=True)

    def _inputs_of(self, task: Task) -> dict[str, str]:
        """The local files that a task needs, each with its stamp."""
        study = self._plan.studies[task.study]
        if task.study not in self._inputs:
            self._inputs[task.study] = {
                str(path): stamp_of(path) for path in [study.path, *study.data_files()] if isinstance(path, Path)
            }
        return {str(task.source): stamp_of(task.source), **self._inputs[task.study]}

    def _settle(self, key: str, remote: distributed.Future) -> None:
        """Take what a worker delivers, or say why nothing comes."""
        pending = self._pending[key]
        try:
            delivery: Delivery = remote.result()
            pending.end(put_in_place(pending.task, delivery.outcome, delivery.files))
        except distributed.KilledWorker as error:
            pending.fail(_lost([error.last_worker.address]))
        except CancelledError:  # by `stop` or when a worker was lost again, which have told it; else by the client
            pending.fail("the scheduler of the cluster was lost")
        except Exception as error:
            pending.fail(said_by(type(error).__name__, error))
        finally:
            del self._pending[key]
            remote.release()

    def _take_note_of_begin(self, event: Event) -> None:
        pending = self._pending.get(event[1]["key"])
        if pending is None:
            return
        if pending.worker:
            pending.lost.append(pending.worker)
        pending.worker = event[1]["worker"]

    async def _take_note_of_worker(self, event: Event) -> None:
        """Give a task up whose second worker is lost."""
        if event[1].get("action") != "remove-worker":
            return
        given_up = [each for each in self._pending.values() if each.lost and each.worker == event[1]["worker"]]
        for each in given_up:
            each.fail(_lost([each.worker]))
        if given_up:
            await self._client.cancel([each.remote for each in given_up], asynchronous=True, force=True)

    def _watch_workers(self) -> None:
        """Give all tasks up where no worker has been there for some time."""
        seen = time.monotonic()
        while not self._over.wait(_SECONDS_BETWEEN_LOOKS):
            with suppress(Exception):  # without a scheduler the client ends all tasks
                seen = time.monotonic() if self._client.nthreads() else seen
            if time.monotonic() - seen > SECONDS_WITHOUT_WORKERS:
                for each in list(self._pending.values()):
                    each.fail("no worker of the cluster is left")


def _connect(address: str) -> distributed.Client:
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is lost is told as the outcome of a notebook
    try:
        return distributed.Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"`--scheduler` must be the address of a Dask scheduler, such as tcp://host:8786; none answers at {address} "
            f"within {SECONDS_TO_CONNECT} s",
            said_by(type(error).__name__, error),
            "Start one with `dask scheduler`, and workers with `dask worker`.",
        ) from error


def _lost(workers: list[str]) -> str:
    return f"worker {' and then '.join(workers)} was lost"
