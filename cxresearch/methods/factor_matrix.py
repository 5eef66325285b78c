"""The one correlation matrix of a factor analysis, once it is sure that it can be factored."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.correlation import Correlation, correlate, identical_pairs
from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.core.results import words
from cxresearch.core.rows import complete_values
from cxresearch.errors import InputError, name_some

SINGULAR = 1e-8  # a smallest eigenvalue not above this: some item follows from others


@dataclass(frozen=True, slots=True)
class FactorMatrix:
    """Correlations of p items over the n rows that answered all of them.

    Attributes
    ----------
    corr : (p, p), positive definite; weighted where there are weights
    unweighted : (p, p) for tests that have no weighted form
    names : the items
    n : rows
    n_effective : rows that would tell as much without weights (Kish 1965), n where there are none
    words : what stands behind the correlations: their kind, "weighted" or "moments only"
    weighted : whether there are weights
    clustered : whether rows were drawn by cluster
    """

    corr: np.ndarray
    unweighted: np.ndarray
    names: list[str]
    n: int
    n_effective: float
    words: str
    weighted: bool
    clustered: bool

    @classmethod
    def given(cls, moments: Moments, correlation: Correlation) -> "FactorMatrix":
        """The matrix of moments, which is used as it is.

        Raises
        ------
        InputError
            For fewer than three items, not more rows than items, constant, identical or dependent items, or ranks.
        """
        if correlation != "pearson":
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
        return cls(moments.corr, moments.corr, names, n, n, moments.design_words, False, clustered)

    @classmethod
    def of(cls, answers: pd.DataFrame, correlation: Correlation, design: Design) -> "FactorMatrix":
        """The matrix of the complete rows.

        Raises
        ------
        InputError
            For text, fewer than three items, not more rows than items, constant, identical or dependent items.
        """
        names = list(map(str, answers.columns))
        rows = answers.dropna()
        _refuse_few(names, len(rows), len(answers))
        _refuse_constant(names, np.ptp(complete_values(rows), axis=0), len(rows))
        weights = design.weights_on(rows.index)
        corr = correlate(rows, correlation, design=design).cov
        _refuse_dependent(corr, names)
        plain = correlate(rows, correlation).cov if design.weights is not None else corr
        effective = len(rows) ** 2 / float((weights**2).sum())
        if effective <= len(names):
            raise InputError(
                "a factor analysis needs an effective number of rows above the number of items",
                f"found {effective:.1f} effective rows for {len(names)} items, since the weights differ widely",
                "Check the weight column, or trim the weights.",
            )
        weighted = design.weights is not None
        kind = words(correlation, "weighted" if weighted else "")
        return cls(corr, plain, names, len(rows), effective, kind, weighted, design.clusters is not None)


def _refuse_few(names: list[str], n: int, total: int) -> None:
    if len(names) < 3:
        raise InputError("a factor analysis needs three items", f"found {len(names)}", "Add items to `constructs`.")
    if n <= len(names):
        raise InputError(
            "a factor analysis needs more complete rows than items",
            f"found {n} rows of {total} that answered all {len(names)} items",
            "Leave out items with many missing answers, or collect more answers.",
        )


def _refuse_constant(names: list[str], spread: np.ndarray, n: int) -> None:
    constant = [name for name, size in zip(names, spread, strict=True) if size == 0]
    if constant:
        raise InputError(
            "every item must vary",
            f"found the same answer in all {n} rows of {name_some(constant)} ({len(constant)} of {len(names)} items)",
            "Leave these items out.",
        )


def _refuse_dependent(corr: np.ndarray, names: list[str]) -> None:
    """Identical items by name; else the items of the smallest combination that does not vary."""
    first, second = identical_pairs(corr)
    if len(first):
        pairs = [f"{names[i]} and {names[j]}" for i, j in zip(first, second, strict=True)]
        raise InputError(
            "no two items may hold the same answers",
            f"found {name_some(pairs)} perfectly correlated ({len(pairs)} pairs)",
            "Leave one item of each pair out.",
        )
    values, vectors = np.linalg.eigh(corr)
    if not values[0] > SINGULAR:
        involved = [name for name, part in zip(names, np.abs(vectors[:, 0]), strict=True) if part > 0.05]
        raise InputError(
            "no item may follow from the others",
            f"found a linear dependence among {name_some(involved, 10)}",
            "Leave one of them out, e.g. a total of other items.",
        )
