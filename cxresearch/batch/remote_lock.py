"""One run at a time at a URL: a file that names its owner, who renews it while the run lasts."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from cxresearch.batch.lock import FILE, InUseError, told_owner
from cxresearch.study.urls import Url

SECONDS_BETWEEN_SIGNS = 20
SECONDS_OF_SILENCE = (
    120  # after which an owner counts as lost; clocks of machines should not differ by more than a minute
)


class RemoteLocks:
    """The locks of one run.

    Where a protocol can create a file only if it is not there (s3, gs, local files), two runs never hold the same study. Elsewhere the
    owner is read back after writing; two that begin in the same moment might both go on.
    """

    def __init__(self) -> None:
        self._owner = {"token": uuid4().hex, "process": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        self._held: set[Url] = set()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def hold(self, place: Url) -> Iterator[None]:
        """Hold a folder.

        Raises
        ------
        InUseError
            If another run holds it; says which, and since when.
        """
        file = place / FILE
        self._take(file)
        self._held.add(file)
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_alive, name="locks", daemon=True)
            self._thread.start()
        try:
            yield
        finally:
            self._held.discard(file)
            with suppress(Exception), file.reached() as (system, path):  # it goes stale by itself
                system.rm_file(path)

    def close(self) -> None:
        """End the thread that gives signs of life."""
        self._over.set()

    def _take(self, file: Url) -> None:
        owner = _read(file)
        if owner and time.time() - owner["alive"] < SECONDS_OF_SILENCE:
            raise InUseError(told_owner(owner))
        with file.reached() as (system, path):
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            try:
                system.pipe_file(path, self._sign(), mode="overwrite" if owner else "create")
            except FileExistsError as error:
                raise InUseError(told_owner(_read(file))) from error
        now = _read(file)
        if now.get("token") != self._owner["token"]:
            raise InUseError(told_owner(now))

    def _keep_alive(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_SIGNS):
            for file in list(self._held):
                with suppress(Exception), file.reached() as (system, path):  # the next sign may get through
                    system.pipe_file(path, self._sign())

    def _sign(self) -> bytes:
        return json.dumps({**self._owner, "alive": time.time()}).encode()


def _read(file: Url) -> dict[str, Any]:
    """The owner that a lock names, {} where there is none."""
    try:
        with file.reached() as (system, path):
            system.invalidate_cache()
            owner: dict[str, Any] = json.loads(system.cat_file(path))
        return owner if "alive" in owner else {}
    except (FileNotFoundError, ValueError):
        return {}
