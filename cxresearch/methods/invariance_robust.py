"""What maximum likelihood in several groups says when answers are not normal, or some are missing: scaled chi-square (MLR)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxresearch.methods.cfa_model import Columns, information
from cxresearch.methods.cfa_robust import sum_within, unrestricted_trace
from cxresearch.methods.invariance_fit import Eliminated, GroupedFit, GroupedMoments
from cxresearch.methods.invariance_model import GroupedModel, GroupedParameters


@dataclass(frozen=True, slots=True)
class GroupedRows:
    """Answers behind the moments of several groups.

    Attributes
    ----------
    values : (n, p) in the units of the moments, nan where not answered
    group : (n,) number of the group of each row
    weights : (n,) of mean 1 in each group
    unit : (n,) number of the cluster of each row, which may reach over groups; None where rows were drawn one by one
    influences : (n, p + q) by how much each row moves the maximum-likelihood means and covariances (upper triangle) of its group,
        times the respondents of the group; None where every row is complete
    """

    values: np.ndarray
    group: np.ndarray
    weights: np.ndarray
    unit: np.ndarray | None
    influences: np.ndarray | None = None

    def of(self, group: int) -> tuple[np.ndarray, np.ndarray]:
        """Values and weights of the rows of a group."""
        mine = self.group == group
        return self.values[mine], self.weights[mine]

    def unit_of(self, group: int) -> np.ndarray | None:
        """Clusters of the rows of a group, numbered from 0."""
        return None if self.unit is None else np.unique(self.unit[self.group == group], return_inverse=True)[1]

    def moved(self, group: int) -> np.ndarray:
        """By how much the rows, or the clusters, of a group move its means and covariances; nothing by complete ones."""
        mine = self.group == group
        influences = np.zeros((mine.sum(), 0)) if self.influences is None else self.influences[mine]
        return sum_within(influences, self.unit_of(group))

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
    """Corrections of chi-square for answers that are not normal, as Mplus and lavaan compute them: of each fit, and of unrelated items.

    Returns
    -------
    [tr(A1^-1 B1) - tr(A0^-1 B0)] / df each, with A the information and B the mean product of (weighted) scores of the rows, or of
    the clusters (times G / (G - 1), G those of a group); 1 of the unrestricted means and covariances and 0 of the model. Of complete
    rows A0 is the observed information (Yuan and Bentler 2000). Where some are incomplete, scores are those of the second of two
    stages: the information of complete normal rows at the maximum-likelihood moments, times the influence of the rows on these
    (Savalei and Falk 2014). A saturated model has 1.

    References
    ----------
    Yuan and Bentler (2000) Sociological Methodology 30:165-200, doi:10.1111/0081-1750.00078. Savalei and Falk (2014) Structural
    Equation Modeling 21:280-302, doi:10.1080/10705511.2014.882692.
    """
    full, unrelated = (_unrestricted_traces if rows.influences is None else _moved_traces)(rows, moments)
    factors = []
    for fit in fits:
        df = fit.parameters.grouped.df
        factors.append((full - _model_trace(rows, moments, fit.parameters)) / df if df else 1.0)
    p = moments.cov.shape[-1]
    return factors, (full - unrelated) / (len(moments.n) * p * (p - 1) / 2)


def _unrestricted_traces(rows: GroupedRows, moments: GroupedMoments) -> tuple[float, float]:
    """tr(A^-1 B) without restrictions, and of unrelated items, by complete rows."""
    full = unrelated = 0.0
    for group, (n, mean, cov) in enumerate(zip(moments.n, moments.mean, moments.cov, strict=True)):
        (values, weights), unit = rows.of(group), rows.unit_of(group)
        deviations = np.sqrt(np.diag(cov))
        single, corr = (values - mean) / deviations, cov / np.outer(deviations, deviations)
        sums = sum_within(single * weights[:, None], unit)
        full += (
            unrestricted_trace(single, weights, corr, unit) + float(np.trace(np.linalg.solve(corr, sums.T @ sums))) / n
        )
        squares = sum_within((single**2 - 1) * weights[:, None], unit)
        unrelated += float((sums**2).sum() + (squares**2).sum() / 2) / n
    return full, unrelated


def _moved_traces(rows: GroupedRows, moments: GroupedMoments) -> tuple[float, float]:
    """The same by incomplete rows: by what they move the moments of their group, in units of the information of complete ones."""
    p = moments.cov.shape[-1]
    identity, item, pairs = np.eye(p), np.arange(p), _pairs(p)
    variances: Columns = item, item, np.full(p, 0.5)
    full = unrelated = 0.0
    for group, (n, cov) in enumerate(zip(moments.n, moments.cov, strict=True)):
        inverse = np.linalg.inv(cov)
        means, covariances = np.split(rows.moved(group), [p], axis=1)
        on_means = float(((means @ inverse) * means).sum())
        on_all = float(((covariances @ information(identity, inverse, pairs)) * covariances).sum())
        scores = covariances @ information(identity, inverse, pairs, variances)
        own = np.linalg.solve(information(identity, inverse, variances), scores.T).T
        full += (on_means + on_all) / n
        unrelated += (on_means + float((own * scores).sum())) / n
    return full, unrelated


def _pairs(p: int) -> Columns:
    """Directions of all variances and covariances of p items, as of `GroupedModel.columns`."""
    first, second = np.triu_indices(p)
    return first, second, np.where(first == second, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class ModelScores:
    """Scores of all parameters of a model in several groups, and the information that they are judged by.

    Attributes
    ----------
    rows : behind them
    grouped : the model
    matrix : (G, k, k) information of each group, times its share of the respondents
    of_group : number of a group -> (u, k) scores of its rows, or clusters
    """

    rows: GroupedRows
    grouped: GroupedModel
    matrix: np.ndarray
    of_group: Callable[[int], np.ndarray]

    @classmethod
    def of(cls, rows: GroupedRows, moments: GroupedMoments, parameters: GroupedParameters) -> "ModelScores":
        """By the observed information of complete rows, or by the second of two stages of incomplete ones."""
        share = moments.share[:, None, None]
        if rows.influences is not None:
            inverse = np.linalg.inv(moments.cov)
            turned = _turned(parameters, inverse)
            matrix = parameters.information(inverse) * share
            return cls(rows, parameters.grouped, matrix, lambda group: rows.moved(group) @ turned[group])
        inverse = np.linalg.inv(parameters.implied())
        matrix = parameters.observed_information(moments.cov, moments.mean, inverse) * share
        return cls(rows, parameters.grouped, matrix, lambda group: _scores(rows, parameters, inverse, group))


def _model_trace(rows: GroupedRows, moments: GroupedMoments, parameters: GroupedParameters) -> float:
    """tr(A0^-1 B0): own parameters group by group, what is left of the common ones by row or cluster over all groups."""
    scores, grouped = ModelScores.of(rows, moments, parameters), parameters.grouped
    own, shared = grouped.own, grouped.shared
    solved = Eliminated.of(scores.matrix, grouped)
    common, trace = np.zeros((rows.n_drawn, len(shared))), 0.0
    for group in range(grouped.n_groups):
        sums = scores.of_group(group)
        mine = sums[:, own]
        trace += float(((mine @ solved.own[group]) * mine).sum())
        common[rows.drawn(group)] += sums[:, shared] - mine @ solved.carried[group]
    if len(shared):
        trace += float((common * np.linalg.solve(solved.core, common.T).T).sum())
    return trace / float(moments.n.sum())


def _scores(rows: GroupedRows, parameters: GroupedParameters, inverse: np.ndarray, group: int) -> np.ndarray:
    """(u, k) scores of the complete rows, or clusters, of a group."""
    grouped, (values, weights) = parameters.grouped, rows.of(group)
    x, y, factor = grouped.columns
    basis, mine = parameters.basis()[group], inverse[group]
    off = values - parameters.mean[group]
    seen = off @ mine @ basis
    scores = off @ mine @ parameters.mean_slopes()[group]
    scores[:, grouped.moving] += (seen[:, x] * seen[:, y] - (basis.T @ mine @ basis)[x, y]) * factor
    return sum_within(scores * weights[:, None], rows.unit_of(group))


def _turned(parameters: GroupedParameters, inverse: np.ndarray) -> np.ndarray:
    """(G, p + q, k) what turns influences on means and covariances into scores: information times derivatives of the model."""
    grouped, p = parameters.grouped, inverse.shape[-1]
    moves = inverse @ parameters.mean_slopes()
    pairs = _pairs(p)
    bends = np.zeros((len(inverse), len(pairs[0]), moves.shape[-1]))
    bends[:, :, grouped.moving] = information(parameters.basis(), inverse, pairs, grouped.columns)
    return np.concatenate([moves, bends], axis=1)
