"""Hold a study's results.csv against a file of reference values.

A reference row matches the row with equal quantity, scale, term and group whose method holds every choice of the
reference's method, choices being separated by "; " and taken whole; a blank method matches any.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

KEYS = ["quantity", "scale", "term", "group"]
NUMBERS = ["estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "n"]


def read(path: Path) -> pd.DataFrame:
    """A csv of results or references; keys and method as text, blank where empty."""
    texts = dict.fromkeys([*KEYS, "method"], str)
    return pd.read_csv(path, dtype=texts, keep_default_na=False, na_values={name: ["", "NA"] for name in NUMBERS})


def relative_differences(results: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """One row a reference value: the number of matching results, and |ours - theirs| / max(|theirs|, 1e-12) per number."""
    by_key = dict(tuple(results.groupby(KEYS, sort=False)))
    rows = []
    for wanted in reference.to_dict("records"):
        found = by_key.get(tuple(wanted[key] for key in KEYS), results.iloc[:0])
        parts = set(wanted["method"].split("; ")) - {""}
        found = found[[parts <= set(method.split("; ")) for method in found["method"]]]
        row = {**{key: wanted[key] for key in KEYS}, "method": wanted["method"], "matches": len(found)}
        for number in NUMBERS if len(found) == 1 else []:
            theirs, ours = wanted[number], found[number].iloc[0]
            if not np.isnan(theirs):
                row[number] = np.inf if np.isnan(ours) else abs(ours - theirs) / max(abs(theirs), 1e-12)
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=[*KEYS, "method", "matches", *NUMBERS])


def summary(differences: pd.DataFrame) -> pd.DataFrame:
    """Worst difference of each quantity and method, over its rows."""
    grouped = differences.groupby(["quantity", "method"], sort=False)
    worst = grouped[NUMBERS].max()
    worst.insert(0, "found", grouped["matches"].apply(lambda m: int((m == 1).sum())))
    worst.insert(0, "rows", grouped.size())
    return worst


if __name__ == "__main__":
    pd.set_option("display.width", 200, "display.max_rows", 200)
    print(
        summary(relative_differences(read(Path(sys.argv[1])), read(Path(sys.argv[2])))).to_string(float_format="%.1e")
    )
