"""Rows and cautions of an exploratory factor analysis."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxresearch.core.polychoric_fit import LIMIT
from cxresearch.core.results import Finding, tidy, words
from cxresearch.core.rules import RULES, Rule
from cxresearch.methods.extraction import Factors
from cxresearch.methods.factor_matrix import FactorMatrix


@dataclass(frozen=True, slots=True)
class FactorNumber:
    """How many factors, and why.

    Attributes
    ----------
    observed, limits : (p,) eigenvalues of the items, and 95th percentiles of those of random data
    empirical : (p,) limits of the empirical Kaiser criterion
    partials : (p - 1,) mean squared partial correlation after 0, 1, ... components are taken out
    parallel, ekc, map, kaiser : number of factors by each rule: parallel analysis, empirical Kaiser criterion, minimum
        average partial, eigenvalues above 1
    rule : "parallel", "ekc", "map", "kaiser" or "given"
    wanted, used : number by the rule in force, and extracted
    """

    observed: np.ndarray
    limits: np.ndarray
    empirical: np.ndarray
    partials: np.ndarray
    parallel: int
    ekc: int
    map: int
    kaiser: int
    rule: str
    wanted: int
    used: int


def suitability_rows(
    matrix: FactorMatrix, overall: float, adequacy: np.ndarray, test: tuple[float, float, float]
) -> list[pd.DataFrame]:
    """KMO, adequacy of each item, and Bartlett's test (chi-square, df, p)."""
    kind = matrix.words
    chi2, df, p_value = test
    plain = kind.replace("weighted", "unweighted") if matrix.weighted else kind
    return [
        tidy("kmo", overall, n=matrix.n, method=kind),
        tidy("bartlett_chi2", chi2, statistic=chi2, df=df, p_value=p_value, n=matrix.n, method=plain),
        tidy("msa", adequacy, term=matrix.names, n=matrix.n, method=kind),
    ]


def polychoric_rows(matrix: FactorMatrix) -> list[pd.DataFrame]:
    """Polychoric correlations of the pairs of items with few grades, with asymptotic standard errors."""
    ordinal = matrix.polychorics
    if ordinal is None:
        return []
    upper = np.triu_indices(len(ordinal.names), 1)
    first, second = ([ordinal.names[i] for i in side] for side in upper)
    method = words("polychoric", "two-step ml", ordinal.design_words)
    errors, n = ordinal.std_error[upper], ordinal.n_pairs[upper]
    return [tidy("polychoric", ordinal.corr[upper], scale=first, term=second, std_error=errors, n=n, method=method)]


def number_rows(matrix: FactorMatrix, number: FactorNumber) -> list[pd.DataFrame]:
    """Eigenvalues of the matrix and of random data, partial correlations, and the number of factors by each rule."""
    kind = matrix.words
    ordinals = [str(i + 1) for i in range(len(number.observed))]
    permuted = matrix.correlation == "polychoric" and matrix.rows is not None
    way = "permuted answers" if permuted else "effective n" if matrix.weighted else ""
    parallel = words("parallel analysis", "95th percentile", way)
    random = words(parallel, matrix.correlation, "weighted" if matrix.weighted else "") if permuted else parallel
    empirical = words("empirical criterion", "effective n" if matrix.weighted else "")
    removed = [str(i) for i in range(len(number.partials))]
    rows = [
        tidy("eigenvalue", number.observed, term=ordinals, n=matrix.n, method=kind),
        tidy("eigenvalue_random", number.limits, term=ordinals, n=matrix.n, method=random),
        tidy("eigenvalue_reference", number.empirical, term=ordinals, n=matrix.n, method=words(empirical, kind)),
        tidy("average_partial", number.partials, term=removed, n=matrix.n, method=kind),
        tidy("n_factors", number.parallel, n=matrix.n, method=words(parallel, kind)),
        tidy("n_factors", number.ekc, n=matrix.n, method=words(empirical, kind)),
        tidy("n_factors", number.map, n=matrix.n, method=words("minimum average partial", kind)),
        tidy("n_factors", number.kaiser, n=matrix.n, method=words("kaiser", kind)),
    ]
    return rows if number.rule != "given" else [*rows, tidy("n_factors", number.used, n=matrix.n, method="given")]


def loading_rows(
    matrix: FactorMatrix, factors: Factors, names: list[str], rotated: str, unrotated: str
) -> list[pd.DataFrame]:
    """Loadings; structure and factor correlations where factors correlate; communalities and uniquenesses."""
    rows = [
        tidy("loading", column, scale=name, term=matrix.names, n=matrix.n, method=rotated)
        for name, column in zip(names, factors.loadings.T, strict=True)
    ]
    if not np.array_equal(factors.phi, np.eye(len(names))):
        rows += [
            tidy("structure", column, scale=name, term=matrix.names, n=matrix.n, method=rotated)
            for name, column in zip(names, factors.structure.T, strict=True)
        ]
        first, second = np.triu_indices(len(names), 1)
        pairs = {"scale": [names[i] for i in first], "term": [names[i] for i in second]}
        rows.append(tidy("factor_correlation", factors.phi[first, second], **pairs, n=matrix.n, method=rotated))
    shares = factors.communalities
    return [
        *rows,
        tidy("communality", shares, term=matrix.names, n=matrix.n, method=unrotated),
        tidy("uniqueness", 1 - shares, term=matrix.names, n=matrix.n, method=unrotated),
    ]


def variance_rows(
    matrix: FactorMatrix, factors: Factors, names: list[str], rotated: str, unrotated: str
) -> list[pd.DataFrame]:
    """Shares of the items' variance explained by each factor, and by all."""
    each = words(rotated, "loading times structure")
    return [
        tidy("variance_explained", factors.variance, scale=names, n=matrix.n, method=each),
        tidy("variance_explained", factors.communalities.mean(), n=matrix.n, method=unrotated),
    ]


def factor_cautions(
    matrix: FactorMatrix,
    factors: Factors,
    adequacy: np.ndarray,
    p_value: float,
    *,
    number: FactorNumber,
    total: int,
) -> list[Finding]:
    """What qualifies a factor solution, most serious first.

    Parameters
    ----------
    adequacy : (p,) of each item
    p_value : of Bartlett's test
    number : of factors, and why
    total : rows before those with missing answers were dropped
    """
    items = np.array(matrix.names)
    salient = RULES["loading_salient"].met(np.abs(factors.loadings)).sum(axis=1)
    rules = {key: RULES[key] for key in ("significance", "msa_acceptable", "loading_salient")}
    found: list[tuple[str, bool, dict[str, Any], Rule | None]] = [
        ("factors.not_converged", not factors.converged, {}, None),
        ("factors.heywood", bool(factors.heywood.any()), {"items": list(items[factors.heywood])}, None),
        (
            "factors.rules_differ",
            len({number.parallel, number.ekc, number.map}) > 1,
            {"parallel": number.parallel, "ekc": number.ekc, "map": number.map},
            None,
        ),
        ("factors.none", number.wanted == 0, {}, None),
        ("factors.capped", number.wanted > number.used, {"wanted": number.wanted, "used": number.used}, None),
        ("factors.sphere", not rules["significance"].met(p_value), {"p_value": p_value}, rules["significance"]),
        (
            "factors.low_msa",
            not rules["msa_acceptable"].met(adequacy).all(),
            {"items": list(items[~rules["msa_acceptable"].met(adequacy)])},
            rules["msa_acceptable"],
        ),
        (
            "factors.no_loading",
            bool((salient == 0).any()),
            {"items": list(items[salient == 0])},
            rules["loading_salient"],
        ),
        ("factors.cross", bool((salient > 1).any()), {"items": list(items[salient > 1])}, rules["loading_salient"]),
        ("factors.dropped", matrix.n < total, {"n_dropped": total - matrix.n, "total": total}, None),
        ("factors.unweighted", matrix.weighted, {}, None),
        ("factors.clustered", matrix.clustered, {}, None),
        *_correlation_cautions(matrix),
    ]
    return [Finding(key, values, rule) for key, applies, values, rule in found if applies]


def _correlation_cautions(matrix: FactorMatrix) -> list[tuple[str, bool, dict[str, Any], Rule | None]]:
    """Why this kind of correlation, and what its estimation met."""
    auto, ordinal = matrix.suitable, matrix.polychorics
    is_polychoric = matrix.correlation == "polychoric"
    grades, skewness = RULES["grades_as_numbers"], RULES["skewness"]
    coarse, skewed = (auto.coarse, auto.skewed) if auto else ((), ())
    way = "ordinal" if is_polychoric else "mixed"
    limits = ordinal.at_limit if ordinal else ()
    unsettled = ordinal.unsettled if ordinal else ()
    return [
        (f"factors.{way}_coarse", bool(coarse), {"items": list(coarse)}, grades),
        (f"factors.{way}_skewed", bool(skewed), {"items": list(skewed)}, skewness),
        ("factors.polychoric_bartlett", is_polychoric, {}, None),
        ("factors.mended", matrix.mended, {}, None),
        ("factors.at_limit", bool(limits), {"n_pairs": len(limits), "items": _items_of(limits), "limit": LIMIT}, None),
        ("factors.unsettled", bool(unsettled), {"n_pairs": len(unsettled), "items": _items_of(unsettled)}, None),
    ]


def _items_of(pairs: tuple[tuple[str, str], ...]) -> list[str]:
    return list(dict.fromkeys(name for pair in pairs for name in pair))
