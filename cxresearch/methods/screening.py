"""What the headline numbers would be if flagged rows were treated the other way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from cxresearch.core.answers import Missing, refuse_unknown_policy
from cxresearch.core.cautions import sample_numbers
from cxresearch.core.design import Design
from cxresearch.core.em import EM
from cxresearch.core.moments import Moments
from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.errors import InputError, name_some
from cxresearch.methods.description import check_items
from cxresearch.methods.flags import CARELESS
from cxresearch.methods.internal_consistency import cronbach_alpha
from cxresearch.methods.likely_means import LikelyMeans
from cxresearch.methods.reliability import sort_scales
from cxresearch.methods.reliability_rows import ALL

KEPT = "flagged rows kept"
NO_DUPLICATES = "duplicates left out"
NO_CARELESS = "careless answers left out"
NO_STRAIGHTLINERS = "straight-liners left out"
NONE_FLAGGED = "flagged rows left out"
_CHOICES = {NO_DUPLICATES: ("duplicate",), NO_CARELESS: CARELESS, NO_STRAIGHTLINERS: ("straightliner",)}


TOLD = {"alpha": 3, "item_mean": 2}  # headline numbers, and the decimals below which a move is no news


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningResult(Result):
    """Alpha of each scale and mean of the outcome, whichever rows are left out.

    Attributes
    ----------
    rows : way -> rows used by it; the first way keeps all rows
    used : the way that the other analyses take; "" where they take none of these
    sampled : of which large survey the rows are a random sample; "" where they are all
    """

    infers: ClassVar[bool] = False
    views: ClassVar[Mapping[str, View]] = {
        "screening": View(("alpha",), rows=("scale",), columns="group"),
        "screening_outcome": View(("item_mean",), rows=("scale", "group")),
    }

    rows: Mapping[str, int]
    used: str
    sampled: str = ""

    def finding(self) -> Finding:
        """By how much each headline number moves at most, from the way that is used."""
        drawn = sample_numbers(self.sampled)
        if len(self.rows) == 1:
            return Finding(
                "screening.no_choice_sampled" if drawn else "screening.no_choice", {"n": self.n_used} | drawn
            )
        here = self.used or KEPT
        moves = [(quantity, self._largest_move(quantity, here)) for quantity in TOLD]
        return Finding(
            "screening.rows_sampled" if drawn else "screening.rows",
            {"way": here, "n": self.rows[here]} | drawn,
            cautions=tuple(Finding(_key(quantity, values), values) for quantity, values in moves if values),
        )

    def _largest_move(self, quantity: str, here: str) -> dict[str, object]:
        """Of which scale the estimate would differ most from that used, and in which other way; {} with nothing to compare."""
        rows = self.pick(quantity)
        own = rows[rows["group"] == here].set_index("scale")["estimate"]
        others = rows[(rows["group"] != here) & rows["scale"].isin(own.index)].reset_index(drop=True)
        if others.empty:
            return {}
        moves = (others["estimate"] - own.loc[others["scale"]].to_numpy()).abs()
        most = others.loc[moves.idxmax()]
        there = {"scale": most["scale"], "way": most["group"], "there": most["estimate"]}
        return {**there, "n": self.rows[str(most["group"])], "here": own[most["scale"]]}


def _key(quantity: str, move: Mapping[str, Any]) -> str:
    """The sentence on the largest move of a headline number, or on its staying the same."""
    same = round(float(move["here"]), TOLD[quantity]) == round(float(move["there"]), TOLD[quantity])
    return f"screening.{quantity}{'_same' if same else ''}"


def compare_screening(
    answers: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    *,
    flags: pd.DataFrame,
    outcome: pd.Series | None = None,
    used: pd.Index | None = None,
    design: Design | None = None,
    missing: Missing = "drop",
) -> ScreeningResult:
    """Estimate the headline numbers with flagged rows kept and with them left out.

    The ways are: flagged rows kept; duplicates left out; careless answers (straight-liners, speeders, several indices) left out;
    of these only straight-liners left out; duplicates and careless answers left out. A way that leaves out no row, every row, or
    the same rows as one before it is not shown.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered, of all rows that were judged
    scales : scale -> items
    flags : (n, k) bool, columns of duplicate, straightliner, speeder, several_indices; others are not looked at
    outcome : (n,) numeric, named; the score whose mean is the headline
    used : rows that the other analyses use; all by default
    design : weights and clusters, respected by alpha, the mean and its interval
    missing : "drop": complete rows of each scale; "em" (and "impute"): maximum likelihood. The mean of an outcome that is a scale is then
        that of its items

    Returns
    -------
    ScreeningResult with alpha (of each scale that can be judged, and of `all` items) and item_mean (scale and term = outcome; t
    interval), each once a way: the way is the `group` and the first words of `method`

    Raises
    ------
    InputError
        If `answers`, `flags` and `outcome` have different rows, or an item is not in `answers`.

    Examples
    --------
    >>> answers = pd.DataFrame({"q1": [1.0, 2, 3, 4, 4], "q2": [2.0, 2, 3, 5, 5]})
    >>> flags = pd.DataFrame({"duplicate": [False, False, False, False, True]})
    >>> compared = compare_screening(answers, {"speed": ["q1", "q2"]}, flags=flags)
    >>> compared.rows
    {'flagged rows kept': 5, 'duplicates left out': 4}
    """
    _refuse_misfits(answers, scales, flags, outcome)
    refuse_unknown_policy(missing)
    design, ways = design or Design(), dict(_ways(flags))
    parts, alphas = [], {}
    for way, index in ways.items():
        alphas[way], _ = sort_scales(answers.loc[index], _with_all(scales), design, missing=missing)
        parts.append(_alpha_rows(alphas[way], design, way))
        if outcome is not None and outcome.loc[index].count() > 1:
            likely = (
                None if missing == "drop" else _likely_mean(answers.loc[index], scales, str(outcome.name), design, way)
            )
            parts.append(_mean(outcome.loc[index], design, way) if likely is None else likely)
    rows = answers.index if used is None else used
    here = next((way for way, index in ways.items() if index.equals(rows)), "")
    counted, n_used = alphas[here or KEPT].values(), int(answers.loc[rows].notna().any(axis=1).sum())
    return ScreeningResult(
        table=gather(parts),
        n_used=n_used,
        n_dropped=len(rows) - n_used,
        missing_policy=missing,
        n_incomplete=max((moments.n_incomplete for moments in counted), default=0),
        iterations=max((moments.iterations for moments in counted), default=0),
        rows={way: len(index) for way, index in ways.items()},
        used=here,
        sampled=design.sampled,
    )


def _ways(flags: pd.DataFrame) -> Iterator[tuple[str, pd.Index]]:
    """Each way that differs from those before it, and the rows that it uses."""
    left_out: dict[str, np.ndarray] = {
        way: np.asarray(flags[[name for name in names if name in flags]].any(axis=1), bool)
        for way, names in _CHOICES.items()
    }
    left_out[NONE_FLAGGED] = np.any(list(left_out.values()), axis=0)
    seen: list[np.ndarray] = [np.zeros(len(flags), bool)]
    yield KEPT, flags.index
    for way, out in left_out.items():
        if not out.all() and not any(np.array_equal(out, other) for other in seen):
            seen.append(out)
            yield way, flags.index[~out]


def _with_all(scales: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """The scales, and that of all their items."""
    return {**scales, ALL: list(dict.fromkeys(item for items in scales.values() for item in items))}


def _alpha_rows(usable: Mapping[str, Moments], design: Design, way: str) -> pd.DataFrame:
    return tidy(
        "alpha",
        [float(cronbach_alpha(moments.cov)) for moments in usable.values()],
        scale=list(usable),
        group=way,
        n=[float(moments.n) for moments in usable.values()],
        method=[words(way, moments.design_words) for moments in usable.values()],
    )


def _mean(outcome: pd.Series, design: Design, way: str) -> pd.DataFrame:
    described = check_items(outcome.to_frame(), {}, design=design).pick("item_mean")
    own = described[described["method"] == design.words]
    return own.assign(group=way, method=words(way, design.words))


def _likely_mean(
    answers: pd.DataFrame, scales: Mapping[str, Sequence[str]], outcome: str, design: Design, way: str
) -> pd.DataFrame | None:
    """The mean of the outcome, a scale or a column of `answers`, by maximum likelihood; None where it cannot be had."""
    answered = answers.loc[:, answers.count() > 1]
    items = list(scales.get(outcome, [outcome]))
    likely = LikelyMeans.of(answered, design=design) if set(items) <= set(answered) else None
    if likely is None or not likely.moments.n_incomplete:
        return None
    recipe = pd.DataFrame({outcome: [(name in items) / len(items) for name in answered]}, index=answered.columns)
    found = likely.combine(recipe).linearised(design)
    index = answers.index[answers[items].notna().any(axis=1)]
    df = (design.count_clusters(index) or len(index)) - 1
    margin = stdtrit(df, 0.975) * found.std_error
    return tidy(
        "item_mean",
        found.mean,
        scale=outcome,
        term=outcome,
        group=way,
        std_error=found.std_error,
        df=df,
        conf_low=found.mean - margin,
        conf_high=found.mean + margin,
        n=len(index),
        method=words(way, EM, design.words),
    )


def _refuse_misfits(
    answers: pd.DataFrame, scales: Mapping[str, Sequence[str]], flags: pd.DataFrame, outcome: pd.Series | None
) -> None:
    unknown = [item for items in scales.values() for item in items if item not in answers.columns]
    if unknown:
        raise InputError(
            "every item of `scales` must be a column of `answers`", f"found no {name_some(unknown)}", "Check the names."
        )
    for name, part in (("flags", flags), ("outcome", outcome)):
        if part is not None and not part.index.equals(answers.index):
            raise InputError(
                f"`{name}` must have the rows of `answers`",
                f"found {len(part):,} rows beside {len(answers):,}",
                "Take all of them from one survey, before rows are dropped.",
            )
