"""Do the measurement methods find a known truth? Bias and coverage of omega, HTMT, polychorics and CFA loadings over many surveys.

    PYTHONPATH=. python benchmarks/measurement_coverage.py [--samples 500] [--rows 300] [--bootstrap 300] [--kinds numbers five ...]

Three related constructs with ten items. Each kind of survey cuts the normal variables behind the answers otherwise: `numbers` not at all,
`five` into five grades, `crowded` into four with most answers in the lowest, `two` into yes and no; `clustered` draws the answers of
`five` in clusters of five, `weighted` with unequal chances. The truth of what treats grades as numbers (alpha, omega, HTMT, loadings by
ML and MLR) is what the same formulas give of the exact covariances of the grades; that of ordinal methods is the one behind the
answers. Prints, for each kind and quantity, the mean bias (absolute, and in widths of the interval) and how often the 95 % interval
holds the truth.
"""

import argparse
import time

import numpy as np
import pandas as pd
from scipy.stats import norm

import cxresearch as cx
from cxresearch.core.bivariate_normal import cumulative
from cxresearch.core.moments import bootstrap_moments, correlation_of
from cxresearch.methods.cfa_fit import fit_cfa
from cxresearch.methods.cfa_model import FactorModel, Parameters
from cxresearch.methods.cfa_sample import CfaSample
from cxresearch.methods.confirmation_found import Found
from cxresearch.methods.internal_consistency import cronbach_alpha, omega_total
from cxresearch.methods.one_factor import fit_one_factor
from cxresearch.methods.ordinal_reliability import omega_ordinal
from cxresearch.methods.validity_measures import heterotrait_monotrait

SCALES = {"speed": ["q1", "q2", "q3", "q4"], "staff": ["q5", "q6", "q7"], "price": ["q8", "q9", "q10"]}
MODEL = FactorModel.of(SCALES)
LOADINGS = np.array([0.8, 0.7, 0.6, 0.75, 0.85, 0.65, 0.7, 0.8, 0.6, 0.7])
TRUTH = Parameters(MODEL, np.concatenate([LOADINGS, 1 - LOADINGS**2, [0.5, 0.3, 0.6]]))
CUTS = {
    "numbers": None,
    "five": norm.ppf([0.1, 0.3, 0.6, 0.85]),
    "crowded": norm.ppf([0.6, 0.8, 0.93]),
    "two": norm.ppf([0.35]),
    "clustered": norm.ppf([0.1, 0.3, 0.6, 0.85]),
    "weighted": norm.ppf([0.1, 0.3, 0.6, 0.85]),
}
BETWEEN, SIZE = 0.1, 5  # share of the variance between clusters, and respondents in each
KEYS = ["quantity", "scale", "term", "method"]


def survey(rng: np.random.Generator, rows: int, kind: str) -> tuple[pd.DataFrame, cx.Design | None]:
    """Answers to ten items, and how they were drawn."""
    cov, zero = TRUTH.implied(), np.zeros(len(LOADINGS))
    design = None
    if kind == "weighted":
        latent = rng.multivariate_normal(zero, cov, size=3 * rows)
        chance = 0.25 + 0.5 * norm.cdf(latent[:, 0] + rng.normal(size=len(latent)))
        latent, chance = (
            part[np.flatnonzero(rng.uniform(size=len(part)) < chance)[:rows]] for part in (latent, chance)
        )
        design = cx.Design(weights=pd.Series(1 / chance))
    else:
        latent = rng.multivariate_normal(zero, cov, size=rows)
    if kind == "clustered":
        clusters = np.arange(rows) // SIZE
        shared = rng.multivariate_normal(zero, cov, size=clusters.max() + 1)[clusters]
        latent = np.sqrt(BETWEEN) * shared + np.sqrt(1 - BETWEEN) * latent
        design = cx.Design(clusters=pd.Series(clusters))
    answers = latent if CUTS[kind] is None else np.digitize(latent, CUTS[kind])
    return pd.DataFrame(answers, columns=list(MODEL.items)), design


def graded_covariance(corr: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Exact covariances (p, p) of grades 0, 1, ... cut from normal variables with these correlations."""
    p = len(corr)
    first, second = (side.ravel() for side in np.indices((p, p)))
    every = np.tile(cuts, (p * p, 1))
    below = cumulative(every, every, np.where(first == second, 0.0, corr.ravel()))
    shares = norm.cdf(cuts)
    below[first == second] = np.minimum(shares[:, None], shares)
    return (below - shares[:, None] * shares).sum(axis=(1, 2)).reshape(p, p)


def truth_of(kind: str) -> pd.DataFrame:
    """The population value of every number."""
    corr, cuts = TRUTH.implied(), CUTS[kind]
    cov = corr if cuts is None else graded_covariance(corr, cuts)
    rows: list[tuple[str, str, str, str, float]] = []
    for factor, (scale, items) in enumerate(SCALES.items()):
        own = np.flatnonzero(MODEL.owner == factor)
        part, loadings = cov[np.ix_(own, own)], LOADINGS[own]
        rows.append(("alpha", scale, "", "", float(cronbach_alpha(part))))
        rows.append(("omega_total", scale, "", "", float(omega_total(part, fit_one_factor(part)))))
        if cuts is not None:
            common = graded_covariance(_filled(np.outer(loadings, loadings)), cuts)
            np.fill_diagonal(common, [graded_covariance(np.full((2, 2), size**2), cuts)[0, 1] for size in loadings])
            rows.append(("omega_ordinal", scale, "", "wlsmv", float(common.sum() / part.sum())))
        rows += [
            ("standardized_loading", scale, item, "wlsmv", size) for item, size in zip(items, loadings, strict=True)
        ]
    pseudo = fit_cfa(correlation_of(cov), MODEL).parameters
    owners = [MODEL.factors[owner] for owner in MODEL.owner]
    for estimator in ("ml", "mlr"):
        values = zip(owners, MODEL.items, pseudo.standardized, strict=True)
        rows += [("standardized_loading", scale, item, estimator, float(value)) for scale, item, value in values]
    pairs = [[MODEL.factors[place] for place in side] for side in MODEL.pairs]
    for estimator, values in (("ml", pseudo.correlations), ("mlr", pseudo.correlations), ("wlsmv", TRUTH.correlations)):
        rows += [("factor_correlation", a, b, estimator, float(v)) for a, b, v in zip(*pairs, values, strict=True)]
    ratios = heterotrait_monotrait(correlation_of(cov), MODEL)
    rows += [("htmt", a, b, "", float(v)) for a, b, v in zip(*pairs, ratios, strict=True)]
    upper = zip(*np.triu_indices(len(corr), 1), strict=True)
    rows += [("polychoric", MODEL.items[i], MODEL.items[j], "", float(corr[i, j])) for i, j in upper]
    return pd.DataFrame(rows, columns=[*KEYS, "truth"])


def _filled(corr: np.ndarray) -> np.ndarray:
    filled = corr.copy()
    np.fill_diagonal(filled, 1.0)
    return filled


def estimates(answers: pd.DataFrame, design: cx.Design | None, n_bootstrap: int, seed: int) -> pd.DataFrame:
    """Every number with its interval, by the functions behind the public verbs."""
    sample = CfaSample.of(answers, SCALES, design)
    found, replicates = Found.of(sample), bootstrap_moments(answers, n_bootstrap, seed=seed, design=design)
    owners = [MODEL.factors[owner] for owner in MODEL.owner]
    pairs = [[MODEL.factors[place] for place in side] for side in MODEL.pairs]
    parts = []
    for scale, items in SCALES.items():
        cov, stack = sample.moments.select(items).cov, replicates.select(items).cov
        fit = fit_one_factor(cov)
        again = fit_one_factor(stack, start=fit) if fit.converged else None
        parts.append(_rows("alpha", "", [scale], [""], cronbach_alpha(cov), replicates.interval(cronbach_alpha(stack))))
        if again is not None:
            omegas = omega_total(stack, again)
            bounds = replicates.interval(omegas[np.isfinite(omegas)])
            parts.append(_rows("omega_total", "", [scale], [""], omega_total(cov, fit), bounds))
    ratios = heterotrait_monotrait(replicates.corr, MODEL)
    parts.append(
        _rows("htmt", "", *pairs, heterotrait_monotrait(sample.moments.corr, MODEL), replicates.interval(ratios))
    )
    for each in found.estimated:
        parameters, name = each.fit.parameters, each.estimator
        loadings, correlations = parameters.standardized, parameters.correlations
        bounds = _bounds(loadings, each.loading_errors)
        parts.append(_rows("standardized_loading", name, owners, MODEL.items, loadings, bounds))
        bounds = _bounds(correlations, each.correlation_errors)
        parts.append(_rows("factor_correlation", name, *pairs, correlations, bounds))
    if found.ordinal is not None:
        omega = omega_ordinal(found.ordinal, answers)
        parts.append(_rows("omega_ordinal", "wlsmv", list(SCALES), [""] * 3, omega.estimate, omega.interval()))
    if found.polychorics is not None:
        upper, names = np.triu_indices(len(LOADINGS), 1), np.array(MODEL.items)
        corr, errors = found.polychorics.corr[upper], found.polychorics.std_error[upper]
        parts.append(_rows("polychoric", "", names[upper[0]], names[upper[1]], corr, _bounds(corr, errors)))
    return pd.DataFrame([row for part in parts for row in part], columns=[*KEYS, "estimate", "conf_low", "conf_high"])


def _bounds(estimates: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    reach = norm.ppf(0.975) * errors
    return estimates - reach, estimates + reach


def _rows(quantity: str, method: str, scales, terms, values, bounds) -> list[tuple]:
    columns = (np.atleast_1d(part) for part in (values, *bounds))
    return [(quantity, scale, term, method, *row) for scale, term, *row in zip(scales, terms, *columns, strict=True)]


def simulate(kind: str, samples: int, rows: int, n_bootstrap: int) -> pd.DataFrame:
    """One line a number of a sample: error, width of the interval, and whether it holds the truth."""
    truth, parts = truth_of(kind), []
    for seed in range(samples):
        answers, design = survey(np.random.default_rng([seed, len(kind), ord(kind[0])]), rows, kind)
        parts.append(estimates(answers, design, n_bootstrap, seed))
    table = pd.concat(parts, ignore_index=True).merge(truth, on=KEYS)
    known = table["conf_low"].notna()
    holds = table["truth"].between(table["conf_low"], table["conf_high"]).where(known)
    width = table["conf_high"] - table["conf_low"]
    return table.assign(holds=holds.astype(float), error=table["estimate"] - table["truth"], width=width, kind=kind)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Means over the samples of each number, then over the numbers of a quantity."""
    name = (table["quantity"] + " " + table["method"]).str.strip()
    numbers = table.assign(name=name).groupby(["kind", "name", "scale", "term"], sort=False)
    each = numbers.agg(
        error=("error", "mean"), width=("width", "mean"), holds=("holds", "mean"), size=("error", "size")
    )
    each["share"] = each["error"] / each["width"]
    by_name = each.groupby(["kind", "name"], sort=False)
    return by_name.agg(
        numbers=("holds", "size"),
        samples=("size", "min"),
        bias=("error", "mean"),
        worst=("error", lambda errors: errors.loc[errors.abs().idxmax()]),
        in_widths=("share", lambda shares: shares.abs().mean()),
        coverage=("holds", "mean"),
        lowest=("holds", "min"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Bias and coverage of the measurement methods over simulated surveys.")
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--bootstrap", type=int, default=300)
    parser.add_argument("--kinds", nargs="+", choices=CUTS, default=list(CUTS))
    options = parser.parse_args()
    started = time.perf_counter()
    table = pd.concat([simulate(kind, options.samples, options.rows, options.bootstrap) for kind in options.kinds])
    print(
        f"{options.samples} surveys a kind of {options.rows} respondents; {options.bootstrap} bootstrap replicates each\n"
    )
    print(
        "| survey | quantity | numbers | surveys | mean bias | largest bias | bias in widths | coverage % | lowest % |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for (kind, name), row in summarise(table).iterrows():
        bias = f"{row['bias']:+.3f} | {row['worst']:+.3f} | {row['in_widths']:.2f}"
        print(
            f"| {kind} | {name} | {row['numbers']:.0f} | {row['samples']:.0f} | {bias} | {100 * row['coverage']:.1f} | {100 * row['lowest']:.1f} |"
        )
    print(f"\n{time.perf_counter() - started:.0f} seconds")


if __name__ == "__main__":
    main()
