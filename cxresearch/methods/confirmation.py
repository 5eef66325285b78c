"""Confirmatory factor analysis: do the items measure the constructs that they were written for?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.answers import Answers, Missing
from cxresearch.core.design import Design
from cxresearch.core.results import Finding, Result, View, gather, words
from cxresearch.core.rules import RULES, Rule
from cxresearch.methods.cfa_sample import CfaSample
from cxresearch.methods.confirmation_cautions import cautions_of
from cxresearch.methods.confirmation_found import Found
from cxresearch.methods.confirmation_rows import (
    ONE_FACTOR,
    criteria_rows,
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
    estimator : what the finding judges by. "wlsmv" where items have fewer than five different answers or a skewness beyond 2, and none
        has more than seven; else "mlr"; "ml" where there are no rows or no robust form; another of these where one has no solution
    converged : whether the model has a solution; if not, the table is empty
    admissible : whether that of `estimator` has residual variances above 0 and positive definite factor correlations
    heywood : items with a negative residual variance
    smallest_eigenvalue : of the factor correlations
    cfi, tli, rmsea, srmr : by `estimator`; nan where the model did not converge
    cautions : what qualifies the result, most serious first
    """

    views: ClassVar[Mapping[str, View]] = {
        "cfa_test": View(("chi2",), rows=("method",), columns="numbers"),
        "cfa_indices": View(
            ("cfi", "tli", "rmsea", "rmsea_conf_low", "rmsea_conf_high", "srmr", "aic", "bic"), rows=("method",)
        ),
        "cfa_loadings": View(("standardized_loading",), rows=("method", "scale", "term"), columns="numbers"),
        "cfa_correlations": View(("factor_correlation",), rows=("method", "scale", "term"), columns="numbers"),
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

    def reservations(self, view: str) -> tuple[str, ...]:
        """That WLSMV rests on complete rows."""
        return ("confirmation.wlsmv_complete",) if self.n_incomplete and view != "cfa_modifications" else ()

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
    missing: Missing = "drop",
) -> ConfirmationResult:
    """Test whether each construct of a study is one factor behind its own items, and no other item's.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered: rows that answered all items of all constructs are used. Or Moments, such as
        those of a published correlation matrix; then all is plain maximum likelihood
    scales : construct -> items. Constructs with one item are left out of the model, but take part in the one-factor model
    design : weights, respected by all estimates and by the tests and errors of MLR and WLSMV; clusters, respected by these tests and
        errors. Plain maximum likelihood ignores clusters, and `method` says so

    Returns
    -------
    ConfirmationResult. Fit (scale `cfa`) by `ml`, by `mlr` (Yuan-Bentler scaled chi-square, robust indices), and of all items on
    one factor (`ml one-factor`); where no item has more than seven different answers also by `wlsmv` (weighted least squares on
    polychoric correlations, scaled and shifted chi-square). Standardised loadings and factor correlations with errors by each; shares
    of residual variance and residual correlations by `ml` and `wlsmv`, and the ten largest modification indices with expected changes
    by `ml`. Factor variances are 1, residual variances unbounded: a negative one is kept and named.

    Raises
    ------
    InputError
        For items that are not there or stand in two constructs, no construct with two items, too few items for the model, text,
        not more rows than items, constant, identical or dependent items.

    References
    ----------
    Jöreskog (1969) Psychometrika 34:183-202, doi:10.1007/BF02289343. Yuan and Bentler (2000) Sociological Methodology
    30:165-200, doi:10.1111/0081-1750.00078. Flora and Curran (2004) Psychological Methods 9:466-491,
    doi:10.1037/1082-989X.9.4.466 (WLSMV). Podsakoff et al. (2003) Journal of Applied Psychology 88:879-903,
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
    sample = CfaSample.of(answers, scales, design, missing=missing)
    found = Found.of(sample)
    judged = found.judged
    return ConfirmationResult(
        table=_table(found),
        n_used=sample.n,
        n_dropped=sample.n_dropped,
        missing_policy=missing,
        n_incomplete=sample.moments.n_incomplete,
        iterations=sample.moments.iterations,
        converged=judged is not None,
        admissible=judged is not None and bool(judged.fit.admissible),
        heywood=judged.heywood if judged else (),
        smallest_eigenvalue=float(judged.fit.smallest_eigenvalue) if judged else np.nan,
        estimator=judged.estimator if judged else "ml",
        cfi=judged.indices.cfi if judged else np.nan,
        tli=judged.indices.tli if judged else np.nan,
        rmsea=judged.indices.rmsea if judged else np.nan,
        srmr=judged.indices.srmr if judged else np.nan,
        cautions=tuple(cautions_of(found)),
    )


def _table(found: Found) -> pd.DataFrame:
    """Every number, the fit of all models first."""
    parts = []
    for each in found.estimated:
        parts += fit_rows(each.indices, each.n, each.method)
        if each.estimator == "ml" and found.fitted:
            parts += criteria_rows(found.fitted)
    if found.estimated and found.single is not None:
        parts += fit_rows(found.single.plain, found.sample.n, words(ONE_FACTOR, found.sample.words_of("ml")))
    for each in found.estimated:
        parts += estimate_rows(each)
    for each in found.solutions:
        parts += [*share_rows(each), residual_rows(each)]
    if found.ml is not None:
        parts += modification_rows(found.ml)
    return gather(parts)
