"""The kinds of value that a study file holds: texts, columns, files, scales, durations, changes.

Every kind has one function from what YAML gives to what the project uses, with a message of its own, and the JSON Schema of
what may be written.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainValidator, WithJsonSchema, model_validator

_TEXT = {"type": ["string", "number"]}
_ONE_OR_MANY = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_RANGE = re.compile(r"(?P<stem>.*?)(?P<low>\d+)\.\.(?P<stem2>.*?)(?P<high>\d+)")
_DURATION = re.compile(r"(?P<amount>\d+(?:\.\d+)?)\s*(?P<unit>min|h|d|wd)")
_CHANGE = re.compile(r"(?P<sign>[-+−]?)\s*(?P<percent>\d+(?:\.\d+)?)\s*[%％]")


class Part(BaseModel):
    """A mapping of the study file: no unknown keys, no silent conversion, `key: null` means the key is not there.

    In `{label: Art, food and shops}` YAML takes what follows the comma for a key of its own, without a value; here it is
    put back into the text that it was cut from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        kept: dict[Any, Any] = {}
        for key, value in content.items():
            before = next(reversed(kept), None)
            if value is None and key not in cls.model_fields and isinstance(kept.get(before), str):
                kept[before] += f", {key}"
            elif value is not None or key not in cls.model_fields:
                kept[key] = value
        return kept


@dataclass(frozen=True, slots=True)
class Names:
    """Marks a field that names columns or files, so that they can be looked up."""

    what: Literal["columns", "files"]


@dataclass(frozen=True, slots=True)
class Duration:
    """A promised or allowed time.

    Attributes
    ----------
    amount : how many
    unit : "min", "h", "d" (days of the calendar) or "wd" (working days)
    """

    amount: float
    unit: Literal["min", "h", "d", "wd"]

    def __str__(self) -> str:
        return f"{self.amount:g}{self.unit}"


def shown(value: object) -> str:
    """A value as a message names it.

    >>> shown("7 days"), shown([1, 2]), shown(None)
    ("'7 days'", '[1, 2]', 'nothing')
    """
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and len(value) <= 5 and not any(isinstance(entry, list | dict) for entry in value):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"'{value}'" if isinstance(value, str) else str(value)


def text(value: Any) -> str:
    """A text; a number, date or true/false becomes one, as people write `label: 2026`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float | date):
        return str(value).strip()
    raise ValueError(f"must be a text, found {shown(value)}")


def name(value: Any) -> str:
    """A text that is not empty."""
    found = text(value)
    if not found:
        raise ValueError("must be a name, found nothing")
    return found


def several(value: Any, one: Callable[[Any], Any] = name) -> list[Any]:
    """A list that is not empty; a single value becomes a list of one."""
    if isinstance(value, list) and not value:
        raise ValueError("must have at least one entry, found an empty list")
    return [one(entry) for entry in (value if isinstance(value, list) else [value])]


def names(value: Any) -> list[str]:
    """Names without repetition, with the short form `rel1..rel3` written out.

    >>> names(["q08..q10", "sat"])
    ['q08', 'q09', 'q10', 'sat']
    """
    found = [each for entry in several(value) for each in _written_out(entry)]
    twice = sorted({each for each in found if found.count(each) > 1})
    if twice:
        raise ValueError(f"each name may stand once, found {', '.join(map(shown, twice))} again")
    return found


def _written_out(entry: str) -> list[str]:
    parts = _RANGE.fullmatch(entry)
    if parts is None or parts["stem"] != parts["stem2"]:
        return [entry]
    if int(parts["low"]) >= int(parts["high"]):
        raise ValueError(f"a short form must rise, such as rel1..rel5, found {shown(entry)}")
    width = len(parts["low"])
    return [f"{parts['stem']}{number:0{width}d}" for number in range(int(parts["low"]), int(parts["high"]) + 1)]


def labelled(value: Any) -> dict[str, str]:
    """Names and their texts, from a mapping (name: text), a list or the short form; "" where there is no text."""
    if not isinstance(value, dict):
        return dict.fromkeys(names(value), "")
    listed = names(list(value))
    if len(listed) != len(value):
        raise ValueError("a short form such as rel1..rel5 cannot have a text; write the names out")
    return {name(key): "" if label is None else text(label) for key, label in value.items()}


def code(value: Any) -> str | float:
    """A code as the data hold it: a number or a text ("" = an empty cell)."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | date):
        raise ValueError(f"must be a number or a text (in quotes), found {shown(value)}")
    return value if isinstance(value, int | float) else text(value)


def scale(value: Any) -> tuple[float, float]:
    """The lowest and the highest answer."""
    if not isinstance(value, list) or len(value) != 2 or not all(_is_number(end) for end in value):
        raise ValueError(f"must be [lowest, highest], such as [1, 5], found {shown(value)}")
    low, high = value
    if not low < high:
        raise ValueError(f"must be [lowest, highest], found [{low}, {high}]")
    return float(low), float(high)


def duration(value: Any) -> Duration:
    """A time such as 30min, 2h, 7d or 5wd (working days), above 0."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or float(found["amount"]) == 0:
        raise ValueError(f"must be a time such as 30min, 2h, 7d or 5wd (working days), found {shown(value)}")
    return Duration(float(found["amount"]), found["unit"])  # type: ignore[arg-type]  # the pattern allows only these units


def change(value: Any) -> float:
    """A change relative to the baseline: "-30%" is -0.3."""
    found = _CHANGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'must be a percentage such as "-30%", found {shown(value)}')
    return float(found["percent"]) / 100 * (-1 if found["sign"] in ("-", "−") else 1)


def day(value: Any) -> date:
    """A date such as 2026-06-30."""
    try:
        return value if isinstance(value, date) else date.fromisoformat(value.strip())
    except (AttributeError, ValueError) as error:
        raise ValueError(f"must be a date such as 2026-06-30, found {shown(value)}") from error


def encoding(value: Any) -> str:
    """The name of a text encoding that Python knows."""
    try:
        return codecs.lookup(name(value)).name
    except LookupError as error:
        raise ValueError(f"must be an encoding such as utf-8 or gb18030, found {shown(value)}") from error


def steps(value: Any) -> list[tuple[float, float]]:
    """Pairs [threshold, points], thresholds all rising or all falling."""
    pairs = value if isinstance(value, list) else []
    if not pairs or not all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) for pair in pairs):
        raise ValueError(f"must be pairs [threshold, points], such as [[0.98, 30], [0.95, 20]], found {shown(value)}")
    found = [(float(threshold), float(points)) for threshold, points in pairs]
    rises = {one[0] < other[0] for one, other in pairwise(found)}
    if len(rises) > 1 or len({threshold for threshold, _ in found}) < len(found):
        raise ValueError("the thresholds must all rise or all fall, each standing once")
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


Text = Annotated[str, PlainValidator(text), WithJsonSchema(_TEXT)]
Name = Annotated[str, PlainValidator(name), WithJsonSchema({**_TEXT, "minLength": 1})]
NameList = Annotated[list[str], PlainValidator(names), WithJsonSchema(_ONE_OR_MANY)]
Column = Annotated[str, PlainValidator(name), WithJsonSchema({**_TEXT, "minLength": 1}), Names("columns")]
Columns = Annotated[list[str], PlainValidator(names), WithJsonSchema(_ONE_OR_MANY), Names("columns")]
LabelledColumns = Annotated[
    dict[str, str],
    PlainValidator(labelled),
    WithJsonSchema({"anyOf": [*_ONE_OR_MANY["anyOf"], {"type": "object", "additionalProperties": {}}]}),
    Names("columns"),
]
File = Annotated[list[str], PlainValidator(several), WithJsonSchema(_ONE_OR_MANY), Names("files")]
TextList = Annotated[list[str], PlainValidator(several), WithJsonSchema(_ONE_OR_MANY)]
Codes = Annotated[list[str | float], PlainValidator(lambda value: several(value, code)), WithJsonSchema(_ONE_OR_MANY)]
Scale = Annotated[
    tuple[float, float],
    PlainValidator(scale),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]
Time = Annotated[
    Duration,
    PlainValidator(duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(min|h|d|wd)$", "examples": ["2h", "7d", "5wd"]}),
]
Change = Annotated[
    float, PlainValidator(change), WithJsonSchema({"type": "string", "pattern": "%$", "examples": ["-30%"]})
]
Day = Annotated[date, PlainValidator(day), WithJsonSchema({"type": "string", "format": "date"})]
Encoding = Annotated[
    str, PlainValidator(encoding), WithJsonSchema({"type": "string", "examples": ["utf-8", "gb18030"]})
]
Steps = Annotated[
    list[tuple[float, float]],
    PlainValidator(steps),
    WithJsonSchema({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
]
