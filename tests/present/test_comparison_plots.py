"""Figures of drivers and case comparison: what they show, and labels that keep clear of each other."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.errors import InputError
from cxresearch.methods.cases import compare_cases
from cxresearch.methods.drivers import regress_drivers
from cxresearch.present.plots.cases import MOST_PAIRS, plot_groups, plot_pairs
from cxresearch.present.plots.drivers import plot_importance, plot_importance_performance
from cxresearch.present.plots.labels import label_points
from cxresearch.present.text import Text, use_text

RNG = np.random.default_rng(6)
LONG = {
    "en": "Parcels arrive when they were promised, whatever the weather and however far they have to travel",
    "zh": "无论天气如何、路途多远，包裹都能在承诺的时间之内完好送达收件人手中",
}


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    use_text(Text())
    plt.close("all")


@pytest.fixture(scope="module")
def drivers():
    data = pd.DataFrame(RNG.normal(size=(200, 4)) + RNG.normal(size=(200, 1)), columns=list("abcd"))
    data["y"] = data.sum(axis=1) + RNG.normal(size=200)
    return regress_drivers(data, "y", drivers=list("abcd"), n_bootstrap=50)


@pytest.fixture(scope="module")
def answers():
    company = np.arange(300) % 3
    return pd.DataFrame(
        {"y": RNG.normal(size=300) + np.array([0, 0.2, 2])[company], "company": company, "many": np.arange(300) % 12}
    )


def tick_labels(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def within_figure(ax):
    """Whether the label of each axis and every line lies inside the figure."""
    figure = ax.figure
    figure.draw_without_rendering()
    frame = figure.bbox
    low, high = sorted(ax.get_ylim())
    lines = [label for label in ax.get_yticklabels() if low <= label.get_position()[1] <= high]
    texts = [ax.xaxis.label, ax.yaxis.label, *lines]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    return all(
        frame.x0 - 1 <= b.x0 and b.x1 <= frame.x1 + 1 and frame.y0 - 1 <= b.y0 and b.y1 <= frame.y1 + 1 for b in boxes
    )


def test_importance_shows_shares_in_order(drivers):
    ax = plot_importance(drivers)
    shares = drivers.pick("importance_lmg").sort_values("estimate", ascending=False)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(shares["estimate"].tolist())
    assert tick_labels(ax) == shares["term"].tolist()
    ends = np.array(ax.collections[0].get_segments())[:, :, 0]
    np.testing.assert_allclose(ends, shares[["conf_low", "conf_high"]])


def test_importance_of_many_drivers_draws_johnson():
    data = pd.DataFrame(RNG.normal(size=(60, 14)), columns=[f"d{i}" for i in range(14)])
    result = regress_drivers(data, "d13", drivers=list(data.columns[:-1]), n_bootstrap=20)
    widths = [bar.get_width() for bar in plot_importance(result).patches]
    assert sorted(widths) == pytest.approx(sorted(result.pick("importance_johnson")["estimate"]))
    plot_importance_performance(result)


def test_map_has_a_label_for_each_driver_and_names_of_quadrants(drivers):
    ax = plot_importance_performance(drivers)
    texts = {text.get_text() for text in ax.texts}
    assert {
        "a",
        "b",
        "c",
        "d",
        "Concentrate here",
        "Keep up the good work",
        "Low priority",
        "Possible overkill",
    } <= texts


@pytest.mark.parametrize("seed", range(5))
def test_labels_cover_neither_each_other_nor_marks(seed):
    rng = np.random.default_rng(seed)
    ax = plt.subplots(figsize=(7, 5.5))[1]
    ax.set(xlim=(-0.2, 1.2), ylim=(-0.2, 1.2))
    x, y = rng.uniform(size=(2, 9))
    label_points(ax, x.tolist(), y.tolist(), [f"Quality of the\nservice {i}" for i in range(9)])
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    assert len(boxes) == 9
    assert not any(a.overlaps(b) for at, a in enumerate(boxes) for b in boxes[at + 1 :])
    marks = ax.transData.transform(np.column_stack([x, y]))
    assert not any(box.contains(*mark) for box in boxes for mark in marks)


def test_a_map_needs_means(answers):
    moments = Moments.from_correlation(answers.select_dtypes("number").iloc[:, :3].corr(), 100)
    first, second, outcome = moments.names
    with pytest.raises(InputError, match="needs the means of the drivers"):
        plot_importance_performance(regress_drivers(moments, outcome, drivers=[first, second]))


def test_groups_highest_first(answers):
    result = compare_cases(answers, "y", by="company", n_bootstrap=20)
    ax = plot_groups(result)
    order = result.pick("group_mean").sort_values("estimate", ascending=False)
    assert tick_labels(ax) == [f"{group} (n = 100)" for group in order["group"]]
    assert ax.lines[0].get_xdata() == pytest.approx(order["estimate"].to_numpy())


def test_groups_of_a_weighted_study_show_the_weighted_means_only(answers):
    weights = pd.Series(RNG.uniform(0.5, 2, 300))
    result = compare_cases(answers, "y", by="company", design=Design(weights=weights), n_bootstrap=20)
    weighted = result.pick("group_mean")
    weighted = weighted.loc[weighted["method"] == "weighted; by company", "estimate"]
    assert sorted(plot_groups(result).lines[0].get_xdata()) == pytest.approx(sorted(weighted))


def test_pairs_without_zero_stand_out(answers):
    result = compare_cases(answers, "y", by="company", n_bootstrap=20)
    ax = plot_pairs(result)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["interval without zero", "interval with zero"]
    differences = result.pick("mean_difference").set_index("term")["estimate"].sort_values(ascending=False)
    assert tick_labels(ax) == [pair.replace(" - ", " – ") for pair in differences.index]


def test_of_many_pairs_the_clearest_are_drawn(answers):
    result = compare_cases(answers, "y", by="many", n_bootstrap=20)
    ax = plot_pairs(result)
    assert len(tick_labels(ax)) == MOST_PAIRS
    assert f"the {MOST_PAIRS} clearest of 66 pairs" in ax.get_xlabel()
    pairs = result.pick("mean_difference").set_index("term")
    shown = pairs.loc[[pair.replace(" – ", " - ") for pair in tick_labels(ax)]]
    assert shown["estimate"].is_monotonic_decreasing
    assert (
        shown["statistic"].abs().min() >= result.pick("mean_difference")["statistic"].abs().nlargest(MOST_PAIRS).min()
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_long_labels_stay_inside(drivers, answers, language):
    names = dict.fromkeys(("a", "b", "c", "d", "y"), LONG[language])
    use_text(Text(language, names | {f"company={code}": LONG[language] for code in range(3)}))
    cases = compare_cases(answers, "y", by="company", n_bootstrap=20)
    for ax in (plot_importance(drivers), plot_importance_performance(drivers), plot_groups(cases), plot_pairs(cases)):
        assert within_figure(ax)
