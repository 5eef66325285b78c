"""Notebooks are thin, clean and tagged."""

import ast
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell):
    return "".join(cell["source"])


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 6


def test_committed_without_outputs(notebook):
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code_cells(notebook))


def test_begins_with_a_title_and_a_question(notebook):
    first = notebook["cells"][0]
    assert first["cell_type"] == "markdown"
    assert re.match(r"# .+\n\n?.+", source(first))


def test_first_code_cell_holds_typed_and_commented_parameters(notebook):
    cell = code_cells(notebook)[0]
    assert cell["metadata"]["tags"] == ["parameters"]
    for node in ast.parse(source(cell)).body:
        assert isinstance(node, ast.AnnAssign), "each parameter is `name: type = literal`"
        ast.literal_eval(node.value)
    assert all("#" in line for line in source(cell).splitlines() if line.strip())


def test_tagged_cells_are_only_the_parameters(notebook):
    tagged = [cell for cell in notebook["cells"] if cell["metadata"].get("tags")]
    assert tagged == [code_cells(notebook)[0]]


def test_says_what_it_needs_and_uses(notebook):
    assert notebook["metadata"]["cxresearch"]["needs"]
    assert "uses" in notebook["metadata"]["cxresearch"]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"


def test_holds_no_logic(notebook):
    for cell in code_cells(notebook):
        tree = ast.parse(source(cell))
        kinds = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.While, ast.Try)
        assert not any(isinstance(node, kinds) for node in ast.walk(tree))
        assert len(source(cell).splitlines()) <= 15


def test_is_short(notebook):
    assert len(notebook["cells"]) <= 30


def test_names_no_absolute_path(notebook):
    assert not any(re.search(r"""["'](/|[A-Z]:\\)""", source(cell)) for cell in code_cells(notebook))


def test_readme_has_a_row_for_each(notebook):
    rows = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"[{path.stem}]({path.name})" in rows for path in NOTEBOOKS)
