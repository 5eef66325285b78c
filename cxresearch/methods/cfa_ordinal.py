"""The factor model of ordinal answers: weighted least squares on polychoric correlations, robust errors and test (WLSMV)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.polychoric import Polychorics, polychoric_influences
from cxresearch.core.polychoric_influence import RowInfluences
from cxresearch.methods.cfa_fit import CfaFit
from cxresearch.methods.cfa_indices import FitIndices, ordinal_indices
from cxresearch.methods.cfa_model import FactorModel
from cxresearch.methods.cfa_ordinal_fit import derivatives, fit_dwls, normal_matrix


@dataclass(frozen=True, slots=True)
class OrdinalFit:
    """A factor model of ordinal answers.

    Attributes
    ----------
    model : which item belongs to which factor
    polychorics : of its items, in its order
    fit : the solution, which converged
    gains : (p + m(m - 1)/2, p(p - 1)/2) how each loading, then each factor correlation, moves with each polychoric correlation
    covariance : (p + m(m - 1)/2, p + m(m - 1)/2) robust covariance of loadings and factor correlations
    indices : scaled and shifted test, and the indices from it
    influences : of the respondents on the polychoric correlations and thresholds
    """

    model: FactorModel
    polychorics: Polychorics
    fit: CfaFit
    gains: np.ndarray
    covariance: np.ndarray
    indices: FitIndices
    influences: RowInfluences

    @property
    def loading_errors(self) -> np.ndarray:
        """(p,) standard errors of the loadings, which are standardised."""
        return np.sqrt(np.diag(self.covariance)[: len(self.model.items)])

    @property
    def correlation_errors(self) -> np.ndarray:
        """(m(m - 1)/2,) standard errors of the factor correlations."""
        return np.sqrt(np.diag(self.covariance)[len(self.model.items) :])


def fit_ordinal(rows: pd.DataFrame, model: FactorModel, design: Design) -> tuple[Polychorics, OrdinalFit | None]:
    """Fit a factor model to ordinal answers (WLSMV).

    Each pair of items is weighed by one over the asymptotic variance of its polychoric correlation; test and standard errors use the
    whole asymptotic covariance. Weights of the rows enter all of it; clusters enter the test and the errors, not the estimates.

    Parameters
    ----------
    rows : (n, p) complete answers to the items of the model, two to eleven categories each
    model : which item belongs to which factor
    design : weights and clusters

    Returns
    -------
    The polychoric correlations, and the fit; None where some of these are at their limit, so that they have no variance, where the fit
    does not converge, or where the answers do not identify the parameters

    References
    ----------
    Muthén (1984) Psychometrika 49:115-132, doi:10.1007/BF02294210. Asparouhov and Muthén (2010) Simple second order chi-square
    correction, Mplus technical appendix (scaled and shifted test). Savalei and Rhemtulla (2013) British Journal of Mathematical and
    Statistical Psychology 66:201-223, doi:10.1111/j.2044-8317.2012.02049.x.
    """
    found, influences = polychoric_influences(rows[list(model.items)], design=design)
    if found.at_limit or found.unsettled:
        return found, None
    gamma = influences.covariance()
    own = gamma if design.clusters is None else influences.covariance(clustered=False)
    weights = 1 / np.diag(own)
    fit = fit_dwls(found.corr, weights, model)
    if not fit.converged:
        return found, None
    slopes = derivatives(fit.parameters)
    gains = np.linalg.solve(normal_matrix(slopes, weights), (slopes * weights[:, None]).T)
    traces = _traces(weights, slopes, gains, gamma)
    indices = ordinal_indices(found.corr, fit.parameters.implied(), weights, gamma, traces, found.n, model.df)
    return found, OrdinalFit(model, found, fit, gains, gains @ gamma @ gains.T / found.n, indices, influences)


def _traces(weights: np.ndarray, slopes: np.ndarray, gains: np.ndarray, gamma: np.ndarray) -> tuple[float, float]:
    """tr(U gamma) and tr((U gamma)^2) with U = W - W slopes gains, without the products of (m, m) matrices that they stand for."""
    seen = gamma @ (slopes * weights[:, None])
    fitted = gains @ seen
    first = weights @ np.diag(gamma) - np.trace(fitted)
    crossed = ((gains @ gamma) * (seen * weights[:, None]).T).sum()
    return float(first), float(weights @ gamma**2 @ weights - 2 * crossed + (fitted * fitted.T).sum())
