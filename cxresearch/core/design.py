"""How the sample was drawn: survey weights and clusters, as one argument."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.errors import InputError, name_some


@dataclass(frozen=True, slots=True)
class Design:
    """Sampling weights and clusters of the rows of a survey.

    Both are Series on the row index of the answers; None where the study has none. A row keeps its weight and cluster
    whatever subset of rows a method uses (`on`). `sampled` says of which large table the rows are a random sample.

    Raises
    ------
    InputError
        If either is no Series or has two values for one row; if a weight is no number, missing, negative or infinite, or all
        are zero; if a cluster is missing; and, when used, if a row of the answers has no weight or cluster.
    """

    weights: pd.Series | None = None
    clusters: pd.Series | None = None
    sampled: str = ""

    def __post_init__(self) -> None:
        for name, column in (("weights", self.weights), ("clusters", self.clusters)):
            if column is not None:
                _refuse_bad_index(name, column)
        if self.weights is not None:
            object.__setattr__(self, "weights", _sound_weights(self.weights))
        if self.clusters is not None and self.clusters.isna().any():
            raise InputError(
                "every row needs a cluster",
                f"found none{_where(self.clusters, self.clusters.isna().to_numpy())}",
                "Fill the cluster column, or leave the rows out with `survey.where`.",
            )

    @property
    def is_simple(self) -> bool:
        """Whether rows were drawn one by one with equal weights."""
        return self.weights is None and self.clusters is None

    @property
    def words(self) -> str:
        """What to say in a result's `method`: '', 'weighted', 'clustered' or both, and the sample where the rows are one."""
        parts = [("weighted", self.weights), ("clustered", self.clusters)]
        said = [word for word, column in parts if column is not None]
        return "; ".join([*said, *([self.sampled] if self.sampled else [])])

    def on(self, index: pd.Index) -> "Design":
        """The design of the rows in `index`."""
        return Design(
            None if self.weights is None else _of_rows("weights", self.weights, index),
            None if self.clusters is None else _of_rows("clusters", self.clusters, index),
            self.sampled,
        )

    def weights_on(self, index: pd.Index) -> np.ndarray:
        """Weights of the rows in `index`, shape (n,), scaled to mean 1; ones where the study has none."""
        if self.weights is None:
            return np.ones(len(index))
        weights = _of_rows("weights", self.weights, index).to_numpy(float)
        if len(weights) and weights.sum() == 0:
            raise InputError(
                "the rows used must carry some weight",
                f"all {len(weights)} have weight 0",
                "Check the weight column, or leave `survey.weight` out.",
            )
        return weights / weights.mean() if len(weights) else weights

    def count_clusters(self, index: pd.Index) -> int | None:
        """Clusters of the rows in `index`; None where there are none."""
        return None if self.clusters is None else int(_of_rows("clusters", self.clusters, index).nunique())

    def clusters_on(self, index: pd.Index) -> np.ndarray:
        """Cluster numbers 0..G-1 of the rows in `index`, shape (n,); each row its own cluster where there are none."""
        if self.clusters is None:
            return np.arange(len(index))
        return pd.factorize(_of_rows("clusters", self.clusters, index))[0]


def _refuse_bad_index(name: str, column: object) -> None:
    if not isinstance(column, pd.Series):
        raise InputError(
            f"`{name}` must be a Series on the row index of the answers",
            f"found {type(column).__name__}",
            f"Write `pd.Series({name}, index=answers.index)`.",
        )
    twice = column.index[column.index.duplicated()].unique()
    if len(twice):
        raise InputError(
            f"`{name}` must have one value a row",
            f"found several for {name_some(twice)} ({len(twice):,} of {column.index.nunique():,} index labels)",
            "Give the rows an index without repetition.",
        )


def _of_rows(name: str, column: pd.Series, index: pd.Index) -> pd.Series:
    lost = index[~index.isin(column.index)]
    if len(lost):
        raise InputError(
            f"`{name}` must have the index of the answers",
            f"found none for the rows {name_some(lost)} ({len(lost):,} of {len(index):,})",
            "Take weights and clusters from the same table as the answers.",
        )
    return column.loc[index]


def _sound_weights(weights: pd.Series) -> pd.Series:
    """The weights as floats, once it is sure that each is a number of 0 or more and some weigh."""
    values = pd.to_numeric(weights, errors="coerce").to_numpy(float, na_value=np.nan)
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        kinds = dict.fromkeys(map(_told, weights[bad]))  # each once
        raise InputError(
            "every survey weight must be a number of 0 or more",
            f"found {name_some(kinds)}{_where(weights, bad)}",
            "Mend the weight column, or leave the rows out with `survey.where`.",
        )
    if len(values) and values.sum() == 0:
        raise InputError("some survey weight must be above 0", "all are 0", "Check the weight column.")
    return pd.Series(values, weights.index, name=weights.name)


def _told(weight: object) -> str:
    """A bad weight as a message shows it."""
    if pd.isna(weight) or not str(weight).strip():  # type: ignore[call-overload]
        return "blank"
    return f"{weight!r}, not a number," if isinstance(weight, str) else f"{weight:g}"


def _where(column: pd.Series, bad: np.ndarray) -> str:
    """In which column and at which rows: counted from 1 where the index counts the rows of a table from 0."""
    named = f" in `{column.name}`" if column.name is not None else ""
    rows = column.index[bad] + 1 if pd.api.types.is_integer_dtype(column.index) else column.index[bad]
    return f"{named} at data rows {name_some(rows)} ({bad.sum():,} of {len(column):,})"
