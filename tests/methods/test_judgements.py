"""Reading judgements: every fault named, all at once."""

import re

import numpy as np
import pandas as pd
import pytest

from cxresearch.errors import InputError
from cxresearch.methods.hierarchy import global_weights, order_hierarchy
from cxresearch.methods.judgements import read_judgements

TREE = {"goal": ["speed", "price", "staff"], "price": ["fair", "clear"]}
COLUMNS = ["expert", "parent", "left", "right", "judgement"]
GOOD = [
    ("E1", "goal", "speed", "price", "3"),
    ("E1", "goal", "speed", "staff", "1/2"),
    ("E1", "goal", "price", "staff", 0.25),
    ("E1", "price", "fair", "clear", 5),
]


def table(*rows):
    return pd.DataFrame([*GOOD, *rows], columns=COLUMNS)


def replaced(**columns):
    """The good table with the first row changed."""
    frame = table().astype(object)
    for name, value in columns.items():
        frame.loc[0, name] = value
    return frame


def matrices(frame, hierarchy=TREE):
    return {panel.parent: panel.matrices for panel in read_judgements(frame, hierarchy)[2]}


def test_matrices_are_filled_on_both_sides():
    experts, hierarchy, panels = read_judgements(table(), TREE)
    assert experts == ("E1",)
    assert hierarchy == TREE
    assert [panel.criteria for panel in panels] == [("speed", "price", "staff"), ("fair", "clear")]
    expected = [[1, 3, 0.5], [1 / 3, 1, 0.25], [2, 4, 1]]
    assert panels[0].matrices[0] == pytest.approx(np.array(expected), abs=1e-12)


@pytest.mark.parametrize("written", ["1/3", " 1 / 3 ", "１／３", "0.3333333333333333", 1 / 3])
def test_fractions_as_people_type_them(written):
    assert matrices(replaced(judgement=written))["goal"][0, 0, 1] == pytest.approx(1 / 3, abs=1e-12)


@pytest.mark.parametrize("blank", ["", "  ", None, np.nan, pd.NA])
def test_blank_is_not_asked(blank):
    filled = matrices(replaced(judgement=blank))["goal"][0]
    assert np.isnan([filled[0, 1], filled[1, 0]]).all()
    assert np.isnan(filled).sum() == 2


def test_numbers_as_names_are_codes():
    frame = pd.DataFrame({"expert": [1.0, 2.0], "parent": "goal", "left": 7, "right": 8.0, "judgement": [2, 3]})
    experts, hierarchy, _ = read_judgements(frame)
    assert experts == ("1", "2")
    assert hierarchy == {"goal": ["7", "8"]}


def test_the_same_answer_twice_and_both_directions_are_welcome():
    again = table(("E1", "goal", "speed", "price", 3.0), ("E1", "goal", "price", "speed", 0.33))
    assert matrices(again)["goal"][0, 0, 1] == 3  # not the reciprocal of the rounded 0.33
    assert matrices(again)["goal"][0, 1, 0] == pytest.approx(1 / 3, abs=1e-12)


def test_an_expert_who_left_everything_blank_is_still_an_expert():
    frame = table(("E2", "goal", "speed", "price", ""))
    experts, _, panels = read_judgements(frame, TREE)
    assert experts == ("E1", "E2")
    assert np.isnan(panels[0].matrices[1]).sum() == 6


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("E2", "goal", "speed", "price", 0)], "expert E2, goal: speed / price is 0, off the scale from 1/9 to 9"),
        ([("E2", "goal", "speed", "price", 12)], "expert E2, goal: speed / price is 12, off the scale"),
        ([("E2", "goal", "speed", "price", -3)], "expert E2, goal: speed / price is -3, off the scale"),
        ([("E2", "goal", "speed", "price", "1/10")], "expert E2, goal: speed / price is 1/10, off the scale"),
        ([("E2", "goal", "speed", "price", np.inf)], "expert E2, goal: speed / price is inf, off the scale"),
        ([("E2", "goal", "speed", "price", "03-Jan")], "expert E2, goal: speed / price is '03-Jan', not a number"),
        ([("E2", "goal", "speed", "price", "1/0")], "expert E2, goal: speed / price is '1/0', not a number"),
        ([("E2", "goal", "speed", "speed", 2)], "expert E2, goal: speed / speed is 2, but nothing differs from itself"),
        ([("E1", "goal", "speed", "price", 5)], "expert E1, goal: speed / price is given as 3 and as 5"),
        ([("E1", "goal", "price", "speed", 3)], "expert E1, goal: price / speed is 3, but speed / price is 3"),
        ([("E2", "gaol", "speed", "price", 3)], "parent gaol is not in the hierarchy; did you mean goal? (expert E2)"),
        (
            [("E2", "goal", "sped", "price", 3)],
            "sped below goal is not in the hierarchy; did you mean speed? (expert E2)",
        ),
        ([("E2", "price", "fair", "speed", 3)], "speed below price is not in the hierarchy (expert E2)"),
        ([("", "goal", "speed", "price", 3), ("E2", "goal", None, "price", 3)], "no expert in row 5; no left in row 6"),
    ],
)
def test_each_fault_names_expert_and_pair(rows, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_judgements(table(*rows), TREE)


@pytest.mark.parametrize(
    ("value", "date", "blank"), [("2026-01-02", True, False), (0, False, True), (15, False, False), (-3, False, False)]
)
def test_hints_belong_to_what_was_found(value, date, blank):
    with pytest.raises(InputError) as raised:
        read_judgements(table(("E2", "goal", "speed", "price", value)), TREE)
    assert ("turned 1/3 into a date" in str(raised.value)) == date
    assert ("not compared, leave its judgement blank" in str(raised.value)) == blank


def test_a_misspelt_criterion_is_not_taken_for_a_date():
    with pytest.raises(InputError) as raised:
        read_judgements(table(("E2", "goal", "sped", "price", 3)), TREE)
    assert str(raised.value).endswith("Mend the judgements.")


def test_all_faults_at_once():
    frame = table(
        ("E2", "goal", "speed", "price", 0),
        ("E3", "gaol", "speed", "price", 3),
        ("E4", "goal", "speed", "price", "many"),
        ("E5", "goal", "speed", "price", 12),
    )
    with pytest.raises(InputError, match=r"found 4 faults: parent gaol.*E4.*'many'.*E2.*is 0.*E5.*is 12"):
        read_judgements(frame, TREE)


def test_many_faults_are_counted():
    rows = [(f"E{number}", "goal", "speed", "price", 0) for number in range(2, 40)]
    with pytest.raises(InputError, match=r"found 38 faults: .*; and 13 more"):
        read_judgements(table(*rows), TREE)


def test_a_criterion_that_nobody_compares():
    with pytest.raises(InputError, match=r"below price, no expert compares fair, clear"):
        read_judgements(table().iloc[:3], TREE)
    with pytest.raises(InputError, match=r"below goal, no expert compares staff"):
        read_judgements(table().drop([1, 2]), TREE)


def test_missing_columns_and_empty_tables():
    with pytest.raises(
        InputError, match=r"need the columns expert, parent, left, right, judgement.*judgement not among"
    ):
        read_judgements(table().rename(columns={"judgement": "value"}), TREE)
    with pytest.raises(InputError, match="found 4 rows, all blank"):
        read_judgements(table().assign(judgement=""), TREE)
    with pytest.raises(InputError, match="found 0 rows, all blank"):
        read_judgements(table().iloc[:0], TREE)


def test_a_labelled_square_matrix_is_one_expert():
    labels = ["b", "a", "c"]
    frame = pd.DataFrame([[1, 2, ""], ["1/2", 1, 4], ["", "1/4", 1]], index=labels, columns=labels, dtype=object)
    experts, hierarchy, panels = read_judgements(frame)
    assert experts == ("1",)
    assert hierarchy == {"goal": labels}
    assert panels[0].matrices[0, 1, 2] == 4
    assert np.isnan(panels[0].matrices[0, 0, 2])


def test_a_matrix_that_is_not_reciprocal():
    frame = pd.DataFrame([[1, 3], [3, 1]], index=["a", "b"], columns=["a", "b"])
    with pytest.raises(InputError, match=r"expert 1, goal: a / b is 3, but b / a is 3"):
        read_judgements(frame)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"goal": ["a", "b"], "other": ["c", "d"]}, "2 goals: goal, other"),
        ({"goal": ["a"], "a": ["b"], "b": ["a"]}, "a circle through a, b"),
        ({"a": ["b"], "b": ["a"]}, "a circle through a, b"),
        ({"goal": ["a", "b", "a"]}, "a stands 2 times below goal"),
        ({"goal": ["a", "b"], "a": []}, "a has no criteria"),
        ({"goal": ["a", "b"], "a": ["b", "c"]}, "b stands below goal and below a"),
        ({}, "no criteria at all"),
    ],
)
def test_a_hierarchy_is_a_tree_below_one_goal(tree, message):
    with pytest.raises(InputError, match=re.escape(message)):
        order_hierarchy(tree)


def test_global_weights_over_three_levels_and_stacks():
    tree = order_hierarchy({"b": ["c", "d"], "goal": ["a", "b"], "d": ["e", "f"]})
    assert list(tree) == ["goal", "b", "d"]
    local = {name: np.array([[0.25, 0.75], [0.5, 0.5]]) for name in tree}
    shares = global_weights(tree, local)
    assert shares["d"] == pytest.approx(np.array([[0.75**2 * 0.25, 0.75**3], [0.125, 0.125]]), abs=1e-12)
