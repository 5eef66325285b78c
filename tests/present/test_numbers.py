import math

import numpy as np
import pytest

from cxresearch.present.numbers import (
    decimals_for,
    write_as,
    write_interval,
    write_p,
    write_plain,
    write_share,
    writer_of,
)


@pytest.mark.parametrize(
    ("quantity", "column", "value", "written"),
    [
        ("alpha", [0.871, 0.7], 0.7, "0.70"),
        ("alpha", [0.871], 0.865, "0.86"),  # half to even in the last binary digit, as Python and R write it
        ("item_mean", [4.126], 4.126, "4.13"),
        ("item_mean", [4.126], 4.0, "4.00"),
        ("coefficient", [0.5, -0.12], -0.12, "−0.12"),
        ("coefficient", [0.5, -0.001], -0.001, "0.00"),
        ("importance_lmg", [0.0421, 0.013], 0.013, "0.013"),
        ("kruskal_h", [123.456], 123.456, "123.5"),
        ("bartlett_chi2", [2105.44], 2105.44, "2,105"),
        ("rows_used", [3204], 3204, "3,204"),
        ("group_count", [3], 3, "3"),
        ("group_share", [0.1234], 0.1234, "12.3%"),
        ("missing_share", [0.0], 0.0, "0.0%"),
        ("resolution_rate", [1.0], 1.0, "100.0%"),
        ("variance_explained", [0.4567], 0.4567, "45.7%"),
        ("weight_local", [0.5, 0.1666], 0.1666, "0.167"),
        ("consistency_ratio", [0.0376], 0.0376, "0.038"),
        ("item_median", [7.0, 7.5], 7.0, "7"),
        ("item_median", [7.0, 7.5], 7.5, "7.5"),
        ("rank", [10.0], 10.0, "10"),
        ("df", [245.0], 245.0, "245"),
        ("df", [12.345], 12.345, "12.3"),
        ("welch_df_denominator", [1688.04], 1688.04, "1,688"),
        ("welch_df_denominator", [23.987], 23.987, "24"),
        ("p_value", [0.5], 0.0314, ".031"),
        ("p_value", [0.5], 0.001, ".001"),
        ("p_value", [0.5], 0.00099, "< .001"),
        ("p_value", [0.5], 1.0, "1.000"),
        ("p_value", [0.5], 0.0, "< .001"),
    ],
)
def test_each_kind_of_number_has_its_form(quantity, column, value, written):
    assert writer_of(quantity, column)(value) == written


@pytest.mark.parametrize("quantity", ["alpha", "n", "group_share", "weight_local", "item_median", "df", "p_value"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_could_not_be_computed_is_a_dash(quantity, value):
    assert writer_of(quantity, [value])(value) == "–"


def test_a_column_shares_its_decimals_and_ignores_what_is_missing():
    assert decimals_for([0.004, math.nan, 250.0]) == 1
    assert decimals_for([math.nan]) == 2
    assert decimals_for([]) == 2
    assert decimals_for([0.0]) == 2


@pytest.mark.parametrize(
    ("low", "high", "written"), [(-0.1, 0.25, "[−0.10, 0.25]"), (math.nan, 0.2, ""), (0.1, math.nan, "")]
)
def test_an_interval_has_both_bounds_or_is_left_out(low, high, written):
    assert write_interval(low, high, writer_of("alpha", [0.2])) == written


def test_p_is_written_with_three_decimals_only():
    assert {len(write_p(value / 997).removeprefix("< ")) for value in range(997)} == {4}


def test_whole_numbers_keep_their_zeros():
    assert [write_plain(value, 2) for value in (100.0, 10.0, 0.0, 1000.0)] == ["100", "10", "0", "1,000"]


@pytest.mark.parametrize(
    ("value", "spec", "written"),
    [
        (-0.004, ".2f", "0.00"),
        (-0.0, ".2f", "0.00"),
        (-0.0, ".0%", "0%"),
        (-0.005, ".1%", "−0.5%"),
        (-12.0, ".0f", "−12"),
        (-0.25, "+.2f", "−0.25"),
        (0.25, "+.2f", "+0.25"),
        (1234, ",", "1,234"),
        (1234, "", "1,234"),
        (np.int64(-1234), "", "−1,234"),
        (1863.4, ".1f", "1,863.4"),
        (1234567.0, "+.0f", "+1,234,567"),
        (True, "", "True"),
        ("1234", "", "1234"),
        ("-0", "", "-0"),
    ],
)
def test_sentences_write_numbers_as_tables_do(value, spec, written):
    assert write_as(value, spec) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0.0%"), (1.0, "100.0%"), (0.0004, "0.04%"), (3e-6, "0.0003%"), (0.9997, "99.97%"), (0.05, "5.0%")],
)
def test_a_share_that_is_neither_none_nor_all_does_not_read_so(value, written):
    assert write_share(value) == written
    assert write_as(value, ".1%") == written


@pytest.mark.parametrize(
    ("quantity", "value", "interval", "written"),
    [
        ("item_mean", 3.6132, (3.6121, 3.6143), "3.613 [3.612, 3.614]"),
        ("item_mean", 3.6132, (3.6, 3.62), "3.61 [3.60, 3.62]"),
        ("item_mean", 4.0, (4.0, 4.0), "4.00 [4.00, 4.00]"),
        ("item_mean", 4.0, (4.0, 4.0 + 1e-12), "4.00 [4.00, 4.00]"),  # rounding, no width
        ("group_share", 0.29184, (0.29163, 0.29204), "29.18% [29.16%, 29.20%]"),
        ("construct_score", 4321.4, (4321.1, 4321.3), "4,321.4 [4,321.1, 4,321.3]"),
        ("weight_local", 0.21544, (0.21541, 0.21547), "0.2154 [0.2154, 0.2155]"),
        ("item_mean", 3.61, (math.nan, math.nan), "3.61 "),
    ],
)
def test_the_bounds_of_an_interval_never_read_alike(quantity, value, interval, written):
    write = writer_of(quantity, [value], [interval])
    assert f"{write(value)} {write_interval(*interval, write)}" == written


def test_one_interval_that_nothing_resolves_does_not_hide_the_others():
    write = writer_of("item_mean", [3.6, 4.0], [(3.6121, 3.6143), (4.0, 4.0 + 1e-12)])
    assert write_interval(3.6121, 3.6143, write) == "[3.612, 3.614]"
