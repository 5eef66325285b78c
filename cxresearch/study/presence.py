"""Which parts a study has, and why it lacks the others: what decides which notebooks run."""

from cxresearch.study.file import StudyFile
from cxresearch.study.fitting import kind_at


def parts_of(file: StudyFile) -> dict[str, str]:
    """Part -> "" if it is there, else why not, in words for a page.

    Parts are the keys of the study file and, with a dot, the keys below them ("experts.judgements").

    >>> parts_of(StudyFile.model_validate({"study": "demo"}))["experts.judgements"]
    'the study file has no `experts`'
    """
    parts: dict[str, str] = {}
    for name in StudyFile.model_fields:
        value = getattr(file, name)
        parts[name] = _why_missing(name, value)
        kind = kind_at(StudyFile, (name,))
        for inner in kind.model_fields if kind else ():
            parts[f"{name}.{inner}"] = parts[name] or _why_missing(f"{name}.{inner}", getattr(value, inner))
    parts["survey"] = parts["survey"] or parts["constructs"]
    parts["drivers"] = _why_no_drivers(file)
    if not file.groups:
        by = file.cases is not None and file.cases.by
        parts["groups"] = "" if by else "the study file has no `groups` and no `cases.by`"
    return parts


def _why_missing(name: str, value: object) -> str:
    return f"the study file has no `{name}`" if value is None or value in ("", [], {}) else ""


def _why_no_drivers(file: StudyFile) -> str:
    if file.outcome is None:
        return "the study file has no `outcome`"
    return "" if file.drivers_used else "the study file has no `drivers` and no construct but the outcome and loyalty"
