"""SYNTHETIC: who answers, what they have lived through (latent scores), and the answers cut from it."""

from dataclasses import dataclass

import numpy as np

from postal_model import parameters as p

ALL_ITEMS = tuple(item for items in p.ITEMS.values() for item in items)


@dataclass(frozen=True, slots=True)
class Branches:
    """The 48 branches: company and region numbers (48,) and their effects on the drivers (48, 7)."""

    company: np.ndarray
    region: np.ndarray
    effects: np.ndarray

    @property
    def codes(self) -> np.ndarray:
        """B01 to B48."""
        return np.array([f"B{number + 1:02d}" for number in range(len(self.company))])


@dataclass(frozen=True, slots=True)
class People:
    """Numbers of company, region, age group, quarter and branch of n people, (n,) each; branch -1 = one of its own."""

    company: np.ndarray
    region: np.ndarray
    age: np.ndarray
    quarter: np.ndarray
    branch: np.ndarray


@dataclass(frozen=True, slots=True)
class Latent:
    """Latent scores of n people: drivers (n, 7), satisfaction, loyalty and recommendation (n,)."""

    drivers: np.ndarray
    satisfaction: np.ndarray
    loyalty: np.ndarray
    recommend: np.ndarray

    def of(self, construct: str) -> np.ndarray:
        """The scores (n,) of one construct."""
        return getattr(self, construct) if construct not in p.DRIVERS else self.drivers[:, p.DRIVERS.index(construct)]


def draw_branch_effects(rng: np.random.Generator, n: int) -> np.ndarray:
    """(n, 7) how much better than its company and region each branch is."""
    common = rng.normal(0, p.BRANCH_SD_COMMON, (n, 1))
    return common + rng.normal(0, p.BRANCH_SD_SPECIFIC, (n, len(p.DRIVERS)))


def draw_branches(rng: np.random.Generator) -> Branches:
    """Four branches in each cell of company and region, with their effects."""
    cells = [(c, r) for c in range(len(p.COMPANIES)) for r in range(len(p.REGIONS)) for _ in range(p.BRANCHES_PER_CELL)]
    company, region = np.array(cells).T
    return Branches(company, region, draw_branch_effects(rng, len(cells)))


def draw_sample(rng: np.random.Generator, n: int, branches: Branches) -> People:
    """The sample: companies by market share, regions in equal parts, the older answer more often."""
    share = p.COMPANY_SHARES[branches.company]
    branch = rng.choice(len(share), n, p=share / share.sum())
    age_share = p.AGE_SHARES * p.RESPONSE_RATES
    age = rng.choice(len(p.AGES), n, p=age_share / age_share.sum())
    quarter = rng.integers(len(p.QUARTERS), size=n)
    return People(branches.company[branch], branches.region[branch], age, quarter, branch)


def draw_population(rng: np.random.Generator, n: int) -> People:
    """The target population: every customer with the same chance, each at a branch of their own (branches without end)."""
    return People(
        rng.choice(len(p.COMPANIES), n, p=p.COMPANY_SHARES),
        rng.choice(len(p.REGIONS), n, p=p.REGION_SHARES),
        rng.choice(len(p.AGES), n, p=p.AGE_SHARES),
        rng.integers(len(p.QUARTERS), size=n),
        np.full(n, -1),
    )


def driver_means(company: np.ndarray, region: np.ndarray, quarter: np.ndarray) -> np.ndarray:
    """(n, 7) expected drivers of company, region and quarter, the programme included."""
    level = p.COMPANY_EFFECTS[company] + p.REGION_EFFECTS[region] + p.QUARTER_EFFECTS[quarter]
    return level + p.programme()[company, quarter]


def draw_latent(rng: np.random.Generator, people: People, branch_effects: np.ndarray) -> Latent:
    """Drivers from group effects, branch and person; satisfaction linear in the drivers; loyalty and recommendation from it.

    `branch_effects` is (n, 7): the effect of each person's branch.
    """
    n = len(people.company)
    general = rng.normal(size=(n, 1)) * p.GENERAL
    specific = rng.normal(size=(n, len(p.DRIVERS))) * np.sqrt(1 - p.GENERAL**2)
    means = driver_means(people.company, people.region, people.quarter) + p.AGE_EFFECTS[people.age]
    drivers = means + branch_effects + general + specific
    satisfaction = drivers @ p.SLOPES + rng.normal(0, p.satisfaction_sd(), n)
    price = drivers[:, p.DRIVERS.index("price")]
    loyalty = p.LOYALTY_SLOPES["satisfaction"] * satisfaction + p.LOYALTY_SLOPES["price"] * price
    loyalty += rng.normal(0, p.LOYALTY_SD, n)
    recommend = p.RECOMMEND_SLOPES["satisfaction"] * satisfaction + p.RECOMMEND_SLOPES["loyalty"] * loyalty
    recommend += rng.normal(0, p.RECOMMEND_SD, n)
    return Latent(drivers, satisfaction, loyalty, recommend)


def cut_item(rng: np.random.Generator, item: str, latent: np.ndarray) -> np.ndarray:
    """Answers 1 to 5, (n,), to an item: loading x latent + noise + easiness, cut at the thresholds."""
    loading = p.LOADINGS[item]
    score = loading * latent + rng.normal(0, np.sqrt(1 - loading**2), len(latent)) + p.EASINESS[item]
    return np.searchsorted(p.THRESHOLDS, score).astype(np.int8) + np.int8(1)


def draw_answers(rng: np.random.Generator, latent: Latent) -> np.ndarray:
    """(n, 25) answers 1 to 5 in the order of ALL_ITEMS, 5 always the better one."""
    answers = np.empty((len(latent.satisfaction), len(ALL_ITEMS)), np.int8)
    for column, (construct, item) in enumerate((c, i) for c, items in p.ITEMS.items() for i in items):
        answers[:, column] = cut_item(rng, item, latent.of(construct))
    return answers


def draw_recommendation(latent: Latent) -> np.ndarray:
    """(n,) answers 0 to 10."""
    return np.searchsorted(p.RECOMMEND_THRESHOLDS, latent.recommend).astype(np.int8)
