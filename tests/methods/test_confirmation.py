"""Confirmatory factor analysis against R lavaan and published values; edges."""

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from methods.surveys import ECSI, read_ecsi

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.core.results import COLUMNS
from cxresearch.errors import InputError
from cxresearch.methods.confirmation import confirm_factors
from cxresearch.present.text import Text

ROOT = Path(__file__).parent.parent
WITHOUT_SINGLE = {name: items for name, items in ECSI.items() if len(items) > 1}
FIT = 1e-7  # chi-square and indices: their error is the square of that of the parameters
LINEAR = 1e-5  # what moves with the parameters themselves
INTERVAL = 1e-6  # of RMSEA: where R's root search stops
ESTIMATES = 1e-4  # loadings and correlations: where lavaan's optimiser stops
SMALL = 1e-5  # absolute; residual correlations, some of them near 0
TOLERANCE = {
    **dict.fromkeys(("chi2", "model_df", "cfi", "tli", "rmsea", "aic", "bic"), FIT),
    **dict.fromkeys(("srmr", "scaling_factor"), LINEAR),
    **dict.fromkeys(("rmsea_conf_low", "rmsea_conf_high"), INTERVAL),
    **dict.fromkeys(("standardized_loading", "factor_correlation"), ESTIMATES),
    **dict.fromkeys(("modification_index", "expected_change"), ESTIMATES),
}
matching = runpy.run_path(str(ROOT / "reference" / "matching.py"))
published = json.loads((ROOT / "reference/confirmation/published.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mobi():
    return read_ecsi()


@pytest.fixture(scope="module")
def ecsi(mobi):
    return confirm_factors(mobi, ECSI)


@pytest.fixture(scope="module")
def holzinger():
    cov = pd.read_csv(ROOT / "reference/confirmation/holzinger.csv", index_col="item")
    moments = Moments(np.asarray(published["n"]), np.zeros(9), cov.to_numpy(), tuple(cov.columns))
    return confirm_factors(moments, published["factors"])


def design_of(mobi, data):
    weights = pd.Series(np.resize([1.0, 2.0, 3.0], len(mobi)), index=mobi.index)
    clusters = pd.Series(np.arange(len(mobi)) // 10, index=mobi.index)
    return {"weighted": Design(weights), "clustered": Design(None, clusters), "both": Design(weights, clusters)}[data]


def two_constructs(n=300, seed=1, phi=0.5):
    rng = np.random.default_rng(seed)
    factors = rng.multivariate_normal([0, 0], [[1, phi], [phi, 1]], n)[:, [0, 0, 0, 1, 1, 1]]
    return pd.DataFrame(factors + rng.normal(size=(n, 6)), columns=[f"q{i + 1}" for i in range(6)])


PAIR = {"speed": ["q1", "q2", "q3"], "staff": ["q4", "q5", "q6"]}


def keys_of(result):
    return [caution.key.removeprefix("confirmation.") for caution in result.finding().cautions]


# ---- against R and print ----


@pytest.mark.parametrize("data", ["holzinger", "ecsi", "weighted", "clustered", "both"])
def test_every_number_is_that_of_lavaan(data, mobi, ecsi, holzinger):
    results = {"holzinger": holzinger, "ecsi": ecsi}
    result = results.get(data) or confirm_factors(mobi, WITHOUT_SINGLE, design=design_of(mobi, data))
    reference = matching["read"](ROOT / "reference/confirmation/estimates.csv")
    reference = reference[reference["data"] == data]
    small = reference["quantity"] == "residual_correlation"
    differences = matching["relative_differences"](result.table, reference[~small])
    assert (differences["matches"] == 1).all()
    assert len(differences) > 40
    for quantity, rows in differences.groupby("quantity"):
        assert np.nanmax(rows[matching["NUMBERS"]].to_numpy()) < TOLERANCE[quantity], quantity
    ours = result.table.assign(method=result.table["method"].str.removesuffix("; moments only"))
    found = reference[small].merge(ours, on=["quantity", "scale", "term", "method"], suffixes=("_r", ""))
    assert len(found) == small.sum()
    np.testing.assert_allclose(found["estimate"], found["estimate_r"], atol=SMALL)


def test_the_reference_of_the_whole_study_is_met_row_by_row(ecsi):
    reference = matching["read"](ROOT / "reference/ecsi_mobile/reference.csv")
    ours = ["chi2", "model_df", "cfi", "tli", "rmsea", "rmsea_conf_low", "rmsea_conf_high", "srmr"]
    rows = reference[reference["quantity"].isin([*ours, "standardized_loading", "factor_correlation"])]
    assert set(rows["method"]) == {"ml", "mlr", "ml one-factor"}
    differences = matching["relative_differences"](ecsi.table, rows)
    assert len(differences) == 53
    assert (differences["matches"] == 1).all()
    assert np.nanmax(differences[matching["NUMBERS"]].to_numpy()) < ESTIMATES


@pytest.mark.parametrize("quantity", sorted(set(published) - {"source", "n", "factors"}))
def test_the_model_of_holzinger_and_swineford_is_the_printed_one(holzinger, quantity):
    found = holzinger.pick(quantity, method="ml; moments only")
    assert found["estimate"].item() == pytest.approx(published[quantity], abs=0.51e-3)


def test_moments_alone_give_plain_maximum_likelihood(holzinger):
    assert holzinger.estimator == "ml"
    assert not holzinger.table["method"].str.contains("mlr").any()
    assert holzinger.table["method"].str.contains("moments only").all()
    assert "moments" in keys_of(holzinger)
    assert holzinger.finding().key == "confirmation.admissible_misfit"
    assert holzinger.finding().values["misses"] == ["cfi", "rmsea"]


# ---- what it says ----


def test_what_is_not_admissible_is_said_first(ecsi):
    finding = ecsi.finding()
    assert finding.key == "confirmation.inadmissible_misfit"
    assert finding.values["reasons"] == ["not positive definite"]
    assert finding.values["estimator"] == "mlr"
    assert keys_of(ecsi) == ["not_definite", "weak", "residuals", "one_factor", "single"]
    assert ecsi.smallest_eigenvalue == pytest.approx(-0.011, abs=5e-4)
    assert finding.cautions[0].values["eigenvalue"] == ecsi.smallest_eigenvalue
    assert finding.cautions[1].values["items"] == ["IMAG3", "CUEX2", "CUEX3", "CUSL2"]
    assert finding.cautions[-1].values == {"scales": ["complaints"]}


def test_the_table_is_tidy_and_no_number_stands_twice(ecsi):
    assert tuple(ecsi.table.columns) == COLUMNS
    assert not ecsi.table.duplicated(["quantity", "scale", "term", "group", "method"]).any()
    assert ecsi.table["estimate"].notna().all()
    assert (ecsi.table["n"] == 250).all()
    loading = ecsi.pick("standardized_loading", method="ml").iloc[0]
    assert loading["conf_high"] - loading["estimate"] == pytest.approx(1.959964 * loading["std_error"], rel=1e-6)
    assert loading["statistic"] == pytest.approx(loading["estimate"] / loading["std_error"])
    residual = ecsi.value("residual_variance", scale="image", term="IMAG1")
    assert residual == pytest.approx(1 - loading["estimate"] ** 2, rel=1e-10)


def test_a_negative_residual_variance_is_kept_and_named():
    """Correlations .9 .9 .6 ask for a loading of sqrt(.9 x .9 / .6) = 1.162 (Heywood 1931)."""
    corr = pd.DataFrame([[1, 0.9, 0.9], [0.9, 1, 0.7], [0.9, 0.7, 1]], index=["a", "b", "c"], columns=["a", "b", "c"])
    result = confirm_factors(Moments.from_correlation(corr, 200), {"one": ["a", "b", "c"]})
    assert result.converged
    assert not result.admissible
    assert result.heywood == ("a",)
    loadings = result.pick("standardized_loading")["estimate"].to_numpy()
    assert loadings[0] == pytest.approx(np.sqrt(0.9 * 0.9 / 0.7), abs=1e-6)
    assert result.value("residual_variance", term="a") == pytest.approx(1 - 0.81 / 0.7, abs=1e-6)
    assert result.finding().key == "confirmation.inadmissible_saturated"
    assert result.finding().values["reasons"] == ["heywood case"]


def test_a_model_that_does_not_converge_gives_no_number_and_says_so():
    """Two items of one construct that do not correlate, but both with the other construct: no minimum."""
    corr = np.array([[1, 0.6, 0.4, 0.4], [0.6, 1, 0.4, 0.4], [0.4, 0.4, 1, 0.0], [0.4, 0.4, 0.0, 1]])
    names = ["q1", "q2", "q3", "q4"]
    moments = Moments.from_correlation(pd.DataFrame(corr, index=names, columns=names), 60)
    result = confirm_factors(moments, {"speed": ["q1", "q2"], "staff": ["q3", "q4"]})
    assert not result.converged
    assert result.table.empty
    assert np.isnan(result.cfi)
    assert result.finding().key == "confirmation.not_converged"


def test_two_constructs_of_two_items_have_one_degree_of_freedom():
    answers = two_constructs()[["q1", "q2", "q4", "q5"]]
    result = confirm_factors(answers, {"speed": ["q1", "q2"], "staff": ["q4", "q5"]})
    assert result.converged
    assert result.value("model_df", method="mlr") == 1


def test_a_model_that_holds_is_said_to_fit():
    result = confirm_factors(two_constructs(2000), PAIR)
    assert result.finding().key == "confirmation.admissible_fit"
    assert result.finding().values["misses"] == []
    truth = np.sqrt(0.5)
    robust = result.pick("standardized_loading", method="mlr")
    assert ((robust["estimate"] - truth).abs() < 4 * robust["std_error"]).all()


def test_missing_answers_are_dropped_and_counted():
    answers = two_constructs()
    answers.iloc[:7, 2] = np.nan
    result = confirm_factors(answers, PAIR)
    assert (result.n_used, result.n_dropped) == (293, 7)
    assert "dropped" in keys_of(result)
    pd.testing.assert_frame_equal(result.table, confirm_factors(answers.dropna(), PAIR).table)


def test_equal_weights_change_nothing():
    answers = two_constructs()
    plain = confirm_factors(answers, PAIR)
    result = confirm_factors(answers, PAIR, design=Design(pd.Series(2.0, index=answers.index)))
    np.testing.assert_allclose(result.table["estimate"], plain.table["estimate"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(result.table["std_error"], plain.table["std_error"], rtol=1e-6)
    assert set(result.table["method"].str.contains("weighted")) == {True}
    assert keys_of(result)[-1] == "weighted"


def test_clusters_enter_the_robust_errors_and_are_said_to_be_ignored_by_the_plain_ones():
    """Every row twice, the two in one cluster: robust errors are those of the rows once, plain ones too small by sqrt(2)."""
    answers = two_constructs()
    twice = pd.concat([answers, answers], ignore_index=True)
    once = confirm_factors(answers, PAIR)
    design = Design(clusters=pd.Series(np.tile(np.arange(300), 2), index=twice.index))
    result = confirm_factors(twice, PAIR, design=design)
    errors = {
        (estimator, which): found.pick("standardized_loading", method=estimator)["std_error"].to_numpy()
        for which, found in (("once", once), ("twice", result))
        for estimator in ("ml", "mlr")
    }
    np.testing.assert_allclose(errors["mlr", "twice"], errors["mlr", "once"] * np.sqrt(300 / 299), rtol=1e-6)
    np.testing.assert_allclose(errors["ml", "twice"], errors["ml", "once"] / np.sqrt(2), rtol=1e-6)
    methods = set(result.pick("standardized_loading")["method"])
    assert methods == {"ml; ignores clusters", "mlr; clustered"}
    assert keys_of(result)[-1] == "clustered"


@pytest.mark.parametrize("missing", ["drop", "em"])
def test_one_cluster_alone_leaves_robust_errors_out_and_says_so(missing):
    answers = two_constructs().round().clip(-2, 2)
    if missing == "em":
        answers = answers.mask(np.arange(answers.size).reshape(answers.shape) % 11 == 0)
    design = Design(clusters=pd.Series(1, index=answers.index))
    result = confirm_factors(answers, PAIR, design=design, missing=missing)
    assert result.estimator == "ml"
    assert {method.split(";")[0] for method in result.pick("chi2")["method"]} == {"ml", "ml one-factor"}
    assert {"no_robust", "clustered", "design.few_clusters"} <= set(keys_of(result))


def test_few_clusters_are_said():
    answers = two_constructs()
    design = Design(clusters=pd.Series(np.arange(300) // 25, index=answers.index))
    assert keys_of(confirm_factors(answers, PAIR, design=design))[-1] == "design.few_clusters"


def test_few_rows_are_said():
    assert "few_rows" in keys_of(confirm_factors(two_constructs(12, seed=4), PAIR))


def test_the_order_of_rows_does_not_matter():
    answers = two_constructs()
    shuffled = answers.sample(frac=1, random_state=1)
    ours, theirs = (confirm_factors(part, PAIR).table["estimate"] for part in (answers, shuffled))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


# ---- bad input ----


@pytest.mark.parametrize(
    ("change", "scales", "message"),
    [
        ({}, {**PAIR, "price": ["p1", "p2"]}, "must be a column of `answers`; found no p1, p2"),
        ({}, {**PAIR, "price": ["q1", "q4"]}, "each item must belong to one construct; found q1, q4"),
        (
            {},
            {"speed": ["q1"], "staff": ["q2"]},
            "needs a construct with two items or more; found none among speed, staff",
        ),
        ({}, {"speed": ["q1", "q2"]}, "as many covariances as the model has parameters; found 1 too few"),
        ({"q2": 3.0}, PAIR, r"every item must vary; found the same answer in all 300 rows of q2"),
        ({"q2": lambda frame: frame["q1"]}, PAIR, "no two items may hold the same answers; found q1 and q2"),
        ({"q3": lambda frame: frame["q1"] + frame["q2"]}, PAIR, "linear dependence among q1, q2, q3"),
        ({"q2": "often"}, PAIR, "numeric; found text in q2"),
        ({"q2": np.nan}, PAIR, "found 0 rows of 300 that answered all 6 items"),
    ],
)
def test_bad_input_is_told(change, scales, message):
    with pytest.raises(InputError, match=message):
        confirm_factors(two_constructs().assign(**change), scales)


def test_fewer_rows_than_items_are_told():
    with pytest.raises(InputError, match="more complete rows than items; found 6 rows"):
        confirm_factors(two_constructs(6), PAIR)
    corr = pd.DataFrame(np.eye(6) * 0.5 + 0.5, index=list("abcdef"), columns=list("abcdef"))
    with pytest.raises(InputError, match="more complete rows than items; found 6 rows of 6"):
        confirm_factors(Moments.from_correlation(corr, 6), {"one": list("abc"), "two": list("def")})


def test_a_stack_of_moments_is_told():
    stack = Moments(np.array([9, 9]), np.zeros((2, 3)), np.stack([np.eye(3)] * 2), ("a", "b", "c"))
    with pytest.raises(InputError, match=r"must be those of one sample.*found covariances of shape \(2, "):
        confirm_factors(stack, {"one": ["a", "b", "c"]})


def test_a_matrix_that_is_not_positive_definite_is_told():
    corr = pd.DataFrame([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]], index=list("abc"), columns=list("abc"))
    with pytest.raises(
        InputError, match=r"must be positive definite; found the smallest eigenvalue -0\.800.*from a, b, c"
    ):
        confirm_factors(Moments.from_correlation(corr, 200), {"one": ["a", "b", "c"]})


def test_all_correlations_beyond_1_are_told_in_one_sentence():
    """Items correlate more across the constructs than within them."""
    scales = {name: [f"{name}{i}" for i in (1, 2, 3)] for name in "abc"}
    items = [item for its_items in scales.values() for item in its_items]
    same = np.repeat(range(3), 3)
    corr = np.where(same[:, None] == same, 0.45, 0.5) + 0.05 * (np.abs(same[:, None] - same) == 1)
    np.fill_diagonal(corr, 1.0)
    finding = confirm_factors(Moments.from_correlation(pd.DataFrame(corr, items, items), 400), scales).finding()
    beyond = [caution for caution in finding.cautions if caution.key == "confirmation.above_one"]
    assert [caution.values["pairs"] for caution in beyond] == [["a - b", "a - c", "b - c"]]
    assert Text().sentence(beyond[0]) == "Correlations beyond 1 between constructs: a – b, a – c, b – c."
