"""Flag answers that may not have been given with care: duplicates, straight-liners, speeders.

Flags are counted and shown. Rows are dropped for them only where the study file says so.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

SPEED_SHARE = 0.5
"""Share of the median response time below which a respondent is a speeder: the strictest threshold of Greszki, Meyer and
Schoen (2015) Public Opinion Quarterly 79:471-503, doi:10.1093/poq/nfu058."""
GRID_ITEMS = 6
"""Items on one scale that make a grid long enough to see straight-lining: the shortest string that no careful respondent of
Costa and McCrae exceeded, as told by Johnson (2005) Journal of Research in Personality 39:103-129,
doi:10.1016/j.jrp.2004.09.009."""


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
    """Items that share a scale, where there are GRID_ITEMS of them or more."""
    grids: dict[tuple[float, float], list[str]] = {}
    for item, scale in ranges.items():
        grids.setdefault(scale, []).append(item)
    return [items for items in grids.values() if len(items) >= GRID_ITEMS]


def find_straightliners(given: pd.DataFrame, grids: list[list[str]]) -> pd.Series:
    """Rows with one and the same answer to all items of each grid, before reversed items are turned round.

    A grid counts for a respondent who answered half of it or more, and GRID_ITEMS of its items or more; who answered no
    grid that far is no straight-liner. This is simple nondifferentiation as in Kim et al. (2019) Social Science Computer
    Review 37:214-233, doi:10.1177/0894439317752406.
    """
    straight = np.ones(len(given), bool)
    judged = np.zeros(len(given), bool)
    for items in grids:
        answers = given[items]
        counts = answers.notna().to_numpy().sum(axis=1)
        enough = counts >= max(GRID_ITEMS, len(items) / 2)
        same = (answers.max(axis=1) == answers.min(axis=1)).to_numpy()
        straight &= same | ~enough
        judged |= enough
    return pd.Series(straight & judged, index=given.index)


def find_speeders(seconds: pd.Series) -> pd.Series:
    """Rows answered in less than SPEED_SHARE of the median time; a missing time is none.

    >>> find_speeders(pd.Series([100, 120, 49, None])).tolist()
    [False, False, True, False]
    """
    times = pd.to_numeric(seconds, errors="coerce")
    return times < SPEED_SHARE * times.median()
