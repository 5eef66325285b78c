"""The tidy result: the one face that tables, figures, pages and results.csv read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.rules import RULES, Rule
from cxresearch.errors import InputError, name_some

KEYS = ("quantity", "scale", "term", "group")
NUMBERS = ("estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "n")
COLUMNS = (*KEYS, *NUMBERS, "method")  # of every result's table
TEXT = pd.StringDtype(na_value=np.nan)  # what pandas makes of text by itself
RECORD_COLUMNS = ("study", "notebook", *COLUMNS)  # of results.csv
PAIR = " - "  # between the two groups of a difference, as the `term` of its row


class GroupCode(str):
    """A value of a grouping column that knows its column, so that a sentence can find its label.

    >>> GroupCode("1", "company").of
    'company'
    """

    of: str

    def __new__(cls, code: str, of: str) -> "GroupCode":
        """The code `code` of the column `of`."""
        made = super().__new__(cls, code)
        made.of = of
        return made


@dataclass(frozen=True, slots=True)
class Finding:
    """What a result says, as data; present/text turns it into a sentence in the study's language.

    Attributes
    ----------
    key : which sentence, e.g. "reliability.some_below"
    values : what the sentence is filled with (numbers at full precision, names as codes, lists of either)
    rule : the threshold it was judged by, if any
    cautions : findings that qualify this one
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    rule: Rule | None = None
    cautions: tuple["Finding", ...] = ()

    def after(self, said: "Finding") -> "Finding":
        """This finding where another one stands before it: without the cautions that were said there.

        >>> welch = Finding("cases.heedless_weights")
        >>> Finding("cases.differ", cautions=(welch, Finding("cases.pairs"))).after(Finding("cases.differ", cautions=(welch,)))
        Finding(key='cases.differ', values={}, rule=None, cautions=(Finding(key='cases.pairs', values={}, rule=None, cautions=()),))
        """
        return replace(self, cautions=tuple(caution for caution in self.cautions if caution not in said.cautions))


@dataclass(frozen=True, slots=True)
class View:
    """How a part of a result's table is laid out for reading.

    Attributes
    ----------
    quantities : which rows of the table, in this order
    rows : the keys that tell the lines apart, of "scale", "term", "group"; or "method", where models are compared
    columns : "quantity" one column a quantity, with its interval; "numbers" estimate, standard error, statistic, df, p and
        interval side by side; or "scale", "term" or "group" for a matrix of one quantity
    method : keep only rows whose method holds these words, and none of those after a minus ("-unweighted")
    """

    quantities: tuple[str, ...]
    rows: tuple[str, ...] = ("scale",)
    columns: str = "quantity"
    method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What every method returns.

    Attributes
    ----------
    table : DataFrame with COLUMNS, one row a number, full precision: the rows of results.csv
    n_used, n_dropped : rows used and rows left out for missing answers
    missing_policy : how missing answers were treated where a verb lets one choose: "drop", "em" or "impute";
        "" elsewhere, and where the finding tells of "drop", as rows are left out for want of a group too
    n_incomplete : how many of the rows used lack an answer
    iterations : of EM, where these count by maximum likelihood; 0 elsewhere
    """

    views: ClassVar[Mapping[str, View]] = {}
    infers: ClassVar[bool] = True  # whether it says more of respondents than of the rows at hand

    table: pd.DataFrame
    n_used: int
    n_dropped: int = 0
    missing_policy: str = ""
    n_incomplete: int = 0
    iterations: int = 0

    def finding(self) -> Finding:
        """The result in one sentence."""
        raise NotImplementedError

    @property
    def is_small(self) -> bool:
        """Whether too few respondents stand behind it to rely on what it says."""
        return self.infers and self.n_used > 0 and not RULES["few_rows"].met(self.n_used)

    def reservations(self, view: str) -> tuple[str, ...]:
        """What must be said under the table of a view, or in place of one without rows: keys of the catalogue's `notes`."""
        return ()

    def records(self) -> pd.DataFrame:
        """The rows of results.csv, without study and notebook."""
        return self.table

    def pick(self, quantity: str, *, method: str = "", **keys: str) -> pd.DataFrame:
        """The rows of one quantity; `scale`, `term`, `group` and choices of `method` ("ols; hc3": both) narrow them down."""
        found = self.table[self.table["quantity"] == quantity]
        for key, value in keys.items():
            found = found[found[key] == value]
        return found.loc[[choices(method) <= choices(words) for words in found["method"]]]

    def value(self, quantity: str, *, method: str = "", **keys: str) -> float:
        """The one estimate that fits.

        Raises
        ------
        InputError
            If none or several rows fit.
        """
        found = self.pick(quantity, method=method, **keys)
        if len(found) != 1:
            raise InputError(
                f"`{quantity}` with {keys or 'no keys'} must name one number",
                f"found {len(found)} ({name_some(found['term'] if len(found) else self.table['quantity'].unique())})",
                "Add `scale`, `term`, `group` or choices of `method`.",
            )
        return float(found["estimate"].iloc[0])


def tidy(quantity: str, estimate: Any, **columns: Any) -> pd.DataFrame:
    """Rows of a result's table.

    Parameters
    ----------
    quantity : from the vocabulary of results.csv
    estimate : number or (m,) array
    **columns : any other of COLUMNS; numbers and texts are repeated, sequences must have the length m

    >>> tidy("alpha", [0.8, 0.7], scale=["speed", "price"], n=250)[["quantity", "scale", "estimate", "n"]]
      quantity  scale  estimate      n
    0    alpha  speed       0.8  250.0
    1    alpha  price       0.7  250.0
    """
    unknown = set(columns) - set(COLUMNS)
    if unknown:
        raise TypeError(f"not a column of a result: {', '.join(sorted(unknown))}")
    estimates = np.atleast_1d(np.asarray(estimate, float))
    given = {**columns, "quantity": quantity, "estimate": estimates}
    size = len(estimates)
    cells = {
        name: _numbers(given.get(name, np.nan), size) if name in NUMBERS else _texts(given.get(name, ""), size)
        for name in COLUMNS
    }
    return pd.DataFrame(cells)


def _numbers(values: Any, size: int) -> np.ndarray:
    found = np.asarray(values, float)
    return np.full(size, found) if found.ndim == 0 else found


def _texts(values: Any, size: int) -> Any:
    """A column of text; built at once, as most of the time of a table would go into conversions."""
    every = [values] * size if isinstance(values, str) or not np.iterable(values) else list(values)
    if all(isinstance(each, str) for each in every):
        return pd.array(every, dtype=TEXT)
    return pd.Series(every, index=range(len(every))).astype(str).array


def gather(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """One table of several parts made by `tidy`; empty parts are left out."""
    full = [part for part in parts if len(part)]
    return pd.concat(full, ignore_index=True) if full else tidy("", [])


def words(*parts: str) -> str:
    """The `method` of a row: the choices that moved the number, blanks left out.

    >>> words("ols", "", "hc3")
    'ols; hc3'
    """
    return "; ".join(part for part in parts if part)


def choices(method: str) -> set[str]:
    """The choices that a row's `method` names, whole: "weighted" is none of "unweighted; hc3".

    >>> sorted(choices("ols; hc3")), choices("")
    (['hc3', 'ols'], set())
    """
    return {choice for choice in method.split("; ") if choice}
