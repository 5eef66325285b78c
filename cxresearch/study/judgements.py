"""The table of expert judgements: who compared what with what, and how."""

from fractions import Fraction

import numpy as np
import pandas as pd

from cxresearch.core.personal import mask_codes
from cxresearch.errors import InputError, name_some
from cxresearch.study.codes import as_codes
from cxresearch.study.tables import read_table
from cxresearch.study.urls import Place

NAMES = ["expert", "parent", "left", "right"]


def read_judgements(data: list[str], folder: Place) -> pd.DataFrame:
    """Paired comparisons, one a row: expert, parent, left, right (text), judgement (float; nan = not asked).

    Raises
    ------
    InputError
        If a judgement is neither a number nor a fraction ("1/3").
    """
    frame = read_table(data, folder=folder).frame
    names = frame[NAMES].apply(as_codes)
    return names.assign(expert=mask_codes(names["expert"]), judgement=_as_ratios(frame["judgement"]))


def _as_ratios(column: pd.Series) -> pd.Series:
    """Judgements as floats; "1/3" is a third."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float)
    ratios = column.map(_as_ratio, na_action="ignore")
    bad = ratios.index[ratios.isna() & column.notna()]
    if len(bad):
        raise InputError(
            "every judgement must be a number or a fraction such as 1/3, or blank",
            f"found {name_some(column.loc[bad])} in rows {name_some(bad + 2)} ({len(bad):,} of {len(column):,})",
            "Mend the table of judgements. A spreadsheet may have turned 1/3 into a date: store that column as text.",
        )
    return ratios.astype(float)


def _as_ratio(value: object) -> float:
    try:
        return float(Fraction(str(value).replace(" ", "")))
    except (ValueError, ZeroDivisionError):
        return np.nan
