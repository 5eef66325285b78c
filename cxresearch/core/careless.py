"""Indices of careless answering: how alike, how consistent and how usual the answers of each respondent are.

All take answers as they were given, before reversal, placed on their scales from 0 (lowest) to 1 (highest), one row a
respondent, nan where not answered; and return one number a respondent, nan where the index cannot be judged.
"""

from collections.abc import Sequence

import numpy as np

from cxresearch.core.patterns import distinct_patterns, partial_inverses
from cxresearch.core.rules import Rule

_CHUNK = 2048  # rows or patterns at a time; bounds the memory, does not change the numbers
_MANY = 50  # rows of a pattern from which it is worth a step of its own
_ROUNDING = 1e-9  # a smaller sum of squares is what rounding left
FEWEST_PAIRS = 3  # pairs of numbers that a correlation within a respondent needs, as in R's careless


def on_unit_scale(answers: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Answers (n, p) as places on their scales, 0 to 1; `low` and `high` have shape (p,)."""
    return (answers - low) / np.where(high > low, high - low, 1.0)


def longest_strings(values: np.ndarray) -> np.ndarray:
    """Most equal answers in a row, shape (n,); a missing answer ends a string.

    References
    ----------
    Johnson (2005), doi:10.1016/j.jrp.2004.09.009; as `longstring` of R's careless.

    >>> longest_strings(np.array([[1.0, 1, 1, 2], [1, np.nan, 1, 1], [1, 2, 3, 4]])).tolist()
    [3, 2, 1]
    """
    now = (~np.isnan(values[:, 0])).astype(int)
    longest = now.copy()
    for place in range(1, values.shape[1]):
        now = np.where(values[:, place] == values[:, place - 1], now + 1, ~np.isnan(values[:, place]))
        np.maximum(longest, now, out=longest)
    return longest


def response_variability(values: np.ndarray) -> np.ndarray:
    """Standard deviation of the answers of each respondent, shape (n,); nan with fewer than two.

    References
    ----------
    Dunn et al. (2018), doi:10.1007/s10869-016-9479-0; as `irv` of R's careless.

    >>> response_variability(np.array([[0.0, 0.5, 1.0], [0.5, 0.5, np.nan]])).tolist()
    [0.5, 0.0]
    """
    there = ~np.isnan(values)
    n = there.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, values, 0.0).sum(axis=1) / n
        squares = np.where(there, values - mean[:, None], 0.0) ** 2
        return np.sqrt(np.where(n > 1, squares.sum(axis=1) / (n - 1), np.nan))


def even_odd_consistency(values: np.ndarray, scales: Sequence[Sequence[int]]) -> np.ndarray:
    """Correlation of each respondent's means of odd and of even items over the scales, stepped up, shape (n,).

    The correlation r becomes 2 r / (1 + r) (Spearman-Brown), -1 at least. Reversed items must have been turned round.

    Parameters
    ----------
    values : (n, p)
    scales : columns of each scale, in order; those of a single item say nothing

    References
    ----------
    Jackson (1976), by way of Johnson (2005), doi:10.1016/j.jrp.2004.09.009; `evenodd` of R's careless is minus this.

    >>> even_odd_consistency(np.array([[0.0, 0, 0.5, 0.5, 1, 1], [0, 1, 0.5, 0.5, 1, 0]]), [[0, 1], [2, 3], [4, 5]])
    array([ 1., -1.])
    """
    several = [list(columns) for columns in scales if len(columns) > 1]
    odd, even = (
        np.column_stack([_row_means(values[:, columns[start::2]]) for columns in several])
        if several
        else np.empty((len(values), 0))
        for start in (0, 1)
    )
    r = row_correlations(odd, even)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.maximum(np.where(r <= -1 / 3, -1.0, 2 * r / (1 + r)), -1.0) + 0 * r


def pairwise_correlation(values: np.ndarray) -> np.ndarray:
    """Correlations (p, p) of items, each pair by the rows that answered both; nan for a constant item.

    >>> pairwise_correlation(np.array([[0.0, 0.2], [0.5, 0.4], [1.0, np.nan], [1.0, 0.6]])).round(3)[0, 1]
    np.float64(1.0)
    """
    there = (~np.isnan(values)).astype(float)
    centred = np.where(there > 0, values - 0.5, 0.0)
    n = there.T @ there
    sums, squares = (
        centred.T @ there,
        (centred**2).T @ there,
    )  # of the item of the row, where that of the column is there too
    return _correlation(n, (sums, sums.T), (squares, squares.T), centred.T @ centred)


def find_synonyms(correlation: np.ndarray, rule: Rule) -> np.ndarray:
    """Which pairs of items correlate as highly as a rule asks for, each pair once, bool (p, p)."""
    return np.triu(rule.met(correlation), 1)


def synonym_consistency(values: np.ndarray, alike: np.ndarray) -> np.ndarray:
    """Correlation of each respondent's answers over the pairs of items that others answer alike, shape (n,).

    Parameters
    ----------
    values : (n, p)
    alike : bool (p, p), the pairs; of each the item of the row is the first

    References
    ----------
    Meade and Craig (2012), doi:10.1037/a0028085; as `psychsyn` of R's careless, without its resampling.
    """
    there = (~np.isnan(values)).astype(float)
    centred = np.where(there > 0, values - 0.5, 0.0)  # the middle of the scale: keeps the sums of squares exact
    pairs = alike.astype(float)
    seconds, firsts = there @ pairs.T, there @ pairs  # pairs that each item is the first, or the second, of
    n = (there * seconds).sum(axis=1)
    sums = (centred * seconds).sum(axis=1), (centred * firsts).sum(axis=1)
    squares = (centred**2 * seconds).sum(axis=1), (centred**2 * firsts).sum(axis=1)
    products = ((centred @ pairs) * centred).sum(axis=1)
    return _correlation(n, sums, squares, products)


def row_correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation within each row of two arrays (n, k) over the pairs that are there, shape (n,).

    nan with fewer than three pairs, or where one side does not vary.

    >>> row_correlations(np.array([[0.0, 0.5, 1], [1, 1, 1]]), np.array([[0.2, 0.3, 0.4], [0, 0.5, 1]]))
    array([ 1., nan])
    """
    there = ~(np.isnan(first) | np.isnan(second))
    n = there.sum(axis=1)
    x, y = (np.where(there, side - 0.5, 0.0) for side in (first, second))
    return _correlation(
        n, (x.sum(axis=1), y.sum(axis=1)), ((x**2).sum(axis=1), (y**2).sum(axis=1)), (x * y).sum(axis=1)
    )


def _correlation(
    n: np.ndarray, sums: tuple[np.ndarray, np.ndarray], squares: tuple[np.ndarray, np.ndarray], products: np.ndarray
) -> np.ndarray:
    """Correlations from sums over pairs of numbers within 0.5 of 0, all of one shape."""
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = (square - total**2 / n for square, total in zip(squares, sums, strict=True))
        r = (products - sums[0] * sums[1] / n) / np.sqrt(x * y)
    varies = (x > _ROUNDING) & (y > _ROUNDING) & (n >= FEWEST_PAIRS)
    return np.where(varies, np.round(np.clip(r, -1, 1), 12), np.nan)  # respondents alike in all pairs are tied


def squared_distances(values: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared Mahalanobis distance (n,) of the answers that are there from their means, and how many these are (n,).

    A respondent with missing answers is judged by the part of `mean` (p,) and `cov` (p, p) that belongs to the rest.

    References
    ----------
    Mahalanobis (1936). Meade and Craig (2012), doi:10.1037/a0028085.

    >>> squared_distances(np.array([[1.0, 2], [3, np.nan]]), np.zeros(2), np.diag([1.0, 4]))
    (array([2., 9.]), array([2, 1]))
    """
    there = ~np.isnan(values)
    patterns, which = distinct_patterns(there)
    deviations = np.where(there, values - mean, 0.0)
    order = np.argsort(which, kind="stable")
    ends = np.searchsorted(which[order], np.arange(len(patterns) + 1))
    common = int(np.searchsorted(-np.diff(ends), -_MANY, side="right"))
    squares = np.empty(len(values))
    for place, inverse in enumerate(partial_inverses(cov, patterns[:common])):
        rows = order[ends[place] : ends[place + 1]]
        squares[rows] = ((deviations[rows] @ inverse) * deviations[rows]).sum(axis=1)
    for start in range(ends[common], len(values), _CHUNK):
        rows = order[start : start + _CHUNK]
        first, last = which[rows[[0, -1]]]
        inverses = partial_inverses(cov, patterns[first : last + 1])[which[rows] - first]
        squares[rows] = np.einsum("ni,ni->n", (deviations[rows][:, None, :] @ inverses)[:, 0], deviations[rows])
    return squares, there.sum(axis=1)


def _row_means(values: np.ndarray) -> np.ndarray:
    """Mean of what is there in each row, shape (n,); nan where nothing is."""
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(there, values, 0.0).sum(axis=1) / there.sum(axis=1)
