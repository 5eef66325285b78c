"""Numbers of a fitted factor model: standardised solution with its errors, residuals, modification indices."""

import numpy as np
import pandas as pd

from cxresearch.methods.cfa_model import Columns, Parameters, information, slopes


def expected_covariance(parameters: Parameters, n: int) -> np.ndarray:
    """(k, k) covariance of the parameters by the expected information of n respondents."""
    inverse = np.linalg.inv(parameters.implied())
    return np.linalg.inv(information(parameters.basis(), inverse, parameters.model.columns)) / n


def standardized_errors(parameters: Parameters, covariance: np.ndarray) -> np.ndarray:
    """(p,) standard errors of the standardised loadings by the delta method.

    A standardised loading is l / sqrt(l^2 + u), with l the loading and u the residual variance.
    """
    p = len(parameters.model.items)
    spread = parameters.variances**1.5
    by_loading, by_residual = parameters.uniquenesses / spread, -parameters.loadings / (2 * spread)
    item = np.arange(p)
    variance = by_loading**2 * covariance[item, item] + by_residual**2 * covariance[p + item, p + item]
    return np.sqrt(variance + 2 * by_loading * by_residual * covariance[item, p + item])


def residual_correlations(corr: np.ndarray, implied: np.ndarray) -> np.ndarray:
    """(p, p) observed minus implied correlations."""
    sd = np.sqrt(np.diag(implied))
    return corr - implied / np.outer(sd, sd)


def modification_indices(parameters: Parameters, corr: np.ndarray, n: int) -> pd.DataFrame:
    """How much chi-square would fall by about if one more parameter were free.

    Returns
    -------
    DataFrame, largest first: kind ("cross-loading" or "residual covariance"), scale (factor or first item), term (item), index
    (chi-square with 1 df), change (the parameter's expected standardised value)

    Notes
    -----
    Score tests with the expected information. Those that no sample could tell (no information left beside the free
    parameters) are left out.

    References
    ----------
    Sörbom (1989) Psychometrika 54:371-384, doi:10.1007/BF02294623. Kaplan (1990) Multivariate Behavioral Research 25:137-155,
    doi:10.1207/s15327906mbr2502_1.
    """
    model = parameters.model
    inverse, basis = np.linalg.inv(parameters.implied()), parameters.basis()
    new, names, unit = _fixed(parameters)
    free = model.columns
    between = information(basis, inverse, new, free)
    own = information(basis, inverse, free)
    left = np.diag(information(basis, inverse, new)) - np.einsum("ak,ka->a", between, np.linalg.solve(own, between.T))
    gradient = slopes(basis, inverse - inverse @ corr @ inverse, new)
    with np.errstate(divide="ignore", invalid="ignore"):
        table = names.assign(index=n * gradient**2 / left, change=-gradient / left / unit)
    known = left > 1e-8 * np.diag(information(basis, inverse, new))
    return table[known].sort_values("index", ascending=False, ignore_index=True)


def _fixed(parameters: Parameters) -> tuple[Columns, pd.DataFrame, np.ndarray]:
    """Directions of the loadings and residual covariances that the model holds at 0, their names, and their units."""
    model, p, m = parameters.model, len(parameters.model.items), len(parameters.model.factors)
    item, factor = np.nonzero(model.owner[:, None] != np.arange(m))
    one, other = np.triu_indices(p, 1)
    directions = (
        np.concatenate([item, one]),
        np.concatenate([p + m + factor, other]),
        np.ones(len(item) + len(one)),
    )
    items, factors = np.array(model.items, dtype=object), np.array(model.factors, dtype=object)
    names = pd.DataFrame(
        {
            "kind": ["cross-loading"] * len(item) + ["residual covariance"] * len(one),
            "scale": np.concatenate([factors[factor], items[one]]),
            "term": np.concatenate([items[item], items[other]]),
        }
    )
    residual = np.sqrt(np.abs(parameters.uniquenesses))
    unit = np.concatenate([np.sqrt(parameters.variances[item]), residual[one] * residual[other]])
    return directions, names, unit
