"""Reductions of a table of any size, written once as Narwhals expressions: DuckDB, Spark, pandas, pyarrow and polars run them."""

from collections.abc import Callable, Collection, Mapping, Sequence

import narwhals as nw
import pandas as pd

PRIME = 2_147_483_647  # 2^31 - 1: products of two residues fit into 64 bits on every engine
_FACTORS = (48_271, 69_621)  # primitive roots of it (Park and Miller 1988, doi:10.1145/63039.63042)
_NARROW = (
    2**10
)  # range of whole numbers whose products are exact from the middle of the range as well as from their mean


def random_number(row: str) -> nw.Expr:
    """A whole number 0 to PRIME - 1 from the number of a row: the same on every engine, and unrelated to the order of rows."""
    first = ((nw.col(row).cast(nw.Int64) + 1) * _FACTORS[0]) % PRIME
    return ((first * first + first) % PRIME * _FACTORS[1]) % PRIME


def to_pandas(frame: nw.LazyFrame) -> pd.DataFrame:
    """What a lazy frame holds, in memory."""
    return frame.collect("pyarrow").to_pandas()


def complete(frame: nw.LazyFrame, names: Sequence[str]) -> nw.LazyFrame:
    """The rows in which all of some columns are there."""
    return frame.filter(*(~nw.col(name).is_null() for name in names))


def outline(frame: nw.LazyFrame, names: Sequence[str], whole: Collection[str] = ()) -> pd.DataFrame:
    """Rows of each column that are there, lowest and highest value, one amid them, largest distance from a whole number.

    One line a column, nan where there is no value. The columns of `whole` are known to hold whole numbers: most engines know
    their range without a pass. `centre` is the mean, or amid the range, rounded where all are whole numbers.
    """
    others = [name for name in names if name not in whole]
    seen = _measured(frame, names, {"n": nw.Expr.count, "low": nw.Expr.min, "high": nw.Expr.max}).join(
        _measured(frame, others, {"centre": nw.Expr.mean, "fraction": lambda x: (x - x.round(0)).abs().max()})
    )
    seen["fraction"] = seen["fraction"].mask(seen.index.isin(whole), 0.0)
    seen["centre"] = seen["centre"].fillna((seen["low"] + seen["high"]) / 2)
    wide = list(seen.index[seen.index.isin(whole) & (seen["high"] - seen["low"] > _NARROW)])
    seen.loc[wide, "centre"] = _measured(frame, wide, {"centre": nw.Expr.mean})["centre"]
    seen["centre"] = seen["centre"].where(seen["fraction"] != 0, seen["centre"].round())
    return seen


def _measured(
    frame: nw.LazyFrame, names: Sequence[str], measures: Mapping[str, Callable[[nw.Expr], nw.Expr]]
) -> pd.DataFrame:
    """Numbers of columns, a line each."""
    if not names:
        return pd.DataFrame(columns=list(measures), index=pd.Index([]), dtype=float)
    wanted = [
        measure(nw.col(name)).alias(f"{place}_{said}")
        for place, name in enumerate(names)
        for said, measure in measures.items()
    ]
    flat = to_pandas(frame.select(*wanted)).iloc[0]
    found = {said: [flat[f"{place}_{said}"] for place in range(len(names))] for said in measures}
    return pd.DataFrame(found, index=list(names), dtype=float)


def value_counts(frame: nw.LazyFrame, columns: Sequence[str], *, weight: str | None = None) -> pd.DataFrame:
    """How many rows hold each combination of values: the columns, `n`, and sums of weights `w` and of their squares `w2`.

    Rows in which a column is missing are counted under a missing value. Combinations come in sorted order.
    """
    if weight is None:
        counted = to_pandas(frame.select(*columns).group_by(*columns).agg(nw.len().alias("n")))
        counted = counted.assign(w=counted["n"].astype(float), w2=counted["n"].astype(float))
    else:
        rows = frame.select(*columns, nw.col(weight).cast(nw.Float64).alias("w"))
        rows = rows.with_columns((nw.col("w") * nw.col("w")).alias("w2"))
        counted = to_pandas(rows.group_by(*columns).agg(nw.len().alias("n"), nw.col("w").sum(), nw.col("w2").sum()))
    return counted.sort_values(list(columns), ignore_index=True)
