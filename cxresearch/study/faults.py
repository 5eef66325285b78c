"""What is wrong with a study file, in words that say where and what to do."""

import difflib
import re
from collections.abc import Iterable, Iterator
from itertools import count, islice
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cxresearch.study.fields import Part, shown
from cxresearch.study.file import StudyFile

Where = tuple[str | int, ...]  # the steps to an entry of the study file
_WANTED = {
    "missing": "is required",
    "float_type": "must be a number, found {found}",
    "int_type": "must be a whole number, found {found}",
    "dict_type": "must be a mapping (key: value), found {found}",
    "model_type": "must be a mapping (key: value), found {found}",
    "list_type": "must be a list, found {found}",
    "finite_number": "must be a finite number, found {found}",
    "greater_than": "must be above {gt:g}, found {found}",
    "greater_than_equal": "must be {ge:g} or more, found {found}",
    "too_short": "must have at least one entry, found {found}",
}


class Fault(NamedTuple):
    """One fault: where it stands in the study file, and what it is."""

    path: Where
    message: str

    def __str__(self) -> str:
        return f"{spelt(self.path)}: {self.message}" if self.path else self.message


def spelt(path: Where) -> str:
    """A path as a reader counts: entries of a list from 1.

    >>> spelt(("tickets", "stages", 0, "limit"))
    'tickets.stages[1].limit'
    """
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or ''.

    >>> nearest("WEIGT", ["ID", "WEIGHT"]), nearest("weight", ["WEIGHT"]), nearest("colour", ["ID"])
    ('WEIGHT', 'WEIGHT', '')
    """
    folded = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(word.casefold(), folded, 1, cutoff=0.6)
    return folded[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' or ''."""
    near = nearest(word, known)
    return f"; did you mean '{near}'?" if near else ""


class Fitted(NamedTuple):
    """What the types make of the content of a study file.

    Attributes
    ----------
    file : the study file without what is faulty
    faults : what the types refuse
    removed : paths of what was left out
    texts : every text left out; a name among them may be meant, though it is not in `file`
    """

    file: StudyFile
    faults: list[Fault]
    removed: frozenset[Where]
    texts: frozenset[str]

    def in_full(self, path: Where) -> Where:
        """A path of `file` as the study file counts it, entries of lists that were left out included."""
        full: Where = ()
        for step in path:
            if isinstance(step, int):
                kept = (at for at in count() if (*full, at) not in self.removed)
                step = next(islice(kept, step, None))
            full = (*full, step)
        return full


def fit_types(content: dict[str, Any]) -> Fitted:
    """Fit the content of a study file to its types, going on without what does not fit, so that every fault is found."""
    fitted = Fitted(StudyFile.model_validate({"study": "unnamed"}), [], frozenset(), frozenset())
    while True:
        rest = _without(content, fitted.removed)
        if fitted.removed:
            rest.setdefault("study", "unnamed")
        try:
            return fitted._replace(file=StudyFile.model_validate(rest))
        except ValidationError as error:
            errors = [(each, fitted.in_full(_path(each))) for each in error.errors(include_url=False)]
        told = [_fault(each, path) for each, path in errors if not _follows(path, fitted.removed)]
        removed = {path[:-1] if each["type"] == "missing" and len(path) > 1 else path for each, path in errors}
        texts = {text for path in removed for text in (str(path[-1]), *_texts(content, path))}
        fitted = Fitted(fitted.file, fitted.faults + told, fitted.removed | removed, fitted.texts | texts)


def _path(error: ErrorDetails) -> Where:
    return tuple(step for step in error["loc"] if step != "[key]")


def _follows(path: Where, removed: Iterable[Where]) -> bool:
    """Whether a fault only follows from what was left out within its mapping."""
    return any(each[: len(path)] == path for each in removed)


def _fault(error: ErrorDetails, path: Where) -> Fault:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return Fault(path, f"unknown key{_suggested_key(path)}")
    if kind == "value_error":
        return Fault(path, str(context["error"]))
    found = shown(error["input"])
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"])
        near = did_you_mean(str(error["input"]), allowed) if len(allowed) > 1 else ""
        return Fault(path, f"must be {context['expected']}, found {found}{near}")
    if kind in _WANTED:
        return Fault(path, _WANTED[kind].format(found=found, **context))
    return Fault(path, f"{error['msg'][:1].lower()}{error['msg'][1:]}, found {found}")


def _suggested_key(path: Where) -> str:
    word, kind = str(path[-1]), _kind_at(StudyFile, path[:-1])
    near = [nearest(word, kind.model_fields)] if kind else []
    near += [f"{part}.{word}" for part, inner in _parts_of(StudyFile) if word in inner.model_fields and len(path) == 1]
    near = [each for each in near if each]
    if not near:
        return f"; known are {', '.join(kind.model_fields)}" if kind and len(path) > 1 else ""
    return f"; did you mean {' or '.join(repr(each) for each in near[:3])}?"


def _parts_of(kind: type[Part]) -> Iterator[tuple[str, type[Part]]]:
    for name, field in kind.model_fields.items():
        if inner := next((each for each in _alternatives(field.annotation) if _is_part(each)), None):
            yield name, inner


def _kind_at(kind: Any, path: Where) -> type[Part] | None:
    """The type of the mapping that stands at a path."""
    for step in path:
        inner = None
        for each in _alternatives(kind):
            if _is_part(each) and step in each.model_fields:
                inner = each.model_fields[step].annotation
            elif get_origin(each) in (list, dict):
                inner = get_args(each)[-1]
        kind = inner
    return next((each for each in _alternatives(kind) if _is_part(each)), None)


def _alternatives(kind: Any) -> list[Any]:
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    return list(get_args(kind)) if get_origin(kind) in (Union, UnionType) else [kind]


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Part)


def _texts(content: Any, path: Where = ()) -> Iterator[str]:
    """Every key and value at a path of the content and below, as text."""
    if path:
        has = path[0] in content if isinstance(content, dict) else True
        yield from _texts(content[path[0]], path[1:]) if has else ()
    elif isinstance(content, dict):
        yield from content
        yield from _texts(list(content.values()))
    elif isinstance(content, list):
        for entry in content:
            yield from _texts(entry)
    else:
        yield str(content)


def _without(content: Any, paths: Iterable[Where]) -> Any:
    """A copy of the content without the entries at the paths."""
    if not isinstance(content, dict | list):
        return content
    below = {step: [path[1:] for path in paths if path[0] == step] for step in {path[0] for path in paths}}
    steps = [
        step
        for step in (content if isinstance(content, dict) else range(len(content)))
        if () not in below.get(step, [])
    ]
    kept = {step: _without(content[step], below.get(step, [])) for step in steps}
    return kept if isinstance(content, dict) else list(kept.values())
