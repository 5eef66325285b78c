"""The figures of data quality show the numbers of the results."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cxresearch.core.design import Design
from cxresearch.methods.flags import FLAGS
from cxresearch.methods.missingness import check_missing
from cxresearch.methods.quality import check_quality
from cxresearch.methods.sample import check_sample
from cxresearch.present.plots.patterns import plot_flag_overlap, plot_missing_patterns
from cxresearch.present.plots.quality import plot_missing, plot_sample
from cxresearch.present.text import Text, use_text


@pytest.fixture(autouse=True)
def words():
    use_text(Text("en", {"q1": "q1 · Quick", "company": "Company", "company=1": "Cedar", "q3": "q3 · " + "很长" * 40}))
    yield
    use_text(Text())
    plt.close("all")


@pytest.fixture
def quality():
    answers = pd.DataFrame({"q1": [1, 2, 3, np.nan], "q2": [1.0, 2, 3, 4], "q3": [np.nan] * 3 + [1.0]})
    log = pd.DataFrame({"n_rows": 4, "n_out_of_scale": [1, 0, 1]}, index=list(answers))
    rows = pd.DataFrame({"reason": ["rows_read", "rows_used"], "n": [4, 4]})
    return check_quality(answers, log, flags=pd.DataFrame({"duplicate": [False] * 4}), row_log=rows)


def test_missing_answers_are_bars_in_percent(quality):
    ax = plot_missing(quality)
    missing, outside, whiskers = ax.containers
    np.testing.assert_allclose([bar.get_width() for bar in missing], [25, 0, 75])
    np.testing.assert_allclose([bar.get_width() for bar in outside], [25, 0, 25])
    ends = np.array([line[:, 0] for line in whiskers.lines[2][0].get_segments()])
    shares = quality.pick("missing_share")
    np.testing.assert_allclose(ends, 100 * shares[["conf_low", "conf_high"]].to_numpy())
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "q1 · Quick"
    assert labels[2].endswith("…")
    assert len(labels[2]) < 30


def test_rules_that_flag_the_same_respondents_are_filled_squares():
    flags = pd.DataFrame({"straightliner": [True, False, False, False], "long_string": [True, True, False, False]})
    answers = pd.DataFrame({"q1": [1.0, 2, 3, 4]})
    log = pd.DataFrame({"n_rows": 4, "n_out_of_scale": 0}, index=["q1"])
    rows = pd.DataFrame({"reason": ["rows_read", "rows_used"], "n": [4, 4]})
    ax = plot_flag_overlap(check_quality(answers, log, flags=flags, row_log=rows))
    [mesh] = ax.collections
    np.testing.assert_array_equal(mesh.get_array(), [[0, 0], [0, 1], [1, 1]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2 (50.0%)", "1 (25.0%)", "1 (25.0%)"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["straight-liner", "long string"]
    assert ax.get_xlabel() == ""


def test_items_missing_together_are_filled_squares():
    answers = pd.DataFrame({"q1": [1, 2, np.nan, np.nan], "q2": [1.0, 2, 3, 4], "q3": [1.0, 2, np.nan, 3]})
    ax = plot_missing_patterns(check_missing(answers))
    np.testing.assert_array_equal(ax.collections[0].get_array(), [[0, 0], [1, 0], [1, 1]])
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[0] == "q1 · Quick"
    assert labels[1].endswith("…")
    assert ax.get_ylim() == (2.5, -0.5)


def test_patterns_that_are_not_shown_are_counted():
    flags = pd.DataFrame(np.eye(15, dtype=bool)[:, :9], columns=list(FLAGS))
    answers = pd.DataFrame({"q1": np.arange(15.0)})
    log = pd.DataFrame({"n_rows": 15, "n_out_of_scale": 0}, index=["q1"])
    rows = pd.DataFrame({"reason": ["rows_read", "rows_used"], "n": [15, 15]})
    quality = check_quality(answers, log, flags=flags, row_log=rows)
    assert len(quality.overlap.marks) == 8
    few = replace(
        quality, overlap=replace(quality.overlap, marks=quality.overlap.marks[:3], counts=quality.overlap.counts[:3])
    )
    assert plot_flag_overlap(few).get_xlabel() == "further patterns: 5, rows: 5"


def test_nothing_flagged_is_said_in_words():
    flags = pd.DataFrame({"straightliner": [False] * 4})
    answers = pd.DataFrame({"q1": [1.0, 2, 3, 4]})
    log = pd.DataFrame({"n_rows": 4, "n_out_of_scale": 0}, index=["q1"])
    rows = pd.DataFrame({"reason": ["rows_read", "rows_used"], "n": [4, 4]})
    ax = plot_flag_overlap(check_quality(answers, log, flags=flags, row_log=rows))
    assert ax.texts[0].get_text() == "Nothing is marked."


def test_groups_are_points_in_percent_under_their_column():
    groups = pd.DataFrame({"company": ["1", "1", "1", "2"], "region": ["N", "S", "S", "S"]})
    ax = plot_sample(check_sample(groups))
    points = ax.containers[0].lines[0]
    np.testing.assert_allclose(points.get_xdata(orig=False), [75, 25, 25, 75])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Cedar", "2", "N", "S"]
    assert [text.get_text() for text in ax.texts] == ["Company", "region"]
    assert (np.diff(points.get_ydata(orig=False)) > 0).all()
    assert ax.get_legend() is None


def test_unweighted_shares_stand_beside_weighted_ones():
    groups = pd.DataFrame({"company": ["1", "1", "1", "2"]})
    ax = plot_sample(check_sample(groups, design=Design(weights=pd.Series([1.0, 1, 1, 3]))))
    np.testing.assert_allclose(ax.containers[0].lines[0].get_xdata(orig=False), [50, 50])
    np.testing.assert_allclose(ax.lines[-1].get_xdata(orig=False), [75, 25])
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"weighted", "unweighted"}


def test_no_groups_are_said_in_words_on_the_axes_given():
    own = plt.figure().subplots()
    ax = plot_sample(check_sample(pd.DataFrame(index=range(3))), ax=own)
    assert ax is own
    assert "no groups" in ax.texts[0].get_text()
