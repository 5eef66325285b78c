"""SYNTHETIC: monthly service records of each branch, and inspections on site."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from postal_model import parameters as p
from postal_model.people import Branches, driver_means

PARCELS_PER_MONTH = 20000  # of an average branch
SEASON = np.array([0.95, 0.95, 1.0, 1.05, 1.3, 1.15, 1.05, 0.8, 0.95, 0.95, 1.0, 1.05])  # July to June
BRANCH_SIZE_SD = 0.25  # of the log
MONTH_SD = 0.06  # of a branch's latent drivers from month to month
VISITS_PER_PARCEL = 0.06
DELIVERED_SHARE = 0.985  # the rest is handed over or returned
ON_TIME = (2.95, 0.8)  # logit: level, slope on delivery
DAMAGED = (np.log(0.004), -0.7)  # log rate on delivery
LOST = (np.log(0.0012), -0.6)  # log rate on assurance
ONE_VISIT = (1.75, 0.7)  # logit on efficiency
WAIT = (np.log(10.5), -0.45)  # log minutes on efficiency
WAIT_SHAPE = 2.0  # of the gamma distribution of waiting times
MACHINES, HOURS_PER_MACHINE = 8, 480
FAULTS = (np.log(0.004), -0.4)  # log rate per machine hour on environment
NEW_SERVICES = (np.log(0.15), 0.6)  # log rate on innovation
INSPECTORS = ("I1", "I2", "I3", "I4", "I5", "I6")
SEVERITY = np.array([-0.25, -0.1, 0.0, 0.0, 0.15, 0.3])  # lenience of each inspector, in points of the scale
INSPECTION_ITEMS = {"clean": 0.25, "lights": 0.1, "signs": -0.1, "queue": -0.3}  # easiness
INSPECTION_LEVEL, INSPECTION_SLOPE, INSPECTION_SD = 3.9, 0.7, 0.55


@dataclass(frozen=True, slots=True)
class BranchMonths:
    """One row a branch and month, (576,): numbers of both, parcels, and latent drivers (576, 7)."""

    branch: np.ndarray
    month: np.ndarray
    parcels: np.ndarray
    drivers: np.ndarray

    def of(self, driver: str) -> np.ndarray:
        """The latent scores (576,) of one driver."""
        return self.drivers[:, p.DRIVERS.index(driver)]

    @property
    def quarter(self) -> np.ndarray:
        """The number of the quarter, (576,)."""
        return self.month // 3


def draw_branch_months(rng: np.random.Generator, branches: Branches) -> BranchMonths:
    """Parcels and latent drivers of each branch and month: company, region, quarter, programme, branch, chance."""
    n_branches, n_months = len(branches.company), len(p.MONTHS)
    branch, month = np.repeat(np.arange(n_branches), n_months), np.tile(np.arange(n_months), n_branches)
    company, region = branches.company[branch], branches.region[branch]
    drivers = driver_means(company, region, month // 3) + branches.effects[branch]
    drivers += rng.normal(0, MONTH_SD, drivers.shape)
    size = np.exp(rng.normal(0, BRANCH_SIZE_SD, n_branches))[branch] * p.COMPANY_SHARES[company] * len(p.COMPANIES)
    parcels = rng.poisson(PARCELS_PER_MONTH * size * SEASON[month])
    return BranchMonths(branch, month, parcels, drivers)


def simulate_inspections(rng: np.random.Generator, branches: Branches, months: BranchMonths) -> pd.DataFrame:
    """Two or three inspectors see each branch each month and rate it 1 to 5 (one row a visit)."""
    visits = rng.integers(2, 4, len(months.branch))
    row = np.repeat(np.arange(len(visits)), visits)
    inspector = np.concatenate([np.sort(rng.choice(len(INSPECTORS), count, replace=False)) for count in visits])
    impression = INSPECTION_LEVEL + INSPECTION_SLOPE * months.of("environment")[row] + SEVERITY[inspector]
    impression += rng.normal(0, INSPECTION_SD / 2, len(row))
    ratings = {
        item: np.clip(np.rint(impression + easiness + rng.normal(0, INSPECTION_SD, len(row))), 1, 5).astype(int)
        for item, easiness in INSPECTION_ITEMS.items()
    }
    where = {"branch": branches.codes[months.branch[row]], "month": np.array(p.MONTHS)[months.month[row]]}
    return pd.DataFrame(where | {"inspector": np.array(INSPECTORS)[inspector]} | ratings)


def simulate_operations(
    rng: np.random.Generator,
    branches: Branches,
    months: BranchMonths,
    complaints: np.ndarray,
    inspections: pd.DataFrame,
) -> pd.DataFrame:
    """Counts and sums of each branch and month; `complaints` (576,) are the tickets opened there."""
    delivered = rng.binomial(months.parcels, DELIVERED_SHARE)
    visits = rng.poisson(months.parcels * VISITS_PER_PARCEL)
    on_time = rng.binomial(delivered, _logistic(ON_TIME, months.of("delivery")))
    wait = [rng.gamma(WAIT_SHAPE, mean / WAIT_SHAPE, count) for mean, count in zip(_waits(months), visits, strict=True)]
    hours = rng.integers(MACHINES - 2, MACHINES + 3, len(visits)) * HOURS_PER_MACHINE
    ratings = inspections[list(INSPECTION_ITEMS)].mean(axis=1).groupby([inspections["branch"], inspections["month"]])
    return pd.DataFrame(
        {
            "month": np.array(p.MONTHS)[months.month],
            "company": np.array(p.COMPANIES)[branches.company[months.branch]],
            "region": np.array(p.REGIONS)[branches.region[months.branch]],
            "branch": branches.codes[months.branch],
            "parcels": months.parcels,
            "delivered": delivered,
            "on_time": on_time,
            "damaged": rng.binomial(delivered, np.exp(DAMAGED[0] + DAMAGED[1] * months.of("delivery"))),
            "lost": rng.binomial(delivered, np.exp(LOST[0] + LOST[1] * months.of("assurance"))),
            "visits": visits,
            "one_visit": rng.binomial(visits, _logistic(ONE_VISIT, months.of("efficiency"))),
            "wait_minutes": [round(float(minutes.sum()), 1) for minutes in wait],
            "wait_minutes_sq": [round(float((minutes**2).sum()), 1) for minutes in wait],
            "machine_hours": hours,
            "faults": rng.poisson(hours * np.exp(FAULTS[0] + FAULTS[1] * months.of("environment"))),
            "inspections": ratings.size().to_numpy(),  # groups stand in the order of branch and month, as rows do here
            "tidiness": ((ratings.mean().to_numpy() - 1) * 25).round(2),
            "new_services": rng.poisson(np.exp(NEW_SERVICES[0] + NEW_SERVICES[1] * months.of("innovation"))),
            "complaints": complaints,
        }
    )


def _waits(months: BranchMonths) -> np.ndarray:
    return np.exp(WAIT[0] + WAIT[1] * months.of("efficiency"))


def _logistic(line: tuple[float, float], score: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-line[0] - line[1] * score))
