"""Validity of constructs against R semTools and by hand; intervals; edges."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from methods.surveys import ECSI, read_ecsi

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments, bootstrap_moments
from cxresearch.core.results import COLUMNS
from cxresearch.errors import InputError
from cxresearch.methods.cfa_fit import fit_cfa
from cxresearch.methods.cfa_model import FactorModel, Parameters
from cxresearch.methods.validity import check_validity
from cxresearch.methods.validity_measures import (
    average_variance_extracted,
    composite_reliability,
    heterotrait_monotrait,
    largest_shared_variance,
)

ROOT = Path(__file__).parent.parent
CLOSED_FORM = 1e-8
FITTED = 1e-4  # where lavaan's optimiser stops
MODEL = FactorModel.of({"a": ["q1", "q2", "q3"], "b": ["q4", "q5"], "c": ["q6", "q7"]})
TRUTH = Parameters(
    MODEL, np.array([0.8, 0.7, 0.6, 0.9, 0.7, 0.6, 0.6, 0.36, 0.51, 0.64, 0.19, 0.51, 0.64, 0.64, 0.5, -0.2, 0.4])
)
matching = runpy.run_path(str(ROOT / "reference" / "matching.py"))


@pytest.fixture(scope="module")
def mobi():
    return read_ecsi()


@pytest.fixture(scope="module")
def ecsi(mobi):
    return check_validity(mobi, ECSI, n_bootstrap=200, seed=1)


def simulated(n=400, seed=1):
    values = np.random.default_rng(seed).multivariate_normal(np.zeros(7), TRUTH.implied(), size=n)
    return pd.DataFrame(values, columns=list(MODEL.items))


CONSTRUCTS = {"a": ["q1", "q2", "q3"], "b": ["q4", "q5"], "c": ["q6", "q7"]}


def keys_of(result):
    return [caution.key.removeprefix("validity.") for caution in result.finding().cautions]


@pytest.mark.parametrize(
    ("quantity", "number", "tolerance"),
    [("htmt", 15, CLOSED_FORM), ("composite_reliability", 6, FITTED), ("ave", 6, FITTED)],
)
def test_validity_is_that_of_r(ecsi, quantity, number, tolerance):
    reference = matching["read"](ROOT / "reference/ecsi_mobile/reference.csv")
    differences = matching["relative_differences"](ecsi.table, reference[reference["quantity"] == quantity])
    assert len(differences) == number
    assert (differences["matches"] == 1).all()
    assert np.nanmax(differences[matching["NUMBERS"]].to_numpy()) < tolerance


def test_measures_by_hand():
    np.testing.assert_allclose(composite_reliability(TRUTH)[1], 1.6**2 / (1.6**2 + 0.19 + 0.51))
    np.testing.assert_allclose(average_variance_extracted(TRUTH)[0], (0.64 + 0.49 + 0.36) / 3)
    shared, other = largest_shared_variance(TRUTH)
    np.testing.assert_allclose(shared, [0.25, 0.25, 0.16])
    np.testing.assert_array_equal(other, [1, 0, 1])
    corr = TRUTH.implied()
    between = np.abs(corr[:3, 3:5]).mean()
    within = (corr[0, 1] + corr[0, 2] + corr[1, 2]) / 3
    assert heterotrait_monotrait(corr, MODEL)[0] == pytest.approx(between / np.sqrt(within * corr[3, 4]))


def test_a_stack_is_its_single_cases():
    corr = bootstrap_moments(simulated(), 5, seed=1).corr
    stack = fit_cfa(corr, MODEL).parameters
    ratios = heterotrait_monotrait(corr, MODEL)
    for place in range(5):
        single = fit_cfa(corr[place], MODEL).parameters
        np.testing.assert_allclose(composite_reliability(stack)[place], composite_reliability(single), atol=1e-6)
        np.testing.assert_allclose(
            largest_shared_variance(stack)[0][place], largest_shared_variance(single)[0], atol=1e-6
        )
        np.testing.assert_allclose(ratios[place], heterotrait_monotrait(corr[place], MODEL), rtol=1e-12)


def test_the_truth_lies_near_the_estimates():
    """Within twice the interval, so that nine of them hold together whatever the seed."""
    result = check_validity(simulated(2000), CONSTRUCTS, n_bootstrap=200, seed=2)
    assert result.finding().key == "validity.all_distinct"
    rows = result.table.set_index(["quantity", "scale"])
    for quantity, truth in (
        ("composite_reliability", composite_reliability(TRUTH)),
        ("ave", average_variance_extracted(TRUTH)),
        ("max_shared_variance", largest_shared_variance(TRUTH)[0]),
    ):
        own = rows.loc[quantity]
        assert ((own["estimate"] - truth).abs() < own["conf_high"] - own["conf_low"]).all(), quantity
    assert list(rows.loc["max_shared_variance", "term"]) == ["b", "a", "b"]


def test_what_fails_is_named(ecsi):
    finding = ecsi.finding()
    assert finding.key == "validity.some_alike"
    assert finding.values["highest"] == ["satisfaction", "loyalty"]
    assert (finding.values["n_met"], finding.values["n_pairs"]) == (7, 15)
    said = {caution.key: caution.values for caution in finding.cautions}
    assert said["validity.low_composite_reliability"]["scales"] == ["expectation", "loyalty"]
    assert said["validity.low_ave"]["scales"] == ["image", "expectation", "loyalty"]
    assert said["validity.fornell_larcker"]["scales"] == ["image", "expectation", "quality", "satisfaction", "loyalty"]
    assert said["validity.liberal"]["n_over"] == 4
    assert said["validity.single"]["scales"] == ["complaints"]
    assert keys_of(ecsi)[0] == "inadmissible"
    assert "reaches_one" in keys_of(ecsi)


def test_the_table_is_tidy_with_intervals_around_estimates(ecsi):
    table = ecsi.table
    assert tuple(table.columns) == COLUMNS
    assert not table.duplicated(["quantity", "scale", "term", "group", "method"]).any()
    assert (table["conf_low"] < table["estimate"]).all()
    assert (table["estimate"] < table["conf_high"]).all()
    assert (table["n"] == 250).all()


def test_no_bootstrap_and_moments_give_no_intervals(mobi):
    rows = mobi[[item for items in ECSI.values() for item in items]]
    for subject in (mobi, Moments.from_frame(rows)):
        result = check_validity(subject, ECSI, n_bootstrap=0 if subject is mobi else 100)
        assert result.table["conf_low"].isna().all()
        assert result.n_bootstrap == 0
        assert not result.table["method"].str.contains("bootstrap").any()


def test_weights_and_clusters_are_respected():
    answers = simulated()
    doubled = Design(weights=pd.Series(np.where(answers.index < 200, 2.0, 1.0)))
    repeated = pd.concat([answers, answers[:200]], ignore_index=True)
    ours, theirs = (
        check_validity(answers, CONSTRUCTS, design=doubled, n_bootstrap=0),
        check_validity(repeated, CONSTRUCTS, n_bootstrap=0),
    )
    np.testing.assert_allclose(ours.table["estimate"], theirs.table["estimate"], rtol=1e-6)
    alike = pd.concat([answers] * 10, ignore_index=True)  # ten copies of each row, drawn together
    clusters = Design(clusters=pd.Series(np.tile(answers.index, 10)))
    wide, narrow = (check_validity(alike, CONSTRUCTS, design=design, n_bootstrap=200) for design in (clusters, None))
    widths = [(result.table["conf_high"] - result.table["conf_low"]).mean() for result in (wide, narrow)]
    assert widths[0] / widths[1] == pytest.approx(np.sqrt(10), rel=0.2)
    assert wide.table["method"].str.contains("clustered").all()


def test_the_ratio_needs_no_model():
    corr = np.array([[1, 0.6, 0.4, 0.4], [0.6, 1, 0.4, 0.4], [0.4, 0.4, 1, -0.05], [0.4, 0.4, -0.05, 1]])
    names = ["q1", "q2", "q3", "q4"]
    moments = Moments.from_correlation(pd.DataFrame(corr, index=names, columns=names), 60)
    result = check_validity(moments, {"speed": ["q1", "q2"], "staff": ["q3", "q4"]})
    assert result.composite_reliability.empty
    assert keys_of(result)[0] == "no_model"
    assert result.htmt.iloc[0] == pytest.approx(0.4 / np.sqrt(0.6 * 0.05))


def test_one_construct_has_nothing_to_be_told_apart_from():
    result = check_validity(simulated()[["q1", "q2", "q3"]], {"a": ["q1", "q2", "q3"]}, n_bootstrap=20)
    assert result.finding().key == "validity.one_construct"
    assert set(result.table["quantity"]) == {"composite_reliability", "ave"}


def test_bad_input_is_told():
    with pytest.raises(InputError, match="each item must belong to one construct; found q1"):
        check_validity(simulated(), {"a": ["q1", "q2"], "b": ["q1", "q3"]})
