"""Maximum likelihood of many matrices that resemble one whose solution is known: bootstrap replicates of a sample.

The curvature at that solution serves all of them, so that a step costs no more than a gradient; and that needs only products
with the loadings, since the implied matrix is a diagonal and m factors. Where such steps hardly come nearer, how they changed so far
corrects the next ones.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from cxresearch.methods.cfa_model import FactorModel, Parameters, is_positive_definite, observed_information

STEPS = 40
SLOW = 0.7  # of the step before: steps that do not shrink below are corrected
FIRST = 3  # steps that tell nothing yet of how they shrink
MEMORY = 8  # places that correct a step
CLOSER = 1e-3  # of the tolerance: corrected steps may be short before the end
FAR = 1.0  # a change of a standardised parameter beyond this leaves the neighbourhood of the known solution
RIDGE = 1e-10  # of each change's square: what two changes that point the same way are told apart by
CHUNK = 128  # matrices at a time whose own curvature is looked at


def follow(corr: np.ndarray, start: Parameters, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Parameters (b, k) of each matrix by steps with one curvature for all, and whether they settled (b,).

    Plain steps shrink only where the matrix's own curvature is positive, too: they end at a minimum. Corrected ones may end at a
    saddle, so that the curvature there is looked at.

    Parameters
    ----------
    corr : (b, p, p); the curvature is that of their mean
    start : a solution near theirs, (k,)
    tolerance : largest change of a parameter at which the steps end
    """
    curvature = observed_information(start, corr.mean(axis=0))
    if not np.linalg.eigvalsh(curvature)[0] > 0:
        return np.broadcast_to(start.values, (len(corr), start.model.n_parameters)).copy(), np.zeros(len(corr), bool)
    inverse = np.linalg.inv(curvature)
    values, settled = _walk(corr, start, inverse, tolerance, corrected=False)
    left = np.flatnonzero(~settled)
    values[left], settled[left] = _walk(corr[left], start, inverse, tolerance * CLOSER, corrected=True)
    doubtful = left[settled[left]]
    for block in (doubtful[first : first + CHUNK] for first in range(0, len(doubtful), CHUNK)):
        there = Parameters(start.model, values[block])
        settled[block] = is_positive_definite(observed_information(there, corr[block]))
    return values, settled


def _walk(
    corr: np.ndarray, start: Parameters, inverse: np.ndarray, tolerance: float, *, corrected: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Where steps from the start lead (b, k), and whether they settled (b,); plain ones are given up where they hardly shrink."""
    here = np.broadcast_to(start.values, (len(corr), start.model.n_parameters)).copy()
    values, settled, active = here.copy(), np.zeros(len(corr), bool), np.arange(len(corr))
    places: list[np.ndarray] = []
    steps: list[np.ndarray] = []
    before = np.full(len(corr), np.inf)
    for number in range(STEPS):
        if not len(active):
            break
        with np.errstate(all="ignore"):  # what runs away is not finite in the end, and left to others
            step = -gradient(Parameters(start.model, here), corr[active]) @ inverse
        values[active] = here + step
        size = np.abs(step).max(axis=-1)
        settled[active[size < tolerance]] = True
        going = (size >= tolerance) & (np.abs(values[active] - start.values).max(axis=-1) < FAR)
        going &= corrected | (number < FIRST) | (size < SLOW * before)
        active, before = active[going], size[going]
        if corrected:
            places = [place[going] for place in [*places, here][-MEMORY:]]
            steps = [each[going] for each in [*steps, step][-MEMORY:]]
        here = next_places(places, steps) if corrected else values[active]
    return values, settled


def next_places(places: Sequence[np.ndarray], steps: Sequence[np.ndarray]) -> np.ndarray:
    """Where to go (b, k) from the last of some places, each (b, k), given the steps that were to be taken there.

    The combination of the places whose combined step is the smallest, and that step: what would be the end if steps were linear in
    the places.

    References
    ----------
    Anderson (1965) Journal of the ACM 12:547-560, doi:10.1145/321296.321305. Walker and Ni (2011) SIAM Journal on Numerical Analysis
    49:1715-1735, doi:10.1137/10078356X.

    >>> next_places([np.array([[0.0]]), np.array([[1.0]])], [np.array([[1.0]]), np.array([[0.75]])]).round(6)
    array([[4.]])
    """
    target = places[-1] + steps[-1]
    if len(places) == 1:
        return target
    changes = np.stack([after - before for before, after in pairwise(steps)], axis=-1)
    moves = np.stack([after - before for before, after in pairwise(places)], axis=-1)
    turned = changes.swapaxes(-1, -2)
    squares = turned @ changes
    diagonal = np.arange(squares.shape[-1])
    squares[:, diagonal, diagonal] *= 1 + RIDGE
    squares[:, diagonal, diagonal] += np.finfo(float).tiny
    shares = np.linalg.solve(squares, turned @ steps[-1][..., None])
    return target - ((moves + changes) @ shares)[..., 0]


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
