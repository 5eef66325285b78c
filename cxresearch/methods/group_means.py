"""Group means: linearised errors that respect weights and clusters, bootstrap replicates, ranks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.resampling import resample_counts
from cxresearch.methods.linearised import linearised_means


@dataclass(frozen=True, slots=True)
class GroupMeans:
    """Means of k groups.

    Attributes
    ----------
    names : (k,) codes of the groups
    n : (k,) rows
    units : (k,) rows, or clusters where the design has them: what the errors rest on
    mean : (k,)
    cov : (k, k) covariances of the means; nan in the row and column of a group with a single cluster
    shared : (k, k) clusters with rows in either group of a pair
    """

    names: tuple[str, ...]
    n: np.ndarray
    units: np.ndarray
    mean: np.ndarray
    cov: np.ndarray
    shared: np.ndarray

    @property
    def std_error(self) -> np.ndarray:
        """(k,) standard errors of the means."""
        return np.sqrt(np.diag(self.cov))

    @property
    def df(self) -> np.ndarray:
        """(k,) rows or clusters of the group, less one."""
        return self.units - 1.0


def group_means(
    values: np.ndarray, codes: np.ndarray, names: tuple[str, ...], design: Design, index: pd.Index
) -> GroupMeans:
    """Weighted means of groups with linearised (sandwich) errors.

    Each group counts as a sample of its own: with one row a unit the error is sd / sqrt(n); with weights and clusters it is
    that of a ratio mean (`linearised_means`), with the clusters G counted inside the group. Groups that share clusters have
    correlated means.

    Parameters
    ----------
    values, codes : (n,) numbers, and group numbers 0..k-1
    names : (k,) group codes
    design, index : weights and clusters, and the rows' index
    """
    found = linearised_means(values, design.weights_on(index), codes, design.clusters_on(index), len(names))
    if design.clusters is None:  # each row in one group: no two groups share units
        cov, common = np.diag(found.std_error**2), np.diag(found.units)
        cov[found.units < 2, :] = cov[:, found.units < 2] = np.nan
    else:
        cov, common = found.cov, found.common
    n = np.bincount(codes, minlength=len(names))
    return GroupMeans(names, n, found.units, found.mean, cov, found.units[:, None] + found.units - common)


def bootstrap_means(
    samples: Sequence[tuple[pd.Series, np.ndarray, int]],
    design: Design,
    index: pd.Index,
    *,
    n_bootstrap: int,
    seed: int,
) -> list[np.ndarray]:
    """Group means of several measures in the same resamples of rows or clusters.

    Parameters
    ----------
    samples : for each measure its values on their index (n,), their group numbers (n,) and the number of groups k
    design, index : weights and clusters, and the index of all rows that are drawn; a row without a measure counts nothing

    Returns
    -------
    for each measure (B, k); nan where a resample has no row of a group
    """
    clusters, weights = (pd.Series(column, index) for column in (design.clusters_on(index), design.weights_on(index)))
    n_units = int(clusters.max()) + 1
    totals, centres = [], []
    for values, codes, groups in samples:
        units, own = clusters.loc[values.index].to_numpy(), weights.loc[values.index].to_numpy()
        centres.append(values.mean())
        sums = np.zeros((2, n_units, groups))
        np.add.at(sums[0], (units, codes), own)
        np.add.at(sums[1], (units, codes), own * (values.to_numpy() - centres[-1]))
        totals += [sums[0], sums[1]]
    together = np.hstack(totals)
    blocks = resample_counts(n_units, n_bootstrap, seed=seed, clustered=design.clusters is not None)
    drawn = np.empty((n_bootstrap, together.shape[1]))
    for start, counts in blocks:
        drawn[start : start + len(counts)] = counts @ together
    parts = np.split(drawn, np.cumsum([total.shape[1] for total in totals])[:-1], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return [parts[2 * at + 1] / parts[2 * at] + centre for at, centre in enumerate(centres)]


def ranks(means: np.ndarray) -> np.ndarray:
    """Rank of each mean along the last axis, 1 for the highest; equal means share the better rank; nan stays nan.

    >>> ranks(np.array([4.1, 4.5, 3.9, 4.5]))
    array([3., 1., 4., 1.])
    """
    above = (means[..., None, :] > means[..., :, None]).sum(axis=-1)
    return np.where(np.isnan(means), np.nan, above + 1.0)
