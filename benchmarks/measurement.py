"""How fast are the measurement methods? The same work by this package and by its peers, in one run.

    PYTHONPATH=. python benchmarks/measurement.py [--tasks polychoric cfa ...] [--repeats 5] [--grow FILE.svg]

Data: 25 items x 2,436 rows, the complete rows of `bfi` (A1 to O5) where R and its package psychTools are installed, else a
simulation of five factors of the same size. R packages run in one R process (benchmarks/measurement.R), this package and Python
peers in one Python process, everything on one thread, each repeat timed apart. Prints medians, the ratio of the peer's median to ours, and
the largest difference of the values (correlations, loadings, coefficients; standard errors for bootstraps). Every task begins with the
answers. Peers that need more than ten seconds a time are timed twice only. `--grow` draws the cost of each task as items and respondents
grow.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is loaded; R inherits it

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from cxresearch.core.design import Design  # noqa: E402
from cxresearch.core.moments import Moments, bootstrap_moments  # noqa: E402
from cxresearch.core.polychoric import polychoric  # noqa: E402
from cxresearch.methods.cfa_estimates import expected_covariance, standardized_errors  # noqa: E402
from cxresearch.methods.cfa_fit import fit_cfa  # noqa: E402
from cxresearch.methods.cfa_indices import fit_indices  # noqa: E402
from cxresearch.methods.cfa_model import FactorModel  # noqa: E402
from cxresearch.methods.cfa_ordinal import fit_ordinal  # noqa: E402
from cxresearch.methods.confirmation import confirm_factors  # noqa: E402
from cxresearch.methods.factor_tests import random_eigenvalues  # noqa: E402
from cxresearch.methods.internal_consistency import cronbach_alpha, omega_total  # noqa: E402
from cxresearch.methods.one_factor import fit_one_factor  # noqa: E402

HERE = Path(__file__).resolve().parent
N_RANDOM = 100
N_BOOTSTRAP = 200  # of the CFA, by us and by its peer
N_RELIABILITY = 1000  # of alpha and omega
TASKS = ["polychoric", "parallel", "cfa", "wlsmv", "confirm", "cfa_bootstrap", "alpha", "omega"]
OURS = "cxresearch"
EXPORT = """x <- psychTools::bfi[, 1:25]; write.csv(x[complete.cases(x), ], commandArgs(TRUE)[1], row.names=FALSE)"""


def upper(matrix: np.ndarray) -> np.ndarray:
    """The upper triangle column by column, as R has it."""
    return matrix[np.tril_indices(len(matrix), -1)]


def related_factors(n: int = 2436, p: int = 25, seed: int = 1) -> pd.DataFrame:
    """Answers on six grades to p items of p / 5 related factors, those of a factor side by side."""
    rng, m = np.random.default_rng(seed), p // 5
    common = rng.multivariate_normal(np.zeros(m), np.full((m, m), 0.3) + 0.7 * np.eye(m), size=n)
    latent = 0.7 * np.repeat(common, 5, axis=1) + 0.71 * rng.normal(size=(n, p))
    return pd.DataFrame(np.digitize(latent, [-1.4, -0.8, -0.2, 0.4, 1.2]) + 1, columns=[f"q{i + 1}" for i in range(p)])


def benchmark_data(folder: Path) -> tuple[pd.DataFrame, str]:
    """The data, and what they are."""
    path = folder / "data.csv"
    if shutil.which("Rscript"):
        done = subprocess.run(["Rscript", "-e", EXPORT, str(path)], capture_output=True)
        if done.returncode == 0:
            return pd.read_csv(path), "bfi of R psychTools"
    related_factors().to_csv(path, index=False)
    return pd.read_csv(path), "five factors, simulated"


def constructs(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Every five items in their order are one construct."""
    names = list(frame.columns)
    return {f"f{k}": names[start : start + 5] for k, start in enumerate(range(0, len(names), 5))}


def by_ml(frame: pd.DataFrame) -> np.ndarray:
    """Loadings of a CFA by maximum likelihood, with its fit and its standard errors."""
    model, moments = FactorModel.of(constructs(frame)), Moments.from_frame(frame)
    fit = fit_cfa(moments.corr, model)
    fit_indices(moments.corr, fit.parameters.implied(), len(frame), model.df)
    standardized_errors(fit.parameters, expected_covariance(fit.parameters, len(frame)))
    return np.abs(fit.parameters.standardized)


def by_wlsmv(frame: pd.DataFrame) -> np.ndarray:
    """Loadings of an ordinal CFA, with scaled and shifted test, indices and robust standard errors."""
    found = fit_ordinal(frame, FactorModel.of(constructs(frame)), Design())[1]
    return np.abs(found.fit.parameters.loadings)


def by_every_estimator(frame: pd.DataFrame) -> np.ndarray:
    """Loadings by ML, MLR and WLSMV with their errors and indices, one factor, residuals and modification indices, as a table."""
    result = confirm_factors(frame, constructs(frame))
    return np.abs(result.pick("standardized_loading")["estimate"].to_numpy())


def bootstrapped_cfa(frame: pd.DataFrame, n_bootstrap: int = N_BOOTSTRAP) -> np.ndarray:
    """Standard errors of loadings in units of the items, by resamples."""
    model, moments = FactorModel.of(constructs(frame)), Moments.from_frame(frame)
    fit = fit_cfa(moments.corr, model)
    replicates = bootstrap_moments(frame, n_bootstrap, seed=1)
    found = fit_cfa(replicates.corr, model, start=fit).parameters
    return (found.loadings * replicates.sd * np.sqrt((len(frame) - 1) / len(frame))).std(axis=0)


def bootstrapped_alpha(frame: pd.DataFrame) -> np.ndarray:
    """Alpha of all items and its standard error."""
    found = cronbach_alpha(bootstrap_moments(frame, N_RELIABILITY, seed=1).cov)
    return np.array([cronbach_alpha(Moments.from_frame(frame).cov), found.std()])


def bootstrapped_omega(frame: pd.DataFrame) -> np.ndarray:
    """Omega of all items, standardised as psych does, by one factor, and its standard error."""
    moments, replicates = Moments.from_frame(frame), bootstrap_moments(frame, N_RELIABILITY, seed=1)
    fit = fit_one_factor(moments.corr)
    found = omega_total(replicates.corr, fit_one_factor(replicates.corr, start=fit))
    return np.array([omega_total(moments.corr, fit), found.std()])


def our_tasks(frame: pd.DataFrame) -> dict[str, dict[str, Callable[[], np.ndarray]]]:
    """Each task as we and Python peers do it, giving the values that are compared."""
    tasks = {
        "polychoric": {OURS: lambda: upper(polychoric(frame).corr)},
        "parallel": {OURS: lambda: random_eigenvalues(len(frame), frame.shape[1], N_RANDOM, seed=1).mean(axis=0)},
        "cfa": {OURS: lambda: by_ml(frame)},
        "wlsmv": {OURS: lambda: by_wlsmv(frame)},
        "confirm": {OURS: lambda: by_every_estimator(frame)},
        "cfa_bootstrap": {OURS: lambda: bootstrapped_cfa(frame)},
        "alpha": {OURS: lambda: bootstrapped_alpha(frame)},
        "omega": {OURS: lambda: bootstrapped_omega(frame)},
    }
    if find_spec("ordinalcorr"):
        tasks["polychoric"]["ordinalcorr"] = lambda: by_ordinalcorr(frame)
    return tasks


def by_ordinalcorr(frame: pd.DataFrame) -> np.ndarray:
    from ordinalcorr import polychoric as one_pair

    columns = frame.to_numpy().T
    first, second = np.tril_indices(len(columns), -1)
    return np.array([one_pair(columns[i], columns[j]) for i, j in zip(first, second, strict=True)])


def timed(task: str, who: str, work: Callable[[], np.ndarray], repeats: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Seconds of each repeat, and the values."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - started)
    keys = {"task": task, "who": who}
    values = pd.DataFrame({"place": np.arange(1, len(found) + 1), "value": found})
    return pd.DataFrame({"seconds": seconds}).assign(**keys), values.assign(**keys)


def by_r(folder: Path, tasks: list[str], repeats: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Seconds and values of the R packages; none without R."""
    if not shutil.which("Rscript"):
        return pd.DataFrame(), pd.DataFrame()
    times, values = folder / "times.csv", folder / "values.csv"
    files = [str(folder / "data.csv"), str(times), str(values)]
    subprocess.run(["Rscript", str(HERE / "measurement.R"), *files, str(repeats), *tasks], check=True)
    return pd.read_csv(times), pd.read_csv(values)


def compare(times: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """Median seconds, ratio to ours, largest difference from ours."""
    medians = times.groupby(["task", "who"], sort=False)["seconds"].agg(["median", "size"]).reset_index()
    ours = medians[medians["who"] == OURS].set_index("task")["median"]
    both = values.merge(values[values["who"] == OURS], on=["task", "place"], suffixes=("", "_ours"))
    gaps = (
        both.assign(difference=(both["value"] - both["value_ours"]).abs()).groupby(["task", "who"])["difference"].max()
    )
    medians["ratio"] = medians["median"] / medians["task"].map(ours)
    return medians.join(gaps, on=["task", "who"])


def draw_growth(path: Path, repeats: int) -> None:
    """Seconds of each task against items and against respondents, drawn and printed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    grids = {
        "items (2,436 respondents)": [(2436, p) for p in (10, 25, 50, 100)],
        "respondents (25 items)": [(n, 25) for n in (500, 2500, 10_000, 50_000)],
    }
    names = [task for task in TASKS if task != "confirm"]
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for ax, (label, sizes) in zip(axes, grids.items(), strict=True):
        print(f"\n| {label} | " + " | ".join(names) + " |\n|---:|" + "---:|" * len(names))
        cost = pd.DataFrame(index=[size["items" in label[:5]] for size in sizes], columns=names)
        for place, (n, p) in zip(cost.index, sizes, strict=True):
            tasks = our_tasks(related_factors(n, p))
            for task in names:
                cost.loc[place, task] = timed(task, OURS, tasks[task][OURS], repeats)[0]["seconds"].median()
            print(f"| {place:,} | " + " | ".join(f"{seconds:.3f}" for seconds in cost.loc[place]) + " |", flush=True)
        for task in names:
            ax.loglog(cost.index, cost[task].astype(float), "o-", label=task, markersize=3.5)
        ax.set_xlabel(label)
    axes[0].set_ylabel("seconds")
    axes[1].legend(fontsize=8)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the measurement methods against their peers.")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--grow", type=Path, help="draw the cost as items and rows grow into this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frame, what = benchmark_data(folder)
        parts = [
            timed(task, who, work, options.repeats)
            for task in options.tasks
            for who, work in our_tasks(frame)[task].items()
        ]
        parts.append(by_r(folder, options.tasks, options.repeats))
    table = compare(*(pd.concat(side, ignore_index=True) for side in zip(*parts, strict=True)))
    print(f"{what}: {frame.shape[0]:,} rows x {frame.shape[1]} items; medians of {options.repeats}\n")
    print("| task | who | seconds | times ours | largest difference |\n|---|---|---:|---:|---:|")
    for row in table.itertuples():
        gap = "" if row.who == OURS else f"{row.difference:.1e}"
        print(f"| {row.task} | {row.who} | {row.median:.4f} | {row.ratio:.1f} | {gap} |")
    if options.grow:
        draw_growth(options.grow, options.repeats)


if __name__ == "__main__":
    main()
