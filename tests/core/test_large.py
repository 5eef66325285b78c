"""Reductions of large tables against the same numbers from rows in memory, on every engine that is installed."""

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxresearch.core import pair_counts, products
from cxresearch.core.design import Design
from cxresearch.core.large import GROUPS, LargeTable
from cxresearch.core.moments import Moments, bootstrap_moments
from cxresearch.core.pair_counts import pair_tables
from cxresearch.core.polychoric import _codes_of, _tables
from cxresearch.core.products import unit_sums
from cxresearch.errors import InputError

EXACT = 1e-10  # relative: sums of the same numbers in another order
ITEMS = [f"q{i}" for i in range(1, 8)]


def answers_of(n: int, *, seed: int = 1) -> pd.DataFrame:
    """Correlated answers 1 to 5 with gaps, weights, clusters and a group."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    values = np.clip(np.rint(3.4 + common + rng.normal(size=(n, len(ITEMS)))), 1, 5)
    values[rng.random(values.shape) < 0.03] = np.nan
    frame = pd.DataFrame(values, columns=ITEMS)
    frame["share"] = rng.normal(size=n) * 1e-3 + 1e4  # large mean, small spread
    return frame.assign(
        row=np.arange(n),
        weight=rng.uniform(0.2, 3, size=n),
        branch=rng.choice([f"b{i}" for i in range(30)], size=n),
        company=rng.choice(["Cedar", "Maple", None], size=n),
    )


def spark_frame(frame: pd.DataFrame):
    """The rows in a Spark DataFrame; a test is skipped without PySpark."""
    sql = pytest.importorskip("pyspark.sql")
    session = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    return session.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False).to_pylist())


ENGINES = {
    "pandas": lambda frame: frame,
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "duckdb": lambda frame: duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False)),
    "polars": lambda frame: pytest.importorskip("polars").from_pandas(frame).lazy(),
    "spark": spark_frame,
}


@pytest.fixture(params=[*ENGINES, "expressions"])
def engine(request, monkeypatch):
    """An engine; the last one hands no rows over, as Spark does not, and computes everything itself."""
    if request.param == "expressions":
        for module in (products, pair_counts):
            monkeypatch.setattr(module, "can_stream", lambda frame: False)
    return ENGINES.get(request.param, ENGINES["duckdb"])


@pytest.mark.parametrize("design", [{}, {"weight": "weight"}, {"weight": "weight", "cluster": "branch"}], ids=str)
def test_moments_equal_those_of_the_rows(engine, design):
    frame = answers_of(600)
    table = LargeTable.of(engine(frame), [*ITEMS, "share"], row="row", **design)
    rows = frame[[*ITEMS, "share"]].dropna()
    weights = frame["weight"] if "weight" in design else None
    clusters = frame["branch"] if "cluster" in design else None
    wanted = Moments.from_frame(rows, design=Design(weights, clusters).on(rows.index))
    found = table.totals().moments()
    assert (table.n_rows, int(found.n), found.names) == (600, len(rows), (*ITEMS, "share"))
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=EXACT)
    np.testing.assert_allclose(found.cov, wanted.cov, rtol=EXACT, atol=EXACT * np.abs(wanted.cov).min())


def test_a_bootstrap_of_clusters_is_that_of_the_rows(engine):
    frame = answers_of(600)
    rows = frame[ITEMS].dropna()
    clusters = frame["branch"].loc[rows.index].sort_values()  # units in the order of their codes
    rows = rows.loc[clusters.index]
    wanted = bootstrap_moments(rows, 20, seed=3, design=Design(clusters=clusters))
    found = LargeTable.of(engine(frame), ITEMS, row="row", cluster="branch").totals().resample(20, seed=3)
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=EXACT)
    np.testing.assert_allclose(found.cov, wanted.cov, rtol=1e-9)
    assert (found.n_units, found.design_words) == (wanted.n_units, wanted.design_words)
    pairs = zip(found.interval(found.mean), wanted.interval(wanted.mean), strict=True)
    assert all(np.allclose(ours, theirs, rtol=EXACT) for ours, theirs in pairs)


def test_random_groups_give_the_standard_error_of_a_mean():
    rng = np.random.default_rng(2)
    values = np.sort(rng.normal(size=40_000))  # in the worst order: neighbours are alike
    frame = pd.DataFrame({"x": values, "row": np.arange(len(values))})
    replicates = LargeTable.of(frame, ["x"], row="row").totals().resample(4000, seed=1)
    assert replicates.n_units == GROUPS
    wanted = values.std(ddof=1) / np.sqrt(len(values))
    assert replicates.mean.std() == pytest.approx(wanted, rel=4 / np.sqrt(2 * GROUPS))  # four errors of that on 399 df


def test_every_engine_draws_the_same_groups_and_sample(engine):
    frame = answers_of(3000)
    table = LargeTable.of(engine(frame), ITEMS, row="row", groups=["company"])
    local = LargeTable.of(frame, ITEMS, row="row", groups=["company"])
    pd.testing.assert_frame_equal(table.counts("q1", by_unit=True), local.counts("q1", by_unit=True), check_dtype=False)
    ours, theirs = table.sample(500, seed=7), local.sample(500, seed=7)
    pd.testing.assert_frame_equal(ours[0][ITEMS], theirs[0][ITEMS], check_dtype=False)
    assert ours[0]["company"].fillna("").tolist() == theirs[0]["company"].fillna("").tolist()
    assert abs(len(ours[0]) - 500) < 4 * np.sqrt(500)
    assert not local.sample(500, seed=8)[0].equals(theirs[0])
    assert ours[1].words == f"random sample of {len(ours[0])} of 3000 rows"


def test_columns_made_of_others(engine):
    frame = answers_of(300)
    table = LargeTable.of(engine(frame), ITEMS, row="row", groups=["company"])
    scores = table.derive({"q1": (nw.col("q1") + nw.col("q2")) / 2, "speed": nw.col("q3")})
    wanted = pd.DataFrame({"q1": frame[["q1", "q2"]].mean(axis=1, skipna=False), "speed": frame["q3"]})
    moments = scores.totals().moments()
    np.testing.assert_allclose(moments.cov, wanted.dropna().cov(), rtol=EXACT)
    assert (moments.names, list(scores), len(scores)) == (("q1", "speed"), ["q1", "speed"], 300)
    assert table.only_groups().counts("company")["n"].tolist() == table.counts("company")["n"].tolist()


def test_a_small_table_is_its_own_sample():
    frame = answers_of(50)
    rows, design = LargeTable.of(frame, ITEMS, row="row", weight="weight", cluster="branch").sample(500, seed=1)
    assert (len(rows), design.words) == (50, "weighted; clustered")


@pytest.mark.parametrize("weight", [None, "weight"])
def test_counts_and_pair_tables(engine, weight):
    frame = answers_of(400)
    table = LargeTable.of(engine(frame), ITEMS, row="row", weight=weight, groups=["company"])
    counts = table.counts("q1", "company")
    weights = frame["weight"] if weight else pd.Series(1.0, frame.index)
    by = [frame["q1"], frame["company"]]
    np.testing.assert_array_equal(counts["n"], weights.groupby(by, dropna=False).size().to_numpy())
    np.testing.assert_allclose(counts["w"], weights.groupby(by, dropna=False).sum(), rtol=EXACT)
    np.testing.assert_allclose(counts["w2"], (weights**2).groupby(by, dropna=False).sum(), rtol=EXACT)
    rows = frame[ITEMS].dropna()
    codes, most = _codes_of(rows)
    kept = weights.loc[rows.index].to_numpy()
    for found, each in zip(table.pair_tables(), (kept, kept**2), strict=True):
        np.testing.assert_allclose(found, _tables(codes, most, each), rtol=EXACT)


def test_outline(engine):
    frame = answers_of(200)
    seen = LargeTable.of(engine(frame), ITEMS, row="row").outline
    np.testing.assert_array_equal(seen["n"], frame[ITEMS].notna().sum())
    np.testing.assert_array_equal(seen["low"], frame[ITEMS].min())
    np.testing.assert_array_equal(seen["high"], frame[ITEMS].max())
    assert (seen["fraction"] == 0).all()
    assert (seen["centre"] % 1 == 0).all()
    assert seen["centre"].between(seen["low"], seen["high"]).all()


@pytest.mark.parametrize(("kind", "wide"), [("int8", False), ("int32", True), ("float64", True)])
def test_what_is_taken_off_before_products_are_formed(engine, kind, wide):
    spent = np.array([1, 2, 3, 100_001 if wide else 101, 3, 2], kind)
    frame = pd.DataFrame({"spent": spent, "price": spent + 0.25, "row": range(6)})
    table = LargeTable.of(engine(frame), ["spent", "price"], row="row")
    known_to_be_whole = kind != "float64"
    assert (table.whole == {"spent"}) == known_to_be_whole
    mean = spent.astype(float).mean()
    middle = 51 if not wide else np.round(mean)
    assert table.outline["fraction"].tolist() == [0.0, 0.25]
    assert table.outline["centre"].to_numpy() == pytest.approx([middle, mean + 0.25], rel=EXACT)
    moments = table.totals().moments()
    np.testing.assert_allclose(moments.mean, [mean, mean + 0.25], rtol=EXACT)
    np.testing.assert_allclose(moments.cov, frame[["spent", "price"]].astype(float).cov(), rtol=EXACT)


def test_large_whole_numbers_close_together_lose_no_digits(engine):
    spent = 20_260_601 + np.array([0, 1, 2, 3, 5, 7])  # beyond what single precision holds
    table = LargeTable.of(engine(pd.DataFrame({"spent": spent, "row": range(6)})), ["spent"], row="row")
    moments = table.totals().moments()
    assert moments.mean == pytest.approx([20_260_604.0], rel=1e-15)
    assert moments.cov[0, 0] == pytest.approx(np.var(spent, ddof=1), rel=EXACT)


def test_scores_of_small_numbers_do_not_overflow(engine):
    frame = pd.DataFrame({"q1": np.full(4, 100, "int8"), "q2": np.array([100, 90, 80, 70], "int8"), "row": range(4)})
    scores = LargeTable.of(engine(frame), ["q1", "q2"], row="row").derive({"both": nw.col("q1") + nw.col("q2")})
    assert scores.totals().moments().mean == pytest.approx([185.0])
    assert scores.counts("both")["both"].tolist() == [170, 180, 190, 200]


@pytest.mark.parametrize("weight", [None, "weight"])
def test_the_middle_of_robust_errors(engine, weight):
    frame = answers_of(500)
    rows = frame.dropna(subset=ITEMS)
    w = rows["weight"].to_numpy() if weight else np.ones(len(rows))
    d = rows[["q1", "q2", "q3"]].to_numpy() - [3.0, 3.5, 2.5]
    slopes, inverse = np.array([0.4, -0.2]), np.zeros((3, 3))
    inverse[0, 0], inverse[1:, 1:] = 1 / w.sum(), np.linalg.inv((d[:, :2] * w[:, None]).T @ d[:, :2])
    leverage = w * (inverse[0, 0] + np.einsum("ij,jk,ik->i", d[:, :2], inverse[1:, 1:], d[:, :2]))
    r = w * (d[:, 2] - d[:, :2] @ slopes) / (1 - leverage)
    table = LargeTable.of(engine(frame), ITEMS, row="row", weight=weight).complete()[["q1", "q2", "q3"]]
    found = table.residual_products(np.array([3.0, 3.5, 2.5]), slopes, inverse)
    np.testing.assert_allclose(found, (d[:, :2] * r[:, None] ** 2).T @ d[:, :2], rtol=EXACT)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_many_units_are_sorted_first(engine, weight, monkeypatch):
    frame = answers_of(900).dropna(subset=ITEMS)
    frame["unit"] = [f"u{number:03d}" for number in frame["row"] * 7919 % 300]
    lazy = nw.from_native(engine(frame)).lazy()
    ways = [unit_sums(lazy, ITEMS, np.full(7, 3.0), unit="unit", n_units=units, weight=weight) for units in (2, 10**6)]
    weights = frame["weight"] if weight else pd.Series(1.0, frame.index)
    products_of = (frame["q1"] - 3) * (frame["q2"] - 3) * weights
    wanted = pd.DataFrame({0: weights, 7: (frame["q7"] - 3) * weights, 9: products_of}).groupby(frame["unit"]).sum()
    for n, sums in ways:
        assert (n, sums.shape) == (len(frame), (frame["unit"].nunique(), 1 + 7 + 28))
        np.testing.assert_allclose(sums[:, [0, 7, 9]], wanted, rtol=EXACT, atol=EXACT)


def test_sums_do_not_depend_on_the_batches(monkeypatch):
    frame = answers_of(1000).astype({"branch": "category"})
    wanted = LargeTable.of(frame, ITEMS, row="row", weight="weight", cluster="branch")
    whole = wanted.totals(), *wanted.pair_tables()
    monkeypatch.setattr("cxresearch.core.streams.BATCH", 64)  # most branches are not in every batch
    again = LargeTable.of(frame, ITEMS, row="row", weight="weight", cluster="branch")
    np.testing.assert_allclose(again.totals().sums, whole[0].sums, rtol=EXACT)
    for ours, theirs in zip(again.pair_tables(), whole[1:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=EXACT)


def test_columns_in_another_order_and_names_that_are_none():
    table = LargeTable.of(answers_of(100), ITEMS, row="row")
    assert table[["q3", "q1"]].totals().moments().names == ("q3", "q1")
    assert list(table[["q3", "q1"]].columns) == ["q3", "q1"]
    with pytest.raises(InputError, match="found no q9"):
        table[["q9"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weight": [1.0, -1.0, np.nan]}, "every row needs a weight of 0 or more; found none in 2 of 3 rows"),
        ({"branch": ["a", None, "b"]}, "every row needs a cluster; found none in 1 of 3 rows"),
        ({"q1": ["a", "b", "c"]}, "found text in q1"),
    ],
)
def test_bad_columns(change, said):
    frame = pd.DataFrame({"q1": [1.0, 2, 3], "row": range(3), "weight": 1.0, "branch": "a"}).assign(**change)
    with pytest.raises(InputError, match=said):
        LargeTable.of(frame, ["q1"], row="row", weight="weight", cluster="branch")


def test_too_few_complete_rows():
    frame = pd.DataFrame({"a": [1.0, np.nan, 2.0], "b": [np.nan, 1.0, 2.0], "row": range(3)})
    with pytest.raises(InputError, match="at least two rows are needed; found 1"):
        LargeTable.of(frame, ["a", "b"], row="row").totals().moments()


def test_items_without_gaps_share_one_pass():
    frame = answers_of(300).fillna(dict.fromkeys(ITEMS[:4], 3.0))
    table = LargeTable.of(frame, ITEMS, row="row")
    some = table[["q3", "q1"]].totals()
    np.testing.assert_allclose(some.moments().cov, frame[["q3", "q1"]].cov(), rtol=EXACT)
    np.testing.assert_allclose(
        some.resample(5, seed=1).cov[:, 0, 1], table[["q1", "q3"]].totals().resample(5, seed=1).cov[:, 0, 1]
    )
    assert [key for key in table._known if key[0] == "totals"] == [("totals", ("q1", "q2", "q3", "q4"))]
    assert int(table[["q3", "q7"]].totals().n) == frame["q7"].notna().sum()


def test_rows_answered_and_complete(engine):
    frame = answers_of(300).fillna({"q1": 3.0})
    table = LargeTable.of(engine(frame), ITEMS, row="row", weight="weight")
    answered = frame[["q2", "q3"]].notna().all(axis=1)
    assert table.count_answered([["q2", "q3"]]) == answered.sum()
    assert table.count_answered([["q1", "q2", "q3"], ["q4"]]) == (answered | frame["q4"].notna()).sum()
    assert table.count_answered([["q1"], ["q4"]]) == 300
    kept = table[["q2", "q3"]].complete()
    assert (len(kept), kept.names) == (answered.sum(), ("q2", "q3"))
    assert kept.counts("q2")["n"].tolist() == frame.loc[answered, "q2"].value_counts().sort_index().tolist()
    plain = table[["q2", "q3"]].unweighted().totals().moments()
    np.testing.assert_allclose(plain.cov, frame.loc[answered, ["q2", "q3"]].cov(), rtol=EXACT)
    assert plain.design_words == "random groups"


def test_fractions_are_not_taken_for_whole_numbers():
    frame = pd.DataFrame({"a": [1.0, 2.5, 5.0, 4.0], "b": [1.0, 2.0, 5.0, 3.0], "row": range(4)})
    table = LargeTable.of(frame, ["a", "b"], row="row")
    assert table.outline["fraction"].tolist() == [0.5, 0.0]
    np.testing.assert_allclose(table.totals().moments().cov, frame[["a", "b"]].cov(), rtol=EXACT)
    levels = {"a": np.array([1.0, 2.5, 4.0, 5.0]), "b": np.array([1.0, 2.0, 3.0, 5.0])}
    assert pair_tables(table.frame, levels)[0][0, :, 1].tolist() == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    ]
