"""Are polychoric correlations unbiased, and do their standard errors hold? Many simulated surveys with a known truth.

    PYTHONPATH=. python benchmarks/polychoric_coverage.py [--samples 500] [--rows 100 300 1000]

Normal variables with correlations .2, .5 and .8, cut into 2, 3, 5 and 7 grades, symmetric and crowded at one end. Prints, for each
number of rows, grades and shape, the mean bias of the polychoric and of the Pearson correlation, and how often the 95 % interval of the
polychoric (estimate -+ 1.96 standard errors) holds the truth. `weighted` draws rows with unequal chances in clusters of ten.
"""

import argparse

import numpy as np
import pandas as pd
from scipy.stats import norm

import cxresearch as cx
from cxresearch.core.polychoric import polychoric

FIRST, SECOND = np.array([0, 0, 1]), np.array([1, 2, 2])
LATENT = np.array([[1.0, 0.2, 0.5], [0.2, 1.0, 0.8], [0.5, 0.8, 1.0]])
SHAPES = {"symmetric": 1.0, "skewed": 2.2}
BETWEEN = 0.1  # share of the variance between clusters


def cuts(grades: int, shape: str) -> np.ndarray:
    """Thresholds with equal shares of answers, or with the shares crowded at the low end."""
    return norm.ppf((np.arange(1, grades) / grades) ** (1 / SHAPES[shape]))


def latent_rows(rng: np.random.Generator, rows: int, design: str) -> tuple[np.ndarray, cx.Design]:
    """Normal variables, and how they were drawn: one by one; or in clusters, the likelier the smaller the second noise."""
    if design == "simple":
        return rng.multivariate_normal(np.zeros(3), LATENT, size=rows), cx.Design()
    clusters = np.arange(rows * 2) // 10
    shared = rng.multivariate_normal(np.zeros(3), LATENT, size=clusters.max() + 1)[clusters]
    values = np.sqrt(BETWEEN) * shared + np.sqrt(1 - BETWEEN) * rng.multivariate_normal(
        np.zeros(3), LATENT, size=rows * 2
    )
    chance = 1 / (1 + np.exp(-values[:, 0]))
    kept = np.flatnonzero(rng.uniform(size=len(values)) < chance)
    return values[kept], cx.Design(pd.Series(1 / chance[kept]), pd.Series(clusters[kept]))


def run(samples: int, rows: int, grades: int, shape: str, design: str) -> dict[str, float]:
    rng = np.random.default_rng([rows, grades, len(shape), len(design)])
    found, errors, plain = (np.empty((samples, 3)) for _ in range(3))
    for k in range(samples):
        latent, how = latent_rows(rng, rows, design)
        answers = pd.DataFrame(np.digitize(latent, cuts(grades, shape)), columns=list("abc"))
        result = polychoric(answers, design=how)
        found[k], errors[k] = result.corr[FIRST, SECOND], result.std_error[FIRST, SECOND]
        plain[k] = cx.Moments.from_frame(answers, design=how).corr[FIRST, SECOND]
    truth = LATENT[FIRST, SECOND]
    known = np.isfinite(errors)
    holds = np.abs(found - truth) <= 1.96 * errors
    line = {"rows": rows, "grades": grades, "shape": shape, "design": design}
    for j, rho in enumerate(truth):
        line[f"bias {rho:.1f}"] = found[:, j].mean() - rho
        line[f"pearson {rho:.1f}"] = plain[:, j].mean() - rho
        line[f"coverage {rho:.1f}"] = 100 * holds[known[:, j], j].mean()
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description="Bias and coverage of polychoric correlations.")
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 300, 1000])
    options = parser.parse_args()
    lines = [
        run(options.samples, rows, grades, shape, design)
        for design in ("simple", "weighted")
        for rows in options.rows
        for grades in (2, 3, 5, 7)
        for shape in SHAPES
    ]
    table = pd.DataFrame(lines)
    print(f"{options.samples} samples a line\n\n| " + " | ".join(table.columns) + " |")
    print("|---:|---:|---|---|" + "---:|" * (table.shape[1] - 4))
    for row in table.to_dict("records"):
        cells = [f"{value:.1f}" if "coverage" in name else f"{value:.3f}" if isinstance(value, float) else str(value)
                 for name, value in row.items()]  # fmt: skip
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
