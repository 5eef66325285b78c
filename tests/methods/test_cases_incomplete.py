"""Comparison of groups whose rows lack answers: against R lavaan, against complete rows, under answers missing at random."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.design import Design
from cxresearch.core.em import em_moments
from cxresearch.errors import InputError
from cxresearch.methods.cases import compare_cases
from cxresearch.methods.likely_means import LikelyMeans
from cxresearch.present.text import Text

ROOT = Path(__file__).parent.parent
SCALES = {"image": [f"IMAG{i}" for i in range(1, 6)], "satisfaction": ["CUSA1", "CUSA2", "CUSA3"]}
CLOSE = 1e-6  # where EM and lavaan stop
EXACT = 1e-9  # the same EM, reached twice
WEIGHTS, CLUSTERS = pd.Series(np.resize([1.0, 2, 3], 250)), pd.Series(np.arange(250) // 5)


@pytest.fixture(scope="module")
def mobi():
    """The ECSI survey with the answers taken out that tests/reference/missing/groups.R takes out; every third row a group."""
    whole = pd.read_csv(ROOT.parent / "data/ecsi_mobile/mobi.csv").astype(float)
    i, j = np.indices(whole.shape)
    lacking = whole.mask((7 * i + 13 * j + i * j) % 17 == 0)
    lacking["IMAG5"] = lacking["IMAG5"].mask(whole["IMAG4"] < 7)
    lacking.iloc[30] = np.nan
    return lacking.assign(third=np.arange(250) % 3)


def scored(answers, scales=SCALES, by="third"):
    """Scores of those who answered everything, as a survey has them."""
    scores = {name: answers[items].mean(axis=1, skipna=False) for name, items in scales.items()}
    return pd.DataFrame(scores).assign(**{by: answers[by]})


def compared(answers, measures=("image", "satisfaction"), *, missing="em", by="third", scales=SCALES, **options):
    scores = scored(answers, scales, by)
    options = {"n_bootstrap": 200, "seed": 3, **options}
    return compare_cases(scores, list(measures), by=by, missing=missing, items=answers, scales=scales, **options)


def test_means_of_groups_and_their_errors_are_those_of_lavaan(mobi):
    reference = pd.read_csv(ROOT / "reference/missing/groups.csv", dtype={"group": str})
    found = reference.merge(compared(mobi).pick("group_mean"), on=["scale", "group"], suffixes=("_r", ""))
    assert len(found) == 6
    np.testing.assert_allclose(found["estimate"], found["estimate_r"], atol=CLOSE)
    np.testing.assert_allclose(found["std_error"] * np.sqrt(1 - 1 / found["n"]), found["std_error_r"], rtol=CLOSE)
    assert found["n"].tolist() == found["n_r"].tolist()
    assert found["df"].tolist() == (found["n"] - 1).tolist()
    assert set(found["method"]) == {"em; by third"}


@pytest.mark.parametrize("design", [Design(), Design(WEIGHTS), Design(None, CLUSTERS), Design(WEIGHTS, CLUSTERS)])
def test_each_group_is_a_sample_of_its_own(mobi, design):
    result = compared(mobi, design=design)
    for name, items in SCALES.items():
        recipe = pd.DataFrame({name: np.full(len(items), 1 / len(items))}, index=items)
        for code in range(3):
            own = LikelyMeans.of(mobi.loc[mobi["third"] == code, items], design=design).combine(recipe)
            rows = result.pick("group_mean", scale=name, group=str(code), method="em")
            row = rows[~rows["method"].str.contains("unweighted")].iloc[0]
            assert row["estimate"] == pytest.approx(own.moments.mean[0], rel=EXACT)
            assert row["std_error"] == pytest.approx(own.linearised(design).std_error[0], rel=EXACT)
    if design.weights is not None:
        plain = compared(mobi, design=Design(clusters=design.clusters)).pick("group_mean")
        unweighted = result.pick("group_mean", method="unweighted; em")
        np.testing.assert_allclose(unweighted[["estimate", "std_error"]], plain[["estimate", "std_error"]], rtol=EXACT)


def test_what_is_made_of_means_is_made_of_them(mobi):
    result = compared(mobi, ["satisfaction"])
    means = result.pick("group_mean").set_index("group")
    moments = [em_moments(mobi.loc[mobi["third"] == code, SCALES["satisfaction"]]) for code in range(3)]
    variance = np.array([each.cov.mean() for each in moments])  # of the mean of the items
    first = result.pick("mean_difference", term="0 - 1").iloc[0]
    assert first["estimate"] == pytest.approx(means.loc["0", "estimate"] - means.loc["1", "estimate"], rel=EXACT)
    assert first["std_error"] == pytest.approx(np.hypot(*means["std_error"].iloc[:2]), rel=EXACT)
    assert first["method"] == "games howell; em; by third"
    d = result.pick("cohens_d", term="0 - 1").iloc[0]
    pooled = np.sqrt(((means["n"] - 1) * variance)[:2].sum() / ((means["n"] - 1)[:2].sum()))
    assert d["estimate"] == pytest.approx(first["estimate"] / pooled, rel=EXACT)
    assert d["method"] == "pooled sd; linearised; em; by third"
    between = means["n"] @ (means["estimate"] - np.average(means["estimate"], weights=means["n"])) ** 2
    within = (means["n"] - 1) @ variance
    assert result.value("eta_squared") == pytest.approx(between / (between + within), rel=EXACT)
    assert np.isnan(result.pick("eta_squared")["conf_low"].iloc[0])
    welch = result.pick("welch_f").iloc[0]
    share = 1 / means["std_error"] ** 2
    gaps = share @ (means["estimate"] - np.average(means["estimate"], weights=share)) ** 2 / 2
    lack = ((1 - share / share.sum()) ** 2 / means["df"]).sum()
    assert welch["estimate"] == pytest.approx(gaps / (1 + 2 * lack / 8), rel=EXACT)
    assert welch["method"] == "welch; em; by third"
    ranks = result.pick("rank")
    assert (ranks["conf_low"] <= ranks["estimate"]).all()
    assert (ranks["estimate"] <= ranks["conf_high"]).all()


def test_ranks_of_answers_are_those_of_complete_rows(mobi):
    found = compared(mobi).pick("kruskal_h")
    usual = compared(mobi, missing="drop").pick("kruskal_h")
    assert set(found["method"]) == {"complete rows; by third"}
    columns = ["scale", "estimate", "df", "p_value", "n"]
    pd.testing.assert_frame_equal(found[columns].reset_index(drop=True), usual[columns].reset_index(drop=True))


def test_complete_rows_and_single_questions_are_compared_as_always(mobi):
    whole = mobi.dropna()
    pd.testing.assert_frame_equal(compared(whole).table, compared(whole, missing="drop").table)
    data = mobi[["CUSA1", "third"]]
    options = {"by": "third", "n_bootstrap": 50}
    plain = compare_cases(data, "CUSA1", **options)
    single = compare_cases(data, "CUSA1", missing="em", items=mobi, scales=SCALES, **options)
    pd.testing.assert_frame_equal(single.table, plain.table)
    assert (single.n_incomplete, single.missing_policy) == (0, "em")
    pd.testing.assert_frame_equal(compared(mobi, missing="impute").table, compared(mobi).table)


def test_what_was_done_about_missing_answers_is_told(mobi):
    result = compared(mobi, ["image"])
    rows = mobi[SCALES["image"]].dropna(how="all")
    lacking = int(rows.isna().any(axis=1).sum())
    assert (result.n_used, result.n_dropped, result.n_incomplete, result.missing_policy) == (249, 1, lacking, "em")
    assert result.iterations > 1
    told = next(each for each in result.finding().cautions if each.key == "cases.em")
    for language, said in (("en", "Kruskal-Wallis takes complete rows alone"), ("zh", "仅使用完整作答的行")):
        assert said in Text(language).sentence(told)


def test_a_group_without_a_solution_is_compared_by_its_complete_rows_and_named(mobi):
    first = mobi["third"] == 0
    answers = mobi.assign(CUSA1=mobi["CUSA1"].mask(first & mobi["CUSA2"].notna() & (mobi.index % 2 == 0)))
    answers = answers.assign(CUSA3=answers["CUSA2"].where(first, answers["CUSA3"]))  # an item that is another one
    result = compared(answers, ["satisfaction"])
    complete = answers.loc[first, SCALES["satisfaction"]].dropna().mean(axis=1)
    row = result.pick("group_mean", group="0").iloc[0]
    assert (row["estimate"], row["n"]) == (pytest.approx(complete.mean()), len(complete))
    assert row["std_error"] == pytest.approx(complete.sem())
    assert result.by_complete == ("0",)
    told = next(each for each in result.finding().cautions if each.key == "cases.no_em")
    for language, said in (("en", "By complete rows alone"), ("zh", "仅按完整作答的行计算")):
        assert said in Text(language).sentence(told)


def test_groups_that_no_test_can_compare_are_refused():
    """One group always answers alike, of the other each respondent lacks one of the three answers."""
    answers = pd.DataFrame(np.random.default_rng(4).normal(size=(66, 3)), columns=["q1", "q2", "q3"])
    answers = answers.mask((np.arange(66) % 3)[:, None] == np.arange(3)).assign(company="A")
    answers.loc[60:] = [5.0, 5.0, 5.0, "B"]
    options = {"by": "company", "scales": {"speed": ["q1", "q2", "q3"]}, "n_bootstrap": 0}
    with pytest.raises(InputError, match="found the same score throughout B"):
        compared(answers, ["speed"], **options)
    answers.loc[60, "q1"] = 4.0
    result = compared(answers, ["speed"], **options)
    assert (len(result.pick("welch_f")), len(result.pick("kruskal_h"))) == (1, 0)


def test_missing_at_random_biases_complete_rows_and_not_maximum_likelihood():
    """The second group scores .5 higher; the low scorers of the first question leave out the others, and these are fewer there."""
    errors = {"em": [], "drop": []}
    scales = {"speed": ["q1", "q2", "q3"]}
    for seed in range(30):
        rng = np.random.default_rng(seed)
        high = np.repeat([0.0, 1.0], 200)
        answers = pd.DataFrame(4 + 0.5 * high[:, None] + rng.normal(size=(400, 1)) + rng.normal(size=(400, 3)))
        answers.columns = scales["speed"]
        silent = (answers["q1"] < 4) & (rng.random(400) < 0.8)
        answers[["q2", "q3"]] = answers[["q2", "q3"]].mask(silent, axis=0)
        answers["company"] = np.where(high > 0, "B", "A")
        for missing, found in errors.items():
            means = compared(answers, ["speed"], missing=missing, by="company", scales=scales, n_bootstrap=0)
            found.append(means.pick("group_mean")["estimate"].to_numpy() - [4, 4.5])
    bias = {missing: np.mean(found, axis=0) for missing, found in errors.items()}
    size = {missing: np.std(found, axis=0) / np.sqrt(30) for missing, found in errors.items()}
    assert (np.abs(bias["em"]) < 3 * size["em"]).all()
    assert (bias["drop"] > 10 * size["drop"]).all()
