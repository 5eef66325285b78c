"""Studies that are one data set under several names."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxresearch.core.results import Finding

_SAME = 1e-9  # relative; the same answers come this near on any machine, others do not
_ENOUGH = 2  # equal numbers; one alone may be chance where few people have answered few items
_KEYS = ["quantity", "scale", "term"]


def find_copies(estimates: pd.DataFrame) -> dict[str, str]:
    """Studies that repeat an earlier one's respondents: all numbers of a quantity that both have are equal, at full precision.

    Meant for numbers that covariances make (alpha, loadings, regression coefficients): means of a few hundred whole numbers are equal by
    chance too often. Numbers that were rounded tell nothing.

    Parameters
    ----------
    estimates : rows with the columns study, quantity, scale, term, estimate, n; one a study and number

    Returns
    -------
    Later study -> the first that it repeats, in the order of the rows.

    Examples
    --------
    >>> find_copies(pd.DataFrame({"study": ["a", "a", "b", "b"], "quantity": "beta", "scale": "drivers", "n": 100,
    ...     "term": ["speed", "price"] * 2, "estimate": [0.123456789012, 0.2, 0.123456789012, 0.2]}))
    {'b': 'a'}
    """
    known = estimates.dropna(subset=["estimate", "n"])
    if known.empty:
        return {}
    order = list(dict.fromkeys(known["study"]))
    numbers = known.pivot_table(["estimate", "n"], "study", _KEYS).loc[order]
    values, sizes = (numbers[name].to_numpy(float) for name in ("estimate", "n"))
    of_quantity = pd.get_dummies(numbers["estimate"].columns.get_level_values("quantity")).to_numpy(float)
    copies: dict[str, str] = {}
    for place in range(1, len(order)):
        shared = np.isfinite(values[:place]) & np.isfinite(values[place])
        equal = shared & np.isclose(values[:place], values[place], rtol=_SAME, atol=0) & (sizes[:place] == sizes[place])
        n_shared, n_equal = shared @ of_quantity, equal @ of_quantity  # (earlier studies, quantities)
        repeats = np.flatnonzero(np.where(n_equal == n_shared, n_equal, 0).sum(axis=1) >= _ENOUGH)
        first = next((order[other] for other in repeats if order[other] not in copies), None)
        if first is not None:
            copies[order[place]] = first
    return copies


def told_copies(copies: Mapping[str, str]) -> list[Finding]:
    """That studies repeat others; nothing where there are none."""
    told = [f"{copy} = {first}" for copy, first in copies.items()]
    return [Finding("meta.copies", {"studies": told})] if told else []
