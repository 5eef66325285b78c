"""How a kernel is started and ended: a process of this very interpreter, in its own process group.

It is spoken to through sockets in a folder of its own, so that no two can want the same port.

A plain kernel is a command; a warm one is forked from a server that has imported the analysis stack (warm.py).
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from uuid import uuid4

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from cxresearch.batch.environment import kernel_environment
from cxresearch.batch.memory import Usage, Watcher
from cxresearch.batch.provisioner import WarmProvisioner
from cxresearch.batch.warm import ForkedProcess, ForkServer

KERNEL_NAME = "python3"
_COMMAND = [sys.executable, "-m", "ipykernel_launcher", "--log-level=ERROR", "-f", "{connection_file}"]


class Kernel(AsyncKernelManager):
    """One kernel; what `python3` means to Jupyter elsewhere on this machine does not matter.

    Attributes
    ----------
    environment : variables set on top of this process's own
    process : the kernel's process once it was started
    memory : what it takes, once it was started
    """

    def __init__(self, environment: dict[str, str], watcher: Watcher, server: ForkServer | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="cx-", ignore_cleanup_errors=True
        )  # names of sockets are short
        file = str(Path(self._folder.name) / "kernel.json")
        super().__init__(kernel_name=KERNEL_NAME, transport="ipc", connection_file=file, autorestart=False)
        self._server = server
        self._kernel_spec = KernelSpec(argv=_COMMAND, display_name="Python 3", language="python")
        if server is not None:
            self.kernel_id = str(uuid4())
            self.provisioner = WarmProvisioner(
                kernel_id=self.kernel_id, kernel_spec=self._kernel_spec, parent=self, server=server
            )
        self.environment = environment
        self.process: subprocess.Popen[bytes] | ForkedProcess | None = None
        self.watcher, self.memory = watcher, Usage(0, self.kill)
        self.cancelled = False
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `end`)

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        kw["env"] = {**kw["env"], **self.environment}
        await super()._async_launch_kernel(kernel_cmd, **kw, stdout=self._log, stderr=self._log)
        self.process = getattr(self.provisioner, "process", None)
        if self.process is not None:
            self.memory = self.watcher.watch(self.process.pid, self.kill)
        if self.cancelled:
            self.kill()

    @property
    def is_orphaned(self) -> bool:
        """Whether the server that it was forked from is gone; the kernel is then, too."""
        return self._server is not None and not self._server.is_alive

    def kill(self) -> None:
        """End the kernel and all that it started, at once; nothing happens where it is gone already."""
        self.cancelled = True
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Leave nothing behind: no process, no sockets, no log."""
        self.watcher.forget(self.memory)
        self.kill()
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=5)
        self._folder.cleanup()
        self._log.close()

    def last_words(self) -> str:
        """Why the process ended, as far as that can be known; "" while it runs."""
        code = self.process.poll() if self.process else None
        if code is None:
            return ""
        if code < 0:
            out_of_memory = ", perhaps for want of memory" if -code == signal.SIGKILL else ""
            return f"it was ended by signal {signal.Signals(-code).name}{out_of_memory}"
        self._log.seek(0)
        lines = [line for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]
        return f"it ended with status {code}" + (f": {lines[-1].strip()}" if lines else "")


class KernelPool:
    """Makes kernels for one run and can end all of them.

    Parameters
    ----------
    jobs : how many run at a time; each gets its share of the cores (kernel_environment)
    server : that kernels are forked from, which somebody else closes; None for plain ones
    memory : bytes that a kernel and all that it has started may take; None for as much as there is
    """

    def __init__(self, jobs: int, *, server: ForkServer | None = None, memory: int | None = None) -> None:
        self.environment = kernel_environment(jobs)
        self.stopped = False
        self.watcher = Watcher(memory)
        self.server = server
        self._alive: set[Kernel] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> "KernelPool":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()
        self.watcher.close()

    def take(self) -> Kernel:
        """A kernel that is not started yet; a plain one where the server of warm ones is lost."""
        kernel = Kernel(self.environment, self.watcher, self.server if self.server and self.server.is_alive else None)
        with self._lock:
            self._alive.add(kernel)
            kernel.cancelled = self.stopped
        return kernel

    def give_back(self, kernel: Kernel) -> None:
        """End a kernel that is not needed any more."""
        kernel.end()
        with self._lock:
            self._alive.discard(kernel)

    def stop(self) -> None:
        """End every kernel, and each that is started from now on."""
        with self._lock:
            self.stopped = True
            for kernel in self._alive:
                kernel.kill()
