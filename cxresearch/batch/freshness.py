"""Whether what a notebook has left is what it would write now: the key of a run, compared with that of the last one."""

import hashlib
import json
import platform
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cxresearch
from cxresearch.batch.outcome import Outcome
from cxresearch.study.open import Study
from cxresearch.study.presence import parts_read
from cxresearch.study.urls import without_secrets

Key = Mapping[str, Any]  # what a notebook's outputs depend on -> its hash, or name -> value where it has parts
_HOME = Path(cxresearch.__file__).parent
_LOCK = _HOME.parent / "requirements.lock"


def key_of_study(study: Study, content: Mapping[str, Any], declared: Collection[str] | None) -> Key:
    """What a notebook depends on of a study: the parts of the study file that it reads, and their data files.

    Parameters
    ----------
    content : the study file as it stands
    declared : the parts that the notebook says it reads; None if it does not say, then all but the choices for notebooks
    """
    parts = [name for name in content if name != "notebooks"] if declared is None else parts_read(study.file, declared)
    said = {part: value for part in parts if (value := _part_of(content, part)) is not None}
    return {
        "study file": {part: _hash(_text(value)) for part, value in said.items()},
        "data": study.sources(declared),
    }


def _part_of(content: Any, part: str) -> Any:
    """The value of a key, or of one below it ("experts.judgements"); None if it is not there."""
    for name in part.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return content


def key_of_notebook(path: Path, choices: Mapping[str, Any]) -> Key:
    """What is a notebook's own: its cells, whatever outputs the file holds, and its parameters."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = [(cell["cell_type"], cell["source"], cell["metadata"].get("tags")) for cell in content["cells"]]
    except (OSError, ValueError, KeyError):  # no notebook: its run will say so
        cells = []
    said = {name: without_secrets(value) for name, value in choices.items()}
    return {"notebook": _hash(_text(cells)), "parameters": json.loads(_text(said))}


@cache
def key_of_software() -> Key:
    """This package's source, the lock it is installed from, the packages there are."""
    suffixes = (".py", ".yaml", ".html", ".css")
    source = sorted(path for path in _HOME.rglob("*") if path.suffix in suffixes)
    installed = sorted({found.name for place in sys.path for found in Path(place).glob("*.dist-info")})
    return {
        "cxresearch": _hash(*(part for path in source for part in (path.name, path.read_bytes()))),
        "lock file": _hash(_LOCK.read_bytes()) if _LOCK.is_file() else "",
        "installed packages": _hash(platform.python_version(), *installed),
    }


def why_run(key: Key, last: Outcome | None, held: Callable[[Outcome], Mapping[str, str]]) -> str:
    """Why a notebook must run, in words; "" if all that it left is up to date.

    Parameters
    ----------
    key : what its outputs depend on, now
    last : what became of it the last time, with the key of then
    held : tells which of its files lie there now -> hash of the content
    """
    if last is None:
        return "it has not run yet"
    if last.status != "ok":
        return "it failed the last time" if last.status == "failed" else "it was skipped the last time"
    if not last.key:
        return "it is not known what its last run used"
    present = held(last)
    gone = [name for name in last.files if name not in present]
    if gone:
        return f"outputs are gone: {_names(gone)}"
    others = [name for name, known in last.files.items() if present[name] != known]
    if others:  # somebody has edited them, or run the notebook by hand
        return f"outputs are not as they were written: {_names(others)}"
    return "; ".join(filter(None, (_change(part, last.key.get(part), key[part]) for part in key)))


def hashes_in(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Those of the files that are there -> hash of the content."""
    return {name: hash_file(folder / name) for name in names if (folder / name).is_file()}


def hash_file(path: Path) -> str:
    """Hash of a file's content."""
    return _hash(path.read_bytes())


def _change(part: str, before: Any, now: Any) -> str:
    """What has changed of one part of a key, "" if nothing has.

    >>> _change("parameters", {"n_random": 20, "seed": 1}, {"n_random": 100, "seed": 1})
    'parameters changed: n_random'
    """
    if before == now:
        return ""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return f"{part} changed"
    nothing = object()
    names = [name for name in {**before, **now} if before.get(name, nothing) != now.get(name, nothing)]
    return f"{part} changed: {_names(names)}"


def _names(paths: Iterable[str]) -> str:
    """A few names of files without their folders, and how many more there are."""
    names = [path.rpartition("/")[2] for path in paths]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _hash(*contents: str | bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        part = content.encode() if isinstance(content, str) else content
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()[:16]
