"""Headings, labels and sentences in the study's language, from the YAML files beside this one.

Each file holds one topic with both languages side by side:

    headings:   view or figure -> title on the page
    quantities: quantity or key of results.csv -> column heading; "view.term" -> heading of that key in this view
    codes:      word that methods use as a code, e.g. "all" or "weighted" -> what it is called
    axes:       key -> axis label or legend of a figure
    findings:   key of a Finding -> sentence; {name:.2f} formats a number, {name:label} shows codes by their labels, "p {name:p}"
                a p value as "p = .034" or "p < .001",
                {level:level} the level it is held against as ".05", {n:row|rows} a count with its noun
    notes:      key -> other sentence of a report
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any, Literal

import yaml

from cxresearch.core.results import PAIR, Finding
from cxresearch.present.numbers import apart, write_as, write_p

Language = Literal["en", "zh"]
SECTIONS = ("headings", "quantities", "codes", "axes", "findings", "notes")
SHOWN_PAIR = " – "  # between the labels of a pair
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first is not there in every build, and ten times as fast
_NUMBERED = {  # choices with numbers in them -> the note that says them
    "table.within": re.compile(r"within (?P<days>\d+) days"),
    "table.sample": re.compile(r"random sample of (?P<n>\d+) of (?P<total>\d+) rows"),
}
_SEPARATORS = {"en": ", ", "zh": "、"}
_CHOICE_GAPS = {"en": "; ", "zh": "；"}
_SENTENCE_GAPS = {"en": " ", "zh": ""}


@cache
def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """section -> key -> language -> text, of all topics. A key that stands twice is a KeyError."""
    merged: dict[str, dict[str, dict[str, str]]] = {section: {} for section in SECTIONS}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".yaml"):
            continue
        with file.open("rb") as stream:
            topic = yaml.load(stream, _LOADER)
        for section, entries in topic.items():
            twice = merged[section].keys() & entries.keys()
            if twice:
                raise KeyError(f"{file.name}: {section} {sorted(twice)} stand in another file too")
            merged[section] |= entries
    return merged


@dataclass(frozen=True)
class Text:
    """Words of one study: its language, and the labels of its constructs, items and groups.

    Attributes
    ----------
    language : "en" or "zh"
    labels : code -> label, e.g. {"speed": "Speed", "spd1": "Parcels come quickly", "company=1": "Cedar"}
    """

    language: Language = "en"
    labels: Mapping[str, str] = field(default_factory=dict)

    def label(self, code: object, *, of: str = "") -> str:
        """The label of a code (of a value of column `of`) in the study, else in the catalogue, else the code itself.

        A GroupCode knows its column; a pair of groups or criteria, `A - B`, is labelled part by part and shown with a dash
        that no hyphen of a label looks like.
        """
        of, code = of or getattr(code, "of", ""), str(code)
        own = self.labels.get(f"{of}={code}" if of else code)
        if not own and PAIR in code:
            return SHOWN_PAIR.join(self.label(part, of=of) for part in code.split(PAIR))
        return own or catalogue()["codes"].get(code, {}).get(self.language, code)

    def listed(self, codes: Iterable[object]) -> str:
        """Codes by their labels, as a list in a sentence."""
        return _SEPARATORS[self.language].join(self.label(code) for code in codes)

    def heading(self, key: str, **values: Any) -> str:
        """The title of a table or figure."""
        return self._phrase("headings", key, values)

    def quantity(self, key: str, *, view: str = "") -> str:
        """A quantity, or a key in a view, as a column heading; the bare name where the catalogue has none."""
        known = catalogue()["quantities"]
        words = known.get(f"{view}.{key}") or known.get(key)
        return words[self.language] if words else key.replace("_", " ")

    def method(self, words: str) -> str:
        """The choices of a result's `method` column."""
        return _CHOICE_GAPS[self.language].join(map(self._choice, filter(None, words.split("; "))))

    def _choice(self, word: str) -> str:
        for note, pattern in _NUMBERED.items():
            found = pattern.fullmatch(word)
            if found:
                return self.note(note, **{name: int(number) for name, number in found.groupdict().items()})
        column = word.removeprefix("by ")
        return self.label(word) if column == word else self.note("table.by", column=self.label(column))

    def axis(self, key: str, **values: Any) -> str:
        """An axis label or legend entry."""
        return self._phrase("axes", key, values)

    def note(self, key: str, **values: Any) -> str:
        """Another sentence of a report."""
        return self._phrase("notes", key, values)

    def sentence(self, finding: Finding) -> str:
        """A finding and its cautions in words."""
        return _SENTENCE_GAPS[self.language].join(self.sentences(finding))

    def sentences(self, finding: Finding) -> list[str]:
        """The finding in words, then each of its cautions."""
        said = self._phrase("findings", finding.key, {"rule": finding.rule, **finding.values})
        return [said, *(words for caution in finding.cautions for words in self.sentences(caution))]

    def _phrase(self, section: str, key: str, values: Mapping[str, Any]) -> str:
        limits = _limits(values)
        template = _telling(catalogue()[section][key][self.language], values, limits)
        return _Filler(self, limits).format(template, **values)


def _telling(template: str, values: Mapping[str, Any], limits: tuple[float, ...]) -> str:
    """The sentence with as many decimals as tell the bounds of its intervals apart, and from limits; in what is beside them too.

    Bounds are values whose names end in `low` and `high`.
    """
    for low in [name for name in values if name.endswith("low")]:
        high = f"{low.removesuffix('low')}high"
        spec = re.search(rf"{{{low}:([^}}]+)}}", template)
        if spec is None or high not in values:
            continue
        beside = rf"{{(?!limit)(\w+):{re.escape(spec[1])}}}"  # not those of a rule, which have a dot
        pairs = [(values[low], values[high]), *((values[name], limit) for name in (low, high) for limit in limits)]
        finer = max((apart(spec[1], *pair) for pair in pairs), key=_decimals)
        template = re.sub(beside, rf"{{\1:{finer}}}", template)
    return template


def _decimals(spec: str) -> int:
    return int(next(iter(re.findall(r"\.(\d)", spec)), 0))


def _limits(values: Mapping[str, Any]) -> tuple[float, ...]:
    """What the numbers of a sentence are judged against: its rule, and values that are a limit by name."""
    rule = values.get("rule")
    named = [value for name, value in values.items() if name == "limit" or name.endswith("_limit")]
    return tuple(value for value in [*([rule.value] if rule else []), *named] if isinstance(value, int | float))


class _Filler(Formatter):
    """str.format, plus `{codes:label}` for one code or a list of codes, `{p:p}` for a p value, `{level:level}` for its level,
    `{scope:part}` for a finding within the sentence, or None, `{n:row|rows}` for a count with its noun."""

    def __init__(self, text: Text, limits: tuple[float, ...] = ()) -> None:
        self.text, self.limits = text, limits

    def format_field(self, value: Any, format_spec: str) -> str:
        several = isinstance(value, Iterable) and not isinstance(value, str)
        if format_spec == "part":
            return "" if value is None else self.text.sentence(value)
        if format_spec == "label":
            return self.text.listed(value) if several else self.text.label(value)
        if "|" in format_spec:
            one, many = format_spec.split("|")
            return f"{write_as(round(value), '')} {one if value == 1 else many}"
        if format_spec == "p":
            written = write_p(value, limits=self.limits)
            return written if written.startswith("<") else f"= {written}"
        if format_spec == "level":
            return f"{value:g}".removeprefix("0")
        if several:
            return _SEPARATORS[self.text.language].join(
                write_as(entry, format_spec, limits=self.limits) for entry in value
            )
        return write_as(value, format_spec, limits=self.limits)


_current = Text()


def use_text(text: Text) -> None:
    """Let figures and tables of this kernel speak the study's language (as rcParams do for colours)."""
    global _current
    _current = text


def current_text() -> Text:
    """The words in use; English without labels until a report is started."""
    return _current
