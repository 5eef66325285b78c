"""Row filters: what they keep, and what they say of mistakes."""

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxresearch.errors import InputError
from cxresearch.study.filters import parse

FRAME = pd.DataFrame(
    {
        "age": [17.0, 18, 35, 64, None],
        "region": ["North", "South", None, "East", "North"],
        "code": ["1", "2", "01", "NA", "3"],
        "nb.repeat": [1, 2, 3, 2, 1],
        "home town": ["Lima", "Quito", "Lima", "O'Higgins", 'say "x"'],
        "城市": ["北京", "上海", "北京", "广州", "北京"],
        "day": pd.to_datetime(["2026-01-01", "2026-02-01", None, "2026-03-01", "2026-02-01"]),
        "score": [1.0, 18, 40, 64, 5],
    },
    index=[10, 20, 30, 40, 50],
)


def kept(text):
    mask = parse(text).mask(FRAME)
    assert mask.index.equals(FRAME.index)
    assert mask.dtype == bool
    return [row // 10 - 1 for row in FRAME.index[mask]]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("age >= 18", [1, 2, 3]),
        ("age > 18", [2, 3]),
        ("age<18", [0]),
        ("age <= 18.0", [0, 1]),
        ("18 <= age", [1, 2, 3]),
        ("age == 35", [2]),
        ("age != 35", [0, 1, 3]),
        ("age > -5", [0, 1, 2, 3]),
        ("age == 3.5e1", [2]),
        ("age == score", [1, 3]),
        ("region == 'North'", [0, 4]),
        ('region == " North "', [0, 4]),
        ("'North' == region", [0, 4]),
        ("region != 'North'", [1, 3]),
        ("region > 'F'", [0, 1, 4]),
        ("region in ('North', 'East')", [0, 3, 4]),
        ("region not in ('North', 'East')", [1]),
        ("age in (17, 64)", [0, 3]),
        ("age in ('17', 'x')", [0]),
        ("code == 1", [0]),
        ("code in (1, 'NA')", [0, 3]),
        ("nb.repeat == 2", [1, 3]),
        ("`home town` == 'Lima'", [0, 2]),
        ('`home town` == "O\'Higgins"', [3]),
        ("`home town` == 'say \"x\"'", [4]),
        ("城市 == '北京'", [0, 2, 4]),
        ("day >= '2026-02-01'", [1, 3, 4]),
        ("not age >= 18", [0]),
        ("not (region == 'North')", [1, 3]),
        ("not not age >= 18", [1, 2, 3]),
        ("age >= 18 and region == 'South'", [1]),
        ("age < 18 or region == 'East'", [0, 3]),
        ("age < 18 or region == 'East' and score > 100", [0]),
        ("(age < 18 or region == 'East') and score > 50", [3]),
        ("age >= 18 AND NOT region IN ('East')", [1]),
        ("age>=18 and region=='South'", [1]),
        ("age > 30 or region == 'North'", [0, 2, 3, 4]),
        ("age > 100 or region == 'West'", []),
    ],
)
def test_rows_kept(text, rows):
    assert kept(text) == rows


def test_unknown_is_neither_true_nor_false():
    """Rows where a value is missing are kept neither by a condition nor by its opposite (row 2 has no region)."""
    assert sorted(kept("region == 'North'") + kept("not region == 'North'")) == [0, 1, 3, 4]
    assert kept("region == 'North' or age == 35") == [0, 2, 4]  # true or unknown is true
    assert kept("not (region == 'North' and age == 0)") == [0, 1, 2, 3]  # false and unknown is false


def test_columns_are_listed_once_in_order():
    assert parse("b > 1 and (`a a` == 'x' or b < 0) and not c in (1, 2)").columns == ("b", "a a", "c")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("age = 18", r"needs a comparison .* after 'age'; found '='. Write == to compare"),
        ("age >=", "needs a column, a number or a text in quotation marks after 'age >='; found the end"),
        ("age >= 18 and", "needs a column, .* found the end"),
        ("age >= 18 region == 'x'", "needs `and`, `or` or the end after 'age >= 18'; found 'region'"),
        ("(age >= 18", r"needs '\)' after"),
        ("age in 18", r"needs '\(' after 'age in'; found '18'"),
        ("age in ()", "needs a number or a text in quotation marks"),
        ("age in (region)", "needs a number or a text in quotation marks"),
        ("age not 5", "needs 'in' after 'age not'; found '5'"),
        ("region == 'North", "found '''"),
        ("age", "needs a comparison"),
        ("", "needs a column"),
        ("1 < 2", "must name a column; found 1.0 < 2.0"),
        ("__import__('os').system('ls')", r"needs a comparison .* found '\('"),
        ("age >= 18; age", "found ';'"),
    ],
)
def test_mistakes_are_shown_at_their_place(text, said):
    with pytest.raises(InputError, match=said):
        parse(text)


def test_an_unknown_column_is_suggested():
    with pytest.raises(InputError, match=r"found no column regio\. Did you mean 'region'"):
        parse("regio == 'North'").mask(FRAME)
    with pytest.raises(InputError, match=r"found no column North\. A text to compare with needs quotation marks"):
        parse("region == North").mask(FRAME)


def test_numbers_and_words_have_no_order():
    with pytest.raises(InputError, match=r"`<` needs two numbers or two texts; .*code"):
        parse("code < 5").mask(FRAME)
    with pytest.raises(InputError, match="a date must be compared with a date; found 'soon'"):
        parse("day > 'soon'").mask(FRAME)


def test_an_empty_table_has_an_empty_mask():
    assert parse("age > 1").mask(FRAME.iloc[:0]).empty


_MIXED = pd.DataFrame({
    "age": [17.0, 18.0, np.nan, 40.0, 2.5],
    "sex": [1, 2, 2, 1, 3],
    "town": ["Lima", " Quito ", None, "", "lima"],
    "code": ["1", "2", "3", "4", "5"],
    "valid": [True, False, True, False, True],
    "day": pd.to_datetime(["2026-01-01", "2026-02-01", None, "2026-03-01", "2026-04-01"]),
})  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "age >= 18",
        "not age >= 18",
        "age >= 18 and town == 'Lima' or sex in (1, 3)",
        "sex not in (1, '2')",
        "town != 'Lima'",
        "not (town == 'Quito' or age < 18)",
        "sex == '1'",
        "age == '2.5'",
        "code == 2",
        "code != '2'",
        "age < sex",
        "valid == 'true'",
        "day >= '2026-02-01'",
        "day == '2026-03-01'",
        "town in ('Lima', 'Quito')",
    ],
)
def test_a_table_that_is_not_in_memory_keeps_the_same_rows(text):
    numbered = _MIXED.assign(row=range(len(_MIXED)))
    relation = nw.from_native(duckdb.from_arrow(pa.Table.from_pandas(numbered, preserve_index=False)))
    kept = relation.filter(parse(text).expression(relation.collect_schema())).select("row").collect()
    blank_is_missing = _MIXED.assign(town=_MIXED["town"].str.strip().replace("", None))  # as tables are read
    assert sorted(kept["row"].to_list()) == np.flatnonzero(parse(text).mask(blank_is_missing)).tolist()


def test_words_and_numbers_have_no_order_in_a_table_either():
    schema = nw.Schema({"age": nw.Float64(), "town": nw.String()})
    with pytest.raises(InputError, match="`<` needs two numbers or two texts; found number"):
        parse("age < 'old'").expression(schema)
    with pytest.raises(InputError, match=r"found no column agee\. Did you mean 'age'"):
        parse("agee < 3").expression(schema)
