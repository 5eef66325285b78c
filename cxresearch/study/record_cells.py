"""Cells of records as times, numbers and true/false; what cannot be read is counted by who asks, never an error."""

import numpy as np
import pandas as pd

from cxresearch.study.codes import as_codes

_TRUE = frozenset({"true", "t", "yes", "y", "1", "是", "真"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "否", "假"})


def as_times(column: pd.Series) -> pd.Series:
    """Times (datetime64); missing where blank or no time. 20260630 is a day; of 01/02/2026 the first number is the month.

    >>> as_times(pd.Series(["2026-06-30 14:05", "30 June 2026", "soon", None])).dt.day.tolist()
    [30.0, 30.0, nan, nan]
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return _without_zone(column)
    text = as_texts(column)
    times = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
    others = times.isna() & text.notna()
    if others.any():
        times[others] = pd.to_datetime(text[others], format="mixed", errors="coerce", utc=True)
    return _without_zone(times)


def as_floats(column: pd.Series) -> pd.Series:
    """Numbers; missing where blank or no finite number."""
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    return numbers.where(np.isfinite(numbers))


def as_truths(column: pd.Series) -> pd.Series:
    """1.0 for true, 0.0 for false, in English or Chinese, as words, letters or numbers; else missing.

    >>> as_truths(pd.Series(["true", "No", 1, "是", "maybe", None])).tolist()
    [1.0, 0.0, 1.0, 1.0, nan, nan]
    """
    words = as_texts(column).str.casefold()
    return pd.Series(np.select([words.isin(_TRUE), words.isin(_FALSE)], [1.0, 0.0], np.nan), column.index)


def as_texts(column: pd.Series) -> pd.Series:
    """Cells as trimmed text, whole numbers without decimals; missing where blank."""
    codes = as_codes(column)
    return codes.where(codes.astype(str) != "")


def is_filled(column: pd.Series) -> pd.Series:
    """Which cells hold something."""
    return column.notna() & (column.astype(str).str.strip() != "")


def _without_zone(times: pd.Series) -> pd.Series:
    return times.dt.tz_localize(None) if times.dt.tz is not None else times
