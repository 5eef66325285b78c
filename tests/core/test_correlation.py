"""Rank correlations with weights, and in resamples."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.correlation import bootstrap_spearman, correlate, mid_ranks
from cxresearch.core.design import Design
from cxresearch.core.resampling import resample_counts

EXACT = 1e-10


@pytest.fixture
def frame():
    rng = np.random.default_rng(1)
    return pd.DataFrame(rng.integers(1, 6, size=(30, 3)), columns=["a", "b", "y"])


def test_whole_weights_rank_as_repeated_rows(frame):
    times = np.arange(30) % 3 + 1
    weighted = correlate(frame, "spearman", design=Design(weights=pd.Series(times, frame.index))).cov
    repeated = frame.loc[frame.index.repeat(times)].corr("spearman")
    np.testing.assert_allclose(weighted, repeated, rtol=EXACT)


def test_a_stack_of_weights_ranks_each_by_itself():
    values, weights = np.array([3.0, 1, 3, 2]), np.array([[1.0, 1, 1, 1], [2, 0, 1, 4]])
    np.testing.assert_allclose(mid_ranks(values, weights), [mid_ranks(values, one) for one in weights])
    np.testing.assert_allclose(mid_ranks(values, weights[1]), [5.5, 0, 5.5, 2])


@pytest.mark.parametrize("clustered", [False, True])
def test_resamples_are_ranked_anew(frame, clustered):
    weights, clusters = pd.Series(np.arange(30) % 2 + 1), pd.Series(np.arange(30) % 10)
    design = Design(weights, clusters if clustered else None)
    stack = bootstrap_spearman(frame, "y", 5, seed=3, design=design)
    _, counts = next(resample_counts(10 if clustered else 30, 5, seed=3, clustered=clustered))
    for ours, drawn in zip(stack, counts, strict=True):
        times = (drawn[clusters] if clustered else drawn) * weights
        resample = frame.loc[frame.index.repeat(times.astype(int))]
        np.testing.assert_allclose(ours, resample.corr("spearman")["y"][["a", "b"]], rtol=EXACT)


def test_a_constant_resample_has_no_rank_correlation():
    frame = pd.DataFrame({"a": [1.0, 1.0, 2.0], "y": [1.0, 2.0, 3.0]})
    stack = bootstrap_spearman(frame, "y", 50, seed=1)
    assert 0 < np.isnan(stack).sum() < 50
    assert (np.abs(stack[np.isfinite(stack)]) <= 1 + EXACT).all()


def test_continuous_columns_are_ranked_anew_as_well():
    frame = pd.DataFrame(np.random.default_rng(2).normal(size=(25, 2)), columns=["a", "y"])
    stack = bootstrap_spearman(frame, "y", 4, seed=5)
    _, counts = next(resample_counts(25, 4, seed=5, clustered=False))
    theirs = [frame.loc[frame.index.repeat(drawn.astype(int))].corr("spearman").loc["a", "y"] for drawn in counts]
    np.testing.assert_allclose(stack[:, 0], theirs, rtol=EXACT)
