"""Reliability of a sum of ordinal answers, by the factor model of the normal variables behind them (Green and Yang 2009)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri

from cxresearch.core.bivariate_normal import FAR, cumulative, densities
from cxresearch.core.results import tidy, words
from cxresearch.methods.cfa_model import FactorModel
from cxresearch.methods.cfa_ordinal import OrdinalFit, fit_ordinal
from cxresearch.methods.cfa_sample import CfaSample


@dataclass(frozen=True, slots=True)
class OrdinalOmega:
    """Reliability of the sum of each construct's items.

    Attributes
    ----------
    estimate, std_error : (m,) of the constructs; nan where a loading is not below 1
    """

    estimate: np.ndarray
    std_error: np.ndarray

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """95 % interval (m,), (m,) on the logit of omega, which keeps it below 1; nan where omega is not within 0 and 1."""
        proper = np.where((self.estimate > 0) & (self.estimate < 1), self.estimate, np.nan)
        reach = ndtri(0.975) * self.std_error / (proper * (1 - proper))
        return expit(logit(proper) - reach), expit(logit(proper) + reach)


def omega_ordinal(ordinal: OrdinalFit, rows: pd.DataFrame) -> OrdinalOmega:
    """The share of the variance of each construct's observed sum score that the construct explains.

    Answers are added as they are written; what they would explain if they had not been cut into grades is not asked. The covariance
    of two items due to the construct follows from their thresholds and the product of their loadings, the whole one from
    their polychoric correlation: omega is the sum of the former over that of the latter.

    Parameters
    ----------
    ordinal : the fitted model
    rows : the answers that it was fitted to; items with an unused grade keep its step

    Returns
    -------
    OrdinalOmega; standard errors by the delta method, with the weights and clusters of the fit

    References
    ----------
    Green and Yang (2009) Psychometrika 74:155-167, doi:10.1007/s11336-008-9099-3. Kelley and Pornprasertmanit (2016)
    Psychological Methods 21:69-92, doi:10.1037/a0040086.
    """
    model, found = ordinal.model, ordinal.polychorics
    steps = _steps(rows[list(model.items)], found.thresholds)
    m = len(model.factors)
    estimates = np.full(m, np.nan)
    by_correlations, by_thresholds = np.zeros((*found.corr.shape, m)), np.zeros((*found.thresholds.shape, m))
    by_loadings = np.zeros((len(model.items), m))
    for factor in range(m):
        own = np.flatnonzero(model.owner == factor)
        loadings = ordinal.fit.parameters.loadings[own]
        if (np.abs(loadings) >= 1).any():
            continue
        common = _Sum.of(found.thresholds[own], steps[own], np.outer(loadings, loadings))
        whole = _Sum.of(found.thresholds[own], steps[own], found.corr[np.ix_(own, own)])
        estimates[factor] = omega = common.total / whole.total
        by_loadings[own, factor] = (2 * common.by_correlation * loadings).sum(axis=1) / whole.total
        by_correlations[own[:, None], own, factor] = -2 * omega * whole.by_correlation / whole.total
        by_thresholds[own, :, factor] = (common.by_threshold - omega * whole.by_threshold) / whole.total
    of_pairs = by_correlations[np.triu_indices(len(found.corr), 1)] + ordinal.gains[: len(model.items)].T @ by_loadings
    variances = np.diag(ordinal.influences.covariance_of(of_pairs, by_thresholds)) / found.n
    return OrdinalOmega(estimates, np.where(np.isnan(estimates), np.nan, np.sqrt(variances)))


def omega_rows(sample: CfaSample, model: FactorModel) -> pd.DataFrame:
    """Rows of `omega_ordinal`, with 95 % intervals by the delta method on its logit; none where there is no ordinal model."""
    graded = sample.graded(model)
    ordinal = None if graded is None else fit_ordinal(graded, model, sample.design)[1]
    if graded is None or ordinal is None:
        return tidy("", [])
    omega = omega_ordinal(ordinal, graded)
    low, high = omega.interval()
    rows = tidy(
        "omega_ordinal",
        omega.estimate,
        scale=list(model.factors),
        std_error=omega.std_error,
        conf_low=low,
        conf_high=high,
        n=ordinal.polychorics.n,
        method=words("wlsmv", "green and yang", ordinal.polychorics.design_words),
    )
    return rows[np.isfinite(omega.estimate)]


@dataclass(frozen=True, slots=True)
class _Sum:
    """Variance of the sum of p items whose normal variables have some correlations, and its derivatives.

    Attributes
    ----------
    total : the variance
    by_correlation : (p, p) derivative of each entry of the items' covariances by its correlation
    by_threshold : (p, K - 1) derivatives of the variance by the thresholds
    """

    total: float
    by_correlation: np.ndarray
    by_threshold: np.ndarray

    @classmethod
    def of(cls, cuts: np.ndarray, steps: np.ndarray, corr: np.ndarray) -> "_Sum":
        """Of thresholds (p, K - 1), the steps of the score at them (p, K - 1), and correlations (p, p)."""
        p = len(cuts)
        first, second = (side.ravel() for side in np.indices((p, p)))
        rho = np.where(corr.ravel() < 1, corr.ravel(), 0.0)  # 1: an item with itself, below
        a, b, weight = cuts[first], cuts[second], steps[first][:, :, None] * steps[second][:, None, :]
        share = ndtr(cuts)
        product = share[first][:, :, None] * share[second][:, None, :]
        rest = np.sqrt(1 - rho**2)[:, None, None]
        below = cumulative(a, b, rho)
        slope = ndtr((b[:, None, :] - rho[:, None, None] * a[:, :, None]) / rest)
        itself = corr.ravel() >= 1
        one, other = a[itself][:, :, None], b[itself][:, None, :]
        below[itself] = ndtr(np.minimum(one, other))
        slope[itself] = (one < other) + 0.5 * (one == other)
        density = np.exp(-(cuts**2) / 2) / np.sqrt(2 * np.pi)
        moved = 2 * (weight * (slope - share[second][:, None, :])).sum(axis=2) * density[first]
        return cls(
            total=float((weight * (below - product)).sum()),
            by_correlation=(weight * densities(a, b, rho)[0]).sum(axis=(1, 2)).reshape(p, p),
            by_threshold=moved.reshape(p, p, -1).sum(axis=1),
        )


def _steps(rows: pd.DataFrame, cuts: np.ndarray) -> np.ndarray:
    """(p, K - 1) by how much the score rises at each threshold; 0 beyond an item's last grade."""
    steps = np.zeros(cuts.shape)
    for place, column in enumerate(rows.to_numpy(float).T):
        rises = np.diff(np.unique(column))
        steps[place, : len(rises)] = rises
    return np.where(np.abs(cuts) < FAR, steps, 0.0)
