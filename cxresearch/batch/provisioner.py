"""Warm kernels as Jupyter sees them: a provisioner that forks them from their server."""

import os
import subprocess
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Instance

from cxresearch.batch.warm import ForkedProcess, ForkServer

_STREAMS = ((1, "stdout"), (2, "stderr"))


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
