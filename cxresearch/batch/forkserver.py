"""The server that warm kernels are forked from: it has imported the analysis stack once and holds no thread.

A process of its own (`python -m cxresearch.batch.forkserver FD [SPARED ...]`), started by `warm.ForkServer`. FD is a socket; each message on it
brings three file descriptors, the channel, stdout and stderr of a new kernel. The kernel reads from its channel what to run and answers
with its process id; the server adds the exit status when the kernel has ended. When FD closes, the run is over or was
killed: the server ends what is left and goes.
"""

import atexit
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Collection
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import cxresearch

NUMBER = 4  # bytes of a process id or an exit status on a channel
STACK = (
    *("numpy", "pandas", "scipy.stats", "scipy.sparse", "matplotlib.pyplot", "statsmodels.regression.linear_model"),
    *("statsmodels.stats.oneway", "factor_analyzer"),
)
ON_DEMAND = ("seaborn", "statsmodels.api", "statsmodels.formula.api")  # for notebooks: the methods do without
_AT_FIRST_USE = (  # by a kernel on its way to the first cell, and by notebooks; matplotlib_inline must find IPython at work
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "IPython.core.completerlib", "tornado.locks"),
    *("IPython.core.pylabtools", "IPython.extensions.storemagic", "zmq.utils.garbage", "encodings.utf_8_sig"),
    *("pandas.core.methods.to_dict", "pandas.core.reshape.reshape", "pandas.io.formats.csvs", "pandas.io.formats.html"),
    *(
        "pyarrow.pandas_compat",
        "PIL.PngImagePlugin",
        "matplotlib.backends.backend_agg",
        "matplotlib.backends.backend_svg",
    ),
    *(
        "pandas.io.formats.string",
        "pyarrow.vendored.version",
        "importlib.resources.readers",
        "tornado.platform.asyncio",
    ),
    *("IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect", "sqlite3"),
)
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def preload(spared: Collection[str] = ()) -> None:
    """Import everything that notebooks import, the public verbs' homes included, but for what is spared."""
    homes = sorted({f"cxresearch.{home}" for home in cxresearch._HOMES.values()})
    for name in (*STACK, *(module for module in ON_DEMAND if module not in spared), *_AT_FIRST_USE, *homes):
        import_module(name)
    import_module("cxresearch.present.text").catalogue()
    import_module("cxresearch.present.colophon").versions()
    _draw_a_figure()
    gc.collect()
    gc.freeze()  # else the first collection in a kernel would copy all of these pages


def _draw_a_figure() -> None:
    """Load the fonts and the formats of pictures, as a first figure does."""
    style = import_module("cxresearch.present.plots.style")
    with import_module("matplotlib").rc_context():
        style.apply_style()
        figure = import_module("matplotlib.figure").Figure(layout="constrained")  # none of pyplot's
        ax = figure.subplots()
        for place, weight in enumerate(("normal", "bold")):
            ax.text(0, place, "Satisfaction · 满意度", fontweight=weight)
        import_module("cxresearch.present.drawing").draw_figure(figure)


class Server:
    """Forks a kernel a message and tells how each of them ended."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.kernels: dict[int, socket.socket] = {}
        self.ended, self._end = socket.socketpair()
        self.selector = selectors.DefaultSelector()
        for one in (self.ended, self._end):
            one.setblocking(False)
        for one in (self.control, self.ended):
            self.selector.register(one, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._end.fileno())

    def serve(self) -> tuple[socket.socket, list[int]] | None:
        """Serve until the run is over; in a forked kernel, return its channel, stdout and stderr at once."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.ended:
                    self.reap()
                    continue
                fds = socket.recv_fds(self.control, 1, 3)[1]
                if not fds:
                    self.end()
                    return None
                channel, output = socket.socket(fileno=fds[0]), fds[1:]
                pid = os.fork()
                if not pid:
                    self.close()
                    return channel, output
                for one in output:
                    os.close(one)
                self.kernels[pid] = channel

    def reap(self) -> None:
        """Tell the exit status of every kernel that has ended."""
        with suppress(BlockingIOError):
            self.ended.recv(4096)
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                with self.kernels.pop(found[0]) as channel, suppress(OSError):
                    channel.sendall(as_bytes(os.waitstatus_to_exitcode(found[1])))

    def end(self) -> None:
        """Kill every kernel that is left, with all that it started."""
        for pid in self.kernels:
            for kill in (os.killpg, os.kill):  # the second for one that has no group of its own yet
                with suppress(ProcessLookupError, PermissionError):
                    kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go, in a forked kernel, of what is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for one in (self.control, self.ended, self._end, *self.kernels.values()):
            one.close()


def as_bytes(number: int) -> bytes:
    """A process id or an exit status as it stands on a channel."""
    return number.to_bytes(NUMBER, signed=True)


def become_kernel(channel: socket.socket, output: list[int], server: int) -> None:
    """Be the kernel that the channel asks for; what is random or belongs to one process starts afresh."""
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:  # it ended before the line above
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream, one in zip((1, 2), output, strict=True):
        os.dup2(one, stream)
        os.close(one)
    with channel, channel.makefile() as lines:
        asked = json.loads(lines.readline())
        channel.sendall(as_bytes(os.getpid()))
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv[1:] = asked["arguments"]
    _use_cores()
    sys.modules["numpy"].random.seed()  # what `random` does by itself after a fork
    IPKernelApp.launch_instance([*asked["arguments"], f"--IPKernelApp.parent_handle={server}"])
    control = IPKernelApp.instance().control_thread
    control.stop()
    control.join()  # at exit it might wait for seconds for the thread that sends what cells have printed, which ends first


def _use_cores() -> None:
    """Give linear algebra the cores that the environment names, else all; in the server it has one, so that it starts no thread."""
    said = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    share = int(said) if said.isdecimal() else import_module("joblib").cpu_count()
    if share > 1:
        import_module("threadpoolctl").threadpool_limits(share)


def _leave() -> NoReturn:
    """End this process; taking the interpreter down piece by piece would touch, and in a kernel copy, all that was preloaded."""
    atexit._run_exitfuncs()  # IPython lets go of all that a notebook has, which closes its files
    os._exit(0)


def main() -> None:
    """Serve the socket that the command line names; modules after it are spared."""
    if sys.path[0] in ("", os.getcwd()):  # as ipykernel does: this folder is not the notebook's
        del sys.path[0]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which tells the server
    server, own = Server(socket.socket(fileno=int(sys.argv[1]))), os.getpid()
    preload(sys.argv[2:])
    forked = server.serve()
    if forked:
        become_kernel(*forked, server=own)
    _leave()


if __name__ == "__main__":
    main()
