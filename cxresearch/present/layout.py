"""A finished table: how it is written in a notebook, on a page, in a terminal."""

import unicodedata
from dataclasses import dataclass
from html import escape

import pandas as pd

_LONG = 24  # letters; columns of longer labels keep room for them beside many columns of numbers
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
    exact : the same lines at full precision, the bounds of intervals as columns of their own
    """

    title: str
    header: tuple[str, ...]
    stubs: int
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    exact: pd.DataFrame

    def html(self) -> str:
        """The <table>, if there is a line; a label that repeats from line to line is written once, over all its lines."""
        if not self.rows:
            return ""
        head = "".join(map(self._html_heading, range(len(self.header))))
        body = "".join(f"<tr>{self._html_cells(line)}</tr>\n" for line in range(len(self.rows)))
        return f'<table class="numbers">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>'

    def _html_heading(self, place: int) -> str:
        if place >= self.stubs:
            return f'<th scope="col">{escape(self.header[place])}</th>'
        long = ' class="long"' if max(_width(row[place]) for row in self.rows) > _LONG else ""
        return f'<th scope="col"{long}{_LEFT}>{escape(self.header[place])}</th>'

    def _html_cells(self, line: int) -> str:
        row, cells = self.rows[line], []
        for place, cell in enumerate(row):
            first = ' class="first"' if place == 0 else ""
            if place >= self.stubs:
                cells.append(f"<td{first}>{escape(cell)}</td>")
            elif place == self.stubs - 1:
                cells.append(f'<th scope="row"{first}{_LEFT}>{escape(cell)}</th>')
            elif line == 0 or self.rows[line - 1][: place + 1] != row[: place + 1]:
                span = self._lines_alike(line, place + 1)
                cells.append(f'<th scope="rowgroup" rowspan="{span}"{first}{_LEFT}>{escape(cell)}</th>')
        return "".join(cells)

    def _lines_alike(self, line: int, depth: int) -> int:
        start = self.rows[line][:depth]
        return next((at for at, row in enumerate(self.rows[line:]) if row[:depth] != start), len(self.rows) - line)

    def __str__(self) -> str:
        lines = [self.header, *self.rows] if self.rows else []
        widths = [max(_width(line[place]) for line in lines) for place in range(len(self.header))]
        body = ["  ".join(_pad(cell, widths[at], at < self.stubs) for at, cell in enumerate(line)) for line in lines]
        blocks = [self.title, "\n".join(line.rstrip() for line in body), "\n".join(self.notes)]
        return "\n\n".join(block for block in blocks if block)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in self.notes)
        return f"<p><strong>{escape(self.title)}</strong></p>\n{self.html()}\n{notes}"


def _width(text: str) -> int:
    """Columns a text takes in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, width: int, left: bool) -> str:
    gap = " " * (width - _width(text))
    return text + gap if left else gap + text
