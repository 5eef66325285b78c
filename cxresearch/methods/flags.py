"""Rows that may not have been answered with care: how many each rule flags, and which rules flag the same rows."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxresearch.core.patterns import Patterns, count_patterns
from cxresearch.core.results import Finding, gather, tidy, words
from cxresearch.core.rules import RULES, Rule
from cxresearch.errors import InputError, name_some
from cxresearch.methods.patterns import pattern_rows
from cxresearch.methods.shares import wilson_share


class Flag(NamedTuple):
    """What a flag is called in results.csv, what its rule says, and where the rule stands."""

    quantity: str
    said: str
    rule: Rule | None = None


_LOWEST = f"among the lowest {RULES['lowest_share'].value:.0%}"
FLAGS = {
    "duplicate": Flag("duplicate_rows", "whole row or respondent seen before"),
    "straightliner": Flag(
        "straightlining", f"one answer to a grid of {RULES['grid_items'].value:g} or more", RULES["grid_items"]
    ),
    "speeder": Flag("speeders", f"below {RULES['speeder'].value:g} of the median time", RULES["speeder"]),
    "long_string": Flag("long_strings", "half of the items alike in a row", RULES["long_string"]),
    "low_variability": Flag("low_variability", _LOWEST, RULES["lowest_share"]),
    "even_odd": Flag("even_odd_inconsistency", words(f"below {RULES['even_odd'].value:g}", _LOWEST), RULES["even_odd"]),
    "synonyms": Flag("synonym_inconsistency", words("below 0", _LOWEST), RULES["synonyms"]),
    "mahalanobis": Flag("mahalanobis_outliers", f"p below {RULES['mahalanobis'].value:g}", RULES["mahalanobis"]),
    "several_indices": Flag(
        "several_indices", f"{RULES['agreeing_indices'].value:g} or more indices agree", RULES["agreeing_indices"]
    ),
}
CARELESS = ("straightliner", "speeder", "several_indices")  # flags that make a respondent careless
TOLD = ("duplicate", *CARELESS)  # in words; the single indices stand in the table, none of them decides alone


def flag_shares(
    flags: pd.DataFrame, sampled: str = "", counted: Mapping[str, tuple[int, int]] | None = None
) -> pd.DataFrame:
    """Share of the rows that each flag marks, and that any flag of carelessness marks.

    Parameters
    ----------
    sampled : of what the rows are a sample
    counted : flag -> rows that it marks, and rows looked at, where it was counted in more than these
    """
    counted = counted or {}
    parts = []
    for name, flag in FLAGS.items():
        if name in counted:
            parts.append(_share(flag.quantity, *counted[name], flag.said))
        elif name in flags:
            parts.append(_share(flag.quantity, flags[name].sum(), len(flags), words(flag.said, sampled)))
    judged = [name for name in CARELESS if name in flags]
    if judged:
        said = words("any of these", *(FLAGS[name].said for name in judged), sampled)
        parts.append(_share("careless_flagged", flags[judged].any(axis=1).sum(), len(flags), said))
    overlap = find_overlap(flags)
    return gather(
        [*parts, pattern_rows("flag_pattern_share", overlap, sampled)] if len(overlap.marks.columns) else parts
    )


def find_overlap(flags: pd.DataFrame) -> Patterns:
    """Which rules of carelessness flag the same rows; a straight-liner has the longest string there can be."""
    return count_patterns(
        flags[[name for name in FLAGS if name in flags and name not in ("duplicate", "several_indices")]]
    )


def flag_cautions(shares: pd.DataFrame) -> Iterator[Finding]:
    """What to say of the flags that mark any row."""
    for name in TOLD:
        flag = FLAGS[name]
        own = shares[shares["quantity"] == flag.quantity]
        for share, n in own[["estimate", "n"]].to_numpy():
            if share > 0:
                yield Finding(f"quality.{flag.quantity}", {"count": round(share * n), "share": share}, flag.rule)


def refuse_unknown_flags(flags: pd.DataFrame) -> None:
    """That every flag has a rule.

    Raises
    ------
    InputError
        If one has none.
    """
    unknown = [str(name) for name in flags if name not in FLAGS]
    if unknown:
        raise InputError(
            f"`flags` must be of {', '.join(FLAGS)}", f"found {name_some(unknown)}", "Leave the other columns out."
        )


def _share(quantity: str, count: float, n: int, said: str) -> pd.DataFrame:
    share = wilson_share(np.array([count]), n)
    return tidy(
        quantity, share.estimate, std_error=share.std_error, conf_low=share.low, conf_high=share.high, n=n,
        method=words(said, "wilson"),
    )  # fmt: skip
