"""What qualifies a confirmatory analysis: improper solutions, local misfit, estimators without one, the sample."""

from typing import Any

import numpy as np

from cxresearch.core.cautions import few_clusters
from cxresearch.core.polychoric import Polychorics
from cxresearch.core.polychoric_fit import LIMIT
from cxresearch.core.results import PAIR, Finding
from cxresearch.core.rules import RULES
from cxresearch.methods.confirmation_found import Found
from cxresearch.methods.confirmation_rows import Estimated, residual_rows
from cxresearch.methods.factor_matrix import FEW_GRADES


def cautions_of(found: Found) -> list[Finding]:
    """What qualifies the result, most serious first."""
    sample, judged = found.sample, found.judged
    said = []
    if judged is not None:
        said = [*_improper(judged), *_ordinal(found), *_others(found, judged), *_local(judged), *_compared(found)]
    total = sample.n + sample.n_dropped
    k = sample.model().n_parameters
    clustered = sample.design.clusters is not None
    near = sample.near
    no_robust = near.source is not None and found.ml is not None and found.mlr is None
    incomplete = sample.moments.n_incomplete
    rest: list[tuple[str, bool, dict[str, Any]]] = [
        ("single", bool(sample.single), {"scales": sample.single}),
        ("few_rows", sample.n <= k, {"n": sample.n, "k": k}),
        ("dropped", sample.n_dropped > 0, {"n_dropped": sample.n_dropped, "total": total}),
        ("em", incomplete > 0 and found.ml is not None, {"n_incomplete": incomplete, "n": sample.n}),
        ("moments", near.source is None and found.ml is not None, {}),
        ("sampled", sample.is_large, {"n": near.n, "total": total}),
        ("no_robust", no_robust, {}),
        ("weighted", sample.design.weights is not None, {}),
        ("clustered", clustered, {}),
    ]
    said += [Finding(f"confirmation.{key}", values) for key, applies, values in rest if applies]
    n_clusters = near.design.count_clusters(near.rows.index) if near.rows is not None else None
    return [*said, *few_clusters(n_clusters)]


def _improper(judged: Estimated) -> list[Finding]:
    """Values that cannot be: negative residual variances, factor correlations that are none."""
    fit, model = judged.fit, judged.model
    beyond = np.abs(fit.parameters.correlations) > 1
    named = [PAIR.join((model.factors[i], model.factors[j])) for i, j in zip(*model.pairs, strict=True)]
    pairs = [pair for pair, over in zip(named, beyond, strict=True) if over]
    found = []
    if judged.heywood:
        found.append(Finding("confirmation.heywood", {"items": judged.heywood}))
    if not fit.smallest_eigenvalue > 0:
        found.append(Finding("confirmation.not_definite", {"eigenvalue": float(fit.smallest_eigenvalue)}))
    if pairs:
        found.append(Finding("confirmation.above_one", {"pairs": pairs}))
    return found


def _ordinal(found: Found) -> list[Finding]:
    """Why the model is judged as ordinal, or cannot be, and what ails the polychoric correlations."""
    said = []
    if found.polychorics is not None:
        said += _polychoric_faults(found.polychorics, failed=found.wlsmv is None)
    if found.suitable is None or not (found.suitable.coarse or found.suitable.skewed):
        return said
    if found.wlsmv is not None and found.wlsmv is found.judged:
        key = "ordinal"
    elif found.polychorics is None:
        key = "too_fine"
    else:
        return said
    for reason, items, rule in (
        ("coarse", found.suitable.coarse, RULES["grades_as_numbers"]),
        ("skewed", found.suitable.skewed, RULES["skewness"]),
    ):
        if items:
            said.append(Finding(f"confirmation.{key}_{reason}", {"items": list(items), "few": FEW_GRADES}, rule))
    return said


def _polychoric_faults(polychorics: Polychorics, *, failed: bool) -> list[Finding]:
    said = []
    for key, pairs in (("at_limit", polychorics.at_limit), ("unsettled", polychorics.unsettled)):
        items = sorted({name for pair in pairs for name in pair})
        if items:
            values = {"n_pairs": len(pairs), "limit": LIMIT, "items": items}
            said.append(Finding(f"confirmation.{key}", values))
    if failed and not said:
        said.append(Finding("confirmation.no_wlsmv"))
    if not polychorics.is_proper:
        smallest = float(np.linalg.eigvalsh(polychorics.corr)[0])
        said.append(Finding("confirmation.polychoric_not_definite", {"eigenvalue": smallest}))
    return said


def _others(found: Found, judged: Estimated) -> list[Finding]:
    """Estimators whose solution differs from the judged one in that it is not admissible, or that have none."""
    said = []
    if found.ml is None:
        said.append(Finding("confirmation.no_ml"))
    for other in found.solutions:
        if other.fit is not judged.fit and not other.fit.admissible:
            said.append(Finding("confirmation.other_inadmissible", {"estimator": other.estimator}))
    return said


def _local(judged: Estimated) -> list[Finding]:
    """Where the model fits badly: weak loadings, residual correlations."""
    rules = {key: RULES[key] for key in ("standardized_loading", "residual_correlation")}
    met = rules["standardized_loading"].met(judged.fit.parameters.standardized)
    weak = [item for item, reached in zip(judged.model.items, met, strict=True) if not reached]
    residuals = residual_rows(judged)["estimate"]
    large = int((~rules["residual_correlation"].met(residuals.abs().to_numpy())).sum())
    found = []
    if weak:
        found.append(Finding("confirmation.weak", {"items": weak}, rules["standardized_loading"]))
    if large:
        values = {"n_large": large, "n_pairs": len(residuals), "largest": float(residuals.abs().max())}
        found.append(Finding("confirmation.residuals", values, rules["residual_correlation"]))
    return found


def _compared(found: Found) -> list[Finding]:
    """How much worse one factor behind all items fits, by maximum likelihood."""
    fitted, single = found.fitted, found.single
    if single is None:
        return [Finding("confirmation.one_factor_failed")]
    if fitted is None or len(fitted.model.factors) == 1:
        return []
    values = {
        "cfi": single.plain.cfi,
        "rmsea": single.plain.rmsea,
        "own_cfi": fitted.plain.cfi,
        "own_rmsea": fitted.plain.rmsea,
    }
    return [Finding("confirmation.one_factor", values)]
