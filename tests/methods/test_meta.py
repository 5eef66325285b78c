"""Random-effects meta-analysis against metafor (tests/reference/meta/meta.R), ranks against hand-made cases."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.errors import InputError
from cxresearch.methods.meta import pool_studies
from cxresearch.methods.study_ranks import rank_studies

ITERATED = 1e-6  # metafor iterates for tau squared


def estimates(effects, variances, **columns):
    k = len(effects)
    frame = pd.DataFrame(
        {
            "study": [f"study{place:02d}" for place in range(k)],
            "quantity": "beta",
            "scale": "drivers",
            "term": "speed",
            "estimate": np.asarray(effects, float),
            "std_error": np.sqrt(np.asarray(variances, float)),
            "conf_low": np.nan,
            "conf_high": np.nan,
            "n": 100.0,
        }
    )
    return frame.assign(**columns)


# Colditz et al. (1994), BCG vaccine: log relative risks and variances as metafor's escalc gives them
BCG = (
    [
        *(-0.889311333920205449, -1.585388657201430629, -1.348073148299693269, -1.441551190021305384),
        *(-0.217547322211295580, -0.786115585818863982, -1.620898223598391752, 0.011952333523840508),
        *(-0.469417648738149396, -1.371344803472784424, -0.339358828338390595, 0.445913400571378737),
        -0.017313948216879815,
    ],
    [
        *(0.3255847650039613295, 0.1945811213981438470, 0.4153679653679653860, 0.0200100319022475728),
        *(0.0512101721696308632, 0.0069056184559087574, 0.2230172475723151693, 0.0039615792978177295),
        *(0.0564342104632489655, 0.0730247936130289099, 0.0124122139715597199, 0.5325058452001527609),
        0.0714046596839862935,
    ],
)
# metafor 3.8.1: estimate, se, interval (test="adhoc"), tau2, I2 in %, Q, its p, prediction on k - 2
CASES = {
    "bcg": (
        BCG,
        (-0.714968153493444, 0.180892191537624, -1.10909838120224, -0.320837925784648, 0.318068452205024),
        (92.3303379541533, 152.233008082373, 1.99676459084597e-26, -2.01855805418466, 0.588621747197768),
    ),
    "four": (
        ([0.1, 0.3, 0.5, 0.2], [0.01, 0.02, 0.015, 0.03]),
        (0.27148244053459, 0.0904876769483978, -0.0164897326435444, 0.559454613712725, 0.0155051314744899),
        (47.8847082097407, 6.6, 0.0858010874001229, -0.390806812509174, 0.933771693578354),
    ),
    "two": (
        ([0.1, 0.3], [0.01, 0.02]),
        (0.174999999999833, 0.0968245836551423, -1.05527298341728, 1.40527298341695, 0.00499999999986643),
        (24.9999999994991, 1.33333333333333, 0.248213078989924, np.nan, np.nan),
    ),
    "alike": (  # the plain interval stands where that of Hartung and Knapp would be narrower
        ([0.30, 0.31, 0.29], [0.01, 0.02, 0.015]),
        (0.299230769230769, 0.0679366220486757, 0.00692307692307687, 0.591538461538461, 0.0),
        (0.0, 0.0115384615384616, 0.994247379284841, -0.563985859603825, 1.16244739806536),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_number_is_that_of_metafor(case):
    data, (estimate, error, low, high, tau2), (i_squared, q, p, far_low, far_high) = CASES[case]
    result = pool_studies(estimates(*data))
    k = len(data[0])
    pooled = result.pick("pooled_estimate").iloc[0]
    found = [pooled[name] for name in ("estimate", "std_error", "conf_low", "conf_high", "df", "n")]
    assert found == pytest.approx([estimate, error, low, high, k - 1, 100 * k], rel=ITERATED)
    assert result.value("tau") ** 2 == pytest.approx(tau2, rel=ITERATED, abs=1e-12)
    assert result.value("i_squared") == pytest.approx(i_squared / 100, rel=ITERATED, abs=1e-12)
    test = result.pick("heterogeneity_q").iloc[0]
    assert [test["estimate"], test["statistic"], test["df"]] == pytest.approx([q, q, k - 1], rel=1e-12)
    assert test["p_value"] == pytest.approx(p, rel=1e-8)
    prediction = result.pick("prediction")
    assert len(prediction) == (k > 2)
    if k > 2:
        row = prediction.iloc[0]
        found = [row[name] for name in ("estimate", "conf_low", "conf_high", "df")]
        assert found == pytest.approx([estimate, far_low, far_high, k - 2], rel=ITERATED)


def test_weights_of_the_studies_are_those_of_metafor():
    weights = pool_studies(estimates(*CASES["four"][0])).pick("study_weight")
    percents = [32.1034207869394, 23.0615106591018, 26.8414502208092, 17.9936183331495]
    assert 100 * weights["estimate"].to_numpy() == pytest.approx(percents, rel=ITERATED)
    assert list(weights["group"]) == ["study00", "study01", "study02", "study03"]


def test_alphas_are_pooled_as_logs_of_their_complements():
    alphas = np.array([0.7, 0.8, 0.85])
    half = np.array([0.15, 0.1, 0.12])
    frame = estimates(alphas, [np.nan] * 3, quantity="alpha", term="", std_error=np.nan)
    frame = frame.assign(conf_low=1 - (1 - alphas) * np.exp(half), conf_high=1 - (1 - alphas) * np.exp(-half))
    result = pool_studies(frame, transform="log_complement")
    same = pool_studies(estimates(-np.log(1 - alphas), (half / 1.959963984540054) ** 2))
    row, reference = result.pick("pooled_estimate").iloc[0], same.pick("pooled_estimate").iloc[0]
    for name in ("estimate", "conf_low", "conf_high"):
        assert row[name] == pytest.approx(1 - np.exp(-reference[name]), rel=1e-10)
    assert np.isnan(row["std_error"])
    assert result.value("tau") == pytest.approx(same.value("tau"), rel=1e-10, abs=1e-12)


def test_each_number_is_pooled_by_itself_and_one_that_no_other_study_has_is_left_alone():
    speed = estimates([0.1, 0.3], [0.01, 0.02])
    price = estimates([0.5, 0.3, 0.4], [0.01, 0.02, 0.01], term="price")
    alone = estimates([0.9], [0.01], term="colour")
    result = pool_studies(pd.concat([speed, price, alone], ignore_index=True))
    assert list(result.pick("pooled_estimate")["term"]) == ["speed", "price"]
    assert result.value("pooled_estimate", term="speed") == pytest.approx(0.175, abs=1e-6)
    assert result.n_studies == 3
    assert result.n_used == 300
    finding = result.finding()
    assert (finding.values["n"], finding.values["n_studies"]) == (2, 3)
    assert [caution.key for caution in finding.cautions] == ["meta.few_studies"]


def test_a_study_without_error_and_interval_is_left_out_and_named():
    frame = estimates([0.1, 0.3, 0.7], [0.01, 0.02, np.nan])
    result = pool_studies(frame)
    assert result.value("pooled_estimate") == pytest.approx(0.175, abs=1e-6)
    left_out = next(caution for caution in result.cautions if caution.key == "meta.no_error")
    assert left_out.values["studies"] == ["study02"]


def test_ranks_are_certain_only_where_simultaneous_intervals_part():
    far = rank_studies(estimates([3.0, 1.0, 2.0], [1e-4] * 3)).pick("rank")
    assert far[["estimate", "conf_low", "conf_high"]].to_numpy().tolist() == [[1, 1, 1], [3, 3, 3], [2, 2, 2]]
    near = rank_studies(estimates([3.0, 1.0, 2.0], [1.0] * 3)).pick("rank")
    assert near[["estimate", "conf_low", "conf_high"]].to_numpy().tolist() == [[1, 1, 3], [3, 1, 3], [2, 1, 3]]
    half = rank_studies(estimates([3.0, 1.0, 1.1], [1e-2] * 3))
    assert half.pick("rank")[["conf_low", "conf_high"]].to_numpy().tolist() == [[1, 1], [2, 3], [2, 3]]
    assert half.finding().values == {"n": 1, "n_clear": 1}


def test_the_intervals_of_all_ranks_hold_together():
    """Klein et al. (2020): with K = 2 each interval has the level sqrt(.95), so 2.236 standard errors."""
    just_apart = rank_studies(estimates([2 * 2.2365, 0.0], [1.0, 1.0])).pick("rank")
    just_not = rank_studies(estimates([2 * 2.2355, 0.0], [1.0, 1.0])).pick("rank")
    assert list(just_apart["conf_high"]) == [1, 2]
    assert list(just_not["conf_high"]) == [2, 2]


def test_higher_alphas_rank_first():
    frame = estimates([0.7, 0.9], [np.nan] * 2, conf_low=[0.65, 0.88], conf_high=[0.74, 0.92], std_error=np.nan)
    assert list(rank_studies(frame, transform="log_complement").pick("rank")["estimate"]) == [2, 1]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (estimates([0.1, 0.2], [0.1, 0.1]).drop(columns="n"), "found no n"),
        (estimates([0.1, 0.2], [0.1, 0.1], study="same"), "found several of same for beta"),
        (estimates([0.1, 0.2], [0.1, 0.1], quantity=["beta", "coefficient"]), "must hold one quantity"),
        (estimates([0.1], [0.1]), "must be shared by two studies"),
        (estimates([0.1, 0.2], [0.1, np.nan]), "must be shared by two studies"),
    ],
)
def test_what_cannot_be_pooled_is_refused(frame, message):
    with pytest.raises(InputError, match=message):
        pool_studies(frame)
