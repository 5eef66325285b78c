"""Weighted means with linearised errors: the one form behind item means, shares and group means."""

from dataclasses import dataclass

import numpy as np

from cxresearch.core.moments import deviations_from


@dataclass(frozen=True, slots=True)
class LinearisedMeans:
    """Means of k columns (items, categories or groups), each of its own rows, and what each sampling unit moves them.

    Attributes
    ----------
    mean : (k,)
    units : (k,) units (rows, or clusters) that have the column
    owner, unit, influence : (m,) one entry a column and unit that has it; the squares of a column's influences sum to the
        variance of its mean
    """

    mean: np.ndarray
    units: np.ndarray
    owner: np.ndarray
    unit: np.ndarray
    influence: np.ndarray

    @property
    def std_error(self) -> np.ndarray:
        """(k,) standard errors; nan where a column has a single unit."""
        squares = np.bincount(self.owner, self.influence**2, len(self.mean))
        return np.where(self.units > 1, np.sqrt(squares), np.nan)

    @property
    def cov(self) -> np.ndarray:
        """(k, k) covariances of means whose columns share units; nan where a column has a single unit."""
        filled = self._filled(self.influence)
        cov = filled.T @ filled
        cov[self.units < 2, :] = cov[:, self.units < 2] = np.nan
        return cov

    @property
    def common(self) -> np.ndarray:
        """(k, k) units that have both columns."""
        there = self._filled(np.ones(len(self.unit)))
        return there.T @ there

    def _filled(self, entries: np.ndarray) -> np.ndarray:
        filled = np.zeros((self.unit.max() + 1, len(self.mean)))
        filled[self.unit, self.owner] = entries
        return filled


def linearised_means(
    values: np.ndarray, weights: np.ndarray, columns: np.ndarray, units: np.ndarray, n_columns: int
) -> LinearisedMeans:
    """Ratio means of columns and the influence of each unit on them.

    The variance of a mean is the sum over its G units of squared weighted residuals, times G / (G - 1), as R's `survey`
    linearises; with equal weights and one row a unit that is s / sqrt(n).

    Parameters
    ----------
    values, weights : (m,) one entry a row and column that has an answer; weights on any scale
    columns, units : (m,) column number 0..k-1 and unit number of each entry
    n_columns : k

    References
    ----------
    Wolter (2007) Introduction to Variance Estimation, 2nd ed., ch. 6. Lumley (2010) Complex Surveys, ch. 2,
    doi:10.1002/9780470580066.

    >>> found = linearised_means(np.array([1.0, 2, 4, 5]), np.ones(4), np.zeros(4, int), np.arange(4), 1)
    >>> print(found.mean, found.std_error.round(6) == round(np.std([1, 2, 4, 5], ddof=1) / 2, 6))
    [3.] [ True]
    """
    total = np.bincount(columns, weights, n_columns)
    mean = np.bincount(columns, weights * values, n_columns) / total
    return means_moved(mean, weights * deviations_from(values, mean[columns]) / total[columns], columns, units)


def means_moved(mean: np.ndarray, moved: np.ndarray, columns: np.ndarray, units: np.ndarray) -> LinearisedMeans:
    """Means (k,) and the influence of each unit on them, from how far each row moves them, `moved` (m,)."""
    several = int(units.max()) + 1
    cells, where = np.unique(columns * several + units, return_inverse=True)
    owner, unit = np.divmod(cells, several)
    count = np.bincount(owner, minlength=len(mean))
    influence = np.bincount(where, moved) * np.sqrt(count / np.maximum(count - 1.0, 1))[owner]
    return LinearisedMeans(mean, count, owner, unit, influence)
