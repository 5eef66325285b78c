"""Patterns of marks, such as missing answers or flags: which ones occur together, and how often."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

MOST_PATTERNS = 12  # that a picture can show
NOTHING = "none"  # the name of the pattern without any mark
TOGETHER = " + "  # between the marks of a pattern


@dataclass(frozen=True, slots=True)
class Patterns:
    """The commonest patterns of marks.

    Attributes
    ----------
    marks : DataFrame of bool (k, p), one row a pattern, the commonest first; one column a mark
    counts : (k,) rows that have each pattern
    n : rows looked at
    n_patterns : patterns that occur, shown or not
    """

    marks: pd.DataFrame
    counts: np.ndarray
    n: int
    n_patterns: int

    @property
    def n_others(self) -> int:
        """Rows that have another pattern than those shown."""
        return self.n - int(self.counts.sum())

    @property
    def names(self) -> list[str]:
        """The marks of each pattern in one text."""
        columns = [str(name) for name in self.marks]
        return [
            TOGETHER.join(name for name, marked in zip(columns, row, strict=True) if marked) or NOTHING
            for row in self.marks.to_numpy()
        ]


def count_patterns(marks: pd.DataFrame, most: int = MOST_PATTERNS) -> Patterns:
    """The commonest patterns of marks (n, p), the commonest first; columns without any mark are left out.

    >>> found = count_patterns(pd.DataFrame({"q1": [True, True, False], "q2": [False, False, False]}))
    >>> found.names, found.counts.tolist(), found.n_others
    (['q1', 'none'], [2, 1], 0)
    """
    marked = marks.loc[:, marks.any()].rename(columns=str)
    if marked.empty:
        return Patterns(marked.iloc[:1], np.full(len(marked.iloc[:1]), len(marked)), len(marked), len(marked.iloc[:1]))
    patterns, which = distinct_patterns(marked.to_numpy(bool))
    return _commonest(pd.DataFrame(patterns, columns=marked.columns), np.bincount(which), most)


def patterns_of_counts(marks: pd.DataFrame, counts: np.ndarray, most: int = MOST_PATTERNS) -> Patterns:
    """As `count_patterns`, from the distinct patterns (k, p), in any order, and the rows (k,) that have each."""
    marked = marks.loc[:, marks.any()].rename(columns=str)
    if marked.empty:
        return Patterns(marked.iloc[:1], counts[:1], int(counts.sum()), len(counts[:1]))
    keys = [row.tobytes() for row in np.packbits(marked.to_numpy(bool), axis=1)]
    order = np.array(sorted(range(len(keys)), key=lambda place: (-counts[place], keys[place])), int)
    return _commonest(marked.iloc[order], counts[order], most)


def _commonest(patterns: pd.DataFrame, counts: np.ndarray, most: int) -> Patterns:
    shown = patterns.iloc[:most].reset_index(drop=True)
    return Patterns(shown, counts[:most], int(counts.sum()), len(patterns))


def distinct_patterns(there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows (k, p) of a bool array (n, p), the commonest first, and which one each row is (n,)."""
    packed = np.packbits(there, axis=1)
    keys = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    _, first, which, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order))
    return there[first[order]], place[which]


def partial_inverses(cov: np.ndarray, patterns: np.ndarray) -> np.ndarray:
    """Inverse of the part of `cov` (p, p) that each pattern (k, p) has, zero elsewhere, shape (k, p, p)."""
    both = patterns[:, :, None] & patterns[:, None, :]
    diagonal = np.eye(cov.shape[0], dtype=bool)
    filled = np.where(both, cov, 0.0) + (diagonal & ~patterns[:, :, None])
    return np.where(both, np.linalg.inv(filled), 0.0)
