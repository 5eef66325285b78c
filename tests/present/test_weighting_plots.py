"""The figures, tables and sentences of expert weights."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cxresearch.core.results import Finding
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError
from cxresearch.methods.weighting import weigh_experts
from cxresearch.present.plots.weighting import plot_consistency, plot_global_weights, plot_weights
from cxresearch.present.tables import lay_out
from cxresearch.present.text import Text, catalogue, use_text

LABELS = {"speed": "Speed", "price": "Price", "staff": "Staff", "fair": "fair · Prices are fair"}
TREE = {"goal": ["speed", "price", "staff"], "price": ["fair", "clear"]}
SAID = {"A": (2, 4, 2, 2), "B": (3, 3, 1, 4), "X": (5, "1/5", 5, 2), "G": (2, "", 2, 2), "D": (2, "", "", 3)}
PAIRS = [("goal", "speed", "price"), ("goal", "speed", "staff"), ("goal", "price", "staff"), ("price", "fair", "clear")]


def judgements(names):
    rows = [(name, *pair, said) for name in names for pair, said in zip(PAIRS, SAID[name[0]], strict=True)]
    return pd.DataFrame(rows, columns=["expert", "parent", "left", "right", "judgement"])


@pytest.fixture(params=["en", "zh"])
def text(request):
    words = Text(request.param, LABELS)
    use_text(words)
    yield words
    use_text(Text())
    plt.close("all")


@pytest.fixture(scope="module")
def everything():
    return weigh_experts(judgements("ABXGD"), TREE, n_bootstrap=100)


@pytest.fixture(scope="module")
def many():
    return weigh_experts(judgements([f"{kind}{n}" for kind in "ABX" for n in range(20)]), TREE, n_bootstrap=50)


def test_every_view_has_a_title_and_a_layout(everything, text):
    for key, view in everything.views.items():
        layout = lay_out(everything.table, view, key, text)
        assert layout.rows
        assert layout.title == text.heading(key)


def test_the_table_of_weights_holds_the_group_with_its_intervals(everything, text):
    layout = lay_out(everything.table, everything.views["ahp_weights"], "ahp_weights", text)
    assert len(layout.rows) == 5
    main = everything.pick("weight_global", method="main result").to_dict("records")
    said = [f"{row['estimate']:.3f} [{row['conf_low']:.3f}, {row['conf_high']:.3f}]" for row in main]
    assert all(any(cell == written for cell in line) for line, written in zip(layout.rows, said, strict=True))


def test_both_ways_are_two_columns(everything, text):
    layout = lay_out(everything.table, everything.views["ahp_both_ways"], "ahp_both_ways", text)
    parts = [text.quantity("weight_global"), text.label("inconsistent experts kept"), text.label("main result")]
    assert layout.header[2] == " · ".join(parts)
    parts = [text.quantity("weight_global"), text.label("inconsistent experts left out"), text.label("other treatment")]
    assert layout.header[3] == " · ".join(parts)


def test_ways_of_putting_experts_together_are_three_columns(everything, text):
    layout = lay_out(everything.table, everything.views["ahp_aggregation"], "ahp_aggregation", text)
    assert [heading.count(text.label("main result")) for heading in layout.header[2:5]] == [1, 0, 0]


def test_a_consistency_that_could_not_be_checked_is_a_gap_in_the_table_and_no_dot(everything, text):
    layout = lay_out(everything.table, everything.views["ahp_consistency"], "ahp_consistency", text)
    cells = {line[0]: line[1:3] for line in layout.rows}
    assert cells["A"] == ("0.000", "0.000")
    assert cells["G"] == ("", "0.000")
    trees = weigh_experts(judgements("GG").iloc[:3], {"goal": TREE["goal"]})
    assert plot_consistency(trees).get_yticks().size == 0


def test_the_sentence_names_experts_pairs_and_the_rule(everything):
    said = Text("en", LABELS).sentence(everything.finding())
    assert "Speed weighs most to the experts together (4)" in said
    assert "Saaty 1980" in said
    assert "not so: X." in said
    pair = Text("en", LABELS).label("speed - staff")
    assert f"G left pairs open (1), estimated from the other judgements of that expert (Harker 1987): {pair}." in said
    assert "Below Goal, experts whose comparisons do not join all criteria are left out: D." in said
    chinese = Text("zh", LABELS).sentence(everything.finding())
    assert "未达到的是：X" in chinese
    assert "“Speed”" in chinese


def test_every_sentence_can_be_said_in_both_languages(text):
    values = {
        "top": "speed", "weight": 0.4, "low": 0.3, "high": 0.5, "n_experts": 3, "wanted": 10, "leaf": "fair", "n": 3, "n_consistent": 2,
        "experts": ["A", "B"], "random_index": "saaty", "expert": "A", "left": "speed", "right": "price", "judgement": 5.0,
        "suggested": 0.5, "shift": 0.01, "pairs": ["speed - price"], "parent": "goal",
    }  # fmt: skip
    keys = [key for key in catalogue()["findings"] if key.startswith("weighting.")]
    assert len(keys) >= 14
    for key in keys:
        said = text.sentence(Finding(key, values, RULES["consistency_ratio"]))
        assert "{" not in said


def test_dots_are_experts_and_markers_the_group(everything, text):
    ax = plot_weights(everything)
    shown = {line.get_label(): line for line in ax.lines}
    group = shown[text.axis("ahp_together_aij")]
    main = everything.pick("weight_local", scale="goal", group="", method="main result").sort_values("estimate")
    np.testing.assert_array_equal(np.sort(group.get_xdata()), main["estimate"])
    over = shown[text.axis("ahp_expert_over", value=0.1)]
    alone = everything.pick("weight_local", scale="goal", group="X")
    np.testing.assert_array_equal(np.sort(over.get_xdata()), np.sort(alone["estimate"]))
    within = shown[text.axis("ahp_expert", value=0.1)]
    assert len(within.get_xdata()) == 9  # A, B and G, three criteria each
    assert [label.get_text() for label in ax.get_yticklabels()] == [text.label(term) for term in main["term"]]


def test_another_parent_can_be_shown(everything, text):
    assert len(plot_weights(everything, parent="price").get_yticks()) == 2
    with pytest.raises(InputError, match="`parent` must have criteria below it; found speed"):
        plot_weights(everything, parent="speed")


def test_the_arithmetic_mean_is_shown_where_it_is_the_main_result(text):
    result = weigh_experts(judgements("AB"), TREE, aggregation="aip_arithmetic", n_bootstrap=0)
    labels = [line.get_label() for line in plot_weights(result).lines]
    assert text.axis("ahp_together_mean") in labels


def test_a_line_an_expert_with_the_limit_and_the_names_of_what_is_over(everything, text):
    ax = plot_consistency(everything)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "B", "X", "G", "D"]
    shown = {line.get_label(): line for line in ax.lines}
    limit = shown[text.axis("ahp_rule", value=0.1, citation="Saaty 1980")]
    assert set(limit.get_xdata()) == {0.1}
    ratio = everything.value("consistency_ratio", scale="goal", group="X")
    assert shown[text.axis("ahp_over")].get_xdata().tolist() == [ratio]
    assert [note.get_text() for note in ax.texts] == [text.label("goal")]


def test_parents_above_the_limit_are_named_together(text):
    tree = {"goal": ["a", "b", "c"], "a": ["d", "e", "f"]}
    pairs = [
        ("goal", "a", "b"),
        ("goal", "a", "c"),
        ("goal", "b", "c"),
        ("a", "d", "e"),
        ("a", "d", "f"),
        ("a", "e", "f"),
    ]
    rows = [("X", *pair, said) for pair, said in zip(pairs, (5, "1/5", 5, 3, "1/3", 3), strict=True)]
    result = weigh_experts(pd.DataFrame(rows, columns=["expert", "parent", "left", "right", "judgement"]), tree)
    ratios = result.pick("consistency_ratio", method="one expert")
    assert ratios["estimate"].min() > 0.1
    [note] = plot_consistency(result).texts
    assert note.get_text() == text.listed(["a", "goal"])  # by their ratios
    assert note.xy == (ratios["estimate"].max(), 0)


def test_a_line_a_parent_where_experts_are_many(many, text):
    ax = plot_consistency(many)
    assert [label.get_text() for label in ax.get_yticklabels()] == [text.label("goal"), "Price"]
    shown = {line.get_label(): line for line in ax.lines}
    assert len(shown[text.axis("ahp_over")].get_xdata()) == 20
    assert plot_weights(many).get_yticks().tolist() == [0, 1, 2]


def test_global_weights_run_from_the_goal_downwards(everything, text):
    ax = plot_global_weights(everything)
    labels = [label.get_text().strip() for label in ax.get_yticklabels()]
    assert labels == ["Speed", "Price", "fair · Prices are fair", "clear", "Staff"]
    shown = {line.get_label(): line for line in ax.lines}
    assert shown[text.axis("ahp_global_parent")].get_xdata().tolist() == [
        everything.value("weight_global", term="price", group="", method="main result")
    ]
