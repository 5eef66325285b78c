"""Rows of which some lack answers, sorted by how many they lack: what EM runs on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.moments import ROUNDING
from cxresearch.core.rows import incomplete_values
from cxresearch.errors import InputError, name_some


@dataclass(frozen=True, slots=True)
class LackingRows:
    """Incomplete rows that lack the same number m of answers.

    Attributes
    ----------
    rows : (r,) their places among the incomplete rows
    lacking : (r, m) the items that each lacks
    pattern : (r,) the number of its pattern
    patterns : (k, m) the items that each pattern lacks
    order, starts, cells : how k m m covariances are added to the cells of a flat (p p) matrix: sorted by cell, where each cell
        starts, and the cells
    """

    rows: np.ndarray
    lacking: np.ndarray
    pattern: np.ndarray
    patterns: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    cells: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, known: np.ndarray) -> "LackingRows":
        """These of the rows (n, p) of what is known, which lack equally many answers."""
        p = known.shape[1]
        lacking = np.nonzero(~known[rows])[1].reshape(len(rows), -1)
        patterns, pattern = np.unique(lacking, axis=0, return_inverse=True)
        flat = (patterns[:, :, None] * p + patterns[:, None, :]).ravel()
        order = np.argsort(flat, kind="stable")
        cells, starts = np.unique(flat[order], return_index=True)
        return cls(rows, lacking, pattern.ravel(), patterns, order, starts, cells)


@dataclass(frozen=True, slots=True)
class IncompleteRows:
    """Rows with an answer, standardised by the mean and deviation of each item's answers.

    Attributes
    ----------
    index : of the n rows as they came
    order : (n,) their places, the complete ones first: the order of `answers` and `known`
    names : the p items
    answers : (n, p) standardised, 0 where there is none
    known : (n, p) where there is one
    n_complete : rows that answered every item
    groups : the others, by the number of answers that they lack
    centre, scale : (p,) mean and deviation
    """

    index: pd.Index
    order: np.ndarray
    names: tuple[str, ...]
    answers: np.ndarray
    known: np.ndarray
    n_complete: int
    groups: tuple[LackingRows, ...]
    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "IncompleteRows":
        """The rows of a frame that have an answer.

        Raises
        ------
        InputError
            For text, infinite answers, an item without answers, two items that nobody answered both, or not more rows than items.
        """
        frame = frame.dropna(how="all")
        values, names = incomplete_values(frame), tuple(map(str, frame.columns))
        order = np.argsort(np.isnan(values).any(axis=1), kind="stable")
        values = values[order]
        known = ~np.isnan(values)
        _refuse_hopeless(known, names)
        centre, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        scale = np.where(spread > ROUNDING * np.abs(centre), spread, 1.0)
        n_complete = int(known.all(axis=1).sum())
        groups = tuple(_groups(known[n_complete:]))
        filled = np.where(known, (values - centre) / scale, 0.0)
        return cls(frame.index, order, names, filled, known, n_complete, groups, centre, scale)

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.answers)

    @property
    def n_incomplete(self) -> int:
        """Rows that lack an answer."""
        return self.n - self.n_complete

    def in_units(self, mean: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standardised means (..., p) and covariances of denominator n, in units of the items and of denominator n - 1."""
        return mean * self.scale + self.centre, cov * np.outer(self.scale, self.scale) * (self.n / (self.n - 1))

    def standardized(self, mean: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The way back."""
        return (mean - self.centre) / self.scale, cov / np.outer(self.scale, self.scale) * ((self.n - 1) / self.n)


def _groups(known: np.ndarray) -> Iterator[LackingRows]:
    counts = (~known).sum(axis=1)
    for count in np.unique(counts):
        yield LackingRows.of(np.flatnonzero(counts == count), known)


def _refuse_hopeless(known: np.ndarray, names: tuple[str, ...]) -> None:
    n, p = known.shape
    if n <= p:
        raise InputError(
            "maximum likelihood of incomplete rows needs more rows than items",
            f"found {n:,} rows with an answer to any of {p} items",
            "Use fewer items, or collect more answers.",
        )
    empty = [name for name, some in zip(names, np.any(known, axis=0), strict=True) if not some]
    if empty:
        raise InputError(
            "every item must have answers",
            f"found none in {name_some(empty)} ({len(empty)} of {p} items)",
            "Leave these items out, or check the codes declared as missing.",
        )
    counted = known.astype(float)
    first, second = np.nonzero(np.triu(counted.T @ counted == 0, 1))
    if len(first):
        pairs = [f"{names[i]} and {names[j]}" for i, j in zip(first, second, strict=True)]
        raise InputError(
            "every two items must have been answered together by someone",
            f"nobody answered both {name_some(pairs)} ({len(pairs)} of {p * (p - 1) // 2} pairs)",
            "Leave one of the items out: nothing tells how they go together.",
        )
