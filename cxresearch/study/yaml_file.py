"""Reading YAML as a careful writer means it.

YAML 1.1, which PyYAML speaks, turns `no` into False, `12:30:00` into 45000 and `010` into 8, leaves `1e3` a text, and lets
the second of two equal keys win in silence. Here the rules are those of YAML 1.2, keys are always text, dates are dates,
and a key that stands twice is a fault.
"""

import re
from collections.abc import Hashable
from contextlib import suppress
from datetime import date
from typing import Any

import yaml

from cxresearch.errors import InputError
from cxresearch.study import full_width
from cxresearch.study.urls import Place

_PLAIN = (  # tag, pattern of the whole scalar, first characters
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("merge", r"<<", "<"),
)
_HINTS = {
    "mapping values are not allowed here": "put a text that holds ': ' in quotes, or mend the indentation",
    "found character '\\t' that cannot start any token": "indent with spaces, not with tabs",
    "found character '%' that cannot start any token": "put a text that begins with % in quotes",
    "found character '@' that cannot start any token": "put a text that begins with @ in quotes",
    "found character '`' that cannot start any token": "put a text that begins with ` in quotes",
    "found undefined alias": "put a text that begins with * in quotes",
    "could not determine a constructor": "put a text that begins with ! in quotes",
    "found unexpected end of stream": "a quotation mark is not closed",
    "but found another document": "a study file is one document: take `---` out",
    "sequence entries are not allowed here": "begin the list on a line of its own",
    "expected ',' or '}', but got": "a { is not closed, or a text in it needs quotes",
    "expected ',' or ']', but got": "a [ is not closed, or a text in it needs quotes",
    "expected <block end>": "check the indentation of this line and those above",
}


class _Rules(yaml.constructor.SafeConstructor):
    """The rules of YAML 1.2 for a loader; what they refuse stands in `faults`."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)  # type: ignore[call-arg]
        self.faults: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self._refuse_twice(node)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}

    def _refuse_twice(self, node: yaml.MappingNode) -> None:
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or not key.value:
                raise yaml.constructor.ConstructorError(None, None, "a key must be a text", key.start_mark)
            if key.value in first:
                self.faults.append(
                    f"line {line}: the key '{key.value}' stands twice (first in line {first[key.value]})"
                )
            first.setdefault(key.value, line)
            if isinstance(value, yaml.ScalarNode) and not value.value and not key.style and "：" in key.value:
                self.faults.append(full_width.told(line, "："))


class _Loader(_Rules, yaml.SafeLoader):
    """Says exactly what is wrong, and where."""


# the parser of libyaml, which is not everywhere: five times as quick, and says less
_QuickLoader: Any = type("_QuickLoader", (_Rules, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), {})


def _construct_text(loader: _Rules, node: yaml.ScalarNode) -> str:
    mark = "" if node.style else full_width.slip(node.value)
    if mark:
        loader.faults.append(full_width.told(node.start_mark.line + 1, mark))
    return str(node.value)


def _construct_mapping(loader: _Rules, node: yaml.MappingNode) -> dict[Hashable, Any]:
    return loader.construct_mapping(node, deep=True)  # deep: an alias may not hold itself


def _construct_list(loader: _Rules, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


def _construct_int(loader: _Rules, node: yaml.ScalarNode) -> int:
    return int(node.value)


def _construct_float(loader: _Rules, node: yaml.ScalarNode) -> float:
    return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _construct_date(loader: _Rules, node: yaml.ScalarNode) -> date:
    try:
        return date.fromisoformat(node.value)
    except ValueError as error:
        problem = f"{node.value} is no date of the calendar"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


_kind: Any
for _kind in (_Loader, _QuickLoader):
    _kind.yaml_implicit_resolvers = {}
    for _tag, _pattern, _first in _PLAIN:
        _kind.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first.replace("\0", ""))
        )
    _kind.yaml_implicit_resolvers[""] = [("tag:yaml.org,2002:null", re.compile("^$"))]
    _kind.add_constructor("tag:yaml.org,2002:str", _construct_text)
    _kind.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
    _kind.add_constructor("tag:yaml.org,2002:seq", _construct_list)
    _kind.add_constructor("tag:yaml.org,2002:int", _construct_int)
    _kind.add_constructor("tag:yaml.org,2002:float", _construct_float)
    _kind.add_constructor("tag:yaml.org,2002:timestamp", _construct_date)


def parse_yaml(text: str) -> dict[str, Any]:
    """The mapping that a YAML text holds.

    Raises
    ------
    InputError
        If the text is no YAML, holds a key twice or is no mapping; the message begins with the line.

    >>> parse_yaml("{answer: no, at: 12:30:00, limit: 1e3, as_of: 2026-06-30, no: 1}")
    {'answer': 'no', 'at': '12:30:00', 'limit': 1000.0, 'as_of': datetime.date(2026, 6, 30), 'no': 1}
    """
    try:
        content, faults = _load(text)
    except yaml.YAMLError as error:
        raise InputError(_explain(error, text)) from error
    if faults:
        raise InputError("\n".join(faults))
    if not isinstance(content, dict):
        found = "nothing" if content is None else "a list" if isinstance(content, list) else f"'{content}'"
        hint = full_width.hint(text, 0, text.count("\n")) if isinstance(content, str) else ""
        raise InputError("line 1: a study file must hold `key: value` lines", hint or f"found {found}")
    return content


def _load(text: str) -> tuple[Any, list[str]]:
    """What a text holds, and what the rules refuse: quickly, and where there is anything wrong once more with care."""
    with suppress(yaml.YAMLError):
        content, faults = _load_with(_QuickLoader, text)
        if not faults:
            return content, faults
    return _load_with(_Loader, text)


def _load_with(kind: Any, text: str) -> tuple[Any, list[str]]:
    loader = kind(text)
    try:
        return loader.get_single_data(), loader.faults
    finally:
        loader.dispose()


def read_yaml(path: Place) -> dict[str, Any]:
    """The mapping that a YAML file (UTF-8) holds.

    Raises
    ------
    InputError
        If there is no such file, it is not UTF-8, or `parse_yaml` refuses it.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InputError(f"line {line}: not UTF-8", "", "Save the study file in the encoding UTF-8.") from error
    except FileNotFoundError as error:
        raise InputError(f"no such file: {path}") from error
    except OSError as error:
        raise InputError("the study file must be there and readable", error.strerror or str(error)) from error


def _explain(error: yaml.YAMLError, text: str) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        line = text[: error.position].count("\n") + 1
        return f"line {line}: found a character that no text may hold (code {error.character}); delete it"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    hint = next((f"; {advice}" for start, advice in _HINTS.items() if problem.startswith(start)), "")
    if mark and (slip := _full_width(mark, getattr(error, "context_mark", None) or mark, problem, text)):
        hint = f"; {slip}"
    return (f"line {mark.line + 1}, column {mark.column + 1}: " if mark else "") + problem + hint


def _full_width(end: yaml.Mark, start: yaml.Mark, problem: str, text: str) -> str:
    """The full-width mark that may be to blame, in the line of the error, the two above it, or where its text began."""
    if problem == "found unexpected end of stream":
        return full_width.unclosed(text, start.line)
    return full_width.hint(text, min(start.line, end.line - 2), end.line)
