"""SYNTHETIC: counts and sums over simulated respondents of the target population, block by block, without dirt."""

from dataclasses import dataclass, fields

import numpy as np

from postal_model import parameters as p
from postal_model.people import (
    ALL_ITEMS,
    People,
    draw_answers,
    draw_branch_effects,
    draw_latent,
    draw_population,
    draw_recommendation,
)

GROUPS = {"company": p.COMPANIES, "region": p.REGIONS, "quarter": p.QUARTERS, "age_group": p.AGES}
MEASURES = (*p.CONSTRUCTS, "nps")
VARIABLES = (*ALL_ITEMS, "nps")
BLOCK = 50_000
STEPS = 6 * 4 + 1  # a construct mean of two or three answers, times 6, lies on 6, 7, ... 30


@dataclass(frozen=True, slots=True)
class Census:
    """Sums over n respondents.

    Attributes
    ----------
    answers : (26, 11) respondents who gave each item, and the recommendation, each of 0 to 10
    products : (27, 27) sums of products of a one and the 26 variables
    cells : (4, 3, 4, 4) respondents by company, region, quarter and age group
    sums, squares : (10, 4, 3, 4, 4) of the constructs and the recommendation
    joint : (7, 25, 25) respondents by score of a driver and of satisfaction
    """

    answers: np.ndarray
    products: np.ndarray
    cells: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    joint: np.ndarray

    def __add__(self, other: "Census") -> "Census":
        """Both together."""
        return Census(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))


def take_census(rng: np.random.Generator, n: int) -> Census:
    """Simulate `n` respondents of the target population in blocks; memory does not grow with `n`."""
    sizes = [BLOCK] * (n // BLOCK) + ([n % BLOCK] if n % BLOCK else [])
    total = _count_block(rng, sizes[0])
    for size in sizes[1:]:
        total = total + _count_block(rng, size)
    return total


def _count_block(rng: np.random.Generator, n: int) -> Census:
    people = draw_population(rng, n)
    latent = draw_latent(rng, people, draw_branch_effects(rng, n))
    values = np.column_stack([draw_answers(rng, latent), draw_recommendation(latent)]).astype(np.int64)
    scores = construct_scores(values)
    full = np.column_stack([np.ones(n), values])
    cell, shape = _cell_of(people)
    by_cell = [np.bincount(cell, measure, np.prod(shape)).reshape(shape) for measure in scores.T]
    squares = [np.bincount(cell, measure**2, np.prod(shape)).reshape(shape) for measure in scores.T]
    steps = np.rint(scores[:, : len(p.CONSTRUCTS)] * 6).astype(int) - 6
    outcome = steps[:, p.CONSTRUCTS.index("satisfaction")]
    joint = [
        np.bincount(steps[:, driver] * STEPS + outcome, minlength=STEPS**2).reshape(STEPS, STEPS)
        for driver in range(len(p.DRIVERS))
    ]
    return Census(
        answers=np.stack([np.bincount(column, minlength=11) for column in values.T]),
        products=full.T @ full,
        cells=np.bincount(cell, minlength=np.prod(shape)).reshape(shape),
        sums=np.stack(by_cell),
        squares=np.stack(squares),
        joint=np.stack(joint),
    )


def construct_scores(values: np.ndarray) -> np.ndarray:
    """(n, 10) means of each construct's items, and the recommendation, from the variables (n, 26)."""
    return values @ recipe()


def recipe() -> np.ndarray:
    """(26, 10) what each variable counts in each measure."""
    share = np.zeros((len(VARIABLES), len(MEASURES)))
    for column, construct in enumerate(p.CONSTRUCTS):
        items = p.ITEMS[construct]
        share[[VARIABLES.index(item) for item in items], column] = 1 / len(items)
    share[-1, -1] = 1
    return share


def _cell_of(people: People) -> tuple[np.ndarray, tuple[int, ...]]:
    shape = tuple(len(values) for values in GROUPS.values())
    return np.ravel_multi_index((people.company, people.region, people.quarter, people.age), shape), shape
