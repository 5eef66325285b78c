"""What must run: one task a study and notebook, decided before anything is started."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from cxresearch.batch.destination import Destination
from cxresearch.batch.freshness import Key, key_of_notebook, key_of_software, key_of_study, why_run
from cxresearch.batch.notebooks import NotebookFile, choose, faults_of_choices
from cxresearch.batch.outcome import Outcome, recall
from cxresearch.errors import CxWarning
from cxresearch.study.hints import hints_of
from cxresearch.study.open import Study, examine_study
from cxresearch.study.presence import unread_parts
from cxresearch.study.published import PublishedSurvey
from cxresearch.study.urls import Place, Url
from cxresearch.study.yaml_file import read_yaml

_KEYS = re.compile(r"`([^`]+)`")  # of the study file, as the reasons name them


@dataclass(frozen=True, slots=True)
class Task:
    """One notebook of one study.

    Attributes
    ----------
    source : the notebook file
    folder : where the study's outputs go
    parameters : what is handed to the notebook
    skip : why it is not run (a part of the study is missing), else ""
    missing : the keys that the study file lacks for it
    fault : why it cannot be run, else ""
    key : what its outputs depend on, with the present values
    why : why it must run, "" if it need not or cannot
    current : what became of it the last time, if that still holds; then nothing is to be done
    expected : seconds that it took the last time, 0 where that is not known
    """

    study: str
    notebook: str
    source: Path
    folder: Path
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)  # the log of a cluster shows no password
    skip: str = ""
    fault: str = ""
    missing: tuple[str, ...] = ()
    key: Key = field(default_factory=dict)
    why: str = ""
    current: Outcome | None = None
    expected: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run.

    Attributes
    ----------
    studies : by name, those that can be run
    tasks : what is to be done, study by study
    faults : study file -> what is wrong with it; none of its notebooks is run
    outputs : where the outputs of all studies go
    """

    studies: Mapping[str, Study]
    tasks: Sequence[Task]
    faults: Mapping[Place, list[str]]
    outputs: Destination


def plan_run(
    files: Sequence[Place],
    notebooks: Mapping[str, NotebookFile],
    *,
    outputs: Path | Destination,
    only: Sequence[str] = (),
    force: bool = False,
) -> Plan:
    """Open every study and decide what must run.

    Parameters
    ----------
    files : the study files; one that is named twice counts once
    notebooks : every notebook by name
    outputs : where the outputs of all studies go
    only : numbers or names of notebooks; all of them if empty
    force : run also what is up to date

    Raises
    ------
    InputError
        If `only` names no notebook.
    """
    chosen = choose(notebooks, only)
    outputs = outputs if isinstance(outputs, Destination) else Destination(outputs)
    paths = dict(map(_identified, files)).values()
    opened = {path: _opened(path, notebooks) for path in paths}
    studies = {path: study for path, study in opened.items() if isinstance(study, Study)}
    faults = {path: found for path, found in opened.items() if isinstance(found, list)}
    faults |= _names_taken_twice({path: study.name for path, study in studies.items()})
    good = [study for path, study in studies.items() if path not in faults]
    tasks = [
        task for study in good for task in _plan_study(study, [notebooks[name] for name in chosen], outputs, force)
    ]
    faulty = {path: faults[path] for path in paths if path in faults}
    return Plan({study.name: study for study in good}, tasks, faulty, outputs)


def _identified(path: Place) -> tuple[Place, Place]:
    """What tells whether two files are the same, and the file: data lie relative to a link, not to its target."""
    return (path.resolve(), path.absolute()) if isinstance(path, Path) else (path, path)


class Checked(NamedTuple):
    """What a check of a study file found: faults, which hinder its run, and notes, which do not."""

    faults: list[str]
    notes: list[str]


def check_file(path: Place, notebooks: Mapping[str, NotebookFile]) -> Checked:
    """Every fault of a study file, the choices that it makes for notebooks included; where there is none, what looks odd."""
    study, faults, warned = _examined(path, notebooks)
    if faults or study is None:
        return Checked(faults, warned)
    survey = None if study.parts["survey"] else study.survey()
    hints = [] if survey is None or isinstance(survey, PublishedSurvey) else hints_of(survey, study.file)
    unread = unread_parts(
        study.file, {part for notebook in notebooks.values() for part in notebook.reads or notebook.needs}
    )
    left = [f"{', '.join(unread)}: read by no notebook of this version"] if unread else []
    return Checked([], warned + hints + left)


def _opened(path: Place, notebooks: Mapping[str, NotebookFile]) -> Study | list[str]:
    """The study, without the survey that the check has read (a hundred would fill the memory), or its faults."""
    study, faults, warned = _examined(path, notebooks)
    if faults or study is None:
        return faults + [f"note: {each}" for each in warned]
    return Study(study.file, study.path)


def _examined(path: Place, notebooks: Mapping[str, NotebookFile]) -> tuple[Study | None, list[str], list[str]]:
    """The study, None if its file is faulty; every fault; what reading its survey warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CxWarning)
        study, faults = examine_study(path)
    warned = list(dict.fromkeys(str(each.message) for each in caught if issubclass(each.category, CxWarning)))
    choices = faults_of_choices(study.notebooks, notebooks) if study is not None else []
    return study, faults + choices, warned


def _names_taken_twice(names: Mapping[Place, str]) -> dict[Place, list[str]]:
    """Study files whose `study:` another file has too, each with the fault."""
    faults = {}
    for path, name in names.items():
        others = [str(other) for other in names if other != path and names[other] == name]
        if others:
            faults[path] = [f"study: {', '.join(others)} is called '{name}' too; give each study a name of its own"]
    return faults


def _plan_study(study: Study, notebooks: Sequence[NotebookFile], outputs: Destination, force: bool) -> list[Task]:
    """The tasks of one study, each compared with what became of it the last time."""
    content = read_yaml(study.path)
    outputs.begin(study.name)
    last = {outcome.notebook: outcome for outcome in recall(outputs.folder / study.name)}
    tasks = []
    for notebook in notebooks:
        shared = {**key_of_study(study, content, notebook.reads), **key_of_software()}
        task = _plan_notebook(study, notebook, outputs)
        tasks.append(_compare(task, study, shared, last.get(task.notebook), outputs, force))
    return tasks


def _compare(task: Task, study: Study, shared: Key, last: Outcome | None, outputs: Destination, force: bool) -> Task:
    if task.skip or task.fault:
        same = not task.fault and last is not None and (last.status, last.reason) == ("skipped", task.skip)
        return replace(task, current=replace(last, cached=True)) if same and last else task
    key = {**key_of_notebook(task.source, study.notebooks.get(task.notebook, {})), **shared}
    why = why_run(key, last, outputs.held) or ("--force" if force else "")
    current = replace(last, cached=True) if last and not why else None
    return replace(task, key=key, why=why, current=current, expected=last.seconds if last else 0.0)


def _plan_notebook(study: Study, notebook: NotebookFile, outputs: Destination) -> Task:
    unknown = [part for part in notebook.reads or notebook.needs if part not in study.parts]
    missing = [study.parts[need] for need in notebook.needs if study.parts.get(need)]
    fault = notebook.fault
    if unknown and not fault:
        fault = f"it names `{unknown[0]}`, which is no part of a study"
    return Task(
        study=study.name,
        notebook=notebook.name,
        source=notebook.path,
        folder=outputs.folder / study.name,
        parameters={
            "study_file": study.path.address if isinstance(study.path, Url) else str(study.path),
            "output_dir": str(outputs.place),
            **study.notebooks.get(notebook.name, {}),
        },
        skip="" if fault else "; ".join(dict.fromkeys(missing)),
        fault=fault,
        missing=tuple(dict.fromkeys(key for reason in missing for key in _KEYS.findall(reason))),
    )
