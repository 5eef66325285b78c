"""Full-width punctuation where YAML needs its own: a frequent slip of writers whose keyboard is set to Chinese."""

import re
from collections.abc import Iterator

PLAIN = {
    "：": ": ", "，": ", ", "［": "[", "］": "]", "｛": "{", "｝": "}", "＃": "#", "－": "-",
    "“": '"', "”": '"', "＂": '"', "‘": "'", "’": "'", "＇": "'",
}  # fmt: skip
_QUOTED = re.compile(r""""(?:[^"\\\\]|\\\\.)*"|'(?:[^']|'')*'|(?:^|(?<=\s))#.*""")
_KEY = re.compile(r"\s*(?:- +)?[^\s:'\"#\[{][^:]*?(?P<mark>：)")  # a key and a full-width colon, before any other colon
_INSIDE = re.compile(
    r"[\[{].*?(?P<mark>[，：］｝])|:\s+(?P<start>[［｛“”＂‘’＇])|^\s*(?P<item>－)|(?P<bracket>[［］｛｝])"
)
_LIST = re.compile(r"［.*[，,].*[］\]]|｛.*[：:].*[｝}]")
_QUOTES = "“”＂‘’＇"
_NUMBERS = re.compile(r"[-+]?[\d.]+(?:\s*，\s*[-+]?[\d.]+)+")


def hint(text: str, start: int, end: int) -> str:
    """What to write in the line that broke YAML, of the lines from `start` to `end` (from 0, both included); '' if unknown.

    >>> hint("study: demo\\nsurvey：\\n  data: x.csv", 0, 2)
    'line 2 has a full-width ：; write ": "'
    """
    lines = list(enumerate(text.splitlines(), 1))[max(start, 0) : end + 1]
    found = (told(number, mark) for number, line in reversed(lines) for mark in _marks(line))
    return next(found, "")


def unclosed(text: str, line: int) -> str:
    """What to write where a quotation mark of a line (from 0) is not closed; '' if no full-width one stands there."""
    marks = [mark for mark in text.splitlines()[line] if mark in _QUOTES]
    return told(line + 1, marks[-1]) if marks else ""


def told(number: int, mark: str) -> str:
    """That a line has a full-width mark, and what to write."""
    plain = PLAIN[mark]
    return f"line {number} has a full-width {mark}; write " + (f"'{plain}'" if plain == '"' else f'"{plain}"')


def slip(value: str) -> str:
    """The full-width mark in a scalar that YAML took for a text but that was meant as a list or mapping; '' if none.

    >>> slip("［1，5］"), slip("1，5"), slip("quick，kind")
    ('［', '，', '')
    """
    if _LIST.fullmatch(value):
        return value[0]
    return "，" if _NUMBERS.fullmatch(value) else ""


def _marks(line: str) -> Iterator[str]:
    bare = _QUOTED.sub("", line)
    key = _KEY.match(bare)
    if key is not None:
        yield key["mark"]
    inside = _INSIDE.search(bare)
    if inside is not None:
        yield next(mark for mark in inside.groups() if mark)
