"""The groups whose measurement models are compared, and those that cannot be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxresearch.core.answers import Missing, moments_of, rows_with
from cxresearch.core.design import Design
from cxresearch.core.em import EM
from cxresearch.core.incomplete_errors import moment_influences
from cxresearch.core.moments import Moments
from cxresearch.core.results import Finding, GroupCode, words
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError
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
    n_counted : rows with a group, an answer to every item ("em": to any), and a weight above 0, also of groups that are left out
    n_dropped : the other rows
    n_incomplete : rows of the groups compared that lack an answer and count by maximum likelihood ("em")
    iterations : of EM, in the group that took most
    missing : what becomes of rows that lack an answer
    left_out : which groups are not compared, and why
    coarse : items that hold too few different answers in some group to pass for numbers
    design_words : what a `method` says of incomplete rows and of weights
    clustered : whether rows were drawn by cluster
    """

    by: str
    model: FactorModel
    codes: tuple[str, ...]
    moments: GroupedMoments
    deviations: np.ndarray
    rows: GroupedRows
    n_counted: int
    n_dropped: int
    n_incomplete: int
    iterations: int
    missing: Missing
    left_out: tuple[Finding, ...]
    coarse: tuple[str, ...]
    design_words: str
    clustered: bool

    @property
    def n(self) -> int:
        """Respondents of the groups compared."""
        return int(self.moments.n.sum())


def groups_of(
    answers: pd.DataFrame,
    model: FactorModel,
    groups: pd.Series,
    *,
    design: Design,
    min_group: int,
    missing: Missing = "drop",
) -> GroupedSample | tuple[Finding, ...]:
    """The groups of a column, by the rows that count for the items of the model; why not, where fewer than two are left."""
    by, items = str(groups.name), list(model.items)
    rows = answers.loc[rows_with(answers, items, missing=missing), items]
    if design.weights is not None and len(rows):
        rows = rows[design.weights_on(rows.index) > 0]
    codes = group_codes(groups).reindex(rows.index).dropna()
    parts = {code: rows.loc[codes.index[codes == code]] for code in sorted(codes.unique(), key=natural_order)}
    least = max(min_group, len(items) + 1)
    small = [code for code in sorted(group_codes(groups).dropna().unique(), key=natural_order)
             if len(parts.get(code, ())) < least]  # fmt: skip
    answered = Finding(f"invariance.answered_{'all' if missing == 'drop' else 'any'}")
    told = [_small(by, small, least, answered)] if small else []
    moments = {}
    for code, part in parts.items():
        if code in small:
            continue
        found = _moments(part, model, design, missing)
        if isinstance(found, Moments):
            moments[code] = found
        else:
            told.append(Finding(f"invariance.{found[0]}", {"by": by, "group": GroupCode(code, by), **found[1]}))
    if len(moments) < 2:
        counts = {"count": len(moments), "least": least, "n_rows": len(answers), "n_counted": len(rows)}
        values: dict[str, Any] = {**counts, "answered": answered}
        return Finding("invariance.few_groups", values), *told
    used = {code: parts[code] for code in moments}
    return _stacked(by, model, moments, used, len(codes), design, len(answers), tuple(told), missing)


def _moments(part: pd.DataFrame, model: FactorModel, design: Design, missing: Missing) -> Moments | Reason:
    """Moments of the rows of a group, by maximum likelihood where some are incomplete; why not, where no model can be had of them."""
    try:
        moments = moments_of(
            part, model.items, design=design, missing=missing if part.isna().any(axis=None) else "drop"
        )
    except InputError:  # only of incomplete rows, as there are more than items: too little was answered
        return "no_moments", {}
    return _unusable(moments, model) or moments


def _small(by: str, small: list[str], least: int, answered: Finding) -> Finding:
    values = {"by": by, "groups": [GroupCode(code, by) for code in small], "count": len(small), "least": least}
    values["answered"] = answered
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
    parts: dict[str, pd.DataFrame],
    n_counted: int,
    design: Design,
    n_rows: int,
    told: tuple[Finding, ...],
    missing: Missing,
) -> GroupedSample:
    """The sample of the groups that are left, in units that they share."""
    every, used = list(moments.values()), pd.concat(list(parts.values()))
    n = np.array([int(part.n) for part in every])
    cov = np.stack([part.cov * (part.n - 1) / part.n for part in every])
    deviations = np.sqrt(n / n.sum() @ np.diagonal(cov, axis1=1, axis2=2))
    own, n_incomplete = design.on(used.index), int(used.isna().any(axis=1).sum())
    return GroupedSample(
        by=by,
        model=model,
        codes=tuple(moments),
        moments=GroupedMoments(
            n, np.stack([part.mean for part in every]) / deviations, cov / np.outer(deviations, deviations)
        ),
        deviations=deviations,
        rows=GroupedRows(
            values=used.to_numpy(float) / deviations,
            group=np.repeat(np.arange(len(n)), n),
            weights=np.concatenate([design.weights_on(part.index) for part in parts.values()]),
            unit=None if own.clusters is None else own.clusters_on(used.index),
            influences=_influences(parts, moments, design, deviations) if n_incomplete else None,
        ),
        n_counted=n_counted,
        n_dropped=n_rows - n_counted,
        n_incomplete=n_incomplete,
        iterations=max(part.iterations for part in every),
        missing=missing,
        left_out=told,
        coarse=_coarse(used, np.repeat(np.arange(len(n)), n)),
        design_words=words(EM if n_incomplete else "", "weighted" if own.weights is not None else ""),
        clustered=own.clusters is not None,
    )


def _influences(
    parts: dict[str, pd.DataFrame], moments: dict[str, Moments], design: Design, deviations: np.ndarray
) -> np.ndarray:
    """(n, p + q) by how much each row moves the moments of its group, in units of `deviations`."""
    pairs = np.triu_indices(len(deviations))
    units = np.concatenate([deviations, deviations[pairs[0]] * deviations[pairs[1]]])
    each = [moment_influences(part, moments[code], pairs, design=design) for code, part in parts.items()]
    return np.concatenate(each) / units


def _coarse(used: pd.DataFrame, number: np.ndarray) -> tuple[str, ...]:
    """Items with fewer different answers in some group than may pass for numbers."""
    counts = used.groupby(number).nunique().min()
    return tuple(map(str, counts.index[~RULES["grades_as_numbers"].met(counts.to_numpy())]))
