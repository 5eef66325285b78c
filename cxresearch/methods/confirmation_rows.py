"""Rows of a confirmatory factor analysis: fit, loadings, factor correlations, residuals, modification indices."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, ndtri

from cxresearch.core.results import tidy, words
from cxresearch.methods.cfa_estimates import (
    expected_covariance,
    modification_indices,
    residual_correlations,
    standardized_errors,
)
from cxresearch.methods.cfa_fit import CfaFit, fit_cfa, identifies
from cxresearch.methods.cfa_indices import FitIndices, fit_indices, information_criteria
from cxresearch.methods.cfa_model import FactorModel
from cxresearch.methods.cfa_robust import Robust, robust_corrections
from cxresearch.methods.cfa_sample import CfaSample

SHOWN = 10  # modification indices that are kept in the table
ONE_FACTOR = "ml one-factor"  # one word: a row of the one-factor model is no row of `ml`


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model and what it says of a sample.

    Attributes
    ----------
    sample, model, fit : the sample, the model, and its solution, which converged
    plain : fit indices by ML
    robust : corrections for answers that are not normal; None without rows
    scaled : robust fit indices (MLR); None without `robust`
    """

    sample: CfaSample
    model: FactorModel
    fit: CfaFit
    plain: FitIndices
    robust: Robust | None
    scaled: FitIndices | None

    @classmethod
    def of(cls, sample: CfaSample, model: FactorModel, *, with_robust: bool) -> "Fitted | None":
        """The fitted model; None where it does not converge or the answers do not identify it."""
        corr = sample.corr(model)
        fit = fit_cfa(corr, model)
        if not fit.converged or not identifies(fit.parameters):
            return None
        implied = fit.parameters.implied()
        plain = fit_indices(corr, implied, sample.n, model.df)
        if not with_robust or sample.rows is None:
            return cls(sample, model, fit, plain, None, None)
        robust = robust_corrections(sample.standardized(model), sample.weights(), fit.parameters, corr)
        scalings = (robust.scaling, robust.baseline_scaling)
        usable = robust.scaling > 0 and robust.baseline_scaling > 0 and (np.diag(robust.covariance) > 0).all()
        scaled = fit_indices(corr, implied, sample.n, model.df, scalings=scalings) if usable else None
        return cls(sample, model, fit, plain, robust if usable else None, scaled)

    def method(self, estimator: str) -> str:
        """The `method` of a row."""
        return words(estimator, self.sample.design_words)


def fit_rows(fitted: Fitted, estimator: str, indices: FitIndices) -> list[pd.DataFrame]:
    """Chi-square with its test, and the indices."""
    shared = {"scale": "cfa", "n": fitted.sample.n, "method": fitted.method(estimator)}
    numbers = {
        "model_df": indices.df,
        "cfi": indices.cfi,
        "tli": indices.tli,
        "rmsea": indices.rmsea,
        "rmsea_conf_low": indices.rmsea_low,
        "rmsea_conf_high": indices.rmsea_high,
        "srmr": indices.srmr,
    }
    if estimator == "mlr":
        numbers["scaling_factor"] = indices.scaling
    if estimator == "ml":
        numbers |= _criteria(fitted)
    test = {"statistic": indices.chi2, "df": indices.df, "p_value": indices.p_value}
    return [
        tidy("chi2", indices.chi2, **test, **shared),
        *(tidy(quantity, estimate, **shared) for quantity, estimate in numbers.items()),
    ]


def _criteria(fitted: Fitted) -> dict[str, float]:
    """AIC and BIC in the units of the items."""
    implied, corr = fitted.fit.parameters.implied(), fitted.sample.corr(fitted.model)
    log_implied = np.linalg.slogdet(implied)[1] + 2 * np.log(fitted.sample.deviations(fitted.model)).sum()
    trace = float(np.trace(np.linalg.solve(implied, corr)))
    _, aic, bic = information_criteria(log_implied, trace, len(corr), fitted.sample.n, fitted.model.n_parameters)
    return {"aic": aic, "bic": bic}


def estimate_rows(fitted: Fitted, estimator: str) -> list[pd.DataFrame]:
    """Standardised loadings and factor correlations with their errors, by ML or MLR."""
    model, parameters = fitted.model, fitted.fit.parameters
    if estimator == "mlr" and fitted.robust is not None:
        covariance = fitted.robust.covariance
    else:
        covariance = expected_covariance(parameters, fitted.sample.n)
    shared = {"n": fitted.sample.n, "method": fitted.method(estimator)}
    owners = [model.factors[owner] for owner in model.owner]
    rows = [
        _with_errors(
            "standardized_loading",
            parameters.standardized,
            standardized_errors(parameters, covariance),
            scale=owners,
            term=list(model.items),
            **shared,
        )
    ]
    if len(model.factors) > 1:
        first, second = (([model.factors[place] for place in places]) for places in model.pairs)
        errors = np.sqrt(np.diag(covariance)[2 * len(model.items) :])
        rows.append(
            _with_errors("factor_correlation", parameters.correlations, errors, scale=first, term=second, **shared)
        )
    return rows


def _with_errors(quantity: str, estimates: np.ndarray, errors: np.ndarray, **columns: object) -> pd.DataFrame:
    """Rows with standard error, z, p and normal 95 % interval."""
    statistic = estimates / errors
    reach = ndtri(0.975) * errors
    return tidy(
        quantity,
        estimates,
        std_error=errors,
        statistic=statistic,
        p_value=2 * ndtr(-np.abs(statistic)),
        conf_low=estimates - reach,
        conf_high=estimates + reach,
        **columns,
    )


def share_rows(fitted: Fitted) -> list[pd.DataFrame]:
    """Residual variance of each item as a share of its variance, and the smallest eigenvalue of the factor correlations."""
    model, parameters = fitted.model, fitted.fit.parameters
    shared = {"n": fitted.sample.n, "method": fitted.method("ml")}
    owners = [model.factors[owner] for owner in model.owner]
    shares = parameters.uniquenesses / parameters.variances
    return [
        tidy("residual_variance", shares, scale=owners, term=list(model.items), **shared),
        tidy("smallest_eigenvalue", float(fitted.fit.smallest_eigenvalue), scale="cfa", **shared),
    ]


def residual_rows(fitted: Fitted) -> pd.DataFrame:
    """Residual correlations of all pairs of items."""
    items, implied = fitted.model.items, fitted.fit.parameters.implied()
    residuals = residual_correlations(fitted.sample.corr(fitted.model), implied)
    first, second = np.triu_indices(len(items), 1)
    pairs = {"scale": [items[i] for i in first], "term": [items[i] for i in second]}
    return tidy(
        "residual_correlation", residuals[first, second], **pairs, n=fitted.sample.n, method=fitted.method("ml")
    )


def modification_rows(fitted: Fitted) -> list[pd.DataFrame]:
    """The largest modification indices, and the standardised values that those parameters would have by about."""
    if not fitted.model.df:
        return []
    corr = fitted.sample.corr(fitted.model)
    table = modification_indices(fitted.fit.parameters, corr, fitted.sample.n).head(SHOWN)
    shared = {
        "scale": list(table["scale"]),
        "term": list(table["term"]),
        "n": fitted.sample.n,
        "method": [words(fitted.method("ml"), kind) for kind in table["kind"]],
    }
    index = table["index"].to_numpy()
    return [
        tidy("modification_index", index, statistic=index, df=1, p_value=chdtrc(1, index), **shared),
        tidy("expected_change", table["change"].to_numpy(), **shared),
    ]
