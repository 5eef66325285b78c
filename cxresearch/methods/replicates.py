"""Intervals of estimates that some bootstrap replicates do not have."""

import numpy as np

from cxresearch.core.moments import Moments

FAILED_SHARE = 0.05  # an interval is withheld where more replicates than this have no estimate


def interval_of_known(stack: np.ndarray, replicates: Moments) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of the estimates (B, ...) that are known; nan where too many are not.

    Parameters
    ----------
    stack : estimates of the replicates, nan where there is none
    replicates : the bootstrap they were estimated from
    """
    failed = np.isnan(stack)
    enough = failed.mean(axis=0) <= FAILED_SHARE
    columns, gaps = stack.reshape(len(stack), -1).T, failed.reshape(len(stack), -1).T
    bounds = [
        replicates.interval(column[~gap]) if ok else (np.nan, np.nan)
        for column, gap, ok in zip(columns, gaps, enough.ravel(), strict=True)
    ]
    low, high = np.array(bounds, float).T.reshape(2, *stack.shape[1:])
    return low, high
