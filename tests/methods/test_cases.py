"""Case comparison against R, pingouin and printed results; designs; properties; edges."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit
from statsmodels.stats.multicomp import pairwise_tukeyhsd

from cxresearch.core.design import Design
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError
from cxresearch.methods.cases import compare_cases
from cxresearch.methods.group_means import group_means, ranks
from cxresearch.methods.group_samples import group_codes
from cxresearch.methods.group_tests import game_pairs
from cxresearch.methods.studentized_range import range_isf, range_sf
from cxresearch.present.text import Text

FOLDER = Path(__file__).parent.parent / "reference" / "cases"
PUBLISHED = json.loads((FOLDER / "published.json").read_text(encoding="utf-8"))
CLOSED_FORM = 1e-10
ROOTS = 1e-8  # intervals found by inverting a distribution
PTUKEY = 2e-7  # R's ptukey and qtukey are good to about seven digits
NUMBERS = ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "n"]
CHICKS = pd.read_csv(FOLDER / "chickwts.csv")
R = pd.read_csv(FOLDER / "reference.csv").fillna({"term": "", "group": "", "method": ""})
FEEDS = ["casein", "horsebean", "linseed", "meatmeal", "soybean", "sunflower"]
DESIGNS = {
    "": Design(),
    "weighted": Design(weights=CHICKS["design"]),
    "clustered": Design(clusters=CHICKS["pen"]),
    "weighted; clustered": Design(CHICKS["design"], CHICKS["pen"]),
}


def compare(design=None, data=CHICKS, measures="weight", by="feed", **options):
    return compare_cases(data, measures, by=by, design=design, **{"n_bootstrap": 40, **options})


def reference(quantity, method):
    rows = R[(R["quantity"] == quantity) & (R["method"] == method)]
    assert len(rows) > 0
    return rows


def agree(ours, theirs, rtol, atol=0.0):
    for key in ("term", "group"):
        assert ours[key].tolist() == theirs[key].tolist()
    for name in NUMBERS:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, atol=atol, err_msg=name)


@pytest.fixture(scope="module")
def plain():
    return compare(n_bootstrap=500)


class TestAgainstR:
    @pytest.mark.parametrize(("words", "design"), DESIGNS.items(), ids=str)
    def test_group_means(self, words, design):
        rows = compare(design).pick("group_mean")
        agree(
            rows[rows["method"] == "; ".join(filter(None, [words, "by feed"]))],
            reference("group_mean", words or "plain"),
            1e-9,
        )

    def test_weighted_studies_write_unweighted_means_too(self):
        rows = compare(DESIGNS["weighted; clustered"]).pick("group_mean")
        agree(rows[rows["method"] == "unweighted; clustered; by feed"], reference("group_mean", "clustered"), 1e-9)
        rows = compare(DESIGNS["weighted"]).pick("group_mean", method="unweighted")
        agree(rows, reference("group_mean", "plain"), CLOSED_FORM)
        assert set(rows["method"]) == {"unweighted; by feed"}

    def test_explained_variance_says_that_it_ignores_clusters(self):
        for quantity in ("eta_squared", "omega_squared"):
            methods = {words: compare(design).pick(quantity)["method"].item() for words, design in DESIGNS.items()}
            assert methods == {
                "": "noncentral f; by feed" if quantity == "eta_squared" else "by feed",
                "weighted": "weighted; by feed",
                "clustered": "ignores clusters; by feed",
                "weighted; clustered": "weighted; ignores clusters; by feed",
            }

    @pytest.mark.parametrize("quantity", ["welch_f", "welch_df_denominator", "kruskal_h", "omega_squared"])
    def test_overall_tests(self, plain, quantity):
        agree(plain.pick(quantity), reference(quantity, "plain"), CLOSED_FORM)

    def test_eta_squared_with_its_interval(self, plain):
        agree(plain.pick("eta_squared"), reference("eta_squared", "plain"), ROOTS)

    def test_games_howell(self, plain):
        agree(plain.pick("mean_difference"), reference("mean_difference", "games howell"), 1e-6, atol=5e-6)

    @pytest.mark.parametrize("quantity", ["cohens_d", "hedges_g"])
    def test_effect_sizes_with_intervals(self, plain, quantity):
        agree(plain.pick(quantity), reference(quantity, "plain"), ROOTS, atol=1e-9)

    @pytest.mark.parametrize("kind", ["pen", "coop", "row"])  # shared by feeds, within feeds, none
    def test_wald_and_pairs_of_a_design(self, kind):
        clusters = None if kind == "row" else CHICKS[kind]
        result = compare(Design(CHICKS["design"], clusters))
        for quantity in ("wald_f", "wald_df_denominator"):
            agree(result.pick(quantity), reference(quantity, kind), 1e-9)
        agree(result.pick("mean_difference"), reference("mean_difference", kind), 1e-6, atol=5e-6)

    def test_studentized_range(self):
        table = pd.read_csv(FOLDER / "studentized_range.csv")
        for groups, rows in table.groupby("groups"):
            df = rows["df"].to_numpy()
            np.testing.assert_allclose(range_sf(rows["q"].to_numpy(), int(groups), df), rows["sf"], atol=PTUKEY)
            np.testing.assert_allclose(range_isf(0.05, int(groups), df), rows["q95"], rtol=1e-6)


class TestAgainstOthers:
    def test_plant_growth_as_printed(self):
        printed = PUBLISHED["plant_growth"]
        data = pd.DataFrame({name: printed[name] for name in ("ctrl", "trt1", "trt2")}).melt(
            var_name="group", value_name="y"
        )
        result = compare(data=data, measures="y", by="group")
        welch, kruskal = result.pick("welch_f").iloc[0], result.pick("kruskal_h").iloc[0]
        assert welch["estimate"] == pytest.approx(printed["welch_f"], abs=5e-4)
        assert welch["df"] == 2
        assert result.value("welch_df_denominator") == pytest.approx(printed["welch_df_denominator"], abs=5e-4)
        assert welch["p_value"] == pytest.approx(printed["welch_p"], abs=5e-6)
        assert kruskal["estimate"] == pytest.approx(printed["kruskal_h"], abs=5e-5)
        assert kruskal["p_value"] == pytest.approx(printed["kruskal_p"], abs=5e-6)

    def test_games_howell_as_pingouin(self, plain):
        rows = plain.pick("mean_difference").set_index("term")
        for pair, theirs in PUBLISHED["games_howell"].items():
            if pair != "source":
                assert rows.loc[pair, ["std_error", "statistic", "df", "p_value"]].tolist() == pytest.approx(
                    theirs, rel=1e-7
                )

    def test_games_howell_intervals_as_statsmodels(self, plain):
        theirs = pairwise_tukeyhsd(CHICKS["weight"], CHICKS["feed"], use_var="unequal")
        ours = plain.pick("mean_difference")
        np.testing.assert_allclose(-ours["estimate"], theirs.meandiffs, rtol=CLOSED_FORM)
        np.testing.assert_allclose(ours["p_value"], theirs.pvalues, atol=1e-9)
        np.testing.assert_allclose(-ours[["conf_high", "conf_low"]], theirs.confint, rtol=1e-7)

    def test_studentized_range_as_scipy(self):
        from scipy.stats import studentized_range

        q = np.array([0.5, 3.0, 8.0])
        for groups, df in ((2, 2.0), (5, 7.5), (12, 40.0), (30, 900.0)):
            np.testing.assert_allclose(
                range_sf(q, groups, np.full(3, df)), studentized_range.sf(q, groups, df), atol=1e-9
            )

    def test_two_groups_are_the_t_test_of_welch(self):
        from scipy.stats import ttest_ind

        two = CHICKS[CHICKS["feed"].isin(["casein", "linseed"])]
        result = compare(data=two)
        first, second = (two.loc[two["feed"] == name, "weight"] for name in ("casein", "linseed"))
        theirs = ttest_ind(first, second, equal_var=False)
        row = result.pick("mean_difference").iloc[0]
        assert row["p_value"] == pytest.approx(theirs.pvalue, rel=1e-8)
        assert row["df"] == pytest.approx(theirs.df, rel=CLOSED_FORM)
        bounds = theirs.confidence_interval()
        assert [row["conf_low"], row["conf_high"]] == pytest.approx([bounds.low, bounds.high], rel=1e-8)
        assert result.pick("welch_f")["p_value"].item() == pytest.approx(theirs.pvalue, rel=1e-8)


class TestDesign:
    def test_wald_of_a_simple_sample_would_be_welch(self):
        weighted = compare(Design(weights=pd.Series(3.0, CHICKS.index)))
        wald, welch = weighted.pick("wald_f").iloc[0], weighted.pick("welch_f").iloc[0]
        for name in ("estimate", "df", "p_value"):
            assert wald[name] == pytest.approx(welch[name], rel=1e-9)

    def test_equal_weights_and_own_clusters_change_nothing(self, plain):
        design = Design(pd.Series(2.0, CHICKS.index), pd.Series(CHICKS.index, CHICKS.index))
        result = compare(design)
        for quantity in ("mean_difference", "eta_squared", "omega_squared"):
            np.testing.assert_allclose(result.pick(quantity)["estimate"], plain.pick(quantity)["estimate"], rtol=1e-9)
        np.testing.assert_allclose(
            result.pick("mean_difference")[NUMBERS], plain.pick("mean_difference")[NUMBERS], rtol=1e-8
        )

    def test_methods_say_what_they_heed(self):
        methods = compare(DESIGNS["weighted; clustered"]).table.groupby("quantity")["method"].agg(set)
        assert methods["kruskal_h"] == {"unweighted; ignores clusters; by feed"}
        assert methods["welch_f"] == {"welch; unweighted; ignores clusters; by feed"}
        assert methods["mean_difference"] == {"games howell; weighted; clustered; by feed"}
        assert methods["rank"] == {"percentile bootstrap; weighted; clustered; by feed"}
        assert compare().pick("wald_f").empty

    def test_every_method_ends_in_the_column(self):
        for design in DESIGNS.values():
            assert compare(design).table["method"].str.endswith("by feed").all()

    def test_clusters_that_differ_widen_everything(self):
        rng = np.random.default_rng(4)
        branch = np.repeat(np.arange(24), 30)
        data = pd.DataFrame({"score": rng.normal(size=24)[branch] + rng.normal(size=720), "company": branch % 3})
        by_row = compare(data=data, measures="score", by="company")
        by_branch = compare(Design(clusters=pd.Series(branch)), data, "score", "company")
        for quantity in ("group_mean", "mean_difference"):
            wide, narrow = (r.pick(quantity)["std_error"].to_numpy() for r in (by_branch, by_row))
            assert (wide > 2 * narrow).all()
        wide, narrow = (r.pick("hedges_g").eval("conf_high - conf_low").to_numpy() for r in (by_branch, by_row))
        assert (wide > 2 * narrow).all()
        assert by_branch.pick("group_mean")["df"].tolist() == [7, 7, 7]

    def test_groups_that_share_clusters_are_compared_within_them(self):
        rng = np.random.default_rng(4)
        branch, quarter = np.repeat(np.arange(30), 40), np.tile([1, 2], 600)
        data = pd.DataFrame({"score": 2 * rng.normal(size=30)[branch] + rng.normal(size=1200), "quarter": quarter})
        result = compare(Design(clusters=pd.Series(branch)), data, "score", "quarter")
        pair, means = result.pick("mean_difference").iloc[0], result.pick("group_mean")
        assert pair["std_error"] < 0.3 * means["std_error"].min()
        assert pair["df"] <= 29
        assert pair["p_value"] == pytest.approx(result.pick("wald_f")["p_value"].item(), rel=0.05)

    def test_weights_move_the_mean(self):
        result = compare(DESIGNS["weighted"])
        feed = CHICKS[CHICKS["feed"] == "casein"]
        expected = np.average(feed["weight"], weights=feed["design"])
        rows = result.pick("group_mean", group="casein").set_index("method")["estimate"]
        assert rows["weighted; by feed"] == pytest.approx(expected, rel=CLOSED_FORM)
        assert rows["unweighted; by feed"] == pytest.approx(feed["weight"].mean(), rel=CLOSED_FORM)

    def test_a_group_with_one_cluster_has_a_mean_and_no_error(self):
        pens = CHICKS["pen"].astype(str).where(CHICKS["feed"] != "casein", "alone")
        result = compare(Design(clusters=pens))
        row = result.pick("group_mean", group="casein").iloc[0]
        assert np.isfinite(row["estimate"])
        assert np.isnan(row[["std_error", "conf_low", "conf_high"]].astype(float)).all()
        assert result.lone == ("casein",)
        assert result.pick("rank")["conf_low"].isna().all()
        others = result.pick("mean_difference").set_index("term")["p_value"]
        assert others.filter(like="casein").isna().all()
        assert others.drop(others.filter(like="casein").index).notna().all()
        keys = {caution.key for caution in result.finding().cautions}
        assert {"cases.lone", "cases.fallback_welch"} <= keys


class TestRanks:
    def test_highest_is_first(self, plain):
        rows = plain.pick("rank").set_index("group")["estimate"]
        assert rows.sort_values().index.tolist() == [
            "sunflower",
            "casein",
            "meatmeal",
            "soybean",
            "linseed",
            "horsebean",
        ]

    def test_intervals_are_ranks_around_the_estimate(self, plain):
        rows = plain.pick("rank")
        assert (rows["conf_low"] <= rows["estimate"]).all()
        assert (rows["estimate"] <= rows["conf_high"]).all()
        assert set(rows[["conf_low", "conf_high"]].to_numpy().ravel()) <= set(range(1, 7))
        assert rows.set_index("group").loc["horsebean", ["conf_low", "conf_high"]].tolist() == [6, 6]

    def test_ties_share_the_better_rank(self):
        assert ranks(np.array([[2.0, 5.0, 5.0, np.nan]])).tolist()[0][:3] == [3, 1, 1]
        assert np.isnan(ranks(np.array([2.0, np.nan]))[1])

    def test_same_seed_same_ranks_and_none_without_bootstrap(self, plain):
        pd.testing.assert_frame_equal(compare(n_bootstrap=500).table, plain.table)
        assert compare(n_bootstrap=0).pick("rank")["conf_low"].isna().all()


class TestSeveralMeasures:
    DATA = CHICKS.assign(other=np.random.default_rng(1).normal(size=71))

    def test_each_as_if_alone(self):
        both = compare(data=self.DATA, measures=["weight", "other"], pairs="none")
        assert both.measures == ("weight", "other")
        for measure in both.measures:
            alone = compare(data=self.DATA, measures=measure, pairs="none").table
            pd.testing.assert_frame_equal(both.table[both.table["scale"] == measure].reset_index(drop=True), alone)

    def test_pairs_can_be_left_out(self):
        table = compare(data=self.DATA, measures=["weight", "other"], pairs="none").table
        assert not {"mean_difference", "hedges_g"} & set(table["quantity"])

    def test_each_uses_its_own_rows(self):
        gaps = self.DATA.copy()
        gaps.loc[[0, 1], "other"] = np.nan
        result = compare(data=gaps, measures=["weight", "other"], pairs="none")
        assert result.pick("kruskal_h")["n"].tolist() == [71, 69]
        assert (result.n_used, result.n_dropped) == (71, 0)

    def test_finding_names_where_they_differ_most(self):
        finding = compare(data=self.DATA, measures=["other", "weight"], pairs="none").finding()
        assert finding.key == "cases.profile"
        assert (finding.values["differ"], finding.values["most"]) == (["weight"], "weight")


class TestEdges:
    def test_codes_are_text_without_decimals(self):
        assert group_codes(pd.Series([1.0, 2.0, np.nan])).tolist()[:2] == ["1", "2"]
        numbered = CHICKS.assign(feed=pd.factorize(CHICKS["feed"])[0] * 5.0)
        assert compare(data=numbered).groups == ("0", "5", "10", "15", "20", "25")  # by number, not by letter

    def test_rows_without_group_or_answer_are_dropped_and_counted(self):
        gaps = CHICKS.astype({"weight": float})
        gaps.loc[0, "weight"] = np.nan
        gaps.loc[[1, 70], "feed"] = None
        result = compare(data=gaps)
        assert (result.n_used, result.n_dropped) == (68, 3)
        assert result.pick("group_mean")["n"].sum() == 68

    def test_small_groups_are_left_out_and_named(self):
        few = pd.concat([CHICKS, pd.DataFrame({"weight": [100, 300], "feed": ["oats", "rye"]})], ignore_index=True)
        result = compare(data=few, min_group=11)
        assert result.left_out == ("horsebean", "oats", "rye")
        assert result.groups == ("casein", "linseed", "meatmeal", "soybean", "sunflower")
        caution = next(c for c in result.finding().cautions if c.key == "cases.left_out")
        assert caution.values["least"] == 11
        assert [str(code) for code in caution.values["groups"]] == list(result.left_out)

    def test_empty_categories_do_not_count(self):
        empty = CHICKS.assign(feed=pd.Categorical(CHICKS["feed"], categories=[*FEEDS, "oats"]))
        assert compare(data=empty).groups == tuple(FEEDS)

    def test_a_group_without_variation(self):
        flat = CHICKS.assign(weight=CHICKS["weight"].where(CHICKS["feed"] != "casein", 300))
        result = compare(data=flat)
        assert result.pick("welch_f").empty
        assert len(result.pick("kruskal_h")) == 1
        assert result.pick("mean_difference")["p_value"].notna().all()
        assert "cases.fallback_kruskal" in {caution.key for caution in result.finding().cautions}

    def test_groups_of_two_without_variation(self):
        data = pd.DataFrame({"y": [1.0, 1, 2, 2, 3, 4], "g": list("aabbcc")})
        result = compare(data=data, measures="y", by="g")
        pairs = result.pick("mean_difference").set_index("term")
        assert np.isnan(pairs.loc["a - b", "p_value"])
        assert np.isfinite(pairs.loc["a - c", "p_value"])
        assert np.isnan(result.pick("hedges_g", term="a - b")["estimate"].item())

    @pytest.mark.parametrize("groups", [["casein"], []])
    def test_fewer_than_two_groups(self, groups):
        found = "casein \\(12\\) in `feed`" if groups else "no row of 0 with both `weight` and `feed`"
        with pytest.raises(InputError, match=f"two groups of at least 2 rows; found {found}"):
            compare(data=CHICKS[CHICKS["feed"].isin(groups)])

    def test_constant_measure(self):
        with pytest.raises(InputError, match="`weight` must vary; all 71 rows are 5"):
            compare(data=CHICKS.assign(weight=5))

    def test_unknown_column(self):
        with pytest.raises(InputError, match="found no column company"):
            compare(by="company")

    @pytest.mark.parametrize("measures", [[], ["feed"], ["weight", "weight"]])
    def test_measures_that_cannot_be(self, measures):
        with pytest.raises(InputError, match="must name different columns"):
            compare(measures=measures)

    def test_text(self):
        with pytest.raises(InputError, match="found text in word"):
            compare(data=CHICKS.assign(word="much"), measures="word")

    @pytest.mark.parametrize(("option", "value"), [("min_group", 1), ("pairs", "tukey")])
    def test_options(self, option, value):
        with pytest.raises(InputError, match=f"`{option}` must be"):
            compare(**{option: value})

    def test_input_is_left_alone(self):
        before = CHICKS.copy(deep=True)
        compare(DESIGNS["weighted; clustered"])
        pd.testing.assert_frame_equal(CHICKS, before)


class TestFinding:
    def test_says_who_differs(self, plain):
        finding = plain.finding()
        assert finding.key == "cases.differ"
        assert (finding.values["first"], finding.values["last"]) == ("sunflower", "horsebean")
        assert finding.rule is RULES["significance"]
        pairs = next(caution for caution in finding.cautions if caution.key == "cases.pairs")
        below = plain.pick("mean_difference").query("p_value < 0.05")["term"].tolist()
        assert [str(pair) for pair in pairs.values["pairs"]] == below
        assert any(caution.key == "cases.effect_large" and caution.rule.value == 0.8 for caution in finding.cautions)

    @pytest.mark.parametrize(
        ("words", "test", "said"),
        [("", "welch_f", "(Welch's F: p < .001,"), ("clustered", "wald_f", "(the design's Wald test: p ")],
    )
    def test_says_which_test_its_p_belongs_to(self, words, test, said):
        result = compare(DESIGNS[words])
        finding = result.finding()
        assert finding.values["test"] == test
        assert finding.values["p"] == result.pick(test)["p_value"].item()
        assert said in Text("en").sentence(finding)
        several = compare(DESIGNS[words], CHICKS.assign(other=CHICKS["weight"] ** 2), ["weight", "other"]).finding()
        assert several.values["tests"] == [test]
        assert said.removesuffix("p ").split(": p")[0] in Text("en").sentence(several)

    @pytest.mark.parametrize(("n_clusters", "few"), [(19, True), (20, False)])
    def test_few_clusters_are_told(self, n_clusters, few):
        result = compare(Design(clusters=pd.Series(np.arange(len(CHICKS)) % n_clusters, CHICKS.index)))
        told = [caution for caution in result.finding().cautions if caution.key == "design.few_clusters"]
        assert [caution.values["clusters"] for caution in told] == [n_clusters] * few
        assert all(caution.rule is RULES["clusters"] for caution in told)

    def test_no_difference_is_not_called_equality(self):
        data = pd.DataFrame({"y": np.random.default_rng(0).normal(size=300), "g": np.arange(300) % 3})
        finding = compare(data=data, measures="y", by="g").finding()
        assert finding.key == "cases.no_difference"
        assert "not to say that they are equal" in Text("en").sentence(finding)

    @pytest.mark.parametrize(("words", "design"), DESIGNS.items(), ids=str)
    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_reads_in_both_languages_with_labels(self, words, design, language):
        said = Text(language, {"feed=sunflower": "Sunflower seed", "feed": "Kind of feed"}).sentence(
            compare(design).finding()
        )
        assert "Sunflower seed" in said
        assert "Kind of feed" in said
        assert "{" not in said
        heedless = {"en": "Kruskal-Wallis", "zh": "Kruskal-Wallis"}[language]
        assert (heedless in said) == bool(words)


def test_intervals_hold_true_means_and_pairs_as_often_as_they_should():
    rng = np.random.default_rng(8)
    truth, runs = np.array([0.0, 0.3, 0.3]), 150
    branch = np.repeat(np.arange(36), 12)
    group, design, index = branch % 3, Design(clusters=pd.Series(branch)), pd.RangeIndex(432)
    held, families = np.zeros(3), 0
    for _ in range(runs):
        score = truth[group] + 0.5 * rng.normal(size=36)[branch] + rng.normal(size=432) * (1 + group)
        means = group_means(score, group, ("a", "b", "c"), design, index)
        held += np.abs(means.mean - truth) <= stdtrit(means.df, 0.975) * means.std_error
        pairs, gaps = game_pairs(means), truth[[0, 0, 1]] - truth[[1, 2, 2]]
        families += ((pairs["conf_low"] <= gaps) & (gaps <= pairs["conf_high"])).all()
    assert 0.92 <= held.mean() / runs <= 0.98  # 450 intervals: three standard errors are 0.03
    assert 0.9 <= families / runs <= 0.99


def test_a_measure_without_answers_is_left_out_of_several_and_named():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"score": rng.normal(size=40), "empty": np.nan, "constant": 3.0, "company": list("ab") * 20})
    result = compare_cases(data, ["score", "empty", "constant"], by="company", n_bootstrap=20)
    assert (result.measures, result.unusable) == (("score",), ("empty", "constant"))
    assert set(result.table["scale"]) == {"score"}
    caution = next(caution for caution in result.finding().cautions if caution.key == "cases.unusable")
    assert caution.values["measures"] == ["empty", "constant"]
    with pytest.raises(InputError, match="found no row of 40 with both `empty` and `company`"):
        compare_cases(data, "empty", by="company")


def test_groups_that_do_not_vary_say_the_same_with_weights():
    """A weighted mean of one and the same number may miss it by a rounding, which is no variance."""
    data = pd.DataFrame({"score": np.repeat([4.1, 3.3], 150), "company": np.repeat(["A", "B"], 150)})
    weights = pd.Series(np.random.default_rng(2).uniform(0.3, 3, 300))
    for design in (None, Design(weights=weights), Design(weights, pd.Series(np.arange(300) // 5))):
        result = compare(design, data, "score", "company")
        assert (result.pick("group_mean")["std_error"] == 0).all()
        assert result.pick("hedges_g")["estimate"].isna().all()
        assert result.pick("mean_difference")["p_value"].isna().all()
        assert result.pick("wald_f").empty
        assert result.value("eta_squared") == pytest.approx(1, abs=CLOSED_FORM)


def test_a_group_without_any_answer_is_named_as_left_out():
    silent = pd.DataFrame({"weight": [np.nan] * 30, "feed": ["oats"] * 30})
    result = compare(data=pd.concat([CHICKS, silent], ignore_index=True))
    assert (result.groups, result.left_out) == (tuple(FEEDS), ("oats",))
    caution = next(caution for caution in result.finding().cautions if caution.key == "cases.left_out")
    assert Text().sentence(caution) == "Left out, as fewer than 2 rows have an answer: oats."
    assert "oats" in Text("zh").sentence(caution)


def test_a_blank_cell_of_the_profile_is_explained():
    data = CHICKS.assign(second=CHICKS["weight"].where(CHICKS["feed"] != "casein"))
    result = compare(data=data, measures=["weight", "second"])
    caution = next(caution for caution in result.finding().cautions if caution.key == "cases.left_out_of_some")
    assert [str(code) for code in caution.values["groups"]] == ["casein"]
    assert "blank in the table) on which fewer than 2 of its rows have an answer: casein." in Text().sentence(caution)
    assert "表中留空" in Text("zh").sentence(caution)


def test_a_further_comparison_repeats_no_reservation_but_all_that_it_found():
    """Of two columns without clear pairs, the second one still says so; what limits both is said once."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"score": rng.normal(size=240)}).assign(
        **{name: rng.permutation(np.repeat(list("abc"), 80)) for name in ("company", "region")}
    )
    weights = Design(weights=pd.Series(rng.uniform(0.5, 2, 240)))
    first, second = (
        compare_cases(frame, "score", by=by, design=weights, n_bootstrap=50) for by in ("company", "region")
    )
    keys = [caution.key for caution in second.finding().after(first.finding()).cautions]
    assert "cases.no_pairs" in keys
    assert {caution.key for caution in second.finding().cautions} - set(keys) == {
        "cases.heedless_weights",
        "cases.association",
    }
