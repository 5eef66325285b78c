"""What became of one notebook of one study, and what a study's folder remembers of it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from cxresearch.core.personal import mask
from cxresearch.errors import InputError
from cxresearch.present.outputs import write_whole

Status = Literal["ok", "skipped", "failed"]
FILE = "status.json"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the summary.

    Attributes
    ----------
    reason : why it was skipped or failed (with the cell), else ""
    missing : of a skipped one, the parts that the study file lacks
    cell : of a failed one, the cell that stopped it; None where it was none
    seconds : how long it took; 0 where nothing was run
    retried : the fault of the machinery for which it was run a second time, else ""
    memory : the most that its kernel and all that it had started took, in bytes (memory.py)
    kept : the notebook of a failed run, with the outputs up to the fault
    files : what it wrote, relative to the study's folder -> hash of the content
    key : what its outputs depend on (freshness.py), with the values of this run
    cached : whether this is the outcome of an earlier run, which is still up to date
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
    files: Mapping[str, str] = field(default_factory=dict)
    key: Mapping[str, Any] = field(default_factory=dict)
    cached: bool = False
    memory: int = 0


def remember(folder: Path, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Write the outcomes of this run to the study's folder.

    Returns
    -------
    The outcomes of all its notebooks in their order: of this run, and of earlier runs those that this one left alone.
    """
    known = {outcome.notebook: outcome for outcome in [*recall(folder), *outcomes]}
    merged = [known[name] for name in sorted(known)]
    rows = [_as_row(outcome) for outcome in merged]
    write_whole(folder / FILE, json.dumps(rows, ensure_ascii=False, indent=1).encode())
    return merged


def recall(folder: Path) -> list[Outcome]:
    """The outcomes that earlier runs left in a study's folder; none where the file is missing or spoilt."""
    try:
        rows = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return [_from_row(row, folder) for row in rows]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def one_line(text: object, limit: int = 400) -> str:
    """A message without colours, line breaks and personal data, cut where it grows long."""
    flat = mask(" ".join(_COLOURS.sub("", str(text)).split()))
    return flat if len(flat) <= limit else f"{flat[:limit]}…"


def said_by(error: str, message: object) -> str:
    """An error in one line, with its name unless it tells users what to mend."""
    line = one_line(message)
    return line if error == InputError.__name__ and line else f"{error}: {line}".removesuffix(": ")


def not_written(folder: Path, error: OSError) -> str:
    """Why outputs are not there, in one line.

    >>> not_written(Path("outputs/post"), OSError(28, "No space left on device"))
    'outputs cannot be written to outputs/post: No space left on device'
    """
    return f"outputs cannot be written to {folder}: {error.strerror or one_line(error)}"


def _as_row(outcome: Outcome) -> dict[str, Any]:
    row = {**asdict(outcome), "kept": outcome.kept.name if outcome.kept else None}
    del row["cached"]  # it is true of a run only
    return row


def _from_row(row: dict[str, Any], folder: Path) -> Outcome:
    kept = folder / row["kept"] if row["kept"] else None
    return Outcome(**{**row, "kept": kept, "missing": tuple(row.get("missing", ()))})
