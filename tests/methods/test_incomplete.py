"""The methods on incomplete rows: against R lavaan and mice, and what is said of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from methods.surveys import read_incomplete_ecsi
from scipy.special import stdtrit

from cxresearch.core.design import Design
from cxresearch.core.em import em_moments
from cxresearch.core.imputation import impute, pool
from cxresearch.core.results import words
from cxresearch.errors import InputError
from cxresearch.methods.confirmation import confirm_factors
from cxresearch.methods.description import check_items
from cxresearch.methods.drivers import regress_drivers
from cxresearch.methods.factors import explore_factors
from cxresearch.methods.internal_consistency import cronbach_alpha
from cxresearch.methods.reliability import check_reliability
from cxresearch.methods.validity import check_validity
from cxresearch.present.text import Text

ROOT = Path(__file__).parent.parent
SCALES = {
    "image": [f"IMAG{i}" for i in range(1, 6)],
    "quality": [f"PERQ{i}" for i in range(1, 8)],
    "satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
}
ITEMS = [item for items in SCALES.values() for item in items]
EXACT = 1e-12  # closed forms
ESTIMATES = 1e-4  # loadings, correlations and their errors: where lavaan's optimiser stops
FIT = 1e-5  # relative; chi-square and its factor


@pytest.fixture(scope="module")
def mobi():
    return read_incomplete_ecsi()


@pytest.fixture(scope="module")
def reference():
    return pd.read_csv(ROOT / "reference/missing/cfa.csv", keep_default_na=False, na_values={"std_error": [""]})


@pytest.fixture(scope="module")
def confirmation(mobi):
    return confirm_factors(mobi, SCALES, missing="em")


@pytest.mark.parametrize(("ours", "theirs"), [("ml", "two.stage"), ("mlr", "robust.two.stage")])
def test_estimates_of_incomplete_rows_are_those_of_lavaan_in_two_stages(confirmation, reference, ours, theirs):
    for quantity, size in (("standardized_loading", 15), ("factor_correlation", 3)):
        rows = confirmation.pick(quantity, method=f"{ours}; em").set_index(["scale", "term"])
        wanted = reference[(reference["method"] == theirs) & (reference["quantity"] == quantity)]
        wanted = wanted.set_index(["scale", "term"]).loc[rows.index]
        assert len(rows) == size
        np.testing.assert_allclose(rows["estimate"], wanted["estimate"], atol=ESTIMATES)
        if ours == "mlr":  # those of plain ml do not know of the missing answers
            np.testing.assert_allclose(rows["std_error"], wanted["std_error"], rtol=ESTIMATES)


def test_the_test_knows_of_the_missing_answers(confirmation, reference):
    wanted = reference[reference["method"] == "robust.two.stage"].set_index("quantity")["estimate"]
    raw, scaled = (confirmation.value("chi2", method=f"{kind}; em") for kind in ("ml", "mlr"))
    assert raw == pytest.approx(wanted["chisq"], rel=FIT)
    assert scaled == pytest.approx(wanted["chisq.scaled"], rel=FIT)
    assert confirmation.value("scaling_factor", method="mlr; em") == pytest.approx(
        wanted["chisq.scaling.factor"], rel=FIT
    )
    assert confirmation.value("rmsea", method="mlr; em") == pytest.approx(wanted["rmsea.robust"], rel=FIT)
    assert confirmation.value("cfi", method="ml; em") == pytest.approx(wanted["cfi"], rel=FIT)
    assert confirmation.value("model_df", method="mlr; em") == wanted["df"]
    robust = confirmation.value("cfi", method="mlr; em")
    assert robust == pytest.approx(wanted["cfi.robust.baseline"], rel=FIT)
    # by default lavaan scales the model of unrelated items by complete-data covariances: near, but another number
    assert 1e-4 < abs(robust - wanted["cfi.robust"]) < 5e-3


def test_what_was_done_about_missing_answers_is_told(confirmation):
    assert (confirmation.n_used, confirmation.n_dropped, confirmation.missing_policy) == (249, 1, "em")
    assert confirmation.n_incomplete == 193
    assert confirmation.iterations > 1
    caution = next(each for each in confirmation.cautions if each.key == "confirmation.em")
    assert dict(caution.values) == {"n_incomplete": 193, "n": 249}
    assert "wlsmv" not in {method.split("; ")[0] for method in confirmation.table["method"]}


def test_clusters_enter_the_errors_of_incomplete_rows(mobi):
    """Rows that stand twice, each pair a cluster, tell as much as the rows once: G / (G - 1) is all that differs."""
    twice = pd.concat([mobi, mobi], ignore_index=True)
    clusters = pd.Series(np.tile(np.arange(250), 2))
    found = confirm_factors(twice, SCALES, missing="em", design=Design(clusters=clusters))
    once = confirm_factors(mobi, SCALES, missing="em")
    rows, wanted = (each.pick("standardized_loading", method="mlr")["std_error"].to_numpy() for each in (found, once))
    np.testing.assert_allclose(rows, wanted * np.sqrt(249 / 248), rtol=1e-6)
    assert set(found.pick("chi2")["method"]) == {
        "ml; em; ignores clusters",
        "mlr; em; clustered",
        "ml one-factor; em; ignores clusters",
    }


DESIGNS = {
    "plain": Design(),
    "weighted": Design(weights=pd.Series(np.resize([1.0, 2.0, 3.0], 250))),
    "clustered": Design(clusters=pd.Series(np.arange(250) // 5)),
}
DESIGNS["both"] = Design(DESIGNS["weighted"].weights, DESIGNS["clustered"].clusters)


@pytest.mark.parametrize("kind", DESIGNS)
def test_means_of_items_and_their_errors_are_those_of_lavaan(mobi, kind):
    reference = pd.read_csv(ROOT / "reference/missing/means.csv").query("data == @kind").set_index("item")
    answers, design = mobi[list(reference.index)], DESIGNS[kind]
    result = check_items(answers, {}, design=design, missing="em")
    rows = result.pick("item_mean", method=words("em", design.words))
    rows = rows[~rows["method"].str.contains("unweighted")].set_index("term").loc[reference.index]
    rows_only = np.sqrt(248 / 249) if design.clusters is None else 1.0  # lavaan has n / (n - 1) of clusters alone
    np.testing.assert_allclose(rows["estimate"], reference["mean"], atol=1e-6)
    np.testing.assert_allclose(rows["std_error"] * rows_only, reference["std_error"], rtol=1e-6)
    counts = answers.notna().sum()
    assert rows["n"].to_dict() == counts.to_dict()
    units = counts if design.clusters is None else 50
    np.testing.assert_array_equal(rows["df"], units - 1)
    half = stdtrit(units - 1, 0.975) * rows["std_error"]
    np.testing.assert_allclose(rows["conf_high"] - rows["estimate"], half, rtol=1e-10)
    np.testing.assert_allclose(rows["estimate"] - rows["conf_low"], half, rtol=1e-10)
    spread = result.pick("item_sd", method="em")
    np.testing.assert_allclose(spread["estimate"], em_moments(answers, design=design).sd, rtol=1e-9)
    if design.weights is not None:
        plain = check_items(answers, {}, design=Design(clusters=design.clusters), missing="em").pick("item_mean")
        unweighted = result.pick("item_mean", method="unweighted; em")
        np.testing.assert_allclose(unweighted[["estimate", "std_error"]], plain[["estimate", "std_error"]], rtol=1e-9)


def test_what_was_done_about_means_of_items_is_told(mobi):
    result = check_items(mobi, SCALES, missing="em")
    assert (result.n_used, result.n_dropped, result.n_incomplete, result.missing_policy) == (249, 1, 236, "em")
    assert result.iterations > 1
    assert result.reservations("items") == ("items.observed_items",)
    observed = check_items(mobi, SCALES)
    assert observed.reservations("items") == ()
    for quantity in ("item_median", "item_mode", "item_share"):
        assert result.pick(quantity)["estimate"].tolist() == observed.pick(quantity)["estimate"].tolist()
        assert not result.pick(quantity)["method"].str.contains("em").any()
    pd.testing.assert_frame_equal(check_items(mobi, SCALES, missing="impute").table, result.table)
    whole = mobi.dropna()
    pd.testing.assert_frame_equal(check_items(whole, SCALES, missing="em").table, check_items(whole, SCALES).table)


def test_an_item_without_variation_keeps_its_mean_beside_the_others(mobi):
    answers = mobi[SCALES["quality"]].assign(always=np.where(np.arange(250) % 3, 4.0, np.nan))
    found, others = (check_items(part, {}, missing="em") for part in (answers, mobi[SCALES["quality"]]))
    row = found.pick("item_mean", term="always").iloc[0]
    assert (row["estimate"], row["std_error"], row["method"]) == (4.0, 0.0, "em")
    assert found.value("item_sd", term="always") == 0
    rest = found.pick("item_mean").set_index("term").drop("always")
    wanted = others.pick("item_mean").set_index("term")
    np.testing.assert_allclose(rest["estimate"], wanted["estimate"], rtol=1e-12)
    np.testing.assert_allclose(rest["std_error"], wanted["std_error"], rtol=2e-3)  # n - 1 of one row more


@pytest.mark.parametrize(
    "spoil",
    [
        lambda frame: frame.iloc[:6],  # not more rows than items
        lambda frame: frame.assign(PERQ8=frame["PERQ1"]),
        lambda frame: frame.assign(PERQ1=frame["PERQ1"].mask(frame["PERQ2"].notna())),
    ],
)
def test_where_there_is_no_likelihood_means_are_of_the_answers_that_are_there(mobi, spoil):
    answers = spoil(mobi[SCALES["quality"]])
    found, observed = (check_items(answers, {}, missing=missing) for missing in ("em", "drop"))
    pd.testing.assert_frame_equal(found.table, observed.table)
    assert found.n_incomplete == 0
    assert [each.key for each in found.finding().cautions] == ["items.no_em"]
    for language, said in (("en", "gives no means"), ("zh", "无法求得均值")):
        assert said in Text(language).sentence(found.finding())


def test_reliability_is_that_of_the_maximum_likelihood_covariances(mobi):
    result = check_reliability(mobi, SCALES, missing="em", n_bootstrap=40, seed=1)
    for name, items in SCALES.items():
        moments = em_moments(mobi[items])
        row = result.pick("alpha", scale=name).iloc[0]
        assert row["estimate"] == pytest.approx(float(cronbach_alpha(moments.cov)), abs=EXACT)
        assert row["n"] == moments.n
        assert row["conf_low"] < row["estimate"] < row["conf_high"]
        assert row["method"] == "percentile bootstrap; em"
    assert result.n_used + result.n_dropped == 250
    empty = check_reliability(mobi.assign(CUSA1=np.nan), SCALES, missing="em", n_bootstrap=0)
    assert [each.values for each in empty.cautions if each.key == "reliability.too_few_rows"] == [
        {"scale": "satisfaction", "n": 0},
        {"scale": "all", "n": 0},
    ]


def test_factors_rest_on_maximum_likelihood_or_pairwise_correlations(mobi):
    options = {"missing": "em", "n_random": 20, "seed": 1}
    linear = explore_factors(mobi[ITEMS], correlation="pearson", n_factors=3, **options)
    assert set(linear.pick("kmo")["method"]) == {"pearson; em"}
    assert (linear.n_used, linear.n_dropped, linear.n_incomplete) == (249, 1, 193)
    known = mobi[ITEMS].notna().to_numpy(float)
    paired = (known.T @ known)[np.triu_indices(15, 1)].mean()
    corr = em_moments(mobi[ITEMS]).corr
    chi2 = -(paired - 1 - (2 * 15 + 5) / 6) * np.linalg.slogdet(corr)[1]
    assert linear.value("bartlett_chi2") == pytest.approx(chi2, rel=1e-10)
    ordinal = explore_factors(mobi[ITEMS], correlation="polychoric", n_factors=3, **options)
    assert set(ordinal.pick("kmo")["method"]) == {"polychoric; pairwise"}
    assert ordinal.pick("polychoric")["n"].nunique() > 10  # each pair its own rows
    with pytest.raises(InputError, match=r"rank correlations need complete rows.*missing_policy: drop"):
        explore_factors(mobi[ITEMS], correlation="spearman", **options)


def test_validity_has_intervals_of_the_bootstrap_of_incomplete_rows(mobi):
    result = check_validity(mobi, SCALES, missing="em", n_bootstrap=60, seed=1)
    rows = result.pick("htmt")
    assert set(rows["method"]) == {"pearson; percentile bootstrap; em"}
    assert ((rows["conf_low"] < rows["estimate"]) & (rows["estimate"] < rows["conf_high"])).all()
    assert result.n_used == 249


def drivers_of(mobi, missing, **options):
    return regress_drivers(mobi, "CUSA1", drivers=["PERQ1", "PERQ2", "IMAG5"], missing=missing, seed=2, **options)


def test_a_regression_of_incomplete_rows_is_that_of_lavaan(mobi, reference):
    wanted = reference[(reference["method"] == "ml") & (reference["scale"] == "drivers")]
    slopes = wanted[wanted["quantity"] == "coefficient"].set_index("term")
    result = drivers_of(mobi, "em", n_bootstrap=400)
    rows = result.pick("coefficient").set_index("term").loc[slopes.index]
    np.testing.assert_allclose(rows["estimate"], slopes["estimate"], atol=1e-5)
    np.testing.assert_allclose(rows["std_error"], slopes["std_error"], rtol=0.2)  # theirs take answers to be normal
    assert result.r_squared == pytest.approx(wanted.set_index("quantity").loc["r_squared", "estimate"], abs=1e-5)
    assert set(rows["method"]) == {"ols; em; percentile bootstrap"}
    assert result.pick("correlation", method="spearman").empty
    assert (result.n_used, result.n_dropped, result.n_incomplete) == (249, 1, 99)


def test_scores_are_made_of_what_was_answered(mobi):
    """The mean of a construct is that of its items, whoever answered them; complete rows give the usual regression."""
    scores = pd.DataFrame({name: mobi[items].mean(axis=1, skipna=False) for name, items in SCALES.items()})
    options = {"drivers": ["image", "quality"], "n_bootstrap": 0, "items": mobi, "scales": SCALES}
    result = regress_drivers(scores, "satisfaction", missing="em", **options)
    means = em_moments(mobi[SCALES["image"] + SCALES["quality"] + SCALES["satisfaction"]]).mean
    assert result.value("performance", term="image") == pytest.approx(means[:5].mean(), abs=1e-9)
    whole = mobi.dropna(subset=ITEMS)
    usual, same = (
        regress_drivers(scores.loc[whole.index], "satisfaction", missing=missing, **options | {"items": whole})
        for missing in ("drop", "em")
    )
    for quantity in ("coefficient", "beta", "importance_lmg", "r_squared"):
        np.testing.assert_allclose(same.pick(quantity)["estimate"], usual.pick(quantity)["estimate"], atol=1e-10)


def test_rubins_rules_are_those_of_mice():
    estimates = np.array([[0.52, -0.20], [0.61, 0.05], [0.47, 0.11], [0.58, -0.02]])
    variances = np.array([[0.010, 0.04], [0.012, 0.05], [0.011, 0.045], [0.009, 0.038]])
    wanted = pd.read_csv(ROOT / "reference/missing/pool.csv")
    found = pool(estimates, variances, 46.0)
    for name in ("estimate", "std_error", "df", "missing_information"):
        np.testing.assert_allclose(getattr(found, name), wanted[name], rtol=1e-10)
    same = pool(np.ones((3, 1)), np.full((3, 1), 0.25), 46.0)  # nothing between the imputations
    assert (same.std_error[0], same.missing_information[0]) == pytest.approx((0.5, 2 / (same.df[0] + 3)))


def test_imputed_answers_keep_the_known_ones_and_the_moments(mobi):
    items = mobi[SCALES["quality"]]
    known = items.dropna(how="all").notna().to_numpy()
    draws = list(impute(items, 30, seed=4))
    assert all(not draw.isna().any(axis=None) for draw in draws)
    for draw in draws[:2]:
        np.testing.assert_allclose(draw.to_numpy()[known], items.dropna(how="all").to_numpy()[known], atol=1e-10)
    assert not np.allclose(draws[0], draws[1])
    moments = em_moments(items)
    mean, cov = (np.mean([part(draw) for draw in draws], axis=0) for part in (np.mean, lambda d: np.cov(d.T)))
    assert mean == pytest.approx(moments.mean.mean(), abs=0.02)
    assert np.abs(cov - moments.cov).max() < 0.3  # of variances near 3: doubt of the moments over sqrt(30)


def test_pooled_coefficients_are_near_those_of_maximum_likelihood(mobi):
    result, likely = drivers_of(mobi, "impute", n_bootstrap=0, n_imputations=40), drivers_of(mobi, "em", n_bootstrap=0)
    rows = result.pick("coefficient")
    assert set(rows["method"]) == {"ols; hc3; 40 imputations; rubin"}
    assert np.abs(rows["estimate"] - likely.pick("coefficient")["estimate"]).max() < 0.01
    assert ((rows["df"] > 20) & (rows["df"] < 245)).all()
    pooled = result.pick("r_squared_pooled", method="rubin").iloc[0]
    assert pooled["estimate"] == pytest.approx(likely.r_squared, abs=0.02)
    assert pooled["conf_low"] < pooled["estimate"] < pooled["conf_high"]
    assert "drivers.impute" in {each.key for each in result.finding().cautions}


def test_under_mar_complete_rows_are_biased_and_em_and_imputation_are_not():
    """y = x; an auxiliary driver z is asked only where y is low: 20 samples of 300, slopes of 0.5 each."""
    rng = np.random.default_rng(7)
    found = {"drop": [], "em": [], "impute": []}
    covered = 0
    for sample in range(20):
        x, z = rng.normal(size=(2, 300))
        y = 0.5 * x + 0.5 * z + rng.normal(size=300)
        frame = pd.DataFrame({"x": x, "z": np.where(y < 0.3, z, np.nan), "y": y})
        for missing, slopes in found.items():
            result = regress_drivers(
                frame, "y", drivers=["x", "z"], missing=missing, n_bootstrap=0, n_imputations=5, seed=sample
            )
            row = result.pick("coefficient", term="z").iloc[0]
            slopes.append(row["estimate"])
            covered += missing == "impute" and row["conf_low"] < 0.5 < row["conf_high"]
    bias = {missing: np.mean(slopes) - 0.5 for missing, slopes in found.items()}
    assert bias["drop"] < -0.1
    assert abs(bias["em"]) < 0.08  # four standard errors
    assert abs(bias["impute"]) < 0.08
    assert covered >= 16  # of 20: 95 % less three standard errors


@pytest.mark.parametrize("m", [1, 2.5, True])
def test_fewer_than_two_imputations_are_refused(mobi, m):
    with pytest.raises(InputError, match="`n_imputations` must be a whole number of 2 or more"):
        drivers_of(mobi, "impute", n_imputations=m, n_bootstrap=0)


@pytest.mark.parametrize("missing", ["drop", "em", "impute"])
@pytest.mark.parametrize(("lacking", "named"), [(["qual1"], "quality"), (["qual1", "sat1"], "quality, satisfaction")])
def test_drivers_without_any_answer_are_named(lacking, named, missing):
    names = ("qual1", "qual2", "price1", "price2", "sat1", "sat2")
    items = pd.DataFrame(np.random.default_rng(3).normal(size=(30, 6)), columns=names).assign(
        **dict.fromkeys(lacking, np.nan)
    )
    scales = {"quality": names[:2], "price": names[2:4], "satisfaction": names[4:]}
    scores = pd.DataFrame({name: items[list(own)].mean(axis=1, skipna=False) for name, own in scales.items()})
    with pytest.raises(
        InputError, match=f"every driver of a regression must have answers; no row has a value of {named}."
    ):
        regress_drivers(
            scores,
            "satisfaction",
            drivers=["quality", "price"],
            missing=missing,
            items=items,
            scales=scales,
            n_bootstrap=0,
        )


def test_ordinal_models_of_incomplete_rows_are_those_of_the_complete_rows(mobi):
    graded = (mobi[[*SCALES["image"], *SCALES["satisfaction"]]] / 2.5).round()
    scales = {name: SCALES[name] for name in ("image", "satisfaction")}
    for verb in (confirm_factors, check_validity):
        em, drop = (verb(graded, scales, missing=missing) for missing in ("em", "drop"))
        found, wanted = (each.table[each.table["method"].str.match("wlsmv")] for each in (em, drop))
        assert len(found)
        assert found["method"].str.endswith("; complete rows").all()
        same = [column for column in found if column != "method"]
        pd.testing.assert_frame_equal(found[same].reset_index(drop=True), wanted[same].reset_index(drop=True))
        assert found["n"].max() < em.n_used
    assert confirm_factors(graded, scales, missing="em").estimator == "mlr"


def test_complete_rows_that_are_too_few_give_no_ordinal_model(mobi):
    graded = (mobi[SCALES["image"]] / 2.5).round()
    graded.iloc[:, 0] = graded.iloc[:, 0].where(graded.iloc[:, 1:].isna().any(axis=1))
    found = confirm_factors(graded, {"image": SCALES["image"]}, missing="em")
    assert found.converged
    assert not found.table["method"].str.match("wlsmv").any()
