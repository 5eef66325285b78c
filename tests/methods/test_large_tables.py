"""The verbs on a large table give what they give for the same rows in memory."""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxresearch.core.correlation import bootstrap_spearman
from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.large_correlation import bootstrap_large_spearman
from cxresearch.errors import InputError
from cxresearch.methods.cases import compare_cases
from cxresearch.methods.confirmation import confirm_factors
from cxresearch.methods.description import check_items
from cxresearch.methods.design_effects import design_effects
from cxresearch.methods.drivers import regress_drivers
from cxresearch.methods.factors import explore_factors
from cxresearch.methods.missingness import check_missing
from cxresearch.methods.reliability import check_reliability
from cxresearch.methods.sample import check_sample
from cxresearch.methods.validity import check_validity
from cxresearch.present.text import Text

EXACT = 1e-8  # closed forms of the same sums
FITTED = 1e-6  # iterative fits that start from them
SCALES = {"speed": ["q1", "q2", "q3"], "staff": ["q4", "q5", "q6", "q7"]}
ITEMS = [item for items in SCALES.values() for item in items]
DESIGNS = {"simple": [], "weighted": ["weight"], "clustered": ["cluster"], "both": ["weight", "cluster"]}
NUMBERS = ["estimate", "std_error", "statistic", "df", "p_value", "n"]
KEYS = ["quantity", "scale", "term", "group"]


def answers_of(n: int = 1500) -> pd.DataFrame:
    """Two scales of 1 to 5 with gaps, weights and clusters."""
    rng = np.random.default_rng(4)
    factors = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n)[:, [0] * 3 + [1] * 4]
    values = np.clip(np.rint(3.3 + 0.8 * factors + rng.normal(size=(n, 7)) * 0.8), 1, 5)
    values[rng.random(values.shape) < 0.02] = np.nan
    branch = rng.choice([f"b{i:02d}" for i in range(40)], size=n)
    weight = rng.uniform(0.3, 2.5, size=n)
    company = rng.choice(["10", "9", "Oak", "rare"], size=n, p=[0.4, 0.3, 0.299, 0.001])
    frame = pd.DataFrame(values, columns=ITEMS).assign(row=np.arange(n), weight=weight, branch=branch, company=company)
    return frame.assign(company=frame["company"].mask(rng.random(n) < 0.02))


@pytest.fixture(params=list(DESIGNS))
def both(request):
    """The rows with their design, and the same as a large table."""
    frame = answers_of()
    chosen = DESIGNS[request.param]
    design = Design(frame["weight"] if "weight" in chosen else None, frame["branch"] if "cluster" in chosen else None)
    names = {key: {"weight": "weight", "cluster": "branch"}[key] for key in chosen}
    relation = duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))
    return frame[[*ITEMS, "company"]], design, LargeTable.of(relation, ITEMS, row="row", groups=["company"], **names)


def assert_same(ours: pd.DataFrame, theirs: pd.DataFrame, tolerance: float, *, columns: list[str] = NUMBERS) -> None:
    """Every row there, with the same numbers."""
    pd.testing.assert_frame_equal(ours[KEYS].reset_index(drop=True), theirs[KEYS].reset_index(drop=True))
    for name in columns:
        np.testing.assert_allclose(
            ours[name].to_numpy(float), theirs[name].to_numpy(float), rtol=tolerance, atol=tolerance, err_msg=name
        )


def test_reliability(both):
    rows, design, table = both
    ours = check_reliability(table, SCALES, n_bootstrap=400, seed=1)
    theirs = check_reliability(rows, SCALES, design=design, n_bootstrap=400, seed=1)
    assert_same(ours.table, theirs.table, FITTED)
    assert (ours.n_used, ours.n_dropped, ours.n_bootstrap) == (theirs.n_used, theirs.n_dropped, 400)
    widths = [(t["conf_high"] - t["conf_low"]).to_numpy() for t in (ours.table, theirs.table)]
    assert np.median(widths[0] / widths[1]) == pytest.approx(1, abs=0.1)  # other draws of the same spread
    told = ours.table.loc[ours.table["quantity"] == "alpha", "method"].iloc[0]
    assert ("random groups" in told) == (design.clusters is None)
    assert ("weighted" in told) == (design.weights is not None)


@pytest.mark.parametrize("correlation", ["auto", "spearman", "polychoric"])
def test_factors(both, correlation):
    rows, design, table = both
    ours = explore_factors(table, correlation=correlation, n_factors=2, n_random=50)
    theirs = explore_factors(rows[ITEMS], correlation=correlation, n_factors=2, n_random=50, design=design)
    random = lambda result: result.table[~result.table["quantity"].isin(["eigenvalue_random", "n_factors"])]  # noqa: E731
    if design.clusters is None:
        assert_same(random(ours), random(theirs), FITTED)
    else:  # the errors of polychorics know no clusters, and say so
        assert_same(random(ours), random(theirs), FITTED, columns=["estimate", "p_value", "n"])
        assert ours.polychorics.design_words.endswith("ignores clusters")
    assert (ours.n_used, ours.n_dropped, ours.correlation) == (theirs.n_used, theirs.n_dropped, theirs.correlation)
    assert ours.n_factors_parallel == theirs.n_factors_parallel


def test_drivers(both):
    rows, design, table = both
    drivers = ["q1", "q2", "q4", "q5"]
    ours = regress_drivers(table, "q7", drivers=drivers, n_bootstrap=400, seed=2)
    theirs = regress_drivers(rows, "q7", drivers=drivers, design=design, n_bootstrap=400, seed=2)
    plain = ~ours.table["method"].str.contains("bootstrap|spearman")
    assert_same(ours.table[plain], theirs.table[plain.to_numpy()], EXACT)
    assert_same(ours.table, theirs.table, EXACT, columns=["estimate", "n"])
    assert ours.intercept == pytest.approx(theirs.intercept, rel=EXACT)
    assert (ours.n_clusters, ours.n_used, ours.importance) == (theirs.n_clusters, theirs.n_used, "lmg")
    errors = [t.loc[t["quantity"] == "importance_lmg", "std_error"].to_numpy() for t in (ours.table, theirs.table)]
    np.testing.assert_allclose(errors[0], errors[1], rtol=0.25)  # 400 other draws
    ranks = ours.table["method"].str.contains("spearman")
    assert ours.table.loc[ranks, "conf_low"].notna().all()
    assert ours.table.loc[ranks, "std_error"].notna().all() != design.is_simple  # Fisher's z has none
    assert ours.table.loc[ranks, "method"].str.contains("random groups").all() == (
        design.clusters is None and not design.is_simple
    )
    if not design.is_simple:
        errors = [t.loc[ranks.to_numpy(), "std_error"].to_numpy() for t in (ours.table, theirs.table)]
        np.testing.assert_allclose(errors[0], errors[1], rtol=0.25)  # 400 other draws


def test_ranks_of_a_large_table_are_resampled_as_those_of_its_rows():
    frame = answers_of().dropna().sort_values("branch", ignore_index=True)  # clusters in the order of their codes
    design = Design(frame["weight"], frame["branch"])
    relation = duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))
    table = LargeTable.of(relation, ["q1", "q4", "q7"], row="row", weight="weight", cluster="branch")
    wanted = bootstrap_spearman(frame[["q1", "q4", "q7"]], "q7", 30, seed=3, design=design)
    np.testing.assert_allclose(bootstrap_large_spearman(table, 30, seed=3), wanted, rtol=EXACT)


def test_confirmation(both):
    rows, design, table = both
    ours, theirs = confirm_factors(table, SCALES), confirm_factors(rows, SCALES, design=design)
    for method in ("ml", "mlr", "wlsmv"):  # the table is small: its random sample is all of it
        parts = [
            result.table[result.table["method"].str.match(rf"{method}(;|$)")].reset_index(drop=True)
            for result in (ours, theirs)
        ]
        assert len(parts[1]) > 0
        assert_same(*parts, 1e-5)
        assert parts[0]["method"].tolist() == parts[1]["method"].tolist()
    assert (ours.n_used, ours.n_dropped, ours.admissible) == (theirs.n_used, theirs.n_dropped, True)


def test_confirmation_says_what_rests_on_a_sample(monkeypatch):
    monkeypatch.setattr("cxresearch.core.large.SAMPLE", 700)
    result = confirm_factors(LargeTable.of(answers_of(), ITEMS, row="row"), SCALES)
    fit = result.pick("chi2").set_index("method")["n"]
    assert fit.index[0] == "ml"
    assert all("; random sample of " in method and method.endswith(" of 1500 rows") for method in fit.index[1:3])
    n = fit.iloc[1]
    assert abs(n - 700 * 0.87) < 100
    assert "confirmation.sampled" in [caution.key for caution in result.cautions]


def test_validity(both):
    rows, design, table = both
    ours = check_validity(table, SCALES, n_bootstrap=200, seed=3)
    theirs = check_validity(rows, SCALES, design=design, n_bootstrap=200, seed=3)
    assert_same(ours.table, theirs.table, 1e-5)
    widths = [(t["conf_high"] - t["conf_low"]).to_numpy() for t in (ours.table, theirs.table)]
    assert np.median(widths[0] / widths[1]) == pytest.approx(1, abs=0.15)


def test_items(both):
    rows, design, table = both
    ranges = dict.fromkeys(ITEMS[:3], (0.0, 6.0))
    ours, theirs = (
        check_items(table, SCALES, ranges=ranges),
        check_items(rows[ITEMS], SCALES, ranges=ranges, design=design),
    )
    assert_same(ours.table, theirs.table, EXACT, columns=[*NUMBERS, "conf_low", "conf_high"])
    assert ours.table["method"].tolist() == theirs.table["method"].tolist()
    for name in ("n_used", "n_dropped", "lowest", "highest", "empty", "n_clusters"):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize("measures", ["q1", ["q4", "q2"]])
def test_cases(both, measures):
    rows, design, table = both
    pairs = "games_howell" if measures == "q1" else "none"
    shared = {"by": "company", "min_group": 10, "n_bootstrap": 300, "seed": 5, "pairs": pairs}
    ours, theirs = compare_cases(table, measures, **shared), compare_cases(rows, measures, design=design, **shared)
    plain = ["estimate", "statistic", "df", "p_value", "std_error", "n"]
    exact = (theirs.table["quantity"] != "rank").to_numpy()
    assert_same(ours.table, theirs.table, EXACT, columns=plain)
    assert_same(ours.table[exact], theirs.table[exact], 1e-7, columns=["conf_low", "conf_high"])
    assert ours.table.loc[exact, "method"].tolist() == theirs.table.loc[exact, "method"].tolist()
    for name in ("n_used", "n_dropped", "groups", "left_out", "lone", "n_clusters", "design_words", "measures"):
        assert getattr(ours, name) == getattr(theirs, name), name


def test_cases_that_cannot_be():
    table = LargeTable.of(answers_of(), ITEMS, row="row", groups=["company"])
    with pytest.raises(InputError, match="needs two groups of at least 2000 rows"):
        compare_cases(table, "q1", by="company", min_group=2000)
    with pytest.raises(InputError, match="found no column region"):
        compare_cases(table, "q1", by="region")


def test_shares_of_groups(both):
    frame, design, table = both
    ours = check_sample(table.only_groups(), min_group=10)
    theirs = check_sample(frame[["company"]], design=design, min_group=10)
    assert (ours.n_used, ours.hidden) == (theirs.n_used, theirs.hidden) == (1500, {"company": 1})
    assert_same(ours.records(), theirs.records(), EXACT, columns=[*NUMBERS, "conf_low", "conf_high"])
    assert ours.records()["method"].tolist() == theirs.records()["method"].tolist()
    assert ours.finding().key == "sample.size"
    nobody = check_sample(table.only_groups(), min_group=2000)
    assert nobody.pick("group_share").empty
    assert nobody.hidden == {"company": 4}


def test_design_effects(both):
    frame, design, table = both
    effects = design_effects(frame.index, design, frame["q1"])
    ours = design_effects(pd.RangeIndex(3), Design(sampled="random sample of 3 of 1500 rows"), table[["q1"]])
    assert len(ours) == len(effects) == 2 * ((design.weights is not None) + (not design.is_simple))
    if len(effects):
        assert_same(ours, effects, EXACT)
        assert ours["method"].tolist() == effects["method"].tolist()
    weights_alone = design_effects(pd.RangeIndex(3), Design(), table[[]])
    assert len(weights_alone) == 2 * (design.weights is not None)


@pytest.mark.parametrize("complete", [False, True])
def test_patterns_of_missing_answers_are_those_of_all_rows(complete, monkeypatch):
    frame = answers_of()
    frame[ITEMS] = frame[ITEMS].fillna(3.0) if complete else frame[ITEMS].assign(q1=3.0)
    monkeypatch.setattr("cxresearch.core.large._BITS", 2)  # several keys a row
    relation = duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))
    drawn = frame[ITEMS][:200]
    design = Design(sampled="random sample of 200 of 1500 rows")
    ours = check_missing(drawn, design=design, every=LargeTable.of(relation, ITEMS, row="row"))
    theirs = check_missing(frame[ITEMS])
    kept = ["missing_count_share", "missing_pattern_share"]
    rows = [result.table[result.table["quantity"].isin(kept)] for result in (ours, theirs)]
    assert_same(*rows, EXACT)
    assert not rows[0]["method"].str.contains("sample").any()
    assert (ours.n_used, ours.n_complete, ours.patterns.n_patterns) == (
        1500,
        theirs.n_complete,
        theirs.patterns.n_patterns,
    )
    assert ours.patterns.names == theirs.patterns.names
    test = ours.pick("littles_mcar_chi2")
    assert len(test) == (0 if complete else 1)
    if not complete:
        assert test["n"].iloc[0] <= 200
        assert ours.finding().cautions[1].values == {"n": 200, "total": 1500}
    for language in ("en", "zh"):
        assert ("1,500" in Text(language).sentence(ours.finding())) is True
