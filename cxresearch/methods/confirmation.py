"""Confirmatory factor analysis: do the items measure the constructs that they were written for?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.answers import Answers
from cxresearch.core.design import Design
from cxresearch.core.results import Finding, Result, View, gather, tidy
from cxresearch.core.rules import RULES, Rule
from cxresearch.methods.cfa_sample import CfaSample
from cxresearch.methods.confirmation_rows import (
    ONE_FACTOR,
    Fitted,
    estimate_rows,
    fit_rows,
    modification_rows,
    residual_rows,
    share_rows,
)

FIT_RULES = {"cfi": RULES["cfi_good"], "rmsea": RULES["rmsea_good"], "srmr": RULES["srmr_good"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationResult(Result):
    """A confirmatory factor analysis.

    Attributes
    ----------
    converged : whether the model has a maximum-likelihood solution; if not, the table is empty
    admissible : whether it converged to residual variances above 0 and positive definite factor correlations
    heywood : items with a negative residual variance
    smallest_eigenvalue : of the factor correlations
    estimator : "mlr", or "ml" where there are no rows or no robust form: what the finding judges by
    cfi, tli, rmsea, srmr : by that estimator; nan where the model did not converge
    cautions : what qualifies the result, most serious first
    """

    views: ClassVar[Mapping[str, View]] = {
        "cfa_test": View(("chi2",), rows=("method",), columns="numbers"),
        "cfa_indices": View(
            ("cfi", "tli", "rmsea", "rmsea_conf_low", "rmsea_conf_high", "srmr", "aic", "bic"), rows=("method",)
        ),
        "cfa_loadings": View(("standardized_loading",), rows=("scale", "term"), columns="numbers", method="mlr"),
        "cfa_loadings_plain": View(("standardized_loading",), rows=("scale", "term"), columns="numbers", method="ml"),
        "cfa_correlations": View(("factor_correlation",), rows=("scale", "term"), columns="numbers", method="mlr"),
        "cfa_correlations_plain": View(("factor_correlation",), rows=("scale", "term"), columns="numbers", method="ml"),
        "cfa_modifications": View(("modification_index", "expected_change"), rows=("scale", "term")),
    }

    converged: bool
    admissible: bool
    heywood: tuple[str, ...]
    smallest_eigenvalue: float
    estimator: str
    cfi: float
    tli: float
    rmsea: float
    srmr: float
    cautions: tuple[Finding, ...]

    def finding(self, rule: Rule = RULES["cfi_good"]) -> Finding:
        """Whether there is an admissible solution, and how many of three fit rules it meets."""
        if not self.converged:
            return Finding("confirmation.not_converged", {}, None, self.cautions)
        indices = {"cfi": self.cfi, "rmsea": self.rmsea, "srmr": self.srmr}
        rules = FIT_RULES | {"cfi": rule}
        misses = [name for name, value in indices.items() if not rules[name].met(value)]
        test = self.table[
            (self.table["quantity"] == "chi2") & self.table["method"].str.match(rf"{self.estimator}(;|$)")
        ]
        values: dict[str, Any] = {
            **indices,
            **{f"{name}_limit": rules[name].value for name in indices},
            "chi2": float(test["estimate"].iloc[0]),
            "df": int(test["df"].iloc[0]),
            "p_value": float(test["p_value"].iloc[0]),
            "estimator": self.estimator,
            "misses": misses,
            "reasons": [
                *(["heywood case"] if self.heywood else []),
                *([] if self.smallest_eigenvalue > 0 else ["not positive definite"]),
            ],
        }
        key = "saturated" if not values["df"] else "misfit" if misses else "fit"
        return Finding(
            f"confirmation.{'admissible' if self.admissible else 'inadmissible'}_{key}", values, rule, self.cautions
        )


def confirm_factors(
    answers: Answers,
    scales: Mapping[str, Sequence[str]],
    *,
    design: Design | None = None,
) -> ConfirmationResult:
    """Test whether each construct of a study is one factor behind its own items, and no other item's.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered: rows that answered all items of all constructs are used. Or Moments, such as
        those of a published correlation matrix; then all is plain maximum likelihood
    scales : construct -> items. Constructs with one item are left out of the model, but take part in the one-factor model
    design : weights, respected by estimates, MLR tests and MLR errors; clusters are not, and `method` says so

    Returns
    -------
    ConfirmationResult. Fit (scale `cfa`) by `ml`, by `mlr` (Yuan-Bentler scaled chi-square, robust indices), and of all items on
    one factor (`ml one-factor`); standardised loadings and factor correlations with errors by `ml` and by `mlr`; shares of
    residual variance, residual correlations, and the ten largest modification indices with expected changes. Factor variances
    are 1, residual variances unbounded: a negative one is kept and named.

    Raises
    ------
    InputError
        For items that are not there or stand in two constructs, no construct with two items, too few items for the model, text,
        not more rows than items, constant, identical or dependent items.

    References
    ----------
    Jöreskog (1969) Psychometrika 34:183-202, doi:10.1007/BF02289343. Yuan and Bentler (2000) Sociological Methodology
    30:165-200, doi:10.1111/0081-1750.00078. Podsakoff et al. (2003) Journal of Applied Psychology 88:879-903,
    doi:10.1037/0021-9010.88.5.879 (one factor).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> factors = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 400)[:, [0, 0, 0, 1, 1, 1]]
    >>> answers = pd.DataFrame(factors + rng.normal(size=(400, 6)), columns=["q1", "q2", "q3", "q4", "q5", "q6"])
    >>> result = confirm_factors(answers, {"speed": ["q1", "q2", "q3"], "staff": ["q4", "q5", "q6"]})
    >>> result.converged, result.admissible, round(result.value("model_df", method="mlr"))
    (True, True, 8)
    """
    sample = CfaSample.of(answers, scales, design)
    fitted = Fitted.of(sample, sample.model(), with_robust=True)
    single = Fitted.of(sample, sample.one_factor(), with_robust=False) if len(sample.moments.names) > 2 else None
    robust = fitted is not None and fitted.scaled is not None
    judged = None if fitted is None else fitted.scaled or fitted.plain
    return ConfirmationResult(
        table=_table(fitted, single),
        n_used=sample.n,
        n_dropped=sample.n_dropped,
        converged=fitted is not None,
        admissible=fitted is not None and bool(fitted.fit.admissible),
        heywood=_heywood(fitted),
        smallest_eigenvalue=np.nan if fitted is None else float(fitted.fit.smallest_eigenvalue),
        estimator="mlr" if robust else "ml",
        cfi=judged.cfi if judged else np.nan,
        tli=judged.tli if judged else np.nan,
        rmsea=judged.rmsea if judged else np.nan,
        srmr=judged.srmr if judged else np.nan,
        cautions=tuple(_cautions(sample, fitted, single)),
    )


def _table(fitted: Fitted | None, single: Fitted | None) -> pd.DataFrame:
    """Every number, the fit of all models first."""
    if fitted is None:
        return tidy("", [])
    parts = fit_rows(fitted, "ml", fitted.plain)
    if fitted.scaled is not None:
        parts += fit_rows(fitted, "mlr", fitted.scaled)
    if single is not None:
        parts += fit_rows(single, ONE_FACTOR, single.plain)
    parts += estimate_rows(fitted, "ml")
    if fitted.robust is not None:
        parts += estimate_rows(fitted, "mlr")
    return gather([*parts, *share_rows(fitted), residual_rows(fitted), *modification_rows(fitted)])


def _heywood(fitted: Fitted | None) -> tuple[str, ...]:
    if fitted is None:
        return ()
    return tuple(str(item) for item in np.array(fitted.model.items)[fitted.fit.heywood])


def _cautions(sample: CfaSample, fitted: Fitted | None, single: Fitted | None) -> list[Finding]:
    """What qualifies the result, most serious first."""
    said = [] if fitted is None else [*_improper(fitted), *_local(fitted), *_compared(fitted, single)]
    total = sample.n + sample.n_dropped
    few = sample.n <= sample.model().n_parameters
    clustered = sample.design.clusters is not None
    found: list[tuple[str, bool, dict[str, Any]]] = [
        ("single", bool(sample.single), {"scales": sample.single}),
        ("few_rows", few, {"n": sample.n, "k": sample.model().n_parameters}),
        ("dropped", sample.n_dropped > 0, {"n_dropped": sample.n_dropped, "total": total}),
        ("moments", sample.rows is None and fitted is not None, {}),
        ("no_robust", sample.rows is not None and fitted is not None and fitted.robust is None, {}),
        ("weighted", sample.design.weights is not None, {}),
        ("clustered", clustered, {}),
    ]
    return said + [Finding(f"confirmation.{key}", values) for key, applies, values in found if applies]


def _improper(fitted: Fitted) -> list[Finding]:
    """Values that cannot be: negative residual variances, factor correlations that are none."""
    fit, model = fitted.fit, fitted.model
    beyond = np.abs(fit.parameters.correlations) > 1
    pairs = [[model.factors[i], model.factors[j]] for i, j, over in zip(*model.pairs, beyond, strict=True) if over]
    found = []
    if fit.heywood.any():
        found.append(Finding("confirmation.heywood", {"items": _heywood(fitted)}))
    if not fit.smallest_eigenvalue > 0:
        found.append(Finding("confirmation.not_definite", {"eigenvalue": float(fit.smallest_eigenvalue)}))
    found += [Finding("confirmation.above_one", {"pair": pair}) for pair in pairs]
    return found


def _local(fitted: Fitted) -> list[Finding]:
    """Where the model fits badly: weak loadings, residual correlations, the largest modification index."""
    rules = {key: RULES[key] for key in ("standardized_loading", "residual_correlation")}
    loadings = fitted.fit.parameters.standardized
    weak = [
        item
        for item, met in zip(fitted.model.items, rules["standardized_loading"].met(loadings), strict=True)
        if not met
    ]
    residuals = residual_rows(fitted)["estimate"]
    large = int((~rules["residual_correlation"].met(residuals.abs().to_numpy())).sum())
    found = []
    if weak:
        found.append(Finding("confirmation.weak", {"items": weak}, rules["standardized_loading"]))
    if large:
        values = {"n_large": large, "n_pairs": len(residuals), "largest": float(residuals.abs().max())}
        found.append(Finding("confirmation.residuals", values, rules["residual_correlation"]))
    return found


def _compared(fitted: Fitted, single: Fitted | None) -> list[Finding]:
    """How much worse one factor behind all items fits."""
    if single is None:
        return [Finding("confirmation.one_factor_failed")]
    if len(fitted.model.factors) == 1:
        return []
    values = {
        "cfi": single.plain.cfi,
        "rmsea": single.plain.rmsea,
        "own_cfi": fitted.plain.cfi,
        "own_rmsea": fitted.plain.rmsea,
    }
    return [Finding("confirmation.one_factor", values)]
