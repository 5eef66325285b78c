"""One page a run, run.html: what became of every notebook of every study."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cxresearch.present.html import reason_of, template, with_code
from cxresearch.present.outputs import write_whole
from cxresearch.present.text import Language, Text


def write_run_page(path: Path, report: Mapping[str, Any], language: Language = "en") -> Path:
    """Write the page of a run, which needs no network, no script and no other file.

    Parameters
    ----------
    report : what run.json says; links in it are relative to the page
    language : of the page; reasons are as they were said, unless the catalogue has them
    """
    text = Text(language)
    rows = [_row(row, text) for row in report["notebooks"]]
    content = template("run.html").render(
        text=text,
        began=_time(report["began"]),
        state=_state(report, text),
        counts=_counts(row["shown"] for row in rows),
        faults=report["faults"],
        failures=[row for row in rows if row["status"] == "failed"],
        studies=_studies(rows, report["studies"]),
        how=_how(report, text),
        measure=report["memory_measure"].lower(),
    )
    return write_whole(path, content.encode())


def duration(seconds: float) -> str:
    """How long something takes, for people.

    >>> duration(4.21), duration(59.96), duration(200), duration(7500)
    ('4.2 s', '1 min', '3 min 20 s', '2 h 5 min')
    """
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    small, large, units = (60, 3600, ("h", "min")) if seconds >= 3600 else (1, 60, ("min", "s"))
    whole, rest = divmod(round(seconds / small), large // small)
    return f"{whole} {units[0]}" + (f" {rest} {units[1]}" if rest else "")


def _row(row: Mapping[str, Any], text: Text) -> dict[str, Any]:
    """What the template needs of one notebook."""
    is_current = row["cached"] and row["status"] == "ok"
    why = with_code(reason_of(SimpleNamespace(**row), text))
    again = with_code(text.note("run.retried", why=row["retried"])) if row["retried"] else ""
    return {
        **row,
        "shown": "up_to_date" if is_current else row["status"].replace(" ", "_"),
        "why": why,
        "told": [words for words in (why, again) if words],
    }


def _counts(statuses: Iterable[str]) -> dict[str, int]:
    found = list(statuses)
    order = ("ok", "up_to_date", "skipped", "failed", "not_run")
    return {status: found.count(status) for status in order if status in found}


def _studies(rows: list[dict[str, Any]], studies: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    return [
        {**studies[name], "name": name, "rows": list(own)} for name, own in groupby(rows, key=lambda row: row["study"])
    ]


def _state(report: Mapping[str, Any], text: Text) -> str:
    """How the run ended, or that it has not."""
    began = _time(report["began"])
    if report["end"] is None:
        known = {"process": str(report["process"]), "host": report["host"]}  # a name, no count
        return text.note("run.not_ended", began=began, written=_time(report["written"]), **known)
    return text.note(f"run.{report['end'].replace(' ', '_')}", began=began, took=duration(report["seconds"]))


def _how(report: Mapping[str, Any], text: Text) -> dict[str, str]:
    none = text.axis("run.none")
    limit, timeout = report["memory"], report["timeout"]  # bytes and seconds, or None
    facts = {
        "process": f"{report['process']}, {report['host']}",
        "jobs": str(report["jobs"]),
        **({"workers": f"{report['workers']}, {report['scheduler']}"} if "scheduler" in report else {}),
        "kernels": text.axis("run.warm" if report["warm"] else "run.plain"),
        "timeout": f"{timeout:g} s" if timeout else none,
        "limit": f"{limit / 1e6:,.0f} MB" if limit else none,
    }
    return {text.axis(f"run.{name}"): value for name, value in facts.items()}


def _time(moment: str) -> str:
    """A moment as it is read: 2026-03-01 14:05:09.

    >>> _time("2026-03-01T14:05:09+01:00")
    '2026-03-01 14:05:09'
    """
    return moment[:19].replace("T", " ")
