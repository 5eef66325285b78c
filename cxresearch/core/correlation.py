"""Correlation matrices of items: Pearson, and Spearman as Pearson of ranks."""

from typing import Literal, get_args

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
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
    """Ranks (n,) with ties halved: the weight below each value plus half of the weight at it; order is all that counts.

    >>> mid_ranks(np.array([5.0, 1.0, 5.0]), np.ones(3))
    array([2. , 0.5, 2. ])
    """
    _, where = np.unique(values, return_inverse=True)
    at = np.bincount(where, weights)
    return (np.cumsum(at) - at / 2)[where]
