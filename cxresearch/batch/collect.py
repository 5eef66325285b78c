"""All studies of an outputs folder together: what `cxresearch summary` reads."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from cxresearch.batch.freshness import hash_file
from cxresearch.batch.outcome import Outcome, recall
from cxresearch.core.results import NUMBERS, RECORD_COLUMNS
from cxresearch.errors import InputError, name_some


@dataclass(frozen=True, slots=True)
class Collection:
    """The outputs of several studies; a report can be made of it as of a study.

    Attributes
    ----------
    name : of the folder that the summary is written to
    title, aim, language, labels, seed : as of a study
    outputs : the folder that holds the studies' folders
    results : results.csv of all studies, one below the other
    outcomes : study -> what became of its notebooks
    """

    name: str
    title: str
    aim: str
    language: Literal["en", "zh"]
    labels: dict[str, str]
    seed: int
    outputs: Path
    results: pd.DataFrame
    outcomes: dict[str, list[Outcome]]

    def fingerprints(self) -> dict[str, str]:
        """results.csv of each study -> hash of its content."""
        return {f"{study}/results.csv": hash_file(self.outputs / study / "results.csv") for study in self.outcomes}

    def failures(self) -> list[Outcome]:
        """The notebooks that failed the last time they ran."""
        return [outcome for outcomes in self.outcomes.values() for outcome in outcomes if outcome.status == "failed"]


def collect(outputs: Path, *, name: str = "summary", language: Literal["en", "zh"] | None = None) -> Collection:
    """Read what the studies of an outputs folder have come to.

    Parameters
    ----------
    outputs : the folder given to `cxresearch run --outputs`
    name : folder within it that the summary goes to, which is no study
    language : of the summary; by default Chinese where every study is, else English

    Raises
    ------
    InputError
        If no study lies there, or one has the name of the summary's folder.
    """
    folders = sorted(path.parent for path in outputs.glob("*/status.json"))
    found = [folder for folder in folders if (folder / "results.csv").is_file()]
    if not found:
        raise InputError(
            "the folder must hold the outputs of studies",
            f"found none in {outputs}",
            "Run them first: cxresearch run params/*.yaml --outputs FOLDER",
        )
    if name in [folder.name for folder in found]:
        raise InputError(f"no study may have the name {name!r}", f"found {outputs / name}", "Choose another with --name.")
    results = pd.concat([_read(folder / "results.csv") for folder in found], ignore_index=True)
    language = language or ("zh" if {_language(folder) for folder in found} == {"zh"} else "en")
    outcomes = {folder.name: recall(folder) for folder in found}
    titles = {"en": "Summary over {n} studies", "zh": "{n} 项研究汇总"}
    return Collection(
        name, titles[language].format(n=len(found)), name_some(outcomes, 12), language, {}, 0, outputs, results, outcomes
    )


def _read(path: Path) -> pd.DataFrame:
    """results.csv with its texts as texts ("1", never 1.0) and "" for blank."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    numbers = {name: pd.to_numeric(frame[name].replace("", None)) for name in NUMBERS}
    return frame.assign(**numbers)[list(RECORD_COLUMNS)]


def _language(folder: Path) -> str:
    """The language that a study's page is written in."""
    head = (folder / "index.html").read_text(encoding="utf-8")[:200] if (folder / "index.html").is_file() else ""
    return "zh" if 'lang="zh' in head else "en"
