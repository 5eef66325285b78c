"""The comparison of a row filter as an expression over a table that is not in memory: the same meaning as in `filters`."""

import operator
from collections.abc import Callable
from typing import Any

import narwhals as nw
import pandas as pd

from cxresearch.errors import InputError
from cxresearch.study.codes import BLANKS, code_of

_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compared(schema: nw.Schema, left: tuple[str, Any], sign: str, right: tuple[str, Any]) -> tuple[nw.Expr, nw.Expr]:
    """Where the comparison holds, and where it does not; neither where something is missing.

    Parameters
    ----------
    left, right : ("column", its name) or ("value", a number or text)

    Raises
    ------
    InputError
        If numbers and words are put in order, or a column of numbers is compared with one of words.
    """
    kinds = [_kind_of(schema, side) for side in (left, right)]
    columns = [name for side, name in (left, right) if side == "column"]
    known = _all(_is_known(name, schema) for name in columns)
    if kinds[0] == kinds[1]:
        made = [_plain(schema, side, kind) for side, kind in zip((left, right), kinds, strict=True)]
    elif "date" in kinds and len(columns) == 1:
        made = [_as_date(side) for side in (left, right)]
    elif sign in ("==", "!=") and len(columns) == 1:
        made = [_as_code(schema, side) for side in (left, right)]
    else:
        raise InputError(
            f"`{sign}` needs two numbers or two texts",
            f"found {kinds[0]} on one side and {kinds[1]} on the other ({', '.join(columns)})",
            "Write the value as the column has it.",
        )
    holds = _SIGNS[sign](*made)
    return known & holds, known & ~holds


def _kind_of(schema: nw.Schema, side: tuple[str, Any]) -> str:
    if side[0] == "value":
        return "number" if isinstance(side[1], float) else "text"
    kind = schema[side[1]]
    if kind.is_numeric():
        return "number"
    return "date" if kind.is_temporal() else "truth" if kind == nw.Boolean else "text"


def _is_known(name: str, schema: nw.Schema) -> nw.Expr:
    column = nw.col(name)
    if schema[name] == nw.String:
        return ~column.is_null() & (column.str.strip_chars(BLANKS) != "")
    return ~column.is_null() & ~column.is_nan() if schema[name].is_float() else ~column.is_null()


def _plain(schema: nw.Schema, side: tuple[str, Any], kind: str) -> Any:
    if side[0] == "value":
        return nw.lit(side[1])
    return nw.col(side[1]).str.strip_chars(BLANKS) if kind == "text" else nw.col(side[1])


def _as_date(side: tuple[str, Any]) -> Any:
    return nw.col(side[1]) if side[0] == "column" else nw.lit(moment_of(side[1]).to_pydatetime())


def moment_of(value: Any) -> pd.Timestamp:
    """A value of a filter as the date that it stands for.

    Raises
    ------
    InputError
        If it stands for none.
    """
    try:
        return pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise InputError(
            "a date must be compared with a date", f"found '{value}'", "Write it as '2026-06-30'."
        ) from error


def _as_code(schema: nw.Schema, side: tuple[str, Any]) -> Any:
    """A side as text code: 1, 1.0 and "1" are the same."""
    if side[0] == "value":
        return nw.lit(code_of(side[1]))
    column, kind = nw.col(side[1]), schema[side[1]]
    if kind == nw.Boolean:
        return nw.when(column).then(nw.lit("true")).otherwise(nw.lit("false"))
    if not kind.is_float():
        return column.cast(nw.String).str.strip_chars(BLANKS)
    whole = column.round(0)
    return nw.when(whole == column).then(whole.cast(nw.Int64).cast(nw.String)).otherwise(column.cast(nw.String))


def _all(conditions: Any) -> nw.Expr:
    first, *rest = conditions
    for condition in rest:
        first = first & condition
    return first
