"""Writers of small notebooks and studies in the folder of a test."""

import tempfile
from functools import partial
from pathlib import Path

import pytest
from batch.samples import WRITE, write_notebook, write_study


@pytest.fixture
def notebooks(tmp_path):
    """write(name, *cells, needs=..., parameters=...) -> folder of the notebooks."""
    return partial(write_notebook, tmp_path / "notebooks")


@pytest.fixture
def study_file(tmp_path):
    """write(name, choices=..., file=...) -> the study file."""
    return partial(write_study, tmp_path)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """The folder of the test with a study `post` and two notebooks; what a run sets aside stays in it."""
    monkeypatch.setattr("cxresearch.batch.outputs.mkdtemp", partial(tempfile.mkdtemp, dir=tmp_path))
    write_study(tmp_path, "post")
    for name in ("01_one", "02_two"):
        write_notebook(tmp_path / "notebooks", name, WRITE.format(name=name))
    return tmp_path
