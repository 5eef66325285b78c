"""Exploratory factor analysis: does the matrix suit it, how many factors, which items belong to which."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import pandas as pd

from cxresearch.core.answers import Answers, Missing, sound_answers
from cxresearch.core.correlation import Correlation
from cxresearch.core.design import Design
from cxresearch.core.large import LargeTable
from cxresearch.core.moments import Moments
from cxresearch.core.polychoric import Polychorics, permuted_polychorics
from cxresearch.core.results import Finding, Result, View, gather, words
from cxresearch.core.rules import RULES, Rule
from cxresearch.errors import InputError
from cxresearch.methods.extraction import Extraction, Rotation, extract_factors, most_factors
from cxresearch.methods.factor_matrix import FactorMatrix
from cxresearch.methods.factor_tables import (
    FactorNumber,
    factor_cautions,
    loading_rows,
    number_rows,
    polychoric_rows,
    suitability_rows,
    variance_rows,
)
from cxresearch.methods.factor_tests import (
    average_partials,
    bartlett,
    eigenvalues,
    empirical_kaiser,
    kmo,
    leading,
    random_eigenvalues,
)

NumberRule = Literal["parallel", "ekc", "map", "kaiser"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorResult(Result):
    """An exploratory factor analysis.

    Attributes
    ----------
    kmo : Kaiser-Meyer-Olkin measure of the whole matrix
    n_factors : factors extracted
    n_factors_parallel, n_factors_ekc, n_factors_map, n_factors_kaiser : what the rules say
    number_rule : "parallel", "ekc", "map", "kaiser" or "given": why that many
    extraction, rotation, correlation : the choices made, never "auto"; the rotation of one factor is "none", the
        correlation of Moments "given"
    loadings, structure : items x factors F1, F2, ...
    phi : factor correlations
    communalities : of each item
    polychorics : correlations of the normal variables behind items with few grades, with standard errors; None without any
    heywood : items whose uniqueness is at its lower bound
    converged : whether extraction and rotation ended at a solution
    cautions : what qualifies the result
    """

    views: ClassVar[Mapping[str, View]] = {
        "factor_suitability": View(("kmo", "bartlett_chi2"), rows=(), columns="numbers"),
        "factor_number": View(("eigenvalue", "eigenvalue_random", "eigenvalue_reference"), rows=("term",)),
        "factor_partials": View(("average_partial",), rows=("term",)),
        "factor_loadings": View(("loading",), rows=("term",), columns="scale"),
        "factor_structure": View(("structure",), rows=("term",), columns="scale"),
        "factor_correlations": View(("factor_correlation",), rows=("scale",), columns="term"),
        "factor_variance": View(("variance_explained",), method="loading times structure"),
        "factor_items": View(("msa", "communality", "uniqueness"), rows=("term",)),
        "factor_polychorics": View(("polychoric",), rows=("scale",), columns="term"),
    }

    kmo: float
    n_factors: int
    n_factors_parallel: int
    n_factors_ekc: int
    n_factors_map: int
    n_factors_kaiser: int
    number_rule: str
    extraction: str
    rotation: str
    correlation: str
    loadings: pd.DataFrame
    structure: pd.DataFrame
    phi: pd.DataFrame
    communalities: pd.Series
    polychorics: Polychorics | None
    heywood: tuple[str, ...]
    converged: bool
    cautions: tuple[Finding, ...]

    def finding(self, rule: Rule = RULES["kmo_adequate"]) -> Finding:
        """Whether the items suit factor analysis, how many factors there are, and what they explain."""
        values = {
            "kmo": self.kmo,
            "n_factors": self.n_factors,
            "parallel": self.n_factors_parallel,
            "ekc": self.n_factors_ekc,
            "map": self.n_factors_map,
            "kaiser": self.n_factors_kaiser,
            "percent": 100 * float(self.communalities.mean()),
        }
        suited = "adequate" if rule.met(self.kmo) else "inadequate"
        return Finding(f"factors.{suited}_{self.number_rule}", values, rule, self.cautions)


def explore_factors(
    answers: Answers,
    *,
    n_factors: int | NumberRule = "parallel",
    extraction: Extraction = "minres",
    rotation: Rotation = "oblimin",
    correlation: Correlation | Literal["auto"] = "auto",
    n_random: int = 1000,
    seed: int = 0,
    design: Design | None = None,
    missing: Missing = "drop",
) -> FactorResult:
    """Explore the factors behind a set of items, all steps on one correlation matrix.

    Parameters
    ----------
    answers : (n, p) numeric items, nan where not answered; a large table; or Moments, whose correlations are used
        as they are (a published matrix)
    n_factors : how many; or "parallel": as many first eigenvalues as exceed the 95th percentile of those of random data; or
        "ekc": as exceed the limits of the empirical Kaiser criterion; or "map": as many components as leave the smallest
        mean squared partial correlation (minimum average partial); or "kaiser": as many as exceed 1
    extraction : "minres" or "ml"
    rotation : "oblimin", "promax", "varimax" or "none"
    correlation : "pearson", "spearman", "polychoric"; or, of rows, "auto": Pearson where every item has five different answers or more
        and a skewness of 2 in size at most, else polychoric (`core.correlation.suitable_correlation`)
    n_random : random data sets of the parallel analysis: normal variables, or for polychoric correlations the answers
        themselves, each item shuffled
    seed : of the parallel analysis
    design : weights; the parallel analysis then uses the effective number of rows (Kish) or shuffles under the
        weights, and Bartlett's test, which has no weighted form, the unweighted correlations
    missing : "drop": the rows that answered all items; "em": all that answered any. Pearson correlations are then those of
        maximum likelihood, polychoric ones are taken pairwise, and what needs a number of rows takes how many answered both items of a
        pair on average

    Returns
    -------
    FactorResult; factors F1, F2, ... by the variance they explain, each with the sign of its sum of loadings positive. Its
    table holds the polychoric correlations of all items with seven different answers or fewer, whatever the correlation.

    Raises
    ------
    InputError
        For data that are neither rows nor Moments, text, fewer than three items, not more rows than items, constant, identical or linearly dependent items, an
        unknown option, or more factors than the items can tell apart.

    References
    ----------
    Kaiser (1974), doi:10.1007/BF02291575. Bartlett (1951), doi:10.1093/biomet/38.3-4.337. Horn (1965),
    doi:10.1007/BF02289447. Glorfeld (1995) Educational and Psychological Measurement 55:377-393,
    doi:10.1177/0013164495055003002 (95th percentile). Braeken and van Assen (2017), doi:10.1037/met0000074.
    Velicer (1976), doi:10.1007/BF02293557. Rhemtulla et al. (2012),
    doi:10.1037/a0029315 (five categories). Olsson (1979), doi:10.1007/BF02296207 (polychorics). Fabrigar et al. (1999) Psychological Methods 4:272-299,
    doi:10.1037/1082-989X.4.3.272.

    Examples
    --------
    >>> common, own = np.random.default_rng(1).normal(size=(300, 1)), np.random.default_rng(2).normal(size=(300, 4))
    >>> result = explore_factors(pd.DataFrame(common + own, columns=["q1", "q2", "q3", "q4"]))
    >>> result.n_factors, result.rotation
    (1, 'none')
    """
    _refuse_bad_number(n_factors, n_random)
    answers = sound_answers(answers, design=design, missing=missing)
    if isinstance(answers, Moments):
        matrix, total = FactorMatrix.given(answers, correlation), int(answers.n)
    elif isinstance(answers, LargeTable):
        matrix, total = FactorMatrix.of_large(answers, correlation), len(answers)
    else:
        matrix, total = FactorMatrix.of(answers, correlation, design or Design(), missing), len(answers)
    number = _decide_number(matrix, n_factors, n_random, seed)
    factors = extract_factors(matrix.corr, number.used, extraction, rotation)
    kept_rotation = rotation if number.used > 1 else "none"
    names = [f"F{i + 1}" for i in range(number.used)]
    overall, adequacy = kmo(matrix.corr)
    test = bartlett(matrix.unweighted, matrix.n_paired)
    unrotated, rotated = words(extraction, matrix.words), words(extraction, kept_rotation, matrix.words)
    parts = [
        *suitability_rows(matrix, float(overall), adequacy, test),
        *number_rows(matrix, number),
        *loading_rows(matrix, factors, names, rotated, unrotated),
        *variance_rows(matrix, factors, names, rotated, unrotated),
        *polychoric_rows(matrix),
    ]
    return FactorResult(
        table=gather(parts),
        n_used=matrix.n,
        n_dropped=total - matrix.n,
        missing_policy=missing,
        n_incomplete=matrix.n_incomplete,
        iterations=matrix.iterations,
        kmo=float(overall),
        n_factors=number.used,
        n_factors_parallel=number.parallel,
        n_factors_ekc=number.ekc,
        n_factors_map=number.map,
        n_factors_kaiser=number.kaiser,
        number_rule=number.rule,
        extraction=extraction,
        rotation=kept_rotation,
        correlation=matrix.correlation,
        loadings=pd.DataFrame(factors.loadings, index=matrix.names, columns=names),
        structure=pd.DataFrame(factors.structure, index=matrix.names, columns=names),
        phi=pd.DataFrame(factors.phi, index=names, columns=names),
        communalities=pd.Series(factors.communalities, index=matrix.names),
        polychorics=matrix.polychorics,
        heywood=tuple(np.array(matrix.names)[factors.heywood]),
        converged=factors.converged,
        cautions=tuple(factor_cautions(matrix, factors, adequacy, test[2], number=number, total=total)),
    )


def _decide_number(matrix: FactorMatrix, n_factors: int | str, n_random: int, seed: int) -> FactorNumber:
    """What the rules say, and how many factors are extracted: by a rule at least one, at most what the items can tell."""
    p = len(matrix.names)
    observed = eigenvalues(matrix.corr)
    if matrix.correlation == "polychoric" and matrix.rows is not None:
        random = eigenvalues(permuted_polychorics(matrix.rows, n_random, seed=seed, design=matrix.design))
    else:
        random = random_eigenvalues(matrix.n_effective, p, n_random, seed=seed)
    limits = np.quantile(random, 0.95, axis=0)
    empirical = empirical_kaiser(observed, matrix.n_effective)
    partials = average_partials(matrix.corr)
    counts = {
        "parallel": leading(observed, limits),
        "ekc": leading(observed, empirical),
        "map": int(partials.argmin()),
        "kaiser": leading(observed, 1.0),
    }
    wanted = counts[n_factors] if isinstance(n_factors, str) else int(n_factors)
    used = min(max(wanted, 1), most_factors(p)) if isinstance(n_factors, str) else wanted
    rule = n_factors if isinstance(n_factors, str) else "given"
    return FactorNumber(observed, limits, empirical, partials, **counts, rule=rule, wanted=wanted, used=used)


def _refuse_bad_number(n_factors: int | str, n_random: int) -> None:
    whole = isinstance(n_factors, int | np.integer) and not isinstance(n_factors, bool)
    if not whole and n_factors not in get_args(NumberRule):
        raise InputError(
            f"`n_factors` must be a whole number or one of {', '.join(get_args(NumberRule))}",
            f"found {n_factors!r}",
            "Choose one of these.",
        )
    if n_random < 20:
        raise InputError(
            "a 95th percentile needs `n_random` of 20 or more", f"found {n_random}", "Ask for 100 or more."
        )
