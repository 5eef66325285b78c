"""Where the outputs of a run go: a folder of this machine; remote_outputs.py has the one at a URL."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from cxresearch.batch.freshness import hashes_in
from cxresearch.batch.lock import hold
from cxresearch.batch.outcome import FILE, Outcome
from cxresearch.study.urls import Place


class Destination:
    """A folder of this machine: the run works in it, nothing is to be sent.

    Parameters
    ----------
    folder : where the run works; each study has a folder in it

    Attributes
    ----------
    place : where its user finds it
    """

    def __init__(self, folder: Path, place: Place | None = None) -> None:
        self.folder = folder.resolve()
        self.place: Place = place or self.folder

    def begin(self, study: str) -> None:
        """Have at hand what the last run left of itself."""

    def held(self, last: Outcome) -> Mapping[str, str]:
        """The files of a notebook that lie there -> hash of their content."""
        return hashes_in(self.folder / last.study, last.files)

    def is_finished(self, study: str) -> bool:
        """Whether results.csv and the page are there and no notebook has come to an end since."""
        folder = self.folder / study
        try:
            (folder / "results.csv").stat()
            return (folder / "index.html").stat().st_mtime_ns >= (folder / FILE).stat().st_mtime_ns
        except FileNotFoundError:
            return False

    def hold(self, study: str) -> AbstractContextManager[None]:
        """Let nobody else write to a study's outputs.

        Raises
        ------
        InUseError
            If another run is at work there.
        """
        return hold(self.folder / study)

    def bring(self, study: str) -> None:
        """Have at hand what the page of a study is made of."""

    def send(self, outcome: Outcome) -> None:
        """Put a notebook's files where they belong."""

    def finish(self, study: str) -> None:
        """Put what is a study's as a whole where it belongs, the page last."""

    def send_report(self) -> None:
        """Put run.json and run.html where they belong."""

    def try_again(self) -> bool:
        """Whether what could not be put where it belongs may be tried once more, at the end of a run."""
        return False

    @property
    def left(self) -> Path | None:
        """Where that lies which could not be put where it belongs; None if all is there."""
        return None

    def gather(self, head: int) -> None:
        """Have at hand what the last runs of all studies have come to: status.json, results.csv, `head` bytes of the page."""

    def replace(self, folder: str) -> None:
        """Put a folder that is no study's where it belongs, its page last, for the one that lies there."""

    def shown(self, path: Path) -> Place:
        """Where its user finds a file."""
        return path
