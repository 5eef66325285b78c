"""The groups whose measurement models are compared, and those that cannot be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.moments import Moments
from cxresearch.core.results import Finding, GroupCode
from cxresearch.core.rules import RULES
from cxresearch.methods.cfa_fit import fit_cfa, identifies
from cxresearch.methods.cfa_model import FactorModel, Parameters
from cxresearch.methods.factor_matrix import SINGULAR
from cxresearch.methods.group_samples import group_codes, natural_order
from cxresearch.methods.invariance_fit import GroupedMoments
from cxresearch.methods.invariance_robust import GroupedRows

NAMED = 8  # small groups that are named; of more only the number is told
Reason = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class GroupedSample:
    """The groups of one column whose models can be compared.

    Attributes
    ----------
    by : the grouping column
    model : which item belongs to which factor
    codes : (G,) the groups, in natural order
    moments : of their items, in units of `deviations`
    deviations : (p,) within the groups, denominator n
    rows : the answers behind them, in the same units
    n_complete : rows with a group, an answer to every item, and a weight above 0, also of groups that are left out
    n_dropped : the other rows
    left_out : which groups are not compared, and why
    coarse : items that hold too few different answers in some group to pass for numbers
    design_words : what a `method` says of weights
    clustered : whether rows were drawn by cluster
    """

    by: str
    model: FactorModel
    codes: tuple[str, ...]
    moments: GroupedMoments
    deviations: np.ndarray
    rows: GroupedRows
    n_complete: int
    n_dropped: int
    left_out: tuple[Finding, ...]
    coarse: tuple[str, ...]
    design_words: str
    clustered: bool

    @property
    def n(self) -> int:
        """Respondents of the groups compared."""
        return int(self.moments.n.sum())


def groups_of(
    answers: pd.DataFrame, model: FactorModel, groups: pd.Series, *, design: Design, min_group: int
) -> GroupedSample | tuple[Finding, ...]:
    """The groups of a column, by the rows that answered all items of the model; why not, where fewer than two are left."""
    by, items = str(groups.name), list(model.items)
    rows = answers[items].dropna()
    if design.weights is not None and len(rows):
        rows = rows[design.weights_on(rows.index) > 0]
    codes = group_codes(groups).reindex(rows.index).dropna()
    parts = {code: rows.loc[codes.index[codes == code]] for code in sorted(codes.unique(), key=natural_order)}
    least = max(min_group, len(items) + 1)
    small = [code for code in sorted(group_codes(groups).dropna().unique(), key=natural_order)
             if len(parts.get(code, ())) < least]  # fmt: skip
    told = [_small(by, small, least)] if small else []
    moments = {code: Moments.from_frame(part, design=design) for code, part in parts.items() if code not in small}
    for code in list(moments):
        reason = _unusable(moments[code], model)
        if reason is not None:
            told.append(Finding(f"invariance.{reason[0]}", {"by": by, "group": GroupCode(code, by), **reason[1]}))
            del moments[code]
    if len(moments) < 2:
        values = {"by": by, "count": len(moments), "least": least, "n_complete": len(rows), "n_rows": len(answers)}
        return Finding("invariance.few_groups", values), *told
    used = pd.concat([parts[code] for code in moments])
    return _stacked(by, model, moments, used, codes, design, len(answers), tuple(told))


def _small(by: str, small: list[str], least: int) -> Finding:
    values = {"by": by, "groups": [GroupCode(code, by) for code in small], "count": len(small), "least": least}
    return Finding("invariance.small" if len(small) <= NAMED else "invariance.small_many", values)


def _unusable(moments: Moments, model: FactorModel) -> Reason | None:
    """Why no model of a single group can be had from its moments."""
    constant = [name for name, sd in zip(moments.names, moments.sd, strict=True) if sd == 0]
    if constant:
        return "constant", {"items": constant}
    roots, vectors = np.linalg.eigh(moments.corr)
    if not roots[0] > SINGULAR:
        involved = np.abs(vectors[:, 0]) > 0.05
        return "dependent", {"items": [name for name, is_in in zip(moments.names, involved, strict=True) if is_in]}
    fit = fit_cfa(moments.corr, model)
    if not fit.converged or not identifies(Parameters(model, fit.parameters.values)):
        return "unsolved", {}
    return None


def _stacked(
    by: str,
    model: FactorModel,
    moments: dict[str, Moments],
    used: pd.DataFrame,
    codes: pd.Series,
    design: Design,
    n_rows: int,
    told: tuple[Finding, ...],
) -> GroupedSample:
    """The sample of the groups that are left, in units that they share."""
    every = list(moments.values())
    n = np.array([int(part.n) for part in every])
    cov = np.stack([part.cov * (part.n - 1) / part.n for part in every])
    deviations = np.sqrt(n / n.sum() @ np.diagonal(cov, axis1=1, axis2=2))
    own = design.on(used.index)
    number = pd.Categorical(codes[used.index], categories=list(moments)).codes.astype(int)
    weights = np.concatenate([design.weights_on(used.index[number == group]) for group in range(len(n))])
    unit = None if own.clusters is None else own.clusters_on(used.index)
    return GroupedSample(
        by=by,
        model=model,
        codes=tuple(moments),
        moments=GroupedMoments(
            n, np.stack([part.mean for part in every]) / deviations, cov / np.outer(deviations, deviations)
        ),
        deviations=deviations,
        rows=GroupedRows(used.to_numpy(float) / deviations, number, weights, unit),
        n_complete=len(codes),
        n_dropped=n_rows - len(codes),
        left_out=told,
        coarse=_coarse(used, number),
        design_words="weighted" if own.weights is not None else "",
        clustered=own.clusters is not None,
    )


def _coarse(used: pd.DataFrame, number: np.ndarray) -> tuple[str, ...]:
    """Items with fewer different answers in some group than may pass for numbers."""
    counts = used.groupby(number).nunique().min()
    return tuple(map(str, counts.index[~RULES["grades_as_numbers"].met(counts.to_numpy())]))
