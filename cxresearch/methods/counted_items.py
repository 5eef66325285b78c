"""Items described by the counts of their answers: what a large table tells of them, and rows that both ways share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from cxresearch.core.large import LargeTable
from cxresearch.core.results import tidy, words
from cxresearch.methods.linearised import linearised_means


@dataclass(frozen=True, slots=True)
class CountedItem:
    """One item of a large table.

    Attributes
    ----------
    name : of the item
    n : rows that answered it
    levels, totals : its different answers in order, and the weight of each
    mean, std_error, sd : weighted; the error linearised, by cluster where there are clusters
    units : rows, or clusters that answered it
    """

    name: str
    n: int
    levels: np.ndarray
    totals: np.ndarray
    mean: float
    std_error: float
    sd: float
    units: int

    @classmethod
    def of(cls, table: LargeTable, name: str) -> "CountedItem":
        """The item, from the counts of its answers; nan for the mean of fewer than two."""
        counts = table.counts(name, by_unit=table.clusters is not None).dropna(subset=[name])
        values, weights = counts[name].to_numpy(float), counts["w"].to_numpy(float)
        n, total = int(counts["n"].sum()), weights.sum()
        levels, where = np.unique(values, return_inverse=True)
        totals = np.bincount(where, weights, len(levels))
        if n < 2 or not total > 0:
            return cls(name, 0, levels, totals, np.nan, np.nan, np.nan, 0)
        mean = float(weights @ values / total)
        sd = float(np.sqrt(totals @ (levels - mean) ** 2 * n / total / (n - 1)))
        if table.clusters is None:
            error = np.sqrt(counts["w2"].to_numpy(float) @ (values - mean) ** 2 * n / (n - 1)) / total
            return cls(name, n, levels, totals, mean, float(error), sd, n)
        units = pd.factorize(counts["unit"])[0]
        found = linearised_means(values, weights, np.zeros(len(values), int), units, 1)
        return cls(name, n, levels, totals, mean, float(found.std_error[0]), sd, int(found.units[0]))


def design_words(table: LargeTable) -> str:
    """Weights and clusters of a large table, where no bootstrap is concerned."""
    return words("weighted" if table.weighted else "", "clustered" if table.clusters is not None else "")


def mean_rows(items: Sequence[CountedItem], method: str) -> pd.DataFrame:
    """Means with their errors and t intervals."""
    mean, error, units = (np.array([getattr(item, name) for item in items]) for name in ("mean", "std_error", "units"))
    df = units - 1.0
    margin = stdtrit(np.maximum(df, 1), 0.975) * error
    return tidy(
        "item_mean", mean, term=[item.name for item in items], std_error=error, df=df, conf_low=mean - margin,
        conf_high=mean + margin, n=np.array([item.n for item in items], float), method=method,
    )  # fmt: skip


def spread_rows(items: Sequence[CountedItem], method: str) -> list[pd.DataFrame]:
    """Standard deviations, medians and modes."""
    counted = [(item.levels, item.totals) for item in items]
    n, sd = np.array([item.n for item in items]), np.array([item.sd for item in items])
    return centre_rows([item.name for item in items], n, sd, counted, method)


def centre_rows(
    names: list[str], n: np.ndarray, sd: np.ndarray, counted: list[tuple[np.ndarray, np.ndarray]], method: str
) -> list[pd.DataFrame]:
    """Rows of standard deviations (p,), and of the medians and modes of counted answers: levels in order, and their weights."""
    modes = [levels[totals >= totals.max() * (1 - 1e-12)] for levels, totals in counted]
    several = [words("lowest of several" if len(mode) > 1 else "", method) for mode in modes]
    common: dict[str, Any] = {"term": names, "n": n.astype(float)}
    return [
        tidy("item_sd", sd, method=method, **common),
        tidy("item_median", [_median(*pair) for pair in counted], method=method, **common),
        tidy("item_mode", [mode[0] for mode in modes], method=several, **common),
    ]


def _median(levels: np.ndarray, totals: np.ndarray) -> float:
    """The answer that half of the weight reaches; halfway to the next answer where it is exactly half."""
    reached = np.cumsum(totals) / totals.sum()
    at = int(np.searchsorted(reached, 0.5 - 1e-12))
    exact = abs(reached[at] - 0.5) <= 1e-12
    return float((levels[at] + levels[at + 1]) / 2 if exact else levels[at])
