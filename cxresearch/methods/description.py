"""What was answered: mean, spread, median, mode and distribution of each item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from cxresearch.core.answers import Answers, Missing, moments_of, names_of, sound_answers
from cxresearch.core.cautions import few_clusters
from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import Moments
from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.errors import InputError, name_some
from cxresearch.methods.counted_items import CountedItem, design_words, mean_rows, spread_rows
from cxresearch.methods.described_rows import DescribedRows, limits_of, share_table


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult(Result):
    """Means and distributions of items; weighted studies hold the unweighted means too.

    Attributes
    ----------
    lowest, highest : the items lowest and highest on their own answer scale
    empty : items that nobody, or only one respondent, answered; they have no rows
    n_clusters : clusters behind the standard errors; None without clusters
    no_likely : whether means by maximum likelihood were asked for and could not be had
    """

    views: ClassVar[Mapping[str, View]] = {
        "items": View(("item_mean", "item_sd", "item_median", "item_mode"), rows=("scale", "term")),
        "answers": View(("item_share",), rows=("scale", "term"), columns="group"),
    }

    lowest: str
    highest: str
    empty: tuple[str, ...] = ()
    n_clusters: int | None = None
    no_likely: bool = False

    def reservations(self, view: str) -> tuple[str, ...]:
        """That medians, modes and shares are not by maximum likelihood."""
        return (f"items.observed_{view}",) if self.n_incomplete else ()

    def finding(self) -> Finding:
        """Which items are answered lowest and highest, relative to their answer scales."""
        means = self.pick("item_mean").drop_duplicates("term").set_index("term")["estimate"]
        if means.empty:
            return Finding("items.no_means", {"n": self.n_used})
        return Finding(
            "items.range",
            {
                "n_items": len(means),
                "lowest": self.lowest,
                "lowest_mean": float(means[self.lowest]),
                "highest": self.highest,
                "highest_mean": float(means[self.highest]),
            },
            cautions=(
                *([Finding("items.empty", {"items": self.empty})] if self.empty else []),
                *([Finding("items.no_em")] if self.no_likely else []),
                *few_clusters(self.n_clusters),
            ),
        )


def check_items(
    answers: Answers,
    scales: Mapping[str, Sequence[str]],
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    design: Design | None = None,
    missing: Missing = "drop",
) -> ItemResult:
    """Describe every item by the rows that answered it or, its mean and deviation, by maximum likelihood.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered; a large table; or Moments, which give means and deviations where they hold some
    scales : scale -> items; a column of `answers` in no scale (an outcome, a driver) has itself as scale
    ranges : item -> lowest and highest answer possible, so that answers nobody chose are counted as 0; otherwise
        the lowest and highest answer seen in the item
    design : weights and clusters
    missing : "drop": an item's own answers; "em" (and "impute"): means and deviations are those of all items together, by maximum
        likelihood, with errors from a sandwich of scores that knows of the missing answers. Degrees of freedom and `n` are those of the
        item's own answers, as are medians, modes and shares

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
    Lumley (2010) Complex Surveys, ch. 2 (linearisation), doi:10.1002/9780470580066. Yuan and Bentler (2000) Sociological Methodology
    30:165-200, doi:10.1111/0081-1750.00078 (errors of incomplete rows).

    Examples
    --------
    >>> answers = pd.DataFrame({"q1": [1.0, 2, 3, 4], "q2": [2.0, 2, np.nan, 5]})
    >>> check_items(answers, {"speed": ["q1", "q2"]}).value("item_mean", term="q2")
    3.0
    """
    answers, design = sound_answers(answers, design=design, missing=missing), design or Design()
    if isinstance(answers, LargeTable):
        return _of_large(answers, scales, ranges)
    if isinstance(answers, Moments):
        return _of_moments(answers, scales, ranges)
    homes = _homes(answers, scales)
    names = list(dict.fromkeys(name for _, name in homes))
    every = DescribedRows.of(answers[names], design)
    described = [name for name, count in zip(names, every.answers.count(), strict=True) if count > 1]
    if not described:
        raise InputError(
            "some item must have two answers", f"found none in {name_some(names)}", "Check `missing` and `where`."
        )
    rows = every.select(described)
    wanted = missing != "drop" and rows.lacking
    likely = rows.likely() if wanted else None
    limits = limits_of(rows.values, described, ranges)
    parts = [rows.means(likely), *rows.spreads(likely), rows.shares(limits)]
    if design.weights is not None:
        plain = rows.unweighted()
        parts.append(plain.means(plain.likely() if likely else None))
    means = parts[0].set_index("term")["estimate"]
    height = pd.Series({name: (means[name] - low) / ((high - low) or 1) for name, (low, high) in limits.items()})
    used = rows.answers.index[rows.answers.notna().any(axis=1)]
    return ItemResult(
        table=_at_home(gather(parts), homes),
        n_used=len(used),
        n_dropped=len(answers) - len(used),
        missing_policy=missing,
        n_incomplete=likely.moments.n_incomplete if likely else 0,
        iterations=likely.moments.iterations if likely else 0,
        lowest=str(height.idxmin()),
        highest=str(height.idxmax()),
        empty=tuple(name for name in names if name not in described),
        n_clusters=design.count_clusters(used),
        no_likely=wanted and likely is None,
    )


def _of_large(
    table: LargeTable, scales: Mapping[str, Sequence[str]], ranges: Mapping[str, tuple[float, float]] | None
) -> ItemResult:
    """The items of a large table, from the counts of their answers."""
    homes = _housed(list(table.names), scales)
    names = list(dict.fromkeys(name for _, name in homes))
    items = [CountedItem.of(table, name) for name in names]
    described = [item for item in items if item.n > 1]
    if not described:
        raise InputError(
            "some item must have two answers", f"found none in {name_some(names)}", "Check `missing` and `where`."
        )
    kind, whole = "weighted" if table.weighted else "", design_words(table)
    limits = {item.name: (ranges or {}).get(item.name, (item.levels[0], item.levels[-1])) for item in described}
    parts = [mean_rows(described, whole), *spread_rows(described, kind), _shares(described, limits, kind)]
    if table.weighted:
        plain = table.unweighted()
        rows = [CountedItem.of(plain, item.name) for item in described]
        parts.append(mean_rows(rows, words("unweighted", design_words(plain))))
    height = {
        item.name: (item.mean - low) / ((high - low) or 1)
        for item, (low, high) in zip(described, limits.values(), strict=True)
    }
    n = table.count_answered([[name] for name in names])
    return ItemResult(
        table=_at_home(gather(parts), homes),
        n_used=n,
        n_dropped=len(table) - n,
        lowest=min(height, key=lambda name: height[name]),
        highest=max(height, key=lambda name: height[name]),
        empty=tuple(item.name for item in items if item.n < 2),
        n_clusters=table.clusters,
    )


def _shares(items: list[CountedItem], limits: Mapping[str, tuple[float, float]], kind: str) -> pd.DataFrame:
    """Share of each answer to each item; none for measured items."""
    return share_table([(item.name, item.levels, item.totals, item.n) for item in items], limits, kind)


def _of_moments(
    answers: Answers, scales: Mapping[str, Sequence[str]], ranges: Mapping[str, tuple[float, float]] | None
) -> ItemResult:
    """Means and deviations as they were published; what was not is left out."""
    moments = moments_of(answers, [*names_of(answers)])
    n, words_of_it = int(moments.n), moments.design_words
    homes = [(scale, item) for scale, items in scales.items() for item in items]
    homes += [(item, item) for item in moments.names if item not in {own for _, own in homes}]
    common = {"term": list(moments.names), "n": n, "method": words_of_it}
    parts = []
    if np.isfinite(moments.mean).all():
        error = moments.sd / np.sqrt(n)
        half = stdtrit(n - 1, 0.975) * error
        bounds = {"std_error": error, "conf_low": moments.mean - half, "conf_high": moments.mean + half}
        parts.append(tidy("item_mean", moments.mean, **bounds, **common))
    if not np.allclose(moments.sd, 1):  # of correlations alone, deviations are not known
        parts.append(tidy("item_sd", moments.sd, **common))
    low, high = np.array([(ranges or {}).get(name, (0.0, 1.0)) for name in moments.names]).T
    height = (np.nan_to_num(moments.mean) - low) / (high - low)
    return ItemResult(
        table=_at_home(gather(parts), homes),
        n_used=n,
        lowest=moments.names[int(height.argmin())],
        highest=moments.names[int(height.argmax())],
    )


def _homes(answers: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Pairs of scale and item, in the order of the scales; columns in no scale are their own."""
    homes = _housed(list(map(str, answers.columns)), scales)
    text = [str(name) for name, kind in answers.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if text:
        raise InputError(
            "the answers must be numeric",
            f"found text in {name_some(text)} ({len(text)} of {answers.shape[1]} columns)",
            "Map words to numbers with `codes:` in the study file, or leave the columns out.",
        )
    return homes


def _housed(known: list[str], scales: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    homes = [(scale, item) for scale, items in scales.items() for item in items]
    unknown = [item for _, item in homes if item not in known]
    if unknown:
        raise InputError(
            "every item of `scales` must be a column of `answers`", f"found no {name_some(unknown)}", "Check the names."
        )
    housed = {item for _, item in homes}
    return homes + [(name, name) for name in known if name not in housed]


def _at_home(rows: pd.DataFrame, homes: list[tuple[str, str]]) -> pd.DataFrame:
    """Rows of items, once in each scale that has the item, in the order of the scales within each quantity."""
    order = {quantity: i for i, quantity in enumerate(rows["quantity"].unique())}
    placed = pd.DataFrame(homes, columns=["scale", "term"]).assign(_home=range(len(homes)))
    joined = rows.drop(columns="scale").reset_index(names="_row").merge(placed, on="term")
    joined["_quantity"] = joined["quantity"].map(order)
    joined = joined.sort_values(["_quantity", "_home", "_row"])
    return joined[list(rows.columns)].reset_index(drop=True)
