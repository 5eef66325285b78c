"""A study whose table is left where it lies says what the same study says in memory: its notebooks, row by row of results.csv."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cxresearch.core.moments import RANDOM_GROUPS
from cxresearch.core.results import KEYS
from cxresearch.methods.extraction import extract_factors
from cxresearch.study.open import open_study
from cxresearch.study.tables import read_table

ROOT = Path(__file__).parent.parent
EXACT = 1e-8  # relative: the same sums in another order, and what is computed from them
MINRES = 1e-4  # of a loading: factor_analyzer's fit, see test_minres_stops_where_rounding_leads_it
KEPT = {"postal_demo": ["quality", "efficiency", "innovation", "price", "satisfaction"]}  # constructs; else all
STUDIES = {
    "postal_demo": ["01_reliability", "02_factor_analysis", "06_service_drivers", "08_case_comparison"],
    "ecsi_mobile": ["00_data_quality", "02_factor_analysis", "03_confirmatory", "06_service_drivers"],
}
FIELDS = ["title", "language", "seed", "survey", "outcome", "groups", "cases"]
FITTED = ["loading", "structure", "factor_correlation", "communality", "uniqueness", "variance_explained"]
WEIGHTED_RANKS = "spearman; weighted; clustered"  # without an interval on a large table
NO_CLUSTERS = "polychoric; two-step ml; weighted"  # whose errors know the clusters only where the rows are in memory
NUMBERS = ["std_error", "statistic", "df", "p_value", "n"]


def written(name: str, folder: Path, large: str) -> Path:
    """A study with few replicates whose survey is a parquet file."""
    source = (ROOT / "params" / f"{name}.yaml").read_text(encoding="utf-8").replace("../data", str(ROOT / "data"))
    content = yaml.safe_load(source)
    kept = KEPT.get(name, list(content["constructs"]))
    parts = {key: content[key] for key in FIELDS if key in content}
    constructs = {key: content["constructs"][key] for key in kept}
    rows = folder / f"{name}.parquet"
    read_table(content["survey"]["data"], folder=ROOT).frame.to_parquet(rows, index=False)
    parts["survey"] |= {"data": str(rows), "large": large}
    path = folder / f"{large}.yaml"
    path.write_text(
        yaml.safe_dump({**parts, "study": large, "constructs": constructs}, allow_unicode=True, sort_keys=False),
        encoding="utf-8",
    )
    return path


def run_notebook(name: str, study: Path, outputs: Path) -> None:
    """The code of a notebook, without its figures."""
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    space = {"display": lambda *_: None}
    exec(code[0], space)
    space |= {"study_file": str(study), "output_dir": str(outputs)}
    space |= {key: 20 for key in ("n_bootstrap", "n_random") if key in space}
    space |= {"correlation": "pearson"} if "correlation" in space else {}
    for each in code[1:]:
        if "report.figure" not in each:
            exec(each, space)


@pytest.fixture(scope="module", params=list(STUDIES))
def results(request, tmp_path_factory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """results.csv of the rows in memory, and of the large table: the same rows in the same order."""
    folder = tmp_path_factory.mktemp(request.param)
    for large in ("no", "yes"):
        study = written(request.param, folder, large)
        for notebook in STUDIES[request.param]:
            run_notebook(notebook, study, folder)
    small, large = (
        pd.read_csv(
            folder / name / "results.csv", keep_default_na=False, na_values=dict.fromkeys(["estimate", *NUMBERS], "")
        )
        for name in ("no", "yes")
    )
    assert set(small["notebook"]) == set(STUDIES[request.param])
    return small, large


def test_the_same_rows(results):
    small, large = results
    keys = ["notebook", *KEYS]
    pd.testing.assert_frame_equal(small[keys], large[keys])


def test_the_same_estimates(results):
    small, large = results
    fitted = small["quantity"].isin(FITTED) & small["method"].str.startswith("minres")
    for part, tolerance in ((~fitted, {"rtol": EXACT, "atol": EXACT}), (fitted, {"atol": MINRES})):
        np.testing.assert_allclose(large.loc[part, "estimate"], small.loc[part, "estimate"], **tolerance)


def test_the_same_errors_and_tests(results):
    small, large = results
    same = (small["method"] == large["method"]) & ~small["method"].str.contains("bootstrap|minres")
    assert same.sum() > 300
    for name in NUMBERS:
        found, expected = (pd.to_numeric(each.loc[same, name]).to_numpy(float) for each in (large, small))
        np.testing.assert_allclose(found, expected, rtol=EXACT, atol=EXACT, err_msg=name)


def test_the_same_methods_but_for_what_cannot_be(results):
    small, large = results
    said = large["method"].str.split("; ").map(lambda parts: [part for part in parts if part != RANDOM_GROUPS])
    other = small[said.str.join("; ") != small["method"]]["method"]
    assert set(other) <= {f"{WEIGHTED_RANKS}; percentile bootstrap", f"{NO_CLUSTERS}; clustered"}
    told = set(large.loc[other.index, "method"])
    assert told <= {WEIGHTED_RANKS, f"{NO_CLUSTERS}; ignores clusters"}


def test_minres_stops_where_rounding_leads_it():
    """Correlations that differ in the twelfth digit end at solutions that fit alike, and differ in the sixth.

    factor_analyzer descends along numerical gradients until the fit no longer falls by 2e-9; which point of a flat valley that is
    depends on rounding. So a large table and the same rows in memory give correlations alike to 1e-10 and loadings alike to 1e-5.
    """
    survey = open_study(ROOT / "params" / "postal_demo.yaml").survey()
    items = [item for construct in KEPT["postal_demo"] for item in survey.scales[construct]]
    corr, rng = survey.answers[items].dropna().corr().to_numpy(), np.random.default_rng(1)
    shift = rng.uniform(-1e-12, 1e-12, corr.shape) * (1 - np.eye(len(corr)))
    first, second = (extract_factors(each, 4, "minres", "oblimin") for each in (corr, corr + (shift + shift.T) / 2))
    moved = np.abs(second.loadings - first.loadings).max()
    assert EXACT < moved < MINRES
    losses = [(np.tril(corr - each.structure @ each.loadings.T, -1) ** 2).sum() for each in (first, second)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-7)
    assert first.converged
    assert second.converged
