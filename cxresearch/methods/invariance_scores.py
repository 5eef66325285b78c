"""Which loadings and intercepts that are held equal over groups differ most: score tests of each of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from cxresearch.core.rules import RULES, Rule
from cxresearch.methods.invariance_fit import Eliminated, GroupedFit, GroupedMoments, release

KINDS = {"metric": "loadings", "scalar": "intercepts"}  # what a level holds equal that the one before does not


def equality_tests(fit: GroupedFit, moments: GroupedMoments) -> pd.DataFrame:
    """How much chi-square would fall by about if one group had its own value of one parameter.

    Parameters
    ----------
    fit : of the metric level, for its loadings; of the scalar level, for its intercepts
    moments : that it was fitted to

    Returns
    -------
    DataFrame, largest first: item, group (numbers), change (by how much the group's value would differ from that of the others, in
    the units of the moments) and index (chi-square with 1 df). Of two groups the second, as both say the same

    Notes
    -----
    Score tests with the expected information. Those that no sample could tell are left out.

    References
    ----------
    Satorra (1989) Psychometrika 54:131-151, doi:10.1007/BF02294453.
    """
    grouped, parameters = fit.parameters.grouped, fit.parameters
    inverse, share = np.linalg.inv(parameters.implied()), moments.share
    own, shared = grouped.own, grouped.shared
    tested = np.intersect1d(grouped.places[KINDS[grouped.level]], shared)
    matrix = parameters.information(inverse) * share[:, None, None]
    solved = Eliminated.of(matrix, grouped)
    beside = matrix[:, tested[:, None], own]
    plain = np.diagonal(matrix, axis1=1, axis2=2)[:, tested]
    left = plain - np.einsum("gao,gop,gap->ga", beside, solved.own, beside)
    common = matrix[:, tested[:, None], shared] - beside @ solved.carried
    left -= np.einsum("gas,st,gat->ga", common, np.linalg.inv(solved.core), common)
    slope = (parameters.gradient(moments.cov, moments.mean, inverse) * share[:, None])[:, tested]
    with np.errstate(divide="ignore", invalid="ignore"):
        index, change = moments.n.sum() * slope**2 / left, -slope / left
    group, item = np.nonzero(left > 1e-8 * plain)
    number = tested[item] - grouped.places[KINDS[grouped.level]][0]
    table = pd.DataFrame({"item": number, "group": group, "change": change[group, item], "index": index[group, item]})
    if grouped.n_groups == 2:
        table = table[table["group"] == 1]
    return table.sort_values("index", ascending=False, kind="stable", ignore_index=True)


@dataclass(frozen=True, slots=True)
class Partial:
    """A level of invariance with as few exceptions as the tests ask for.

    Attributes
    ----------
    fit : of the model with these exceptions
    items : numbers of the items whose loading (or intercept) each group has of its own, in the order in which they were released
    groups : number of the group that differed most in each
    changes : by how much, in the units of the moments
    """

    fit: GroupedFit
    items: tuple[int, ...]
    groups: tuple[int, ...]
    changes: tuple[float, ...]


def release_items(fit: GroupedFit, moments: GroupedMoments, rule: Rule = RULES["significance"]) -> Partial:
    """Release the item that differs most, fit again, and so on, until no test is significant by Bonferroni.

    One item alone makes the others look different as well, in the other direction; so each is tested with those before it released.
    Two items of each construct stay equal, or it would have no unit in common.

    References
    ----------
    Byrne, Shavelson and Muthén (1989) Psychological Bulletin 105:456-466, doi:10.1037/0033-2909.105.3.456. Yoon and Millsap (2007)
    Structural Equation Modeling 14:435-463, doi:10.1080/10705510701301677.
    """
    grouped = fit.parameters.grouped
    owner, first = grouped.model.owner, grouped.places[KINDS[grouped.level]][0]
    found: list[tuple[int, int, float]] = []
    while True:
        tests = equality_tests(fit, moments)
        left = np.bincount(np.delete(owner, [item for item, _, _ in found]), minlength=len(grouped.model.factors))
        clear = tests[rule.met(chdtrc(1, tests["index"].to_numpy()) * len(tests))]
        clear = clear[left[owner[clear["item"].to_numpy(int)]] > 2]
        next_fit = release(fit, moments, int(first + clear["item"].iloc[0])) if len(clear) else None
        if next_fit is None or not next_fit.converged:
            items, groups, changes = zip(*found, strict=True) if found else ((), (), ())
            return Partial(fit, items, groups, changes)
        fit = next_fit
        found.append((int(clear["item"].iloc[0]), int(clear["group"].iloc[0]), float(clear["change"].iloc[0])))
