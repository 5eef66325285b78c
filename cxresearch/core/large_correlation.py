"""Correlations of a large table from counts: polychoric and rank correlations, and which kind suits the answers."""

import numpy as np
import pandas as pd

from cxresearch.core.correlation import Crossed, Suitable, resample_ranks, suited
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import correlation_of
from cxresearch.core.polychoric import Polychorics, errors_of_cells, estimate_tables, refuse_categories
from cxresearch.core.results import words
from cxresearch.errors import InputError, name_some

MOST_RANKS = 101  # different answers of an item whose ranks are taken from tables of pairs


def suitable_for(table: LargeTable) -> Suitable:
    """`suitable_correlation` of the rows of a large table that are complete on all its columns."""
    rows = table.complete()
    skew = []
    for name in rows:
        counts = rows.counts(name)
        share = counts["w"].to_numpy(float) / counts["w"].sum()
        centred = counts[name].to_numpy(float) - share @ counts[name].to_numpy(float)
        with np.errstate(invalid="ignore"):
            skew.append((share @ centred**3) / (share @ centred**2) ** 1.5)
    return suited(rows.names, count_answers(rows), np.array(skew))


def count_answers(table: LargeTable) -> np.ndarray:
    """How many different answers each column (p,) has."""
    return np.array([len(levels) for levels in table.levels().values()])


def large_polychorics(table: LargeTable) -> Polychorics:
    """`polychoric` of the rows of a large table that are complete on all its columns; its errors know no clusters.

    Raises
    ------
    InputError
        For a constant column, or one with more than 11 different answers.
    """
    rows = table.complete()
    refuse_categories(list(rows.names), count_answers(rows))
    tables, squares = rows.pair_tables()
    scale = rows.n_rows / np.einsum("jkjk->jk", tables)[0].sum()  # weights of mean 1
    said = words("weighted" if rows.weighted else "", "ignores clusters" if rows.clusters is not None else "")
    return estimate_tables(
        tables * scale,
        rows.names,
        rows.n_rows,
        lambda moved: errors_of_cells(moved, squares * scale**2, rows.n_rows),
        said,
    )[0]


def large_rank_correlations(table: LargeTable) -> np.ndarray:
    """Spearman correlations (p, p) of the complete rows: Pearson of mid-ranks, weighted ranks where there are weights.

    Raises
    ------
    InputError
        For columns with more than 101 different answers, whose tables of pairs would not fit.
    """
    rows = table.complete()
    counts = count_answers(rows)
    if (counts > MOST_RANKS).any():
        many = [name for name, count in zip(rows.names, counts, strict=True) if count > MOST_RANKS]
        raise InputError(
            f"rank correlations of a large table need columns with up to {MOST_RANKS} different answers",
            f"found more in {name_some(many)}",
            "Use Pearson correlations, or round the answers.",
        )
    tables, _ = rows.pair_tables()
    return correlation_of(_rank_covariances(tables))


def bootstrap_large_spearman(table: LargeTable, n_bootstrap: int, *, seed: int) -> np.ndarray:
    """Rank correlations (B, p) of each column with the last one in resamples of the clusters or random groups.

    The draws are those of `Totals.resample` with the same seed; ranks are taken anew in each, from how often each two answers stand
    together in each unit.
    """
    rows = table.complete()
    *others, last = rows.names
    counted = [rows.counts(name, last, by_unit=True) for name in others]
    tables = [
        Crossed.of(each[name], each[last], each["w"].to_numpy(float), pd.factorize(each["unit"], sort=True)[0])
        for name, each in zip(others, counted, strict=True)
    ]
    return resample_ranks(tables, n_bootstrap, seed=seed, clustered=True)


def _rank_covariances(tables: np.ndarray) -> np.ndarray:
    """Covariances (p, p) of mid-ranks from tables (p, K, p, K) of all pairs."""
    margins = np.einsum("jkjk->jk", tables)
    ranks = np.cumsum(margins, axis=1) - margins / 2
    ranks -= (margins * ranks).sum(axis=1, keepdims=True) / margins.sum(axis=1, keepdims=True)
    return np.einsum("iajb,ia,jb->ij", tables, ranks, ranks, optimize=True)
