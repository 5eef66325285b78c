"""JupyterLab's kernels, forked as those of a run are, so that *Run All* starts at once.

An extension of Jupyter's server: `jupyter lab --ServerApp.jpserver_extensions=cxresearch.batch.lab=True`. One process that has imported the
analysis stack belongs to one JupyterLab, starts with it and ends with it, however that ends. Kernels are plain where a fork is
not safe (warm.py), where their command is another than this Python's, where that process is lost, and once this package's
files or the installed packages have changed, which a kernel must see when it is restarted.
"""

import asyncio
import atexit
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

import cxresearch
from cxresearch.batch.provisioner import WarmProvisioner
from cxresearch.batch.warm import IS_SAFE, ForkServer, ServerLostError

NAME = "cxresearch-warm"  # as pyproject.toml declares it
_LAUNCH = [sys.executable, "-m", "ipykernel_launcher"]
_FOR_THE_DEBUGGER = "-Xfrozen_modules=off"  # which manages without


class LabServer:
    """The process that this JupyterLab's kernels are forked from.

    Attributes
    ----------
    forks : the process
    """

    def __init__(self) -> None:
        self._software = _software()
        self.forks = ForkServer({})
        atexit.register(self.forks.close)

    @property
    def is_current(self) -> bool:
        """Whether it lives, and a kernel forked from it is what a plain one would be."""
        return self.forks.is_alive and self._software == _software()


@cache
def lab_server() -> LabServer:
    """The one of this process; it begins to import when it is asked for first."""
    return LabServer()


class LabProvisioner(WarmProvisioner):
    """Starts a kernel by a fork where that is safe, else by its command; all else is as for a plain kernel."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel of a command."""
        words = [word for word in cmd if word != _FOR_THE_DEBUGGER]
        if IS_SAFE and words[: len(_LAUNCH)] == _LAUNCH and lab_server().is_current:
            self.server = lab_server().forks
            try:  # in a thread: while the first one waits for the imports, JupyterLab must answer
                forked = await asyncio.to_thread(self.fork, words, **kwargs)
                return self.adopt(forked, kwargs.get("cwd"))
            except ServerLostError as error:
                self.log.warning("A plain kernel is started: %s", error)
        return await LocalProvisioner.launch_kernel(self, cmd, **kwargs)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Let kernels be warm that name no provisioner of their own, and begin to import."""
    factory = KernelProvisionerFactory.instance(parent=app)
    if not IS_SAFE:
        return
    if NAME not in factory.get_provisioner_entries():
        app.log.warning("Kernels are plain ones: this installation of cxresearch does not declare %s.", NAME)
        return
    factory.default_provisioner_name = NAME
    lab_server()


def _software() -> frozenset[tuple[Path, int]]:
    """Files of this package and what is installed, with the time of their last change."""
    source = (path for path in Path(cxresearch.__file__).parent.rglob("*") if path.suffix in (".py", ".yaml"))
    installed = Path(sysconfig.get_paths()["purelib"]).glob("*.dist-info")
    return frozenset((path, path.stat().st_mtime_ns) for path in (*source, *installed))
