"""The rows and correlations behind a confirmatory analysis, once it is sure that they can be analysed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxresearch.core.answers import Answers, Missing, moments_of, names_of, replicates_of, rows_with, sound_answers
from cxresearch.core.design import Design
from cxresearch.core.em import EM
from cxresearch.core.incomplete_errors import covariance_errors
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import Moments
from cxresearch.core.polychoric import count_categories
from cxresearch.core.results import words
from cxresearch.core.rows import complete_values
from cxresearch.errors import InputError, name_some
from cxresearch.methods.cfa_model import FactorModel
from cxresearch.methods.factor_matrix import FEW_GRADES, FactorMatrix

COMPLETE_ROWS = "complete rows"  # in `method`, where other numbers of the same table count incomplete ones too


@dataclass(frozen=True, slots=True)
class CfaSample:
    """What a confirmatory analysis is computed from.

    Attributes
    ----------
    moments : of all items of all constructs, by the rows that answered all of them
    scales : the constructs with two items or more
    single : the constructs with one item
    rows : the answers of these rows; None where only moments were given, or where some rows are incomplete ("em")
    design : weights and clusters of these rows
    n_dropped : rows left out for missing answers
    source : incomplete rows, where these count ("em"), or the large table of these answers, where they are not in memory; else the
        rows; None of moments alone
    drawn : what stands in where the answers themselves are needed: a random sample of the rows of a large table, or the complete
        rows of incomplete answers; None where neither is needed, or the complete rows alone cannot be analysed
    """

    moments: Moments
    scales: dict[str, list[str]]
    single: list[str]
    rows: pd.DataFrame | None
    design: Design
    n_dropped: int
    source: pd.DataFrame | LargeTable | None = None
    drawn: "CfaSample | None" = None

    @classmethod
    def of(
        cls,
        answers: Answers,
        scales: Mapping[str, Sequence[str]],
        design: Design | None,
        *,
        missing: Missing = "drop",
        seed: int = 0,
    ) -> "CfaSample":
        """The sample of some constructs.

        Raises
        ------
        InputError
            For items that are not there or stand in two constructs, no construct with two items, text, not more rows than items,
            constant, identical or dependent items.
        """
        answers = sound_answers(answers, design=design, missing=missing)
        _refuse_bad_scales(names_of(answers), scales)
        every = [item for items in scales.values() for item in items]
        several = {str(name): list(items) for name, items in scales.items() if len(items) > 1}
        single = [str(name) for name, items in scales.items() if len(items) == 1]
        if isinstance(answers, Moments):
            moments = moments_of(answers, every)
            FactorMatrix.given(moments, "pearson")
            return cls(moments, several, single, None, Design(), 0)
        if isinstance(answers, LargeTable):
            table = answers[every]
            moments = moments_of(table, every)
            FactorMatrix.given(moments, "pearson")
            drawn = cls._of_sample(table, scales, seed)
            return cls(moments, several, single, None, Design(), len(table) - int(moments.n), table, drawn)
        if missing != "drop" and answers[every].isna().any(axis=None):
            used = answers.loc[rows_with(answers, every, missing=missing), every]
            own = (design or Design()).on(used.index)
            moments = moments_of(used, every, design=own, missing=missing)
            FactorMatrix.given(moments, "pearson")
            complete = cls._of_complete(answers, scales, design or Design())
            return cls(moments, several, single, None, own, len(answers) - len(used), used, complete)
        matrix = FactorMatrix.of(answers[every], "pearson", design or Design(), with_polychorics=False)
        rows = answers[every].dropna()
        own = (design or Design()).on(rows.index)
        moments = moments_of(rows, every, design=own)
        return cls(moments, several, single, rows, own, len(answers) - matrix.n, rows)

    @classmethod
    def _of_sample(cls, table: LargeTable, scales: Mapping[str, Sequence[str]], seed: int) -> "CfaSample":
        rows, design = table.sample(seed=seed)
        return cls.of(rows, scales, design)

    @classmethod
    def _of_complete(
        cls, answers: pd.DataFrame, scales: Mapping[str, Sequence[str]], design: Design
    ) -> "CfaSample | None":
        try:
            return cls.of(answers, scales, replace(design, sampled=COMPLETE_ROWS))
        except InputError:  # too few of them, or constant items among them
            return None

    @property
    def is_large(self) -> bool:
        """Whether the answers are not in memory."""
        return isinstance(self.source, LargeTable)

    @property
    def near(self) -> "CfaSample":
        """The sample for what needs the answers themselves."""
        return self.drawn or self

    @property
    def n(self) -> int:
        """Respondents."""
        return int(self.moments.n)

    def words_of(self, estimator: str) -> str:
        """What a `method` says of weights and clusters; plain maximum likelihood ("ml") knows no clusters."""
        if isinstance(self.source, LargeTable):
            table = self.source
            return words("weighted" if table.weighted else "", "ignores clusters" if table.clusters is not None else "")
        if self.source is None or estimator != "ml":
            return self.moments.design_words
        weighted = "weighted" if self.design.weights is not None else ""
        clustered = "ignores clusters" if self.design.clusters is not None else ""
        return words(EM if self.moments.n_incomplete else "", weighted, clustered, self.design.sampled)

    def model(self) -> FactorModel:
        """Each item on its construct; constructs with one item are left out."""
        return FactorModel.of(self.scales)

    def one_factor(self) -> FactorModel:
        """All items on one factor, those of constructs with one item too."""
        return FactorModel.of({"general": list(self.moments.names)})

    def corr(self, model: FactorModel) -> np.ndarray:
        """Correlations of the items of a model."""
        return self.moments.select(model.items).corr

    def deviations(self, model: FactorModel) -> np.ndarray:
        """Standard deviations of its items, denominator n."""
        return self.moments.select(model.items).sd * np.sqrt((self.n - 1) / self.n)

    def standardized(self, model: FactorModel) -> np.ndarray:
        """(n, p) answers to its items less their means, over `deviations`."""
        if self.rows is None:
            raise InputError("standardised answers need the rows", "found moments only", "Give the answers themselves.")
        values = complete_values(self.rows[list(model.items)])
        return (values - self.moments.select(model.items).mean) / self.deviations(model)

    def replicates(self, model: FactorModel, n_bootstrap: int, seed: int) -> Moments | None:
        """The bootstrap of the items of a model; None of moments alone, or where none is asked for."""
        if self.source is None:
            return None
        incomplete = self.moments.n_incomplete > 0
        names = list(self.moments.names if incomplete else model.items)
        missing: Missing = "em" if incomplete else "drop"
        stack = replicates_of(self.source, names, n_bootstrap, seed=seed, design=self.design, missing=missing)
        return None if stack is None else stack.select(model.items)

    def covariance_errors(self, model: FactorModel) -> np.ndarray | None:
        """n times the asymptotic covariances of the correlations of incomplete rows, upper triangle; None of other samples."""
        if not self.moments.n_incomplete or not isinstance(self.source, pd.DataFrame):
            return None
        order = [self.moments.names.index(item) for item in model.items]
        place = np.empty((len(self.moments.names),) * 2, int)
        pairs = np.triu_indices(len(place))
        place[pairs] = place[pairs[::-1]] = np.arange(len(pairs[0]))
        errors = covariance_errors(self.source, self.moments, pairs, design=self.design)
        first, second = np.triu_indices(len(order))
        own = place[np.ix_(order, order)][first, second]
        return errors[np.ix_(own, own)]

    def graded(self, model: FactorModel) -> pd.DataFrame | None:
        """(n, p) answers to its items if none has more than seven different ones, for methods of ordinal answers; else None."""
        if self.rows is None or self.has_one_cluster:
            return None
        rows = self.rows[list(model.items)]
        return rows if (count_categories(rows) <= FEW_GRADES).all() else None

    @property
    def has_one_cluster(self) -> bool:
        """Whether all rows are of one cluster, so that nothing tells how clusters differ."""
        return isinstance(self.source, pd.DataFrame) and self.design.count_clusters(self.source.index) == 1

    def clusters(self) -> np.ndarray | None:
        """(n,) cluster numbers; None where rows were drawn one by one."""
        if self.rows is None or self.design.clusters is None:
            return None
        return self.design.clusters_on(self.rows.index)

    def weights(self) -> np.ndarray:
        """(n,) weights of mean 1."""
        return self.design.weights_on(self.rows.index) if self.rows is not None else np.ones(self.n)


def _refuse_bad_scales(known: Sequence[object], scales: Mapping[str, Sequence[str]]) -> None:
    every = [item for items in scales.values() for item in items]
    unknown = [item for item in every if item not in known]
    if unknown:
        raise InputError(
            "every item of `scales` must be a column of `answers`", f"found no {name_some(unknown)}", "Check the names."
        )
    twice = sorted({item for item in every if every.count(item) > 1})
    if twice:
        raise InputError(
            "each item must belong to one construct",
            f"found {name_some(twice)} in several places",
            "Keep each item in the construct that it was written for.",
        )
    if not any(len(items) > 1 for items in scales.values()):
        raise InputError(
            "a confirmatory analysis needs a construct with two items or more",
            f"found none among {name_some(scales)} ({len(scales)} constructs)",
            "Check `constructs` in the study file.",
        )
    df = FactorModel.of({name: items for name, items in scales.items() if len(items) > 1}).df
    if df < 0:
        raise InputError(
            "the items must give at least as many covariances as the model has parameters",
            f"found {-df} too few for {name_some(scales)}",
            "A single construct needs three items; add items or another construct.",
        )
