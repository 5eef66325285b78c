"""Studies with missing answers through the real notebooks, by each policy that counts incomplete rows."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from test_studies import run

from cxresearch.present.text import Text

STUDIES = {  # policy, language, whether weighted
    "em_plain": ("em", "zh", False),
    "em_weighted": ("em", "en", True),
    "impute_plain": ("impute", "en", False),
    "impute_weighted": ("impute", "zh", True),
}
SCALES = {name: [f"{name}{number}" for number in (1, 2, 3)] for name in ("staff", "price", "satisfaction")}


def make_answers(n: int = 150) -> pd.DataFrame:
    """n respondents, one answer in twenty missing."""
    rng = np.random.default_rng(11)
    factors = rng.multivariate_normal(np.zeros(3), 0.5 * np.eye(3) + 0.5, n)
    given = np.repeat(factors, 3, axis=1) + 0.7 * rng.normal(size=(n, 9))
    answers = pd.DataFrame(
        np.clip(np.round(3 + given), 1, 5), columns=[item for items in SCALES.values() for item in items]
    )
    return answers.mask(rng.random(answers.shape) < 0.05).assign(weight=rng.uniform(0.5, 2, n).round(2))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("incomplete")
    make_answers().to_csv(folder / "answers.csv", index=False)
    for name, (policy, language, weighted) in STUDIES.items():
        study = {
            "study": name,
            "language": language,
            "survey": {"data": "answers.csv", "missing_policy": policy} | ({"weight": "weight"} if weighted else {}),
            "constructs": {scale: {"items": items, "scale": [1, 5]} for scale, items in SCALES.items()},
            "outcome": "satisfaction",
            "notebooks": {key: {"n_bootstrap": 20} for key in ("03_confirmatory", "06_service_drivers")},
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    others = [str(folder / f"{name}.yaml") for name in list(STUDIES)[1:]]
    run(folder / f"{next(iter(STUDIES))}.yaml", folder / "outputs", *others, "--only", "03,06")
    return folder / "outputs"


@pytest.mark.parametrize("name", STUDIES)
def test_drivers_of_incomplete_rows_come_through_the_notebook(outputs, name):
    policy, _, weighted = STUDIES[name]
    results = pd.read_csv(outputs / name / "results.csv").set_index("quantity")
    results = results[results["notebook"] == "06_service_drivers"]
    assert results["n"].eq(150).all()
    assert results["method"].str.contains("weighted").eq(weighted).all()
    assert results.loc[["coefficient"], "method"].str.contains("20 imputations; rubin").all() == (policy == "impute")
    assert (results.index == "r_squared").sum() == 1
    assert (results.index == "r_squared_pooled").sum() == (policy == "impute")
    assert results.loc["importance_lmg", "estimate"].sum() == pytest.approx(results.loc["r_squared", "estimate"])
    drawn = {path.name for path in (outputs / name / "figures").glob("06*.png")}
    assert drawn == {"06_service_drivers_driver_importance_shares.png", "06_service_drivers_driver_map.png"}


@pytest.mark.parametrize("name", STUDIES)
def test_tables_say_how_incomplete_rows_count_and_what_is_absent(outputs, name):
    policy, language, _ = STUDIES[name]
    text = Text(language, {})
    notes = {
        each["name"]: each["notes"]
        for path in (outputs / name / "pages").glob("*.json")
        for each in json.loads(path.read_text(encoding="utf-8"))["entries"]
        if each["kind"] == "table"
    }
    elsewhere, likely, pooled = text.note("table.imputed_elsewhere"), "EM", "Rubin"
    assert notes["driver_rank_correlations"] == [text.note("drivers.no_ranks_incomplete")]
    for table in ("driver_betas", "driver_fit", "cfa_indices", "cfa_loadings", "validity_htmt"):
        assert any(likely in each for each in notes[table]), table
        assert (elsewhere in notes[table]) == (policy == "impute"), table
    coefficients = " ".join(notes["driver_coefficients"])
    assert (pooled in coefficients, likely in coefficients) == ((True, False) if policy == "impute" else (False, True))
    assert elsewhere not in notes["driver_coefficients"]
    for table in ("cfa_test", "cfa_indices", "cfa_loadings"):
        assert notes[table][-1] == text.note("confirmation.wlsmv_complete")
    assert notes["validity"][-1] == text.note("validity.omega_complete")
    quantities = pd.read_csv(outputs / name / "results.csv")
    assert not quantities["method"].fillna("").str.contains("spearman").any()
    ordinal = quantities[quantities["method"].fillna("").str.match("wlsmv;")]
    assert ordinal["method"].str.contains("; complete rows").all()
    plain = quantities[(quantities["quantity"] == "chi2") & quantities["method"].fillna("").str.match("ml;")]
    assert {"standardized_loading", "chi2", "omega_ordinal"} <= set(ordinal["quantity"])
    assert ordinal["n"].max() < plain["n"].min()


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A study with two companies through the notebooks that describe and compare."""
    folder = tmp_path_factory.mktemp("compared")
    answers = make_answers(300)
    answers.assign(company=np.repeat(["A", "B", "B", "A"], 75)).to_csv(folder / "answers.csv", index=False)
    study = {
        "study": "compared",
        "survey": {"data": "answers.csv", "missing_policy": "em", "weight": "weight"},
        "constructs": {scale: {"items": items, "scale": [1, 5]} for scale, items in SCALES.items()},
        "outcome": "satisfaction",
        "groups": {"company": "Company"},
        "notebooks": {key: {"n_bootstrap": 20} for key in ("01_reliability", "08_case_comparison")},
    }
    (folder / "compared.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    run(folder / "compared.yaml", folder / "outputs", "--only", "00,01,08")
    return folder / "outputs" / "compared"


def test_means_of_items_outcome_and_groups_are_by_maximum_likelihood(compared):
    results = pd.read_csv(compared / "results.csv", keep_default_na=False)
    choices = results["method"].str.split("; ").map(set)
    for quantity in (
        "item_mean",
        "alpha",
        "group_mean",
        "mean_difference",
        "hedges_g",
        "invariance_cfi_change",
        "rank",
    ):
        rows = results["quantity"] == quantity
        assert rows.any()
        assert choices[rows].map(lambda told: "em" in told).all(), quantity
    ranked = results["quantity"] == "kruskal_h"
    assert choices[ranked].map(lambda told: "complete rows" in told).all()
    means = results[(results["quantity"] == "item_mean") & (results["notebook"] == "01_reliability")]
    items = means[means["term"].isin(SCALES["satisfaction"]) & (means["method"] == "em; weighted")]
    outcome = results[(results["notebook"] == "00_data_quality") & (results["quantity"] == "item_mean")]
    assert float(outcome["estimate"].iloc[0]) == pytest.approx(items["estimate"].astype(float).mean(), abs=1e-7)


def test_tables_that_describe_and_compare_say_how_incomplete_rows_count(compared):
    told = {
        each["name"]: " ".join(each["notes"])
        for path in (compared / "pages").glob("*.json")
        for each in json.loads(path.read_text(encoding="utf-8"))["entries"]
        if each["kind"] == "table"
    }
    for table in (
        *("screening", "screening_outcome", "items", "reliability", "invariance_gate"),
        *("group_means", "group_tests", "group_pairs", "group_effects", "group_profile"),
    ):
        assert "Missing answers: incomplete rows" in told[table], table
