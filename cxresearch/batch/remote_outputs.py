"""Outputs at a URL: a run works in a folder of this machine and sends whole files, the page last."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from cxresearch.batch.destination import Destination
from cxresearch.batch.freshness import hash_file
from cxresearch.batch.lock import FILE as LOCK
from cxresearch.batch.outcome import FILE, Outcome
from cxresearch.batch.remote_files import entries, fetch, put, remove, stamps
from cxresearch.batch.remote_lock import RemoteLocks
from cxresearch.errors import InputError
from cxresearch.study.urls import Place, Url

SECONDS_BETWEEN_TRIES = 30
SENT = ".sent.json"  # of a study: what was sent to it, as it stood there then
_OF_STUDY = ("results.csv", FILE, SENT, "index.html")  # as a whole; all others are a notebook's


class RemoteOutputs(Destination):
    """Outputs that lie elsewhere.

    A file is sent under a name aside and then given its own, so that nobody ever reads half of it. What was sent is remembered
    there with its stamp (size, time, entity tag), so that the next run sees what has been changed or removed without fetching it.

    Parameters
    ----------
    folder : where the run works
    place : the folder of all outputs
    """

    def __init__(self, folder: Path, place: Url) -> None:
        super().__init__(folder, place)
        self.url = place
        self._sent: dict[str, dict[str, dict[str, str]]] = {}  # study -> file -> hash and stamp
        self._locks = RemoteLocks()
        self._unsent: set[str] = set()  # studies
        self._silent = ""  # what was said when the server was lost
        self._since = 0.0

    def __enter__(self) -> "RemoteOutputs":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._locks.close()

    def begin(self, study: str) -> None:
        """Fetch what the last run has left of itself: status.json, and which files it has sent."""
        (self.folder / study).mkdir(parents=True, exist_ok=True)
        for name in (FILE, SENT):
            self._fetch(study, name)
        there = stamps(self.url / study)
        try:
            known = json.loads((self.folder / study / SENT).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # nothing was sent, or not to the end
            known = {}
        self._sent[study] = {name: sent for name, sent in known.items() if there.get(name) == sent["stamp"]}

    def held(self, last: Outcome) -> Mapping[str, str]:
        """The files of a notebook that lie there as they were sent -> hash of their content."""
        return {name: sent["hash"] for name, sent in self._sent[last.study].items() if name in last.files}

    def is_finished(self, study: str) -> bool:
        """Whether all that is a study's as a whole has been sent, and lies there."""
        return {"results.csv", "index.html"} <= self._sent[study].keys()

    @contextmanager
    def hold(self, study: str) -> Iterator[None]:
        """Let no other run write to a study's outputs there, and see what one has written until now."""
        with self._locks.hold(self.url / study):
            self.begin(study)
            yield

    def bring(self, study: str) -> None:
        """Fetch the tables, figures, records and pages that are not here; remove what a killed run has left half-sent."""
        for name in self._sent[study]:
            if "/" in name and not (self.folder / study / name).exists():
                self._fetch(study, name)
        for name in stamps(self.url / study):
            if name.endswith(".part"):
                remove(self.url / study / name)

    def send(self, outcome: Outcome) -> None:
        """Send the files of a notebook and what is remembered of it; remove what an earlier run of it has left."""
        with self._sending(outcome.study):
            self._send_notebook(outcome)

    def _send_notebook(self, outcome: Outcome) -> None:
        study, sent = outcome.study, self._sent[outcome.study]
        names = [*outcome.files, *([outcome.kept.name] if outcome.kept else [])]
        old = [name for name in sent if _is_of(name, outcome.notebook) and name not in names]
        for name in old:
            remove(self.url / study / name)
            del sent[name]
        for name in ("index.html", "results.csv"):  # they tell of other numbers now
            sent.pop(name, None)
        self._send(study, names)
        self._send(study, [FILE])

    def finish(self, study: str) -> None:
        """Send what is a study's as a whole; also what could not be sent before."""
        with self._sending(study):
            self._send_study(study)
        self._unsent.discard(study)

    def try_again(self) -> bool:
        """That of a server which was lost it is worth asking whether it is there again."""
        self._silent = ""
        return True

    @property
    def left(self) -> Path | None:
        """The folder in which the run has worked, where not all of it could be sent."""
        return self.folder if self._unsent else None

    @contextmanager
    def _sending(self, study: str) -> Iterator[None]:
        """What is sent of a study, which is left here until its page has been sent."""
        self._unsent.add(study)
        with self._on_line():
            self._locks.confirm(self.url / study)
            yield

    @contextmanager
    def _on_line(self) -> Iterator[None]:
        """A server that has just not answered is not waited for again."""
        if self._silent and time.monotonic() - self._since < SECONDS_BETWEEN_TRIES:
            raise InputError(self._silent)
        try:
            yield
            self._silent = ""
        except InputError as error:
            self._silent, self._since = str(error), time.monotonic()
            raise

    def _send_study(self, study: str) -> None:
        folder, known = self.folder / study, self._sent[study]
        left = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        late = [
            name
            for name in left
            if name not in _OF_STUDY and known.get(name, {}).get("hash") != hash_file(folder / name)
        ]
        self._send(study, late)
        self._send(study, ["results.csv", FILE, "index.html"])

    def send_report(self) -> None:
        """Send run.json and run.html."""
        with self._on_line():
            for path in self.folder.glob("run.*"):
                put(self.url / path.name, path.read_bytes())

    def gather(self, head: int) -> None:
        """Fetch what the last runs of all studies have come to."""
        for study in [name for name, info in entries(self.url).items() if info["type"] == "directory"]:
            for name in (FILE, "results.csv"):
                self._fetch(study, name)
            self._fetch(study, "index.html", head)

    def replace(self, folder: str) -> None:
        """Send all files of a folder, and remove there what it has no more."""
        files = [path for path in sorted((self.folder / folder).rglob("*")) if path.is_file()]
        here = [path.relative_to(self.folder / folder).as_posix() for path in files]
        for name in sorted(here, key=lambda name: name == "index.html"):
            put(self.url / folder / name, (self.folder / folder / name).read_bytes())
        for name in stamps(self.url / folder).keys() - {*here, LOCK}:
            remove(self.url / folder / name)

    def shown(self, path: Path) -> Place:
        """The URL of a file."""
        return self.url / path.relative_to(self.folder).as_posix()

    def _send(self, study: str, names: Iterable[str]) -> None:
        """Send files, and then what is known of them."""
        folder, place = self.folder / study, self.url / study
        names = [name for name in names if (folder / name).is_file()]
        if not names:
            return
        for name in names:
            put(place / name, (folder / name).read_bytes())
        there = stamps(self.url / study)
        self._sent[study] |= {name: {"hash": hash_file(folder / name), "stamp": there.get(name, "")} for name in names}
        (folder / SENT).write_text(json.dumps(self._sent[study], indent=1), encoding="utf-8")
        put(place / SENT, (folder / SENT).read_bytes())

    def _fetch(self, study: str, name: str, size: int = -1) -> None:
        """Fetch a file, or no more than its first bytes."""
        local = self.folder / study / name
        try:
            content = fetch(self.url / study / name, size)
        except FileNotFoundError:
            return
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_bytes(content)


def _is_of(name: str, notebook: str) -> bool:
    """Whether a notebook owns a file, named as in the study's folder."""
    alone = (f"records/{notebook}.csv", f"pages/{notebook}.json", f"{notebook}.ipynb", f"{notebook}.failed.ipynb")
    return name in alone or name.startswith((f"tables/{notebook}_", f"figures/{notebook}_"))
