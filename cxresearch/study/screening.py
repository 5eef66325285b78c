"""Flag answers that may not have been given with care: duplicates, straight-liners, speeders, and indices that agree.

Flags are counted and shown. Rows are dropped for them only where the study file says so.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from cxresearch.core import careless
from cxresearch.core.rules import RULES

CARELESS = ("straightliner", "speeder", "several_indices")  # flags that make a respondent careless
INDICES = ("long_string", "low_variability", "even_odd", "synonyms", "mahalanobis", "speeder")  # those that may agree
Ranges = Mapping[str, tuple[float, float]]


def flag_rows(
    frame: pd.DataFrame,
    given: pd.DataFrame,
    ranges: Ranges,
    *,
    scales: Mapping[str, Sequence[str]] | None = None,
    reversed_items: Sequence[str] = (),
    identity: str | None = None,
    seconds: str | None = None,
) -> pd.DataFrame:
    """Which rows are duplicates, straight-liners or speeders, and which ones the indices of careless answering flag.

    Parameters
    ----------
    frame : all columns of the survey
    given : (n, items) answers before reversal, missing ones nan
    ranges : item -> its scale
    scales : construct -> items, for the indices of consistency
    reversed_items : items worded the other way round
    identity, seconds : columns of the respondent and the response time

    Returns
    -------
    DataFrame of bool on the rows of `frame`: duplicate, straightliner, speeder, the other INDICES and several_indices (as
    many of them agree as the rule `agreeing_indices` asks for), each only where it can be judged
    """
    flags: dict[str, pd.Series | np.ndarray] = {"duplicate": find_duplicates(frame, identity=identity)}
    grids = grids_of(ranges)
    if grids:
        flags["straightliner"] = find_straightliners(given, grids)
    if seconds is not None:
        flags["speeder"] = find_speeders(frame[seconds])
    order = [
        str(name) for name in frame if name in ranges
    ]  # as exported, which is how most questionnaires were filled in
    flags |= find_careless(given[order], ranges, scales or {}, reversed_items)
    found = pd.DataFrame(flags, index=frame.index)
    judged = [name for name in INDICES if name in found]
    if len(judged) >= RULES["agreeing_indices"].value:
        found["several_indices"] = RULES["agreeing_indices"].met(found[judged].to_numpy().sum(axis=1))
    return found


def find_careless(
    given: pd.DataFrame, ranges: Ranges, scales: Mapping[str, Sequence[str]], reversed_items: Sequence[str]
) -> dict[str, np.ndarray]:
    """What each index of careless answering flags, as far as it can be judged.

    The limits of the literature on consistency were set for questionnaires of many scales; where there are few, a respondent must
    also be among the least consistent (rule `lowest_share`), so that chance alone does not flag half the sample.
    """
    if not RULES["grid_items"].met(given.shape[1]):
        return {}
    low, high = np.array([ranges[str(name)] for name in given]).T
    values = careless.on_unit_scale(given.to_numpy(float), low, high)
    variability = careless.response_variability(values)
    turned = np.where([name in reversed_items for name in given], 1 - values, values)
    place = {name: at for at, name in enumerate(given)}
    columns = [[place[item] for item in items if item in place] for items in scales.values()]
    even_odd = careless.even_odd_consistency(turned, columns)
    alike = careless.find_synonyms(careless.pairwise_correlation(values), RULES["synonym_pair"])
    synonyms = careless.synonym_consistency(values, alike)
    flags = {
        "long_string": _long_strings(values, list(zip(low, high, strict=True))),
        "low_variability": _among_lowest(variability),
        "even_odd": _among_lowest(even_odd) & RULES["even_odd"].met(even_odd),
        "synonyms": _among_lowest(synonyms) & RULES["synonyms"].met(synonyms),
        "mahalanobis": _unusual(values),
    }
    judged = {"even_odd": even_odd, "synonyms": synonyms}
    return {
        name: flag for name, flag in flags.items() if flag is not None and not np.isnan(judged.get(name, 0.0)).all()
    }


def _long_strings(values: np.ndarray, scales: list[tuple[float, float]]) -> np.ndarray | None:
    """Rows with a string of equal answers as long as the rules `long_string` and `grid_items` ask for.

    Strings are counted where items that follow each other share a scale; None where too few do.
    """
    starts = [0, *(at for at in range(1, len(scales)) if scales[at] != scales[at - 1]), len(scales)]
    blocks = [values[:, first:last] for first, last in pairwise(starts)]
    found = []
    for block in blocks:
        if RULES["grid_items"].met(block.shape[1]):
            longest = careless.longest_strings(block)
            found.append(RULES["long_string"].met(longest / block.shape[1]) & RULES["grid_items"].met(longest))
    return np.any(found, axis=0) if found else None


def _among_lowest(index: np.ndarray) -> np.ndarray:
    """The share of the rows that is lowest on an index (rule `lowest_share`); rows tied with the last of them too."""
    known = index[~np.isnan(index)]
    return index <= np.quantile(known, RULES["lowest_share"].value) if len(known) else np.zeros(len(index), bool)


def _unusual(values: np.ndarray) -> np.ndarray | None:
    """Rows far from the others (rule `mahalanobis`), by the moments of the complete rows; None where these are singular."""
    complete = values[~np.isnan(values).any(axis=1)]
    if len(complete) <= values.shape[1]:
        return None
    cov = np.cov(complete, rowvar=False)
    if np.linalg.matrix_rank(cov, hermitian=True) < len(cov):
        return None
    from scipy.special import chdtrc  # slow to import, and not needed to check a study file

    squares, df = careless.squared_distances(values, complete.mean(axis=0), cov)
    return (df > 0) & RULES["mahalanobis"].met(chdtrc(np.maximum(df, 1), squares))


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
