"""The confirmatory factor model in several groups: what they share, what each has of its own.

A group's parameters are, in this order, p loadings, p intercepts, p residual variances, the m(m + 1)/2 variances and
covariances of the factors, and m factor means. The groups are a leading axis. A level of invariance says which of them are the
same in all groups; the first group lends the factors their unit and their zero.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cxresearch.methods.cfa_model import Columns, FactorModel, curvature, information, slopes

Level = Literal["configural", "metric", "scalar"]
LEVELS: tuple[Level, ...] = ("configural", "metric", "scalar")  # each asks for more than the one before it


@dataclass(frozen=True, slots=True)
class GroupedModel:
    """A factor model in several groups, at a level of invariance.

    Attributes
    ----------
    model : which item belongs to which factor, the same in all groups
    n_groups : G
    level : "configural" nothing is equal, "metric" the loadings are, "scalar" loadings and intercepts
    released : places of loadings or intercepts that are not equal all the same
    """

    model: FactorModel
    n_groups: int
    level: Level
    released: tuple[int, ...] = ()

    @property
    def factor_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of both factors of each variance or covariance, (m(m + 1)/2,) each."""
        return np.triu_indices(len(self.model.factors))

    @property
    def places(self) -> dict[str, np.ndarray]:
        """Where the parameters of a group stand in its (k,) values, by kind."""
        p, m = len(self.model.items), len(self.model.factors)
        sizes = {"loadings": p, "intercepts": p, "residuals": p, "factors": m * (m + 1) // 2, "means": m}
        ends = np.cumsum(list(sizes.values()))
        return {kind: np.arange(end - size, end) for (kind, size), end in zip(sizes.items(), ends, strict=True)}

    @property
    def shared(self) -> np.ndarray:
        """Which places hold the same value in all groups, (s,)."""
        return np.setdiff1d(np.arange(LEVELS.index(self.level) * len(self.model.items)), self.released).astype(int)

    @property
    def own(self) -> np.ndarray:
        """The other places, (k - s,)."""
        return np.setdiff1d(np.concatenate(list(self.places.values())), self.shared)

    @property
    def free(self) -> np.ndarray:
        """(G, k) what is estimated: not the units of the factors, nor means of factors that intercepts could take on."""
        places, (first, second) = self.places, self.factor_pairs
        free = np.ones((self.n_groups, places["means"][-1] + 1), bool)
        fixed_units = slice(None) if self.level == "configural" else slice(1)
        fixed_zeros = slice(1) if self.level == "scalar" else slice(None)
        free[fixed_units, places["factors"][first == second]] = False
        free[fixed_zeros, places["means"]] = False
        return free

    @property
    def n_parameters(self) -> int:
        """Free parameters, means included."""
        free = self.free
        return int(free[:, self.own].sum()) + len(self.shared)

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        p = len(self.model.items)
        return self.n_groups * (p * (p + 1) // 2 + p) - self.n_parameters

    @property
    def moving(self) -> np.ndarray:
        """Places of the parameters that move the covariances, in the order of `columns`."""
        places = self.places
        return np.concatenate([places["loadings"], places["residuals"], places["factors"]])

    @property
    def columns(self) -> Columns:
        """Directions in which they do, as of `FactorModel.columns`; 1/2 for factor variances as well."""
        p, m = len(self.model.items), len(self.model.factors)
        item, (first, second) = np.arange(p), self.factor_pairs
        x = np.concatenate([item, item, p + first])
        y = np.concatenate([p + m + self.model.owner, item, p + second])
        return x, y, np.concatenate([np.ones(p), np.full(p, 0.5), np.where(first == second, 0.5, 1.0)])


@dataclass(frozen=True, slots=True)
class GroupedParameters:
    """Values of the parameters of all groups.

    Attributes
    ----------
    grouped : the model that they belong to
    values : (G, k)
    """

    grouped: GroupedModel
    values: np.ndarray

    def of(self, kind: str) -> np.ndarray:
        """(G, ...) the parameters of one kind of `GroupedModel.places`."""
        return self.values[:, self.grouped.places[kind]]

    @property
    def phi(self) -> np.ndarray:
        """(G, m, m) covariances of the factors."""
        first, second = self.grouped.factor_pairs
        m = len(self.grouped.model.factors)
        phi = np.empty((len(self.values), m, m))
        phi[:, first, second] = phi[:, second, first] = self.of("factors")
        return phi

    @property
    def pattern(self) -> np.ndarray:
        """(G, p, m) loadings as matrices."""
        model = self.grouped.model
        pattern = np.zeros((len(self.values), len(model.items), len(model.factors)))
        pattern[:, np.arange(len(model.items)), model.owner] = self.of("loadings")
        return pattern

    @property
    def mean(self) -> np.ndarray:
        """(G, p) means of the items that the model implies."""
        return self.of("intercepts") + self.of("loadings") * self.of("means")[:, self.grouped.model.owner]

    def implied(self) -> np.ndarray:
        """(G, p, p) covariances that the model implies."""
        pattern, item = self.pattern, np.arange(len(self.grouped.model.items))
        implied = pattern @ self.phi @ pattern.swapaxes(-1, -2)
        implied[:, item, item] += self.of("residuals")
        return implied

    def basis(self) -> np.ndarray:
        """(G, p, p + 2m) identity, loadings, and loadings times covariances of the factors."""
        pattern = self.pattern
        identity = np.broadcast_to(np.eye(pattern.shape[1]), (len(pattern), *[pattern.shape[1]] * 2))
        return np.concatenate([identity, pattern, pattern @ self.phi], axis=-1)

    def mean_slopes(self) -> np.ndarray:
        """(G, p, k) how the implied means move with each parameter."""
        places, owner = self.grouped.places, self.grouped.model.owner
        item = np.arange(len(owner))
        moves = np.zeros((len(self.values), len(owner), self.values.shape[1]))
        moves[:, item, places["loadings"]] = self.of("means")[:, owner]
        moves[:, item, places["intercepts"]] = 1
        moves[:, :, places["means"]] = self.pattern
        return moves

    def gradient(self, cov: np.ndarray, mean: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """(G, k) gradient of half the loss of each group with moments `cov` and `mean`, `inverse` of the implied covariances."""
        off = mean - self.mean
        seen = cov + off[:, :, None] * off[:, None, :]
        slope = -np.einsum("gi,gij,gja->ga", off, inverse, self.mean_slopes())
        slope[:, self.grouped.moving] += slopes(self.basis(), inverse - inverse @ seen @ inverse, self.grouped.columns)
        return slope

    def information(self, inverse: np.ndarray) -> np.ndarray:
        """(G, k, k) expected information of one respondent of each group."""
        moves, moving = self.mean_slopes(), self.grouped.moving
        matrix = moves.swapaxes(-1, -2) @ inverse @ moves
        matrix[:, moving[:, None], moving] += information(self.basis(), inverse, self.grouped.columns)
        return matrix

    def observed_information(self, cov: np.ndarray, mean: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """(G, k, k) second derivatives of half the loss of each group; arguments as of `gradient`."""
        moving, (x, y, factor) = self.grouped.moving, self.grouped.columns
        off, basis, moves = mean - self.mean, self.basis(), self.mean_slopes()
        seen = cov + off[:, :, None] * off[:, None, :]
        hessian = moves.swapaxes(-1, -2) @ inverse @ moves
        hessian[:, moving[:, None], moving] += curvature(basis, inverse, seen, self.grouped.columns)
        toward = np.einsum("gib,gij,gj->gb", basis, inverse, off)
        across = basis.swapaxes(-1, -2) @ inverse @ moves
        mixed = (toward[:, x, None] * across[:, y] + toward[:, y, None] * across[:, x]) * factor[:, None]
        hessian[:, moving] += mixed
        hessian[:, :, moving] += mixed.swapaxes(-1, -2)
        bend = self._bend(inverse - inverse @ seen @ inverse, np.einsum("gij,gj->gi", inverse, off))
        return hessian + bend + bend.swapaxes(-1, -2)

    def _bend(self, pull: np.ndarray, push: np.ndarray) -> np.ndarray:
        """(G, k, k) half of what comes of products of parameters in the implied covariances (`pull`) and means (`push`)."""
        places, owner = self.grouped.places, self.grouped.model.owner
        loadings, (first, second) = places["loadings"], self.grouped.factor_pairs
        bend = np.zeros((*self.values.shape, self.values.shape[1]))
        bend[:, loadings[:, None], loadings] = self.phi[:, owner[:, None], owner] * pull / 2
        pulled = pull @ self.pattern
        other = np.where(owner[:, None] == first, second, first)  # (p, pairs)
        touched = (owner[:, None] == first) | (owner[:, None] == second)
        item = np.arange(len(owner))
        bend[:, loadings[:, None], places["factors"]] = touched * pulled[:, item[:, None], other]
        bend[:, loadings, places["means"][owner]] = -push
        return bend
