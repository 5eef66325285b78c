"""The confirmatory factor model: covariances that it implies, and how they move with its parameters.

Each item loads on one factor; factor variances are 1; residuals are uncorrelated. The parameters are, in this order, p
loadings, p residual variances and m(m - 1)/2 factor correlations. Each of them moves the implied matrix by x y' + y x', where x
and y are columns of one basis, [identity, loadings, loadings phi]. Gradient, information, scores of respondents and modification
indices all follow from the products of that basis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class FactorModel:
    """Which item belongs to which factor.

    Attributes
    ----------
    items : the p items, those of one factor side by side
    factors : the m factors
    owner : (p,) number of the factor of each item
    """

    items: tuple[str, ...]
    factors: tuple[str, ...]
    owner: np.ndarray

    @classmethod
    def of(cls, scales: Mapping[str, Sequence[str]]) -> "FactorModel":
        """The model of some constructs and their items.

        >>> FactorModel.of({"speed": ["q1", "q2"], "staff": ["q3", "q4"]}).owner
        array([0, 0, 1, 1])
        """
        owner = np.repeat(np.arange(len(scales)), [len(items) for items in scales.values()])
        return cls(tuple(item for items in scales.values() for item in items), tuple(scales), owner)

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the first and the second factor of each correlation, (m(m - 1)/2,) each."""
        return _pairs(len(self.factors))

    @property
    def n_parameters(self) -> int:
        """Free parameters of the covariances."""
        return 2 * len(self.items) + len(self.pairs[0])

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        p = len(self.items)
        return p * (p + 1) // 2 - self.n_parameters

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Columns x and y of the basis for each parameter, (k,) each, and the factor of x y' (k,): 1/2 on the diagonal."""
        return _columns(tuple(self.owner.tolist()), len(self.factors))


@lru_cache(maxsize=256)
def _pairs(m: int) -> tuple[np.ndarray, np.ndarray]:
    """Places above the diagonal of (m, m); read only, as they are shared."""
    return _locked(*np.triu_indices(m, 1))


@lru_cache(maxsize=256)
def _columns(owner: tuple[int, ...], m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns x and y of the basis and factors, of items with these owners; read only, as they are shared."""
    p = len(owner)
    item, (first, second) = np.arange(p), _pairs(m)
    x = np.concatenate([item, item, p + first])
    y = np.concatenate([p + m + np.array(owner, int), item, p + second])
    return _locked(x, y, np.concatenate([np.ones(p), np.full(p, 0.5), np.ones(len(first))]))


def _locked(*arrays: np.ndarray) -> Any:
    for array in arrays:
        array.flags.writeable = False
    return arrays


@dataclass(frozen=True, slots=True)
class Parameters:
    """Values of the parameters, with any leading axes.

    Attributes
    ----------
    model : the model they belong to
    values : (..., k)
    """

    model: FactorModel
    values: np.ndarray

    @property
    def loadings(self) -> np.ndarray:
        """(..., p) loading of each item on its factor."""
        return self.values[..., : len(self.model.items)]

    @property
    def uniquenesses(self) -> np.ndarray:
        """(..., p) residual variances."""
        return self.values[..., len(self.model.items) : 2 * len(self.model.items)]

    @property
    def correlations(self) -> np.ndarray:
        """(..., m(m - 1)/2) factor correlations, in the order of `model.pairs`."""
        return self.values[..., 2 * len(self.model.items) :]

    @property
    def phi(self) -> np.ndarray:
        """(..., m, m) factor correlations as matrices."""
        m = len(self.model.factors)
        first, second = self.model.pairs
        phi = np.zeros((*self.values.shape[:-1], m, m))
        phi[..., np.arange(m), np.arange(m)] = 1.0
        phi[..., first, second] = phi[..., second, first] = self.correlations
        return phi

    @property
    def pattern(self) -> np.ndarray:
        """(..., p, m) loadings as matrices."""
        p, m = len(self.model.items), len(self.model.factors)
        pattern = np.zeros((*self.values.shape[:-1], p, m))
        pattern[..., np.arange(p), self.model.owner] = self.loadings
        return pattern

    @property
    def variances(self) -> np.ndarray:
        """(..., p) implied variances of the items."""
        return self.loadings**2 + self.uniquenesses

    @property
    def standardized(self) -> np.ndarray:
        """(..., p) loadings in units of the implied deviations; nan where an implied variance is not positive."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.loadings / np.sqrt(self.variances)

    def implied(self) -> np.ndarray:
        """(..., p, p) covariances that the model implies."""
        owner, p = self.model.owner, len(self.model.items)
        common = self.phi[..., owner[:, None], owner] * self.loadings[..., :, None] * self.loadings[..., None, :]
        common[..., np.arange(p), np.arange(p)] = self.variances
        return common

    def basis(self) -> np.ndarray:
        """(..., p, p + 2m) identity, loadings, and loadings times phi."""
        p, pattern = len(self.model.items), self.pattern
        identity = np.broadcast_to(np.eye(p), (*pattern.shape[:-2], p, p))
        return np.concatenate([identity, pattern, pattern @ self.phi], axis=-1)


Columns = tuple[np.ndarray, np.ndarray, np.ndarray]  # x, y, factor of each of k directions, as of FactorModel.columns


def slopes(basis: np.ndarray, pull: np.ndarray, columns: Columns) -> np.ndarray:
    """x' pull y of each direction, (..., k): with pull = inverse (implied - cov) inverse, the gradient of half the loss."""
    x, y, factor = columns
    products = basis.swapaxes(-1, -2) @ pull @ basis
    return products[..., x, y] * factor


def information(basis: np.ndarray, inverse: np.ndarray, columns: Columns, others: Columns | None = None) -> np.ndarray:
    """Expected information of one respondent (..., k, k'), tr(inverse D_a inverse D_b) / 2 for D = x y' + y x'.

    Parameters
    ----------
    basis : (..., p, b)
    inverse : (..., p, p) of the implied matrix
    columns, others : the directions of rows and of columns; the same where `others` is left out
    """
    x, y, factor = columns
    u, v, weight = columns if others is None else others
    products = basis.swapaxes(-1, -2) @ inverse @ basis
    flat, size = products.reshape(*products.shape[:-2], -1), products.shape[-1]

    def at(rows: np.ndarray, others: np.ndarray) -> np.ndarray:  # take on flat entries is the quickest way to gather
        return flat.take(rows[:, None] * size + others, axis=-1)

    both = at(x, u)
    both *= at(y, v)
    crossed = at(x, v)
    crossed *= at(y, u)
    both += crossed
    both *= np.outer(factor, weight)
    return both


def curvature(basis: np.ndarray, inverse: np.ndarray, seen: np.ndarray, columns: Columns) -> np.ndarray:
    """Second derivatives of half the loss (..., k, k) as if the implied matrix were straight in the parameters.

    Parameters
    ----------
    basis : (..., p, b)
    inverse : (..., p, p) of the implied matrix
    seen : (..., p, p) the matrix that it was fitted to
    columns : the directions
    """
    x, y, factor = columns
    turned, size = basis.swapaxes(-1, -2), basis.shape[-1]
    plain = turned @ inverse @ basis
    excess = turned @ inverse @ seen @ inverse @ basis - plain / 2  # halves make the information, which is taken off
    flat = [each.reshape(*basis.shape[:-2], size * size) for each in (plain, excess)]

    def product(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
        found = flat[0].take(a[:, None] * size + b, axis=-1)
        found *= flat[1].take(c[:, None] * size + d, axis=-1)
        return found

    total = product(x, x, y, y)
    total += product(y, y, x, x)
    total += product(x, y, y, x)
    total += product(y, x, x, y)
    total *= np.outer(factor, factor)
    return total


def observed_information(parameters: Parameters, corr: np.ndarray) -> np.ndarray:
    """Observed information of one respondent (..., k, k): second derivatives of half the loss at `parameters`.

    References
    ----------
    Yuan and Bentler (2000) Sociological Methodology 30:165-200, doi:10.1111/0081-1750.00078.
    """
    model, p = parameters.model, len(parameters.model.items)
    inverse, basis = np.linalg.inv(parameters.implied()), parameters.basis()
    hessian = curvature(basis, inverse, corr, model.columns)
    pull = inverse - inverse @ corr @ inverse
    hessian[..., :p, :p] += parameters.phi[..., model.owner[:, None], model.owner] * pull
    pulled = pull @ parameters.pattern
    first, second = model.pairs
    item, place = np.arange(p)[:, None], 2 * p + np.arange(len(first))
    for one, other in ((first, second), (second, first)):  # a loading on one factor, and its correlation with the other
        bend = (model.owner[:, None] == one) * pulled[..., item, other]
        hessian[..., item, place] += bend
        hessian[..., place[:, None], item.T] += bend.swapaxes(-1, -2)
    return hessian


def is_positive_definite(stack: np.ndarray) -> np.ndarray:
    """Which matrices (..., p, p) are, (...,), beyond rounding; none with gaps is."""
    finite = np.asarray(np.isfinite(stack).all(axis=(-2, -1)))
    try:
        np.linalg.cholesky(stack[finite])
    except np.linalg.LinAlgError:  # some is not: find out which
        roots = np.linalg.eigvalsh(stack[finite])
        finite[finite] = roots[..., 0] > stack.shape[-1] * np.finfo(float).eps * roots[..., -1]
    return finite
