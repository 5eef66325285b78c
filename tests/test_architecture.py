"""Who may import whom, read from the imports themselves."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cxresearch

PACKAGE = Path(cxresearch.__file__).parent
MAY_IMPORT = {
    "errors": {"core.personal"},  # a message may quote a cell
    "core": {"errors"},
    "study": {  # of core: what answers are read with, dropped by and masked with
        "errors",
        "core.design",
        "core.rules",
        "core.careless",
        "core.large",
        "core.large_checks",
        "core.moments",
        "core.personal",
        "core.records",
        "core.reductions",
    },
    "methods": {"errors", "core", "methods"},
    "present": {"errors", "core", "study", "present"},
    "batch": {"errors", "study", "core", "present", "methods", "batch"},
    "cli": {"errors", "batch", "study", "present"},
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem in MAY_IMPORT)


def imported(path: Path) -> set[str]:
    """Names inside cxresearch that a module imports, anywhere in it, without the leading 'cxresearch.'."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cxresearch":
            base = (node.module or "").removeprefix("cxresearch").lstrip(".")
            found |= {f"{base}.{alias.name}".lstrip(".") for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {a.name.removeprefix("cxresearch.") for a in node.names if a.name.startswith("cxresearch.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_room_imports_only_what_it_may(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    allowed = MAY_IMPORT[room] | {room, "__version__"}
    strays = {name for name in imported(path) if not any(f"{name}.".startswith(f"{ok}.") for ok in allowed)}
    assert not strays, f"{room} may import {sorted(allowed)}"


def calls_in(path: Path) -> set[str]:
    return {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


@pytest.mark.parametrize("path", sorted((PACKAGE / "methods").glob("*.py")), ids=lambda path: path.stem)
def test_methods_neither_print_nor_open_files(path):
    assert not calls_in(path) & {"print", "open", "input"}
    assert not any("matplotlib" in line for line in path.read_text(encoding="utf-8").splitlines() if "import" in line)


def test_every_public_name_is_there():
    assert sorted(cxresearch._HOMES) == sorted(cxresearch.__all__)
    missing = [name for name in cxresearch.__all__ if not callable(getattr(cxresearch, name))]
    assert not missing


def test_import_is_light():
    code = "import sys, cxresearch; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"scipy", "statsmodels", "seaborn", "matplotlib", "sklearn", "papermill", "factor_analyzer", "pydantic"}
    assert not heavy & set(ast.literal_eval(loaded))
