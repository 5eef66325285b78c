"""Tables for reading: a View of a result becomes lines and columns of text in the study's language.

How numbers are rounded stands in `numbers.py`.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from cxresearch.core.results import KEYS, View
from cxresearch.errors import name_some
from cxresearch.present.numbers import MISSING, Writer, write_decimals, write_interval, writer_of
from cxresearch.present.text import Text

_LEFT = ' style="text-align:left"'  # notebooks align every cell to the right


@dataclass(frozen=True, slots=True)
class Layout:
    """A table as it is read, with the numbers behind it.

    Attributes
    ----------
    title : heading in the study's language
    header : column headings, the first `stubs` of them over the labels of the lines
    rows : one tuple of texts a line, as long as the header
    notes : what stands under the table
    values : the same lines at full precision, the bounds of intervals as columns of their own
    """

    title: str
    header: tuple[str, ...]
    stubs: int
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    values: pd.DataFrame

    def html(self) -> str:
        """The <table>; a label that repeats from line to line is written once, over all its lines."""
        head = "".join(
            f'<th scope="col"{_LEFT if place < self.stubs else ""}>{escape(name)}</th>'
            for place, name in enumerate(self.header)
        )
        body = "".join(f"<tr>{self._html_cells(line)}</tr>\n" for line in range(len(self.rows)))
        return f'<table class="numbers">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>'

    def _html_cells(self, line: int) -> str:
        row, cells = self.rows[line], []
        for place, cell in enumerate(row):
            if place >= self.stubs:
                cells.append(f"<td>{escape(cell)}</td>")
            elif place == self.stubs - 1:
                cells.append(f'<th scope="row"{_LEFT}>{escape(cell)}</th>')
            elif line == 0 or self.rows[line - 1][: place + 1] != row[: place + 1]:
                span = self._lines_alike(line, place + 1)
                cells.append(f'<th scope="rowgroup" rowspan="{span}"{_LEFT}>{escape(cell)}</th>')
        return "".join(cells)

    def _lines_alike(self, line: int, depth: int) -> int:
        start = self.rows[line][:depth]
        return next((at for at, row in enumerate(self.rows[line:]) if row[:depth] != start), len(self.rows) - line)

    def __str__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(_width(line[place]) for line in lines) for place in range(len(self.header))]
        body = ["  ".join(_pad(cell, widths[at], at < self.stubs) for at, cell in enumerate(line)) for line in lines]
        return "\n".join(
            [self.title, "", *(line.rstrip() for line in body), *(["", *self.notes] if self.notes else [])]
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in self.notes)
        return f"<p><strong>{escape(self.title)}</strong></p>\n{self.html()}\n{notes}"


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its heading, the texts by line, and the numbers behind them by heading and line."""

    heading: str
    texts: dict[tuple[str, ...], str]
    numbers: dict[str, dict[tuple[str, ...], float]]


def lay_out(table: pd.DataFrame, view: View, key: str, text: Text) -> Layout:
    """Lay out a view of a result's table.

    Parameters
    ----------
    table : the rows of a result, COLUMNS of core/results.py
    view : which rows, and what becomes lines and columns
    key : the view's name, which is also that of its heading
    text : words of the study

    Raises
    ------
    ValueError
        If the view finds no row, or several numbers for one cell: then a key is missing from its `rows`.
    """
    rows = select(table, view)
    if rows.empty:
        raise ValueError(f"view `{key}` finds no row of {', '.join(view.quantities)}")
    keys = _line_keys(rows, view)
    rows = rows.assign(line=list(rows[keys].itertuples(index=False, name=None)))
    stubs = {row["line"]: tuple(_label(row, name, text) for name in keys) for row in rows.to_dict("records")}
    columns = _number_columns(rows, text) if view.columns == "numbers" else _quantity_columns(rows, view, text)
    columns += _count_column(rows, text)
    headings = [text.quantity(name, view=key) for name in keys]
    gap = MISSING if view.columns in ("quantity", "numbers") else ""  # a matrix may be a triangle
    return Layout(
        title=text.heading(key),
        header=(*headings, *(column.heading for column in columns)),
        stubs=len(keys),
        rows=tuple((*stub, *(column.texts.get(line, gap) for column in columns)) for line, stub in stubs.items()),
        notes=tuple(_notes(rows, columns, text)),
        values=_values(headings, stubs, columns),
    )


def select(table: pd.DataFrame, view: View) -> pd.DataFrame:
    """The rows of a view, in its order of quantities."""
    wanted = _words(view.method)
    fits = table["quantity"].isin(view.quantities) & table["method"].map(lambda method: wanted <= _words(method))
    order = {quantity: place for place, quantity in enumerate(view.quantities)}
    return table[fits].sort_values("quantity", key=lambda names: names.map(order), kind="stable")


def _words(method: str) -> set[str]:
    return set(method.replace(";", " ").split())


def _line_keys(rows: pd.DataFrame, view: View) -> list[str]:
    """The keys that tell lines apart; those blank everywhere are left out."""
    keys = [name for name in view.rows if name != view.columns and rows[name].ne("").any()]
    several = view.columns == "numbers" and rows["quantity"].nunique() > 1
    return [*keys, "quantity"] if several or not keys else keys


def _label(row: dict[str, Any], key: str, text: Text) -> str:
    """The label of a line or column; a value of a grouping column is looked up under that column."""
    code = str(row[key])
    if key == "quantity":
        return text.quantity(code)
    if key == "group" and f"{row['term']}={code}" in text.labels:
        return text.label(code, of=str(row["term"]))
    by = next((words.removeprefix("by ") for words in row["method"].split("; ") if words.startswith("by ")), "")
    return text.label(code, of=by) if by and key in ("group", "term") else text.label(code)


def _quantity_columns(rows: pd.DataFrame, view: View, text: Text) -> list[_Column]:
    """One column a quantity, or one a scale, term or group; estimates with their intervals."""
    across = view.columns if view.columns in KEYS else "quantity"
    columns = []
    for _, part in rows.groupby(across, sort=False):
        heading = _label(part.iloc[0].to_dict(), across, text)
        for words, same in _told_apart(part):
            columns.append(_estimates(same, " · ".join([heading, *map(text.label, words)]), rows, text))
    return columns


def _told_apart(rows: pd.DataFrame) -> Iterator[tuple[list[str], pd.DataFrame]]:
    """Rows whose lines repeat, by method, with the words that only this method has; else all rows and no words."""
    if not rows["line"].duplicated().any():
        yield [], rows
        return
    methods = {method: method.split("; ") for method in rows["method"].unique()}
    shared = set.intersection(*map(set, methods.values()))
    for method, words in methods.items():
        yield [word for word in words if word not in shared], rows[rows["method"] == method]


def _estimates(part: pd.DataFrame, heading: str, rows: pd.DataFrame, text: Text) -> _Column:
    """A column of estimates, each with its interval."""
    _refuse_repeated(part)
    quantity = part["quantity"].iloc[0]
    write = writer_of(quantity, rows.loc[rows["quantity"] == quantity, "estimate"])
    bounds = [write_interval(low, high, write) for low, high in zip(part["conf_low"], part["conf_high"], strict=True)]
    cells = [f"{write(value)} {ends}".rstrip() for value, ends in zip(part["estimate"], bounds, strict=True)]
    names = {"estimate": heading}
    if any(bounds):
        names |= {end: f"{heading} ({text.quantity(end)})" for end in ("conf_low", "conf_high")}
    numbers = {name: dict(zip(part["line"], part[column], strict=True)) for column, name in names.items()}
    return _Column(heading, dict(zip(part["line"], cells, strict=True)), numbers)


def _number_columns(rows: pd.DataFrame, text: Text) -> list[_Column]:
    """Estimate, standard error, interval, statistic, df and p side by side; those that no line has are left out."""
    _refuse_repeated(rows)
    one = rows["quantity"].nunique() == 1
    writers = {name: writer_of(name, part["estimate"]) for name, part in rows.groupby("quantity", sort=False)}
    columns = []
    for name in ("estimate", "std_error", "statistic", "df", "p_value"):
        if rows[name].notna().any():
            own = writer_of(name, rows[name])
            as_estimate = name in ("estimate", "std_error")
            heading = text.quantity(rows["quantity"].iloc[0] if one and name == "estimate" else name)
            cells = {
                line: (writers[quantity] if as_estimate else own)(value)
                for line, quantity, value in zip(rows["line"], rows["quantity"], rows[name], strict=True)
            }
            columns.append(_Column(heading, cells, {heading: dict(zip(rows["line"], rows[name], strict=True))}))
    ends = rows[["conf_low", "conf_high"]].notna().all(axis=1)
    if ends.any():
        columns.insert(2 if len(columns) > 1 and rows["std_error"].notna().any() else 1, _interval(rows, writers, text))
    return columns


def _interval(rows: pd.DataFrame, writers: dict[str, Writer], text: Text) -> _Column:
    bounds = zip(rows["line"], rows["quantity"], rows["conf_low"], rows["conf_high"], strict=True)
    cells = {line: write_interval(low, high, writers[quantity]) or MISSING for line, quantity, low, high in bounds}
    ends = {text.quantity(end): dict(zip(rows["line"], rows[end], strict=True)) for end in ("conf_low", "conf_high")}
    return _Column(text.quantity("interval"), cells, ends)


def _refuse_repeated(rows: pd.DataFrame) -> None:
    twice = rows[rows["line"].duplicated()]
    if len(twice):
        raise ValueError(
            f"several numbers for one cell: {name_some(twice['line'].unique())}; add a key to the view's rows"
        )


def _count_column(rows: pd.DataFrame, text: Text) -> list[_Column]:
    """How many rows stand behind each line, where lines differ in it but a line is of one mind."""
    counts = rows.groupby("line", sort=False)["n"]
    if not (counts.nunique() == 1).all() or rows["n"].nunique() == 1 or (rows["n"] == rows["estimate"]).all():
        return []
    sizes = counts.first().to_dict()
    return [_Column(text.quantity("n"), {line: write_decimals(n, 0) for line, n in sizes.items()}, {"n": sizes})]


def _notes(rows: pd.DataFrame, columns: list[_Column], text: Text) -> Iterator[str]:
    """What stands under the table: rows behind the numbers, what brackets mean, the choices made."""
    sizes = rows["n"].dropna()
    if len(sizes) and not any("n" in column.numbers for column in columns):
        low, high = (write_decimals(size, 0) for size in (sizes.min(), sizes.max()))
        yield text.note("table.n", n=low) if low == high else text.note("table.n_between", low=low, high=high)
    if any("[" in cell for column in columns for cell in column.texts.values()):
        yield text.note("table.brackets")
    methods = [method for method in rows["method"].unique() if method]
    if len(methods) == 1:
        yield text.note("table.method", method="; ".join(map(text.label, methods[0].split("; "))))


def _values(headings: list[str], stubs: dict[tuple[str, ...], tuple[str, ...]], columns: list[_Column]) -> pd.DataFrame:
    frame = pd.DataFrame(list(stubs.values()), columns=headings)
    for column in columns:
        for name, numbers in column.numbers.items():
            frame[name] = [numbers.get(line, float("nan")) for line in stubs]
    return frame


def _width(text: str) -> int:
    """Columns a text takes in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, width: int, left: bool) -> str:
    gap = " " * (width - _width(text))
    return text + gap if left else gap + text
