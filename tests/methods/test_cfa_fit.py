"""The fit of factor models: a stack is its single cases, derivatives are derivatives, a known truth comes back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from cxresearch.core.moments import Moments, bootstrap_moments, correlation_of
from cxresearch.methods.cfa_estimates import expected_covariance, modification_indices, standardized_errors
from cxresearch.methods.cfa_fit import CfaFit, fit_cfa, identifies, is_positive_definite
from cxresearch.methods.cfa_follow import follow, gradient, next_places
from cxresearch.methods.cfa_indices import fit_indices
from cxresearch.methods.cfa_model import FactorModel, Parameters, information, observed_information, slopes
from cxresearch.methods.cfa_robust import robust_corrections

MODEL = FactorModel.of({"a": ["q1", "q2", "q3"], "b": ["q4", "q5", "q6", "q7"], "c": ["q8", "q9"]})
LOADINGS = np.array([0.8, 0.7, 0.6, 0.75, 0.65, 0.8, 0.5, 0.7, 0.85])
TRUTH = Parameters(MODEL, np.concatenate([LOADINGS, 1 - LOADINGS**2, [0.5, 0.3, -0.2]]))
CONVERGED = 1e-6  # what the stopping rule leaves of a parameter


def simulated(n=400, seed=1, parameters=TRUTH):
    values = np.random.default_rng(seed).multivariate_normal(np.zeros(9), parameters.implied(), size=n)
    return pd.DataFrame(values, columns=list(MODEL.items))


def half_loss(values, corr):
    implied = Parameters(MODEL, values).implied()
    return (np.linalg.slogdet(implied)[1] + np.trace(corr @ np.linalg.inv(implied))) / 2


def test_parameters_are_counted():
    assert (MODEL.n_parameters, MODEL.df) == (9 + 9 + 3, 45 - 21)


def test_implied_covariances_are_those_of_the_matrices():
    by_hand = TRUTH.pattern @ TRUTH.phi @ TRUTH.pattern.T + np.diag(TRUTH.uniquenesses)
    np.testing.assert_allclose(TRUTH.implied(), by_hand, atol=1e-14)


def test_a_truth_without_error_comes_back():
    fit = fit_cfa(TRUTH.implied(), MODEL)
    assert fit.converged
    assert fit.admissible
    np.testing.assert_allclose(fit.parameters.values, TRUTH.values, atol=CONVERGED)
    assert fit.loss == pytest.approx(0, abs=1e-10)


def test_gradient_and_information_are_derivatives():
    corr, off = Moments.from_frame(simulated()).corr, TRUTH.values + 0.02
    here, step = Parameters(MODEL, off), 1e-5 * np.eye(MODEL.n_parameters)
    inverse = np.linalg.inv(here.implied())
    gradient = slopes(here.basis(), inverse - inverse @ corr @ inverse, MODEL.columns)
    numeric = [(half_loss(off + e, corr) - half_loss(off - e, corr)) / 2e-5 for e in step]
    np.testing.assert_allclose(gradient, numeric, atol=1e-8)

    def gradient_at(values):
        there = Parameters(MODEL, values)
        turned = np.linalg.inv(there.implied())
        return slopes(there.basis(), turned - turned @ corr @ turned, MODEL.columns)

    curvature = np.array([(gradient_at(off + e) - gradient_at(off - e)) / 2e-5 for e in step])
    np.testing.assert_allclose(observed_information(here, corr), curvature, atol=1e-7)


def test_expected_and_observed_information_agree_where_the_model_holds():
    inverse = np.linalg.inv(TRUTH.implied())
    expected = information(TRUTH.basis(), inverse, MODEL.columns)
    np.testing.assert_allclose(observed_information(TRUTH, TRUTH.implied()), expected, atol=1e-10)


def test_a_stack_is_its_single_cases():
    frame = simulated()
    replicates = bootstrap_moments(frame, 6, seed=1).corr
    stack = fit_cfa(replicates.reshape(2, 3, 9, 9), MODEL)
    assert stack.parameters.values.shape == (2, 3, 21)
    for place in np.ndindex(2, 3):
        single = fit_cfa(stack_of_one := replicates.reshape(2, 3, 9, 9)[place], MODEL)
        np.testing.assert_allclose(stack.parameters.values[place], single.parameters.values, atol=CONVERGED)
        assert stack.loss[place] == pytest.approx(float(single.loss), abs=1e-10)
        np.testing.assert_allclose(fit_cfa(stack_of_one[None], MODEL).loss[0], single.loss, atol=1e-12)


def test_replicates_from_a_start_find_the_same_minimum():
    frame = simulated()
    fit = fit_cfa(Moments.from_frame(frame).corr, MODEL)
    replicates = bootstrap_moments(frame, 50, seed=2).corr
    np.testing.assert_allclose(
        fit_cfa(replicates, MODEL, start=fit).parameters.values, fit_cfa(replicates, MODEL).parameters.values, atol=1e-6
    )


def test_steps_that_correct_each_other_end_where_plain_ones_would():
    """On a linear map of k numbers k + 1 corrected steps are enough; plain ones would take hundreds."""
    shrink = np.diag([0.99, 0.9, 0.5])
    goal = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, 1.0]])
    places, steps = [np.zeros((2, 3))], []
    for _ in range(5):
        steps.append((goal - places[-1]) @ (np.eye(3) - shrink))
        places.append(next_places(places, steps))
    np.testing.assert_allclose(places[-1], goal, atol=1e-7)


def test_corrected_steps_serve_replicates_that_differ_much():
    frame = simulated()
    fit = fit_cfa(Moments.from_frame(frame).corr, MODEL)
    replicates = bootstrap_moments(frame, 100, seed=4).corr
    values, settled = follow(replicates, fit.parameters, 1e-5)
    assert settled.all()
    np.testing.assert_allclose(values, fit_cfa(replicates, MODEL).parameters.values, atol=1e-4)


def test_corrected_steps_do_not_end_at_a_saddle():
    """Replicates of few rows, some of which have one on the way to a minimum with a smaller loss."""
    frame = simulated(n=60, seed=4)
    fit = fit_cfa(Moments.from_frame(frame).corr, MODEL)
    replicates = bootstrap_moments(frame, 300, seed=4).corr
    values, settled = follow(replicates, fit.parameters, 1e-5)
    assert settled.sum() > 50
    curvatures = observed_information(Parameters(MODEL, values[settled]), replicates[settled])
    assert (np.linalg.eigvalsh(curvatures)[:, 0] > 0).all()


def test_the_short_gradient_is_the_long_one():
    """By the inverse of a diagonal and three factors, and by the inverse of the whole; a negative residual variance is no matter."""
    replicates = bootstrap_moments(simulated(), 5, seed=1).corr
    values = TRUTH.values + np.random.default_rng(1).normal(0, 0.05, (5, MODEL.n_parameters))
    values[0, 9], values[0, 0] = -0.1, 1.1
    there = Parameters(MODEL, values)
    inverse = np.linalg.inv(there.implied())
    long = slopes(there.basis(), inverse - inverse @ replicates @ inverse, MODEL.columns)
    np.testing.assert_allclose(gradient(there, replicates), long, atol=1e-12)


def test_observed_information_of_a_stack_is_that_of_its_single_cases():
    replicates = bootstrap_moments(simulated(), 4, seed=1).corr
    values = TRUTH.values + np.random.default_rng(1).normal(0, 0.05, (4, MODEL.n_parameters))
    stack = observed_information(Parameters(MODEL, values), replicates)
    for k in range(4):
        np.testing.assert_allclose(
            stack[k], observed_information(Parameters(MODEL, values[k]), replicates[k]), atol=1e-12
        )


def test_replicates_far_from_the_start_are_fitted_from_the_beginning():
    """A start that tells nothing of the stack: what the short steps do not reach, scoring does."""
    frame = simulated()
    elsewhere = TRUTH.values.copy()
    elsewhere[[0, 4, 7]], elsewhere[18:] = 0.1, [-0.4, 0.2, 0.5]
    start = CfaFit(Parameters(MODEL, elsewhere), np.asarray(0.0), np.asarray(True))
    replicates = bootstrap_moments(frame, 20, seed=2).corr
    ours, theirs = fit_cfa(replicates, MODEL, start=start), fit_cfa(replicates, MODEL)
    assert ours.converged.all()
    np.testing.assert_allclose(ours.parameters.values, theirs.parameters.values, atol=1e-4)
    np.testing.assert_allclose(ours.loss, theirs.loss, atol=1e-8)


def test_only_bad_matrices_of_a_stack_fail():
    good = Moments.from_frame(simulated()).corr
    twin, constant, indefinite = good.copy(), good.copy(), good.copy()
    twin[0], twin[:, 0] = twin[1], twin[:, 1]
    twin[0, 0] = twin[0, 1] = twin[1, 0] = 1
    constant[3], constant[:, 3] = np.nan, np.nan
    indefinite[0, 1] = indefinite[1, 0] = -0.99
    fits = fit_cfa(np.stack([good, twin, constant, indefinite, good]), MODEL)
    np.testing.assert_array_equal(fits.converged, [True, False, False, False, True])
    assert np.isnan(fits.parameters.values[1:4]).all()
    np.testing.assert_array_equal(fits.parameters.values[0], fits.parameters.values[4])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.4, 0.9), min_size=9, max_size=9), st.floats(-0.6, 0.6), st.integers(0, 10_000))
def test_units_and_direction_of_items_do_not_matter(loadings, correlation, seed):
    drawn = np.array(loadings)
    truth = Parameters(MODEL, np.concatenate([drawn, 1 - drawn**2, np.full(3, correlation / 2)]))
    cov = np.cov(simulated(600, seed, truth).T)
    scale = np.random.default_rng(seed).uniform(0.1, 10, 9) * np.where(
        np.arange(9) < 3, -1, 1
    )  # construct a turned round
    fit, turned = (fit_cfa(correlation_of(part), MODEL) for part in (cov, cov * np.outer(scale, scale)))
    np.testing.assert_array_equal(fit.converged, turned.converged)
    if fit.converged:
        assert turned.loss == pytest.approx(float(fit.loss), abs=1e-9)
        assert (fit.parameters.loadings @ np.eye(3)[MODEL.owner] > 0).all()


def test_simulated_truth_is_recovered_and_errors_are_those_of_repetition():
    """Over 400 samples: no bias, and the analytic errors are the spread of the estimates (Monte Carlo error 3.5 %)."""
    n, rng = 500, np.random.default_rng(3)
    values = rng.multivariate_normal(np.zeros(9), TRUTH.implied(), size=(400, n))
    corr = np.stack([np.corrcoef(part.T) for part in values])
    fits = fit_cfa(corr, MODEL)
    assert fits.converged.all()
    covariance = expected_covariance(TRUTH, n)
    errors = standardized_errors(TRUTH, covariance)
    estimates = fits.parameters.standardized
    np.testing.assert_allclose(estimates.mean(axis=0), LOADINGS, atol=4 * errors.max() / 20)
    np.testing.assert_allclose(estimates.std(axis=0), errors, rtol=0.15)
    spread = np.sqrt(np.diag(covariance)[18:])
    np.testing.assert_allclose(fits.parameters.correlations.std(axis=0), spread, rtol=0.15)
    chi2 = n * fits.loss
    assert chi2.mean() == pytest.approx(MODEL.df, rel=0.05)


def test_robust_corrections_of_normal_answers_are_nearly_none():
    frame = simulated(20_000)
    moments = Moments.from_frame(frame)
    fit = fit_cfa(moments.corr, MODEL)
    values = ((frame - frame.mean()) / frame.std(ddof=0)).to_numpy()
    robust = robust_corrections(values, np.ones(len(frame)), fit.parameters, moments.corr)
    assert robust.scaling == pytest.approx(1, abs=0.03)
    assert robust.baseline_scaling == pytest.approx(1, abs=0.03)
    plain = standardized_errors(fit.parameters, expected_covariance(fit.parameters, len(frame)))
    np.testing.assert_allclose(standardized_errors(fit.parameters, robust.covariance), plain, rtol=0.05)


def test_a_modification_index_is_about_the_fall_of_chi_square():
    """A cross-loading of .3 is found where it is, with about its value."""
    pattern = TRUTH.pattern.copy()
    pattern[0, 1] = 0.3
    implied = pattern @ TRUTH.phi @ pattern.T + np.diag(TRUTH.uniquenesses)
    corr = correlation_of(implied)
    first = modification_indices(fit_cfa(corr, MODEL).parameters, corr, 500).iloc[0]
    assert (first["kind"], first["scale"], first["term"]) == ("cross-loading", "b", "q1")
    assert first["change"] == pytest.approx(0.3, abs=0.08)


def test_indices_at_their_ends():
    perfect = fit_indices(TRUTH.implied(), TRUTH.implied(), 300, MODEL.df)
    assert (perfect.cfi, perfect.rmsea, perfect.rmsea_low, perfect.rmsea_high) == (1, 0, 0, 0)
    assert perfect.p_value == pytest.approx(1)
    unrelated = np.diag(np.ones(9))
    nothing = fit_indices(TRUTH.implied(), unrelated, 300, 36)
    assert nothing.cfi == pytest.approx(0, abs=1e-12)
    assert nothing.tli == pytest.approx(0, abs=1e-12)
    saturated = fit_indices(TRUTH.implied(), TRUTH.implied(), 300, 0)
    assert (saturated.cfi, saturated.tli, saturated.rmsea, saturated.chi2) == (1, 1, 0, 0)
    assert np.isnan(saturated.p_value)


def test_two_items_alone_are_not_identified():
    model = FactorModel.of({"a": ["q1", "q2"], "b": ["q3", "q4"]})
    apart = Parameters(model, np.array([0.8, 0.7, 0.6, 0.9, 0.36, 0.51, 0.64, 0.19, 0.0]))
    assert not identifies(apart)
    assert identifies(Parameters(model, np.append(apart.values[:-1], 0.4)))


def test_a_model_that_fits_badly_is_solved_where_whole_steps_jump_over_the_minimum():
    """Three pairs of items share much beside their factors; 200 whole steps of Fisher scoring do not settle."""
    rng = np.random.default_rng(295)
    loadings = rng.uniform(0.4, 0.9, (8, 1))
    corr = loadings @ loadings.T * np.kron([[1, 0.5], [0.5, 1]], np.ones((4, 4)))
    for _ in range(3):
        i, j = rng.choice(8, 2, replace=False)
        corr[i, j] = corr[j, i] = rng.uniform(0.7, 0.95)
    np.fill_diagonal(corr, 1)
    model = FactorModel.of({"a": ["q1", "q2", "q3", "q4"], "b": ["q5", "q6", "q7", "q8"]})

    def loss(values):
        implied = Parameters(model, values).implied()
        if np.linalg.eigvalsh(implied)[0] <= 0:
            return 1e3
        return np.linalg.slogdet(implied)[1] + np.trace(np.linalg.solve(implied, corr)) - np.linalg.slogdet(corr)[1] - 8

    fit = fit_cfa(corr, model)
    other = minimize(loss, np.concatenate([np.full(8, 0.7), np.full(8, 0.5), [0.5]]), method="BFGS", tol=1e-8)
    assert fit.converged
    assert float(fit.loss) == pytest.approx(other.fun, rel=1e-6)


def test_a_matrix_that_is_singular_but_for_rounding_is_not_positive_definite():
    """Of the rounding of such matrices about half leave the smallest eigenvalue above 0; some cannot be inverted."""
    parts = np.random.default_rng(2).integers(1, 6, size=(300, 3, 2)).astype(float)
    singular = parts @ parts.transpose(0, 2, 1)
    assert (np.linalg.eigvalsh(singular)[:, 0] > 0).any()
    assert not is_positive_definite(singular).any()
    assert is_positive_definite(singular + 1e-6 * np.eye(3)).all()
