"""Groups of a large table: what a comparison needs of them, from counts of each measure's values by group and unit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.large import LargeTable
from cxresearch.core.moments import deviations_from
from cxresearch.core.resampling import resample_counts
from cxresearch.core.results import gather, tidy, words
from cxresearch.errors import InputError, name_some
from cxresearch.methods.group_means import GroupMeans
from cxresearch.methods.group_samples import natural_order
from cxresearch.methods.linearised import linearised_means


@dataclass(frozen=True, slots=True)
class CountedGroups:
    """One measure by group, its rows counted.

    Attributes
    ----------
    measure : its name
    groups, left_out : codes of the groups, and of those with too few rows
    values, codes, units : (m,) a value, the number of its group, and of the cluster or random group of rows
    n, w, w2 : (m,) rows that have these, and their sums of weights and squared weights
    clustered : whether units are clusters
    """

    measure: str
    groups: tuple[str, ...]
    left_out: tuple[str, ...]
    values: np.ndarray
    codes: np.ndarray
    units: np.ndarray
    n: np.ndarray
    w: np.ndarray
    w2: np.ndarray
    clustered: bool

    @classmethod
    def of(cls, table: LargeTable, measure: str, by: str, min_group: int) -> "CountedGroups":
        """The rows that have the measure, a group that is large enough, and a weight above 0.

        Raises
        ------
        InputError
            For fewer than two groups that are large enough, or a constant measure.
        """
        rows = table.counts(measure, by, by_unit=True).dropna(subset=[by])
        every = set(rows[by])
        rows = rows[rows[measure].notna() & (rows["w"] > 0)]
        sizes = rows.groupby(by)["n"].sum()
        groups = sorted(sizes.index[sizes >= min_group], key=natural_order)
        rows = rows[rows[by].isin(groups)]
        if len(groups) < 2 or rows[measure].nunique() < 2:
            listed = name_some(f"{code} ({size})" for code, size in sizes.items()) or "none"
            raise InputError(
                f"a comparison of `{measure}` needs two groups of at least {min_group} rows, and a measure that varies",
                f"found {listed} in `{by}`, and {rows[measure].nunique()} different values",
                "Name another grouping column or measure, or check `where` and the missing answers.",
            )
        return cls(
            measure=measure,
            groups=tuple(groups),
            left_out=tuple(sorted(every - set(groups), key=natural_order)),
            values=rows[measure].to_numpy(float),
            codes=pd.Categorical(rows[by], categories=groups).codes.astype(int),
            units=pd.factorize(rows["unit"], sort=True)[0],
            n=rows["n"].to_numpy(float),
            w=rows["w"].to_numpy(float),
            w2=rows["w2"].to_numpy(float),
            clustered=table.clusters is not None,
        )

    def sums(self, of: np.ndarray) -> np.ndarray:
        """Sums (k,) by group of something (m,)."""
        return np.bincount(self.codes, of, len(self.groups))

    def means(self, *, weighted: bool = True) -> GroupMeans:
        """Means with linearised errors, as `group_means` gives them for the rows."""
        w, w2 = (self.w, self.w2) if weighted else (self.n, self.n)
        n = self.sums(self.n)
        if self.clustered:
            found = linearised_means(self.values, w, self.codes, self.units, len(self.groups))
            shared = found.units[:, None] + found.units - found.common
            return GroupMeans(self.groups, n, found.units, found.mean, found.cov, shared)
        total = self.sums(w)
        mean = self.sums(w * self.values) / total
        cov = np.diag(self.sums(w2 * deviations_from(self.values, mean[self.codes]) ** 2) / total**2 * n / (n - 1))
        return GroupMeans(self.groups, n, n, mean, cov, n[:, None] + n)

    def variance(self, *, weighted: bool = True) -> np.ndarray:
        """Variances (k,) of the groups, denominator n - 1."""
        w, n = self.w if weighted else self.n, self.sums(self.n)
        mean = self.sums(w * self.values) / self.sums(w)
        return self.sums(w * deviations_from(self.values, mean[self.codes]) ** 2) / self.sums(w) * n / (n - 1)

    def bootstrap(self, n_bootstrap: int, *, seed: int) -> np.ndarray:
        """Group means (B, k) in resamples of the units; nan where a resample has no row of a group."""
        units, k = int(self.units.max()) + 1, len(self.groups)
        sums = np.zeros((2, units, k))
        centre = self.w @ self.values / self.w.sum()
        np.add.at(sums[0], (self.units, self.codes), self.w)
        np.add.at(sums[1], (self.units, self.codes), self.w * (self.values - centre))
        drawn = np.empty((2, n_bootstrap, k))
        for start, counts in resample_counts(units, n_bootstrap, seed=seed, clustered=True):
            drawn[:, start : start + len(counts)] = counts @ sums
        with np.errstate(divide="ignore", invalid="ignore"):
            return drawn[1] / drawn[0] + centre

    def omnibus(self, method: str) -> pd.DataFrame:
        """Welch's ANOVA and Kruskal-Wallis (corrected for ties), unweighted, from means, variances and ranks of values."""
        from scipy.special import chdtrc
        from statsmodels.stats.oneway import anova_generic

        n, variance = self.sums(self.n), self.variance(weighted=False)
        total, columns = n.sum(), {"scale": self.measure, "n": n.sum()}
        rows = []
        if (variance > 0).all():
            mean = self.sums(self.n * self.values) / n
            welch = anova_generic(mean, variance, n, use_var="unequal", welch_correction=True)
            numbers = {"statistic": welch.statistic, "df": welch.df_num, "p_value": welch.pvalue}
            rows.append(tidy("welch_f", welch.statistic, **numbers, method=words("welch", method), **columns))
            rows.append(tidy("welch_df_denominator", welch.df_denom, method=words("welch", method), **columns))
        _, where = np.unique(self.values, return_inverse=True)
        ties = np.bincount(where, self.n)
        ranks = (np.cumsum(ties) - (ties - 1) / 2)[where]  # mid-ranks, from 1
        spread = (self.sums(self.n * (ranks - (total + 1) / 2)) ** 2 / n).sum()
        h = spread * 12 / (total * (total + 1)) / (1 - (ties**3 - ties).sum() / (total**3 - total))
        df = len(n) - 1
        rows.append(tidy("kruskal_h", h, statistic=h, df=df, p_value=chdtrc(df, h), method=method, **columns))
        return gather(rows)
