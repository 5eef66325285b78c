"""A table of answers of any size: nothing of it is held in memory but what its reductions give."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from cxresearch.core import pair_counts, products, reductions
from cxresearch.core.design import Design
from cxresearch.core.large_checks import UNIT, WEIGHT, as_number, count_rows, refuse_bad_columns
from cxresearch.core.moments import RANDOM_GROUPS
from cxresearch.core.results import words
from cxresearch.core.totals import Totals
from cxresearch.errors import InputError, name_some

GROUPS = 400  # random groups of rows, where the study has no clusters: what a bootstrap draws from
SAMPLE = 100_000  # rows, about, of the random sample for what needs the answers themselves
_BITS = 60  # marks of a row that one whole number holds
_BY, _DRAW = "by:", "_draw"  # names that no column of a study has


@dataclass(frozen=True, slots=True)
class LargeTable:
    """Answers of any number of respondents, one row each, in a table that an engine reads when asked for a reduction.

    Attributes
    ----------
    frame : lazy frame of the answers, the groups, and what a design and a bootstrap need; missing answers are null
    names : columns of answers, in order
    groups : columns by which rows can be counted apart
    n_rows : rows
    weighted : whether rows have survey weights
    clusters : number of clusters; None where rows were drawn one by one: then random groups of rows take their place
    every : the columns of answers before some of them were chosen
    whole : of these, those known to hold whole numbers
    """

    frame: nw.LazyFrame
    names: tuple[str, ...]
    groups: tuple[str, ...]
    n_rows: int
    weighted: bool
    clusters: int | None
    every: tuple[str, ...]
    whole: frozenset[str]
    _known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        table: Any,
        names: Sequence[str] | Mapping[str, str],
        *,
        row: str,
        weight: str | None = None,
        cluster: str | None = None,
        groups: Sequence[str] = (),
    ) -> "LargeTable":
        """The table behind a DuckDB relation, a Spark, polars, pandas or Narwhals DataFrame, or a pyarrow table.

        Parameters
        ----------
        names : columns of answers; numbers; where they go by other names in the table, these
        row : column of whole numbers that tell the rows apart, from which random groups and samples are drawn
        weight, cluster : columns of the design
        groups : further columns by which rows can be counted apart

        Raises
        ------
        InputError
            For a column that is not there or no number; a weight or cluster that is missing; negative weights; too many clusters.
        """
        frame = nw.from_native(table).lazy()
        schema = frame.collect_schema()
        columns = dict(names) if isinstance(names, Mapping) else {name: name for name in names}
        refuse_bad_columns(schema, list(columns.values()), [row, *groups, *filter(None, (weight, cluster))])
        draw = reductions.random_number(row)
        frame = frame.select(
            *(as_number(column, schema).alias(name) for name, column in columns.items()),
            *(nw.col(name).alias(_BY + name) for name in groups),
            (nw.lit(1.0, nw.Float64) if weight is None else nw.col(weight).cast(nw.Float64)).alias(WEIGHT),
            (nw.col(cluster) if cluster else draw % GROUPS).alias(UNIT),
            draw.alias(_DRAW),
        )
        n_rows, clusters = count_rows(frame, weight, cluster)
        whole = frozenset(name for name, column in columns.items() if schema[column].is_integer())
        answers = tuple(columns)
        return cls(frame, answers, tuple(groups), n_rows, weight is not None, clusters, answers, whole)

    def derive(self, columns: Mapping[str, nw.Expr]) -> "LargeTable":
        """The table with other columns of answers, made from these row by row: scores, for instance."""
        own = [*(_BY + name for name in self.groups), WEIGHT, UNIT, _DRAW]
        numbers = self.frame.with_columns(
            nw.col(name).cast(nw.Float64) for name in self.whole
        )  # sums of bytes overflow
        frame = numbers.select(*(column.alias(name) for name, column in columns.items()), *own)
        return replace(self, frame=frame, names=tuple(columns), every=tuple(columns), whole=frozenset(), _known={})

    def only_groups(self) -> "LargeTable":
        """The table of its groups alone, as answers that can be counted."""
        return self.derive({name: nw.col(_BY + name) for name in self.groups})

    def __getitem__(self, names: Sequence[str]) -> "LargeTable":
        """The table with some of its columns of answers, in the order asked for.

        Raises
        ------
        InputError
            For a name that is no column of answers.
        """
        unknown = [str(name) for name in names if name not in self.every]
        if unknown:
            raise InputError(
                "every name must be a column of answers",
                f"found no {name_some(unknown)}",
                f"They are {name_some(self.every, 12)}.",
            )
        return replace(self, names=tuple(names))

    def __len__(self) -> int:
        return self.n_rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    @property
    def columns(self) -> pd.Index:
        """The columns of answers, as those of a DataFrame."""
        return pd.Index(self.names)

    @property
    def design_words(self) -> str:
        """What to say in a result's `method`: how rows count, and what a bootstrap draws."""
        return words("weighted" if self.weighted else "", "clustered" if self.clusters is not None else RANDOM_GROUPS)

    @property
    def outline(self) -> pd.DataFrame:
        """Of each column of answers: n answers, low, high, a number amid them, and the largest fraction, 0 of whole numbers."""
        seen = self._once("outline", lambda: reductions.outline(self.frame, self.every, self.whole))
        return seen.loc[list(self.names)]

    def totals(self) -> Totals:
        """Sums of products over the rows that are complete on all columns of answers, by cluster or random group."""
        whole = tuple(name for name in self.every if name not in self._with_gaps)
        if set(self.names) <= set(whole):  # all rows answered all of them: one pass for these and all like them
            return self._once(("totals", whole), self[whole]._totals).select(self.names)
        return self._once(("totals", self.names), self._totals)

    def _totals(self) -> Totals:
        seen = self.outline
        middle = np.nan_to_num(seen["centre"].to_numpy())
        whole = bool((seen["fraction"] == 0).all())
        n, sums = products.unit_sums(
            self._answered,
            self.names,
            middle,
            unit=UNIT,
            n_units=self.clusters or GROUPS,
            weight=self._weight,
            reach=np.abs(seen[["low", "high"]].to_numpy() - middle[:, None]).max() if whole else np.inf,
        )
        return Totals(self.names, n, middle, sums, self.design_words)

    def count_answered(self, sets: Sequence[Sequence[str]]) -> int:
        """Rows that answered all items of a set, or of one of several sets."""
        parts = [[name for name in items if name in self._with_gaps] for items in sets]
        if not all(parts):
            return self.n_rows
        answered = [
            nw.all_horizontal(*(~nw.col(name).is_null() for name in part), ignore_nulls=False) for part in parts
        ]
        key = ("answered", *map(tuple, parts))
        rows = self.frame.filter(nw.any_horizontal(*answered, ignore_nulls=False))
        return self._once(key, lambda: int(reductions.to_pandas(rows.select(nw.len().alias("n")))["n"].iloc[0]))

    def complete(self) -> "LargeTable":
        """The rows that are complete on all columns of answers."""
        n = self.count_answered([self.names])
        if n == self.n_rows:
            return self
        return self._once(
            ("complete", self.names), lambda: replace(self, frame=self._answered, n_rows=n, every=self.names, _known={})
        )

    def unweighted(self) -> "LargeTable":
        """The same rows without their weights."""
        if not self.weighted:
            return self
        return self._once("unweighted", lambda: replace(self, weighted=False, _known={}))[self.names]

    @property
    def _with_gaps(self) -> set[str]:
        seen = self[self.every].outline["n"]
        return set(seen.index[seen < self.n_rows])

    @property
    def _answered(self) -> nw.LazyFrame:
        """The rows that are complete on all columns of answers; only columns that have gaps are looked at."""
        gaps = [name for name in self.names if name in self._with_gaps]
        return reductions.complete(self.frame, gaps) if gaps else self.frame

    @property
    def _weight(self) -> str | None:
        return WEIGHT if self.weighted else None

    def counts(self, *columns: str, by_unit: bool = False) -> pd.DataFrame:
        """Rows of each combination of values, with their weights: the columns (and `unit`), n, w, w2."""
        wanted = [*(name if name in self.names else _BY + name for name in columns), *([UNIT] if by_unit else [])]
        found = self._once(
            ("counts", *wanted), lambda: reductions.value_counts(self.frame, wanted, weight=self._weight)
        )
        return found.set_axis([*columns, *(["unit"] if by_unit else []), "n", "w", "w2"], axis=1)

    def gaps(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Distinct patterns (k, p) of missing answers, True where one is missing, and the rows (k,) that have each."""
        names = [name for name in self.names if name in self._with_gaps]
        parts = [names[start : start + _BITS] for start in range(0, len(names), _BITS)] or [[]]
        keys = [
            sum((nw.col(name).is_null().cast(nw.Int64) * 2**bit for bit, name in enumerate(part)), nw.lit(0, nw.Int64))
            for part in parts
        ]
        keyed = self.frame.select(*(key.alias(f"k{place}") for place, key in enumerate(keys)))
        found = reductions.value_counts(keyed, [f"k{place}" for place in range(len(parts))])
        marks = {
            name: found[f"k{place}"].to_numpy(np.int64) >> bit & 1 == 1
            for place, part in enumerate(parts)
            for bit, name in enumerate(part)
        }
        nothing = np.zeros(len(found), bool)
        return pd.DataFrame({name: marks.get(name, nothing) for name in self.names}), found["n"].to_numpy(int)

    def weight_sums(self) -> tuple[float, float]:
        """Sums of the weights of all rows, and of their squares."""
        weight = nw.col(WEIGHT)
        sums = self.frame.select(weight.sum().alias("w"), (weight * weight).sum().alias("w2"))
        found = self._once(("weights", self.weighted), lambda: reductions.to_pandas(sums).iloc[0])
        return float(found["w"]), float(found["w2"])

    def levels(self) -> dict[str, np.ndarray]:
        """Different answers to each column, in order."""
        return {name: np.unique(self.counts(name)[name].dropna().to_numpy(float)) for name in self.names}

    def pair_tables(self) -> tuple[np.ndarray, np.ndarray]:
        """Tables (p, K, p, K) of all pairs of columns over the complete rows: weights, and squared weights."""
        return self._once(
            ("pairs", self.names), lambda: pair_counts.pair_tables(self._answered, self.levels(), weight=self._weight)
        )

    def residual_products(self, mean: np.ndarray, slopes: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """The middle (p, p) of HC3 errors of a regression of the last column of answers on the p others."""
        return products.residual_products(self._answered, self.names, mean, slopes, inverse, weight=self._weight)

    def sample(self, n: int | None = None, *, seed: int) -> tuple[pd.DataFrame, Design]:
        """A simple random sample of about n (SAMPLE) rows without replacement: answers and groups, and their weights and clusters.

        The same rows for the same seed on every engine; all rows where there are no more than n.
        """
        columns = [*self.names, *(_BY + name for name in self.groups), WEIGHT, UNIT, _DRAW]
        share = min(1.0, (SAMPLE if n is None else n) / max(self.n_rows, 1))
        kept = self.frame.filter(in_sample(nw.col(_DRAW), share, seed)) if share < 1 else self.frame
        rows = reductions.to_pandas(kept.select(*columns)).sort_values(_DRAW, ignore_index=True)
        said = told_sample(len(rows), self.n_rows) if share < 1 else ""
        design = Design(
            rows[WEIGHT] if self.weighted else None, rows[UNIT] if self.clusters is not None else None, said
        )
        answers = rows[columns[:-3]].set_axis([*self.names, *self.groups], axis=1)
        return answers.astype(dict.fromkeys(self.names, float)), design

    def _once(self, key: Any, make: Any) -> Any:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


def in_sample(draw: nw.Expr, share: float, seed: int) -> nw.Expr:
    """Whether a row belongs to a random sample of a share of all rows, from its random number."""
    moved = (draw + pow(48_271, seed + 1, reductions.PRIME)) % reductions.PRIME
    return (moved * moved + moved) % reductions.PRIME < int(share * reductions.PRIME)


def told_sample(n: int, total: int) -> str:
    """What a `method` says of numbers that rest on a random sample."""
    return f"random sample of {n} of {total} rows"
