"""Scores whose group means are those of maximum likelihood, where rows lack some of the answers that a score is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.answers import Missing
from cxresearch.core.design import Design
from cxresearch.core.em import EM
from cxresearch.core.moments import deviations_from
from cxresearch.core.results import gather, words
from cxresearch.errors import InputError, name_some
from cxresearch.methods.cfa_sample import COMPLETE_ROWS
from cxresearch.methods.group_samples import Sample
from cxresearch.methods.group_tests import omnibus
from cxresearch.methods.likely_means import LikelyMeans


@dataclass(frozen=True, slots=True)
class LikelyScores:
    """A score by groups, by maximum likelihood (EM) in each group of the items that it is the mean of.

    A row's *pseudo-value* is its group's mean plus how far the row moves that mean, times the rows: of complete rows the score
    itself. The (weighted) mean of pseudo-values is the mean by maximum likelihood, and its linearised error that of a sandwich of
    scores, which knows of the missing answers; so all that is made of means and their errors is made of pseudo-values.

    Attributes
    ----------
    pseudo : pseudo-values on the index of the answers, nan where nothing was answered or the row has no group or no weight
    unweighted : the same as if all rows weighed the same
    variance : group -> variance of the score, denominator n - 1
    complete : the score of complete rows, nan elsewhere
    by_complete : groups whose incomplete rows have no maximum-likelihood means, and do not count
    lacking : which rows count and lack an answer
    empty : which rows have no answer
    iterations : of EM, in the group that took most

    References
    ----------
    Andersen, Klein and Rosthøj (2003) Biometrika 90:15-27, doi:10.1093/biomet/90.1.15 (pseudo-values). Efron (1982) The Jackknife,
    the Bootstrap and Other Resampling Plans, ch. 6, doi:10.1137/1.9781611970319 (infinitesimal jackknife).
    """

    pseudo: pd.Series
    unweighted: pd.Series
    variance: Mapping[str, float]
    complete: pd.Series
    by_complete: tuple[str, ...]
    lacking: pd.Series
    empty: pd.Series
    iterations: int

    @classmethod
    def of(cls, answers: pd.DataFrame, codes: pd.Series, design: Design) -> "LikelyScores | None":
        """The mean of the columns of `answers` (n, q) in the groups `codes` (n,); None where no row that counts is incomplete."""
        used = codes.notna() & answers.notna().any(axis=1)
        if design.weights is not None:
            used &= design.weights_on(answers.index) > 0
        rows, owners = answers[used].astype(float), codes[used]
        if not rows.isna().any(axis=None):
            return None
        groups = {str(code): _Group.of(part, design) for code, part in rows.groupby(owners, sort=False)}
        plain = (
            [_Group.of(part, Design()) for _, part in rows.groupby(owners, sort=False)]
            if design.weights is not None
            else []
        )
        pseudo = pd.concat([group.pseudo for group in groups.values()])
        return cls(
            pseudo=pseudo.reindex(answers.index),
            unweighted=(pd.concat([group.pseudo for group in plain]) if plain else pseudo).reindex(answers.index),
            variance={code: group.variance for code, group in groups.items()},
            complete=rows.mean(axis=1, skipna=False).reindex(answers.index),
            by_complete=tuple(code for code, group in groups.items() if group.by_complete),
            lacking=answers.isna().any(axis=1) & answers.index.isin(pseudo.index),
            empty=answers.isna().all(axis=1),
            iterations=max(group.iterations for group in groups.values()),
        )


@dataclass(frozen=True, slots=True)
class _Group:
    """One group: pseudo-values of the rows that count, variance of the score, whether only complete rows do, steps of EM."""

    pseudo: pd.Series
    variance: float
    by_complete: bool = False
    iterations: int = 0

    @classmethod
    def of(cls, rows: pd.DataFrame, design: Design) -> "_Group":
        """By maximum likelihood where rows are incomplete and it has a solution, else by the complete rows."""
        lacking = bool(rows.isna().any(axis=None))
        likely = LikelyMeans.of(rows, design=design) if lacking else None
        if likely is None:
            scores = rows.dropna().mean(axis=1)
            return cls(scores, _variance(scores, design), lacking)
        score = likely.combine(pd.DataFrame({"score": np.full(len(rows.columns), 1 / len(rows.columns))}, rows.columns))
        weights = design.weights_on(score.index)
        values = score.moments.mean[0] + score.moved[:, 0] * weights.sum() / weights
        return cls(pd.Series(values, score.index), float(score.moments.cov[0, 0]), False, score.moments.iterations)


def _variance(scores: pd.Series, design: Design) -> float:
    """Weighted, denominator n - 1; nan for fewer than two rows."""
    if len(scores) < 2:
        return np.nan
    weights = design.weights_on(scores.index)
    squares = deviations_from(scores.to_numpy(), weights @ scores.to_numpy() / weights.sum()) ** 2
    return float(weights @ squares / weights.sum() * len(scores) / (len(scores) - 1))


def likely_scores(
    items: pd.DataFrame, scales: Mapping[str, Sequence[str]], measures: Sequence[str], codes: pd.Series, design: Design
) -> dict[str, LikelyScores]:
    """Of the measures that are scales of `items` with incomplete rows; single questions have nothing to be completed from."""
    several = {name: list(scales[name]) for name in measures if len(scales.get(name, ())) > 1}
    found = {name: LikelyScores.of(items[columns], codes, design) for name, columns in several.items()}
    return {name: scores for name, scores in found.items() if scores is not None}


def count_rows(
    samples: list[Sample], likely: Mapping[str, LikelyScores], data: pd.DataFrame, missing: Missing
) -> dict[str, int]:
    """Rows used and left out: of the first measure or, where incomplete ones count, of any; and how many of these are incomplete.

    Where they are asked to count, rows are left out only for having no answer; rows without a group are not looked at.
    """
    if not likely:
        first = samples[0]
        n_dropped = len(data) - len(first.scores) if missing == "drop" else int(data[first.measure].isna().sum())
        return {"n_used": len(first.scores), "n_dropped": n_dropped}
    used = set().union(*(sample.scores.index for sample in samples))
    lacking = pd.concat([scores.lacking for scores in likely.values()], axis=1).any(axis=1)
    empty = pd.concat([scores.empty for scores in likely.values()], axis=1).all(axis=1)
    n_incomplete = int(lacking[lacking.index.isin(used)].sum())
    return {"n_used": len(used), "n_dropped": int(empty[~empty.index.isin(used)].sum()), "n_incomplete": n_incomplete}


def omnibus_of_likely(sample: Sample, likely: LikelyScores, split: list[np.ndarray], heedless: str) -> pd.DataFrame:
    """Welch's test of means by maximum likelihood, which knows of rows no more than means and their errors; Kruskal-Wallis of complete rows.

    Raises
    ------
    InputError
        Where neither can be made: a group in which all answered alike, and one without complete rows.
    """
    tests = omnibus(split, scale=sample.measure, n=len(sample.scores), method=words(EM, heedless))
    welch = tests[tests["quantity"] != "kruskal_h"]
    complete = likely.complete.loc[sample.scores.index]
    ranked = [complete[sample.codes == g].dropna().to_numpy() for g in range(len(sample.groups))]
    if min(map(len, ranked)) == 0 or np.ptp(np.concatenate(ranked)) == 0:
        if welch.empty:
            alike = [group for group, scores in zip(sample.groups, split, strict=True) if np.ptp(scores) == 0]
            raise InputError(
                f"groups can be tested for `{sample.measure}` where each of them varies, or has complete rows",
                f"found the same score throughout {name_some(alike)}, and complete rows in too few groups",
                "Raise `min_group`, or use the complete rows: `missing_policy: drop`.",
            )
        return welch
    n = sum(map(len, ranked))
    found = omnibus(ranked, scale=sample.measure, n=n, method=words(COMPLETE_ROWS, heedless))
    return gather([welch, found[found["quantity"] == "kruskal_h"]])
