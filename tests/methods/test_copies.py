"""One data set under two names is told from two data sets by what their covariances make."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.errors import InputError
from cxresearch.methods.copies import find_copies
from cxresearch.methods.meta import pool_studies
from cxresearch.methods.reliability import check_reliability
from cxresearch.methods.study_ranks import rank_studies


def alphas(study, answers):
    """The alphas of two scales of four items each."""
    scales = {"speed": ["a", "b", "c"], "price": ["c", "d"]}
    found = check_reliability(answers, scales, n_bootstrap=2).pick("alpha")
    return found.assign(study=study, std_error=0.1, conf_low=np.nan, conf_high=np.nan)


def answers_of(seed, rows=200):
    random = np.random.default_rng(seed)
    true = random.normal(size=(rows, 1))
    values = np.clip(np.rint(3 + true + random.normal(size=(rows, 4))), 1, 5)
    return pd.DataFrame(values, columns=list("abcd"))


def test_one_data_set_under_three_names_is_found_whatever_its_order():
    first, second = answers_of(1), answers_of(2)
    mixed = first.sample(frac=1, random_state=3)  # sums in another order differ in the last digits
    rows = pd.concat([alphas("north", first), alphas("south", second), alphas("again", mixed), alphas("more", first)])
    assert find_copies(rows) == {"again": "north", "more": "north"}


def test_other_respondents_are_no_copies():
    rows = pd.concat([alphas(f"study{seed:03d}", answers_of(seed, 60)) for seed in range(100)])
    assert find_copies(rows) == {}


@pytest.mark.parametrize(
    ("later", "is_copy"),
    [
        ([("alpha", "speed", 0.8), ("alpha", "price", 0.7)], True),
        ([("alpha", "speed", 0.8), ("alpha", "price", 0.7), ("alpha", "more", 0.1), ("beta", "speed", 0.3)], True),
        ([("alpha", "speed", 0.8), ("alpha", "price", 0.7 + 1e-7)], False),
        ([("alpha", "speed", 0.8)], False),  # one number may be chance
        ([("alpha", "more", 0.8)], False),
    ],
)
def test_all_numbers_of_a_quantity_must_be_equal(later, is_copy):
    first = [("alpha", "speed", 0.8), ("alpha", "price", 0.7), ("beta", "speed", 0.2)]
    told = [("a", *row) for row in first] + [("b", *row) for row in later]
    rows = pd.DataFrame(told, columns=["study", "quantity", "scale", "estimate"]).assign(term="", n=100)
    assert find_copies(rows) == ({"b": "a"} if is_copy else {})
    assert find_copies(rows.assign(n=np.where(rows["study"] == "a", 100, 99))) == {}


def test_numbers_that_could_not_be_had_are_not_compared():
    told = [("a", "s", 0.8, 99), ("a", "t", 0.7, 99), ("b", "s", 0.8, 99), ("b", "t", 0.7, 99), ("c", "s", np.nan, 99)]
    told += [("d", "s", 0.8, np.nan), ("d", "t", 0.7, np.nan), ("a", "u", np.nan, 99), ("b", "u", 0.4, np.nan)]
    rows = pd.DataFrame(told, columns=["study", "scale", "estimate", "n"]).assign(quantity="alpha", term="")
    assert find_copies(rows) == {"b": "a"}
    assert find_copies(rows[rows["study"] == "c"]) == {}


def three(**columns):
    rows = {"study": list("abc"), "quantity": "beta", "scale": "drivers", "term": "speed", "estimate": [0.1, 0.1, 0.3]}
    return pd.DataFrame({**rows, "std_error": [0.1, 0.1, 0.2], "conf_low": np.nan, "conf_high": np.nan, "n": 50.0})


def test_a_copy_has_no_weight_and_no_rank():
    every, alone = three(), three().drop(index=1)
    pooled, reference = pool_studies(every, copies={"b": "a"}), pool_studies(alone)
    for quantity in ("pooled_estimate", "tau", "i_squared", "heterogeneity_q"):
        found, wanted = (result.pick(quantity).reset_index(drop=True) for result in (pooled, reference))
        pd.testing.assert_frame_equal(found, wanted)
    weights = pooled.pick("study_weight").set_index("group")["estimate"]
    assert weights["b"] == 0
    assert weights.sum() == pytest.approx(1, rel=1e-12)
    assert (pooled.n_studies, pooled.n_used) == (2, 100)
    ranks = rank_studies(every, copies={"b": "a"})
    assert ranks.pick("rank")["group"].tolist() == ["a", "c"]
    assert pool_studies(every).n_studies == 3  # nothing is guessed


def test_a_study_and_its_copy_share_nothing():
    with pytest.raises(InputError, match="some number must be shared by two studies or more"):
        pool_studies(three().drop(index=2), copies={"b": "a"})
