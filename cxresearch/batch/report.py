"""What a run tells of itself beside its studies, while it lasts and when it has ended: run.json and run.html."""

import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from cxresearch.batch.lock import InUseError, hold
from cxresearch.batch.memory import MEASURE
from cxresearch.batch.outcome import Outcome, not_written
from cxresearch.batch.plan import Plan
from cxresearch.present.outputs import write_whole
from cxresearch.present.run_page import write_run_page

_TOLD = ("status", "reason", "missing", "cell", "seconds", "memory", "cached", "retried")
_NOT_RUN = {**{name: getattr(Outcome("", "", "skipped"), name) for name in _TOLD}, "status": "not run"}
_SECONDS_BETWEEN_WRITINGS = 1.0
_SHARE_OF_TIME = 0.05  # that writing may take, however many notebooks there are


class RunReport:
    """Keeps run.json and run.html up: what became of each notebook so far, which were not run, how the run ended.

    Both are written whole and at most once a second, aside from the run's own work. A run that is killed leaves what it wrote last,
    which says that it has not ended. Where another run keeps its report in the same folder, the files are named
    run-HOST-PROCESS instead.

    Parameters
    ----------
    plan : the run
    so_far : tells the outcomes, study by study, and the pages that are finished
    of_the_run : what else is to be told of it

    Attributes
    ----------
    page : run.html
    end : "finished", "stopped" (by hand) or "first failure"; as it leaves with an error, "broken"
    fault : why the report could not be written the last time, else ""
    """

    def __init__(
        self, plan: Plan, so_far: Callable[[], tuple[list[Outcome], Sequence[Path]]], **of_the_run: Any
    ) -> None:
        self.plan, self.so_far, self.of_the_run = plan, so_far, of_the_run
        self.end, self.fault = "finished", ""
        self._folder = plan.tasks[0].folder.parent
        self._name = "run"
        self._began, self._moment = datetime.now().astimezone(), time.monotonic()
        self._news, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep_up, name="report", daemon=True)
        self._held = ExitStack()

    @property
    def page(self) -> Path:
        """Where the page lies."""
        return self._folder / f"{self._name}.html"

    def __enter__(self) -> "RunReport":
        try:
            self._held.enter_context(hold(self._folder))
        except InUseError:
            self._name = f"run-{re.sub(r'[^A-Za-z0-9]+', '_', socket.gethostname())}-{os.getpid()}"
        self._write(None)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._news.set()
        self._thread.join()
        with self._held:
            self._write("broken" if kind else self.end)

    def note(self) -> None:
        """There is something new to be told."""
        self._news.set()

    def _keep_up(self) -> None:
        while self._news.wait() and not self._over.is_set():
            self._news.clear()
            begin = time.monotonic()
            self._write(None)
            took = time.monotonic() - begin
            self._over.wait(max(_SECONDS_BETWEEN_WRITINGS, took / _SHARE_OF_TIME))

    def _write(self, end: str | None) -> None:
        content = self._content(end)
        languages = {study.language for study in self.plan.studies.values()}
        try:
            data = json.dumps(content, ensure_ascii=False, indent=1).encode()
            write_whole(self._folder / f"{self._name}.json", data)
            write_run_page(self.page, content, "zh" if languages == {"zh"} else "en")
            self.fault = ""
        except OSError as error:
            self.fault = not_written(self._folder, error)

    def _content(self, end: str | None) -> dict[str, Any]:
        outcomes, pages = self.so_far()
        finished = {page.parent.name for page in pages}
        return {
            "began": self._began.isoformat(timespec="seconds"),
            "written": datetime.now().astimezone().isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self._moment, 2),
            "end": end,
            "process": os.getpid(),
            "host": socket.gethostname(),
            "memory_measure": MEASURE,
            **self.of_the_run,
            "faults": {str(file): faults for file, faults in self.plan.faults.items()},
            "studies": {
                name: {"title": study.title, "page": f"{name}/index.html" if name in finished else ""}
                for name, study in self.plan.studies.items()
            },
            "notebooks": self._rows(outcomes),
        }

    def _rows(self, outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
        """One row a notebook, study by study; what was planned and has no outcome is not run."""
        planned = {(task.study, task.notebook): _NOT_RUN for task in self.plan.tasks}
        told = {(each.study, each.notebook): {name: getattr(each, name) for name in _TOLD} for each in outcomes}
        files = {(each.study, each.notebook): self._file(each) for each in outcomes}
        places = {study: place for place, study in enumerate(self.plan.studies)}
        rows = sorted({**planned, **told}.items(), key=lambda row: places[row[0][0]])  # notebooks stay in their order
        return [
            {"study": study, "notebook": notebook, **row, "file": files.get((study, notebook), "")}
            for (study, notebook), row in rows
        ]

    def _file(self, outcome: Outcome) -> str:
        """The executed notebook, or that of a failed run, from the page's folder; "" if there is none."""
        if outcome.kept:
            return outcome.kept.relative_to(self._folder).as_posix()
        return f"{outcome.study}/{outcome.notebook}.ipynb" if outcome.status == "ok" else ""
