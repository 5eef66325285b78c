"""How much wider the intervals are than those of as many independent respondents with equal weights."""

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import deviations_from
from cxresearch.core.results import gather, tidy, words
from cxresearch.methods.counted_items import CountedItem, design_words
from cxresearch.methods.linearised import linearised_means


def design_effects(index: pd.Index, design: Design, outcome: pd.Series | LargeTable | None = None) -> pd.DataFrame:
    """Design effects of the weights alone, and of the whole design on the mean of the outcome.

    The first is Kish's n sum(w^2) / sum(w)^2. The second is the linearised variance of the weighted mean, taken between clusters,
    over that of a simple random sample with replacement of as many rows, s^2 / n, as `svymean(deff = "replace")` of R's survey.

    Parameters
    ----------
    index : rows of the survey
    design : weights and clusters; nothing to say without either
    outcome : scores on the same rows, nan where missing; named. Of a large survey the table of these scores, or of none, which
        has its own weights and clusters: then both effects are of all its rows

    Returns
    -------
    Rows of design_effect and effective_n (n over the design effect): blank scale and term for the weights, scale = term = outcome

    References
    ----------
    Kish (1965) Survey Sampling, secs. 8.2 and 11.7. Lumley (2010) Complex Surveys, doi:10.1002/9780470580066.

    >>> design = Design(clusters=pd.Series(["a", "a", "b", "b", "c", "c"]))
    >>> outcome = pd.Series([1.0, 1, 2, 2, 4, 4], name="satisfaction")
    >>> design_effects(outcome.index, design, outcome)["estimate"].round(6).tolist()
    [2.5, 2.4]
    """
    if isinstance(outcome, LargeTable):
        return _of_large(outcome)
    parts = []
    if design.weights is not None:
        weights = design.weights_on(index)
        parts.append(_rows(float(np.mean(weights**2)), len(weights), words("kish", "unequal weights", design.sampled)))
    if outcome is not None and not design.is_simple:
        answered = outcome.dropna()
        effect = _effect_on_mean(answered, design) if len(answered) > 1 else np.nan
        if np.isfinite(effect) and effect > 0:
            keys = {"scale": str(outcome.name), "term": str(outcome.name)}
            parts.append(_rows(effect, len(answered), words("linearised variance", design.words), **keys))
    return gather(parts)


def _of_large(scores: LargeTable) -> pd.DataFrame:
    parts, n = [], len(scores)
    total, squares = scores.weight_sums()
    if scores.weighted and total > 0:
        parts.append(_rows(n * squares / total**2, n, words("kish", "unequal weights")))
    for name in scores if scores.weighted or scores.clusters is not None else ():
        item = CountedItem.of(scores, name)
        effect = item.std_error**2 * item.n / item.sd**2 if item.sd > 0 else np.nan
        if np.isfinite(effect) and effect > 0:
            said = words("linearised variance", design_words(scores))
            parts.append(_rows(effect, item.n, said, scale=name, term=name))
    return gather(parts)


def _rows(effect: float, n: int, method: str, **keys: str) -> pd.DataFrame:
    return gather(
        [
            tidy("design_effect", effect, n=n, method=method, **keys),
            tidy("effective_n", n / effect, n=n, method=method, **keys),
        ]
    )


def _effect_on_mean(outcome: pd.Series, design: Design) -> float:
    """nan for a constant outcome, or where all rows are of one cluster."""
    values, n = outcome.to_numpy(float), len(outcome)
    weights = design.weights_on(outcome.index)
    found = linearised_means(values, weights, np.zeros(n, int), design.clusters_on(outcome.index), 1)
    spread = weights @ deviations_from(values, found.mean[0]) ** 2 / (n - 1)
    return float(found.std_error[0] ** 2 / (spread / n)) if spread > 0 else np.nan
