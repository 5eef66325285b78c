"""Headline numbers with flagged rows and without them."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.design import Design
from cxresearch.errors import InputError
from cxresearch.methods.screening import compare_screening
from cxresearch.present.tables import lay_out
from cxresearch.present.text import Text

CLOSED_FORM = 1e-12
SCALES = {"speed": ["q1", "q2", "q3"], "price": ["q4", "q5"]}


def survey():
    """40 careful respondents, 8 straight-liners, 4 duplicates, of which 2 are straight-liners."""
    random = np.random.default_rng(3)
    careful = random.integers(1, 6, (40, 5)).astype(float)
    straight = np.repeat(random.integers(1, 6, (8, 1)), 5, axis=1).astype(float)
    values = np.vstack([careful, straight, careful[:2], straight[:2]])
    answers = pd.DataFrame(values, columns=["q1", "q2", "q3", "q4", "q5"])
    flags = pd.DataFrame(
        {"duplicate": answers.index >= 48, "straightliner": answers.max(axis=1) == answers.min(axis=1)}
    )
    return answers, flags, answers[["q4", "q5"]].mean(axis=1).rename("price")


def alpha(answers):
    """Cronbach (1951), from pandas."""
    k = answers.shape[1]
    return k / (k - 1) * (1 - answers.var().sum() / answers.sum(axis=1).var())


def test_each_way_uses_its_own_rows():
    answers, flags, outcome = survey()
    compared = compare_screening(answers, SCALES, flags=flags, outcome=outcome)
    ways = {
        "flagged rows kept": answers,
        "duplicates left out": answers[~flags["duplicate"]],
        "careless answers left out": answers[~flags["straightliner"]],
        "flagged rows left out": answers[~flags.any(axis=1)],
    }
    assert compared.rows == {way: len(rows) for way, rows in ways.items()}
    assert list(compared.rows.values()) == [52, 48, 42, 40]
    for way, rows in ways.items():
        for scale, items in {**SCALES, "all": list(answers)}.items():
            assert compared.value("alpha", method=way, scale=scale) == pytest.approx(
                alpha(rows[items]), abs=CLOSED_FORM
            )
        [mean] = compared.pick("item_mean", method=way, group=way).to_dict("records")
        prices = outcome[rows.index]
        assert (mean["scale"], mean["term"], mean["n"], mean["df"]) == ("price", "price", len(rows), len(rows) - 1)
        assert mean["estimate"] == pytest.approx(prices.mean(), abs=CLOSED_FORM)
        assert mean["std_error"] == pytest.approx(prices.sem(), abs=CLOSED_FORM)


def test_straight_liners_are_left_out_apart_where_others_are_careless_too():
    answers, flags, _ = survey()
    several = pd.Series(answers.index.isin([0, 1, 50]), answers.index)
    compared = compare_screening(answers, SCALES, flags=flags.assign(several_indices=several, long_string=True))
    assert compared.rows == {
        "flagged rows kept": 52,
        "duplicates left out": 48,
        "careless answers left out": 40,
        "straight-liners left out": 42,
        "flagged rows left out": 38,
    }
    straight = answers[~flags["straightliner"]]
    found = compared.value("alpha", method="straight-liners left out", scale="all")
    assert found == pytest.approx(alpha(straight), abs=CLOSED_FORM)


def test_weights_and_clusters_are_respected():
    answers, flags, outcome = survey()
    weights = pd.Series(np.tile([1.0, 3.0], 26))
    design = Design(weights, pd.Series(np.repeat(np.arange(13), 4).astype(str)))
    compared = compare_screening(answers, SCALES, flags=flags, outcome=outcome, design=design)
    kept = ~flags["straightliner"]
    [mean] = compared.pick("item_mean", method="careless answers left out").to_dict("records")
    assert mean["estimate"] == pytest.approx(np.average(outcome[kept], weights=weights[kept]), abs=CLOSED_FORM)
    assert mean["method"] == "careless answers left out; weighted; clustered"
    assert mean["df"] == design.clusters[kept].nunique() - 1
    twice = answers.loc[answers.index.repeat(weights)]  # integer weights count rows
    found = compared.value("alpha", method="flagged rows kept", scale="speed")
    assert found == pytest.approx(alpha(twice[SCALES["speed"]]), abs=CLOSED_FORM)


def test_the_finding_tells_the_largest_move_from_the_way_that_is_used():
    answers, flags, outcome = survey()
    kept = answers.index[~flags.any(axis=1)]
    compared = compare_screening(answers, SCALES, flags=flags, outcome=outcome, used=kept)
    assert (compared.used, compared.n_used, compared.n_dropped) == ("flagged rows left out", 40, 0)
    of_alpha, of_mean = compared.finding().cautions
    every = {**SCALES, "all": list(answers)}
    moves = {scale: alpha(answers[items]) - alpha(answers.loc[kept, items]) for scale, items in every.items()}
    assert of_alpha.values["way"] == "flagged rows kept"
    assert of_alpha.values["there"] - of_alpha.values["here"] == pytest.approx(max(moves.values()), abs=CLOSED_FORM)
    assert of_mean.values["here"] == pytest.approx(outcome[kept].mean(), abs=CLOSED_FORM)
    english = Text("en").sentences(compared.finding())
    assert english[0] == "The other numbers of this study rest on 40 rows (flagged rows left out)."
    assert "(flagged rows kept, 52 rows)" in english[1]
    assert "剔除全部标记答卷" in Text("zh").sentence(compared.finding())


def test_nothing_flagged_leaves_nothing_to_choose():
    answers, flags, outcome = survey()
    compared = compare_screening(answers, SCALES, flags=flags & False, outcome=outcome)
    assert compared.rows == {"flagged rows kept": 52}
    assert Text().sentence(compared.finding()) == "No choice of flagged rows to make: the numbers rest on 52 rows."


def test_ways_that_leave_out_every_row_are_not_shown():
    answers, flags, _ = survey()
    compared = compare_screening(answers, SCALES, flags=flags.assign(straightliner=True))
    assert list(compared.rows) == ["flagged rows kept", "duplicates left out"]
    assert compared.pick("item_mean").empty


def test_scales_that_cannot_be_judged_have_no_alpha():
    answers, flags, outcome = survey()
    compared = compare_screening(answers.assign(q4=3.0), {"price": ["q4", "q5"]}, flags=flags, outcome=outcome)
    assert compared.pick("alpha").empty
    assert [caution.key for caution in compared.finding().cautions] == ["screening.item_mean"]
    assert lay_out(compared.table, compared.views["screening"], "screening", Text()).rows == ()


def test_tables_have_a_column_for_each_way():
    answers, flags, outcome = survey()
    compared = compare_screening(answers, SCALES, flags=flags[["duplicate"]], outcome=outcome)
    layout = lay_out(compared.table, compared.views["screening"], "screening", Text())
    assert list(layout.header[1:]) == [
        "flagged rows kept",
        "duplicates left out",
    ]
    assert [row[0] for row in layout.rows] == ["speed", "price", "All items"]
    shown = lay_out(compared.table, compared.views["screening_outcome"], "screening_outcome", Text())
    assert [row[:2] for row in shown.rows] == [("price", "flagged rows kept"), ("price", "duplicates left out")]
    assert all("[" in row[2] for row in shown.rows)
    assert [row[3] for row in shown.rows] == ["52", "48"]


def test_parts_of_different_surveys_are_refused():
    answers, flags, outcome = survey()
    with pytest.raises(InputError, match=r"`flags` must have the rows of `answers`; found 51 rows beside 52"):
        compare_screening(answers, SCALES, flags=flags.iloc[1:])
    with pytest.raises(InputError, match="`outcome` must have the rows"):
        compare_screening(answers, SCALES, flags=flags, outcome=outcome.iloc[1:])
    with pytest.raises(InputError, match="found no q9"):
        compare_screening(answers, {"speed": ["q1", "q9"]}, flags=flags)


def test_numbers_that_stay_the_same_are_said_to_stay():
    answers, flags, outcome = survey()
    steady = (outcome * 0 + 3.61 + 1e-4 * flags["duplicate"]).rename("satisfaction")
    finding = compare_screening(answers, SCALES, flags=flags[["duplicate"]], outcome=steady).finding()
    told = next(caution for caution in finding.cautions if caution.key == "screening.item_mean_same")
    assert told.values["here"] != told.values["there"]
    assert "stay the same to two decimals: 3.61" in Text().sentence(told)
    assert "两位小数内不变：3.61" in Text("zh").sentence(told)
    same = pd.concat([answers] * 2, ignore_index=True)
    twice = pd.DataFrame({"duplicate": same.index >= len(answers)})
    copied = compare_screening(same, SCALES, flags=twice).finding()
    assert [caution.key for caution in copied.cautions] == ["screening.alpha_same"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sample_of_a_large_survey_is_not_taken_for_all_rows(language):
    answers, flags, outcome = survey()
    design = Design(sampled="random sample of 52 of 3000 rows")
    told = Text(language).sentence
    compared = told(compare_screening(answers, SCALES, flags=flags, outcome=outcome, design=design).finding())
    nothing = told(compare_screening(answers, SCALES, flags=flags & False, outcome=outcome, design=design).finding())
    in_memory = told(compare_screening(answers, SCALES, flags=flags, outcome=outcome).finding())
    assert "3,000" in compared
    assert "3,000" in nothing
    assert "52" in nothing
    assert "3,000" not in in_memory
