"""What the moment verbs take, and what becomes of it."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.answers import count_rows, moments_of, names_of, replicates_of, sound_answers
from cxresearch.core.design import Design
from cxresearch.core.moments import Moments, bootstrap_moments
from cxresearch.errors import InputError


@pytest.fixture
def frame():
    answers = pd.DataFrame(np.random.default_rng(1).normal(5, 2, size=(40, 3)), columns=["a", "b", "c"])
    return answers.mask(np.eye(40, 3, k=-4).astype(bool))  # rows 4, 5 and 6 lack one answer each


def test_rows_give_the_moments_of_those_that_answered_all_items(frame):
    design = Design(weights=pd.Series(np.arange(40) % 3 + 1.0), clusters=pd.Series(np.arange(40) // 4))
    for items, n in ((["c", "a"], 38), (["b"], 39), (["a", "b", "c"], 37)):
        expected = Moments.from_frame(frame[items].dropna(), design=design)
        found = moments_of(frame, items, design=design)
        assert (int(found.n), found.names, found.design_words) == (n, tuple(items), "weighted; clustered")
        np.testing.assert_array_equal(found.mean, expected.mean)
        np.testing.assert_array_equal(found.cov, expected.cov)
        assert count_rows(frame, items) == n
        again = bootstrap_moments(frame[items].dropna(), 8, seed=3, design=design)
        np.testing.assert_array_equal(replicates_of(frame, items, 8, seed=3, design=design).cov, again.cov)


def test_moments_give_their_part_and_nothing_to_resample(frame):
    given = Moments.from_frame(frame.dropna())
    found = moments_of(given, ["c", "a"])
    np.testing.assert_array_equal(found.cov, given.select(["c", "a"]).cov)
    assert found.design_words == moments_of(found, ["c"]).design_words == "moments only"  # said once
    assert replicates_of(given, ["a"], 8, seed=1) is None
    assert replicates_of(frame, ["a"], 0, seed=1) is None
    assert (count_rows(given, ["a"]), names_of(given), names_of(frame)) == (37, ("a", "b", "c"), ("a", "b", "c"))


def test_another_policy_is_refused(frame):
    for ask in (moments_of, lambda *data, missing: replicates_of(*data, 5, seed=1, missing=missing)):
        with pytest.raises(InputError, match="`missing` must be one of drop, em, impute; found 'mean'"):
            ask(frame, ["a"], missing="mean")


def test_a_verb_takes_rows_or_the_moments_of_one_sample(frame):
    assert sound_answers(frame, design=None) is frame
    moments = Moments.from_frame(frame.dropna(), design=Design(weights=pd.Series(1.0, frame.index)))
    taken = sound_answers(moments, design=Design())
    assert taken.design_words == "moments only; weighted"
    assert taken.cov is moments.cov


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.eye(3), "DataFrame with one row a respondent, or Moments; found ndarray"),
        ([1.0], "or Moments; found list"),
        (Moments(np.array([9]), np.zeros((1, 2)), np.ones((1, 2, 2)), ("a", "b")), r"one sample.* shape \(1, 2, 2\)"),
        (Moments(np.array(9), np.zeros(2), np.full((2, 2), np.nan), ("a", "b")), "complete covariances"),
    ],
)
def test_other_data_are_refused(data, message):
    with pytest.raises(InputError, match=message):
        sound_answers(data, design=None)


def test_moments_have_no_design(frame):
    with pytest.raises(InputError, match="weights and clusters need the rows"):
        sound_answers(Moments.from_frame(frame.dropna()), design=Design(weights=pd.Series(1.0, frame.index)))
