"""Which parts a study has, why it lacks the others, and which of them a notebook reads: what decides which notebooks run."""

from collections.abc import Collection

from cxresearch.study.data_checks import named_files
from cxresearch.study.faults import Where
from cxresearch.study.file import StudyFile
from cxresearch.study.fitting import kind_at

_SETTINGS = (
    "study",
    "title",
    "aim",
    "language",
    "seed",
    "privacy",
    "notebooks",
)  # parts that no notebook needs to read
_READ_WITH = {
    "survey": ("constructs", "recommend"),
    "answers": ("survey", "constructs"),
    "groups": ("cases.by",),
    "experts.judgements": ("experts.hierarchy",),
    "customers": ("tickets.as_of",),
}
_ON_EVERY_PAGE = (  # its head, its language, and what its codes are called
    *("study", "title", "aim", "language", "seed"),
    *("constructs", "groups", "outcome", "drivers", "recommend"),
)
_WITH_ANSWERS = ("survey", "cases.by", "privacy", *_ON_EVERY_PAGE)
_OWN_FILES = ("data", "correlation")  # a part's own tables; other files in it are parts by themselves
_LABELLED = (".sav", ".zsav", ".dta")


def parts_of(file: StudyFile) -> dict[str, str]:
    """Part -> "" if it is there, else why not, in words for a page.

    Parts are the keys of the study file and, with a dot, the keys below them ("experts.judgements"); and "answers": a survey, or
    correlations in its place.

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
    parts["answers"] = parts["survey"] = parts["survey"] or parts["constructs"]
    if file.survey is not None and file.survey.correlation and not parts["survey"]:
        parts["survey"] = "the study gives a correlation matrix, no answers"
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


def parts_read(file: StudyFile, declared: Collection[str]) -> list[str]:
    """The parts that a notebook reads which declares these, those behind the labels on every page included, sorted.

    >>> parts_read(StudyFile.model_validate({"study": "demo"}), ["experts.judgements"])  # doctest: +ELLIPSIS
    ['aim', 'constructs', 'drivers', 'experts.hierarchy', 'experts.judgements', 'groups', ...]
    """
    with_answers = "survey" in declared or "answers" in declared or has_labelled_data(file)
    own = {*declared, *(part for each in declared for part in _READ_WITH.get(each, ()))}
    return sorted({*own, *_ON_EVERY_PAGE, *(_WITH_ANSWERS if with_answers else ())} - {"answers"})


def files_read(file: StudyFile, declared: Collection[str]) -> list[list[str]]:
    """The data files of these parts, each as the study file names it."""
    read = parts_read(file, declared)
    return [data for path, data in named_files(file) if ".".join(map(str, path)) in read or _is_own(path, read)]


def has_labelled_data(file: StudyFile) -> bool:
    """Whether the survey's data say what its codes are called."""
    return file.survey is not None and any(entry.lower().endswith(_LABELLED) for entry in file.survey.data)


def _is_own(path: Where, parts: Collection[str]) -> bool:
    """Whether a file belongs to one of these parts as a whole."""
    return path[0] in parts and path[1:] in [(name,) for name in _OWN_FILES]


def unread_parts(file: StudyFile, needs: Collection[str]) -> list[str]:
    """The parts given in a study file that nothing with these needs reads.

    >>> file = StudyFile.model_validate({"study": "demo", "tickets": {"data": "t.csv"}, "privacy": {"min_group": 5}})
    >>> unread_parts(file, ["survey"]), unread_parts(file, ["tickets"])
    (['tickets'], [])
    """
    read = {*needs, *(part for need in needs for part in _READ_WITH.get(need, ()))}
    given = [part for part, why in parts_of(file).items() if not why and getattr(file, part.partition(".")[0], None)]
    extra_files = {".".join(map(str, path)) for path, _ in named_files(file) if not _is_own(path, read)}
    unread = []
    for top in (part for part in given if "." not in part and part not in _SETTINGS):
        inner = [part for part in given if part.startswith(f"{top}.") and part not in read]
        if top in read:
            unread += [part for part in inner if part in extra_files]
        elif any(part.startswith(f"{top}.") for part in read.intersection(given)):
            unread += inner
        else:
            unread.append(top)
    return unread
