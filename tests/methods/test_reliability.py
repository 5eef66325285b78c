"""Reliability against R and published values; properties; edges."""

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from methods.surveys import ECSI, read_ecsi

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments, bootstrap_moments
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError
from cxresearch.methods.internal_consistency import (
    alpha_if_dropped,
    cronbach_alpha,
    item_rest_correlation,
    mean_inter_item_correlation,
    omega_total,
    split_half,
)
from cxresearch.methods.one_factor import fit_one_factor
from cxresearch.methods.reliability import check_reliability
from cxresearch.present.text import Text

ROOT = Path(__file__).parent.parent
CLOSED_FORM = 1e-8
ITERATIVE = 1e-5  # lavaan's own accuracy
QUANTITIES = [
    "alpha",
    "alpha_standardized",
    "omega_total",
    "split_half",
    "mean_inter_item_correlation",
    "item_rest_correlation",
    "alpha_if_dropped",
]
matching = runpy.run_path(str(ROOT / "reference" / "matching.py"))


@pytest.fixture(scope="module")
def mobi():
    return read_ecsi()


@pytest.fixture(scope="module")
def result(mobi):
    return check_reliability(mobi, ECSI, n_bootstrap=500, seed=1)


def worst(table, name, *, weighted):
    """Worst relative difference of omega and of the closed forms; all reference rows must be found once."""
    reference = matching["read"](ROOT / "reference" / name)
    wanted = reference["quantity"].isin(QUANTITIES) & (reference["method"].str.contains("weighted") == weighted)
    differences = matching["relative_differences"](table, reference[wanted])
    assert (differences["matches"] == 1).all()
    numbers = differences.set_index("quantity")[matching["NUMBERS"]].max(axis=1)
    return {
        "omega": numbers.get("omega_total", pd.Series(0.0)).max(),
        "closed": numbers.drop("omega_total", errors="ignore").max(),
    }


@pytest.mark.parametrize("name", ["ecsi_mobile/reference.csv", "reliability/reliability.csv"])
def test_coefficients_are_those_of_r(result, name):
    differences = worst(result.table, name, weighted=False)
    assert differences["closed"] < CLOSED_FORM
    assert differences["omega"] < ITERATIVE


def test_weighted_coefficients_are_those_of_r(mobi):
    row = np.arange(len(mobi))
    design = Design(pd.Series(row % 5 + 1.0), pd.Series(row % 25))
    table = check_reliability(mobi, ECSI, design=design, n_bootstrap=0).table
    differences = worst(table, "reliability/reliability.csv", weighted=True)
    assert differences["closed"] < CLOSED_FORM
    assert differences["omega"] < ITERATIVE


def test_moments_give_the_estimates_of_their_rows_without_intervals(result, mobi):
    items = [item for members in ECSI.values() for item in members]
    published = Moments.from_correlation(mobi[items].corr(), 250, mean=mobi[items].mean(), sd=mobi[items].std())
    alone = check_reliability(published, ECSI)
    keys = ["quantity", "scale", "term"]
    assert alone.table[keys].equals(result.table[keys])
    np.testing.assert_allclose(alone.table["estimate"], result.table["estimate"], rtol=CLOSED_FORM)
    assert alone.table[["conf_low", "conf_high"]].isna().all(axis=None)
    assert alone.table["method"].str.split("; ").map(lambda said: "moments only" in said).all()
    assert (alone.n_used, alone.n_dropped, alone.n_bootstrap) == (250, 0, 0)
    assert alone.finding().key.endswith("_plain")


def test_a_published_matrix_is_a_data_set():
    harman = json.loads((ROOT / "reference/factors/harman_physical.json").read_text(encoding="utf-8"))
    names = harman["names"]
    matrix = pd.DataFrame(harman["correlation"], names, names)
    found = check_reliability(Moments.from_correlation(matrix, harman["n"]), {"size": names})
    assert found.value("alpha", scale="size") == pytest.approx(harman["alpha_standardized"], rel=CLOSED_FORM)
    assert set(found.pick("alpha")["method"]) == {"moments only"}


@pytest.mark.parametrize(
    ("data", "scales", "message"),
    [
        ([[1, 2]], {"s": ["a", "b"]}, "DataFrame with one row a respondent, or Moments; found list"),
        (Moments(np.array(9), np.zeros(2), np.eye(2), ("a", "b")), {"s": ["a", "c"]}, "found no c"),
    ],
)
def test_other_data_are_refused(data, scales, message):
    with pytest.raises(InputError, match=message):
        check_reliability(data, scales)


def test_items_with_a_low_item_rest_correlation_are_named_with_the_rule():
    rng = np.random.default_rng(3)
    common = rng.normal(size=(500, 1))
    answers = pd.DataFrame(common + rng.normal(size=(500, 4)), columns=list("abcd"))
    answers["d"] = 0.15 * common[:, 0] + rng.normal(size=500)
    result = check_reliability(answers, {"s": list("abcd")}, n_bootstrap=0)
    rest = result.pick("item_rest_correlation", scale="s").set_index("term")["estimate"]
    assert rest[["a", "b", "c"]].min() > 0.3 > rest["d"] > 0
    told = next(caution for caution in result.cautions if caution.key == "reliability.low_items")
    assert told.values["items"] == ["d"]
    assert told.rule is RULES["item_rest"]
    for language in ("en", "zh"):
        assert "0.30" in Text(language).sentence(told)
    answers["d"] *= -1  # negative: named as such, not twice
    keys = {caution.key for caution in check_reliability(answers, {"s": list("abcd")}, n_bootstrap=0).cautions}
    assert "reliability.negative_items" in keys
    assert "reliability.low_items" not in keys


@pytest.mark.parametrize(("n_clusters", "few"), [(19, True), (20, False)])
def test_few_clusters_are_told(mobi, n_clusters, few):
    design = Design(clusters=pd.Series(np.arange(250) % n_clusters))
    cautions = check_reliability(mobi, {"value": ECSI["value"]}, design=design, n_bootstrap=0).cautions
    told = [caution.values["clusters"] for caution in cautions if caution.key == "design.few_clusters"]
    assert told == [n_clusters] * few


def test_standardised_alphas_are_the_published_ones(result):
    published = json.loads((ROOT / "reference/reliability/published.json").read_text(encoding="utf-8"))
    for scale, theirs in published["alpha_standardized"].items():
        assert result.value("alpha_standardized", scale=scale) == pytest.approx(theirs, rel=CLOSED_FORM)


def test_the_whole_is_told_without_its_items(result, mobi):
    whole = result.table[result.table["scale"] == "all"]
    assert set(whole["quantity"]) == set(QUANTITIES[:5])
    items = [item for items in ECSI.values() for item in items]
    assert result.value("alpha", scale="all") == pytest.approx(float(cronbach_alpha(np.cov(mobi[items].T))), rel=1e-12)


def test_every_estimate_lies_in_its_interval_and_says_how_it_was_made(result):
    unstable = (result.table["quantity"] == "omega_total") & result.table["scale"].isin(["expectation", "loyalty"])
    table = result.table[~unstable]
    assert (table["conf_low"] < table["estimate"]).all()
    assert (table["estimate"] < table["conf_high"]).all()
    assert table["method"].str.contains("percentile bootstrap").all()
    assert (table["n"] == 250).all()


def test_two_items_have_no_omega_and_say_why(result):
    assert result.pick("omega_total", scale="value").empty
    assert result.pick("alpha_if_dropped", scale="value").empty
    two = np.cov(result.pick("item_rest_correlation", scale="value")["estimate"])  # one correlation twice
    assert two == pytest.approx(0, abs=1e-20)
    assert cautions(result)["reliability.two_items"] == {"scales": ["value"]}


def test_one_item_is_left_out_and_named(result):
    assert "complaints" not in set(result.table["scale"])
    assert cautions(result)["reliability.one_item"] == {"scales": ["complaints"]}


def test_a_heywood_case_is_flagged_and_its_interval_withheld(result):
    omega = result.pick("omega_total", scale="loyalty").iloc[0]
    assert "heywood case" in omega["method"]
    assert np.isnan(omega["conf_low"])
    assert cautions(result)["reliability.heywood"] == {"scales": ["loyalty"]}
    assert "loyalty" in cautions(result)["reliability.unstable"]["scales"]


def test_the_finding_names_the_scales_below_the_rule(result):
    finding = result.finding()
    assert finding.key == "reliability.some_below"
    assert finding.rule.key == "alpha_acceptable"
    assert finding.values["below"] == ["expectation", "loyalty"]
    assert (finding.values["n_met"], finding.values["n_scales"]) == (4, 6)
    assert finding.values["lowest"] == "expectation"


def singular(result):
    return [dict(caution.values) for caution in result.cautions if caution.key == "reliability.omega_singular"]


def cautions(result):
    return {caution.key: dict(caution.values) for caution in result.cautions}


# ---- the estimators ----


def matrices(min_items=2):
    """Covariance matrices of 2 to 6 items, never singular."""
    return st.tuples(st.integers(min_items, 6), st.integers(0, 2**31)).map(
        lambda drawn: np.cov(np.random.default_rng(drawn[1]).normal(size=(30, drawn[0])).cumsum(axis=1).T)
    )


@given(matrices())
@settings(max_examples=30, deadline=None)
def test_alpha_does_not_care_about_order_or_units_in_common(cov):
    turned = cov[::-1, ::-1]
    assert cronbach_alpha(turned) == pytest.approx(cronbach_alpha(cov), rel=1e-10)
    assert cronbach_alpha(cov * 7) == pytest.approx(cronbach_alpha(cov), rel=1e-10)


@given(matrices(3))
@settings(max_examples=30, deadline=None)
def test_alpha_if_dropped_is_the_alpha_of_the_rest(cov):
    for i, estimate in enumerate(alpha_if_dropped(cov)):
        rest = np.delete(np.delete(cov, i, 0), i, 1)
        assert estimate == pytest.approx(float(cronbach_alpha(rest)), rel=1e-9, abs=1e-9)


@given(matrices(3))
@settings(max_examples=30, deadline=None)
def test_item_rest_correlation_is_that_with_the_sum_of_the_rest(cov):
    p = len(cov)
    for i, estimate in enumerate(item_rest_correlation(cov)):
        rest = 1.0 - np.eye(p)[i]
        by_hand = (cov[i] @ rest) / np.sqrt(cov[i, i] * (rest @ cov @ rest))
        assert estimate == pytest.approx(by_hand, rel=1e-10)


def test_a_stack_of_one_is_the_single_case(mobi):
    cov = Moments.from_frame(mobi[ECSI["quality"]]).cov
    for function in (cronbach_alpha, split_half, mean_inter_item_correlation, item_rest_correlation, alpha_if_dropped):
        np.testing.assert_allclose(function(cov[None])[0], function(cov), rtol=1e-12)
    one, stack = fit_one_factor(cov), fit_one_factor(np.stack([cov, 2 * cov]))
    np.testing.assert_allclose(stack.loadings, [one.loadings, np.sqrt(2) * one.loadings], rtol=1e-9)
    np.testing.assert_allclose(omega_total(np.stack([cov, 2 * cov]), stack), omega_total(cov, one), rtol=1e-9)


def test_three_items_have_a_closed_form():
    """The loading of the first of three items is sqrt(s12 s13 / s23) (Jöreskog 1971)."""
    cov = np.array([[2.0, 0.8, 0.6], [0.8, 1.5, 0.5], [0.6, 0.5, 1.0]])
    fit = fit_one_factor(cov)
    exact = np.sqrt([0.8 * 0.6 / 0.5, 0.8 * 0.5 / 0.6, 0.6 * 0.5 / 0.8])
    np.testing.assert_allclose(fit.loadings, exact, rtol=1e-9)
    np.testing.assert_allclose(fit.uniquenesses, np.diag(cov) - exact**2, rtol=1e-8)
    assert fit.converged
    assert not fit.heywood


def test_three_items_have_a_solution_where_the_product_of_their_correlations_is_positive():
    """An item that hardly correlates with another gives a large loading, which is the solution; one that should not, gives none."""

    def three(*correlations):
        corr = np.eye(3)
        corr[np.triu_indices(3, 1)] = correlations
        return corr + np.triu(corr, 1).T

    stack = np.stack([three(0.3, -0.5, -0.4), three(0.3, 0.2, 1e-4), three(0.3, 0.5, -0.4), three(0.3, 0.5, 0.0)])
    fit = fit_one_factor(stack)
    assert fit.converged.tolist() == [True, True, False, False]
    assert fit.heywood.tolist() == [False, True, False, False]
    assert np.isnan(fit.loadings[2:]).all()
    assert (fit.loadings[:2].sum(axis=1) > 0).all()
    implied = fit.loadings[:2, :, None] * fit.loadings[:2, None, :] + fit.uniquenesses[:2, :, None] * np.eye(3)
    np.testing.assert_allclose(implied, stack[:2], atol=1e-10)


def test_a_known_factor_is_recovered_and_its_sign_is_positive():
    loadings, own = np.array([0.9, 1.6, -0.3, 0.7, 1.1]), np.array([0.4, 1.0, 0.2, 2.0, 0.5])
    fit = fit_one_factor(np.outer(loadings, loadings) + np.diag(own))
    np.testing.assert_allclose(fit.loadings, loadings, rtol=1e-6)
    np.testing.assert_allclose(fit.uniquenesses, own, rtol=1e-6)


def test_equal_loadings_make_omega_equal_alpha():
    cov = 0.6 + np.diag([0.3, 0.9, 0.5, 1.2])
    assert omega_total(cov, fit_one_factor(cov)) == pytest.approx(float(cronbach_alpha(cov)), rel=1e-8)


def test_a_negative_residual_variance_is_kept_and_flagged():
    cov = np.array([[1.0, 0.8, 0.8], [0.8, 1.0, 0.5], [0.8, 0.5, 1.0]])  # first loading sqrt(1.28) > 1
    fit = fit_one_factor(cov)
    assert fit.heywood
    assert fit.loadings[0] == pytest.approx(np.sqrt(1.28), rel=1e-6)
    assert fit.uniquenesses[0] == pytest.approx(1 - 1.28, rel=1e-5)


def test_what_has_no_solution_is_nan_and_spoils_no_neighbour():
    good = np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.3], [0.4, 0.3, 1.0]])
    constant, twins = good.copy(), np.ones((3, 3))
    constant[0] = constant[:, 0] = 0
    fit = fit_one_factor(np.stack([good, constant, twins, good]))
    assert fit.converged.tolist() == [True, False, False, True]
    np.testing.assert_allclose(fit.loadings[[0, 3]], fit_one_factor(good).loadings[None].repeat(2, axis=0), rtol=1e-9)
    assert np.isnan(fit.loadings[[1, 2]]).all()


def test_a_start_does_not_move_the_solution(mobi):
    stack = bootstrap_moments(mobi[ECSI["image"]], 50, seed=3)
    sample = fit_one_factor(Moments.from_frame(mobi[ECSI["image"]]).cov)
    near, far = fit_one_factor(stack.cov, start=sample), fit_one_factor(stack.cov)
    np.testing.assert_allclose(near.loadings, far.loadings, atol=1e-4)
    assert near.converged.all()


# ---- missing answers, designs, edges ----


def simulated(n=120, p=4, seed=1):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 1)) + rng.normal(size=(n, p))
    return pd.DataFrame(values, columns=[f"q{i + 1}" for i in range(p)])


def test_each_scale_uses_the_rows_complete_on_its_items():
    answers = simulated(p=6)
    answers.loc[:9, "q1"] = np.nan
    result = check_reliability(answers, {"s": ["q1", "q2", "q3"], "t": ["q4", "q5", "q6"]}, n_bootstrap=50)
    assert result.pick("alpha").set_index("scale")["n"].to_dict() == {"s": 110, "t": 120, "all": 110}
    expected = float(cronbach_alpha(np.cov(answers[["q1", "q2", "q3"]].dropna().T)))
    assert result.alpha["s"] == pytest.approx(expected, rel=1e-12)
    assert (result.n_used, result.n_dropped) == (120, 0)


def test_shared_and_own_bootstraps_give_the_same_interval():
    answers = simulated(p=6)
    both = check_reliability(answers, {"s": ["q1", "q2", "q3"], "t": ["q4", "q5", "q6"]}, n_bootstrap=100, seed=4)
    alone = check_reliability(answers, {"s": ["q1", "q2", "q3"]}, n_bootstrap=100, seed=4)
    columns = ["estimate", "conf_low", "conf_high"]
    np.testing.assert_allclose(
        both.pick("alpha", scale="s")[columns], alone.pick("alpha", scale="s")[columns], rtol=1e-10
    )


def test_clusters_widen_the_interval():
    answers = simulated(n=20).loc[np.repeat(np.arange(20), 6)].reset_index(drop=True)  # each row six times
    answers = answers + np.random.default_rng(2).normal(size=answers.shape) * 0.01
    clusters = Design(clusters=pd.Series(np.repeat(np.arange(20), 6)))
    scales = {"s": list(answers)}
    plain, clustered = (
        check_reliability(answers, scales, n_bootstrap=300, design=design).pick("alpha", scale="s").iloc[0]
        for design in (None, clusters)
    )
    assert plain["estimate"] == clustered["estimate"]
    width, clustered_width = (row["conf_high"] - row["conf_low"] for row in (plain, clustered))
    assert clustered_width > 1.7 * width  # sqrt(6) = 2.4 in theory
    assert "clustered" in clustered["method"]


def test_the_seed_decides_the_intervals():
    answers, scales = simulated(), {"s": ["q1", "q2", "q3", "q4"]}
    first, again, other = (check_reliability(answers, scales, n_bootstrap=50, seed=s).table for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["conf_low"].equals(other["conf_low"])


def test_without_replicates_there_are_no_intervals_and_a_plain_sentence():
    result = check_reliability(simulated(), {"s": ["q1", "q2", "q3", "q4"]}, n_bootstrap=0)
    assert result.table["conf_low"].isna().all()
    assert result.finding().key == "reliability.all_reach_plain"


def test_an_item_the_wrong_way_round_is_named_not_flipped():
    answers = simulated().assign(q4=lambda frame: -frame["q4"])
    result = check_reliability(answers, {"s": ["q1", "q2", "q3", "q4"]}, n_bootstrap=0)
    assert result.value("item_rest_correlation", term="q4") < 0
    assert cautions(result)["reliability.negative_items"] == {"items": ["q4"]}


def test_a_spoilt_scale_is_left_out_with_the_reason_and_the_others_told():
    answers = simulated(p=8).assign(q3=4.0, q6=lambda frame: 1 + 2 * frame["q5"])
    scales = {"fixed": ["q1", "q2", "q3"], "twins": ["q4", "q5", "q6"], "sound": ["q7", "q8"]}
    result = check_reliability(answers, scales, n_bootstrap=50)
    assert set(result.table["scale"]) == {"sound"}
    told = [(caution.key, caution.values["scale"], caution.values["items"]) for caution in result.cautions[:3]]
    assert told == [
        ("reliability.constant_items", "fixed", ["q3"]),
        ("reliability.identical_items", "twins", ["q5", "q6"]),
        ("reliability.constant_items", "all", ["q3"]),
    ]


def test_a_scale_nobody_answered_in_full_is_left_out():
    answers = simulated(p=4)
    answers["q3"] = np.nan
    result = check_reliability(answers, {"s": ["q1", "q2"], "t": ["q3", "q4"]}, n_bootstrap=20)
    assert cautions(result)["reliability.too_few_rows"]["n"] == 0
    assert set(result.table["scale"]) == {"s"}


def test_with_no_more_rows_than_items_there_is_alpha_but_no_omega():
    result = check_reliability(simulated(n=5, p=6), {"s": [f"q{i}" for i in range(1, 7)]}, n_bootstrap=20)
    assert result.pick("omega_total").empty
    assert len(result.pick("alpha")) == 2
    assert singular(result) == [{"scale": "s", "n": 5, "count": 6}, {"scale": "all", "n": 5, "count": 6}]


def test_a_total_of_other_items_has_no_one_factor_solution():
    answers = simulated(p=3).assign(total=lambda frame: frame.sum(axis=1))
    result = check_reliability(answers, {"s": list(answers)}, n_bootstrap=20)
    assert result.pick("omega_total", scale="s").empty
    assert singular(result) == [{"scale": "s", "n": 120, "count": 4}, {"scale": "all", "n": 120, "count": 4}]


@pytest.mark.parametrize("seed", range(4))
def test_a_pilot_of_eight_rows_is_judged_without_a_crash(seed):
    """Resamples of eight rows are often singular: they count as without omega, and an interval without enough of them is withheld."""
    answers = simulated(n=8, p=12, seed=seed)
    scales = {"s": ["q1", "q2", "q3", "q4"], "t": ["q5", "q6", "q7", "q8"], "u": ["q9", "q10", "q11", "q12"]}
    result = check_reliability(answers, scales, n_bootstrap=100)
    assert singular(result) == [{"scale": "all", "n": 8, "count": 12}]
    assert "all" not in result.omega
    bounds = result.pick("alpha")[["conf_low", "conf_high"]].to_numpy()
    assert np.isfinite(bounds).all()
    assert np.abs(bounds).max() < 100
    for language in ("en", "zh"):
        assert "{" not in Text(language).sentence(result.finding())


def test_a_stack_with_singular_covariances_is_fitted_where_it_can_be():
    sound = simulated(n=60, p=4).cov().to_numpy()
    lines = np.random.default_rng(0).normal(size=(4, 2))
    fits = fit_one_factor(np.stack([sound, lines @ lines.T, np.ones((4, 4)), np.full((4, 4), np.nan)]))
    assert fits.converged.tolist() == [True, False, False, False]
    np.testing.assert_allclose(fits.loadings[0], fit_one_factor(sound).loadings, rtol=1e-9)
    assert np.isnan(fits.loadings[1:]).all()


def test_a_sum_that_does_not_vary_has_no_coefficient():
    """Two items that cancel out: rounding must not be taken for a variance."""
    x = np.random.default_rng(0).normal(size=9) + 0.1
    cov = np.cov(np.stack([x, 0.7 - x]))
    assert np.isnan(cronbach_alpha(cov))
    assert np.isnan(alpha_if_dropped(np.cov(np.stack([x, 0.7 - x, x**2])))[2])


def test_single_items_only_are_judged_together():
    result = check_reliability(simulated(p=3), {"a": ["q1"], "b": ["q2"], "c": ["q3"]}, n_bootstrap=20)
    assert set(result.table["scale"]) == {"all"}
    assert len(result.pick("item_rest_correlation")) == 3
    assert result.finding().key == "reliability.only_all"


@pytest.mark.parametrize(
    ("answers", "scales", "message"),
    [
        (simulated(), {"s": ["q1", "q9"]}, "column of `answers`; found no q9"),
        (simulated(), {"all": ["q1", "q2"]}, "must not use the name `all`"),
        (simulated(), {"s": ["q1"]}, r"two different items.*found none among s \(1 scales\)"),
        (simulated().iloc[:0], {"s": ["q1", "q2"]}, "two different items"),
        (simulated().assign(q1="x"), {"s": ["q1", "q2"]}, r"numeric; found text in q1"),
        (simulated().assign(q1=1.0), {"s": ["q1", "q2"]}, "two different items"),
    ],
)
def test_bad_input_is_told(answers, scales, message):
    with pytest.raises(InputError, match=message):
        check_reliability(answers, scales, n_bootstrap=10)


def test_answers_are_not_changed():
    answers = simulated()
    before = answers.copy()
    check_reliability(answers, {"s": ["q1", "q2", "q3"]}, n_bootstrap=10)
    pd.testing.assert_frame_equal(answers, before)
