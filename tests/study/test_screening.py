"""Duplicates, straight-liners and speeders."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.study.screening import find_duplicates, find_speeders, find_straightliners, flag_rows, grids_of

nan = np.nan
GRID = list("abcdefgh")


def test_duplicates_repeat_a_whole_row_or_a_respondent():
    frame = pd.DataFrame({"id": [1, 2, 3, 3, None, None], "q1": [4, 4, 5, 1, 2, 3], "q2": [1, 1, 1, 2, 1, 1]})
    assert find_duplicates(frame, identity="id").tolist() == [False, True, False, True, False, False]
    assert find_duplicates(frame).tolist() == [False] * 6
    assert find_duplicates(frame.drop(columns="id")).tolist() == [False, True, False, False, False, False]


def test_rows_that_both_lack_an_answer_are_equal():
    assert find_duplicates(pd.DataFrame({"q1": [1, 1, 2], "q2": [nan, nan, nan]})).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("answers", "flagged"),
    [
        ([3, 3, 3, 3, 3, 3, 3, 3], True),
        ([3, 3, 3, 3, 3, 3, 3, 4], False),
        ([3, 3, 3, 3, 3, 3, nan, nan], True),  # six answers are enough
        ([3, 3, 3, 3, 3, nan, nan, nan], False),  # five are not
        ([nan] * 8, False),
    ],
)
def test_straight_lining_needs_six_equal_answers_and_no_other(answers, flagged):
    given = pd.DataFrame([answers], columns=GRID, dtype=float)
    assert find_straightliners(given, [GRID]).tolist() == [flagged]


def test_half_of_a_long_grid_must_be_answered():
    items = [f"q{i}" for i in range(20)]
    given = pd.DataFrame([[3.0] * 9 + [nan] * 11, [3.0] * 10 + [nan] * 10], columns=items)
    assert find_straightliners(given, [items]).tolist() == [False, True]


def test_every_grid_that_was_answered_must_be_straight():
    given = pd.DataFrame([[3.0] * 6 + [8.0] * 6, [3.0] * 6 + [8.0] * 5 + [7.0], [3.0] * 6 + [nan] * 6])
    assert find_straightliners(given, [list(range(6)), list(range(6, 12))]).tolist() == [True, False, True]


def test_grids_are_items_on_one_scale():
    ranges = dict.fromkeys(GRID, (1, 5)) | {"x": (1, 10), "y": (1, 10)}
    assert grids_of(ranges) == [GRID]
    assert grids_of(dict.fromkeys(GRID[:5], (1, 5))) == []


def test_speeders_take_less_than_half_of_the_median_time():
    times = pd.Series([100, 100, 100, 100, 50, 49.9, None, "x"])
    assert find_speeders(times).tolist() == [False] * 5 + [True, False, False]


def test_only_what_can_be_judged_is_flagged():
    frame = pd.DataFrame({"q1": [1, 2], "t": [10, 100]}, index=[4, 9])
    flags = flag_rows(frame, frame[["q1"]].astype(float), {"q1": (1, 5)})
    assert list(flags.columns) == ["duplicate"]
    assert flags.index.tolist() == [4, 9]
    assert list(flag_rows(frame, frame[["q1"]].astype(float), {}, seconds="t").columns) == ["duplicate", "speeder"]
