"""The one-factor model by maximum likelihood, for one covariance matrix or a stack of them."""

from dataclasses import dataclass

import numpy as np

from cxresearch.core.moments import correlation_of

MAX_ITERATIONS = 100
HALVINGS = 12
TOLERANCE = 1e-6  # largest change of a standardised parameter at which the iteration ends
SINGULAR = 1e-9  # smallest eigenvalue of the correlations below which they have no maximum-likelihood solution
RIDGE = 1e-10  # keeps a step defined where the information is singular; does not move the solution


@dataclass(frozen=True, slots=True)
class OneFactor:
    """A fitted one-factor model, with the leading axes of the covariances it was fitted to.

    Attributes
    ----------
    loadings : (..., p) in the units of the items, their sum not negative
    uniquenesses : (..., p) residual variances, unbounded
    converged : (...,) whether the iteration ended at a maximum
    heywood : (...,) whether a residual variance is negative: the solution is not admissible
    """

    loadings: np.ndarray
    uniquenesses: np.ndarray
    converged: np.ndarray
    heywood: np.ndarray


def fit_one_factor(cov: np.ndarray, *, start: OneFactor | None = None) -> OneFactor:
    """Fit cov = loadings loadings' + diag(uniquenesses) by Fisher scoring, on a whole stack at once.

    Parameters
    ----------
    cov : (..., p, p) covariances of three or more items
    start : a solution to start from, e.g. that of the sample for its bootstrap replicates

    Returns
    -------
    OneFactor; nan and `converged` False where a covariance matrix has no maximum: singular ones (constant items, items that are
    sums of others, no more rows than items), and others

    Notes
    -----
    Residual variances are not bounded, so that a Heywood case shows as what it is. The information matrix is solved in
    blocks: that of the loadings has a closed inverse.

    References
    ----------
    Lawley and Maxwell (1971) Factor Analysis as a Statistical Method, 2nd ed., ch. 4. Jöreskog (1967) Psychometrika
    32:443-482, doi:10.1007/BF02289658.

    Examples
    --------
    >>> loadings = np.array([0.9, 0.8, 0.7, 0.6])
    >>> fit = fit_one_factor(np.outer(loadings, loadings) + np.diag(1 - loadings**2))
    >>> fit.loadings.round(6)
    array([0.9, 0.8, 0.7, 0.6])
    """
    p = cov.shape[-1]
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1)).reshape(-1, p)
    corr = correlation_of(cov).reshape(-1, p, p)
    parameters = np.full((len(corr), 2, p), np.nan)
    converged = np.zeros(len(corr), bool)
    usable = np.flatnonzero(~is_singular(corr))
    if len(usable):
        first = _first_guess(corr[usable]) if start is None else _as_guess(start, sd[usable])
        parameters[usable], converged[usable] = _score(corr[usable], first)
    lead = cov.shape[:-2]
    parameters[~converged] = np.nan
    loadings = parameters[:, 0] * np.where(parameters[:, 0].sum(axis=-1) < 0, -1.0, 1.0)[:, None] * sd
    uniquenesses = parameters[:, 1] * sd**2
    heywood = (uniquenesses < 0).any(axis=-1)
    return OneFactor(
        loadings.reshape(*lead, p), uniquenesses.reshape(*lead, p), converged.reshape(lead), heywood.reshape(lead)
    )


def is_singular(correlation: np.ndarray) -> np.ndarray:
    """Whether each of the correlations (..., p, p) is singular, or not complete; (...,)."""
    finite = np.isfinite(correlation).all(axis=(-2, -1))
    complete = np.where(finite[..., None, None], correlation, np.eye(correlation.shape[-1]))
    return ~finite | (np.linalg.eigvalsh(complete)[..., 0] < SINGULAR)


def _first_guess(corr: np.ndarray) -> np.ndarray:
    """Standardised loadings and uniquenesses (m, 2, p) from the first principal component."""
    values, vectors = np.linalg.eigh(corr)
    loadings = 0.9 * vectors[..., -1] * np.sqrt(values[..., -1:])
    return np.stack([loadings, np.clip(1 - loadings**2, 0.1, None)], axis=1)


def _as_guess(start: OneFactor, sd: np.ndarray) -> np.ndarray:
    """A solution in item units, standardised by each replicate's own deviations, (m, 2, p)."""
    return np.stack([start.loadings / sd, start.uniquenesses / sd**2], axis=1)


def _score(corr: np.ndarray, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fisher scoring with step halving; parameters (m, 2, p) and convergence (m,)."""
    converged = np.zeros(len(corr), bool)
    loss = _loss(corr, parameters)
    active = np.flatnonzero(np.isfinite(loss))
    for _ in range(MAX_ITERATIONS):
        if not len(active):
            break
        step = _step(corr[active], parameters[active])
        length = _length_of(corr[active], parameters[active], step, loss[active])
        taken = step * length[:, None, None]
        parameters[active] += taken
        loss[active] = _loss(corr[active], parameters[active])
        small = np.abs(step).max(axis=(-2, -1)) < TOLERANCE
        converged[active[small]] = True
        active = active[~small & (length > 0) & np.isfinite(step).all(axis=(-2, -1))]
    return parameters, converged


def _length_of(corr: np.ndarray, parameters: np.ndarray, step: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """The longest of 1, 1/2, 1/4 ... of each step that does not make the fit worse, (m,); 0 if none."""
    length = np.zeros(len(step))
    trying = np.flatnonzero(np.isfinite(step).all(axis=(-2, -1)))
    for halving in range(HALVINGS):
        if not len(trying):
            break
        size = 0.5**halving
        tried = _loss(corr[trying], parameters[trying] + size * step[trying])
        better = tried <= loss[trying] + 1e-12
        length[trying[better]] = size
        trying = trying[~better]
    return length


def _loss(corr: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """log|model| + tr(corr model^-1), (m,); infinite where the model matrix is not positive definite.

    A sum of a diagonal and one product of loadings is positive definite when its determinant is positive and at most
    one diagonal entry is negative.
    """
    loadings, uniquenesses = parameters[:, 0], parameters[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = loadings / uniquenesses
        ratio = 1 + (loadings * scaled).sum(axis=-1)
        determinant = np.log(np.abs(uniquenesses)).sum(axis=-1) + np.log(np.abs(ratio))
        negative = (uniquenesses < 0).sum(axis=-1)
        proper = ((negative == 0) & (ratio > 0)) | ((negative == 1) & (ratio < 0))
        trace = (1 / uniquenesses).sum(axis=-1) - np.einsum("mi,mij,mj->m", scaled, corr, scaled) / ratio
        loss = determinant + trace
    return np.where(proper & np.isfinite(loss), loss, np.inf)


def _step(corr: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Information^-1 times minus the gradient, (m, 2, p).

    The inverse of the model matrix is diag(1 / uniquenesses) - u u' / ratio with u = loadings / uniquenesses, so that
    the gradient needs only the product corr u; the block of the loadings in the information has a closed inverse too.
    """
    loadings, precision = parameters[:, 0], 1 / parameters[:, 1]
    u = loadings * precision
    ratio = 1 + (loadings * u).sum(axis=-1, keepdims=True)
    a, c = u / ratio, (ratio - 1) / ratio  # model^-1 loadings, and loadings' model^-1 loadings

    def inverse_times(right: np.ndarray) -> np.ndarray:
        return precision * right - a * (u * right).sum(axis=-1, keepdims=True)

    def solve_loadings(right: np.ndarray) -> np.ndarray:  # (c inverse + a a')^-1 right
        along = (loadings * right).sum(axis=-1, keepdims=True)
        return (right / precision + loadings * along * (1 - 0.5 / c)) / c

    seen = np.einsum("mij,mj->mi", corr, a)
    gradient = a - inverse_times(seen)
    observed = precision**2 - 2 * precision * u * seen + u**2 * (a * seen).sum(axis=-1, keepdims=True)
    gradient_u = (precision - u * a - observed) / 2
    outer = a[:, :, None] * a[:, None, :]
    inverse = -u[:, :, None] * a[:, None, :]
    diagonal = np.arange(corr.shape[-1])
    inverse[:, diagonal, diagonal] += precision
    schur = inverse**2 / 2 - outer * (inverse - outer / (2 * c[..., None])) / c[..., None]
    schur[:, diagonal, diagonal] += RIDGE * np.trace(schur, axis1=-2, axis2=-1)[:, None]
    right = gradient_u - a * inverse_times(solve_loadings(gradient))
    step_u = -_solve(schur, right)
    step = -solve_loadings(gradient + inverse_times(a * step_u))
    return np.stack([step, step_u], axis=1)


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """matrix^-1 right, (m, p); nan where the matrix is singular or not finite."""
    try:
        return np.linalg.solve(matrix, right[..., None])[..., 0]
    except np.linalg.LinAlgError:
        finite = np.isfinite(matrix).all(axis=(-2, -1))
        sizes = np.linalg.svd(np.where(finite[:, None, None], matrix, 0.0), compute_uv=False)
        regular = sizes[:, -1] > RIDGE**2 * sizes[:, 0]
        solution = np.full_like(right, np.nan)
        solution[regular] = np.linalg.solve(matrix[regular], right[regular, :, None])[..., 0]
        return solution
