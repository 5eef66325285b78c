"""A survey is read as its study file says, and says what it did."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from cxresearch.errors import InputError
from cxresearch.study.file import StudyFile
from cxresearch.study.survey import read_survey

nan = np.nan
TWO_ITEMS = {"speed": {"items": ["q1", "q2"], "scale": [1, 5]}}


def read(tmp_path, table, constructs=None, survey=None, **parts):
    """The survey of a table (csv text or DataFrame)."""
    text = table if isinstance(table, str) else table.to_csv(index=False)
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    content = {
        "study": "tiny",
        "survey": {"data": "t.csv", **(survey or {})},
        "constructs": constructs or TWO_ITEMS,
        **parts,
    }
    return read_survey(StudyFile.model_validate(content), tmp_path)


def test_missing_codes_are_alike_as_numbers_and_as_text(tmp_path):
    table = "q1,q2,other\n1,0,0\n0.0,Blank,0\n3,blank ,Blank\n,-99,1\n5,4,2\n"
    survey = read(tmp_path, table, survey={"missing": ["0", "Blank", -99.0, ""]})
    np.testing.assert_array_equal(survey.answers["q1"], [1, nan, 3, nan, 5])
    np.testing.assert_array_equal(survey.answers["q2"], [nan, nan, nan, nan, 4])
    assert survey.frame["other"].tolist() == ["0", "0", "Blank", "1", "2"]  # a code of items is none elsewhere
    assert survey.item_log.loc["q1"].tolist() == [5, 2, 1, 0, 0]
    assert survey.item_log.loc["q2"].tolist() == [5, 4, 4, 0, 0]
    assert list(survey.item_log.columns) == ["n_rows", "n_missing", "n_missing_code", "n_out_of_scale", "n_text"]


def test_codes_of_a_construct_are_its_own(tmp_path):
    constructs = {
        "speed": {"items": ["q1"], "scale": [1, 7], "missing": [6, "n/a"]},
        "price": {"items": ["q2"], "scale": [1, 7]},
    }
    survey = read(tmp_path, "q1,q2\n6,6\nn/a,5\n7,7\n", constructs)
    np.testing.assert_array_equal(survey.answers["q1"], [nan, nan, 7])
    np.testing.assert_array_equal(survey.answers["q2"], [6, 5, 7])


def test_answers_outside_the_scale_are_missing_and_counted(tmp_path):
    survey = read(tmp_path, "q1,q2\n0,6\n1,5\n2.5,99\n-1,1e9\n")
    np.testing.assert_array_equal(survey.answers["q1"], [nan, 1, 2.5, nan])
    np.testing.assert_array_equal(survey.answers["q2"], [nan, 5, nan, nan])
    assert survey.item_log["n_out_of_scale"].tolist() == [2, 3]
    assert survey.item_log["n_missing"].tolist() == [2, 3]


def test_words_become_numbers_and_reversed_items_turn_once(tmp_path):
    words = {"非常不满意": 1, "不满意": 2, "Neutral": 3, "满意": 4, "非常满意": 5}
    constructs = {"speed": {"items": ["q1", "q2"], "scale": [1, 5], "codes": words, "reversed": ["q2"]}}
    survey = read(tmp_path, "q1,q2\n非常满意,满意\nneutral ,5\n2,非常不满意\n,NEUTRAL\n", constructs)
    np.testing.assert_array_equal(survey.answers["q1"], [5, 3, 2, nan])
    np.testing.assert_array_equal(survey.answers["q2"], [2, 1, 5, 3])
    assert survey.item_log["n_text"].tolist() == [2, 3]


def test_words_alone_are_a_scale(tmp_path):
    constructs = {"speed": {"items": ["q1", "q2"], "codes": {"no": 0, "yes": 1}}}
    survey = read(tmp_path, "q1,q2\nno,yes\nyes,\n", constructs)
    assert survey.ranges == {"q1": (0, 1), "q2": (0, 1)}
    assert survey.score_ranges == {"speed": (0, 1)}


def test_codes_of_some_answers_are_no_scale(tmp_path):
    constructs = {"speed": {"items": ["q1", "q2"], "codes": {"四": 4, "五": 5}}}
    survey = read(tmp_path, "q1,q2\n1,四\n四,五\n5,四\n", constructs)
    np.testing.assert_array_equal(survey.answers["q1"], [1, 4, 5])
    assert survey.item_log["n_out_of_scale"].tolist() == [0, 0]
    assert survey.ranges == {"q2": (4, 5)}
    assert survey.score_ranges == {}
    one_word = read(tmp_path, "q1,q2\n四,四\n四,四\n", {"speed": {"items": ["q1", "q2"], "codes": {"四": 4}}})
    assert one_word.ranges == {}


def test_a_word_for_no_answer_is_no_end_of_a_scale(tmp_path):
    constructs = {"speed": {"items": ["q1"], "codes": {"no": 0, "yes": 1, "unsure": 99}, "missing": [99]}}
    survey = read(tmp_path, "q1\nno\nyes\nunsure\n", constructs)
    assert survey.ranges == {"q1": (0, 1)}


def test_the_question_of_recommending_has_its_scale(tmp_path):
    survey = read(tmp_path, "q1,q2,nps\n1,2,3\n2,2,7\n", recommend="nps")
    assert survey.ranges["nps"] == (0, 10)
    as_item = read(tmp_path, "q1,q2\n1,2\n2,2\n", recommend="q1")
    assert as_item.ranges == {"q1": (1, 5), "q2": (1, 5)}


def test_blank_rows_are_counted_first(tmp_path):
    survey = read(tmp_path, "q1,q2\n1,2\n,\n3,4\n2,1\n", survey={"where": "q1 > 1"})
    assert survey.row_log.to_numpy().tolist() == [["rows_read", 4], ["blank", 1], ["where", 1], ["rows_used", 2]]
    assert survey.frame.index.tolist() == [2, 3]


def test_unknown_text_is_an_error_with_all_faults_at_once(tmp_path):
    table = "q1,q2,out\n1,agree,x\n2,agree,x\nn/a,no idea,\n3,so-so,5\n4,well,4\n5,5,3\n"
    with pytest.raises(InputError) as caught:
        read(tmp_path, table, outcome="out")
    said = str(caught.value)
    assert "found text in 3 of 3 columns" in said
    assert "q1: 'n/a' (1), row 4; " in said
    assert "q2: 'agree' (2), 'no idea' (1), 'so-so' (1) and 1 more, rows 2, 3, 4 and 2 more; " in said
    assert "out: 'x' (2), rows 2, 3; rows as in a spreadsheet, whose row 1 is the header)" in said
    assert "`codes:`" in said
    assert "`missing:`" in said


def test_answers_hold_items_then_what_is_no_item(tmp_path):
    table = "nps,own,q2,q1,out\n11,7,2,1,8\n10,8,3,2,9\n0,Blank,5,4,Blank\n"
    survey = read(
        tmp_path,
        table,
        survey={"missing": [0, "Blank"]},
        outcome="out",
        drivers=["speed", "own", "q1"],
        recommend="nps",
    )
    assert list(survey.answers.columns) == ["q1", "q2", "out", "own", "nps"]
    assert survey.items == ["q1", "q2"]
    np.testing.assert_array_equal(survey.answers["out"], [8, 9, nan])
    np.testing.assert_array_equal(survey.answers["own"], [7, 8, nan])
    assert list(survey.scores.columns) == ["speed", "out", "own", "q1"]
    assert (survey.outcome, survey.drivers) == ("out", ["speed", "own", "q1"])


def test_recommend_is_an_answer_from_0_to_10_whatever_is_a_code_elsewhere(tmp_path):
    survey = read(
        tmp_path,
        "q1,q2,nps\n1,1,0\n1,1,6\n6,1,10\n1,1,11\n1,1,Blank\n",
        survey={"missing": [0, 6, "Blank"]},
        recommend="nps",
    )
    np.testing.assert_array_equal(survey.answers["nps"], [0, 6, 10, nan, nan])
    assert survey.item_log.loc["nps", "n_out_of_scale"] == 1
    assert "nps" not in survey.scores


def test_scores_are_means_of_complete_constructs(tmp_path):
    survey = read(tmp_path, "q1,q2\n1,2\n3,\n5,5\n")
    np.testing.assert_array_equal(survey.scores["speed"], [1.5, nan, 5])
    assert survey.outcome is None
    assert survey.drivers == []


def test_the_filter_keeps_row_numbers_and_is_counted(tmp_path):
    survey = read(tmp_path, "q1,q2,age\n1,1,15\n2,2,18\n3,3,\n4,4,40\n", survey={"where": "age >= 18"})
    assert survey.frame.index.tolist() == survey.answers.index.tolist() == [1, 3]
    assert survey.row_log.to_numpy().tolist() == [["rows_read", 4], ["where", 2], ["rows_used", 2]]
    assert survey.item_log["n_rows"].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("table", "survey", "said"),
    [
        ("q1,q2\n1,1\n2,2\n", {"where": "q1 > 2"}, r"must have rows; the filter `q1 > 2` left out all 2\. Loosen"),
        ("q1,q2\n", {}, "must have rows; the data have none"),
        ("q1,q2\n", {"where": "q1 > 2"}, "the data have none"),
    ],
)
def test_no_rows_left_says_what_took_them(table, survey, said, tmp_path):
    with pytest.raises(InputError, match=said):
        read(tmp_path, table, survey=survey)


def test_flagged_rows_are_kept_unless_the_study_drops_them(tmp_path):
    items = [f"q{i}" for i in range(1, 8)]
    rows = [[1, 60, *range(1, 6), 1, 2], [1, 60, *range(1, 6), 1, 2], [2, 10, 1, 2, 3, 1, 2, 3, 4], [3, 70, *[4] * 7]]
    table = pd.DataFrame(rows, columns=["id", "t", *items])
    constructs = {"speed": {"items": items, "scale": [1, 5]}}
    columns = {"id": "id", "seconds": "t"}
    kept = read(tmp_path, table, constructs, columns)
    assert {name: kept.flags[name].tolist() for name in kept.flags} == {
        "duplicate": [False, True, False, False],
        "straightliner": [False, False, False, True],
        "speeder": [False, False, True, False],
        "long_string": [False, False, False, True],
        "low_variability": [False, False, False, True],
        "synonyms": [False] * 4,
        "several_indices": [False, False, False, True],
    }
    assert kept.row_log["n"].tolist() == [4, 4]
    dropped = read(tmp_path, table, constructs, columns | {"duplicates": "drop", "careless": "drop"})
    assert dropped.frame.index.tolist() == [0]
    assert len(dropped.answers) == len(dropped.groups) == dropped.item_log["n_rows"].iloc[0] == 1
    assert dropped.row_log.to_numpy().tolist() == [
        ["rows_read", 4], ["duplicate", 1], ["straightliner", 1], ["speeder", 1],
        ["several_indices", 0], ["rows_used", 1],
    ]  # fmt: skip
    assert dropped.flags.equals(kept.flags)
    assert dropped.unscreened.answers.equals(kept.answers)
    assert dropped.unscreened.answers.index.equals(dropped.flags.index)
    with pytest.raises(
        InputError,
        match=r"all 1 were dropped \(0 as duplicate, 1 as straightliner, 0 as speeder, 0 as several_indices\)",
    ):
        read(tmp_path, table.iloc[3:], constructs, columns | {"duplicates": "drop", "careless": "drop"})


def test_straight_lining_is_seen_before_reversal(tmp_path):
    items = [f"q{i}" for i in range(1, 8)]
    table = pd.DataFrame([[5] * 7, [5, 5, 5, 5, 5, 5, 1]], columns=items)
    survey = read(tmp_path, table, {"speed": {"items": items, "scale": [1, 5], "reversed": ["q7"]}})
    assert survey.flags["straightliner"].tolist() == [True, False]
    assert survey.answers["q7"].tolist() == [1, 5]


def test_group_codes_hold_no_personal_data(tmp_path):
    table = "q1,q2,agent\n1,2,13800138000\n3,4,13900139000\n5,1,Li\n2,2,13800138000\n"
    survey = read(tmp_path, table, groups={"agent": "Agent"})
    assert survey.groups["agent"].tolist() == ["[phone] 1", "[phone] 2", "Li", "[phone] 1"]


def test_a_bad_answer_is_quoted_without_personal_data(tmp_path):
    with pytest.raises(InputError, match=r"q1: 'call \[phone\]' \(1\), row 2") as raised:
        read(tmp_path, "q1,q2\ncall 13800138000,2\n3,4\n")
    assert "138" not in str(raised.value)


def test_groups_are_text_codes(tmp_path):
    table = "q1,q2,company,region,wave\n1,2,1,North,2\n3,4,,,2\n5,1,2,North,1\n"
    survey = read(tmp_path, table, groups={"company": "Company", "region": "Region"}, cases={"by": "wave"})
    assert list(survey.groups.columns) == ["company", "region", "wave"]
    assert survey.groups["company"].dropna().tolist() == ["1", "2"]
    assert survey.groups["company"].isna().tolist() == [False, True, False]
    assert survey.groups["wave"].tolist() == ["2", "2", "1"]
    assert survey.by == "wave"
    assert read(tmp_path, table, groups=["region"]).by == "region"
    none = read(tmp_path, table)
    assert none.by is None
    assert none.groups.shape == (3, 0)


def test_weights_and_clusters_are_one_design(tmp_path):
    table = "q1,q2,w,branch\n1,2,0.5,7\n3,4,1.5,7\n5,1,0,8\n"
    survey = read(tmp_path, table, survey={"weight": "w", "cluster": "branch"})
    assert survey.design.weights.tolist() == [0.5, 1.5, 0]
    assert survey.design.clusters.tolist() == ["7", "7", "8"]
    assert read(tmp_path, table).design.is_simple


@pytest.mark.parametrize("weight", ["-1", "", "heavy"])
def test_a_bad_weight_is_refused_unless_its_row_is_left_out(weight, tmp_path):
    table = f"q1,q2,w\n1,2,1\n3,4,{weight}\n"
    with pytest.raises(InputError, match=r"0 or more; found .* in `w` at data rows 2 \(1 of 2\)"):
        read(tmp_path, table, survey={"weight": "w"})
    assert len(read(tmp_path, table, survey={"weight": "w", "where": "q1 < 3"}).frame) == 1


def test_absent_columns_are_listed_at_once_with_suggestions(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, "q1,Q2,WEIGHT\n1,2,1\n", survey={"weight": "WEIGT"}, outcome="zufrieden", groups=["Q3"])
    said = str(caught.value)
    assert "no 'WEIGT' (survey.weight; did you mean 'WEIGHT'?)" in said
    assert "no 'q2' (constructs.speed.items; did you mean 'Q2'?)" in said
    assert "no 'zufrieden' (outcome, drivers or recommend)" in said
    assert "no 'Q3' (groups or cases.by" in said


def test_constant_and_equal_items_are_read_all_the_same(tmp_path):
    survey = read(tmp_path, "q1,q2\n3,3\n3,3\n3,3\n")
    assert survey.answers.nunique().tolist() == [1, 1]


def test_column_names_with_spaces_and_in_chinese(tmp_path):
    constructs = {"速度": {"items": {"总体 满意度": "总体上满意吗？", "your rating": ""}, "scale": [1, 5]}}
    survey = read(tmp_path, "总体 满意度,your rating\n4,5\n", constructs, {"where": "`总体 满意度` > 3"})
    assert survey.scales == {"速度": ["总体 满意度", "your rating"]}
    assert survey.scores["速度"].tolist() == [4.5]


def test_value_labels_of_the_data_are_kept_as_text_codes(tmp_path):
    frame = pd.DataFrame({"q1": [1.0, 5.0], "q2": [2.0, 9.0], "region": [1.0, 2.0]})
    labels = {"region": {1: "North", 2: "South"}}
    pyreadstat.write_sav(frame, str(tmp_path / "t.sav"), variable_value_labels=labels, column_labels={"q1": "Quick?"})
    content = {"study": "tiny", "survey": {"data": "t.sav"}, "constructs": TWO_ITEMS, "groups": ["region"]}
    survey = read_survey(StudyFile.model_validate(content), tmp_path)
    assert survey.value_labels == {"region": {"1": "North", "2": "South"}}
    assert survey.variable_labels == {"q1": "Quick?"}
    assert survey.groups["region"].tolist() == ["1", "2"]
    np.testing.assert_array_equal(survey.answers["q2"], [2, nan])
    assert survey.encoding == ""


def test_a_study_without_survey_says_so(tmp_path):
    with pytest.raises(InputError, match="found no `survey:`"):
        read_survey(StudyFile.model_validate({"study": "tiny"}), tmp_path)


def test_scores_beside_a_group_and_their_ranges(tmp_path):
    table = "q1,q2,nps,town,zone\n1,2,9,a,1\n3,4,8,a,1\n5,,7,b,1\n2,2,6,b,2\n4,4,1,b,1\n"
    survey = read(tmp_path, table, outcome="speed", drivers=["nps"], groups={"town": "Town", "zone": "Zone"})
    assert survey.scores_by("zone")["zone"].tolist() == ["1", "1", "1", "2", "1"]
    assert survey.scores_by("zone")["speed"].iloc[0] == 1.5
    assert survey.score_ranges == {"speed": (1, 5)}  # nothing says how far nps may go
    assert survey.comparable_groups() == ["town"]  # zone 2 has one row; the row without an outcome does not count
    assert survey.comparable_groups(1) == ["town", "zone"]
    assert survey.comparable_groups(3) == []
