"""Rows of a test of measurement invariance: fit of each level, changes from level to level, items that differ most."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from cxresearch.core.results import gather, tidy, words
from cxresearch.methods.cfa_fit import SINGULAR
from cxresearch.methods.cfa_indices import FitIndices, indices_of
from cxresearch.methods.invariance_fit import GroupedFit, GroupedMoments, fit_apart, fit_groups
from cxresearch.methods.invariance_model import LEVELS
from cxresearch.methods.invariance_robust import scaling_factors
from cxresearch.methods.invariance_sample import GroupedSample
from cxresearch.methods.invariance_scores import KINDS, equality_tests

Cell = dict[str, Any]  # one number of the table

SHOWN = 5  # loadings, and intercepts, that are kept in the table


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of invariance that have a solution, in order.

    Attributes
    ----------
    sample : the groups
    fits : of each level
    plain : indices of each by ML
    scaled : by MLR; empty where these answers have no such value
    tests : of the metric and of the scalar level, whose loadings and intercepts differ (`equality_tests`)
    """

    sample: GroupedSample
    fits: list[GroupedFit]
    plain: list[FitIndices]
    scaled: list[FitIndices]
    tests: list[pd.DataFrame]

    @classmethod
    def of(cls, sample: GroupedSample) -> "Levels":
        """Fit one level after the other, as long as there is a solution."""
        fits = [fit_apart(sample.model, sample.moments)]
        for level in LEVELS[1:]:
            found = fit_groups(sample.model, sample.moments, level, fits[-1])
            if not found.converged:
                break
            fits.append(found)
        plain = [_indices(fit, sample.moments, (1.0, 1.0)) for fit in fits]
        scaled = _scaled(sample, fits) if sample.rows.fewest_drawn > 1 else []
        return cls(sample, fits, plain, scaled, [equality_tests(fit, sample.moments) for fit in fits[1:]])

    @property
    def judged(self) -> list[FitIndices]:
        """What the levels are judged by: MLR where there is one, else ML."""
        return self.scaled or self.plain

    def judge(self, fit: GroupedFit) -> FitIndices:
        """Indices of another fit, by what the levels are judged by."""
        scaled = _scaled(self.sample, [fit]) if self.scaled else []
        return scaled[0] if scaled else _indices(fit, self.sample.moments, (1.0, 1.0))

    def method(self, estimator: str) -> str:
        """The `method` of a row."""
        ignored = {"ml": "ignores clusters", "mlr": "clustered"}[estimator] if self.sample.clustered else ""
        return words(estimator, self.sample.design_words, ignored, f"by {self.sample.by}")


def _scaled(sample: GroupedSample, fits: list[GroupedFit]) -> list[FitIndices]:
    """Indices by MLR; none where a scaling factor is not positive."""
    factors, baseline = scaling_factors(sample.rows, sample.moments, fits)
    if not (baseline > 0 and min(factors) > 0):
        return []
    pairs = zip(fits, factors, strict=True)
    return [_indices(fit, sample.moments, (factor, baseline)) for fit, factor in pairs]


def _indices(fit: GroupedFit, moments: GroupedMoments, scalings: tuple[float, float]) -> FitIndices:
    """Indices of all groups together; the model of unrelated items leaves each group its own means and variances."""
    variances = np.diagonal(moments.cov, axis1=1, axis2=2)
    unrelated = np.log(variances).sum(axis=1) - np.linalg.slogdet(moments.cov)[1]
    p, n_groups = moments.cov.shape[-1], len(moments.n)
    return indices_of(
        (max(float(moments.n @ fit.loss), 0.0), fit.parameters.grouped.df),
        (float(moments.n @ unrelated), n_groups * p * (p - 1) // 2),
        int(moments.n.sum()),
        _srmr(fit, moments, variances),
        scalings,
        n_groups=n_groups,
    )


def _srmr(fit: GroupedFit, moments: GroupedMoments, variances: np.ndarray) -> float:
    """Mean over respondents of their group's root mean square residual, means included, in units of its deviations."""
    deviations = np.sqrt(variances)
    lower = np.tril_indices(moments.cov.shape[-1])
    residual = (moments.cov - fit.parameters.implied()) / (deviations[:, :, None] * deviations[:, None, :])
    off = (moments.mean - fit.parameters.mean) / deviations
    every = np.concatenate([residual[:, lower[0], lower[1]], off], axis=1)
    return float(moments.share @ np.sqrt((every**2).mean(axis=1)))


def table_of(every: list[Levels]) -> pd.DataFrame:
    """All rows of all grouping columns."""
    cells = [cell for levels in every for cell in [*_fit_cells(levels), *_item_cells(levels)]]
    if not cells:
        return tidy("", [])
    frame = pd.DataFrame(cells)
    columns = [str(name) for name in frame.columns if name != "quantity"]
    kinds = frame.groupby("quantity", sort=False)
    return gather([tidy(str(kind), **{name: list(part[name]) for name in columns}) for kind, part in kinds])


def _fit_cells(levels: Levels) -> Iterator[Cell]:
    """Fit of each level, and what changes from the level before, by ML and by MLR."""
    for estimator, indices in (("ml", levels.plain), ("mlr", levels.scaled)):
        shared = {"n": levels.sample.n, "method": levels.method(estimator), "term": "", "group": ""}
        for level, before, found in zip(LEVELS, [None, *indices], indices, strict=False):
            own = {"scale": level, **shared}
            yield _test_cell("invariance_chi2", (found.chi2, found.df, found.p_value)) | own
            test = difference_test(before, found) if before else None
            if test is not None:
                yield _test_cell("invariance_chi2_change", test) | own
            for name in ("cfi", "rmsea", "srmr"):
                value = getattr(found, name)
                yield {"quantity": f"invariance_{name}", "estimate": value, **own}
                if before:
                    change = value - getattr(before, name)
                    yield {"quantity": f"invariance_{name}_change", "estimate": change, **own}


def _test_cell(quantity: str, test: tuple[float, int, float]) -> Cell:
    chi2, df, p_value = test
    return {"quantity": quantity, "estimate": chi2, "statistic": chi2, "df": df, "p_value": p_value}


def difference_test(before: FitIndices, after: FitIndices) -> tuple[float, int, float] | None:
    """Chi-square of the difference of two nested models, its df and p; scaled where they are, None where that is negative.

    References
    ----------
    Satorra and Bentler (2001) Psychometrika 66:507-514, doi:10.1007/BF02296192.
    """
    df = after.df - before.df
    factor = (after.df * after.scaling - before.df * before.scaling) / df
    if factor <= SINGULAR:
        return None
    chi2 = max(after.chi2 * after.scaling - before.chi2 * before.scaling, 0.0) / factor
    return chi2, df, float(chdtrc(df, chi2))


def _item_cells(levels: Levels) -> Iterator[Cell]:
    """Loadings and intercepts that would differ most from the common value if their group had its own."""
    sample, model = levels.sample, levels.sample.model
    for level, tests in zip(LEVELS[1:], levels.tests, strict=False):
        for item, group, change, index in tests.head(SHOWN).itertuples(index=False):
            size = change * sample.deviations[item]
            test = _test_cell(
                f"invariance_{KINDS[level].removesuffix('s')}_change", (index, 1, float(chdtrc(1, index)))
            )
            yield test | {
                "estimate": size,
                "scale": model.factors[model.owner[item]],
                "term": model.items[item],
                "group": sample.codes[group],
                "std_error": abs(size) / np.sqrt(index),
                "n": sample.n,
                "method": levels.method("ml"),
            }
