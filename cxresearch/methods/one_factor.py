"""The one-factor model by maximum likelihood, for one covariance matrix or a stack of them."""

from dataclasses import dataclass

import numpy as np

from cxresearch.core.moments import correlation_of
from cxresearch.methods.cfa_fit import CfaFit, fit_cfa
from cxresearch.methods.cfa_model import FactorModel, Parameters, is_positive_definite

SINGULAR = 1e-9  # smallest eigenvalue of the correlations below which they have no maximum-likelihood solution


@dataclass(frozen=True, slots=True)
class OneFactor:
    """A fitted one-factor model, with the leading axes of the covariances it was fitted to.

    Attributes
    ----------
    loadings : (..., p) in the units of the items, their sum not negative
    uniquenesses : (..., p) residual variances, unbounded
    converged : (...,) whether the iteration ended at a maximum
    heywood : (...,) whether a residual variance is negative: the solution is not admissible
    """

    loadings: np.ndarray
    uniquenesses: np.ndarray
    converged: np.ndarray
    heywood: np.ndarray


def fit_one_factor(cov: np.ndarray, *, start: OneFactor | None = None) -> OneFactor:
    """Fit cov = loadings loadings' + diag(uniquenesses), on a whole stack at once: the confirmatory model of one construct.

    Parameters
    ----------
    cov : (..., p, p) covariances of three or more items
    start : a solution to start from, e.g. that of the sample for its bootstrap replicates

    Returns
    -------
    OneFactor; nan and `converged` False where a covariance matrix has no maximum: singular ones (constant items, items that are
    sums of others, no more rows than items), and others

    Notes
    -----
    Residual variances are not bounded, so that a Heywood case shows as what it is. Three items have as many correlations as loadings:
    where the product of the correlations is positive, the model fits them exactly, else it has no solution; nothing is iterated.

    References
    ----------
    Lawley and Maxwell (1971) Factor Analysis as a Statistical Method, 2nd ed., ch. 4. Jöreskog (1967) Psychometrika
    32:443-482, doi:10.1007/BF02289658. Anderson and Rubin (1956) Proceedings of the Third Berkeley Symposium 5:111-150 (three items).

    Examples
    --------
    >>> loadings = np.array([0.9, 0.8, 0.7, 0.6])
    >>> fit = fit_one_factor(np.outer(loadings, loadings) + np.diag(1 - loadings**2))
    >>> fit.loadings.round(6)
    array([0.9, 0.8, 0.7, 0.6])
    """
    corr = correlation_of(cov)
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    known = np.where(is_singular(corr)[..., None, None], np.nan, corr)
    if cov.shape[-1] == 3:
        return _in_units(_exact_loadings(known), sd)
    model = FactorModel.of({"": [str(place) for place in range(cov.shape[-1])]})
    fit = fit_cfa(known, model, start=None if start is None else _as_start(start, model))
    return _in_units(fit.parameters.loadings, sd, fit.parameters.uniquenesses)


def is_singular(correlation: np.ndarray) -> np.ndarray:
    """Whether each of the correlations (..., p, p) is singular, or not complete; (...,)."""
    return ~is_positive_definite(correlation - SINGULAR * np.eye(correlation.shape[-1]))


def _exact_loadings(corr: np.ndarray) -> np.ndarray:
    """Loadings (..., 3) whose products are the correlations (..., 3, 3) of three items; nan where there are none."""
    first, second, third = corr[..., 0, 1], corr[..., 0, 2], corr[..., 1, 2]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        one = np.sqrt(np.where(first * second * third > 0, first * second / third, np.nan))
        loadings = np.stack([one, first / one, second / one], axis=-1)
    loadings[~np.isfinite(loadings).all(axis=-1)] = np.nan
    return np.where(loadings.sum(axis=-1, keepdims=True) < 0, -loadings, loadings)


def _in_units(loadings: np.ndarray, sd: np.ndarray, uniquenesses: np.ndarray | None = None) -> OneFactor:
    """Standardised loadings (..., p), nan where there is no solution, in units of the deviations `sd` (..., p)."""
    residual = 1 - loadings**2 if uniquenesses is None else uniquenesses
    heywood = (residual < 0).any(axis=-1)
    return OneFactor(loadings * sd, residual * sd**2, np.isfinite(loadings).all(axis=-1), np.asarray(heywood))


def _as_start(start: OneFactor, model: FactorModel) -> CfaFit:
    """A solution in item units, in units of the deviations that it implies."""
    sd = np.sqrt(start.loadings**2 + start.uniquenesses)
    values = np.concatenate([start.loadings / sd, start.uniquenesses / sd**2], axis=-1)
    return CfaFit(Parameters(model, values), np.asarray(np.nan), start.converged)
