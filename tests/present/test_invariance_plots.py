"""The figure of measurement invariance: what is drawn is what the result says, in the study's words."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from cxresearch.methods.invariance import check_invariance
from cxresearch.present.plots.invariance import plot_invariance
from cxresearch.present.plots.style import ACCENT, WARN
from cxresearch.present.text import Text, use_text


@pytest.fixture(autouse=True)
def words():
    use_text(Text("en", {"company": "Company"}))
    yield
    use_text(Text())
    plt.close("all")


@pytest.fixture(scope="module")
def result():
    """Two groups; in B the question q1 is answered a point higher."""
    rng = np.random.default_rng(1)
    company = pd.Series(np.repeat(["A", "B"], 300), name="company")
    answers = pd.DataFrame(
        rng.normal(size=(600, 1)) + 0.7 * rng.normal(size=(600, 4)), columns=["q1", "q2", "q3", "q4"]
    )
    answers["q1"] += company == "B"
    return check_invariance(answers, {"speed": list(answers)}, groups=company)


def marks_of(ax):
    return [line for line in ax.lines if line.get_marker() in ("o", "s")]


def test_each_step_stands_against_its_limit(result):
    ax = plot_invariance(result)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["Company: equal loadings", "Company: equal intercepts too"]
    marks = marks_of(ax)
    cfi = [result.value("invariance_cfi_change", method="mlr", scale=level) for level in ("metric", "scalar")]
    rmsea = [result.value("invariance_rmsea_change", method="mlr", scale=level) for level in ("metric", "scalar")]
    drawn = [float(mark.get_xdata()[0]) for mark in marks]
    np.testing.assert_allclose(drawn, [-cfi[0] / 0.01, rmsea[0] / 0.015, -cfi[1] / 0.01, rmsea[1] / 0.015])
    assert [to_hex(mark.get_color()) for mark in marks] == [ACCENT, ACCENT, WARN, WARN]
    assert ax.get_xlim()[1] > max(drawn)
    written = [text.get_text() for text in ax.texts]
    assert written[2] == f"\u2212{abs(cfi[1]):.3f}"
    assert written[3] == f"+{rmsea[1]:.3f}"
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["CFI falls (limit 0.010, Cheung & Rensvold 2002)", "RMSEA rises (limit 0.015, Chen 2007)"]


def test_small_samples_have_the_limit_of_small_samples(result):
    ax = plot_invariance(check_small())
    assert [text.get_text() for text in ax.get_legend().get_texts()][1] == "RMSEA rises (limit 0.010, Chen 2007)"


def check_small():
    rng = np.random.default_rng(2)
    answers = pd.DataFrame(rng.normal(size=(220, 1)) + rng.normal(size=(220, 4)), columns=["q1", "q2", "q3", "q4"])
    company = pd.Series(np.repeat(["A", "B"], 110), name="company")
    return check_invariance(answers, {"speed": list(answers)}, groups=company)


def test_without_a_verdict_the_figure_says_so():
    answers = pd.DataFrame({"q1": [1.0, 2], "q2": [2.0, 1], "q3": [1.0, 1]})
    empty = check_invariance(answers, {"speed": list(answers)}, groups=pd.Series(["A", "B"], name="company"))
    assert [text.get_text() for text in plot_invariance(empty).texts] == ["There is nothing to draw."]


def test_chinese_words_are_drawn(result):
    use_text(Text("zh", {"company": "公司"}))
    ax = plot_invariance(result)
    assert ax.get_yticklabels()[0].get_text() == "公司：载荷等值"
