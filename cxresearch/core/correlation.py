"""Correlation matrices of items: Pearson, Spearman as Pearson of ranks, polychoric; and which of them suits the answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.moments import ROUNDING, Moments
from cxresearch.core.polychoric import MOST_CATEGORIES, count_categories, polychoric
from cxresearch.core.resampling import resample_counts
from cxresearch.core.rows import incomplete_values
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Correlation = Literal["pearson", "spearman", "polychoric"]
IDENTICAL = 1e-10  # two items are the same, up to units or direction, where 1 - |r| is not larger


@dataclass(frozen=True, slots=True)
class Suitable:
    """Which correlation suits a set of items.

    Attributes
    ----------
    kind : "pearson" or "polychoric"
    coarse : items with fewer grades than may pass for numbers
    skewed : items too skewed to pass for numbers
    fine : items with too many different answers for polychoric correlations
    """

    kind: Correlation
    coarse: tuple[str, ...]
    skewed: tuple[str, ...]
    fine: tuple[str, ...]


def suitable_correlation(frame: pd.DataFrame, *, design: Design | None = None) -> Suitable:
    """Pearson where every item has five different answers or more and a skewness of 2 in size at most; else polychoric.

    Where some item has more than 11 different answers, which is a number rather than a grade, Pearson all the same, and the
    items for which that is doubtful are named.

    Parameters
    ----------
    frame : (n, p) numeric, nan where not answered: each item is judged by its own answers
    design : weights of the rows, which enter the skewness

    References
    ----------
    Rhemtulla, Brosseau-Liard and Savalei (2012) Psychological Methods 17:354-373, doi:10.1037/a0029315 (five categories).
    Curran, West and Finch (1996) Psychological Methods 1:16-29, doi:10.1037/1082-989X.1.1.16 (skewness of 2).

    Examples
    --------
    >>> suitable_correlation(pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [1, 2, 2, 3, 3]}))
    Suitable(kind='polychoric', coarse=('b',), skewed=(), fine=())
    """
    skew = skewness(incomplete_values(frame), (design or Design()).weights_on(frame.index))
    return suited(frame.columns, count_categories(frame), skew)


def suited(items: Iterable[object], counts: np.ndarray, skews: np.ndarray) -> Suitable:
    """The rule of `suitable_correlation` for items (p,), their numbers of different answers, and their skewness."""
    names, skew = np.array(list(map(str, items))), np.abs(skews)
    coarse = ~RULES["grades_as_numbers"].met(counts)
    skewed = ~(RULES["skewness"].met(skew) | np.isnan(skew))
    fine = counts > MOST_CATEGORIES
    kind: Correlation = "polychoric" if (coarse | skewed).any() and not fine.any() else "pearson"
    return Suitable(kind, *(tuple(map(str, names[which])) for which in (coarse, skewed, fine)))


def skewness(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Third standardised moment (p,) of the known values (n, p) with weights (n,) of mean 1; nan for a constant item.

    >>> skewness(np.array([[0.0], [0], [0], [1]]), np.ones(4)).round(4)
    array([1.1547])
    """
    share = np.where(np.isnan(values), 0.0, weights[:, None])
    share /= share.sum(axis=0)
    centred = np.nan_to_num(values - np.nansum(share * values, axis=0))
    with np.errstate(invalid="ignore"):
        return (share * centred**3).sum(axis=0) / (share * centred**2).sum(axis=0) ** 1.5


def correlate(frame: pd.DataFrame, kind: Correlation = "pearson", *, design: Design | None = None) -> Moments:
    """Correlations of complete rows, as Moments whose covariances are correlations.

    Parameters
    ----------
    frame : (n, p) numeric, complete
    kind : "pearson"; "spearman": Pearson of mid-ranks, weighted ranks where there are weights; or "polychoric", as estimated
        pair by pair
    design : weights of the rows

    Raises
    ------
    InputError
        For another `kind`, text, missing answers, fewer than two rows, or items that have no polychoric correlations.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1.0, 2, 3, 40], "b": [1.0, 3, 2, 4]})
    >>> correlate(frame, "spearman").corr.round(6)
    array([[1. , 0.8],
           [0.8, 1. ]])
    """
    if kind not in get_args(Correlation):
        raise InputError(
            f"`correlation` must be one of {', '.join(get_args(Correlation))}",
            f"found {kind!r}",
            "Choose one of these.",
        )
    design = design or Design()
    moments = Moments.from_frame(frame, design=design)
    if kind == "spearman":
        weights = design.weights_on(frame.index)
        moments = Moments.from_frame(
            frame.apply(lambda column: mid_ranks(column.to_numpy(float), weights)), design=design
        )
    corr = polychoric(frame, design=design).corr if kind == "polychoric" else moments.corr
    return Moments(moments.n, moments.mean, corr, moments.names, moments.design_words)


def identical_pairs(corr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second place of each pair of items that are the same, in correlations (p, p).

    >>> identical_pairs(np.array([[1.0, 0.2, -1.0], [0.2, 1.0, -0.2], [-1.0, -0.2, 1.0]]))
    (array([0]), array([2]))
    """
    first, second = np.nonzero(np.abs(np.triu(corr, 1)) >= 1 - IDENTICAL)
    return first, second


def mid_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Ranks with ties halved: the weight below each value plus half of the weight at it; order is all that counts.

    Parameters
    ----------
    values : (n,)
    weights : (..., n)

    Returns
    -------
    (..., n)

    >>> mid_ranks(np.array([5.0, 1.0, 5.0]), np.ones(3))
    array([2. , 0.5, 2. ])
    """
    order = np.argsort(values, kind="stable")
    _, first, where = np.unique(values[order], return_index=True, return_inverse=True)
    at = np.add.reduceat(weights[..., order], first, axis=-1)
    ranks = np.empty(weights.shape)
    ranks[..., order] = _ranks_of_levels(at)[..., where]
    return ranks


def _ranks_of_levels(at: np.ndarray) -> np.ndarray:
    """Mid-ranks of rising values from the weight at each of them, (..., K) both."""
    return np.cumsum(at, axis=-1) - at / 2


def bootstrap_spearman(
    frame: pd.DataFrame, target: str, n_bootstrap: int, *, seed: int, design: Design | None = None
) -> np.ndarray:
    """Rank correlations (B, p) of the other columns with `target` in resamples; the mid-ranks are taken anew in each.

    The draws are those of `bootstrap_moments` with the same seed. A resample in which a column is constant gives nan.

    Parameters
    ----------
    frame : (n, p + 1) numeric, complete
    """
    design = design or Design()
    weights, units = design.weights_on(frame.index), design.clusters_on(frame.index)
    tables = [Crossed.of(frame[name], frame[target], weights, units) for name in frame.columns if name != target]
    return resample_ranks(tables, n_bootstrap, seed=seed, clustered=design.clusters is not None)


def resample_ranks(tables: Sequence["Crossed"], n_bootstrap: int, *, seed: int, clustered: bool) -> np.ndarray:
    """Rank correlations (B, k) of cross-tables by unit in resamples of their units, which are the same in all."""
    found = np.empty((n_bootstrap, len(tables)))
    for start, counts in resample_counts(tables[0].cells.shape[0], n_bootstrap, seed=seed, clustered=clustered):
        for place, table in enumerate(tables):
            found[start : start + len(counts), place] = table.rank_correlation(counts)
    return found


@dataclass(frozen=True, slots=True)
class Crossed:
    """What each unit adds to the cross-table of two columns: all that their rank correlation needs.

    Attributes
    ----------
    cells : (units, C) sparse, the weight at each pair of values that occurs
    first, second : (C,) number of the value of either column, from the lowest
    """

    cells: "csr_array"
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, first: pd.Series, second: pd.Series, weights: np.ndarray, units: np.ndarray) -> "Crossed":
        """Of two complete columns, the weights (n,) and the units (n,) of their rows."""
        from scipy.sparse import csr_array

        levels = [np.unique(column.to_numpy(float), return_inverse=True)[1] for column in (first, second)]
        pairs, cell = np.unique(np.stack(levels), axis=1, return_inverse=True)
        return cls(csr_array((weights, (units, cell.ravel()))), *pairs)

    def rank_correlation(self, counts: np.ndarray) -> np.ndarray:
        """Correlations of mid-ranks (b,) where units count so many times (b, units); nan where a column does not vary."""
        at = counts @ self.cells
        ours, theirs = (_standard_ranks(_sum_by(at, level))[:, level] for level in (self.first, self.second))
        return (at * ours * theirs).sum(axis=-1)


def _sum_by(at: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Sums (b, K) of the cells (b, C) of each of K levels."""
    order = np.argsort(level, kind="stable")
    return np.add.reduceat(at[:, order], np.flatnonzero(np.diff(level[order], prepend=-1)), axis=-1)


def _standard_ranks(at: np.ndarray) -> np.ndarray:
    """Mid-ranks of levels with these weights (b, K), less their weighted mean and with weighted sum of squares 1; nan where they do not vary."""
    ranks, total = _ranks_of_levels(at), at.sum(axis=-1, keepdims=True)
    ranks -= (at * ranks).sum(axis=-1, keepdims=True) / total
    squares = (at * ranks**2).sum(axis=-1, keepdims=True)
    squares[squares <= ROUNDING * total**3] = np.nan
    return ranks / np.sqrt(squares)
