"""Whose turn it is to run: in order, a few at a time."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any


class Turns:
    """Gives turns in the order in which they were asked for.

    Parameters
    ----------
    number : turns at a time
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: list[Future[Any]] = []
        self._changed = threading.Condition()

    def ask(self, future: Future[Any]) -> None:
        """Stand in line."""
        with self._changed:
            self._waiting.append(future)

    def leave(self, future: Future[Any]) -> None:
        """Stand in line no more; nothing happens to one whose turn has come."""
        with self._changed:
            if future in self._waiting:
                self._waiting.remove(future)
                self._changed.notify_all()

    @contextmanager
    def turn(self, future: Future[Any]) -> Iterator[None]:
        """Wait for the turn of one that has asked.

        Raises
        ------
        CancelledError
            If it was cancelled meanwhile.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._free and self._waiting[0] is future)
            self._waiting.pop(0)
            self._free -= 1
            self._changed.notify_all()
        try:
            if not future.set_running_or_notify_cancel():
                raise CancelledError
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()


class Turn:
    """One turn: waited for once, kept until it is closed.

    Parameters
    ----------
    place : entered when it comes, left when it is closed; may wait

    Attributes
    ----------
    has_come : whether it has come
    waited : for how many seconds
    """

    def __init__(self, place: AbstractContextManager[object] | None = None) -> None:
        self._place, self._held = place, ExitStack()
        self.has_come, self.waited = False, 0.0

    def wait(self) -> None:
        """Wait for it; nothing happens where it has come."""
        if not self.has_come:
            asked = time.monotonic()
            if self._place is not None:
                self._held.enter_context(self._place)
            self.has_come, self.waited = True, time.monotonic() - asked

    def close(self) -> None:
        """Let the next one have it."""
        self._held.close()
