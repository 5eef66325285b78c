"""Turn columns of a table into answers: numbers on their scale, each reversed item turned round once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from cxresearch.errors import InputError, name_some
from cxresearch.study.codes import code_of

LOG_COLUMNS = ("n_rows", "n_missing", "n_missing_code", "n_out_of_scale", "n_text")
_SHOWN = 3  # values and rows of a column that a message shows
Kind = Literal["answer", "word", "missing_code", "unknown"]


@dataclass(frozen=True, slots=True)
class Question:
    """How the answers of one column are to be read.

    Attributes
    ----------
    codes : worded answer -> number
    missing : codes that mean "no answer", as numbers or text
    low, high : the ends of the scale; without limits where the study file has no scale
    reversed : whether low + high - x is the answer
    """

    codes: Mapping[str, float] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    low: float = -np.inf
    high: float = np.inf
    reversed: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a survey.

    Attributes
    ----------
    values : DataFrame of floats, missing and out-of-scale answers nan, reversed items turned round
    given : the same before reversal, as the respondent gave them
    log : DataFrame, one row a column: n_rows, n_missing (for whatever reason), of these n_missing_code and n_out_of_scale (the
        rest are blank cells), and n_text, the answers given in words
    """

    values: pd.DataFrame
    given: pd.DataFrame
    log: pd.DataFrame


def key_of(value: Any) -> str:
    """What makes two codes alike: 0, 0.0 and "0"; "Blank" and "blank "; "" for any empty cell.

    >>> key_of(0.0), key_of(" 0 "), key_of("Blank"), key_of(float("nan"))
    ('0', '0', 'blank', '')
    """
    number = number_of(value)
    if number is not None:
        return code_of(number)
    return "" if pd.isna(value) else code_of(value).casefold()


def read_answers(frame: pd.DataFrame, questions: Mapping[str, Question]) -> Answers:
    """Read the columns of `questions` from a table whose index counts the rows of the data from 0.

    Raises
    ------
    InputError
        If answers are neither numbers nor known words; every such column is named with its values.
    """
    given, logs, faults = {}, {}, {}
    for name, question in questions.items():
        values, kinds = _read_column(frame[name], question)
        unknown = kinds == "unknown"
        if unknown.any():
            faults[name] = frame[name][unknown]
        inside = (values >= question.low) & (values <= question.high) & np.isfinite(values)
        given[name] = np.where(inside, values, np.nan)
        counts = (~inside, kinds == "missing_code", ~np.isnan(values) & ~inside, kinds == "word")
        logs[name] = (len(frame), *(int(which.sum()) for which in counts))
    if faults:
        raise _unreadable(faults, len(questions))
    as_given = pd.DataFrame(given, index=frame.index, columns=list(questions), dtype=float)
    turned = {name: q.low + q.high - as_given[name] for name, q in questions.items() if q.reversed}
    log = pd.DataFrame.from_dict(logs, orient="index", columns=list(LOG_COLUMNS)).rename_axis("item")
    return Answers(as_given.assign(**turned), as_given, log)


def _read_column(column: pd.Series, question: Question) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of a column and what kind of cell each was, "" for a blank one; a column has few distinct values, so those are judged."""
    words = {key_of(word): number for word, number in question.codes.items()}
    places, distinct = pd.factorize(column)
    read = [*(read_value(value, words, question.missing) for value in distinct.tolist()), (np.nan, "")]  # blank: -1
    numbers = np.array([number for number, _ in read])
    kinds = np.array([kind for _, kind in read])
    return numbers[places], kinds[places]


def read_value(value: Any, words: Mapping[str, float], missing: frozenset[str]) -> tuple[float, Kind]:
    """The number that a cell stands for, nan where it is none, and what kind of cell it is."""
    key = key_of(value)
    number = words.get(key, number_of(value))
    if key in missing or (number is not None and key_of(number) in missing):
        return np.nan, "missing_code"
    if number is None:
        return np.nan, "unknown"
    return float(number), "word" if isinstance(value, str) and key in words else "answer"


def number_of(value: Any) -> float | None:
    """A cell as a number; None where it is none."""
    if not isinstance(value, (str, int, float, np.number)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return None if np.isnan(number) else number


def _unreadable(faults: Mapping[str, pd.Series], n_columns: int) -> InputError:
    told = []
    for name, column in list(faults.items())[: _SHOWN * 2]:
        counts = column.astype(str).value_counts()
        values = ", ".join(f"'{value}' ({count})" for value, count in counts.head(_SHOWN).items())
        more = f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
        told.append(f"{name}: {values}{more}, row{'s' * (len(column) > 1)} {name_some(column.index + 2, _SHOWN)}")
    rest = f"; and {name_some(list(faults)[_SHOWN * 2 :])}" if len(faults) > _SHOWN * 2 else ""
    return InputError(
        "answers must be numbers",
        f"found text in {len(faults)} of {n_columns} columns ({'; '.join(told)}{rest}; rows as in a "
        "spreadsheet, whose row 1 is the header)",
        "Give worded answers their numbers with `codes:` of the construct, or list them under `missing:`.",
    )
