"""Personal data in free text: what must be found, and what must be left alone, Chinese and international."""

import time

import pandas as pd
import pytest

from cxresearch.core.personal import MASKS, _id_check, count_personal, find_personal, mask, mask_codes
from cxresearch.errors import InputError
from cxresearch.study.faults import Fault

PERSONAL = {  # text -> what it becomes
    "phone": [
        ("我的手机13800138000打不通", "我的手机[phone]打不通"),
        ("请拨 138 0013 8000", "请拨 [phone]"),
        ("138-0013-8000", "[phone]"),
        ("１３８００１３８０００", "[phone]"),
        ("１３８－００１３－８０００。", "[phone]。"),
        ("1380 013 8000 is mine", "[phone] is mine"),
        ("+86 138 0013 8000", "[phone]"),
        ("(+86)13800138000", "[phone]"),
        ("0086-13800138000", "[phone]"),
        ("8613800138000", "[phone]"),
        ("手机：1 3 8 0 0 1 3 8 0 0 0", "手机：[phone]"),
        ("座机010-87654321", "座机[phone]"),
        ("(010) 8765 4321", "[phone]"),
        ("0571-8765 4321转8001", "[phone]"),
        ("057187654321", "[phone]"),
        ("０２１－６５４３２１００", "[phone]"),
        ("电话 87654321", "电话 [phone]"),
        ("Tel: 8765 4321", "Tel: [phone]"),
        ("+44 20 7946 0958", "[phone]"),
        ("+1 (415) 555-2671", "[phone]"),
        ("(415) 555-2671", "[phone]"),
        ("415-555-2671, after six", "[phone], after six"),
        ("415.555.2671", "[phone]"),
        ("0049 30 901820 12", "[phone]"),
        ("+33 6 12 34 56 78", "[phone]"),
        ("020 7946 0958", "[phone]"),
        ("07700 900123", "[phone]"),
        ("my phone is 5552671", "my phone is [phone]"),
        ("WhatsApp +5511987654321", "WhatsApp [phone]"),
    ],
    "email": [
        ("write to li.lei+post@example.com.", "write to [e-mail]."),
        ("邮箱zhang_san@qq.com谢谢", "邮箱[e-mail]谢谢"),
        ("ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ", "[e-mail]"),
        ("li @ example.org", "[e-mail]"),
        ("A.B-C@mail.example.co.uk", "[e-mail]"),
    ],
    "id_card": [
        ("身份证11010519491231002X", "身份证[ID card]"),
        ("440524188001010014", "[ID card]"),
        ("110105 19491231 002x", "[ID card]"),
        ("１１０１０５１９４９１２３１００２Ｘ", "[ID card]"),
        ("身份证号：110105194912310021", "身份证号：[ID card]"),  # a slip of the pen, but named
        ("old card 110105491231002", "old card [ID card]"),
    ],
    "tracking": [
        ("RR473124829GB", "[tracking number]"),
        ("parcel rr 473 124 829 gb is lost", "parcel [tracking number] is lost"),
        ("ＲＲ４７３１２４８２９ＧＢ", "[tracking number]"),
        ("快件SF1234567890123没到", "快件[tracking number]没到"),
        ("SF 1234 5678 9012", "[tracking number]"),
        ("YT1234567890123", "[tracking number]"),
        ("JDVB12345678901", "[tracking number]"),
        ("jd0012345678901", "[tracking number]"),
        ("JT1234567890123", "[tracking number]"),
        ("1Z999AA10123456784", "[tracking number]"),
        ("单号：773123456789012", "单号：[tracking number]"),
        ("运单号 4312345678901 查不到", "运单号 [tracking number] 查不到"),
        ("tracking number 123456789012", "tracking number [tracking number]"),
    ],
}
HARMLESS = [
    "",
    "4.5",
    "5 5 4 3 5 5 4 4 3 2 1",
    "1 3 8 0 0 1 3 8 0 0 0",
    "9分，满分10分",
    "2026-06-30",
    "2026-06-30 14:35:12",
    "20260630143512",
    "2026年6月30日14:35",
    "2025-07-01 04:55 to 2025-07-06 11:57",
    "01/02/2026 - 03/04/2026",
    "Q3 2025, Q4 2025, Q1 2026",
    "花了13800元",
    "$13,800,138,000.00",
    "￥13800138000",
    "13800138000元",
    "0.13800138000",
    "3.14159265358979",
    "-0.0100876543210",
    "1234567890",
    "12345678901",  # eleven digits, but no Chinese mobile number
    "order 987654321098",  # twelve digits that nothing names
    "订单 20260630123456",
    "110105194912310021",  # the check digit is wrong
    "990105194912310029",  # no such province
    "RR473124828GB",  # the check digit is wrong
    "400-820-8820",
    "call 400 820 8820",
    "拨打4008208820",
    "客服热线 10086、95588、11185",
    "1-800-555-1234",
    "call at 14:30 on 20260630",
    "phone answered after 20260630",
    "电话打了 3 次，等了 40 分钟",
    "called 3 times, 2 weeks, 15 days",
    "192.168.100.200",
    "version 10.4.2024.1130",
    "ISBN 978-7-302-12345-6",
    "T00001, C00422, R00123, B12",
    "A4, 5G, 12306",
    "user@home",
    "price @ 5.99 each",
    "承诺回电却没有人联系我。",
    "My phone number was leaked.",
    "我的电话号码被泄露了。",
    "窗口排队四十分钟。",
    "邮编 100084，海淀区中关村东路 1 号",
    "rows 2, 17, 301, 4402 and 51234 more",
    "found 12,345,678 of 123,456,789",
    "39.904200, 116.407396",
    "13800138000.5",
    "1380013800",
    "138001380001",
    "10.1177/0894439317752406",
    "10.1080/01621459.1927.10502953",
    "978-1-4939-9761-9",
]
CASES = [(kind, text, masked) for kind, texts in PERSONAL.items() for text, masked in texts]


@pytest.mark.parametrize(("kind", "text", "masked"), CASES, ids=[text for _, text, _ in CASES])
def test_personal_data_are_found_and_masked(kind, text, masked):
    assert {found.kind for found in find_personal(text)} == {kind}
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_not_personal_is_left_alone(text):
    assert find_personal(text) == []
    assert mask(text) == text


def test_several_kinds_in_one_text():
    text = "李雷 13800138000 li@example.com 身份证11010519491231002X 单号 SF1234567890123；评分 5 4 3"
    assert [found.kind for found in find_personal(text)] == ["phone", "email", "id_card", "tracking"]
    assert mask(text) == "李雷 [phone] [e-mail] 身份证[ID card] 单号 [tracking number]；评分 5 4 3"


def test_the_check_digit_of_identity_numbers_is_that_of_the_standard():
    assert _id_check("11010519491231002") == "X"  # the example of GB 11643-1999
    assert _id_check("44052418800101001") == "4"


def test_codes_that_hold_personal_data_stay_apart():
    codes = pd.Series(["Cedar", "a@b.org", "c@d.org", "a@b.org", float("nan")], index=[3, 1, 4, 1, 5], dtype=object)
    assert mask_codes(codes).tolist()[:-1] == ["Cedar", "[e-mail] 1", "[e-mail] 2", "[e-mail] 1"]
    assert mask_codes(codes).isna().tolist() == codes.isna().tolist()
    plain = pd.Series(["Cedar", None], dtype=object)
    assert mask_codes(plain) is plain


def test_rows_are_counted_by_kind():
    column = pd.Series(["13800138000", "13800138000 a@b.org", "nothing", None, 13900139000])
    assert count_personal(column) == {"email": 1, "phone": 3}
    assert count_personal(pd.Series([1.5, None])) == {}


def test_long_texts_take_no_time():
    begin = time.process_time()
    for text in ("1 " * 20_000, "a" * 50_000 + "@", "(" * 20_000 + "+1" * 5_000, "0-" * 20_000, "电话" * 10_000):
        mask(text)
    count_personal(pd.Series([f"Parcel {i} came {i % 28} days late, {i}.5 stars" for i in range(50_000)]))
    assert time.process_time() - begin < 10


def test_every_kind_has_a_mark_without_personal_data():
    assert all(find_personal(mark) == [] for mark in MASKS.values())


def test_messages_quote_cells_without_personal_data():
    error = InputError(
        "answers must be numbers", "found text in q1: '13800138000' (3), 'li@example.com' (1)", "Map them."
    )
    assert str(error) == "answers must be numbers; found text in q1: '[phone]' (3), '[e-mail]' (1). Map them."
    assert str(Fault(("cases", "treated"), "'13800138000' does not occur")) == "cases.treated: '[phone]' does not occur"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("found ftp://me:opensesame@127.0.0.1:21/a.csv, and more", "found ftp://127.0.0.1:21/a.csv, and more"),
        ("'sftp://me:p@ss@host/a@b'", "'sftp://host/a@b'"),
        ("zip://a.csv::https://host/b.zip?token=1:2&x=y::more", "zip://a.csv::https://host/b.zip::more"),
        ("(https://host/a.csv?key=opensesame); is it https://host/b?", "(https://host/a.csv); is it https://host/b?"),
        ("no address: who? me:word@", "no address: who? me:word@"),
    ],
)
def test_addresses_are_shown_without_what_is_secret(text, masked):
    assert mask(text) == masked
