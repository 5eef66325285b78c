"""Who answered: counts and shares of each group."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.results import Finding, GroupCode, Result, View, gather, tidy, words
from cxresearch.methods.group_samples import natural_order
from cxresearch.methods.large_sample import count_groups
from cxresearch.methods.shares import Share, design_share, wilson_share

EVERYONE = "everyone"  # the term of the line for all respondents


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleResult(Result):
    """Who answered, by group.

    Attributes
    ----------
    unweighted : rows of the unweighted shares; none where there are no survey weights
    hidden : grouping column -> number of groups too small to be shown
    """

    infers: ClassVar[bool] = False
    views: ClassVar[Mapping[str, View]] = {"sample": View(("group_count", "group_share"), rows=("term", "group"))}

    unweighted: pd.DataFrame
    hidden: Mapping[str, int]

    def finding(self) -> Finding:
        """The largest group of each column."""
        shares = self.pick("group_share")
        if shares.empty:
            return Finding("sample.no_groups", {"n": self.n_used})
        largest = shares.loc[shares.groupby("term", sort=False)["estimate"].idxmax()]
        told = [
            Finding(
                "sample.largest",
                {"term": term, "group": GroupCode(group, term), "share": share, "low": low, "high": high},
            )
            for term, group, share, low, high in largest[
                ["term", "group", "estimate", "conf_low", "conf_high"]
            ].itertuples(index=False)
        ]
        missing = self.pick("missing_share")
        told += [
            Finding("sample.missing", {"term": term, "share": share})
            for term, share in missing[["term", "estimate"]].itertuples(index=False)
            if share > 0
        ]
        told += [
            Finding("sample.hidden", {"term": term, "count": count}) for term, count in self.hidden.items() if count
        ]
        return Finding("sample.size", {"n": self.n_used, "terms": list(largest["term"])}, cautions=tuple(told))

    def records(self) -> pd.DataFrame:
        """The rows of results.csv: the table and the unweighted shares."""
        return gather([self.table, self.unweighted])


def check_sample(
    groups: pd.DataFrame | LargeTable, *, design: Design | None = None, min_group: int = 1
) -> SampleResult:
    """Count respondents by group, and estimate each group's share.

    Parameters
    ----------
    groups : (n, k) codes of grouping columns, missing where unknown; may have no columns. A large table of them is counted, every row,
        and has its own weights and clusters
    design : weights and clusters; with either, shares have linearised standard errors and a logit interval, otherwise
        Wilson's interval
    min_group : groups of fewer rows are not shown, and counted in `hidden`

    Returns
    -------
    SampleResult with group_count (rows, never weighted; term `everyone` for all) and group_share (of the rows whose group
    is known; term = column, group = code), missing_share (term = column)

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953. Korn and Graubard (1998) Survey Methodology 24:193-201.

    Examples
    --------
    >>> sample = check_sample(pd.DataFrame({"company": ["Cedar", "Cedar", "Birch", None]}))
    >>> sample.value("group_share", term="company", group="Birch").__round__(3)
    0.333
    """
    design = design or Design()
    if isinstance(groups, LargeTable):
        return _of_large(groups, min_group)
    parts = [tidy("group_count", len(groups), term=EVERYONE, n=len(groups), method=design.sampled)]
    plain, hidden = [], {}
    for column in groups:
        known = groups[column].dropna()
        shown = sorted(
            (str(name) for name, count in known.value_counts().items() if count >= min_group), key=natural_order
        )
        hidden[str(column)] = known.nunique() - len(shown)
        parts += _column_rows(known, shown, str(column), design)
        plain += _plain_rows(known, shown, str(column), design)
        parts.append(_missing_row(int(groups[column].isna().sum()), len(groups), str(column)))
    return SampleResult(table=gather(parts), n_used=len(groups), unweighted=gather(plain), hidden=hidden)


def _of_large(groups: LargeTable, min_group: int) -> SampleResult:
    n = len(groups)
    parts, plain, hidden = [tidy("group_count", n, term=EVERYONE, n=n)], [], {}
    for term in groups:
        counted = count_groups(groups, term, min_group)
        hidden[term] = counted.n_hidden
        if counted.shown:
            keys = {"term": term, "group": counted.shown, "n": counted.n_known}
            parts.append(tidy("group_count", counted.n, **keys))
            parts.append(_share_rows(counted.share, counted.method, **keys))
            if groups.weighted:
                equal = count_groups(groups.unweighted(), term, min_group)
                plain.append(_share_rows(equal.share, words("unweighted", equal.method), **keys))
        parts.append(_missing_row(n - counted.n_known, n, term))
    return SampleResult(table=gather(parts), n_used=n, unweighted=gather(plain), hidden=hidden)


def _column_rows(known: pd.Series, shown: list[str], term: str, design: Design) -> list[pd.DataFrame]:
    if not shown:
        return []
    member = _membership(known, shown)
    keys = {"term": term, "group": shown, "n": len(known)}
    return [
        tidy("group_count", member.sum(axis=0), method=design.sampled, **keys),
        _share_rows(_share(member, known.index, design), _method(design), **keys),
    ]


def _plain_rows(known: pd.Series, shown: list[str], term: str, design: Design) -> list[pd.DataFrame]:
    """Unweighted shares beside weighted ones."""
    if design.weights is None or not shown:
        return []
    clusters_only = Design(clusters=design.clusters, sampled=design.sampled)
    share = _share(_membership(known, shown), known.index, clusters_only)
    return [_share_rows(share, words("unweighted", _method(clusters_only)), term=term, group=shown, n=len(known))]


def _share(member: np.ndarray, index: pd.Index, design: Design) -> Share:
    if design.is_simple:
        return wilson_share(member.sum(axis=0), len(member))
    return design_share(member, design.weights_on(index), design.clusters_on(index))


def _method(design: Design) -> str:
    return words(design.words, "wilson" if design.is_simple else "logit")


def _share_rows(share: Share, method: str, **keys: object) -> pd.DataFrame:
    return tidy(
        "group_share",
        share.estimate,
        std_error=share.std_error,
        df=share.df,
        conf_low=share.low,
        conf_high=share.high,
        method=method,
        **keys,
    )


def _missing_row(count: int, n: int, term: str) -> pd.DataFrame:
    share = wilson_share(np.array([count]), n)
    return tidy(
        "missing_share",
        share.estimate,
        term=term,
        std_error=share.std_error,
        conf_low=share.low,
        conf_high=share.high,
        n=n,
        method="wilson",
    )


def _membership(known: pd.Series, shown: list[str]) -> np.ndarray:
    return (known.to_numpy(object)[:, None] == np.array(shown, dtype=object)).astype(float)
