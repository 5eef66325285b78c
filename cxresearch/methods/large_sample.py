"""Shares of the groups of a large table: from counts of the groups, by cluster where there are clusters."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.large import LargeTable
from cxresearch.core.results import words
from cxresearch.methods.counted_items import design_words
from cxresearch.methods.group_samples import natural_order
from cxresearch.methods.shares import Share, design_share, logit_share, wilson_share


@dataclass(frozen=True, slots=True)
class CountedSample:
    """One grouping column, its rows counted.

    Attributes
    ----------
    shown : codes of the groups that are large enough
    n_hidden : groups that are not
    n : (k,) rows of each group shown
    n_known : rows whose group is known
    share : of each group shown
    method : how it was found
    """

    shown: list[str]
    n_hidden: int
    n: np.ndarray
    n_known: int
    share: Share
    method: str


def count_groups(groups: LargeTable, term: str, min_group: int) -> CountedSample:
    """The groups of a column with `min_group` rows or more, their counts and shares, as those of the rows one by one.

    Parameters
    ----------
    groups : a table of grouping columns
    term : one of them
    """
    rows = groups.counts(term, by_unit=groups.clusters is not None).dropna(subset=[term])
    sizes = rows.groupby(term)["n"].sum()
    shown = sorted(map(str, sizes.index[sizes >= min_group]), key=natural_order)
    simple = not groups.weighted and groups.clusters is None
    return CountedSample(
        shown=shown,
        n_hidden=len(sizes) - len(shown),
        n=sizes.loc[shown].to_numpy(float),
        n_known=int(sizes.sum()),
        share=wilson_share(sizes.loc[shown].to_numpy(float), sizes.sum())
        if simple or not shown
        else _share(rows, term, shown),
        method=words(design_words(groups), "wilson" if simple else "logit"),
    )


def _share(rows: pd.DataFrame, term: str, shown: list[str]) -> Share:
    """Weighted shares with linearised errors, from sums by group, or by group and cluster, of weights and their squares."""
    member = (rows[term].to_numpy()[:, None] == np.array(shown, object)).astype(float)
    w, w2, n = rows["w"].to_numpy(float), rows["w2"].to_numpy(float), float(rows["n"].sum())
    if "unit" in rows:
        return design_share(member, w, pd.factorize(rows["unit"])[0])
    share = w @ member / w.sum()
    squares = w2 @ (member - share) ** 2
    return logit_share(share, np.sqrt(squares * n / max(n - 1, 1)) / w.sum(), n - 1)
