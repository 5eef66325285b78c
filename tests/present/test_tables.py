import numpy as np
import pandas as pd
import pytest

from cxresearch.core.results import View, gather, tidy
from cxresearch.present.tables import lay_out, select
from cxresearch.present.text import Text, catalogue

EN = Text(
    "en",
    {"speed": "Speed", "price": "Price & fees", "spd1": "spd1 · Quick", "company=1": "Cedar", "company=2": "Birch"},
)
pytestmark = pytest.mark.usefixtures("words")


def laid_out(example, view, text=EN):
    return lay_out(example.table, example.views[view], view, text)


def test_quantities_side_by_side_with_intervals(example):
    layout = laid_out(example, "example.scales")
    assert layout.title == "Title of example.scales"
    assert layout.header == ("Scale", "Alpha", "Omega")
    assert layout.rows == (
        ("Speed", "0.87 [0.85, 0.89]", "0.88 [0.86, 0.90]"),
        ("Price & fees", "0.70 [0.66, 0.74]", "–"),
    )
    assert layout.notes == ("n = 250.", "In brackets: 95% confidence interval.")


def test_numbers_of_one_quantity_side_by_side(example):
    layout = laid_out(example, "example.tests")
    assert layout.header[2:] == ("Std. error", "95% interval", "Statistic", "df", "p")
    assert layout.rows[0] == ("Speed", "0.50", "0.04", "[0.42, 0.58]", "12.50", "245", "< .001")
    assert layout.rows[1] == ("Price & fees", "0.00", "0.05", "[−0.10, 0.10]", "−0.02", "245", ".984")
    assert layout.notes[-1] == f"Method: {EN.label('ols')}; {EN.label('hc3')}."


def test_a_matrix_leaves_cells_empty_that_it_does_not_have(example):
    layout = laid_out(example, "example.matrix")
    assert layout.header == ("Item", "F1", "F2")
    assert layout.rows == (("spd1 · Quick", "0.50", ""), ("fee1", "−0.10", "0.80"))


def test_the_csv_keeps_every_digit_and_the_bounds(example):
    exact = laid_out(example, "example.scales").exact
    assert list(exact.columns) == [
        "Scale",
        "Alpha",
        "Alpha (lower bound)",
        "Alpha (upper bound)",
        "Omega",
        "Omega (lower bound)",
        "Omega (upper bound)",
    ]
    assert exact["Alpha"].tolist() == [0.8712, 0.7]
    assert np.isnan(exact.loc[1, "Omega"])


def test_chinese_words_and_notes(example):
    layout = laid_out(example, "example.scales", Text("zh", {"speed": "速度"}))
    assert layout.header == ("量表", "α 系数", "ω 系数")
    assert layout.rows[0][0] == "速度"
    assert layout.notes == ("n = 250。", "方括号内为 95% 置信区间。")


def test_plain_text_lines_up_chinese_letters(example):
    lines = str(laid_out(example, "example.scales", Text("zh", {"speed": "速度", "price": "price"}))).splitlines()
    assert lines[3].startswith("速度   0.87") == lines[4].startswith("price  0.70")


def test_methods_of_one_quantity_become_columns():
    rows = [
        tidy("correlation", [0.5], scale="drivers", term="speed", method=f"{kind}; weighted")
        for kind in ("pearson", "spearman")
    ]
    layout = lay_out(gather(rows), View(("correlation",), rows=("term",)), "example.scales", EN)
    assert [name.rpartition(" · ")[2] for name in layout.header[1:]] == [EN.label("pearson"), EN.label("spearman")]


def test_words_of_the_method_choose_whole_words():
    table = gather(
        [tidy("item_mean", [1.0], term="a", method="weighted"), tidy("item_mean", [2.0], term="a", method="unweighted")]
    )
    for method, found in [("weighted", [1.0]), ("-weighted", [2.0]), ("-unweighted", [1.0]), ("", [1.0, 2.0])]:
        assert select(table, View(("item_mean",), rows=("term",), method=method))["estimate"].tolist() == found


def test_groups_are_called_by_their_labels():
    shares = tidy("group_share", [0.4, 0.6], term="company", group=["1", "2"])
    layout = lay_out(shares, View(("group_share",), rows=("term", "group")), "example.scales", EN)
    assert [row[1] for row in layout.rows] == ["Cedar", "Birch"]
    means = tidy("group_mean", [3.0, 4.0], scale="satisfaction", group=["1", "2"], method="means; by company")
    layout = lay_out(means, View(("group_mean",), rows=("group",)), "example.scales", EN)
    assert [row[0] for row in layout.rows] == ["Cedar", "Birch"]


def test_a_count_column_only_where_lines_differ():
    table = tidy("item_mean", [1.0, 2.0], term=["a", "b"], n=[10, 1200])
    layout = lay_out(table, View(("item_mean",), rows=("term",)), "example.scales", EN)
    assert layout.header[-1] == "n"
    assert [row[-1] for row in layout.rows] == ["10", "1,200"]
    assert layout.notes == ()


def test_counts_that_differ_within_a_line_are_told_below():
    table = gather([tidy("alpha", [0.5], scale="speed", n=10), tidy("omega_total", [0.6], scale="speed", n=9)])
    layout = lay_out(table, View(("alpha", "omega_total")), "example.scales", EN)
    assert layout.notes == ("n = 9 to 10.",)


def test_without_keys_quantities_stand_below_each_other():
    table = gather([tidy("kmo", [0.8812]), tidy("bartlett_chi2", [2105.4])])
    layout = lay_out(table, View(("kmo", "bartlett_chi2"), rows=()), "example.scales", EN)
    assert [row[1] for row in layout.rows] == ["0.88", "2,105"]


def test_a_method_of_one_quantity_is_told_of_it_alone():
    table = gather([tidy("alpha", [0.5], scale="speed"), tidy("omega_total", [0.6], scale="speed", method="ml")])
    assert lay_out(table, View(("alpha", "omega_total")), "example.scales", EN).notes == (f"Omega: {EN.method('ml')}.",)


def test_numeric_codes_stand_in_their_order():
    table = tidy("item_share", [0.1, 0.2, 0.7], term="q1", group=["10", "2", "1"])
    layout = lay_out(table, View(("item_share",), rows=("term",), columns="group"), "example.scales", EN)
    assert layout.header[1:] == ("1", "2", "10")


def test_a_view_that_finds_nothing_says_so():
    layout = lay_out(tidy("kmo", [0.8]), View(("alpha",)), "example.scales", EN)
    assert layout.rows == ()
    assert layout.html() == ""
    assert str(layout) == "Title of example.scales\n\nThis study has nothing to show here."


def test_two_numbers_for_one_cell_are_an_error():
    table = tidy("alpha", [0.5, 0.6], scale="speed", term=["a", "b"])
    with pytest.raises(ValueError, match=r"several numbers for alpha of \('speed',\)"):
        lay_out(table, View(("alpha",)), "example.scales", EN)


def test_html_escapes_labels_and_joins_repeated_ones():
    table = tidy("item_mean", [1.0, 2.0, 3.0], scale=["price", "price", "speed"], term=["a<b", "c", "a<b"])
    html = lay_out(table, View(("item_mean",), rows=("scale", "term")), "example.scales", EN).html()
    assert html.count("Price &amp; fees") == 1
    assert 'rowspan="2"' in html
    assert "a<b" not in html
    assert html.count("a&lt;b") == 2


def test_the_table_of_a_result_is_left_as_it_was(example):
    before = example.table.copy()
    laid_out(example, "example.tests")
    pd.testing.assert_frame_equal(example.table, before)


def test_methods_are_told_once_for_the_quantities_that_share_them():
    parts = [tidy(name, [0.5], term="a", method="ml") for name in ("alpha", "omega_total")]
    table = gather([*parts, tidy("kmo", [0.9], term="a")])
    layout = lay_out(table, View(("kmo", "alpha", "omega_total"), rows=("term",)), "example.scales", EN)
    assert layout.notes == (f"Alpha, Omega: {EN.method('ml')}.",)


def test_a_statistic_that_is_the_estimate_is_not_repeated():
    table = tidy("bartlett_chi2", [2869.4], statistic=2869.4, df=276, p_value=0.0)
    layout = lay_out(table, View(("bartlett_chi2",), rows=(), columns="numbers"), "example.scales", EN)
    assert layout.rows[0][1:] == ("2,869", "276", "< .001")


def test_a_count_column_serves_all_quantities_of_a_line():
    parts = [tidy(name, [0.5, 0.6], term=["a", "b"], n=[10, 20]) for name in ("alpha", "omega_total")]
    layout = lay_out(gather(parts), View(("alpha", "omega_total"), rows=("term",)), "example.scales", EN)
    assert layout.rows == (("a", "0.50", "0.50", "10"), ("b", "0.60", "0.60", "20"))


def test_categories_are_called_by_their_names(monkeypatch):
    monkeypatch.setitem(catalogue()["codes"], "quadrant.2", {"en": "keep up", "zh": "保持"})
    table = tidy("quadrant", [2.0, np.nan], term=["a", "b"])
    layout = lay_out(table, View(("quadrant",), rows=("term",)), "example.scales", EN)
    assert [row[1] for row in layout.rows] == ["keep up", "–"]
    assert layout.exact.iloc[:, 1].tolist() == ["keep up", "–"]


def test_files_hold_counts_as_integers_and_numbers_at_full_precision():
    parts = [
        tidy("group_count", [302.0, 7.0], group=["a", "b"]),
        tidy("group_share", [1 / 3, 2 / 3], group=["a", "b"], n=[302, 7]),
    ]
    exact = lay_out(gather(parts), View(("group_count", "group_share"), rows=("group",)), "example.scales", EN).exact
    assert exact.to_csv(index=False).splitlines()[1:] == ["a,302,0.3333333333333333", "b,7,0.6666666666666666"]
    sized = tidy("alpha", [0.5, 0.25], scale=["a", "b"], n=[20, 30])
    lines = lay_out(sized, View(("alpha",)), "example.scales", EN).exact.to_csv(index=False).splitlines()
    assert lines[1:] == ["a,0.5,20", "b,0.25,30"]
    weighted = tidy("group_count", [302.5, np.nan], group=["a", "b"])
    lines = (
        lay_out(weighted, View(("group_count",), rows=("group",)), "example.scales", EN)
        .exact.to_csv(index=False)
        .splitlines()
    )
    assert lines[1:] == ["a,302.5", "b,"]


def test_the_grouping_column_of_a_method_is_called_by_its_label():
    table = tidy("group_mean", [1.0], group="1", method="weighted; by company")
    layout = lay_out(
        table, View(("group_mean",), rows=("group",)), "example.scales", Text("en", {"company": "Company"})
    )
    assert layout.notes == ("Method: weighted; by Company.",)


def test_an_item_in_a_table_by_groups_is_called_by_its_own_label():
    labels = {"q1": "Quick", "company=1": "Cedar", "company=2": "Birch"}
    method = "by company"
    table = gather([tidy("change", [0.1], term=term, group="2", method=method) for term in ("q1", "1 - 2")])
    layout = lay_out(table, View(("change",), rows=("term", "group")), "example.scales", Text("en", labels))
    assert [row[:2] for row in layout.rows] == [("Quick", "Birch"), ("Cedar – Birch", "Birch")]
