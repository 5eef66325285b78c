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
    unfinished : studies without results.csv
    copied : study -> the other one there from whose folder it was copied, as its numbers still say
    """

    outputs: Path
    results: pd.DataFrame
    outcomes: dict[str, list[Outcome]]
    languages: dict[str, Literal["en", "zh"]]
    unfinished: list[str]
    copied: dict[str, str]

    @property
    def files(self) -> dict[str, Path]:
        """The files read, by their names within the folder."""
        return {f"{study}/results.csv": self.outputs / study / "results.csv" for study in self.languages}

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
    folders = {path.parent.name: path.parent for path in sorted(outputs.folder.glob(f"*/{FILE}"))}
    finished = {study: folder for study, folder in folders.items() if (folder / "results.csv").is_file()}
    if not finished:
        raise InputError(
            "the folder must hold the outputs of studies",
            f"found none in {outputs.place}",
            "Run them first: cxresearch run params/*.yaml --outputs FOLDER",
        )
    read = {study: _read(folder / "results.csv", outputs) for study, folder in finished.items()}
    return Collection(
        outputs.folder,
        pd.concat([rows.assign(study=study) for study, rows in read.items()], ignore_index=True),
        {study: recall(folder) for study, folder in folders.items()},
        {study: language_of(folder) for study, folder in finished.items()},
        [study for study in folders if study not in finished],
        {study: own for study, rows in read.items() for own in set(rows["study"]) if own != study and own in finished},
    )


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
