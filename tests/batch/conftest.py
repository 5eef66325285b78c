"""Writers of small notebooks and studies in the folder of a test."""

from functools import partial

import pytest
from batch.samples import write_notebook, write_study


@pytest.fixture
def notebooks(tmp_path):
    """write(name, *cells, needs=..., parameters=...) -> folder of the notebooks."""
    return partial(write_notebook, tmp_path / "notebooks")


@pytest.fixture
def study_file(tmp_path):
    """write(name, choices=..., file=...) -> the study file."""
    return partial(write_study, tmp_path)
