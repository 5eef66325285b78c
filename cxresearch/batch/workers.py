"""Who does the tasks of a run: on one machine, its cores."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from cxresearch.batch.freshness import hash_file
from cxresearch.batch.kernels import KernelPool
from cxresearch.batch.masking import mask_outputs
from cxresearch.batch.outcome import Outcome, not_written, said_by
from cxresearch.batch.plan import Task
from cxresearch.batch.turns import Turn, Turns
from cxresearch.batch.warm import ForkServer
from cxresearch.present.outputs import clear_notebook, files_of_notebook, write_whole
from cxresearch.study.urls import without_secrets

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from cxresearch.batch.execute import Execution

_clearing = threading.Lock()  # clearing a notebook's outputs writes results.csv anew: one thread at a time


class Workers(Protocol):
    """Who does the tasks of a run."""

    @property
    def told(self) -> Mapping[str, Any]:
        """What the report says of them."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None: ...

    def submit(self, task: Task) -> Future[Outcome]:
        """Have a task done; whatever goes wrong is its outcome."""

    def stop(self) -> None:
        """Drop what has not begun and end what runs; its outcome says so."""


class Here:
    """The cores of this machine. While `jobs` notebooks run, the kernel of the next one starts and that of the last one ends.

    Parameters
    ----------
    jobs : tasks at a time
    server : that kernels are forked from; None for plain ones
    memory : bytes that a kernel and all that it has started may take
    timeout : seconds that the cells of a notebook may take together
    """

    def __init__(
        self, jobs: int, *, server: ForkServer | None = None, memory: int | None = None, timeout: float | None = None
    ) -> None:
        self._pool = KernelPool(jobs, server=server, memory=memory)
        self._threads, self._timeout = ThreadPoolExecutor(jobs + 1), timeout
        self._turns = Turns(jobs)
        self._futures: list[Future[Outcome]] = []
        self.told: Mapping[str, Any] = {"jobs": jobs, "warm": self._pool.server is not None}

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()
        self._pool.__exit__()

    def submit(self, task: Task) -> Future[Outcome]:
        """Have a thread wait for the task's kernel."""
        future: Future[Outcome] = Future()
        self._futures.append(future)
        self._turns.ask(future)
        self._threads.submit(self._do, task, future)
        return future

    def stop(self) -> None:
        """Drop what has not begun and end the kernels that run."""
        for future in self._futures:
            future.cancel()
        self._pool.stop()
        self._threads.shutdown(cancel_futures=True)

    def _do(self, task: Task, future: Future[Outcome]) -> None:
        try:
            future.set_result(run_task(task, self._pool, self._timeout, self._turns.turn(future)))
        except (CancelledError, InvalidStateError):  # the run was stopped before its turn came
            pass
        finally:
            self._turns.leave(future)


class _NotWrittenError(Exception):
    """The folder of the outputs cannot be used."""


def run_task(
    task: Task, pool: KernelPool, timeout: float | None = None, turn: AbstractContextManager[None] | None = None
) -> Outcome:
    """Run one notebook of one study and put its files in place; whatever goes wrong is the outcome, never an error.

    Parameters
    ----------
    timeout : seconds that the cells of the notebook may take together
    turn : entered before anything of an earlier run is removed, left when all is well or in place; may wait

    Raises
    ------
    CancelledError
        If `turn` does.
    """
    done = do_without_kernel(task)
    if done:
        return done
    failed = Outcome(task.study, task.notebook, "failed")
    try:
        from cxresearch.batch.execute import execute, say_parameters  # takes seconds, which a run without work need not

        parameters = {**task.parameters, "output_dir": str(task.folder.parent)}  # on a worker another one than planned
        places: dict[str, Any] = {"folder": task.source.parent, "pool": pool}
        with closing(Turn(_cleared(task, turn))) as its_turn:
            execution = execute(task.source, parameters, timeout=timeout, turn=its_turn, **places)
            said = {name: without_secrets(value) for name, value in task.parameters.items()}
            say_parameters(execution.notebook, said)
            return _keep(task, execution)
    except CancelledError:
        raise
    except _NotWrittenError as error:
        return replace(failed, reason=str(error))
    except Exception as error:  # as a notebook file that is no notebook
        with suppress(OSError):
            _clear(task)
        return replace(failed, reason=said_by(type(error).__name__, error))


@contextmanager
def _cleared(task: Task, turn: AbstractContextManager[None] | None) -> Iterator[None]:
    with turn or nullcontext():
        try:
            _clear(task)
        except OSError as error:
            raise _NotWrittenError(not_written(task.folder, error)) from error
        yield


def do_without_kernel(task: Task) -> Outcome | None:
    """The outcome of a task that is up to date or cannot be run; None where a notebook is to be run."""
    if task.current or not (task.skip or task.fault):
        return task.current
    try:
        _clear(task)
    except OSError as error:
        return Outcome(task.study, task.notebook, "failed", not_written(task.folder, error))
    if task.skip:
        return Outcome(task.study, task.notebook, "skipped", task.skip, missing=task.missing)
    return Outcome(task.study, task.notebook, "failed", task.fault)


def put_in_place(task: Task, outcome: Outcome, files: Mapping[str, bytes]) -> Outcome:
    """Put what a task has written elsewhere into its study's folder, for all that an earlier run of its notebook left there.

    Parameters
    ----------
    outcome : with `kept` as a name in `files`
    files : path relative to the study's folder -> content
    """
    try:
        _clear(task)
        for name, content in files.items():
            write_whole(task.folder / name, content)
    except OSError as error:
        with suppress(OSError):
            _clear(task)
        reason = "; ".join(filter(None, [outcome.reason, not_written(task.folder, error)]))
        return replace(outcome, status="failed", reason=reason, kept=None, files={}, key={})
    return replace(outcome, kept=task.folder / outcome.kept) if outcome.kept else outcome


def _keep(task: Task, execution: "Execution") -> Outcome:
    """Put what an execution has left in place: all of a sound one; of a failed one its notebook only."""
    content, failure = _as_file(execution.notebook), execution.failure
    outcome = Outcome(
        *(task.study, task.notebook, "failed", str(failure or "")),
        seconds=execution.seconds,
        retried=execution.retried,
        memory=execution.memory,
        cell=failure.cell if failure else None,
    )
    if not failure:
        try:
            written = [*files_of_notebook(task.folder, task.notebook), write_whole(_executed(task), content)]
            files = {path.relative_to(task.folder).as_posix(): hash_file(path) for path in written}
            return replace(outcome, status="ok", files=files, key=task.key)
        except OSError as error:
            outcome = replace(outcome, reason=not_written(task.folder, error))
    try:
        _clear(task)  # half a notebook's tables and figures would pass for the whole
        return replace(outcome, kept=write_whole(_executed(task, ".failed"), content))
    except OSError as error:
        return replace(outcome, reason=f"{outcome.reason}; its notebook is not kept: {not_written(task.folder, error)}")


def _as_file(notebook: "NotebookNode") -> bytes:
    import nbformat

    mask_outputs(notebook)
    return nbformat.writes(notebook).encode()


def _clear(task: Task) -> None:
    """Remove all that an earlier run of this notebook left, so that nothing old passes for current."""
    for path in (_executed(task), _executed(task, ".failed")):
        path.unlink(missing_ok=True)
    with _clearing:
        clear_notebook(task.folder, task.notebook)


def _executed(task: Task, suffix: str = "") -> Path:
    return task.folder / f"{task.notebook}{suffix}.ipynb"
