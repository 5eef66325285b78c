"""Duplicates, straight-liners, speeders, and indices of careless answering."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.study.screening import (
    INDICES,
    find_careless,
    find_duplicates,
    find_speeders,
    find_straightliners,
    flag_rows,
    grids_of,
)

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


CONSTRUCTS = {f"c{i}": [f"q{3 * i + j}" for j in range(3)] for i in range(6)}
ITEMS = [item for items in CONSTRUCTS.values() for item in items]
FIVE = dict.fromkeys(ITEMS, (1.0, 5.0))


def answers(n=400, seed=2):
    """Respondents whose answers to a construct agree; the items q2 and q10 are worded the other way round."""
    random = np.random.default_rng(seed)
    constructs = np.repeat(random.normal(size=(n, 6)), 3, axis=1)
    steps = np.digitize(0.9 * constructs + 0.45 * random.normal(size=(n, 18)), [-1.2, -0.4, 0.4, 1.2]) + 1.0
    given = pd.DataFrame(steps, columns=ITEMS)
    return given.assign(q2=6 - given["q2"], q10=6 - given["q10"])


def test_those_who_answer_at_random_are_flagged_by_several_indices_and_careful_ones_seldom():
    given = answers()
    random = np.random.default_rng(5)
    given.iloc[:40] = random.integers(1, 6, (40, 18))
    given.iloc[40:60] = np.repeat(random.integers(2, 5, (20, 1)), 18, axis=1)
    flags = flag_rows(given, given, FIVE, scales=CONSTRUCTS, reversed_items=["q2", "q10"])
    assert list(flags.columns) == ["duplicate", "straightliner", *INDICES[:-1], "several_indices"]
    assert flags["several_indices"][:40].mean() >= 0.5
    assert flags[["long_string", "low_variability", "straightliner", "several_indices"]][40:60].all(axis=None)
    assert flags["several_indices"][60:].mean() <= 0.05


def test_reversed_items_are_turned_before_odd_is_held_against_even():
    given = answers()
    right = find_careless(given, FIVE, CONSTRUCTS, ["q2", "q10"])["even_odd"]
    wrong = find_careless(given, FIVE, CONSTRUCTS, [])["even_odd"]
    assert right.sum() < wrong.sum()


def test_strings_are_counted_within_items_that_share_a_scale():
    ranges = {f"q{i}": (1.0, 5.0) for i in range(8)} | {f"r{i}": (1.0, 10.0) for i in range(6)} | {"s": (0.0, 1.0)}
    rows = [
        [3] * 6 + [1, 2] + [1, 2, 3, 4, 5, 6] + [0],  # six of eight
        [3] * 5 + [1, 2, 1] + [1, 2, 3, 4, 5, 6] + [0],  # five are not enough
        [1, 2, 3, 4, 5, 1, 3, 3, 3, 3, 3, 3, 9, 9, 0],  # six, but over two scales
        [1, 2, 3, 4, 5, 1, 2, 3] + [7] * 6 + [0],
    ]
    given = pd.DataFrame(rows, columns=list(ranges), dtype=float)
    assert find_careless(given, ranges, {}, [])["long_string"].tolist() == [True, False, False, True]


def test_the_lowest_tenth_are_flagged_with_all_that_are_tied_with_them():
    given = answers(100)
    assert find_careless(given, FIVE, {}, [])["low_variability"].sum() >= 10
    given.iloc[:30] = 4.0
    assert find_careless(given, FIVE, {}, [])["low_variability"].tolist() == [True] * 30 + [False] * 70


def test_what_cannot_be_judged_has_no_flag():
    given = answers(100)
    assert find_careless(given[ITEMS[:5]], FIVE, {}, []) == {}
    few = find_careless(given, FIVE, {"c0": ITEMS[:3], "c1": ITEMS[3:6]}, [])
    assert "even_odd" not in few  # two pairs of means have no correlation
    assert "mahalanobis" not in find_careless(given.assign(q17=given["q16"]), FIVE, {}, [])
    assert "mahalanobis" not in find_careless(given.iloc[:18], FIVE, {}, [])
    noise = pd.DataFrame(np.random.default_rng(1).integers(1, 6, (200, 18)), columns=ITEMS, dtype=float)
    assert "synonyms" not in find_careless(noise, FIVE, {}, [])


def test_the_order_of_the_columns_counts_not_that_of_the_constructs():
    given = answers(50)
    given.iloc[0] = [3.0] * 9 + [1.0, 2.0] * 4 + [4.0]
    shuffled = given[[*ITEMS[::2], *ITEMS[1::2]]]
    assert flag_rows(given, given, FIVE)["long_string"][0]
    assert not flag_rows(shuffled, given, FIVE)["long_string"][0]


def test_answers_that_are_missing_do_not_count_against_a_respondent():
    given = answers()
    given.iloc[3] = nan
    given.iloc[5, 2:] = nan
    flags = flag_rows(given, given, FIVE, scales=CONSTRUCTS, reversed_items=["q2", "q10"])
    assert not flags[["several_indices", "mahalanobis", "low_variability"]].iloc[3].any()
    assert not flags["several_indices"].iloc[5]
