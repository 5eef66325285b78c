"""Figures of a confirmatory analysis: what is drawn is what the results say, in the study's words."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cxresearch.core.moments import Moments
from cxresearch.methods.confirmation import confirm_factors
from cxresearch.methods.validity import check_validity
from cxresearch.present.plots.confirmation import (
    plot_distinctness,
    plot_factor_correlations,
    plot_measurement_model,
    plot_residuals,
)
from cxresearch.present.text import Text, use_text

SCALES = {"speed": ["q1", "q2", "q3"], "staff": ["q4", "q5", "q6"], "price": ["q7", "q8"]}


@pytest.fixture(autouse=True)
def words():
    use_text(Text("en", {"speed": "Speed", "q1": "q1 · Parcels come quickly"}))
    yield
    use_text(Text())
    plt.close("all")


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(1)
    phi = [[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]]
    factors = rng.multivariate_normal(np.zeros(3), phi, 400)[:, [0, 0, 0, 1, 1, 1, 2, 2]]
    return pd.DataFrame(factors + rng.normal(size=(400, 8)), columns=[f"q{i + 1}" for i in range(8)])


@pytest.fixture(scope="module")
def result(answers):
    return confirm_factors(answers, SCALES)


@pytest.fixture(scope="module")
def empty():
    """A model without a solution."""
    corr = np.array([[1, 0.6, 0.4, 0.4], [0.6, 1, 0.4, 0.4], [0.4, 0.4, 1, 0.0], [0.4, 0.4, 0.0, 1]])
    names = ["q1", "q2", "q3", "q4"]
    moments = Moments.from_correlation(pd.DataFrame(corr, index=names, columns=names), 60)
    return confirm_factors(moments, {"speed": ["q1", "q2"], "staff": ["q3", "q4"]})


def written(ax):
    return [text.get_text() for text in ax.texts]


def test_the_path_diagram_holds_every_construct_item_and_loading(result):
    texts = written(plot_measurement_model(result))
    loadings = result.pick("standardized_loading", method="ml")
    assert [text for text in texts if text in ("Speed", "staff", "price")] == ["Speed", "staff", "price"]
    assert "q1 · Parcels come quickly" in texts
    for loading in loadings["estimate"]:
        assert f"{loading:.2f}" in texts


def test_items_are_split_in_two_columns_of_like_height(result):
    ax = plot_measurement_model(result)
    boxes = [patch.get_x() for patch in ax.patches if hasattr(patch, "get_boxstyle")]
    assert sum(x < 0 for x in boxes) in (3, 6)
    assert len(boxes) == 8


def test_a_weak_loading_stands_out(answers):
    noise = np.random.default_rng(2).normal(size=400)
    ax = plot_measurement_model(confirm_factors(answers.assign(q2=0.2 * answers["q2"] + noise), SCALES))
    colours = {text.get_text(): text.get_color() for text in ax.texts}
    weak = [text for text, colour in colours.items() if colour == "#d55e00"]
    assert len(weak) == 1
    assert float(weak[0]) < 0.5


def test_one_construct_alone_can_be_drawn(answers):
    result = confirm_factors(answers[["q1", "q2", "q3"]], {"speed": ["q1", "q2", "q3"]})
    assert "Speed" in written(plot_measurement_model(result))
    assert written(plot_factor_correlations(result)) == ["There is nothing to draw."]


def test_the_map_of_constructs_holds_each_correlation(result):
    texts = written(plot_factor_correlations(result))
    rows = result.pick("factor_correlation", method="ml")
    assert sorted(texts) == sorted(f"{value:.2f}" for value in rows["estimate"])


def test_the_map_of_residuals_marks_those_beyond_the_limit(result):
    ax = plot_residuals(result)
    residuals = result.pick("residual_correlation")["estimate"].abs()
    assert len(ax.get_lines()) == (residuals > 0.1).sum()
    drawn = np.asarray(ax.images[0].get_array().filled(np.nan))
    assert np.isfinite(drawn).sum() == len(residuals) == 28


def test_ratios_stand_in_order_with_their_intervals(answers):
    validity = check_validity(answers, SCALES, n_bootstrap=50)
    ax = plot_distinctness(validity)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == 3
    first = validity.htmt.idxmax()
    assert labels[0] == f"{'Speed' if first[0] == 'speed' else first[0]} – {first[1]}"
    assert "0.85 (Henseler et al. 2015)" in [entry.get_text() for entry in ax.get_legend().get_texts()]


def test_without_a_solution_each_figure_says_so(empty):
    for plot in (plot_measurement_model, plot_factor_correlations, plot_residuals):
        assert written(plot(empty)) == ["There is nothing to draw."]


def test_figures_speak_chinese(result):
    use_text(Text("zh", {"speed": "速度"}))
    texts = written(plot_measurement_model(result))
    assert "速度" in texts
    assert any("标准化载荷" in text for text in texts)


def test_axes_that_are_given_are_drawn_on(result, answers):
    axes = plt.subplots(2, 2)[1].ravel()
    assert plot_measurement_model(result, ax=axes[0]) is axes[0]
    assert plot_factor_correlations(result, ax=axes[1]) is axes[1]
    assert plot_residuals(result, ax=axes[2]) is axes[2]
    assert plot_distinctness(check_validity(answers, SCALES, n_bootstrap=0), ax=axes[3]) is axes[3]
