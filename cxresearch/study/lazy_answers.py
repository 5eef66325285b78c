"""Answers and codes of a table that is not in memory, as expressions: the same meaning as in `answers` and `codes`."""

from collections.abc import Mapping
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from cxresearch.core.large_checks import WHOLE
from cxresearch.core.reductions import to_pandas, value_counts
from cxresearch.errors import InputError, name_some
from cxresearch.study.answers import LOG_COLUMNS, Question, key_of, number_of, read_value

_ENDS = (-np.finfo(float).max, np.finfo(float).max)  # beyond which nothing is an answer
MOST_WORDS = 1000  # different texts in a column, each of which is judged


@dataclass(frozen=True, slots=True)
class LazyAnswers:
    """How to make the answers of a survey, and what was seen on the way.

    Attributes
    ----------
    columns : column -> expression: a number, null where missing or out of scale, reversed items turned round
    seen : one row a column: n_rows, n_blank, n_missing_code, n_text
    """

    columns: dict[str, nw.Expr]
    seen: pd.DataFrame

    def log(self, n_given: pd.Series) -> pd.DataFrame:
        """As in `Answers`, once the answers that came of it are counted."""
        log = self.seen.assign(n_missing=self.seen["n_rows"] - n_given.astype(int))
        log["n_out_of_scale"] = log["n_missing"] - log["n_blank"] - log["n_missing_code"]
        return log[list(LOG_COLUMNS)].rename_axis("item")


def lazy_answers(frame: nw.LazyFrame, questions: Mapping[str, Question]) -> LazyAnswers:
    """Read the columns of `questions`: those of numbers in one pass, those of words by their different values.

    Raises
    ------
    InputError
        If answers are neither numbers nor known words, or a column has too many different texts.
    """
    schema = frame.collect_schema()
    columns: dict[str, nw.Expr] = {}
    seen: dict[str, tuple[int, int, int]] = {}
    fractions: dict[str, int] = {}
    faults: list[str] = []
    counted = {"n": nw.len()}
    for place, (name, question) in enumerate(questions.items()):
        if schema[name].is_numeric() or schema[name] == nw.Boolean:
            columns[name], there, coded, parted = _of_numbers(name, question, schema)
            counted |= {f"{place}_there": there, f"{place}_coded": coded, f"{place}_fractions": parted}
        else:
            columns[name], seen[name], fractions[name], told = _of_words(frame, name, question)
            faults += told
    if faults:
        raise InputError(
            "answers must be numbers",
            f"found text in {name_some(faults)} ({len(faults)} of {len(questions)} columns)",
            "Give worded answers their numbers with `codes:` of the construct, or list them under `missing:`.",
        )
    sums = to_pandas(frame.select(*(each.alias(said) for said, each in counted.items()))).fillna(0).iloc[0].astype(int)
    for place, (name, question) in enumerate(questions.items()):
        if name not in seen:
            seen[name] = (sums["n"] - sums[f"{place}_there"], sums[f"{place}_coded"], 0)
            fractions[name] = sums[f"{place}_fractions"]
        if question.reversed:
            columns[name] = question.low + question.high - columns[name]
        if not fractions[name] and (small := _small_kind(question)):
            columns[name] = columns[name].cast(small)
    log = pd.DataFrame.from_dict(seen, orient="index", columns=["n_blank", "n_missing_code", "n_text"])
    return LazyAnswers(columns, log.loc[list(questions)].assign(n_rows=sums["n"]))


def _small_kind(question: Question) -> type[nw.Int8 | nw.Int16] | None:
    """What holds all answers of a scale of small whole numbers."""
    numbers = [question.low, question.high, *question.codes.values()]
    if any(number % 1 != 0 for number in numbers):  # inf % 1 is nan
        return None
    most = max(abs(question.low), abs(question.high))
    return nw.Int8 if most < 2**7 else nw.Int16 if most < 2**15 else None


def _of_numbers(name: str, question: Question, schema: nw.Schema) -> tuple[nw.Expr, nw.Expr, nw.Expr, nw.Expr]:
    """The answers of a column of numbers; how many cells are filled, hold a missing code, and hold a fraction."""
    whole = schema[name] in WHOLE
    raw = nw.col(name) if whole else nw.col(name).cast(nw.Float64)
    if schema[name].is_float():
        raw = nw.when(~raw.is_nan()).then(raw)
    value = raw
    for word, number in question.codes.items():
        code = number_of(word)
        value = value if code is None else nw.when(raw == code).then(nw.lit(float(number))).otherwise(value)
    codes = [_plain(number) for number in map(number_of, question.missing) if number is not None]
    coded = [side == code for code in codes for side in ([raw] if value is raw else [raw, value])]
    low, high = (_plain(np.clip(end, *_ENDS)) for end in (question.low, question.high))
    inside = [] if whole and not np.isfinite(question.low) else [value >= low, value <= high]
    kept = nw.all_horizontal(~raw.is_null(), *inside, *(~each for each in coded), ignore_nulls=False)
    n_coded = nw.any_horizontal(*coded, ignore_nulls=False).cast(nw.Int64).sum() if coded else nw.lit(0)
    fractions = nw.lit(0) if whole else (raw != raw.round(0)).cast(nw.Int64).sum()
    return nw.when(kept).then(value), raw.count(), n_coded, fractions


def _plain(number: float) -> float:
    """A small whole number as such: engines compare whole numbers faster."""
    return int(number) if number % 1 == 0 and abs(number) < 2**31 else float(number)


def _of_words(
    frame: nw.LazyFrame, name: str, question: Question
) -> tuple[nw.Expr, tuple[int, int, int], int, list[str]]:
    """The answers of a column of text, by its different values; blank ones, missing codes and words; fractions; what is no answer."""
    counts = value_counts(frame, [name])
    if len(counts) > MOST_WORDS:
        return nw.lit(None, nw.Float64), (0, 0, 0), 0, [f"{name} ({len(counts)} different texts)"]
    words = {key_of(word): number for word, number in question.codes.items()}
    column, answer = nw.col(name), nw.lit(None, nw.Float64)
    n = {"blank": 0, "missing_code": 0, "word": 0, "answer": 0, "unknown": 0}
    unknown, fractions = [], 0
    for value, count in counts[[name, "n"]].itertuples(index=False):
        if pd.isna(value) or not str(value).strip():
            n["blank"] += count
            continue
        number, kind = read_value(str(value).strip(), words, question.missing)
        n[kind] += count
        unknown += [f"{value!r} ({count})"] if kind == "unknown" else []
        if kind in ("answer", "word") and question.low <= number <= question.high and np.isfinite(number):
            answer = nw.when(column == value).then(nw.lit(float(number))).otherwise(answer)
            fractions += count if number % 1 else 0
    seen = (n["blank"], n["missing_code"], n["word"])
    return answer, seen, fractions, [f"{name}: {', '.join(unknown[:3])}"] if unknown else []


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
