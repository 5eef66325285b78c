"""Polychoric correlations of ordinal items: all pairs at once, for one sample, a bootstrap or permuted answers."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.core.nearest import is_positive_definite, nearest_correlation
from cxresearch.core.polychoric_fit import fit_correlations, influences, thresholds
from cxresearch.core.polychoric_influence import RowInfluences
from cxresearch.core.resampling import resample_counts
from cxresearch.core.results import words
from cxresearch.core.rows import complete_values, incomplete_values, sum_by_unit
from cxresearch.errors import InputError, name_some

MOST_CATEGORIES = 11  # 0 to 10; an item with more is a number rather than a grade
ROWS = 4_000_000  # row influences held at a time
PAIRWISE = "pairwise"  # in `method`: each pair of items by the rows that answered both


@dataclass(frozen=True, slots=True)
class Polychorics:
    """Polychoric correlations of p items over n rows, with K categories at most.

    Attributes
    ----------
    corr : (p, p), pair by pair as estimated
    std_error : (p, p) asymptotic two-step standard errors, 0 on the diagonal
    thresholds : (p, K - 1) of each item, `bivariate_normal.FAR` beyond its last category
    names : the items
    n : rows
    n_pairs : (p, p) rows that answered both items of a pair; on the diagonal, each item
    at_limit : pairs of items whose estimate rose to the largest one allowed (.999 in size)
    unsettled : pairs of items whose search did not end
    is_proper : whether `corr` is positive definite
    design_words : '', 'weighted', 'clustered' or both; before it 'pairwise' where answers are missing
    """

    corr: np.ndarray
    std_error: np.ndarray
    thresholds: np.ndarray
    names: tuple[str, ...]
    n: int
    n_pairs: np.ndarray
    at_limit: tuple[tuple[str, str], ...]
    unsettled: tuple[tuple[str, str], ...]
    is_proper: bool
    design_words: str

    @property
    def positive_definite(self) -> np.ndarray:
        """(p, p) the nearest positive definite correlation matrix; `corr` itself where `is_proper`."""
        return nearest_correlation(self.corr)


def polychoric(frame: pd.DataFrame, *, design: Design | None = None, pairwise: bool = False) -> Polychorics:
    """Correlations of the normal variables that ordinal answers are taken to cut into grades.

    Two steps: thresholds from each item's shares of answers, then the correlation of each pair by maximum likelihood given
    the thresholds. Nothing is added to empty cells; only the order of the categories counts, and one that is never used
    changes nothing.

    Parameters
    ----------
    frame : (n, p) numeric, complete unless `pairwise`; 2 to 11 different answers an item
    design : weights enter the tables; weights and clusters enter the standard errors by linearisation
    pairwise : whether answers may be missing (nan): each item's thresholds are then those of its own answers, each pair's correlation
        and error those of the rows that answered both. Right where answers are missing completely at random

    Raises
    ------
    InputError
        For text, missing answers unless `pairwise`, fewer than two rows, a constant item, an item with more than 11 different
        answers, or a pair of items that fewer than two rows answered both.

    References
    ----------
    Olsson (1979) Psychometrika 44:443-460, doi:10.1007/BF02296207. Muthen (1984) Psychometrika 49:115-132,
    doi:10.1007/BF02294210 (standard errors).

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 1, 2, 2, 1, 2], "b": [1, 1, 2, 2, 2, 1]})
    >>> polychoric(frame).corr.round(6)
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    return _estimated(frame, design or Design(), pairwise=pairwise)[0]


def polychoric_influences(frame: pd.DataFrame, *, design: Design | None = None) -> tuple[Polychorics, RowInfluences]:
    """The correlations of `polychoric`, and what each row adds to them: for the errors of whatever is computed from them."""
    return _estimated(frame, design or Design(), pairwise=False)


def _estimated(frame: pd.DataFrame, design: Design, *, pairwise: bool) -> tuple[Polychorics, RowInfluences]:
    codes, n_categories = _codes_of(frame, pairwise=pairwise)
    names = tuple(map(str, frame.columns))
    weights = design.weights_on(frame.index)
    every = _tables(codes, n_categories, weights)
    pairs = np.triu_indices(len(names), 1)

    def errors_of(moved: np.ndarray) -> np.ndarray:
        return _std_errors(moved, codes, pairs, design, frame.index)

    said = words(PAIRWISE if (codes < 0).any() else "", design.words)
    n = int((codes >= 0).any(axis=1).sum())
    found, moved = estimate_tables(every, names, n, errors_of, said)
    found = replace(found, n_pairs=_pair_counts(codes))
    shares = np.einsum("jkjk->jk", every) / len(frame)
    unit = None if design.clusters is None else design.clusters_on(frame.index)
    return found, RowInfluences(moved, shares, found.thresholds, codes, pairs, weights, unit)


def estimate_tables(
    every: np.ndarray, names: tuple[str, ...], n: int, errors_of: Callable[[np.ndarray], np.ndarray], said: str
) -> tuple[Polychorics, np.ndarray]:
    """Polychoric correlations from tables (p, K, p, K) of all pairs of items, and the influences (m, K, K) of their cells.

    Parameters
    ----------
    errors_of : standard errors (m,) of the pairs, upper triangle row by row, from these influences
    said : the `design_words`
    """
    pairs = np.triu_indices(len(names), 1)
    tables, cuts = every[pairs[0], :, pairs[1]], _cuts(every)
    fits = fit_correlations(tables, cuts[pairs[0]], cuts[pairs[1]])
    moved = influences(tables, cuts[pairs[0]], cuts[pairs[1]], fits.rho)
    corr = _square(fits.rho, len(names), 1.0)
    named = [
        tuple((names[pairs[0][k]], names[pairs[1][k]]) for k in np.flatnonzero(which))
        for which in (fits.at_limit, ~fits.converged)
    ]
    found = Polychorics(
        corr=corr,
        std_error=_square(np.where(fits.at_limit, np.nan, errors_of(moved)), len(names), 0.0),
        thresholds=cuts,
        names=names,
        n=n,
        n_pairs=np.full((len(names),) * 2, float(n)),
        at_limit=named[0],
        unsettled=named[1],
        is_proper=is_positive_definite(corr),
        design_words=said,
    )
    return found, moved


def bootstrap_polychorics(frame: pd.DataFrame, n_bootstrap: int, *, seed: int, design: Design | None = None) -> Moments:
    """Polychoric correlations of `n_bootstrap` resamples of the rows, as a stack; the draws are those of `bootstrap_moments`.

    Returns
    -------
    Moments with n (B,), mean 0 (B, p), cov (B, p, p): correlations as estimated pair by pair, not made positive definite; nan
    in the row and column of an item that is constant in a resample
    """
    design = design or Design()
    codes, n_categories = _codes_of(frame)
    weights, unit = design.weights_on(frame.index), design.clusters_on(frame.index)
    p = codes.shape[1]
    stack = np.empty((n_bootstrap, p, p))
    draws = resample_counts(unit.max() + 1, n_bootstrap, seed=seed, clustered=design.clusters is not None)
    for start, counts in draws:
        tables = np.stack([_tables(codes, n_categories, weights * drawn[unit]) for drawn in counts])
        stack[start : start + len(counts)] = correlate_tables(tables)
    names = tuple(map(str, frame.columns))
    return Moments(np.full(n_bootstrap, len(frame)), np.zeros((n_bootstrap, p)), stack, names, design.words)


def permuted_polychorics(frame: pd.DataFrame, n_random: int, *, seed: int, design: Design | None = None) -> np.ndarray:
    """Polychoric correlations (n_random, p, p) after each item's answers were shuffled over the rows, apart from the others.

    The shares of answers stay as they are, the relations are gone; weights stay with the rows. Missing answers are shuffled as
    the others are, and pairs are taken as by `pairwise`.
    """
    codes, n_categories = _codes_of(frame, pairwise=True)
    weights = (design or Design()).weights_on(frame.index)
    rng = np.random.default_rng(seed)
    p = codes.shape[1]
    stack = np.empty((n_random, p, p))
    size = 64
    for start in range(0, n_random, size):
        shuffled = (rng.permuted(codes, axis=0) for _ in range(min(size, n_random - start)))
        tables = np.stack([_tables(each, n_categories, weights) for each in shuffled])
        stack[start : start + len(tables)] = correlate_tables(tables)
    return stack


def correlate_tables(tables: np.ndarray) -> np.ndarray:
    """Polychoric correlations (..., p, p) of stacks of all pairwise tables (..., p, K, p, K) of p items.

    The diagonal blocks hold each item's counts, from which the thresholds come.
    """
    p, n_categories = tables.shape[-4], tables.shape[-3]
    stack = tables.reshape(-1, p, n_categories, p, n_categories)
    first, second = np.triu_indices(p, 1)
    cuts = np.stack([_cuts(each) for each in stack])
    flat = stack[:, first, :, second].swapaxes(0, 1).reshape(-1, n_categories, n_categories)
    sides = [cuts[:, side].reshape(len(flat), n_categories - 1) for side in (first, second)]
    rho = fit_correlations(flat, *sides).rho.reshape(len(stack), -1)
    found = np.stack([_square(each, p, 1.0) for each in rho])
    return found.reshape(*tables.shape[:-4], p, p)


def count_categories(frame: pd.DataFrame) -> np.ndarray:
    """How many different answers each item (p,) has."""
    return frame.nunique().to_numpy()


def _codes_of(frame: pd.DataFrame, *, pairwise: bool = False) -> tuple[np.ndarray, int]:
    """Answers as category numbers 0, 1, ... (n, p), -1 where missing, and the largest number of categories."""
    values, counts = incomplete_values(frame) if pairwise else complete_values(frame), count_categories(frame)
    refuse_categories(list(map(str, frame.columns)), counts)
    codes = np.column_stack([np.unique(column, return_inverse=True)[1] for column in values.T])
    codes[np.isnan(values)] = -1
    _refuse_lonely(codes, list(map(str, frame.columns)))
    return codes, int(counts.max())


def refuse_categories(names: list[str], counts: np.ndarray) -> None:
    """Refuse items with a single answer, or with more different answers than grades have."""
    for wrong, what, action in (
        (counts < 1, "no answers to", "Leave these items out, or check the codes declared as missing."),
        (counts < 2, "the same answer in all rows of", "Leave these items out."),
        (
            counts > MOST_CATEGORIES,
            "more than that in",
            "Use Pearson or Spearman correlations, or leave these items out.",
        ),
    ):
        if wrong.any():
            bad = [name for name, found in zip(names, wrong, strict=True) if found]
            raise InputError(
                f"polychoric correlations need items with 2 to {MOST_CATEGORIES} different answers",
                f"found {what} {name_some(bad)} ({len(bad)} of {len(counts)} items)",
                action,
            )


def _pair_counts(codes: np.ndarray) -> np.ndarray:
    known = (codes >= 0).astype(float)
    return known.T @ known


def _refuse_lonely(codes: np.ndarray, names: list[str]) -> None:
    first, second = np.nonzero(np.triu(_pair_counts(codes) < 2, 1))
    if len(first):
        pairs = [f"{names[i]} and {names[j]}" for i, j in zip(first, second, strict=True)]
        raise InputError(
            "every two items must have been answered together by two rows or more",
            f"found fewer for {name_some(pairs)} ({len(pairs)} of {len(names) * (len(names) - 1) // 2} pairs)",
            "Leave one of the items out: nothing tells how they go together.",
        )


def _tables(codes: np.ndarray, n_categories: int, weights: np.ndarray) -> np.ndarray:
    """Weighted counts (p, K, p, K) of all pairs of answers."""
    n, p = codes.shape
    alike = bool((weights == 1).all())
    exact = np.float32 if alike and n < 2**24 else np.float64  # whole counts are exact in either
    chosen = (codes.T[:, None, :] == np.arange(n_categories)[:, None]).reshape(p * n_categories, n).astype(exact)
    counts = chosen @ (chosen if alike else chosen * weights).T
    return counts.astype(float).reshape(p, n_categories, p, n_categories)


def _cuts(tables: np.ndarray) -> np.ndarray:
    """Thresholds (p, K - 1) from the diagonal blocks of (p, K, p, K)."""
    return thresholds(np.einsum("jkjk->jk", tables))


def _square(values: np.ndarray, p: int, diagonal: float) -> np.ndarray:
    """Symmetric (p, p) with the pairs' values, upper triangle row by row, and one value on the diagonal."""
    matrix = np.full((p, p), diagonal)
    upper = np.triu_indices(p, 1)
    matrix[upper] = matrix[upper[1], upper[0]] = values
    return matrix


def errors_of_cells(moved: np.ndarray, squares: np.ndarray, n: int) -> np.ndarray:
    """Standard errors (m,) of pairs from the influences of their cells (m, K, K) and tables (p, K, p, K) of squared weights."""
    first, second = np.triu_indices(len(squares), 1)
    return np.sqrt((squares[first, :, second] * moved**2).sum(axis=(1, 2)) / (n * (n - 1)))


def _std_errors(
    moved: np.ndarray, codes: np.ndarray, pairs: tuple[np.ndarray, np.ndarray], design: Design, index: pd.Index
) -> np.ndarray:
    """Standard errors (m,) from the influences of each cell (m, K, K), over rows or clusters with their weights."""
    n = _pair_counts(codes)[pairs]
    weights = design.weights_on(index)
    if design.clusters is None:
        return errors_of_cells(moved, _tables(codes, moved.shape[1], weights**2), n)
    unit = design.clusters_on(index)
    n_units = unit.max() + 1
    found = np.empty(len(moved))
    size = max(1, ROWS // len(codes))
    for start in range(0, len(moved), size):
        part = slice(start, start + size)
        which = np.arange(len(moved))[part]
        one, other = codes[:, pairs[0][part]], codes[:, pairs[1][part]]
        rows = np.where((one >= 0) & (other >= 0), moved[which, one, other], 0.0) * weights[:, None]
        sums = sum_by_unit(rows, unit, n_units)
        found[part] = np.sqrt((sums**2).sum(axis=0) * n_units / (n_units - 1)) / n[part]
    return found
