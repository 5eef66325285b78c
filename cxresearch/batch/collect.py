"""The outputs of all studies of a folder together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cxresearch.batch.destination import Destination
from cxresearch.batch.outcome import FILE, Outcome, one_line, recall
from cxresearch.core.results import NUMBERS, RECORD_COLUMNS
from cxresearch.errors import InputError
from cxresearch.present.site import HEAD, language_of


@dataclass(frozen=True, slots=True)
class Collection:
    """What several studies have come to.

    Attributes
    ----------
    outputs : the folder that holds the studies' folders
    results : results.csv of all studies, one below the other; texts as texts ("1", never 1.0), "" for blank
    outcomes : study -> what became of its notebooks
    languages : study -> language of its page
    """

    outputs: Path
    results: pd.DataFrame
    outcomes: dict[str, list[Outcome]]
    languages: dict[str, Literal["en", "zh"]]

    @property
    def files(self) -> dict[str, Path]:
        """The files read, by their names within the folder."""
        return {f"{study}/results.csv": self.outputs / study / "results.csv" for study in self.outcomes}

    def pick(self, quantity: str, notebook: str) -> pd.DataFrame:
        """The rows of one quantity of all studies."""
        return self.results[(self.results["quantity"] == quantity) & (self.results["notebook"] == notebook)]


def collect(outputs: Destination) -> Collection:
    """Read what the studies of an outputs folder have come to.

    Raises
    ------
    InputError
        If no study has been run there, or the numbers of one cannot be read.
    """
    outputs.gather(HEAD)
    folders = sorted(
        path.parent for path in outputs.folder.glob(f"*/{FILE}") if (path.parent / "results.csv").is_file()
    )
    if not folders:
        raise InputError(
            "the folder must hold the outputs of studies",
            f"found none in {outputs.place}",
            "Run them first: cxresearch run params/*.yaml --outputs FOLDER",
        )
    results = pd.concat([_read(folder / "results.csv", outputs) for folder in folders], ignore_index=True)
    outcomes = {folder.name: recall(folder) for folder in folders}
    languages = {folder.name: language_of(folder) for folder in folders}
    return Collection(outputs.folder, results, outcomes, languages)


def _read(path: Path, outputs: Destination) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        numbers: dict[str, Any] = {name: pd.to_numeric(frame[name].replace("", None)).astype(float) for name in NUMBERS}
        return frame.assign(**numbers)[list(RECORD_COLUMNS)]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{outputs.shown(path)} must hold the numbers of a study as a run has written them",
            f"found {type(error).__name__}: {one_line(error)}",
            "Run the study once more.",
        ) from error
