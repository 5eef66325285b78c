"""What looks odd in a survey is noted, and what is sound is not."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.study.file import StudyFile
from cxresearch.study.hints import hints_of
from cxresearch.study.presence import unread_parts
from cxresearch.study.survey import read_survey


@pytest.fixture
def hints(tmp_path):
    """hints(columns, constructs, **parts) -> the hints on the survey of these columns."""

    def find(columns, constructs, **parts):
        pd.DataFrame(columns).to_csv(tmp_path / "t.csv", index=False)
        content = {"study": "tiny", "survey": {"data": "t.csv"}, "constructs": constructs, **parts}
        file = StudyFile.model_validate(content)
        return hints_of(read_survey(file, tmp_path), file)

    return find


def scaled(*scale, **more):
    return {"speed": {"items": ["q1"], "scale": list(scale), **more}}


def answers(**counts):
    """Answers by number: answers(a1=3, a5=2) is 1, 1, 1, 5, 5."""
    return np.concatenate([np.full(count, float(name[1:].replace("m", "-"))) for name, count in counts.items()])


@pytest.mark.parametrize(
    ("given", "scale", "said"),
    [
        (answers(a1=20, a2=20, a3=20, a4=24, a5=16), [0, 4], "16 %[0, 4], all are 5; is the scale [1, 5]?"),
        (answers(a1=40, a5=50, a99=10), [1, 5], "10 %[1, 5], all are 99; is 99 a code of `missing`?"),
        (answers(a1=40, a5=50, a6=10), [1, 5], "10 %[1, 5], all are 6; is the scale [1, 6], or 6 a code of `missing`?"),
        (answers(a1=40, a5=50, a0=10), [1, 5], "10 %[1, 5], all are 0; is the scale [0, 5], or 0 a code of `missing`?"),
        (answers(a1=50, a3=30, a4=10, a6=10, a7=10), [1, 5], "18 %[1, 5], from 6 to 7; is the scale [1, 7]?"),
        (answers(a2=40, a4=40, a5=19, a0=1), [1, 4], "20 %[1, 4], nearly all are 5; is the scale [2, 5]?"),
        (answers(a900=10, a800=10), [1, 5], "100 %[1, 5], from 800 to 900"),
    ],
)
def test_answers_beyond_a_scale_suggest_another(hints, given, scale, said):
    share, rest = said.split("%")
    expected = f"speed: {share}% of the answers lie outside its scale {rest}"
    assert hints({"q1": given}, scaled(*scale)) == [expected]
    turned = scaled(*scale, reversed=["q1"])
    assert hints({"q1": given}, turned) == [expected]  # judged as given, not as turned round


@pytest.mark.parametrize(
    ("given", "scale", "said"),
    [
        (answers(a1=20, a3=20, a5=20), [1, 10], ["speed: no answer above 5 on a scale to 10"]),
        (answers(a1=20, a3=20, a5=20), [1, 7], ["speed: no answer above 5 on a scale to 7"]),
        (answers(a6=20, a10=20), [1, 10], ["speed: no answer below 6 on a scale from 1"]),
        (answers(a1=9, a5=20), [1, 10], []),  # too few answers to say
        (answers(a1=20, a4=20), [1, 5], []),
        (answers(a1=60, a5=39, a6=1), [1, 5], []),
    ],
)
def test_a_part_of_the_scale_that_nobody_used_is_noted(hints, given, scale, said):
    assert hints({"q1": given}, scaled(*scale)) == said


def test_one_item_beyond_the_scale_is_noted_by_itself(hints):
    sound = {f"q{at}": answers(a1=50, a5=50) for at in range(2, 8)}
    given = {"q1": answers(a1=50, a5=40, a9=10), **sound}
    construct = {"speed": {"items": list(given), "scale": [1, 5]}}
    assert hints(given, construct) == [
        "q1: 10 % of the answers lie outside its scale [1, 5], all are 9; is 9 a code of `missing`?"
    ]


def test_a_construct_without_scale_is_noted_unless_all_answers_are_words(hints):
    plain = {"staff": {"items": ["q1"]}}
    assert hints({"q1": answers(am99=1, a55=1)}, plain) == ["staff: no scale given; the answers run from -99 to 55"]
    worded = {"staff": {"items": ["q1"], "codes": {"no": 0, "yes": 1}}}
    assert hints({"q1": ["no", "yes"]}, worded) == []
    assert hints({"q1": ["no", "7"]}, worded) == ["staff: no scale given; the answers run from 0 to 7"]


def test_codes_of_no_answer_are_not_judged(hints):
    assert hints({"q1": answers(a1=50, a5=40, a99=10)}, scaled(1, 5, missing=[99])) == []


def test_the_question_of_recommending_is_judged_on_0_to_10(hints):
    sound = answers(a1=50, a5=50)
    on_five = hints({"q1": sound, "nps": sound}, scaled(1, 5), recommend="nps")
    assert on_five == ["recommend: no answer above 5 on a scale to 10"]
    coded = hints({"q1": sound, "nps": answers(a0=40, a10=50, a99=10)}, scaled(1, 5), recommend="nps")
    assert coded == [
        "recommend: 10 % of the answers lie outside its scale [0, 10], all are 99; is 99 a code of `missing`?"
    ]
    beyond = hints({"q1": sound, "nps": answers(a0=40, a10=50, a11=10)}, scaled(1, 5), recommend="nps")
    assert beyond == ["recommend: 10 % of the answers lie outside its scale [0, 10], all are 11"]
    assert hints({"q1": sound}, scaled(1, 5), recommend="q1") == ["recommend: q1 is an item of construct speed"]


def test_parts_that_nothing_reads():
    content = {
        "study": "demo",
        "survey": {"data": "s.csv", "invited": "i.csv", "weight": "w"},
        "constructs": {"speed": {"items": ["q1"]}},
        "recommend": "nps",
        "cases": {"by": "town", "treated": ["a"]},
        "experts": {"judgements": "j.csv", "scores": "p.csv", "hierarchy": {"goal": ["speed", "price"]}},
        "tickets": {"data": "t.csv", "opened": "at"},
        "privacy": {"min_group": 5},
    }
    file = StudyFile.model_validate(content)
    needs = ["survey", "constructs", "groups", "experts.judgements"]
    assert unread_parts(file, needs) == ["survey.invited", "cases.treated", "experts.scores", "tickets"]
    assert unread_parts(file, [*needs, "survey.invited", "cases", "experts", "experts.scores", "tickets"]) == []
    assert unread_parts(file, ["survey"])[1:] == ["cases", "experts", "tickets"]


@pytest.mark.parametrize(
    ("empty", "which", "named"), [(["q3", "q4"], "any", "q3, q4"), (["q4"], "all", "q4"), ([], "", "")]
)
@pytest.mark.parametrize("regressed", [True, False])
@pytest.mark.parametrize("scale", [{"scale": [1, 5]}, {}])
def test_items_that_nobody_answered_are_named_with_what_comes_of_it(hints, empty, which, named, regressed, scale):
    columns = {name: [1, 5, 3, 1, 5] for name in ("q1", "q2", "q3", "q4")} | dict.fromkeys(empty)
    constructs = {"speed": {"items": ["q1", "q2"], **scale}, "staff": {"items": ["q3", "q4"], **scale}}
    more = {"outcome": "speed"} if regressed else {}
    found = [each for each in hints(columns, constructs, **more) if "nobody" in each]
    unable = "factor analyses and the regression of drivers" if regressed else "factor analyses"
    said = (
        f"staff: nobody answered {which} of its items (no answers: {named}); its reliability and its scores are left out, "
        f"and {unable} cannot run; check the columns and `missing`, or take this out of `constructs`"
    )
    assert found == ([said] if empty else [])
