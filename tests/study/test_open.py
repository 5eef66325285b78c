"""Opening a study: its parts, labels, judgements and sources, and what a user is told."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from cxresearch.errors import InputError
from cxresearch.study.open import check_study, open_study
from cxresearch.study.survey import read_survey

ROOT = Path(__file__).parents[2]
PLAIN = """\
study: plain
survey: {data: answers.csv}
constructs: {speed: {label: Speed, items: {spd1: Quick, spd2: }, scale: [1, 5]}}
"""


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "answers.csv").write_text("spd1,spd2,company,overall\n1,2,a,3\n5,4,b,4\n", encoding="utf-8")

    def write(more: str = "", text: str = PLAIN) -> Path:
        path = tmp_path / "plain.yaml"
        path.write_text(text + more, encoding="utf-8")
        return path

    return write


def test_a_study_says_who_it_is(sample):
    study = open_study(str(sample.path))
    assert study.name == "postal_demo"
    assert study.title == "Express delivery satisfaction, four companies"
    assert study.aim == "Find what outlets should mend first"
    assert (study.language, study.seed, study.min_group) == ("en", 20261121, 10)
    assert study.path == sample.path
    assert study.notebooks["02_factor_analysis"] == {"rotation": "oblimin", "correlation": "polychoric"}
    assert study.hierarchy == {"goal": ["reliability", "speed"], "reliability": ["rel1", "rel2", "rel3"]}
    assert "postal_demo" in repr(study)


def test_defaults_of_a_plain_study(plain):
    study = open_study(plain())
    assert (study.title, study.aim, study.language, study.seed, study.min_group) == ("plain", "", "en", 0, 1)
    assert study.notebooks == {}
    assert study.hierarchy == {"goal": ["speed"]}


def test_the_survey_is_read_once(plain):
    study = open_study(plain())
    survey = study.survey()
    assert survey.answers.to_numpy().tolist() == [[1, 2], [5, 4]]
    assert survey.scales == {"speed": ["spd1", "spd2"]}
    assert study.survey() is survey


# --- parts ----------------------------------------------------------------------------------------------------------


def test_every_part_of_the_full_study_is_there(sample):
    parts = open_study(sample.path).parts
    missing = {name for name, why in parts.items() if why}
    assert missing == {
        "survey.correlation",
        "survey.n",
        "survey.sheet",
        "survey.encoding",
        "survey.where",
        "tickets.calendar",
        "mechanisms",
    }
    assert parts["mechanisms"] == "the study file has no `mechanisms`"


def test_missing_parts_say_why(plain):
    parts = open_study(plain("outcome: overall\n")).parts
    assert parts["survey"] == parts["constructs"] == parts["outcome"] == parts["drivers"] == ""
    assert parts["experts.judgements"] == "the study file has no `experts`"
    assert parts["survey.weight"] == "the study file has no `survey.weight`"
    assert parts["recommend"] == "the study file has no `recommend`"
    assert parts["groups"] == "the study file has no `groups` and no `cases.by`"


@pytest.mark.parametrize(
    ("more", "part", "why"),
    [
        ("", "drivers", "the study file has no `outcome`"),
        ("outcome: speed", "drivers", "the study file has no `drivers` and no construct but the outcome and loyalty"),
        ("outcome: speed\ndrivers: overall", "drivers", ""),
        ("cases: {by: company}", "groups", ""),
        ("groups: company", "groups", ""),
        ("cases: {by: company}", "cases.period", "the study file has no `cases.period`"),
    ],
)
def test_parts_that_are_there_in_another_way(plain, more, part, why):
    assert open_study(plain(more)).parts[part] == why


def test_a_study_without_a_survey_says_so(sample):
    study = open_study(sample.write("study: a\ntickets: {data: ../data/tickets.csv}"))
    assert study.parts["survey"] == "the study file has no `survey`"
    assert study.parts["tickets"] == ""
    with pytest.raises(InputError, match="must have a survey; the study file has no `survey`"):
        study.survey()
    with pytest.raises(InputError, match="must have expert judgements; the study file has no `experts`"):
        study.judgements()


# --- labels ---------------------------------------------------------------------------------------------------------


def test_labels_come_from_the_study_file(plain):
    labels = open_study(plain("groups: {company: Company}\noutcome: overall")).labels
    assert labels == {
        "overall": "overall",
        "spd1": "spd1 · Quick",
        "spd2": "spd2",
        "speed": "Speed",
        "company": "Company",
    }


def test_a_construct_named_like_its_item_keeps_its_label(plain):
    text = "study: a\nsurvey: {data: answers.csv}\nconstructs: {overall: {label: Overall, items: overall}}\n"
    assert open_study(plain(text=text)).labels == {"overall": "Overall"}


def test_labels_of_spss_files_fill_the_gaps(tmp_path):
    frame = pd.DataFrame({"spd1": [1.0, 5.0], "spd2": [2.0, 4.0], "company": [1.0, 2.0], "overall": [3.0, 4.0]})
    said = {"spd1": "other words", "spd2": "In time", "company": "Which company?", "overall": "All in all"}
    values = {"company": {1.0: "Aspen", 2.0: "Cedar"}}
    pyreadstat.write_sav(frame, str(tmp_path / "answers.sav"), column_labels=said, variable_value_labels=values)
    path = tmp_path / "plain.yaml"
    path.write_text(PLAIN.replace(".csv", ".sav") + "groups: [company]\noutcome: overall", encoding="utf-8")
    labels = open_study(path).labels
    assert labels["spd1"] == "spd1 · Quick"
    assert labels["spd2"] == "spd2 · In time"
    assert labels["overall"] == "overall · All in all"
    assert labels["company"] == "Which company?"
    assert (labels["company=1"], labels["company=2"]) == ("Aspen", "Cedar")


# --- judgements and sources -----------------------------------------------------------------------------------------


def test_judgements_may_be_numbers_or_fractions(sample):
    rows = (
        "expert,parent,left,right,judgement,note\n1,goal,a,b,1/3,x\n1,goal,a,c,5,\n2,goal,a,b,,\n2,goal,b,c, 1 / 7 ,\n"
    )
    (sample.data / "judgements.csv").write_text(rows, encoding="utf-8")
    judgements = open_study(sample.path).judgements()
    assert list(judgements.columns) == ["expert", "parent", "left", "right", "judgement"]
    assert judgements["expert"].tolist() == ["1", "1", "2", "2"]
    np.testing.assert_array_equal(judgements["judgement"], [1 / 3, 5, np.nan, 1 / 7])


def test_plain_numbers_stay_as_they_are(sample):
    rows = "expert,parent,left,right,judgement\nE1,goal,a,b,0.5\nE1,goal,b,c,\n"
    (sample.data / "judgements.csv").write_text(rows, encoding="utf-8")
    judgements = open_study(sample.path).judgements()
    assert judgements["judgement"].dtype == float
    np.testing.assert_array_equal(judgements["judgement"], [0.5, np.nan])


@pytest.mark.parametrize("written", ["three", "1/0", "3 to 1"])
def test_a_judgement_that_is_no_number_is_told_with_its_row(sample, written):
    rows = f"expert,parent,left,right,judgement\nE1,goal,a,b,3\nE1,goal,b,c,{written}\n"
    (sample.data / "judgements.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(InputError, match=rf"a number or a fraction .*; found {written} in rows 3 \(1 of 2\)"):
        open_study(sample.path).judgements()


def test_sources_are_hashed_by_content(sample):
    sources = open_study(sample.path).sources()
    assert sorted(sources) == sorted(f"../data/{path.name}" for path in sample.data.iterdir())
    content = (sample.data / "tickets.csv").read_bytes()
    assert sources["../data/tickets.csv"] == hashlib.sha256(content).hexdigest()


def test_sources_count_every_file_of_a_pattern_and_a_calendar(plain, tmp_path):
    for name in ("wave1.csv", "wave2.csv", "days.csv"):
        (tmp_path / name).write_text("spd1,spd2,opened\n1,2,3\n", encoding="utf-8")
    text = PLAIN.replace("answers.csv", "wave*.csv") + "tickets: {data: wave1.csv, calendar: days.csv}"
    assert set(open_study(plain(text=text)).sources()) == {"wave1.csv", "wave2.csv", "days.csv"}


def test_a_calendar_is_a_file_or_a_country(plain):
    assert check_study(plain("tickets: {data: answers.csv, calendar: cn}")) == []
    assert re.match(
        r"tickets\.calendar: no such file: .*n\.csv",
        check_study(plain("tickets: {data: answers.csv, calendar: n.csv}"))[0],
    )


# --- what a user is told --------------------------------------------------------------------------------------------


def test_open_study_lists_every_fault(sample):
    sample.replace("weight: weight", "weight: WEIGT")
    sample.replace("language: en", "langauge: en")
    with pytest.raises(InputError) as told:
        open_study(sample.path)
    assert str(told.value) == (
        f"{sample.path} cannot be used; found 2 faults:\n"
        "  langauge: unknown key; did you mean 'language'?\n"
        "  survey.weight: column 'WEIGT' is not in data/survey.csv; did you mean 'weight'?"
    )


def test_a_missing_study_file_and_wrong_yaml_are_faults_too(tmp_path):
    assert check_study(tmp_path / "none.yaml") == [f"no such file: {tmp_path / 'none.yaml'}"]
    path = tmp_path / "twice.yaml"
    path.write_text("study: a\nstudy: b\ntitle: c\ntitle: d", encoding="utf-8")
    assert check_study(path) == [
        "line 2: the key 'study' stands twice (first in line 1)",
        "line 4: the key 'title' stands twice (first in line 3)",
    ]
    with pytest.raises(InputError, match="found 2 faults:\n  line 2: the key 'study'"):
        open_study(path)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("spd1,spd2,company\n1,bad,a\n", "survey: answers must be numbers; found text in 1 of 2 columns (spd2: 'bad' (1), row 2;"),
        ("spd1,spd2,company\n,,\n", "survey: the survey must have rows; the data have none. Export anew."),
        ("spd1,spd2,company,w\n1,2,a,-1\n", "survey: "),
    ],
)  # fmt: skip
def test_data_that_cannot_be_used_are_a_fault_of_the_study(plain, tmp_path, table, said):
    (tmp_path / "answers.csv").write_text(table, encoding="utf-8")
    weight = ", weight: w}" if ",w" in table else "}"
    path = plain(text=PLAIN.replace("answers.csv}", f"answers.csv{weight}"))
    [fault] = check_study(path)
    assert fault.startswith(said)
    with pytest.raises(InputError, match="found 1 fault:\n  survey: "):
        open_study(path)


def test_a_survey_is_not_read_for_a_faulty_file(plain, tmp_path):
    (tmp_path / "answers.csv").write_text("spd1,spd2,company\nx,2,a\n", encoding="utf-8")
    assert check_study(plain("langauge: en")) == ["langauge: unknown key; did you mean 'language'?"]


def test_opening_reads_the_survey_once(plain, monkeypatch):
    calls = []
    monkeypatch.setattr("cxresearch.study.open.read_survey", lambda *given: calls.append(given) or read_survey(*given))
    study = open_study(plain())
    assert len(study.survey().frame) == 2
    assert len(calls) == 1


def test_values_that_do_not_occur_are_faults_with_the_nearest(sample):
    sample.replace("treated: [Cedar]", "treated: [Cedr]")
    sample.replace("before: [2025Q3, 2025Q4]", "before: [2025Q3, 2025]")
    sample.replace("after: [2026Q1, 2026Q2]", "after: spring")
    sample.replace("benchmark: {satisfaction: 80}", "benchmark: {satisfaction: 80, company: 3}")
    assert check_study(sample.path) == [
        "cases.treated: 'Cedr' does not occur in column 'company'; did you mean 'Cedar'?",
        "cases.before: '2025' does not occur in column 'quarter'; did you mean '2025Q4'?",
        "cases.after: 'spring' does not occur in column 'quarter', which holds 2025Q3, 2025Q4, 2026Q1, 2026Q2",
        "cases.benchmark: column 'company' holds text; a benchmark needs numbers",
    ]


WIDE = """
study: wide
survey: {data: book.xlsx, id: who, weight: w}
constructs: {speed: {items: q1..q11, scale: [1, 5]}}
groups: {town: Town}
outcome: speed
"""


def test_another_table_than_the_one_named_is_one_fault(tmp_path):
    path = tmp_path / "wide.yaml"
    path.write_text(WIDE, encoding="utf-8")
    columns = ["who", "w", "town", *(f"q{at}" for at in range(1, 12))]
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        pd.DataFrame({"满意度调查": ["x"], "2026": [1]}).to_excel(book, sheet_name="说明", index=False)
        pd.DataFrame([["a", *[1] * 13]], columns=columns).to_excel(book, sheet_name="数据", index=False)
    assert check_study(path) == [
        "survey.data: none of the 14 columns that the study names is in book.xlsx, sheet 说明 (other sheets: 数据); it begins "
        "with: 满意度调查, 2026. Choose the sheet with `survey.sheet`, or delete the lines above the header"
    ]
    path.write_text(WIDE.replace("book.xlsx", "book.xlsx, sheet: 数据"), encoding="utf-8")
    assert check_study(path) == []
    path.write_text(WIDE.replace("book.xlsx", "book.xlsx, sheet: 数居"), encoding="utf-8")
    [fault] = check_study(path)
    assert fault.startswith("survey.data: `survey.sheet` must name a sheet of book.xlsx (说明, 数据); found '数居'")


def test_a_line_above_the_header_of_a_text_file_is_one_fault(tmp_path):
    path = tmp_path / "wide.yaml"
    path.write_text(WIDE.replace("book.xlsx", "t.csv"), encoding="utf-8")
    (tmp_path / "t.csv").write_text("town,survey of May\n1,2\n")
    assert check_study(path) == [
        "survey.data: 1 of the 14 columns that the study names is in t.csv; it begins with: town, survey of May. "
        "Is it the right file? If so, delete the lines above the header"
    ]
    (tmp_path / "t.csv").write_text("town,who,w\n1,2\n")
    assert len(check_study(path)) == 11  # enough are there: each absent one is told


def test_a_forced_wrong_encoding_is_a_fault(plain, tmp_path):
    (tmp_path / "answers.csv").write_bytes("spd1,spd2,公司\n1,2,北京\n".encode("gb18030"))
    assert check_study(plain()) == []
    forced = PLAIN.replace("answers.csv}", "answers.csv, encoding: utf-8}")
    assert check_study(plain(text=forced))[0].startswith("survey.data: ")


def test_column_names_with_blanks_or_in_chinese_work(plain, tmp_path):
    (tmp_path / "answers.csv").write_text("总体 满意度,q 1,no\n1,2,3\n5,4,3\n", encoding="utf-8")
    text = 'study: a\nsurvey: {data: answers.csv, where: "`q 1` > 0"}\nconstructs: {满意度: {items: [总体 满意度, q 1, no]}}'
    assert open_study(plain(text=text)).survey().items == ["总体 满意度", "q 1", "no"]


# --- the real study -------------------------------------------------------------------------------------------------


def test_the_ecsi_study_opens_as_published():
    """Tenenhaus et al. 2005: 250 customers, 24 items from 1 to 10, seven constructs."""
    study = open_study(ROOT / "params" / "ecsi_mobile.yaml")
    survey = study.survey()
    assert survey.answers.shape == (250, 24)
    assert survey.answers.notna().all().all()
    assert survey.answers.min().min() == 1
    assert survey.answers.max().max() == 10
    sizes = {name: len(items) for name, items in survey.scales.items()}
    assert list(sizes.values()) == [5, 3, 7, 2, 3, 1, 3]
    assert all(" · " in study.labels[item] for item in survey.items)


def test_the_ecsi_data_are_those_of_the_readme():
    readme = (ROOT / "data" / "ecsi_mobile" / "README.md").read_text(encoding="utf-8")
    hashes = open_study(ROOT / "params" / "ecsi_mobile.yaml").sources()
    assert list(hashes.values()) == re.findall(r"\b[0-9a-f]{64}\b", readme)
