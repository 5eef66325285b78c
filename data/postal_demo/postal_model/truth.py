"""SYNTHETIC: what the notebooks would print of the whole population, by formulas written here apart from the package.

Only the one-factor fit of omega and the factor solution come from `cxresearch.methods`: they are iterative.
"""

from collections.abc import Iterator
from itertools import combinations
from math import factorial

import numpy as np

from postal_model import parameters as p
from postal_model.census import GROUPS, MEASURES, VARIABLES, Census, recipe
from postal_model.people import ALL_ITEMS

Row = tuple[str, str, str, str, float, str]  # quantity, scale, term, group, estimate, method


def population_values(census: Census, *, n_factors: int) -> list[dict[str, object]]:
    """One row a number, in the vocabulary of results.csv."""
    n = census.products[0, 0]
    mean = census.products[0, 1:] / n
    cov = census.products[1:, 1:] / n - np.outer(mean, mean)
    rows = [
        *_sample(census),
        *_items(census, mean, cov),
        *_reliability(cov),
        *_factors(cov[:-1, :-1], n_factors),
        *_drivers(census, mean, cov),
        *_cases(census),
    ]
    names = ("quantity", "scale", "term", "group", "estimate", "method")
    return [dict(zip(names, (*row[:4], float(row[4]), row[5]), strict=True)) for row in rows]


def correlation(cov: np.ndarray) -> np.ndarray:
    """(p, p) correlations of covariances."""
    sd = np.sqrt(np.diag(cov))
    return cov / np.outer(sd, sd)


def _sample(census: Census) -> Iterator[Row]:
    for axis, (column, values) in enumerate(GROUPS.items()):
        counts = census.cells.sum(axis=tuple(other for other in range(len(GROUPS)) if other != axis))
        for value, count in zip(values, counts, strict=True):
            yield "group_share", "", column, value, count / counts.sum(), ""


def _homes() -> dict[str, str]:
    """Variable -> the scale it is printed under."""
    return {item: construct for construct, items in p.ITEMS.items() for item in items} | {"nps": "nps"}


def _items(census: Census, mean: np.ndarray, cov: np.ndarray) -> Iterator[Row]:
    for place, (name, scale) in enumerate(_homes().items()):
        shares = census.answers[place] / census.answers[place].sum()
        levels = range(11) if name == "nps" else range(1, 6)
        yield "item_mean", scale, name, "", mean[place], ""
        yield "item_sd", scale, name, "", np.sqrt(cov[place, place]), ""
        yield "item_median", scale, name, "", np.searchsorted(np.cumsum(shares), 0.5), ""
        yield "item_mode", scale, name, "", np.argmax(shares), ""
        for level in levels:
            yield "item_share", scale, name, str(level), shares[level], ""


def _reliability(cov: np.ndarray) -> Iterator[Row]:
    for scale, items in {**p.ITEMS, "all": ALL_ITEMS}.items():
        where = [VARIABLES.index(item) for item in items]
        part = cov[np.ix_(where, where)]
        corr = correlation(part)
        yield "alpha", scale, "", "", alpha(part), ""
        yield "alpha_standardized", scale, "", "", alpha(corr), ""
        if len(items) > 2:
            yield "omega_total", scale, "", "", omega(part), "one-factor ml"
        yield "split_half", scale, "", "", split_half(part), "odd-even; spearman-brown"
        between = corr[np.triu_indices(len(items), 1)]
        yield "mean_inter_item_correlation", scale, "", "", between.mean(), ""
        if scale == "all":
            continue
        for place, item in enumerate(items):
            rest = [other for other in range(len(items)) if other != place]
            with_rest = part[place, rest].sum() / np.sqrt(part[place, place] * part[np.ix_(rest, rest)].sum())
            yield "item_rest_correlation", scale, item, "", with_rest, ""
            if len(items) > 2:
                yield "alpha_if_dropped", scale, item, "", alpha(part[np.ix_(rest, rest)]), ""


def alpha(cov: np.ndarray) -> float:
    """Coefficient alpha of covariances (p, p)."""
    k = len(cov)
    return k / (k - 1) * (1 - np.trace(cov) / cov.sum())


def omega(cov: np.ndarray) -> float:
    """Omega of a one-factor model."""
    from cxresearch.methods.one_factor import fit_one_factor

    return fit_one_factor(cov).loadings.sum() ** 2 / cov.sum()


def split_half(cov: np.ndarray) -> float:
    """Correlation of the sums of odd and even items, stepped up to full length."""
    odd = np.arange(len(cov)) % 2 == 0
    r = cov[np.ix_(odd, ~odd)].sum() / np.sqrt(cov[np.ix_(odd, odd)].sum() * cov[np.ix_(~odd, ~odd)].sum())
    return 2 * r / (1 + r)


def _factors(cov: np.ndarray, n_factors: int) -> Iterator[Row]:
    from cxresearch.methods.extraction import extract_factors

    corr = correlation(cov)
    inverse = np.linalg.inv(corr)
    off = 1 - np.eye(len(corr))
    simple, partial = corr**2 * off, inverse**2 / np.outer(np.diag(inverse), np.diag(inverse)) * off
    yield "kmo", "", "", "", simple.sum() / (simple + partial).sum(), "pearson"
    for place, item in enumerate(ALL_ITEMS):
        yield "msa", "", item, "", simple[place].sum() / (simple + partial)[place].sum(), "pearson"
    values = np.linalg.eigvalsh(corr)[::-1]
    for place, value in enumerate(values):
        yield "eigenvalue", "", str(place + 1), "", value, "pearson"
    yield "n_factors", "", "", "", (values > 1).sum(), "kaiser; pearson"
    found = extract_factors(corr, n_factors, "minres", "oblimin")
    names = [f"F{number + 1}" for number in range(n_factors)]
    for place, item in enumerate(ALL_ITEMS):
        yield "communality", "", item, "", found.communalities[place], "pearson; minres"
        yield "uniqueness", "", item, "", 1 - found.communalities[place], "pearson; minres"
        for factor, loading in zip(names, found.loadings[place], strict=True):
            yield "loading", factor, item, "", loading, "pearson; minres; oblimin"
        for factor, correlated in zip(names, found.structure[place], strict=True):
            yield "structure", factor, item, "", correlated, "pearson; minres; oblimin"
    for one, other in combinations(range(n_factors), 2):
        yield "factor_correlation", names[one], names[other], "", found.phi[one, other], "pearson; minres; oblimin"
    yield "variance_explained", "", "", "", found.variance.sum(), "pearson; minres"
    for factor, share in zip(names, found.variance, strict=True):
        yield "variance_explained", factor, "", "", share, "pearson; minres; oblimin"


def _drivers(census: Census, mean: np.ndarray, cov: np.ndarray) -> Iterator[Row]:
    share = recipe()[:, [MEASURES.index(name) for name in (*p.DRIVERS, "satisfaction")]]
    level, part = mean @ share, share.T @ cov @ share
    corr = correlation(part)
    slopes = np.linalg.solve(part[:-1, :-1], part[:-1, -1])
    total = slopes @ part[:-1, -1] / part[-1, -1]
    yield "r_squared", "drivers", "", "", total, "ols"
    yield "adjusted_r_squared", "drivers", "", "", total, "ols"
    columns = {
        "coefficient": (slopes, "ols"),
        "beta": (slopes * np.sqrt(np.diag(part)[:-1] / part[-1, -1]), "ols"),
        "vif": (np.diag(np.linalg.inv(corr[:-1, :-1])), ""),
        "importance_lmg": (importance_lmg(corr), ""),
        "importance_johnson": (importance_johnson(corr), ""),
        "performance": ((level[:-1] - 1) * 25, "mean, 0 to 100"),
    }
    for quantity, (values, method) in columns.items():
        for driver, value in zip(p.DRIVERS, values, strict=True):
            yield quantity, "drivers", driver, "", value, method
    heavy, well = (values >= values.mean() for values in (columns["importance_lmg"][0], columns["performance"][0]))
    for place, driver in enumerate(p.DRIVERS):
        quadrant = (2 if well[place] else 1) if heavy[place] else (4 if well[place] else 3)
        yield "quadrant", "drivers", driver, "", quadrant, "lmg; mean, 0 to 100; crosshair at means"
        yield "correlation", "satisfaction", driver, "", corr[place, -1], "pearson"
        yield "correlation", "satisfaction", driver, "", spearman(census.joint[place]), "spearman"


def importance_lmg(corr: np.ndarray) -> np.ndarray:
    """R² that each driver adds, averaged over all orders; the outcome is the last of `corr`."""
    k = len(corr) - 1

    def explained(chosen: tuple[int, ...]) -> float:
        some = list(chosen)
        return corr[some, -1] @ np.linalg.solve(corr[np.ix_(some, some)], corr[some, -1]) if some else 0.0

    shares = np.zeros(k)
    for driver in range(k):
        others = [other for other in range(k) if other != driver]
        for size in range(k):
            weight = factorial(size) * factorial(k - 1 - size) / factorial(k)
            for before in combinations(others, size):
                shares[driver] += weight * (explained((*before, driver)) - explained(before))
    return shares


def importance_johnson(corr: np.ndarray) -> np.ndarray:
    """Johnson's relative weights by the symmetric square root."""
    values, vectors = np.linalg.eigh(corr[:-1, :-1])
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    return root**2 @ np.linalg.solve(root, corr[:-1, -1]) ** 2


def spearman(joint: np.ndarray) -> float:
    """Rank correlation of a table of counts, mid-ranks for ties."""
    ranks = [np.cumsum(counts) - counts / 2 for counts in (joint.sum(axis=1), joint.sum(axis=0))]
    share = joint / joint.sum()
    centred = [rank - rank @ margin for rank, margin in zip(ranks, (share.sum(axis=1), share.sum(axis=0)), strict=True)]
    spread = [
        np.sqrt(rank**2 @ margin) for rank, margin in zip(centred, (share.sum(axis=1), share.sum(axis=0)), strict=True)
    ]
    return centred[0] @ share @ centred[1] / (spread[0] * spread[1])


def _cases(census: Census) -> Iterator[Row]:
    for axis, (column, values) in enumerate(GROUPS.items()):
        others = tuple(other for other in range(len(GROUPS)) if other != axis)
        n = census.cells.sum(axis=others)
        for place, measure in enumerate(MEASURES):
            mean = census.sums[place].sum(axis=others) / n
            variance = census.squares[place].sum(axis=others) / n - mean**2
            yield from _compare(measure, values, n / n.sum(), mean, variance, f"by {column}")
    yield from _programme_effect(census)


def _compare(
    measure: str, values: tuple[str, ...], share: np.ndarray, mean: np.ndarray, variance: np.ndarray, method: str
) -> Iterator[Row]:
    between = share @ (mean - share @ mean) ** 2
    explained = between / (between + share @ variance)
    for value, level, place in zip(values, mean, (-mean).argsort().argsort() + 1, strict=True):
        yield "group_mean", measure, "", value, level, method
        yield "rank", measure, "", value, place, method
    yield "eta_squared", measure, "", "", explained, method
    yield "omega_squared", measure, "", "", explained, method
    for one, other in combinations(np.argsort(values), 2):  # as the package orders groups
        pair, difference = f"{values[one]} - {values[other]}", mean[one] - mean[other]
        pooled = (share[one] * variance[one] + share[other] * variance[other]) / (share[one] + share[other])
        yield "mean_difference", measure, pair, "", difference, method
        yield "cohens_d", measure, pair, "", difference / np.sqrt(pooled), f"pooled sd; {method}"
        yield "hedges_g", measure, pair, "", difference / np.sqrt(pooled), f"pooled sd; {method}"


def _programme_effect(census: Census) -> Iterator[Row]:
    """Before and after by company, and how much more the programme's company changed than the others."""
    treated = np.array([company == p.PROGRAMME_COMPANY for company in p.COMPANIES])
    after = p.PROGRAMME_RAMP > 0
    for place, measure in enumerate(MEASURES):
        means = np.empty((2, 2))  # others or treated, before or after
        for row, rows in enumerate((~treated, treated)):
            for column, columns in enumerate((~after, after)):
                some = np.ix_(rows, range(len(p.REGIONS)), columns, range(len(p.AGES)))
                means[row, column] = census.sums[place][some].sum() / census.cells[some].sum()
        effect = (means[1, 1] - means[1, 0]) - (means[0, 1] - means[0, 0])
        yield "difference_in_differences", measure, "", p.PROGRAMME_COMPANY, effect, "by company"
