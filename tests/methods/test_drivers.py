"""The driver regression against R (lm, sandwich) and published regressions; properties; edges."""

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.correlation import correlate
from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError
from cxresearch.methods.drivers import regress_drivers
from cxresearch.present.text import Text

TESTS = Path(__file__).parent.parent
FOLDER = TESTS / "reference" / "drivers"
MATCHING = runpy.run_path(str(TESTS / "reference" / "matching.py"))
PUBLISHED = json.loads((FOLDER / "published.json").read_text(encoding="utf-8"))
REGRESSION = 1e-8
CLOSED_FORM = 1e-10
NUMBERS = ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "n"]
DRIVERS = ["complaints", "privileges", "learning", "raises", "critical", "advance"]
ATTITUDE = pd.read_csv(FOLDER / "attitude.csv")
R = pd.read_csv(FOLDER / "reference.csv", dtype={"term": str}).fillna({"method": "", "term": ""})
WEIGHTS, CLUSTERS = ATTITUDE["weight"], ATTITUDE["cluster"]
DESIGNS = {
    "": Design(),
    "weighted": Design(weights=WEIGHTS),
    "clustered": Design(clusters=CLUSTERS),
    "weighted; clustered": Design(WEIGHTS, CLUSTERS),
}


def regress(design=None, drivers=DRIVERS, data=ATTITUDE, outcome="rating", **options):
    return regress_drivers(data, outcome, drivers=drivers, design=design, **{"n_bootstrap": 40, **options})


def reference(quantity, method, scale="drivers"):
    rows = R[(R["quantity"] == quantity) & (R["method"] == method) & (R["scale"] == scale)]
    assert len(rows) > 0
    return rows


@pytest.fixture(scope="module")
def plain():
    return regress(n_bootstrap=400)


@pytest.mark.parametrize(("words", "design"), DESIGNS.items(), ids=str)
def test_coefficients_and_robust_errors_as_sandwich(words, design):
    errors = "cr1" if "clustered" in words else "hc3"
    method = "; ".join(part for part in ("ols", words, errors) if part)
    ours = regress(design).pick("coefficient")
    assert set(ours["method"]) == {method}
    theirs = reference("coefficient", method)
    assert ours["term"].tolist() == theirs["term"].tolist()
    np.testing.assert_allclose(ours[NUMBERS], theirs[NUMBERS], rtol=REGRESSION)


@pytest.mark.parametrize("words", ["", "weighted"])
@pytest.mark.parametrize(
    "quantity", ["r_squared", "adjusted_r_squared", "importance_lmg", "importance_johnson", "beta", "vif"]
)
def test_closed_forms_as_r(words, quantity):
    ours = regress(DESIGNS[words]).pick(quantity)
    theirs = reference(quantity, words or "plain")
    np.testing.assert_allclose(ours["estimate"], theirs["estimate"], rtol=CLOSED_FORM)
    assert ours["n"].tolist() == [30] * len(theirs)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlations_as_r(plain, method):
    ours, theirs = plain.pick("correlation", method=method), reference("correlation", method, "rating")
    numbers = [name for name in NUMBERS if name != "std_error"]
    np.testing.assert_allclose(ours[numbers], theirs[numbers], rtol=CLOSED_FORM)
    assert set(ours["scale"]) == {"rating"}


def test_weighted_correlations_as_r():
    result = regress(DESIGNS["weighted"])
    ours = result.pick("correlation", method="pearson")
    np.testing.assert_allclose(
        ours["estimate"], reference("correlation", "pearson; weighted", "rating")["estimate"], rtol=CLOSED_FORM
    )
    assert (ours["conf_low"] < ours["estimate"]).all()
    assert (ours["estimate"] < ours["conf_high"]).all()
    assert set(result.pick("correlation", method="spearman")["method"]) == {"spearman; weighted; percentile bootstrap"}


@pytest.mark.parametrize("words", ["weighted", "clustered", "weighted; clustered"])
def test_rank_correlations_respect_the_design(words):
    result = regress(DESIGNS[words], n_bootstrap=200)
    rows = result.pick("correlation", method=f"spearman; {words}")
    frame = ATTITUDE[[*DRIVERS, "rating"]]
    expected = correlate(frame, "spearman", design=DESIGNS[words]).cov[:-1, -1]
    np.testing.assert_allclose(rows["estimate"], expected, rtol=CLOSED_FORM)
    assert (rows["conf_low"] < rows["estimate"]).all()
    assert (rows["estimate"] < rows["conf_high"]).all()
    if words == "clustered":
        np.testing.assert_allclose(rows["estimate"], frame.corr("spearman")["rating"][DRIVERS], rtol=CLOSED_FORM)


def test_moments_give_the_classical_regression():
    from statsmodels.api import OLS, add_constant

    alone = regress(data=Moments.from_frame(ATTITUDE))
    classical = OLS(ATTITUDE["rating"], add_constant(ATTITUDE[DRIVERS])).fit()
    rows = alone.pick("coefficient").set_index("term")
    low, high = classical.conf_int()[0], classical.conf_int()[1]
    for column, theirs in [
        ("estimate", classical.params), ("std_error", classical.bse), ("statistic", classical.tvalues),
        ("p_value", classical.pvalues), ("conf_low", low), ("conf_high", high),
    ]:  # fmt: skip
        np.testing.assert_allclose(rows[column], theirs[DRIVERS], rtol=REGRESSION)
    assert set(rows["df"]) == {classical.df_resid}
    assert set(rows["method"]) == {"ols; moments only; classical"}
    assert alone.intercept == pytest.approx(classical.params["const"], rel=REGRESSION)
    assert (alone.n_used, alone.n_dropped, alone.n_clusters, alone.n_failed) == (30, 0, None, 0)


def test_moments_give_what_rows_give_but_no_bootstrap_and_no_ranks(plain):
    alone = regress(data=Moments.from_frame(ATTITUDE))
    for quantity in ("r_squared", "adjusted_r_squared", "beta", "vif", "importance_lmg", "performance", "quadrant"):
        ours, theirs = alone.pick(quantity), plain.pick(quantity)
        np.testing.assert_allclose(ours["estimate"], theirs["estimate"], rtol=CLOSED_FORM)
        assert ours[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
        assert not ours["method"].str.contains("bootstrap").any()
        assert ours["method"].str.split("; ").map(lambda said: "moments only" in said).all()
    pearson = plain.pick("correlation", method="pearson")[NUMBERS]
    np.testing.assert_allclose(alone.pick("correlation")[NUMBERS], pearson, rtol=CLOSED_FORM)
    assert set(alone.pick("correlation")["method"]) == {"moments only; fisher z"}
    for language in ("en", "zh"):
        assert "nan" not in Text(language).sentence(alone.finding())


def test_a_published_matrix_has_no_means_and_no_map():
    matrix = ATTITUDE[[*DRIVERS, "rating"]].corr()
    result = regress(data=Moments.from_correlation(matrix, 30))
    np.testing.assert_allclose(
        result.pick("coefficient")["estimate"], result.pick("beta")["estimate"], rtol=CLOSED_FORM
    )
    assert result.pick("performance").empty
    assert result.crosshair is None
    assert result.map_finding().key == "drivers.map_without_means"
    with pytest.raises(InputError, match="no column kindness"):
        regress(data=Moments.from_correlation(matrix, 30), drivers=["kindness"])
    with pytest.raises(InputError, match="needs at least 8 complete rows; found 7 of 7"):
        regress(data=Moments.from_correlation(matrix, 7))
    with pytest.raises(InputError, match="or Moments; found dict"):
        regress(data={})


def test_every_number_of_the_ecsi_survey_as_r():
    spec = json.loads((TESTS / "reference" / "ecsi_mobile" / "reference.json").read_text(encoding="utf-8"))
    answers = pd.read_csv(TESTS.parent / "data" / "ecsi_mobile" / "mobi.csv")
    scores = pd.DataFrame({name: answers[items].mean(axis=1) for name, items in spec["constructs"].items()})
    found = regress(data=scores, outcome="satisfaction", drivers=spec["drivers"])
    wanted = MATCHING["read"](TESTS / "reference" / "ecsi_mobile" / "reference.csv")
    wanted = wanted[(wanted["scale"] == "drivers") & (wanted["method"] != "ordered logit")]
    differences = MATCHING["relative_differences"](found.table, wanted)
    assert len(wanted) == 22
    assert (differences["matches"] == 1).all()
    assert differences[NUMBERS].max().max() < REGRESSION


def test_attitude_as_published(plain):
    printed = PUBLISHED["attitude_ols"]
    ours = plain.pick("coefficient").set_index("term")["estimate"]
    assert ours.to_dict() == pytest.approx(printed["values"], abs=5e-6)
    assert plain.intercept == pytest.approx(printed["intercept"], abs=5e-6)
    assert plain.r_squared == pytest.approx(printed["r_squared"], abs=5e-7)
    assert plain.adjusted_r_squared == pytest.approx(printed["adjusted_r_squared"], abs=5e-7)


def test_delivery_as_published():
    printed = PUBLISHED["delivery"]
    data = pd.DataFrame({name: printed[name] for name in ("n.prod", "distance", "delTime")})
    result = regress(data=data, outcome="delTime", drivers=["n.prod", "distance"])
    assert result.pick("coefficient").set_index("term")["estimate"].to_dict() == pytest.approx(
        printed["values"], abs=5e-7
    )
    assert result.intercept == pytest.approx(printed["intercept"], abs=5e-7)
    assert result.r_squared == pytest.approx(printed["r_squared"], abs=5e-5)


def test_equal_weights_change_nothing():
    ours = regress(Design(weights=pd.Series(7.0, ATTITUDE.index)))
    np.testing.assert_allclose(
        ours.pick("coefficient")[NUMBERS], regress().pick("coefficient")[NUMBERS], rtol=CLOSED_FORM
    )


def test_units_do_not_change_what_has_none(plain):
    scaled = regress(data=ATTITUDE * 10 + 3, n_bootstrap=400)
    for quantity in ("beta", "vif", "importance_lmg", "importance_johnson", "r_squared"):
        np.testing.assert_allclose(scaled.pick(quantity)["estimate"], plain.pick(quantity)["estimate"], rtol=1e-9)
        np.testing.assert_allclose(scaled.pick(quantity)["conf_low"], plain.pick(quantity)["conf_low"], rtol=1e-7)


def test_shares_sum_to_r_squared(plain):
    for quantity in ("importance_lmg", "importance_johnson"):
        assert plain.pick(quantity)["estimate"].sum() == pytest.approx(plain.r_squared, abs=CLOSED_FORM)


def test_intervals_hold_their_estimates_and_repeat_by_seed(plain):
    for quantity in ("r_squared", "beta", "importance_lmg", "importance_johnson", "performance"):
        rows = plain.pick(quantity)
        assert (rows["conf_low"] < rows["estimate"]).all()
        assert (rows["estimate"] < rows["conf_high"]).all()
        assert (rows["std_error"] > 0).all()
    pd.testing.assert_frame_equal(regress(n_bootstrap=400).table, plain.table)
    assert not regress(n_bootstrap=400, seed=1).table.equals(plain.table)


def test_clusters_widen_intervals_of_what_they_share():
    rng = np.random.default_rng(2)
    branch = np.repeat(np.arange(40), 25)
    data = pd.DataFrame({"speed": rng.normal(size=40)[branch] + 0.1 * rng.normal(size=1000)})
    data["satisfaction"] = 0.5 * data["speed"] + rng.normal(size=40)[branch] + rng.normal(size=1000)
    by_row = regress(data=data, outcome="satisfaction", drivers=["speed"], n_bootstrap=300)
    by_branch = regress(Design(clusters=pd.Series(branch)), ["speed"], data, "satisfaction", n_bootstrap=300)
    for quantity in ("coefficient", "beta"):
        assert by_branch.pick(quantity)["std_error"].item() > 2 * by_row.pick(quantity)["std_error"].item()
    assert by_branch.n_clusters == 40
    assert by_branch.pick("coefficient")["df"].item() == 39


def test_known_slopes_lie_in_their_intervals():
    rng = np.random.default_rng(11)
    data = pd.DataFrame(rng.normal(size=(4000, 2)) @ [[1, 0.4], [0, 1]], columns=["speed", "price"])
    data["satisfaction"] = 0.6 * data["speed"] + 0.3 * data["price"] + rng.normal(size=4000) * (1 + data["speed"] ** 2)
    rows = regress(data=data, outcome="satisfaction", drivers=["speed", "price"]).pick("coefficient")
    assert (rows["conf_low"] < [0.6, 0.3]).all()
    assert (rows["conf_high"] > [0.6, 0.3]).all()


class TestPerformance:
    def test_raw_means_without_ranges(self, plain):
        rows = plain.pick("performance").set_index("term")
        assert rows["estimate"].to_dict() == pytest.approx(ATTITUDE[DRIVERS].mean().to_dict(), abs=CLOSED_FORM)
        assert not plain.on_hundred

    def test_on_a_hundred_with_ranges(self):
        result = regress(ranges=dict.fromkeys(DRIVERS, (20, 120)))
        rows = result.pick("performance").set_index("term")
        assert rows["estimate"].to_dict() == pytest.approx((ATTITUDE[DRIVERS].mean() - 20).to_dict(), abs=CLOSED_FORM)
        assert result.on_hundred
        assert set(rows["method"]) == {"mean, 0 to 100; percentile bootstrap"}

    def test_the_outcome_on_a_hundred_where_its_range_is_given(self, plain):
        result = regress(ranges={"rating": (20, 120)})
        row = result.pick("construct_score", scale="rating").iloc[0]
        assert row["estimate"] == pytest.approx(ATTITUDE["rating"].mean() - 20, abs=CLOSED_FORM)
        assert row["conf_low"] < row["estimate"] < row["conf_high"]
        assert row["n"] == len(ATTITUDE)
        assert plain.pick("construct_score").empty

    def test_the_outcome_counts_all_who_answered_it(self):
        data = ATTITUDE.copy()
        data.loc[data.index[:5], DRIVERS[0]] = np.nan
        row = regress(data=data, ranges={"rating": (20, 120)}).pick("construct_score").iloc[0]
        assert row["estimate"] == pytest.approx(ATTITUDE["rating"].mean() - 20, abs=CLOSED_FORM)
        assert row["n"] == len(ATTITUDE)

    def test_a_missing_range_keeps_all_in_raw_units(self):
        assert not regress(ranges={"complaints": (0, 100)}).on_hundred

    def test_quadrants_lie_around_the_crosshair(self, plain):
        table = pd.concat(
            [plain.pick(name).set_index("term")["estimate"] for name in ("performance", "importance_lmg", "quadrant")],
            axis=1, keys=["performance", "importance", "quadrant"],
        )  # fmt: skip
        assert plain.crosshair == pytest.approx(
            (table["performance"].mean(), table["importance"].mean()), abs=CLOSED_FORM
        )
        well, heavy = table["performance"] >= plain.crosshair[0], table["importance"] >= plain.crosshair[1]
        codes = {(True, False): 1, (True, True): 2, (False, False): 3, (False, True): 4}
        assert table["quadrant"].tolist() == [codes[pair] for pair in zip(heavy, well, strict=True)]
        assert len(set(table["quadrant"])) > 1

    @pytest.mark.parametrize("drivers", [DRIVERS[:1], DRIVERS[:2]])
    def test_fewer_than_three_drivers_have_no_quadrants(self, drivers):
        result = regress(drivers=drivers)
        assert result.crosshair is None
        assert result.pick("quadrant").empty
        assert len(result.pick("performance")) == len(drivers)
        assert result.map_finding().key == "drivers.map_without_quadrants"
        assert result.map_finding().values["count"] == len(drivers)
        assert not regress(drivers=DRIVERS[:3]).pick("quadrant").empty

    def test_names_where_to_concentrate_and_whose_place_is_not_certain(self):
        rng = np.random.default_rng(3)
        data = pd.DataFrame(
            rng.normal([2.0, 4.0, 4.0, 3.25], 1, size=(600, 4)), columns=["slow", "fine", "idle", "edge"]
        )
        data["y"] = data @ [1.0, 0.9, 0.0, 0.0] + rng.normal(size=600)
        finding = regress(data=data, outcome="y", drivers=list(data)[:4], n_bootstrap=300).map_finding()
        assert (finding.key, finding.values["drivers"]) == ("drivers.map_concentrate", ["slow"])
        uncertain = {caution.key: caution for caution in finding.cautions}["drivers.map_uncertain"]
        assert uncertain.values["drivers"] == ["edge"]

    def test_says_when_there_is_nothing_to_concentrate_on(self):
        rng = np.random.default_rng(4)
        data = pd.DataFrame(rng.normal([4.0, 3.0, 2.0], 0.5, size=(300, 3)), columns=["good", "poor", "poorest"])
        data["y"] = data["good"] + 0.2 * rng.normal(size=300)
        finding = regress(data=data, outcome="y", drivers=["good", "poor", "poorest"]).map_finding()
        assert finding.key == "drivers.map_nothing"

    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_reads_in_both_languages(self, plain, language):
        for result in (plain, regress(drivers=DRIVERS[:2]), regress(n_bootstrap=0)):
            said = Text(language, {"rating": "Overall rating"}).sentence(result.map_finding())
            assert "{" not in said
            assert "rises" not in said


class TestFewRows:
    @pytest.mark.parametrize(("rows", "said"), [(29, True), (30, False)])
    def test_ten_rows_a_driver_are_wanted(self, rows, said):
        finding = regress(data=ATTITUDE.head(rows), drivers=DRIVERS[:3]).finding()
        cautions = {caution.key: caution for caution in finding.cautions}
        assert ("drivers.few_rows" in cautions) == said
        if said:
            assert cautions["drivers.few_rows"].rule is RULES["rows_per_driver"]
            assert cautions["drivers.few_rows"].values == {"n": rows, "count": 3}

    def test_the_interval_of_r_squared_stays_within_a_share(self):
        noise = pd.DataFrame(np.random.default_rng(1).normal(size=(12, 4)), columns=list("abcy"))
        result = regress(data=noise, outcome="y", drivers=list("abc"), n_bootstrap=300)
        for quantity in ("r_squared", "adjusted_r_squared"):
            row = result.pick(quantity).iloc[0]
            assert row["conf_low"] == 0
            assert 0 < row["conf_high"] <= 1
        assert result.adjusted_r_squared < 0, "the estimate itself is not cut"


class TestEdges:
    def test_incomplete_rows_are_dropped_and_counted(self):
        gaps = ATTITUDE.astype(float)
        gaps.loc[[0, 5], "rating"] = np.nan
        gaps.loc[5, "raises"] = np.nan
        gaps["unused"] = np.nan
        result = regress(data=gaps)
        assert (result.n_used, result.n_dropped) == (28, 2)
        expected = regress(data=ATTITUDE.drop(index=[0, 5])).pick("coefficient")
        np.testing.assert_allclose(result.pick("coefficient")[NUMBERS], expected[NUMBERS], rtol=CLOSED_FORM)

    def test_rows_of_weight_zero_do_not_count(self):
        weights = pd.Series(1.0, ATTITUDE.index)
        weights[[3, 4]] = 0
        result = regress(Design(weights=weights))
        assert (result.n_used, result.n_dropped) == (28, 2)

    def test_one_driver(self):
        result = regress(drivers=["complaints"])
        assert result.value("importance_lmg") == pytest.approx(result.r_squared, abs=CLOSED_FORM)
        assert result.value("importance_johnson") == pytest.approx(result.r_squared, abs=CLOSED_FORM)
        assert result.value("vif") == pytest.approx(1, abs=CLOSED_FORM)
        assert result.finding().key == "drivers.single"
        assert "drivers.given_others" not in {caution.key for caution in result.finding().cautions}

    def test_many_drivers_have_johnson_only(self):
        rng = np.random.default_rng(1)
        data = pd.DataFrame(rng.normal(size=(60, 14)), columns=[f"d{i}" for i in range(14)])
        result = regress(data=data, outcome="d13", drivers=list(data.columns[:-1]))
        assert result.importance == "johnson"
        assert result.pick("importance_lmg").empty
        assert "drivers.johnson_only" in {caution.key for caution in result.finding().cautions}

    def test_without_bootstrap_there_are_no_bootstrap_intervals(self):
        for design in DESIGNS.values():
            table = regress(design, n_bootstrap=0).table
            resampled = table["quantity"].isin(["beta", "r_squared", "importance_lmg", "performance"])
            assert table.loc[resampled, ["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
            assert table.loc[table["quantity"] == "coefficient", "conf_low"].notna().all()

    def test_replicates_that_cannot_be_estimated_are_counted(self):
        data = pd.DataFrame(
            {"rare": [1.0, 1.0] + [0.0] * 10, "speed": np.arange(12.0) % 5, "y": np.arange(12.0) ** 1.5 % 7}
        )
        result = regress(data=data, outcome="y", drivers=["rare", "speed"], n_bootstrap=200)
        assert 5 < result.n_failed < 80  # a resample lacks both rare rows with probability (10/12)^12 = .11
        assert result.table.loc[result.table["quantity"] == "beta", "conf_low"].notna().all()
        assert "drivers.failed_replicates" in {caution.key for caution in result.finding().cautions}

    def test_unknown_column(self):
        with pytest.raises(InputError, match="found no column kindness"):
            regress(drivers=["complaints", "kindness"])

    @pytest.mark.parametrize(
        ("drivers", "found"), [([], "no driver"), (["raises", "raises"], "raises twice"), (["rating"], "rating twice")]
    )
    def test_names_that_cannot_be(self, drivers, found):
        with pytest.raises(InputError, match=found):
            regress(drivers=drivers)

    def test_text(self):
        with pytest.raises(InputError, match="found text in raises"):
            regress(data=ATTITUDE.assign(raises="much"))

    @pytest.mark.parametrize("column", ["raises", "rating"])
    def test_constant(self, column):
        with pytest.raises(InputError, match=f"{column} is constant"):
            regress(data=ATTITUDE.assign(**{column: 3.3}))

    def test_duplicate_driver(self):
        with pytest.raises(InputError, match="complaints, twin are collinear"):
            regress(data=ATTITUDE.assign(twin=2 * ATTITUDE["complaints"] + 1), drivers=[*DRIVERS, "twin"])

    def test_a_sum_beside_its_parts(self):
        total = ATTITUDE[["learning", "raises"]].sum(axis=1)
        with pytest.raises(InputError, match="learning, raises, total are collinear"):
            regress(data=ATTITUDE.assign(total=total), drivers=["learning", "raises", "critical", "total"])

    def test_outcome_made_of_its_drivers(self):
        with pytest.raises(InputError, match="total is an exact combination of learning, raises"):
            regress(
                data=ATTITUDE.assign(total=ATTITUDE[["learning", "raises"]].sum(axis=1)),
                outcome="total",
                drivers=["learning", "raises"],
            )

    @pytest.mark.parametrize("rows", [0, 1, 7])
    def test_too_few_rows(self, rows):
        with pytest.raises(InputError, match=f"needs at least 8 complete rows; found {rows} of {rows}"):
            regress(data=ATTITUDE.head(rows))

    def test_the_fewest_rows(self):
        result = regress(data=ATTITUDE[["complaints", "rating"]].head(3), drivers=["complaints"], n_bootstrap=0)
        assert result.pick("coefficient")["df"].item() == 1

    def test_one_cluster(self):
        with pytest.raises(InputError, match="two clusters"):
            regress(Design(clusters=pd.Series("all", ATTITUDE.index)))

    def test_a_row_that_decides_alone(self):
        alone = ATTITUDE.assign(only=(ATTITUDE.index == 4).astype(float))
        with pytest.raises(InputError, match="row 4 does"):
            regress(data=alone, drivers=["complaints", "only"])

    def test_input_is_left_alone(self):
        before = ATTITUDE.copy(deep=True)
        regress(DESIGNS["weighted; clustered"])
        pd.testing.assert_frame_equal(ATTITUDE, before)


class TestFinding:
    def test_names_the_first_and_whether_it_leads(self, plain):
        finding = plain.finding()
        shares = plain.pick("importance_lmg").set_index("term")["estimate"]
        assert finding.key == ("drivers.leads" if plain.leads else "drivers.shared")
        assert finding.values["first"] == shares.idxmax() == "complaints"
        assert finding.values["second"] == "learning"

    def test_a_clear_lead_and_a_tie(self):
        rng = np.random.default_rng(5)
        data = pd.DataFrame(rng.normal(size=(500, 2)), columns=["speed", "price"])
        for slope, key in ((0.1, "drivers.leads"), (1.0, "drivers.shared")):
            data["y"] = data["speed"] + slope * data["price"] + rng.normal(size=500)
            assert regress(data=data, outcome="y", drivers=["speed", "price"], n_bootstrap=200).finding().key == key

    def test_high_variance_inflation_is_said_with_its_rule(self):
        near = ATTITUDE["complaints"] + np.random.default_rng(0).normal(size=30)
        finding = regress(data=ATTITUDE.assign(near=near), drivers=["complaints", "near", "learning"]).finding()
        caution = next(caution for caution in finding.cautions if caution.key == "drivers.vif")
        assert caution.values["drivers"] == ["complaints", "near"]
        assert caution.rule is RULES["vif"]

    @pytest.mark.parametrize(("words", "design"), DESIGNS.items(), ids=str)
    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_reads_in_both_languages_and_claims_no_cause(self, words, design, language):
        finding = regress(design).finding()
        keys = {caution.key for caution in finding.cautions}
        assert "drivers.association" in keys
        assert ("design.few_clusters" in keys) == ("clustered" in words)  # 10 clusters
        said = Text(language, {"rating": "Overall rating"}).sentence(finding)
        assert "Overall rating" in said
        assert "{" not in said
