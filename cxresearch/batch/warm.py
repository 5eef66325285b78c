"""Warm kernels as processes: forked from a server that has imported the analysis stack once."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cxresearch.batch.forkserver import NUMBER, ON_DEMAND

# Elsewhere a fork without exec is not safe: system libraries of macOS start threads when they are loaded.
IS_SAFE = sys.platform == "linux"
_NO_THREADS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS"), "1"),
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_SETTINGS = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # what a plain kernel sets before matplotlib is imported
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else the debugger warns of modules that are frozen
}


class ServerLostError(OSError):
    """The server of warm kernels is gone."""


class ForkServer:
    """The server process; it ends with the run, however the run ends.

    Parameters
    ----------
    environment : variables set on top of this process's own
    spared : modules of the stack that it need not import

    Attributes
    ----------
    process : the server
    """

    def __init__(self, environment: dict[str, str], spared: Iterable[str] = ()) -> None:
        self._is_asked = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cxresearch.batch.forkserver", str(theirs.fileno()), *spared],
                env={**_SETTINGS, **os.environ, **environment, **_NO_THREADS},
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def is_alive(self) -> bool:
        """Whether it can fork one more kernel."""
        return self.process.poll() is None

    def fork(
        self, arguments: list[str], *, folder: str, environment: dict[str, str], output: tuple[int, ...]
    ) -> "ForkedProcess":
        """Fork a kernel; waits until the server has imported everything.

        Parameters
        ----------
        arguments, folder, environment : of the kernel
        output : file descriptors of its stdout and stderr

        Raises
        ------
        ServerLostError
            If the server is gone.
        """
        self._is_asked = True
        ours, theirs = socket.socketpair()
        asked = {"arguments": arguments, "folder": folder, "environment": environment}
        try:
            with theirs:
                socket.send_fds(self._control, [b"k"], [theirs.fileno(), *output])
            ours.sendall(json.dumps(asked).encode() + b"\n")
            return ForkedProcess(ours)
        except OSError as error:
            ours.close()
            raise ServerLostError(f"the server of warm kernels is gone: {self._last_line() or error}") from error

    def close(self) -> None:
        """End the server and every kernel that is left."""
        self._control.close()
        try:
            self.process.wait(timeout=5 if self._is_asked else 0)
        except subprocess.TimeoutExpired:  # it is still importing
            self.process.kill()
            self.process.wait()
        self._log.close()

    def _last_line(self) -> str:
        self._log.seek(0)
        return next(iter(self._log.read().decode(errors="replace").split("\n")[-2:]), "").strip()


class ForkedProcess:
    """A forked kernel with the face of a `subprocess.Popen`; the server, its parent, tells its exit status."""

    stdin = stdout = stderr = None

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.returncode: int | None = None
        answer = channel.recv(NUMBER, socket.MSG_WAITALL)
        if not answer:
            raise ConnectionError("no kernel was forked")
        self.pid = int.from_bytes(answer, signed=True)

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        return self._ask(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises
        ------
        subprocess.TimeoutExpired
            If it does not end in time.
        """
        code = self._ask(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("kernel", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _ask(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            try:
                self._channel.settimeout(timeout)
                answer = self._channel.recv(NUMBER)
            except (BlockingIOError, TimeoutError):
                return None
            # without an answer the server is gone, and its kernels with it
            self.returncode = int.from_bytes(answer, signed=True) if answer else -signal.SIGKILL
            self._channel.close()
        return self.returncode


def spared_by(notebooks: Iterable[Path]) -> list[str]:
    """The modules that no method of this package needs and none of the notebooks names."""
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in notebooks]
    return [module for module in ON_DEMAND if not any(module.partition(".")[0] in text for text in texts)]
