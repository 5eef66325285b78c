"""How the sample was drawn: survey weights and clusters, as one argument."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.errors import InputError, name_some


@dataclass(frozen=True, slots=True)
class Design:
    """Sampling weights and clusters of the rows of a survey.

    Both are Series on the row index of the answers; None where the study has none. A row keeps its weight and cluster
    whatever subset of rows a method uses (`on`).

    Raises
    ------
    InputError
        If a weight is missing, negative or infinite, if all are zero, or if a cluster is missing.
    """

    weights: pd.Series | None = None
    clusters: pd.Series | None = None

    def __post_init__(self) -> None:
        if self.weights is not None:
            _refuse_bad_weights(self.weights)
        if self.clusters is not None and self.clusters.isna().any():
            rows = self.clusters.index[self.clusters.isna()]
            raise InputError(
                "every row needs a cluster",
                f"found none in rows {name_some(rows)} ({len(rows)} of {len(self.clusters)})",
                "Fill the cluster column, or leave the rows out with `survey.where`.",
            )

    @property
    def is_simple(self) -> bool:
        """Whether rows were drawn one by one with equal weights."""
        return self.weights is None and self.clusters is None

    @property
    def words(self) -> str:
        """What to say in a result's `method`: '', 'weighted', 'clustered' or 'weighted; clustered'."""
        parts = [("weighted", self.weights), ("clustered", self.clusters)]
        return "; ".join(word for word, column in parts if column is not None)

    def on(self, index: pd.Index) -> "Design":
        """The design of the rows in `index`."""
        return Design(
            None if self.weights is None else self.weights.loc[index],
            None if self.clusters is None else self.clusters.loc[index],
        )

    def weights_on(self, index: pd.Index) -> np.ndarray:
        """Weights of the rows in `index`, shape (n,), scaled to mean 1; ones where the study has none."""
        if self.weights is None:
            return np.ones(len(index))
        weights = self.weights.loc[index].to_numpy(float)
        if len(weights) and weights.sum() == 0:
            raise InputError(
                "the rows used must carry some weight",
                f"all {len(weights)} have weight 0",
                "Check the weight column, or leave `survey.weight` out.",
            )
        return weights / weights.mean() if len(weights) else weights

    def clusters_on(self, index: pd.Index) -> np.ndarray:
        """Cluster numbers 0..G-1 of the rows in `index`, shape (n,); each row its own cluster where there are none."""
        if self.clusters is None:
            return np.arange(len(index))
        return pd.factorize(self.clusters.loc[index])[0]


def _refuse_bad_weights(weights: pd.Series) -> None:
    values = weights.to_numpy(float, na_value=np.nan)
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        rows = weights.index[bad]
        raise InputError(
            "every survey weight must be a number of 0 or more",
            f"found a missing, negative or infinite weight in rows {name_some(rows)} ({len(rows)} of {len(weights)})",
            "Mend the weight column, or leave the rows out with `survey.where`.",
        )
    if len(values) and values.sum() == 0:
        raise InputError("some survey weight must be above 0", "all are 0", "Check the weight column.")
