"""Warm kernels as the run sees them: forked from a server that has imported the analysis stack once."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Instance

from cxresearch.batch.forkserver import NUMBER

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
_STREAMS = ((1, "stdout"), (2, "stderr"))


class ServerLostError(OSError):
    """The server of warm kernels is gone."""


class ForkServer:
    """The server process; it ends with the run, however the run ends.

    Attributes
    ----------
    process : the server
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cxresearch.batch.forkserver", str(theirs.fileno())],
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
            self.process.wait(timeout=5)
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


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by a fork instead of a command; all else is as for a plain kernel."""

    server = Instance(ForkServer)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel that the command would start (`python -m ipykernel_launcher ARGUMENTS`)."""
        return self.adopt(self.fork(cmd, **kwargs), kwargs.get("cwd"))

    def fork(self, cmd: list[str], **kwargs: Any) -> ForkedProcess:
        """Have the server fork; the kernel's output goes where that of the command would go.

        Raises
        ------
        ServerLostError
            If the server is gone.
        """
        return self.server.fork(
            cmd[3:],
            folder=kwargs.get("cwd") or os.getcwd(),
            environment=kwargs["env"],
            output=tuple(kwargs[name].fileno() if kwargs.get(name) else own for own, name in _STREAMS),
        )

    def adopt(self, forked: ForkedProcess, folder: str | None) -> KernelConnectionInfo:
        """Look after a forked kernel from now on."""
        self.process = cast("subprocess.Popen[bytes]", forked)
        self.pid = self.pgid = forked.pid
        self.cwd = folder
        return self.connection_info
