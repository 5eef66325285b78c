"""What several fields of a study file can get wrong together: the survey, its constructs, cases and experts."""

from collections.abc import Iterator
from dataclasses import dataclass

from cxresearch.study.data_checks import told
from cxresearch.study.faults import Fault, Where, did_you_mean
from cxresearch.study.file import StudyFile
from cxresearch.study.fitting import Fitted

_WITH_DATA = ("survey", "experts", "tickets", "operations", "observations", "customers")
_OF_SURVEY = ("outcome", "drivers", "recommend", "choices", "pairs", "model", "groups")
_ROLES = ("id", "customer", "weight", "cluster", "strata", "seconds", "comment")  # of survey columns that are no items
_WITH_ROWS = (*_ROLES, "where", "invited", "population")  # of the fields of a survey
_ROUNDING = 1e-6  # by which weights may miss 1


@dataclass(frozen=True, slots=True)
class Known:
    """What a study file may refer to.

    Attributes
    ----------
    given : keys at the top of the study file, faulty ones included
    fitted : what was left out as faulty; a name in it counts as known, so that one fault does not cause another
    columns : of the survey; None if there is none or it cannot be read
    data : files of the survey
    """

    given: frozenset[str]
    fitted: Fitted
    columns: list[str] | None
    data: list[str]

    def is_faulty(self, *path: str | int) -> bool:
        """Whether something at a path or below it is faulty."""
        full = self.fitted.in_full(path)
        return any(each[: len(full)] == full for each in self.fitted.excused)

    def is_left_out(self, name: str) -> bool:
        """Whether a name stands in what was left out."""
        return name in self.fitted.texts


def check_meaning(file: StudyFile, known: Known) -> Iterator[Fault]:
    """Faults of the survey, its constructs, cases and experts."""
    yield from _check_presence(file, known)
    yield from _check_source(file, known)
    yield from _check_constructs(file)
    yield from _check_roles(file)
    yield from _check_drivers(file, known)
    yield from _check_model(file, known)
    yield from _check_cases(file, known)
    yield from _check_experts(file, known)
    yield from _check_weights(file, known)
    yield from _check_pairs(file)


def _check_presence(file: StudyFile, known: Known) -> Iterator[Fault]:
    published = file.cases is not None and file.cases.published is not None
    if not (known.given.intersection(_WITH_DATA) or published or known.is_faulty("cases")):
        others = ", ".join(f"`{name}`" for name in _WITH_DATA[1:])
        yield Fault((), f"a part with data is required: `survey` with `constructs`, {others} or `cases.published`")
    if "survey" in known.given and not file.constructs and not known.is_faulty("constructs"):
        yield Fault(("constructs",), "is required with `survey`")
    if "survey" not in known.given:
        without = [name for name in _OF_SURVEY if name in known.given and getattr(file, name)]
        if file.constructs and not known.given.intersection(("experts", "weights")):
            without.append("constructs")
        if file.cases is not None and (file.cases.by or file.cases.period):
            without.append("cases")
        yield from (Fault((name,), "needs a `survey`") for name in without)


def _check_source(file: StudyFile, known: Known) -> Iterator[Fault]:
    """A survey has answers, or correlations with the number of respondents behind them."""
    survey = file.survey
    if survey is None:
        return
    data = bool(survey.data) or known.is_faulty("survey", "data")
    correlation = bool(survey.correlation) or known.is_faulty("survey", "correlation")
    if not data and not correlation:
        yield Fault(("survey", "data"), "is required, or `correlation` in its place")
    if data and correlation:
        yield Fault(("survey", "correlation"), "stands in place of `data`; keep one of them")
    if correlation and survey.n is None and not known.is_faulty("survey", "n"):
        yield Fault(("survey", "n"), "is required with `correlation`: the respondents behind it")
    if survey.n is not None and not correlation:
        yield Fault(("survey", "n"), "belongs to `correlation`; of `data`, rows are counted")
    if correlation and not data:
        places: list[Where] = [("survey", name) for name in _WITH_ROWS if getattr(survey, name)]
        places += [("groups",)] if file.groups else []
        yield from (Fault(place, "needs the answers; a correlation matrix has no rows") for place in places)


def _check_constructs(file: StudyFile) -> Iterator[Fault]:
    home: dict[str, str] = {}
    for name, construct in file.constructs.items():
        here: Where = ("constructs", name)
        if name == "all":
            yield Fault(here, "the name 'all' is kept for all items together; choose another")
        for item in construct.items:
            if item in home:
                yield Fault(
                    (*here, "items"), f"'{item}' is an item of '{home[item]}' already; an item has one construct"
                )
            home.setdefault(item, name)
        for item in construct.reversed:
            if item not in construct.items:
                yield Fault(
                    (*here, "reversed"), f"'{item}' is not an item of '{name}'{did_you_mean(item, construct.items)}"
                )
        if construct.reversed and construct.scale is None:
            yield Fault((*here, "scale"), "is required to reverse items")
        missing = [*construct.missing, *(file.survey.missing if file.survey is not None else [])]
        for word, number in construct.codes.items():
            low, high = construct.scale or (number, number)
            if not low <= number <= high and number not in missing:
                yield Fault((*here, "codes"), f"'{word}' is {number:g}, outside the scale [{low:g}, {high:g}]")


def _check_roles(file: StudyFile) -> Iterator[Fault]:
    home = {item: name for name, items in file.scales.items() for item in items}
    for role in _ROLES:
        column = getattr(file.survey, role) if file.survey is not None else None
        if column in home:
            yield Fault(("survey", role), f"'{column}' is an item of '{home[column]}'; a column cannot be both")


def _unknown(path: Where, name: str, file: StudyFile, known: Known) -> Iterator[Fault]:
    """The fault that a name is neither a construct nor a column of the survey, if so."""
    if known.columns is None or name in file.constructs or known.is_left_out(name) or name in known.columns:
        return
    near = did_you_mean(name, file.constructs, known.columns)
    yield Fault(path, f"'{name}' is no construct and no column of {told(known.data)}{near}")


def _check_drivers(file: StudyFile, known: Known) -> Iterator[Fault]:
    if file.drivers and "outcome" not in known.given:
        yield Fault(("drivers",), "needs an `outcome`")
    if file.outcome is None:
        return
    yield from _unknown(("outcome",), file.outcome, file, known)
    own = set(file.scales.get(file.outcome, ()))
    for driver in file.drivers:
        yield from _unknown(("drivers",), driver, file, known)
        if driver == file.outcome:
            yield Fault(("drivers",), f"'{driver}' is the outcome")
        elif driver in own:
            yield Fault(("drivers",), f"'{driver}' is an item of the outcome '{file.outcome}'")
        elif file.outcome in file.scales.get(driver, ()):
            yield Fault(("drivers",), f"the outcome '{file.outcome}' is an item of '{driver}'")


def _check_model(file: StudyFile, known: Known) -> Iterator[Fault]:
    for start, ends in file.model.items():
        yield from _unknown(("model",), start, file, known)
        for end in ends:
            yield from _unknown(("model", start), end, file, known)
    around = _circle(file.model)
    if around:
        yield Fault(("model",), f"paths may not run in a circle, found {' -> '.join(around)}")


def _circle(model: dict[str, list[str]]) -> list[str]:
    """One circle of the paths, its start repeated at its end; [] if there is none."""
    done: set[str] = set()

    def follow(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for end in model.get(name, []):
            if found := follow(end, [*trail, name]):
                return found
        done.add(name)
        return []

    return next((found for start in model if (found := follow(start, []))), [])


def _check_cases(file: StudyFile, known: Known) -> Iterator[Fault]:
    cases = file.cases
    if cases is None:
        return
    if (cases.before or cases.after) and cases.period is None:
        yield Fault(("cases", "period"), "is required with `before` and `after`")
    if bool(cases.before) != bool(cases.after):
        yield Fault(("cases", "after" if cases.before else "before"), "`before` and `after` go together")
    for period in sorted(set(cases.before) & set(cases.after)):
        yield Fault(("cases", "after"), f"'{period}' is in `before` too")
    if cases.treated and cases.by is None:
        yield Fault(("cases", "by"), "is required with `treated`")
    for name in cases.benchmark:
        yield from _unknown(("cases", "benchmark"), name, file, known)


def _check_experts(file: StudyFile, known: Known) -> Iterator[Fault]:
    experts = file.experts
    if experts is None:
        return
    tables = ("judgements", "scores")
    if not any(getattr(experts, name) or known.is_faulty("experts", name) for name in tables):
        yield Fault(("experts",), "must have `judgements` or `scores`")
    if experts.judgements is not None and not file.hierarchy and not known.is_faulty("constructs"):
        yield Fault(("experts", "hierarchy"), "is required where there are no `constructs`")


def _check_weights(file: StudyFile, known: Known) -> Iterator[Fault]:
    values = file.weights.values if file.weights is not None else {}
    here: Where = ("weights", "values")
    total = sum(values.values())
    if values and abs(total - 1) > _ROUNDING and not known.is_faulty(*here):
        yield Fault(here, f"must sum to 1, found {total:.6g}")
    if not file.constructs or "indicators" in known.given:  # the indicator table may name what is weighted
        return
    levels = [name for parent, children in file.hierarchy.items() for name in (parent, *children)]
    items = [item for its_items in file.scales.values() for item in its_items]
    names = [*file.constructs, *levels, *items]
    for name in values:
        if name not in [*names, *(known.columns or [])] and not known.is_left_out(name):
            yield Fault(here, f"'{name}' is no construct, item or criterion{did_you_mean(name, names)}")


def _check_pairs(file: StudyFile) -> Iterator[Fault]:
    for name, pair in file.pairs.items():
        asked, found = len(pair.expectation), len(pair.perception)
        if asked != found:
            yield Fault(("pairs", name), f"must ask the same questions twice, found {asked} and {found} items")
