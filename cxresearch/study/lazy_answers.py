"""Answers and codes of a table that is not in memory, as expressions: the same meaning as in `answers` and `codes`."""

from collections.abc import Mapping
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from cxresearch.core.reductions import to_pandas, value_counts
from cxresearch.errors import InputError, name_some
from cxresearch.study.answers import LOG_COLUMNS, Question, key_of, number_of, read_value

MOST_WORDS = 1000  # different texts in a column, each of which is judged


@dataclass(frozen=True, slots=True)
class LazyAnswers:
    """How to make the answers of a survey, and what becomes of them.

    Attributes
    ----------
    columns : column -> expression: a number, null where missing or out of scale, reversed items turned round
    log : as in `Answers`
    """

    columns: dict[str, nw.Expr]
    log: pd.DataFrame


def lazy_answers(frame: nw.LazyFrame, questions: Mapping[str, Question]) -> LazyAnswers:
    """Read the columns of `questions`: those of numbers in one pass, those of words by their different values.

    Raises
    ------
    InputError
        If answers are neither numbers nor known words, or a column has too many different texts.
    """
    schema = frame.collect_schema()
    columns: dict[str, nw.Expr] = {}
    logs: dict[str, tuple[int, ...]] = {}
    counted: list[nw.Expr] = []
    faults: list[str] = []
    for name, question in questions.items():
        if schema[name].is_numeric() or schema[name] == nw.Boolean:
            columns[name], counts = _of_numbers(name, question, schema)
            counted += [column.cast(nw.Int64).sum().alias(f"{len(columns)}_{at}") for at, column in enumerate(counts)]
        else:
            columns[name], logs[name], told = _of_words(frame, name, question)
            faults += told
    if faults:
        raise InputError(
            "answers must be numbers",
            f"found text in {name_some(faults)} ({len(faults)} of {len(questions)} columns)",
            "Give worded answers their numbers with `codes:` of the construct, or list them under `missing:`.",
        )
    sums = to_pandas(frame.select(nw.len().alias("n"), *counted)).iloc[0]
    for at, name in enumerate(questions, 1):
        if name not in logs:
            blank, coded, outside = (int(np.nan_to_num(sums[f"{at}_{place}"])) for place in range(3))
            logs[name] = (int(sums["n"]), blank + coded + outside, coded, outside, 0)
    log = pd.DataFrame.from_dict({name: logs[name] for name in questions}, orient="index", columns=list(LOG_COLUMNS))
    turned = {name: q.low + q.high - columns[name] for name, q in questions.items() if q.reversed}
    return LazyAnswers(columns | turned, log.rename_axis("item"))


def _of_numbers(name: str, question: Question, schema: nw.Schema) -> tuple[nw.Expr, list[nw.Expr]]:
    """The answers of a column of numbers; where it is blank, holds a missing code, lies outside the scale."""
    raw = nw.col(name).cast(nw.Float64)
    if schema[name].is_float():
        raw = nw.when(~raw.is_nan()).then(raw)
    value = raw
    for word, number in question.codes.items():
        code = number_of(word)
        value = value if code is None else nw.when(raw == code).then(nw.lit(float(number))).otherwise(value)
    codes = [number for number in map(number_of, question.missing) if number is not None]
    coded = (raw.is_in(codes) | value.is_in(codes)) if codes else raw.is_null() & ~raw.is_null()
    low, high = max(question.low, -np.finfo(float).max), min(question.high, np.finfo(float).max)
    inside = (value >= low) & (value <= high)
    there = ~raw.is_null()
    return nw.when(there & ~coded & inside).then(value), [raw.is_null(), there & coded, there & ~coded & ~inside]


def _of_words(frame: nw.LazyFrame, name: str, question: Question) -> tuple[nw.Expr, tuple[int, ...], list[str]]:
    """The answers of a column of text, by its different values; their counts, and what is no answer."""
    counts = value_counts(frame, [name])
    if len(counts) > MOST_WORDS:
        return nw.lit(None, nw.Float64), (), [f"{name} ({len(counts)} different texts)"]
    words = {key_of(word): number for word, number in question.codes.items()}
    column, answer = nw.col(name), nw.lit(None, nw.Float64)
    n = {"blank": 0, "missing_code": 0, "outside": 0, "word": 0, "answer": 0, "unknown": 0}
    unknown = []
    for value, count in counts[[name, "n"]].itertuples(index=False):
        if pd.isna(value) or not str(value).strip():
            n["blank"] += count
            continue
        number, kind = read_value(str(value).strip(), words, question.missing)
        n[kind] += count
        unknown += [f"{value!r} ({count})"] if kind == "unknown" else []
        if kind in ("answer", "word") and question.low <= number <= question.high and np.isfinite(number):
            answer = nw.when(column == value).then(nw.lit(float(number))).otherwise(answer)
        elif kind in ("answer", "word"):
            n["outside"] += count
    missing = n["blank"] + n["missing_code"] + n["outside"]
    log = (int(counts["n"].sum()), missing, n["missing_code"], n["outside"], n["word"])
    return answer, log, [f"{name}: {', '.join(unknown[:3])}"] if unknown else []


def lazy_codes(name: str, made: Mapping[object, str]) -> nw.Expr:
    """A column as text codes, given the code of each of its different values; the column itself where it holds its codes.

    Raises
    ------
    InputError
        For too many different values that are not their own codes.
    """
    column = nw.col(name)
    changed = {value: code for value, code in made.items() if value != code}
    if not changed:
        return column
    if len(changed) > MOST_WORDS:
        raise InputError(
            f"a grouping column of a large table may have up to {MOST_WORDS} different values",
            f"found {len(made)} in `{name}`",
            "Store its codes as plain text, or group them more coarsely.",
        )
    codes = nw.lit(None, nw.String)
    for value, code in made.items():
        codes = nw.when(column == value).then(nw.lit(code)).otherwise(codes)
    return codes
