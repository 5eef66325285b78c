"""Every kind of file gives the same table; every fault a message to act on."""

import gzip
from decimal import Decimal

import pandas as pd
import pyreadstat
import pytest

from cxresearch.errors import InputError
from cxresearch.study.codes import as_codes
from cxresearch.study.encoding import find_encoding
from cxresearch.study.tables import column_names, read_table

FRAME = pd.DataFrame({"编号": [1, 2, 3], "overall rating": [4.0, None, 5.0], "company": ["Cedar", "NA", None]})
CSV = "编号,overall rating,company\n1,4,Cedar\n2,,NA\n3,5,\n"

WRITERS = {
    "t.csv": lambda path: path.write_text(CSV, encoding="utf-8"),
    "t.tsv": lambda path: path.write_text(CSV.replace(",", "\t"), encoding="utf-8"),
    "t.csv.gz": lambda path: path.write_bytes(gzip.compress(CSV.encode())),
    "t.tsv.gz": lambda path: path.write_bytes(gzip.compress(CSV.replace(",", "\t").encode())),
    "t.xlsx": lambda path: FRAME.to_excel(path, index=False, engine="xlsxwriter"),
    "t.parquet": lambda path: FRAME.to_parquet(path),
    "t.sav": lambda path: pyreadstat.write_sav(FRAME.rename(columns={"overall rating": "overall_rating"}), str(path)),
    "t.dta": lambda path: pyreadstat.write_dta(
        FRAME.rename(columns={"overall rating": "overall_rating", "编号": "number"}), str(path), version=15
    ),
}


@pytest.fixture(params=WRITERS)
def written(request, tmp_path):
    WRITERS[request.param](tmp_path / request.param)
    return request.param


def test_each_kind_of_file_gives_the_same_table(written, tmp_path):
    table = read_table(written, folder=tmp_path)
    frame = table.frame
    assert list(frame.index) == [0, 1, 2]
    assert frame.iloc[:, 0].tolist() == [1, 2, 3]
    assert frame.iloc[:, 1].tolist()[::2] == [4, 5]
    assert frame.iloc[:, 1].isna().tolist() == [False, True, False]
    assert frame.iloc[:, 2].tolist()[:2] == ["Cedar", "NA"]
    assert pd.isna(frame.iloc[2, 2])
    assert [pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes] == [True, True, False]
    assert table.paths == (tmp_path / written,)


def test_decimals_of_a_database_are_numbers(tmp_path):
    cells = [Decimal("4.00"), None, Decimal("4.50")]
    pd.DataFrame({"rating": cells, "visits": map(Decimal, "123")}).to_parquet(tmp_path / "t.parquet")
    frame = read_table("t.parquet", folder=tmp_path).frame
    assert frame["rating"].tolist()[::2] == [4.0, 4.5]
    assert [str(kind) for kind in frame.dtypes] == ["float64", "int64"]


def test_names_are_known_without_the_rows(written, tmp_path):
    assert column_names(written, folder=tmp_path) == list(read_table(written, folder=tmp_path).frame.columns)


def test_text_files_name_their_encoding_and_binary_ones_have_none(written, tmp_path):
    is_text = ".csv" in written or ".tsv" in written
    assert read_table(written, folder=tmp_path).encoding == ("utf-8" if is_text else "")


CHINESE = "编号,满意度,意见\n" + "".join(f"{i},{i % 5 + 1},服务态度很好，送货也快\n" for i in range(5))
KOREAN = "번호,만족도,의견\n" + "".join(f"{i},{i % 5 + 1},배송이 빠르고 직원이 친절합니다\n" for i in range(5))
FRENCH = "numéro,satisfaction,commentaire\n" + "".join(f"{i},{i % 5 + 1},très bon délai à Orléans\n" for i in range(5))


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (CHINESE, "gb18030", "gb18030"),
        (CHINESE, "gbk", "gb18030"),
        ("编号,满意\n1,一般\n", "gb18030", "gb18030"),
        (KOREAN, "cp949", "cp949"),
        (FRENCH, "latin_1", "latin_1"),
        (CHINESE, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8-sig"),
        (CHINESE, "utf-16", "utf-16"),
        (CHINESE, "utf-16-le", "utf-16-le"),
        (CHINESE, "utf-16-be", "utf-16-be"),
        (CHINESE, "utf-32", "utf-32"),
        ("id,q1\n1,5\n", "ascii", "utf-8"),
    ],
)
def test_encodings_are_found_and_reported(text, encoding, found, tmp_path):
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    table = read_table("t.csv", folder=tmp_path)
    header, first = text.splitlines()[:2]
    assert table.encoding == found
    assert list(table.frame.columns) == header.split(",") == column_names("t.csv", folder=tmp_path)
    assert as_codes(table.frame.iloc[0]).tolist() == first.split(",")


def test_the_encoding_of_a_long_file_shows_late(tmp_path):
    text = "id,comment\n" + "1,good\n" * 40_000 + "2,非常满意\n"
    (tmp_path / "t.csv").write_bytes(text.encode("gb18030"))
    assert read_table("t.csv", folder=tmp_path).frame["comment"].iloc[-1] == "非常满意"


def test_any_bytes_are_latin_1_at_last():
    assert find_encoding(b"caf\xe9") == "latin_1"


def test_a_forced_encoding_overrules(tmp_path):
    (tmp_path / "t.csv").write_bytes(FRENCH.encode("latin_1"))
    assert "numйro" in read_table("t.csv", folder=tmp_path, encoding="cp1251").frame.columns


@pytest.mark.parametrize("read", [read_table, column_names])
def test_a_wrong_forced_encoding_says_what_the_file_looks_like(read, tmp_path):
    (tmp_path / "t.csv").write_bytes(CHINESE.encode("gb18030"))
    with pytest.raises(InputError, match=r"t.csv must be text in utf-8; .* at byte 0. .* looks like gb18030"):
        read("t.csv", folder=tmp_path, encoding="utf-8")
    with pytest.raises(InputError, match="an encoding that Python knows; found 'klingon'"):
        read("t.csv", folder=tmp_path, encoding="klingon")


@pytest.mark.parametrize(
    ("text", "columns", "first"),
    [
        ("a;b\n1,5;x\n2;y\n", ["a", "b"], [1.5, "x"]),
        ("a\tb\n1.5\tx,y\n", ["a", "b"], [1.5, "x,y"]),
        ('"a, or b","c"\n1,"x;\ny"\n', ["a, or b", "c"], [1, "x;\ny"]),
        ("only\n7\n", ["only"], [7]),
        ("a,b,\n1,2,\n", ["a", "b"], [1, 2]),
        (",a\n0,5\n", ["column_1", "a"], [0, 5]),
        (" a , b \n 1 , x \n", ["a", "b"], [1, "x"]),
    ],
)
def test_separators_quotes_and_blanks(text, columns, first, tmp_path):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    frame = read_table("t.csv", folder=tmp_path).frame
    assert list(frame.columns) == columns
    assert frame.iloc[0].tolist() == first


@pytest.mark.parametrize(
    ("cells", "is_number"),
    [
        (["1", "2", ""], True),
        (["1.5", "-2", "1e-05"], True),
        (["1", "NA"], False),
        (["1", "nan"], False),
        (["1", "Blank"], False),
        (["1", "inf"], False),
        (["01", "02"], False),
        (["0.5", "0"], True),
        (["12345678901234567", "1"], False),
        (["1,5", "2"], False),
        (["", ""], True),
        (["True", "False"], False),
    ],
)
def test_only_columns_of_numbers_are_numeric_and_nothing_vanishes(cells, is_number, tmp_path):
    (tmp_path / "t.tsv").write_text("id\tq\n" + "".join(f"x\t{cell}\n" for cell in cells))
    column = read_table("t.tsv", folder=tmp_path).frame["q"]
    assert pd.api.types.is_numeric_dtype(column) == is_number
    assert column.isna().tolist() == [cell == "" for cell in cells]
    if not is_number:
        assert column.dropna().tolist() == [cell for cell in cells if cell]


def test_a_sheet_of_mixed_cells_keeps_them(tmp_path):
    mixed = pd.DataFrame({"q": ["5", 4, None], "w": ["Blank", 3, 2.5], "day": pd.to_datetime(["2026-01-02"] * 3)})
    mixed.to_excel(tmp_path / "t.xlsx", index=False, engine="xlsxwriter")
    frame = read_table("t.xlsx", folder=tmp_path).frame
    assert frame["q"].tolist()[:2] == [5, 4]
    assert as_codes(frame["w"]).tolist() == ["Blank", "3", "2.5"]
    assert as_codes(frame["day"]).tolist() == ["2026-01-02"] * 3


def test_labels_of_sav_and_dta_are_kept(tmp_path):
    frame = pd.DataFrame({"q1": [1.0, 2.0], "region": [1.0, 3.0]})
    options = {"variable_value_labels": {"region": {1: "North", 3: "South"}}, "column_labels": {"q1": "Quick?"}}
    pyreadstat.write_sav(frame, str(tmp_path / "t.sav"), **options)
    pyreadstat.write_dta(frame, str(tmp_path / "t.dta"), **options)
    for name in ("t.sav", "t.dta"):
        table = read_table(name, folder=tmp_path)
        assert {float(code): label for code, label in table.value_labels["region"].items()} == {1: "North", 3: "South"}
        assert table.variable_labels == {"q1": "Quick?"}
        assert table.frame["region"].tolist() == [1, 3]


def test_several_files_become_one_table(tmp_path):
    (tmp_path / "wave_2.csv").write_text("q1,wave\n4,2\n", encoding="utf-8")
    (tmp_path / "wave_1.csv").write_bytes("wave,q1\n1,好\n".encode("gb18030"))
    for data in ("wave_*.csv", ["wave_1.csv", "wave_2.csv"]):
        table = read_table(data, folder=tmp_path)
        assert table.frame["wave"].tolist() == [1, 2]
        assert table.frame["q1"].tolist() == ["好", "4"]
        assert table.encoding == "gb18030, utf-8"
        assert list(table.frame.index) == [0, 1]
        assert [path.name for path in table.paths] == ["wave_1.csv", "wave_2.csv"]


def test_files_with_different_columns_are_refused_by_name(tmp_path):
    (tmp_path / "a.csv").write_text("q1,q2\n1,2\n")
    (tmp_path / "b.csv").write_text("q1,q3\n1,2\n")
    with pytest.raises(InputError, match=r"only in a.csv: q2; only in b.csv: q3"):
        read_table("*.csv", folder=tmp_path)


@pytest.mark.parametrize("read", [read_table, column_names])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"a,b,a\n1,2,3\n", "found more than once: a"),
        ("t.csv", b"", "t.csv must hold a table; found an empty file"),
        ("t.csv", b" \n \n", "found an empty file"),
        ("t.xlsx", b"not a sheet", "t.xlsx must be a readable xlsx file"),
        ("t.sav", b"not a sav", "t.sav must be a readable sav file"),
        ("t.parquet", b"not a parquet", "t.parquet must be a readable parquet file"),
        ("t.csv.gz", b"not gzip", "t.csv.gz must be a readable csv.gz file"),
        ("t.csv.gz", gzip.compress(CSV.encode() * 9)[:-20], "t.csv.gz must be a whole gzip file"),
        ("t.pdf", b"%PDF", "must be one of csv, tsv, .*; found t.pdf"),
    ],
)
def test_what_cannot_be_read_says_why(read, name, content, said, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        read(name, folder=tmp_path)


def test_a_row_with_too_many_cells_is_refused_with_its_line(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(InputError, match="line 3"):
        read_table("t.csv", folder=tmp_path)


def test_a_missing_file_is_named_with_the_nearest(tmp_path):
    (tmp_path / "survey.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match=r"^no such file: .*survay.csv. Did you mean 'survey.csv'"):
        read_table("survay.csv", folder=tmp_path)
    with pytest.raises(InputError, match=r"must find some; none fit '\*.xlsx'"):
        read_table("*.xlsx", folder=tmp_path)


def test_blank_rows_are_left_out_and_counted_alike_in_text_and_sheets(tmp_path):
    rows = [[1, "a"], ["", ""], ["  ", None], [2, ""], ["", "b"], ["", ""], [3, "c"]]
    frame = pd.DataFrame(rows, columns=["q1", "unit"], dtype=object)
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    frame.to_csv(tmp_path / "t.csv", index=False)
    for name in ("t.csv", "t.xlsx"):
        table = read_table(name, folder=tmp_path)
        assert table.n_blank == 3
        assert table.frame.index.tolist() == [0, 3, 4, 6]  # rows as they stand in the file
        assert table.frame["q1"].fillna(0).tolist() == [1, 2, 0, 3]
    whole = frame.iloc[[0, 1, 3]].assign(unit="x", q1=[1, 2, 3])
    whole.to_csv(tmp_path / "u.csv", index=False)
    assert read_table("u.csv", folder=tmp_path).frame["q1"].dtype == "int64"


def test_lines_without_anything_count_as_rows_but_not_around_the_table(tmp_path):
    (tmp_path / "t.csv").write_text("\n  \nq1,q2\n1,2\n\n3,4\n\n\n")
    table = read_table("t.csv", folder=tmp_path)
    assert table.frame.index.tolist() == [0, 2]
    assert table.n_blank == 1
    assert table.frame.dtypes.tolist() == ["int64", "int64"]


@pytest.mark.parametrize("read", [read_table, column_names])
def test_a_sheet_is_chosen_by_its_name(read, tmp_path):
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame({"about": ["read me"]}).to_excel(book, sheet_name="说明", index=False)
        pd.DataFrame({"q1": [1]}).to_excel(book, sheet_name="数据", index=False)
    assert list(getattr(read("t.xlsx", folder=tmp_path), "frame", ["about"])) == ["about"]
    found = read("t.xlsx", folder=tmp_path, sheet="数据")
    assert list(getattr(found, "frame", found)) == ["q1"]
    with pytest.raises(InputError, match=r"must name a sheet of t.xlsx \(说明, 数据\); found '数锯'"):
        read("t.xlsx", folder=tmp_path, sheet="数锯")
    (tmp_path / "t.csv").write_text("q1\n1\n")
    with pytest.raises(InputError, match=r"`survey.sheet` is for workbooks; found t.csv"):
        read("t.csv", folder=tmp_path, sheet="数据")


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    assert read_table("t.csv", folder=tmp_path).frame.shape == (0, 2)


def test_codes_have_no_decimals():
    column = pd.Series([1.0, 2.5, None, "x ", pd.Timestamp("2026-01-02 10:00")], dtype=object)
    assert as_codes(column).dropna().tolist() == ["1", "2.5", "x", "2026-01-02 10:00:00"]
    assert as_codes(column).isna().tolist() == [False, False, True, False, False]
    assert as_codes(pd.Series([True, False])).tolist() == ["true", "false"]
