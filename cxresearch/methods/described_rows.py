"""Rows of answers to be described item by item: means, deviations, medians, modes and shares."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from cxresearch.core.design import Design
from cxresearch.core.em import EM
from cxresearch.core.moments import deviations_from
from cxresearch.core.results import tidy, words
from cxresearch.methods.counted_items import centre_rows
from cxresearch.methods.likely_means import LikelyMeans
from cxresearch.methods.linearised import linearised_means

MOST_ANSWERS = 21  # an item with more different answers, or with fractions, is measured, not chosen: no distribution


@dataclass(frozen=True, slots=True)
class DescribedRows:
    """Rows to be described.

    Attributes
    ----------
    answers : (n, p) floats, nan where not answered
    weights : (n, p) of mean 1 over the rows that answered each item, 0 elsewhere
    design : weights and clusters
    said : first word of a `method`
    """

    answers: pd.DataFrame
    weights: np.ndarray
    design: Design
    said: str = ""

    @classmethod
    def of(cls, answers: pd.DataFrame, design: Design) -> "DescribedRows":
        """The rows of numeric answers; of those that have no weight none is an answer."""
        values = answers.to_numpy(float)
        present = ~np.isnan(values)
        weights = design.weights_on(answers.index)[:, None] * present
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = weights * (present.sum(axis=0) / weights.sum(axis=0))
        values = np.where(np.isfinite(weights), values, np.nan)  # an item answered only by rows of weight 0 is empty
        return cls(pd.DataFrame(values, answers.index, answers.columns), np.nan_to_num(weights), design)

    def select(self, names: list[str]) -> "DescribedRows":
        """Some of the items."""
        keep = [list(self.answers).index(name) for name in names]
        return DescribedRows(self.answers[names], self.weights[:, keep], self.design, self.said)

    def unweighted(self) -> "DescribedRows":
        """The same rows as if all weighed the same."""
        design = Design(clusters=self.design.clusters)
        return DescribedRows(self.answers, self.answers.notna().to_numpy(float), design, "unweighted")

    @property
    def values(self) -> np.ndarray:
        """(n, p) answers."""
        return self.answers.to_numpy()

    @property
    def lacking(self) -> bool:
        """Whether a row that answered something lacks an answer."""
        return bool(self.answers.dropna(how="all").isna().any(axis=None))

    def likely(self) -> LikelyMeans | None:
        """Their means by maximum likelihood."""
        return LikelyMeans.of(self.answers, design=self.design)

    def means(self, likely: LikelyMeans | None) -> pd.DataFrame:
        """Means with linearised standard errors and t intervals over the clusters (rows, where there are none) that answered."""
        rows, items = np.nonzero(~np.isnan(self.values))
        units = self.design.clusters_on(self.answers.index)[rows]
        own = linearised_means(self.values[rows, items], self.weights[rows, items], items, units, self.values.shape[1])
        found = likely.linearised(self.design) if likely else own
        mean, df = found.mean, own.units - 1.0
        error = np.where(df > 0, found.std_error, np.nan)
        margin = stdtrit(np.maximum(df, 1), 0.975) * error
        return tidy(
            "item_mean", mean, term=list(self.answers), std_error=error, df=df, conf_low=mean - margin, conf_high=mean + margin,
            n=np.bincount(items), method=words(self.said, EM if likely else "", self.design.words),
        )  # fmt: skip

    def spreads(self, likely: LikelyMeans | None) -> list[pd.DataFrame]:
        """Standard deviations; medians and modes of what was answered."""
        n = (~np.isnan(self.values)).sum(axis=0)
        mean = (self.weights * np.nan_to_num(self.values)).sum(axis=0) / n
        sd = np.sqrt((self.weights * np.nan_to_num(deviations_from(self.values, mean)) ** 2).sum(axis=0) / (n - 1))
        counted = [_counts(*pair) for pair in zip(self.values.T, self.weights.T, strict=True)]
        spread, *centre = centre_rows([*map(str, self.answers)], n, sd, counted, _kind(self.design))
        if likely:
            spread = spread.assign(estimate=likely.moments.sd, method=words(EM, _kind(self.design)))
        return [spread, *centre]

    def shares(self, limits: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
        """Share of each answer to each item; none for measured items."""
        counted = [
            (str(name), *_counts(answers, weight), int((~np.isnan(answers)).sum()))
            for name, answers, weight in zip(self.answers, self.values.T, self.weights.T, strict=True)
        ]
        return share_table(counted, limits, _kind(self.design))


def share_table(
    counted: list[tuple[str, np.ndarray, np.ndarray, int]], limits: Mapping[str, tuple[float, float]], kind: str
) -> pd.DataFrame:
    """Shares of counted answers: name, different answers in order, weight of each, rows; `kind` says whether they are weighted."""
    parts = []
    for name, levels, totals, n in counted:
        low, high = limits[name]
        if (levels != np.round(levels)).any() or high - low >= MOST_ANSWERS:
            continue
        possible = np.arange(low, high + 1)
        shares = pd.Series(totals / totals.sum(), index=levels).reindex(possible, fill_value=0.0)
        groups = [f"{level:g}" for level in possible]
        parts.append(pd.DataFrame({"term": name, "group": groups, "estimate": shares.to_numpy(), "n": n}))
    if not parts:
        return tidy("item_share", [])
    rows = pd.concat(parts, ignore_index=True)
    return tidy("item_share", method=kind, **{str(name): rows[name].to_numpy() for name in rows})


def limits_of(
    values: np.ndarray, names: list[str], ranges: Mapping[str, tuple[float, float]] | None
) -> dict[str, tuple[float, float]]:
    """Lowest and highest answer of each item."""
    seen = {name: (float(np.nanmin(values[:, i])), float(np.nanmax(values[:, i]))) for i, name in enumerate(names)}
    return {name: (ranges or {}).get(name, limits) for name, limits in seen.items()}


def _counts(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different answers of one item in order, and the weight of each."""
    present = ~np.isnan(values)
    levels, where = np.unique(values[present], return_inverse=True)
    return levels, np.bincount(where, weights[present])


def _kind(design: Design) -> str:
    return "weighted" if design.weights is not None else ""
