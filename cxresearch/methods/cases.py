"""Case comparison: how companies, regions or other groups differ in an outcome and its companions."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cxresearch.core.answers import Missing, refuse_unknown_policy
from cxresearch.core.design import Design
from cxresearch.core.em import EM
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import deviations_from
from cxresearch.core.resampling import expanded_tail
from cxresearch.core.results import gather, tidy, words
from cxresearch.errors import InputError, name_some
from cxresearch.methods.case_result import CaseComparison
from cxresearch.methods.counted_items import design_words
from cxresearch.methods.group_means import GroupMeans, bootstrap_means, group_means, ranks
from cxresearch.methods.group_samples import Sample, group_codes, refuse_unknown, refuse_unusable, sample_of
from cxresearch.methods.group_tests import LEVEL, effects, explained, explained_between, game_pairs, omnibus, wald
from cxresearch.methods.large_groups import CountedGroups
from cxresearch.methods.likely_groups import LikelyScores, count_rows, likely_scores, omnibus_of_likely

Pairs = Literal["games_howell", "none"]


def compare_cases(
    data: pd.DataFrame | LargeTable,
    measures: str | Sequence[str],
    *,
    by: str,
    design: Design | None = None,
    min_group: int = 2,
    missing: Missing = "drop",
    items: pd.DataFrame | None = None,
    scales: Mapping[str, Sequence[str]] | None = None,
    pairs: Pairs = "games_howell",
    n_bootstrap: int = 2000,
    seed: int = 0,
) -> CaseComparison:
    """Compare groups on one or several measures.

    Each group's mean has a linearised standard error and a t interval; weights and clusters of the design count, the groups
    as samples of their own. Without them this is sd / sqrt(n) and t on n - 1. Groups are tested by Welch's ANOVA and
    Kruskal-Wallis, which know no weights and no clusters (`method` says so); a design adds a Wald test that does.
    Pairs are compared after Games and Howell, with the errors of the design. Ranks (1 = highest mean) have expanded
    percentile intervals over a bootstrap of rows or clusters.

    Each measure uses the rows that have it, a group, and a weight above 0.

    Parameters
    ----------
    data : one row a respondent; numeric measures and the grouping column; or a large table, whose bootstrap draws clusters or
        random groups of rows
    measures : columns to compare, the outcome first
    by : grouping column; its values count as text codes
    design : survey weights and clusters
    min_group : rows that a group needs; smaller ones are left out and named
    missing : "drop": rows with all items of a score; "em" (and "impute"): rows with any of them, with means and variances by maximum
        likelihood in each group, over the items of the score. Welch's test, pairs, effect sizes and ranks follow from these means and
        their errors (`LikelyScores`); Kruskal-Wallis takes the complete rows
    items, scales : for "em" and "impute", the answers (n, q) behind the scores, and construct -> items; measures that are none of `scales`
        keep their own rows
    pairs : "games_howell", or "none" for means, ranks and overall tests only
    n_bootstrap : replicates behind the intervals of ranks; 0 for none

    Raises
    ------
    InputError
        For a column that is not there or text; if no measure varies and has two groups that are large enough. Of several measures
        those that do not are left out, and named.

    References
    ----------
    Welch (1951), doi:10.1093/biomet/38.3-4.330. Games and Howell (1976), doi:10.3102/10769986001002113. Hedges (1981),
    doi:10.3102/10769986006002107. Goldstein and Spiegelhalter (1996) Journal of the Royal Statistical Society A 159:385-443,
    doi:10.2307/2983325 (on ranks). Hesterberg (2015), doi:10.1080/00031305.2015.1089789 (expanded percentiles).

    >>> data = pd.DataFrame({"score": [3.0, 4, 5, 4, 1, 2, 2, 3], "company": list("aaaabbbb")})
    >>> compare_cases(data, "score", by="company", n_bootstrap=50).value("mean_difference")
    2.0
    """
    if pairs not in get_args(Pairs):
        raise InputError(
            f"`pairs` must be one of {name_some(get_args(Pairs))}", f"found {pairs!r}", "Choose one of these."
        )
    names = [measures] if isinstance(measures, str) else list(measures)
    if isinstance(data, LargeTable):
        return _of_large(data, names, by, min_group, n_bootstrap, seed, pairs=pairs == "games_howell")
    refuse_unknown_policy(missing)
    refuse_unusable(data, names, by, min_group)
    design, codes = design or Design(), group_codes(data[by])
    likely = likely_scores(items, scales or {}, names, codes, design) if missing != "drop" and items is not None else {}
    data = data.assign(**{name: scores.pseudo for name, scores in likely.items()})
    samples, unusable = _usable(data, codes, names, design, min_group)
    stacks = bootstrap_means(
        [(sample.scores, sample.codes, len(sample.groups)) for sample in samples],
        design, data.index[codes.notna()], n_bootstrap=n_bootstrap, seed=seed,
    )  # fmt: skip
    tables = [
        _rows(sample, stack, design, by, likely.get(sample.measure), pairs=pairs == "games_howell")
        for sample, stack in zip(samples, stacks, strict=True)
    ]
    first = samples[0]
    return CaseComparison(
        table=gather([part for table in tables for part in table]),
        **count_rows(samples, likely, data, missing),
        missing_policy="" if missing == "drop" else missing,
        iterations=max((scores.iterations for scores in likely.values()), default=0),
        by_complete=tuple(dict.fromkeys(code for scores in likely.values() for code in scores.by_complete)),
        measures=tuple(sample.measure for sample in samples),
        unusable=unusable,
        by=by,
        groups=first.groups,
        left_out=tuple(dict.fromkeys(code for sample in samples for code in sample.left_out)),
        min_group=min_group,
        design_words=design.words,
        n_clusters=design.count_clusters(first.scores.index),
        lone=tuple(dict.fromkeys(code for sample in samples for code in sample.lone(design))),
    )


def _usable(
    data: pd.DataFrame, codes: pd.Series, names: list[str], design: Design, min_group: int
) -> tuple[list[Sample], tuple[str, ...]]:
    """The samples of the measures that can be compared, and the names of the others; refused if none can."""
    samples, refused = [], {}
    for name in names:
        try:
            samples.append(sample_of(data, codes, name, design, min_group))
        except InputError as fault:
            refused[name] = fault
    if not samples:
        raise refused[names[0]]
    return samples, tuple(refused)


def _rows(
    sample: Sample, stack: np.ndarray, design: Design, by: str, likely: LikelyScores | None, *, pairs: bool
) -> list[pd.DataFrame]:
    """All rows of one measure."""
    values, index = sample.scores.to_numpy(), sample.scores.index
    weights = design.weights_on(index)
    means = group_means(values, sample.codes, sample.groups, design, index)
    by_words, em = f"by {by}", EM if likely else ""
    heedless = words(
        "unweighted" if design.weights is not None else "",
        "ignores clusters" if design.clusters is not None else "",
        by_words,
    )
    heedful = words(em, design.words, by_words)
    parts = [_mean_rows(means, sample.measure, heedful)]
    unweighted = likely.unweighted.loc[index].to_numpy() if likely else values
    if design.weights is not None:
        rows_only = Design(clusters=design.clusters)
        plain = group_means(unweighted, sample.codes, sample.groups, rows_only, index)
        parts.append(_mean_rows(plain, sample.measure, words("unweighted", em, rows_only.words, by_words)))
    units = int(design.clusters_on(index).max()) + 1
    tail = expanded_tail(LEVEL, units, clustered=design.clusters is not None)
    parts.append(_rank_rows(means, stack, tail, sample.measure, words("percentile bootstrap", heedful)))
    whole = {"scale": sample.measure, "n": len(values)}
    if not design.is_simple:
        parts.append(wald(means, units, **whole, method=heedful))
    split = [unweighted[sample.codes == g] for g in range(len(sample.groups))]
    parts.append(
        omnibus_of_likely(sample, likely, split, heedless) if likely else omnibus(split, **whole, method=heedless)
    )
    ratio_words = words(
        em,
        "weighted" if design.weights is not None else "",
        "ignores clusters" if design.clusters is not None else "",
        by_words,
    )
    variance = _variances(sample, means, weights, likely)
    total = np.bincount(sample.codes, weights)
    within = float(total @ (variance * (means.n - 1) / means.n))
    simple = design.is_simple and not likely
    parts.append(explained_between(total, means.mean, within, with_interval=simple, **whole, method=ratio_words))
    if pairs:
        parts.append(game_pairs(means, scale=sample.measure, method=words("games howell", heedful)))
        parts.append(effects(means, variance, simple=simple, scale=sample.measure, method=heedful))
    return parts


def _variances(sample: Sample, means: GroupMeans, weights: np.ndarray, likely: LikelyScores | None) -> np.ndarray:
    """(k,) of the groups, denominator n - 1."""
    if likely:
        return np.array([likely.variance[code] for code in sample.groups])
    squares = weights * deviations_from(sample.scores.to_numpy(), means.mean[sample.codes]) ** 2
    return np.bincount(sample.codes, squares) / np.bincount(sample.codes, weights) * means.n / (means.n - 1)


def _of_large(
    table: LargeTable, names: list[str], by: str, min_group: int, n_bootstrap: int, seed: int, *, pairs: bool
) -> CaseComparison:
    """The comparison of the groups of a large table, from counts."""
    refuse_unknown([*table.names, *table.groups], names, by, min_group)
    counted, unusable = [], {}
    for name in names:
        try:
            counted.append(CountedGroups.of(table, name, by, min_group))
        except InputError as error:
            unusable[name] = error
    if not counted:
        raise unusable[names[0]]
    parts = [_large_rows(each, table, by, each.bootstrap(n_bootstrap, seed=seed), pairs=pairs) for each in counted]
    first = counted[0]
    n_used = int(first.n.sum())
    lone = [code for each in counted for code, units in zip(each.groups, each.means().units, strict=True) if units < 2]
    return CaseComparison(
        table=gather([part for several in parts for part in several]),
        n_used=n_used,
        n_dropped=len(table) - n_used,
        measures=tuple(names),
        by=by,
        groups=first.groups,
        left_out=tuple(dict.fromkeys(code for each in counted for code in each.left_out)),
        min_group=min_group,
        design_words=design_words(table),
        n_clusters=table.clusters,
        lone=tuple(dict.fromkeys(lone)),
        unusable=tuple(unusable),
    )


def _large_rows(
    counted: CountedGroups, table: LargeTable, by: str, stack: np.ndarray, *, pairs: bool
) -> list[pd.DataFrame]:
    """All rows of one measure of a large table."""
    means, by_words, measure = counted.means(), f"by {by}", counted.measure
    kept, heedful = design_words(table), words(design_words(table), by_words)
    clusters = "ignores clusters" if counted.clustered else ""
    parts = [_mean_rows(means, measure, heedful)]
    if table.weighted:
        said = words("unweighted", "clustered" if counted.clustered else "", by_words)
        parts.append(_mean_rows(counted.means(weighted=False), measure, said))
    units = int(counted.units.max()) + 1
    drawn = words("percentile bootstrap", table.design_words, by_words)
    parts.append(_rank_rows(means, stack, expanded_tail(LEVEL, units, clustered=True), measure, drawn))
    n = counted.n.sum()
    if kept:
        parts.append(wald(means, units if counted.clustered else int(n), scale=measure, n=n, method=heedful))
    parts.append(counted.omnibus(words("unweighted" if table.weighted else "", clusters, by_words)))
    ratio = words("weighted" if table.weighted else "", clusters, by_words)
    scaled = counted.w * n / counted.w.sum()
    whole = {"scale": measure, "n": n}
    parts.append(explained(scaled, counted.values, counted.codes, with_interval=not kept, **whole, method=ratio))
    if pairs:
        parts.append(game_pairs(means, scale=measure, method=words("games howell", heedful)))
        parts.append(effects(means, counted.variance(), simple=not kept, scale=measure, method=heedful))
    return parts


def _mean_rows(means: GroupMeans, measure: str, method: str) -> pd.DataFrame:
    from scipy.special import stdtrit

    error = means.std_error
    half = stdtrit(np.maximum(means.df, 1), (1 + LEVEL) / 2) * error
    return tidy(
        "group_mean",
        means.mean,
        scale=measure,
        group=means.names,
        std_error=error,
        df=means.df,
        conf_low=means.mean - half,
        conf_high=means.mean + half,
        n=means.n,
        method=method,
    )


def _rank_rows(means: GroupMeans, stack: np.ndarray, tail: float, measure: str, method: str) -> pd.DataFrame:
    """Ranks with percentiles of the replicates' ranks, which are themselves ranks; none if a group has a single cluster."""
    low = high = np.full(len(means.n), np.nan)
    if len(stack) and means.units.min() > 1:
        low, high = np.nanquantile(ranks(stack), [tail, 1 - tail], axis=0, method="inverted_cdf")
    columns = {"scale": measure, "group": means.names, "n": means.n, "method": method}
    return tidy("rank", ranks(means.mean), conf_low=low, conf_high=high, **columns)
