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
from cxresearch.methods.cfa_ordinal import OrdinalFit
from cxresearch.methods.cfa_robust import Robust, robust_corrections, two_stage_corrections
from cxresearch.methods.cfa_sample import CfaSample

SCALED = ("mlr", "wlsmv")  # estimators whose chi-square is divided by a factor
SHOWN = 10  # modification indices that are kept in the table
ONE_FACTOR = "ml one-factor"  # one word: a row of the one-factor model is no row of `ml`


@dataclass(frozen=True, slots=True)
class Estimated:
    """What one estimator says of a model.

    Attributes
    ----------
    method : of its rows: "ml", "mlr" or "wlsmv", weights and clusters
    model, fit : the model, and its solution, which converged
    corr : (p, p) the correlations that were fitted
    n : respondents
    indices : fit
    loading_errors, correlation_errors : standard errors of the standardised loadings (p,) and factor correlations (m(m - 1)/2,)
    """

    method: str
    model: FactorModel
    fit: CfaFit
    corr: np.ndarray
    n: int
    indices: FitIndices
    loading_errors: np.ndarray
    correlation_errors: np.ndarray

    @property
    def estimator(self) -> str:
        """The first word of its method."""
        return self.method.split("; ")[0]

    @property
    def heywood(self) -> tuple[str, ...]:
        """Items with a negative residual variance."""
        return tuple(str(item) for item in np.array(self.model.items)[self.fit.heywood])

    @classmethod
    def of_ordinal(cls, ordinal: OrdinalFit) -> "Estimated":
        """By weighted least squares on polychoric correlations."""
        found = ordinal.polychorics
        method = words("wlsmv", found.design_words)
        errors = ordinal.loading_errors, ordinal.correlation_errors
        return cls(method, ordinal.model, ordinal.fit, found.corr, found.n, ordinal.indices, *errors)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model fitted by maximum likelihood, and what it says of a sample.

    Attributes
    ----------
    sample, model, fit : the sample, the model, and its solution, which converged
    plain : fit indices by ML
    robust : corrections for answers that are not normal or not complete; None without rows
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
        robust = _corrections(sample, fit) if with_robust else None
        if robust is None:
            return cls(sample, model, fit, plain, None, None)
        scalings = (robust.scaling, robust.baseline_scaling)
        usable = robust.scaling > 0 and robust.baseline_scaling > 0 and (np.diag(robust.covariance) > 0).all()
        scaled = fit_indices(corr, implied, sample.n, model.df, scalings=scalings) if usable else None
        return cls(sample, model, fit, plain, robust if usable else None, scaled)

    def by_ml(self) -> Estimated:
        """With the errors and indices of normal answers."""
        return self._estimated("ml", self.plain, expected_covariance(self.fit.parameters, self.sample.n))

    def by_mlr(self) -> Estimated | None:
        """With robust errors and indices; None where there are none."""
        if self.robust is None or self.scaled is None:
            return None
        return self._estimated("mlr", self.scaled, self.robust.covariance)

    def _estimated(self, estimator: str, indices: FitIndices, covariance: np.ndarray) -> Estimated:
        parameters = self.fit.parameters
        return Estimated(
            method=words(estimator, self.sample.words_of(estimator)),
            model=self.model,
            fit=self.fit,
            corr=self.sample.corr(self.model),
            n=self.sample.n,
            indices=indices,
            loading_errors=standardized_errors(parameters, covariance),
            correlation_errors=np.sqrt(np.diag(covariance)[2 * len(self.model.items) :]),
        )


def _corrections(sample: CfaSample, fit: CfaFit) -> Robust | None:
    """For answers that are not normal, or not complete; None of moments alone, or where all rows are of one cluster."""
    model = fit.parameters.model
    if sample.has_one_cluster:
        return None
    if sample.rows is not None:
        values, weights = sample.standardized(model), sample.weights()
        return robust_corrections(values, weights, fit.parameters, sample.corr(model), sample.clusters())
    gamma = sample.covariance_errors(model)
    return None if gamma is None else two_stage_corrections(fit.parameters, sample.corr(model), gamma, sample.n)


def fit_rows(indices: FitIndices, n: int, method: str) -> list[pd.DataFrame]:
    """Chi-square with its test, and the indices."""
    shared = {"scale": "cfa", "n": n, "method": method}
    numbers = {
        "model_df": indices.df,
        "cfi": indices.cfi,
        "tli": indices.tli,
        "rmsea": indices.rmsea,
        "rmsea_conf_low": indices.rmsea_low,
        "rmsea_conf_high": indices.rmsea_high,
        "srmr": indices.srmr,
    }
    if method.split("; ")[0] in SCALED:
        numbers["scaling_factor"] = indices.scaling
    test = {"statistic": indices.chi2, "df": indices.df, "p_value": indices.p_value}
    return [
        tidy("chi2", indices.chi2, **test, **shared),
        *(tidy(quantity, estimate, **shared) for quantity, estimate in numbers.items()),
    ]


def criteria_rows(fitted: Fitted) -> list[pd.DataFrame]:
    """AIC and BIC in the units of the items."""
    implied, corr = fitted.fit.parameters.implied(), fitted.sample.corr(fitted.model)
    log_implied = np.linalg.slogdet(implied)[1] + 2 * np.log(fitted.sample.deviations(fitted.model)).sum()
    trace = float(np.trace(np.linalg.solve(implied, corr)))
    _, aic, bic = information_criteria(log_implied, trace, len(corr), fitted.sample.n, fitted.model.n_parameters)
    shared = {"scale": "cfa", "n": fitted.sample.n, "method": fitted.by_ml().method}
    return [tidy("aic", aic, **shared), tidy("bic", bic, **shared)]


def estimate_rows(found: Estimated) -> list[pd.DataFrame]:
    """Standardised loadings and factor correlations with their errors."""
    model, parameters = found.model, found.fit.parameters
    shared = {"n": found.n, "method": found.method}
    places = {"scale": _owners(model), "term": list(model.items)}
    rows = [_with_errors("standardized_loading", parameters.standardized, found.loading_errors, **places, **shared)]
    if len(model.factors) > 1:
        first, second = (([model.factors[place] for place in side]) for side in model.pairs)
        estimates, errors = parameters.correlations, found.correlation_errors
        rows.append(_with_errors("factor_correlation", estimates, errors, scale=first, term=second, **shared))
    return rows


def _owners(model: FactorModel) -> list[str]:
    return [model.factors[owner] for owner in model.owner]


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


def share_rows(found: Estimated) -> list[pd.DataFrame]:
    """Residual variance of each item as a share of its variance, and the smallest eigenvalue of the factor correlations."""
    model, parameters = found.model, found.fit.parameters
    shared = {"n": found.n, "method": found.method}
    shares = parameters.uniquenesses / parameters.variances
    return [
        tidy("residual_variance", shares, scale=_owners(model), term=list(model.items), **shared),
        tidy("smallest_eigenvalue", float(found.fit.smallest_eigenvalue), scale="cfa", **shared),
    ]


def residual_rows(found: Estimated) -> pd.DataFrame:
    """Residual correlations of all pairs of items."""
    items = found.model.items
    residuals = residual_correlations(found.corr, found.fit.parameters.implied())
    first, second = np.triu_indices(len(items), 1)
    pairs = {"scale": [items[i] for i in first], "term": [items[i] for i in second]}
    return tidy("residual_correlation", residuals[first, second], **pairs, n=found.n, method=found.method)


def modification_rows(found: Estimated) -> list[pd.DataFrame]:
    """The largest modification indices by ML, and the standardised values that those parameters would have by about."""
    if not found.model.df:
        return []
    table = modification_indices(found.fit.parameters, found.corr, found.n).head(SHOWN)
    shared = {
        "scale": list(table["scale"]),
        "term": list(table["term"]),
        "n": found.n,
        "method": [words(found.method, kind) for kind in table["kind"]],
    }
    index = table["index"].to_numpy()
    return [
        tidy("modification_index", index, statistic=index, df=1, p_value=chdtrc(1, index), **shared),
        tidy("expected_change", table["change"].to_numpy(), **shared),
    ]
