"""Missing answers together, and Little's test, against R and a published value."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.design import Design
from cxresearch.errors import InputError
from cxresearch.methods.missingness import check_missing, littles_statistic
from cxresearch.present.text import Text, catalogue

nan = np.nan
ITERATED = 1e-6  # EM here stops at changes of 1e-9, the script in R at 1e-12
FOLDER = Path(__file__).parent.parent / "reference/quality"
DATA = {"airquality": pd.read_csv(FOLDER / "airquality.csv"), "answers": pd.read_csv(FOLDER / "answers.csv")}
EXPECTED = pd.read_csv(FOLDER / "littles_mcar.csv").set_index("data")
ANSWERS = pd.DataFrame({"q1": [1.0, nan, 3, 4, nan, 5], "q2": [1.0, nan, 3, nan, 5, 4], "q3": [2.0, 2, 4, 3, 3, 1]})


@pytest.mark.parametrize("name", DATA)
def test_littles_test_as_in_r(name):
    found = check_missing(DATA[name]).pick("littles_mcar_chi2").iloc[0]
    expected = EXPECTED.loc[name]
    assert found["estimate"] == found["statistic"] == pytest.approx(expected["chi2"], rel=ITERATED)
    assert found["df"] == expected["df"]
    assert found["p_value"] == pytest.approx(expected["p"], rel=ITERATED)
    assert found["n"] == DATA[name].notna().any(axis=1).sum()
    assert found["method"] == "little 1988; em"


def test_littles_test_as_naniar_prints_it():
    found = check_missing(DATA["airquality"]).pick("littles_mcar_chi2").iloc[0]
    assert found["estimate"] == pytest.approx(35.1, abs=0.05)
    assert found["df"] == 14
    assert found["p_value"] == pytest.approx(0.00142, abs=0.000005)


def test_the_test_does_not_mind_units_and_order():
    frame = DATA["airquality"]
    chi2 = check_missing(frame).value("littles_mcar_chi2")
    other = 3 + 100 * frame[frame.columns[::-1]].sample(frac=1, random_state=1)
    assert check_missing(other).value("littles_mcar_chi2") == pytest.approx(chi2, rel=ITERATED)


def test_it_keeps_its_level_where_answers_are_missing_at_random():
    random = np.random.default_rng(6)
    root = np.linalg.cholesky(0.5 * np.eye(4) + 0.5)
    rejected = 0
    for _ in range(200):
        values = random.normal(size=(150, 4)) @ root.T
        values[random.random(values.shape) < 0.1] = nan
        test = check_missing(pd.DataFrame(values)).pick("littles_mcar_chi2").iloc[0]
        rejected += test["p_value"] < 0.05
    assert 2 <= rejected <= 20  # binomial 200, .05: outside with probability below .01


def test_respondents_are_counted_by_missing_answers_and_patterns():
    found = check_missing(ANSWERS)
    shares = found.pick("missing_count_share").set_index("term")["estimate"].to_dict()
    assert shares == {"0": 0.5, "1": pytest.approx(2 / 6), "2": pytest.approx(1 / 6)}
    patterns = found.pick("missing_pattern_share").set_index("term")["estimate"].to_dict()
    assert patterns == {
        "none": 0.5,
        "q1": pytest.approx(1 / 6),
        "q2": pytest.approx(1 / 6),
        "q1 + q2": pytest.approx(1 / 6),
    }
    assert (found.n_used, found.n_items, found.n_complete, found.patterns.n_patterns) == (6, 3, 3, 4)
    many = pd.DataFrame(np.full((2, 14), nan)).assign(last=[1.0, 2.0])
    assert check_missing(many).pick("missing_count_share")["term"].tolist() == ["10 or more"]


@pytest.mark.parametrize(
    ("frame", "untested"),
    [
        (ANSWERS.assign(q4=ANSWERS["q3"] * 2), "must not be singular|"),
        (ANSWERS.iloc[:3], ""),
        (pd.DataFrame({"a": [1.0, 2, nan, nan], "b": [nan, nan, 3.0, 4]}), ""),
        (pd.DataFrame({"a": [nan, nan], "b": [1.0, 2]}), "all rows lack the same|"),
    ],
)
def test_what_cannot_be_tested_is_said(frame, untested):
    found = check_missing(frame)
    assert found.pick("littles_mcar_chi2").empty
    assert found.untested
    [caution] = found.finding().cautions
    assert caution.key == "missing.untested"
    assert "could not be made" in Text("en").sentence(caution)


def test_singular_covariances_are_refused():
    with pytest.raises(InputError, match="must not be singular; an item is made of others"):
        littles_statistic(np.zeros((3, 2)), np.zeros(2), np.ones((2, 2)))


def test_constant_items_and_empty_rows_do_not_count():
    frame = DATA["airquality"]
    padded = pd.concat([frame.assign(same=3.0), pd.DataFrame(nan, index=[0], columns=[*frame, "same"])])
    assert check_missing(padded).value("littles_mcar_chi2") == pytest.approx(
        EXPECTED.loc["airquality", "chi2"], rel=ITERATED
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_finding_says_what_the_test_cannot(language):
    text = Text(language)
    rejected = check_missing(DATA["airquality"]).finding()
    assert [caution.key for caution in rejected.cautions] == ["missing.not_at_random"]
    assert "χ² = 35.1" in text.sentence(rejected)
    assert {"en": "no test can tell", "zh": "任何检验都无法判断"}[language] in text.sentence(rejected)
    kept = check_missing(DATA["answers"], design=Design(weights=pd.Series(np.ones(60)))).finding()
    assert [caution.key for caution in kept.cautions] == ["missing.perhaps_at_random", "missing.unweighted"]
    assert {"en": "does not show that they are", "zh": "并不证明"}[language] in text.sentence(kept)
    full = check_missing(ANSWERS.dropna()).finding()
    assert full.values == {"n_items": 3, "n": 3, "complete": 3}
    assert text.sentences(full)[1:] == []


def test_words_of_methods_and_terms_are_in_the_catalogue():
    table = check_missing(DATA["answers"], design=Design(weights=pd.Series(np.ones(60)))).table
    assert {word for method in table["method"] for word in method.split("; ")} <= catalogue()["codes"].keys()
    assert "10 or more" in catalogue()["codes"]


def test_text_is_refused():
    with pytest.raises(InputError, match="`answers` must be numeric; found text in q1"):
        check_missing(pd.DataFrame({"q1": ["a"]}))


def test_a_sample_of_a_large_survey_says_so():
    design = Design(sampled="random sample of 3 of 90 rows")
    gaps = pd.DataFrame({"a": [1.0, 2, np.nan], "b": [1.0, 3, 2]})
    for answers, key in ((gaps, "missing.complete_sampled"), (gaps.fillna(3), "missing.nothing_sampled")):
        finding = check_missing(answers, design=design).finding()
        assert finding.key == key
        assert (finding.values["n"], finding.values["total"]) == (3, 90)
        assert check_missing(answers).finding().key == key.removesuffix("_sampled")
