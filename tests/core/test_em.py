"""Moments of incomplete rows: against R lavaan, against complete rows, as a bootstrap, and what cannot be done."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from methods.surveys import read_incomplete_ecsi

from cxresearch.core.design import Design
from cxresearch.core.em import bootstrap_em, em_moments
from cxresearch.core.moments import Moments, bootstrap_moments
from cxresearch.core.resampling import resample_counts
from cxresearch.errors import InputError

ROOT = Path(__file__).parent.parent
EXACT = 1e-12  # closed forms
SETTLED = 1e-6  # absolute, in units of the answers (1 to 10): where EM and lavaan's EM stop
REPLICATE = 2e-3  # of a deviation: where replicates stop, times what is left of slow ones


@pytest.fixture(scope="module")
def mobi():
    return read_incomplete_ecsi()


@pytest.fixture
def simulated():
    rng = np.random.default_rng(4)
    values = pd.DataFrame(rng.normal(3, 2, size=(120, 4)) @ rng.normal(size=(4, 4)), columns=list("abcd"))
    return values.mask(rng.random(values.shape) < 0.08)


@pytest.mark.parametrize("kind", ["plain", "weighted"])
def test_moments_of_incomplete_rows_are_those_of_lavaan(mobi, kind):
    reference = pd.read_csv(ROOT / "reference/missing/moments.csv").query("data == @kind").set_index("item")
    weights = pd.Series(np.resize([1.0, 2.0, 3.0], len(mobi)), mobi.index)
    found = em_moments(mobi, design=Design(weights=weights) if kind == "weighted" else None)
    assert (int(found.n), found.n_incomplete, found.names) == (249, 236, tuple(mobi.columns))
    assert found.design_words == ("em; weighted" if kind == "weighted" else "em")
    assert 1 < found.iterations < 1000
    np.testing.assert_allclose(found.mean, reference["mean"], atol=SETTLED)
    np.testing.assert_allclose(found.cov * 248 / 249, reference[list(mobi.columns)], atol=SETTLED)


def test_complete_rows_have_their_usual_moments(simulated):
    rows = simulated.dropna()
    design = Design(pd.Series(np.arange(len(simulated)) % 3 + 1.0), pd.Series(np.arange(len(simulated)) // 6))
    found, usual = em_moments(rows, design=design), Moments.from_frame(rows, design=design)
    np.testing.assert_allclose(found.mean, usual.mean, rtol=EXACT)
    np.testing.assert_allclose(found.cov, usual.cov, rtol=1e-11)
    assert (found.n, found.n_incomplete) == (usual.n, 0)
    stack, plain = (draw(rows, 9, seed=2, design=design) for draw in (bootstrap_em, bootstrap_moments))
    np.testing.assert_allclose(stack.cov, plain.cov, rtol=1e-9, atol=1e-10)
    assert (stack.n_units, stack.design_words) == (plain.n_units, "em; weighted; clustered")


def test_one_item_that_some_did_not_answer_has_the_closed_form_of_anderson():
    """With x complete and y missing for some, the line of y on x of the complete rows carries the moments of x over."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=50)
    frame = pd.DataFrame({"x": x, "y": (2 * x + rng.normal(size=50))}).mask(np.column_stack([x > 9, x > 0.5]))
    both = frame.dropna()
    slope = both.cov().loc["x", "y"] / both["x"].var()
    found = em_moments(frame)
    assert found.mean[1] == pytest.approx(both["y"].mean() + slope * (x.mean() - both["x"].mean()), abs=1e-8)
    assert found.cov[0, 1] == pytest.approx(slope * x.var(ddof=1), rel=1e-8)
    left = both["y"].var(ddof=0) - slope**2 * both["x"].var(ddof=0)
    assert found.cov[1, 1] == pytest.approx((left + slope**2 * x.var()) * 50 / 49, rel=1e-8)


def test_each_replicate_is_the_solution_of_its_own_rows(simulated):
    stack = bootstrap_em(simulated, 20, seed=5)
    _, counts = next(resample_counts(len(simulated), 20, seed=5, clustered=False))
    deviations = em_moments(simulated).sd
    for b in (0, 7, 19):
        own = em_moments(simulated.loc[simulated.index.repeat(counts[b].astype(int))].reset_index(drop=True))
        assert np.abs((stack.mean[b] - own.mean) / deviations).max() < REPLICATE
        assert np.abs((stack.cov[b] - own.cov) / np.outer(deviations, deviations)).max() < REPLICATE
    assert stack.cov.shape == (20, 4, 4)
    assert (stack.n == 120).all()


def test_units_and_order_of_items_do_not_matter(simulated):
    found = em_moments(simulated)
    other = em_moments(simulated[["d", "b", "a", "c"]] * 1000 + 1e6).select(list("abcd"))
    np.testing.assert_allclose(other.corr, found.corr, atol=1e-8)
    np.testing.assert_allclose((other.mean - 1e6) / 1000, found.mean, atol=1e-6)


def test_answers_missing_at_random_bias_complete_rows_but_not_em():
    """y is asked where x is low: of complete rows the mean of y is 0.6 too low, by maximum likelihood it is 0."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(20_000, 1))
    frame = pd.DataFrame(0.8 * x + 0.6 * rng.normal(size=(20_000, 2)), columns=["x", "y"])
    frame["y"] = frame["y"].mask(frame["x"] > 0)
    assert frame.dropna()["y"].mean() < -0.4
    assert em_moments(frame).mean[1] == pytest.approx(0, abs=0.05)  # five standard errors
    assert em_moments(frame).cov[0, 1] == pytest.approx(0.64, abs=0.05)


def test_constant_items_stay_constant(simulated):
    found = em_moments(simulated.assign(d=simulated["d"].where(simulated["d"].isna(), 7.0)))
    assert found.mean[3] == pytest.approx(7)
    np.testing.assert_array_equal(found.cov[3], 0)
    np.testing.assert_allclose(found.cov[:3, :3], em_moments(simulated[list("abc")]).cov, rtol=1e-5)


def test_replicates_without_an_answer_to_an_item_are_unknown():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(rng.normal(size=(12, 2)), columns=["a", "b"])
    frame.loc[2:, "b"] = np.nan
    stack = bootstrap_em(frame, 200, seed=1)
    _, counts = next(resample_counts(12, 200, seed=1, clustered=False))
    none = counts[:, :2].sum(axis=1) == 0
    assert 10 < none.sum() < 40
    np.testing.assert_array_equal(np.isnan(stack.cov[:, 0, 0])[none], True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(a="x"), r"numeric; found text in a \(1 of 4 columns\)"),
        (lambda f: f.assign(a=np.inf), r"finite numbers; found infinite answers in a"),
        (lambda f: f.assign(b=np.nan), r"every item must have answers; found none in b \(1 of 4 items\)"),
        (lambda f: f.head(4), "more rows than items; found 4 rows with an answer to any of 4 items"),
        (lambda f: f.iloc[:0], "at least two rows are needed; found 0"),
        (
            lambda f: f.assign(a=f["a"].where(f.index < 60), b=f["b"].where(f.index >= 60)),
            r"nobody answered both a and b \(1 of 6 pairs\)",
        ),
    ],
)
def test_what_em_cannot_do_is_said(simulated, change, message):
    for ask in (em_moments, lambda frame: bootstrap_em(frame, 5, seed=1)):
        with pytest.raises(InputError, match=message):
            ask(change(simulated))
