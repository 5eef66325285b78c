"""The numbers that sum a study up, picked from its results.csv: one line a study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from cxresearch.core.results import COLUMNS, Finding, Result, View, choices, gather
from cxresearch.methods.copies import told_copies
from cxresearch.methods.reliability_rows import ALL

_NONE: Mapping[str, str] = {}
_PICKED = (  # quantity of results.csv, notebook, words of its method that are wanted, name in the summary
    ("rows_used", "00_data_quality", "", "rows_used"),
    ("construct_score", "06_service_drivers", "mean, 0 to 100", "outcome_score"),
    ("careless_flagged", "00_data_quality", "", "careless_flagged"),
    ("cfi", "03_confirmatory", "mlr", "cfi"),
    ("rmsea", "03_confirmatory", "mlr", "rmsea"),
    ("r_squared", "06_service_drivers", "", "r_squared"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headlines(Result):
    """One line a study; `group` is the study.

    Attributes
    ----------
    cautions : what a reader must know
    """

    infers: ClassVar[bool] = False
    views: ClassVar[Mapping[str, View]] = {
        "headlines": View(
            ("rows_used", "outcome_score", "lowest_alpha", "cfi", "rmsea", "r_squared", "careless_flagged"),
            rows=("group",),
        )
    }

    n_studies: int
    cautions: tuple[Finding, ...]

    def finding(self) -> Finding:
        """How many studies and respondents there are."""
        return Finding("headlines.all", {"n_studies": self.n_studies, "n": self.n_used}, None, self.cautions)


def pick_headlines(results: pd.DataFrame, *, copies: Mapping[str, str] = _NONE) -> Headlines:
    """The headline numbers of each study, with their intervals, as its notebooks wrote them.

    Parameters
    ----------
    results : results.csv of several studies, one below the other
    copies : study -> the other one whose respondents it repeats (`find_copies`); listed, not counted

    Returns
    -------
    Headlines: rows_used, outcome_score (mean of the outcome on 0 to 100; `scale` is its name), lowest_alpha (`scale` is the scale that
    has it), cfi and rmsea of the CFA (robust, MLR), r_squared of the drivers, careless_flagged; each where its notebook has run.
    """
    parts = [_renamed(_rows(results, *wanted), name) for *wanted, name in _PICKED]
    alphas = _rows(results, "alpha", "01_reliability", "")
    alphas = alphas[alphas["scale"] != ALL].sort_values("estimate", kind="stable").drop_duplicates("study")
    table = gather([*parts, _renamed(alphas, "lowest_alpha")])
    used = table[(table["quantity"] == "rows_used") & ~table["group"].isin(list(copies))]["estimate"].sum()
    studies = results["study"].drop_duplicates()
    n_studies = int((~studies.isin(list(copies))).sum())
    return Headlines(table=table, n_used=int(used), n_studies=n_studies, cautions=tuple(told_copies(copies)))


def _rows(results: pd.DataFrame, quantity: str, notebook: str, method: str) -> pd.DataFrame:
    """The first row of each study that fits (a scale's rows all count as one for scales)."""
    found = results[(results["quantity"] == quantity) & (results["notebook"] == notebook)]
    found = found.loc[[choices(method) <= choices(words) for words in found["method"]]]
    return found if quantity == "alpha" else found.drop_duplicates("study")


def _renamed(rows: pd.DataFrame, quantity: str) -> pd.DataFrame:
    return rows.assign(quantity=quantity, group=rows["study"])[list(COLUMNS)]
