"""How far the means and covariances of incomplete rows may be off, however the answers are distributed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.incomplete import IncompleteRows
from cxresearch.core.moments import Moments
from cxresearch.core.rows import sum_by_unit

Pairs = tuple[np.ndarray, np.ndarray]  # first and second item of each of q covariances, variances among them


def covariance_errors(
    frame: pd.DataFrame, moments: Moments, pairs: Pairs, *, design: Design | None = None
) -> np.ndarray:
    """n times the asymptotic covariances (q, q) of the covariances of incomplete rows, in units of the items' deviations.

    A sandwich: the observed information of unrestricted means and covariances outside, mean products of scores inside (of sums of
    scores in clusters, times G / (G - 1)).

    Parameters
    ----------
    frame : (n, p) numeric, nan where not answered
    moments : what `em_moments` says of it with the same design
    pairs : all variances and covariances, in any order

    References
    ----------
    Savalei and Bentler (2009) Structural Equation Modeling 16:477-497, doi:10.1080/10705510903008238. Savalei and Falk (2014)
    Structural Equation Modeling 21:280-302, doi:10.1080/10705511.2014.882692.
    """
    design, rows = design or Design(), IncompleteRows.of(frame)
    each, information = _weighted_scores(rows, moments, pairs, design)
    if design.clusters is not None:
        unit = design.clusters_on(rows.index)[rows.order]
        sums = sum_by_unit(each, unit, int(unit.max()) + 1)
        each = sums * np.sqrt(len(sums) / (len(sums) - 1))
    bread = np.linalg.inv(information)
    p, whole = len(rows.names), bread @ (each.T @ each / rows.n) @ bread
    sd = rows.standardized(moments.mean, moments.cov)[1].diagonal() ** 0.5
    units = sd[pairs[0]] * sd[pairs[1]]
    return whole[p:, p:] / np.outer(units, units)


def mean_influences(frame: pd.DataFrame, moments: Moments, *, design: Design | None = None) -> np.ndarray:
    """By how much each row moves the means of incomplete rows, times n: (n, p), in the units of the items.

    Summed within sampling units, their squares sum to n^2 times the variances of the means. Of complete rows without weights these are the
    deviations from the means. Arguments as of `covariance_errors`; the rows are those with an answer, in their order.
    """
    pairs, p = np.triu_indices(len(moments.names)), len(moments.names)
    design, rows = design or Design(), IncompleteRows.of(frame)
    each, information = _weighted_scores(rows, moments, pairs, design)
    moved = np.linalg.solve(information, np.eye(len(information))[:, :p])
    return _as_they_came(rows, (each @ moved) * rows.scale)


def moment_influences(
    frame: pd.DataFrame, moments: Moments, pairs: Pairs, *, design: Design | None = None
) -> np.ndarray:
    """The same of means and covariances, (n, p + q)."""
    design, rows = design or Design(), IncompleteRows.of(frame)
    each, information = _weighted_scores(rows, moments, pairs, design)
    units = np.concatenate([rows.scale, rows.scale[pairs[0]] * rows.scale[pairs[1]]])
    return _as_they_came(rows, np.linalg.solve(information, each.T).T * units)


def _as_they_came(rows: IncompleteRows, sorted_: np.ndarray) -> np.ndarray:
    """What is known of each row, in the order of `rows.index`."""
    found = np.empty_like(sorted_)
    found[rows.order] = sorted_
    return found


def _weighted_scores(
    rows: IncompleteRows, moments: Moments, pairs: Pairs, design: Design
) -> tuple[np.ndarray, np.ndarray]:
    """(n, p + q) weighted scores of the standardised rows, and their mean observed information (p + q, p + q)."""
    scores = _Scores.of(rows, *rows.standardized(moments.mean, moments.cov))
    weights = design.weights_on(rows.index)[rows.order]
    return scores.of_rows(pairs) * weights[:, None], scores.information(pairs, weights) / rows.n


@dataclass(frozen=True, slots=True)
class _Scores:
    """First derivatives of the log-likelihood of rows by means and covariances, and what the second ones need.

    Attributes
    ----------
    pattern : (n,) the pattern of known answers of each row
    inverses : (k, p, p) inverse covariance of the known items of each pattern, 0 beyond them
    pulls : (n, p) inverse times the known answers less their means: the scores of the means
    """

    pattern: np.ndarray
    inverses: np.ndarray
    pulls: np.ndarray

    @classmethod
    def of(cls, rows: IncompleteRows, mean: np.ndarray, cov: np.ndarray) -> "_Scores":
        known, pattern = np.unique(rows.known, axis=0, return_inverse=True)
        both = known[:, :, None] & known[:, None, :]
        inverses = np.where(both, np.linalg.inv(np.where(both, cov, np.eye(len(cov)))), 0.0)
        left = np.where(rows.known, rows.answers - mean, 0.0)
        pulls = np.empty_like(left)
        order = np.argsort(pattern.ravel(), kind="stable")
        for place in np.split(order, np.searchsorted(pattern.ravel()[order], np.arange(1, len(known)))):
            pulls[place] = left[place] @ inverses[pattern.ravel()[place[0]]]
        return cls(pattern.ravel(), inverses, pulls)

    def of_rows(self, pairs: Pairs) -> np.ndarray:
        """(n, p + q) scores of the means and of the covariances."""
        first, second = pairs
        expected = self.inverses[:, first, second][self.pattern]
        scores = (self.pulls[:, first] * self.pulls[:, second] - expected) * _halved(pairs)
        return np.column_stack([self.pulls, scores])

    def information(self, pairs: Pairs, weights: np.ndarray) -> np.ndarray:
        """(p + q, p + q) minus the second derivatives, summed over the weighted rows."""
        k, p = self.inverses.shape[:2]
        size = np.bincount(self.pattern, weights, k)
        sums = np.zeros((k, p))
        np.add.at(sums, self.pattern, self.pulls * weights[:, None])
        products = np.zeros((k, p, p))
        order = np.argsort(self.pattern, kind="stable")
        for place in np.split(order, np.searchsorted(self.pattern[order], np.arange(1, k))):
            products[self.pattern[place[0]]] = (self.pulls[place] * weights[place, None]).T @ self.pulls[place]
        flat = self.inverses.reshape(k, -1)
        plain = (flat.T @ (flat * size[:, None])).reshape(p, p, p, p)
        seen = (flat.T @ products.reshape(k, -1)).reshape(p, p, p, p)
        mixed = np.einsum("kab,kc->abc", self.inverses, sums, optimize=True)
        (i, j), f = pairs, _halved(pairs)
        r, s, u, v = i[:, None], j[:, None], i[None, :], j[None, :]
        of_cov = seen[s, u, r, v] + seen[r, u, s, v] + seen[s, v, r, u] + seen[r, v, s, u]
        of_cov = (of_cov - plain[r, v, s, u] - plain[r, u, s, v]) * np.outer(f, f)
        of_both = (mixed[:, i, j] + mixed[:, j, i]) * f
        of_mean = np.einsum("kab,k->ab", self.inverses, size)
        return np.block([[of_mean, of_both], [of_both.T, of_cov]])


def _halved(pairs: Pairs) -> np.ndarray:
    """(q,) one half for variances, one for covariances, which stand twice in the matrix."""
    return np.where(pairs[0] == pairs[1], 0.5, 1.0)
