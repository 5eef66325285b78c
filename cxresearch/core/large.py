"""A table of answers of any size: nothing of it is held in memory but what its reductions give."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from cxresearch.core import reductions
from cxresearch.core.design import Design
from cxresearch.core.moments import RANDOM_GROUPS
from cxresearch.core.results import words
from cxresearch.core.totals import Totals
from cxresearch.errors import InputError, name_some

GROUPS = 400  # random groups of rows, where the study has no clusters: what a bootstrap draws from
MOST_CLUSTERS = 50_000  # whose sums of products are still held in memory
SAMPLE = 100_000  # rows of the random sample for what needs the answers themselves
_UNIT, _DRAW = "_unit", "_draw"


@dataclass(frozen=True, slots=True)
class LargeTable:
    """Answers of any number of respondents, one row each, in a table that an engine reads when asked for a reduction.

    Attributes
    ----------
    frame : lazy frame of the columns; missing answers are null
    names : numeric columns, in order
    n_rows : rows
    weight : column of survey weights; None where there are none
    clusters : number of clusters; None where rows were drawn one by one: then random groups of rows take their place
    """

    frame: nw.LazyFrame
    names: tuple[str, ...]
    n_rows: int
    weight: str | None
    clusters: int | None
    _known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls, native: Any, names: Sequence[str], *, row: str, weight: str | None = None, cluster: str | None = None
    ) -> "LargeTable":
        """The table behind a DuckDB relation, a Spark, polars or pandas DataFrame, or a pyarrow table.

        Parameters
        ----------
        names : columns of answers; numbers
        row : column of whole numbers that tell the rows apart, from which random groups and samples are drawn
        weight, cluster : columns of the design

        Raises
        ------
        InputError
            For a column that is not there or no number; a weight or cluster that is missing, negative weights; too many clusters.
        """
        frame = nw.from_native(native).lazy()
        schema = frame.collect_schema()
        _refuse_bad_columns(schema, names, [row, *filter(None, (weight, cluster))])
        answers = [_as_float(name, schema) for name in names]
        others = [nw.col(name) for name in schema if name not in names]
        draw = reductions.random_number(row, 0)
        unit = nw.col(cluster) if cluster else draw % GROUPS
        frame = frame.select(*answers, *others).with_columns(draw.alias(_DRAW), unit.alias(_UNIT))
        n_rows, clusters = _count(frame, weight, cluster)
        return cls(frame, tuple(names), n_rows, weight, clusters)

    def __getitem__(self, names: Sequence[str]) -> "LargeTable":
        """The table with some of its columns of answers, in the order asked for.

        Raises
        ------
        InputError
            For a name that is no column of answers.
        """
        unknown = [str(name) for name in names if name not in self.names]
        if unknown:
            raise InputError(
                "every name must be a column of answers",
                f"found no {name_some(unknown)}",
                f"They are {name_some(self.names, 12)}.",
            )
        return replace(self, names=tuple(names))

    def __len__(self) -> int:
        return self.n_rows

    @property
    def columns(self) -> pd.Index:
        """The columns of answers, as those of a DataFrame."""
        return pd.Index(self.names)

    @property
    def design_words(self) -> str:
        """What to say in a result's `method`: how rows count, and what a bootstrap draws."""
        return words("weighted" if self.weight else "", "clustered" if self.clusters is not None else RANDOM_GROUPS)

    @property
    def outline(self) -> pd.DataFrame:
        """Of each column of answers: n answers, low, high, mean."""
        return self._once(("outline", self.names), lambda: reductions.outline(self.frame, self.names))

    def totals(self) -> Totals:
        """Sums of products over the rows that are complete on all columns of answers, by cluster or random group."""
        return self._once(("totals", self.names), self._totals)

    def _totals(self) -> Totals:
        seen = self.outline
        whole = (seen["low"] % 1 == 0) & (seen["high"] % 1 == 0)
        middle = np.nan_to_num(
            seen["mean"].where(~whole, seen["mean"].round()).to_numpy()
        )  # codes stay whole: exact sums
        n, sums = reductions.unit_sums(self.frame, self.names, middle, unit=_UNIT, weight=self.weight)
        return Totals(self.names, n, middle, sums, self.design_words)

    def counts(self, *columns: str, by_unit: bool = False) -> pd.DataFrame:
        """Rows of each combination of values, with their weights: the columns (and `unit`), n, w, w2."""
        wanted = [*columns, *([_UNIT] if by_unit else [])]
        found = self._once(("counts", *wanted), lambda: reductions.value_counts(self.frame, wanted, weight=self.weight))
        return found.rename(columns={_UNIT: "unit"})

    def levels(self) -> dict[str, np.ndarray]:
        """Different answers to each column, in order."""
        return {name: np.unique(self.counts(name)[name].dropna().to_numpy(float)) for name in self.names}

    def pair_tables(self) -> tuple[np.ndarray, np.ndarray]:
        """Tables (p, K, p, K) of all pairs of columns over the complete rows: weights, and squared weights."""
        return self._once(
            ("pairs", self.names), lambda: reductions.pair_tables(self.frame, self.levels(), weight=self.weight)
        )

    def sample(self, n: int = SAMPLE, *, seed: int, also: Sequence[str] = ()) -> tuple[pd.DataFrame, Design]:
        """A simple random sample of about n rows without replacement, with its weights and clusters.

        The same rows for the same seed on every engine. Returns all rows where there are no more than n.
        """
        share = min(1.0, n / max(self.n_rows, 1))
        drawn = (nw.col(_DRAW) * 69_621 + seed % 1_000_003 * 48_271) % reductions.PRIME
        kept = self.frame.filter(drawn < int(share * reductions.PRIME)) if share < 1 else self.frame
        others = [name for name in dict.fromkeys([*also, self.weight]) if name]
        rows = reductions.to_pandas(kept.select(*self.names, *others, _UNIT, _DRAW)).sort_values(_DRAW)
        rows = rows.reset_index(drop=True)
        design = Design(
            None if self.weight is None else rows[self.weight], None if self.clusters is None else rows[_UNIT]
        )
        return rows[[*self.names, *also]], design

    def _once(self, key: Any, make: Any) -> Any:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


def _refuse_bad_columns(schema: nw.Schema, names: Sequence[str], others: Sequence[str]) -> None:
    unknown = [name for name in [*names, *others] if name not in schema]
    text = [name for name in names if name in schema and not schema[name].is_numeric()]
    if unknown or text:
        raise InputError(
            "answers, row numbers and weights must be columns of the table, answers numeric",
            f"found no {name_some(unknown)}" if unknown else f"found text in {name_some(text)}",
            f"The columns are {name_some(list(schema), 12)}.",
        )


def _as_float(name: str, schema: nw.Schema) -> nw.Expr:
    column = nw.col(name).cast(nw.Float64)
    return nw.when(~column.is_nan()).then(column).alias(name) if schema[name].is_float() else column


def _count(frame: nw.LazyFrame, weight: str | None, cluster: str | None) -> tuple[int, int | None]:
    """Rows and clusters, once it is sure that every row has a sound weight and a cluster."""
    wanted = [nw.len().alias("n")]
    if weight is not None:
        value = nw.col(weight).cast(nw.Float64)
        wanted.append((value.is_null() | value.is_nan() | (value < 0)).cast(nw.Int64).sum().alias("bad_weights"))
    if cluster is not None:
        wanted += [
            nw.col(cluster).n_unique().alias("clusters"),
            nw.col(cluster).is_null().cast(nw.Int64).sum().alias("bad_clusters"),
        ]
    found = reductions.to_pandas(frame.select(*wanted)).iloc[0].to_dict()
    for key, told, column in (("bad_weights", "a weight of 0 or more", weight), ("bad_clusters", "a cluster", cluster)):
        if found.get(key):
            raise InputError(
                f"every row needs {told}",
                f"found none in {int(found[key])} of {int(found['n'])} rows of `{column}`",
                "Mend the column, or leave the rows out with `survey.where`.",
            )
    if found.get("clusters", 0) > MOST_CLUSTERS:
        raise InputError(
            f"a large table may have up to {MOST_CLUSTERS} clusters",
            f"found {int(found['clusters'])} in `{cluster}`",
            "Name a coarser column of clusters; units that hold whole clusters give the same intervals.",
        )
    return int(found["n"]), int(found["clusters"]) if cluster is not None else None
