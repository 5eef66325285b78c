"""A given encoding that fits the bytes but hardly their sense is told."""

import warnings
from pathlib import Path

import pytest

from cxresearch.errors import CxWarning
from cxresearch.study.encoding import decode
from cxresearch.study.tables import read_table

CHINESE = "题项,意见\nq1,服务态度很好，非常满意\nq2,快递送货太慢，客户服务电话没有人接\n"
KOREAN = "문항,의견\nq1,직원이 친절하고 배송이 빠릅니다\nq2,상담 서비스가 마음에 들지 않습니다\n"
TRADITIONAL = "題項,意見\nq1,服務態度很好，非常滿意\nq2,送貨太慢\n"
RUSSIAN = "вопрос,ответ\nq1,обслуживание очень хорошее\nq2,доставка слишком медленная\n"
FRENCH = "numéro,réponse\nq1,très satisfait\nq2,déçu du délai\n"
FILE = Path("t.csv")


@pytest.mark.parametrize(
    ("text", "written", "given"),
    [
        (CHINESE, "gb18030", "latin-1"),
        (CHINESE, "gb18030", "cp1251"),
        (CHINESE, "utf-8", "latin-1"),
        (CHINESE, "utf-8-sig", "cp437"),
        (FRENCH, "utf-8", "latin-1"),
        (KOREAN, "cp949", "latin-1"),
    ],
)
def test_letters_that_make_no_sense_are_told(text, written, given):
    with pytest.warns(CxWarning, match=rf"t.csv is read as {given} but looks like {written}; check `survey.encoding`"):
        assert decode(text.encode(written), FILE, given)[0] != text


@pytest.mark.parametrize(
    ("text", "written", "given"),
    [
        (CHINESE, "gb18030", "gb18030"),
        (CHINESE, "gb2312", "gbk"),
        (CHINESE, "utf-8-sig", "utf-8"),
        (TRADITIONAL, "big5", "big5"),
        (KOREAN, "euc-kr", "euc-kr"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (FRENCH, "cp1252", "cp1252"),
        (FRENCH, "cp850", "cp850"),
        ("q1,q2\n1,2\n", "ascii", "latin-1"),
    ],
)
def test_a_right_encoding_is_taken_without_a_word(text, written, given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(text.encode(written), FILE, given)[0] == text


def test_the_table_is_read_all_the_same(tmp_path):
    (tmp_path / "t.csv").write_bytes(CHINESE.encode("gb18030"))
    with pytest.warns(CxWarning, match="looks like gb18030"):
        assert len(read_table("t.csv", folder=tmp_path, encoding="latin-1").frame) == 2
