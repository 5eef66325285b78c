"""Values as text codes: what makes 1, 1.0 and "1" the same group."""

from typing import Any

import numpy as np
import pandas as pd

BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001))))  # what `str.strip` takes off, wide blanks of Chinese too


def as_codes(column: pd.Series) -> pd.Series:
    """A column as text codes, missing where it is missing; whole numbers have no decimals.

    >>> as_codes(pd.Series([1.0, 2.5, None])).tolist()
    ['1', '2.5', nan]
    """
    places, distinct = pd.factorize(column)
    codes = np.array([*map(code_of, distinct), np.nan], dtype=object)  # the last for blank cells, whose place is -1
    return pd.Series(codes[places], index=column.index, name=column.name, dtype=object)


def code_of(value: Any) -> str:
    """One value as text: 1.0 and "1" are '1', dates are ISO dates, text loses the blanks around it."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return value.date().isoformat()
    return str(value).strip()
