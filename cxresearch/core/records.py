"""What is known of the records of a table: which cells are filled, which are right, how old they are."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """One table of a study, read and looked at cell by cell. All parts have the same rows.

    Attributes
    ----------
    name : "survey", "tickets", "operations", "observations" or "customers"
    frame : the columns that the study file names, as times, floats, true/false (1.0 and 0.0) or text codes; what is blank, or cannot
        be read, is missing
    filled : bool; the columns that a whole record has: whether the cell is filled
    valid : bool; the columns that can be judged: False where a filled cell cannot be read, lies outside its limits, repeats the number
        of another record, comes before the record was opened or after the extract was made
    texts : columns that may hold free text, as they stand in the data
    age_days : days from the last update of each record to the extract; None where the table has no such date
    sampled : of which large table the rows are a random sample, "" where they are all
    """

    name: str
    frame: pd.DataFrame
    filled: pd.DataFrame
    valid: pd.DataFrame
    texts: pd.DataFrame
    age_days: pd.Series | None = None
    sampled: str = ""
