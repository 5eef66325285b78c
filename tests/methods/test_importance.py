"""LMG and Johnson's weights against relaimpo, pingouin and R; properties; stacks."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxresearch.errors import InputError
from cxresearch.methods.importance import MOST_DRIVERS, johnson, lmg, r_squared, r_squared_of_subsets

FOLDER = Path(__file__).parent.parent / "reference" / "drivers"
PUBLISHED = json.loads((FOLDER / "published.json").read_text(encoding="utf-8"))
CLOSED_FORM = 1e-10
DRIVERS = ["complaints", "privileges", "learning", "raises", "critical", "advance"]


def made_up(drivers, seed, rows=40):
    """Correlations of overlapping drivers and an outcome."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, drivers + 1)) + rng.normal(size=(rows, 1))
    return np.corrcoef(values, rowvar=False)


def test_lmg_of_swiss_as_printed():
    swiss = pd.read_csv(FOLDER / "swiss.csv")
    printed = PUBLISHED["swiss_lmg"]["values"]
    ours = lmg(swiss[[*printed, "Fertility"]].corr().to_numpy())
    assert ours == pytest.approx(list(printed.values()), abs=5e-9)  # half a unit of the last printed digit


def test_lmg_of_attitude_as_pingouin():
    attitude = pd.read_csv(FOLDER / "attitude.csv")
    ours = lmg(attitude[[*DRIVERS, "rating"]].corr().to_numpy())
    assert ours == pytest.approx([PUBLISHED["attitude_lmg"]["values"][name] for name in DRIVERS], abs=1e-11)


def test_lmg_is_the_mean_over_all_orders():
    correlation = made_up(4, 1)

    def explained(chosen):
        rows = list(chosen)
        inside = correlation[np.ix_(rows, rows)]
        return correlation[-1, rows] @ np.linalg.solve(inside, correlation[rows, -1]) if rows else 0.0

    orders = list(permutations(range(4)))
    mean = np.zeros(4)
    for order in orders:
        for place, driver in enumerate(order):
            mean[driver] += explained(order[: place + 1]) - explained(order[:place])
    assert lmg(correlation) == pytest.approx(mean / len(orders), abs=CLOSED_FORM)


def test_subsets_stand_at_their_bits():
    correlation = made_up(3, 2)
    subsets = r_squared_of_subsets(correlation)
    assert subsets[0] == 0
    assert subsets[0b001] == pytest.approx(correlation[2, 3] ** 2, abs=CLOSED_FORM)
    assert subsets[0b100] == pytest.approx(correlation[0, 3] ** 2, abs=CLOSED_FORM)
    assert subsets[0b111] == pytest.approx(r_squared(correlation), abs=CLOSED_FORM)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 7), st.integers(0, 2**31))
def test_shares_sum_to_r_squared_and_are_not_negative(drivers, seed):
    correlation = made_up(drivers, seed)
    for share in (lmg(correlation), johnson(correlation)):
        assert share.sum() == pytest.approx(float(r_squared(correlation)), abs=CLOSED_FORM)
        assert share.min() >= -CLOSED_FORM


@pytest.mark.parametrize("method", [lmg, johnson])
def test_order_of_drivers_does_not_matter(method):
    correlation, order = made_up(5, 3), [3, 0, 4, 1, 2, 5]
    assert method(correlation[np.ix_(order, order)]) == pytest.approx(method(correlation)[order[:-1]], abs=CLOSED_FORM)


@pytest.mark.parametrize("method", [lmg, johnson])
def test_unrelated_drivers_get_their_squared_correlations(method):
    correlation = np.eye(4)
    correlation[-1, :-1] = correlation[:-1, -1] = [0.5, -0.4, 0.0]
    assert method(correlation) == pytest.approx([0.25, 0.16, 0], abs=CLOSED_FORM)


@pytest.mark.parametrize("method", [lmg, johnson])
def test_a_stack_gives_what_its_members_give(method):
    stack = np.array([made_up(5, seed) for seed in range(300)]).reshape(3, 100, 6, 6)
    together = method(stack)
    assert together.shape == (3, 100, 5)
    assert together[2, 7] == pytest.approx(method(stack[2, 7]), abs=CLOSED_FORM)
    assert method(stack[2, 7][None]).shape == (1, 5)


def test_nan_of_one_replicate_stays_there():
    stack = np.array([made_up(3, 1), made_up(3, 2)])
    stack[0, 1, :] = stack[0, :, 1] = np.nan
    for share in (lmg(stack), johnson(stack)):
        assert np.isnan(share[0]).any()
        assert np.isfinite(share[1]).all()


def test_too_many_drivers_for_lmg():
    drivers = MOST_DRIVERS + 1
    with pytest.raises(InputError, match=f"at most {MOST_DRIVERS} drivers; found {drivers}"):
        lmg(made_up(drivers, 1))
    assert johnson(made_up(drivers, 1)).sum() == pytest.approx(float(r_squared(made_up(drivers, 1))), abs=CLOSED_FORM)
