"""Factor analysis of answers on few grades: the rule that chooses the correlation, polychorics all the way, cautions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.correlation import correlate, skewness, suitable_correlation
from cxresearch.core.design import Design
from cxresearch.core.polychoric import permuted_polychorics, polychoric
from cxresearch.core.polychoric_fit import LIMIT
from cxresearch.errors import InputError
from cxresearch.methods.factor_tests import eigenvalues
from cxresearch.methods.factors import explore_factors

REFERENCE = Path(__file__).parents[1] / "reference" / "polychoric"
PATTERN = np.array([[0.8, 0], [0.7, 0], [0.75, 0], [0.65, 0], [0, 0.8], [0, 0.7], [0, 0.75], [0, 0.6]])
PHI = np.array([[1, 0.4], [0.4, 1]])


@pytest.fixture(scope="module")
def answers():
    return pd.read_csv(REFERENCE / "answers.csv").drop(columns="weight").astype(float)


def simulated(n=600, cuts=(0.4, 1.2), seed=1):
    """Two factors of four items each behind grades cut at `cuts`."""
    rng = np.random.default_rng(seed)
    common = rng.multivariate_normal(np.zeros(2), PHI, size=n) @ PATTERN.T
    latent = common + rng.normal(size=(n, 8)) * np.sqrt(1 - (PATTERN**2).sum(axis=1))
    return pd.DataFrame(np.digitize(latent, cuts).astype(float), columns=[f"q{i + 1}" for i in range(8)])


def cautions(result):
    return {caution.key: caution.values for caution in result.cautions}


# ---- against R ----


def test_everything_rests_on_the_polychoric_matrix_as_in_r(answers):
    """KMO, Bartlett, eigenvalues, minres on lavaan's matrix by psych; minres to what either search reaches."""
    result = explore_factors(answers, n_factors=2, correlation="polychoric", n_random=20)
    theirs = pd.read_csv(REFERENCE / "factors.csv", skipinitialspace=True, dtype={"term": str}).fillna({"term": ""})
    for quantity, rows in theirs.groupby("quantity"):
        found = result.pick(quantity).set_index("term")["estimate"]
        tolerance = 1e-3 if quantity == "communality" else 1e-6
        np.testing.assert_allclose(found[rows["term"].str.strip()], rows["estimate"], rtol=tolerance)
    assert len(theirs) == 23


# ---- which correlation ----


def test_few_grades_call_for_polychorics_and_five_do_not():
    five = simulated(cuts=(-1.2, -0.4, 0.4, 1.2))
    assert suitable_correlation(five).kind == "pearson"
    assert suitable_correlation(five.assign(q2=five["q2"].clip(1, 4))).coarse == ("q2",)
    assert suitable_correlation(five.assign(q2=five["q2"].clip(1, 4))).kind == "polychoric"


def test_skewed_items_call_for_polychorics():
    skewed = simulated(cuts=(1.6, 1.9, 2.1, 2.4), n=3000)
    found = suitable_correlation(skewed)
    assert (found.kind, found.coarse, len(found.skewed)) == ("polychoric", (), 8)


def test_weights_enter_the_skewness():
    values = np.array([[0.0], [0.0], [1.0]])
    weighted = skewness(values, np.array([1.0, 1.0, 2.0]))
    np.testing.assert_allclose(weighted, skewness(np.array([[0.0], [0], [1], [1]]), np.ones(4)), atol=1e-15)
    np.testing.assert_allclose(weighted, 0, atol=1e-15)


def test_the_rule_is_followed_and_says_why():
    coarse = simulated()
    result = explore_factors(coarse, n_random=20)
    assert result.correlation == "polychoric"
    assert cautions(result)["factors.ordinal_coarse"] == {"items": list(coarse.columns)}
    assert result.value("kmo") == explore_factors(coarse, n_random=20, correlation="polychoric").kmo
    told = cautions(explore_factors(coarse, n_random=20, correlation="polychoric"))
    assert "factors.ordinal_coarse" not in told  # nobody asked the rule
    assert "factors.polychoric_bartlett" in told


def test_numbers_among_the_grades_leave_pearson_and_a_caution():
    mixed = simulated().assign(income=np.random.default_rng(1).normal(size=600))
    result = explore_factors(mixed, n_factors=2, n_random=20)
    assert result.correlation == "pearson"
    assert cautions(result)["factors.mixed_coarse"]["items"] == [f"q{i + 1}" for i in range(8)]
    assert result.polychorics.names == tuple(f"q{i + 1}" for i in range(8))


# ---- what polychorics are for ----


def test_loadings_behind_coarse_grades_are_recovered_where_pearson_falls_short():
    many = simulated(n=8000, cuts=(0.9,))
    ordinal, numbers = (
        explore_factors(many, n_factors=2, n_random=20, correlation=kind) for kind in ("polychoric", "pearson")
    )
    truth = (PATTERN**2).sum(axis=1)
    np.testing.assert_allclose(ordinal.communalities, truth, atol=0.06)
    assert (numbers.communalities < truth - 0.1).all()
    assert (ordinal.n_factors_parallel, ordinal.n_factors_map) == (2, 2)


def test_parallel_analysis_shuffles_the_answers_and_keeps_the_correlation():
    coarse = simulated(n=200)
    result = explore_factors(coarse, n_factors=2, n_random=60, seed=4)
    rows = result.pick("eigenvalue_random")
    expected = np.quantile(eigenvalues(permuted_polychorics(coarse, 60, seed=4)), 0.95, axis=0)
    np.testing.assert_array_equal(rows["estimate"], expected)
    assert set(rows["method"]) == {"parallel analysis; 95th percentile; permuted answers; polychoric"}
    numbers = explore_factors(coarse, n_factors=2, correlation="pearson", n_random=60).pick("eigenvalue_random")
    assert rows["estimate"].iloc[0] > numbers["estimate"].iloc[0]  # polychorics vary more


def test_polychorics_are_written_for_items_of_seven_grades_or_fewer(answers):
    more = answers.assign(nine=np.digitize(np.random.default_rng(1).normal(size=260), np.linspace(-1.5, 1.5, 8)))
    result = explore_factors(more, n_factors=2, correlation="pearson")
    rows = result.pick("polychoric")
    assert len(rows) == 7 * 6 / 2
    assert "nine" not in set(rows["scale"]) | set(rows["term"])
    exact = polychoric(answers)
    found = result.value("polychoric", scale="q3", term="q6")
    assert found == pytest.approx(exact.corr[1, 4], abs=1e-12)
    assert rows["std_error"].to_numpy() == pytest.approx(exact.std_error[np.triu_indices(7, 1)], rel=1e-9)
    assert set(rows["method"]) == {"polychoric; two-step ml"}
    assert (rows["n"] == 260).all()
    assert explore_factors(more[["nine", "q2", "q3"]] * 1.0, correlation="polychoric").pick("polychoric").shape[0] == 3


def test_whole_weights_are_repeated_rows():
    coarse = simulated(n=150)
    times = pd.Series(np.arange(150) % 3 + 1)
    repeated = coarse.loc[coarse.index.repeat(times)].reset_index(drop=True)
    weighted = explore_factors(coarse, n_factors=2, n_random=20, design=Design(times))
    again = explore_factors(repeated, n_factors=2, n_random=20)
    assert weighted.kmo == pytest.approx(again.kmo, rel=1e-8)
    np.testing.assert_allclose(weighted.loadings, again.loadings, atol=1e-5)
    assert set(weighted.pick("polychoric")["method"]) == {"polychoric; two-step ml; weighted"}
    plain = explore_factors(coarse, n_factors=2, n_random=20)
    assert weighted.value("bartlett_chi2") == pytest.approx(plain.value("bartlett_chi2"), rel=1e-8)


# ---- what may go wrong ----


def test_a_matrix_that_had_to_be_mended_is_told():
    few = simulated(n=30, cuts=(0.4,), seed=2)
    more = few.join(simulated(n=30, cuts=(0.4,), seed=3).add_prefix("r"))
    assert not polychoric(more).is_proper
    result = explore_factors(more, n_factors=2, n_random=20)
    assert "factors.mended" in cautions(result)
    assert result.pick("kmo")["method"].item() == "polychoric; nearest positive definite"
    assert result.pick("eigenvalue")["estimate"].min() > 0
    raw = result.pick("polychoric")["estimate"].to_numpy()  # written as estimated
    np.testing.assert_array_equal(raw, polychoric(more).corr[np.triu_indices(16, 1)])


def test_an_estimate_at_its_limit_is_told():
    coarse = simulated()
    coarse["q2"] = np.where(coarse["q1"] == 2, 2, np.minimum(coarse["q1"], 1) * (np.arange(600) % 4 > 0))
    result = explore_factors(coarse, n_factors=2, n_random=20)
    told = cautions(result)["factors.at_limit"]
    assert (told["n_pairs"], told["items"], told["limit"]) == (1, ["q1", "q2"], LIMIT)
    assert result.pick("polychoric", scale="q1", term="q2")["std_error"].isna().all()


def test_the_same_answers_twice_are_told_before_any_fit():
    with pytest.raises(InputError, match="found q1 and q2 perfectly correlated"):
        explore_factors(simulated().assign(q2=lambda frame: frame["q1"]))


def test_correlate_gives_the_same_matrix(answers):
    np.testing.assert_array_equal(correlate(answers, "polychoric").corr, polychoric(answers).corr)
