"""The report of one notebook: what it says is shown, kept for the page and recorded."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxresearch.core.imputation import RUBIN
from cxresearch.core.results import KEYS, RECORD_COLUMNS, Finding, Result, choices
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError, name_some
from cxresearch.present.colophon import Reported, colophon_rows, make_colophon
from cxresearch.present.drawing import draw_figure
from cxresearch.present.outputs import assemble_results, clear_notebook, write_whole
from cxresearch.present.plots.style import apply_style
from cxresearch.present.tables import Layout, lay_out, select
from cxresearch.present.text import Text, use_text

SCREEN_DPI = 96  # CSS pixels an inch


@dataclass(frozen=True, slots=True)
class Callout:
    """Sentences that stand out from the text around them."""

    sentences: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        first, *more = (f"<p>{escape(sentence)}</p>" for sentence in self.sentences)
        style = "border-left:4px solid #0072b2; padding:.1em 1em; margin:.5em 0"
        return f'<div style="{style}"><strong>{first}</strong>{"".join(more)}</div>'


def start_report(study: Reported, notebook: str, output_dir: str | Path) -> "Report":
    """Begin the report of a notebook, in the study's language; what an earlier run of it wrote is removed.

    Parameters
    ----------
    study : the study reported on
    notebook : name of the notebook without ending, as "01_reliability"; names all that it writes
    output_dir : everything goes to output_dir/<study>

    Raises
    ------
    InputError
        If the name of the notebook has another form.
    """
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", notebook):
        raise InputError(
            "`notebook` must be two digits and a name in small letters",
            f"found {notebook!r}",
            'Give the name of the notebook without its ending, as "01_reliability".',
        )
    text = Text(study.language, study.labels)
    use_text(text)
    apply_style()
    folder = Path(output_dir) / study.name
    clear_notebook(folder, notebook)
    return Report(study, notebook, folder, text)


class Report:
    """What one notebook says of a study.

    Tables and figures are written as they are shown. Records, page and results.csv are written by `finish` only: a notebook that
    fails half-way leaves no half a record.
    """

    def __init__(self, study: Reported, notebook: str, folder: Path, text: Text) -> None:
        self.study, self.notebook, self.folder, self.text = study, notebook, folder, text
        self._entries: dict[tuple[str, ...], dict[str, Any]] = {}  # shown again = shown anew, in the same place
        self._results: dict[int, Result] = {}

    def table(self, result: Result, view: str | None = None, *, of: str = "") -> Layout:
        """Show a view of a result, the first one by default; written to tables/ at full precision.

        The same view of several results needs `of`, the code of what tells them apart, as a grouping column.

        Raises
        ------
        InputError
            If the result has no such view.
        """
        key = view or next(iter(result.views), "")
        if key not in result.views:
            raise InputError(
                f"`view` must be one of {name_some(result.views, 20) or 'no views'}",
                f"found {key!r}",
                "Choose one of these.",
            )
        layout = lay_out(result.table, result.views[key], key, self.text)
        layout = replace(layout, notes=_notes_of(result, key, layout, self.text))
        if of:
            layout = replace(layout, title=f"{layout.title} · {self.text.label(of)}")
        self.layout(layout, key, of=of)
        self._record(result)
        return layout

    def layout(self, layout: Layout, key: str, *, of: str = "") -> Layout:
        """Show a table that is laid out already; written as those of results."""
        name = re.sub(r"[^\w-]+", "_", f"{key}_{of}" if of else key)
        path = f"tables/{self.notebook}_{name}.csv"
        content = layout.exact.to_csv(index=False, lineterminator="\n")
        write_whole(self.folder / path, content.encode("utf-8-sig"))  # the mark lets spreadsheets read Chinese
        self._keep("table", key, of, title=layout.title, html=layout.html(), notes=layout.notes, file=path)
        return layout

    def figure(self, drawn: Axes | Figure | Sequence[Axes], name: str, **values: Any) -> Image:
        """Show a figure under the heading `name`; written to figures/ as .png and .svg."""
        title = self.text.heading(name, **values)
        figure = _figure_of(drawn)
        path = f"figures/{self.notebook}_{name.replace('.', '_')}"
        png, svg = self.folder / f"{path}.png", self.folder / f"{path}.svg"
        width = round(figure.get_size_inches()[0] * SCREEN_DPI)
        picture, lines = draw_figure(figure)
        plt.close(figure)  # or the notebook shows it a second time
        png.write_bytes(picture)
        svg.write_bytes(lines)
        self._keep("figure", name, title=title, png=f"{path}.png", file=f"{path}.svg", width=width)
        return Image(data=picture, width=width, alt=title)

    def finding(self, found: Result | Finding) -> Callout:
        """Say what was found, with the rule that it was judged by; where it rests on few respondents, that first."""
        finding = found.finding() if isinstance(found, Result) else found
        first, *more = self.text.sentences(finding)
        rules = _rules(finding)
        if isinstance(found, Result):
            self._record(found)
            if found.is_small:
                rules.append(RULES["few_rows"])
                first = self.text.note("report.few_rows", n=found.n_used, rule=rules[-1], said=first)
        sentences = (first, *more)
        sources = {rule.citation: rule.source for rule in rules}
        self._keep("finding", finding.key, sentences[0], sentences=sentences, rules=sources)
        return Callout(sentences)

    def note(self, key: str, **values: Any) -> Callout:
        """Say a sentence of the catalogue's `notes`."""
        sentence = self.text.note(key, **values)
        self._keep("note", key, sentence, sentences=(sentence,))
        return Callout((sentence,))

    def finish(self) -> pd.DataFrame:
        """End the report: write records/, pages/ and results.csv; show how the numbers were made."""
        colophon = make_colophon(self.study, [result.n_used for result in self._results.values()])
        page = {"notebook": self.notebook, "entries": list(self._entries.values()), "colophon": asdict(colophon)}
        records = self._records().to_csv(index=False, lineterminator="\n")
        write_whole(self.folder / "records" / f"{self.notebook}.csv", records.encode())
        content = json.dumps(page, ensure_ascii=False, indent=1, default=str)
        write_whole(self.folder / "pages" / f"{self.notebook}.json", content.encode())
        assemble_results(self.folder)
        names = [self.text.axis("colophon.what"), self.text.axis("colophon.value")]
        return pd.DataFrame(colophon_rows(colophon, self.text), columns=names).set_index(names[0])

    def _keep(self, kind: str, *key: str, **content: Any) -> None:
        self._entries[(kind, *key)] = {"kind": kind, "name": key[0], **content}

    def _record(self, result: Result) -> None:
        self._results[id(result)] = result

    def _records(self) -> pd.DataFrame:
        """The rows of results.csv; a number that was computed again replaces the earlier one."""
        parts = [result.records() for result in self._results.values()]
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(RECORD_COLUMNS))
        rows = rows.drop_duplicates([*KEYS, "method"], keep="last") if parts else rows
        return rows.assign(study=self.study.name, notebook=self.notebook)[list(RECORD_COLUMNS)]


def _notes_of(result: Result, view: str, layout: Layout, text: Text) -> tuple[str, ...]:
    """What stands under a table: how to read it, how missing answers were treated, what is not in it; if empty, only why."""
    absent = [text.note(key) for key in result.reservations(view)]
    if not layout.rows:
        return tuple(absent) or layout.notes
    return (*layout.notes, *_missing_notes(result, select(result.table, result.views[view]), text), *absent)


def _missing_notes(result: Result, rows: pd.DataFrame, text: Text) -> list[str]:
    """How missing answers were treated in the rows of a table, and how many respondents that concerns."""
    if not result.missing_policy or not (result.n_incomplete or result.n_dropped):
        return []
    pooled = [RUBIN in choices(method) for method in rows["method"]]
    policy = "drop" if not result.n_incomplete else "impute" if all(pooled) else "em"
    counts = {"n_used": result.n_used, "n_incomplete": result.n_incomplete, "n_dropped": result.n_dropped}
    total = result.n_used + result.n_dropped
    said = [text.note(f"table.missing_{policy}", **counts, total=total, iterations=result.iterations)]
    elsewhere = result.missing_policy == "impute" and policy == "em"
    return [*said, text.note("table.imputed_elsewhere")] if elsewhere else said


def _figure_of(drawn: Any) -> Figure:
    """The figure itself, or that of axes, of an array of axes, of a seaborn grid."""
    if isinstance(drawn, Figure):
        return drawn
    one = drawn if hasattr(drawn, "figure") else next(iter(getattr(drawn, "flat", drawn)))
    return one.figure.get_figure(root=True)


def _rules(finding: Finding) -> list[Any]:
    """The rules of a finding, of its cautions and of the findings within its sentence."""
    own = [finding.rule] if finding.rule else []
    inner = [value for value in finding.values.values() if isinstance(value, Finding)]  # noqa: PD011  (a mapping)
    return own + [rule for one in (*finding.cautions, *inner) for rule in _rules(one)]
