"""Row filters of the study file: `where: age >= 18 and region in ("North", "South")`.

    condition   = all_of {"or" all_of}
    all_of      = negation {"and" negation}
    negation    = ["not"] negation | "(" condition ")" | comparison
    comparison  = operand ("==" | "!=" | "<" | "<=" | ">" | ">=") operand
                | operand ["not"] "in" "(" value {"," value} ")"
    operand     = name | `any name` | value
    value       = number | "text" | 'text'

A filter is parsed here and applied to columns; nothing is ever evaluated as code. Logic is three-valued, as in SQL: a
comparison with a missing value is neither true nor false, its negation neither, and only rows of which the filter is
true are kept.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from cxresearch.errors import InputError, name_some
from cxresearch.study.codes import as_codes, code_of
from cxresearch.study.faults import nearest
from cxresearch.study.lazy_filters import compared, moment_of

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<text>"[^"]*"|'[^']*')
      | `(?P<quoted>[^`]+)`
      | (?P<sign>==|!=|<=|>=|<|>|\(|\)|,)
      | (?P<word>[^\W\d][\w.]*)
      | (?P<stray>\S)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_RESERVED = ("and", "or", "not", "in")


@dataclass(frozen=True, slots=True)
class _Truth:
    """What is known of each row: the condition holds, or it does not; neither where something is missing.

    Arrays of bool for rows in memory, expressions for a table that is not.
    """

    yes: Any
    no: Any

    def __and__(self, other: "_Truth") -> "_Truth":
        return _Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: "_Truth") -> "_Truth":
        return _Truth(self.yes | other.yes, self.no & other.no)

    def __invert__(self) -> "_Truth":
        return _Truth(self.no, self.yes)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str


_Operand = _Column | float | str
_Rows = pd.DataFrame | nw.Schema
_Condition = Callable[[_Rows], _Truth]


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed row filter.

    Attributes
    ----------
    text : as the study file has it
    columns : the columns it needs, in order of appearance
    """

    text: str
    columns: tuple[str, ...]
    _condition: _Condition

    def mask(self, frame: pd.DataFrame) -> pd.Series:
        """Whether each row is kept: bool, on the index of the frame.

        Raises
        ------
        InputError
            If a column is not there, or if numbers and words are put in order.
        """
        self._refuse_absent(list(frame.columns))
        return pd.Series(self._condition(frame).yes, index=frame.index, dtype=bool)

    def expression(self, schema: nw.Schema) -> nw.Expr:
        """Whether a row is kept, as an expression over a table of these columns.

        Raises
        ------
        InputError
            As `mask`.
        """
        self._refuse_absent(list(schema))
        return self._condition(schema).yes

    def _refuse_absent(self, known: list[str]) -> None:
        absent = [name for name in self.columns if name not in known]
        if absent:
            near = nearest(absent[0], known)
            raise InputError(
                f"the filter '{self.text}' must name columns of the data",
                f"found no column {name_some(absent)}",
                f"Did you mean '{near}'?" if near else "A text to compare with needs quotation marks.",
            )


def parse(text: str) -> Filter:
    """Parse a row filter.

    >>> young = parse("age < 30 and `home town` != 'Lima'")
    >>> young.columns
    ('age', 'home town')
    >>> young.mask(pd.DataFrame({"age": [25, 25, 40], "home town": ["Quito", None, "Quito"]})).tolist()
    [True, False, False]

    Raises
    ------
    InputError
        If the text is not a condition; the message shows the place.
    """
    return _Parser(text).parsed()


class _Parser:
    """Recursive descent over the grammar above: one method a rule."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [(match.lastgroup or "", match[match.lastgroup or 0], match) for match in _TOKEN.finditer(text)]
        self.place = 0
        self.columns: dict[str, None] = {}

    def parsed(self) -> Filter:
        condition = self._condition()
        if self.place < len(self.tokens):
            raise self._fault("`and`, `or` or the end")
        return Filter(self.text, tuple(self.columns), condition)

    def _condition(self) -> _Condition:
        parts = [self._all_of()]
        while self._take("word", "or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else lambda frame: _any([part(frame) for part in parts])

    def _all_of(self) -> _Condition:
        parts = [self._negation()]
        while self._take("word", "and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else lambda frame: ~_any([~part(frame) for part in parts])

    def _negation(self) -> _Condition:
        if self._take("word", "not"):
            inner = self._negation()
            return lambda frame: ~inner(frame)
        if self._take("sign", "("):
            inner = self._condition()
            self._need("sign", ")")
            return inner
        return self._comparison()

    def _comparison(self) -> _Condition:
        left = self._operand()
        negated = self._take("word", "not")
        if negated or self._peek() == ("word", "in"):
            self._need("word", "in")
            values = self._values()
            if negated:
                return lambda frame: ~_any([_compared(frame, left, "==", value) for value in values])
            return lambda frame: _any([_compared(frame, left, "==", value) for value in values])
        kind, sign = self._peek()
        if kind != "sign" or sign not in _COMPARE:
            raise self._fault("a comparison (==, !=, <, <=, >, >=) or `in`")
        self.place += 1
        right = self._operand()
        if not isinstance(left, _Column) and not isinstance(right, _Column):
            raise InputError(
                f"a comparison in the filter '{self.text}' must name a column",
                f"found {left!r} {sign} {right!r}",
                "Write column names bare or in `backticks`, and only texts in quotation marks.",
            )
        return lambda frame: _compared(frame, left, sign, right)

    def _values(self) -> list[_Operand]:
        self._need("sign", "(")
        values = [self._value()]
        while self._take("sign", ","):
            values.append(self._value())
        self._need("sign", ")")
        return values

    def _value(self) -> _Operand:
        if self._peek()[0] not in ("number", "text"):
            raise self._fault("a number or a text in quotation marks")
        return self._operand()

    def _operand(self) -> _Operand:
        kind, word = self._peek()
        is_name = kind == "quoted" or (kind == "word" and word not in _RESERVED)
        if not is_name and kind not in ("number", "text"):
            raise self._fault("a column, a number or a text in quotation marks")
        self.place += 1
        if is_name:
            self.columns[word] = None
            return _Column(word)
        return float(word) if kind == "number" else word[1:-1].strip()

    def _peek(self) -> tuple[str, str]:
        if self.place == len(self.tokens):
            return "", ""
        kind, word, _ = self.tokens[self.place]
        return kind, word.lower() if kind == "word" and word.lower() in _RESERVED else word

    def _take(self, kind: str, word: str) -> bool:
        found = self._peek() == (kind, word)
        self.place += found
        return found

    def _need(self, kind: str, word: str) -> None:
        if not self._take(kind, word):
            raise self._fault(f"'{word}'")

    def _fault(self, expected: str) -> InputError:
        if self.place == len(self.tokens):
            found, done = "the end", self.text
        else:
            kind, word, match = self.tokens[self.place]
            found, done = f"'{word}'", self.text[: match.start(kind)]
        hint = "Write == to compare." if found == "'='" else "For example: age >= 18 and region in ('North', 'South')."
        return InputError(f"the filter '{self.text}' needs {expected} after '{done.strip()}'", f"found {found}", hint)


def _any(truths: list[_Truth]) -> _Truth:
    whole = truths[0]
    for truth in truths[1:]:
        whole = whole | truth
    return whole


def _compared(frame: _Rows, left: _Operand, sign: str, right: _Operand) -> _Truth:
    """Compare as numbers where both sides are numbers, as dates with a date column, else as text codes."""
    if not isinstance(frame, pd.DataFrame):
        told = [("column", side.name) if isinstance(side, _Column) else ("value", side) for side in (left, right)]
        return _Truth(*compared(frame, told[0], sign, told[1]))
    sides = [frame[side.name] if isinstance(side, _Column) else side for side in (left, right)]
    known = np.ones(len(frame), bool)
    for side in sides:
        if isinstance(side, pd.Series):
            known &= side.notna().to_numpy(bool)
    values: list[Any]
    if all(map(_is_numeric, sides)):
        values = [side.to_numpy(float, na_value=np.nan) if isinstance(side, pd.Series) else side for side in sides]
    elif any(isinstance(side, pd.Series) and pd.api.types.is_datetime64_any_dtype(side) for side in sides):
        values = [
            pd.to_datetime(side).to_numpy() if isinstance(side, pd.Series) else moment_of(side).to_datetime64()
            for side in sides
        ]
    elif any(map(_is_numeric, sides)) and sign not in ("==", "!="):
        names = [side.name for side in (left, right) if isinstance(side, _Column)]
        raise InputError(
            f"`{sign}` needs two numbers or two texts",
            f"found numbers on one side and text on the other ({name_some(names)})",
            "Compare with == or `in`, or write the value as the column has it.",
        )
    else:
        values = [as_codes(side).to_numpy(object) if isinstance(side, pd.Series) else code_of(side) for side in sides]
    yes = np.zeros(len(frame), bool)
    parts = [value[known] if isinstance(value, np.ndarray) else value for value in values]
    yes[known] = np.asarray(_COMPARE[sign](*parts), bool)
    return _Truth(yes, known & ~yes)


def _is_numeric(side: Any) -> bool:
    return isinstance(side, float) or (isinstance(side, pd.Series) and pd.api.types.is_numeric_dtype(side))
