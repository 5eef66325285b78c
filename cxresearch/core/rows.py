"""What rows must be before anything is estimated from them."""

import numpy as np
import pandas as pd

from cxresearch.errors import InputError, name_some


def numeric_values(frame: pd.DataFrame) -> np.ndarray:
    """The frame as floats (n, p), once it is sure that it is numeric and has two rows or more."""
    text = [str(name) for name, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if text:
        raise InputError(
            "the answers must be numeric",
            f"found text in {name_some(text)} ({len(text)} of {frame.shape[1]} columns)",
            "Map words to numbers with `codes:` in the study file, or leave the columns out.",
        )
    if len(frame) < 2:
        raise InputError("at least two rows are needed", f"found {len(frame)}", "Check `where` and missing answers.")
    return frame.to_numpy(float, na_value=np.nan)


def sum_by_unit(rows: np.ndarray, unit: np.ndarray, n_units: int) -> np.ndarray:
    """Rows (n, q) summed within units of resampling or clusters, whose numbers are `unit` (n,); shape (n_units, q).

    >>> sum_by_unit(np.array([[1.0], [2.0], [4.0]]), np.array([1, 0, 1]), 2)
    array([[2.],
           [5.]])
    """
    from scipy.sparse import csr_array  # its product is much quicker than `np.add.at`, and adds in the same order

    n = len(rows)
    return csr_array((np.ones(n), unit, np.arange(n + 1)), shape=(n, n_units)).T @ rows


def complete_values(frame: pd.DataFrame) -> np.ndarray:
    """The frame as floats (n, p), once it is sure that it is numeric, complete, finite and has two rows or more."""
    values = numeric_values(frame)
    _refuse(frame, np.isnan(values), "missing", "Drop the incomplete rows first: `answers.dropna()`.")
    _refuse(frame, np.isinf(values), "infinite", "Mend them, or declare them as missing.")
    return values


def incomplete_values(frame: pd.DataFrame) -> np.ndarray:
    """The frame as floats (n, p), nan where not answered, once it is sure that it is numeric, finite and has two rows."""
    values = numeric_values(frame)
    _refuse(frame, np.isinf(values), "infinite", "Mend them, or declare them as missing.")
    return values


def _refuse(frame: pd.DataFrame, bad: np.ndarray, word: str, action: str) -> None:
    names = [str(name) for name, found in zip(frame.columns, np.any(bad, axis=0), strict=True) if found]
    if names:
        raise InputError(
            "the answers must be complete and finite" if word == "missing" else "the answers must be finite numbers",
            f"found {word} answers in {name_some(names)} ({len(names)} of {frame.shape[1]} columns)",
            action,
        )


def told_missing(frame: pd.DataFrame) -> str:
    """Which columns lack most answers, as a message goes on: "", or ", most often missing: q3 (280), q1 (12)".

    >>> told_missing(pd.DataFrame({"q1": [1, np.nan], "q2": [2, 3]}))
    ', most often missing: q1 (1)'
    """
    counts = frame.isna().sum().sort_values(ascending=False, kind="stable")
    listed = name_some(f"{name} ({count})" for name, count in counts[counts > 0].items())
    return f", most often missing: {listed}" if listed else ""
