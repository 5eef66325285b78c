"""Sums of answers and of their products per sampling unit: what moments and their bootstrap need, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cxresearch.core.moments import Moments, means_of_totals, resample_totals
from cxresearch.errors import InputError


@dataclass(frozen=True, slots=True)
class Totals:
    """Weighted sums of p items over their complete rows, by cluster or by random group of rows.

    Attributes
    ----------
    names : the p items
    n : rows behind the sums
    centre : (p,) what was taken off the answers before products were formed, so that no digits are lost
    sums : (units, 1 + p + p(p+1)/2) of the weight, the answers less `centre`, and the upper triangle of their products
    design_words : how the rows were counted, as in `Moments`
    """

    names: tuple[str, ...]
    n: int
    centre: np.ndarray
    sums: np.ndarray
    design_words: str

    def moments(self) -> Moments:
        """Means and covariances of all rows.

        Raises
        ------
        InputError
            For fewer than two rows.
        """
        if self.n < 2:
            raise InputError("at least two rows are needed", f"found {self.n}", "Check `where` and missing answers.")
        mean, cov = means_of_totals(self.sums.sum(axis=0)[None], self.n, len(self.names))
        return Moments(np.asarray(self.n), mean[0] + self.centre, cov[0], self.names, self.design_words)

    def select(self, names: Sequence[str]) -> "Totals":
        """The sums of some of the items, in the order asked for; for items without missing answers."""
        p, where = len(self.names), np.array([self.names.index(name) for name in names])
        place = np.zeros((p, p), int)
        upper = np.triu_indices(p)
        place[upper] = place[upper[1], upper[0]] = 1 + p + np.arange(len(upper[0]))
        ours = np.triu_indices(len(where))
        columns = np.concatenate([[0], 1 + where, place[where[ours[0]], where[ours[1]]]])
        return replace(self, names=tuple(names), centre=self.centre[where], sums=self.sums[:, columns])

    def resample(self, n_bootstrap: int, *, seed: int) -> Moments:
        """Moments of resamples of the units, as a stack (B, ...); random groups are drawn as clusters are.

        References
        ----------
        Rao and Wu (1988) JASA 83:231-241, doi:10.1080/01621459.1988.10478591. Wolter (2007) Introduction to Variance
        Estimation, 2nd ed., ch. 2 (random groups).
        """
        return resample_totals(
            self.sums, self.n, self.centre, self.names, n_bootstrap, seed=seed, clustered=True, said=self.design_words
        )
