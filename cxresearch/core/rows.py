"""What rows must be before anything is estimated from them."""

import numpy as np
import pandas as pd

from cxresearch.errors import InputError, name_some


def complete_values(frame: pd.DataFrame) -> np.ndarray:
    """The frame as floats (n, p), once it is sure that it is numeric, complete, finite and has two rows or more."""
    text = [str(name) for name, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if text:
        raise InputError(
            "the answers must be numeric",
            f"found text in {name_some(text)} ({len(text)} of {frame.shape[1]} columns)",
            "Map words to numbers with `codes:` in the study file, or leave the columns out.",
        )
    if len(frame) < 2:
        raise InputError("at least two rows are needed", f"found {len(frame)}", "Check `where` and missing answers.")
    values = frame.to_numpy(float, na_value=np.nan)
    for bad, word, action in (
        (np.isnan(values), "missing", "Drop the incomplete rows first: `answers.dropna()`."),
        (np.isinf(values), "infinite", "Mend them, or declare them as missing."),
    ):
        names = [str(name) for name, found in zip(frame.columns, bad.any(axis=0), strict=True) if found]
        if names:
            raise InputError(
                "the answers must be complete and finite",
                f"found {word} answers in {name_some(names)} ({len(names)} of {frame.shape[1]} columns)",
                action,
            )
    return values
