"""What the moment verbs take: rows, moments alone, or a large table; read here, in one place, into moments and bootstrap."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import Moments, bootstrap_moments
from cxresearch.core.results import choices, words
from cxresearch.errors import InputError

Answers = pd.DataFrame | Moments | LargeTable
Missing = Literal["drop"]
MOMENTS_ONLY = "moments only"  # in `method`: no rows, so no bootstrap and no robust errors


def moments_of(
    answers: Answers, items: Sequence[str], *, design: Design | None = None, missing: Missing = "drop"
) -> Moments:
    """Moments of some items, by the rows that answered all of them; given moments, their part, marked as such.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered; a large table; or Moments of one sample
    items : columns of `answers`, in the order wanted
    design : weights and clusters of the rows
    missing : "drop": rows that lack an answer are left out

    Raises
    ------
    InputError
        As `sound_answers`; for text, fewer than two rows, an item that is not there, or another `missing`.

    >>> frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0, 3.0, 2.0, np.nan]})
    >>> moments_of(frame, ["b", "a"]).mean, int(moments_of(frame, ["b", "a"]).n)
    (array([2., 2.]), 3)
    """
    refuse_unknown_policy(missing)
    answers = sound_answers(answers, design=design)
    if isinstance(answers, Moments):
        return answers.select(items)
    if isinstance(answers, LargeTable):
        return answers[items].totals().moments()
    return Moments.from_frame(answers[list(items)].dropna(), design=design)


def replicates_of(
    answers: Answers,
    items: Sequence[str],
    n_bootstrap: int,
    *,
    seed: int,
    design: Design | None = None,
    missing: Missing = "drop",
) -> Moments | None:
    """The bootstrap of `moments_of`, a stack (B, ...); None where there is nothing to resample, or `n_bootstrap` is 0.

    Raises
    ------
    InputError
        As `moments_of`, or for an `n_bootstrap` that is no whole number of 0 or more.
    """
    refuse_unknown_policy(missing)
    answers = sound_answers(answers, design=design)
    if isinstance(answers, Moments) or n_bootstrap == 0:
        return None
    if isinstance(answers, LargeTable):
        return answers[items].totals().resample(n_bootstrap, seed=seed)
    return bootstrap_moments(answers[list(items)].dropna(), n_bootstrap, seed=seed, design=design)


def count_rows(answers: Answers, items: Sequence[str]) -> int:
    """Rows that answered all of the items; of moments, those behind them."""
    if isinstance(answers, LargeTable):
        return answers.count_answered([items])
    return int(answers.n) if isinstance(answers, Moments) else int(answers[list(items)].notna().all(axis=1).sum())


def names_of(answers: Answers) -> tuple[str, ...]:
    """The columns of rows or of a large table, or the items of moments."""
    return tuple(answers.columns) if isinstance(answers, pd.DataFrame) else answers.names


def sound_answers(answers: Answers, *, design: Design | None = None) -> Answers:
    """What a verb was given, once it is sure that it is rows, or moments of one sample; moments are marked as such.

    Raises
    ------
    InputError
        For anything else, moments of a stack or with gaps in their covariances, or a design beside moments or a large table.
    """
    if isinstance(answers, pd.DataFrame):
        return answers
    if isinstance(answers, Moments | LargeTable) and design is not None and not design.is_simple:
        raise InputError(
            "weights and clusters need the rows",
            f"found {type(answers).__name__} beside `design`",
            "Give the rows, or no `design`; a large table has its own.",
        )
    if isinstance(answers, LargeTable):
        return answers
    if not isinstance(answers, Moments):
        raise InputError(
            "the data must be a large table, a DataFrame with one row a respondent, or Moments",
            f"found {type(answers).__name__}",
            "Write `pd.DataFrame(...)`, or `Moments.from_correlation(...)` for a published matrix.",
        )
    if answers.cov.ndim != 2 or not np.isfinite(answers.cov).all():
        raise InputError(
            "Moments must be those of one sample, with complete covariances",
            f"found covariances of shape {answers.cov.shape}",
            "Take one sample of the stack, and items with answers.",
        )
    if MOMENTS_ONLY in choices(answers.design_words):
        return answers
    return replace(answers, design_words=words(MOMENTS_ONLY, answers.design_words))


def refuse_unknown_policy(missing: str) -> None:
    """Refuse a `missing` that is no policy."""
    if missing not in get_args(Missing):
        raise InputError(
            f"`missing` must be one of {', '.join(get_args(Missing))}", f"found {missing!r}", "Choose one of these."
        )
