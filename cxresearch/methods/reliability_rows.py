"""One scale of a reliability analysis: its moments, its bootstrap, and the rows of its coefficients."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.moments import Moments, correlation_of
from cxresearch.core.results import tidy, words
from cxresearch.methods.internal_consistency import (
    alpha_if_dropped,
    cronbach_alpha,
    item_rest_correlation,
    mean_inter_item_correlation,
    omega_total,
    split_half,
)
from cxresearch.methods.one_factor import OneFactor, fit_one_factor, is_singular
from cxresearch.methods.replicates import FAILED_SHARE, interval_of_known

ALL = "all"  # the scale of all items of the study


@dataclass(frozen=True, slots=True)
class JudgedScale:
    """One scale to be judged.

    Attributes
    ----------
    name : of the scale
    moments : of its complete rows
    replicates : their bootstrap; None where no intervals are asked for
    fit : one-factor solution; None with fewer than three items, or where their covariances are singular
    replicate_fits : those of the replicates; None where there is no solution or no bootstrap
    """

    name: str
    moments: Moments
    replicates: Moments | None
    fit: OneFactor | None
    replicate_fits: OneFactor | None

    @classmethod
    def of(cls, name: str, moments: Moments, replicates: Moments | None) -> "JudgedScale":
        """A scale with its one-factor solutions, where it has enough items and rows."""
        if len(moments.names) < 3 or len(moments.names) >= int(moments.n) or is_singular(moments.corr):
            return cls(name, moments, replicates, None, None)
        fit = fit_one_factor(moments.cov)
        again = fit_one_factor(replicates.cov, start=fit) if fit.converged and replicates is not None else None
        return cls(name, moments, replicates, fit, again)

    @property
    def is_singular(self) -> bool:
        """Whether three items or more have singular covariances: too few rows, or an item that is made of others."""
        return self.fit is None and len(self.moments.names) > 2

    @property
    def has_failed(self) -> bool:
        """Whether the one-factor model has no solution."""
        return self.fit is not None and not self.fit.converged

    @property
    def is_heywood(self) -> bool:
        """Whether the one-factor solution has a negative residual variance."""
        return self.fit is not None and bool(self.fit.heywood)

    @property
    def is_unstable(self) -> bool:
        """Whether many replicates have no admissible one-factor solution."""
        fits = self.replicate_fits
        return fits is not None and bool((~fits.converged | fits.heywood).mean() > FAILED_SHARE)

    def tables(self, *, with_items: bool) -> list[pd.DataFrame]:
        """The rows of the scale as a whole, and if wanted those of its items."""
        rows = [self._rows("alpha", cronbach_alpha), self._rows("alpha_standardized", _standardized_alpha)]
        if self.fit is not None and self.fit.converged:
            rows.append(self._omega_rows(self.fit))
        rows.append(self._rows("split_half", split_half, "odd-even; spearman-brown"))
        rows.append(self._rows("mean_inter_item_correlation", mean_inter_item_correlation))
        if with_items:
            rows.append(self._rows("item_rest_correlation", item_rest_correlation))
            if len(self.moments.names) > 2:
                rows.append(self._rows("alpha_if_dropped", alpha_if_dropped))
        return rows

    def _rows(self, quantity: str, coefficient: Callable[[np.ndarray], np.ndarray], method: str = "") -> pd.DataFrame:
        with np.errstate(divide="ignore", invalid="ignore"):  # a replicate may hold a constant item: nan, and counted
            stack = None if self.replicates is None else coefficient(self.replicates.cov)
            return self._tidy(quantity, coefficient(self.moments.cov), stack, method)

    def _omega_rows(self, fit: OneFactor) -> pd.DataFrame:
        stack = None
        if self.replicates is not None and self.replicate_fits is not None:
            stack = omega_total(self.replicates.cov, self.replicate_fits)
        kind = words("one-factor ml", "heywood case" if fit.heywood else "")
        return self._tidy("omega_total", omega_total(self.moments.cov, fit), stack, kind)

    def _tidy(self, quantity: str, estimate: np.ndarray, stack: np.ndarray | None, method: str) -> pd.DataFrame:
        low, high = (
            (np.nan, np.nan) if stack is None or self.replicates is None else interval_of_known(stack, self.replicates)
        )
        return tidy(
            quantity,
            estimate,
            scale=self.name,
            term=self.moments.names if np.ndim(estimate) else "",
            conf_low=low,
            conf_high=high,
            n=float(self.moments.n),
            method=words(method, "" if stack is None else "percentile bootstrap", self.moments.design_words),
        )


def _standardized_alpha(cov: np.ndarray) -> np.ndarray:
    return cronbach_alpha(correlation_of(cov))
