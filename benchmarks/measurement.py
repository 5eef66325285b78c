"""How fast are the measurement methods? The same work by this package and by its peers, in one run.

    PYTHONPATH=. python benchmarks/measurement.py [--tasks polychoric parallel] [--repeats 5] [--grow FILE.png]

Data: 25 items x 2,436 rows, the complete rows of `bfi` (A1 to O5) where R and its package psychTools are installed, else a
simulation of five factors of the same size. R packages run in one R process (benchmarks/measurement.R), this package and Python
peers in one Python process, everything on one thread, each repeat timed apart. Prints medians, the ratio of the peer's median to ours, and
the largest difference of the values. `--grow` draws the cost of polychorics as items and respondents grow.
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

from cxresearch.core.polychoric import polychoric  # noqa: E402
from cxresearch.methods.factor_tests import random_eigenvalues  # noqa: E402

HERE = Path(__file__).resolve().parent
N_RANDOM = 100
OURS = "cxresearch"
EXPORT = """x <- psychTools::bfi[, 1:25]; write.csv(x[complete.cases(x), ], commandArgs(TRUE)[1], row.names=FALSE)"""


def upper(matrix: np.ndarray) -> np.ndarray:
    """The upper triangle column by column, as R has it."""
    return matrix[np.tril_indices(len(matrix), -1)]


def five_factors(n: int = 2436, p: int = 25, seed: int = 1) -> pd.DataFrame:
    """Answers on six grades to p items of five related factors."""
    rng = np.random.default_rng(seed)
    common = rng.multivariate_normal(np.zeros(5), np.full((5, 5), 0.3) + 0.7 * np.eye(5), size=n)
    latent = 0.7 * common[:, np.arange(p) % 5] + 0.71 * rng.normal(size=(n, p))
    return pd.DataFrame(np.digitize(latent, [-1.4, -0.8, -0.2, 0.4, 1.2]) + 1, columns=[f"q{i + 1}" for i in range(p)])


def benchmark_data(folder: Path) -> tuple[pd.DataFrame, str]:
    """The data, and what they are."""
    path = folder / "data.csv"
    if shutil.which("Rscript"):
        done = subprocess.run(["Rscript", "-e", EXPORT, str(path)], capture_output=True)
        if done.returncode == 0:
            return pd.read_csv(path), "bfi of R psychTools"
    five_factors().to_csv(path, index=False)
    return pd.read_csv(path), "five factors, simulated"


def our_tasks(frame: pd.DataFrame) -> dict[str, dict[str, Callable[[], np.ndarray]]]:
    """Each task as we and Python peers do it, giving the values that are compared."""
    tasks = {
        "polychoric": {OURS: lambda: upper(polychoric(frame).corr)},
        "parallel": {OURS: lambda: random_eigenvalues(len(frame), frame.shape[1], N_RANDOM, seed=1).mean(axis=0)},
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
    """Seconds of the polychorics against items and against respondents."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True, layout="constrained")
    grids = (
        ("items (2,436 rows)", [(2436, p) for p in (5, 10, 25, 50, 100, 200)], 1),
        ("rows (25 items)", [(n, 25) for n in (500, 2500, 10_000, 50_000, 200_000)], 0),
    )
    for ax, (label, sizes, which) in zip(axes, grids, strict=True):
        cost = []
        for n, p in sizes:
            frame = five_factors(n, p)
            seconds, _ = timed("", "", lambda frame=frame: upper(polychoric(frame).corr), repeats)
            cost.append(seconds["seconds"].median())
            print(f"polychorics of {p} items x {n:,} rows: {cost[-1]:.3f} s")
        ax.loglog([size[which] for size in sizes], cost, "o-")
        ax.set_xlabel(label)
    axes[0].set_ylabel("seconds, all pairs, with standard errors")
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the measurement methods against their peers.")
    parser.add_argument("--tasks", nargs="+", choices=["polychoric", "parallel"], default=["polychoric", "parallel"])
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
