"""Correlation matrices of items: Pearson, and Spearman as Pearson of ranks."""

from typing import Literal, get_args

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.moments import ROUNDING, Moments
from cxresearch.core.resampling import resample_counts
from cxresearch.errors import InputError

Correlation = Literal["pearson", "spearman"]
IDENTICAL = 1e-10  # two items are the same, up to units or direction, where 1 - |r| is not larger


def correlate(frame: pd.DataFrame, kind: Correlation = "pearson", *, design: Design | None = None) -> Moments:
    """Correlations of complete rows, as Moments whose covariances are correlations.

    Parameters
    ----------
    frame : (n, p) numeric, complete
    kind : "pearson", or "spearman": Pearson of mid-ranks, weighted ranks where there are weights
    design : weights of the rows

    Raises
    ------
    InputError
        For another `kind`, text, missing answers, or fewer than two rows.

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
    return Moments(moments.n, moments.mean, moments.corr, moments.names, moments.design_words)


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
    ranks[..., order] = (np.cumsum(at, axis=-1) - at / 2)[..., where]
    return ranks


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
    others = [name for name in frame.columns if name != target]
    found = np.empty((n_bootstrap, len(others)))
    clustered = design.clusters is not None
    for start, counts in resample_counts(int(units.max()) + 1, n_bootstrap, seed=seed, clustered=clustered):
        drawn = counts[:, units] * weights
        theirs = _standard_ranks(frame[target].to_numpy(float), drawn)
        for place, name in enumerate(others):
            ours = _standard_ranks(frame[name].to_numpy(float), drawn)
            found[start : start + len(counts), place] = (drawn * ours * theirs).sum(axis=-1)
    return found


def _standard_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mid-ranks (b, n), less their weighted mean and with weighted sum of squares 1; nan where they do not vary."""
    ranks = mid_ranks(values, weights)
    total = weights.sum(axis=-1, keepdims=True)
    ranks -= (weights * ranks).sum(axis=-1, keepdims=True) / total
    squares = (weights * ranks**2).sum(axis=-1, keepdims=True)
    squares[squares <= ROUNDING * total**3] = np.nan
    return ranks / np.sqrt(squares)
