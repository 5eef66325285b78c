"""Flag answers that may not have been given with care: duplicates, straight-liners, speeders.

Flags are counted and shown. Rows are dropped for them only where the study file says so.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxresearch.core.rules import RULES


def flag_rows(
    frame: pd.DataFrame,
    given: pd.DataFrame,
    ranges: Mapping[str, tuple[float, float]],
    *,
    identity: str | None = None,
    seconds: str | None = None,
) -> pd.DataFrame:
    """Which rows are duplicates, straight-liners or speeders.

    Parameters
    ----------
    frame : all columns of the survey
    given : (n, items) answers before reversal, missing ones nan
    ranges : item -> its scale
    identity, seconds : columns of the respondent and the response time

    Returns
    -------
    DataFrame of bool on the rows of `frame`; `straightliner` and `speeder` only where they can be judged.
    """
    flags = {"duplicate": find_duplicates(frame, identity=identity)}
    grids = grids_of(ranges)
    if grids:
        flags["straightliner"] = find_straightliners(given, grids)
    if seconds is not None:
        flags["speeder"] = find_speeders(frame[seconds])
    return pd.DataFrame(flags, index=frame.index)


def find_duplicates(frame: pd.DataFrame, *, identity: str | None = None) -> pd.Series:
    """Rows that repeat an earlier row in every column but the respondent's, or that bear an earlier respondent's name.

    >>> find_duplicates(pd.DataFrame({"id": [1, 2, 2], "q1": [4, 4, 5]}), identity="id").tolist()
    [False, True, True]
    """
    if identity is None:
        return frame.duplicated()
    named = frame[identity].notna()
    return frame.drop(columns=identity).duplicated() | (frame[identity].duplicated() & named)


def grids_of(ranges: Mapping[str, tuple[float, float]]) -> list[list[str]]:
    """Items that share a scale, where there are enough of them to see straight-lining (rule `grid_items`)."""
    grids: dict[tuple[float, float], list[str]] = {}
    for item, scale in ranges.items():
        grids.setdefault(scale, []).append(item)
    return [items for items in grids.values() if RULES["grid_items"].met(len(items))]


def find_straightliners(given: pd.DataFrame, grids: list[list[str]]) -> pd.Series:
    """Rows with one and the same answer to all items of each grid, before reversed items are turned round.

    A grid counts for a respondent who answered half of it, and as many items as the rule `grid_items` asks for; who
    answered no grid that far is no straight-liner. This is simple nondifferentiation as in Kim et al. (2019) Social
    Science Computer Review 37:214-233, doi:10.1177/0894439317752406.

    >>> find_straightliners(pd.DataFrame([[4] * 6, [4] * 5 + [3]], columns=list("abcdef")), [list("abcdef")]).tolist()
    [True, False]
    """
    straight = np.ones(len(given), bool)
    judged = np.zeros(len(given), bool)
    for items in grids:
        answers = given[items]
        counts = answers.notna().to_numpy().sum(axis=1)
        enough = (counts >= len(items) / 2) & RULES["grid_items"].met(counts)
        same = (answers.max(axis=1) == answers.min(axis=1)).to_numpy()
        straight &= same | ~enough
        judged |= enough
    return pd.Series(straight & judged, index=given.index)


def find_speeders(seconds: pd.Series) -> pd.Series:
    """Rows answered in less than a share of the median time (rule `speeder`); a missing time is none.

    >>> find_speeders(pd.Series([100, 120, 49, None])).tolist()
    [False, False, True, False]
    """
    times = pd.to_numeric(seconds, errors="coerce")
    shares = (times / times.median()).to_numpy(float)
    return pd.Series(RULES["speeder"].met(shares), index=seconds.index)
