import numpy as np
import pandas as pd
import pytest

from cxresearch.core.design import Design
from cxresearch.errors import InputError

ROWS = pd.RangeIndex(4)


def test_weights_are_scaled_to_mean_one_on_the_rows_used():
    design = Design(weights=pd.Series([2.0, 2.0, 4.0, 100.0], ROWS))
    assert design.weights_on(ROWS[:3]).mean() == pytest.approx(1)
    assert design.weights_on(ROWS[:3]) == pytest.approx([0.75, 0.75, 1.5])


def test_without_weights_and_clusters_each_row_counts_once():
    assert Design().is_simple
    assert Design().words == ""
    assert Design().weights_on(ROWS).tolist() == [1, 1, 1, 1]
    assert Design().clusters_on(ROWS).tolist() == [0, 1, 2, 3]


def test_clusters_are_numbered_on_the_rows_used():
    design = Design(clusters=pd.Series(["b", "a", "b", "c"], ROWS))
    assert design.clusters_on(ROWS[1:]).tolist() == [0, 1, 2]
    assert design.words == "clustered"
    assert design.on(ROWS[:2]).clusters.tolist() == ["b", "a"]


@pytest.mark.parametrize(
    ("bad", "told"), [(-1.0, "-1"), (np.nan, "blank"), (None, "blank"), (" ", "blank"), (np.inf, "inf"),
                      ("much", "'much', not a number,")],
)  # fmt: skip
def test_a_bad_weight_is_refused_and_its_row_named(bad, told):
    with pytest.raises(InputError, match=rf"0 or more; found {told} in `w` at data rows 3 \(1 of 4\)"):
        Design(weights=pd.Series([1.0, 1.0, bad, 1.0], ROWS, name="w"))


def test_bad_weights_are_told_once_each_without_a_name_too():
    with pytest.raises(InputError, match=r"found -1, blank at data rows 8, 9, 11 \(3 of 4\)"):
        Design(weights=pd.Series([-1.0, np.nan, 1.0, -1.0], [7, 8, 9, 10]))


@pytest.mark.parametrize("part", ["weights", "clusters"])
def test_weights_and_clusters_must_stand_on_the_rows(part):
    with pytest.raises(InputError, match=f"`{part}` must be a Series on the row index of the answers; found ndarray"):
        Design(**{part: np.ones(4)})
    with pytest.raises(InputError, match=rf"`{part}` must have one value a row; found several for 1 \(1 of 3"):
        Design(**{part: pd.Series(1.0, [0, 1, 1, 2])})
    short = Design(**{part: pd.Series(1.0, ROWS[:2])})
    for use in (short.on, getattr(short, f"{part}_on")):
        with pytest.raises(
            InputError, match=rf"`{part}` must have the index .* found none for the rows 2, 3 \(2 of 4\)"
        ):
            use(ROWS)


def test_whole_weights_and_weights_typed_as_text_are_numbers():
    assert Design(weights=pd.Series(["1", "3", "2", "2"], ROWS)).weights_on(ROWS).tolist() == [0.5, 1.5, 1.0, 1.0]


def test_all_zero_weights_are_refused():
    with pytest.raises(InputError, match="some survey weight must be above 0"):
        Design(weights=pd.Series([0.0] * 4, ROWS))
    design = Design(weights=pd.Series([0.0, 0.0, 1.0, 1.0], ROWS))
    with pytest.raises(InputError, match="all 2 have weight 0"):
        design.weights_on(ROWS[:2])


def test_a_row_without_a_cluster_is_refused():
    with pytest.raises(InputError, match=r"needs a cluster; found none in `branch` at data rows 2 \(1 of 4\)"):
        Design(clusters=pd.Series(["a", None, "b", "c"], ROWS, name="branch"))
