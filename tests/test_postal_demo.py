"""The demo study: its tables come from its generator, fit together, and its truth is that of the model."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import cxresearch as cx
from cxresearch.core.moments import correlation_of
from cxresearch.methods.factor_tests import kmo
from cxresearch.methods.importance import johnson, lmg
from cxresearch.methods.internal_consistency import alpha_if_dropped, cronbach_alpha, item_rest_correlation

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "data" / "postal_demo"
ENGLISH, CHINESE = ROOT / "params" / "postal_demo.yaml", DEMO / "postal_demo_zh.yaml"
UNUSED = {"survey.encoding", "survey.sheet", "survey.where", "tickets.calendar"}  # left at their default
UNUSED |= {"survey.correlation", "survey.n"}  # stand in place of answers
CENSUS = 60_000  # respondents: a share is then known to .002, a mean on the 5-point scale to .004


@pytest.fixture(scope="module", autouse=True)
def demo_on_path():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DEMO))
        yield


@pytest.fixture(scope="module")
def truth():
    return json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tables():
    return {path.stem: pd.read_csv(path) for path in DEMO.glob("*.csv")}


@pytest.fixture(scope="module")
def census():
    from postal_model.census import take_census

    return take_census(np.random.default_rng(1), CENSUS)


def table_of(rows):
    return pd.DataFrame(rows).set_index(["quantity", "scale", "term", "group", "method"])["estimate"]


# --- the generator ----------------------------------------------------------------------------------------------------


def test_the_committed_tables_are_what_the_generator_writes(tmp_path):
    from generate import simulate_all, write_tables

    write_tables(simulate_all(), tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_bytes() for path in DEMO.glob("*.csv")}
    assert written.keys() == committed.keys()
    assert [name for name, content in written.items() if content != committed[name]] == []


def test_another_seed_gives_another_survey_and_the_same_seed_the_same():
    from generate import simulate_survey

    one, again, other = (simulate_survey(seed, 300) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(one, again)
    assert not one["sati1"].equals(other["sati1"])


def test_a_clean_survey_has_the_same_people_and_no_dirt():
    from generate import simulate_survey

    clean, dirty = simulate_survey(5, 2000, clean=True), simulate_survey(5, 2000)
    items = [name for name in clean if re.fullmatch(r"[a-z]{4}\d", name)]
    assert len(clean) == 2000
    assert clean[items].notna().all().all()
    assert clean["sati1"].between(1, 5).all()
    assert clean["nps"].between(0, 10).all()
    once = dirty.drop_duplicates("respondent").reset_index(drop=True)
    assert len(dirty) - len(once) == 24
    assert once["respondent"].equals(clean["respondent"])
    assert 0.85 < (once["sati1"] == clean["sati1"]).mean() < 1
    assert dirty["sati1"].isna().any()
    codes = {str(code) for item in items for code in dirty[item].dropna()}
    assert codes >= {"9", "-99"}


def test_latent_scores_follow_the_equations():
    """Residual variance, slopes and driver correlations of the latent scores, within four standard errors."""
    from postal_model import parameters as p
    from postal_model.people import draw_latent, draw_population, driver_means

    rng, n = np.random.default_rng(2), 40_000
    people = draw_population(rng, n)
    latent = draw_latent(rng, people, np.zeros((n, len(p.DRIVERS))))
    means = driver_means(people.company, people.region, people.quarter) + p.AGE_EFFECTS[people.age]
    within = latent.drivers - means
    np.testing.assert_allclose(np.corrcoef(within.T), p.driver_correlation(), atol=4 / np.sqrt(n))
    slopes, *_ = np.linalg.lstsq(latent.drivers, latent.satisfaction, rcond=None)
    np.testing.assert_allclose(slopes, p.SLOPES, atol=4 * p.satisfaction_sd() / np.sqrt(n * 0.4))
    assert np.var(within @ p.SLOPES) + p.satisfaction_sd() ** 2 == pytest.approx(1, abs=0.02)


def test_weights_undo_the_selection():
    """Weighted shares of a large sample are those of the population; unweighted ones are not."""
    from generate import simulate_survey
    from postal_model import parameters as p

    survey = simulate_survey(3, 60_000, clean=True)
    shares = survey.groupby("region")["weight"].sum() / survey["weight"].sum()
    assert shares[list(p.REGIONS)].tolist() == pytest.approx(p.REGION_SHARES.tolist(), abs=0.01)
    assert survey["region"].value_counts(normalize=True)["West"] == pytest.approx(1 / 3, abs=0.01)
    ages = survey.groupby("age_group")["weight"].sum() / survey["weight"].sum()
    assert ages[list(p.AGES)].tolist() == pytest.approx(p.AGE_SHARES.tolist(), abs=0.01)


# --- truth.json -------------------------------------------------------------------------------------------------------


def test_truth_repeats_the_parameters_of_the_model(truth):
    from population import N_FACTORS, RESPONDENTS, model_parameters

    assert truth["parameters"] == json.loads(json.dumps(model_parameters()))
    assert truth["respondents"] == RESPONDENTS == 2_000_000
    factors = {row["scale"] for row in truth["population"] if row["quantity"] == "loading"}
    assert factors == {f"F{number + 1}" for number in range(N_FACTORS)}


def test_population_values_are_those_of_the_model(truth, census):
    """A smaller census from another seed agrees within about four of its standard errors."""
    from postal_model.truth import population_values

    smaller = population_values(census, n_factors=8)
    stored, again = table_of(truth["population"]), table_of(smaller)
    assert census.products[0, 0] == CENSUS
    assert stored.index.equals(again.index)
    # (a factor of two items is weakly identified, so its communalities vary more)
    off = (stored - again).abs().groupby("quantity").max()
    limits = {"item_mean": 0.03, "alpha": 0.01, "omega_total": 0.01, "coefficient": 0.02, "importance_lmg": 0.01,
              "importance_johnson": 0.01, "item_share": 0.012, "kmo": 0.005, "communality": 0.08,
              "group_share": 0.01, "r_squared": 0.015, "vif": 0.03, "correlation": 0.02}  # fmt: skip
    assert {name: off[name] for name, limit in limits.items() if off[name] > limit} == {}


def test_population_formulas_agree_with_the_package(census):
    """truth.py writes its formulas out apart from the package; both must give the same to 1e-9."""
    from postal_model import parameters as p
    from postal_model.census import MEASURES, VARIABLES, recipe
    from postal_model.truth import population_values

    values = table_of(population_values(census, n_factors=8))
    n = census.products[0, 0]
    mean = census.products[0, 1:] / n
    cov = census.products[1:, 1:] / n - np.outer(mean, mean)

    def given(quantity, scale, terms=("",)):
        return [values.xs((quantity, scale, term), level=(0, 1, 2)).item() for term in terms]

    for scale, items in p.ITEMS.items():
        part = cov[np.ix_(*[[VARIABLES.index(item) for item in items]] * 2)]
        assert given("alpha", scale) == pytest.approx([cronbach_alpha(part)], rel=1e-9)
        assert given("item_rest_correlation", scale, items) == pytest.approx(item_rest_correlation(part), rel=1e-9)
        if len(items) > 2:
            assert given("alpha_if_dropped", scale, items) == pytest.approx(alpha_if_dropped(part), rel=1e-9)
    share = recipe()[:, [MEASURES.index(name) for name in (*p.DRIVERS, "satisfaction")]]
    corr = correlation_of(share.T @ cov @ share)
    assert given("importance_lmg", "drivers", p.DRIVERS) == pytest.approx(lmg(corr), rel=1e-9)
    assert given("importance_johnson", "drivers", p.DRIVERS) == pytest.approx(johnson(corr), rel=1e-9)
    assert given("kmo", "") == pytest.approx([kmo(correlation_of(cov[:-1, :-1]))[0]], rel=1e-9)


def test_the_programme_works_and_only_in_cedar(truth):
    values = table_of(truth["population"])
    effect = values.xs("difference_in_differences").droplevel(["group", "method"])["efficiency"].item()
    assert 0.2 < effect < 0.36  # latent .45 at .8 of its strength is .36, shrunk by loadings and by cutting into five


# --- the study files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_study_files_have_no_fault_and_use_every_key(path):
    assert cx.check_study(path) == []
    study = cx.open_study(path)
    assert {part for part, reason in study.parts.items() if reason} == UNUSED
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    used = {key for construct in content["constructs"].values() for key in construct}
    assert used == {"label", "items", "scale", "reversed", "stage", "codes"}
    assert {key for target in content["targets"] for key in target} == {
        "indicator",
        "value",
        "due",
        "change",
        "baseline",
    }
    kinds = {key for indicator in content["operations"]["indicators"].values() for key in indicator}
    assert kinds >= {"hits", "of", "sum", "sum_squares", "events", "per", "score", "scale", "count", "target", "better"}


def test_the_two_study_files_ask_the_same():
    """Equal but for words: the same keys, files, columns and choices."""
    english, chinese = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ENGLISH, CHINESE))
    assert (english["language"], chinese["language"]) == ("en", "zh")
    assert list(english) == list(chinese)
    worded = {"study", "title", "aim", "language", "constructs", "groups", "cases", "weights", "evaluation", "appraisal",
              "customers", "tickets"}  # fmt: skip
    for key in english.keys() - worded:
        assert json.dumps(english[key]).replace("../data/postal_demo/", "") == json.dumps(chinese[key]), key
    for name, construct in english["constructs"].items():
        other = chinese["constructs"][name]
        assert list(construct["items"]) == list(other["items"])
        assert {k: v for k, v in construct.items() if k not in ("label", "items")} == {
            k: v for k, v in other.items() if k not in ("label", "items")
        }


def test_item_texts_are_those_of_the_codebook(tables):
    texts = tables["codebook"].set_index("item")
    for path, language in ((ENGLISH, "en"), (CHINESE, "zh")):
        constructs = yaml.safe_load(path.read_text(encoding="utf-8"))["constructs"]
        written = {item: text for construct in constructs.values() for item, text in construct["items"].items()}
        assert written == texts.loc[list(written), language].to_dict()


def test_the_survey_is_read_with_its_dirt_counted():
    survey = cx.open_study(ENGLISH).survey()
    assert len(survey.frame) == 3224
    assert survey.flags["duplicate"].sum() == 24
    assert survey.flags["straightliner"].mean() == pytest.approx(0.025, abs=0.01)
    assert survey.item_log["n_out_of_scale"].drop("nps").sum() in range(32, 35)  # a duplicate row may repeat one
    assert survey.item_log["n_missing_code"].sum() > 200
    assert survey.answers[["pric1", "inno1"]].isin([1, 2, 3, 4, 5, np.nan]).all().all()
    assert survey.answers["effi1"].corr(survey.answers["effi2"]) > 0.3  # turned round
    assert survey.design.clusters.nunique() == 48


def test_careless_answers_are_found_and_careful_ones_seldom_flagged():
    survey = cx.open_study(ENGLISH).survey()
    guessed = survey.frame["duration_s"].between(25, 75)  # who answered so fast guessed most answers
    straight = survey.flags["straightliner"]
    assert survey.flags["several_indices"][guessed].mean() > 0.85
    assert survey.flags["several_indices"][straight].mean() > 0.95
    assert survey.flags["several_indices"][~guessed & ~straight].mean() < 0.06


def test_records_and_personal_data_are_found_as_the_dirt_was_made():
    records = cx.check_records(cx.open_study(ENGLISH).records())
    assert records.value("valid_records_rate", scale="customers", term="") == pytest.approx(
        1 - 12 / 5000
    )  # negative spend
    assert records.value("complete_records_rate", scale="customers", term="years") == pytest.approx(0.98, abs=0.01)
    for table in ("tickets", "operations", "observations"):
        assert records.value("complete_records_rate", scale=table, term="") == 1
        assert records.value("valid_records_rate", scale=table, term="") == 1
    personal = records.pick("personal_data_share")
    assert set(personal["term"]) == {"comment"}
    assert set(personal["group"]) == {"email", "id_card", "phone", "tracking"}
    assert round((personal["estimate"] * personal["n"]).sum()) == 16


def test_one_expert_is_inconsistent_and_one_has_gaps(tables):
    study = cx.open_study(ENGLISH)
    weights = cx.weigh_experts(study.judgements(), study.hierarchy, n_bootstrap=200)
    together = weights.pick("weight_local", method="main result")
    assert (together["conf_high"] - together["conf_low"]).min() > 0.01  # the others differ in what they find important
    checks = weights.checks
    above = checks[checks["consistency_ratio"] > 0.1]
    assert set(above["expert"]) == {"E07"}
    assert above.set_index("parent")["consistency_ratio"]["goal"] > 0.2
    assert set(checks.loc[checks["n_gaps"] > 0, "expert"]) == {"E10"}
    assert checks["connected"].all()


# --- how the tables fit together ----------------------------------------------------------------------------------------


def test_customers_join_survey_and_tickets(tables):
    known = tables["customers"].set_index("customer")
    assert known.index.is_unique
    for name in ("survey", "tickets"):
        joined = tables[name].dropna(subset="customer").merge(known, left_on="customer", right_index=True)
        assert len(joined) == tables[name]["customer"].notna().sum()
        assert (joined["branch_x"] == joined["branch_y"]).all()
    asked = tables["survey"].drop_duplicates().dropna(subset="customer").merge(known, on="customer")
    answered = asked[asked["sati1"].between(1, 5)]
    assert answered["sati1"].corr(answered["satisfaction"]) > 0.5
    assert tables["tickets"]["customer"].value_counts().gt(1).sum() > 500


def test_service_records_count_the_tickets_and_inspections(tables):
    operations = tables["operations"].set_index(["branch", "month"]).sort_index()
    assert len(operations) == 48 * 12
    tickets = tables["tickets"]
    opened = tickets.groupby(["branch", tickets["opened_at"].str[:7].rename("month")]).size()
    assert operations["complaints"].equals(opened.reindex(operations.index, fill_value=0).rename("complaints"))
    visits = tables["inspections"].groupby(["branch", "month"])[["clean", "lights", "signs", "queue"]]
    assert (visits.size() == operations["inspections"]).all()
    tidiness = (visits.mean().mean(axis=1) - 1) * 25
    np.testing.assert_allclose(operations["tidiness"], tidiness, atol=0.0051)
    assert (operations["delivered"] <= operations["parcels"]).all()
    assert (operations["on_time"] + operations["lost"] <= operations["delivered"]).all()
    mean = operations["wait_minutes"] / operations["visits"]
    assert (operations["wait_minutes_sq"] / operations["visits"] > mean**2).all()


def test_ticket_times_stand_in_order(tables):
    tickets = tables["tickets"]
    times = {name: pd.to_datetime(tickets[name]) for name in tickets if name.endswith("_at")}
    steps = ["opened_at", "received_at", "handled_at", "replied_at", "closed_at"]
    for before, after in [*pairwise(steps), ("opened_at", "responded_at"), ("opened_at", "escalated_at"),
                          ("responded_at", "replied_at")]:  # fmt: skip
        assert not (times[after] < times[before]).any(), (before, after)
        assert not (times[after].notna() & times[before].isna()).any() or before == "responded_at"
    assert max(time.max() for time in times.values()) < pd.Timestamp("2026-07-01")
    still_open = times["closed_at"].isna()
    assert 0.01 < still_open.mean() < 0.06
    assert tickets.loc[still_open, ["resolved", "satisfied", "remedy", "cost"]].isna().all().all()
    assert tickets.loc[~still_open, ["resolved", "remedy", "cost"]].notna().all().all()


def test_cedar_mends_its_service_and_the_others_do_not(tables):
    operations = tables["operations"]
    late = operations["month"] >= "2026-04"
    early = operations["month"] < "2025-10"

    def rate(rows):
        sums = operations[rows].groupby("company")[["complaints", "parcels", "on_time", "delivered"]].sum()
        return sums["complaints"] / sums["parcels"], sums["on_time"] / sums["delivered"]

    (before, punctual_before), (after, punctual_after) = rate(early), rate(late)
    assert after["Cedar"] / before["Cedar"] < 0.87
    assert (after / before).drop("Cedar").between(0.87, 1.13).all()
    assert (punctual_after - punctual_before).idxmax() == "Cedar"
    assert (punctual_after - punctual_before)["Cedar"] > 0.01


def test_shares_invitations_and_indicator_weights_add_up(tables):
    assert tables["population"].groupby("group")["share"].sum().tolist() == pytest.approx([1, 1, 1])
    invited = tables["invited"].groupby("group")["invited"].sum()
    assert invited["age_group"] == invited["region"] > 3200
    assert tables["indicators"]["weight"].sum() == pytest.approx(1)
    study = yaml.safe_load(ENGLISH.read_text(encoding="utf-8"))
    named = {target["indicator"] for target in study["targets"]} | {i["indicator"] for i in study["appraisal"]["items"]}
    assert named <= set(study["operations"]["indicators"])


# --- plain labels -------------------------------------------------------------------------------------------------------


def test_everything_says_that_it_is_synthetic():
    pages = [*DEMO.rglob("*.py"), DEMO / "README.md", DEMO / "truth.json", ENGLISH]
    assert [path.name for path in pages if "SYNTHETIC" not in path.read_text(encoding="utf-8")[:500]] == []
    assert "合成数据" in CHINESE.read_text(encoding="utf-8")[:50]
    assert "synthetic" in cx.open_study(ENGLISH).title
    assert "合成" in cx.open_study(CHINESE).title


def test_the_tables_stay_small():
    assert sum(path.stat().st_size for path in DEMO.glob("*.csv")) < 3_000_000
