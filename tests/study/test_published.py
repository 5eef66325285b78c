"""A published correlation matrix in place of answers: read, checked, and run through the real runner."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from cxresearch.cli import main
from cxresearch.errors import InputError
from cxresearch.study.open import check_study, open_study
from cxresearch.study.published import moments_of_table

REFERENCE = Path(__file__).parent.parent / "reference" / "confirmation"
PUBLISHED = json.loads((REFERENCE / "published.json").read_text(encoding="utf-8"))
PRINTED = 0.51e-3  # half a unit of the last digit


def matrix() -> pd.DataFrame:
    """The lower triangle of Holzinger and Swineford's nine tests, with means and deviations below."""
    return pd.read_csv(REFERENCE / "holzinger_correlation.csv")


def write(folder: Path, table: pd.DataFrame, survey: dict | None = None, **more) -> Path:
    table.to_csv(folder / "matrix.csv", index=False)
    part = {"correlation": "matrix.csv", "n": PUBLISHED["n"]} | (survey or {})
    constructs = {name: {"items": items} for name, items in PUBLISHED["factors"].items()}
    content = {
        "study": "tests",
        "survey": {k: v for k, v in part.items() if v is not None},
        "constructs": constructs,
    } | more
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def test_a_printed_triangle_is_the_whole_matrix(tmp_path):
    survey = open_study(write(tmp_path, matrix(), outcome="speed")).survey()
    covariances = pd.read_csv(REFERENCE / "holzinger.csv", index_col="item")
    np.testing.assert_allclose(survey.answers.cov, covariances, atol=1e-8)
    assert (int(survey.answers.n), survey.items) == (301, list(covariances))
    assert (survey.outcome, survey.drivers, survey.by) == ("speed", ["visual", "textual"], None)
    assert survey.scores.names == ("visual", "textual", "speed")
    assert survey.scores.mean[0] == pytest.approx(survey.answers.mean[:3].mean())
    assert survey.scores.cov[0, 1] == pytest.approx(covariances.iloc[:3, 3:6].to_numpy().mean())


def test_reversed_items_are_turned_round(tmp_path):
    table = matrix()
    table.loc[:, "x2"] = [-v if i != 1 and i < 9 else v for i, v in enumerate(table["x2"])]
    table.loc[1, ["x1"]] *= -1
    table.loc[9, "x2"] = 20 - table.loc[9, "x2"]
    path = write(tmp_path, table)
    content = yaml.safe_load(path.read_text())
    content["constructs"]["visual"] |= {"reversed": ["x2"], "scale": [0, 20]}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    found, wanted = open_study(path).survey(), open_study(write(tmp_path, matrix())).survey()
    np.testing.assert_allclose(found.answers.cov, wanted.answers.cov, atol=1e-12)
    np.testing.assert_allclose(found.answers.mean, wanted.answers.mean, atol=1e-12)


def test_notebooks_run_from_the_matrix_and_give_the_printed_values(tmp_path):
    path = write(tmp_path, matrix(), outcome="speed")
    said = CliRunner().invoke(main, ["run", str(path), "--outputs", str(tmp_path / "out"), "--only", "00,03,08"])
    assert said.exit_code == 0, said.output
    assert said.output.count("the study gives a correlation matrix, no answers") >= 2  # 00 and 08
    results = pd.read_csv(tmp_path / "out/tests/results.csv", keep_default_na=False)
    rows = results[(results["notebook"] == "03_confirmatory") & results["method"].isin(["ml; moments only"])]
    for quantity in sorted(set(PUBLISHED) - {"source", "n", "factors"}):
        value = float(rows.loc[rows["quantity"] == quantity, "estimate"].iloc[0])
        assert value == pytest.approx(PUBLISHED[quantity], abs=PRINTED), quantity


@pytest.mark.parametrize(
    ("survey", "more", "fault"),
    [
        ({"n": None}, {}, "survey.n: is required with `correlation`: the respondents behind it"),
        ({"n": 1}, {}, "survey.n: must be 2 or more, found 1"),
        ({"data": "matrix.csv"}, {}, "survey.correlation: stands in place of `data`; keep one of them"),
        ({"correlation": None, "n": None}, {}, "survey.data: is required, or `correlation` in its place"),
        (
            {"correlation": None, "data": "matrix.csv"},
            {},
            "survey.n: belongs to `correlation`; of `data`, rows are counted",
        ),
        ({"weight": "x1"}, {}, "survey.weight: needs the answers; a correlation matrix has no rows"),
        ({}, {"groups": {"x1": "X"}}, "groups: needs the answers; a correlation matrix has no rows"),
        ({}, {"outcome": "joy"}, "outcome: 'joy' is no construct and no column of matrix.csv"),
        ({"correlation": "absent.csv"}, {}, "survey.correlation: "),
    ],
)
def test_faults_of_the_study_file_are_told(tmp_path, survey, more, fault):
    faults = check_study(write(tmp_path, matrix(), survey, **more))
    assert any(each.startswith(fault) for each in faults), faults


def small(**cells) -> pd.DataFrame:
    table = pd.DataFrame(
        [["a", 1.0, 0.5, 0.4], ["b", 0.5, 1.0, 0.3], ["c", 0.4, 0.3, 1.0], ["mean", 3, 4, 5], ["sd", 1, 2, 1]],
        columns=["item", "a", "b", "c"],
    )
    for place, value in cells.items():
        row, column = place.split("_")
        table.loc[table["item"] == row, column] = value
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (small(a_b=0.6), r"complete and symmetric.*it has two different numbers for a and b \(1 cells\)"),
        (small(a_b=np.nan, b_a=np.nan), "it has no number for a and b"),
        (small(a_b=1.5, b_a=1.5), "it has a number beyond -1 and 1 for a and b"),
        (small(b_b=0.9), "it has no 1 on the diagonal of b"),
        (
            small(a_b=-0.9, b_a=-0.9, b_c=0.9, c_b=0.9, a_c=0.9, c_a=0.9),
            r"positive definite; its smallest eigenvalue is -0\.8",
        ),
        (small(sd_b=0), "the line `sd` must have a number above 0 for every item; found b without"),
        (small(mean_c=np.nan), "the line `mean` must have a number for every item; found c without"),
        (small().drop(index=1), r"same items on lines and columns.*found 2 lines and 3 columns; they differ in b"),
        (small().replace("c", "d"), "they differ in c, d"),
    ],
)
def test_a_table_that_is_no_correlation_matrix_is_told_plainly(table, message):
    with pytest.raises(InputError, match=message):
        moments_of_table(table, 100)
