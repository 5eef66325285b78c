"""Run a plan: notebooks in parallel, each in its own kernel, every study's folder left in order."""

import math
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from cxresearch.batch.environment import kernel_environment
from cxresearch.batch.lock import InUseError
from cxresearch.batch.outcome import Outcome, not_written, one_line, remember, said_by
from cxresearch.batch.plan import Plan, Task
from cxresearch.batch.report import RunReport
from cxresearch.batch.terminal import Progress
from cxresearch.batch.warm import IS_SAFE, ForkServer, spared_by
from cxresearch.batch.workers import Here, Workers
from cxresearch.errors import InputError
from cxresearch.present.outputs import assemble_results, remove_leftovers
from cxresearch.present.site import write_page

if TYPE_CHECKING:
    from cxresearch.batch.cluster import Cluster

PAGE = "index.html"
_SECONDS_OF_IMPATIENCE = 2  # while the first one is acted on: kernels are ended, folders left in order


class Run:
    """What a run has come to so far.

    Attributes
    ----------
    pages : index.html of each study that was finished
    stopped : whether it was broken off by hand
    report : run.json and run.html, which are kept up
    refused : studies that another run is at work on
    """

    def __init__(self, plan: Plan, progress: Progress, **of_the_run: Any) -> None:
        self.plan, self.progress = plan, progress
        self.pages: list[Path] = []
        self.stopped = False
        self.refused: set[str] = set()
        self.report = RunReport(plan, lambda: (self.in_order(), list(self.pages)), **of_the_run)
        self._outcomes: dict[str, list[Outcome]] = {study: [] for study in plan.studies}  # as they came
        self._tasks = Counter(task.study for task in plan.tasks)
        self._folders = {task.study: task.folder for task in plan.tasks}

    @property
    def failed(self) -> bool:
        """Whether anything failed."""
        return any(outcome.status == "failed" for outcomes in self._outcomes.values() for outcome in outcomes)

    def add(self, outcome: Outcome) -> None:
        """Take note of one outcome, also on disk, so that a run that is killed can resume; the last of a study writes its page."""
        self._outcomes[outcome.study].append(outcome)
        if not outcome.cached:
            with suppress(OSError, InputError, InUseError):  # told when the page is written
                remember(self._folders[outcome.study], [outcome])
                self.plan.outputs.send(outcome)
        self.progress.tick(outcome)
        if len(self._outcomes[outcome.study]) == self._tasks[outcome.study]:
            self.finish(outcome.study)
        self.report.note()

    def of(self, study: str) -> list[Outcome]:
        """The outcomes of one study, in the order of its notebooks."""
        return sorted(self._outcomes[study], key=lambda each: each.notebook)

    def in_order(self) -> list[Outcome]:
        """The outcomes study by study."""
        return [outcome for study in self.plan.studies for outcome in self.of(study)]

    def refuse(self, task: Task, reason: str) -> None:
        """Take note of a task that cannot be done now; its study's folder is left alone."""
        outcome = Outcome(task.study, task.notebook, "failed", reason)
        self._outcomes[task.study].append(outcome)
        self.progress.tick(outcome)

    def stop(self, last: Iterable[Outcome]) -> None:
        """Take note of the last outcomes of a run that was broken off, and leave the folders in order."""
        for outcome in last:
            if outcome not in self._outcomes[outcome.study]:
                self.add(outcome)
        begun = {study for study, outcomes in self._outcomes.items() if outcomes} - self.refused
        for study in begun - {page.parent.name for page in self.pages}:
            self.finish(study)

    def finish_late(self) -> None:
        """Finish once more the studies that could not be finished, where that is worth it."""
        late = [each for outcomes in self._outcomes.values() for each in outcomes if each.notebook == PAGE]
        if late and self.plan.outputs.try_again():
            for fault in late:
                self._outcomes[fault.study].remove(fault)
                self.finish(fault.study)

    def finish(self, study: str) -> None:
        """Write results.csv and the page of a study; where that fails, there is no page and one more failure.

        Where nothing was done since they were written, they stay as they are.
        """
        folder = self._folders[study]
        if all(each.cached for each in self.of(study)) and self.plan.outputs.is_finished(study):
            self.pages.append(folder / PAGE)
            return
        try:
            (folder / PAGE).unlink(missing_ok=True)
            self.plan.outputs.bring(study)
            assemble_results(folder)
            page = write_page(self.plan.studies[study], folder, remember(folder, self.of(study)))
            self.plan.outputs.finish(study)
            self.pages.append(page)
        except Exception as error:
            for name in (PAGE, "results.csv"):  # what is not current must not pass for it
                with suppress(OSError):
                    (folder / name).unlink(missing_ok=True)
            self._outcomes[study].append(Outcome(study, PAGE, "failed", _why_unfinished(folder, error)))


def run_plan(
    plan: Plan,
    *,
    jobs: int,
    progress: Progress,
    warm: bool = True,
    server: ForkServer | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    fail_fast: bool = False,
    scheduler: str | None = None,
) -> Run:
    """Run every task, `jobs` at a time; a failed one does not stop the others.

    Ctrl-C and SIGTERM end the kernels; what was done until then is kept and told.

    Parameters
    ----------
    warm : fork kernels from a server that has imported everything, where that is safe
    server : that server, where it was started before
    timeout : seconds that the cells of a notebook may take together
    memory : bytes that a notebook's kernel and all that it has started may take
    fail_fast : break off at the first failure
    scheduler : address of a Dask scheduler whose workers do the tasks, as many at a time as they have threads

    Raises
    ------
    InputError
        If the cluster cannot be used.
    """
    run = Run(plan, progress, timeout=timeout, memory=memory)
    with suppress(OSError):
        remove_leftovers(plan.tasks[0].folder.parent)
    with ExitStack() as held:
        tasks = [task for study in plan.studies for task in _hold(study, run, held)]
        to_run = [task.source for task in tasks if task.why]
        warm = warm and len(to_run) > 1  # for one notebook a server does not pay
        options: dict[str, Any] = {"memory": memory, "timeout": timeout}
        workers: Workers
        if scheduler and not all(task.current for task in tasks):
            workers = _cluster(scheduler, plan, warm=warm, **options)
        else:
            if warm and IS_SAFE and server is None:
                server = held.enter_context(closing(ForkServer(kernel_environment(jobs), spared_by(to_run))))
            workers = Here(jobs, server=server if warm else None, **options)
        held.enter_context(workers)
        run.report.of_the_run |= workers.told
        held.enter_context(run.report)
        with _signals_interrupt():
            futures = [workers.submit(task) for task in tasks]
            if not _collect(futures, run, fail_fast):
                workers.stop()
                run.stop(future.result() for future in futures if not future.cancelled())
                run.report.end = "stopped" if run.stopped else "first failure"
            run.finish_late()
    try:
        plan.outputs.send_report()
    except (OSError, InputError) as error:
        run.report.fault = one_line(error)
    return run


def _why_unfinished(folder: Path, error: Exception) -> str:
    if isinstance(error, InUseError):
        return str(error)
    return not_written(folder, error) if isinstance(error, OSError) else said_by(type(error).__name__, error)


def _cluster(scheduler: str, plan: Plan, **options: Any) -> "Cluster":
    try:
        from cxresearch.batch.cluster import Cluster
    except ModuleNotFoundError as error:
        if error.name not in ("dask", "distributed"):
            raise
        raise InputError(
            "`--scheduler` needs Dask",
            f"`{error.name}` is not installed",
            "pip install 'cxresearch[dask]' installs it.",
        ) from error
    return Cluster(scheduler, plan, **options)


def _hold(study: str, run: Run, locks: ExitStack) -> list[Task]:
    """Lock a study's folder where something is to be done; its tasks, none where another run has it."""
    tasks = [task for task in run.plan.tasks if task.study == study]
    if all(task.current for task in tasks) and run.plan.outputs.is_finished(study):
        return tasks
    try:
        locks.enter_context(run.plan.outputs.hold(study))
        run.plan.outputs.bring(study)
    except InUseError as error:
        run.refused.add(study)
        for task in tasks:
            run.refuse(task, str(error))
        return []
    return tasks


def _collect(futures: Sequence[Future[Outcome]], run: Run, fail_fast: bool) -> bool:
    """Take note of outcomes as they come; whether that went on to the last one."""
    try:
        for future in as_completed(futures):
            run.add(future.result())
            if fail_fast and run.failed:
                return False
    except KeyboardInterrupt:
        run.stopped = True
        return False
    return True


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Ctrl-C and SIGTERM break the run off (only the main thread may say so); pressed again at once they say nothing new."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    last = -math.inf

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before > _SECONDS_OF_IMPATIENCE:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
