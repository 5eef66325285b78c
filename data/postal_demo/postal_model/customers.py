"""SYNTHETIC: the customer table; those who answered the survey have the same latent scores there."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from postal_model import parameters as p
from postal_model.people import Branches, People, draw_latent
from postal_model.survey import PANEL, Draw

EXTRACT = np.datetime64("2026-06-30")
ORDERS = (np.log(9.0), 0.22)  # log orders a year on loyalty
SPEND_PER_ORDER = (np.log(38.0), 0.55)  # log mean and sd
CHURN = (-2.1, -0.8, 0.9)  # logit: level, loyalty, share of the year since the last order
REPURCHASE = (1.0, 0.8)  # logit on loyalty
ACTIVE_DAYS = 90
SATISFACTION_ASKED = 0.82  # of customers; the rest is blank
GAP_RATE = 0.02  # of years and date of update
INVALID_SPEND = 12  # rows with a negative spend


@dataclass(frozen=True, slots=True)
class Panel:
    """Customers C00001 to C05000: branch and age numbers, latent satisfaction, loyalty, recommendation, (5000,) each."""

    branch: np.ndarray
    age: np.ndarray
    satisfaction: np.ndarray
    loyalty: np.ndarray
    recommend: np.ndarray


def draw_panel(rng: np.random.Generator, survey: Draw) -> Panel:
    """Respondents of the panel as they are, and others of the same branches."""
    branches = survey.branches
    share = p.COMPANY_SHARES[branches.company] * p.REGION_SHARES[branches.region]
    branch = rng.choice(len(share), PANEL, p=share / share.sum())
    age, quarter = rng.choice(len(p.AGES), PANEL, p=p.AGE_SHARES), np.full(PANEL, len(p.QUARTERS) - 1)
    others = People(branches.company[branch], branches.region[branch], age, quarter, branch)
    latent = draw_latent(rng, others, branches.effects[branch])
    panel = Panel(branch, age, latent.satisfaction, latent.loyalty, latent.recommend)
    rows = np.flatnonzero((survey.customer > 0) & (survey.customer <= PANEL))
    who = survey.customer[rows] - 1
    panel.branch[who], panel.age[who] = survey.people.branch[rows], survey.people.age[rows]
    for name in ("satisfaction", "loyalty", "recommend"):
        getattr(panel, name)[who] = getattr(survey.latent, name)[rows]
    return panel


def simulate_customers(rng: np.random.Generator, branches: Branches, panel: Panel) -> pd.DataFrame:
    """Orders, spend and loyalty of each customer."""
    orders = 1 + rng.poisson(np.exp(ORDERS[0] + ORDERS[1] * panel.loyalty) * rng.gamma(1.5, 1 / 1.5, PANEL))
    spend = orders * np.exp(rng.normal(*SPEND_PER_ORDER, PANEL))
    days = np.minimum(365, np.floor(rng.exponential(365 / (orders + 1)))).astype(int)
    churned = _happens(rng, CHURN[0] + CHURN[1] * panel.loyalty + CHURN[2] * days / 365)
    satisfaction = np.searchsorted(p.THRESHOLDS, panel.satisfaction * 0.85 + rng.normal(0, 0.53, PANEL)) + 1
    table = pd.DataFrame(
        {
            "customer": [f"C{number + 1:05d}" for number in range(PANEL)],
            "company": np.array(p.COMPANIES)[branches.company[panel.branch]],
            "region": np.array(p.REGIONS)[branches.region[panel.branch]],
            "branch": branches.codes[panel.branch],
            "age_group": np.array(p.AGES)[panel.age],
            "years": rng.exponential(3.2, PANEL).round(1),
            "orders": orders,
            "spend": spend.round(2),
            "days_since_last": days,
            "satisfaction": satisfaction,
            "churned": churned,
            "repurchased": _happens(rng, REPURCHASE[0] + REPURCHASE[1] * panel.loyalty) & ~churned,
            "recommended": _happens(rng, panel.recommend),
            "active": (days <= ACTIVE_DAYS) & ~churned,
            "updated_at": (EXTRACT - np.floor(rng.exponential(110, PANEL)).astype(int)).astype(str),
        }
    )
    return _soil(rng, table)


def _happens(rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
    return rng.random(len(logit)) < 1 / (1 + np.exp(-logit))


def _soil(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Blanks, some negative spends, and booleans as true and false."""
    table = table.astype({"satisfaction": "Int64"})
    table["satisfaction"] = table["satisfaction"].mask(rng.random(PANEL) >= SATISFACTION_ASKED)
    for name in ("years", "updated_at"):
        table[name] = table[name].mask(rng.random(PANEL) < GAP_RATE)
    wrong = rng.choice(PANEL, INVALID_SPEND, replace=False)
    table.loc[wrong, "spend"] = -table.loc[wrong, "spend"]
    return say_booleans(table)


def say_booleans(table: pd.DataFrame) -> pd.DataFrame:
    """True and False as the words true and false."""
    flags = [name for name, kind in table.dtypes.items() if pd.api.types.is_bool_dtype(kind)]
    return table.assign(**{name: table[name].map({True: "true", False: "false"}) for name in flags})
