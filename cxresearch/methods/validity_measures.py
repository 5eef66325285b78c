"""Convergent and discriminant validity in numbers, for one sample or a stack of them."""

import numpy as np

from cxresearch.methods.cfa_model import FactorModel, Parameters


def composite_reliability(parameters: Parameters) -> np.ndarray:
    """(..., m) share of the variance of each construct's sum of standardised items that the construct explains.

    References
    ----------
    Fornell and Larcker (1981) Journal of Marketing Research 18:39-50, doi:10.1177/002224378101800104.

    Examples
    --------
    >>> model = FactorModel.of({"a": ["q1", "q2"]})
    >>> print(composite_reliability(Parameters(model, np.array([0.8, 0.6, 0.36, 0.64]))).round(4))
    [0.6622]
    """
    loadings = parameters.standardized
    own = _owners(parameters.model)
    common = (loadings @ own) ** 2
    return common / (common + (1 - loadings**2) @ own)


def average_variance_extracted(parameters: Parameters) -> np.ndarray:
    """(..., m) mean squared standardised loading of each construct's items (Fornell and Larcker 1981)."""
    own = _owners(parameters.model)
    return (parameters.standardized**2) @ own / own.sum(axis=0)


def largest_shared_variance(parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """(..., m) largest squared correlation of each construct with another, and the number of that other (..., m)."""
    squared = parameters.phi**2
    m = squared.shape[-1]
    squared[..., np.arange(m), np.arange(m)] = -np.inf
    return np.where(np.isnan(squared).any(axis=-1), np.nan, squared.max(axis=-1)), squared.argmax(axis=-1)


def heterotrait_monotrait(corr: np.ndarray, model: FactorModel) -> np.ndarray:
    """(..., m(m - 1)/2) heterotrait-monotrait ratios of the pairs of constructs, in the order of `model.pairs`.

    The mean absolute correlation of items of different constructs, over the geometric mean of those within either.

    References
    ----------
    Henseler, Ringle and Sarstedt (2015) Journal of the Academy of Marketing Science 43:115-135,
    doi:10.1007/s11747-014-0403-8.

    Examples
    --------
    >>> corr = np.array([[1, 0.6, 0.3, 0.3], [0.6, 1, 0.3, 0.3], [0.3, 0.3, 1, 0.6], [0.3, 0.3, 0.6, 1]])
    >>> print(heterotrait_monotrait(corr, FactorModel.of({"a": ["q1", "q2"], "b": ["q3", "q4"]})).round(4))
    [0.5]
    """
    own = _owners(model)
    sizes = own.sum(axis=0)
    sums = own.T @ np.abs(corr) @ own
    within = (np.diagonal(sums, axis1=-2, axis2=-1) - sizes) / (sizes * (sizes - 1))
    first, second = model.pairs
    with np.errstate(divide="ignore", invalid="ignore"):
        between = sums[..., first, second] / (sizes[first] * sizes[second])
        return between / np.sqrt(within[..., first] * within[..., second])


def _owners(model: FactorModel) -> np.ndarray:
    """(p, m) one where an item belongs to a construct."""
    return np.eye(len(model.factors))[model.owner]
