"""Ordinal confirmatory analysis (WLSMV) against R lavaan; derivatives, stacks, weights and clusters; edges."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.design import Design
from cxresearch.core.polychoric import polychoric, polychoric_influences
from cxresearch.methods.cfa_model import FactorModel, Parameters
from cxresearch.methods.cfa_ordinal import fit_ordinal
from cxresearch.methods.cfa_ordinal_fit import derivatives, fit_dwls
from cxresearch.methods.confirmation import confirm_factors

REFERENCE = Path(__file__).parent.parent / "reference"
ESTIMATES = 2e-6  # loadings and errors: where lavaan's optimiser stops
FIT = 2e-6  # chi-square and indices
matching = runpy.run_path(str(REFERENCE / "matching.py"))
THREE = {"visual": [1, 2, 3], "textual": [4, 5, 6], "speed": [7, 8, 9]}
DATA = {
    "four": ("four", THREE),
    "crowded": ("crowded", THREE),
    "two": ("two", THREE),
    "pair": ("four", {**THREE, "textual": [4, 5]}),
    "weighted": ("four", THREE),
}
MODEL = FactorModel.of({"a": ["q1", "q2", "q3"], "b": ["q4", "q5", "q6"], "c": ["q7", "q8"]})
LOADINGS = np.array([0.8, 0.7, 0.6, 0.75, 0.65, 0.8, 0.7, 0.85])
TRUTH = Parameters(MODEL, np.concatenate([LOADINGS, 1 - LOADINGS**2, [0.5, 0.3, -0.2]]))


@pytest.fixture(scope="module")
def holzinger():
    return pd.read_csv(REFERENCE / "confirmation" / "ordinal.csv")


def scales_of(data):
    prefix, items = DATA[data]
    return {name: [f"{prefix}_x{i}" for i in numbers] for name, numbers in items.items()}


def graded(n=600, seed=1, cuts=(-1.0, 0.0, 0.8), parameters=TRUTH):
    latent = np.random.default_rng(seed).multivariate_normal(np.zeros(8), parameters.implied(), size=n)
    return pd.DataFrame(np.digitize(latent, cuts), columns=list(MODEL.items))


SCALES = {"a": ["q1", "q2", "q3"], "b": ["q4", "q5", "q6"], "c": ["q7", "q8"]}


def keys_of(result):
    return [caution.key.removeprefix("confirmation.") for caution in result.finding().cautions]


# ---- against R ----


@pytest.mark.parametrize("data", DATA)
def test_every_number_is_that_of_lavaan(data, holzinger):
    design = Design(weights=holzinger["w"]) if data == "weighted" else None
    result = confirm_factors(holzinger, scales_of(data), design=design)
    reference = matching["read"](REFERENCE / "confirmation" / "ordinal_estimates.csv")
    reference = reference[(reference["data"] == data) & ~reference["quantity"].isin(["p", "omega_ordinal"])]
    differences = matching["relative_differences"](result.table, reference)
    assert (differences["matches"] == 1).all()
    assert len(differences) == {"pair": 19}.get(data, 20)
    assert np.nanmax(differences[matching["NUMBERS"]].to_numpy()) < max(ESTIMATES, FIT)
    read = matching["read"](REFERENCE / "confirmation" / "ordinal_estimates.csv")
    p_value = read[(read["data"] == data) & (read["quantity"] == "p")]["estimate"].item()
    found = result.pick("chi2", method="wlsmv").iloc[0]
    assert found["p_value"] == pytest.approx(p_value, rel=1e-4)
    assert found["df"] == result.value("model_df", method="wlsmv")


def test_wlsmv_is_written_beside_ml_and_mlr_and_the_rule_says_which_one_judges(holzinger):
    four, five = (confirm_factors(holzinger, scales_of(data)) for data in ("four", "crowded"))
    assert (four.estimator, five.estimator) == ("wlsmv", "mlr")
    for result in (four, five):
        assert {method.split("; ")[0] for method in result.pick("chi2")["method"]} >= {"ml", "mlr", "wlsmv"}
        assert not result.table.duplicated(["quantity", "scale", "term", "group", "method"]).any()
    assert four.cfi == four.value("cfi", method="wlsmv")
    assert keys_of(four)[0] == "ordinal_coarse"
    assert four.finding().cautions[0].rule.key == "grades_as_numbers"
    assert len(four.finding().cautions[0].values["items"]) == 9


# ---- the fit ----


def test_derivatives_are_derivatives():
    upper = np.triu_indices(8, 1)
    free = np.delete(TRUTH.values, np.s_[8:16])

    def implied(values):
        loadings = values[:8]
        return Parameters(MODEL, np.concatenate([loadings, 1 - loadings**2, values[8:]])).implied()[upper]

    numeric = [(implied(free + e) - implied(free - e)) / 2e-6 for e in 1e-6 * np.eye(len(free))]
    np.testing.assert_allclose(derivatives(TRUTH), np.array(numeric).T, atol=1e-9)


def test_a_truth_without_error_comes_back_and_a_stack_is_its_single_cases():
    corr = np.stack([polychoric(graded(seed=seed)).corr for seed in range(3)] + [TRUTH.implied()])
    weights = np.random.default_rng(1).uniform(1, 3, (4, 28))
    fits = fit_dwls(corr.reshape(2, 2, 8, 8), weights.reshape(2, 2, 28), MODEL)
    assert fits.converged.all()
    np.testing.assert_allclose(fits.parameters.values[1, 1], TRUTH.values, atol=1e-7)
    for place in np.ndindex(2, 2):
        k = 2 * place[0] + place[1]
        single = fit_dwls(corr[k], weights[k], MODEL)
        np.testing.assert_allclose(single.parameters.values, fits.parameters.values[place], atol=1e-7)
        assert single.loss == pytest.approx(float(fits.loss[place]), abs=1e-10)


def test_only_bad_matrices_of_a_stack_fail():
    good = TRUTH.implied()
    unknown, apart = good.copy(), np.eye(8)
    unknown[0, 1] = unknown[1, 0] = np.nan
    fits = fit_dwls(np.stack([good, unknown, apart]), np.ones(28), MODEL)
    np.testing.assert_array_equal(fits.converged, [True, False, False])
    assert np.isnan(fits.parameters.values[1:]).all()


def test_the_covariance_of_the_correlations_has_their_standard_errors_on_its_diagonal():
    answers = graded()
    clusters = pd.Series(np.arange(600) // 6)
    weights = pd.Series(np.resize([1.0, 2.0, 0.5], 600))
    for design in (Design(), Design(weights), Design(None, clusters), Design(weights, clusters)):
        found, influences = polychoric_influences(answers, design=design)
        errors = np.sqrt(np.diag(influences.covariance()) / 600)
        np.testing.assert_allclose(errors, found.std_error[np.triu_indices(8, 1)], rtol=1e-10)


def test_the_block_size_does_not_change_the_covariance(monkeypatch):
    design = Design(clusters=pd.Series(np.arange(600) // 6))
    influences = polychoric_influences(graded(), design=design)[1]
    whole = influences.covariance(), influences.covariance(clustered=False)
    monkeypatch.setattr("cxresearch.core.polychoric_influence.ENTRIES", 28 * 50)
    np.testing.assert_allclose(influences.covariance(), whole[0], rtol=1e-10)
    np.testing.assert_allclose(influences.covariance(clustered=False), whole[1], rtol=1e-10)


def test_influences_on_thresholds_give_the_errors_of_shares():
    """The share below a threshold has variance s(1 - s); the threshold's is that over the squared density."""
    influences = polychoric_influences(graded())[1]
    by_thresholds = np.zeros((8, 3, 24))
    by_thresholds.reshape(24, 24)[:] = np.eye(24)
    found = np.diag(influences.covariance_of(np.zeros((28, 24)), by_thresholds))
    share = np.cumsum(influences.shares, axis=1)[:, :-1].ravel()
    density = np.exp(-(influences.thresholds.ravel() ** 2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(found, share * (1 - share) / density**2 * 600 / 599, rtol=1e-10)


def test_every_row_twice_in_a_cluster_leaves_errors_and_test_as_they_are():
    answers = graded()
    twice = pd.concat([answers, answers], ignore_index=True)
    design = Design(clusters=pd.Series(np.tile(np.arange(600), 2)))
    (_, once), (_, again) = fit_ordinal(answers, MODEL, Design()), fit_ordinal(twice, MODEL, design)
    np.testing.assert_allclose(again.fit.parameters.values, once.fit.parameters.values, atol=1e-6)
    np.testing.assert_allclose(again.loading_errors, once.loading_errors, rtol=2e-3)  # n - 1 of 600 and of 1,200
    assert again.indices.chi2 == pytest.approx(once.indices.chi2, rel=1e-2)


def test_simulated_truth_is_recovered_within_the_errors_of_repetition():
    found = [fit_ordinal(graded(400, seed, (-0.2, 0.5, 1.4)), MODEL, Design())[1] for seed in range(60)]
    loadings = np.array([each.fit.parameters.loadings for each in found])
    errors = np.array([each.loading_errors for each in found]).mean(axis=0)
    np.testing.assert_allclose(loadings.mean(axis=0), LOADINGS, atol=4 * errors.max() / np.sqrt(60))
    np.testing.assert_allclose(loadings.std(axis=0), errors, rtol=0.35)  # 60 samples tell a spread to about 9 %
    assert np.mean([each.indices.chi2 for each in found]) == pytest.approx(MODEL.df, abs=4 * np.sqrt(2 * 17 / 60))


# ---- edges ----


def test_a_category_that_is_never_used_changes_nothing():
    answers = graded()
    ours, theirs = (confirm_factors(part, SCALES) for part in (answers, answers.replace(3, 6)))
    np.testing.assert_allclose(
        ours.pick("standardized_loading", method="wlsmv")["estimate"],
        theirs.pick("standardized_loading", method="wlsmv")["estimate"],
        atol=1e-10,
    )


def test_a_negative_residual_variance_is_kept_and_named_first():
    loadings = np.array([0.98, 0.6, 0.6, 0.75, 0.65, 0.8, 0.7, 0.85])
    truth = Parameters(MODEL, np.concatenate([loadings, 1 - loadings**2, [0.5, 0.3, -0.2]]))
    for seed in range(30):
        result = confirm_factors(graded(200, seed, parameters=truth), SCALES)
        if result.estimator == "wlsmv" and result.heywood:
            break
    assert result.heywood == ("q1",)
    assert not result.admissible
    assert result.value("standardized_loading", scale="a", term="q1", method="wlsmv") > 1
    assert result.value("residual_variance", term="q1", method="wlsmv") < 0
    assert result.finding().key.startswith("confirmation.inadmissible")
    assert keys_of(result)[0] == "heywood"


def test_a_polychoric_correlation_at_its_limit_leaves_wlsmv_out_and_says_so():
    answers = graded(300).assign(q1=lambda frame: (frame["q1"] > 1).astype(int), q2=lambda frame: (frame["q2"] > 1) * 1)
    answers["q2"] = np.where(answers["q1"] == 1, answers["q2"], 0)  # nobody with q2 but without q1: an empty cell
    result = confirm_factors(answers, SCALES)
    assert result.estimator == "mlr"
    assert result.pick("chi2", method="wlsmv").empty
    caution = next(each for each in result.finding().cautions if each.key == "confirmation.at_limit")
    assert set(caution.values["items"]) >= {"q1", "q2"}


def test_polychorics_that_are_not_positive_definite_are_used_as_they_are_and_said():
    answers = graded(25, seed=4, cuts=(0.4,))
    found, ordinal = fit_ordinal(answers, MODEL, Design())
    for seed in range(200):
        answers = graded(40, seed, cuts=(0.2,))
        found, ordinal = fit_ordinal(answers, MODEL, Design())
        if not found.is_proper and ordinal is not None:
            break
    result = confirm_factors(answers, SCALES)
    assert result.estimator == "wlsmv"
    caution = next(each for each in result.finding().cautions if each.key.endswith("polychoric_not_definite"))
    assert caution.values["eigenvalue"] == pytest.approx(np.linalg.eigvalsh(found.corr)[0])


def test_an_item_with_many_grades_leaves_wlsmv_out_and_names_those_that_suffer():
    answers = graded()
    answers["q1"] = np.random.default_rng(1).integers(0, 9, 600)
    result = confirm_factors(answers, SCALES)
    assert result.estimator == "mlr"
    assert result.pick("chi2", method="wlsmv").empty
    caution = next(each for each in result.finding().cautions if each.key == "confirmation.too_fine_coarse")
    assert caution.values["items"] == [f"q{i}" for i in range(2, 9)]


def test_binary_items_are_fitted():
    result = confirm_factors(graded(1500, cuts=(0.3,)), SCALES)
    loadings = result.pick("standardized_loading", method="wlsmv")
    assert ((loadings["estimate"] - LOADINGS).abs() < 4 * loadings["std_error"]).all()
    assert result.estimator == "wlsmv"
