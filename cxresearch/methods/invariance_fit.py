"""Maximum likelihood of a factor model in several groups, some parameters of which are equal in all."""

from dataclasses import dataclass, replace

import numpy as np

from cxresearch.methods.cfa_fit import HALVINGS, MAX_ITERATIONS, NEAR, SINGULAR, TOLERANCE, fit_cfa
from cxresearch.methods.cfa_model import FactorModel
from cxresearch.methods.invariance_model import GroupedModel, GroupedParameters, Level


@dataclass(frozen=True, slots=True)
class GroupedMoments:
    """Means and covariances of several groups, in units that they share.

    Attributes
    ----------
    n : (G,) respondents
    mean : (G, p)
    cov : (G, p, p) with denominator n, positive definite
    """

    n: np.ndarray
    mean: np.ndarray
    cov: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """(G,) of all respondents."""
        return self.n / self.n.sum()


@dataclass(frozen=True, slots=True)
class GroupedFit:
    """A fitted model.

    Attributes
    ----------
    parameters : of all groups; nan where not converged
    loss : (G,) log|implied| - log|cov| + tr(seen implied^-1) - p of each group; times n and summed it is chi-square
    converged : whether the iteration ended at a minimum that tells the parameters apart
    """

    parameters: GroupedParameters
    loss: np.ndarray
    converged: bool

    @property
    def heywood(self) -> np.ndarray:
        """(G, p) items with a negative residual variance."""
        return self.parameters.of("residuals") < 0

    @property
    def definite(self) -> np.ndarray:
        """(G,) whether the covariances of the factors could be such."""
        return np.linalg.eigvalsh(self.parameters.phi)[:, 0] > 0


@dataclass(frozen=True, slots=True)
class Eliminated:
    """Information of all groups after the parameters that each has of its own were solved for.

    Attributes
    ----------
    own : (G, o, o) inverse of the information of a group's own parameters; 0 for those that are fixed
    carried : (G, o, s) that inverse times the information that they share with the common parameters
    core : (s, s) information that is left of the common parameters
    """

    own: np.ndarray
    carried: np.ndarray
    core: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray, grouped: GroupedModel) -> "Eliminated":
        """From the information (G, k, k) of each group, times its share of the respondents."""
        own, shared = grouped.own, grouped.shared
        free = grouped.free[:, own]
        block = np.where(free[:, :, None] & free[:, None, :], matrix[:, own[:, None], own], np.eye(len(own)))
        inverse = np.linalg.inv(block) * (free[:, :, None] & free[:, None, :])
        between = matrix[:, own[:, None], shared]
        carried = inverse @ between
        core = (matrix[:, shared[:, None], shared] - between.swapaxes(-1, -2) @ carried).sum(axis=0)
        return cls(inverse, carried, core)


def fit_groups(model: FactorModel, moments: GroupedMoments, level: Level, start: GroupedFit) -> GroupedFit:
    """Fit the next level of invariance by Fisher scoring, from the solution of the level before.

    References
    ----------
    Jöreskog (1971) Psychometrika 36:409-426, doi:10.1007/BF02291366. Sörbom (1974) British Journal of Mathematical and
    Statistical Psychology 27:229-239, doi:10.1111/j.2044-8317.1974.tb00543.x (means).
    """
    grouped = GroupedModel(model, len(moments.n), level)
    values = _first_guess(grouped, moments, start.parameters)
    return _score(moments, GroupedParameters(grouped, values))


def fit_apart(model: FactorModel, moments: GroupedMoments) -> GroupedFit:
    """Fit the configural model, in which nothing is equal: each group alone."""
    deviations = np.sqrt(np.diagonal(moments.cov, axis1=-2, axis2=-1))
    corr = moments.cov / (deviations[:, :, None] * deviations[:, None, :])
    alone = fit_cfa(corr, model)
    grouped = GroupedModel(model, len(moments.n), "configural")
    values = np.zeros(grouped.free.shape)
    places, phi = grouped.places, alone.parameters.phi
    values[:, places["loadings"]] = alone.parameters.loadings * deviations
    values[:, places["residuals"]] = alone.parameters.uniquenesses * deviations**2
    values[:, places["factors"]] = phi[:, *grouped.factor_pairs]
    values[:, places["intercepts"]] = moments.mean
    return GroupedFit(GroupedParameters(grouped, values), alone.loss, bool(alone.converged.all()))


def release(fit: GroupedFit, moments: GroupedMoments, place: int) -> GroupedFit:
    """Fit the same level again with one more loading or intercept that each group has of its own."""
    before = fit.parameters.grouped
    grouped = replace(before, released=(*before.released, place))
    return _score(moments, GroupedParameters(grouped, fit.parameters.values))


def _first_guess(grouped: GroupedModel, moments: GroupedMoments, before: GroupedParameters) -> np.ndarray:
    """Values that meet the constraints and lie near the solution of the level before."""
    values, places, owner = before.values.copy(), grouped.places, grouped.model.owner
    member = np.eye(len(grouped.model.factors))[owner]  # (p, m)
    if grouped.level == "metric":
        common = moments.share @ before.of("loadings")
        size = (before.of("loadings") * common) @ member / (common**2 @ member)  # (G, m) deviation of each factor
        first, second = grouped.factor_pairs
        units = size / size[0]
        values[:, places["loadings"]] = common * size[0, owner]
        values[:, places["factors"]] *= units[:, first] * units[:, second]
        return values
    loadings = before.of("loadings")[0]
    off = moments.mean - moments.mean[0]
    means = (off * loadings) @ member / (loadings**2 @ member)
    values[:, places["means"]] = means
    values[:, places["intercepts"]] = moments.share @ (moments.mean - loadings * means[:, owner])
    return values


def _score(moments: GroupedMoments, parameters: GroupedParameters) -> GroupedFit:
    """Fisher scoring with step halving, Newton steps near the minimum."""
    grouped, values = parameters.grouped, parameters.values
    (loss, inverse), near = _loss(moments, parameters), False
    for _ in range(MAX_ITERATIONS):
        if not np.isfinite(loss).all():
            break
        step = _step(moments, GroupedParameters(grouped, values), inverse, near)
        length = 1.0 if step is not None else 0.0
        while step is not None and length:
            tried = GroupedParameters(grouped, values + length * step)
            new_loss, new_inverse = _loss(moments, tried)
            if moments.share @ new_loss <= moments.share @ loss + 1e-12:
                values, loss, inverse = tried.values, new_loss, new_inverse
                break
            length = length / 2 if length > 0.5**HALVINGS else 0.0
        if step is None or not length:
            if not near:
                break
            near = False  # a Newton step that leads nowhere is tried again by scoring
            continue
        size = np.abs(step).max()
        near = bool(size < NEAR)
        if size < TOLERANCE:
            return GroupedFit(GroupedParameters(grouped, values), loss, True)
    return GroupedFit(GroupedParameters(grouped, np.full_like(values, np.nan)), np.full_like(loss, np.nan), False)


def _loss(moments: GroupedMoments, parameters: GroupedParameters) -> tuple[np.ndarray, np.ndarray]:
    """Loss of each group (G,), infinite where its implied matrix is not positive definite, and the inverses (G, p, p)."""
    implied, p = parameters.implied(), moments.cov.shape[-1]
    proper = np.linalg.eigvalsh(implied)[:, 0] > 0
    implied[~proper] = np.eye(p)
    inverse = np.linalg.inv(implied)
    off = moments.mean - parameters.mean
    seen = moments.cov + off[:, :, None] * off[:, None, :]
    sizes = np.linalg.slogdet(implied)[1] - np.linalg.slogdet(moments.cov)[1]
    loss = sizes + (seen * inverse).sum(axis=(-2, -1)) - p
    return np.where(proper, loss, np.inf), inverse


def _step(moments: GroupedMoments, parameters: GroupedParameters, inverse: np.ndarray, near: bool) -> np.ndarray | None:
    """Minus information^-1 times the gradient, (G, k): expected, or observed where `near`; None where that is singular."""
    grouped, share = parameters.grouped, moments.share
    own, shared = grouped.own, grouped.shared
    slope = parameters.gradient(moments.cov, moments.mean, inverse) * share[:, None]
    matrix = (
        parameters.observed_information(moments.cov, moments.mean, inverse) if near else parameters.information(inverse)
    )
    try:
        solved = Eliminated.of(matrix * share[:, None, None], grouped)
    except np.linalg.LinAlgError:
        return None
    roots = np.linalg.eigvalsh(solved.core)
    if not roots[0] > SINGULAR * roots[-1]:
        return None
    common = (slope[:, shared] - np.einsum("gos,go->gs", solved.carried, slope[:, own])).sum(axis=0)
    step = np.zeros_like(slope)
    step[:, shared] = -np.linalg.solve(solved.core, common)
    step[:, own] = -np.einsum("gop,gp->go", solved.own, slope[:, own])
    step[:, own] -= np.einsum("gos,gs->go", solved.carried, step[:, shared])
    return step
