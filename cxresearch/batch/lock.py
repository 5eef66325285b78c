"""One run at a time in a study's folder: a lock with its owner, which ends with the process that holds it."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

FILE = ".lock"
SECONDS_OF_SILENCE = (
    120  # after which an owner that signs counts as lost; clocks should not differ by more than a minute
)


class InUseError(Exception):
    """Another run holds the folder."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a folder of outputs; where it cannot be written to or locked at all, nothing is held.

    The lock is the operating system's: that of a process which was killed is free at once, and its file is taken over.

    Raises
    ------
    InUseError
        If another run holds it; says which, and since when.
    """
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = _take(path)
    except OSError:  # the notebooks will say what is wrong with the folder
        yield
        return
    with held:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _take(path: Path) -> IO[str]:
    """The locked file, with this process as its owner."""
    while True:
        held = _opened(path)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            with held:
                raise InUseError(_owner(held)) from error
        except OSError:
            held.close()
            raise
        if _is_at(held, path):
            _refuse_signed(held)
            if not held.writable():  # its owner, another user, is gone
                path.unlink()
                held.close()
                continue
            owner = {"process": os.getpid(), "host": socket.gethostname(), "since": time.time()}
            with suppress(OSError):  # a full disk has room for a lock, but none for a name
                os.ftruncate(held.fileno(), 0)
                os.write(held.fileno(), json.dumps(owner).encode())
            return held
        held.close()  # its holder has removed it meanwhile


def _opened(path: Path) -> IO[str]:
    """The file of a lock; that of another user can be locked, though not written to."""
    try:
        return path.open("a+", encoding="utf-8")
    except PermissionError:
        return path.open(encoding="utf-8")


def _refuse_signed(held: IO[str]) -> None:
    """Leave a lock to a run that reaches the folder by a URL, and so cannot lock it as the operating system does, but signs it."""
    held.seek(0)
    with suppress(ValueError):
        owner = json.load(held)
        if isinstance(owner, dict) and "alive" in owner and is_alive(owner):
            held.close()
            raise InUseError(told_owner(owner))


def is_alive(owner: Mapping[str, Any]) -> bool:
    """Whether an owner has signed not long ago; one that does not sign is believed."""
    signed = owner.get("alive", time.time())
    return not isinstance(signed, (int, float)) or time.time() - signed < SECONDS_OF_SILENCE


def _is_at(held: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(held.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _owner(held: IO[str]) -> str:
    """That a lock is held, by whom, and for how long."""
    held.seek(0)
    try:
        return told_owner(json.load(held))
    except ValueError:  # it has not written its name yet
        return told_owner({})


def told_owner(owner: Any) -> str:
    """Who is at work, from what a lock says of its owner."""
    try:
        minutes = (time.time() - owner["since"]) / 60
        name = f"process {owner['process']} on {owner['host']}, for {minutes:.0f} min"
    except (KeyError, TypeError):
        name = "process unknown"
    return f"another run is writing there ({name})"
