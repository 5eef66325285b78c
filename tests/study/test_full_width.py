"""Full-width punctuation in a study file is told with its line and what to write."""

import pytest

from cxresearch.errors import InputError
from cxresearch.study.open import check_study
from cxresearch.study.yaml_file import parse_yaml

SOUND = """\
study: demo
title: 满意度：快递，第一次“调查”
aim: |
  问题：为什么？
  ［1，5］
survey:
  data: x.csv
constructs:
  speed:
    label: 速度，（快）
    items: [a, b]
    scale: [1, 5]
groups: {c: C, d: D}
"""


@pytest.mark.parametrize(
    ("plain", "wide", "told"),
    [
        ("study: demo", "study：demo", 'line 1 has a full-width ：; write ": "'),
        ("survey:", "survey：", 'line 6 has a full-width ：; write ": "'),
        ("  speed:", "  speed：", 'line 9 has a full-width ：; write ": "'),
        ("label: ", "label：", 'line 10 has a full-width ：; write ": "'),
        ("scale: ", "scale：", 'line 12 has a full-width ：; write ": "'),
        ("{c: C, d: D}", "{c：C, d: D}", 'line 13 has a full-width ：; write ": "'),
        ("{c: C, d: D}", "{c: C， d: D}", 'line 13 has a full-width ，; write ", "'),
        ("{c: C, d: D}", "｛c: C, d: D｝", 'line 13 has a full-width ｛; write "{"'),
        ("[a, b]", "［a, b］", 'line 11 has a full-width ［; write "["'),
        ("[a, b]", "[a, b］", 'line 11 has a full-width ］; write "]"'),
        ("[1, 5]", "[1，5]", 'line 12 has a full-width ，; write ", "'),
        ("[1, 5]", "［1，5］", 'line 12 has a full-width ［; write "["'),
        ("x.csv", '"x.csv”', "line 7 has a full-width ”; write '\"'"),
        ("x.csv", "“x.csv”: 3", "line 7 has a full-width “; write '\"'"),
    ],
)
def test_a_full_width_mark_is_told_with_its_line(plain, wide, told):
    assert SOUND.count(plain) == 1
    with pytest.raises(InputError) as caught:
        parse_yaml(SOUND.replace(plain, wide))
    assert str(caught.value).endswith(told)


def test_full_width_punctuation_in_texts_is_left_alone():
    content = parse_yaml(SOUND)
    assert content["title"] == "满意度：快递，第一次“调查”"
    assert content["aim"] == "问题：为什么？\n［1，5］\n"
    quoted = parse_yaml("study: demo\ntitle: '［1，5］'\naim: \"1，5\"\nlabel: （［演示］）")
    assert (quoted["title"], quoted["aim"]) == ("［1，5］", "1，5")


def test_other_errors_do_not_blame_the_text_above():
    with pytest.raises(InputError, match="a \\[ is not closed") as caught:
        parse_yaml(SOUND.replace("[1, 5]", "[1, 5"))
    assert "full-width" not in str(caught.value)


def test_a_file_of_nothing_but_full_width_colons():
    with pytest.raises(InputError, match=r"must hold `key: value` lines; line 2 has a full-width ：; write \": \""):
        parse_yaml("study：demo\nsurvey：x\n")


def test_names_and_parts_that_yaml_takes_for_one_text(sample):
    sample.replace("drivers: [reliability, speed]", "drivers: [reliability，speed]")
    sample.replace("privacy: {min_group: 10}", "privacy: min_group：10")
    assert check_study(sample.path) == [
        "drivers: 'reliability，speed' is no construct and no column of data/survey.csv; did you mean '[reliability, speed]'?",
        "privacy: must be a mapping (key: value), found 'min_group：10'; write \": \" for the full-width ：",
    ]
