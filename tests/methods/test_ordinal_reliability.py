"""Omega of ordinal answers against R semTools; its derivatives, its errors, edges."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.methods.cfa_model import FactorModel, Parameters
from cxresearch.methods.cfa_ordinal import fit_ordinal
from cxresearch.methods.ordinal_reliability import _Sum, omega_ordinal
from cxresearch.methods.validity import check_validity

REFERENCE = Path(__file__).parent.parent / "reference"
ESTIMATES = 1e-6  # where lavaan's optimiser stops
matching = runpy.run_path(str(REFERENCE / "matching.py"))
THREE = {"visual": [1, 2, 3], "textual": [4, 5, 6], "speed": [7, 8, 9]}
DATA = {
    "four": ("four", THREE),
    "crowded": ("crowded", THREE),
    "two": ("two", THREE),
    "pair": ("four", {**THREE, "textual": [4, 5]}),
    "weighted": ("four", THREE),
}
MODEL = FactorModel.of({"a": ["q1", "q2", "q3"], "b": ["q4", "q5", "q6"]})
LOADINGS = np.array([0.8, 0.7, 0.6, 0.75, 0.65, 0.8])
TRUTH = Parameters(MODEL, np.concatenate([LOADINGS, 1 - LOADINGS**2, [0.4]]))
SCALES = {"a": ["q1", "q2", "q3"], "b": ["q4", "q5", "q6"]}


def graded(n=500, seed=1, cuts=(-1.0, 0.0, 0.8), parameters=TRUTH):
    latent = np.random.default_rng(seed).multivariate_normal(np.zeros(6), parameters.implied(), size=n)
    return pd.DataFrame(np.digitize(latent, cuts), columns=list(MODEL.items))


def omega_of(answers, design=None):
    return omega_ordinal(fit_ordinal(answers, MODEL, design or Design())[1], answers)


@pytest.mark.parametrize("data", DATA)
def test_omega_is_that_of_semtools(data):
    answers = pd.read_csv(REFERENCE / "confirmation" / "ordinal.csv")
    prefix, items = DATA[data]
    scales = {name: [f"{prefix}_x{i}" for i in numbers] for name, numbers in items.items()}
    design = Design(weights=answers["w"]) if data == "weighted" else None
    result = check_validity(answers, scales, design=design, n_bootstrap=0)
    reference = matching["read"](REFERENCE / "confirmation" / "ordinal_estimates.csv")
    reference = reference[(reference["data"] == data) & (reference["quantity"] == "omega_ordinal")]
    differences = matching["relative_differences"](result.table, reference)
    assert (differences["matches"] == 1).all()
    assert len(differences) == 3
    assert differences["estimate"].max() < ESTIMATES
    assert list(result.omega_ordinal.index) == ["visual", "textual", "speed"]


def test_the_whole_variance_is_that_of_the_sum_score():
    """With nothing modelled, thresholds and polychoric correlations of two items give back their covariance."""
    cov = Moments.from_frame(graded()).cov * 499 / 500
    found = fit_ordinal(graded(), MODEL, Design())[0]
    whole = _Sum.of(found.thresholds[:2], np.ones((2, 3)), found.corr[:2, :2])
    assert whole.total == pytest.approx(cov[:2, :2].sum(), rel=2e-2)  # the normal model of their table is not exact
    alone = _Sum.of(found.thresholds[:1], np.ones((1, 3)), np.ones((1, 1)))
    assert alone.total == pytest.approx(cov[0, 0], rel=1e-10)


def test_derivatives_are_derivatives():
    cuts = np.array([[-1.0, 0.1, 0.9], [-0.5, 0.3, 30.0]])
    steps = np.array([[1.0, 2.0, 1.0], [1.0, 1.0, 0.0]])
    corr = np.array([[1.0, 0.6], [0.6, 1.0]])
    found, tiny = _Sum.of(cuts, steps, corr), 1e-6
    moved = corr.copy()
    moved[0, 1] = moved[1, 0] = 0.6 + tiny
    by_correlation = (_Sum.of(cuts, steps, moved).total - found.total) / tiny
    assert 2 * found.by_correlation[0, 1] == pytest.approx(by_correlation, rel=1e-5)
    for place in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]:
        up, down = cuts.copy(), cuts.copy()
        up[place] += tiny
        down[place] -= tiny
        slope = (_Sum.of(up, steps, corr).total - _Sum.of(down, steps, corr).total) / (2 * tiny)
        assert found.by_threshold[place] == pytest.approx(slope, rel=1e-5)
    assert found.by_threshold[1, 2] == 0


def test_omega_is_the_share_that_the_construct_explains_of_the_sum_score():
    """A large sample with the truth known: correlation of the sum with the mean sum given the construct, squared."""
    rng = np.random.default_rng(1)
    construct = rng.normal(size=400_000)
    latent = construct[:, None] * LOADINGS[:3] + rng.normal(size=(400_000, 3)) * np.sqrt(1 - LOADINGS[:3] ** 2)
    total = np.digitize(latent, [-1.0, 0.0, 0.8]).sum(axis=1)
    again = construct[:, None] * LOADINGS[:3] + rng.normal(size=(400_000, 3)) * np.sqrt(1 - LOADINGS[:3] ** 2)
    parallel = np.corrcoef(total, np.digitize(again, [-1.0, 0.0, 0.8]).sum(axis=1))[0, 1]
    omega = omega_of(graded(20_000, parameters=TRUTH))
    assert omega.estimate[0] == pytest.approx(parallel, abs=4 * omega.std_error[0])


def test_errors_are_the_spread_of_repeated_samples():
    found = [omega_of(graded(400, seed)) for seed in range(80)]
    spread = np.array([each.estimate for each in found]).std(axis=0)
    errors = np.array([each.std_error for each in found]).mean(axis=0)
    np.testing.assert_allclose(spread, errors, rtol=0.3)  # 80 samples tell a spread to about 8 %


def test_clusters_of_one_row_change_errors_only_by_their_number():
    answers = graded()
    plain = omega_of(answers)
    each = omega_of(answers, Design(clusters=pd.Series(np.arange(500))))
    np.testing.assert_allclose(each.estimate, plain.estimate, rtol=1e-10)
    np.testing.assert_allclose(each.std_error, plain.std_error, rtol=1e-10)


def test_the_interval_stays_below_one_and_holds_the_estimate():
    rows = check_validity(graded(60), SCALES, n_bootstrap=0).pick("omega_ordinal")
    assert ((rows["conf_low"] > 0) & (rows["conf_low"] < rows["estimate"])).all()
    assert ((rows["estimate"] < rows["conf_high"]) & (rows["conf_high"] < 1)).all()
    assert set(rows["method"]) == {"wlsmv; green and yang"}


def test_unused_grades_keep_their_step():
    """Answers 0, 1, 3 add 2 at the last threshold; answers 0, 2, 6 are the same sum, doubled."""
    answers = graded(cuts=(0.0, 0.8)).replace(2, 3)
    np.testing.assert_allclose(omega_of(answers).estimate, omega_of(answers * 2).estimate, rtol=1e-10)
    assert np.abs(omega_of(answers).estimate - omega_of(answers.replace(3, 2)).estimate).min() > 1e-4


def test_a_loading_beyond_one_has_no_omega_and_is_said():
    loadings = np.array([0.98, 0.6, 0.6, 0.75, 0.65, 0.8])
    truth = Parameters(MODEL, np.concatenate([loadings, 1 - loadings**2, [0.4]]))
    for seed in range(40):
        answers = graded(150, seed, parameters=truth)
        ordinal = fit_ordinal(answers, MODEL, Design())[1]
        if ordinal is not None and ordinal.fit.heywood.any():
            break
    result = check_validity(answers, SCALES, n_bootstrap=0)
    assert list(result.omega_ordinal.index) == ["b"]
    caution = next(each for each in result.finding().cautions if each.key == "validity.no_omega_ordinal")
    assert caution.values == {"scales": ["a"]}


def test_many_grades_and_moments_alone_have_none():
    answers = graded()
    answers["q1"] = np.random.default_rng(1).integers(0, 9, 500)
    assert check_validity(answers, SCALES, n_bootstrap=0).omega_ordinal.empty
    assert check_validity(Moments.from_frame(graded()), SCALES).omega_ordinal.empty
