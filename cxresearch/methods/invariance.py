"""Measurement invariance: do groups understand the questions alike, so that they can be compared?"""

from collections.abc import Mapping, Sequence

import pandas as pd

from cxresearch.core.answers import Missing, refuse_unknown_policy
from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.results import Finding
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError, name_some
from cxresearch.methods.cfa_model import FactorModel
from cxresearch.methods.invariance_result import InvarianceResult, Verdict
from cxresearch.methods.invariance_rows import Levels, table_of
from cxresearch.methods.invariance_sample import GroupedSample, groups_of


def check_invariance(
    answers: pd.DataFrame | LargeTable,
    scales: Mapping[str, Sequence[str]],
    *,
    groups: pd.DataFrame | pd.Series | LargeTable,
    design: Design | None = None,
    min_group: int = 100,
    missing: Missing = "drop",
) -> InvarianceResult:
    """Test whether the constructs of a study are measured alike in the groups of each grouping column.

    The confirmatory model is fitted to all groups at once, three times: with nothing equal (configural), equal loadings
    (metric), and equal loadings and intercepts (scalar). Factors have variance 1 and mean 0 in the first group; from the metric
    level on their variances are free in the others, at the scalar level their means are too.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered; rows with a group are used that answered all items of the model
    scales : construct -> items. Constructs with one item are left out
    groups : one or several grouping columns on the index of `answers`, each judged by itself
    design : weights, respected throughout, within each group scaled to mean 1; clusters, respected by MLR only
    min_group : respondents that a group needs, and always more than there are items. 100 is a practical limit: with fewer, the
        chi-square of models of this size is too large by chance
    missing : "drop": complete rows; "em" (and "impute"): rows that answered any item, in two stages: maximum-likelihood means and
        covariances of each group, to which the models are fitted. MLR knows of the missing answers, ML and the score tests do not

    Returns
    -------
    InvarianceResult. Of each column and level (scale = level) chi-square, CFI, RMSEA and SRMR by `ml` and `mlr` (Yuan-Bentler scaled,
    robust indices), and their changes from the level before; the difference of scaled chi-squares is that of Satorra and
    Bentler (2001), and left out where that is negative. The five loadings (metric) and the five intercepts (scalar) whose group
    would differ most from the common value, with the expected difference in units of the answers (score tests). What cannot be
    judged is no error: `finding` says so.

    Raises
    ------
    InputError
        For items that are not there, text, or groups on another index.

    References
    ----------
    Jöreskog (1971) Psychometrika 36:409-426, doi:10.1007/BF02291366. Meredith (1993) Psychometrika 58:525-543,
    doi:10.1007/BF02294825. Cheung and Rensvold (2002) Structural Equation Modeling 9:233-255, doi:10.1207/S15328007SEM0902_5.
    Chen (2007) Structural Equation Modeling 14:464-504, doi:10.1080/10705510701301834. Savalei and Falk (2014) Structural
    Equation Modeling 21:280-302, doi:10.1080/10705511.2014.882692 (two stages).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> factor = rng.normal(size=(600, 1))
    >>> answers = pd.DataFrame(factor + rng.normal(size=(600, 4)), columns=["q1", "q2", "q3", "q4"])
    >>> company = pd.Series(np.repeat(["A", "B"], 300), name="company")
    >>> check_invariance(answers, {"speed": list(answers)}, groups=company).level("company")
    'scalar'
    """
    if isinstance(answers, LargeTable):  # a test of groups needs no more than a sample, and says so
        rows, design = answers.sample(seed=0)
        answers, groups = rows[list(answers.names)], rows[list(answers.groups)]
    if isinstance(groups, LargeTable):
        raise InputError(
            "`groups` of rows must be rows", "found a large table", "Give a large table of answers with it."
        )
    columns = groups.to_frame() if isinstance(groups, pd.Series) else groups
    if len(columns.columns):  # else nothing is looked at, as with a correlation matrix, which has no groups
        _refuse_unusable(answers, scales, columns)
    refuse_unknown_policy(missing)
    design = design or Design()
    several = {str(name): list(items) for name, items in scales.items() if len(items) > 1}
    unfit = _no_model(several)
    samples = {
        str(by): (unfit,) if unfit else groups_of(
            answers, FactorModel.of(several), columns[by], design=design, min_group=min_group, missing=missing
        )
        for by in columns
    }  # fmt: skip
    fitted = {by: Levels.of(sample) for by, sample in samples.items() if isinstance(sample, GroupedSample)}
    verdicts = {
        by: Verdict.none(by, sample) if isinstance(sample, tuple) else Verdict.of(fitted[by])
        for by, sample in samples.items()
    }
    used = next((levels.sample for levels in fitted.values()), None)
    return InvarianceResult(
        table=table_of(list(fitted.values())),
        n_used=used.n if used else 0,
        n_dropped=_not_used(used, answers, missing) if len(columns.columns) else 0,
        missing_policy="" if missing == "drop" else missing,
        n_incomplete=used.n_incomplete if used else 0,
        iterations=used.iterations if used else 0,
        scales=several,
        verdicts=verdicts,
        cautions=tuple(_cautions(design, [levels.sample for levels in fitted.values()])),
    )


def _not_used(used: GroupedSample | None, answers: pd.DataFrame, missing: Missing) -> int:
    """Rows that the groups of a column do not use; those without any answer where incomplete ones count."""
    if used is None:
        return len(answers)
    if missing == "drop":
        return len(answers) - used.n
    return int(answers[list(used.model.items)].isna().all(axis=1).sum())


def _cautions(design: Design, samples: list[GroupedSample]) -> list[Finding]:
    """What holds for all columns: answers that are hardly numbers, what was made of weights and clusters."""
    if not samples:
        return []
    coarse = list(dict.fromkeys(item for sample in samples for item in sample.coarse))
    found = [Finding("invariance.coarse", {"items": coarse}, RULES["grades_as_numbers"])] if coarse else []
    fullest = max(samples, key=lambda sample: sample.n_incomplete)
    if fullest.n_incomplete:
        found.append(Finding("invariance.em", {"n_incomplete": fullest.n_incomplete, "n": fullest.n}))
    found += [Finding("invariance.weighted")] if design.weights is not None else []
    if design.clusters is None:
        return found
    fewest = min(sample.rows.fewest_drawn for sample in samples)
    few = (
        []
        if RULES["clusters"].met(fewest)
        else [Finding("invariance.few_clusters", {"clusters": fewest}, RULES["clusters"])]
    )
    return [*found, Finding("invariance.clustered"), *few]


def _refuse_unusable(answers: pd.DataFrame, scales: Mapping[str, Sequence[str]], groups: pd.DataFrame) -> None:
    items = [item for items in scales.values() for item in items]
    unknown = [item for item in items if item not in answers.columns]
    if unknown:
        raise InputError(
            "every item of `scales` must be a column of `answers`", f"found no {name_some(unknown)}", "Check the names."
        )
    text = [item for item in items if not pd.api.types.is_numeric_dtype(answers[item])]
    if text:
        raise InputError("the answers must be numeric", f"found text in {name_some(text)}", "Map words to numbers.")
    lost = answers.index[~answers.index.isin(groups.index)]
    if len(lost):
        raise InputError(
            "`groups` must have the index of `answers`",
            f"found no group for the rows {name_some(lost)} ({len(lost):,} of {len(answers):,})",
            "Take both from the same table.",
        )


def _no_model(scales: Mapping[str, Sequence[str]]) -> Finding | None:
    """Why these constructs make no model that can be fitted."""
    items = [item for items in scales.values() for item in items]
    twice = sorted({item for item in items if items.count(item) > 1})
    if not scales:
        return Finding("invariance.no_construct")
    if twice:
        return Finding("invariance.twice", {"items": twice})
    if FactorModel.of(scales).df < 0:
        return Finding("invariance.too_few_items", {"scales": list(scales)})
    return None
