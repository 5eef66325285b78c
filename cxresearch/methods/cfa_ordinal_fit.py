"""Confirmatory factor analysis of polychoric correlations by diagonally weighted least squares, for one matrix or a stack."""

import numpy as np

from cxresearch.methods.cfa_fit import CfaFit, first_guess, pointing_up
from cxresearch.methods.cfa_model import FactorModel, Parameters

MAX_ITERATIONS = 200
HALVINGS = 12
TOLERANCE = 1e-8  # largest change of a parameter at which the iteration ends
SINGULAR = 1e-10  # smallest eigenvalue of the normal equations, of the largest: below, parameters are not identified
CHUNK = 128  # matrices fitted at a time; does not change the numbers


def fit_dwls(corr: np.ndarray, weights: np.ndarray, model: FactorModel) -> CfaFit:
    """Fit the correlations that a factor model implies to polychoric ones, each pair with its own weight.

    Parameters
    ----------
    corr : (..., p, p) correlations of the items of the model, in its order; they need not be positive definite
    weights : (..., p(p - 1)/2) of the pairs, upper triangle row by row: one over the asymptotic variances
    model : which item belongs to which factor

    Returns
    -------
    CfaFit, its loss sum(weights (corr - implied)^2) at the minimum. Normal variables behind the answers have variance 1, so that residual
    variances are 1 - loadings^2. nan and `converged` False where no minimum was found, or parameters are not identified

    Notes
    -----
    Gauss-Newton with step halving. Neither loadings nor factor correlations are bounded: what is not admissible shows.

    References
    ----------
    Muthén, du Toit and Spisic (1997) Robust inference using weighted least squares and quadratic estimating equations in latent
    variable modeling with categorical and continuous outcomes. Unpublished. Flora and Curran (2004) Psychological Methods 9:466-491,
    doi:10.1037/1082-989X.9.4.466.

    Examples
    --------
    >>> model = FactorModel.of({"a": ["q1", "q2", "q3"], "b": ["q4", "q5"]})
    >>> loadings = np.array([0.8, 0.7, 0.6, 0.9, 0.5])
    >>> truth = Parameters(model, np.concatenate([loadings, 1 - loadings**2, [0.4]]))
    >>> fit_dwls(truth.implied(), np.ones(10), model).parameters.loadings.round(6)
    array([0.8, 0.7, 0.6, 0.9, 0.5])
    """
    p, lead = len(model.items), corr.shape[:-2]
    observed = corr.reshape(-1, p, p)[:, *np.triu_indices(p, 1)]
    heavy = np.broadcast_to(weights, (*lead, observed.shape[-1])).reshape(observed.shape)
    free = np.full((len(observed), p + len(model.pairs[0])), np.nan)
    loss, converged = np.full(len(observed), np.nan), np.zeros(len(observed), bool)
    usable = np.flatnonzero((np.isfinite(observed) & np.isfinite(heavy) & (heavy > 0)).all(axis=-1))
    for block in (usable[first : first + CHUNK] for first in range(0, len(usable), CHUNK)):
        start = first_guess(corr.reshape(-1, p, p)[block], model)
        start = np.delete(start, np.s_[p : 2 * p], axis=-1)
        free[block], loss[block], converged[block] = _descend(observed[block], heavy[block], model, start)
    free[~converged], loss[~converged] = np.nan, np.nan
    fitted = pointing_up(_complete(free, model).values, model).reshape(*lead, -1)
    return CfaFit(Parameters(model, fitted), loss.reshape(lead), converged.reshape(lead))


def derivatives(parameters: Parameters) -> np.ndarray:
    """(..., p(p - 1)/2, p + m(m - 1)/2) of the implied correlations by loadings and factor correlations."""
    model = parameters.model
    p, m = len(model.items), len(model.factors)
    first, second = np.triu_indices(p, 1)
    place = np.arange(len(first))
    one, other = model.owner[first], model.owner[second]
    between = parameters.phi[..., one, other]
    loadings = parameters.loadings
    slopes = np.zeros((*loadings.shape[:-1], len(first), p + m * (m - 1) // 2))
    slopes[..., place, first] = between * loadings[..., second]
    slopes[..., place, second] = between * loadings[..., first]
    number = np.zeros((m, m), int)
    number[model.pairs] = np.arange(len(model.pairs[0]))
    apart = one != other
    products = loadings[..., first] * loadings[..., second]
    slopes[..., place[apart], p + number[one[apart], other[apart]]] = products[..., apart]
    return slopes


def normal_matrix(slopes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Slopes' weights slopes, (..., k, k)."""
    return slopes.swapaxes(-1, -2) @ (slopes * weights[..., None])


def is_regular(matrix: np.ndarray) -> np.ndarray:
    """Whether normal matrices (..., k, k) can be inverted, (...,)."""
    roots = np.linalg.eigvalsh(matrix)
    return roots[..., 0] > SINGULAR * roots[..., -1]


def _complete(free: np.ndarray, model: FactorModel) -> Parameters:
    """Parameters of loadings and factor correlations (..., p + m(m - 1)/2), with the residual variances that follow."""
    loadings, correlations = np.split(free, [len(model.items)], axis=-1)
    return Parameters(model, np.concatenate([loadings, 1 - loadings**2, correlations], axis=-1))


def _descend(
    observed: np.ndarray, weights: np.ndarray, model: FactorModel, free: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gauss-Newton steps, halved until the loss does not rise; free parameters (b, k), loss (b,) and convergence (b,)."""
    converged = np.zeros(len(observed), bool)
    rest = _rest(observed, model, free)
    loss = (weights * rest**2).sum(axis=-1)
    active = np.flatnonzero(np.isfinite(loss))
    for _ in range(MAX_ITERATIONS):
        if not len(active):
            break
        step = _step(rest[active], weights[active], _complete(free[active], model))
        length = np.zeros(len(active))
        trying = np.flatnonzero(np.isfinite(step).all(axis=-1))
        for halving in range(HALVINGS):
            if not len(trying):
                break
            rows = active[trying]
            tried = free[rows] + 0.5**halving * step[trying]
            new_rest = _rest(observed[rows], model, tried)
            new_loss = (weights[rows] * new_rest**2).sum(axis=-1)
            better = new_loss <= loss[rows] * (1 + 1e-12)
            took = rows[better]
            free[took], rest[took], loss[took] = tried[better], new_rest[better], new_loss[better]
            length[trying[better]] = 0.5**halving
            trying = trying[~better]
        small = np.abs(step).max(axis=-1) < TOLERANCE
        converged[active[small]] = True
        active = active[~small & (length > 0)]
    return free, loss, converged


def _rest(observed: np.ndarray, model: FactorModel, free: np.ndarray) -> np.ndarray:
    """Observed minus implied correlations of the pairs, (b, p(p - 1)/2)."""
    return observed - _complete(free, model).implied()[:, *np.triu_indices(len(model.items), 1)]


def _step(rest: np.ndarray, weights: np.ndarray, parameters: Parameters) -> np.ndarray:
    """The Gauss-Newton step (b, k); nan where the parameters cannot be told apart."""
    slopes = derivatives(parameters)
    matrix = normal_matrix(slopes, weights)
    known = is_regular(matrix)
    step = np.full(matrix.shape[:-1], np.nan)
    gradient = ((weights * rest)[:, None, :] @ slopes)[:, 0]
    step[known] = np.linalg.solve(matrix[known], gradient[known][..., None])[..., 0]
    return step
