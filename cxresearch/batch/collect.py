"""The outputs of all studies of a folder together."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cxresearch.batch.outcome import FILE, Outcome, recall
from cxresearch.core.results import NUMBERS, RECORD_COLUMNS
from cxresearch.errors import InputError


@dataclass(frozen=True, slots=True)
class Collection:
    """What several studies have come to.

    Attributes
    ----------
    outputs : the folder that holds the studies' folders
    results : results.csv of all studies, one below the other; texts as texts ("1", never 1.0), "" for blank
    outcomes : study -> what became of its notebooks
    languages : study -> language of its page, "en" or "zh"
    """

    outputs: Path
    results: pd.DataFrame
    outcomes: dict[str, list[Outcome]]
    languages: dict[str, str]

    @property
    def files(self) -> dict[str, Path]:
        """The files read, by their names within the folder."""
        return {f"{study}/results.csv": self.outputs / study / "results.csv" for study in self.outcomes}

    def pick(self, quantity: str, notebook: str) -> pd.DataFrame:
        """The rows of one quantity of all studies."""
        return self.results[(self.results["quantity"] == quantity) & (self.results["notebook"] == notebook)]


def collect(outputs: Path) -> Collection:
    """Read what the studies of an outputs folder have come to.

    Raises
    ------
    InputError
        If no study has been run there.
    """
    folders = sorted(path.parent for path in outputs.glob(f"*/{FILE}") if (path.parent / "results.csv").is_file())
    if not folders:
        raise InputError(
            "the folder must hold the outputs of studies",
            f"found none in {outputs}",
            "Run them first: cxresearch run params/*.yaml --outputs FOLDER",
        )
    results = pd.concat([_read(folder / "results.csv") for folder in folders], ignore_index=True)
    outcomes = {folder.name: recall(folder) for folder in folders}
    return Collection(outputs, results, outcomes, {folder.name: _language(folder) for folder in folders})


def _read(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    numbers = {name: pd.to_numeric(frame[name].replace("", None)).astype(float) for name in NUMBERS}
    return frame.assign(**numbers)[list(RECORD_COLUMNS)]


def _language(folder: Path) -> str:
    page = folder / "index.html"
    head = page.read_text(encoding="utf-8")[:200] if page.is_file() else ""
    return "zh" if 'lang="zh' in head else "en"
