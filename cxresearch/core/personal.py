"""Personal data in free text: phone numbers, e-mail addresses, ID cards, tracking numbers; found, counted, masked.

Chinese and international forms, also with full-width digits, blanks or hyphens. What has check digits is checked; a bare run of
digits counts only where the words before it say what it is. Amounts, dates, scores and service numbers (400, 800) are left alone.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["email", "id_card", "tracking", "phone"]
MASKS: dict[Kind, str] = {
    "email": "[e-mail]",
    "id_card": "[ID card]",
    "tracking": "[tracking number]",
    "phone": "[phone]",
}
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width letters, digits and signs
_PLAIN |= dict.fromkeys([0xA0, 0x3000, 0x202F, 0x205F, *range(0x2000, 0x200C)], 0x20)
_PLAIN |= dict.fromkeys([*range(0x2010, 0x2016), 0x2212], 0x2D)  # hyphens and dashes

_ALONE = r"(?<![0-9A-Za-z])"  # no number or word goes on
_BEFORE = rf"{_ALONE}(?<!\d[.,:/-])(?<![$¥￥£€])"  # nor a part of a decimal, a date, a time or an amount
_END = r"(?![0-9A-Za-z])(?!\.\d)"
_NO_AMOUNT = r"(?! ?(?:元|块|万|亿|%))"
_MAY_HOLD = re.compile(r"@|\d(?:[ .()-]{0,2}\d){6}")  # what every kind has, for a quick look
_USER = re.compile(r"(?<=://)[^\s/?#'\"<>]*@")  # and password, in an address
_QUERY = re.compile(r"(://[^\s?'\"<>]+)\?(?:(?!::)[^\s'\"<>);])+")  # which may hold a token
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_SERVICE = ("400", "800", "888", "877", "866", "855", "844", "833", "1800", "1888")  # numbers of companies
_PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")  # where an identity number was issued


class Found(NamedTuple):
    """One piece of personal data: what it is, and where it stands in the text."""

    kind: Kind
    start: int
    end: int


@cache
def _patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """What may be personal data, the surest kinds first; where only a part of it is, that is the group `own`."""
    digit = r"(?:[ -]?\d)"
    date = r"(?:0[1-9]|1[0-2])[ -]?(?:0[1-9]|[12]\d|3[01])"
    prefixed = {"SF": "12,15", "YT": "13", "JT": "13", "JD[A-Z]{0,3}": "10,15", "YD": "13,15", "ZTO?": "12,15"}
    prefixed |= {"STO": "12,15", "DPK": "12", "EMS": "13", "LP": "14", "JJD": "16,20", "TBA": "12"}
    carriers = "|".join(f"{letters}{digit}{{{count}}}" for letters, count in prefixed.items())
    parcel = r"单号|运单|快递号|物流号|邮件号|包裹号|\btracking|\bwaybill|\bconsignment|\bparcel (?:no|number)"
    talk = r"电话|手机|座机|致电|拨打|微信|联系方式|\btel|\bphone|\bmobile|\bcell|\bcall|\bwhatsapp|\bwechat"
    spelt: list[tuple[Kind, str]] = [
        ("email", r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_][A-Za-z0-9._%+-]* ?@ ?(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"),
        ("id_card", rf"{_ALONE}[1-9]\d{{5}}[ -]?(?:18|19|20)\d\d[ -]?{date}[ -]?\d{{3}}[ -]?[\dX]{_END}"),
        ("id_card", rf"{_ALONE}[1-9]\d{{5}}[ -]?\d\d{date}[ -]?\d{{3}}{_END}"),
        ("tracking", rf"{_ALONE}[A-Z]{{2}}{digit}{{9}}[ -]?[A-Z]{{2}}{_END}"),
        ("tracking", rf"{_ALONE}(?:{carriers}|1Z ?[0-9A-Z]{{16}}){_END}"),
        ("tracking", rf"(?:{parcel})[^\d\n]{{0,12}}?(?P<own>[A-Z]{{0,4}}\d{{10,22}}){_END}"),
        ("phone", rf"{_BEFORE}(?:\(?(?:\+|00)?86\)?[ .-]?)?1[3-9]\d(?:[ .-]?\d{{4}}){{2}}{_END}{_NO_AMOUNT}"),
        ("phone", rf"{_BEFORE}1[3-9]\d\d[ -]\d{{3}}[ -]\d{{4}}{_END}{_NO_AMOUNT}"),
        ("phone", rf"{_BEFORE}(?:\+?86[ -]?)?\(?0(?:10|2\d|[3-9]\d\d)\)?[ -]?[2-9]\d{{2,3}}[ -]?\d{{4}}"
                  rf"(?:(?:-| ?转 ?| ?ext\.? ?)\d{{1,5}})?{_END}{_NO_AMOUNT}"),
        ("phone", rf"(?<![0-9A-Za-z+])(?:\+|00(?=[1-9]\d{{0,2}}[ -]))[1-9]\d{{0,2}}(?:[ .()-]{{0,2}}\d){{7,12}}{_END}"),
        ("phone", rf"{_BEFORE}(?:1[ .-])?(?:\([2-9]\d\d\) ?[2-9]\d\d[ .-]|[2-9]\d\d([.-])[2-9]\d\d\1)\d{{4}}(?!-){_END}"),
        ("phone", rf"{_BEFORE}0\d{{2,4}}[ -](?:\d{{3,4}}[ -]\d{{4}}|\d{{6}}){_END}"),
        ("phone", rf"(?:{talk})[^\d\n]{{0,8}}(?P<own>\+?\d{{2,}}(?:[ .()-]{{1,2}}\d{{2,}})*){_END}{_NO_AMOUNT}"),
        ("phone", rf"(?:{talk})[^\d\n]{{0,8}}(?P<own>1[ -][3-9](?:[ -]\d){{9}}){_END}"),
    ]  # fmt: skip
    return tuple((kind, re.compile(pattern, re.ASCII | re.IGNORECASE)) for kind, pattern in spelt)


def find_personal(text: str) -> list[Found]:
    """Every piece of personal data in a text, in its order.

    >>> find_personal("call me: 138-0013-8000, parcel SF1234567890123")
    [Found(kind='phone', start=9, end=22), Found(kind='tracking', start=31, end=46)]
    """
    plain = text.translate(_PLAIN)
    if not _MAY_HOLD.search(plain):
        return []
    found: list[Found] = []
    for kind, pattern in _patterns():
        for match in pattern.finditer(plain):
            start, end = match.span("own" if "own" in pattern.groupindex else 0)
            is_new = all(end <= other.start or start >= other.end for other in found)
            if is_new and _is_real(kind, plain[start:end], plain[:start]):
                found.append(Found(kind, start, end))
    return sorted(found, key=lambda one: one.start)


def mask(text: str) -> str:
    """The text with a mark in place of each piece of personal data, and web addresses without user, password and query.

    >>> mask("写信到 li.lei@example.com 或打 010-8765 4321，4.5 分，2026-06-30")
    '写信到 [e-mail] 或打 [phone]，4.5 分，2026-06-30'
    >>> mask("no such file: zip://a.csv::https://me:word@host/b.zip?token=abc")
    'no such file: zip://a.csv::https://host/b.zip'
    """
    if "://" in text:
        text = _QUERY.sub(r"\1", _USER.sub("", text))
    parts, last = [], 0
    for kind, start, end in find_personal(text):
        parts += [text[last:start], MASKS[kind]]
        last = end
    return "".join([*parts, text[last:]]) if parts else text


def mask_codes(codes: "pd.Series") -> "pd.Series":
    """Text codes without personal data: those that hold any are numbered, so that what differed still differs.

    >>> import pandas as pd
    >>> mask_codes(pd.Series(["Cedar", "13800138000", "13900139000", "13800138000"])).tolist()
    ['Cedar', '[phone] 1', '[phone] 2', '[phone] 1']
    """
    distinct = [code for code in codes.dropna().unique() if isinstance(code, str)]
    masked = {code: mask(code) for code in distinct if find_personal(code)}
    if not masked:
        return codes
    numbered = {code: f"{shown} {number}" for number, (code, shown) in enumerate(masked.items(), 1)}
    return codes.map(lambda code: numbered.get(code, code), na_action="ignore").astype(codes.dtype)


def count_personal(column: "pd.Series") -> dict[Kind, int]:
    """Kind -> rows of a column that hold it; {} where none does. Each distinct text is looked at once.

    >>> import pandas as pd
    >>> count_personal(pd.Series(["a@b.org", "fine", None, "a@b.org, 13800138000"]))
    {'email': 2, 'phone': 1}
    """
    counts: dict[Kind, int] = {}
    for text, rows in column.dropna().astype(str).value_counts(sort=False).items():
        for kind in {found.kind for found in find_personal(str(text))}:
            counts[kind] = counts.get(kind, 0) + int(rows)
    return {kind: counts[kind] for kind in MASKS if kind in counts}


def _is_real(kind: Kind, own: str, before: str) -> bool:
    """Whether check digits, provinces and lengths bear out what a pattern has found."""
    digits = re.sub(r"[^0-9A-Za-z]", "", own).upper()
    if kind == "id_card":
        named = re.search(r"(?:身份证|\bid card|\bidentity)[^\d\n]{0,12}$", before, re.ASCII | re.IGNORECASE)
        return bool(_PROVINCE.match(digits)) and (len(digits) == 15 or bool(named) or _id_check(digits) == digits[-1])
    if kind == "tracking" and re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", digits):
        return _postal_check(digits[2:10]) == int(digits[10])
    if kind == "phone":
        is_own = not digits.startswith(_SERVICE) or own.startswith("+")
        return 7 <= len(digits.lstrip("0")) <= 17 and is_own and not (len(digits) == 8 and _DATE.fullmatch(digits))
    return True


def _id_check(digits: str) -> str:
    """The last sign of a Chinese identity number of 18: ISO 7064 MOD 11-2 (GB 11643-1999)."""
    return "10X98765432"[sum(int(digit) * 2 ** (17 - at) for at, digit in enumerate(digits[:17])) % 11]


def _postal_check(serial: str) -> int:
    """The check digit of a postal item (UPU standard S10).

    >>> _postal_check("47312482")
    9
    """
    weighed = sum(int(digit) * weight for digit, weight in zip(serial, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    return {10: 0, 11: 5}.get(11 - weighed % 11, 11 - weighed % 11)
