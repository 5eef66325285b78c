"""From the matrices of many experts to the weights of the group, one parent at a time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cxresearch.core.rules import RULES
from cxresearch.methods.ahp_matrix import (
    WEIGHTS,
    RandomIndex,
    WeightMethod,
    are_connected,
    consistency_index,
    consistency_ratio,
    count_gaps,
    fill_gaps,
    normalise,
    principal_eigen,
)
from cxresearch.methods.judgements import Panel

Aggregation = Literal["aij", "aip_geometric", "aip_arithmetic"]


@dataclass(frozen=True, slots=True)
class Appraisal:
    """What the judgements below one parent amount to, expert by expert.

    Attributes
    ----------
    parent, criteria, matrices : as in the Panel, nan where a pair was not asked
    method : how weights were found
    connected : (experts,) whether the comparisons join all criteria; where not, the next ones are nan
    weights : (experts, k)
    eigenvalue, index, ratio : (experts,) principal eigenvalue, consistency index and ratio; no ratio (nan) where three or
        more criteria are joined by so few comparisons that nothing could contradict
    gaps : (experts,) pairs that were not asked
    spare : (experts,) comparisons beyond the fewest that join all criteria; with none, nothing can contradict
    """

    parent: str
    criteria: tuple[str, ...]
    matrices: np.ndarray
    method: WeightMethod
    connected: np.ndarray
    weights: np.ndarray
    eigenvalue: np.ndarray
    index: np.ndarray
    ratio: np.ndarray
    gaps: np.ndarray
    spare: np.ndarray

    @property
    def judged(self) -> np.ndarray:
        """(experts,) pairs that were asked."""
        k = len(self.criteria)
        return k * (k - 1) // 2 - self.gaps

    @property
    def consistent(self) -> np.ndarray:
        """(experts,) whether the ratio keeps Saaty's rule; False where there is none."""
        return RULES["consistency_ratio"].met(self.ratio)

    @property
    def inconsistent(self) -> np.ndarray:
        """(experts,) whether the ratio breaks Saaty's rule; False where there is none."""
        return np.isfinite(self.ratio) & ~self.consistent


def appraise(panel: Panel, *, method: WeightMethod, table: RandomIndex) -> Appraisal:
    """Weights and consistency of every expert of a panel."""
    matrices, k = panel.matrices, len(panel.criteria)
    connected = are_connected(matrices)
    gaps = count_gaps(matrices)
    usable = np.where(connected[:, None, None], matrices, 1.0)  # the numbers of the others are blanked below
    _, eigenvalue = principal_eigen(usable)
    index = consistency_index(eigenvalue, k)
    usable_gaps = np.where(connected, gaps, 0)
    ratio = consistency_ratio(index, k, usable_gaps, table)
    spare = (k - 1) * (k - 2) // 2 - gaps
    return Appraisal(
        parent=panel.parent,
        criteria=panel.criteria,
        matrices=matrices,
        method=method,
        connected=connected,
        weights=np.where(connected[:, None], WEIGHTS[method](usable), np.nan),
        eigenvalue=np.where(connected, eigenvalue, np.nan),
        index=np.where(connected, index, np.nan),
        ratio=np.where(connected & ((spare > 0) | (k < 3)), ratio, np.nan),
        gaps=gaps,
        spare=spare,
    )


def group_matrix(appraisal: Appraisal, counts: np.ndarray) -> np.ndarray:
    """Geometric means (..., k, k) of the experts' judgements: aggregation of individual judgements.

    A gap of an expert counts as the ratio of that expert's own weights, so that every pair rests on the same experts.

    Parameters
    ----------
    counts : (..., experts) how much each expert counts; nothing for those that are not connected

    References
    ----------
    Aczel and Saaty (1983) Journal of Mathematical Psychology 27:93-102, doi:10.1016/0022-2496(83)90028-7.
    """
    filled = fill_gaps(appraisal.matrices, appraisal.weights)
    logs = np.log(np.where(appraisal.connected[:, None, None], filled, 1.0))
    return np.exp(np.tensordot(_shares(appraisal, counts), logs, axes=(-1, 0)))


def group_weights(appraisal: Appraisal, counts: np.ndarray, how: Aggregation) -> np.ndarray:
    """Weights (..., k) of the group: one group, or a bootstrap of it. nan where no usable expert counts.

    Parameters
    ----------
    counts : (..., experts) how much each expert counts
    how : "aij" weights of the geometric mean of the judgements; "aip_geometric" and "aip_arithmetic" mean of the experts'
        weights, scaled to sum 1

    References
    ----------
    Forman and Peniwati (1998) European Journal of Operational Research 108:165-169, doi:10.1016/S0377-2217(97)00244-0.
    """
    known = (counts * appraisal.connected).sum(axis=-1) > 0
    used = counts[known]
    weights = np.full((*counts.shape[:-1], len(appraisal.criteria)), np.nan)
    if how == "aij":
        weights[known] = WEIGHTS[appraisal.method](group_matrix(appraisal, used))
    elif how == "aip_geometric":
        logs = np.log(np.where(appraisal.connected[:, None], appraisal.weights, 1.0))
        weights[known] = normalise(np.exp(_shares(appraisal, used) @ logs))
    else:
        plain = np.where(appraisal.connected[:, None], appraisal.weights, 0.0)
        weights[known] = normalise(_shares(appraisal, used) @ plain)
    return weights


def _shares(appraisal: Appraisal, counts: np.ndarray) -> np.ndarray:
    return normalise(counts * appraisal.connected)
