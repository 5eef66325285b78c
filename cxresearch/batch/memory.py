"""How much memory notebooks take: watched while they run, held against a limit, its peak kept."""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from cxresearch.errors import InputError

MEASURE = "PSS" if sys.platform == "linux" else "RSS"
_BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_BETWEEN_READINGS = 1.0
_HARDLY = 2**20  # bytes of resident memory that are no change


@dataclass(slots=True, eq=False)
class Usage:
    """Memory of one process with all that it has started.

    Attributes
    ----------
    pid : the process
    end : ends it, and all that it has started
    peak : the most that was read, in bytes
    exceeded : whether it was ended for taking more than the limit
    """

    pid: int
    end: Callable[[], object]
    peak: int = 0
    exceeded: bool = False
    family: list[psutil.Process] = field(default_factory=list)
    resident: int = 0  # at the last reading
    read: int = 0  # what the last reading gave


class Watcher:
    """Reads the memory of kernels in one light thread and ends a kernel that takes more than the limit.

    On Linux the measure is the proportional set size: memory that a kernel has to itself, and its share of what it has in
    common with others, as forked kernels have all that was imported before the fork. The sum over all kernels is what they
    take together. Reading it costs some milliseconds, hence it is done once a second, and at once where the growth of resident
    memory, which is quick to see, may have gone over the limit. Elsewhere the measure is the resident set size (RSS), which
    counts what is shared in full.

    Parameters
    ----------
    limit : bytes that a kernel and all that it has started may take; None for as much as there is
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self._watched: set[Usage] = set()
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, pid: int, end: Callable[[], object]) -> Usage:
        """Watch a process from now on; `end` is called if it takes too much."""
        usage = Usage(pid, end)
        with suppress(psutil.Error):
            usage.family = [psutil.Process(pid)]
        with self._lock:
            self._watched.add(usage)
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_watching, name="memory", daemon=True)
                self._thread.start()
        return usage

    def look(self, usage: Usage) -> None:
        """Read once more, before the process ends."""
        with self._reading:
            _find_families([usage])
            self._read(usage)

    def forget(self, usage: Usage) -> None:
        """Watch it no more."""
        with self._lock:
            self._watched.discard(usage)

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _keep_watching(self) -> None:
        due = time.monotonic() + _SECONDS_BETWEEN_READINGS
        while not self._closed.wait(_SECONDS_BETWEEN_LOOKS):
            with self._lock:
                watched = list(self._watched)
            is_due = time.monotonic() >= due
            with self._reading:
                self._look_at(watched, is_due)
            if is_due:
                due = time.monotonic() + _SECONDS_BETWEEN_READINGS

    def _look_at(self, watched: list[Usage], is_due: bool) -> None:
        """Read what has changed if readings are due, and what may be too much in any case."""
        if is_due:
            _find_families(watched)
        for usage in watched:
            change = _sum(usage, _resident) - usage.resident
            if (is_due and abs(change) > _HARDLY) or self._is_too_much(usage.read + max(change, 0)):
                self._read(usage)

    def _read(self, usage: Usage) -> None:
        usage.resident = _sum(usage, _resident)
        usage.read = _sum(usage, _proportional) if MEASURE == "PSS" else usage.resident
        usage.peak = max(usage.peak, usage.read)
        if self._is_too_much(usage.read) and not usage.exceeded:
            usage.exceeded = True
            usage.end()

    def _is_too_much(self, number: int) -> bool:
        return self.limit is not None and number > self.limit


def bytes_of(text: str) -> int:
    """Bytes that words like 4GB, 500 MB or 1.5GiB name.

    Raises
    ------
    InputError
        If it is no positive number with such a unit.

    >>> bytes_of("4GB"), bytes_of("1.5 GiB"), bytes_of("500m")
    (4000000000, 1610612736, 500000000)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]I?)B?\s*", text.upper())
    number = float(found[1]) * _BYTES[found[2]] if found else 0
    if not number:
        raise InputError("`--memory` must be a size", f"found {text!r}", "Write it like 4GB, 500MB or 1.5GiB.")
    return round(number)


def in_words(number: int) -> str:
    """A number of bytes for people.

    >>> in_words(4_000_000_000), in_words(312_400_000), in_words(1_610_612_736)
    ('4 GB', '312 MB', '1.61 GB')
    """
    return f"{number / 1e9:.3g} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def _find_families(watched: Iterable[Usage]) -> None:
    """Find the processes that the watched ones have started, in one pass over all there are."""
    children: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(process.info["ppid"], []).append(process)
    for usage in watched:
        family = usage.family[:1]
        for process in family:  # it grows as children are found
            family += children.get(process.pid, [])
        usage.family = family


def _sum(usage: Usage, measure: Callable[[psutil.Process], int]) -> int:
    total = 0
    for process in usage.family:
        with suppress(psutil.Error, OSError):  # it has ended meanwhile
            total += measure(process)
    return total


def _resident(process: psutil.Process) -> int:
    return process.memory_info().rss


def _proportional(process: psutil.Process) -> int:
    return process.memory_full_info().pss
