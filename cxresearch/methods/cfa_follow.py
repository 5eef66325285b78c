"""Maximum likelihood of many matrices that resemble one whose solution is known: bootstrap replicates of a sample.

The curvature at that solution serves all of them, so that a step costs no more than a gradient; and that needs only products
with the loadings, since the implied matrix is a diagonal and m factors.
"""

import numpy as np

from cxresearch.methods.cfa_model import FactorModel, Parameters, observed_information

STEPS = 40
FAR = 1.0  # a change of a standardised parameter beyond this leaves the neighbourhood of the known solution


def follow(corr: np.ndarray, start: Parameters, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Parameters (b, k) of each matrix by steps with one curvature for all, and whether they settled (b,).

    Parameters
    ----------
    corr : (b, p, p); the curvature is that of their mean
    start : a solution near theirs, (k,)
    tolerance : largest change of a parameter at which the steps end
    """
    model = start.model
    values = np.broadcast_to(start.values, (len(corr), model.n_parameters)).copy()
    settled = np.zeros(len(corr), bool)
    curvature = observed_information(start, corr.mean(axis=0))
    if not np.linalg.eigvalsh(curvature)[0] > 0:
        return values, settled
    inverse = np.linalg.inv(curvature)
    active = np.arange(len(corr))
    for _ in range(STEPS):
        with np.errstate(all="ignore"):  # what runs away is not finite in the end, and left to others
            step = -gradient(Parameters(model, values[active]), corr[active]) @ inverse
        values[active] += step
        size = np.abs(step).max(axis=-1)
        settled[active[size < tolerance]] = True
        active = active[(size >= tolerance) & (np.abs(values[active] - start.values).max(axis=-1) < FAR)]
        if not len(active):
            break
    return values, settled


def gradient(parameters: Parameters, corr: np.ndarray) -> np.ndarray:
    """Derivatives (b, k) of half the loss of matrices (b, p, p); residual variances must not be 0.

    With D the inverse residual variances, U = D loadings and K = (phi^-1 + loadings' U)^-1, the inverse of the implied matrix is
    D - U K U'.
    """
    model, m = parameters.model, len(parameters.model.factors)
    own = np.eye(m)[model.owner]
    precision, loadings = 1 / parameters.uniquenesses, parameters.loadings
    u = precision * loadings
    spread = (u * loadings) @ own  # the diagonal of loadings' U, which has nothing beside it
    phi, identity = parameters.phi, np.eye(m)
    inner = phi @ np.linalg.inv(identity + spread[:, :, None] * phi)
    turned = identity - inner * spread[:, None, :]
    seen = corr @ (u[:, :, None] * own)
    middle = _by_owner(u, seen, model)
    crossed = inner @ middle
    rest = u[:, :, None] * own - precision[:, :, None] * seen + u[:, :, None] * crossed[:, model.owner]
    on_loadings = np.einsum("bim,bmi->bi", rest, (turned @ phi)[:, :, model.owner])
    between = (spread[:, :, None] * (identity + crossed) - middle) @ turned
    item = np.arange(len(model.owner))
    own_seen = np.einsum("bim,bmi->bi", seen, inner[:, :, model.owner])
    twice = (crossed @ inner)[:, model.owner, model.owner]
    observed = precision**2 * corr[:, item, item] - 2 * precision * u * own_seen + u**2 * twice
    on_residuals = (precision - u**2 * inner[:, model.owner, model.owner] - observed) / 2
    first, second = model.pairs
    return np.concatenate([on_loadings, on_residuals, between[:, first, second]], axis=-1)


def _by_owner(u: np.ndarray, seen: np.ndarray, model: FactorModel) -> np.ndarray:
    """U' seen, (b, m, m)."""
    own = np.eye(len(model.factors))[model.owner]
    return (u[:, :, None] * own).swapaxes(-1, -2) @ seen
