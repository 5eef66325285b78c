"""Polychoric correlations against lavaan and polycor; standard errors, stacks, limits, bad input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from cxresearch.core.bivariate_normal import BANDS, FAR, cumulative, densities, rectangle_probabilities
from cxresearch.core.design import Design
from cxresearch.core.nearest import is_positive_definite, nearest_correlation
from cxresearch.core.polychoric import (
    bootstrap_polychorics,
    correlate_tables,
    permuted_polychorics,
    polychoric,
)
from cxresearch.core.polychoric_fit import LIMIT, fit_correlations, thresholds
from cxresearch.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference" / "polychoric"
LAVAAN = 1e-6  # lavaan's search ends at about 1e-7
POLYCOR = 5e-5  # its line search stops earlier
NEAREST = 1e-5  # lifting the zero eigenvalues differs a little from nearPD's


@pytest.fixture(scope="module")
def answers():
    return pd.read_csv(REFERENCE / "answers.csv").drop(columns="weight").astype(float)


@pytest.fixture(scope="module")
def weights():
    return pd.read_csv(REFERENCE / "answers.csv")["weight"]


@pytest.fixture(scope="module")
def pairs():
    return pd.read_csv(REFERENCE / "pairs.csv", skipinitialspace=True)


@pytest.fixture(scope="module")
def plain(answers):
    return polychoric(answers)


def of_pairs(matrix, names, pairs):
    table = pd.DataFrame(matrix, names, names)
    return np.array([table.loc[a, b] for a, b in zip(pairs["first"], pairs["second"], strict=True)])


# ---- the bivariate normal distribution ----


@pytest.mark.parametrize("most", [0.3, 0.75, 0.925, 0.9999])
def test_the_distribution_is_that_of_scipy(most):
    rng = np.random.default_rng(3)
    a, b, rho = np.sort(rng.normal(0, 1.6, (12, 3))), np.sort(rng.normal(0, 1.6, (12, 2))), rng.uniform(-most, most, 12)
    a[0, 1] = b[0, 0] = b[1, 0] = 0.0
    rho[2] = most
    found = cumulative(a, b, rho)
    for (m, i, j), value in np.ndenumerate(found):
        expected = multivariate_normal.cdf([a[m, i], b[m, j]], cov=[[1, rho[m]], [rho[m], 1]])
        assert value == pytest.approx(expected, abs=1e-9)  # scipy's own quadrature


def test_bands_meet_without_a_step():
    a, b = np.linspace(-2, 2, 5)[None], np.linspace(-1.5, 2.5, 4)[None]
    for edge, _ in BANDS:
        inside, outside = (cumulative(a, b, np.array([value])) for value in (edge, np.nextafter(edge, 1)))
        np.testing.assert_allclose(inside, outside, atol=1e-14)


def test_known_values_of_the_distribution():
    rho = np.array([-0.9999, -0.8, 0.0, 0.5, 0.99])
    at_zero = cumulative(np.zeros((5, 1)), np.zeros((5, 1)), rho)[:, 0, 0]
    np.testing.assert_allclose(at_zero, 0.25 + np.arcsin(rho) / (2 * np.pi), atol=1e-14)  # Sheppard


def test_cells_add_up_and_equal_thresholds_leave_an_empty_cell():
    a = np.array([[-FAR, -0.5, -0.5, 1.0, FAR]])
    chance = rectangle_probabilities(a, np.array([[-0.3, 0.8]]), np.array([0.6]))
    assert chance.sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(chance[0, [0, 2, 5]], 0, atol=1e-150)


def test_derivatives_are_those_of_the_distribution():
    a, b, rho, step = np.array([[-1.0, 0.4]]), np.array([[0.2, 1.3]]), np.array([0.45]), 1e-5
    first, second = densities(a, b, rho)
    high, low = (cumulative(a, b, rho + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(first, (high - low) / (2 * step), rtol=1e-7)
    high, low = (densities(a, b, rho + sign * step)[0] for sign in (1, -1))
    np.testing.assert_allclose(second, (high - low) / (2 * step), rtol=1e-7)


# ---- against R ----


def test_correlations_are_those_of_lavaan(plain, pairs):
    np.testing.assert_allclose(of_pairs(plain.corr, plain.names, pairs), pairs["lavaan"], atol=LAVAAN)
    assert (plain.at_limit, plain.unsettled, plain.is_proper) == ((), (), True)


def test_standard_errors_are_those_of_lavaan(plain, pairs):
    np.testing.assert_allclose(of_pairs(plain.std_error, plain.names, pairs), pairs["lavaan_se"], rtol=1e-5)
    np.testing.assert_array_equal(np.diag(plain.std_error), 0)


def test_thresholds_are_those_of_lavaan(plain):
    theirs = pd.read_csv(REFERENCE / "thresholds.csv", skipinitialspace=True)
    for name, cuts in zip(plain.names, plain.thresholds, strict=True):
        expected = theirs.loc[theirs["item"] == name, "threshold"]
        np.testing.assert_allclose(cuts[: len(expected)], expected, atol=1e-12)
        np.testing.assert_array_equal(cuts[len(expected) :], FAR)


def test_weighted_correlations_are_those_of_polycor(answers, weights, pairs):
    found = polychoric(answers, design=Design(weights))
    np.testing.assert_allclose(of_pairs(found.corr, found.names, pairs), pairs["weighted_polycor"], atol=POLYCOR)
    assert found.design_words == "weighted"


def test_the_nearest_matrix_is_that_of_r():
    both = pd.read_csv(REFERENCE / "nearest.csv", skipinitialspace=True).to_numpy()
    found = nearest_correlation(both[:, :4])
    np.testing.assert_allclose(found, both[:, 4:], atol=NEAREST)
    assert is_positive_definite(found)
    np.testing.assert_array_equal(np.diag(found), 1)
    np.testing.assert_array_equal(nearest_correlation(found), found)


# ---- what must hold whatever the data ----


def test_only_the_order_of_the_categories_counts(answers, plain):
    spread = polychoric(answers**2 * 10 - 3)
    np.testing.assert_allclose(spread.corr, plain.corr, atol=1e-10)
    turned = polychoric(answers.assign(q3=-answers["q3"]))
    signs = np.where(np.arange(7) == 1, -1.0, 1.0)
    np.testing.assert_allclose(turned.corr, plain.corr * np.outer(signs, signs), atol=1e-8)


def test_a_category_never_used_changes_nothing():
    table = np.array([[20.0, 10, 3], [8, 15, 9], [2, 7, 26]])
    gap = np.insert(np.insert(table, 1, 0.0, axis=0), 3, 0.0, axis=1)
    found = [
        fit_correlations(each[None], thresholds(each.sum(axis=1))[None], thresholds(each.sum(axis=0))[None]).rho[0]
        for each in (table, gap)
    ]
    assert found[0] == pytest.approx(found[1], abs=1e-10)


def test_whole_weights_are_repeated_rows(answers):
    times = pd.Series(np.arange(len(answers)) % 3 + 1)
    repeated = answers.loc[answers.index.repeat(times)]
    row = pd.Series(repeated.index, index=range(len(repeated)))
    weighted = polychoric(answers, design=Design(times))
    again = polychoric(repeated.reset_index(drop=True), design=Design(clusters=row))
    np.testing.assert_allclose(weighted.corr, again.corr, atol=1e-9)
    np.testing.assert_allclose(weighted.std_error, again.std_error, rtol=1e-7)


def test_standard_errors_are_the_spread_of_the_bootstrap():
    """Rows, weights that go with the answers, and clusters that share a part of them; 800 resamples tell a spread to 2.5 %."""
    rng = np.random.default_rng(7)
    clusters = pd.Series(np.arange(1200) // 12)
    latent = rng.normal(size=(1200, 1)) + 0.8 * rng.normal(size=(100, 1))[clusters] + rng.normal(size=(1200, 3))
    some = pd.DataFrame({"a": np.digitize(latent[:, 0], [0.5]), "b": np.digitize(latent[:, 1], [-1, 1]),
                         "c": np.digitize(latent[:, 2], [-2, 0, 1, 2])})  # fmt: skip
    weights = pd.Series(np.exp(0.3 * latent[:, 0] + 0.5 * rng.normal(size=1200)))
    upper = np.triu_indices(3, 1)
    for design in (Design(), Design(weights), Design(weights, clusters)):
        spread = bootstrap_polychorics(some, 800, seed=1, design=design).cov.std(axis=0)
        np.testing.assert_allclose(polychoric(some, design=design).std_error[upper], spread[upper], rtol=0.09)


def test_a_bootstrap_is_a_stack_of_single_cases(answers):
    from cxresearch.core.resampling import resample_counts

    stack = bootstrap_polychorics(answers, 3, seed=5)
    assert stack.cov.shape == (3, 7, 7)
    counts = next(resample_counts(len(answers), 3, seed=5, clustered=False))[1]
    for drawn, corr in zip(counts, stack.cov, strict=True):
        rows = answers.loc[answers.index.repeat(drawn.astype(int))]
        np.testing.assert_allclose(polychoric(rows.reset_index(drop=True)).corr, corr, atol=1e-9)


def test_an_item_constant_in_a_resample_is_nan():
    tables = np.zeros((2, 2, 2, 2))
    tables[0, :, 0, :], tables[1, :, 1, :] = np.diag([9.0, 0]), np.diag([5.0, 4])
    tables[0, :, 1, :] = [[5.0, 4], [0, 0]]
    tables[1, :, 0, :] = tables[0, :, 1, :].T
    np.testing.assert_array_equal(correlate_tables(tables), [[1, np.nan], [np.nan, 1]])


def test_shuffled_answers_keep_their_shares_and_lose_their_relations(answers):
    stack = permuted_polychorics(answers[["q3", "q5", "q7"]], 300, seed=2)
    upper = stack[:, *np.triu_indices(3, 1)]
    assert stack.shape == (300, 3, 3)
    np.testing.assert_allclose(upper.mean(axis=0), 0, atol=4 * 0.08 / np.sqrt(300))
    np.testing.assert_allclose(upper.std(axis=0), 1 / np.sqrt(len(answers)), rtol=0.35)  # a little more than Pearson's
    np.testing.assert_array_equal(stack, permuted_polychorics(answers[["q3", "q5", "q7"]], 300, seed=2))


def test_the_true_correlation_is_recovered():
    rng = np.random.default_rng(11)
    truth = np.array([[1, 0.95, -0.6], [0.95, 1, -0.5], [-0.6, -0.5, 1]])
    latent = rng.multivariate_normal(np.zeros(3), truth, size=40_000)
    answers = pd.DataFrame({
        name: np.digitize(latent[:, k], cuts) for k, (name, cuts) in enumerate(
            {"a": [0.8], "b": [-1.0, 0, 1.2], "c": [-1.5, -1.2, -0.5, 0.1, 2.0]}.items())
    })  # fmt: skip
    found = polychoric(answers)
    upper = np.triu_indices(3, 1)
    assert (np.abs(found.corr - truth)[upper] < 3.5 * found.std_error[upper]).all()


def test_no_other_correlation_makes_a_table_more_likely():
    """Sparse, skewed, nearly empty and quite abnormal tables, against a search over a grid."""
    rng = np.random.default_rng(17)
    grid = np.linspace(-LIMIT, LIMIT, 201)
    for rows, columns, n in ((2, 2, 8), (2, 7, 30), (5, 5, 20), (4, 6, 400), (7, 3, 5)):
        normal = [np.histogram2d(*draw, bins=(rows, columns))[0] for draw in _pairs_of(rng, n, 15)]
        wild = rng.multinomial(n, rng.dirichlet(np.full(rows * columns, 0.3), size=15)).reshape(15, rows, columns)
        tables = np.concatenate([normal, wild]) * 0.37
        a, b = thresholds(tables.sum(axis=2)), thresholds(tables.sum(axis=1))
        fits = fit_correlations(tables, a, b)
        possible = ~np.isnan(fits.rho)
        np.testing.assert_array_equal(
            possible, ((tables.sum(axis=2) > 0).sum(axis=1) > 1) & ((tables.sum(axis=1) > 0).sum(axis=1) > 1)
        )
        tables, a, b = tables[possible], a[possible], b[possible]
        best = np.max([_likelihood(tables, a, b, np.full(len(tables), value)) for value in grid], axis=0)
        assert fits.converged.all()
        assert (_likelihood(tables, a, b, fits.rho[possible]) >= best - 1e-6 * n).all()


def _pairs_of(rng, n, times):
    for rho in rng.uniform(-0.99, 0.99, times):
        yield rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=n).T


def _likelihood(tables, a, b, rho):
    return (tables * np.log(np.maximum(rectangle_probabilities(a, b, rho), 1e-15))).sum(axis=(1, 2))


# ---- edges ----


def test_an_empty_cell_that_leaves_no_maximum_is_told():
    rows = [(1, 1)] * 30 + [(2, 2)] * 25 + [(1, 2)] * 9
    found = polychoric(pd.DataFrame(rows, columns=["a", "b"]).assign(c=[1, 2, 3, 2] * 16))
    assert found.corr[0, 1] == LIMIT
    assert found.at_limit == (("a", "b"),)
    assert np.isnan(found.std_error[0, 1])
    assert np.isfinite(found.std_error[0, 2])


def test_a_matrix_that_is_not_positive_definite_is_told_and_mended():
    corr = np.array([[1, 0.9, -0.6], [0.9, 1, 0.4], [-0.6, 0.4, 1]])
    near = nearest_correlation(corr)
    assert not is_positive_definite(corr)
    assert np.linalg.eigvalsh(near)[0] > 0
    np.testing.assert_allclose(near, near.T)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q3": 2.0}, r"2 to 11 different answers; found the same answer in all rows of q3 \(1 of 7 items\)"),
        ({"q3": np.arange(260.0)}, r"found more than that in q3 \(1 of 7 items\)\. Use Pearson"),
        ({"q3": "often"}, "numeric; found text in q3"),
        ({"q3": np.nan}, "complete and finite; found missing answers in q3"),
    ],
)
def test_bad_input_is_told(answers, change, message):
    with pytest.raises(InputError, match=message):
        polychoric(answers.assign(**change))
    with pytest.raises(InputError, match=message):
        bootstrap_polychorics(answers.assign(**change), 2, seed=1)


def test_missing_answers_are_shuffled_and_taken_pairwise(answers):
    lacking = answers.mask(np.random.default_rng(4).random(answers.shape) < 0.1)
    stack = permuted_polychorics(lacking, 40, seed=1)
    assert np.abs(stack.mean(axis=0) - np.eye(7)).max() < 0.1  # five standard errors of 40 correlations near 0
    with pytest.raises(InputError, match=r"found no answers to q3 \(1 of 7 items\)"):
        permuted_polychorics(answers.assign(q3=np.nan), 2, seed=1)


def test_pairwise_polychorics_are_those_of_lavaan(answers):
    i, j = np.indices(answers.shape)
    lacking = answers.mask((7 * i + 13 * j + i * j) % 17 == 0)
    reference = pd.read_csv(REFERENCE.parent / "missing" / "polychoric.csv").to_numpy()
    np.testing.assert_allclose(polychoric(lacking, pairwise=True).corr, reference, atol=1e-5)  # lavaan's optimiser


def test_pairwise_polychorics_are_those_of_each_pair_s_own_rows(answers):
    """Thresholds come from all answers to an item; with the rows of both items alone they move a little."""
    lacking = answers.mask(np.random.default_rng(4).random(answers.shape) < 0.1)
    found = polychoric(lacking, pairwise=True)
    assert found.design_words == "pairwise"
    assert found.n == lacking.notna().any(axis=1).sum()
    for first, second in ((0, 1), (2, 6)):
        pair = lacking.iloc[:, [first, second]]
        assert found.n_pairs[first, second] == len(pair.dropna())
        alone = polychoric(pair.dropna())
        assert found.corr[first, second] == pytest.approx(alone.corr[0, 1], abs=0.02)
        assert found.corr[first, second] == pytest.approx(polychoric(pair, pairwise=True).corr[0, 1], abs=1e-10)
        assert found.std_error[first, second] == pytest.approx(alone.std_error[0, 1], rel=0.1)
    whole = polychoric(answers, pairwise=True)
    assert (whole.design_words, whole.n) == ("", 260)
    np.testing.assert_array_equal(whole.corr, polychoric(answers).corr)
    one, other = answers.columns[:2]
    lonely = answers.assign(
        **{one: answers[one].where(answers.index < 100), other: answers[other].where(answers.index > 98)}
    )
    with pytest.raises(InputError, match=rf"two rows or more; found fewer for {one} and {other} \(1 of 21 pairs\)"):
        polychoric(lonely, pairwise=True)
