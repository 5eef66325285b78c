"""One run at a time at a URL: a file that names its owner, who renews it while the run lasts."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from cxresearch.batch.lock import FILE, SECONDS_OF_SILENCE, InUseError, is_alive, told_owner
from cxresearch.batch.remote_files import create, overwrite, remove
from cxresearch.errors import InputError
from cxresearch.study.urls import Url

SECONDS_BETWEEN_SIGNS = 20
_LOOKS, _SECONDS_TO_WRITE = 3, 0.5
_TIMES, _MOMENT = 3, 0.1  # how long to wait before a lock is read back: as long as taking it took, seconds at least


class RemoteLocks:
    """The locks of one run.

    Where a protocol can create a file only if it is not there (s3, gs, local files), two runs never hold the same study. Elsewhere the
    owner is read back some time after writing; two that begin in the same moment, one of them much slower, might both go on.
    """

    def __init__(self) -> None:
        self._owner = {"token": uuid4().hex, "process": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        self._held: dict[Url, float] = {}  # file of a lock -> when it was signed last
        self._signing, self._lost = threading.Lock(), False
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def hold(self, place: Url) -> Iterator[None]:
        """Hold a folder.

        Raises
        ------
        InUseError
            If another run holds it; says which, and since when.
        InputError
            If nothing can be written there.
        """
        file = place / FILE
        self._take(file)
        self._held[file] = time.time()
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_alive, name="locks", daemon=True)
            self._thread.start()
        try:
            yield
        finally:
            self._release(file)

    def confirm(self, place: Url) -> None:
        """Make sure that a folder is still held: a run that gave no sign of life for too long, on a machine asleep, has lost it.

        Raises
        ------
        InUseError
            If another run has taken it over.
        """
        file = place / FILE
        if not self._is_own(file):
            raise InUseError(told_owner(_read(file) or {}))

    def close(self) -> None:
        """End the thread that gives signs of life."""
        self._over.set()

    def _take(self, file: Url) -> None:
        try:
            self._try_to_take(file)
        except InputError:  # smb lets nobody look at a file while another one writes it
            time.sleep(_SECONDS_TO_WRITE)
            self._try_to_take(file)

    def _try_to_take(self, file: Url) -> None:
        begin = time.monotonic()
        owner = _read(file)
        if owner and is_alive(owner) and not self._signed(owner):
            raise InUseError(told_owner(owner))
        is_sure = False
        with suppress(FileExistsError):  # made in this moment by another run, or by this one, whose answer was lost
            is_sure = create(file, self._sign()) if owner is None else overwrite(file, self._sign())
        if not is_sure:  # who looked before this was written has written, too, when it is read back
            time.sleep(max(_MOMENT, _TIMES * (time.monotonic() - begin)))
        now = _read(file) or {}
        if not self._signed(now):
            raise InUseError(told_owner(now))

    def _release(self, file: Url) -> None:
        """Remove a lock, if it is still that of this run; where the server is lost it goes stale by itself, and no other is tried."""
        with self._signing:
            try:
                if not self._lost and self._is_own(file):
                    remove(file)
            except Exception:
                self._lost = True
            del self._held[file]

    def _is_own(self, file: Url) -> bool:
        """Whether nobody can have taken a lock over, or nobody has."""
        signed = self._held.get(file, 0)
        return time.time() - signed < SECONDS_OF_SILENCE or self._signed(_read(file) or {})

    def _signed(self, owner: Mapping[str, Any]) -> bool:
        return owner.get("token") == self._owner["token"]

    def _keep_alive(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_SIGNS):
            for file in list(self._held):
                with self._signing, suppress(Exception):  # the next sign may get through
                    if file in self._held and self._is_own(file):
                        overwrite(file, self._sign())
                        self._held[file] = time.time()

    def _sign(self) -> bytes:
        return json.dumps({**self._owner, "alive": time.time()}).encode()


def _read(file: Url) -> dict[str, Any] | None:
    """The owner that a lock names, {} where nobody can read it, None where there is none."""
    for _ in range(_LOOKS):
        try:
            owner = json.loads(file.read_bytes())
            return owner if isinstance(owner, dict) else {}
        except FileNotFoundError:
            return None
        except InputError:
            raise
        except ValueError:  # it is being written, or its writer was killed
            time.sleep(_SECONDS_TO_WRITE)
    return {}
