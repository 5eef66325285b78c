"""Whether records are whole, right and up to date, and which free texts hold personal data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.cautions import sample_numbers
from cxresearch.core.personal import count_personal
from cxresearch.core.records import Records
from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.errors import InputError
from cxresearch.methods.shares import wilson_share

_SHOWN = 3  # columns that a sentence names


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsResult(Result):
    """Rates of data quality of each table, and personal data by column.

    Attributes
    ----------
    tables : the tables, in order
    n_columns : columns looked through for personal data
    update_window_days : age up to which a record is up to date
    sampled : table -> of what its rows are a random sample; only where they are one
    """

    infers: ClassVar[bool] = False
    views: ClassVar[Mapping[str, View]] = {
        "records": View(
            ("complete_records_rate", "valid_records_rate", "updated_records_rate"), rows=("scale",), method="-column"
        ),
        "record_columns": View(
            ("complete_records_rate", "valid_records_rate"), rows=("scale", "term"), method="column"
        ),
        "personal": View(("personal_data_share",), rows=("scale", "term", "group")),
    }

    tables: tuple[str, ...]
    n_columns: int
    update_window_days: int
    sampled: Mapping[str, str]

    def finding(self) -> Finding:
        """The table with the fewest whole records; what is not valid, out of date or personal."""
        whole = self.pick("complete_records_rate", term="").set_index("scale")["estimate"]
        lowest = str(whole.idxmin())
        return Finding(
            "records.complete",
            {"tables": list(self.tables), "scale": lowest, "share": whole[lowest]},
            cautions=(*self._drawn(), *self._invalid(), *self._outdated(), *self._personal()),
        )

    def _drawn(self) -> list[Finding]:
        """The tables of which a random sample was looked at."""
        return [
            Finding("records.sampled", {"scale": name} | sample_numbers(said)) for name, said in self.sampled.items()
        ]

    def _invalid(self) -> list[Finding]:
        """Tables with records that cannot be right, and their worst columns."""
        found = []
        rates = self.pick("valid_records_rate")
        for scale, own in rates.groupby("scale", sort=False):
            whole = own[own["term"] == ""].iloc[0]
            worst = own[(own["term"] != "") & (own["estimate"] < 1)].sort_values("estimate", kind="stable")
            if whole["estimate"] < 1:
                values = {"scale": scale, "share": 1 - whole["estimate"], "terms": list(worst["term"][:_SHOWN])}
                found.append(
                    Finding("records.invalid", {**values, "count": round((1 - whole["estimate"]) * whole["n"])})
                )
        return found

    def _outdated(self) -> list[Finding]:
        rates = self.pick("updated_records_rate")[["scale", "estimate"]]
        return [
            Finding("records.updated", {"scale": scale, "share": share, "days": self.update_window_days})
            for scale, share in rates.itertuples(index=False)
        ]

    def _personal(self) -> list[Finding]:
        found = self.pick("personal_data_share")
        found = found[(found["group"] != "") & (found["estimate"] > 0)]
        if found.empty and not self.n_columns:
            return []
        if found.empty:
            return [Finding("records.no_personal", {"n_columns": self.n_columns, "tables": list(self.tables)})]
        kinds = list(dict.fromkeys(found["group"]))
        places = list(
            dict.fromkeys(f"{scale}.{term}" for scale, term in zip(found["scale"], found["term"], strict=True))
        )
        count = round(float((found["estimate"] * found["n"]).sum()))
        return [Finding("records.personal", {"count": count, "kinds": kinds, "places": places})]


def check_records(tables: Sequence[Records], *, update_window_days: int = 365) -> RecordsResult:
    """Rates of whole, valid and up-to-date records of each table, and shares of records whose texts hold personal data.

    Shares describe the records as they are, unweighted, with Wilson's interval.

    Parameters
    ----------
    tables : as `Study.records()` reads them
    update_window_days : a record is up to date if it was updated at most so many days before the extract

    Returns
    -------
    RecordsResult with complete_records_rate (scale = table; term = column, blank for the whole record), valid_records_rate
    (likewise; a blank cell is not invalid), updated_records_rate (tables with a date of update; a missing date is not up to date),
    personal_data_share (term = column of text, group = kind, blank for any)

    Raises
    ------
    InputError
        If there is no table, or the window is not positive.

    References
    ----------
    ISO/IEC 25012:2008 (completeness, accuracy, currentness). Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> ids, marks = pd.DataFrame({"id": ["1", "2"]}), pd.DataFrame({"id": [True, False]})
    >>> tickets = Records(name="tickets", frame=ids, filled=marks, valid=~(marks & False), texts=ids)
    >>> check_records([tickets]).value("complete_records_rate", scale="tickets", term="")
    0.5
    """
    if not tables or update_window_days <= 0:
        raise InputError(
            "there must be a table, and `update_window_days` above 0",
            f"found {len(tables)} tables and {update_window_days}",
            "Take `study.records()`.",
        )
    parts = []
    for table in tables:
        parts += [_rates("complete_records_rate", table, table.filled)]
        parts += [_rates("valid_records_rate", table, table.valid)]
        if table.age_days is not None:
            fresh = np.array([(table.age_days <= update_window_days).sum()])
            said = words(f"within {update_window_days} days", table.sampled)
            parts.append(_shares("updated_records_rate", fresh, len(table.age_days), method=said, scale=table.name))
        parts.append(_personal_rows(table))
    return RecordsResult(
        table=gather(parts),
        n_used=sum(len(table.filled) for table in tables),
        tables=tuple(table.name for table in tables),
        n_columns=sum(table.texts.shape[1] for table in tables),
        update_window_days=update_window_days,
        sampled={table.name: table.sampled for table in tables if table.sampled},
    )


def _rates(quantity: str, table: Records, marks: pd.DataFrame) -> pd.DataFrame:
    """Share of the records with every mark (blank term), and with the mark of each column."""
    every = np.array([marks.all(axis=1).sum()])
    return gather(
        [
            _shares(quantity, every, len(marks), method=table.sampled, scale=table.name),
            _shares(
                quantity,
                marks.sum().to_numpy(),
                len(marks),
                method=words("column", table.sampled),
                scale=table.name,
                term=list(marks),
            ),
        ]
    )


def _personal_rows(table: Records) -> pd.DataFrame:
    parts = []
    for column in table.texts:
        counts = count_personal(table.texts[column])
        for kind, count in counts.items():
            keys = {"scale": table.name, "term": str(column), "group": kind}
            parts.append(
                _shares("personal_data_share", np.array([count]), len(table.texts), method=table.sampled, **keys)
            )
    return gather(parts)


def _shares(quantity: str, count: np.ndarray, n: int, *, method: str = "", **keys: object) -> pd.DataFrame:
    share = wilson_share(count, n)
    return tidy(
        quantity, share.estimate, std_error=share.std_error, conf_low=share.low, conf_high=share.high, n=n,
        method=words(method, "wilson"), **keys,
    )  # fmt: skip
