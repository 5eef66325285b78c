"""JupyterLab's kernels are forked, and are as plain ones to those who start, interrupt and restart them."""

import asyncio
import json
import os
import subprocess
import sys
import time
import tomllib
import urllib.request
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import joblib
import psutil
import pytest
from batch.test_warm import is_gone
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from cxresearch.batch import lab
from cxresearch.batch.warm import IS_SAFE, ForkServer

pytestmark = pytest.mark.skipif(not IS_SAFE, reason="kernels are forked on Linux only")
ROOT = Path(__file__).parents[2]
GROUP = KernelProvisionerFactory.GROUP_NAME
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][GROUP]
SECONDS = 60


@pytest.fixture(scope="module", autouse=True)
def extension():
    """A Jupyter server that has loaded the extension; its entry point is the declared one, be it installed by now or not."""
    KernelProvisionerFactory.clear_instance()
    factory = KernelProvisionerFactory.instance()
    factory.provisioners.update({name: EntryPoint(name, value, GROUP) for name, value in DECLARED.items()})
    (point,) = lab._jupyter_server_extension_points()
    assert point == {"module": "cxresearch.batch.lab"}
    lab._load_jupyter_server_extension(None)
    yield
    lab.lab_server().forks.close()
    lab.lab_server.cache_clear()
    KernelProvisionerFactory.clear_instance()


class Cells:
    """Runs code in a kernel."""

    def __init__(self, manager):
        self.manager = manager

    async def connect(self):
        self.client = self.manager.client()
        self.client.start_channels()
        await self.client.wait_for_ready(timeout=SECONDS)

    async def run(self, code: str) -> str:
        """What the code prints, or the name of its error."""
        said: list[str] = []

        def hear(message):
            content = message["content"]
            said.append(content["text"] if message["msg_type"] == "stream" else content.get("ename", ""))

        await self.client.execute_interactive(code, output_hook=hear, timeout=SECONDS)
        return "".join(said).strip()

    async def numbers(self, code: str) -> list[int]:
        """The numbers that an expression prints."""
        return [int(word) for word in (await self.run(f"import os; print({code})")).split()]


@asynccontextmanager
async def kernel(folder: Path, *options: str, **launch):
    """A kernel as JupyterLab starts it, with these options of Python; shut down in the end, asked first."""
    manager = AsyncKernelManager(kernel_name="python3")
    manager._kernel_spec = KernelSpec(argv=["python", *options, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    in_memory = ["--HistoryManager.hist_file=:memory:"]  # none of the user's own
    await manager.start_kernel(cwd=str(folder), extra_arguments=in_memory, **launch)
    cells = Cells(manager)
    try:
        await cells.connect()
        yield cells
    finally:
        cells.client.stop_channels()
        await manager.shutdown_kernel()


def started_by() -> int:
    return lab.lab_server().forks.process.pid


def test_a_kernel_starts_with_the_stack_is_interrupted_restarted_and_shut_down(tmp_path):
    async def work():
        async with kernel(tmp_path) as cells:
            there = (
                "import os, sys; print('pandas' in sys.modules, 'cxresearch.methods.cases' in sys.modules, os.getcwd())"
            )
            assert await cells.run(there) == f"True True {tmp_path}"
            parent, first = await cells.numbers("os.getppid(), os.getpid()")
            assert parent == started_by()
            loop = asyncio.create_task(cells.run("left = 1\nwhile True: pass"))
            await asyncio.sleep(0.5)
            await cells.manager.interrupt_kernel()
            assert await loop == "KeyboardInterrupt"
            assert await cells.run("print(left)") == "1"
            await cells.manager.restart_kernel()
            await cells.client.wait_for_ready(timeout=SECONDS)
            assert await cells.run("print('left' in globals())") == "False"
            parent, second = await cells.numbers("os.getppid(), os.getpid()")
            assert parent == started_by()
            assert first != second
            assert is_gone(first)
        assert is_gone(second)

    asyncio.run(work())


def test_linear_algebra_has_all_cores_unless_the_environment_names_a_number(tmp_path):
    count = (
        "max(one['num_threads'] for one in __import__('threadpoolctl').threadpool_info() if one['user_api'] == 'blas')"
    )
    plain = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}

    async def threads(**said):
        async with kernel(tmp_path, env=plain | said) as cells:
            return (await cells.numbers(count))[0]

    assert asyncio.run(threads()) == joblib.cpu_count()
    assert asyncio.run(threads(OMP_NUM_THREADS="3")) == 3
    assert asyncio.run(threads(OMP_NUM_THREADS="3", OPENBLAS_NUM_THREADS="2")) == 2


def test_output_goes_where_that_of_a_plain_kernel_goes(tmp_path, capfd):
    async def write():
        async with kernel(tmp_path) as cells:
            await cells.run("import os; os.write(1, b'to stdout'); os.write(2, b'to stderr')")

    asyncio.run(write())
    said = capfd.readouterr()
    assert "to stdout" in said.out
    assert "to stderr" in said.err
    assert "to stderr" not in said.out


async def parent_of(folder: Path, *options: str) -> int:
    """The process that has started a kernel with these options of Python."""
    async with kernel(folder, *options) as cells:
        return (await cells.numbers("os.getppid()"))[0]


def test_a_command_that_differs_is_run_as_it_stands_but_for_an_option_of_the_debugger(tmp_path):
    assert asyncio.run(parent_of(tmp_path, "-X", "utf8")) == os.getpid()
    assert asyncio.run(parent_of(tmp_path, "-Xfrozen_modules=off")) == started_by()


def test_kernels_are_plain_once_the_software_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "_software", frozenset)
    assert asyncio.run(parent_of(tmp_path)) == os.getpid()


def test_changes_of_the_software_are_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(lab.cxresearch, "__file__", str(tmp_path / "here" / "__init__.py"))
    monkeypatch.setattr(lab.sysconfig, "get_paths", lambda: {"purelib": tmp_path / "installed"})
    code, other = tmp_path / "here" / "code.py", tmp_path / "installed" / "other-1.dist-info"
    code.parent.mkdir()
    seen = []
    for change in (
        lambda: code.write_text("1"),
        lambda: os.utime(code, ns=(1, 1)),
        lambda: code.with_suffix(".yaml").write_text("1"),
        lambda: code.unlink(),
        lambda: other.mkdir(parents=True),
        lambda: other.rename(other.with_name("other-2.dist-info")),
    ):
        change()
        seen.append(lab._software())
    assert len(set(seen)) == len(seen)
    for name in ("here", "installed"):
        (tmp_path / name / "__pycache__").mkdir()
        (tmp_path / name / "__pycache__" / "code.pyc").touch()
    assert lab._software() == seen[-1]


def test_a_kernel_is_plain_where_the_server_is_lost_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr("cxresearch.batch.warm._NO_THREADS", {"PYTHONHOME": "no-such-python"})
    lost = ForkServer({})
    lost.process.wait()
    monkeypatch.setattr(lab, "lab_server", lambda: SimpleNamespace(is_current=True, forks=lost))
    assert asyncio.run(parent_of(tmp_path)) == os.getpid()
    lost.close()


def test_without_its_declaration_the_extension_leaves_kernels_as_they_are(monkeypatch):
    factory, said = KernelProvisionerFactory.instance(), []
    monkeypatch.setattr(factory, "default_provisioner_name", "local-provisioner")
    monkeypatch.setattr(factory, "get_provisioner_entries", dict)
    app = SimpleNamespace(log=SimpleNamespace(warning=lambda text, *words: said.append(text % words)))
    lab._load_jupyter_server_extension(app)
    assert factory.default_provisioner_name == "local-provisioner"
    assert said == ["Kernels are plain ones: this installation of cxresearch does not declare cxresearch-warm."]


def test_no_process_outlives_a_jupyter_server_that_is_killed(tmp_path):
    declared = "\n".join(f"[{GROUP}]\n{name} = {value}" for name, value in DECLARED.items())
    info = tmp_path / "declared-0.dist-info"  # as an installation of this very tree leaves it
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: declared\nVersion: 0\n")
    (info / "entry_points.txt").write_text(declared)
    (option,) = (word for word in (ROOT / "Makefile").read_text().split() if "jpserver_extensions" in word)
    paths = os.pathsep.join(filter(None, [str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")]))
    own = {name: str(tmp_path) for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    environment = {**os.environ, "PYTHONPATH": paths, **own}
    words = ["-m", "jupyter_server", option, "--no-browser", "--allow-root", "--ServerApp.port=0"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([sys.executable, *words], cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        start_kernel_of(tmp_path / f"jpserver-{server.pid}.json")
        (forks,) = psutil.Process(server.pid).children()
        (kernel,) = forks.children()
    finally:
        server.kill()
        server.wait()
    assert is_gone(forks.pid)
    assert is_gone(kernel.pid)


def start_kernel_of(file: Path) -> None:
    """Start a kernel over the interface of the Jupyter server that has written this file."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            server = json.loads(file.read_text())
            address = f"{server['url']}api/kernels?token={server['token']}"
            urllib.request.urlopen(address, data=b"{}", timeout=SECONDS).close()
            return
        except (OSError, ValueError):  # the file is not written yet, or the port not open
            time.sleep(0.1)
    raise TimeoutError(file)
