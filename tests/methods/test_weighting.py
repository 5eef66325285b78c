"""The verb: groups, gaps, exclusions, intervals, records and findings."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.resampling import interval, resample_counts
from cxresearch.core.results import COLUMNS
from cxresearch.errors import InputError
from cxresearch.methods.weighting import weigh_experts

TREE = {"goal": ["speed", "price", "staff"], "price": ["fair", "clear"], "staff": ["only"]}
EXACT = 1e-10


def judged(expert, *, goal, price=2):
    """One expert: speed / price, speed / staff, price / staff; fair / clear."""
    pairs = [("speed", "price"), ("speed", "staff"), ("price", "staff")]
    rows = [(expert, "goal", left, right, said) for (left, right), said in zip(pairs, goal, strict=True)]
    return [*rows, (expert, "price", "fair", "clear", price)]


def table(*experts):
    rows = [row for expert in experts for row in expert]
    return pd.DataFrame(rows, columns=["expert", "parent", "left", "right", "judgement"])


THREE = table(
    judged("A", goal=(2, 4, 2)), judged("B", goal=(3, 3, 1), price=4), judged("C", goal=("1/2", "1/2", 2), price=3)
)
WITH_CIRCLE = table(judged("A", goal=(2, 4, 2)), judged("B", goal=(3, 3, 1)), judged("X", goal=(5, "1/5", 5)))
WITH_GAP = table(judged("A", goal=(2, 4, 2)), judged("G", goal=(2, "", 2)), judged("D", goal=(2, "", "")))


def group(result, quantity, term, how="main result"):
    return result.value(quantity, term=term, group="", method=how)


def test_weights_of_a_consistent_expert_over_all_levels():
    result = weigh_experts(THREE, TREE)
    alone = result.pick("weight_global", group="A").set_index("term")["estimate"]
    expected = {"speed": 4 / 7, "price": 2 / 7, "staff": 1 / 7, "fair": 4 / 21, "clear": 2 / 21, "only": 1 / 7}
    assert alone.to_dict() == pytest.approx(expected, abs=EXACT)
    assert result.value("consistency_ratio", scale="goal", group="A") == pytest.approx(0, abs=EXACT)
    assert result.value("lambda_max", scale="goal", group="A") == pytest.approx(3, abs=EXACT)
    assert result.goal == "goal"
    assert list(result.weights.index) == ["speed", "fair", "clear", "only"]
    assert result.weights.sum() == pytest.approx(1, abs=EXACT)


def test_aij_and_both_means_of_aip_written_out():
    result = weigh_experts(THREE, TREE)
    alone = result.pick("weight_local", scale="goal", method="one expert").pivot_table(
        index="group", columns="term", values="estimate"
    )
    geometric = np.exp(np.log(alone).mean())
    geometric /= geometric.sum()
    for term in TREE["goal"]:
        assert group(result, "weight_local", term, "aip; geometric") == pytest.approx(geometric[term], abs=EXACT)
        assert group(result, "weight_local", term, "aip; arithmetic") == pytest.approx(alone[term].mean(), abs=EXACT)
    speed_price, speed_staff, price_staff = 3 ** (1 / 3), 6 ** (1 / 3), 4 ** (1 / 3)
    means = np.array(
        [[1, speed_price, speed_staff], [1 / speed_price, 1, price_staff], [1 / speed_staff, 1 / price_staff, 1]]
    )
    weights = np.array([group(result, "weight_local", term, "aij") for term in TREE["goal"]])
    eigenvalue = result.value("lambda_max", scale="goal", group="")
    assert means @ weights == pytest.approx(eigenvalue * weights, abs=EXACT)
    index = (eigenvalue - 3) / 2
    assert result.value("consistency_index", scale="goal", group="") == pytest.approx(index, abs=EXACT)
    assert result.value("consistency_ratio", scale="goal", group="", method="saaty") == pytest.approx(
        index / 0.58, abs=EXACT
    )


def test_row_geometric_means_make_aij_and_aip_the_same_even_with_gaps():
    """Barzilai and Golany (1994): only geometric means do."""
    result = weigh_experts(WITH_GAP.iloc[:8], TREE, method="geometric_mean")
    for term in ("speed", "price", "staff", "fair"):
        both = [group(result, "weight_global", term, how) for how in ("aij", "aip; geometric")]
        assert both[0] == pytest.approx(both[1], abs=EXACT)


def test_experts_weights_count_like_repeated_experts():
    doubled = pd.concat([THREE, THREE[THREE["expert"] == "A"].assign(expert="A2")])
    for how in ("aij", "aip; geometric", "aip; arithmetic"):
        weighted = weigh_experts(THREE, TREE, expert_weights={"A": 2, "B": 1, "C": 1}, n_bootstrap=0)
        repeated = weigh_experts(doubled, TREE, n_bootstrap=0)
        ours, theirs = (group(result, "weight_global", "fair", how) for result in (weighted, repeated))
        assert ours == pytest.approx(theirs, abs=EXACT)
    only = weigh_experts(THREE, TREE, expert_weights={"A": 1, "B": 0, "C": 0})
    assert only.weights["speed"] == pytest.approx(4 / 7, abs=EXACT)
    assert (only.n_used, only.n_dropped) == (1, 2)


def test_gaps_are_estimated_and_marked_and_the_unconnected_are_left_out_and_named():
    result = weigh_experts(WITH_GAP, TREE)
    marked = result.pick("weight_local", scale="goal", group="G")
    assert set(marked["method"]) == {"eigenvector; one expert; harker 1987; 1 gap"}
    assert set(marked["n"]) == {2}  # judgements
    assert set(result.pick("weight_local", scale="staff", group="G")["n"]) == {0}
    assert marked.set_index("term")["estimate"].to_dict() == pytest.approx(
        {"speed": 4 / 7, "price": 2 / 7, "staff": 1 / 7}, abs=EXACT
    )
    assert len(result.pick("weight_local", scale="goal", group="D")) == 0
    assert len(result.pick("weight_global", scale="price", group="D")) == 0
    assert len(result.pick("weight_local", scale="price", group="D")) == 2
    assert set(result.pick("weight_local", scale="goal", method="main result")["n"]) == {2}
    assert set(result.pick("weight_local", scale="price", method="main result")["n"]) == {3}
    assert result.weights["speed"] == pytest.approx(4 / 7, abs=EXACT)
    cautions = {caution.key: caution.values for caution in result.finding().cautions}
    assert cautions["weighting.gaps"] == {"expert": "G", "pairs": ["speed - staff"], "n": 1}
    assert cautions["weighting.left_out"] == {"parent": "goal", "experts": ["D"]}
    assert cautions["weighting.unchecked"] == {"experts": ["G"]}
    assert cautions["weighting.all_consistent"]["n"] == 1  # A alone


def test_a_gap_shrinks_the_random_index():
    four = ["a", "b", "c", "d"]
    frame = pd.DataFrame(
        [[1, 2, 5, ""], ["1/2", 1, 4, 3], ["1/5", "1/4", 1, 2], ["", "1/3", "1/2", 1]],
        index=four,
        columns=four,
        dtype=object,
    )
    result = weigh_experts(frame)
    index = result.value("consistency_index", group="1")
    assert index > 0
    assert result.value("consistency_ratio", group="1") == pytest.approx(index / (0.90 * (1 - 2 / 6)), abs=EXACT)


def test_nobody_left_below_a_parent():
    frame = WITH_GAP[WITH_GAP["expert"] == "D"]
    with pytest.raises(InputError, match=r"no expert compares staff"):
        weigh_experts(frame, TREE)
    chain = table(judged("D", goal=(2, "", "")), judged("E", goal=("", "", 3)))
    with pytest.raises(InputError) as raised:
        weigh_experts(chain, TREE)
    said = str(raised.value)
    assert "found none below goal: D does not link speed, price | staff, E does not link speed | price, staff" in said
    assert "Ask for comparisons that link the criteria across each |." in said
    complete = pd.concat([chain, table(judged("A", goal=(2, 4, 2)))])
    with pytest.raises(InputError, match=r"E does not link speed \| price, staff, A has a weight of 0"):
        weigh_experts(complete, TREE, expert_weights={"D": 1, "E": 1, "A": 0})
    crowd = table(*[judged(f"D{number}", goal=(2, "", "")) for number in range(7)], judged("E", goal=("", "", 3)))
    with pytest.raises(InputError, match=r"D4 does not link speed, price \| staff, and 3 more\. Ask"):
        weigh_experts(crowd, TREE)


def test_a_tree_of_comparisons_has_no_consistency_ratio_and_is_not_counted_as_consistent():
    frame = table(judged("A", goal=(2, 4, 2)), judged("T", goal=(2, 4, "")), judged("X", goal=(5, "1/5", 5)))
    result = weigh_experts(frame, TREE)
    assert result.pick("consistency_ratio", scale="goal", method="one expert")["group"].tolist() == ["A", "X"]
    assert result.pick("lambda_max", scale="goal", method="one expert")["group"].tolist() == ["A", "T", "X"]
    assert result.value("consistency_ratio", scale="price", group="T") == 0  # two criteria: by definition
    cautions = {caution.key: caution.values for caution in result.finding().cautions}
    assert (cautions["weighting.some_inconsistent"]["n_consistent"], cautions["weighting.some_inconsistent"]["n"]) == (
        1,
        2,
    )
    assert cautions["weighting.some_inconsistent"]["experts"] == ["X"]
    assert cautions["weighting.unchecked"] == {"experts": ["T"]}
    drop = weigh_experts(frame, TREE, inconsistent="drop")
    assert set(drop.pick("weight_local", scale="goal", method="main result")["n"]) == {
        2
    }  # A and T: nothing breaks the rule


def test_where_all_are_trees_nothing_is_said_to_be_consistent():
    result = weigh_experts(table(judged("S", goal=(2, "", 3)), judged("T", goal=(2, 4, ""))), TREE)
    assert len(result.pick("consistency_ratio", scale="goal")) == 0  # not of the group either
    keys = [caution.key for caution in result.finding().cautions]
    assert "weighting.none_checked" in keys
    assert not {"weighting.all_consistent", "weighting.unchecked"} & set(keys)
    assert np.isfinite(result.table["estimate"]).all()


def test_inconsistent_experts_both_ways():
    keep, drop = (weigh_experts(WITH_CIRCLE, TREE, inconsistent=way) for way in ("keep", "drop"))
    assert keep.checks.loc[~keep.checks["consistent"], "expert"].tolist() == ["X"]
    for term in ("speed", "price", "staff", "fair"):
        for result, other in ((keep, drop), (drop, keep)):
            otherwise = group(result, "weight_global", term, "other treatment")
            assert otherwise == pytest.approx(group(other, "weight_global", term), abs=EXACT)
            assert result.value("weight_global", term=term) == group(
                result, "weight_global", term
            )  # of several, the main
    assert not keep.table.duplicated(["quantity", "scale", "term", "group", "method"]).any()
    assert keep.table["n"].notna().all()
    assert keep.pick("weight_local", method="other treatment")["method"].unique().tolist() == [
        "eigenvector; aij; experts together; inconsistent experts left out; other treatment"
    ]
    assert drop.pick("weight_local", method="main result")["method"].unique().tolist() == [
        "eigenvector; aij; experts together; inconsistent experts left out; main result"
    ]
    assert (
        len(weigh_experts(THREE, TREE).pick("weight_local", method="other treatment")) == 0
    )  # nobody to treat otherwise
    assert set(drop.pick("weight_local", scale="goal", method="main result")["n"]) == {2}
    assert set(drop.pick("weight_local", scale="price", method="main result")["n"]) == {
        3
    }  # only where X is inconsistent
    shift = max(
        abs(group(keep, "weight_global", t) - group(drop, "weight_global", t)) for t in ("speed", "price", "staff")
    )
    for result in (keep, drop):
        cautions = {caution.key: caution.values for caution in result.finding().cautions}
        assert cautions["weighting.some_inconsistent"]["experts"] == ["X"]
        assert cautions["weighting.some_inconsistent"]["n_consistent"] == 2
        [key] = [name for name in cautions if name.endswith("_order")]
        assert key.startswith(f"weighting.{result.inconsistent}")
        assert cautions[key]["shift"] >= shift - EXACT


def test_the_farthest_judgement_is_recorded_once_an_expert():
    four = ["a", "b", "c", "d"]
    consistent = np.array([8.0, 4, 2, 1])
    frame = pd.DataFrame(consistent[:, None] / consistent[None, :], index=four, columns=four)
    frame.loc["b", "d"], frame.loc["d", "b"] = 1 / 4, 4
    result = weigh_experts(frame)
    row = result.pick("judgement_deviation").iloc[0]
    assert (row["scale"], row["term"], row["group"]) == ("goal", "d - b", "1")
    check = result.checks.iloc[0]
    assert row["estimate"] == pytest.approx(check["judgement"] / check["suggested"], abs=EXACT)
    assert check["judgement"] == 4
    weights = result.weights
    assert check["suggested"] == pytest.approx(weights["d"] / weights["b"], abs=EXACT)


def test_nobody_consistent():
    result = weigh_experts(table(judged("X", goal=(5, "1/5", 5))), TREE)
    assert [caution.key for caution in result.finding().cautions][-1] == "weighting.nobody_consistent"
    assert len(result.pick("weight_global", scale="goal", method="other treatment")) == 0
    assert len(result.pick("weight_local", scale="price", method="other treatment")) == 2
    expected = r'are consistent; found none below goal: X has a consistency ratio of \d\.\d\d\..*`inconsistent="keep"`'
    with pytest.raises(InputError, match=expected):
        weigh_experts(table(judged("X", goal=(5, "1/5", 5))), TREE, inconsistent="drop")


def test_intervals_hold_the_estimate_follow_the_seed_and_shrink_to_nothing_where_all_agree():
    rng = np.random.default_rng(3)
    experts = [judged(f"E{n}", goal=rng.integers(1, 6, 3), price=3) for n in range(15)]
    first, again, other = (weigh_experts(table(*experts), TREE, seed=seed, n_bootstrap=500) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.table, again.table)
    rows = first.pick("weight_local", scale="goal", method="main result")
    assert (rows["conf_low"] < rows["estimate"]).all()
    assert (rows["estimate"] < rows["conf_high"]).all()
    assert (
        rows["conf_low"].to_numpy()
        != other.pick("weight_local", scale="goal", method="main result")["conf_low"].to_numpy()
    ).all()
    agreed = first.pick("weight_local", scale="price", method="main result")
    assert agreed["conf_low"].to_numpy() == pytest.approx(agreed["estimate"].to_numpy(), abs=EXACT)
    assert first.pick("weight_local", method="one expert")["conf_low"].isna().all()


def test_the_bootstrap_redoes_the_group_for_each_resample():
    """Against a plain loop over the same draws."""
    result = weigh_experts(THREE, TREE, n_bootstrap=8, seed=5)
    draws = np.concatenate([block for _, block in resample_counts(3, 8, seed=5, clustered=False)])
    replicates = []
    for counts in draws:
        weights = dict(zip("ABC", counts, strict=True))
        replicates.append(weigh_experts(THREE, TREE, expert_weights=weights, n_bootstrap=0).weights["fair"])
    row = result.pick("weight_global", term="fair", group="", method="main result").iloc[0]
    assert [row["conf_low"], row["conf_high"]] == pytest.approx(interval(np.array(replicates), n_units=3), abs=EXACT)


def test_one_expert_has_no_interval_and_no_consensus():
    result = weigh_experts(table(judged("A", goal=(2, 4, 2))), TREE)
    assert result.pick("weight_local", group="")["conf_low"].isna().all()
    assert len(result.pick("consensus")) == 0
    assert result.finding().key == "weighting.top_alone"
    assert len(weigh_experts(THREE, TREE).pick("consensus")) == 2


@pytest.mark.parametrize(("experts", "said"), [(2, True), (9, True), (10, False)])
def test_intervals_of_few_experts_are_said_to_be_rough(experts, said):
    frame = table(*[judged(f"E{number}", goal=(2 + number % 2, 4, 2)) for number in range(experts)])
    cautions = {
        caution.key: caution.values for caution in weigh_experts(frame, TREE, n_bootstrap=50).finding().cautions
    }
    assert ("weighting.few_experts" in cautions) == said
    if said:
        assert cautions["weighting.few_experts"] == {"n_experts": experts, "wanted": 10}
    without = weigh_experts(frame, TREE, n_bootstrap=0).finding()
    assert "weighting.few_experts" not in {caution.key for caution in without.cautions}


def test_the_finding_says_what_weighs_most():
    finding = weigh_experts(THREE, TREE).finding()
    assert finding.key == "weighting.top"
    assert finding.values["top"] == "speed"
    assert finding.values["n_experts"] == 3
    assert finding.cautions[0].values["leaf"] == "speed"
    assert finding.cautions[1].key == "weighting.all_consistent"


def test_records_have_the_columns_and_every_number_but_intervals():
    result = weigh_experts(THREE, TREE)
    assert tuple(result.records().columns) == COLUMNS
    assert np.isfinite(result.table["estimate"]).all()
    assert not result.table.duplicated(["quantity", "scale", "term", "group", "method"]).any()
    assert result.pick("consistency_ratio", method="saaty; one expert")["group"].tolist() == list("ABCABC")


def test_aggregation_chooses_the_main_result():
    for how, said in (("aij", "aij"), ("aip_geometric", "aip; geometric"), ("aip_arithmetic", "aip; arithmetic")):
        result = weigh_experts(THREE, TREE, aggregation=how, n_bootstrap=0)
        assert result.weights["fair"] == group(result, "weight_global", "fair", said)
        assert set(result.pick("weight_global", method="main result")["method"].str.contains(said)) == {True}


def test_the_input_is_not_changed():
    before = THREE.copy(deep=True)
    weigh_experts(THREE, TREE)
    pd.testing.assert_frame_equal(THREE, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "eigen"}, "`method` must be one of eigenvector, geometric_mean, column_mean; found 'eigen'"),
        ({"random_index": "dd"}, "`random_index` must be one of saaty, donegan_dodd, ahpsurvey; found 'dd'"),
        ({"aggregation": "aip"}, "`aggregation` must be one of aij, aip_geometric, aip_arithmetic; found 'aip'"),
        ({"inconsistent": "out"}, "`inconsistent` must be one of keep, drop; found 'out'"),
        ({"n_bootstrap": -5}, "`n_bootstrap` must be a whole number of 0 or more; found -5"),
        ({"expert_weights": {"A": 1, "B": -1}}, "found no weight for C; negative or no number for B"),
        ({"expert_weights": {"A": 1, "B": 1, "C": 1, "Z": 1}}, "found unknown Z"),
        ({"expert_weights": {"A": 0, "B": 0, "C": 0}}, "found only zeros"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InputError, match=message):
        weigh_experts(THREE, TREE, **options)


def test_two_hundred_experts_at_once_are_quick():
    rng = np.random.default_rng(0)
    names = [f"c{number}" for number in range(7)]
    left, right = np.triu_indices(7, 1)
    frame = pd.DataFrame(
        {
            "expert": np.repeat([f"E{number}" for number in range(200)], 21),
            "parent": "goal",
            "left": np.tile(np.array(names)[left], 200),
            "right": np.tile(np.array(names)[right], 200),
            "judgement": rng.integers(1, 10, 200 * 21),
        }
    )
    result = weigh_experts(frame, {"goal": names}, n_bootstrap=500)
    assert result.n_used == 200
    assert len(result.pick("consistency_ratio")) == 201
