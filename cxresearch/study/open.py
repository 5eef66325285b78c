"""Open a study: its file checked as a whole, its data read when asked for."""

import hashlib
import os
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cxresearch.core.records import Records
from cxresearch.errors import InputError
from cxresearch.study.checks import Known, check_meaning
from cxresearch.study.data_checks import SURVEY, check_columns, check_survey_table, named_files, read_headers
from cxresearch.study.faults import Fault
from cxresearch.study.file import StudyFile
from cxresearch.study.fitting import fit_types
from cxresearch.study.judgements import read_judgements
from cxresearch.study.labels import labels_of
from cxresearch.study.large_survey import LargeSurvey, read_large_survey
from cxresearch.study.lazy_table import is_large
from cxresearch.study.presence import files_read, has_labelled_data, parts_of
from cxresearch.study.published import PublishedSurvey, read_published
from cxresearch.study.records import TABLES, read_records, survey_records
from cxresearch.study.service_checks import check_service
from cxresearch.study.survey import Survey, read_survey
from cxresearch.study.tables import find_files
from cxresearch.study.urls import Place, Url, place
from cxresearch.study.value_checks import check_values
from cxresearch.study.yaml_file import read_yaml


class Study:
    """A sound study file, and the data it names.

    Attributes
    ----------
    file : the study file as it stands
    path : where it lies, here or at a URL
    """

    def __init__(self, file: StudyFile, path: Place) -> None:
        self.file = file
        self.path = path
        self._tables: dict[str, Records] = {}
        self._asked: set[str] = set()  # parts whose data somebody has asked for
        self._hashes: dict[Place, str] = {}

    def __repr__(self) -> str:
        return f"Study({self.name!r}, {str(self.path)!r})"

    @property
    def folder(self) -> Place:
        """Where the paths of the study file start."""
        return self.path.parent

    @property
    def name(self) -> str:
        """The short name, which names the outputs."""
        return self.file.study

    @property
    def title(self) -> str:
        """The title of the page."""
        return self.file.title or self.file.study

    @property
    def aim(self) -> str:
        """What the study is to find, or ''."""
        return self.file.aim

    @property
    def language(self) -> Literal["en", "zh"]:
        """Language of the outputs."""
        return self.file.language

    @property
    def seed(self) -> int:
        """Seed of everything random."""
        return self.file.seed

    @property
    def min_group(self) -> int:
        """Groups smaller than this are not shown."""
        return self.file.privacy.min_group

    @property
    def notebooks(self) -> dict[str, dict[str, Any]]:
        """Notebook -> the parameters that the study sets."""
        return self.file.notebooks

    @property
    def hierarchy(self) -> dict[str, list[str]]:
        """Parent -> children of the AHP hierarchy; goal -> constructs where the study file has none."""
        return self.file.hierarchy

    @cached_property
    def parts(self) -> dict[str, str]:
        """Part ("survey", "experts.judgements", ...) -> "" if it is there, else why not."""
        return parts_of(self.file)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Code -> label: constructs, items ("code · wording"), group columns, and "column=value" where the data say."""
        if not has_labelled_data(self.file):
            return labels_of(self.file)
        survey = self._survey
        return labels_of(self.file, variable_labels=survey.variable_labels, value_labels=survey.value_labels)

    def survey(self) -> Survey | LargeSurvey | PublishedSurvey:
        """The survey, read once; left where it lies if it is large; moments alone if it is a correlation matrix.

        Raises
        ------
        InputError
            If the study has no survey or its data cannot be used.
        """
        if self.parts["answers"]:
            raise InputError("the study must have a survey", self.parts["answers"], "Add it to the study file.")
        self._asked.add("survey")
        return self._answers

    def records(self) -> list[Records]:
        """Every table of the study that holds records (survey, tickets, operations, observations, customers), cell by cell.

        Raises
        ------
        InputError
            If a table cannot be read.
        """
        return [self.table(name) for name in TABLES if not self.parts[name]]

    def table(self, name: str) -> Records:
        """One of these tables, read once; of a survey larger than memory, a random sample of its rows.

        Raises
        ------
        InputError
            If the study has no such table, or it cannot be read.
        """
        if name not in TABLES:
            raise InputError(f"`name` must be one of {', '.join(TABLES)}", f"found {name!r}", "Choose one of these.")
        if self.parts[name]:
            raise InputError(f"the study must have `{name}`", self.parts[name], "Add it to the study file.")
        self._asked.add(name)
        if name not in self._tables:
            self._tables[name] = (
                self._survey_records() if name == "survey" else read_records(self.file, name, self.folder)
            )
        return self._tables[name]

    def _survey_records(self) -> Records:
        survey = self._survey
        shared = survey.repeats.shared if isinstance(survey, LargeSurvey) else None
        return survey_records(self.file, survey.sample, shared)

    def judgements(self) -> pd.DataFrame:
        """Paired comparisons of experts: expert, parent, left, right (text), judgement (float; nan = not asked).

        Judgements may be written as numbers or as fractions ("1/3").

        Raises
        ------
        InputError
            If the study has no judgements, or one is no number.
        """
        experts = self.file.experts
        if experts is None or experts.judgements is None:
            raise InputError(
                "the study must have expert judgements", self.parts["experts.judgements"], "Add them to the study file."
            )
        self._asked.add("experts.judgements")
        return read_judgements(experts.judgements, self.folder)

    def sources(self, parts: Collection[str] | None = None) -> dict[str, str]:
        """The data files of these parts, or all (path relative to the study file, or URL) -> SHA-256, found once."""
        return {_relative(path, self.folder): self._hash(path) for path in self.data_files(parts)}

    def data_files(self, parts: Collection[str] | None = None) -> list[Place]:
        """Every data file that the study names, or those that a notebook reads which asks for these parts."""
        named = [data for _, data in named_files(self.file)] if parts is None else files_read(self.file, parts)
        return list(dict.fromkeys(path for data in named for path in find_files(data, self.folder)))

    def fingerprints(self) -> dict[str, str]:
        """The study file and the data files that this study has been asked for (survey, tables, judgements) -> SHA-256."""
        return {self.path.name: self._hash(self.path), **self.sources(self._asked)}

    def _hash(self, path: Place) -> str:
        if path not in self._hashes:
            self._hashes[path] = _sha256(path)
        return self._hashes[path]

    @property
    def _answers(self) -> Survey | LargeSurvey | PublishedSurvey:
        """The survey, read for whatever reason."""
        return self._published if self.parts["survey"] else self._survey

    @cached_property
    def _published(self) -> PublishedSurvey:
        return read_published(self.file, self.folder)

    @cached_property
    def _survey(self) -> Survey | LargeSurvey:
        large = self.file.survey is not None and is_large(self.file.survey, self.folder)
        return read_large_survey(self.file, self.folder) if large else read_survey(self.file, self.folder)


def open_study(path: str | Place) -> Study:
    """Open a study file and check it as a whole, the columns of its data files and the answers of its survey included.

    The file, and the data files that it names, may lie at any URL that fsspec knows.

    Raises
    ------
    InputError
        If anything is wrong; the message lists every fault with its place in the file.
    """
    path = path if isinstance(path, Url) else place(path)
    study, faults = examine_study(path)
    if faults or study is None:
        count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        raise InputError(f"{path} cannot be used", f"found {count}:\n  " + "\n  ".join(faults))
    return study


def check_study(path: str | Place) -> list[str]:
    """Every fault of a study file, each with its place; [] if it is sound."""
    return examine_study(path if isinstance(path, Url) else place(path))[1]


def examine_study(path: Place) -> tuple[Study | None, list[str]]:
    """The study, None if its file is faulty, and every fault; where the file is sound, those of the survey's data.

    The survey is read for it, once: the study keeps it.
    """
    file, faults = _examine_file(path)
    if faults or file is None:
        return None, faults
    study = Study(file, path)
    return study, _faults_of_survey(study)


def _faults_of_survey(study: Study) -> list[str]:
    if study.parts["answers"]:
        return []
    try:
        survey = study._answers
    except InputError as error:
        return [f"survey: {error}"]
    return [] if isinstance(survey, PublishedSurvey) else [str(fault) for fault in check_values(study.file, survey)]


def _examine_file(path: Place) -> tuple[StudyFile | None, list[str]]:
    try:
        content = read_yaml(path)
    except InputError as error:
        return None, str(error).splitlines()
    fitted = fit_types(content)
    headers, unread = read_headers(fitted.file, path.parent)
    strange = list(check_survey_table(fitted.file, headers, path.parent))
    if strange:
        del headers[SURVEY]  # told as one fault
    survey = fitted.file.survey
    given = {key for key, value in content.items() if value is not None}
    given |= {str(path[0]) for path in fitted.excused if len(path) == 1}
    known = Known(
        frozenset(given),
        fitted,
        headers.get(SURVEY),
        (survey.data or survey.correlation or []) if survey is not None else [],
    )
    found = [
        *unread,
        *strange,
        *check_columns(fitted.file, headers),
        *check_meaning(fitted.file, known),
        *check_service(fitted.file, known),
    ]
    return fitted.file, _in_order([*fitted.faults, *fitted.still_told(found)], list(content))


def _in_order(faults: list[Fault], keys: list[str]) -> list[str]:
    """Each fault once, in the order of the study file."""
    place = {key: at for at, key in enumerate(keys)}
    ordered = sorted(faults, key=lambda fault: place.get(str(fault.path[0]), len(keys)) if fault.path else -1)
    return list(dict.fromkeys(str(fault) for fault in ordered))


def _relative(path: Place, folder: Place) -> str:
    if isinstance(path, Url) or isinstance(folder, Url):
        return path.relative_to(folder) if isinstance(path, Url) and isinstance(folder, Url) else str(path)
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _sha256(path: Place) -> str:
    if isinstance(path, Url):
        return path.sha256()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
