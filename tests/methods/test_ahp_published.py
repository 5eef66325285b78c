"""Weights and consistency against published examples; sources in tests/reference/ahp."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxresearch.methods.ahp_matrix import RANDOM_INDEX
from cxresearch.methods.weighting import weigh_experts

FOLDER = Path(__file__).parent.parent / "reference" / "ahp"
EXPECTED = pd.read_csv(FOLDER / "expected.csv", dtype=str, keep_default_na=False)
GROUPS = json.loads((FOLDER / "groups.json").read_text(encoding="utf-8"))
ALTERNATIVES = ["Accord Sedan", "Accord Hybrid", "Pilot", "CR-V", "Element", "Odyssey"]
CAR = {
    "goal": ["Cost", "Safety", "Style", "Capacity"],
    "Cost": ["Price", "Fuel", "Maintenance", "Resale"],
    "Capacity": ["Passenger", "Cargo"],
    **dict.fromkeys(["Safety", "Style", "Price", "Fuel", "Maintenance", "Resale", "Passenger", "Cargo"], ALTERNATIVES),
}
CITY = ["cult", "fam", "house", "jobs", "trans"]


def matrix(name):
    return pd.read_csv(FOLDER / f"{name}.csv", index_col=0)


def long_form(frame, parent, expert="1"):
    long = frame.rename_axis("left").reset_index().melt("left", var_name="right", value_name="judgement")
    return long.assign(parent=parent, expert=expert)


def within_printed(ours, printed):
    """Half a unit of the last printed digit."""
    decimals = len(printed.partition(".")[2])
    return abs(ours - float(printed)) <= 0.5 * 10**-decimals + 1e-12


@pytest.fixture(scope="module")
def results():
    tables = {(row["matrix"], row["random_index"] or "saaty") for row in EXPECTED.to_dict("records")}
    return {key: weigh_experts(matrix(key[0]), random_index=key[1]) for key in tables}


@pytest.mark.parametrize("row", EXPECTED.to_dict("records"), ids=lambda row: "-".join(list(row.values())[:3]))
def test_published_matrix(row, results):
    result = results[row["matrix"], row["random_index"] or "saaty"]
    ours = result.value(row["quantity"], group="1", term=row["term"], method=row["random_index"])
    assert within_printed(ours, row["printed"])
    alone = result.value(row["quantity"], group="", term=row["term"], method="aij")
    assert alone == pytest.approx(ours, abs=1e-12)  # the group of one is that one


def test_the_car_style_matrix_breaks_the_rule_and_is_named():
    result = weigh_experts(matrix("car_alt_style"), random_index="donegan_dodd")
    assert result.finding().cautions[0].key == "weighting.some_inconsistent"
    assert not result.checks["consistent"].any()


def test_the_whole_car_hierarchy():
    parts = [("car_criteria", "goal"), ("car_cost_subcriteria", "Cost")]
    parts += [(f"car_alt_{name.lower()}", name) for name in CAR if name not in ("goal", "Cost", "Capacity")]
    capacity = pd.DataFrame([[1, 5], ["1/5", 1]], index=CAR["Capacity"], columns=CAR["Capacity"], dtype=object)
    frames = [long_form(matrix(name), parent) for name, parent in parts] + [long_form(capacity, "Capacity")]
    result = weigh_experts(pd.concat(frames), CAR)
    for example in ("car_total", "car_total_6"):
        assert all(within_printed(result.weights[name], said) for name, said in GROUPS[example]["printed"].items())
    assert result.weights.sum() == pytest.approx(1, abs=1e-12)
    shares = result.pick("weight_local", scale="Capacity", group="1").set_index("term")["estimate"]
    assert shares.to_dict() == pytest.approx({"Passenger": 5 / 6, "Cargo": 1 / 6}, abs=1e-12)
    received = result.pick("weight_global", term="Pilot", group="", method="main result").set_index("scale")["estimate"]
    assert received["goal"] == pytest.approx(received.drop("goal").sum(), abs=1e-12)


def test_the_pair_that_saaty_finds_and_what_harker_puts_in_its_place():
    house = matrix("house_saaty2003")
    checks = weigh_experts(house).checks.iloc[0]
    assert (checks["left"], checks["right"], checks["judgement"]) == ("nbrhd", "cond", 6)
    open_pair = house.astype(object)
    open_pair.loc["nbrhd", "cond"] = open_pair.loc["cond", "nbrhd"] = ""
    result = weigh_experts(open_pair)
    assert result.checks["gaps"].iloc[0] == ("nbrhd - cond",)
    assert within_printed(result.weights["nbrhd"] / result.weights["cond"], GROUPS["house_nbrhd_cond"]["printed"])


@pytest.fixture(scope="module")
def city():
    """200 simulated respondents; a negative number means that the left one is preferred."""
    wide = pd.read_csv(FOLDER / "city200_simulated.csv")
    wide.index = [f"P{number}" for number in range(1, 201)]
    long = wide.rename_axis("expert").reset_index().melt("expert", var_name="pair", value_name="said")
    long[["left", "right"]] = long["pair"].str.split("_", expand=True)
    long["judgement"] = np.where(long["said"] < 0, -long["said"], 1 / long["said"].astype(float))
    return long.assign(parent="goal")[["expert", "parent", "left", "right", "judgement"]]


def test_group_of_200_by_arithmetic_means_of_column_means(city):
    result = weigh_experts(city, {"goal": CITY}, method="column_mean", aggregation="aip_arithmetic", n_bootstrap=0)
    assert all(
        within_printed(result.weights[name], said) for name, said in GROUPS["city200"]["aggpref_arithmetic"].items()
    )
    alone = result.pick("weight_local", method="one expert").groupby("term")["estimate"].std()
    assert all(within_printed(alone[name], said) for name, said in GROUPS["city200"]["sd"].items())


def test_group_of_200_by_geometric_means_of_eigenvectors(city):
    """The source does not rescale its geometric means (they sum to .987): compare after rescaling, sum of five digits."""
    result = weigh_experts(city, {"goal": CITY}, aggregation="aip_geometric", n_bootstrap=0)
    printed = {name: float(said) for name, said in GROUPS["city200"]["aggpref_eigen"].items()}
    alone = result.pick("weight_local", method="one expert")
    unscaled = np.exp(np.log(alone["estimate"]).groupby(alone["term"]).mean())
    assert all(within_printed(unscaled[name], said) for name, said in GROUPS["city200"]["aggpref_eigen"].items())
    total = sum(printed.values())
    assert result.weights.to_dict() == pytest.approx({k: v / total for k, v in printed.items()}, abs=1e-4)


def test_group_of_200_by_judgements(city):
    result = weigh_experts(city, {"goal": CITY}, n_bootstrap=0)
    logs = np.log(city["judgement"]).groupby([city["left"], city["right"]]).mean()
    said = GROUPS["city200"]["aggjudge_geometric"]
    assert all(within_printed(np.exp(logs[tuple(pair.split("/"))]), printed) for pair, printed in said.items())
    means = pd.DataFrame(1.0, index=CITY, columns=CITY)
    for (left, right), log in logs.items():
        means.loc[left, right], means.loc[right, left] = np.exp(log), np.exp(-log)
    values, vectors = np.linalg.eig(means.to_numpy())
    principal = np.abs(vectors[:, values.real.argmax()].real)
    assert result.weights.to_numpy() == pytest.approx(principal / principal.sum(), abs=1e-12)
    group = result.value("lambda_max", scale="goal", group="")
    assert group == pytest.approx(values.real.max(), abs=1e-12)


def test_group_of_200_consistent_by_the_table_of_ahpsurvey(city):
    result = weigh_experts(city, {"goal": CITY}, random_index="ahpsurvey", n_bootstrap=0)
    assert result.checks["consistent"].sum() == GROUPS["city200"]["n_CR_le_0_1"]
    assert (~result.checks["consistent"]).sum() == GROUPS["city200"]["n_CR_gt_0_1"]
    assert RANDOM_INDEX["ahpsurvey"][2] == pytest.approx(1.11, abs=0.005)
