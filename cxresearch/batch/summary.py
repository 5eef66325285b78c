"""The summary over studies: one page, one table of all its numbers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from cxresearch.batch.collect import Collection, collect
from cxresearch.batch.freshness import hash_file
from cxresearch.batch.lock import InUseError
from cxresearch.batch.outcome import not_written
from cxresearch.batch.outputs import destination
from cxresearch.core.results import choices
from cxresearch.errors import InputError
from cxresearch.methods.copies import find_copies
from cxresearch.methods.headline import pick_headlines
from cxresearch.methods.meta import Transform, pool_studies
from cxresearch.methods.reliability_rows import ALL
from cxresearch.methods.study_ranks import rank_studies
from cxresearch.present.layout import Layout
from cxresearch.present.plots.summary import plot_pooled
from cxresearch.present.report import Report, start_report
from cxresearch.present.site import write_page
from cxresearch.present.text import Text
from cxresearch.study.urls import Place

NAME = "summary"


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a report must know of what it reports on."""

    name: str
    title: str
    aim: str
    language: Literal["en", "zh"]
    labels: dict[str, str]
    seed: int
    files: dict[str, Path]

    def fingerprints(self) -> dict[str, str]:
        return {name: hash_file(path) for name, path in self.files.items()}


@dataclass(frozen=True, slots=True)
class _Pooled:
    """What is pooled: rows of results.csv, the page section they go to, and how."""

    section: str
    quantity: str
    notebook: str
    methods: tuple[str, ...]
    transform: Transform = "none"


_POOLED = (
    _Pooled("21_pooled_reliability", "alpha", "01_reliability", ("",), "log_complement"),
    _Pooled("22_pooled_loadings", "standardized_loading", "03_confirmatory", ("mlr", "ml")),
    _Pooled("23_pooled_drivers", "beta", "06_service_drivers", ("ols",)),
    _Pooled("24_pooled_slopes", "coefficient", "06_service_drivers", ("ols",)),
)
_RANKED = (
    _Pooled("25_outcome_ranks", "construct_score", "06_service_drivers", ("mean, 0 to 100",)),
    _Pooled("26_performance_ranks", "performance", "06_service_drivers", ("mean, 0 to 100",)),
    _Pooled("27_r_squared_ranks", "r_squared", "06_service_drivers", ("ols",)),
)


def write_summary(outputs: Place, *, language: Literal["en", "zh"] | None = None) -> Place:
    """Write `summary/index.html`, its tables, figures and results.csv into a folder of studies' outputs.

    Parameters
    ----------
    outputs : the folder or URL given to `cxresearch run --outputs`
    language : of the summary; by default Chinese where every study's page is, else English

    Returns
    -------
    The page, as its user finds it.

    Raises
    ------
    InputError
        If no study has been run there, one is named summary, the place cannot be read or written to, or another summary is
        being written there.
    """
    with destination(outputs) as goal:
        found = collect(goal)
        if NAME in found.outcomes:
            raise InputError(f"no study may be named {NAME!r}", f"found {goal.place / NAME}", "Rename the study.")
        try:
            with goal.hold(NAME):
                page = _write(found, language)
                goal.replace(NAME)
        except InUseError as error:
            raise InputError("one summary at a time is written", f"found that {error}", "Wait for it.") from error
        except OSError as error:
            raise InputError(not_written(found.outputs / NAME, error)) from error
        return goal.shown(page)


def _write(found: Collection, language: Literal["en", "zh"] | None) -> Path:
    copies = find_copies(pd.concat([_rows(found, wanted) for wanted in _POOLED])) | found.copied
    subject = _subject(found, language, len(found.languages) - len(copies))
    _overview(found, subject, copies)
    for wanted in _POOLED:
        _pool(found, wanted, subject, copies)
    for wanted in _RANKED:
        _rank(found, wanted, subject, copies)
    return write_page(subject, found.outputs / NAME)


def _subject(found: Collection, language: Literal["en", "zh"] | None, n_studies: int) -> _Subject:
    language = language or ("zh" if set(found.languages.values()) == {"zh"} else "en")
    text = Text(language)
    title = text.heading("summary.title", n=n_studies)
    return _Subject(NAME, title, text.note("summary.aim"), language, {}, 0, found.files)


def _overview(found: Collection, subject: _Subject, copies: Mapping[str, str]) -> None:
    report = start_report(subject, "20_studies", found.outputs)
    headlines = pick_headlines(found.results, copies=copies)
    report.finding(headlines)
    report.table(headlines)
    report.layout(_failures(found, report.text), "failures")
    if found.unfinished:
        report.note("summary.unfinished", studies=", ".join(found.unfinished))
    report.finish()


def _pool(found: Collection, wanted: _Pooled, subject: _Subject, copies: Mapping[str, str]) -> None:
    with _section(found, wanted, subject) as report:
        pooled = pool_studies(_rows(found, wanted), transform=wanted.transform, copies=copies)
        report.finding(pooled)
        report.table(pooled, "pooled")
        report.figure(plot_pooled(pooled), "pooled_studies")
        report.table(pooled, "pooled_studies")


def _rank(found: Collection, wanted: _Pooled, subject: _Subject, copies: Mapping[str, str]) -> None:
    with _section(found, wanted, subject) as report:
        ranks = rank_studies(_rows(found, wanted), transform=wanted.transform, copies=copies)
        report.finding(ranks)
        report.table(ranks)


@contextmanager
def _section(found: Collection, wanted: _Pooled, subject: _Subject) -> Iterator[Report]:
    """A section of the page; where studies share nothing, it says so."""
    report = start_report(subject, wanted.section, found.outputs)
    try:
        yield report
    except InputError:
        report.note("summary.nothing_shared")
    report.finish()


def _rows(found: Collection, wanted: _Pooled) -> pd.DataFrame:
    """One row a study and number, by the first of the wanted methods that the study has."""
    rows = found.pick(wanted.quantity, wanted.notebook)
    rows = rows[rows["scale"] != ALL]  # other studies have other items
    parts = [rows.loc[[choices(method) <= choices(words) for words in rows["method"]]] for method in wanted.methods]
    fitting = pd.concat(parts)  # those of the first method first
    return fitting.drop_duplicates(["study", "scale", "term"]).sort_index()


def _failures(found: Collection, text: Text) -> Layout:
    """The notebooks that failed the last time they ran, and why."""
    failed = [each for outcomes in found.outcomes.values() for each in outcomes if each.status == "failed"]
    columns = {
        "summary.study": [each.study for each in failed],
        "summary.notebook": [each.notebook for each in failed],
        "summary.reason": [each.reason for each in failed],
    }
    exact = pd.DataFrame({text.axis(key): values for key, values in columns.items()})
    notes = () if failed else (text.note("summary.none_failed"),)
    rows = tuple(exact.itertuples(index=False, name=None))
    return Layout(text.heading("failures"), tuple(exact.columns), len(exact.columns), rows, notes, exact)
