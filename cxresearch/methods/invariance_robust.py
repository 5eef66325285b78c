"""What maximum likelihood in several groups says when answers are not normal: scaled chi-square (MLR)."""

from dataclasses import dataclass

import numpy as np

from cxresearch.methods.cfa_robust import sum_within, unrestricted_trace
from cxresearch.methods.invariance_fit import Eliminated, GroupedFit, GroupedMoments
from cxresearch.methods.invariance_model import GroupedParameters


@dataclass(frozen=True, slots=True)
class GroupedRows:
    """Answers behind the moments of several groups.

    Attributes
    ----------
    values : (n, p) in the units of the moments
    group : (n,) number of the group of each row
    weights : (n,) of mean 1 in each group
    unit : (n,) number of the cluster of each row, which may reach over groups; None where rows were drawn one by one
    """

    values: np.ndarray
    group: np.ndarray
    weights: np.ndarray
    unit: np.ndarray | None

    def of(self, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Values, weights and clusters, numbered from 0, of the rows of a group."""
        mine = self.group == group
        unit = None if self.unit is None else np.unique(self.unit[mine], return_inverse=True)[1]
        return self.values[mine], self.weights[mine], unit

    def drawn(self, group: int) -> np.ndarray:
        """Which rows, or clusters, of all those in the sample a group has, in the order of their numbers."""
        return np.flatnonzero(self.group == group) if self.unit is None else np.unique(self.unit[self.group == group])

    @property
    def n_drawn(self) -> int:
        """Rows, or clusters, in all."""
        return len(self.values) if self.unit is None else int(self.unit.max()) + 1

    @property
    def fewest_drawn(self) -> int:
        """Rows, or clusters, of the group that has fewest."""
        return min(len(self.drawn(group)) for group in range(int(self.group.max()) + 1))


def scaling_factors(rows: GroupedRows, moments: GroupedMoments, fits: list[GroupedFit]) -> tuple[list[float], float]:
    """Yuan-Bentler corrections of chi-square as Mplus and lavaan compute them: of each fit, and of unrelated items.

    Returns
    -------
    [tr(A1^-1 B1) - tr(A0^-1 B0)] / df each, with A the information and B the mean product of (weighted) scores of the rows, or of
    the clusters (times G / (G - 1), G those of a group); 1 of the unrestricted means and covariances and 0 of the model, with its
    observed information. A saturated model has 1.

    References
    ----------
    Yuan and Bentler (2000) Sociological Methodology 30:165-200, doi:10.1111/0081-1750.00078.
    """
    full, unrelated = _unrestricted_traces(rows, moments)
    factors = []
    for fit in fits:
        df = fit.parameters.grouped.df
        factors.append((full - _model_trace(rows, moments, fit.parameters)) / df if df else 1.0)
    p = moments.cov.shape[-1]
    return factors, (full - unrelated) / (len(moments.n) * p * (p - 1) / 2)


def _unrestricted_traces(rows: GroupedRows, moments: GroupedMoments) -> tuple[float, float]:
    """tr(A^-1 B) without restrictions, and of unrelated items."""
    full = unrelated = 0.0
    for group, (n, mean, cov) in enumerate(zip(moments.n, moments.mean, moments.cov, strict=True)):
        values, weights, unit = rows.of(group)
        deviations = np.sqrt(np.diag(cov))
        single, corr = (values - mean) / deviations, cov / np.outer(deviations, deviations)
        sums = sum_within(single * weights[:, None], unit)
        full += (
            unrestricted_trace(single, weights, corr, unit) + float(np.trace(np.linalg.solve(corr, sums.T @ sums))) / n
        )
        squares = sum_within((single**2 - 1) * weights[:, None], unit)
        unrelated += float((sums**2).sum() + (squares**2).sum() / 2) / n
    return full, unrelated


def _model_trace(rows: GroupedRows, moments: GroupedMoments, parameters: GroupedParameters) -> float:
    """tr(A0^-1 B0): own parameters group by group, what is left of the common ones by row or cluster over all groups."""
    grouped, inverse = parameters.grouped, np.linalg.inv(parameters.implied())
    own, shared = grouped.own, grouped.shared
    observed = parameters.observed_information(moments.cov, moments.mean, inverse) * moments.share[:, None, None]
    solved = Eliminated.of(observed, grouped)
    common, trace = np.zeros((rows.n_drawn, len(shared))), 0.0
    for group in range(grouped.n_groups):
        values, weights, unit = rows.of(group)
        sums = sum_within(_scores(values, parameters, inverse, group) * weights[:, None], unit)
        mine = sums[:, own]
        trace += float(((mine @ solved.own[group]) * mine).sum())
        common[rows.drawn(group)] += sums[:, shared] - mine @ solved.carried[group]
    if len(shared):
        trace += float((common * np.linalg.solve(solved.core, common.T).T).sum())
    return trace / float(moments.n.sum())


def _scores(values: np.ndarray, parameters: GroupedParameters, inverse: np.ndarray, group: int) -> np.ndarray:
    """(n_g, k) scores of the rows of a group."""
    grouped = parameters.grouped
    x, y, factor = grouped.columns
    basis, mine = parameters.basis()[group], inverse[group]
    off = values - parameters.mean[group]
    seen = off @ mine @ basis
    scores = off @ mine @ parameters.mean_slopes()[group]
    scores[:, grouped.moving] += (seen[:, x] * seen[:, y] - (basis.T @ mine @ basis)[x, y]) * factor
    return scores
