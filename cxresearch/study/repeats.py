"""Rows of a table of any size that repeat others, counted by the engine among all rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import pandas as pd

from cxresearch.core.reductions import to_pandas
from cxresearch.study.aside import set_aside
from cxresearch.study.codes import BLANKS
from cxresearch.study.lazy_table import ROW

if TYPE_CHECKING:
    import duckdb

_CONTENT, _IDENTITY = (
    "content",
    "identity",
)  # hashes of 64 bits: of 100 million rows, two meet by chance in one table of 4,000


@dataclass(frozen=True, slots=True)
class Repeats:
    """What repeats in a survey of any size, and what of it lies in its random sample.

    Attributes
    ----------
    n : rows that repeat an earlier row, or bear an earlier respondent's number, among all rows
    repeated : (k,) bool, rows of the sample in the order of the file: whether it is one of these
    shared : (k,) bool, likewise: whether another row bears the same respondent's number; None where rows have none
    """

    n: int
    repeated: np.ndarray
    shared: np.ndarray | None


def find_repeats(
    connection: "duckdb.DuckDBPyConnection",
    rows: nw.LazyFrame,
    names: Sequence[str],
    sampled: nw.Expr,
    *,
    identity: str | None,
) -> Repeats:
    """Count the repeats as `find_duplicates` does in memory.

    Each step is written down before the next one reads it: hashes of the rows; those hashes that stand twice, which are few, with the
    first row of each; the rows that come after. So the engine never holds more than one grouping of two numbers a row.

    Parameters
    ----------
    rows : a DuckDB table of this connection, with ROW, its columns `names`
    sampled : whether a row belongs to the random sample, by ROW
    identity : column of the respondent
    """
    keyed = set_aside(connection, _keyed(rows, [name for name in names if name != identity], identity))
    keys = [_CONTENT] if identity is None else [_CONTENT, _IDENTITY]
    twice = {key: set_aside(connection, _standing_twice(keyed, key)) for key in keys}
    later = [keyed.join(twice[key], on=key).filter(nw.col(ROW) > nw.col("first")).select(ROW) for key in keys]
    repeats = set_aside(connection, nw.concat(later).unique())
    drawn = to_pandas(keyed.filter(sampled).select(ROW).sort(ROW))[ROW].to_numpy()
    shared = None
    if identity is not None:
        shared = _which(drawn, keyed.filter(sampled).join(twice[_IDENTITY], on=_IDENTITY))
    n = int(to_pandas(repeats.select(nw.len().alias("n")))["n"].iloc[0])
    return Repeats(n, _which(drawn, repeats.filter(sampled)), shared)


def _standing_twice(keyed: nw.LazyFrame, key: str) -> nw.LazyFrame:
    """The values of a key that more than one row bears, and the first row that bears each."""
    grouped = (
        keyed.filter(~nw.col(key).is_null()).group_by(key).agg(nw.col(ROW).min().alias("first"), nw.len().alias("n"))
    )
    return grouped.filter(nw.col("n") > 1).select(key, "first")


def _which(drawn: np.ndarray, found: nw.LazyFrame) -> np.ndarray:
    return pd.Index(drawn).isin(to_pandas(found.select(ROW))[ROW])


def _keyed(rows: nw.LazyFrame, names: Sequence[str], identity: str | None) -> nw.LazyFrame:
    """ROW, and hashes of what stands in the other columns and of the respondent's number, text trimmed and blank text missing."""
    schema = rows.collect_schema()
    wanted = [
        f"{ROW}::BIGINT AS {ROW}",
        f"hash({', '.join(_plain(name, schema) for name in names) or '0'}) AS {_CONTENT}",
    ]
    if identity is not None:
        number = _plain(identity, schema)
        wanted.append(f"CASE WHEN {number} IS NOT NULL THEN hash({number}) END AS {_IDENTITY}")
    return nw.from_native(rows.to_native().project(", ".join(wanted))).lazy()


def _plain(name: str, schema: nw.Schema) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if schema[name] == nw.String:
        return f"nullif(trim({quoted}, '{BLANKS}'), '')"
    return f"CASE WHEN NOT isnan({quoted}) THEN {quoted} END" if schema[name].is_float() else quoted
