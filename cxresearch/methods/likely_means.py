"""Maximum-likelihood means of rows of which some lack answers, and how far each row moves them."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.em import em_moments
from cxresearch.core.incomplete_errors import mean_influences
from cxresearch.core.moments import Moments
from cxresearch.errors import InputError
from cxresearch.methods.linearised import LinearisedMeans, means_moved
from cxresearch.methods.one_factor import is_singular


@dataclass(frozen=True, slots=True)
class LikelyMeans:
    """Means of some items, or of combinations of them, by maximum likelihood (EM).

    Attributes
    ----------
    moments : of the q items or combinations
    index : the n rows behind them: those with an answer and a weight above 0
    moved : (n, q) by how much each row moves each mean
    """

    moments: Moments
    index: pd.Index
    moved: np.ndarray

    @classmethod
    def of(cls, answers: pd.DataFrame, *, design: Design | None = None) -> "LikelyMeans | None":
        """The means of the columns of `answers` (n, q), nan where not answered; None where they, or their errors, cannot be had.

        That is so where there are not more rows than items, two items that nobody answered both, items that follow from others, or
        no solution. Items without any variation are taken as they are.
        """
        design, used = design or Design(), answers.astype(float).dropna(how="all")
        if design.weights is not None and len(used):
            used = used[design.weights_on(used.index) > 0]
        constant = (used.max() == used.min()).to_numpy()
        varying = used.loc[:, ~constant].dropna(how="all")
        try:
            moments = em_moments(varying, design=design)
            if is_singular(moments.corr):
                return None
            influences = mean_influences(varying, moments, design=design)
        except (InputError, np.linalg.LinAlgError):
            return None
        moved = np.zeros(used.shape)
        moved[np.ix_(used.index.get_indexer(varying.index), ~constant)] = influences / len(varying)
        return cls(_beside(moments, used, constant), used.index, moved)

    def combine(self, recipe: pd.DataFrame) -> "LikelyMeans":
        """Means of linear combinations of the items; `recipe` as of `Moments.combine`."""
        moved = self.moved @ recipe.loc[list(self.moments.names)].to_numpy(float)
        return LikelyMeans(self.moments.combine(recipe), self.index, moved)

    def linearised(self, design: Design) -> LinearisedMeans:
        """Their errors: variances of what the rows, or the clusters, move them by."""
        n, q = self.moved.shape
        units = np.repeat(design.clusters_on(self.index), q)
        return means_moved(self.moments.mean, self.moved.ravel(), np.tile(np.arange(q), n), units)


def _beside(moments: Moments, used: pd.DataFrame, constant: np.ndarray) -> Moments:
    """The moments of all items, those without variation too."""
    p = len(constant)
    mean, cov = np.array(used.min(), float), np.zeros((p, p))
    mean[~constant] = moments.mean
    cov[np.ix_(~constant, ~constant)] = moments.cov
    incomplete = int(used.isna().any(axis=1).sum())
    return replace(
        moments, n=np.asarray(len(used)), mean=mean, cov=cov, names=tuple(map(str, used)), n_incomplete=incomplete
    )
