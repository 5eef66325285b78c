"""How numbers are written for reading; rounding lives here and nowhere else.

- counts: integers, thousands separated (3,204)
- shares and rates: percent with one decimal (12.3%)
- p values: three decimals without the zero before the point, "< .001" below that
- degrees of freedom: integers, or one decimal where they are not whole
- ranks, medians and modes: as they are, with two decimals at most
- weights, consistency and fit indices: three decimals
- everything else: two decimals, the same in a whole column: one where its largest number reaches 100, none from 1,000, three
  where it stays below 0.1, four below 0.01
- categories, kept as numbers: their names (tables.py)
- a number that could not be computed: an en dash
- more decimals where they would hide something: an interval whose bounds would read alike, a number that would read as the
  limit it is held against, a share that would read as 0% or 100% and is neither

Sentences (`write_as`) and tables separate thousands and write the minus sign alike.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import floor, isfinite, log10
from numbers import Integral, Real

Writer = Callable[[float], str]

MISSING = "–"
MOST_DECIMALS = 8  # that tell a number from a limit
MORE_DECIMALS = 4  # at most, that tell the bounds of an interval apart
_FIXED = re.compile(r"(?P<before>.*)\.(?P<decimals>\d)(?P<kind>[f%])")
COUNTS = frozenset({"n", "rows_read", "rows_used", "rows_dropped", "n_factors", "tickets", "group_count"})
SHARES = frozenset(
    {
        "out_of_range",
        "duplicate_rows",
        "straightlining",
        "speeders",
        "long_strings",
        "low_variability",
        "even_odd_inconsistency",
        "synonym_inconsistency",
        "mahalanobis_outliers",
        "several_indices",
        "careless_flagged",
        "variance_explained",
        "top_box",
    }
)
SHARE_ENDINGS = ("_share", "_rate")
FINE = frozenset(
    {
        "consistency_ratio",
        "consistency_index",
        "lambda_max",
        "consensus",
        "cfi",
        "tli",
        "rmsea",
        "rmsea_conf_low",
        "rmsea_conf_high",
        "srmr",
        *(f"invariance_{index}{change}" for index in ("cfi", "rmsea", "srmr") for change in ("", "_change")),
    }
)
FINE_BEGINNING = "weight_"
CATEGORIES = frozenset({"quadrant"})  # 1, 2, ... stand for names, "quadrant.1" in the words of present/text
DF = frozenset({"df", "model_df"})
DF_ENDING = "_df_denominator"
AS_THEY_ARE = frozenset({"rank", "item_median", "item_mode"})


def writer_of(quantity: str, values: Iterable[float], intervals: Sequence[tuple[float, float]] = ()) -> Writer:
    """How to write the numbers of one column.

    Parameters
    ----------
    quantity : from the vocabulary of results.csv, or a column of a result ("p_value", "df", "n")
    values : all numbers of the column: they share their decimals
    intervals : their bounds, which have the same decimals and must not read alike

    >>> write = writer_of("alpha", [0.871, 0.7])
    >>> write(0.871), write(float("nan"))
    ('0.87', '–')
    >>> writer_of("alpha", [0.871], [(0.8705, 0.8713)])(0.871)
    '0.8710'
    >>> writer_of("p_value", [])(0.0004)
    '< .001'
    """
    if quantity == "p_value":
        return write_p
    if quantity in DF or quantity.endswith(DF_ENDING):
        return partial(write_plain, decimals=1)
    if quantity in AS_THEY_ARE:
        return partial(write_plain, decimals=2)
    if quantity in COUNTS:
        return partial(write_decimals, decimals=0)
    if quantity in SHARES or quantity.endswith(SHARE_ENDINGS):
        return partial(write_share, decimals=_telling(intervals, 3) - 2)
    fine = quantity in FINE or quantity.startswith(FINE_BEGINNING)
    return partial(write_decimals, decimals=_telling(intervals, 3 if fine else decimals_for(values)))


def _telling(intervals: Sequence[tuple[float, float]], decimals: int) -> int:
    """`decimals`, or as many more as tell the bounds of every interval apart, but for those that hardly any could."""
    for finer in range(decimals, decimals + MORE_DECIMALS):
        alike = [pair for pair in intervals if pair[0] < pair[1] and _read_alike(pair, finer)]
        if all(_read_alike(pair, decimals + MORE_DECIMALS) for pair in alike):
            return finer
    return decimals + MORE_DECIMALS


def _read_alike(pair: tuple[float, float], decimals: int) -> bool:
    low, high = (f"{bound:.{decimals}f}" for bound in pair)
    return low == high


def decimals_for(values: Iterable[float]) -> int:
    """Decimals of a column by its largest number: 2 from 0.1 up to 100, fewer above, more below.

    >>> [decimals_for([x]) for x in (0.004, 0.04, 0.4, 40, 400, 4000)]
    [4, 3, 2, 2, 1, 0]
    """
    largest = max((abs(value) for value in values if isfinite(value)), default=0.0)
    if largest == 0:
        return 2
    power = floor(log10(largest))
    return min(max(3 - power, 0), 2) if power > 0 else min(max(1 - power, 2), 4)


def write_decimals(value: float, decimals: int) -> str:
    """A number with thousands separated, a true minus sign, and no negative zero.

    >>> write_decimals(-1234.567, 1), write_decimals(-0.001, 2)
    ('−1,234.6', '0.00')
    """
    if not isfinite(value):
        return MISSING
    written = f"{value:,.{decimals}f}"
    if written.startswith("-"):
        return f"\u2212{written[1:]}" if any(digit in written for digit in "123456789") else written[1:]
    return written


def write_as(value: object, spec: str, *, limits: Iterable[float] = ()) -> str:
    """A value by a format of Python, but as tables write it: thousands separated, a true minus sign, no negative zero.

    A number that would read as one of the `limits`, by size, and is not, is written with as many decimals as tell them apart;
    a share that would read as 0% or 100% likewise.

    >>> write_as(3224, ""), write_as(1804.04, ".1f"), write_as(-0.02, ".0%"), write_as("speed", "")
    ('3,224', '1,804.0', '−2%', 'speed')
    >>> write_as(-0.0104, ".3f"), write_as(-0.0104, ".3f", limits=[0.01]), write_as(0.01, ".3f", limits=[0.01])
    ('−0.010', '−0.0104', '0.010')
    >>> write_as(-0.001, ".2f"), write_as(0.0004, ".0%"), write_as(0.9996, ".1%")
    ('0.00', '0.04%', '99.96%')
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return format(value, spec)
    if isinstance(value, Integral) and not spec:
        spec = ","
    elif isfinite(value):
        spec = _separated(_apart(float(value), spec, [*limits, 0.0, 1.0] if spec.endswith("%") else limits))
    written = format(value, spec)
    if written.startswith("-"):
        return f"\u2212{written[1:]}" if any(digit in written for digit in "123456789") else written[1:]
    return written


def apart(spec: str, first: float, second: float) -> str:
    """`spec` with as many decimals as tell two numbers apart, such as the bounds of an interval.

    >>> apart(".0%", 0.2891, 0.2949), apart(".2f", 3.61, 3.61)
    ('.1%', '.2f')
    """
    return _apart(first, spec, [second]) if isfinite(first) and isfinite(second) else spec


def _apart(value: float, spec: str, limits: Iterable[float]) -> str:
    """`spec`, such as ".3f" or ".1%", with more decimals where the number would else read as a limit."""
    found = _FIXED.fullmatch(spec)
    others = [limit for limit in limits if abs(limit) != abs(value)]
    if found is None or not others:
        return spec
    for decimals in range(int(found["decimals"]), MOST_DECIMALS + 1):
        closer = f".{decimals}{found['kind']}"
        if format(abs(value), closer) not in {format(abs(limit), closer) for limit in others}:
            return f"{found['before']}{closer}"
    return spec


def _separated(spec: str) -> str:
    """`spec` with thousands separated, if it has a fixed number of decimals."""
    found = _FIXED.fullmatch(spec)
    return spec if found is None or "," in spec else f"{found['before']},.{found['decimals']}{found['kind']}"


def write_plain(value: float, decimals: int) -> str:
    """A number with no more decimals than it needs, `decimals` at most.

    >>> write_plain(7.0, 2), write_plain(7.5, 2), write_plain(12.345, 1)
    ('7', '7.5', '12.3')
    """
    written = write_decimals(value, decimals)
    return written.rstrip("0").rstrip(".") if "." in written else written


def write_share(value: float, decimals: int = 1) -> str:
    """A share of 1 in percent; more decimals for one that would read as 0% or 100% and is neither.

    >>> write_share(0.1234), write_share(0.00003), write_share(0.0)
    ('12.3%', '0.003%', '0.0%')
    """
    return write_as(float(value), f".{decimals}%") if isfinite(value) else MISSING


def write_p(value: float, *, limits: Iterable[float] = ()) -> str:
    """A p value; with as many decimals as tell it from each of the `limits`.

    >>> write_p(0.0314), write_p(0.0001), write_p(1.0), write_p(0.0497, limits=[0.05])
    ('.031', '< .001', '1.000', '.0497')
    """
    if not isfinite(value):
        return MISSING
    return "< .001" if value < 0.001 else write_as(float(value), ".3f", limits=limits).removeprefix("0")


def write_interval(low: float, high: float, write: Writer) -> str:
    """Both bounds in brackets, or nothing where one is missing.

    >>> write_interval(0.85, 0.89, writer_of("alpha", [0.87]))
    '[0.85, 0.89]'
    """
    return f"[{write(low)}, {write(high)}]" if isfinite(low) and isfinite(high) else ""
