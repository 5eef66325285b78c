"""One notebook in one kernel, from its first cell to its last or to its first fault."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxresearch.batch.absence import without

with without("rfc3987_syntax"):  # a second of work for checks of web addresses, which no notebook file holds
    import nbformat
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NotebookExecutionManager
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from papermill.translators import translate_parameters

from cxresearch.batch.kernels import KERNEL_NAME, Kernel, KernelPool
from cxresearch.batch.memory import in_words
from cxresearch.batch.outcome import one_line, said_by
from cxresearch.batch.turns import Turn

SECONDS_TO_START = 60
_MOMENT = 0.01  # seconds; nothing would mean for ever
SECONDS_FOR_OUTPUT = 60  # a busy machine may deliver the last output of a cell late

for _name in ("papermill", "traitlets"):  # faults come back as Failure; a log line would cut through the progress bar
    logging.getLogger(_name).addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a notebook did not come to its end.

    Attributes
    ----------
    error : message of the error, in one line, with its name unless it tells users what to mend
    cell : number of the cell as Jupyter shows it (In [3] is 3); None if no cell was reached
    """

    error: str
    cell: int | None = None

    def __str__(self) -> str:
        return self.error if self.cell is None else f"cell {self.cell}: {self.error}"


@dataclass(frozen=True, slots=True)
class Execution:
    """An executed notebook.

    Attributes
    ----------
    notebook : with the outputs of all cells that ran
    failure : None if every cell ran
    seconds : from the first start of a kernel to the end, but for the time that it waited for its turn
    retried : the fault of the machinery for which it was run a second time, else ""
    memory : the most that its kernel and all that it had started took, in bytes (memory.py)
    """

    notebook: nbformat.NotebookNode
    failure: Failure | None
    seconds: float
    retried: str = ""
    memory: int = 0


class _MachineryError(Exception):
    """No cell was reached, or what ran the kernel is gone: no fault of the notebook."""


def execute(
    source: Path,
    parameters: Mapping[str, Any],
    *,
    folder: Path,
    pool: KernelPool,
    timeout: float | None = None,
    turn: Turn | None = None,
) -> Execution:
    """Run a notebook with parameters; what fails by a fault of the machinery is tried once more.

    The kernel starts at once; the first cell waits for the notebook's turn, so that no core is idle while kernels start and end.

    Parameters
    ----------
    source : the notebook file
    parameters : replace those of the cell tagged `parameters`
    folder : where the kernel works; this process's own folder stays as it is
    pool : where the kernel comes from
    timeout : seconds that all cells may take together
    turn : waited for before the first cell; ended after the last one if all is well, else left to the caller

    Raises
    ------
    Exception
        What `turn` raises: the notebook cannot be begun.
    """
    begin, retried = time.monotonic(), ""
    turn = turn or Turn()
    while True:
        notebook = parameterize_notebook(
            load_notebook_node(str(source)), dict(parameters), kernel_name=KERNEL_NAME, language="python"
        )
        kernel = pool.take()
        try:
            failure = _run_cells(notebook, folder, kernel, pool, timeout, turn)
        except _MachineryError as error:
            if not retried and not pool.stopped:
                retried = str(error)
                continue
            turn.wait()
            failure = Failure(str(error))
        if failure:
            _mark(notebook, failure)
        return Execution(notebook, failure, time.monotonic() - begin - turn.waited, retried, kernel.memory.peak)


def say_parameters(notebook: nbformat.NotebookNode, parameters: Mapping[str, Any]) -> None:
    """Let a notebook say these parameters, where it was run with others: in a folder elsewhere, with a secret in a URL."""
    notebook.metadata.setdefault("papermill", {})["parameters"] = dict(parameters)
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = translate_parameters(KERNEL_NAME, "python", dict(parameters), "Parameters")


def _run_cells(
    notebook: nbformat.NotebookNode,
    folder: Path,
    kernel: Kernel,
    pool: KernelPool,
    timeout: float | None,
    turn: Turn,
) -> Failure | None:
    progress = NotebookExecutionManager(notebook, progress_bar=False)
    client = PapermillNotebookClient(
        progress,
        km=kernel,
        resources={"metadata": {"path": str(folder)}},
        startup_timeout=SECONDS_TO_START,
        iopub_timeout=SECONDS_FOR_OUTPUT,
    )
    started = finished = False
    progress.notebook_start()
    try:
        with closing(ensure_event_loop()), client.setup_kernel(cleanup_kc=True):
            started = True
            turn.wait()
            client.timeout_func = _time_left(timeout)
            client.papermill_execute_cells()
            client.set_widgets_metadata()
            pool.watcher.look(kernel.memory)
            finished = True
            if not _failed_cell(notebook):
                turn.close()
    except Exception as error:
        if not started:
            raise _MachineryError(_why_not_started(error, kernel, pool)) from error
        if not turn.has_come:  # it cannot be begun
            raise
        if kernel.is_orphaned and not finished and not pool.stopped:
            raise _MachineryError("the process that warm kernels are forked from was lost") from error
        if not finished:  # else the kernel was only slow to stop
            why = f"it was stopped after {timeout:g} s (--timeout)" if isinstance(error, CellTimeoutError) else ""
            return Failure(why or _why_stopped(error, kernel, pool), _last_cell(notebook))
    finally:
        pool.give_back(kernel)
        progress.notebook_complete()
    too_much = kernel.memory.exceeded  # seen only when the last cell had ended
    return Failure(_too_much(pool), _last_cell(notebook)) if too_much else _failed_cell(notebook)


def _time_left(timeout: float | None) -> Callable[[object], float | None]:
    """How long a cell may take, asked when it begins."""
    if timeout is None:
        return lambda cell: None
    deadline = time.monotonic() + timeout
    return lambda cell: max(deadline - time.monotonic(), _MOMENT)


def _why_not_started(error: Exception, kernel: Kernel, pool: KernelPool) -> str:
    if pool.stopped:
        return "the run was stopped"
    return f"the kernel did not start ({one_line(kernel.last_words() or error)})"


def _why_stopped(error: Exception, kernel: Kernel, pool: KernelPool) -> str:
    if pool.stopped:
        return "the run was stopped"
    if kernel.memory.exceeded:
        return _too_much(pool)
    if isinstance(error, DeadKernelError):
        return f"the kernel died ({one_line(kernel.last_words() or 'no reason known')})"
    return said_by(type(error).__name__, error)


def _too_much(pool: KernelPool) -> str:
    return f"it used more than {in_words(pool.watcher.limit or 0)} (--memory)"


def _failed_cell(notebook: nbformat.NotebookNode) -> Failure | None:
    """The cell that raised, as papermill has marked it."""
    for index, cell in enumerate(notebook.cells):
        if cell.metadata.get("papermill", {}).get("exception") is True:
            errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
            said = said_by(errors[-1].ename, errors[-1].evalue) if errors else "it raised an error"
            return Failure(said, _number(notebook, index))
    return None


def _last_cell(notebook: nbformat.NotebookNode) -> int | None:
    """The number of the cell that was begun last."""
    begun = [
        index
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.metadata.get("papermill", {}).get("start_time")
    ]
    return _number(notebook, begun[-1]) if begun else None


def _number(notebook: nbformat.NotebookNode, index: int) -> int:
    return sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells[: index + 1])


def _mark(notebook: nbformat.NotebookNode, failure: Failure) -> None:
    """Say at the head of the notebook where it stopped, and why."""
    text = f"**This run stopped at** {failure}" if failure.cell is None else f"**This run stopped at {failure}**"
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(text))
