"""Whether the answers can be used: rows, missing and impossible answers, flagged respondents, effect of the design."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.cautions import sample_numbers
from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.patterns import Patterns
from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError, name_some
from cxresearch.methods.design_effects import design_effects
from cxresearch.methods.flags import FLAGS, find_overlap, flag_cautions, flag_shares, refuse_unknown_flags
from cxresearch.methods.shares import wilson_share

_SPOILT = 0.02  # share of answers outside the scale of an item from which the scale itself is in doubt
_GLANCE = 1000  # rows that tell most pairs of items apart


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityResult(Result):
    """What became of the rows, and what the answers lack.

    Attributes
    ----------
    n_read : rows in the data
    missing : share of all answers that are missing
    constant : items with one and the same answer
    empty : items without any answer
    copies : pairs of items with the same answers wherever both were answered
    sampled : of which large survey the rows are a random sample in which flags and such items were looked for, "" where all were
    overlap : which rules flag the same respondents
    """

    infers: ClassVar[bool] = False
    views: ClassVar[Mapping[str, View]] = {
        "rows": View(
            ("rows_read", "rows_dropped", "rows_used", "design_effect", "effective_n"),
            rows=("term",),
            columns="numbers",
        ),
        "missing": View(("missing_share", "out_of_range"), rows=("term",)),
        "flags": View((*(flag.quantity for flag in FLAGS.values()), "careless_flagged"), rows=(), columns="numbers"),
    }

    n_read: int
    missing: float
    constant: tuple[str, ...]
    empty: tuple[str, ...]
    copies: tuple[tuple[str, str], ...]
    overlap: Patterns
    sampled: str = ""

    def finding(self) -> Finding:
        """How many rows are used and how much is missing, items whose scale is in doubt first; what to look at."""
        shares = self.pick("missing_share").set_index("term")["estimate"]
        values = {"n_used": self.n_used, "n_read": self.n_read, "missing": self.missing, "n_items": len(shares)}
        cautions = tuple(self._cautions(shares))
        spoilt = self._spoilt()
        return Finding("quality.spoilt" if spoilt else "quality.rows", values | spoilt, cautions=cautions)

    def _spoilt(self) -> dict[str, object]:
        """The items with so many answers outside their scale that the scale may be wrong; {} if there are none."""
        outside = self.pick("out_of_range").set_index("term")["estimate"]
        above = outside[outside > _SPOILT]
        if above.empty:
            return {}
        return {"n_spoilt": len(above), "limit": _SPOILT, "item": above.idxmax(), "share": above.max()}

    def _cautions(self, shares: pd.Series) -> list[Finding]:
        dropped = self.pick("rows_dropped")[["term", "estimate"]].itertuples(index=False)
        found = [Finding("quality.dropped", {"reason": term, "count": int(n)}) for term, n in dropped if term and n]
        rule = RULES["missing_share"]
        above = shares[~rule.met(shares.to_numpy())].sort_values(ascending=False)
        if len(above):
            values = {"count": len(above), "n_items": len(shares), "item": above.index[0], "share": above.iloc[0]}
            found.append(Finding("quality.missing", {**values, "limit": rule.value}, rule))
        outside = self.pick("out_of_range").set_index("term")
        counts = (outside["estimate"] * outside["n"]).round().astype(int)
        if counts.sum() and not self._spoilt():
            values = {
                "count": counts.sum(),
                "n_items": (counts > 0).sum(),
                "item": counts.idxmax(),
                "most": counts.max(),
            }
            found.append(Finding("quality.out_of_range", values))
        drawn = self.table["method"].str.contains(self.sampled, regex=False) & bool(self.sampled)
        found += _judged(self.table[~drawn])
        found += [Finding("quality.sampled", sample_numbers(self.sampled))] if self.sampled else []
        found += _judged(self.table[drawn])
        if self.copies:
            found.append(Finding("quality.copies", {"pairs": [" = ".join(pair) for pair in self.copies]}))
        found += [Finding("quality.constant", {"items": list(self.constant)})] if self.constant else []
        found += [Finding("quality.empty", {"items": list(self.empty)})] if self.empty else []
        return found


def _judged(table: pd.DataFrame) -> list[Finding]:
    """How many independent respondents the mean of the outcome is worth, and what was flagged."""
    own = table[(table["quantity"] == "design_effect") & (table["term"] != "")]
    effects = [
        Finding(
            "quality.design",
            {
                "scale": scale,
                "design": [word for word in ("weighted", "clustered") if word in method.split("; ")],
                "effect": effect,
                "n": int(n),
                "effective": n / effect,
            },
        )
        for scale, effect, n, method in own[["scale", "estimate", "n", "method"]].itertuples(index=False)
    ]
    return [*effects, *flag_cautions(table)]


def check_quality(
    answers: pd.DataFrame,
    item_log: pd.DataFrame,
    *,
    flags: pd.DataFrame,
    row_log: pd.DataFrame,
    design: Design | None = None,
    outcome: pd.Series | LargeTable | None = None,
    n_duplicates: int | None = None,
) -> QualityResult:
    """Count what was read, dropped, missing, impossible or given without care.

    Shares describe the rows as they are, unweighted, with Wilson's interval.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered; of a large survey a random sample, as `design` then says
    item_log : one row a column of `answers`: n_rows, n_missing, n_out_of_scale among others, as a survey counts them
    flags : bool, one row a respondent judged, columns of duplicate, straightliner, speeder, the indices of careless
        answering (long_string, low_variability, even_odd, synonyms, mahalanobis) and several_indices
    row_log : columns reason and n: rows_read, rows dropped by reason, rows_used
    design : weights and clusters, for the design effects
    outcome : (n,) numeric, named; the score whose mean has the second design effect; of a large survey the table of it, so that
        both effects are of all rows
    n_duplicates : of a large survey, duplicates among all rows used; by default those of `flags` are counted

    Returns
    -------
    QualityResult with rows_read, rows_dropped (blank term: all; else the reason), rows_used, missing_share and
    out_of_range (term = item), duplicate_rows, straightlining, speeders, long_strings, low_variability,
    even_odd_inconsistency, synonym_inconsistency, mahalanobis_outliers, several_indices (two of these and of the time agree),
    careless_flagged (straight-liner, speeder or several indices), flag_pattern_share (term = rules that flag the same rows),
    design_effect, effective_n (blank term: of the weights alone; term = outcome: of weights and clusters on its mean)

    Raises
    ------
    InputError
        If the logs do not fit the answers.

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953. Kish (1965) Survey Sampling, ch. 11. Kim et al. (2019),
    doi:10.1177/0894439317752406 (straight-lining). Greszki et al. (2015), doi:10.1093/poq/nfu058 (speeders). Meade and
    Craig (2012), doi:10.1037/a0028085, Curran (2016), doi:10.1016/j.jesp.2015.07.006 (indices).

    Examples
    --------
    >>> answers = pd.DataFrame({"q1": [1.0, 2, np.nan, 4]})
    >>> item_log = pd.DataFrame({"n_rows": [4], "n_out_of_scale": [1]}, index=["q1"])
    >>> flags = pd.DataFrame({"duplicate": [False, False, False, True]})
    >>> row_log = pd.DataFrame({"reason": ["rows_read", "rows_used"], "n": [4, 4]})
    >>> check_quality(answers, item_log, flags=flags, row_log=row_log).value("missing_share", term="q1")
    0.25
    """
    _refuse_misfits(answers, item_log, flags, row_log)
    counts, design = row_log.set_index("reason")["n"], design or Design()
    n_used = int(counts["rows_used"]) if design.sampled else len(answers)
    n_rows, n_missing = _missing_counts(answers, item_log, design)
    parts = [_row_counts(counts), design_effects(answers.index, design, outcome)]
    parts += [
        _share_rows("missing_share", n_missing, n_rows, term=list(answers.columns)),
        _share_rows(
            "out_of_range",
            item_log["n_out_of_scale"].to_numpy(),
            item_log["n_rows"].to_numpy(),
            term=list(item_log.index),
        ),
        flag_shares(
            flags,
            design.sampled,
            counted={"duplicate": (n_duplicates, n_used)} if design.sampled and n_duplicates is not None else {},
        ),
    ]
    empty = tuple(str(name) for name in answers if answers[name].isna().all())
    constant = tuple(str(name) for name in answers if answers[name].min() == answers[name].max())
    return QualityResult(
        table=gather(parts),
        n_used=n_used,
        n_dropped=int(counts["rows_read"] - counts["rows_used"]),
        n_read=int(counts["rows_read"]),
        missing=float(n_missing.sum() / n_rows.sum()) if n_rows.sum() else float("nan"),
        constant=constant,
        empty=empty,
        copies=find_copies(answers.drop(columns=[*empty, *constant])),
        overlap=find_overlap(flags),
        sampled=design.sampled,
    )


def _missing_counts(answers: pd.DataFrame, item_log: pd.DataFrame, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Rows, and missing answers among them, of each column (p,): those of the log where the answers are a sample."""
    if design.sampled:
        log = item_log.loc[list(answers)]
        return log["n_rows"].to_numpy(), log["n_missing"].to_numpy()
    return np.full(answers.shape[1], len(answers)), answers.isna().sum().to_numpy()


def find_copies(answers: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """Pairs of columns that say the same wherever both say something, in two rows or more.

    >>> find_copies(pd.DataFrame({"a": [1.0, 2, 3], "b": [1.0, np.nan, 3], "c": [1.0, 2, 2]}))
    (('a', 'b'),)
    """
    values = answers.to_numpy(float)
    names = [str(name) for name in answers]
    pairs = []
    for first in range(len(names)):
        for second in range(first + 1, len(names)):
            if _alike(values[:_GLANCE, [first, second]]) and _alike(values[:, [first, second]], at_least=2):
                pairs.append((names[first], names[second]))
    return tuple(pairs)


def _alike(pair: np.ndarray, at_least: int = 0) -> bool:
    both = ~np.isnan(pair).any(axis=1)
    return bool(both.sum() >= at_least and (pair[both, 0] == pair[both, 1]).all())


def _row_counts(counts: pd.Series) -> pd.DataFrame:
    n_read, n_used = counts["rows_read"], counts["rows_used"]
    dropped = counts.drop(["rows_read", "rows_used"])
    return gather(
        [
            tidy("rows_read", n_read, n=n_read),
            tidy("rows_dropped", n_read - n_used, n=n_read),
            tidy("rows_dropped", dropped.to_numpy(), term=list(dropped.index), n=n_read),
            tidy("rows_used", n_used, n=n_read),
        ]
    )


def _share_rows(
    quantity: str, count: np.ndarray, n: np.ndarray | int, *, method: str = "", **keys: object
) -> pd.DataFrame:
    share = wilson_share(count, n)
    return tidy(
        quantity,
        share.estimate,
        std_error=share.std_error,
        conf_low=share.low,
        conf_high=share.high,
        n=n,
        method=words(method, "wilson"),
        **keys,
    )


def _refuse_misfits(answers: pd.DataFrame, item_log: pd.DataFrame, flags: pd.DataFrame, row_log: pd.DataFrame) -> None:
    text = [str(name) for name in answers if not pd.api.types.is_numeric_dtype(answers[name])]
    if text:
        raise InputError("`answers` must be numeric", f"found text in {name_some(text)}", "Map words to numbers first.")
    different = sorted({*map(str, answers.columns)} ^ {*map(str, item_log.index)})
    if different:
        raise InputError(
            "`item_log` must have one row for each column of `answers`",
            f"found only on one side: {name_some(different)}",
            "Take both from one survey.",
        )
    reasons = set(row_log["reason"])
    if not {"rows_read", "rows_used"} <= reasons:
        raise InputError("`row_log` must count rows_read and rows_used", f"found {name_some(reasons)}")
    refuse_unknown_flags(flags)
