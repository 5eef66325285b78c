"""Run a plan: notebooks in parallel, each in its own kernel, every study's folder left in order."""

import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import nbformat

from cxresearch.batch.execute import Execution, execute, said_by
from cxresearch.batch.kernels import KernelPool
from cxresearch.batch.outcome import Outcome, remember
from cxresearch.batch.plan import Plan, Task
from cxresearch.batch.terminal import Progress
from cxresearch.present.outputs import assemble_results, clear_notebook, write_whole
from cxresearch.present.site import write_page

_clearing = threading.Lock()  # clearing a notebook's outputs writes results.csv anew: one thread at a time


class Run:
    """What a run has come to so far.

    Attributes
    ----------
    outcomes : one a task that was run, skipped or failed, as they came
    pages : index.html of each study that was finished
    stopped : whether it was broken off
    """

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan, self.progress = plan, progress
        self.outcomes: list[Outcome] = []
        self.pages: list[Path] = []
        self.stopped = False

    @property
    def failed(self) -> bool:
        """Whether anything failed."""
        return any(outcome.status == "failed" for outcome in self.outcomes)

    def add(self, outcome: Outcome) -> None:
        """Take note of one outcome; the last of a study writes its page."""
        self.outcomes.append(outcome)
        self.progress.tick(outcome)
        if len(self.of(outcome.study)) == sum(task.study == outcome.study for task in self.plan.tasks):
            self.finish(outcome.study)

    def of(self, study: str) -> list[Outcome]:
        """The outcomes of one study, in the order of its notebooks."""
        return sorted((each for each in self.outcomes if each.study == study), key=lambda each: each.notebook)

    def in_order(self) -> list[Outcome]:
        """The outcomes study by study."""
        return [outcome for study in self.plan.studies for outcome in self.of(study)]

    def stop(self, last: Iterable[Outcome]) -> None:
        """Take note of the last outcomes of a run that was broken off, and leave the folders in order."""
        self.stopped = True
        for outcome in last:
            if outcome not in self.outcomes:
                self.add(outcome)
        begun = {outcome.study for outcome in self.outcomes}
        for study in begun - {page.parent.name for page in self.pages}:
            self.finish(study)

    def finish(self, study: str) -> None:
        """Write results.csv and the page of a study; where that fails, there is no page and one more failure."""
        folder = next(task.folder for task in self.plan.tasks if task.study == study)
        try:
            (folder / "index.html").unlink(missing_ok=True)
            assemble_results(folder)
            self.pages.append(write_page(self.plan.studies[study], folder, remember(folder, self.of(study))))
        except Exception as error:
            self.outcomes.append(Outcome(study, "index.html", "failed", said_by(type(error).__name__, error)))


def run_plan(plan: Plan, *, jobs: int, progress: Progress, warm: bool = True) -> Run:
    """Run every task, `jobs` at a time; a failed one does not stop the others.

    Ctrl-C and SIGTERM end the kernels; what was done until then is kept and told.

    Parameters
    ----------
    warm : fork kernels from a server that has imported everything, where that is safe
    """
    run = Run(plan, progress)
    with KernelPool(jobs, warm=warm) as pool, _signals_interrupt(), ThreadPoolExecutor(jobs) as threads:
        futures = [threads.submit(run_task, task, pool) for task in plan.tasks]
        try:
            for future in as_completed(futures):
                run.add(future.result())
        except KeyboardInterrupt:
            pool.stop()
            threads.shutdown(cancel_futures=True)
            run.stop(future.result() for future in futures if not future.cancelled())
    return run


def run_task(task: Task, pool: KernelPool) -> Outcome:
    """Run one notebook of one study and put its files in place; whatever goes wrong is the outcome, never an error."""
    try:
        _clear(task)
        if task.skip:
            return Outcome(task.study, task.notebook, "skipped", task.skip, missing=task.missing)
        if task.fault:
            return Outcome(task.study, task.notebook, "failed", task.fault)
        execution = execute(task.source, task.parameters, folder=task.source.parent, pool=pool)
        return _keep(task, execution)
    except Exception as error:  # a full disk, a folder that cannot be written, a notebook file that is no notebook
        return Outcome(task.study, task.notebook, "failed", said_by(type(error).__name__, error))


def _keep(task: Task, execution: Execution) -> Outcome:
    content = nbformat.writes(execution.notebook).encode()
    failure, took, retried = execution.failure, execution.seconds, execution.retried
    if failure is None:
        write_whole(_executed(task), content)
        return Outcome(task.study, task.notebook, "ok", seconds=took, retried=retried)
    _clear(task)  # half a notebook's tables and figures would pass for the whole
    kept = write_whole(_executed(task, ".failed"), content)
    return Outcome(task.study, task.notebook, "failed", str(failure), took, retried, kept, cell=failure.cell)


def _clear(task: Task) -> None:
    """Remove all that an earlier run of this notebook left, so that nothing old passes for current."""
    with _clearing:
        clear_notebook(task.folder, task.notebook)
    for path in (_executed(task), _executed(task, ".failed")):
        path.unlink(missing_ok=True)


def _executed(task: Task, suffix: str = "") -> Path:
    return task.folder / f"{task.notebook}{suffix}.ipynb"


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM breaks the run off as Ctrl-C does (only the main thread may say so)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
