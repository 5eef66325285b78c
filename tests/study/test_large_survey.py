"""A survey that is left where it lies says what the same survey says in memory."""

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
import yaml

from cxresearch.methods.quality import check_quality
from cxresearch.study.large_survey import LargeSurvey
from cxresearch.study.open import check_study, open_study
from cxresearch.study.survey import Survey

ROWS = 240


def table_of(n: int = ROWS) -> pd.DataFrame:
    """Numbers with missing codes and answers out of scale, worded answers, text numbers, groups of several types."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({
        "id": np.arange(n),
        "q1": rng.choice([1, 2, 3, 4, 5, 9, -99], n),
        "q2": rng.choice([1.0, 2.0, 3.5, 5.0, 7.0, np.nan, np.inf], n),
        "q3": rng.choice(["poor", " Fair ", "good", "n/a", "", None], n),
        "q4": rng.choice(["1", "2", "5", "-99"], n),
        "nps": rng.integers(-1, 12, n),
        "weight": rng.uniform(0.5, 2, n),
        "branch": rng.choice([3, 14, 15], n),
        "company": rng.choice(["Cedar ", "Maple", None], n),
        "year": rng.choice([2025.0, 2026.0, np.nan], n),
        "vip": rng.choice([True, False], n),
    })  # fmt: skip
    return frame.convert_dtypes().mask(np.isin(np.arange(n), [5, 17])[:, None] & np.ones(frame.shape, bool))


CONTENT = {
    "study": "s",
    "survey": {
        "data": "rows.parquet",
        "missing": [-99],
        "weight": "weight",
        "cluster": "branch",
        "where": "weight > 0.6",
    },
    "constructs": {
        "speed": {"items": ["q1", "q2"], "scale": [1, 5], "reversed": ["q2"], "missing": [9]},
        "staff": {"items": ["q3"], "codes": {"poor": 1, "fair": 2, "good": 3}, "missing": ["n/a"]},
        "price": {"items": ["q4"]},
    },
    "outcome": "nps",
    "recommend": "nps",
    "groups": {"company": "Company", "year": "Year", "vip": "VIP"},
}


def study_file(folder, *, large: str = "yes", **survey) -> str:
    content = {**CONTENT, "survey": {**CONTENT["survey"], "large": large, **survey}}
    path = folder / f"{large}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return str(path)


@pytest.fixture
def folder(tmp_path):
    table_of().to_parquet(tmp_path / "rows.parquet", index=False)
    return tmp_path


def test_the_same_answers_logs_scores_and_groups(folder):
    small, large = (open_study(study_file(folder, large=each)).survey() for each in ("no", "yes"))
    assert (type(small), type(large)) == (Survey, LargeSurvey)
    pd.testing.assert_frame_equal(large.item_log, small.item_log)
    pd.testing.assert_frame_equal(large.row_log, small.row_log)
    for ours, theirs in ((large.answers, small.answers), (large.scores, small.scores)):
        assert list(ours) == list(theirs)
        np.testing.assert_array_equal(ours.outline["n"], theirs.notna().sum())
        means = [ours[[name]].unweighted().totals().moments().mean[0] for name in ours]
        np.testing.assert_allclose(means, theirs.mean(), rtol=1e-12)
        np.testing.assert_allclose(ours.outline[["low", "high"]].T, [theirs.min(), theirs.max()], rtol=1e-12)
    weights = small.design.weights
    for name in small.groups:
        counts = large.groups.counts(name).dropna().set_index(name)
        expected = small.groups[name].value_counts().sort_index()
        assert counts["n"].to_dict() == expected.to_dict()
        sums = weights.groupby(small.groups[name]).sum()
        np.testing.assert_allclose(counts["w"] / sums, 1, rtol=1e-12)
    for name in ("items", "scales", "ranges", "score_ranges", "outcome", "drivers", "by"):
        assert getattr(large, name) == getattr(small, name), name
    assert large.comparable_groups(5) == small.comparable_groups(5)
    assert sorted(large.values_of("company")) == sorted(small.values_of("company"))
    assert large.answers.clusters == small.design.count_clusters(small.frame.index) == 3
    pd.testing.assert_frame_equal(
        large.sample.answers, small.answers.reset_index(drop=True)
    )  # a small table is its own sample
    assert large.sample.design.words == "weighted; clustered"


def test_answers_are_set_aside_in_little_room(folder):
    large = open_study(study_file(folder)).survey()
    kinds = large.answers.frame.collect_schema()
    assert [kinds[name] for name in ("q1", "q3", "nps")] == [nw.Int8, nw.Float64, nw.Int8]
    assert kinds["q2"] == nw.Float64  # 3.5 is one of its answers
    assert large.answers.whole >= {"q1", "nps"}


def test_fractions_that_are_written_as_text_stay_fractions(folder):
    texts = np.resize(["3.5", "4", "2", "", "-99", "7"], ROWS)
    table_of().assign(q4=texts, q3="good").to_parquet(folder / "rows.parquet", index=False)
    content = {**CONTENT, "constructs": {**CONTENT["constructs"], "price": {"items": ["q4"], "scale": [1, 5]}}}
    read = []
    for large in ("no", "yes"):
        path = folder / f"{large}.yaml"
        path.write_text(yaml.safe_dump({**content, "survey": {**CONTENT["survey"], "large": large}}))
        read.append(open_study(str(path)).survey())
    small, large = read
    counted = large.answers.unweighted().counts("q4").dropna().set_index("q4")["n"]
    assert counted.to_dict() == small.answers["q4"].value_counts().to_dict()
    assert 3.5 in counted.index
    pd.testing.assert_frame_equal(large.item_log, small.item_log)


def split(folder) -> pd.DataFrame:
    frame = table_of()
    (folder / "parts" / "inner").mkdir(parents=True)
    frame[:100].to_parquet(folder / "parts" / "a.parquet", index=False)
    frame[100:].to_parquet(folder / "parts" / "inner" / "b.parquet", index=False)
    with duckdb.connect(str(folder / "rows.duckdb")) as base:
        base.execute("CREATE TABLE answers AS SELECT * FROM 'X'".replace("X", str(folder / "rows.parquet")))
        base.execute("CREATE VIEW shown AS SELECT * FROM answers")
    return frame


@pytest.mark.parametrize(
    "data",
    [
        "parts",
        "parts/**/*.parquet",
        ["parts/a.parquet", "parts/inner/b.parquet"],
        "rows.duckdb::answers",
        "rows.duckdb::shown",
    ],
    ids=str,
)
@pytest.mark.parametrize("large", ["yes", "no"])
def test_wherever_the_rows_lie(folder, data, large):
    split(folder)
    survey = open_study(study_file(folder, large=large, data=data)).survey()
    whole = open_study(study_file(folder, large="no", data="rows.parquet")).survey()
    pd.testing.assert_frame_equal(survey.item_log, whole.item_log)
    assert survey.row_log["n"].tolist() == whole.row_log["n"].tolist()
    assert all(path.is_file() for path in survey.paths)


def test_large_by_the_number_of_rows(folder, monkeypatch):
    path = study_file(folder, large="auto")
    assert isinstance(open_study(path).survey(), Survey)
    monkeypatch.setattr("cxresearch.study.lazy_table.MOST_ROWS", ROWS - 1)
    assert isinstance(open_study(path).survey(), LargeSurvey)
    monkeypatch.setattr("cxresearch.study.lazy_table.MOST_ROWS", ROWS)
    assert isinstance(open_study(path).survey(), Survey)


def test_a_sample_says_so(folder, monkeypatch):
    monkeypatch.setattr("cxresearch.study.large_survey.SAMPLE", 60)
    survey = open_study(study_file(folder)).survey()
    n, used = len(survey.sample.answers), len(survey.answers)
    assert 30 < n < 90
    assert survey.sample.design.words == f"weighted; clustered; random sample of {n} of {used} rows"
    assert len(survey.flags) == n


def test_the_page_counts_duplicates_of_all_rows_and_careless_answers_of_a_sample(folder, monkeypatch):
    frame = table_of()
    pd.concat([frame, frame[:40]]).to_parquet(folder / "rows.parquet", index=False)
    monkeypatch.setattr("cxresearch.study.large_survey.SAMPLE", 60)
    survey = open_study(study_file(folder)).survey()
    quality = check_quality(
        survey.sample.answers,
        survey.item_log,
        flags=survey.flags,
        row_log=survey.row_log,
        design=survey.sample.design,
        n_duplicates=survey.n_duplicates,
    )
    row = quality.pick("duplicate_rows").iloc[0]
    assert (row["n"], "random sample" in row["method"]) == (len(survey.answers), False)
    assert row["estimate"] == pytest.approx(survey.n_duplicates / len(survey.answers))
    kept = frame[:40]["weight"] > 0.6  # of the copies, those that the filter leaves
    assert survey.n_duplicates == kept.sum()
    cautions = {caution.key: caution.values for caution in quality.finding().cautions}
    assert cautions["quality.sampled"] == {"n": len(survey.flags), "total": len(survey.answers)}


@pytest.mark.parametrize(
    ("survey", "said"),
    [
        ({"duplicates": "drop"}, "`survey.duplicates: drop` needs all rows in memory"),
        ({"careless": "drop"}, "`survey.careless: drop` needs all rows in memory"),
        ({"where": "weight > 99"}, "the filter `weight > 99` left out all 240"),
        ({"data": "rows.duckdb::answer"}, "found 'answer'"),
        ({"data": "rows.duckdb"}, "found none; it has answers"),
        ({"data": "empty"}, "a folder of data must hold parquet files"),
        ({"weight": "nps"}, "every row needs a weight of 0 or more"),
    ],
    ids=str,
)
def test_what_cannot_be(folder, survey, said):
    split(folder)
    (folder / "empty").mkdir()
    faults = check_study(study_file(folder, **survey))
    assert any(said in fault for fault in faults), faults


def test_text_that_is_no_answer(folder):
    frame = table_of().assign(q4="often")
    frame.to_parquet(folder / "rows.parquet", index=False)
    faults = check_study(study_file(folder))
    assert any("found text in q4: 'often' (" in fault for fault in faults), faults


def test_large_needs_files_that_can_be_read_in_part(folder):
    table_of().to_csv(folder / "rows.csv", index=False)
    faults = check_study(study_file(folder, data="rows.csv"))
    assert any(
        "`survey.large: yes` needs parquet files or a table of a DuckDB file; found rows.csv" in f for f in faults
    )


@pytest.mark.parametrize("identity", ["id", None])
def test_duplicates_are_counted_among_all_rows(folder, monkeypatch, identity):
    """A fifth of the rows are copies, shuffled, and some respondents answered twice: pairs that a sample would tear apart."""
    frame = table_of()
    again = frame.sample(20, random_state=1).assign(q1=5)
    frame = pd.concat([frame, frame.sample(60, random_state=0), again]).sample(frac=1, random_state=2)
    frame.to_parquet(folder / "rows.parquet", index=False)
    options = {"id": identity} if identity else {}
    small = open_study(study_file(folder, large="no", **options))
    expected = small.survey().flags["duplicate"]
    assert small.survey().n_duplicates == expected.sum() > 50
    whole = open_study(study_file(folder, **options)).survey()
    assert whole.n_duplicates == expected.sum()
    np.testing.assert_array_equal(whole.flags["duplicate"], expected)
    monkeypatch.setattr("cxresearch.study.large_survey.SAMPLE", 60)
    drawn = open_study(study_file(folder, **options))
    survey = drawn.survey()
    assert survey.n_duplicates == expected.sum()
    assert len(survey.flags) < 100
    assert survey.flags["duplicate"].sum() > 0
    assert "duplicate" not in survey.sample.flags  # a copy and its original are rarely drawn together
    if identity:
        ids = small.table("survey").frame.index[~small.table("survey").valid["id"]]
        assert 0 < (~drawn.table("survey").valid["id"]).sum() < len(ids)
        of_all = small.survey().frame["id"].loc[ids]
        known = survey.sample.frame["id"]
        np.testing.assert_array_equal(drawn.table("survey").valid["id"], ~known.isin(of_all) | known.isna())


@pytest.mark.parametrize("identity", ["id", None])
def test_blanks_around_text_make_no_other_row(folder, identity):
    blanks = ["", " ", "\t", "\u3000", "\u00a0", "\r\n"]
    frame = table_of().dropna(subset=["id"]).iloc[:60]
    names = [f"{blank}r{number // 6}{blank}" for number, blank in enumerate(np.resize(blanks, 60))]
    frame = frame.iloc[np.arange(60) // 6 * 6].assign(id=names, note=np.resize([*blanks, "said", None], 60))
    frame["place"] = np.resize(["here", "\u3000there ", "here\u3000", "\u00a0here", " ", "here"], 60)
    frame.to_parquet(folder / "rows.parquet", index=False)
    options = {"where": "place != 'there'", **({"id": identity} if identity else {})}
    small, large = (open_study(study_file(folder, large=each, **options)).survey() for each in ("no", "yes"))
    pd.testing.assert_frame_equal(large.row_log, small.row_log)
    assert large.n_duplicates == small.n_duplicates > 10
    np.testing.assert_array_equal(large.flags["duplicate"], small.flags["duplicate"])
