"""SYNTHETIC: twelve experts compare criteria pair by pair and give points."""

from itertools import combinations

import numpy as np
import pandas as pd

from postal_model import parameters as p

EXPERTS = tuple(f"E{number:02d}" for number in range(1, 13))
GOAL = "goal"
TRUE_WEIGHTS = {
    GOAL: {
        "quality": 0.20, "efficiency": 0.18, "environment": 0.08, "innovation": 0.06,
        "assurance": 0.15, "delivery": 0.22, "price": 0.11,
    },
    "quality": {"qual1": 0.45, "qual2": 0.30, "qual3": 0.25},
    "efficiency": {"effi1": 0.48, "effi2": 0.20, "effi3": 0.32},
    "environment": {"envi1": 0.50, "envi2": 0.25, "envi3": 0.25},
    "innovation": {"inno1": 0.65, "inno2": 0.35},
    "assurance": {"assu1": 0.35, "assu2": 0.45, "assu3": 0.20},
    "delivery": {"deli1": 0.45, "deli2": 0.35, "deli3": 0.20},
    "price": {"pric1": 0.55, "pric2": 0.45},
}  # fmt: skip
OPINION_NOISE = 0.25  # standard deviation of the log of an expert's own weight around the true one
JUDGEMENT_NOISE_GOAL = 0.24  # standard deviation of the log of a ratio between dimensions
JUDGEMENT_NOISE_WITHIN = 0.10  # and between items within a dimension
INCONSISTENT = "E07"
CIRCLE = {  # delivery beats price, price beats environment, environment beats delivery
    ("delivery", "price"): 5, ("environment", "price"): 1 / 7, ("environment", "delivery"): 5,
    ("efficiency", "innovation"): 1 / 3,
    ("effi1", "effi2"): 2, ("effi2", "effi3"): 2, ("effi1", "effi3"): 1 / 2,
}  # fmt: skip
GAPS = "E10"
BLANKS = {  # pairs not asked; the rest still join all criteria
    ("quality", "innovation"), ("efficiency", "environment"), ("environment", "price"), ("innovation", "assurance"),
    ("innovation", "price"), ("assurance", "price"), ("envi2", "envi3"),
}  # fmt: skip
STEPS = [1 / step for step in range(9, 1, -1)] + list(range(1, 10))
POINTS_NOISE = 0.18


def simulate_judgements(rng: np.random.Generator) -> pd.DataFrame:
    """Judgements (expert, parent, left, right, judgement) on Saaty's scale, as text: 3 or 1/3; blank = not asked."""
    rows = []
    for expert in EXPERTS:
        for parent, weights in TRUE_WEIGHTS.items():
            own = {name: weight * np.exp(rng.normal(0, OPINION_NOISE)) for name, weight in weights.items()}
            noise = JUDGEMENT_NOISE_GOAL if parent == GOAL else JUDGEMENT_NOISE_WITHIN
            for left, right in combinations(weights, 2):
                ratio = own[left] / own[right] * np.exp(rng.normal(0, noise))
                rows.append((expert, parent, left, right, _say(expert, left, right, ratio)))
    return pd.DataFrame(rows, columns=["expert", "parent", "left", "right", "judgement"])


def simulate_scores(rng: np.random.Generator) -> pd.DataFrame:
    """Points 0 to 100 that each expert gives each dimension directly (expert, criterion, points)."""
    weights = TRUE_WEIGHTS[GOAL]
    rows = []
    for expert in EXPERTS:
        for criterion, weight in weights.items():
            points = 90 * (weight / max(weights.values())) ** 0.5 * np.exp(rng.normal(0, POINTS_NOISE))
            rows.append((expert, criterion, int(min(100, 5 * round(points / 5)))))
    return pd.DataFrame(rows, columns=["expert", "criterion", "points"])


def hierarchy() -> dict[str, list[str]]:
    """Goal to dimensions, dimensions to items."""
    return {parent: list(weights) for parent, weights in TRUE_WEIGHTS.items()}


def true_weights() -> dict[str, dict[str, float]]:
    """Local weights by parent, and the global weights of the items."""
    overall = {
        item: p_weight * TRUE_WEIGHTS[GOAL][dimension]
        for dimension in p.DRIVERS
        for item, p_weight in TRUE_WEIGHTS[dimension].items()
    }
    return {**TRUE_WEIGHTS, "global": overall}


def _say(expert: str, left: str, right: str, ratio: float) -> str:
    if expert == GAPS and (left, right) in BLANKS:
        return ""
    if expert == INCONSISTENT and (left, right) in CIRCLE:
        ratio = CIRCLE[left, right]
    step = min(STEPS, key=lambda value: abs(np.log(value) - np.log(ratio)))
    return str(step) if step >= 1 else f"1/{round(1 / step)}"
