"""What the moment verbs take: rows, moments alone, or a large table; read here, in one place, into moments and bootstrap."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.em import bootstrap_em, em_moments
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import Moments, bootstrap_moments
from cxresearch.core.results import choices, words
from cxresearch.errors import InputError

Answers = pd.DataFrame | Moments | LargeTable
Missing = Literal["drop", "em", "impute"]
MOMENTS_ONLY = "moments only"  # in `method`: no rows, so no bootstrap and no robust errors


def moments_of(
    answers: Answers, items: Sequence[str], *, design: Design | None = None, missing: Missing = "drop"
) -> Moments:
    """Moments of some items, by the rows that answered them; given moments, their part, marked as such.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered; a large table; or Moments of one sample
    items : columns of `answers`, in the order wanted
    design : weights and clusters of the rows
    missing : "drop": rows that lack an answer are left out; "em": rows with any answer count, by maximum likelihood

    Raises
    ------
    InputError
        As `sound_answers` and, for "em", `em_moments`; for text, fewer than two rows, an item that is not there, or another
        `missing`.

    >>> frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0, 3.0, 2.0, np.nan]})
    >>> moments_of(frame, ["b", "a"]).mean, int(moments_of(frame, ["b", "a"]).n)
    (array([2., 2.]), 3)
    """
    answers = sound_answers(answers, design=design, missing=missing)
    if isinstance(answers, Moments):
        return answers.select(items)
    if isinstance(answers, LargeTable):
        return answers[items].totals().moments()
    if missing != "drop":
        return em_moments(answers[list(items)], design=design)
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
    answers = sound_answers(answers, design=design, missing=missing)
    if isinstance(answers, Moments) or n_bootstrap == 0:
        return None
    if isinstance(answers, LargeTable):
        return answers[items].totals().resample(n_bootstrap, seed=seed)
    if missing != "drop":
        return bootstrap_em(answers[list(items)], n_bootstrap, seed=seed, design=design)
    return bootstrap_moments(answers[list(items)].dropna(), n_bootstrap, seed=seed, design=design)


def rows_with(answers: pd.DataFrame, items: Sequence[str], *, missing: Missing = "drop") -> pd.Series:
    """Which rows count for some items: those that answered all of them or, for "em", any."""
    answered = answers[list(items)].notna()
    return answered.all(axis=1) if missing == "drop" else answered.any(axis=1)


def count_rows(answers: Answers, items: Sequence[str], *, missing: Missing = "drop") -> int:
    """How many rows count for some items; of moments, those behind them."""
    if isinstance(answers, LargeTable):
        return answers.count_answered([items])
    return int(answers.n) if isinstance(answers, Moments) else int(rows_with(answers, items, missing=missing).sum())


def names_of(answers: Answers) -> tuple[str, ...]:
    """The columns of rows or of a large table, or the items of moments."""
    return tuple(answers.columns) if isinstance(answers, pd.DataFrame) else answers.names


def sound_answers(answers: Answers, *, design: Design | None = None, missing: str = "drop") -> Answers:
    """What a verb was given, once it is sure that it is rows, or moments of one sample; moments are marked as such.

    Raises
    ------
    InputError
        For anything else, moments of a stack or with gaps in their covariances, a design beside moments or a large table, another
        `missing`, or "em" of a large table.
    """
    refuse_unknown_policy(missing)
    if isinstance(answers, pd.DataFrame):
        return answers
    if isinstance(answers, Moments | LargeTable) and design is not None and not design.is_simple:
        raise InputError(
            "weights and clusters need the rows",
            f"found {type(answers).__name__} beside `design`",
            "Give the rows, or no `design`; a large table has its own.",
        )
    if isinstance(answers, LargeTable):
        _refuse_large_em(missing)
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


def _refuse_large_em(missing: str) -> None:
    if missing != "drop":
        raise InputError(
            "a large table is analysed by its complete rows",
            f"found `missing` {missing!r}",
            "Set `missing_policy: drop`, or analyse a random sample of the rows.",
        )


def refuse_unknown_policy(missing: str) -> None:
    """Refuse a `missing` that is no policy."""
    if missing not in get_args(Missing):
        raise InputError(
            f"`missing` must be one of {', '.join(get_args(Missing))}", f"found {missing!r}", "Choose one of these."
        )
