import numpy as np
import pytest

from cxresearch.core.results import COLUMNS, Finding, Result, gather, tidy, words
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError


@pytest.fixture
def result():
    table = gather(
        [
            tidy("alpha", [0.8, 0.7], scale=["speed", "price"], n=250, method="raw"),
            tidy("alpha", 0.9, scale="speed", method="other"),
            tidy("kmo", 0.6),
            tidy("msa", []),
        ]
    )
    return Result(table=table, n_used=250)


def test_tidy_has_all_columns_and_blanks(result):
    assert tuple(result.table.columns) == COLUMNS
    assert result.table["group"].tolist() == [""] * 4
    assert np.isnan(result.table["p_value"]).all()
    assert result.table["estimate"].dtype == float


def test_tidy_refuses_an_unknown_column():
    with pytest.raises(TypeError, match="not a column of a result: colour"):
        tidy("alpha", 1.0, colour="red")


def test_tidy_refuses_columns_of_another_length():
    with pytest.raises(ValueError, match="length"):
        tidy("alpha", [1.0, 2.0], scale=["a", "b", "c"])


def test_gather_of_nothing_has_the_columns():
    assert tuple(gather([]).columns) == COLUMNS
    assert len(gather([])) == 0


def test_value_narrows_by_keys_and_method(result):
    assert result.value("alpha", scale="price") == 0.7
    assert result.value("alpha", scale="speed", method="other") == 0.9
    assert len(result.pick("alpha", scale="speed")) == 2


def test_choices_of_a_method_are_taken_whole():
    table = tidy("item_mean", [1.0, 2.0], method=["weighted; clustered", "unweighted; clustered"])
    result = Result(table=table, n_used=2)
    assert result.value("item_mean", method="weighted") == 1
    assert result.value("item_mean", method="clustered; unweighted") == 2
    assert len(result.pick("item_mean", method="clustered")) == 2
    assert result.pick("item_mean", method="cluster").empty


@pytest.mark.parametrize("keys", [{"scale": "speed"}, {"scale": "none"}])
def test_value_must_name_one_number(result, keys):
    with pytest.raises(InputError, match="must name one number"):
        result.value("alpha", **keys)


def test_words_leaves_blanks_out():
    assert words("ols", "", "hc3") == "ols; hc3"


def test_a_finding_is_data():
    finding = Finding("reliability.all_reach", {"n": 3}, RULES["alpha_acceptable"])
    assert finding.rule.met(0.70)
    assert finding.cautions == ()


@pytest.mark.parametrize(
    ("key", "value", "met"),
    [
        ("alpha_acceptable", 0.70, True),
        ("alpha_acceptable", 0.6999, False),
        ("consistency_ratio", 0.10, True),
        ("significance", 0.05, False),
        ("alpha_acceptable", np.nan, False),
    ],
)
def test_rules_say_which_side_is_closed(key, value, met):
    assert bool(RULES[key].met(value)) is met


def test_every_rule_names_its_source():
    assert all(
        rule.citation.split()[-1].isdigit() and rule.citation.split()[-1] in rule.source for rule in RULES.values()
    )
