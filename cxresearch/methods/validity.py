"""Validity of the constructs: do their items hang together, and are the constructs distinct?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.answers import Answers, Missing
from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.core.rules import RULES, Rule
from cxresearch.methods.cfa_fit import CfaFit, fit_cfa
from cxresearch.methods.cfa_model import FactorModel
from cxresearch.methods.cfa_sample import CfaSample
from cxresearch.methods.ordinal_reliability import omega_rows
from cxresearch.methods.replicates import FAILED_SHARE, interval_of_known
from cxresearch.methods.validity_measures import (
    average_variance_extracted,
    composite_reliability,
    heterotrait_monotrait,
    largest_shared_variance,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidityResult(Result):
    """Convergent and discriminant validity of constructs with two items or more.

    Attributes
    ----------
    composite_reliability, ave, shared : of each construct; `shared` is the largest squared factor correlation. Empty where the
        confirmatory model did not converge
    omega_ordinal : reliability of the sum of ordinal answers; empty where an item has more than seven, or the model has no solution
    htmt : heterotrait-monotrait ratios, a Series by pair of constructs
    cautions : what qualifies the result
    n_bootstrap : replicates behind each interval
    """

    views: ClassVar[Mapping[str, View]] = {
        "validity": View(("composite_reliability", "omega_ordinal", "ave", "max_shared_variance")),
        "validity_htmt": View(("htmt",), rows=("term",), columns="scale"),
    }

    composite_reliability: pd.Series
    omega_ordinal: pd.Series
    ave: pd.Series
    shared: pd.Series
    htmt: pd.Series
    cautions: tuple[Finding, ...]
    n_bootstrap: int

    def reservations(self, view: str) -> tuple[str, ...]:
        """That ordinal omega rests on complete rows."""
        return ("validity.omega_complete",) if self.n_incomplete and view == "validity" else ()

    def finding(self, rule: Rule = RULES["htmt_strict"]) -> Finding:
        """Which pairs of constructs stay below the limit of the ratio, by its estimate."""
        if self.htmt.empty:
            return Finding("validity.one_construct", {}, None, self.cautions)
        known = self.htmt.dropna()
        if known.empty:
            return Finding("validity.no_ratio", {}, None, self.cautions)
        met = rule.met(known.to_numpy())
        highest = int(known.to_numpy().argmax())
        values = {
            "n_pairs": len(known),
            "n_met": int(met.sum()),
            "estimate": float(known.iloc[highest]),
            "highest": [str(name) for name in known.index[highest]],
        }
        return Finding(f"validity.{'all_distinct' if met.all() else 'some_alike'}", values, rule, self.cautions)


def check_validity(
    answers: Answers,
    scales: Mapping[str, Sequence[str]],
    *,
    design: Design | None = None,
    missing: Missing = "drop",
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> ValidityResult:
    """Judge whether items measure their construct and constructs can be told apart, by the rows that answered all items.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered; or Moments, then there are no intervals
    scales : construct -> items; those with one item have no such numbers
    design : weights and clusters, respected by estimates and intervals
    missing : "drop": the rows that answered all items; "em": all that answered any, by maximum likelihood
    n_bootstrap : replicates behind each 95 % percentile interval; 0 for none
    seed : of the bootstrap

    Returns
    -------
    ValidityResult. Of each construct composite_reliability, ave and max_shared_variance (term = the construct that it is shared
    with) by the ML confirmatory model of all constructs; omega_ordinal by that of ordinal answers (WLSMV), where no item has more than
    seven different ones; of each pair htmt, which needs no model.

    Raises
    ------
    InputError
        As `confirm_factors`.

    References
    ----------
    Fornell and Larcker (1981) Journal of Marketing Research 18:39-50, doi:10.1177/002224378101800104. Henseler, Ringle and
    Sarstedt (2015) Journal of the Academy of Marketing Science 43:115-135, doi:10.1007/s11747-014-0403-8. Green and Yang (2009)
    Psychometrika 74:155-167, doi:10.1007/s11336-008-9099-3 (omega of ordinal answers).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> factors = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 400)[:, [0, 0, 0, 1, 1, 1]]
    >>> answers = pd.DataFrame(factors + rng.normal(size=(400, 6)), columns=["q1", "q2", "q3", "q4", "q5", "q6"])
    >>> result = check_validity(answers, {"speed": ["q1", "q2", "q3"], "staff": ["q4", "q5", "q6"]}, n_bootstrap=50)
    >>> print(result.htmt.round(2).to_dict())
    {('speed', 'staff'): 0.46}
    """
    measured = _Measured.of(CfaSample.of(answers, scales, design, missing=missing), n_bootstrap, seed)
    omega = omega_rows(measured.sample.near, measured.model)
    table = gather([*measured.construct_rows(), omega, *measured.pair_rows()])
    return ValidityResult(
        table=table,
        n_used=measured.sample.n,
        n_dropped=measured.sample.n_dropped,
        missing_policy=missing,
        n_incomplete=measured.sample.moments.n_incomplete,
        iterations=measured.sample.moments.iterations,
        composite_reliability=_by_scale(table, "composite_reliability"),
        omega_ordinal=_by_scale(table, "omega_ordinal"),
        ave=_by_scale(table, "ave"),
        shared=_by_scale(table, "max_shared_variance"),
        htmt=_by_pair(table),
        cautions=tuple(measured.cautions(table)),
        n_bootstrap=n_bootstrap if measured.replicates is not None else 0,
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """A sample with its model, and the same of its bootstrap replicates where there are any."""

    sample: CfaSample
    model: FactorModel
    fit: CfaFit
    replicates: Moments | None
    fits: CfaFit | None = field(default=None)

    @classmethod
    def of(cls, sample: CfaSample, n_bootstrap: int, seed: int) -> "_Measured":
        model = sample.model()
        fit = fit_cfa(sample.corr(model), model)
        replicates = sample.replicates(model, n_bootstrap, seed)
        if replicates is None or not fit.converged:
            return cls(sample, model, fit, replicates)
        return cls(sample, model, fit, replicates, fit_cfa(replicates.corr, model, start=fit))

    def construct_rows(self) -> list[pd.DataFrame]:
        """Rows of each construct; none where the model did not converge."""
        if not self.fit.converged:
            return []
        again = None if self.fits is None else self.fits.parameters
        fitted, names = self.fit.parameters, list(self.model.factors)
        measures = {"composite_reliability": composite_reliability, "ave": average_variance_extracted}
        rows = [
            self._tidy(quantity, measure(fitted), None if again is None else measure(again), "ml", scale=names)
            for quantity, measure in measures.items()
        ]
        if len(names) > 1:
            shared, other = largest_shared_variance(fitted)
            stack = None if again is None else largest_shared_variance(again)[0]
            partners = [names[place] for place in other]
            rows.append(self._tidy("max_shared_variance", shared, stack, "ml", scale=names, term=partners))
        return rows

    def pair_rows(self) -> list[pd.DataFrame]:
        """Rows of each pair of constructs."""
        first, second = ([self.model.factors[place] for place in places] for places in self.model.pairs)
        if not first:
            return []
        ratios = heterotrait_monotrait(self.sample.corr(self.model), self.model)
        stack = None if self.replicates is None else heterotrait_monotrait(self.replicates.corr, self.model)
        return [self._tidy("htmt", ratios, stack, "pearson", scale=first, term=second)]

    def _tidy(
        self, quantity: str, estimates: np.ndarray, stack: np.ndarray | None, kind: str, **columns: Any
    ) -> pd.DataFrame:
        low = high = np.full(np.shape(estimates), np.nan)
        if stack is not None and self.replicates is not None:
            low, high = interval_of_known(stack, self.replicates)
        method = words(kind, "" if stack is None else "percentile bootstrap", self.sample.moments.design_words)
        return tidy(quantity, estimates, conf_low=low, conf_high=high, n=self.sample.n, method=method, **columns)

    def cautions(self, table: pd.DataFrame) -> list[Finding]:
        """What qualifies the numbers, most serious first."""
        found: list[Finding] = []
        if not self.fit.converged:
            found.append(Finding("validity.no_model"))
        elif not self.fit.admissible:
            found.append(Finding("validity.inadmissible"))
        if self.fits is not None and self.fit.admissible and (~self.fits.admissible).mean() > FAILED_SHARE:
            found.append(Finding("validity.unstable", {"percent": 100 * float((~self.fits.admissible).mean())}))
        undefined = [name for name in self.model.factors if name not in _by_scale(table, "omega_ordinal")]
        if 0 < len(undefined) < len(self.model.factors):
            found.append(Finding("validity.no_omega_ordinal", {"scales": undefined}))
        found += [*_convergent(table), *_discriminant(table)]
        if self.sample.single:
            found.append(Finding("validity.single", {"scales": self.sample.single}))
        return found


def _convergent(table: pd.DataFrame) -> list[Finding]:
    """Constructs whose items hang together too little."""
    found = []
    for quantity in ("composite_reliability", "ave"):
        values, rule = _by_scale(table, quantity), RULES[quantity]
        below = [name for name, met in zip(values.index, rule.met(values.to_numpy()), strict=True) if not met]
        if below:
            found.append(Finding(f"validity.low_{quantity}", {"scales": below}, rule))
    return found


def _discriminant(table: pd.DataFrame) -> list[Finding]:
    """Constructs that share more with another than with their items, and pairs above the liberal limit."""
    found = []
    ave, shared = _by_scale(table, "ave"), _by_scale(table, "max_shared_variance")
    alike = [name for name in shared.index if not ave[name] > shared[name]]
    if alike:
        found.append(Finding("validity.fornell_larcker", {"scales": alike, "n_scales": len(shared)}, RULES["ave"]))
    every, rule = table[table["quantity"] == "htmt"], RULES["htmt_liberal"]
    ratios = every[every["estimate"].notna()]
    over = int((~rule.met(ratios["estimate"].to_numpy())).sum())
    if over:
        found.append(Finding("validity.liberal", {"n_over": over, "n_pairs": len(ratios)}, rule))
    one = int((ratios["conf_high"] >= 1).sum())
    if one:
        found.append(Finding("validity.reaches_one", {"n_one": one, "n_pairs": len(ratios)}, rule))
    if 0 < len(ratios) < len(every):
        found.append(Finding("validity.no_ratio"))
    return found


def _by_scale(table: pd.DataFrame, quantity: str) -> pd.Series:
    rows = table[table["quantity"] == quantity]
    return pd.Series(rows["estimate"].to_numpy(), index=rows["scale"].to_numpy(), name=quantity)


def _by_pair(table: pd.DataFrame) -> pd.Series:
    rows = table[table["quantity"] == "htmt"]
    pairs = pd.MultiIndex.from_arrays([rows["scale"], rows["term"]], names=["scale", "term"])
    return pd.Series(rows["estimate"].to_numpy(), index=pairs, name="htmt")
