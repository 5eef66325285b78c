"""Measurement invariance against R lavaan and published values; verdicts; edges."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from methods.surveys import POSTAL, THREE, read_ecsi

import cxresearch as cx
from cxresearch.core.design import Design
from cxresearch.core.results import COLUMNS
from cxresearch.errors import InputError
from cxresearch.methods import invariance_rows
from cxresearch.methods.cfa_model import FactorModel
from cxresearch.methods.invariance import check_invariance
from cxresearch.methods.invariance_model import GroupedModel, GroupedParameters
from cxresearch.present.text import Text

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "reference" / "invariance"
SCALES = {
    "holzinger": {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]},
    "corp_rep": {
        "competence": ["comp_1", "comp_2", "comp_3"],
        "likeability": ["like_1", "like_2", "like_3"],
        "quality": [f"qual_{i}" for i in range(1, 9)],
        "performance": [f"perf_{i}" for i in range(1, 6)],
        "attractiveness": ["attr_1", "attr_2", "attr_3"],
        "responsibility": [f"csor_{i}" for i in range(1, 6)],
        "loyalty": ["cusl_1", "cusl_2", "cusl_3"],
    },
    "mobi": THREE,
    "postal": POSTAL,
}
BY = {"holzinger": "school", "corp_rep": "servicetype", "mobi": "third", "postal": "region"}
FIT = 1e-6  # chi-square and indices: their error is the square of that of the parameters
CHANGE = 1e-6  # absolute; of indices, some of them near 0
LINEAR = 1e-4  # what moves with the parameters themselves: where lavaan's optimiser stops
KEYS = ["quantity", "scale", "term", "group", "method"]
ITEMS = ("invariance_loading_change", "invariance_intercept_change")
matching = runpy.run_path(str(ROOT / "reference" / "matching.py"))
published = json.loads((FOLDER / "published.json").read_text(encoding="utf-8"))


def rows_with(moments, seed=1):
    """Normal rows that have exactly these moments by group, so that maximum likelihood is that of the data behind them."""
    rng, parts = np.random.default_rng(seed), []
    for code, part in moments.groupby("group", sort=False):
        items, n = list(part["item"]), int(part["n"].iloc[0])
        drawn = rng.normal(size=(n, len(items)))
        drawn -= drawn.mean(axis=0)
        unit = np.linalg.solve(np.linalg.cholesky(np.cov(drawn.T)), drawn.T).T
        values = unit @ np.linalg.cholesky(part[items].to_numpy(float)).T + part["mean"].to_numpy(float)
        parts.append(pd.DataFrame(values, columns=items).assign(group=str(code)))
    return pd.concat(parts, ignore_index=True)


def answers_of(data):
    """Answers, groups and design of a data set."""
    if data == "mobi":
        frame = read_ecsi()
        return frame, pd.Series(np.arange(len(frame)) % 3, index=frame.index, name="third"), None
    if data == "postal":
        survey = cx.open_study(ROOT.parent / "params" / "postal_demo.yaml").survey()
        return survey.answers, survey.groups["region"], survey.design
    frame = rows_with(pd.read_csv(FOLDER / f"moments_{data}.csv", dtype={"group": str}))
    return frame.drop(columns="group"), frame["group"].rename(BY[data]), None


@pytest.fixture(scope="module")
def results():
    found = {}
    for data in SCALES:
        answers, groups, design = answers_of(data)
        found[data] = check_invariance(answers, SCALES[data], groups=groups, design=design, min_group=80)
    return found


def reference_of(data, *, drawn):
    """lavaan's values; of drawn rows only those of plain maximum likelihood."""
    reference = matching["read"](FOLDER / "estimates.csv")
    reference = reference[reference["data"] == data].drop(columns="data")
    return reference[reference["method"].str.startswith("ml;")] if drawn else reference


# ---- against R and print ----


@pytest.mark.parametrize("data", list(SCALES))
def test_every_level_and_change_is_that_of_lavaan(data, results):
    reference = reference_of(data, drawn=data in ("holzinger", "corp_rep"))
    reference = reference[~reference["quantity"].isin(ITEMS)]
    found = reference.merge(results[data].table, on=KEYS, suffixes=("_r", ""), how="left")
    assert len(found) == (20 if data in ("holzinger", "corp_rep") else 40)
    assert (found["n"] == found["n_r"]).all()
    changes = found["quantity"].str.endswith("_change")
    srmr = found["quantity"].str.contains("srmr")
    for part, close in (
        (found[~changes & ~srmr], {"rtol": FIT}),
        (found[srmr], {"atol": LINEAR * 0.1}),
        (found[changes & ~srmr], {"atol": CHANGE, "rtol": LINEAR}),
    ):
        for name in ("estimate", "statistic", "df"):
            np.testing.assert_allclose(part[name], part[f"{name}_r"], **close)
    np.testing.assert_allclose(found["p_value"], found["p_value_r"], rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("data", ["holzinger", "corp_rep", "mobi"])
def test_the_items_that_differ_most_are_those_of_the_score_tests_of_lavaan(data, results):
    reference = reference_of(data, drawn=True)
    for quantity in ITEMS:
        found = results[data].pick(quantity)
        merged = found.merge(reference, on=KEYS, suffixes=("", "_r"))
        theirs = reference[reference["quantity"] == quantity].sort_values("statistic", ascending=False)
        assert len(found) == 5
        assert (found["df"] == 1).all()
        if data != "mobi":  # two groups: lavaan tests the second one against the first, as we do
            assert len(merged) == 5
            assert list(found["term"]) == list(theirs["term"].head(5))
        assert len(merged) >= 2
        for name in ("estimate", "std_error", "statistic", "p_value"):
            np.testing.assert_allclose(merged[name], merged[f"{name}_r"], rtol=5e-3)


@pytest.mark.parametrize("quantity", sorted(set(published) - {"source", "df", "p_value_change"}))
def test_holzinger_and_swineford_by_school_is_as_printed(results, quantity):
    table = results["holzinger"].table
    rows = table[table["method"].str.startswith("ml;")].set_index(["quantity", "scale"])
    for level, value in published[quantity].items():
        assert rows.loc[(f"invariance_{quantity}", level), "estimate"] == pytest.approx(value, abs=0.51e-3)
    for level, df in published["df"].items():
        assert rows.loc[("invariance_chi2", level), "df"] == df
    for level, p_value in published["p_value_change"].items():
        found = rows.loc[("invariance_chi2_change", level), "p_value"]
        assert found == pytest.approx(p_value, rel=1e-3 if p_value < 1e-3 else 2.5e-3)


@pytest.mark.parametrize("level", ["metric", "scalar"])
def test_second_derivatives_are_derivatives_of_the_gradient(level):
    rng = np.random.default_rng(1)
    model = FactorModel.of({"a": ["q1", "q2", "q3"], "b": ["q4", "q5"]})
    grouped = GroupedModel(model, 2, level)
    places = grouped.places
    values = rng.uniform(0.5, 0.9, grouped.free.shape)
    values[:, places["factors"]] = [1.0, 0.4, 1.3]
    cov = np.stack([np.cov(rng.normal(size=(40, 5)).T) for _ in range(2)])
    mean = rng.normal(size=(2, 5))

    def gradient(shift):
        parameters = GroupedParameters(grouped, values + shift)
        return parameters.gradient(cov, mean, np.linalg.inv(parameters.implied()))

    parameters = GroupedParameters(grouped, values)
    exact = parameters.observed_information(cov, mean, np.linalg.inv(parameters.implied()))
    for place in range(values.shape[1]):
        shift = np.zeros_like(values)
        shift[:, place] = 1e-6
        numeric = (gradient(shift) - gradient(-shift)) / 2e-6
        np.testing.assert_allclose(exact[:, place], numeric, atol=1e-7)


# ---- what it says ----


def sample_of(n=300, seed=1, *, loadings=0.0, intercepts=0.0, codes="AB"):
    """Two constructs of four items; in the last group q1 has another loading and q2 another intercept."""
    rng, parts = np.random.default_rng(seed), []
    for code in codes:
        last = code == codes[-1]
        factors = rng.multivariate_normal([0.3 * last] * 2, [[1, 0.5], [0.5, 1]], n)[:, [0, 0, 0, 0, 1, 1, 1, 1]]
        loading = np.full(8, 0.8) + np.where(np.arange(8) == 0, loadings * last, 0)
        shift = np.where(np.arange(8) == 1, intercepts * last, 0)
        values = factors * loading + 0.6 * rng.normal(size=(n, 8)) + shift + 3
        parts.append(pd.DataFrame(values, columns=[f"q{i + 1}" for i in range(8)]).assign(company=code))
    frame = pd.concat(parts, ignore_index=True)
    return frame.drop(columns="company"), frame["company"]


TWO = {"speed": ["q1", "q2", "q3", "q4"], "staff": ["q5", "q6", "q7", "q8"]}


def keys_of(finding):
    return [caution.key.removeprefix("invariance.") for caution in finding.cautions]


@pytest.mark.parametrize(
    ("change", "level", "item"),
    [({}, "scalar", None), ({"intercepts": 0.8}, "metric", "q2"), ({"loadings": -0.6}, "configural", "q1")],
)
def test_a_difference_that_was_built_in_is_found_and_named(change, level, item):
    answers, company = sample_of(600, **change)
    result = check_invariance(answers, TWO, groups=company)
    finding = result.finding()
    assert result.level("company") == level
    assert finding.key == f"invariance.{level}"
    assert finding.rule.citation == "Cheung & Rensvold 2002"
    verdict = result.verdicts["company"]
    assert (verdict.groups, verdict.n) == (("A", "B"), 1200)
    assert verdict.differing == ((item,) if item else ())
    if item:
        told = next(caution for caution in finding.cautions if "item" in caution.values)
        assert told.key == f"invariance.{'intercepts' if level == 'metric' else 'loadings'}"
        assert (told.values["item"], told.values["group"]) == (item, "B")
        partial = finding.cautions[keys_of(finding).index(told.key.removeprefix("invariance.")) + 1]
        assert partial.key == f"invariance.partial_{'scalar' if level == 'metric' else 'metric'}"
        assert abs(partial.values["change"]) < 0.002
        assert told.values["change"] == pytest.approx(change.get("intercepts", change.get("loadings")), abs=0.15)
        rows = result.pick("invariance_intercept_change" if level == "metric" else "invariance_loading_change")
        assert rows["term"].iloc[0] == item
    assert result.value("invariance_cfi_change", method="mlr", scale="metric") == finding.values["metric"]
    assert result.value("invariance_cfi_change", method="mlr", scale="scalar") == finding.values["scalar"]


def test_latent_means_take_up_a_difference_of_the_construct_itself():
    """The last group is .3 higher on both factors, which is no lack of invariance."""
    result = check_invariance(sample_of(2000)[0], TWO, groups=sample_of(2000)[1])
    assert result.level("company") == "scalar"
    assert result.value("invariance_chi2_change", method="mlr", scale="scalar") < 22  # 6 df, p = .001


@pytest.mark.parametrize(
    ("change", "measures", "keys"),
    [
        ({}, "staff", ["scalar"]),
        ({"intercepts": 0.8}, "staff", ["metric", "intercepts"]),
        ({"intercepts": 0.8}, ["speed", "price"], ["several", "metric", "gate_single", "intercepts"]),
        ({"loadings": -0.6}, "speed", ["configural", "loadings"]),
        ({}, "price", ["gate_single"]),
    ],
)
def test_the_gate_says_whether_means_may_be_compared(change, measures, keys):
    answers, company = sample_of(600, **change)
    scales = {**TWO, "price": ["p1"]}
    result = check_invariance(answers.assign(p1=1.0), scales, groups=company)
    finding = result.gate(measures).finding()
    said = finding.values.get("said")
    found = [
        finding.key.removeprefix("invariance."),
        *([said.key[11:], *keys_of(said)] if said else []),
        *keys_of(finding),
    ]
    assert found[: len(keys)] == keys


def test_the_gate_records_the_changes_that_decide_and_no_others():
    answers, company = sample_of(150)
    region = pd.Series(np.resize(["N", "S"], 300), name="region")
    groups = pd.DataFrame({"company": company, "region": region})
    result = check_invariance(answers, TWO, groups=groups, design=Design(clusters=company))
    gate = result.gate("speed")
    assert list(gate.table["method"].unique()) == ["ml; ignores clusters; by company", "mlr; clustered; by region"]
    for by, method in (("company", "ml; by company"), ("region", "mlr; by region")):
        changes = result.verdicts[by].changes
        for level in ("metric", "scalar"):
            assert gate.value("invariance_cfi_change", method=method, scale=level) == changes[level]
    assert len(gate.table) == 4
    assert (gate.n_used, gate.n_dropped) == (result.n_used, result.n_dropped)


def test_columns_with_the_same_conclusion_share_a_sentence_and_a_caution_that_they_share():
    answers, company = sample_of(300, codes="ABC", intercepts=0.9)
    answers.iloc[0, 0] = np.nan
    halves = {
        name: pd.Series(np.resize(codes, len(answers)), name=name)
        for name, codes in (("region", ["N", "S"]), ("day", list("XYZ")))
    }
    small = pd.Series(np.arange(len(answers)) % 20, name="branch")
    result = check_invariance(answers, TWO, groups=pd.DataFrame({"company": company, **halves, "branch": small}))
    finding = result.finding()
    said = finding.values["said"]
    assert (finding.key, finding.rule.citation) == ("invariance.several", "Cheung & Rensvold 2002")
    assert (said.key, said.values["by"]) == ("invariance.scalar", ["region", "day"])
    assert said.values["change"] == min(min(result.verdicts[by].changes.values()) for by in ("region", "day"))
    metric, untested = said.cautions
    assert (metric.key, metric.values["by"]) == ("invariance.metric", ["company"])
    assert metric.values["scalar"] == [result.verdicts["company"].changes["scalar"]]
    assert (untested.key, untested.values["by"]) == ("invariance.not_judged", ["branch"])
    shared, *others = finding.cautions
    assert (shared.key, shared.values["by"]) == ("invariance.of_columns", ["company", "region", "day"])
    assert shared.values["said"].key == "invariance.dropped"
    assert [other.values["by"] for other in others] == [["company"], ["branch"]]
    english = Text("en").sentences(finding)
    assert english[0].startswith("By region, day, means may be compared: scalar invariance holds")
    assert "By company, differences in means may stem from" in english[0]
    assert "By branch, whether the groups understand" in english[0]
    assert english[1].startswith("company, region, day: Not used, because")
    assert english[1].endswith("was missing: 1 of 900 respondents.")
    assert len(english) == 4
    chinese = Text("zh").sentences(finding)
    assert chinese[0].startswith("可以按“region、day”比较均值")
    assert not any("nan" in sentence for sentence in (*english, *chinese))


def test_every_column_is_judged_by_itself():
    answers, company = sample_of(300, codes="ABC", intercepts=0.9)
    region = pd.Series(np.resize(["N", "S"], len(answers)), name="region")
    result = check_invariance(answers, TWO, groups=pd.DataFrame({"company": company, "region": region}))
    assert (result.level("company"), result.level("region")) == ("metric", "scalar")
    assert [one.key for one in (result.finding().values["said"], *result.finding().values["said"].cautions)] == [
        "invariance.scalar",
        "invariance.metric",
    ]
    assert set(result.table["method"]) == {f"{name}; by {by}" for name in ("ml", "mlr") for by in ("company", "region")}
    assert tuple(result.table.columns) == COLUMNS
    assert not result.table.duplicated(KEYS).any()
    alone = check_invariance(answers, TWO, groups=company).table
    both = result.table[result.table["method"].str.endswith("company")].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, both)
    assert set(result.pick("invariance_intercept_change", method="by company")["group"]) <= {"A", "B", "C"}


def test_the_first_group_lends_the_unit_but_changes_no_fit():
    answers, company = sample_of(200, intercepts=0.5)
    one = check_invariance(answers, TWO, groups=company).table
    other = check_invariance(answers, TWO, groups=company.map({"A": "Z", "B": "B"})).table
    fit = ~one["quantity"].isin(ITEMS)
    np.testing.assert_allclose(one.loc[fit, "estimate"], other.loc[fit, "estimate"], atol=1e-6)


def test_the_units_of_the_items_change_no_fit_and_no_test():
    answers, company = sample_of(200, intercepts=0.5)
    one = check_invariance(answers, TWO, groups=company).table
    other = check_invariance(answers * [1, 10, 1, 1, 5, 1, 1, 1] + 7, TWO, groups=company).table
    np.testing.assert_allclose(one["statistic"].dropna(), other["statistic"].dropna(), rtol=1e-6)
    fit = ~one["quantity"].isin(ITEMS)
    np.testing.assert_allclose(one.loc[fit, "estimate"], other.loc[fit, "estimate"], atol=1e-6)


def test_equal_weights_change_nothing_and_one_row_clusters_hardly():
    answers, company = sample_of(200)
    plain = check_invariance(answers, TWO, groups=company)
    weights = pd.Series(3.0, index=answers.index)
    result = check_invariance(answers, TWO, groups=company, design=Design(weights=weights))
    np.testing.assert_allclose(result.table["estimate"], plain.table["estimate"], atol=1e-6)
    assert result.table["method"].str.contains("weighted").all()
    assert [caution.key for caution in result.cautions] == ["invariance.weighted"]
    single = Design(clusters=pd.Series(np.arange(400), index=answers.index))
    clustered = check_invariance(answers, TWO, groups=company, design=single)
    ours, theirs = (found.value("invariance_chi2", method="mlr", scale="scalar") for found in (clustered, plain))
    assert ours == pytest.approx(theirs * 199 / 200, rel=1e-6)  # the factor G / (G - 1)
    assert set(clustered.table["method"]) == {"ml; ignores clusters; by company", "mlr; clustered; by company"}


# ---- what cannot be judged ----


def test_groups_that_are_too_small_are_left_out_and_named():
    answers, company = sample_of(150, codes="ABC")
    company[company == "C"] = np.resize(["C", "D", "D"], 150)
    result = check_invariance(answers, TWO, groups=company)
    assert result.verdicts["company"].groups == ("A", "B", "D")
    small = result.verdicts["company"].cautions[-1]
    assert (small.key, small.values["groups"], small.values["least"]) == ("invariance.small", ["C"], 100)
    assert result.n_used == 400
    assert result.n_dropped == 50


def test_rows_that_are_not_used_are_counted():
    answers, company = sample_of(150)
    answers.iloc[:7, 2] = np.nan
    company.iloc[7:10] = None
    company.iloc[10:12] = "C"  # complete, but of a group that is too small
    result = check_invariance(answers, TWO, groups=company)
    assert result.finding().cautions[-1].values == {"n_dropped": 10, "total": 300}
    assert (result.n_used, result.n_dropped) == (288, 12)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_constant_item_in_one_group_costs_that_group_only(weighted):
    answers, company = sample_of(150, codes="ABC")
    answers.loc[company == "B", "q3"] = 4.1
    weights = pd.Series(np.random.default_rng(2).uniform(0.3, 3, len(answers)), index=answers.index)
    result = check_invariance(answers, TWO, groups=company, design=Design(weights=weights) if weighted else None)
    assert result.verdicts["company"].groups == ("A", "C")
    constant = result.verdicts["company"].cautions[-1]
    assert (constant.key, constant.values["group"]) == ("invariance.constant", "B")
    assert constant.values["items"] == ["q3"]


def test_items_that_follow_from_others_in_one_group_cost_that_group_only():
    answers, company = sample_of(150, codes="ABC")
    answers.loc[company == "B", "q3"] = answers.loc[company == "B", "q2"]
    caution = check_invariance(answers, TWO, groups=company).verdicts["company"].cautions[-1]
    assert (caution.key, caution.values["items"]) == ("invariance.dependent", ["q2", "q3"])


def test_a_group_without_a_solution_costs_that_group_only():
    """In B both items of one construct correlate with the other construct but not with each other: no minimum."""
    answers, company = sample_of(150, codes="ABC")
    corr = np.array([[1, 0.6, 0.4, 0.4], [0.6, 1, 0.4, 0.4], [0.4, 0.4, 1, 0.0], [0.4, 0.4, 0.0, 1]])
    items = ["q1", "q2", "q5", "q6"]
    bad = pd.DataFrame(corr, columns=items).assign(group="B", n=150, item=items, mean=3.0)
    answers.loc[company == "B", items] = rows_with(bad)[items].to_numpy()
    result = check_invariance(answers, {"speed": items[:2], "staff": items[2:]}, groups=company)
    assert result.verdicts["company"].groups == ("A", "C")
    assert result.verdicts["company"].cautions[-1].key == "invariance.unsolved"


@pytest.mark.parametrize(
    ("scales", "keys"),
    [
        ({"speed": ["q1"], "staff": ["q2"]}, ["no_construct"]),
        ({"speed": ["q1", "q2"]}, ["too_few_items"]),
        ({"speed": ["q1", "q2"], "staff": ["q2", "q3"]}, ["twice"]),
    ],
)
def test_no_model_is_said_not_raised(scales, keys):
    answers, company = sample_of(150)
    result = check_invariance(answers, scales, groups=company)
    assert (result.finding().key, keys_of(result.finding())) == ("invariance.not_judged", keys)
    assert result.table.empty
    assert result.n_used == 0
    assert result.gate("speed").finding().key in ("invariance.not_judged", "invariance.gate_single")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"company": "A"}, {"count": 1, "n_counted": 300}),
        ({"company": np.nan}, {"count": 0, "n_counted": 300}),
        ({"q2": np.nan}, {"count": 0, "n_counted": 0}),
    ],
)
def test_fewer_than_two_groups_are_said_not_raised(change, told):
    answers, company = sample_of(150)
    frame = answers.assign(company=company).assign(**change)
    result = check_invariance(frame[list(answers)], TWO, groups=frame["company"])
    finding = result.finding()
    assert finding.key == "invariance.not_judged"
    assert keys_of(finding)[0] == "few_groups"
    assert finding.cautions[0].values.items() >= told.items()
    assert result.gate("speed").finding().key == "invariance.not_judged"
    assert result.gate("speed").table.empty


def test_no_grouping_column_is_said():
    answers, _ = sample_of(50)
    result = check_invariance(answers, TWO, groups=pd.DataFrame(index=answers.index))
    assert result.finding().key == "invariance.no_groups"
    assert result.table.empty


def without_solution_at(level, monkeypatch):
    """Let the fit of one level find no minimum."""
    fit = invariance_rows.fit_groups

    def failing(model, moments, name, start):
        found = fit(model, moments, name, start)
        return replace(found, converged=False) if name == level else found

    monkeypatch.setattr(invariance_rows, "fit_groups", failing)


@pytest.mark.parametrize(("missing", "level"), [("metric", "configural"), ("scalar", "metric")])
def test_a_level_without_a_solution_is_said_to_be_untested_not_to_fail(missing, level, monkeypatch):
    without_solution_at(missing, monkeypatch)
    answers, company = sample_of(600, intercepts=0.8)
    result = check_invariance(answers, TWO, groups=company)
    finding, gate = result.finding(), result.gate("speed").finding()
    assert result.level("company") == level
    assert np.isnan(result.verdicts["company"].changes[missing])
    assert (finding.key, gate.key) == (f"invariance.{level}_untested",) * 2
    for told in (finding, gate):
        assert keys_of(told) == ["no_solution"]
        for language, untested in (("en", "could not be tested"), ("zh", "无法检验")):
            said = Text(language).sentence(told)
            assert said.count(untested) == 2
            for wrong in ("nan", "not even", "cost more", "超出", "不相等", "not reached"):
                assert wrong not in said


def test_a_level_that_fails_is_not_excused_by_the_next_one(monkeypatch):
    without_solution_at("scalar", monkeypatch)
    answers, company = sample_of(600, loadings=-0.6)
    assert check_invariance(answers, TWO, groups=company).finding().key == "invariance.configural"


@pytest.mark.parametrize(
    ("n_small", "said"),
    [(1, {"en": "(left out: Z0)", "zh": "（未纳入：Z0）"}), (9, {"en": "(9 left out)", "zh": "（9 个组未纳入）"})],
)
@pytest.mark.parametrize("change", [{}, {"intercepts": 0.8}, {"loadings": -0.6}])
def test_the_gate_itself_says_which_groups_it_does_not_speak_of(change, n_small, said):
    answers, company = sample_of(600, **change)
    company[answers.index % 600 < n_small] = [f"Z{number % n_small}" for number in range(2 * n_small)]
    gate = check_invariance(answers, TWO, groups=company).gate("speed").finding()
    for language, words in said.items():
        assert words in Text(language).sentences(gate)[0]


def test_a_group_of_a_single_cluster_has_no_robust_test():
    answers, company = sample_of(150)
    result = check_invariance(answers, TWO, groups=company, design=Design(clusters=company))
    assert "no_robust" in keys_of(result.finding())
    assert set(result.table["method"]) == {"ml; ignores clusters; by company"}


def test_a_heywood_case_in_a_group_is_kept_and_said():
    answers, company = sample_of(150)
    corr = np.array([[1, 0.9, 0.9], [0.9, 1, 0.7], [0.9, 0.7, 1]])
    items = ["q1", "q2", "q3"]
    bad = pd.DataFrame(corr, columns=items).assign(group="B", n=150, item=items, mean=3.0)
    answers.loc[company == "B", items] = rows_with(bad)[items].to_numpy()
    finding = check_invariance(answers[items], {"speed": items}, groups=company).finding()
    improper = next(caution for caution in finding.cautions if caution.key == "invariance.improper")
    assert (improper.values["groups"], improper.values["reasons"]) == (["B"], ["heywood case"])


def test_many_small_groups_are_counted_not_listed():
    answers, company = sample_of(300)
    branch = pd.Series(np.arange(600) // 30, name="branch")
    result = check_invariance(answers, TWO, groups=pd.DataFrame({"company": company, "branch": branch}))
    assert result.level("branch") == ""
    assert keys_of(result.verdicts["branch"].finding()) == ["few_groups", "small_many"]
    assert result.level("company") == "scalar"


def test_items_of_few_grades_in_some_group_are_named():
    answers, company = sample_of(150)
    answers["q2"] = answers["q2"].round().clip(1, 5)
    answers.loc[company == "B", "q2"] = answers.loc[company == "B", "q2"].clip(2, 5)  # grade 1 is never used there
    result = check_invariance(answers, TWO, groups=company)
    assert [(caution.key, caution.values["items"]) for caution in result.cautions] == [("invariance.coarse", ["q2"])]
    assert result.finding().cautions[-1] == result.cautions[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scales": {"speed": ["q1", "p1"]}}, "must be a column of `answers`; found no p1"),
        ({"answers": {"q2": "often"}}, "must be numeric; found text in q2"),
        (
            {"groups": pd.Series(["A"], name="company")},
            "must have the index of `answers`; found no group for the rows 1, 2",
        ),
    ],
)
def test_bad_input_is_told(change, message):
    answers, company = sample_of(150)
    with pytest.raises(InputError, match=message):
        check_invariance(
            answers.assign(**change.get("answers", {})),
            change.get("scales", TWO),
            groups=change.get("groups", company),
        )


def test_small_differences_of_many_items_are_not_pinned_on_one():
    answers, company = sample_of(100, seed=6)
    answers += np.random.default_rng(6).normal(size=answers.shape)
    answers[company == "B"] += np.tile([0.18, -0.18], 4)
    result = check_invariance(answers, TWO, groups=company)
    assert result.level("company") == "metric"
    assert result.verdicts["company"].differing == ()
    told = next(caution for caution in result.finding().cautions if caution.key == "invariance.no_items")
    p_value = result.pick("invariance_chi2_change", method="mlr", scale="scalar")["p_value"].item()
    assert told.values["p"] == pytest.approx(p_value, rel=1e-12)
    assert "no_items" in keys_of(result.gate("speed").finding())


@pytest.mark.parametrize(
    ("change", "said"), [(-0.0104, "−0.0104"), (-0.009996, "−0.009996"), (-0.0004, "0.000"), (-0.02, "−0.020")]
)
def test_a_change_that_rounds_to_its_limit_is_told_from_it(change, said):
    answers, company = sample_of(150)
    result = check_invariance(answers, TWO, groups=company)
    verdict = replace(result.verdicts["company"], level="metric", changes={"metric": -0.001, "scalar": change})
    result = replace(result, verdicts={"company": verdict})
    for language in ("en", "zh"):
        for finding in (result.finding(), result.gate("speed").finding()):
            sentence = Text(language).sentences(finding)[0]
            assert said in sentence
            assert "0.01 " in sentence or "0.01）" in sentence
