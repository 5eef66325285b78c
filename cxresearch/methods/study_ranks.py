"""Studies ranked by a number that they share, with the ranks that the data leave possible."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.methods.meta import KEYS, NONE, Transform, respondents, study_rows, usable_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRanks(Result):
    """Studies in order, by each number that they share.

    Attributes
    ----------
    cautions : what a reader must know
    """

    infers: ClassVar[bool] = False
    views: ClassVar[Mapping[str, View]] = {
        "study_ranks": View(("rank", "study_estimate"), rows=("scale", "term", "group"))
    }

    cautions: tuple[Finding, ...]

    def finding(self) -> Finding:
        """How many numbers tell the first study from all others."""
        first = self.pick("rank").sort_values("estimate").drop_duplicates(["scale", "term"])
        clear = int((first["conf_high"] == 1).sum())
        return Finding("meta.ranks", {"n": len(first), "n_clear": clear}, None, self.cautions)


def rank_studies(
    estimates: pd.DataFrame, *, transform: Transform = "none", level: float = 0.95, copies: Mapping[str, str] = NONE
) -> StudyRanks:
    """Rank studies by each number of one quantity that two or more share, 1 for the highest, with ranks that the data leave possible.

    Simultaneous intervals of the K independent estimates tell which studies are above or below a study for sure; its rank
    lies between 1 + those above and K - those below, for all studies at once with the level asked for.

    Parameters
    ----------
    estimates, transform, copies : as in `pool_studies`; copies have no rank
    level : of all rank intervals of one number together

    Raises
    ------
    InputError
        As `pool_studies`.

    References
    ----------
    Klein, Wright and Wieczorek (2020) A joint confidence region for an overall ranking of populations. JRSS C 69:589-606,
    doi:10.1111/rssc.12402.
    """
    is_copy = estimates["study"].isin(list(copies)) if "study" in estimates else np.zeros(len(estimates), bool)
    usable, left_out = usable_rows(estimates[~is_copy], transform)
    parts = [_rank(group, level) for _, group in usable.groupby(KEYS, sort=False)]
    return StudyRanks(
        table=gather([rows for part in parts for rows in part]),
        n_used=respondents(usable),
        cautions=tuple(left_out),
    )


def _rank(group: pd.DataFrame, level: float) -> list[pd.DataFrame]:
    from scipy.special import ndtri

    effect, k = group["effect"].to_numpy(), len(group)
    half = ndtri((1 + level ** (1 / k)) / 2) * np.sqrt(group["variance"].to_numpy())
    low, high = effect - half, effect + half
    above = (low[None, :] > high[:, None]).sum(axis=1)
    below = (high[None, :] < low[:, None]).sum(axis=1)
    columns = {name: group[name].iloc[0] for name in ("scale", "term")}
    ranks = tidy(
        "rank",
        pd.Series(-effect).rank(method="min"),
        conf_low=1 + above,
        conf_high=k - below,
        group=group["study"].tolist(),
        n=group["n"].to_numpy(),
        method=words(f"of {group['quantity'].iloc[0]}", "simultaneous intervals"),
        **columns,
    )
    return [ranks, *study_rows(group)]
