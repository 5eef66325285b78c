"""Confirmatory factor analysis by maximum likelihood, for one correlation matrix or a stack of them."""

from dataclasses import dataclass

import numpy as np

from cxresearch.methods.cfa_follow import follow
from cxresearch.methods.cfa_model import (
    FactorModel,
    Parameters,
    information,
    is_positive_definite,
    observed_information,
    slopes,
)

MAX_ITERATIONS = 200
FIRST_ITERATIONS = 20  # enough for most matrices; those that are left go on together, so that no block waits for one
HALVINGS = 12
TOLERANCE = 1e-7  # largest change of a standardised parameter at which the iteration ends
REPLICATE_TOLERANCE = (
    1e-8  # the same for replicates that start from a solution, whose steps do not end as those of Newton do
)
NEAR = 0.1  # steps shorter than this are taken by the observed information, which ends the iteration much sooner
SINGULAR = 1e-10  # smallest eigenvalue of the information, of the largest: below, the parameters are not identified
CHUNK = 128  # matrices fitted at a time: their information fits the processor's cache; does not change the numbers


@dataclass(frozen=True, slots=True)
class CfaFit:
    """Fitted models, with the leading axes of the matrices they were fitted to.

    Attributes
    ----------
    parameters : values in units of the items' sample deviations; nan where not converged
    loss : (...,) log|implied| - log|corr| + tr(corr implied^-1) - p at the minimum; times n it is chi-square
    converged : (...,) whether the iteration ended at a minimum
    """

    parameters: Parameters
    loss: np.ndarray
    converged: np.ndarray

    @property
    def heywood(self) -> np.ndarray:
        """(..., p) items with a negative residual variance."""
        return self.parameters.uniquenesses < 0

    @property
    def smallest_eigenvalue(self) -> np.ndarray:
        """(...,) of the factor correlations; below 0 they are not correlations of anything."""
        phi = np.nan_to_num(self.parameters.phi)
        return np.where(self.converged, np.linalg.eigvalsh(phi)[..., 0], np.nan)

    @property
    def admissible(self) -> np.ndarray:
        """(...,) whether it converged to residual variances and factor correlations that can be."""
        return self.converged & ~self.heywood.any(axis=-1) & (self.smallest_eigenvalue > 0)


def fit_cfa(corr: np.ndarray, model: FactorModel, *, start: CfaFit | None = None) -> CfaFit:
    """Fit a confirmatory factor model by Fisher scoring, on a whole stack at once.

    Parameters
    ----------
    corr : (..., p, p) correlations of the items of the model, in its order
    model : which item belongs to which factor
    start : a solution to start from, e.g. that of the sample for its bootstrap replicates

    Returns
    -------
    CfaFit; nan and `converged` False where no minimum was found, or a matrix is not positive definite

    Notes
    -----
    The model is scale invariant, so that fitting correlations gives the solution of the covariances, in units of the sample
    deviations. Residual variances are not bounded, nor are factor correlations: what is not admissible shows. Each factor points
    the way that the sum of its loadings is positive.

    References
    ----------
    Jöreskog (1969) Psychometrika 34:183-202, doi:10.1007/BF02289343. Lee and Jennrich (1979) Psychometrika 44:99-113,
    doi:10.1007/BF02293789 (Fisher scoring).

    Examples
    --------
    >>> model = FactorModel.of({"a": ["q1", "q2", "q3"], "b": ["q4", "q5"]})
    >>> truth = Parameters(model, np.array([0.8, 0.7, 0.6, 0.9, 0.5, 0.36, 0.51, 0.64, 0.19, 0.75, 0.4]))
    >>> fit_cfa(truth.implied(), model).parameters.values.round(6)
    array([0.8 , 0.7 , 0.6 , 0.9 , 0.5 , 0.36, 0.51, 0.64, 0.19, 0.75, 0.4 ])
    """
    p, lead = corr.shape[-1], corr.shape[:-2]
    stack = corr.reshape(-1, p, p)
    values = np.full((len(stack), model.n_parameters), np.nan)
    loss, converged = np.full(len(stack), np.nan), np.zeros(len(stack), bool)
    usable = np.flatnonzero(is_positive_definite(stack))
    if start is not None and len(usable):
        values[usable], settled = follow(stack[usable], start.parameters, REPLICATE_TOLERANCE)
        loss[usable[settled]] = _loss(stack[usable[settled]], Parameters(model, values[usable[settled]]))[0]
        converged = np.isfinite(loss)
        usable = usable[~converged[usable]]
    values[usable] = first_guess(stack[usable], model)
    for iterations in (FIRST_ITERATIONS, MAX_ITERATIONS - FIRST_ITERATIONS):
        for block in (usable[first : first + CHUNK] for first in range(0, len(usable), CHUNK)):
            reached = _score(stack[block], Parameters(model, values[block]), iterations)
            values[block], loss[block], converged[block] = reached
        usable = usable[~converged[usable]]
    loss[converged] -= np.linalg.slogdet(stack[converged])[1] + p
    values[~converged], loss[~converged] = np.nan, np.nan
    fitted = Parameters(model, pointing_up(values, model).reshape(*lead, -1))
    return CfaFit(fitted, loss.reshape(lead), converged.reshape(lead))


def first_guess(corr: np.ndarray, model: FactorModel) -> np.ndarray:
    """Loadings from the first principal component of each factor's items, factor correlations from its composites."""
    p, m = len(model.items), len(model.factors)
    weights = np.zeros((len(corr), p, m))
    for factor in range(m):
        own = np.flatnonzero(model.owner == factor)
        roots, vectors = np.linalg.eigh(corr[:, own[:, None], own])
        sign = np.where(vectors[..., -1].sum(axis=-1) < 0, -1.0, 1.0)
        weights[:, own, factor] = 0.9 * vectors[..., -1] * (np.sqrt(roots[:, -1]) * sign)[:, None]
    loadings = weights.sum(axis=-1)
    between = weights.swapaxes(-1, -2) @ corr @ weights
    deviations = np.sqrt(np.diagonal(between, axis1=-2, axis2=-1))
    first, second = model.pairs
    correlations = (between / (deviations[:, :, None] * deviations[:, None, :]))[:, first, second]
    return np.concatenate([loadings, np.clip(1 - loadings**2, 0.1, None), correlations], axis=-1)


def _score(corr: np.ndarray, parameters: Parameters, iterations: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fisher scoring with step halving, Newton steps near the minimum; values (b, k), loss (b,) and convergence (b,)."""
    model, values = parameters.model, parameters.values
    converged, near = np.zeros(len(corr), bool), np.zeros(len(corr), bool)
    loss, inverse = _loss(corr, parameters)
    active = np.flatnonzero(np.isfinite(loss))
    for _ in range(iterations):
        if not len(active):
            break
        step = _step(corr[active], Parameters(model, values[active]), inverse[active], near[active])
        length = np.zeros(len(active))
        trying = np.flatnonzero(np.isfinite(step).all(axis=-1))
        for halving in range(HALVINGS):
            if not len(trying):
                break
            rows = active[trying]
            tried = values[rows] + 0.5**halving * step[trying]
            new_loss, new_inverse = _loss(corr[rows], Parameters(model, tried))
            better = new_loss <= loss[rows] + 1e-12
            took = rows[better]
            values[took], loss[took], inverse[took] = tried[better], new_loss[better], new_inverse[better]
            length[trying[better]] = 0.5**halving
            trying = trying[~better]
        size = np.abs(step).max(axis=-1)
        converged[active[size < TOLERANCE]] = True
        stuck = length == 0  # a Newton step that leads nowhere is tried again by scoring
        going = (size >= TOLERANCE) & (~stuck | near[active])
        near[active] = (size < NEAR) & ~stuck
        active = active[going]
    return values, loss, converged


def _loss(corr: np.ndarray, parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """log|implied| + tr(corr implied^-1), (b,), and implied^-1 (b, p, p); infinite where it is not positive definite."""
    implied = parameters.implied()
    proper = is_positive_definite(implied)
    implied[~proper] = np.eye(implied.shape[-1])
    inverse = np.linalg.inv(implied)
    loss = np.linalg.slogdet(implied)[1] + (corr * inverse).sum(axis=(-2, -1))
    return np.where(proper, loss, np.inf), inverse


def _step(corr: np.ndarray, parameters: Parameters, inverse: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Minus information^-1 times the gradient, (b, k): expected information, observed where `near`; nan where it is singular."""
    columns, basis = parameters.model.columns, parameters.basis()
    downhill = -slopes(basis, inverse - inverse @ corr @ inverse, columns)
    matrix = np.empty((*downhill.shape, downhill.shape[-1]))
    if not near.all():
        matrix[~near] = information(basis[~near], inverse[~near], columns)
    if near.any():
        matrix[near] = observed_information(Parameters(parameters.model, parameters.values[near]), corr[near])
    try:
        return np.linalg.solve(matrix, downhill[..., None])[..., 0]
    except np.linalg.LinAlgError:  # exactly singular somewhere
        known = _regular(matrix)
        step = np.full(downhill.shape, np.nan)
        step[known] = np.linalg.solve(matrix[known], downhill[known][..., None])[..., 0]
        return step


def identifies(parameters: Parameters) -> bool:
    """Whether a sample that gave these values could tell each parameter from the others."""
    inverse = np.linalg.inv(parameters.implied())
    return bool(_regular(information(parameters.basis(), inverse, parameters.model.columns)))


def _regular(matrix: np.ndarray) -> np.ndarray:
    """Whether information matrices (..., k, k) can be inverted, (...,)."""
    roots = np.linalg.eigvalsh(matrix)
    return roots[..., 0] > SINGULAR * roots[..., -1]


def pointing_up(values: np.ndarray, model: FactorModel) -> np.ndarray:
    """The same solutions with factors turned so that their loadings have a positive sum."""
    p, m = len(model.items), len(model.factors)
    sums = values[:, :p] @ np.eye(m)[model.owner]
    sign = np.where(sums < 0, -1.0, 1.0)
    first, second = model.pairs
    turned = [
        values[:, :p] * sign[:, model.owner],
        values[:, p : 2 * p],
        values[:, 2 * p :] * sign[:, first] * sign[:, second],
    ]
    return np.concatenate(turned, axis=-1)
