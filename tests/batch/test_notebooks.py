from pathlib import Path
from typing import Any, Literal

import pytest

from cxresearch.batch.notebooks import (
    NotebookFile,
    choose,
    faults_of_choices,
    find_folder,
    read_notebook,
    read_notebooks,
)
from cxresearch.errors import InputError

TYPED = """
study_file: str = "x"  # the study
output_dir: str = "y"
n_factors: int | str = "parallel"
share: float = 0.5
rotation: Literal["oblimin", "varimax"] = "oblimin"
levels: list[int] = [1, 2]
labels: dict[str, int] = {}
by: str | None = None
strict: bool = True
anything = 3
odd: SomeClass = 1
"""


def test_reads_needs_and_typed_parameters(notebooks):
    folder = notebooks("01_typed", needs=("survey", "outcome"), parameters=TYPED)
    file = read_notebook(folder / "01_typed.ipynb")
    assert (file.name, file.needs, file.fault) == ("01_typed", ("survey", "outcome"), "")
    assert file.parameters == {
        "study_file": str,
        "output_dir": str,
        "n_factors": int | str,
        "share": float,
        "rotation": Literal["oblimin", "varimax"],
        "levels": list[int],
        "labels": dict[str, int],
        "by": str | None,
        "strict": bool,
        "anything": Any,
        "odd": Any,
    }


def test_finds_numbered_notebooks_in_their_order(notebooks):
    for name in ("10_late", "02_early", "draft"):
        folder = notebooks(name)
    assert list(read_notebooks(folder)) == ["02_early", "10_late"]


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        (None, "no code cell with the tag `parameters`"),
        ("n: int = 3", "lacks `study_file` and `output_dir`"),
        ("study_file = = 3", "is no Python"),
    ],
)
def test_says_why_a_notebook_cannot_run(notebooks, parameters, fault):
    folder = notebooks("01_bad", parameters=parameters)
    assert fault in read_notebook(folder / "01_bad.ipynb").fault


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"metadata": {}, "cells": [{}]}', "\ufeff{"])
def test_a_file_that_is_no_notebook_is_a_fault(tmp_path, content):
    path = tmp_path / "01_broken.ipynb"
    path.write_text(content, encoding="utf-8")
    assert "cannot be read as a notebook" in read_notebook(path).fault


@pytest.mark.parametrize(
    ("choice", "fault"),
    [
        ({"n_bootstraps": 3}, "no such parameter; did you mean 'n_bootstrap'?"),
        ({"zzz": 3}, "no such parameter (it has n_bootstrap, share)"),
        ({"n_bootstrap": "many"}, "must be int; found 'many'"),
        ({"n_bootstrap": True}, "must be int; found True"),
        ({"n_bootstrap": 2.5}, "must be int; found 2.5"),
        ({"study_file": "x.yaml"}, "is set by the run itself"),
    ],
)
def test_choices_that_the_notebook_does_not_take(choice, fault):
    files = {
        "01_one": NotebookFile("01_one", Path(), parameters={"study_file": str, "n_bootstrap": int, "share": float})
    }
    (found,) = faults_of_choices({"01_one": choice}, files)
    assert found.startswith(f"notebooks.01_one.{next(iter(choice))}: ")
    assert fault in found


def test_choices_that_fit_and_a_notebook_that_is_not_there():
    files = {"01_reliability": NotebookFile("01_reliability", Path(), parameters={"n": int, "share": float, "x": Any})}
    assert faults_of_choices({"01_reliability": {"n": 3, "share": 1, "x": [1, "a"]}}, files) == []
    (fault,) = faults_of_choices({"01_reliabilty": {}}, files)
    assert fault == "notebooks.01_reliabilty: there is no such notebook; did you mean '01_reliability'?"


def test_only_by_number_or_name():
    files = {name: NotebookFile(name, Path()) for name in ("01_one", "02_two", "11_three")}
    assert choose(files, []) == list(files)
    assert choose(files, ["11", "1"]) == ["01_one", "11_three"]
    assert choose(files, ["02_two"]) == ["02_two"]
    with pytest.raises(InputError, match=r"found '02_tow'; did you mean '02_two'"):
        choose(files, ["01", "02_tow"])
    with pytest.raises(InputError, match=r"found '3'.*There are 01_one, 02_two, 11_three"):
        choose(files, ["3"])


def test_folder_given_or_here_or_beside_the_package(notebooks, tmp_path, monkeypatch):
    folder = notebooks("01_here")
    assert find_folder(folder) == folder
    monkeypatch.chdir(tmp_path)
    assert find_folder(None) == folder
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"found none in .*empty.*--notebooks"):
        find_folder(tmp_path / "empty")
