"""The rows that a comparison of groups uses, measure by measure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.errors import InputError, name_some


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows of one measure.

    Attributes
    ----------
    measure : its name
    scores : (n,) Series on the rows' index
    codes : (n,) group numbers 0..k-1
    groups : (k,) group codes
    left_out : groups with too few such rows, or none
    """

    measure: str
    scores: pd.Series
    codes: np.ndarray
    groups: tuple[str, ...]
    left_out: tuple[str, ...]

    def lone(self, design: Design) -> list[str]:
        """Groups whose rows all belong to one cluster."""
        clusters = pd.Series(design.clusters_on(self.scores.index)).groupby(self.codes).nunique()
        return [code for code, count in zip(self.groups, clusters, strict=True) if count < 2]


def refuse_unusable(data: pd.DataFrame, measures: list[str], by: str, min_group: int) -> None:
    """Refuse names that are no column, text, `by` among the measures, and groups of a single row."""
    refuse_unknown(list(data.columns), measures, by, min_group)
    text = [name for name in measures if not pd.api.types.is_numeric_dtype(data[name])]
    if text:
        raise InputError("`measures` must be numeric", f"found text in {name_some(text)}", "Map words to numbers.")


def refuse_unknown(columns: list[str], measures: list[str], by: str, min_group: int) -> None:
    """Refuse names that are no column, `by` among the measures, and groups of a single row."""
    unknown = [name for name in [*measures, by] if name not in columns]
    if unknown or not measures or by in measures or len(set(measures)) < len(measures):
        found = f"no column {name_some(unknown)}" if unknown else f"measures {name_some(measures) or 'none'} by {by}"
        raise InputError(
            "`measures` and `by` must name different columns",
            f"found {found}",
            f"The columns are {name_some(columns, 12)}.",
        )
    if min_group < 2:
        raise InputError("`min_group` must be 2 or more", f"found {min_group}", "One row has no spread.")


def group_codes(column: pd.Series) -> pd.Series:
    """A grouping column as text codes; whole numbers without decimals ("1", never "1.0"), missing where missing.

    >>> list(group_codes(pd.Series([1.0, 2.0])))
    ['1', '2']
    """
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype(object).where(column.notna(), None).map(str, na_action="ignore")


def sample_of(data: pd.DataFrame, codes: pd.Series, measure: str, design: Design, min_group: int) -> Sample:
    """The rows that have the measure, a group that is large enough, and a weight above 0.

    Raises
    ------
    InputError
        For fewer than two groups that are large enough, or a constant measure.
    """
    used = codes.notna() & data[measure].notna()
    if design.weights is not None:
        used &= design.weights_on(data.index) > 0
    values, owners = data.loc[used, measure].astype(float), codes[used]
    sizes = owners.value_counts()
    groups = sorted(sizes.index[sizes >= min_group], key=natural_order)
    if len(groups) < 2:
        listed = name_some(f"{code} ({size})" for code, size in sizes.items())
        nothing = f"found no row of {len(data)} with both `{measure}` and `{codes.name}`"
        raise InputError(
            f"a comparison of `{measure}` needs two groups of at least {min_group} rows",
            f"found {listed} in `{codes.name}`" if listed else nothing,
            "Name another grouping column, or check `where` and the missing answers.",
        )
    kept = owners.isin(groups)
    values, owners = values[kept], owners[kept]
    if np.ptp(values) == 0:
        raise InputError(f"`{measure}` must vary", f"all {len(values):,} rows are {values.iloc[0]:g}", "Leave it out.")
    numbers = pd.Categorical(owners, categories=groups).codes.astype(int)
    return Sample(
        measure, values, numbers, tuple(groups), tuple(sorted(set(codes.dropna()) - set(groups), key=natural_order))
    )


def natural_order(code: str) -> tuple[bool, float, str]:
    """Sort key of codes: numbers by size, then words by letter.

    >>> sorted(["10", "North", "2"], key=natural_order)
    ['2', '10', 'North']
    """
    try:
        return False, float(code), code
    except ValueError:
        return True, 0.0, code
