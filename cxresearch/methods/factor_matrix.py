"""The one correlation matrix of a factor analysis, once it is sure that it can be factored."""

from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
import pandas as pd

from cxresearch.core.answers import Missing, rows_with
from cxresearch.core.correlation import Correlation, Suitable, correlate, identical_pairs, suitable_correlation
from cxresearch.core.design import Design
from cxresearch.core.em import EM, em_moments
from cxresearch.core.large import LargeTable
from cxresearch.core.large_correlation import (
    count_answers,
    large_polychorics,
    large_rank_correlations,
    suitable_for,
)
from cxresearch.core.moments import Moments
from cxresearch.core.nearest import nearest_correlation
from cxresearch.core.polychoric import PAIRWISE, Polychorics, count_categories, polychoric
from cxresearch.core.results import words
from cxresearch.core.rows import incomplete_values, told_missing
from cxresearch.errors import InputError, name_some

SINGULAR = 1e-8  # a smallest eigenvalue not above this: some item follows from others
FEW_GRADES = 7  # items with no more have their polychoric correlations written, whatever the analysis is made of
MENDED = "nearest positive definite"


@dataclass(frozen=True, slots=True)
class FactorMatrix:
    """Correlations of p items over the n rows that count.

    Attributes
    ----------
    corr : (p, p), positive definite; weighted where there are weights
    unweighted : (p, p) for tests that have no weighted form
    correlation : "pearson", "spearman", "polychoric", or "given" of Moments
    suitable : what the stated rule says of the items, if the rule decided
    polychorics : of the items with few grades, or of all where `correlation` is "polychoric"; None for fewer than two
    mended : whether `corr` is the nearest positive definite matrix to the one estimated
    rows : (n, p) the answers used; None of Moments
    names : the items
    n : rows
    n_paired : rows that answered both items of a pair, on average; n where no answer is missing
    n_effective : rows that would tell as much without weights (Kish 1965) and missing answers, n where there are none
    words : what stands behind the correlations: their kind, "em" or "pairwise", "nearest positive definite", "weighted" or
        "moments only"
    design : weights and clusters of the rows; of Moments only whether they were drawn by cluster is known
    clustered : whether rows were drawn by cluster
    weighted : whether rows carry weights, so that `unweighted` is another matrix
    n_incomplete, iterations : rows that lack an answer; steps of EM
    """

    corr: np.ndarray
    unweighted: np.ndarray
    correlation: str
    suitable: Suitable | None
    polychorics: Polychorics | None
    mended: bool
    rows: pd.DataFrame | None
    names: list[str]
    n: int
    n_paired: float
    n_effective: float
    words: str
    design: Design
    clustered: bool
    weighted: bool
    n_incomplete: int = 0
    iterations: int = 0

    @classmethod
    def given(cls, moments: Moments, correlation: Correlation | Literal["auto"]) -> "FactorMatrix":
        """The matrix of moments, which is used as it is.

        Raises
        ------
        InputError
            For fewer than three items, not more rows than items, constant, identical or dependent items, or ranks.
        """
        if correlation not in ("auto", "pearson"):
            raise InputError(
                "the correlations of Moments are used as they are",
                f"found `correlation` {correlation!r}",
                "Leave `correlation` out, or give the rows.",
            )
        names, n = list(moments.names), int(moments.n)
        _refuse_few(names, n, n)
        _refuse_constant(names, moments.sd, n)
        _refuse_dependent(moments.corr, names)
        clustered = "clustered" in moments.design_words
        corr, word = moments.corr, moments.design_words
        return cls(corr, corr, "given", None, None, False, None, names, n, n, n, word, Design(), clustered, False)

    @classmethod
    def of(
        cls,
        answers: pd.DataFrame,
        correlation: Correlation | Literal["auto"],
        design: Design,
        missing: Missing = "drop",
        *,
        with_polychorics: bool = True,
    ) -> "FactorMatrix":
        """The matrix of the rows that count: those that answered all items or, for "em", any of them.

        Of incomplete rows, Pearson correlations are those of maximum likelihood and polychoric ones are taken pairwise. Polychorics of
        items with few grades come along unless not wanted.

        Raises
        ------
        InputError
            For an unknown correlation, text, fewer than three items, not more rows than items, constant, identical or
            dependent items, items that have no polychoric correlations, or rank correlations of incomplete rows.
        """
        names = list(map(str, answers.columns))
        _refuse_unknown(correlation)
        rows = answers[rows_with(answers, names, missing=missing)]
        whole = not rows.isna().any(axis=None)
        _refuse_few(names, len(rows), len(answers), told_missing(answers))
        _refuse_constant(names, _spread(rows), len(rows))
        _refuse_incomplete_ranks(correlation, whole=whole)
        linear = correlate(rows, "pearson", design=design) if whole else em_moments(rows, design=design)
        suitable = suitable_correlation(rows, design=design) if correlation == "auto" else None
        kind = suitable.kind if suitable else cast(Correlation, correlation)
        _refuse_dependent(linear.corr, names)
        ordinal = _polychorics(rows, kind, design) if with_polychorics or kind == "polychoric" else None
        estimated, corr = _matrix(rows, kind, design, ordinal, linear)
        if kind == "spearman":
            _refuse_dependent(corr, names)
        plain = corr
        if design.weights is not None:
            unweighted = correlate(rows, "pearson") if whole else em_moments(rows)
            plain = _matrix(rows, kind, Design(), None, unweighted)[1]
        weights = design.weights_on(rows.index)
        n_paired = _rows_a_pair(rows)
        effective = n_paired * len(rows) / float((weights**2).sum())
        _refuse_few_effective(names, effective)
        how = PAIRWISE if kind == "polychoric" else EM
        mended = corr is not estimated
        word = words(
            kind,
            "" if whole else how,
            MENDED if mended else "",
            "weighted" if design.weights is not None else "",
        )
        return cls(
            corr=corr,
            unweighted=plain,
            correlation=kind,
            suitable=suitable,
            polychorics=ordinal,
            mended=mended,
            rows=rows,
            names=names,
            n=len(rows),
            n_paired=n_paired,
            n_effective=effective,
            words=word,
            design=design.on(rows.index),
            clustered=design.clusters is not None,
            weighted=design.weights is not None,
            n_incomplete=int(rows.isna().any(axis=1).sum()),
            iterations=linear.iterations,
        )

    @classmethod
    def of_large(cls, table: LargeTable, correlation: Correlation | Literal["auto"]) -> "FactorMatrix":
        """The matrix of the complete rows of a large table.

        Raises
        ------
        InputError
            As `of`; for ranks, also items with more different answers than can be ranked from tables of pairs.
        """
        names, n = list(table.names), table.count_answered([table.names])
        _refuse_unknown(correlation)
        _refuse_few(names, n, len(table))
        rows = table.complete()
        _refuse_constant(names, np.ptp(rows.outline[["low", "high"]].to_numpy(), axis=1), n)
        suitable = suitable_for(rows) if correlation == "auto" else None
        kind = suitable.kind if suitable else cast(Correlation, correlation)
        moments = rows.totals().moments()
        _refuse_dependent(moments.corr, names)
        few = [name for name, count in zip(names, count_answers(rows), strict=True) if count <= FEW_GRADES]
        some = rows if kind == "polychoric" else rows[few]
        ordinal = large_polychorics(some) if len(some.names) > 1 else None
        estimated = _large_matrix(rows, kind, ordinal)
        corr = nearest_correlation(estimated) if kind == "polychoric" else estimated
        plain = _large_matrix(rows.unweighted(), kind, None) if rows.weighted else corr
        counts = rows.counts(names[0])
        effective = float(counts["w"].sum() ** 2 / counts["w2"].sum())
        mended = corr is not estimated
        word = words(kind, MENDED if mended else "", "weighted" if rows.weighted else "")
        clustered = rows.clusters is not None
        return cls(
            corr, plain, kind, suitable, ordinal, mended, None, names, n, n, effective, word, Design(), clustered, rows.weighted
        )  # fmt: skip


def _large_matrix(rows: LargeTable, kind: Correlation, ordinal: Polychorics | None) -> np.ndarray:
    """The matrix as estimated from the complete rows of a large table."""
    if kind == "pearson":
        return rows.totals().moments().corr
    return large_rank_correlations(rows) if kind == "spearman" else (ordinal or large_polychorics(rows)).corr


def _spread(rows: pd.DataFrame) -> np.ndarray:
    """(p,) from the lowest to the highest answer, nan where there is none; once it is sure that the rows are numbers."""
    values = pd.DataFrame(incomplete_values(rows))
    return (values.max() - values.min()).to_numpy()


def _rows_a_pair(rows: pd.DataFrame) -> float:
    """How many rows answered both items of a pair, on average over the pairs; all of them where no answer is missing."""
    known = rows.notna().to_numpy(float)
    p = known.shape[1]
    together = known.T @ known
    return float((together.sum() - np.trace(together)) / (p * (p - 1)))


def _refuse_few_effective(names: list[str], effective: float) -> None:
    if effective <= len(names):
        raise InputError(
            "a factor analysis needs an effective number of rows above the number of items",
            f"found {effective:.1f} effective rows for {len(names)} items, since the weights differ widely",
            "Check the weight column, or trim the weights.",
        )


def _refuse_incomplete_ranks(kind: str, *, whole: bool) -> None:
    if kind == "spearman" and not whole:
        raise InputError(
            "rank correlations need complete rows",
            "found missing answers that are to be kept (`missing_policy: em`)",
            "Use Pearson or polychoric correlations, or the complete rows: `missing_policy: drop`.",
        )


def _refuse_unknown(correlation: str) -> None:
    allowed = ("auto", *get_args(Correlation))
    if correlation not in allowed:
        raise InputError(
            f"`correlation` must be one of {', '.join(allowed)}", f"found {correlation!r}", "Choose one of these."
        )


def _polychorics(rows: pd.DataFrame, kind: Correlation, design: Design) -> Polychorics | None:
    """Of all items where they are asked for, else of those with few grades; pairwise where answers are missing."""
    some = rows if kind == "polychoric" else rows.loc[:, count_categories(rows) <= FEW_GRADES]
    return polychoric(some, design=design, pairwise=True) if some.shape[1] > 1 else None


def _matrix(
    rows: pd.DataFrame, kind: Correlation, design: Design, ordinal: Polychorics | None, linear: Moments
) -> tuple[np.ndarray, np.ndarray]:
    """The matrix as estimated, and the positive definite one to go on with: the same object unless it had to be mended."""
    if kind != "polychoric":
        corr = linear.corr if kind == "pearson" else correlate(rows, kind, design=design).cov
        return corr, corr
    found = ordinal.corr if ordinal else polychoric(rows, design=design, pairwise=True).corr
    return found, nearest_correlation(found)


def _refuse_few(names: list[str], n: int, total: int, missing: str = "") -> None:
    if len(names) < 3:
        raise InputError("a factor analysis needs three items", f"found {len(names)}", "Add items to `constructs`.")
    if n <= len(names):
        raise InputError(
            "a factor analysis needs more complete rows than items",
            f"found {n:,} rows of {total:,} that answered all {len(names)} items{missing}",
            "Leave out items with many missing answers, or collect more answers.",
        )


def _refuse_constant(names: list[str], spread: np.ndarray, n: int) -> None:
    constant = [name for name, size in zip(names, spread, strict=True) if size == 0]
    if constant:
        raise InputError(
            "every item must vary",
            f"found the same answer in all {n:,} rows of {name_some(constant)} ({len(constant)} of {len(names)} items)",
            "Leave these items out.",
        )


def _refuse_dependent(corr: np.ndarray, names: list[str]) -> None:
    """Identical items by name; else the items of the smallest combination that does not vary."""
    first, second = identical_pairs(corr)
    if len(first):
        pairs = [f"{names[i]} and {names[j]}" for i, j in zip(first, second, strict=True)]
        raise InputError(
            "no two items may hold the same answers",
            f"found {name_some(pairs)} perfectly correlated",
            "Leave one item of each pair out.",
        )
    values, vectors = np.linalg.eigh(corr)
    involved = [name for name, part in zip(names, np.abs(vectors[:, 0]), strict=True) if part > 0.05]
    if values[0] < -SINGULAR:
        raise InputError(
            "the correlations must be positive definite",
            f"found the smallest eigenvalue {values[0]:.3f}, which no complete answers can give, mostly from "
            f"{name_some(involved, 10)}",
            "Look for a mistyped correlation; of rows, use those that are complete.",
        )
    if not values[0] > SINGULAR:
        raise InputError(
            "no item may follow from the others",
            f"found a linear dependence among {name_some(involved, 10)}",
            "Leave one of them out, e.g. a total of other items.",
        )
