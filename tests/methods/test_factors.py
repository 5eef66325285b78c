"""Factor analysis against R and published values; oblique solutions; edges."""

import json
import runpy
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.correlation import correlate, mid_ranks
from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.core.results import COLUMNS
from cxresearch.errors import InputError
from cxresearch.methods.extraction import extract_factors
from cxresearch.methods.factor_tests import (
    average_partials,
    bartlett,
    eigenvalues,
    empirical_kaiser,
    kmo,
    leading,
    random_eigenvalues,
)
from cxresearch.methods.factors import explore_factors

ROOT = Path(__file__).parent.parent
CLOSED_FORM = 1e-8
MINRES = 1e-3  # communalities: both programs stop their search early
LOADINGS = 0.005  # absolute; rotations of two early stops
ITEMS = (
    [f"IMAG{i}" for i in range(1, 6)]
    + [f"CUEX{i}" for i in range(1, 4)]
    + [f"PERQ{i}" for i in range(1, 8)]
    + ["PERV1", "PERV2", "CUSA1", "CUSA2", "CUSA3", "CUSCO", "CUSL1", "CUSL2", "CUSL3"]
)
matching = runpy.run_path(str(ROOT / "reference" / "matching.py"))


def matrix_of(values, n):
    names = list("abcdefgh"[: len(values)])
    return Moments.from_correlation(pd.DataFrame(values, names, names), n)


@pytest.fixture(scope="module")
def mobi():
    return pd.read_csv(ROOT.parent / "data" / "ecsi_mobile" / "mobi.csv").astype(float)[ITEMS]


@pytest.fixture(scope="module")
def seven(mobi):
    return explore_factors(mobi, n_factors=7)


def reference(name, **words):
    rows = matching["read"](ROOT / "reference" / name)
    for column, value in words.items():
        rows = rows[rows[column].isin(value)]
    assert len(rows)
    return rows


def worst(result, rows):
    differences = matching["relative_differences"](result.table, rows)
    assert (differences["matches"] == 1).all()
    return np.nanmax(differences[matching["NUMBERS"]].to_numpy())


def test_tests_and_eigenvalues_are_those_of_r(seven):
    rows = reference("ecsi_mobile/reference.csv", quantity=["kmo", "msa", "bartlett_chi2", "eigenvalue"])
    assert len(rows) == 50
    assert worst(seven, rows) < CLOSED_FORM


def test_minres_communalities_are_those_of_r(seven):
    rows = reference("ecsi_mobile/reference.csv", quantity=["communality", "variance_explained"])
    assert len(rows) == 25
    assert worst(seven, rows) < MINRES


@pytest.mark.parametrize("extraction", ["minres", "ml"])
@pytest.mark.parametrize("rotation", ["none", "varimax", "promax", "oblimin"])
def test_loadings_structure_and_phi_are_those_of_r(mobi, extraction, rotation):
    result = explore_factors(mobi, n_factors=3, extraction=extraction, rotation=rotation)
    rows = reference("factors/factors.csv", method=[f"{extraction}; {rotation}"])
    assert len(rows) == (3 + 72 if rotation in ("none", "varimax") else 3 + 144 + 3)
    found = rows.merge(result.table, on=["quantity", "scale", "term"], how="left", suffixes=("_r", ""))
    assert len(found) == len(rows)
    np.testing.assert_allclose(found["estimate"], found["estimate_r"], atol=LOADINGS)


@pytest.mark.parametrize("extraction", ["minres", "ml"])
def test_communalities_of_an_oblique_solution_are_those_of_r(mobi, extraction):
    result = explore_factors(mobi, n_factors=3, extraction=extraction, rotation="oblimin")
    rows = reference("factors/factors.csv", method=[extraction])
    assert len(rows) == 25
    assert worst(result, rows) < MINRES


def test_spearman_is_that_of_r(mobi):
    result = explore_factors(mobi, n_factors=1, correlation="spearman")
    rows = reference("factors/factors.csv", method=["spearman"])
    assert len(rows) == 25
    assert worst(result, rows) < CLOSED_FORM


def test_sampling_adequacy_and_eigenvalues_are_the_published_ones():
    published = json.loads((ROOT / "reference/factors/harman_1976.json").read_text(encoding="utf-8"))
    corr = np.corrcoef(np.array(published["data"]).T)
    overall, items = kmo(corr)
    last_digit = 0.51e-8
    assert overall == pytest.approx(published["kmo"], abs=last_digit)
    np.testing.assert_allclose(items, published["msa"], atol=last_digit)
    np.testing.assert_allclose(eigenvalues(corr), published["eigenvalues"], atol=last_digit)


def test_a_published_matrix_is_a_data_set():
    published = json.loads((ROOT / "reference/factors/harman_physical.json").read_text(encoding="utf-8"))
    names = published["names"]
    moments = Moments.from_correlation(pd.DataFrame(published["correlation"], names, names), published["n"])
    result = explore_factors(moments, n_factors=2, extraction="ml", rotation="varimax")
    numbers = {name: result.value(name) for name in ("kmo", "bartlett_chi2")}
    assert numbers == pytest.approx({name: published[name] for name in numbers}, rel=1e-8)
    np.testing.assert_allclose(result.pick("msa")["estimate"], published["msa"], rtol=1e-8)
    np.testing.assert_allclose(result.pick("eigenvalue")["estimate"], published["eigenvalues"], rtol=1e-8)
    np.testing.assert_allclose(1 - result.communalities, published["uniquenesses"], atol=1e-4)
    theirs = np.array(published["loadings"])  # R stops its rotation early: what no rotation changes is compared
    np.testing.assert_allclose(result.loadings @ result.loadings.T, theirs @ theirs.T, atol=1e-4)
    assert (result.n_used, result.n_dropped, result.correlation) == (305, 0, "given")
    assert set(result.pick("kmo")["method"]) == {"moments only"}
    assert set(result.pick("loading")["method"]) == {"ml; varimax; moments only"}


def test_moments_give_what_their_rows_give(mobi):
    rows = explore_factors(mobi, n_factors=3, seed=1)
    alone = explore_factors(Moments.from_frame(mobi), n_factors=3, seed=1)
    columns = ["quantity", "scale", "term"]
    assert alone.table[columns].equals(rows.table[columns])
    np.testing.assert_allclose(alone.table["estimate"], rows.table["estimate"], rtol=1e-6, atol=1e-8)
    assert not alone.table["method"].str.contains("pearson").any()


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (np.eye(4), {}, "DataFrame with one row a respondent, or Moments; found ndarray"),
        (matrix_of(np.eye(4), 100), {"correlation": "spearman"}, "used as they are; found `correlation` 'spearman'"),
        (matrix_of(np.eye(2), 100), {}, "needs three items; found 2"),
        (matrix_of(np.eye(4), 4), {}, "found 4 rows of 4"),
        (matrix_of(np.ones((4, 4)), 9), {}, "no two items may hold the same answers"),
    ],
)
def test_moments_that_cannot_be_factored(data, options, message):
    with pytest.raises(InputError, match=message):
        explore_factors(data, **options)


def test_random_eigenvalues_are_those_of_simulated_data():
    """R simulated 4,000 data sets; the Monte Carlo error of both percentiles is about 0.005."""
    theirs = pd.read_csv(ROOT / "reference/factors/parallel.csv")
    ours = random_eigenvalues(250, 24, 4000, seed=1)
    np.testing.assert_allclose(ours.mean(axis=0), theirs["mean"], atol=0.005)
    np.testing.assert_allclose(np.quantile(ours, 0.95, axis=0), theirs["percentile_95"], atol=0.015)
    np.testing.assert_allclose(ours.sum(axis=1), 24, rtol=1e-10)  # correlation matrices


def test_average_partials_are_those_of_r(mobi):
    theirs = pd.read_csv(ROOT / "reference/polychoric/map.csv", skipinitialspace=True)
    harman = pd.read_csv(ROOT / "reference/polychoric/harman74.csv", skipinitialspace=True).to_numpy()
    complete = pd.read_csv(ROOT.parent / "data" / "ecsi_mobile" / "mobi.csv").drop(columns="CUEX1").dropna()
    for name, corr in (("harman74", harman), ("ecsi", correlate(complete.astype(float)).cov)):
        found = average_partials(corr)
        np.testing.assert_allclose(found[1:11], theirs[name], rtol=1e-10)  # psych starts with one component taken out
        assert found[0] == pytest.approx((corr[np.triu_indices(len(corr), 1)] ** 2).mean(), rel=1e-12)


def test_limits_of_the_empirical_kaiser_criterion_are_those_of_r(mobi):
    """semTools leaves out that no limit is below 1, as the article has it."""
    theirs = pd.read_csv(ROOT / "reference/polychoric/ekc.csv", skipinitialspace=True)
    harman = pd.read_csv(ROOT / "reference/polychoric/harman74.csv", skipinitialspace=True).to_numpy()
    complete = pd.read_csv(ROOT.parent / "data" / "ecsi_mobile" / "mobi.csv").drop(columns="CUEX1").dropna()
    for name, corr, n in (("harman74", harman, 145), ("ecsi", correlate(complete.astype(float)).cov, len(complete))):
        expected = theirs.loc[theirs["data"] == name, "reference"]
        found = empirical_kaiser(eigenvalues(corr), n)
        np.testing.assert_allclose(found, np.maximum(expected, 1), rtol=1e-10)
        assert found[-1] == 1 > expected.iloc[-1]


# ---- what must hold whatever the data ----


@pytest.mark.parametrize("rotation", ["oblimin", "promax", "varimax", "none"])
def test_every_rotation_reproduces_the_same_matrix(mobi, rotation):
    corr = correlate(mobi).cov
    turned, plain = (extract_factors(corr, 4, "minres", name) for name in (rotation, "none"))
    implied = plain.loadings @ plain.loadings.T
    np.testing.assert_allclose(turned.loadings @ turned.phi @ turned.loadings.T, implied, atol=1e-10)
    np.testing.assert_allclose(turned.structure, turned.loadings @ turned.phi, atol=1e-12)
    np.testing.assert_allclose(turned.communalities, plain.communalities, atol=1e-10)
    assert turned.variance.sum() == pytest.approx(plain.communalities.mean(), rel=1e-10)
    assert np.diag(turned.phi) == pytest.approx(1)


@pytest.mark.parametrize("rotation", ["oblimin", "promax", "varimax", "none"])
def test_factors_stand_in_order_and_point_upwards(mobi, rotation):
    factors = extract_factors(correlate(mobi).cov, 5, "minres", rotation)
    assert (np.diff(factors.variance) <= 0).all()
    assert (factors.loadings.sum(axis=0) > 0).all()


def test_a_simple_structure_is_recovered():
    """Two factors correlated .5 behind eight items, to the accuracy of rotation."""
    pattern = np.zeros((8, 2))
    pattern[:5, 0], pattern[5:, 1] = [0.8, 0.7, 0.6, 0.75, 0.65], [0.7, 0.8, 0.6]
    phi = np.array([[1, 0.5], [0.5, 1]])
    corr = pattern @ phi @ pattern.T
    np.fill_diagonal(corr, 1)
    factors = extract_factors(corr, 2, "minres", "oblimin")
    np.testing.assert_allclose(factors.loadings, pattern, atol=2e-3)
    np.testing.assert_allclose(factors.phi, phi, atol=2e-3)
    assert factors.converged
    assert not factors.heywood.any()


def test_the_matrix_is_left_as_it_was(mobi):
    corr = correlate(mobi).cov
    before = corr.copy()
    extract_factors(corr, 3, "minres", "oblimin")
    np.testing.assert_array_equal(corr, before)


def test_rules_stop_at_the_first_eigenvalue_that_fails():
    assert leading(np.array([3.0, 0.9, 1.1]), 1.0) == 1
    assert leading(np.array([3.0, 2.0]), 1.0) == 2
    assert leading(np.array([0.9, 0.8]), 1.0) == 0


def test_bartlett_of_unrelated_items_is_zero():
    assert bartlett(np.eye(4), 50) == (0.0, 6.0, 1.0)


def test_mid_ranks_count_ties_half_and_repeated_rows_alike():
    values = np.array([3.0, 1.0, 3.0, 2.0])
    np.testing.assert_array_equal(mid_ranks(values, np.ones(4)), [3, 0.5, 3, 1.5])
    weighted = mid_ranks(np.array([3.0, 1.0, 2.0]), np.array([2.0, 1.0, 1.0]))
    np.testing.assert_array_equal(weighted, [3, 0.5, 1.5])


# ---- the verb ----


def simulated(n=200, seed=3):
    """Two blocks of four items, correlated .3 at most between blocks."""
    rng = np.random.default_rng(seed)
    general, own = rng.normal(size=(n, 1)), rng.normal(size=(n, 2)).repeat(4, axis=1)
    values = 0.5 * general + own + rng.normal(size=(n, 8)) * 0.8
    return pd.DataFrame(values, columns=[f"q{i + 1}" for i in range(8)])


def test_parallel_analysis_finds_the_blocks():
    result = explore_factors(simulated())
    assert (result.n_factors, result.n_factors_parallel, result.number_rule) == (2, 2, "parallel")
    first = result.loadings.abs().idxmax(axis=1)
    assert first.iloc[:4].nunique() == first.iloc[4:].nunique() == 1
    assert set(first) == {"F1", "F2"}


def test_every_number_is_in_the_table_with_its_choices():
    result = explore_factors(simulated(), n_factors=2, rotation="oblimin")
    table = result.table
    assert list(table.columns) == list(COLUMNS)
    assert table.groupby("quantity").size().to_dict() == {
        "kmo": 1, "msa": 8, "bartlett_chi2": 1, "eigenvalue": 8, "eigenvalue_random": 8,
        "eigenvalue_reference": 8, "average_partial": 7, "n_factors": 5, "loading": 16, "structure": 16,
        "factor_correlation": 1, "communality": 8, "uniqueness": 8, "variance_explained": 3,
    }  # fmt: skip
    assert set(table.loc[table["quantity"] == "loading", "method"]) == {"minres; oblimin; pearson"}
    assert result.value("n_factors", method="given") == 2
    assert result.value("n_factors", method="parallel analysis") == 2
    assert result.value("n_factors", method="kaiser") == 2
    assert result.value("n_factors", method="minimum average partial") == result.n_factors_map == 2
    assert result.value("n_factors", method="empirical criterion") == result.n_factors_ekc == 2
    assert result.value("variance_explained", scale="") == pytest.approx(result.communalities.mean())
    assert (table["n"] == 200).all()
    test = result.pick("bartlett_chi2").iloc[0]
    assert (test["statistic"], test["df"]) == (test["estimate"], 28)
    np.testing.assert_allclose(result.communalities, 1 - result.pick("uniqueness")["estimate"].to_numpy(), rtol=1e-12)


def test_one_factor_is_not_rotated_and_orthogonal_factors_do_not_correlate():
    one = explore_factors(simulated(), n_factors=1)
    assert one.rotation == "none"
    assert one.pick("structure").empty
    assert explore_factors(simulated(), n_factors=2, rotation="varimax").pick("factor_correlation").empty


def test_kaisers_rule_may_decide():
    result = explore_factors(simulated(), n_factors="kaiser")
    assert (result.n_factors, result.number_rule) == (2, "kaiser")
    assert result.finding().key == "factors.adequate_kaiser"


def test_incomplete_rows_are_dropped_and_counted():
    answers = simulated()
    answers.iloc[:7, 0] = np.nan
    result = explore_factors(answers)
    assert (result.n_used, result.n_dropped) == (193, 7)
    assert cautions(result)["factors.dropped"] == {"n_dropped": 7, "total": 200}
    pd.testing.assert_frame_equal(result.table, explore_factors(answers.dropna()).table)


def test_weights_enter_the_matrix_and_bartlett_says_it_is_unweighted():
    answers = simulated()
    weights = pd.Series(np.arange(200) % 4 + 1.0)
    result = explore_factors(answers, n_factors=2, design=Design(weights, pd.Series(np.arange(200) % 20)))
    repeated = answers.loc[answers.index.repeat(weights.astype(int))].reset_index(drop=True)
    again = explore_factors(repeated, n_factors=2)
    assert result.kmo == pytest.approx(again.kmo, rel=1e-10)
    np.testing.assert_allclose(result.loadings, again.loadings, atol=1e-6)
    plain = explore_factors(answers, n_factors=2)
    assert result.value("bartlett_chi2", method="unweighted") == plain.value("bartlett_chi2")
    assert set(result.pick("loading")["method"]) == {"minres; oblimin; pearson; weighted"}
    effective = explore_factors(answers, n_factors=2, design=Design(weights)).pick("eigenvalue_random")
    assert effective["estimate"].iloc[0] > plain.pick("eigenvalue_random")["estimate"].iloc[0]  # fewer effective rows
    assert {"factors.unweighted", "factors.clustered"} <= set(cautions(result))


@pytest.mark.parametrize("rule", ["map", "ekc"])
def test_another_rule_may_decide(rule):
    result = explore_factors(simulated(), n_factors=rule)
    assert (result.n_factors, result.number_rule) == (2, rule)
    assert result.finding().key == f"factors.adequate_{rule}"


def test_rules_that_disagree_are_told():
    """One strong general factor over the two blocks: components see one dimension, partial correlations the blocks."""
    rng = np.random.default_rng(3)
    blocks = rng.normal(size=(400, 1)) + 0.55 * rng.normal(size=(400, 2)).repeat(4, axis=1)
    result = explore_factors(pd.DataFrame(blocks + 0.5 * rng.normal(size=(400, 8)), columns=list("abcdefgh")))
    assert result.n_factors_parallel != result.n_factors_map
    told = cautions(result)["factors.rules_differ"]
    rules = [result.n_factors_parallel, result.n_factors_ekc, result.n_factors_map]
    assert [told["parallel"], told["ekc"], told["map"]] == rules
    assert "factors.rules_differ" not in cautions(explore_factors(simulated()))


def test_unrelated_items_are_told_so():
    noise = pd.DataFrame(np.random.default_rng(8).normal(size=(60, 6)), columns=list("abcdef"))
    result = explore_factors(noise)
    assert result.n_factors_parallel == 0
    assert result.n_factors == 1
    assert {"factors.none", "factors.sphere"} <= set(cautions(result))
    assert result.finding().key == "factors.inadequate_parallel"


def test_more_factors_by_rule_than_items_can_tell_are_capped():
    rng = np.random.default_rng(1)
    pairs = rng.normal(size=(300, 2)).repeat(2, axis=1) + 0.7 * rng.normal(size=(300, 4))
    result = explore_factors(pd.DataFrame(pairs, columns=list("abcd")))
    assert (result.n_factors_parallel, result.n_factors) == (2, 1)
    assert cautions(result)["factors.capped"] == {"wanted": 2, "used": 1}


def test_a_heywood_case_is_flagged():
    rng = np.random.default_rng(1)
    common = rng.normal(size=(150, 1))
    answers = pd.DataFrame(common + rng.normal(size=(150, 4)) * [0.01, 1, 1, 1], columns=list("abcd"))
    result = explore_factors(answers, n_factors=1)
    assert result.heywood == ("a",)
    assert cautions(result)["factors.heywood"] == {"items": ["a"]}


def test_items_without_and_with_several_salient_loadings_are_named():
    answers = simulated()
    answers["both"] = answers[["q1", "q2", "q5", "q6"]].sum(axis=1) + np.random.default_rng(1).normal(size=200)
    answers["lost"] = np.random.default_rng(2).normal(size=200)
    told = cautions(explore_factors(answers, n_factors=2))
    assert told["factors.cross"]["items"] == ["both"]
    assert told["factors.no_loading"]["items"] == ["lost"]


def test_a_fit_that_does_not_converge_says_so(monkeypatch):
    import factor_analyzer

    class Tired(factor_analyzer.FactorAnalyzer):
        def fit(self, *arguments, **options):
            warnings.warn("Failed to converge: iteration limit", stacklevel=1)
            return super().fit(*arguments, **options)

    monkeypatch.setattr(factor_analyzer, "FactorAnalyzer", Tired)
    result = explore_factors(simulated(), n_factors=2)
    assert not result.converged
    assert "factors.not_converged" in cautions(result)


def cautions(result):
    return {caution.key: dict(caution.values) for caution in result.cautions}


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"n_factors": 0}, "found `n_factors` 0"),
        ({}, {"n_factors": 5}, "8 items can tell 1 to 4 factors apart; found `n_factors` 5"),
        ({}, {"n_factors": 2.5}, "whole number or one of parallel, ekc, map, kaiser; found 2.5"),
        ({}, {"n_factors": True}, "whole number or one of parallel, ekc, map, kaiser; found True"),
        ({}, {"n_factors": "horn"}, "whole number or one of parallel, ekc, map, kaiser; found 'horn'"),
        ({}, {"rotation": "quartimax"}, "`rotation` must be one of oblimin, promax, varimax, none; found 'quartimax'"),
        ({}, {"extraction": "pca"}, "`extraction` must be one of minres, ml; found 'pca'"),
        (
            {},
            {"correlation": "kendall"},
            "`correlation` must be one of auto, pearson, spearman, polychoric; found 'kendall'",
        ),
        (
            {},
            {"correlation": "polychoric"},
            r"2 to 11 different answers; found more than that in q1, .* \(8 of 8 items\)",
        ),
        ({}, {"n_random": 5}, "`n_random` of 20 or more; found 5"),
        ({"q2": 3.0}, {}, r"same answer in all 200 rows of q2 \(1 of 8 items\)"),
        ({"q2": lambda frame: 6 - frame["q1"]}, {}, r"found q1 and q2 perfectly correlated"),
        ({"q8": lambda frame: frame["q1"] + frame["q2"]}, {}, "linear dependence among q1, q2, q8"),
        ({"q2": "often"}, {}, "numeric; found text in q2"),
        ({"q2": np.nan}, {}, r"found 0 rows of 200 that answered all 8 items, most often missing: q2 \(200\)"),
    ],
)
def test_bad_input_is_told(change, options, message):
    with pytest.raises(InputError, match=message):
        explore_factors(simulated().assign(**change), **options)


def test_too_few_rows_and_items_are_told():
    with pytest.raises(InputError, match="more complete rows than items; found 8 rows"):
        explore_factors(simulated(n=8))
    with pytest.raises(InputError, match="needs three items; found 2"):
        explore_factors(simulated()[["q1", "q2"]])
    lopsided = Design(weights=pd.Series([1000.0] * 5 + [0.01] * 195))
    with pytest.raises(InputError, match=r"found 5\.0 effective rows for 8 items"):
        explore_factors(simulated(), design=lopsided)
