"""Maximum-likelihood means and covariances of rows of which some lack answers, by EM: one sample, or a bootstrap at once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.incomplete import IncompleteRows, LackingRows
from cxresearch.core.moments import ROUNDING, Moments
from cxresearch.core.resampling import CHUNK, resample_counts
from cxresearch.core.results import words
from cxresearch.errors import InputError

EM = "em"  # in `method`: rows that lack answers count too, by maximum likelihood
TOLERANCE = 1e-9  # largest change of a standardised mean or covariance at which the iteration ends
REPLICATE_TOLERANCE = 1e-4  # the same for replicates that start from a solution: far below what resampling changes
MAX_ITERATIONS = 5000
FIRST_ITERATIONS = 100  # of a block of replicates; the few that are left go on together, so that no block waits for one
REPLICATE_ITERATIONS = 500  # most of a replicate: what has not settled by then hardly has a maximum
RIDGE = 1e-10  # keeps an inverse defined where an item is constant or made of others; does not move the solution
CELLS = 2_000_000  # answers of incomplete rows held at a time, over replicates; does not change the numbers


def em_moments(frame: pd.DataFrame, *, design: Design | None = None) -> Moments:
    """Maximum-likelihood moments of normal rows of which some lack answers.

    Unbiased in large samples where answers are missing at random given those that are there. Of complete rows these are the
    moments of `Moments.from_frame`: the covariance of the likelihood is multiplied by n / (n - 1), and weights have mean 1.

    Parameters
    ----------
    frame : (n, p) numeric, nan where not answered; rows without any answer are left out
    design : weights and clusters of the rows

    Returns
    -------
    Moments, `n` the rows with an answer, with `n_incomplete`, `iterations` and the word "em"

    Raises
    ------
    InputError
        For text, infinite answers, an item without answers, two items that nobody answered both, not more rows than items, or
        if the iteration does not settle.

    References
    ----------
    Dempster, Laird and Rubin (1977) JRSS B 39:1-38, doi:10.1111/j.2517-6161.1977.tb01600.x. Little and Rubin (2020) Statistical
    Analysis with Missing Data, 3rd ed., ch. 11, doi:10.1002/9781119482260.

    Examples
    --------
    >>> found = em_moments(pd.DataFrame({"a": [1.0, 2, 3, 4, 5], "b": [1.0, 3, 2, 5, np.nan]}))
    >>> found.mean.round(2), int(found.n), found.n_incomplete
    (array([3. , 3.3]), 5, 1)
    """
    design, rows = design or Design(), IncompleteRows.of(frame)
    p = len(rows.names)
    fit = _Fit.of(rows, _weights(rows, design)[None], (np.zeros(p), np.eye(p)))
    iterations = fit.go_on(rows, TOLERANCE, MAX_ITERATIONS)
    if fit.unsettled.size:
        raise InputError(
            "the maximum-likelihood moments of incomplete rows must settle",
            f"the EM iteration did not in {MAX_ITERATIONS} steps",
            "Leave out items with many missing answers, or use the complete rows: `missing_policy: drop`.",
        )
    mean, cov = rows.in_units(*(part[0] for part in fit.solution(rows)))
    said = words(EM, design.words)
    return Moments(np.asarray(rows.n), mean, cov, rows.names, said, 0, rows.n_incomplete, iterations)


def bootstrap_em(frame: pd.DataFrame, n_bootstrap: int, *, seed: int, design: Design | None = None) -> Moments:
    """The bootstrap of `em_moments` as a stack (B, ...); replicates run together, from the solution of the sample.

    Rows or clusters are drawn as by `bootstrap_moments`. A replicate that does not settle, or in which an item has no answers,
    is nan.

    Parameters
    ----------
    frame : (n, p) numeric, nan where not answered
    """
    design, sample, rows = design or Design(), em_moments(frame, design=design), IncompleteRows.of(frame)
    start = rows.standardized(sample.mean, sample.cov)
    weights, units = _weights(rows, design), design.clusters_on(rows.index)[rows.order]
    n_units, p = int(units.max()) + 1, len(rows.names)
    mean, cov = np.empty((n_bootstrap, p)), np.empty((n_bootstrap, p, p))
    slow: list[tuple[np.ndarray, _Fit]] = []  # replicates that have not settled yet
    at_once = max(1, CELLS // (p * max(1, rows.n_incomplete)))
    for first, counts in resample_counts(n_units, n_bootstrap, seed=seed, clustered=design.clusters is not None):
        for low in range(0, len(counts), at_once):
            fit = _Fit.of(rows, counts[low : low + at_once, units] * weights, start)
            fit.go_on(rows, REPLICATE_TOLERANCE, FIRST_ITERATIONS)
            places = first + low + np.arange(len(fit.weights))
            mean[places], cov[places] = fit.solution(rows)
            slow.append((places[fit.unsettled], fit.part(fit.unsettled)))
            if sum(len(left) for left, _ in slow) >= CHUNK:
                _finish(rows, slow, mean, cov)
                slow = []
    _finish(rows, slow, mean, cov)
    mean, cov = rows.in_units(mean, cov)
    n, said = np.full(n_bootstrap, rows.n), words(EM, design.words)
    return Moments(n, mean, cov, rows.names, said, n_units, rows.n_incomplete, sample.iterations)


def _weights(rows: IncompleteRows, design: Design) -> np.ndarray:
    """(n,) of mean 1, in the order of the answers."""
    return design.weights_on(rows.index)[rows.order]


def _finish(rows: IncompleteRows, slow: list[tuple[np.ndarray, "_Fit"]], mean: np.ndarray, cov: np.ndarray) -> None:
    """Take slow replicates on together, and write them at their places (b,) of mean (B, p) and cov (B, p, p)."""
    if slow:
        together = _Fit(*(np.concatenate([getattr(fit, name) for _, fit in slow]) for name in _Fit.__slots__))
        together.go_on(rows, REPLICATE_TOLERANCE, REPLICATE_ITERATIONS - FIRST_ITERATIONS)
        places = np.concatenate([left for left, _ in slow])
        mean[places], cov[places] = together.solution(rows)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Where the iteration stands for several weights of the rows; items standardised, denominator n.

    Attributes
    ----------
    weights : (b, n)
    mean, cov : (b, p), (b, p, p)
    solvable, settled : (b,) whether every item has an answer; whether the iteration is at its end
    """

    weights: np.ndarray
    mean: np.ndarray
    cov: np.ndarray
    solvable: np.ndarray
    settled: np.ndarray

    @classmethod
    def of(cls, rows: IncompleteRows, weights: np.ndarray, start: tuple[np.ndarray, np.ndarray]) -> "_Fit":
        """All at one start."""
        mean, cov = (np.repeat(part[None], len(weights), axis=0) for part in start)
        solvable = (weights @ rows.known > 0).all(axis=-1)
        return cls(weights, mean, cov, solvable, np.zeros(len(weights), bool))

    @property
    def unsettled(self) -> np.ndarray:
        """Those that can go on."""
        return np.flatnonzero(self.solvable & ~self.settled)

    def part(self, places: np.ndarray) -> "_Fit":
        """Some of them."""
        return _Fit(*(getattr(self, name)[places] for name in self.__slots__))

    def go_on(self, rows: IncompleteRows, tolerance: float, steps: int) -> int:
        """Iterate those that have not settled, as many steps as are needed, at most `steps`; how many the slowest took."""
        active, taken = self.unsettled, 0
        complete = _complete_sums(rows, self.weights)
        incomplete = self.weights[:, rows.n_complete :]
        while len(active) and taken < steps:
            taken += 1
            sums = _expected_sums(rows, incomplete[active], self.mean[active], self.cov[active])
            sums += _about(complete[active], self.mean[active])
            shift = sums[:, 0, 1:] / sums[:, :1, 0]
            after = sums[:, 1:, 1:] / sums[:, :1, :1] - shift[:, :, None] * shift[:, None, :]
            change = np.maximum(np.abs(shift).max(axis=-1), np.abs(after - self.cov[active]).max(axis=(-2, -1)))
            self.mean[active] += shift
            self.cov[active] = after
            self.settled[active[change < tolerance]] = True
            active = active[change >= tolerance]
        return taken

    def solution(self, rows: IncompleteRows) -> tuple[np.ndarray, np.ndarray]:
        """Means (b, p) and covariances (b, p, p), exactly 0 of items that do not vary; nan where the iteration has not settled."""
        constant = _without_spread(rows, self.weights)
        cov = np.where(constant[:, :, None] | constant[:, None, :], 0.0, self.cov)
        settled = self.settled[:, None]
        return np.where(settled, self.mean, np.nan), np.where(settled[:, :, None], cov, np.nan)


def _complete_sums(rows: IncompleteRows, weights: np.ndarray) -> np.ndarray:
    """Sums over the complete rows (b, 1 + p, 1 + p): of weights, of answers beside them, and of products of answers."""
    values = rows.answers[: rows.n_complete]
    n, p = values.shape
    with_one = np.column_stack([np.ones(n), values])
    upper = np.triu_indices(p + 1)
    sums = np.empty((len(weights), p + 1, p + 1))
    found = weights[:, :n] @ (with_one[:, upper[0]] * with_one[:, upper[1]])
    sums[:, upper[0], upper[1]] = sums[:, upper[1], upper[0]] = found
    return sums


def _about(sums: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Sums (b, 1 + p, 1 + p) of answers less `mean` (b, p), from those of the answers."""
    moved = sums.copy()
    moved[:, :, 1:] -= sums[:, :, :1] * mean[:, None, :]
    moved[:, 1:, :] -= mean[:, :, None] * moved[:, :1, :]
    return moved


def _without_spread(rows: IncompleteRows, weights: np.ndarray) -> np.ndarray:
    """Which items do not vary in each draw, (b, p)."""
    total = weights @ rows.known
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, squares = weights @ rows.answers / total, weights @ rows.answers**2 / total
    return ~(squares - centre**2 > ROUNDING * squares)


def _expected_sums(rows: IncompleteRows, weights: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Sums (b, 1 + p, 1 + p) over the incomplete rows of weights (b, r), their answers, less `mean`, filled as expected.

    With K the inverse covariance and d a row's known answers less their means, 0 for those that it lacks, the lacking answers
    are expected at -C (K d) of the lacking items, and vary by C, the inverse of K's block of the lacking items.
    """
    b, p = mean.shape
    known, values = rows.known[rows.n_complete :], rows.answers[rows.n_complete :]
    filled = np.where(known, values - mean[:, None, :], 0.0)
    inverse = np.linalg.inv(cov + RIDGE * np.eye(p))
    pulls = filled @ inverse
    spread = np.zeros((b, p * p))
    for group in rows.groups:
        vary = np.linalg.inv(inverse[:, group.patterns[:, :, None], group.patterns[:, None, :]])
        pull = pulls[:, group.rows[:, None], group.lacking]
        filled[:, group.rows[:, None], group.lacking] = -(vary[:, group.pattern] @ pull[..., None])[..., 0]
        spread[:, group.cells] += _spread_of(group, vary, weights[:, group.rows])
    sums = np.empty((b, p + 1, p + 1))
    weighted = filled * weights[:, :, None]
    sums[:, 0, 0] = weights.sum(axis=-1)
    sums[:, 0, 1:] = sums[:, 1:, 0] = weighted.sum(axis=1)
    sums[:, 1:, 1:] = weighted.swapaxes(-1, -2) @ filled + spread.reshape(b, p, p)
    return sums


def _spread_of(group: LackingRows, vary: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of the patterns' covariances (b, k, m, m) by the cells of the group, (b, cells)."""
    order = np.argsort(group.pattern, kind="stable")
    starts = np.searchsorted(group.pattern[order], np.arange(len(group.patterns)))
    size = np.add.reduceat(weights[:, order], starts, axis=-1)
    flat = (vary * size[:, :, None, None]).reshape(len(vary), -1)
    return np.add.reduceat(flat[:, group.order], group.starts, axis=-1)
