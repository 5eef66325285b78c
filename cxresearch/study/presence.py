"""Which parts a study has, and why it lacks the others: what decides which notebooks run."""

from typing import get_args

from cxresearch.study.fields import Part
from cxresearch.study.file import StudyFile


def parts_of(file: StudyFile) -> dict[str, str]:
    """Part -> "" if it is there, else why not, in words for a page.

    Parts are the keys of the study file and, with a dot, the keys below them ("experts.judgements").

    >>> parts_of(StudyFile.model_validate({"study": "demo"}))["experts.judgements"]
    'the study file has no `experts`'
    """
    parts: dict[str, str] = {}
    for name, field in StudyFile.model_fields.items():
        value = getattr(file, name)
        parts[name] = _why_missing(name, value)
        kind = next((each for each in _kinds(field.annotation) if issubclass(each, Part)), None)
        for inner in kind.model_fields if kind is not None else ():
            absent = parts[name] or _why_missing(f"{name}.{inner}", getattr(value, inner, None))
            parts[f"{name}.{inner}"] = absent
    parts["drivers"] = _why_no_drivers(file)
    if file.cases is not None and file.cases.by:
        parts["groups"] = ""
    elif not file.groups:
        parts["groups"] = "the study file has no `groups` and no `cases.by`"
    return parts


def _why_missing(name: str, value: object) -> str:
    return f"the study file has no `{name}`" if value is None or value in ("", [], {}) else ""


def _why_no_drivers(file: StudyFile) -> str:
    if file.outcome is None:
        return "the study file has no `outcome`, so nothing to drive"
    return (
        "" if file.drivers_used else "the study file has no `drivers` and no construct besides the outcome and loyalty"
    )


def _kinds(annotation: object) -> list[type]:
    return [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
