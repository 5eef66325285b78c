"""What maximum likelihood says when answers are not normal: scaled chi-square and robust standard errors (MLR)."""

from dataclasses import dataclass

import numpy as np

from cxresearch.core.rows import sum_by_unit
from cxresearch.methods.cfa_model import Columns, Parameters, information, observed_information

ENTRIES = 4_000_000  # products of rows held at a time; does not change the numbers


@dataclass(frozen=True, slots=True)
class Robust:
    """Corrections of a fitted model for answers that are not normal.

    Attributes
    ----------
    covariance : (k, k) sandwich covariance of the parameters
    scaling, baseline_scaling : correction factors of chi-square, of the model and of the model of unrelated items
    """

    covariance: np.ndarray
    scaling: float
    baseline_scaling: float


def robust_corrections(
    values: np.ndarray,
    weights: np.ndarray,
    parameters: Parameters,
    corr: np.ndarray,
    unit: np.ndarray | None = None,
) -> Robust:
    """Yuan-Bentler correction as Mplus and lavaan compute it, and Huber-White standard errors.

    Parameters
    ----------
    values : (n, p) answers, standardised by the (weighted) mean and deviation with denominator n
    weights : (n,) of mean 1; they enter the middle of the sandwich squared
    parameters : the maximum-likelihood solution of `corr`
    corr : (p, p) (weighted) correlations of `values`
    unit : (n,) cluster numbers; then scores are summed within clusters before they are squared, times G / (G - 1)

    Returns
    -------
    Robust. The factor is [tr(A1^-1 B1) - tr(A0^-1 B0)] / df, with A the information and B the mean product of scores, 1 of the
    unrestricted covariances and 0 of the model; A0 is the observed information. Means are unrestricted in both and cancel, except in
    clusters, where they enter as in lavaan.

    References
    ----------
    Yuan and Bentler (2000) Sociological Methodology 30:165-200, doi:10.1111/0081-1750.00078. Asparouhov and Muthén (2005)
    Multivariate modeling with complex survey data (weights, clusters), Proceedings of the FCSM conference.
    """
    model, (n, p) = parameters.model, values.shape
    x, y, factor = model.columns
    inverse, basis = np.linalg.inv(parameters.implied()), parameters.basis()
    seen = values @ inverse @ basis
    scores = (seen[:, x] * seen[:, y] - (basis.T @ inverse @ basis)[x, y]) * factor
    sums = sum_within(scores * weights[:, None], unit)
    middle = sums.T @ sums / n
    bread = np.linalg.inv(observed_information(parameters, corr))
    own = float(np.trace(bread @ middle))
    unrestricted = unrestricted_trace(values, weights, corr, unit)
    unrelated = float((sum_within((values**2 - 1) * weights[:, None], unit) ** 2).sum() / n) / 2
    if unit is not None:
        means = sum_within(values * weights[:, None], unit)
        spread = means.T @ means / n
        unrestricted += float(np.trace(np.linalg.solve(corr, spread)))
        own += float(np.trace(inverse @ spread))
        unrelated += float(np.trace(spread))
    return Robust(
        covariance=bread @ middle @ bread / n,
        scaling=(unrestricted - own) / model.df if model.df else 1.0,
        baseline_scaling=(unrestricted - unrelated) / (p * (p - 1) / 2),
    )


def two_stage_corrections(parameters: Parameters, corr: np.ndarray, gamma: np.ndarray, n: int) -> Robust:
    """Corrections of a model that was fitted to the maximum-likelihood correlations of incomplete rows.

    Parameters
    ----------
    parameters : the maximum-likelihood solution of `corr`
    gamma : (q, q) n times the asymptotic covariances of the upper triangle of `corr`, row by row with the diagonal
        (`core.incomplete_errors`)
    n : rows

    Returns
    -------
    Robust. The factor is tr(U gamma) / df, with U = V - V D (D' V D)^-1 D' V, V the information of normal complete rows at `corr`
    and D the derivatives of the model, as in lavaan ("robust.two.stage"). The model of unrelated items has the same form; lavaan
    0.6 takes the covariances of complete answers there, unless that model is fitted with robust errors.

    References
    ----------
    Savalei and Bentler (2009) Structural Equation Modeling 16:477-497, doi:10.1080/10705510903008238. Savalei and Falk (2014)
    Structural Equation Modeling 21:280-302, doi:10.1080/10705511.2014.882692.
    """
    model, p = parameters.model, len(corr)
    inverse, (first, second) = np.linalg.inv(corr), np.triu_indices(p)
    pairs: Columns = first, second, np.where(first == second, 0.5, 1.0)
    item = np.arange(p)
    whole = information(np.eye(p), inverse, pairs)
    total = float((whole * gamma).sum())

    def explained(basis: np.ndarray, columns: Columns) -> tuple[np.ndarray, float]:
        bread = np.linalg.inv(information(basis, inverse, columns))
        across = information(basis, inverse, columns, pairs)
        middle = across @ gamma @ across.T
        return bread @ middle @ bread, float((bread * middle).sum())

    covariance, own = explained(parameters.basis(), model.columns)
    _, unrelated = explained(np.eye(p), (item, item, np.full(p, 0.5)))
    return Robust(
        covariance=covariance / n,
        scaling=(total - own) / model.df if model.df else 1.0,
        baseline_scaling=(total - unrelated) / (p * (p - 1) / 2),
    )


def sum_within(rows: np.ndarray, unit: np.ndarray | None) -> np.ndarray:
    """Rows summed within clusters, times sqrt(G / (G - 1)); the rows themselves where there are none."""
    if unit is None:
        return rows
    n_units = int(unit.max()) + 1
    return sum_by_unit(rows, unit, n_units) * np.sqrt(n_units / (n_units - 1))


def unrestricted_trace(values: np.ndarray, weights: np.ndarray, corr: np.ndarray, unit: np.ndarray | None) -> float:
    """tr(A1^-1 B1) of the covariances: the mean square of the scores of all covariances, in units of their information."""
    n, p = values.shape
    if unit is None:
        distance = np.einsum("ni,ij,nj->n", values, np.linalg.inv(corr), values)
        return float((weights**2 * (distance**2 - 2 * distance + p)).mean()) / 2
    roots, vectors = np.linalg.eigh(corr)
    round_ = values @ (vectors / np.sqrt(roots))
    first, second = np.triu_indices(p)
    size = max(1, ENTRIES // n)
    total = 0.0
    for start in range(0, len(first), size):
        one, other = first[start : start + size], second[start : start + size]
        products = round_[:, one] * round_[:, other] - (one == other)
        squares = (sum_within(products * weights[:, None], unit) ** 2).sum(axis=0)
        total += float((squares * np.where(one == other, 0.5, 1.0)).sum())
    return total / n
