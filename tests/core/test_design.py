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


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_bad_weight_is_refused_and_its_row_named(bad):
    with pytest.raises(InputError, match=r"missing, negative or infinite weight in rows 2 \(1 of 4\)"):
        Design(weights=pd.Series([1.0, 1.0, bad, 1.0], ROWS))


def test_all_zero_weights_are_refused():
    with pytest.raises(InputError, match="some survey weight must be above 0"):
        Design(weights=pd.Series([0.0] * 4, ROWS))
    design = Design(weights=pd.Series([0.0, 0.0, 1.0, 1.0], ROWS))
    with pytest.raises(InputError, match="all 2 have weight 0"):
        design.weights_on(ROWS[:2])


def test_a_row_without_a_cluster_is_refused():
    with pytest.raises(InputError, match=r"found none in rows 1 \(1 of 4\)"):
        Design(clusters=pd.Series(["a", None, "b", "c"], ROWS))
