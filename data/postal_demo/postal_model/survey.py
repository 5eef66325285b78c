"""SYNTHETIC: the survey as a table: answers as asked, weights, branches and, unless clean, dirt."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from postal_model import parameters as p
from postal_model.dirt import soil
from postal_model.people import (
    ALL_ITEMS,
    Branches,
    Latent,
    People,
    cut_item,
    draw_answers,
    draw_branches,
    draw_latent,
    draw_recommendation,
    draw_sample,
)
from postal_model.texts import BLAME, PRAISE

PANEL = 5000  # customers in the customer table
PANEL_SHARE = 0.85  # of respondents
COMMENT_SHARE = 0.28
QUARTER_STARTS = np.array(["2025-07-01", "2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01"], "datetime64[D]")


@dataclass(frozen=True, slots=True)
class Draw:
    """A survey as a table, and what stands behind its first n rows before duplicates were put in."""

    frame: pd.DataFrame
    branches: Branches
    people: People
    latent: Latent
    customer: np.ndarray


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator of random numbers of its own for each table, so that one table can change without the others."""
    return np.random.default_rng([seed, *name.encode()])


def simulate_survey(seed: int, n: int = p.RESPONDENTS, *, clean: bool = False) -> pd.DataFrame:
    """The survey table of `n` respondents; without dirt if `clean` (the same people give the same honest answers)."""
    return draw_survey(seed, n, clean=clean).frame


def draw_survey(seed: int, n: int = p.RESPONDENTS, *, clean: bool = False) -> Draw:
    """The survey with its latent scores, which other tables are drawn from."""
    branches = draw_branches(stream(seed, "branches"))
    rng = stream(seed, "survey")
    people = draw_sample(rng, n, branches)
    people.quarter.sort()  # interviews stand in order of time
    latent = draw_latent(rng, people, branches.effects[people.branch])
    customer = np.where(rng.random(n) < PANEL_SHARE, rng.permutation(max(PANEL, n))[:n] + 1, 0)
    frame = _tabulate(rng, branches, people, latent, customer)
    if not clean:
        frame = soil(stream(seed, "dirt"), frame, people.age)
    return Draw(_in_words(frame), branches, people, latent, customer)


def _tabulate(rng: np.random.Generator, branches: Branches, people: People, latent: Latent, customer: np.ndarray):
    n = len(people.company)
    columns: dict[str, object] = {
        "respondent": [f"R{number + 1:05d}" for number in range(n)],
        "customer": [f"C{number:05d}" if number else None for number in customer],
        "date": _interview_days(rng, people.quarter),
        "quarter": np.array(p.QUARTERS)[people.quarter],
        "company": np.array(p.COMPANIES)[people.company],
        "region": np.array(p.REGIONS)[people.region],
        "branch": branches.codes[people.branch],
        "age_group": np.array(p.AGES)[people.age],
        "gender": np.array(p.GENDERS)[rng.integers(len(p.GENDERS), size=n)],
    }
    answers = draw_answers(rng, latent)
    columns |= {item: answers[:, column].astype(int) for column, item in enumerate(ALL_ITEMS)}
    columns |= {item: 6 - columns[item] for item in p.REVERSED}
    columns |= _draw_expectations(rng, latent) | _draw_reasons(rng, latent)
    columns["nps"] = draw_recommendation(latent).astype(int)
    columns["comment"] = _draw_comments(rng, latent)
    columns["duration_s"] = np.exp(rng.normal(5.55, 0.35, n) + 0.08 * people.age).round().astype(int)
    columns["weight"] = p.survey_weights()[people.region, people.age].round(4)
    return pd.DataFrame(columns)


def _interview_days(rng: np.random.Generator, quarter: np.ndarray) -> np.ndarray:
    length = np.diff(QUARTER_STARTS).astype(int)[quarter]
    day = np.floor(rng.random(len(quarter)) * length).astype(int)
    return np.sort(QUARTER_STARTS[quarter] + day).astype(str)


def _draw_expectations(rng: np.random.Generator, latent: Latent) -> dict[str, np.ndarray]:
    slope = p.EXPECTATION_SLOPE
    expected = slope * latent.of("delivery") + rng.normal(0, np.sqrt(1 - slope**2), len(latent.drivers))
    return {item: cut_item(rng, item, expected + p.EXPECTATION_SHIFT).astype(int) for item in p.EXPECTATIONS}


def _draw_reasons(rng: np.random.Generator, latent: Latent) -> dict[str, np.ndarray]:
    n = len(latent.drivers)
    chosen = {}
    for reason, (level, slope) in p.REASON_RATES.items():
        chance = 1 / (1 + np.exp(-level - slope * latent.of(p.REASON_DRIVERS[reason])))
        chosen[reason] = (rng.random(n) < chance).astype(int)
    return chosen | {"why_habit": (rng.random(n) < p.HABIT_RATE).astype(int)}


def _draw_comments(rng: np.random.Generator, latent: Latent) -> list[str | None]:
    """Praise of the best driver or blame of the worst, in English or Chinese."""
    n = len(latent.drivers)
    speaks = rng.random(n) < COMMENT_SHARE
    praises = rng.random(n) < 1 / (1 + np.exp(-1.5 * latent.satisfaction))
    language, choice = rng.integers(2, size=n), rng.integers(6, size=n)
    best, worst = latent.drivers.argmax(axis=1), latent.drivers.argmin(axis=1)
    comments: list[str | None] = []
    for row in range(n):
        words = PRAISE[p.DRIVERS[best[row]]] if praises[row] else BLAME[p.DRIVERS[worst[row]]]
        sentences = words[language[row]]
        comments.append(sentences[choice[row] % len(sentences)] if speaks[row] else None)
    return comments


def _in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Some constructs are answered in words."""
    words = {}
    for construct, steps in p.WORDED.items():
        codes = dict(enumerate(steps, start=1)) | {p.MISSING_CODE: str(p.MISSING_CODE)}
        words |= {item: frame[item].map(codes) for item in p.ITEMS[construct]}
    return frame.assign(**words)
