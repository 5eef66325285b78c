"""Data quality and sample profile, against R and published intervals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.design import Design
from cxresearch.core.results import GroupCode
from cxresearch.errors import InputError
from cxresearch.methods.flags import FLAGS as FLAG_RULES
from cxresearch.methods.quality import check_quality, find_copies
from cxresearch.methods.sample import check_sample
from cxresearch.methods.shares import design_share, wilson_share
from cxresearch.present.text import Text, catalogue

nan = np.nan
CLOSED_FORM = 1e-10
ITERATED = 1e-8  # svyciprop finds the ends by an iterative fit
REFERENCE = pd.read_csv(Path(__file__).parent.parent / "reference/shares/reference.csv")
NEWCOMBE = [  # Newcombe (1998) Statistics in Medicine 17:857-872, table I, method 3: Wilson's score interval
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]
GROUPS = pd.DataFrame({"company": list("abacabbacaba")})
WEIGHTS = pd.Series([0.5, 1.2, 2, 0.7, 1, 1.5, 0.3, 2.2, 1, 0.9, 1.1, 0.6])
CLUSTERS = pd.Series(list("112233455566"))
DESIGNS = {
    "weighted": Design(weights=WEIGHTS),
    "clustered": Design(clusters=CLUSTERS),
    "both": Design(WEIGHTS, CLUSTERS),
}


@pytest.mark.parametrize(("count", "n", "low", "high"), NEWCOMBE)
def test_wilson_interval_as_published(count, n, low, high):
    share = wilson_share(np.array([count]), n)
    assert share.estimate[0] == count / n
    assert share.low[0] == pytest.approx(low, abs=0.00005)
    assert share.high[0] == pytest.approx(high, abs=0.00005)


@pytest.mark.parametrize(
    "row", list(REFERENCE[REFERENCE["design"] == "wilson"].itertuples()), ids=lambda row: row.group
)
def test_wilson_interval_as_in_r(row):
    count, n = map(int, row.group.split("/"))
    share = wilson_share(np.array([count]), n)
    assert [share.low[0], share.high[0]] == pytest.approx([row.conf_low, row.conf_high], rel=CLOSED_FORM, abs=1e-15)


def test_no_rows_have_no_share():
    share = wilson_share(np.array([0.0]), 0)
    assert np.isnan([share.estimate[0], share.low[0], share.high[0]]).all()


@pytest.mark.parametrize("name", DESIGNS)
def test_shares_of_groups_as_in_r(name):
    expected = REFERENCE[REFERENCE["design"] == name].set_index("group")
    found = check_sample(GROUPS, design=DESIGNS[name]).pick("group_share").set_index("group")
    for column in ("estimate", "std_error", "df", "conf_low", "conf_high"):
        rtol = ITERATED if column.startswith("conf") else CLOSED_FORM
        np.testing.assert_allclose(found[column], expected[column].loc[found.index], rtol=rtol)
    assert set(found["n"]) == {12}
    assert set(found["method"]) == {f"{DESIGNS[name].words}; logit"}


def test_weights_do_not_touch_counts_and_leave_the_unweighted_shares_beside():
    sample = check_sample(GROUPS, design=DESIGNS["both"])
    assert [sample.value("group_count", term="company", group=code) for code in "abc"] == [6, 4, 2]
    plain = sample.records().query("method == 'unweighted; clustered; logit'").set_index("group")
    expected = REFERENCE[REFERENCE["design"] == "clustered"].set_index("group")
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        np.testing.assert_allclose(plain[column], expected[column], rtol=ITERATED)
    assert check_sample(GROUPS, design=DESIGNS["clustered"]).unweighted.empty
    only_weights = check_sample(GROUPS, design=DESIGNS["weighted"])
    assert set(only_weights.unweighted["method"]) == {"unweighted; wilson"}


def test_equal_weights_change_no_share_and_a_group_that_is_all_has_no_logit():
    ones = Design(weights=pd.Series(np.full(12, 3.0)))
    weighted, plain = check_sample(GROUPS, design=ones), check_sample(GROUPS)
    np.testing.assert_allclose(weighted.pick("group_share")["estimate"], plain.pick("group_share")["estimate"])
    share = design_share(np.ones((4, 1)), np.ones(4), np.arange(4))
    assert share.estimate[0] == 1
    assert np.isnan([share.low[0], share.high[0]]).all()


def test_shares_of_a_single_cluster_have_no_error_and_no_interval():
    share = design_share(np.array([[1.0], [0.0], [1.0]]), np.ones(3), np.zeros(3, int))
    assert share.estimate[0] == pytest.approx(2 / 3)
    assert share.df == 0
    assert np.isnan([share.std_error[0], share.low[0], share.high[0]]).all()


def test_shares_are_of_the_rows_whose_group_is_known():
    groups = pd.DataFrame({"wave": ["10", "2", None, "2"], "region": [None] * 4}, index=[3, 5, 7, 9])
    sample = check_sample(groups, design=Design(weights=pd.Series([1.0, 1, 5, 2], index=[3, 5, 7, 9])))
    shares = sample.pick("group_share")
    assert shares["group"].tolist() == ["2", "10"]
    np.testing.assert_allclose(shares["estimate"], [0.75, 0.25])
    assert set(shares["n"]) == {3}
    assert sample.value("group_count", term="everyone") == 4
    assert sample.value("missing_share", term="wave") == 0.25
    assert sample.value("missing_share", term="region") == 1


def test_small_groups_are_hidden():
    sample = check_sample(GROUPS, min_group=4)
    assert sample.pick("group_share")["group"].tolist() == ["a", "b"]
    assert sample.hidden == {"company": 1}
    assert sample.value("group_share", term="company", group="a") == 0.5
    nobody = check_sample(GROUPS, min_group=50)
    assert nobody.pick("group_share").empty
    assert nobody.hidden == {"company": 3}


def test_the_sample_in_words():
    finding = check_sample(pd.DataFrame({"company": ["1", "1", "2", None]})).finding()
    assert finding.values == {"n": 4, "terms": ["company"]}
    largest, missing = finding.cautions
    assert (largest.values["group"], largest.values["share"]) == (GroupCode("1", "company"), pytest.approx(2 / 3))
    assert missing.values == {"term": "company", "share": 0.25}
    text = Text("en", {"company": "Company", "company=1": "Cedar"})
    assert "Company: the largest group is Cedar with 66.7%" in text.sentence(finding)
    nobody = check_sample(pd.DataFrame(index=range(5)))
    assert "5 questionnaires; the study file names no groups" in text.sentence(nobody.finding())
    hidden = check_sample(GROUPS, min_group=4).finding()
    assert "groups too small to be shown: 1" in text.sentence(hidden)


EFFECTS = pd.read_csv(Path(__file__).parent.parent / "reference/quality/design_effects.csv")
OUTCOME = pd.Series([2.5, 3, 1, 4, 5, 4.5, 2, 1.5, 3.5, 4, 2, 5], name="satisfaction")
Q1_LOG = pd.DataFrame({"n_rows": 12, "n_out_of_scale": 0}, index=["q1"])
NO_FLAGS = pd.DataFrame({"duplicate": [False] * 12})
ALL_ROWS = pd.DataFrame({"reason": ["rows_read", "rows_used"], "n": [12, 12]})
ANSWERS = pd.DataFrame(
    {
        "q1": [1.0, nan, 3, 4, 5],
        "q2": [1.0, 2, 3, nan, 5],
        "q3": [2.0, 2, 2, 2, nan],
        "q4": [nan] * 5,
        "q5": [5.0, 4, 4, 1, 2],
    }
)
ITEM_LOG = pd.DataFrame(
    {"n_rows": 5, "n_missing": [1, 1, 1, 5, 0], "n_missing_code": 0, "n_out_of_scale": [0, 0, 1, 3, 0], "n_text": 0},
    index=list(ANSWERS),
)
FLAGS = pd.DataFrame(
    {"duplicate": [True] + [False] * 7, "straightliner": [False] * 6 + [True] * 2, "speeder": [False] * 7 + [True]}
)
ROW_LOG = pd.DataFrame({"reason": ["rows_read", "where", "duplicate", "rows_used"], "n": [10, 2, 3, 5]})


@pytest.fixture(scope="module")
def quality():
    weights = Design(weights=pd.Series([1.0, 2, 3, 4, 0]))
    return check_quality(ANSWERS, ITEM_LOG, flags=FLAGS, row_log=ROW_LOG, design=weights)


def test_rows_are_counted_by_reason(quality):
    assert quality.value("rows_read") == 10
    assert quality.value("rows_used") == quality.n_used == 5
    assert quality.value("rows_dropped", term="") == quality.n_dropped == 5
    assert quality.value("rows_dropped", term="where") == 2
    assert quality.value("rows_dropped", term="duplicate") == 3


def test_missing_and_impossible_answers(quality):
    missing = quality.pick("missing_share").set_index("term")
    assert missing["estimate"].to_dict() == {"q1": 0.2, "q2": 0.2, "q3": 0.2, "q4": 1.0, "q5": 0.0}
    assert set(missing["n"]) == {5}
    one = wilson_share(np.array([1]), 5)
    assert missing.loc["q1", ["std_error", "conf_low", "conf_high"]].tolist() == [one.std_error, one.low, one.high]
    assert quality.value("out_of_range", term="q4") == 0.6
    assert quality.missing == 8 / 25


def test_flags_are_shares_of_the_rows_judged(quality):
    shares = {
        name: quality.value(name) for name in ("duplicate_rows", "straightlining", "speeders", "careless_flagged")
    }
    assert shares == {"duplicate_rows": 1 / 8, "straightlining": 2 / 8, "speeders": 1 / 8, "careless_flagged": 2 / 8}
    assert quality.pick("speeders")["n"].item() == 8
    assert "below 0.5 of the median time" in quality.pick("speeders")["method"].item()
    fewer = check_quality(ANSWERS, ITEM_LOG, flags=FLAGS[["duplicate"]], row_log=ROW_LOG)
    assert fewer.pick("speeders").empty
    assert fewer.pick("careless_flagged").empty


def test_the_design_effect_of_weights_is_kishs(quality):
    assert quality.value("design_effect") == pytest.approx(5 * 30 / 10**2, rel=CLOSED_FORM)
    assert check_quality(ANSWERS, ITEM_LOG, flags=FLAGS, row_log=ROW_LOG).pick("design_effect").empty


@pytest.mark.parametrize("row", list(EFFECTS.itertuples()), ids=lambda row: row.design)
def test_the_design_effect_on_the_mean_of_the_outcome_as_in_r(row):
    design = DESIGNS[row.design]
    found = check_quality(
        OUTCOME.to_frame("q1"), Q1_LOG, flags=NO_FLAGS, row_log=ALL_ROWS, design=design, outcome=OUTCOME
    )
    assert found.value("design_effect", term="satisfaction") == pytest.approx(row.deff, rel=CLOSED_FORM)
    assert found.value("effective_n", term="satisfaction") == pytest.approx(12 / row.deff, rel=CLOSED_FORM)
    [told] = [caution for caution in found.finding().cautions if caution.key == "quality.design"]
    assert told.values == {
        "scale": "satisfaction",
        "design": [word for word in ("weighted", "clustered") if row.design in (word, "both")],
        "effect": pytest.approx(row.deff),
        "n": 12,
        "effective": 12 / told.values["effect"],
    }
    assert "times that of a simple random sample (design effect): for it, the 12 respondents" in Text().sentence(told)
    named = {
        "weighted": ("weighted", "加权"),
        "clustered": ("clustered", "整群抽样"),
        "both": ("weighted, clustered", "加权、整群抽样"),
    }
    assert f"sampling design ({named[row.design][0]}) makes" in Text().sentence(told)
    assert f"抽样设计（{named[row.design][1]}）使" in Text("zh").sentence(told)


def test_a_design_that_says_nothing_has_no_effect_on_the_mean():
    plain = check_quality(OUTCOME.to_frame("q1"), Q1_LOG, flags=NO_FLAGS, row_log=ALL_ROWS, outcome=OUTCOME)
    assert plain.pick("design_effect").empty
    for changed in (OUTCOME * 0, OUTCOME.where(OUTCOME.index < 1)):
        found = check_quality(
            OUTCOME.to_frame("q1"), Q1_LOG, flags=NO_FLAGS, row_log=ALL_ROWS, design=DESIGNS["both"], outcome=changed
        )
        assert found.pick("design_effect", term="satisfaction").empty
        assert found.value("design_effect", term="") == pytest.approx(
            DESIGNS["both"].weights_on(OUTCOME.index) @ DESIGNS["both"].weights_on(OUTCOME.index) / 12
        )
    single = Design(clusters=pd.Series(["a"] * 12))
    found = check_quality(
        OUTCOME.to_frame("q1"), Q1_LOG, flags=NO_FLAGS, row_log=ALL_ROWS, design=single, outcome=OUTCOME
    )
    assert found.pick("design_effect").empty


def test_indices_are_shares_and_their_overlap_is_told():
    flags = pd.DataFrame(
        {
            "duplicate": [True] * 4,
            "straightliner": [True, False, False, False],
            "long_string": [True, False, False, False],
            "low_variability": [True, True, False, False],
            "mahalanobis": [False, True, True, False],
            "several_indices": [True, True, False, False],
        }
    )
    found = check_quality(OUTCOME.to_frame("q1"), Q1_LOG, flags=flags, row_log=ALL_ROWS)
    shares = {
        name: found.value(name)
        for name in ("long_strings", "low_variability", "mahalanobis_outliers", "several_indices")
    }
    assert shares == {"long_strings": 0.25, "low_variability": 0.5, "mahalanobis_outliers": 0.5, "several_indices": 0.5}
    assert found.value("careless_flagged") == 0.5
    assert found.value("careless_flagged", method="any of these; 2 or more indices agree") == 0.5
    overlap = found.pick("flag_pattern_share").set_index("term")["estimate"].to_dict()
    assert overlap == {
        "straightliner + long_string + low_variability": 0.25,
        "low_variability + mahalanobis": 0.25,
        "mahalanobis": 0.25,
        "none": 0.25,
    }
    told = {caution.key: caution for caution in found.finding().cautions}
    assert told["quality.several_indices"].values == {"count": 2, "share": 0.5}
    assert told["quality.several_indices"].rule.citation == "Meade & Craig 2012"
    assert "quality.long_strings" not in told


def test_of_a_large_survey_missing_answers_are_counted_in_all_rows_and_the_rest_in_a_sample():
    said = "random sample of 5 of 500 rows"
    log = ITEM_LOG.assign(n_rows=500, n_missing=[100, 0, 50, 500, 0], n_out_of_scale=[0, 0, 25, 0, 0])
    rows = pd.DataFrame({"reason": ["rows_read", "rows_used"], "n": [500, 500]})
    design = Design(weights=pd.Series([1.0, 2, 3, 4, 0]), sampled=said)
    found = check_quality(ANSWERS, log, flags=FLAGS, row_log=rows, design=design)
    missing = found.pick("missing_share").set_index("term")
    assert missing["estimate"].tolist() == [0.2, 0.0, 0.1, 1.0, 0.0]
    assert set(missing["n"]) == {500}
    assert set(missing["method"]) == {"wilson"}
    assert (found.missing, found.n_used) == (650 / 2500, 500)
    sampled = found.table[found.table["method"].str.contains(said)]
    assert {"duplicate_rows", "careless_flagged", "flag_pattern_share", "design_effect"} <= set(sampled["quantity"])
    keys = [caution.key for caution in found.finding().cautions]
    at = keys.index("quality.sampled")
    assert {"quality.design", "quality.duplicate_rows", "quality.straightlining"} & set(keys) <= set(keys[at:])
    exact = check_quality(ANSWERS, log, flags=FLAGS, row_log=rows, design=design, n_duplicates=125)
    [copies] = exact.pick("duplicate_rows").to_dict("records")
    assert (copies["estimate"], copies["n"]) == (0.25, 500)
    assert said not in copies["method"]
    told = exact.finding().cautions
    assert told[[caution.key for caution in told].index("quality.duplicate_rows")].values["count"] == 125
    assert [caution.key for caution in told].index("quality.duplicate_rows") < [c.key for c in told].index(
        "quality.sampled"
    )
    [caution] = [caution for caution in told if caution.key == "quality.sampled"]
    assert caution.values == {"n": 5, "total": 500}
    in_memory = check_quality(ANSWERS, ITEM_LOG, flags=FLAGS, row_log=ROW_LOG)
    assert "quality.sampled" not in {caution.key for caution in in_memory.finding().cautions}
    assert "500 行中随机抽取的 5 行" in Text("zh").method(f"wilson; {said}")
    sample = check_sample(pd.DataFrame({"company": list("aabbb")}), design=design)
    assert (
        sample.records()["method"].str.contains(said).where(sample.records()["quantity"] != "missing_share", True).all()
    )


def test_constant_empty_and_equal_items_are_named(quality):
    assert quality.constant == ("q3",)
    assert quality.empty == ("q4",)
    assert quality.copies == (("q1", "q2"),)


def test_copies_agree_wherever_both_were_answered():
    frame = pd.DataFrame({"a": [1.0, 2, nan, 4], "b": [1.0, 2, 3, nan], "c": [1.0, 2, 3, 5], "d": [nan, nan, 7, 4]})
    assert find_copies(frame) == (("a", "b"), ("b", "c"))
    late = pd.DataFrame({"a": np.tile([1.0, 2, 3], 1000), "b": np.tile([1.0, 2, 3], 1000)})
    assert find_copies(late) == (("a", "b"),)
    late.loc[2999, "b"] = 1.0
    assert find_copies(late) == ()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_quality_in_words(quality, language):
    finding = quality.finding()
    assert finding.key == "quality.spoilt"
    rows = {"n_used": 5, "n_read": 10, "missing": 8 / 25, "n_items": 5}
    assert finding.values == {**rows, "n_spoilt": 2, "limit": 0.02, "item": "q4", "share": 0.6}
    keys = [caution.key.removeprefix("quality.") for caution in finding.cautions]
    assert keys == [
        "dropped", "dropped", "missing", "duplicate_rows", "straightlining", "speeders", "copies",
        "constant", "empty",
    ]  # fmt: skip
    by_key = dict(zip(keys, finding.cautions, strict=True))
    assert by_key["missing"].values == {"count": 4, "n_items": 5, "item": "q4", "share": 1.0, "limit": 0.05}
    assert by_key["straightlining"].rule.citation == "Johnson 2005"
    said = Text(language, {"q1": "Speed"}).sentence(finding)
    assert "Schafer 1999" in said
    assert "q1 = q2" in said


@pytest.mark.parametrize(("outside", "leads"), [(2, False), (3, True)])
def test_a_scale_in_doubt_leads_the_finding(outside, leads):
    answers = pd.DataFrame({"q1": [1.0, 2] * 50, "q2": [2.0, 1, 1, 2] * 25})
    answers.loc[: outside - 1, "q1"] = nan
    log = pd.DataFrame({"n_rows": 100, "n_out_of_scale": [outside, 0]}, index=list(answers))
    rows = pd.DataFrame({"reason": ["rows_read", "rows_used"], "n": [100, 100]})
    finding = check_quality(answers, log, flags=pd.DataFrame(index=answers.index), row_log=rows).finding()
    cautions = {caution.key: caution.values for caution in finding.cautions}
    assert finding.key == ("quality.spoilt" if leads else "quality.rows")
    assert cautions == ({} if leads else {"quality.out_of_range": {"count": 2, "n_items": 1, "item": "q1", "most": 2}})
    said = Text("en").sentences(finding)[0]
    assert ("in 1 of 2 items more than 2% of the answers lie outside the scale, most in q1 (3.0%)" in said) is leads
    assert "100 of 100 rows are used" in said


def test_clean_data_need_no_caution():
    answers = pd.DataFrame({"q1": [1.0, 2, 3], "q2": [3.0, 1, 2]})
    log = pd.DataFrame({"n_rows": 3, "n_out_of_scale": 0}, index=list(answers))
    rows = pd.DataFrame({"reason": ["rows_read", "rows_used"], "n": [3, 3]})
    clean = check_quality(answers, log, flags=pd.DataFrame({"duplicate": [False] * 3}), row_log=rows)
    assert clean.finding().cautions == ()


def test_every_word_of_a_method_is_in_the_catalogue(quality):
    samples = [check_sample(GROUPS, design=design).records() for design in (None, *DESIGNS.values())]
    methods = {word for table in (quality.table, *samples) for method in table["method"] for word in method.split("; ")}
    assert methods - {""} <= catalogue()["codes"].keys()
    reasons = {"blank", "where", "everyone", "none", *FLAG_RULES, "any of these"}
    assert reasons <= catalogue()["codes"].keys()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"item_log": ITEM_LOG.drop("q2")}, "one row for each column of `answers`; found only on one side: q2"),
        ({"answers": ANSWERS.assign(q1="x")}, "`answers` must be numeric; found text in q1"),
        ({"row_log": ROW_LOG[1:]}, "must count rows_read and rows_used"),
        (
            {"flags": FLAGS.assign(odd=True)},
            "`flags` must be of duplicate, straightliner, speeder, .*several_indices; found odd",
        ),
    ],
)
def test_logs_that_do_not_fit_are_refused(changed, said):
    given = {"answers": ANSWERS, "item_log": ITEM_LOG, "flags": FLAGS, "row_log": ROW_LOG} | changed
    with pytest.raises(InputError, match=said):
        check_quality(given.pop("answers"), given.pop("item_log"), **given)
