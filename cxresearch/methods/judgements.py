"""Reading pairwise judgements: from a table or a labelled matrix to one stack of matrices a parent."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from cxresearch.errors import InputError, name_some
from cxresearch.methods.hierarchy import Hierarchy, order_hierarchy

COLUMNS = ("expert", "parent", "left", "right", "judgement")
GOAL = "goal"  # the parent of a matrix that comes without a hierarchy
LOWEST, HIGHEST = 0.11, 9.0  # Saaty's scale; 0.11 is 1/9 typed with two decimals
RECIPROCAL_TOLERANCE = 0.05  # 8 and 0.13 are meant as reciprocals
FAULTS_SHOWN = 25
_NUMBERS = (int, float, np.integer, np.floating)


@dataclass(frozen=True, slots=True)
class Panel:
    """What every expert said about the criteria below one parent.

    Attributes
    ----------
    parent : the criterion above
    criteria : the k criteria compared
    matrices : (experts, k, k), reciprocal, ones on the diagonal, nan where a pair was not asked
    """

    parent: str
    criteria: tuple[str, ...]
    matrices: np.ndarray


def read_judgements(
    judgements: pd.DataFrame, hierarchy: Mapping[str, Iterable[object]] | None = None
) -> tuple[tuple[str, ...], Hierarchy, list[Panel]]:
    """Experts, the ordered hierarchy, and one panel a parent that has two criteria or more.

    Parameters
    ----------
    judgements : columns expert, parent, left, right, judgement: how many times as important `left` is as `right`, from 9 to
        1/9, as a number or as text (`1/3`); blank = not asked. Or a square matrix with the same labels on rows and columns:
        the judgements of one expert.
    hierarchy : parent -> criteria; found in the judgements where not given

    Raises
    ------
    InputError
        With all faults at once, each naming the expert, the parent and the pair.
    """
    table = _long_form(judgements, hierarchy)
    ordered = order_hierarchy(hierarchy if hierarchy is not None else _hierarchy_of(table))
    faults = _name_faults(table, ordered)
    experts = tuple(dict.fromkeys(table["expert"]))
    table = table[~table["value"].isna() | ~table["readable"]]
    faults += _value_faults(table)
    if not faults:
        table = table[table["left"] != table["right"]]
        faults = _contradictions(table)
    faults = faults or _criteria_never_compared(table, ordered)
    if faults:
        raise InputError(
            "every judgement must name known criteria and say, from 9 to 1/9 and once a pair, how many times as important the "
            "left one is as the right one",
            f"found {len(faults)} fault{'s' * (len(faults) > 1)}: " + _listed(faults),
            "Mend the judgements." + _hints(table),
        )
    return experts, ordered, _panels(table, ordered, experts)


def _long_form(judgements: pd.DataFrame, hierarchy: Mapping[str, Iterable[object]] | None) -> pd.DataFrame:
    """Names as text, and the judgement twice: as given, and as a number in `value`."""
    if _is_square(judgements):
        goal = GOAL if hierarchy is None else next(iter(hierarchy), GOAL)
        judgements = _unfold(judgements, str(goal))
    missing = [name for name in COLUMNS if name not in judgements.columns]
    if missing:
        raise InputError(
            f"judgements need the columns {', '.join(COLUMNS)} (or the same labels on rows and columns of a matrix)",
            f"{name_some(missing)} not among {name_some(judgements.columns, 10)}",
            "Rename the columns of the table.",
        )
    table = pd.DataFrame({name: [_code(value) for value in judgements[name]] for name in COLUMNS[:-1]})
    given = judgements["judgement"].tolist()
    numbers = [_number(value) for value in given]
    table["given"] = [_code(value) for value in given]
    table["value"] = [np.nan if number is None else number for number in numbers]
    table["readable"] = [number is not None for number in numbers]
    if table["value"].isna().all() and table["readable"].all():
        raise InputError("some pair must be judged", f"found {len(table)} rows, all blank", "Fill the judgements.")
    return table


def _is_square(frame: pd.DataFrame) -> bool:
    rows, columns = [str(name) for name in frame.index], [str(name) for name in frame.columns]
    return len(rows) > 0 and sorted(rows) == sorted(columns) and "judgement" not in columns


def _unfold(matrix: pd.DataFrame, goal: str) -> pd.DataFrame:
    cells = matrix.to_numpy(object)
    long = pd.DataFrame(
        [(str(left), str(right), cells[i, j]) for i, left in enumerate(matrix.index) for j, right in enumerate(matrix)],
        columns=["left", "right", "judgement"],
    )
    return long.assign(expert="1", parent=goal)


def _hierarchy_of(table: pd.DataFrame) -> Hierarchy:
    found: Hierarchy = {}
    for parent, rows in table.groupby("parent", sort=False):
        found[str(parent)] = list(dict.fromkeys(rows[["left", "right"]].to_numpy().T.ravel()))
    return found


def _code(value: object) -> str:
    """A name as text: 1.0 is '1', a blank is ''."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, _NUMBERS) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _number(value: object) -> float | None:
    """A judgement as a number: nan where it is blank, None where it cannot be read."""
    if _code(value) == "":
        return np.nan
    if isinstance(value, _NUMBERS):
        return float(value)
    text = unicodedata.normalize("NFKC", str(value)).replace("\u2044", "/").replace(" ", "")
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _name_faults(table: pd.DataFrame, hierarchy: Hierarchy) -> list[str]:
    """Blank or unknown names, each with the experts who used it and the nearest known name."""
    faults = [
        f"no {name} in row {name_some(table.index[table[name] == ''] + 1)}"
        for name in COLUMNS[:-1]
        if (table[name] == "").any()
    ]
    named = table[(table[list(COLUMNS[:-1])] != "").all(axis=1)]
    known = named["parent"].isin(list(hierarchy))
    for parent, rows in named[~known].groupby("parent", sort=False):
        faults.append(f"parent {parent}{_nearest(str(parent), hierarchy)} ({_who(rows)})")
    for parent, rows in named[known].groupby("parent", sort=False):
        criteria = hierarchy[str(parent)]
        for side in ("left", "right"):
            for name, strays in rows[~rows[side].isin(criteria)].groupby(side, sort=False):
                faults.append(f"{name} below {parent}{_nearest(str(name), criteria)} ({_who(strays)})")
    return list(dict.fromkeys(faults))


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return " is not in the hierarchy" + (f"; did you mean {close[0]}?" if close else "")


def _who(rows: pd.DataFrame) -> str:
    return f"expert {name_some(rows['expert'].unique())}"


def _value_faults(table: pd.DataFrame) -> list[str]:
    """Judgements that are no number, off the scale, or compare a criterion with itself as anything but equal."""
    value = table["value"]
    off = table["readable"] & ~value.between(LOWEST, HIGHEST + 1e-9)
    unequal = table["readable"] & (table["left"] == table["right"]) & (value != 1)
    return (
        [f"{_pair(row)} is {row.given!r}, not a number" for row in table[~table["readable"]].itertuples()]
        + [f"{_pair(row)} is {row.given}, off the scale from 1/9 to 9" for row in table[off].itertuples()]
        + [
            f"{_pair(row)} is {row.given}, but nothing differs from itself"
            for row in table[unequal & ~off].itertuples()
        ]
    )


def _hints(table: pd.DataFrame) -> str:
    """What may lie behind judgements that cannot be read, or are 0."""
    dates = " A spreadsheet may have turned 1/3 into a date: store that column as text."
    blanks = " Where a pair was not compared, leave its judgement blank."
    return dates * (not table["readable"].all()) + blanks * bool((table["value"] == 0).any())


def _pair(row: Any) -> str:
    return f"expert {row.expert}, {row.parent}: {row.left} / {row.right}"


def _contradictions(table: pd.DataFrame) -> list[str]:
    """Pairs that one expert judged twice, in one direction or in both, with answers that do not agree."""
    keys = ["expert", "parent", "left", "right"]
    spread = table.groupby(keys, sort=False)["value"].agg(["min", "max"])
    twice = spread.index[(spread["max"] / spread["min"] > 1 + 1e-9).to_numpy()]
    faults = []
    for key in twice:
        said = table[(table[keys] == list(key)).all(axis=1)]["given"]
        faults.append("expert {}, {}: {} / {} is given as ".format(*key) + " and as ".join(said.unique()))
    once = table.drop_duplicates(keys)
    back = once.rename(columns={"left": "right", "right": "left", "value": "back", "given": "given_back"})
    both = once.merge(back[[*keys, "back", "given_back"]], on=keys)
    both = both[(both["left"] < both["right"]) & (np.abs(both["value"] * both["back"] - 1) > RECIPROCAL_TOLERANCE)]
    for row in both.itertuples():
        faults.append(f"{_pair(row)} is {row.given}, but {row.right} / {row.left} is {row.given_back}")
    return faults


def _criteria_never_compared(table: pd.DataFrame, hierarchy: Hierarchy) -> list[str]:
    faults = []
    for parent, criteria in hierarchy.items():
        rows = table[table["parent"] == parent]
        compared = set(rows["left"]) | set(rows["right"])
        missing = [name for name in criteria if name not in compared]
        if missing and len(criteria) > 1:
            faults.append(f"below {parent}, no expert compares {name_some(missing)}")
    return faults


def _panels(table: pd.DataFrame, hierarchy: Hierarchy, experts: tuple[str, ...]) -> list[Panel]:
    """Reciprocal matrices; where both directions are given, the one above 1, which was not rounded, counts."""
    places = {expert: place for place, expert in enumerate(experts)}
    panels = []
    for parent, criteria in hierarchy.items():
        if len(criteria) < 2:
            continue
        rows = table[table["parent"] == parent].sort_values("value", kind="stable")
        order = {name: place for place, name in enumerate(criteria)}
        matrices = np.full((len(experts), len(criteria), len(criteria)), np.nan)
        matrices[:, np.arange(len(criteria)), np.arange(len(criteria))] = 1.0
        who = rows["expert"].map(places).to_numpy()
        left, right = rows["left"].map(order).to_numpy(), rows["right"].map(order).to_numpy()
        values = rows["value"].to_numpy(float)
        for low in (True, False):  # values of 1 and more are written last and stay
            some = (values < 1) == low
            matrices[who[some], left[some], right[some]] = values[some]
            matrices[who[some], right[some], left[some]] = 1 / values[some]
        panels.append(Panel(parent, tuple(criteria), matrices))
    return panels


def _listed(faults: list[str]) -> str:
    return "; ".join(faults[:FAULTS_SHOWN]) + (
        f"; and {len(faults) - FAULTS_SHOWN} more" * (len(faults) > FAULTS_SHOWN)
    )
