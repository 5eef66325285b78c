"""Indices of careless answering, against their definitions in R."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.careless import (
    even_odd_consistency,
    find_synonyms,
    longest_strings,
    on_unit_scale,
    pairwise_correlation,
    response_variability,
    row_correlations,
    squared_distances,
    synonym_consistency,
)
from cxresearch.core.patterns import count_patterns, distinct_patterns, partial_inverses
from cxresearch.core.rules import Rule

CLOSED_FORM = 1e-10
FOLDER = Path(__file__).parent.parent / "reference/quality"
ANSWERS = pd.read_csv(FOLDER / "answers.csv")
EXPECTED = pd.read_csv(FOLDER / "careless.csv")
SCALES = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
REVERSED = [2, 7]


@pytest.fixture(scope="module")
def values():
    return on_unit_scale(ANSWERS.to_numpy(float), np.ones(12), np.full(12, 5.0))


def test_longest_strings_as_in_r(values):
    assert longest_strings(values).tolist() == EXPECTED["longest"].tolist()


def test_variability_as_in_r(values):
    np.testing.assert_allclose(4 * response_variability(values), EXPECTED["variability"], rtol=CLOSED_FORM, atol=1e-14)


def test_even_odd_consistency_as_in_r(values):
    turned = values.copy()
    turned[:, REVERSED] = 1 - turned[:, REVERSED]
    np.testing.assert_allclose(even_odd_consistency(turned, SCALES), EXPECTED["even_odd"], rtol=CLOSED_FORM, atol=1e-10)


def test_synonyms_as_in_r(values):
    alike = find_synonyms(pairwise_correlation(values), Rule("pair", 0.4, "above", "", ""))
    frame = ANSWERS.corr().to_numpy()
    np.testing.assert_allclose(pairwise_correlation(values), frame, rtol=CLOSED_FORM)
    assert (alike == np.triu(frame > 0.4, 1)).all()
    found = synonym_consistency(values, alike)
    assert np.isnan(found[0])
    np.testing.assert_allclose(found, EXPECTED["synonyms"], rtol=CLOSED_FORM, atol=1e-10)


def test_distances_as_in_r(values):
    complete = values[~np.isnan(values).any(axis=1)]
    squares, df = squared_distances(values, complete.mean(axis=0), np.cov(complete, rowvar=False))
    np.testing.assert_allclose(squares, EXPECTED["distance"], rtol=CLOSED_FORM, atol=1e-12)
    assert df.tolist() == ANSWERS.notna().sum(axis=1).tolist()


def test_common_patterns_and_rare_ones_give_the_same_distances():
    random = np.random.default_rng(4)
    root = random.normal(size=(5, 5))
    cov, mean = root @ root.T + np.eye(5), random.normal(size=5)
    values = random.normal(size=(400, 5))
    values[random.random(values.shape) < 0.3] = np.nan
    values[:150, 2] = np.nan
    squares, _ = squared_distances(values, mean, cov)
    for row, square in zip(values[::7], squares[::7], strict=True):
        there = ~np.isnan(row)
        off = (row - mean)[there]
        assert square == pytest.approx(off @ np.linalg.solve(cov[np.ix_(there, there)], off), rel=CLOSED_FORM)


def test_what_cannot_be_judged_is_nan():
    two = np.array([[0.0, 1.0], [0.5, np.nan]])
    assert np.isnan(row_correlations(two, two)).all()
    assert np.isnan(even_odd_consistency(two, [[0, 1]])).all()
    assert np.isnan(even_odd_consistency(two, [[0], [1]])).all()
    assert np.isnan(synonym_consistency(two, np.zeros((2, 2), bool))).all()
    assert np.isnan(response_variability(np.array([[np.nan, 1.0]]))).all()
    assert longest_strings(np.full((2, 3), np.nan)).tolist() == [0, 0]


def test_a_perfect_contradiction_is_minus_one_not_minus_infinity():
    values = np.array([[0.0, 1, 0.5, 0.5, 1, 0]])
    assert even_odd_consistency(values, [[0, 1], [2, 3], [4, 5]]).tolist() == [-1.0]


def test_a_hundred_thousand_respondents_take_seconds():
    random = np.random.default_rng(1)
    values = random.integers(0, 5, (100_000, 20)) / 4
    values[random.random(values.shape) < 0.02] = np.nan
    begin = time.process_time()
    longest_strings(values)
    response_variability(values)
    even_odd_consistency(values, [[i, i + 1] for i in range(0, 20, 2)])
    synonym_consistency(values, np.triu(np.ones((20, 20), bool), 1))
    squared_distances(values, np.full(20, 0.5), 0.1 * np.eye(20))
    assert time.process_time() - begin < 10  # about 1 s on a quiet machine


def test_patterns_are_counted_the_commonest_first():
    marks = pd.DataFrame({"a": [True, False, False, True, True], "b": [True, False, False, True, False], "c": False})
    found = count_patterns(marks, most=2)
    assert found.marks.columns.tolist() == ["a", "b"]
    assert found.names == ["none", "a + b"]
    assert (found.counts.tolist(), found.n, found.n_patterns, found.n_others) == ([2, 2], 5, 3, 1)
    patterns, which = distinct_patterns(marks.to_numpy())
    assert (patterns[which] == marks.to_numpy()).all()


def test_no_marks_are_one_pattern_and_no_rows_are_none():
    nothing = count_patterns(pd.DataFrame({"a": [False, False]}))
    assert (nothing.names, nothing.counts.tolist(), nothing.n_patterns) == (["none"], [2], 1)
    empty = count_patterns(pd.DataFrame({"a": []}, dtype=bool))
    assert (empty.names, empty.counts.tolist(), empty.n_patterns) == ([], [], 0)


def test_inverses_of_parts_are_zero_elsewhere():
    cov = np.array([[2.0, 1, 0], [1, 3, 1], [0, 1, 4]])
    [found] = partial_inverses(cov, np.array([[True, False, True]]))
    np.testing.assert_allclose(found, [[0.5, 0, 0], [0, 0, 0], [0, 0, 0.25]])
