"""Coefficients of internal consistency as functions of covariances (..., p, p): one sample or a stack of them."""

import numpy as np

from cxresearch.core.moments import ROUNDING, correlation_of
from cxresearch.methods.one_factor import OneFactor


def _sum_variance(variance: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """The variance of a sum, nan where it is what rounding left of its parts' variances: such a sum does not vary."""
    return np.where(variance > ROUNDING * parts, variance, np.nan)


def cronbach_alpha(cov: np.ndarray) -> np.ndarray:
    """Coefficient alpha (...,) of covariances (..., p, p); of correlations it is the standardised alpha.

    alpha = p / (p - 1) * (1 - sum of variances / sum of all entries).

    References
    ----------
    Cronbach (1951) Psychometrika 16:297-334, doi:10.1007/BF02310555.

    Examples
    --------
    >>> print(cronbach_alpha(np.array([[1, 0.5], [0.5, 1]])).round(4))
    0.6667
    """
    p = cov.shape[-1]
    variances = np.trace(cov, axis1=-2, axis2=-1)
    return p / (p - 1) * (1 - variances / _sum_variance(cov.sum(axis=(-2, -1)), variances))


def omega_total(cov: np.ndarray, fit: OneFactor) -> np.ndarray:
    """Coefficient omega (...,): the share of the observed variance of the sum score that the one factor explains.

    omega = (sum of loadings)^2 / sum of all entries of the observed covariance matrix.

    References
    ----------
    McDonald (1999) Test Theory, ch. 6. Hayes and Coutts (2020) Communication Methods and Measures 14:1-24,
    doi:10.1080/19312458.2020.1718629.
    """
    variances = np.trace(cov, axis1=-2, axis2=-1)
    return fit.loadings.sum(axis=-1) ** 2 / _sum_variance(cov.sum(axis=(-2, -1)), variances)


def split_half(cov: np.ndarray) -> np.ndarray:
    """Correlation of the sums of odd and even items, stepped up to full length by Spearman and Brown: 2 r / (1 + r), (...,).

    References
    ----------
    Spearman (1910) British Journal of Psychology 3:271-295; Brown (1910) ibid. 296-322.
    """
    odd, even = slice(0, None, 2), slice(1, None, 2)
    between = cov[..., odd, even].sum(axis=(-2, -1))
    parts = np.trace(cov, axis1=-2, axis2=-1)
    first, second = (_sum_variance(cov[..., half, half].sum(axis=(-2, -1)), parts) for half in (odd, even))
    correlation = between / np.sqrt(first * second)
    return 2 * correlation / (1 + correlation)


def mean_inter_item_correlation(cov: np.ndarray) -> np.ndarray:
    """Mean of the correlations between different items, (...,)."""
    p = cov.shape[-1]
    return (correlation_of(cov).sum(axis=(-2, -1)) - p) / (p * (p - 1))


def item_rest_correlation(cov: np.ndarray) -> np.ndarray:
    """Correlation (..., p) of each item with the sum of the other items."""
    variances = np.diagonal(cov, axis1=-2, axis2=-1)
    totals = cov.sum(axis=-1)
    rest = cov.sum(axis=(-2, -1))[..., None] - 2 * totals + variances
    rest = _sum_variance(rest, variances.sum(axis=-1, keepdims=True))
    return (totals - variances) / np.sqrt(variances * rest)


def alpha_if_dropped(cov: np.ndarray) -> np.ndarray:
    """Alpha (..., p) of the other items, without each one in turn; needs three items or more."""
    p = cov.shape[-1]
    variances = np.diagonal(cov, axis1=-2, axis2=-1)
    rest = cov.sum(axis=(-2, -1))[..., None] - 2 * cov.sum(axis=-1) + variances
    others = variances.sum(axis=-1, keepdims=True) - variances
    return (p - 1) / (p - 2) * (1 - others / _sum_variance(rest, others))
