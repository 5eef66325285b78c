"""What a notebook file says of itself: the parts of a study that it needs and the parameters that it takes."""

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from cxresearch.errors import InputError, name_some
from cxresearch.study.faults import did_you_mean

PATTERN = "[0-9][0-9]_*.ipynb"  # other notebooks in the folder are drafts, which no batch runs
GIVEN = ("study_file", "output_dir")  # parameters that the batch itself hands to every notebook
_PLAIN = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "dict": dict, "None": None, "Any": Any}


@dataclass(frozen=True, slots=True)
class NotebookFile:
    """One notebook as planning sees it.

    Attributes
    ----------
    needs : parts of a study without which it is skipped (keys of Study.parts)
    uses : parts that it reads besides, where they are there; None if it does not say, then it may read all
    parameters : name -> type of each parameter; Any where the parameters cell names no type
    fault : why it can run for no study, else ""
    """

    name: str
    path: Path
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] | None = None
    parameters: Mapping[str, Any] | None = None
    fault: str = ""

    @property
    def reads(self) -> tuple[str, ...] | None:
        """All parts of a study that it reads; None if it does not say."""
        return None if self.uses is None else (*self.needs, *self.uses)


def find_folder(given: Path | None) -> Path:
    """The folder of the notebooks: the one given, ./notebooks, or the one beside the package.

    Raises
    ------
    InputError
        If there is none with notebooks in it.
    """
    tried = [given] if given else [Path("notebooks"), Path(__file__).parents[2] / "notebooks"]
    for folder in tried:
        if any(folder.glob(PATTERN)):
            return folder.resolve()
    raise InputError(
        "a folder with notebooks named like 01_reliability.ipynb",
        f"found none in {name_some(tried)}",
        "Run from the project's folder or name it with --notebooks.",
    )


def read_notebooks(folder: Path) -> dict[str, NotebookFile]:
    """Every notebook of a folder by its name, in the order of their numbers."""
    return {path.stem: read_notebook(path) for path in sorted(folder.glob(PATTERN))}


def read_notebook(path: Path) -> NotebookFile:
    """Read needs and parameters; what is wrong with the file stands in `fault`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        said = content["metadata"].get("cxresearch", {})
        needs, uses = tuple(said.get("needs", ())), tuple(said["uses"]) if "uses" in said else None
        source = _parameters_cell(content["cells"])
        if source is None:
            return NotebookFile(path.stem, path, needs, uses, fault="it has no code cell with the tag `parameters`")
        parameters = _parameters(source)
    except SyntaxError as error:
        return NotebookFile(
            path.stem, path, fault=f"its parameters cell is no Python: {error.msg}, line {error.lineno}"
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return NotebookFile(path.stem, path, fault=f"it cannot be read as a notebook ({type(error).__name__}: {error})")
    missing = [f"`{name}`" for name in GIVEN if name not in parameters]
    fault = f"its parameters cell lacks {' and '.join(missing)}" if missing else ""
    return NotebookFile(path.stem, path, needs, uses, parameters, fault)


def choose(notebooks: Mapping[str, NotebookFile], only: Sequence[str]) -> list[str]:
    """The notebooks that `only` names, by number ("01" or "1") or in full; all of them if it is empty.

    Raises
    ------
    InputError
        If there is no such notebook.

    >>> files = {name: NotebookFile(name, Path()) for name in ("01_reliability", "06_service_drivers")}
    >>> choose(files, ["6"])
    ['06_service_drivers']
    """
    chosen = {name: [found for found in notebooks if _is_named(found, name)] for name in only}
    for name, found in chosen.items():
        if not found:
            raise InputError(
                "`--only` must name notebooks by number or name",
                f"found '{name}'{did_you_mean(name, notebooks)}",
                f"There are {', '.join(notebooks)}.",
            )
    return [name for name in notebooks if not only or any(name in found for found in chosen.values())]


def faults_of_choices(choices: Mapping[str, Mapping[str, Any]], notebooks: Mapping[str, NotebookFile]) -> list[str]:
    """What is wrong with the `notebooks:` part of a study file, one line a fault."""
    faults = []
    for notebook, values in choices.items():
        if notebook not in notebooks:
            hint = did_you_mean(notebook, notebooks) or f" (there are {', '.join(notebooks)})"
            faults.append(f"notebooks.{notebook}: there is no such notebook{hint}")
            continue
        parameters = notebooks[notebook].parameters
        for name, value in values.items() if parameters is not None else ():
            fault = _fault_of_value(name, value, parameters or {})
            if fault:
                faults.append(f"notebooks.{notebook}.{name}: {fault}")
    return faults


def _is_named(notebook: str, name: str) -> bool:
    number = notebook.partition("_")[0]
    return name == notebook or (name.isdigit() and int(name) == int(number))


def _fault_of_value(name: str, value: Any, parameters: Mapping[str, Any]) -> str:
    if name in GIVEN:
        return "this parameter is set by the run itself; leave it out"
    if name not in parameters:
        others = [other for other in parameters if other not in GIVEN]
        return f"the notebook has no such parameter{did_you_mean(name, others) or f' (it has {name_some(others, 20)})'}"
    try:
        TypeAdapter(parameters[name]).validate_python(value, strict=True)
    except ValidationError:
        wanted = parameters[name]
        return f"must be {getattr(wanted, '__name__', wanted)}; found {value!r}"
    return ""


def _parameters_cell(cells: list[dict[str, Any]]) -> str | None:
    """Source of the first code cell tagged `parameters`."""
    for cell in cells:
        if cell["cell_type"] == "code" and "parameters" in cell["metadata"].get("tags", []):
            return "".join(cell["source"])
    return None


def _parameters(source: str) -> dict[str, Any]:
    """Name -> type of every assignment in a parameters cell."""
    found: dict[str, Any] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = _type_of(node.annotation)
        if isinstance(node, ast.Assign):
            found |= {target.id: Any for target in node.targets if isinstance(target, ast.Name)}
    return found


def _type_of(node: ast.expr) -> Any:
    """The type that an annotation names; Any where it is not one of the plain ones. Nothing is evaluated."""
    match node:
        case ast.Name(id=name):
            return _PLAIN.get(name, Any)
        case ast.Constant(value=None):
            return None
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            sides = [_type_of(left), _type_of(right)]
            return Any if Any in sides else reduce(or_, sides)
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            return list[_type_of(item)]  # type: ignore[misc]
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value])):
            return dict[_type_of(key), _type_of(value)]  # type: ignore[misc]
        case ast.Subscript(value=ast.Name(id="Literal"), slice=options):
            return Literal[ast.literal_eval(options)]
    return Any
