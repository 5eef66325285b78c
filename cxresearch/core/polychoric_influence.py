"""What each respondent adds to polychoric correlations and thresholds: their asymptotic covariance, and that of what follows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxresearch.core.rows import sum_by_unit

ENTRIES = 4_000_000  # influences of rows held at a time; does not change the numbers


@dataclass(frozen=True, slots=True)
class RowInfluences:
    """How much each of n rows moves the polychoric correlations of the m pairs of p items, and the items' thresholds.

    An influence is n times the change of an estimate by one more such row; the row's weight multiplies it.

    Attributes
    ----------
    moved : (m, K, K) influence of an answer in each cell of a pair's table on its correlation; nan for pairs at the limit
    shares : (p, K) of the answers to each item
    thresholds : (p, K - 1)
    codes : (n, p) category numbers of the answers
    pairs : first and second item of each pair, (m,) each
    weights : (n,) of mean 1
    unit : (n,) cluster number of each row; None where each row was drawn by itself
    """

    moved: np.ndarray
    shares: np.ndarray
    thresholds: np.ndarray
    codes: np.ndarray
    pairs: tuple[np.ndarray, np.ndarray]
    weights: np.ndarray
    unit: np.ndarray | None

    def covariance(self, *, clustered: bool = True) -> np.ndarray:
        """(m, m) asymptotic covariance of the correlations, times n; over rows instead of clusters if not `clustered`.

        References
        ----------
        Muthen (1984) Psychometrika 49:115-132, doi:10.1007/BF02294210. Asparouhov (2005) Structural Equation Modeling
        12:411-434, doi:10.1207/s15328007sem1203_4 (weights and clusters).
        """
        return self._mean_products(self._on_correlations, len(self.moved), clustered=clustered)

    def covariance_of(self, by_correlations: np.ndarray, by_thresholds: np.ndarray) -> np.ndarray:
        """(c, c) asymptotic covariance, times n, of c functions with the derivatives (m, c) and (p, K - 1, c)."""
        moved = self._on_thresholds(by_thresholds)
        items = np.arange(self.codes.shape[1])

        def on_functions(rows: slice) -> np.ndarray:
            by_answers = moved[items, self.codes[rows]].sum(axis=1)
            return self._on_correlations(rows) @ by_correlations + by_answers * self.weights[rows, None]

        return self._mean_products(on_functions, by_correlations.shape[1], clustered=True)

    def _on_correlations(self, rows: slice) -> np.ndarray:
        """(r, m) influences of some rows, times their weights."""
        m, size, _ = self.moved.shape
        codes = self.codes[rows]
        cells = codes[:, self.pairs[0]] * size + codes[:, self.pairs[1]]
        cells += np.arange(m) * (size * size)
        found = self.moved.take(cells)
        found *= self.weights[rows, None]
        return found

    def _on_thresholds(self, derivatives: np.ndarray) -> np.ndarray:
        """(p, K, c) what each answer adds to c functions by way of the thresholds, given their derivatives (p, K - 1, c)."""
        below = np.cumsum(self.shares, axis=1)[:, :-1]
        density = np.exp(-(self.thresholds**2) / 2) / np.sqrt(2 * np.pi)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(((below > 0) & (density > 1e-100))[..., None], derivatives / density[..., None], 0.0)
        categories = np.arange(self.shares.shape[1])
        at_most = categories[:, None] <= categories[:-1]  # an answer in k counts below the thresholds from k on
        return np.einsum("kt,ptc->pkc", at_most, slope) - np.einsum("pt,ptc->pc", below, slope)[:, None, :]

    def _mean_products(self, of_rows: Callable[[slice], np.ndarray], width: int, *, clustered: bool) -> np.ndarray:
        """(c, c) sums of products over rows or clusters of what they add, over n, with the usual correction for the mean."""
        n, size = len(self.codes), max(1, ENTRIES // max(width, len(self.moved)))
        blocks = [slice(start, start + size) for start in range(0, n, size)]
        if self.unit is None or not clustered:
            total = np.zeros((width, width))
            for rows in blocks:
                added = of_rows(rows)
                total += added.T @ added
            return total / (n - 1)
        n_units = int(self.unit.max()) + 1
        sums = np.zeros((n_units, width))
        for rows in blocks:
            sums += sum_by_unit(of_rows(rows), self.unit[rows], n_units)
        return sums.T @ sums * (n_units / (n_units - 1) / n)
