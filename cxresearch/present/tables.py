"""Tables for reading: a View of a result becomes lines and columns of text in the study's language.

How numbers are rounded stands in `numbers.py`.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from math import isnan
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from cxresearch.core.results import PAIR, View
from cxresearch.present.layout import Layout
from cxresearch.present.numbers import CATEGORIES, COUNTS, MISSING, Writer, write_decimals, write_interval, writer_of
from cxresearch.present.text import Text

T = TypeVar("T")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")

Line = tuple[str, ...]  # codes that tell a line from the others
Row = dict[Hashable, Any]  # one number of the table, by column
Exact = float | int | str  # as a file holds it


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its heading, the texts by line, and the numbers behind them by heading and line."""

    heading: str
    texts: dict[Line, str]
    numbers: dict[str, dict[Line, Exact]]


def lay_out(table: pd.DataFrame, view: View, key: str, text: Text) -> Layout:
    """Lay out a view of a result's table; a view that finds no row says so.

    Parameters
    ----------
    table : the rows of a result, COLUMNS of core/results.py
    view : which rows, and what becomes lines and columns
    key : the view's name, which is also that of its heading
    text : words of the study

    Raises
    ------
    ValueError
        If the view finds several numbers for one cell: then a key is missing from its `rows`.
    """
    chosen = select(table, view)
    if chosen.empty:
        return Layout(text.heading(key), (), 0, (), (text.note("table.empty"),), pd.DataFrame(columns=list(view.rows)))
    keys = _line_keys(chosen, view)
    rows: list[Row] = [{**row, "line": tuple(row[name] for name in keys)} for row in chosen.to_dict("records")]
    stubs = {row["line"]: tuple(_label(row, name, text) for name in keys) for row in rows}
    columns = _number_columns(rows, text) if view.columns == "numbers" else _quantity_columns(rows, view, keys, text)
    columns += _count_column(rows, text)
    headings = [text.quantity(name, view=key) for name in keys]
    gap = MISSING if view.columns in ("quantity", "numbers") else ""  # a matrix may be a triangle
    return Layout(
        title=text.heading(key),
        header=(*headings, *(column.heading for column in columns)),
        stubs=len(keys),
        rows=tuple((*stub, *(column.texts.get(line, gap) for column in columns)) for line, stub in stubs.items()),
        notes=tuple(_notes(rows, columns, keys, text)),
        exact=_exact(headings, stubs, columns),
    )


def select(table: pd.DataFrame, view: View) -> pd.DataFrame:
    """The rows of a view, in its order of quantities."""
    wanted = {word for word in _words(view.method) if not word.startswith("-")}
    unwanted = {word.removeprefix("-") for word in _words(view.method) - wanted}
    places, methods = pd.factorize(table["method"])
    said = np.array([wanted <= words and not unwanted & words for words in map(_words, methods)], dtype=bool)[places]
    order = {quantity: place for place, quantity in enumerate(view.quantities)}
    places, quantities = pd.factorize(table["quantity"])
    ranks = np.array([order.get(quantity, -1) for quantity in quantities], dtype=int)[places]
    rows = np.flatnonzero(said & (ranks >= 0))
    return table.iloc[rows[np.argsort(ranks[rows], kind="stable")]]


def _words(method: str) -> set[str]:
    return set(method.replace(";", " ").split())


def _line_keys(chosen: pd.DataFrame, view: View) -> list[str]:
    """The keys that tell lines apart; those blank everywhere are left out."""
    keys = [name for name in view.rows if name != view.columns and chosen[name].ne("").any()]
    several = view.columns == "numbers" and len(set(chosen["quantity"])) > 1
    return [*keys, "quantity"] if several or not keys else keys


def _label(row: Row, key: str, text: Text) -> str:
    """The label of a line or column; a value of a grouping column is looked up under that column."""
    code = row[key]
    if not code:
        return text.label("the whole")
    if key == "quantity":
        return text.quantity(code)
    if key == "method":
        return text.method(code)
    if key == "group" and f"{row['term']}={code}" in text.labels:
        return text.label(code, of=row["term"])
    by = next((words.removeprefix("by ") for words in row["method"].split("; ") if words.startswith("by ")), "")
    of_groups = key == "group" or (
        key == "term" and (PAIR in code or f"{by}={code}" in text.labels)
    )  # a term may be an item
    return text.label(code, of=by) if by and of_groups else text.label(code)


def _quantity_columns(rows: list[Row], view: View, keys: list[str], text: Text) -> list[_Column]:
    """One column a quantity, or one a scale, term or group; estimates with their intervals."""
    if "quantity" in keys:  # nothing else tells the lines apart: quantities stand below each other
        return [_estimates(rows, text.quantity("estimate"), rows, text)]
    across = view.columns
    columns = []
    for code in _in_order([row[across] for row in rows]):
        part = [row for row in rows if row[across] == code]
        for words, same in _told_apart(part):
            heading = " · ".join([_label(part[0], across, text), *map(text.label, words)])
            columns.append(_estimates(same, heading, rows, text))
    return columns


def _in_order(codes: list[str]) -> list[str]:
    """Distinct codes: numbers by size, words as they come."""
    distinct = list(dict.fromkeys(codes))
    return sorted(distinct, key=float) if all(_NUMBER.fullmatch(code) for code in distinct) else distinct


def _told_apart(rows: list[Row]) -> Iterator[tuple[list[str], list[Row]]]:
    """Rows whose lines repeat, by method, with the words that only this method has; else all rows and no words."""
    if len({row["line"] for row in rows}) == len(rows):
        yield [], rows
        return
    methods = {method: method.split("; ") for method in dict.fromkeys(row["method"] for row in rows)}
    shared = set.intersection(*map(set, methods.values()))
    for method, words in methods.items():
        yield [word for word in words if word not in shared], [row for row in rows if row["method"] == method]


def _estimates(part: list[Row], heading: str, rows: list[Row], text: Text) -> _Column:
    """A column of estimates, each with its interval."""
    write = _writers(rows, text)
    bounds = _by_line(part, lambda row: write_interval(row["conf_low"], row["conf_high"], write[row["quantity"]]))
    texts = _by_line(part, lambda row: f"{write[row['quantity']](row['estimate'])} {bounds[row['line']]}".rstrip())
    ends = ("conf_low", "conf_high") if any(bounds.values()) else ()
    numbers = {heading: _by_line(part, partial(_exact_cell, "estimate", text))}
    numbers |= {f"{heading} ({text.quantity(end)})": _by_line(part, partial(_exact_cell, end, text)) for end in ends}
    return _Column(heading, texts, numbers)


def _number_columns(rows: list[Row], text: Text) -> list[_Column]:
    """Estimate, standard error, interval, statistic, df and p side by side; those that no line has are left out."""
    writers = _writers(rows, text)
    columns = []
    for name in ("estimate", "std_error", "interval", "statistic", "df", "p_value"):
        if name == "interval":
            columns += _interval_column(rows, writers, text)
        elif not all(isnan(row[name]) for row in rows) and not (name == "statistic" and _repeats_estimate(rows)):
            own = writer_of(name, [row[name] for row in rows])
            as_estimate = name in ("estimate", "std_error")
            heading = text.quantity(rows[0]["quantity"] if name == "estimate" and len(writers) == 1 else name)
            texts = {row["line"]: (writers[row["quantity"]] if as_estimate else own)(row[name]) for row in rows}
            exact = partial(_exact_cell, name, text) if name == "estimate" else itemgetter(name)
            columns.append(_Column(heading, texts, {heading: _by_line(rows, exact)}))
    return columns


def _repeats_estimate(rows: list[Row]) -> bool:
    """Whether the statistics are the estimates themselves, as for a chi-square."""
    return all(row["statistic"] == row["estimate"] for row in rows if not isnan(row["statistic"]))


def _interval_column(rows: list[Row], writers: dict[str, Writer], text: Text) -> list[_Column]:
    texts = {row["line"]: write_interval(row["conf_low"], row["conf_high"], writers[row["quantity"]]) for row in rows}
    ends = {text.quantity(end): _by_line(rows, itemgetter(end)) for end in ("conf_low", "conf_high")}
    shown = {line: bounds or MISSING for line, bounds in texts.items()}
    return [_Column(text.quantity("interval"), shown, ends)] if any(texts.values()) else []


def _count_column(rows: list[Row], text: Text) -> list[_Column]:
    """How many rows stand behind each line, where lines differ in it but each line has one number."""
    pairs = {(row["line"], row["n"]) for row in rows}
    lines, sizes = {line for line, _ in pairs}, {size for _, size in pairs}
    if len(pairs) > len(lines) or len(sizes) == 1 or any(isnan(size) for size in sizes):
        return []
    counts = {row["line"]: row["n"] for row in rows}
    heading = text.quantity("n")
    exact = {line: _exactly("n", n, text) for line, n in counts.items()}
    return [_Column(heading, {line: write_decimals(n, 0) for line, n in counts.items()}, {heading: exact})]


def _notes(rows: list[Row], columns: list[_Column], keys: list[str], text: Text) -> Iterator[str]:
    """What stands under the table: rows behind the numbers, what brackets mean, the choices made."""
    sizes = [row["n"] for row in rows if not isnan(row["n"])]
    if sizes and columns[-1].heading != text.quantity("n"):
        low, high = (write_decimals(size, 0) for size in (min(sizes), max(sizes)))
        yield text.note("table.n", n=low) if low == high else text.note("table.n_between", low=low, high=high)
    if any("[" in cell for column in columns for cell in column.texts.values()):
        yield text.note("table.brackets")
    if "method" not in keys:
        yield from _method_notes(rows, text)


def _method_notes(rows: list[Row], text: Text) -> Iterator[str]:
    """The choices made, once if they are the same for all, else by quantity; those in column headings are not repeated."""
    methods: dict[str, set[str]] = {}
    for row in rows:
        methods.setdefault(row["quantity"], set()).add(row["method"])
    single = {name: next(iter(found)).split("; ") for name, found in methods.items() if len(found) == 1}
    shared = [word for word in next(iter(single.values()), []) if all(word in words for words in single.values())]
    if len(single) < len(methods):
        shared = []
    said: dict[str, list[str]] = {}
    for name, words in single.items():
        own = "; ".join(word for word in words if word not in shared)
        said.setdefault(text.method(own), []).append(text.quantity(name))
    for words_said, quantities in said.items():
        if words_said:
            yield text.note("table.method_of", quantity=text.listed(quantities), method=words_said)
    if any(shared):
        yield text.note("table.method", method=text.method("; ".join(shared)))


def _writers(rows: list[Row], text: Text) -> dict[str, Writer]:
    """How to write the estimates of each quantity; categories by their names in the catalogue's `codes`."""
    values: dict[str, list[float]] = {}
    intervals: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        values.setdefault(row["quantity"], []).append(row["estimate"])
        intervals.setdefault(row["quantity"], []).append((row["conf_low"], row["conf_high"]))
    named = {name: partial(_name, name, text) for name in values if name in CATEGORIES}
    return {name: writer_of(name, numbers, intervals[name]) for name, numbers in values.items()} | named


def _name(quantity: str, text: Text, value: float) -> str:
    return MISSING if isnan(value) else text.label(f"{quantity}.{value:.0f}")


def _by_line(rows: list[Row], value: Callable[[Row], T]) -> dict[Line, T]:
    found: dict[Line, T] = {}
    for row in rows:
        if row["line"] in found:
            raise ValueError(f"several numbers for {row['quantity']} of {row['line']}; add a key to the view's `rows`")
        found[row["line"]] = value(row)
    return found


def _exact(headings: list[str], stubs: dict[Line, Line], columns: list[_Column]) -> pd.DataFrame:
    numbers = {name: column.numbers[name] for column in columns for name in column.numbers}
    exact = {name: _as_column([found.get(line, float("nan")) for line in stubs]) for name, found in numbers.items()}
    return pd.concat([pd.DataFrame(list(stubs.values()), columns=headings), pd.DataFrame(exact)], axis=1)


def _as_column(values: list[Exact]) -> pd.Series:
    kind = None if all(isinstance(value, float) for value in values) else object  # else 302 would become 302.0
    return pd.Series(values, dtype=kind)


def _exact_cell(column: str, text: Text, row: Row) -> Exact:
    return _exactly(row["quantity"], row[column], text)


def _exactly(quantity: str, value: float, text: Text) -> Exact:
    """A number at full precision as a file holds it: categories by their names, counts without a decimal point."""
    if quantity in CATEGORIES:
        return _name(quantity, text, value)
    whole = quantity in COUNTS or quantity == "rank"
    return int(value) if whole and float(value).is_integer() else value
