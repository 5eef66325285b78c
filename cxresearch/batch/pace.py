"""How long the rest of a run will take."""

from collections.abc import Sequence
from statistics import fmean

from cxresearch.batch.outcome import Outcome
from cxresearch.batch.plan import Task


class Pace:
    """Expects of each notebook what it took the last time, corrected by how this run compares with the last one.

    A notebook that has not run yet in its study is expected to take what it took in others, else what the others take.

    Parameters
    ----------
    tasks : what the run is to do; what is up to date takes no time
    jobs : tasks at a time
    """

    def __init__(self, tasks: Sequence[Task], jobs: int) -> None:
        self.jobs = jobs
        self._left = {(task.study, task.notebook): task.expected for task in tasks if task.why}
        self._took: list[tuple[str, float, float]] = []  # notebook, seconds that were expected, seconds

    def done(self, outcome: Outcome) -> None:
        """Take note of one outcome."""
        expected = self._left.pop((outcome.study, outcome.notebook), None)
        if expected is not None and outcome.seconds:
            self._took.append((outcome.notebook, expected, outcome.seconds))

    def seconds_left(self) -> float | None:
        """Seconds until the last one is done; None while nothing is known."""
        expected = [seconds for _, seconds, _ in self._took if seconds]
        taken = [seconds for _, before, seconds in self._took if before]
        slower = sum(taken) / sum(expected) if expected else 1.0
        known = [(notebook, seconds) for notebook, _, seconds in self._took]
        known += [(notebook, seconds * slower) for (_, notebook), seconds in self._left.items() if seconds]
        if not known:
            return 0.0 if not self._left else None
        by_notebook: dict[str, list[float]] = {}
        for notebook, seconds in known:
            by_notebook.setdefault(notebook, []).append(seconds)
        anyone = fmean(seconds for _, seconds in known)
        means = {notebook: fmean(seconds) for notebook, seconds in by_notebook.items()}
        left = [seconds * slower or means.get(notebook, anyone) for (_, notebook), seconds in self._left.items()]
        return max(sum(left) / self.jobs, *left, 0.0)
