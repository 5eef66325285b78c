"""What a run says on the terminal: progress while it lasts, one line a notebook at its end."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from tqdm import tqdm

from cxresearch.batch.outcome import Outcome
from cxresearch.batch.pace import Pace
from cxresearch.batch.plan import Task
from cxresearch.study.urls import Place

_BAR = "{n_fmt}/{total_fmt} |{bar}| {elapsed}{postfix}"


class Progress:
    """A bar with the time left on a terminal; in CI or in a file one plain line for each notebook that was run.

    Parameters
    ----------
    tasks : what the run is to do
    jobs : tasks at a time
    """

    def __init__(self, tasks: Sequence[Task], jobs: int, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.total, self.done, self.pace = len(tasks), 0, Pace(tasks, jobs)
        self.bar = None
        if not os.environ.get("CI") and self.stream.isatty():
            self.bar = tqdm(total=self.total, file=self.stream, leave=False, mininterval=0, bar_format=_BAR)
            self._show()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.close()

    def tick(self, outcome: Outcome) -> None:
        """Count one notebook as done."""
        self.done += 1
        self.pace.done(outcome)
        name = f"{outcome.study} {outcome.notebook}"
        if self.bar is None:
            reason = f": {outcome.reason}" if outcome.reason else f" in {outcome.seconds:.1f} s"
            if not outcome.cached:  # the summary tells what is up to date
                print(f"[{self.done}/{self.total}] {name} {outcome.status}{reason}", file=self.stream, flush=True)
            return
        if outcome.status == "failed":
            self.bar.write(f"{name} failed: {outcome.reason}", file=self.stream)
        self.bar.update()
        self._show(name)

    def _show(self, name: str = "") -> None:
        if self.bar is not None:
            left = self.pace.seconds_left()
            self.bar.set_postfix_str("; ".join(filter(None, ["" if left is None else f"{about(left)} left", name])))


def summary(
    outcomes: Sequence[Outcome], pages: Sequence[Path], where: Callable[[Path], Place] = lambda path: path
) -> str:
    """One line a notebook, how to open what failed, and where the pages lie.

    Parameters
    ----------
    where : tells of a file where its user finds it
    """
    if not outcomes:
        return "Nothing was run."
    wide = max(len(outcome.study) for outcome in outcomes)
    long = max(len(outcome.notebook) for outcome in outcomes)
    lines = [line for outcome in outcomes for line in _lines(outcome, wide, long, where)]
    kinds = ["up to date" if _is_current(outcome) else outcome.status for outcome in outcomes]
    counts = {kind: kinds.count(kind) for kind in ("ok", "up to date", "skipped", "failed")}
    lines += ["", ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)]
    lines += ["Everything is up to date."] if all(outcome.cached for outcome in outcomes) else []
    return "\n".join(lines + [f"page: {shown(where(page))}" for page in pages])


def refused(faults: Mapping[Place, Sequence[str]]) -> str:
    """Each study that is not run, with its first fault: to be said last, when the list of all has scrolled away."""
    lines = [f"refused: {len(faults):,} study file{'' if len(faults) == 1 else 's'} (all faults stand above)"]
    for file, found in faults.items():
        first, *more = [fault for fault in found if not fault.startswith("note: ")]
        lines.append(f"  {shown(file)}: {first}{f' (and {len(more):,} more)' if more else ''}")
    return "\n".join(lines)


def about(seconds: float) -> str:
    """A time that is not known to the second.

    >>> about(3), about(42), about(200), about(9000)
    ('about 5 s', 'about 40 s', 'about 3 min', 'about 2 h 30 min')
    """
    if seconds < 57.5:
        return f"about {max(round(seconds / 5), 1) * 5} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"about {hours} h {minutes} min" if hours else f"about {minutes} min"


def planned(tasks: Sequence[Task]) -> str:
    """One line a notebook: what a run would do with it, and why."""
    if not tasks:
        return "Nothing would be run."
    wide, long = (max(map(len, names)) for names in zip(*((task.study, task.notebook) for task in tasks), strict=True))
    return "\n".join(f"{task.study:<{wide}}  {task.notebook:<{long}}  {_intent(task)}" for task in tasks)


def shown(path: Place) -> str:
    """A path as short as it can be typed from here."""
    if isinstance(path, Path) and path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _is_current(outcome: Outcome) -> bool:
    return outcome.cached and outcome.status == "ok"


def _intent(task: Task) -> str:
    if task.fault:
        return f"fail: {task.fault}"
    if task.skip:
        return f"skip: {task.skip}"
    return f"run: {task.why}" if task.why else "up to date"


def _lines(outcome: Outcome, wide: int, long: int, where: Callable[[Path], Place]) -> list[str]:
    seconds = f"{outcome.seconds:6.1f} s" if outcome.seconds else " " * 8
    if _is_current(outcome):
        return [f"{outcome.study:<{wide}}  {outcome.notebook:<{long}}  ok       {' ' * 8}  up to date"]
    notes = "; ".join(filter(None, [outcome.reason, outcome.retried and f"second start: {outcome.retried}"]))
    line = f"{outcome.study:<{wide}}  {outcome.notebook:<{long}}  {outcome.status:<7}  {seconds}  {notes}".rstrip()
    kept = where(outcome.kept) if outcome.kept else None
    if kept is None:
        return [line]
    return [
        line,
        f"{' ' * wide}  {f'open it with: {_jupyter()} lab' if isinstance(kept, Path) else 'kept at'} {shown(kept)}",
    ]


def _jupyter() -> str:
    """What starts Jupyter from here: the one on the PATH, else that of the interpreter at work."""
    own = Path(sys.executable).with_name("jupyter")
    return shown(own) if shutil.which("jupyter") is None and own.exists() else "jupyter"
