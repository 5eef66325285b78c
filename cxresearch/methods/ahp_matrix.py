"""Weights and consistency of pairwise comparison matrices, for stacks of any size.

A matrix holds at (i, j) how many times as important criterion i is as criterion j; nan marks a pair that was not asked.
Every function takes matrices (..., k, k) with ones on the diagonal and reciprocals across it.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from cxresearch.errors import InputError

WeightMethod = Literal["eigenvector", "geometric_mean", "column_mean"]
RandomIndex = Literal["saaty", "donegan_dodd", "ahpsurvey"]

# mean consistency index of random matrices of 3, 4, 5 ... criteria
RANDOM_INDEX: dict[str, tuple[float, ...]] = {
    # Saaty (1980) The Analytic Hierarchy Process, McGraw-Hill, p. 21 (the 1.48 for 12 criteria is printed so)
    "saaty": (0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59),
    # Donegan and Dodd (1991) Mathematical and Computer Modelling 15(10):135-137, doi:10.1016/0895-7177(91)90098-R
    "donegan_dodd": (
        0.4914, 0.8286, 1.0591, 1.1797, 1.2519, 1.3171, 1.3733, 1.4055, 1.4213, 1.4497, 1.4643, 1.4822, 1.4969, 1.5078,
        1.5153, 1.5262, 1.5313, 1.5371,
    ),
    # R package ahpsurvey 0.4 (Cho 2019), 500,000 random matrices of each size
    "ahpsurvey": (
        0.5251686, 0.8836651, 1.1081014, 1.2492774, 1.3415514, 1.4048466, 1.4507197, 1.4857266, 1.5141022, 1.5356638,
        1.5545925, 1.5703498, 1.5839958,
    ),
}  # fmt: skip


def principal_eigen(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (..., k) by the principal eigenvector, and the principal eigenvalue (...,).

    A pair that was not asked counts as the ratio of its weights (Harker 1987): zero in its cells, and one more on the
    diagonal of both rows.

    References
    ----------
    Saaty (1980). Harker (1987) Mathematical Modelling 9:837-848, doi:10.1016/0270-0255(87)90503-3.

    >>> weights, eigenvalue = principal_eigen(np.array([[1, 6, 3], [1 / 6, 1, 1 / 2], [1 / 3, 2, 1]]))
    >>> weights.round(4).tolist(), float(eigenvalue.round(4))
    ([0.6667, 0.1111, 0.2222], 3.0)
    """
    gaps = np.isnan(matrices)
    harker = np.where(gaps, 0.0, matrices)
    diagonal = np.arange(matrices.shape[-1])
    harker[..., diagonal, diagonal] += gaps.sum(axis=-1)
    values, vectors = np.linalg.eig(harker)
    first = values.real.argmax(axis=-1)[..., None]
    weights = np.abs(np.take_along_axis(vectors, first[..., None], axis=-1)[..., 0].real)
    eigenvalue = np.take_along_axis(values.real, first, axis=-1)[..., 0]
    return normalise(weights), eigenvalue


def eigenvector_weights(matrices: np.ndarray) -> np.ndarray:
    """Weights (..., k) by the principal eigenvector (Saaty 1980)."""
    return principal_eigen(matrices)[0]


def geometric_mean_weights(matrices: np.ndarray) -> np.ndarray:
    """Weights (..., k) by geometric means of rows: logarithmic least squares, over the pairs that were asked.

    References
    ----------
    Crawford and Williams (1985) Journal of Mathematical Psychology 29:387-405, doi:10.1016/0022-2496(85)90002-1.
    Bozoki, Fulop and Ronyai (2010) Mathematical and Computer Modelling 52:318-333, doi:10.1016/j.mcm.2010.02.047.
    """
    k = matrices.shape[-1]
    asked = ~np.isnan(matrices)
    logs = np.log(np.where(asked, matrices, 1.0))
    laplacian = np.where(asked, 0.0, 1.0)  # of the graph of pairs, plus ones everywhere to fix the sum at zero
    diagonal = np.arange(k)
    laplacian[..., diagonal, diagonal] = asked.sum(axis=-1)
    solved = np.linalg.solve(laplacian, logs.sum(axis=-1)[..., None])[..., 0]
    return normalise(np.exp(solved))


def column_mean_weights(matrices: np.ndarray) -> np.ndarray:
    """Weights (..., k) by the mean of the normalised columns; gaps filled with the ratios of Harker (1987)."""
    filled = fill_gaps(matrices, eigenvector_weights(matrices)) if np.isnan(matrices).any() else matrices
    return (filled / filled.sum(axis=-2, keepdims=True)).mean(axis=-1)


WEIGHTS: dict[WeightMethod, Callable[[np.ndarray], np.ndarray]] = {
    "eigenvector": eigenvector_weights,
    "geometric_mean": geometric_mean_weights,
    "column_mean": column_mean_weights,
}


def normalise(weights: np.ndarray) -> np.ndarray:
    """Weights (..., k) that sum to 1."""
    return weights / weights.sum(axis=-1, keepdims=True)


def fill_gaps(matrices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The matrices with each gap filled by the ratio of its weights (..., k)."""
    return np.where(np.isnan(matrices), weights[..., :, None] / weights[..., None, :], matrices)


def count_gaps(matrices: np.ndarray) -> np.ndarray:
    """How many pairs were not asked, (...,)."""
    return np.isnan(matrices).sum(axis=(-2, -1)) // 2


def are_connected(matrices: np.ndarray) -> np.ndarray:
    """Whether every criterion can be reached from every other through pairs that were asked, (...,)."""
    return np.asarray(_reached(matrices).all(axis=(-2, -1)))


def _reached(matrices: np.ndarray) -> np.ndarray:
    """1 where a criterion can be reached from another, (..., k, k)."""
    reached = (~np.isnan(matrices)).astype(float)
    for _ in range(matrices.shape[-1].bit_length()):
        reached = (reached @ reached > 0).astype(float)
    return reached


def linked_groups(matrix: np.ndarray) -> list[list[int]]:
    """The rows of one matrix (k, k), in groups that pairs which were asked hold together.

    >>> linked_groups(np.array([[1, np.nan, 2], [np.nan, 1, np.nan], [0.5, np.nan, 1]]))
    [[0, 2], [1]]
    """
    reached = _reached(matrix)
    return [np.flatnonzero(row).tolist() for place, row in enumerate(reached) if row.argmax() == place]


def consistency_index(eigenvalue: np.ndarray, k: int) -> np.ndarray:
    """(eigenvalue - k) / (k - 1), never below 0; 0 for one criterion (Saaty 1980)."""
    return np.maximum(eigenvalue - k, 0.0) / max(k - 1, 1)


def random_index(k: int, gaps: np.ndarray | int = 0, table: RandomIndex = "saaty") -> np.ndarray:
    """Mean consistency index of random matrices of k criteria with so many gaps; 0 where nothing can contradict.

    The tables are made for complete matrices. Gaps leave less room for contradiction: the index falls in proportion to
    the number of comparisons beyond those that a connected matrix needs at least (Agoston and Csato 2022, who complete
    a matrix by its smallest eigenvalue; Harker's is slightly larger, so that a ratio errs on the strict side).

    References
    ----------
    Agoston and Csato (2022) Omega 108:102576, doi:10.1016/j.omega.2021.102576.

    Raises
    ------
    InputError
        If the table ends below k.

    >>> float(random_index(5)), round(float(random_index(5, gaps=2)), 3)
    (1.12, 0.747)
    """
    if table not in RANDOM_INDEX:
        raise InputError(f"`random_index` must be one of {', '.join(get_args(RandomIndex))}", f"found {table!r}")
    if k < 3:
        return np.zeros(np.shape(gaps))
    largest = len(RANDOM_INDEX[table]) + 2
    if k > largest:
        raise InputError(
            f"the random index `{table}` ends at {largest} criteria under one parent",
            f"found {k}",
            "Group the criteria under intermediate ones: nobody compares so many in pairs consistently.",
        )
    spare = (k - 1) * (k - 2) / 2
    return RANDOM_INDEX[table][k - 3] * (1 - np.asarray(gaps) / spare)


def consistency_ratio(
    index: np.ndarray, k: int, gaps: np.ndarray | int = 0, table: RandomIndex = "saaty"
) -> np.ndarray:
    """Consistency index over the random index, (...,); 0 where no comparison is redundant (one or two criteria, a tree)."""
    expected = np.broadcast_to(random_index(k, gaps, table), np.shape(index))
    return np.where(expected > 1e-9, index / np.where(expected > 1e-9, expected, 1.0), 0.0)


def deviations(matrices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """How far each judgement lies from the weights: a_ij w_j / w_i, (..., k, k); 1 is agreement, nan a gap (Saaty 2003).

    References
    ----------
    Saaty (2003) European Journal of Operational Research 145:85-91, doi:10.1016/S0377-2217(02)00227-8.
    """
    return matrices * (weights[..., None, :] / weights[..., :, None])


def consensus(weights: np.ndarray, shares: np.ndarray | None = None, scale_end: float = 9.0) -> np.ndarray:
    """How much the weights (..., experts, k) of a group agree, (...,): 1 is full agreement, near 0 none.

    With H the Shannon entropy, beta = H(mean weights) - mean H(weights) is the diversity between experts. The indicator is
    exp(-beta), rescaled so that 0 is what experts reach who each put another criterion at the end of the scale above all
    the rest; weights more extreme than that can take it a little below 0.

    Parameters
    ----------
    weights : (..., experts, k), each row sums to 1
    shares : (experts,) the experts' own weights; equal where not given
    scale_end : the largest judgement of the scale

    References
    ----------
    Goepel (2013) Proceedings of the International Symposium on the AHP, Kuala Lumpur, doi:10.13033/isahp.y2013.047, in the
    form of Goepel (2018) International Journal of the Analytic Hierarchy Process 10:469-487, doi:10.13033/ijahp.v10i3.590.

    >>> float(consensus(np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])))
    1.0
    """
    experts, k = weights.shape[-2:]
    shares = np.full(experts, 1 / experts) if shares is None else np.asarray(shares) / np.sum(shares)
    alpha = shares @ _entropy(weights)[..., None]
    gamma = _entropy(np.einsum("e,...ek->...k", shares, weights))
    most_extreme = normalise(np.array([scale_end, *[1.0] * (k - 1)]))
    lowest = np.exp(_entropy(most_extreme)) / k
    return (np.exp(alpha[..., 0] - gamma) - lowest) / (1 - lowest)


def _entropy(weights: np.ndarray) -> np.ndarray:
    return -(weights * np.log(weights)).sum(axis=-1)
