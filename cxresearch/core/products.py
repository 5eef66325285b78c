"""Sums of products of the columns of a table of any size: matrix products of batches of rows, or an engine's own sums."""

from collections.abc import Sequence

import narwhals as nw
import numpy as np

from cxresearch.core.reductions import to_pandas
from cxresearch.core.streams import BATCH, batches, can_stream, values_of

_SINGLE = 2**24  # up to which sums of whole numbers are exact in single precision
_FEW = (
    20  # rows of a unit in a batch, below which rows are sorted first, so that a unit is not met again in every batch
)


def unit_sums(
    frame: nw.LazyFrame,
    names: Sequence[str],
    centre: np.ndarray,
    *,
    unit: str,
    n_units: int,
    weight: str | None,
    reach: float = np.inf,
) -> tuple[int, np.ndarray]:
    """Number of rows, and per unit the sums of weight, centred answers, and upper triangle of their products.

    One pass over the table, whatever the number of items. Sums of whole numbers are exact up to 2^53, on every engine.

    Parameters
    ----------
    frame : rows without gaps in these columns
    n_units : different units, or about as many
    reach : largest distance of an answer from its centre, if all are whole numbers

    Returns
    -------
    n, and (units, 1 + p + p(p+1)/2), units in the order of their codes
    """
    answers = [f"a{place}" for place in range(len(names))]
    rows = frame.select(
        nw.col(unit).alias("unit"),
        *([] if weight is None else [nw.col(weight).cast(nw.Float64).alias("weight")]),
        *(nw.col(name).alias(answer) for name, answer in zip(names, answers, strict=True)),
    )
    if not can_stream(rows):
        return _summed_by_engine(rows, answers, centre, weighted=weight is not None)
    if n_units * _FEW > BATCH:
        rows = rows.sort("unit")
    return _summed_in_batches(rows, answers, centre, np.inf if weight else max(reach, 1.0), weighted=weight is not None)


def _summed_in_batches(
    rows: nw.LazyFrame, answers: Sequence[str], centre: np.ndarray, reach: float, *, weighted: bool
) -> tuple[int, np.ndarray]:
    size = len(answers) + 1
    upper = np.ravel_multi_index(np.triu_indices(size), (size, size))
    found: dict[object, np.ndarray] = {}
    n, room, farthest = 0, np.empty((size, 0)), np.abs(centre).max()
    for batch in batches(rows):
        m = batch.num_rows
        kind = np.float32 if max(m * reach**2, reach + farthest) < _SINGLE else np.float64
        if room.shape[1] < m or room.dtype != kind:
            room = np.empty((size, m), kind)  # used again, as the system takes longer to give memory than to fill it
        units = batch.column("unit").dictionary_encode()
        codes = units.indices.to_numpy().astype(np.min_scalar_type(len(units.dictionary)))  # the smallest sort fastest
        order = np.argsort(codes, kind="stable")
        values = room[:, :m]
        values[0] = 1.0
        values_of(batch, answers, order, less=centre, into=values[1:])
        heavy = values * values_of(batch, ["weight"], order) if weighted else values
        ends = np.cumsum(np.bincount(codes, minlength=len(units.dictionary))).tolist()
        for unit, start, end in zip(units.dictionary.to_pylist(), [0, *ends], ends, strict=False):
            if end > start:
                part = (heavy[:, start:end] @ values[:, start:end].T).take(upper).astype(float)
                found[unit] = found[unit] + part if unit in found else part
        n += m
    sums = [found[unit] for unit in sorted(found)]  # type: ignore[type-var]  # codes of one column can be put in order
    return n, np.array(sums).reshape(len(sums), len(upper))


def _summed_by_engine(
    rows: nw.LazyFrame, answers: Sequence[str], centre: np.ndarray, *, weighted: bool
) -> tuple[int, np.ndarray]:
    one = nw.col("weight") if weighted else nw.lit(1.0, nw.Float64)
    centred = [
        (nw.col(name).cast(nw.Float64) - nw.lit(float(middle), nw.Float64)).alias(name)
        for name, middle in zip(answers, centre, strict=True)
    ]
    rows = rows.select("unit", one.alias("weight"), *centred)
    heavy = [nw.col(name) * nw.col("weight") if weighted else nw.col(name) for name in answers]
    columns = [nw.col("weight"), *heavy]
    columns += [by * nw.col(name) for place, by in enumerate(heavy) for name in answers[place:]]
    named = [f"s{place}" for place in range(len(columns))]
    made = rows.select("unit", *(column.alias(name) for name, column in zip(named, columns, strict=True)))
    sums = made.group_by("unit").agg(nw.len().alias("n"), *(nw.col(name).sum() for name in named))
    found = to_pandas(sums).sort_values("unit")
    return int(found["n"].sum()), found[named].to_numpy(float)


def residual_products(
    frame: nw.LazyFrame,
    names: Sequence[str],
    mean: np.ndarray,
    slopes: np.ndarray,
    inverse: np.ndarray,
    *,
    weight: str | None,
) -> np.ndarray:
    """Sums (p, p) of r^2 d_j d_k over rows without gaps, r = w e / (1 - h): the middle of HC3 errors of a regression.

    Parameters
    ----------
    names : the p drivers and, last, the outcome
    mean, slopes : (p + 1,) weighted means, and (p,) slopes; d are deviations from the means, e residuals
    inverse : (p + 1, p + 1) block-diagonal inverse of the weighted products: 1 / sum of weights first, then of the drivers;
        h = w (1 / W + d' inverse d) is the leverage
    """
    one = nw.lit(1.0, nw.Float64) if weight is None else nw.col(weight).cast(nw.Float64)
    parts = [f"d{place}" for place in range(len(names))]
    away = [
        (nw.col(name).cast(nw.Float64) - nw.lit(float(middle), nw.Float64)).alias(part)
        for name, middle, part in zip(names, mean, parts, strict=True)
    ]
    rows = frame.select(one.alias("w"), *away)
    if not can_stream(rows):
        return _residuals_by_engine(rows, parts, slopes, inverse)
    middle = np.zeros((len(slopes), len(slopes)))
    for batch in batches(rows):
        w, d = values_of(batch, ["w"])[0], values_of(batch, parts)
        left = d[-1] - slopes @ d[:-1]
        leverage = w * (inverse[0, 0] + (d[:-1] * (inverse[1:, 1:] @ d[:-1])).sum(axis=0))
        middle += (d[:-1] * (w * left / (1 - leverage)) ** 2) @ d[:-1].T
    return middle


def _residuals_by_engine(
    rows: nw.LazyFrame, parts: Sequence[str], slopes: np.ndarray, inverse: np.ndarray
) -> np.ndarray:
    p = len(slopes)
    *d, left = [nw.col(part) for part in parts]
    for slope, part in zip(slopes, d, strict=True):
        left = left - part * float(slope)
    spread = nw.lit(float(inverse[0, 0]), nw.Float64)
    for i in range(p):
        for j in range(i, p):
            spread = spread + d[i] * d[j] * float(inverse[i + 1, j + 1] * (1 if i == j else 2))
    rows = rows.with_columns(left.alias("e"), (1.0 - spread * nw.col("w")).alias("own"))
    rows = rows.with_columns((nw.col("w") * nw.col("e") / nw.col("own")).alias("r"))
    places = list(zip(*np.triu_indices(p), strict=True))
    made = rows.select(*((nw.col("r") * nw.col("r") * d[i] * d[j]).alias(f"m{i}_{j}") for i, j in places))
    middle = np.zeros((p, p))
    sums = to_pandas(made.select(*(nw.col(f"m{i}_{j}").sum() for i, j in places))).iloc[0].to_numpy(float)
    across, down = np.triu_indices(p)
    middle[across, down] = middle[down, across] = sums
    return middle
