"""Measurement invariance of incomplete answers: against R lavaan in two stages, by brute force, under answers missing at random."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from methods.surveys import POSTAL, THREE, read_incomplete_ecsi

import cxresearch as cx
from cxresearch.core.design import Design
from cxresearch.methods.cfa_model import FactorModel
from cxresearch.methods.invariance import check_invariance
from cxresearch.methods.invariance_model import LEVELS, GroupedParameters
from cxresearch.methods.invariance_robust import scaling_factors
from cxresearch.methods.invariance_rows import Levels
from cxresearch.methods.invariance_sample import groups_of
from cxresearch.present.text import Text

ROOT = Path(__file__).parent.parent
FIT = 1e-6  # relative; chi-square and indices
LINEAR = 1e-5  # what moves with the parameters themselves: where lavaan's optimiser stops
SCALES = {"mobi": THREE, "postal": POSTAL}
TWO = {"speed": ["q1", "q2", "q3"], "staff": ["q4", "q5", "q6"]}
read = runpy.run_path(str(ROOT / "reference" / "matching.py"))["read"]


def answers_of(data):
    """The answers that tests/reference/invariance/incomplete.R analyses, and their groups."""
    if data == "postal":
        survey = cx.open_study(ROOT.parent / "params" / "postal_demo.yaml").survey()
        return survey.answers, survey.groups["region"]
    return read_incomplete_ecsi(), pd.Series(np.arange(250) % 3, name="third")


def sample_of(n, *, seed=1, shift=0.0, lacking=0.15):
    """Two groups of n respondents, the second with factors `shift` higher; answers to q2 and q5 missing where q1 was low."""
    rng = np.random.default_rng(seed)
    company = np.repeat(["A", "B"], n)
    factors = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 2 * n) + shift * (company == "B")[:, None]
    values = 4 + 0.8 * np.repeat(factors, 3, axis=1) + 0.6 * rng.normal(size=(2 * n, 6))
    answers = pd.DataFrame(values, columns=["q1", "q2", "q3", "q4", "q5", "q6"])
    low = (answers["q1"] < 4) & (rng.random(2 * n) < 4 * lacking)
    answers[["q2", "q5"]] = answers[["q2", "q5"]].mask(low, axis=0)
    return answers, pd.Series(company, name="company")


@pytest.mark.parametrize("data", list(SCALES))
def test_every_level_and_change_is_that_of_lavaan_in_two_stages(data):
    answers, groups = answers_of(data)
    result = check_invariance(answers, SCALES[data], groups=groups, min_group=80, missing="em")
    reference = read(ROOT / "reference/invariance/incomplete.csv").query("data == @data and quantity != 'cfi.default'")
    found = reference.merge(result.table, on=["quantity", "scale", "method"], suffixes=("_r", ""), how="left")
    assert len(found) == 28
    assert (found["n"] == found["n_r"]).all()
    close = found["quantity"].isin(["invariance_srmr", "invariance_chi2_change"])
    for part, tolerance in ((found[~close], FIT), (found[close], LINEAR)):
        for name in ("estimate", "statistic", "df"):
            np.testing.assert_allclose(part[name], part[f"{name}_r"], rtol=tolerance, atol=1e-12)
    np.testing.assert_allclose(found["p_value"], found["p_value_r"], rtol=1e-4, atol=1e-12)


def test_the_baseline_of_lavaan_by_default_forgets_what_is_missing():
    reference = read(ROOT / "reference/invariance/incomplete.csv").query(
        "data == 'mobi' and method.str.startswith('mlr')"
    )
    table = reference.set_index(["quantity", "scale"])["estimate"]
    for level in LEVELS:
        assert 1e-3 < table["cfi.default", level] - table["invariance_cfi", level] < 5e-3


def test_what_was_done_about_missing_answers_is_told():
    answers, groups = answers_of("mobi")
    result = check_invariance(answers, SCALES["mobi"], groups=groups, min_group=80, missing="em")
    assert (result.n_used, result.n_dropped, result.n_incomplete, result.missing_policy) == (249, 1, 204, "em")
    assert result.iterations > 1
    told = {each.key: each.values for each in result.finding().cautions}
    assert told["invariance.em"] == {"n_incomplete": 204, "n": 249}
    assert told["invariance.dropped_any"] == {"n_dropped": 1, "total": 250}
    for language, said in (
        ("en", "Respondents who lack an answer (204 of 249)"),
        ("zh", "249 名受访者中有 204 名缺少部分答案"),
    ):
        assert said in Text(language).sentence(result.finding())
    pd.testing.assert_frame_equal(
        check_invariance(answers, SCALES["mobi"], groups=groups, min_group=80, missing="impute").table, result.table
    )


def test_complete_rows_are_judged_as_always():
    answers, company = sample_of(150, lacking=0)
    found, usual = (check_invariance(answers, TWO, groups=company, missing=missing) for missing in ("em", "drop"))
    pd.testing.assert_frame_equal(found.table, usual.table)
    assert (found.n_incomplete, found.finding().cautions) == (0, usual.finding().cautions)


def levels_of(answers, groups, design=None, missing="em"):
    sample = groups_of(answers, FactorModel.of(TWO), groups, design=design or Design(), min_group=50, missing=missing)
    return Levels.of(sample)


def brute_force(levels, place):
    """tr(U gamma) / df with every matrix written out, derivatives by differences: Savalei and Falk (2014)."""
    sample, fit = levels.sample, levels.fits[place]
    parameters, moments, rows = fit.parameters, sample.moments, sample.rows
    grouped, share = parameters.grouped, moments.share
    upper = np.triu_indices(moments.cov.shape[-1])
    places = [(group, at) for group, at in np.argwhere(grouped.free) if at not in grouped.shared]

    def implied(change):
        values = parameters.values.copy()
        values[:, grouped.shared] += change[: len(grouped.shared)]
        for step, at in zip(change[len(grouped.shared) :], places, strict=True):
            values[tuple(at)] += step
        moved = GroupedParameters(grouped, values)
        return np.concatenate([[*mean, *cov[upper]] for mean, cov in zip(moved.mean, moved.implied(), strict=True)])

    k, h = len(grouped.shared) + len(places), 1e-5
    slopes = np.stack([(implied(h * e) - implied(-h * e)) / (2 * h) for e in np.eye(k)], axis=1)
    size = len(moments.mean[0]) + len(upper[0])
    weight, influence = np.zeros((2 * size, 2 * size)), np.zeros((rows.n_drawn, 2 * size))
    for group in range(2):
        inverse, block = np.linalg.inv(moments.cov[group]), slice(group * size, (group + 1) * size)
        twice = np.kron(inverse, inverse)
        double = np.zeros((inverse.size, len(upper[0])))
        for column, (i, j) in enumerate(zip(*upper, strict=True)):
            double[[i * len(inverse) + j, j * len(inverse) + i], column] = 1
        zeros = np.zeros((len(inverse), len(upper[0])))
        v = np.block([[inverse, zeros], [zeros.T, double.T @ twice @ double / 2]])
        weight[block, block] = share[group] * v
        influence[rows.drawn(group), block] = rows.moved(group) / share[group]
    gamma = influence.T @ influence / moments.n.sum()
    u = weight - weight @ slopes @ np.linalg.solve(slopes.T @ weight @ slopes, slopes.T @ weight)
    return np.trace(u @ gamma) / grouped.df


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("clustered", [False, True])
def test_the_correction_is_the_trace_that_it_stands_for(place, clustered):
    """Clusters reach over both groups here, so that the groups' moments go together."""
    answers, company = sample_of(120, shift=0.3)
    weights, clusters = pd.Series(np.resize([1.0, 2, 3, 1.5], 240)), pd.Series(np.arange(240) % 30)
    levels = levels_of(answers, company, Design(weights=weights, clusters=clusters if clustered else None))
    factors, _ = scaling_factors(levels.sample.rows, levels.sample.moments, levels.fits)
    assert factors[place] == pytest.approx(brute_force(levels, place), rel=1e-6)


def test_rows_that_stand_twice_in_clusters_tell_as_much_as_once():
    answers, company = sample_of(120)
    once = check_invariance(answers, TWO, groups=company, missing="em")
    twice, both = pd.concat([answers, answers], ignore_index=True), pd.concat([company, company], ignore_index=True)
    design = Design(clusters=pd.Series(np.tile(np.arange(240), 2)))
    found = check_invariance(twice, TWO, groups=both, missing="em", design=design)
    for level in LEVELS:
        chi2 = found.value("invariance_chi2", scale=level, method="mlr")
        assert chi2 == pytest.approx(once.value("invariance_chi2", scale=level, method="mlr") * 119 / 120, rel=1e-6)
    assert set(found.pick("invariance_chi2")["method"]) == {
        "ml; em; ignores clusters; by company",
        "mlr; em; clustered; by company",
    }


def test_equal_weights_are_none():
    answers, company = sample_of(120)
    plain = check_invariance(answers, TWO, groups=company, missing="em").table
    design = Design(weights=pd.Series(np.full(240, 2.5)))
    weighted = check_invariance(answers, TWO, groups=company, missing="em", design=design).table
    assert weighted["method"].str.contains("em; weighted").all()
    np.testing.assert_allclose(weighted["estimate"], plain["estimate"], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("spoil", "keys"),
    [
        (lambda frame, mine: frame.assign(q4=frame["q4"].mask(mine)), ["few_groups", "no_moments"]),
        (
            lambda frame, mine: frame.assign(q4=frame["q4"].mask(mine & frame["q1"].notna())),
            ["few_groups", "no_moments"],
        ),
        (lambda frame, mine: frame.mask(mine & (frame.index % 2 == 0)), ["few_groups", "small"]),
    ],
)
def test_a_group_that_answered_too_little_is_named(spoil, keys):
    answers, company = sample_of(150)
    result = check_invariance(spoil(answers, company == "B"), TWO, groups=company, missing="em")
    finding = result.finding()
    assert [caution.key.removeprefix("invariance.") for caution in finding.cautions] == keys
    for language, said in (("en", "any item of the model"), ("zh", "模型任一题项")):
        assert said in Text(language).sentence(finding)


def test_missing_at_random_biases_complete_rows_and_not_the_two_stages():
    """The second group's factors lie .5 higher; answers are missing where q1 is low, which is rarer there."""
    found = {"em": [], "drop": []}
    for seed in range(20):
        answers, company = sample_of(250, seed=seed, shift=0.5)
        for missing, differences in found.items():
            levels = levels_of(answers, company, missing=missing)
            parameters = levels.fits[2].parameters
            means = parameters.of("means")[1]
            first = parameters.of("intercepts")[0, [0, 3]]
            differences.append([*means, *first])
    truth = np.array([0.5, 0.5, 4.0, 4.0])
    errors = {missing: (np.mean(values, axis=0) - truth) for missing, values in found.items()}
    sizes = {missing: np.std(values, axis=0) / np.sqrt(20) for missing, values in found.items()}
    assert (np.abs(errors["em"]) < 3 * sizes["em"]).all()
    assert (
        errors["drop"][2] > 10 * sizes["drop"][2]
    )  # the intercept of the question that decides who answers the others
