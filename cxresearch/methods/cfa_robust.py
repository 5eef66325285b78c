"""What maximum likelihood says when answers are not normal: scaled chi-square and robust standard errors (MLR)."""

from dataclasses import dataclass

import numpy as np

from cxresearch.methods.cfa_model import Parameters, observed_information


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


def robust_corrections(values: np.ndarray, weights: np.ndarray, parameters: Parameters, corr: np.ndarray) -> Robust:
    """Yuan-Bentler correction as Mplus and lavaan compute it, and Huber-White standard errors.

    Parameters
    ----------
    values : (n, p) answers, standardised by the (weighted) mean and deviation with denominator n
    weights : (n,) of mean 1; they enter the middle of the sandwich squared
    parameters : the maximum-likelihood solution of `corr`
    corr : (p, p) (weighted) correlations of `values`

    Returns
    -------
    Robust. The factor is [tr(A1^-1 B1) - tr(A0^-1 B0)] / df, with A the information and B the mean product of scores, 1 of the
    unrestricted covariances and 0 of the model; A0 is the observed information. Means are unrestricted in both and cancel.

    References
    ----------
    Yuan and Bentler (2000) Sociological Methodology 30:165-200, doi:10.1111/0081-1750.00078. Asparouhov and Muthén (2005)
    Multivariate modeling with complex survey data (weights), Proceedings of the FCSM conference.
    """
    model, (n, p) = parameters.model, values.shape
    x, y, factor = model.columns
    inverse, basis, squared = np.linalg.inv(parameters.implied()), parameters.basis(), weights**2
    seen = values @ inverse @ basis
    scores = (seen[:, x] * seen[:, y] - (basis.T @ inverse @ basis)[x, y]) * factor
    middle = (scores * squared[:, None]).T @ scores / n
    bread = np.linalg.inv(observed_information(parameters, corr))
    distance = np.einsum("ni,ij,nj->n", values, np.linalg.inv(corr), values)
    unrestricted = float((squared * (distance**2 - 2 * distance + p)).mean()) / 2
    unrelated = float((squared[:, None] * (values**2 - 1) ** 2).mean(axis=0).sum()) / 2
    return Robust(
        covariance=bread @ middle @ bread / n,
        scaling=(unrestricted - float(np.trace(bread @ middle))) / model.df if model.df else 1.0,
        baseline_scaling=(unrestricted - unrelated) / (p * (p - 1) / 2),
    )
