"""Small notebooks and studies, written anew for each test."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

PARAMETERS = (
    'study_file: str = ""  # the study\noutput_dir: str = ""  # where outputs go\nn_bootstrap: int = 10  # replicates'
)
STUDY = """
study: {name}
survey: {{data: answers.csv}}
constructs: {{speed: {{items: [a, b], scale: [1, 5]}}}}
notebooks: {choices}
"""


@pytest.fixture
def notebooks(tmp_path) -> Callable[..., Path]:
    """write(name, *cells, needs=..., parameters=...) puts a notebook into the folder it returns."""
    folder = tmp_path / "notebooks"
    folder.mkdir()

    def write(
        name: str, *cells: str, needs: tuple[str, ...] = ("survey",), parameters: str | None = PARAMETERS
    ) -> Path:
        tagged = (
            [] if parameters is None else [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
        )
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_markdown_cell(f"# {name}"), *tagged, *map(nbformat.v4.new_code_cell, cells)],
            metadata={
                "cxresearch": {"needs": list(needs)},
                "kernelspec": {"name": "no-such-kernel", "display_name": "Elsewhere", "language": "python"},
            },
        )
        nbformat.write(notebook, folder / f"{name}.ipynb")
        return folder

    return write


@pytest.fixture
def study_file(tmp_path) -> Callable[..., Path]:
    """write(name, choices=..., file=...) writes a study of two items and returns its file."""
    (tmp_path / "answers.csv").write_text("a,b\n1,2\n3,4\n5,5\n2,2\n")

    def write(name: str, choices: str = "{}", file: str = "") -> Path:
        path = tmp_path / f"{file or name}.yaml"
        path.write_text(STUDY.format(name=name, choices=choices))
        return path

    return write
