"""Means and covariances with leading axes: one sample, a bootstrap, or a set of groups.

Everything that needs only `n`, means and covariances takes Moments, so that a bootstrap is a stack of covariance matrices
on which an estimator runs once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.resampling import interval, resample_counts
from cxresearch.core.rows import complete_values, sum_by_unit
from cxresearch.errors import InputError, name_some

RANDOM_GROUPS = "random groups"  # in `method`: a bootstrap drew random groups of rows, as rows are too many to draw
ROUNDING = 1e-12  # of its mean square a smaller variance, and of its mean a smaller deviation, is what rounding left


@dataclass(frozen=True, slots=True)
class Moments:
    """Sample size, means and covariances of p items, with any leading axes.

    Attributes
    ----------
    n : (...,) number of rows
    mean : (..., p)
    cov : (..., p, p), denominator n - 1
    names : the p items
    design_words : '', 'weighted', 'clustered' or both: how the rows were counted; before it 'em' where incomplete rows count
        too, and 'moments only' where a verb was given no rows
    n_units : of a bootstrap, the rows or clusters that were drawn from; 0 of a sample
    n_incomplete : how many of the rows lack an answer (`core.em`)
    iterations : of the EM algorithm behind them; 0 of complete rows
    """

    n: np.ndarray
    mean: np.ndarray
    cov: np.ndarray
    names: tuple[str, ...]
    design_words: str = ""
    n_units: int = 0
    n_incomplete: int = 0
    iterations: int = 0

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, design: Design | None = None) -> "Moments":
        """Moments of complete numeric rows.

        Weights are scaled to mean 1 and the covariance is sum(w d d') / (n - 1), so that equal weights give the
        unweighted numbers and `n` counts rows.

        >>> Moments.from_frame(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 3.0, 2.0]})).cov
        array([[1. , 0.5],
               [0.5, 1. ]])

        Raises
        ------
        InputError
            For text, missing answers, or fewer than two rows.
        """
        design = design or Design()
        values = complete_values(frame)
        weights = design.weights_on(frame.index)
        n = len(values)
        mean = weights @ values / n
        deviations = deviations_from(values, mean)
        cov = (deviations * weights[:, None]).T @ deviations / (n - 1)
        return cls(np.asarray(n), mean, cov, tuple(map(str, frame.columns)), design.words)

    @classmethod
    def from_correlation(
        cls,
        correlation: pd.DataFrame,
        n: int,
        *,
        mean: Sequence[float] | None = None,
        sd: Sequence[float] | None = None,
    ) -> "Moments":
        """Moments of a published correlation matrix: a study to reproduce.

        Parameters
        ----------
        correlation : square DataFrame, (p, p), items as rows and columns in the same order
        n : respondents behind it
        mean, sd : (p,) each; nan and 1 where not published

        Raises
        ------
        InputError
            If the matrix is not square, symmetric, with ones on the diagonal and values within -1 to 1.
        """
        matrix = correlation.to_numpy(float)
        names = tuple(map(str, correlation.columns))
        same_names = matrix.shape[0] == matrix.shape[1] and names == tuple(map(str, correlation.index))
        proper = (
            same_names
            and bool(np.isfinite(matrix).all())
            and np.allclose(matrix, matrix.T, atol=1e-8)
            and np.allclose(np.diag(matrix), 1)
            and bool((np.abs(matrix) <= 1 + 1e-8).all())
        )
        if not proper or n < 2:
            raise InputError(
                "`correlation` must be a complete symmetric matrix with ones on its diagonal, values from -1 to 1, the same "
                "names on rows and columns, and `n` of 2 or more",
                f"found shape {matrix.shape} and n = {n}",
                "Type the whole matrix, both triangles.",
            )
        scale = np.ones(len(names)) if sd is None else np.asarray(sd, float)
        centre = np.full(len(names), np.nan) if mean is None else np.asarray(mean, float)
        return cls(np.asarray(n), centre, matrix * np.outer(scale, scale), names)

    @property
    def sd(self) -> np.ndarray:
        """(..., p) standard deviations."""
        return np.sqrt(np.diagonal(self.cov, axis1=-2, axis2=-1))

    @property
    def corr(self) -> np.ndarray:
        """(..., p, p) correlations; nan in the row and column of a constant item."""
        return correlation_of(self.cov)

    def select(self, names: Sequence[str]) -> "Moments":
        """The moments of some of the items, in the order asked for.

        Raises
        ------
        InputError
            For a name that is no item.
        """
        unknown = [str(name) for name in names if name not in self.names]
        if unknown:
            raise InputError(
                "every name must be an item of the moments",
                f"found no {name_some(unknown)}",
                f"The items are {name_some(self.names, 12)}.",
            )
        where = [self.names.index(name) for name in names]
        return replace(self, mean=self.mean[..., where], cov=self.cov[..., where, :][..., where], names=tuple(names))

    def __getitem__(self, names: Sequence[str]) -> "Moments":
        """As `select`: moments are taken apart as a DataFrame of answers is."""
        return self.select(names)

    def combine(self, recipe: pd.DataFrame) -> "Moments":
        """Moments of linear combinations of the items, e.g. of construct means.

        Parameters
        ----------
        recipe : (p, q) DataFrame, rows the items of these moments, columns the combinations, cells the coefficients
        """
        coefficients = recipe.loc[list(self.names)].to_numpy(float)
        return replace(
            self,
            mean=self.mean @ coefficients,
            cov=coefficients.T @ self.cov @ coefficients,
            names=tuple(map(str, recipe.columns)),
        )

    def interval(self, estimates: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Expanded percentile interval of what was estimated from each replicate of this bootstrap, (B, ...)."""
        clustered = any(word in self.design_words for word in ("clustered", RANDOM_GROUPS))
        return interval(estimates, level, n_units=self.n_units, clustered=clustered)


def deviations_from(values: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """`values` less `mean`, shapes that broadcast; exactly 0 where the difference is what rounding left, as in a constant column.

    >>> values, weights = np.full(3, 4.1), np.array([0.7, 1.1, 1.2])
    >>> deviations_from(values, weights @ values / weights.sum())
    array([0., 0., 0.])
    """
    deviations = values - mean
    return np.where(np.abs(deviations) <= ROUNDING * np.abs(mean), 0.0, deviations)


def correlation_of(cov: np.ndarray) -> np.ndarray:
    """Correlations (..., p, p) of covariances (..., p, p); exact ones on the diagonal, nan for a constant item."""
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(sd > 0, 1 / sd, np.nan)
    corr = cov * inverse[..., :, None] * inverse[..., None, :]
    diagonal = np.arange(cov.shape[-1])
    corr[..., diagonal, diagonal] = np.where(np.isnan(inverse), np.nan, 1.0)
    return corr


def bootstrap_moments(frame: pd.DataFrame, n_bootstrap: int, *, seed: int, design: Design | None = None) -> Moments:
    """Moments of `n_bootstrap` resamples of the rows, as a stack.

    Rows are drawn with replacement (multinomial counts). Where the design has clusters, whole clusters are drawn: G - 1
    of G, as Rao and Wu (1988) rescale, so that few clusters do not make the intervals too short. Survey weights multiply
    the counts.

    Returns
    -------
    Moments with n (B,), mean (B, p), cov (B, p, p)

    References
    ----------
    Efron and Tibshirani (1993) An Introduction to the Bootstrap. Rao and Wu (1988) JASA 83:231-241,
    doi:10.1080/01621459.1988.10478591.
    """
    design = design or Design()
    values = complete_values(frame)
    centre = values.mean(axis=0)  # products of centred values: no digits are lost for large means
    sums = _unit_totals(values - centre, design, frame.index)
    names = tuple(map(str, frame.columns))
    return resample_totals(
        sums,
        len(values),
        centre,
        names,
        n_bootstrap,
        seed=seed,
        clustered=design.clusters is not None,
        said=design.words,
    )


def resample_totals(
    sums: np.ndarray,
    n: int,
    centre: np.ndarray,
    names: tuple[str, ...],
    n_bootstrap: int,
    *,
    seed: int,
    clustered: bool,
    said: str,
) -> Moments:
    """Moments of resamples of units, as a stack, from what each unit adds to the sums of n rows.

    Parameters
    ----------
    sums : (units, 1 + p + p(p+1)/2) of the weight, the answers less `centre`, and the upper triangle of their products
    clustered : whether units are drawn as clusters are, G - 1 of G
    said : the `design_words`
    """
    draws, p = resample_counts(len(sums), n_bootstrap, seed=seed, clustered=clustered), len(names)
    mean, cov = np.empty((n_bootstrap, p)), np.empty((n_bootstrap, p, p))
    for start, counts in draws:
        block = slice(start, start + len(counts))
        mean[block], cov[block] = means_of_totals(counts @ sums, n, p)
    return Moments(np.full(n_bootstrap, n), mean + centre, cov, names, said, len(sums))


def means_of_totals(sums: np.ndarray, n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Means (b, p) and covariances (b, p, p) of sums (b, 1 + p + p(p+1)/2); a variance is exactly 0 where an item is constant."""
    upper = np.triu_indices(p)
    size = sums[:, :1]
    mean = sums[:, 1 : p + 1] / size
    second = np.empty((len(sums), p, p))
    second[:, upper[0], upper[1]] = second[:, upper[1], upper[0]] = sums[:, p + 1 :] / size
    within = second - mean[:, :, None] * mean[:, None, :]
    squares, spread = (np.diagonal(part, axis1=1, axis2=2) for part in (second, within))
    varies = spread > ROUNDING * squares  # else constant in this resample: exactly 0, not what rounding left
    return mean, np.where(varies[:, :, None] & varies[:, None, :], within, 0.0) * (n / (n - 1))


def _unit_totals(centred: np.ndarray, design: Design, index: pd.Index) -> np.ndarray:
    """Weighted sums per resampling unit: weight, values, upper triangle of products; shape (units, 1 + p + p(p+1)/2)."""
    n, p = centred.shape
    upper = np.triu_indices(p)
    weights = design.weights_on(index)
    rows = np.column_stack([np.ones(n), centred, centred[:, upper[0]] * centred[:, upper[1]]]) * weights[:, None]
    if design.clusters is None:
        return rows
    codes = design.clusters_on(index)
    return sum_by_unit(rows, codes, int(codes.max()) + 1)
