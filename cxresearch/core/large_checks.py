"""What a table of any size must be before it is reduced, and its columns as numbers."""

from collections.abc import Sequence

import narwhals as nw

from cxresearch.core import reductions
from cxresearch.errors import InputError, name_some

MOST_CLUSTERS = 50_000  # whose sums of products are still held in memory
WEIGHT, UNIT = "_weight", "_unit"  # names that no column of a study has
WHOLE = (nw.Int8, nw.Int16, nw.Int32, nw.Int64, nw.UInt8, nw.UInt16, nw.UInt32)  # that numpy and every engine hold


def refuse_bad_columns(schema: nw.Schema, names: Sequence[str], others: Sequence[str]) -> None:
    """Columns of answers must be there and be numbers, others be there."""
    unknown = [name for name in [*names, *others] if name not in schema]
    text = [name for name in names if name in schema and not schema[name].is_numeric()]
    if unknown or text:
        raise InputError(
            "answers, row numbers and weights must be columns of the table, answers numeric",
            f"found no {name_some(unknown)}" if unknown else f"found text in {name_some(text)}",
            f"The columns are {name_some(list(schema), 12)}.",
        )


def as_number(name: str, schema: nw.Schema) -> nw.Expr:
    """Whole numbers as they are, since engines read and compare them faster; all else as floats, null for nan."""
    if schema[name] in WHOLE:
        return nw.col(name)
    column = nw.col(name).cast(nw.Float64)
    return nw.when(~column.is_nan()).then(column) if schema[name].is_float() else column


def count_rows(frame: nw.LazyFrame, weight: str | None, cluster: str | None) -> tuple[int, int | None]:
    """Rows and clusters, once it is sure that every row has a sound weight and a cluster.

    Parameters
    ----------
    frame : with columns WEIGHT and UNIT
    weight, cluster : what they were called in the table; None where it has none
    """
    wanted = [nw.len().alias("n")]
    if weight is not None:
        value = nw.col(WEIGHT)
        wanted.append((value.is_null() | value.is_nan() | (value < 0)).cast(nw.Int64).sum().alias("bad_weights"))
    if cluster is not None:
        wanted += [
            nw.col(UNIT).n_unique().alias("clusters"),
            nw.col(UNIT).is_null().cast(nw.Int64).sum().alias("bad_clusters"),
        ]
    found = reductions.to_pandas(frame.select(*wanted)).iloc[0].to_dict()
    for key, told, column in (("bad_weights", "a weight of 0 or more", weight), ("bad_clusters", "a cluster", cluster)):
        if found.get(key):
            raise InputError(
                f"every row needs {told}",
                f"found none in {int(found[key]):,} of {int(found['n']):,} rows of `{column}`",
                "Mend the column, or leave the rows out with `survey.where`.",
            )
    if found.get("clusters", 0) > MOST_CLUSTERS:
        raise InputError(
            f"a large table may have up to {MOST_CLUSTERS} clusters",
            f"found {int(found['clusters'])} in `{cluster}`",
            "Name a coarser column of clusters; units that hold whole clusters give the same intervals.",
        )
    return int(found["n"]), int(found["clusters"]) if cluster is not None else None
