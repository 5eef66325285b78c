"""Moments: one sample, weights, a bootstrap stack, a published matrix."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments, bootstrap_moments, correlation_of
from cxresearch.core.resampling import CHUNK, interval, resample_counts
from cxresearch.core.rows import complete_values
from cxresearch.errors import InputError

EXACT = 1e-12  # closed forms


@pytest.fixture
def frame():
    rng = np.random.default_rng(1)
    return pd.DataFrame(rng.normal(5, 2, size=(40, 3)) @ rng.normal(size=(3, 3)), columns=["a", "b", "c"])


def test_a_sample_has_the_moments_of_numpy(frame):
    moments = Moments.from_frame(frame)
    assert moments.n == 40
    assert moments.names == ("a", "b", "c")
    assert moments.design_words == ""
    np.testing.assert_allclose(moments.mean, frame.mean(), rtol=EXACT)
    np.testing.assert_allclose(moments.cov, np.cov(frame.T), rtol=EXACT)
    np.testing.assert_allclose(moments.sd, frame.std(), rtol=EXACT)
    np.testing.assert_allclose(moments.corr, np.corrcoef(frame.T), rtol=1e-10)


def test_equal_weights_change_nothing_but_the_word(frame):
    weighted = Moments.from_frame(frame, design=Design(weights=pd.Series(3.0, frame.index)))
    plain = Moments.from_frame(frame)
    np.testing.assert_allclose(weighted.mean, plain.mean, rtol=EXACT)
    np.testing.assert_allclose(weighted.cov, plain.cov, rtol=EXACT)
    assert weighted.design_words == "weighted"


def test_whole_weights_act_as_repeated_rows(frame):
    times = np.arange(len(frame)) % 3 + 1
    weighted = Moments.from_frame(frame, design=Design(weights=pd.Series(times, frame.index)))
    repeated = frame.loc[frame.index.repeat(times)]
    np.testing.assert_allclose(weighted.mean, repeated.mean(), rtol=EXACT)
    np.testing.assert_allclose(weighted.cov * 39 / 40, np.cov(repeated.T, ddof=0), rtol=EXACT)
    assert weighted.n == 40  # rows, not weights


def test_select_takes_items_in_the_order_asked_for(frame):
    moments = bootstrap_moments(frame, 7, seed=1)
    some = moments.select(["c", "a"])
    assert some.names == ("c", "a")
    np.testing.assert_array_equal(some.cov, moments.cov[:, [2, 0]][:, :, [2, 0]])
    np.testing.assert_array_equal(some.mean, moments.mean[:, [2, 0]])


def test_combinations_have_the_moments_of_the_combined_columns(frame):
    recipe = pd.DataFrame({"mean": [1 / 3] * 3, "gap": [1.0, -1.0, 0.0]}, index=["c", "b", "a"])
    combined = Moments.from_frame(frame).combine(recipe)
    made = pd.DataFrame({"mean": frame.mean(axis=1), "gap": frame["c"] - frame["b"]})
    assert combined.names == ("mean", "gap")
    np.testing.assert_allclose(combined.mean, made.mean(), rtol=1e-10)
    np.testing.assert_allclose(combined.cov, np.cov(made.T), rtol=1e-10)


def test_a_constant_item_has_no_correlation_and_does_not_warn():
    corr = correlation_of(np.array([[1.0, 0.5, 0.0], [0.5, 4.0, 0.0], [0.0, 0.0, 0.0]]))
    assert corr[0, 1] == 0.25
    assert corr[0, 0] == corr[1, 1] == 1
    assert np.isnan(corr[2]).all()
    assert np.isnan(corr[:, 2]).all()


def matrix(values):
    return pd.DataFrame(values, index=["a", "b"], columns=["a", "b"])


def test_a_published_matrix_with_deviations_is_a_data_set():
    moments = Moments.from_correlation(matrix([[1, 0.5], [0.5, 1]]), 100, mean=[3, 4], sd=[2, 3])
    np.testing.assert_allclose(moments.cov, [[4, 3], [3, 9]], rtol=EXACT)
    np.testing.assert_array_equal(moments.mean, [3, 4])
    assert moments.n == 100


def test_means_that_were_not_published_are_not_known():
    moments = Moments.from_correlation(matrix([[1, 0.5], [0.5, 1]]), 100)
    assert np.isnan(moments.mean).all()
    np.testing.assert_array_equal(moments.sd, [1, 1])


def test_select_knows_its_items(frame):
    with pytest.raises(InputError, match=r"found no d, e\. The items are a, b, c"):
        Moments.from_frame(frame).select(["a", "d", "e"])


@pytest.mark.parametrize("n_bootstrap", [-1, 2.5, True, "many"])
def test_a_number_of_replicates_that_cannot_be(frame, n_bootstrap):
    for draw in (
        lambda: bootstrap_moments(frame, n_bootstrap, seed=1),
        lambda: resample_counts(4, n_bootstrap, seed=1, clustered=False),
    ):
        with pytest.raises(InputError, match="`n_bootstrap` must be a whole number of 0 or more"):
            draw()


@pytest.mark.parametrize(
    "values", [[[1, 0.5], [0.4, 1]], [[1, 1.2], [1.2, 1]], [[1, np.nan], [np.nan, 1]], [[2, 0.5], [0.5, 1]]]
)
def test_what_is_no_correlation_matrix_is_refused(values):
    with pytest.raises(InputError, match=r"complete symmetric matrix.*Type the whole matrix"):
        Moments.from_correlation(matrix(values), 100)


def test_a_matrix_with_other_names_or_too_few_rows_is_refused():
    with pytest.raises(InputError, match="same names on rows and columns"):
        Moments.from_correlation(matrix([[1, 0.5], [0.5, 1]]).rename(index={"a": "x"}), 100)
    with pytest.raises(InputError, match=r"found shape .* and n = 1"):
        Moments.from_correlation(matrix([[1, 0.5], [0.5, 1]]), 1)


def counts_of(n_units, n_bootstrap, **options):
    return np.concatenate([counts for _, counts in resample_counts(n_units, n_bootstrap, **options)])


def test_a_stack_holds_the_moments_of_each_resample(frame):
    stack = bootstrap_moments(frame, CHUNK + 3, seed=5)  # across a chunk's end
    counts = counts_of(40, CHUNK + 3, seed=5, clustered=False).astype(int)
    assert stack.cov.shape == (CHUNK + 3, 3, 3)
    assert (counts.sum(axis=1) == 40).all()
    for b in (0, 1, CHUNK, CHUNK + 2):
        resample = frame.loc[frame.index.repeat(counts[b])]
        np.testing.assert_allclose(stack.mean[b], resample.mean(), rtol=1e-10)
        np.testing.assert_allclose(stack.cov[b], np.cov(resample.T), rtol=1e-10, atol=1e-12)


def test_the_same_seed_gives_the_same_stack_and_another_another(frame):
    first, again, other = (bootstrap_moments(frame, 20, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.cov, again.cov)
    assert not np.allclose(first.cov, other.cov)


def test_large_means_lose_no_digits(frame):
    near, far = bootstrap_moments(frame, 20, seed=1), bootstrap_moments(frame + 1e7, 20, seed=1)
    np.testing.assert_allclose(far.cov, near.cov, rtol=1e-6)


def test_weights_and_clusters_enter_each_resample(frame):
    weights = pd.Series(np.arange(40) % 4 + 1.0, frame.index)
    clusters = pd.Series(np.arange(40) // 5, frame.index)
    stack = bootstrap_moments(frame, 6, seed=3, design=Design(weights, clusters))
    counts = counts_of(8, 6, seed=3, clustered=True)
    assert (counts.sum(axis=1) == 7).all()  # Rao and Wu: G - 1 of G
    assert stack.design_words == "weighted; clustered"
    for b in range(6):
        w = weights.to_numpy() * counts[b][clusters]
        mean = w @ frame.to_numpy() / w.sum()
        deviations = frame.to_numpy() - mean
        np.testing.assert_allclose(stack.mean[b], mean, rtol=1e-10)
        np.testing.assert_allclose(stack.cov[b], (deviations.T * w) @ deviations / w.sum() * 40 / 39, rtol=1e-9)


def test_the_spread_of_means_is_their_standard_error(frame):
    """4,000 replicates know a standard error to about 1 %; five times that is allowed."""
    stack = bootstrap_moments(frame, 4000, seed=7)
    plain = frame.std(ddof=0) / np.sqrt(40)
    np.testing.assert_allclose(stack.mean.std(axis=0), plain, rtol=0.05)


def test_few_clusters_do_not_shorten_the_interval():
    """With one answer a cluster, drawing G - 1 of G gives sd / sqrt(G), with the divisor G - 1 in sd."""
    scores = np.array([1.0, 2.0, 4.0, 7.0, 11.0, 13.0])
    frame = pd.DataFrame({"a": np.repeat(scores, 3)})
    design = Design(clusters=pd.Series(np.repeat(np.arange(6), 3)))
    spread = bootstrap_moments(frame, 8000, seed=2, design=design).mean[:, 0].std()
    assert spread == pytest.approx(scores.std(ddof=1) / np.sqrt(6), rel=0.03)


def test_the_interval_is_one_of_percentiles():
    """With very many rows the expansion is nothing."""
    low, high = interval(np.arange(1001.0)[:, None] * [1.0, 2.0], n_units=10**9)
    np.testing.assert_allclose(low, [25, 50], rtol=1e-6)
    np.testing.assert_allclose(high, [975, 1950], rtol=1e-6)
    assert np.isnan(interval(np.array([1.0, np.nan, 2.0]), n_units=3)).all()


@pytest.mark.parametrize("clustered", [False, True])
def test_the_expanded_interval_of_a_mean_is_that_of_t(clustered):
    """Replicates that are normal with the variance of a bootstrap mean: its n - 1 of n for rows, all of it for clusters."""
    n, sd = 8, 3.0
    error = sd / np.sqrt(n) * (1 if clustered else np.sqrt((n - 1) / n))
    replicates = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000, 10, error)
    expected = stats.t.interval(0.95, n - 1, 10, sd / np.sqrt(n))
    np.testing.assert_allclose(interval(replicates, n_units=n, clustered=clustered), expected, atol=1e-3)


def test_the_expanded_interval_covers_the_mean_of_few_clusters():
    """2,000 samples of 12 clusters: plain percentiles hold the mean in about 92 %, expanded ones in about 95 %."""
    rng = np.random.default_rng(8)
    samples = rng.normal(size=(2000, 12))
    draws = np.concatenate([counts for _, counts in resample_counts(12, 999, seed=1, clustered=True)]) / 11
    replicates = draws @ samples.T
    plain, expanded = (
        np.mean((low <= 0) & (high >= 0))
        for low, high in (
            np.quantile(replicates, [0.025, 0.975], axis=0),
            interval(replicates, n_units=12, clustered=True),
        )
    )
    assert plain < 0.93
    assert expanded == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 2000))


def test_a_bootstrap_knows_what_was_drawn_whatever_is_selected(frame):
    design = Design(clusters=pd.Series(np.arange(40) // 5))
    rows, clusters = (bootstrap_moments(frame, 50, seed=1, design=design) for design in (None, design))
    assert (rows.n_units, clusters.n_units, Moments.from_frame(frame).n_units) == (40, 8, 0)
    recipe = pd.DataFrame({"sum": [1.0, 1.0, 1.0]}, index=["a", "b", "c"])
    for part in (clusters.select(["b"]), clusters.combine(recipe)):
        assert (part.n_units, part.design_words) == (8, "clustered")
    estimates = clusters.mean[:, 0]
    assert clusters.interval(estimates) == interval(estimates, n_units=8, clustered=True)
    assert rows.interval(estimates) == interval(estimates, n_units=40)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}), r"numeric; found text in b \(1 of 2 columns\)"),
        (pd.DataFrame({"a": [1.0, np.nan, 3.0]}), r"finite; found missing answers in a \(1 of 1 columns\)"),
        (pd.DataFrame({"a": [1.0, 2.0], "b": [np.inf, 1.0]}), r"infinite answers in b \(1 of 2 columns\)"),
        (pd.DataFrame({"a": [1.0]}), "at least two rows are needed; found 1"),
        (pd.DataFrame({"a": []}, dtype=float), "at least two rows are needed; found 0"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(frame, message):
    with pytest.raises(InputError, match=message):
        complete_values(frame)
    with pytest.raises(InputError, match=message):
        Moments.from_frame(frame)


def test_a_single_cluster_cannot_be_resampled(frame):
    with pytest.raises(InputError, match="two rows or clusters; found 1"):
        bootstrap_moments(frame, 10, seed=1, design=Design(clusters=pd.Series(0, frame.index)))


@pytest.mark.parametrize("constant", [4.1, 0.1, -2020.3, 1e9 + 0.1, 0.0])
def test_a_constant_item_has_no_variance_whatever_the_weights(constant):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": np.full(150, constant), "b": rng.normal(1e6, 0.5, 150)})
    design = Design(weights=pd.Series(rng.uniform(0.3, 3, 150)))
    for moments in (Moments.from_frame(frame), Moments.from_frame(frame, design=design)):
        assert (moments.cov[0] == 0).all()
        assert moments.sd[1] > 0.3  # small beside its mean, and no rounding
