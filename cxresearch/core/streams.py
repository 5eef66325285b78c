"""Rows of a table handed over a batch at a time, for what matrix products sum faster than an engine's own sums."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 100_000  # rows: what is made of them at a time stays in the processor's cache


def can_stream(frame: nw.LazyFrame) -> bool:
    """Whether rows come in batches at once: from the embedded engine, or from a table in memory."""
    engine = frame.implementation
    return engine.is_duckdb() or engine.is_pandas_like() or engine.is_pyarrow() or engine.is_polars()


def batches(frame: nw.LazyFrame) -> Iterator["pa.RecordBatch"]:
    """The rows of a frame that can stream, in no particular order."""
    if frame.implementation.is_duckdb():
        yield from frame.to_native().to_arrow_reader(BATCH)
    else:
        yield from frame.collect("pyarrow").to_native().to_batches(BATCH)


def values_of(
    batch: "pa.RecordBatch",
    names: Sequence[str],
    order: np.ndarray | slice = slice(None),
    *,
    less: np.ndarray | None = None,
    into: np.ndarray | None = None,
) -> np.ndarray:
    """Columns of a batch without gaps as numbers (p, m), the rows in an order, less a number (p,) each."""
    values = np.empty((len(names), batch.num_rows)) if into is None else into
    for row, name, middle in zip(values, names, np.zeros(len(names)) if less is None else less, strict=True):
        row[:] = batch.column(name).to_numpy(zero_copy_only=False)[order]
        row -= middle
    return values
