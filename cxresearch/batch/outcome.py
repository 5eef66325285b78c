"""What became of one notebook of one study, and what a study's folder remembers of it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Status = Literal["ok", "skipped", "failed"]
FILE = "status.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the summary.

    Attributes
    ----------
    reason : why it was skipped or failed (with the cell), else ""
    missing : of a skipped one, the parts that the study file lacks
    cell : of a failed one, the cell that stopped it; None where it was none
    seconds : how long it took; 0 where nothing was run
    retried : why its kernel had to be started a second time, else ""
    kept : the notebook of a failed run, with the outputs up to the fault
    """

    study: str
    notebook: str
    status: Status
    reason: str = ""
    seconds: float = 0.0
    retried: str = ""
    kept: Path | None = None
    missing: tuple[str, ...] = ()
    cell: int | None = None


def remember(folder: Path, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Write the outcomes of this run to the study's folder.

    Returns
    -------
    The outcomes of all its notebooks in their order: of this run, and of earlier runs those that this one left alone.
    """
    known = {outcome.notebook: outcome for outcome in [*recall(folder), *outcomes]}
    merged = [known[name] for name in sorted(known)]
    rows = [{**asdict(outcome), "kept": outcome.kept.name if outcome.kept else None} for outcome in merged]
    aside = folder / f".{FILE}"
    aside.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    aside.replace(folder / FILE)
    return merged


def recall(folder: Path) -> list[Outcome]:
    """The outcomes that earlier runs left in a study's folder; none where the file is missing or spoilt."""
    try:
        rows = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return [
            Outcome(**{**row, "kept": row["kept"] and folder / row["kept"], "missing": tuple(row.get("missing", ()))})
            for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []
