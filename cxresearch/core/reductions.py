"""Reductions of a table of any size, written once as Narwhals expressions: DuckDB, Spark, pandas, pyarrow and polars run them."""

from collections.abc import Callable, Collection, Sequence
from itertools import combinations

import narwhals as nw
import numpy as np
import pandas as pd

PRIME = 2_147_483_647  # 2^31 - 1: products of two residues fit into 64 bits on every engine
_FACTORS = (48_271, 69_621)  # primitive roots of it (Park and Miller 1988, doi:10.1145/63039.63042)
_WIDE = 64  # columns of products made at a time where all rows are held in memory
SHIFT = 2**26  # between two sums that are carried in one
_CELLS = 200_000  # combinations of answers counted jointly


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
    """Rows of each column that are there, lowest, highest and mean value, largest distance from a whole number.

    One line a column, nan where there is no value. The columns of `whole` are known to hold whole numbers.
    """
    measures: dict[str, Callable[[nw.Expr], nw.Expr]] = {
        "n": nw.Expr.count,
        "low": nw.Expr.min,
        "high": nw.Expr.max,
        "mean": nw.Expr.mean,
        "fraction": lambda column: (column - column.round(0)).abs().max(),
    }
    wanted = [
        measure(nw.col(name)).alias(f"{place}_{said}")
        for place, name in enumerate(names)
        for said, measure in measures.items()
        if said != "fraction" or name not in whole
    ]
    flat = to_pandas(frame.select(*wanted)).iloc[0]
    found = {said: [flat.get(f"{place}_{said}", 0.0) for place in range(len(names))] for said in measures}
    return pd.DataFrame(found, index=list(names), dtype=float)


def unit_sums(
    frame: nw.LazyFrame,
    names: Sequence[str],
    centre: np.ndarray,
    *,
    unit: str,
    weight: str | None,
    reach: float = np.inf,
) -> tuple[int, np.ndarray]:
    """Number of complete rows, and per unit the sums of weight, centred answers, and upper triangle of their products.

    One pass over the table, whatever the number of items; a table that is held in memory is passed over in parts, so that
    no more than some columns of products stand beside it.

    Parameters
    ----------
    reach : largest distance of an answer from its centre, if all are whole numbers: then two sums are carried in one, the second
        SHIFT times as heavy, which halves the work and is exact as long as neither outgrows its half

    Returns
    -------
    n, and (units, 1 + p + p(p+1)/2), units in the order of their codes
    """
    p = len(names)
    answers = [f"a{place}" for place in range(p)]
    centred = [
        (nw.col(name).cast(nw.Float64) - nw.lit(float(middle), nw.Float64)).alias(answer)
        for name, middle, answer in zip(names, centre, answers, strict=True)
    ]
    one = nw.lit(1.0, nw.Float64) if weight is None else nw.col(weight).cast(nw.Float64)
    rows = complete(frame, [*names, unit]).select(nw.col(unit).alias("unit"), one.alias("weight"), *centred)
    if weight is None and reach < np.inf:
        found = _summed(rows, _packed(p))
        if found["n"].max() * reach**2 < SHIFT / 2:
            return int(found["n"].sum()), _unpacked(found, p)
    scaled = [nw.col(answer) if weight is None else nw.col(answer) * nw.col("weight") for answer in answers]
    upper = zip(*np.triu_indices(p), strict=True)
    columns = {
        "weight": nw.col("weight"),
        **{f"s{place}": column for place, column in enumerate(scaled)},
        **{f"p{i}_{j}": scaled[i] * nw.col(answers[j]) for i, j in upper},
    }
    found = _summed(rows, columns)
    return int(found["n"].sum()), found.drop(columns="n").to_numpy(float)


def _packed(p: int) -> dict[str, nw.Expr]:
    """Columns to be summed: answers two by two, and each answer times all such pairs that hold its like or a later one."""
    pairs = [
        nw.col(f"a{k}") + nw.col(f"a{k + 1}") * float(SHIFT) if k + 1 < p else nw.col(f"a{k}") for k in range(0, p, 2)
    ]
    columns = {f"s{m}": pair for m, pair in enumerate(pairs)}
    return columns | {f"p{i}_{m}": nw.col(f"a{i}") * pairs[m] for i in range(p) for m in range(i // 2, len(pairs))}


def _unpacked(found: pd.DataFrame, p: int) -> np.ndarray:
    """The sums of `unit_sums` (units, 1 + p + p(p+1)/2) from those of `_packed`; the rows of a unit are its weight."""
    products = np.zeros((len(found), p, p + p % 2))
    first = np.zeros((len(found), p + p % 2))
    for name in found.columns.drop("n"):
        heavy = np.rint(found[name].to_numpy(float) / SHIFT)
        light = found[name].to_numpy(float) - heavy * SHIFT
        row, _, pair = name[1:].rpartition("_")
        target = products[:, int(row)] if row else first
        target[:, 2 * int(pair)], target[:, 2 * int(pair) + 1] = light, heavy
    upper = np.triu_indices(p)
    return np.column_stack([found["n"].to_numpy(float), first[:, :p], products[:, upper[0], upper[1]]])


def is_lazy(frame: nw.LazyFrame) -> bool:
    """Whether an engine reads the table while it computes, instead of holding it in memory."""
    return not (frame.implementation.is_pandas_like() or frame.implementation.is_pyarrow())


def _summed(rows: nw.LazyFrame, columns: dict[str, nw.Expr]) -> pd.DataFrame:
    """Rows `n` and sums of columns by unit, in the order of the units' codes."""
    size = len(columns) if is_lazy(rows) else _WIDE
    parts = [list(columns)[start : start + size] for start in range(0, len(columns), size)]
    found = []
    for part in parts:
        made = rows.select("unit", *(columns[name].alias(name) for name in part))
        sums = made.group_by("unit").agg(nw.len().alias("n"), *(nw.col(name).sum() for name in part))
        found.append(to_pandas(sums).sort_values("unit").set_index("unit"))
    return pd.concat([found[0][["n"]], *(part.drop(columns="n") for part in found)], axis=1)[["n", *columns]]


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


def pair_tables(
    frame: nw.LazyFrame, levels: dict[str, np.ndarray], *, weight: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Tables (p, K, p, K) of all pairs of items over their complete rows, of weights and of squared weights.

    Items are counted jointly, some with as many others, so that one grouping gives many tables.

    Parameters
    ----------
    levels : item -> its different answers, in order; K is the largest number of them
    """
    names, p = list(levels), len(levels)
    most = max(map(len, levels.values()))
    tables = np.zeros((2, p, most, p, most))
    rows = complete(frame, names)
    size = max(1, int(np.log(_CELLS) / (2 * np.log(max(most, 2)))))
    groups = [names[start : start + size] for start in range(0, p, size)]
    for pair in combinations(groups, 2) if len(groups) > 1 else [(groups[0], [])]:
        together = [*pair[0], *pair[1]]
        places, counts = _joint(rows, {name: levels[name] for name in together}, weight)
        for first, of_first in zip(together, places, strict=True):
            for second, of_second in zip(together, places, strict=True):
                for kind, each in enumerate(counts):
                    cells = np.bincount(of_first * most + of_second, each, most**2).reshape(most, most)
                    tables[kind, names.index(first), :, names.index(second)] = cells
    return tables[0], tables[1]


def _joint(
    rows: nw.LazyFrame, levels: dict[str, np.ndarray], weight: str | None
) -> tuple[list[np.ndarray], np.ndarray]:
    """Places of the levels of each item (cells,), and sums (2, cells) of weights and squared weights of their combinations.

    Whole numbers are counted under one number made of all of them, which an engine does faster than under several.
    """
    base = int(max(each[-1] - each[0] for each in levels.values())) + 1
    whole = all((each % 1 == 0).all() for each in levels.values()) and base ** len(levels) < 2**50
    if not whole:
        counted = value_counts(rows, list(levels), weight=weight)
        values = [counted[name].to_numpy(float) for name in levels]
    else:
        key = sum(
            ((nw.col(name) - float(each[0])) * float(base**place) for place, (name, each) in enumerate(levels.items())),
            nw.lit(0.0, nw.Float64),
        )
        kept = [key.alias("key"), *([nw.col(weight).alias("weight")] if weight else [])]
        counted = value_counts(rows.select(*kept), ["key"], weight="weight" if weight else None)
        keys = counted["key"].to_numpy(float)
        values = [keys // base**place % base + each[0] for place, each in enumerate(levels.values())]
    places = [np.searchsorted(each, value) for each, value in zip(levels.values(), values, strict=True)]
    return places, counted[["w", "w2"]].to_numpy(float).T


def residual_products(
    frame: nw.LazyFrame,
    names: Sequence[str],
    mean: np.ndarray,
    slopes: np.ndarray,
    inverse: np.ndarray,
    *,
    weight: str | None,
) -> np.ndarray:
    """Sums (p, p) of r^2 d_j d_k over complete rows, r = w e / (1 - h): the middle of HC3 errors of a regression.

    Parameters
    ----------
    names : the p drivers and, last, the outcome
    mean, slopes : (p + 1,) weighted means, and (p,) slopes; d are deviations from the means, e residuals
    inverse : (p + 1, p + 1) block-diagonal inverse of the weighted products: 1 / sum of weights first, then of the drivers;
        h = w (1 / W + d' inverse d) is the leverage
    """
    p = len(names) - 1
    one = nw.lit(1.0, nw.Float64) if weight is None else nw.col(weight)
    parts = [f"d{place}" for place in range(p + 1)]
    away = [
        (nw.col(name) - nw.lit(float(middle), nw.Float64)).alias(part)
        for name, middle, part in zip(names, mean, parts, strict=True)
    ]
    rows = complete(frame, names).select(one.alias("w"), *away)
    d = [nw.col(part) for part in parts]
    left = d[p]
    for slope, part in zip(slopes, d[:p], strict=True):
        left = left - part * float(slope)
    spread = nw.lit(float(inverse[0, 0]), nw.Float64)
    for i in range(p):
        for j in range(i, p):
            spread = spread + d[i] * d[j] * float(inverse[i + 1, j + 1] * (1 if i == j else 2))
    rows = rows.with_columns(left.alias("e"), (1.0 - spread * nw.col("w")).alias("own"))
    rows = rows.with_columns((nw.col("w") * nw.col("e") / nw.col("own")).alias("r"))
    places = list(zip(*np.triu_indices(p), strict=True))
    made = rows.select(*((nw.col("r") * nw.col("r") * d[i] * d[j]).alias(f"m{i}_{j}") for i, j in places))
    sums = to_pandas(made.select(*(nw.col(f"m{i}_{j}").sum() for i, j in places))).iloc[0].to_numpy(float)
    middle = np.zeros((p, p))
    across, down = np.triu_indices(p)
    middle[across, down] = middle[down, across] = sums
    return middle
