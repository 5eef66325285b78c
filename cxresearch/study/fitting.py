"""Fit what YAML gives to the types of the study file, so that one fault does not hide the others."""

from collections.abc import Iterable, Iterator
from itertools import count, islice
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cxresearch.study.faults import Fault, Where, nearest
from cxresearch.study.fields import Part, shown
from cxresearch.study.file import StudyFile

_WANTED = {
    "literal_error": "must be {expected}, found {found}",
    "missing": "is required",
    "float_type": "must be a number, found {found}",
    "int_type": "must be a whole number, found {found}",
    "dict_type": "must be a mapping (key: value), found {found}",
    "model_type": "must be a mapping (key: value), found {found}",
    "list_type": "must be a list, found {found}",
    "finite_number": "must be a finite number, found {found}",
    "greater_than": "must be above {gt:g}, found {found}",
    "greater_than_equal": "must be {ge:g} or more, found {found}",
    "less_than_equal": "must be {le:g} or less, found {found}",
    "too_short": "must have at least one entry, found {found}",
}
_MAPPINGS = ("dict_type", "model_type")


class Fitted(NamedTuple):
    """What the types make of the content of a study file.

    Attributes
    ----------
    file : the study file without what is faulty
    faults : what the types refuse
    removed : paths of what was left out
    excused : these, and keys that are absent because they are misspelt: what is missing there is told already
    texts : every text left out; a name among them may be meant, though it is not in `file`
    """

    file: StudyFile
    faults: list[Fault]
    removed: frozenset[Where]
    excused: frozenset[Where]
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

    def still_told(self, faults: Iterable[Fault]) -> list[Fault]:
        """Faults found in `file`, with their paths in full, without those that follow from what was left out."""
        full = [fault._replace(path=self.in_full(fault.path)) for fault in faults]
        return [fault for fault in full if fault.path not in self.excused]


def fit_types(content: dict[str, Any]) -> Fitted:
    """Fit the content of a study file to its types, going on without what does not fit, so that every fault is found."""
    nothing: frozenset[Any] = frozenset()
    fitted = Fitted(StudyFile.model_validate({"study": "unnamed"}), [], nothing, nothing, nothing)
    while True:
        rest = _without(content, fitted.removed)
        if fitted.removed:
            rest.setdefault("study", "unnamed")
        try:
            return fitted._replace(file=StudyFile.model_validate(rest))
        except ValidationError as error:
            fitted = _go_on(fitted, content, error.errors(include_url=False))


def _go_on(fitted: Fitted, content: dict[str, Any], errors: list[ErrorDetails]) -> Fitted:
    """Note the errors, and what to leave out because of them."""
    placed = [(each, fitted.in_full(tuple(step for step in each["loc"] if step != "[key]"))) for each in errors]
    removed = fitted.removed | {
        path[:-1] if each["type"] == "missing" and len(path) > 1 else path for each, path in placed
    }
    misspelt = [path for each, path in placed if each["type"] == "extra_forbidden"]
    meant = {
        (*path[:-1], near) for path in misspelt if (near := _meant_key(path)) and not _has(content, (*path[:-1], near))
    }
    told = [
        _fault(each, path)
        for each, path in placed
        if not (each["type"] in ("missing", "too_short") and path in fitted.excused | meant)
    ]
    texts = {text for path in removed for text in (str(path[-1]), *_texts(_entry(content, path)))}
    return Fitted(fitted.file, fitted.faults + told, removed, fitted.excused | removed | meant, fitted.texts | texts)


def _fault(error: ErrorDetails, path: Where) -> Fault:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return Fault(path, f"unknown key{_suggestion(path)}")
    if kind == "value_error":
        return Fault(path, str(context["error"]))
    found = shown(error["input"])
    if kind in _WANTED:
        colon = '; write ": " for the full-width ：' if kind in _MAPPINGS and "：" in found else ""
        return Fault(path, _WANTED[kind].format(found=found, **context) + colon)
    return Fault(path, f"{error['msg'][:1].lower()}{error['msg'][1:]}, found {found}")


def _meant_key(path: Where) -> str:
    """The key that a misspelt one at a path probably means, or ''."""
    kind = kind_at(StudyFile, path[:-1])
    return nearest(str(path[-1]), kind.model_fields) if kind else ""


def _suggestion(path: Where) -> str:
    """What to write for a misspelt key; a key at the top may belong in a part."""
    word = str(path[-1])
    near = []
    if len(path) == 1:
        parts = ((name, kind_at(StudyFile, (name,))) for name in StudyFile.model_fields)
        near = [f"{name}.{word}" for name, kind in parts if kind and word in kind.model_fields]
    near += [_meant_key(path)] if _meant_key(path) else []
    if near:
        return f"; did you mean {' or '.join(repr(each) for each in near[:3])}?"
    kind = kind_at(StudyFile, path[:-1])
    return f"; known are {', '.join(kind.model_fields)}" if kind else ""


def kind_at(kind: Any, path: Where) -> type[Part] | None:
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


def _has(content: Any, path: Where) -> bool:
    return _entry(content, path) is not None


def _entry(content: Any, path: Where) -> Any:
    """What stands at a path; None if nothing does."""
    for step in path:
        content = content.get(step) if isinstance(content, dict) else content[step]
    return content


def _texts(content: Any) -> Iterator[str]:
    """Every key and value of the content, as text."""
    if isinstance(content, dict):
        yield from content
        content = list(content.values())
    if isinstance(content, list):
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
