"""Tables of all pairs of items of a table of any size: how many rows gave each two answers together."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import narwhals as nw
import numpy as np

from cxresearch.core.reductions import value_counts
from cxresearch.core.streams import batches, can_stream, values_of

_CELLS = 200_000  # combinations of answers that an engine counts jointly
_CACHED = 20_000  # combinations counted jointly in batches, whose counts stay in the processor's cache
_RANGE = 2**16  # of whole numbers whose places are looked up
Counts = tuple[list[str], np.ndarray]  # items, and (2, K, K, ...) weights and squared weights of their answers together


def pair_tables(
    frame: nw.LazyFrame, levels: Mapping[str, np.ndarray], *, weight: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Tables (p, K, p, K) of all pairs of items, of weights and of squared weights.

    Items are counted jointly, some with as many others, so that one count gives many tables.

    Parameters
    ----------
    frame : rows without gaps in the items
    levels : item -> its different answers, in order; K is the largest number of them
    """
    names, most = list(levels), max(map(len, levels.values()))
    tables = np.zeros((2, len(names), most, len(names), most))
    for together, counts in (_in_batches if can_stream(frame) else _by_engine)(frame, levels, weight):
        items = [names.index(name) for name in together]
        for place, item in enumerate(items):
            margin = counts.sum(axis=_without(counts, place))
            cells = np.arange(margin.shape[1])
            tables[:, item, cells, item, cells] = margin
        for first, second in combinations(range(len(items)), 2):
            table = counts.sum(axis=_without(counts, first, second))
            rows_of, columns_of = (slice(size) for size in table.shape[1:])
            tables[:, items[first], rows_of, items[second], columns_of] = table
            tables[:, items[second], columns_of, items[first], rows_of] = table.swapaxes(1, 2)
    return tables[0], tables[1]


def _without(counts: np.ndarray, *places: int) -> tuple[int, ...]:
    """The axes of all items but some."""
    return tuple(axis for axis in range(1, counts.ndim) if axis - 1 not in places)


def _pairs_of_groups(levels: Mapping[str, np.ndarray], cells: int) -> list[tuple[list[str], list[str]]]:
    """Groups of items two by two, no two of which have more answers together than cells."""
    names, most = list(levels), max(map(len, levels.values()))
    size = max(1, int(np.log(cells) / (2 * np.log(max(most, 2)))))
    groups = [names[start : start + size] for start in range(0, len(names), size)]
    return list(combinations(groups, 2)) if len(groups) > 1 else [(groups[0], [])]


def _in_batches(rows: nw.LazyFrame, levels: Mapping[str, np.ndarray], weight: str | None) -> Iterator[Counts]:
    """One pass: the answers of a group as one number, and of two groups, which are counted."""
    pairs = _pairs_of_groups(levels, _CACHED)
    groups = {tuple(group): int(np.prod([len(levels[name]) for name in group])) for pair in pairs for group in pair}
    found = [np.zeros((2, groups[tuple(first)] * groups[tuple(second)])) for first, second in pairs]
    lookup = {name: _lookup(each) for name, each in levels.items()}
    columns = [nw.col(name) for name in levels]
    kept = [] if weight is None else [nw.col(weight).cast(nw.Float64).alias("_w")]
    for batch in batches(rows.select(*columns, *kept)):
        w = None if weight is None else values_of(batch, ["_w"])[0]
        keys = {group: np.zeros(batch.num_rows, np.int32) for group in groups}
        for group, key in keys.items():
            for name in group:
                key *= len(levels[name])
                key += _places(batch.column(name).to_numpy(zero_copy_only=False), levels[name], lookup[name])
        squares = None if w is None else w * w
        for (first, second), sums in zip(pairs, found, strict=True):
            cells = keys[tuple(first)].astype(np.intp)
            cells *= groups[tuple(second)]
            cells += keys[tuple(second)]
            sums[0] += np.bincount(cells, w, sums.shape[1])
            if squares is not None:
                sums[1] += np.bincount(cells, squares, sums.shape[1])
    for (first, second), sums in zip(pairs, found, strict=True):
        if weight is None:
            sums[1] = sums[0]
        together = [*first, *second]
        yield together, sums.reshape(2, *(len(levels[name]) for name in together))


def _lookup(levels: np.ndarray) -> np.ndarray | None:
    """The place of each whole number from the lowest to the highest level; None where they are too many, or no whole numbers."""
    if (levels % 1 != 0).any() or levels[-1] - levels[0] >= _RANGE:
        return None
    places = np.zeros(int(levels[-1] - levels[0]) + 1, np.int32)
    places[(levels - levels[0]).astype(int)] = np.arange(len(levels))
    return places


def _places(values: np.ndarray, levels: np.ndarray, lookup: np.ndarray | None) -> np.ndarray:
    if lookup is None:
        return np.searchsorted(levels, values)
    return lookup[values.astype(np.int64) - int(levels[0])]


def _by_engine(rows: nw.LazyFrame, levels: Mapping[str, np.ndarray], weight: str | None) -> Iterator[Counts]:
    """One grouping for each two groups of items."""
    for first, second in _pairs_of_groups(levels, _CELLS):
        together = [*first, *second]
        counted = value_counts(rows, together, weight=weight)
        places = tuple(np.searchsorted(levels[name], counted[name].to_numpy(float)) for name in together)
        counts = np.zeros((2, *(len(levels[name]) for name in together)))
        for sums, kind in zip(counts, ("w", "w2"), strict=True):
            sums[places] = counted[kind]
        yield together, counts
