"""What was answered: mean, spread, median, mode and distribution of each item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from cxresearch.core.design import Design
from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.errors import InputError, name_some

MOST_ANSWERS = 21  # an item with more different answers, or with fractions, is measured, not chosen: no distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult(Result):
    """Means and distributions of items; weighted studies hold the unweighted means too.

    Attributes
    ----------
    lowest, highest : the items lowest and highest on their own answer scale
    empty : items that nobody, or only one respondent, answered; they have no rows
    """

    views: ClassVar[Mapping[str, View]] = {
        "items": View(("item_mean", "item_sd", "item_median", "item_mode"), rows=("scale", "term")),
        "answers": View(("item_share",), rows=("scale", "term"), columns="group"),
    }

    lowest: str
    highest: str
    empty: tuple[str, ...] = ()

    def finding(self) -> Finding:
        """Which items are answered lowest and highest, relative to their answer scales."""
        means = self.pick("item_mean").drop_duplicates("term").set_index("term")["estimate"]
        return Finding(
            "items.range",
            {
                "n_items": len(means),
                "lowest": self.lowest,
                "lowest_mean": float(means[self.lowest]),
                "highest": self.highest,
                "highest_mean": float(means[self.highest]),
            },
            cautions=(Finding("items.empty", {"items": self.empty}),) if self.empty else (),
        )


def check_items(
    answers: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    design: Design | None = None,
) -> ItemResult:
    """Describe every item by the rows that answered it.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered
    scales : scale -> items; a column of `answers` in no scale (an outcome, a driver) has itself as scale
    ranges : item -> lowest and highest answer possible, so that answers nobody chose are counted as 0; otherwise
        the lowest and highest answer seen in the item
    design : weights and clusters

    Returns
    -------
    ItemResult with item_mean (standard error linearised, by cluster where there are clusters; t interval), item_sd (n - 1),
    item_median, item_mode (the lowest of several), item_share (shares of the answers, 0 to 1)

    Raises
    ------
    InputError
        For items that are not in `answers`, for text, or where no item has two answers.

    References
    ----------
    Lumley (2010) Complex Surveys, ch. 2 (linearisation), doi:10.1002/9780470580066.

    Examples
    --------
    >>> answers = pd.DataFrame({"q1": [1.0, 2, 3, 4], "q2": [2.0, 2, np.nan, 5]})
    >>> check_items(answers, {"speed": ["q1", "q2"]}).value("item_mean", term="q2")
    3.0
    """
    design = design or Design()
    homes = _homes(answers, scales)
    names = list(dict.fromkeys(name for _, name in homes))
    values, weights = _weighted(answers[names], design)
    described = [name for name, count in zip(names, (~np.isnan(values)).sum(axis=0), strict=True) if count > 1]
    if not described:
        raise InputError(
            "some item must have two answers", f"found none in {name_some(names)}", "Check `missing` and `where`."
        )
    keep = [names.index(name) for name in described]
    values, weights = values[:, keep], weights[:, keep]
    clusters = design.clusters_on(answers.index)
    parts = _mean_rows(values, weights, clusters, described, design)
    parts += [_spread_rows(values[:, i], weights[:, i], name, design) for i, name in enumerate(described)]
    limits = _limits(values, described, ranges)
    parts += [_share_rows(values[:, i], weights[:, i], name, limits[name], design) for i, name in enumerate(described)]
    plain = []
    if design.weights is not None:
        present = (~np.isnan(values)).astype(float)
        plain = [
            rows.assign(method="unweighted") for rows in _mean_rows(values, present, clusters, described, Design())
        ]
    means = parts[0].set_index("term")["estimate"]
    height = pd.Series({name: (means[name] - low) / ((high - low) or 1) for name, (low, high) in limits.items()})
    return ItemResult(
        table=_at_home(gather([*parts, *plain]), homes),
        n_used=int((~np.isnan(values)).any(axis=1).sum()),
        n_dropped=int(np.isnan(values).all(axis=1).sum()),
        lowest=str(height.idxmin()),
        highest=str(height.idxmax()),
        empty=tuple(name for name in names if name not in described),
    )


def _homes(answers: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Pairs of scale and item, in the order of the scales; columns in no scale are their own."""
    homes = [(scale, item) for scale, items in scales.items() for item in items]
    unknown = [item for _, item in homes if item not in answers.columns]
    if unknown:
        raise InputError(
            "every item of `scales` must be a column of `answers`", f"found no {name_some(unknown)}", "Check the names."
        )
    text = [str(name) for name, kind in answers.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if text:
        raise InputError(
            "the answers must be numeric",
            f"found text in {name_some(text)} ({len(text)} of {answers.shape[1]} columns)",
            "Map words to numbers with `codes:` in the study file, or leave the columns out.",
        )
    housed = {item for _, item in homes}
    return homes + [(str(name), str(name)) for name in answers.columns if name not in housed]


def _weighted(answers: pd.DataFrame, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Answers (n, p), and the weights (n, p) of the rows that answered each item, with mean 1 over them."""
    values = answers.to_numpy(float)
    present = ~np.isnan(values)
    weights = design.weights_on(answers.index)[:, None] * present
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = weights * (present.sum(axis=0) / weights.sum(axis=0))
    values = np.where(np.isfinite(weights), values, np.nan)  # an item answered only by rows of weight 0 is empty
    return values, np.nan_to_num(weights)


def _mean_rows(
    values: np.ndarray, weights: np.ndarray, clusters: np.ndarray, names: list[str], design: Design
) -> list[pd.DataFrame]:
    """Means with linearised standard errors and t intervals over the clusters (rows, where there are none)."""
    n = (~np.isnan(values)).sum(axis=0)
    filled = np.nan_to_num(values)
    mean = (weights * filled).sum(axis=0) / n
    scores = np.zeros((clusters.max() + 1, len(names)))
    np.add.at(scores, clusters, weights * (filled - mean) / n)
    seen = np.zeros(scores.shape)
    np.add.at(seen, clusters, (~np.isnan(values)).astype(float))
    units = (seen > 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt((scores**2).sum(axis=0) * np.where(units > 1, units / (units - 1), np.nan))
    margin = stdtrit(units - 1.0, 0.975) * error
    return [
        tidy(
            "item_mean", mean, term=names, std_error=error, df=units - 1.0, conf_low=mean - margin, conf_high=mean + margin,
            n=n.astype(float), method=design.words,
        )
    ]  # fmt: skip


def _spread_rows(values: np.ndarray, weights: np.ndarray, name: str, design: Design) -> pd.DataFrame:
    """Standard deviation, median and mode of one item."""
    present = ~np.isnan(values)
    values, weights, n = values[present], weights[present], int(present.sum())
    mean = weights @ values / n
    levels, totals = _counts(values, weights)
    tied = totals >= totals.max() * (1 - 1e-12)
    common = {"term": name, "n": n}
    kind = "weighted" if design.weights is not None else ""
    return gather(
        [
            tidy("item_sd", np.sqrt(weights @ (values - mean) ** 2 / (n - 1)), method=kind, **common),
            tidy("item_median", _median(levels, totals), method=kind, **common),
            tidy(
                "item_mode",
                levels[tied][0],
                method=words("lowest of several" if tied.sum() > 1 else "", kind),
                **common,
            ),
        ]
    )


def _share_rows(
    values: np.ndarray, weights: np.ndarray, name: str, limits: tuple[float, float], design: Design
) -> pd.DataFrame:
    """Share of each answer to one item; none for measured items."""
    present = ~np.isnan(values)
    levels, totals = _counts(values[present], weights[present])
    low, high = limits
    whole = bool((levels == np.round(levels)).all())
    if not whole or high - low >= MOST_ANSWERS:
        return tidy("item_share", [])
    possible = np.arange(low, high + 1)
    shares = pd.Series(totals / totals.sum(), index=levels).reindex(possible, fill_value=0.0)
    return tidy(
        "item_share",
        shares.to_numpy(),
        term=name,
        group=[f"{level:g}" for level in possible],
        n=int(present.sum()),
        method="weighted" if design.weights is not None else "",
    )


def _limits(
    values: np.ndarray, names: list[str], ranges: Mapping[str, tuple[float, float]] | None
) -> dict[str, tuple[float, float]]:
    """Lowest and highest answer of each item."""
    seen = {name: (float(np.nanmin(values[:, i])), float(np.nanmax(values[:, i]))) for i, name in enumerate(names)}
    return {name: (ranges or {}).get(name, limits) for name, limits in seen.items()}


def _counts(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different answers in order, and the weight of each."""
    levels, where = np.unique(values, return_inverse=True)
    return levels, np.bincount(where, weights)


def _median(levels: np.ndarray, totals: np.ndarray) -> float:
    """The answer that half of the weight reaches; halfway to the next answer where it is exactly half."""
    reached = np.cumsum(totals) / totals.sum()
    at = int(np.searchsorted(reached, 0.5 - 1e-12))
    exact = abs(reached[at] - 0.5) <= 1e-12
    return float((levels[at] + levels[at + 1]) / 2 if exact else levels[at])


def _at_home(rows: pd.DataFrame, homes: list[tuple[str, str]]) -> pd.DataFrame:
    """Rows of items, once in each scale that has the item, in the order of the scales within each quantity."""
    order = {quantity: i for i, quantity in enumerate(rows["quantity"].unique())}
    placed = pd.DataFrame(homes, columns=["scale", "term"]).assign(_home=range(len(homes)))
    joined = rows.drop(columns="scale").reset_index(names="_row").merge(placed, on="term")
    joined["_quantity"] = joined["quantity"].map(order)
    joined = joined.sort_values(["_quantity", "_home", "_row"])
    return joined[list(rows.columns)].reset_index(drop=True)
