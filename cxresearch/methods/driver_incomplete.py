"""The driver analysis of incomplete rows: scores from maximum-likelihood moments of the items, or from imputed items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.answers import moments_of, replicates_of
from cxresearch.core.design import Design
from cxresearch.core.imputation import RUBIN, impute, pool
from cxresearch.core.moments import Moments
from cxresearch.core.results import tidy, words
from cxresearch.methods.driver_rows import Fit, robust_fit, with_interval
from cxresearch.methods.importance import r_squared


@dataclass(frozen=True, slots=True)
class IncompleteScores:
    """Scores that are means of items some of which were not answered.

    Attributes
    ----------
    answers : (n, q) the items behind the scores, of rows with an answer to any of them
    recipe : (q, p + 1) DataFrame: how the scores, drivers first and the outcome last, are made of them
    design : weights and clusters of these rows
    """

    answers: pd.DataFrame
    recipe: pd.DataFrame
    design: Design

    @classmethod
    def of(
        cls, answers: pd.DataFrame, names: Sequence[str], scales: Mapping[str, Sequence[str]], design: Design
    ) -> "IncompleteScores":
        """The scores `names`: means of the items of a scale, else columns of `answers`."""
        made = {name: list(scales.get(name, [name])) for name in names}
        items = list(dict.fromkeys(item for its_items in made.values() for item in its_items))
        recipe = pd.DataFrame(0.0, index=items, columns=list(names))
        for name, its_items in made.items():
            recipe.loc[its_items, name] = 1 / len(its_items)
        used = answers[items].astype(float).dropna(how="all")
        if design.weights is not None:
            used = used[design.weights_on(used.index) > 0]
        return cls(used, recipe, design.on(used.index))

    @property
    def items(self) -> list[str]:
        """Columns of the answers."""
        return list(self.answers.columns)

    def unanswered(self) -> list[str]:
        """The scores that are made of an item which nobody answered."""
        empty = self.answers.isna().all().to_numpy() & bool(len(self.answers))
        return [str(name) for name in self.recipe if (self.recipe[name].to_numpy()[empty] != 0).any()]

    def moments(self) -> Moments:
        """Of the scores, by maximum likelihood."""
        return moments_of(self.answers, self.items, design=self.design, missing="em").combine(self.recipe)

    def replicates(self, n_bootstrap: int, seed: int) -> Moments | None:
        """Their bootstrap."""
        stack = replicates_of(self.answers, self.items, n_bootstrap, seed=seed, design=self.design, missing="em")
        return None if stack is None else stack.combine(self.recipe)

    def fit(self, moments: Moments, replicates: Moments) -> Fit:
        """Coefficients of the maximum-likelihood moments, with errors and intervals of the bootstrap."""
        slopes, stack = (_slopes(part.cov) for part in (moments, replicates))
        rows = with_interval(
            replicates,
            "coefficient",
            slopes,
            stack,
            scale="drivers",
            term=list(moments.names[:-1]),
            n=int(moments.n),
            method=words("ols", moments.design_words),
        )
        return Fit(_with_tests(rows), float(moments.mean[-1] - slopes @ moments.mean[:-1]), self._n_clusters())

    def imputed_fit(self, n_imputations: int, seed: int) -> tuple[Fit, pd.DataFrame]:
        """Coefficients pooled over imputed items by Rubin's rules, and the pooled R²."""
        fits, shares = [], []
        for filled in impute(self.answers, n_imputations, seed=seed, design=self.design):
            scores = filled @ self.recipe
            fits.append(robust_fit(scores, self.design))
            shares.append(float(r_squared(Moments.from_frame(scores, design=self.design).corr)))
        first, n = fits[0], len(self.answers)
        pooled = pool(
            np.stack([fit.rows["estimate"] for fit in fits]),
            np.stack([fit.rows["std_error"] for fit in fits]) ** 2,
            float(first.rows["df"].iloc[0]),
        )
        method = words(first.rows["method"].iloc[0], f"{n_imputations} imputations", RUBIN)
        rows = first.rows.assign(
            estimate=pooled.estimate, std_error=pooled.std_error, df=pooled.df, n=float(n), method=method
        )
        r2 = _pooled_share(np.array(shares), n, words("ols", self.design.words, f"{n_imputations} imputations", RUBIN))
        return Fit(_with_tests(rows), float(np.mean([fit.intercept for fit in fits])), first.n_clusters), r2

    def _n_clusters(self) -> int | None:
        return self.design.count_clusters(self.answers.index)


def _slopes(cov: np.ndarray) -> np.ndarray:
    """(..., p) coefficients of the last variable on the others."""
    return np.linalg.solve(cov[..., :-1, :-1], cov[..., :-1, -1:])[..., 0]


def _with_tests(rows: pd.DataFrame) -> pd.DataFrame:
    """Statistic and p value, normal where there are no degrees of freedom; and the interval of t where there are."""
    from scipy.special import ndtr, stdtr, stdtrit

    known = rows["df"].notna().to_numpy()
    t, df = (rows["estimate"] / rows["std_error"]).to_numpy(), rows["df"].to_numpy()
    tail = np.where(known, stdtr(np.where(known, df, 1.0), -np.abs(t)), ndtr(-np.abs(t)))
    rows = rows.assign(statistic=t, p_value=2 * tail)
    if not known.all():
        return rows
    half = stdtrit(df, 0.975) * rows["std_error"]
    return rows.assign(conf_low=rows["estimate"] - half, conf_high=rows["estimate"] + half)


def _pooled_share(shares: np.ndarray, n: int, method: str) -> pd.DataFrame:
    """R² of m imputations, pooled as a correlation by Fisher's z.

    References
    ----------
    Harel (2009) Journal of Applied Statistics 36:1109-1118, doi:10.1080/02664760802553000.
    """
    from scipy.special import stdtrit

    z = np.arctanh(np.sqrt(shares))[:, None]
    pooled = pool(z, np.full(z.shape, 1 / (n - 3)), n - 3.0)
    half = stdtrit(pooled.df, 0.975) * pooled.std_error
    low, high = np.tanh(np.maximum(pooled.estimate - half, 0)) ** 2, np.tanh(pooled.estimate + half) ** 2
    return tidy(
        "r_squared_pooled",
        np.tanh(pooled.estimate) ** 2,
        scale="drivers",
        conf_low=low,
        conf_high=high,
        n=n,
        method=method,
    )


def em_correlations(moments: Moments, replicates: Moments) -> pd.DataFrame:
    """Pearson correlations of each driver and the outcome by maximum likelihood; ranks have no such form."""
    return with_interval(
        replicates,
        "correlation",
        moments.corr[:-1, -1],
        replicates.corr[:, :-1, -1],
        scale=moments.names[-1],
        term=list(moments.names[:-1]),
        n=int(moments.n),
        method=words("pearson", moments.design_words),
    )
