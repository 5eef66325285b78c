"""SYNTHETIC: the dirt of real surveys, put on clean answers."""

import numpy as np
import pandas as pd

from postal_model import parameters as p
from postal_model.texts import CONTACTS

ITEM_NAMES = [item for items in p.ITEMS.values() for item in items]
NUMBERED = [item for construct, items in p.ITEMS.items() if construct not in p.WORDED for item in items]
LAST_PAGE = [*p.ITEMS["loyalty"], "nps"]


def soil(rng: np.random.Generator, frame: pd.DataFrame, age: np.ndarray) -> pd.DataFrame:
    """Careless answers, gaps, impossible codes and rows that stand twice; `age` is the number of the age group (n,)."""
    answers = frame[[*ITEM_NAMES, "nps"]].to_numpy(float, copy=True)
    seconds = frame["duration_s"].to_numpy().copy()
    _answer_straight(rng, answers)
    _answer_fast(rng, answers, seconds)
    _break_scale(rng, answers)
    _leave_gaps(rng, answers, age)
    given = pd.DataFrame(answers, index=frame.index, columns=[*ITEM_NAMES, "nps"]).astype("Int64")
    frame = frame.assign(comment=_with_contacts(rng.spawn(1)[0], frame["comment"]))
    return _repeat_rows(rng, frame.assign(duration_s=seconds, **given))


def _answer_straight(rng: np.random.Generator, answers: np.ndarray) -> None:
    """The same box in every row of the questionnaire, also for the reversed item."""
    rows = np.flatnonzero(rng.random(len(answers)) < p.STRAIGHTLINER_RATE)
    answers[rows, : len(ITEM_NAMES)] = rng.choice([3, 4, 5], len(rows), p=[0.45, 0.4, 0.15])[:, None]


def _answer_fast(rng: np.random.Generator, answers: np.ndarray, seconds: np.ndarray) -> None:
    """Less than a third of the usual time, and most answers guessed."""
    rows = np.flatnonzero(rng.random(len(answers)) < p.SPEEDER_RATE)
    seconds[rows] = rng.integers(25, 75, len(rows))
    items = answers[rows, : len(ITEM_NAMES)]
    guessed = rng.random(items.shape) < p.SPEEDER_GUESSING
    answers[rows, : len(ITEM_NAMES)] = np.where(guessed, rng.integers(1, 6, items.shape), items)


def _break_scale(rng: np.random.Generator, answers: np.ndarray) -> None:
    """An answer of 9 on a scale to 5; a recommendation of 99 on a scale to 10."""
    rows = rng.choice(len(answers), min(p.OUT_OF_SCALE_CELLS, len(answers)), replace=False)
    columns = rng.choice([ITEM_NAMES.index(item) for item in NUMBERED], len(rows))
    answers[rows, columns] = 9
    rows = rng.choice(len(answers), min(p.OUT_OF_SCALE_RECOMMEND, len(answers)), replace=False)
    answers[rows, -1] = 99


def _leave_gaps(rng: np.random.Generator, answers: np.ndarray, age: np.ndarray) -> None:
    """Gaps at random, more on innovation with age, and a last page that was not reached; some coded, some blank."""
    names = [*ITEM_NAMES, "nps"]
    gaps = rng.random(answers.shape) < p.MISSING_RATE
    innovation = [names.index(item) for item in p.ITEMS["innovation"]]
    gaps[:, innovation] |= (rng.random(len(answers)) < p.INNOVATION_MISSING[age])[:, None]
    last_page = [names.index(name) for name in LAST_PAGE]
    gaps[:, last_page] |= (rng.random(len(answers)) < p.BREAK_OFF_RATE)[:, None]
    coded = rng.random(answers.shape) < p.CODED_MISSING
    answers[gaps] = np.where(coded[gaps], p.MISSING_CODE, np.nan)


def _with_contacts(rng: np.random.Generator, comments: pd.Series) -> pd.Series:
    """A few comments end with a way to reach the respondent, all invented, in the language of the comment."""
    written = np.flatnonzero(comments.notna())
    rows = rng.choice(written, min(p.CONTACT_COMMENTS, len(written)), replace=False)
    found = comments.copy()
    for number, row in enumerate(np.sort(rows)):
        said = str(found.iloc[row])
        language = 0 if said.isascii() else 1
        found.iloc[row] = f"{said}{' ' * (1 - language)}{CONTACTS[language][number % len(CONTACTS[language])]}"
    return found


def _repeat_rows(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows exported twice: the second stands right after the first."""
    rows = np.arange(len(frame))
    twice = np.sort(rng.choice(rows, min(p.DUPLICATE_ROWS, len(frame)), replace=False))
    return frame.iloc[np.sort(np.concatenate([rows, twice]))].reset_index(drop=True)
