"""Item statistics against R, and what happens to odd items."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from methods.surveys import ECSI, read_ecsi

from cxresearch.core.design import Design
from cxresearch.errors import InputError
from cxresearch.methods.description import check_items

ROOT = Path(__file__).parent.parent
CLOSED_FORM = 1e-8
QUANTITIES = ["item_mean", "item_sd", "item_median", "item_mode", "item_share"]
matching = runpy.run_path(str(ROOT / "reference" / "matching.py"))


@pytest.fixture(scope="module")
def mobi():
    return read_ecsi()


@pytest.fixture(scope="module")
def design(mobi):
    """The weights and clusters of tests/reference/reliability/reliability.R."""
    row = np.arange(len(mobi))
    return Design(pd.Series(row % 5 + 1.0), pd.Series(row % 25))


def worst(result, reference):
    """The largest relative difference of any number; all reference rows must be found once."""
    differences = matching["relative_differences"](result.table, reference)
    assert (differences["matches"] == 1).all(), differences[differences["matches"] != 1]
    return np.nanmax(differences[matching["NUMBERS"]].to_numpy())


@pytest.mark.parametrize("name", ["ecsi_mobile/reference.csv", "reliability/reliability.csv"])
def test_unweighted_statistics_are_those_of_r(mobi, name):
    reference = matching["read"](ROOT / "reference" / name)
    reference = reference[reference["quantity"].isin(QUANTITIES) & ~reference["method"].str.contains("weighted")]
    assert set(reference["quantity"]) <= set(QUANTITIES)
    assert len(reference) >= 48
    result = check_items(mobi, ECSI, ranges=dict.fromkeys(mobi, (1, 10)))
    assert worst(result, reference) < CLOSED_FORM


def test_weighted_means_errors_and_intervals_are_those_of_the_r_package_survey(mobi, design):
    reference = matching["read"](ROOT / "reference/reliability/reliability.csv")
    reference = reference[reference["quantity"].isin(QUANTITIES) & reference["method"].str.contains("weighted")]
    assert len(reference) == 48
    result = check_items(mobi, ECSI, design=design)
    table = result.table[~result.table["method"].str.startswith("unweighted")]
    assert worst(type("Face", (), {"table": table}), reference) < CLOSED_FORM


def test_weighted_studies_hold_the_unweighted_means_too(mobi, design):
    rows = check_items(mobi, ECSI, design=design).table
    rows = rows[rows["method"].str.startswith("unweighted")]
    assert set(rows["quantity"]) == {"item_mean"}
    assert set(rows["method"]) == {"unweighted; clustered"}  # its errors are those of the clusters
    clustered = check_items(mobi, ECSI, design=Design(clusters=design.clusters)).pick("item_mean")
    numbers = ["estimate", "std_error", "df", "conf_low", "conf_high", "n"]
    np.testing.assert_allclose(rows[numbers], clustered[numbers], rtol=CLOSED_FORM)
    np.testing.assert_allclose(rows["estimate"], mobi.mean()[rows["term"]], rtol=CLOSED_FORM)
    only_weights = check_items(mobi, ECSI, design=Design(weights=design.weights))
    assert set(only_weights.pick("item_mean")["method"]) == {"weighted", "unweighted"}
    assert not check_items(mobi, ECSI).table["method"].str.contains("weighted").any()


def test_a_single_cluster_has_no_standard_error(mobi):
    rows = check_items(mobi, ECSI, design=Design(clusters=pd.Series("one", mobi.index))).pick("item_mean")
    assert rows[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
    assert (rows["df"] == 0).all()


@pytest.mark.parametrize(("n_clusters", "few"), [(19, True), (20, False)])
def test_few_clusters_are_told(mobi, n_clusters, few):
    finding = check_items(mobi, ECSI, design=Design(clusters=pd.Series(np.arange(250) % n_clusters))).finding()
    told = [(caution.key, caution.values["clusters"]) for caution in finding.cautions]
    assert told == [("design.few_clusters", n_clusters)] * few
    assert not check_items(mobi, ECSI).finding().cautions


def test_whole_weights_count_answers_as_repeated_rows():
    answers = pd.DataFrame({"q": [1.0, 2, 4, 5], "r": [3.0, 3, 1, 2]})
    times = np.array([1, 4, 2, 1])
    weighted = check_items(answers, {"s": ["q", "r"]}, design=Design(weights=pd.Series(times)))
    repeated = check_items(answers.loc[answers.index.repeat(times)].reset_index(drop=True), {"s": ["q", "r"]})
    for quantity in ("item_median", "item_mode", "item_share"):
        np.testing.assert_allclose(weighted.pick(quantity)["estimate"], repeated.pick(quantity)["estimate"], rtol=1e-12)


def test_each_item_uses_its_own_answers():
    result = check_items(pd.DataFrame({"q": [1.0, 2, np.nan, 6], "r": [1.0, 2, 3, 4]}), {"s": ["q", "r"]})
    assert result.value("item_mean", term="q") == 3
    assert result.pick("item_mean")["n"].tolist() == [3, 4]
    assert result.value("item_median", term="q") == 2
    assert result.value("item_median", term="r") == 2.5
    shares = result.pick("item_share", term="q")
    assert shares["group"].tolist() == ["1", "2", "3", "4", "5", "6"]
    np.testing.assert_allclose(shares["estimate"], [1 / 3, 1 / 3, 0, 0, 0, 1 / 3])


def test_answers_that_nobody_chose_are_counted_as_none():
    result = check_items(pd.DataFrame({"q": [2.0, 3, 3]}), {"s": ["q"]}, ranges={"q": (1, 5)})
    shares = result.pick("item_share")
    assert shares["group"].tolist() == ["1", "2", "3", "4", "5"]
    assert shares["estimate"].sum() == pytest.approx(1)
    assert shares["estimate"].iloc[[0, 3, 4]].tolist() == [0, 0, 0]


def test_of_several_modes_the_lowest_is_told_and_said_so():
    result = check_items(pd.DataFrame({"q": [5.0, 5, 2, 2, 3]}), {"s": ["q"]})
    assert result.value("item_mode", method="lowest of several") == 2


def test_measured_items_have_no_distribution():
    answers = pd.DataFrame({"spend": [10.5, 20.25, 3.0], "slider": [0.0, 55, 100], "q": [1.0, 2, 2]})
    result = check_items(answers, {"s": ["q"]})
    assert set(result.pick("item_share")["term"]) == {"q"}
    assert set(result.pick("item_mean")["term"]) == {"spend", "slider", "q"}


def test_a_column_in_no_scale_is_its_own_scale_and_an_item_may_have_two():
    answers = pd.DataFrame({"q": [1.0, 2, 3], "overall": [4.0, 5, 5]})
    result = check_items(answers, {"s": ["q"], "t": ["q"]})
    assert list(zip(*result.pick("item_mean")[["scale", "term"]].to_numpy().T, strict=True)) == [
        ("s", "q"),
        ("t", "q"),
        ("overall", "overall"),
    ]


def test_an_item_without_answers_is_named_and_the_others_told():
    result = check_items(pd.DataFrame({"q": [1.0, 2], "void": [np.nan, np.nan], "one": [np.nan, 3.0]}), {"s": ["q"]})
    assert result.empty == ("void", "one")
    assert set(result.table["term"]) == {"q"}
    assert result.finding().cautions[0].values["items"] == ("void", "one")


def test_items_are_ranked_on_their_own_scales():
    answers = pd.DataFrame({"five": [4.0, 5, 5], "ten": [5.0, 6, 6]})
    finding = check_items(answers, {"s": ["five", "ten"]}, ranges={"five": (1, 5), "ten": (1, 10)}).finding()
    assert (finding.values["lowest"], finding.values["highest"]) == ("ten", "five")


@pytest.mark.parametrize(
    ("answers", "scales", "message"),
    [
        ({"q": [1.0, 2]}, {"s": ["q", "w"]}, "column of `answers`; found no w"),
        ({"q": ["a", "b"]}, {"s": ["q"]}, r"numeric; found text in q \(1 of 1 columns\)"),
        ({"q": [np.nan, 1.0]}, {"s": ["q"]}, "two answers; found none in q"),
        ({"q": np.array([], float)}, {"s": ["q"]}, "two answers; found none in q"),
    ],
)
def test_bad_input_is_told(answers, scales, message):
    with pytest.raises(InputError, match=message):
        check_items(pd.DataFrame(answers), scales)
