"""Figures of reliability and factors: what is drawn is what the results say, in the study's words."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cxresearch.methods.description import check_items
from cxresearch.methods.factors import explore_factors
from cxresearch.methods.reliability import check_reliability
from cxresearch.present.plots.factors import plot_loadings, plot_scree
from cxresearch.present.plots.reliability import plot_answers, plot_reliability
from cxresearch.present.text import Text, use_text

LABELS = {"speed": "Speed", "q1": "q1 · Parcels come quickly"}


@pytest.fixture(autouse=True)
def words():
    use_text(Text("en", LABELS))
    yield
    use_text(Text())
    plt.close("all")


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(1)
    values = rng.normal(3, 0.6, size=(80, 1)) + rng.normal(0, 0.8, size=(80, 6))
    return pd.DataFrame(values.round().clip(1, 5), columns=[f"q{i + 1}" for i in range(6)])


SCALES = {"speed": ["q1", "q2", "q3", "q4"], "price": ["q5", "q6"]}


def tick_labels(axis):
    return [label.get_text().strip() for label in axis.get_ticklabels()]


def legend_of(ax):
    return [entry.get_text() for entry in ax.get_legend().get_texts()]


def test_scales_stand_with_their_items_within(answers):
    result = check_reliability(answers, SCALES, n_bootstrap=50)
    ax = plot_reliability(result)
    assert tick_labels(ax.yaxis) == ["Speed", "q1 · Parcels come quickly", "q2", "q3", "q4", "price", "All items"]
    marked = np.concatenate([line.get_xdata() for line in ax.get_lines()])
    for quantity in ("alpha", "omega_total", "alpha_if_dropped"):
        assert set(result.pick(quantity)["estimate"]) <= set(marked)
    assert ax.get_legend_handles_labels()[1].count("Alpha (raw)") == 1


def test_a_result_without_intervals_can_be_drawn(answers):
    ax = plot_reliability(check_reliability(answers, SCALES, n_bootstrap=0))
    assert ax.get_xlim()[1] > 1


def test_scales_of_two_items_have_no_items_within(answers):
    pairs = {"speed": ["q1", "q2"], "price": ["q5", "q6"]}
    ax = plot_reliability(check_reliability(answers, pairs, n_bootstrap=50))
    assert tick_labels(ax.yaxis) == ["Speed", "price", "All items"]


def test_answer_bars_add_up_and_balance_at_the_middle(answers):
    result = check_items(answers, SCALES, ranges=dict.fromkeys(answers, (1.0, 5.0)))
    ax = plot_answers(result)
    widths = np.array([bar.get_width() for bar in ax.patches]).reshape(6, 5)
    np.testing.assert_allclose(widths.sum(axis=1), 100)
    shares = result.pick("item_share", term="q1")["estimate"].to_numpy()
    assert ax.patches[0].get_x() == pytest.approx(-100 * (shares[:2].sum() + shares[2] / 2))
    assert legend_of(ax) == ["1", "2", "3", "4", "5"]


def test_a_scale_that_differs_is_named_and_the_legend_tells_places(answers):
    wider = answers.assign(nps=answers["q1"] * 2)
    ax = plot_answers(check_items(wider, SCALES, ranges=dict.fromkeys(answers, (1, 5)) | {"nps": (0, 10)}))
    assert tick_labels(ax.yaxis)[-1] == "nps (0–10)"
    assert tick_labels(ax.yaxis)[1] == "q2"
    assert legend_of(ax)[0] == "lowest possible"
    assert "1–5" in ax.get_legend().get_title().get_text()


def test_measured_items_only_leave_a_sentence(answers):
    ax = plot_answers(check_items(answers * 1.5 + 0.1, SCALES))
    assert [text.get_text() for text in ax.texts] == ["No item has a small number of possible answers."]


def test_the_scree_shows_every_line_and_the_number_extracted(answers):
    result = explore_factors(answers, n_factors=2)
    ax = plot_scree(result)
    drawn = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    np.testing.assert_array_equal(drawn["These answers"], result.pick("eigenvalue")["estimate"])
    np.testing.assert_array_equal(drawn["Random data, 95th percentile"], result.pick("eigenvalue_random")["estimate"])
    reference = result.pick("eigenvalue_reference")["estimate"]
    np.testing.assert_array_equal(drawn["Empirical Kaiser criterion"], reference)
    assert "Extracted: 2" in [text.get_text() for text in ax.texts]


def test_the_map_holds_every_loading_with_the_salient_ones_bold(answers):
    result = explore_factors(answers, n_factors=2)
    ax = plot_loadings(result)
    written = np.array([text.get_text().replace("\u2212", "-") for text in ax.texts], float).reshape(6, 2)
    np.testing.assert_allclose(written, result.loadings, atol=0.005)
    bold = np.array([text.get_fontweight() == "bold" for text in ax.texts]).reshape(6, 2)
    np.testing.assert_array_equal(bold, result.loadings.abs() >= 0.4)
    assert tick_labels(ax.yaxis)[0] == "q1 · Parcels come quickly"


def test_figures_speak_chinese(answers):
    use_text(Text("zh", {"speed": "速度"}))
    ax = plot_reliability(check_reliability(answers, SCALES, n_bootstrap=0))
    assert tick_labels(ax.yaxis)[0] == "速度"
    assert ax.get_xlabel() == "系数及 95% 置信区间"
    assert plot_scree(explore_factors(answers, n_factors=1)).get_xlabel() == "特征值序号"


def test_axes_that_are_given_are_drawn_on(answers):
    axes = plt.subplots(2, 2)[1].ravel()
    reliability, items = check_reliability(answers, SCALES, n_bootstrap=0), check_items(answers, SCALES)
    factors = explore_factors(answers, n_factors=1)
    assert plot_reliability(reliability, ax=axes[0]) is axes[0]
    assert plot_answers(items, ax=axes[1]) is axes[1]
    assert plot_scree(factors, ax=axes[2]) is axes[2]
    assert plot_loadings(factors, ax=axes[3]) is axes[3]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "label", ["s", "Parcels arrive when they were promised, whatever the weather", "无论天气如何包裹都能准时送达" * 3]
)
def test_the_legend_of_reliability_stays_inside(answers, language, label):
    use_text(Text(language, dict.fromkeys([*answers, *SCALES], label)))
    result = check_reliability(answers, SCALES, n_bootstrap=20)
    heywood = result.table["quantity"].eq("omega_total") & result.table["scale"].eq("all")
    result.table.loc[heywood, "method"] += "; heywood case"  # the longest legend
    ax = plot_reliability(result)
    figure = ax.figure
    figure.draw_without_rendering()
    for entry in ax.get_legend().get_texts():
        box = entry.get_window_extent()
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
