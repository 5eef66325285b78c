"""One readable page a study, index.html: findings first, then tables and figures, then how it was made."""

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Literal

from cxresearch.present.colophon import Reported
from cxresearch.present.html import Outcome, reason_of, template, with_code
from cxresearch.present.outputs import write_whole
from cxresearch.present.text import Text, catalogue

FIRST_ANSWER = (
    4  # notebooks 00 to 03 ask how good data and measurement are; from 04 on they answer the study's questions
)

HEAD = 200  # bytes of a page that tell its language


def write_page(study: Reported, folder: Path, outcomes: Sequence[Outcome] = ()) -> Path:
    """Write index.html from what the notebooks of a study have left in pages/.

    The page needs no network, no script and no other file: figures stand inside it. It links to the tables, figures and notebooks
    beside it.

    Parameters
    ----------
    study : gives title, aim and language
    folder : outputs of the study
    outcomes : what became of the notebooks of the last run; skipped and failed ones are listed with their reasons
    """
    text = Text(study.language)
    notebooks = [_notebook(page, folder, text) for page in _pages(folder)]
    _number(notebooks)
    shown = {notebook["name"] for notebook in notebooks}
    content = template("page.html").render(
        text=text,
        title=study.title,
        aim=study.aim,
        notebooks=notebooks,
        finding_groups=_finding_groups(notebooks, text),
        left_out=[_left_out(one, folder, text) for one in outcomes if one.status != "ok" and one.notebook not in shown],
        made=_made(notebooks),
        results="results.csv" if (folder / "results.csv").exists() else "",
    )
    return write_whole(folder / "index.html", content.encode())


def language_of(folder: Path) -> Literal["en", "zh"]:
    """The language of the page in a folder, of which the first `HEAD` bytes are enough; English where there is none."""
    try:
        with (folder / "index.html").open("rb") as page:
            return "zh" if b'lang="zh' in page.read(HEAD) else "en"
    except FileNotFoundError:
        return "en"


def _pages(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "pages").glob("*.json"))]


def _notebook(page: dict[str, Any], folder: Path, text: Text) -> dict[str, Any]:
    """What the template needs of one notebook."""
    name = page["notebook"]
    entries = [
        {**entry, "source": _embedded(folder / entry["png"])} if "png" in entry else entry for entry in page["entries"]
    ]
    return {
        **page,
        "name": name,
        "title": _title(name, text),
        "entries": entries,
        "findings": [entry for entry in entries if entry["kind"] == "finding"],
        "executed": _executed(folder, name),
    }


def _title(name: str, text: Text) -> str:
    """The notebook's title, or its name in words where the catalogue has none."""
    key = f"notebook.{name}"
    return text.heading(key) if key in catalogue()["headings"] else name[3:].replace("_", " ").capitalize()


def _executed(folder: Path, name: str) -> str:
    """The executed notebook beside the page; "" if there is none."""
    found = sorted(folder.glob(f"{name}*.ipynb"))
    return found[0].name if found else ""


def _embedded(png: Path) -> str:
    return "data:image/png;base64," + b64encode(png.read_bytes()).decode()


def _number(notebooks: Iterable[dict[str, Any]]) -> None:
    """Number tables and figures through the page."""
    counters = {"table": count(1), "figure": count(1)}
    for notebook in notebooks:
        for entry in notebook["entries"]:
            if entry["kind"] in counters:
                entry["number"] = next(counters[entry["kind"]])


def _finding_groups(notebooks: list[dict[str, Any]], text: Text) -> list[dict[str, Any]]:
    """The findings of the notebooks that answer the study's questions, then those on data and measurement."""
    said = [notebook for notebook in notebooks if notebook["findings"]]
    answers = [notebook for notebook in said if int(notebook["name"][:2]) >= FIRST_ANSWER]
    quality = [notebook for notebook in said if notebook not in answers]
    groups = {"page.answers": answers, "page.quality": quality}
    return [{"title": text.heading(key), "notebooks": members} for key, members in groups.items() if members]


def _left_out(outcome: Outcome, folder: Path, text: Text) -> dict[str, str]:
    return {
        "title": _title(outcome.notebook, text),
        "status": text.heading(f"page.{outcome.status}"),
        "failed": "failed" if outcome.status == "failed" else "",
        "reason": with_code(reason_of(outcome, text)),
        "executed": _executed(folder, outcome.notebook),
    }


def _made(notebooks: list[dict[str, Any]]) -> dict[str, Any]:
    """How the page was made: what its notebooks say together."""
    colophons = [notebook["colophon"] for notebook in notebooks]
    rules = [entry["rules"] for notebook in notebooks for entry in notebook["findings"]]
    return {
        "versions": _values_of(colophon["versions"] for colophon in colophons),
        "data": _values_of(colophon["data"] for colophon in colophons),
        "rules": sorted({(citation, source) for found in rules for citation, source in found.items()}),
        "seeds": sorted({colophon["seed"] for colophon in colophons}),
        "date": max((colophon["date"] for colophon in colophons), default=""),
    }


def _values_of(tables: Iterable[dict[str, str]]) -> dict[str, list[str]]:
    """Each name with the values that it has had, which is one unless notebooks were run at different times."""
    found: dict[str, list[str]] = {}
    for table in tables:
        for name, value in table.items():
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    return found
