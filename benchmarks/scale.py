"""How do time and memory grow with the number of respondents, up to tables larger than memory?

    PYTHONPATH=. python benchmarks/scale.py --rows 1e6 1e7 1e8 --folder DIR [--pandas 5e6] [--spark 1e6]

Data: 24 items of four related factors on grades 1 to 5, whole numbers of one byte, made in place as parquet in parts of a million
rows (seed 1). Each table is measured in a process of its own, so that its peak memory is its own. Of this package, through the
embedded engine: sums of products by random group and 2,000 replicates of them, alpha and omega of four scales and of all items, regression
of one score on three with HC3 errors, LMG and Johnson shares and rank correlations, exploratory factor analysis (Pearson by
the rule, polychorics beside it).

`--pandas N`: the same file of N rows by pandas, once only means and covariances (`DataFrame.cov`, nothing to resample from), and twice
sums of products by 400 random groups: matrix products of each group's rows, and products of columns. `--spark N`: the
sums on PySpark, which hands no rows over and computes them itself, and the largest relative difference.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

P, FACTORS, PART = 24, 4, 1_000_000
ITEMS = [f"q{place + 1}" for place in range(P)]
SCALES = {f"f{k + 1}": ITEMS[k * 6 : k * 6 + 6] for k in range(FACTORS)}
B = 2000
Found = dict[str, dict[str, float]]  # of each step: seconds, peak memory, and what else was measured


def make(path: Path, n: int) -> None:
    """Write n answered forms, a part at a time; each part has its own stream of random numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = np.linalg.cholesky(np.full((FACTORS, FACTORS), 0.4) + 0.6 * np.eye(FACTORS)).astype(np.float32)
    writer = None
    for part, start in enumerate(range(0, n, PART)):
        size, rng = min(PART, n - start), np.random.default_rng([1, part])
        common = rng.standard_normal((size, FACTORS), dtype=np.float32) @ root.T
        latent = 3.4 + 0.7 * common[:, np.arange(P) // 6] + 0.7 * rng.standard_normal((size, P), dtype=np.float32)
        answers = np.clip(np.rint(latent), 1, 5).astype(np.int8)
        table = pa.table({name: answers[:, place] for place, name in enumerate(ITEMS)})
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()


def large_table(path: Path) -> Any:
    """The file as a large table of the embedded engine."""
    from cxresearch.core.large import LargeTable
    from cxresearch.study.lazy_table import ROW, open_lazily
    from cxresearch.study.parts import SurveyPart

    part = SurveyPart.model_validate({"data": path.name, "large": "yes"})
    return LargeTable.of(open_lazily(part, path.parent).frame, ITEMS, row=ROW)


def by_us(path: Path) -> Found:
    """Each step on one table, as in a notebook: what an earlier step has summed up is not summed up again."""
    import narwhals as nw

    from cxresearch import check_reliability, explore_factors, regress_drivers

    table = large_table(path)
    scores = table.derive({name: sum(nw.col(item) for item in items) / 6.0 for name, items in SCALES.items()})
    steps: dict[str, Callable[[], object]] = {
        "moments": lambda: table.totals().resample(B, seed=1),
        "alpha, omega": lambda: check_reliability(table, SCALES, n_bootstrap=B, seed=1),
        "ols, lmg": lambda: regress_drivers(scores, "f1", drivers=["f2", "f3", "f4"], n_bootstrap=B, seed=1),
        "efa": lambda: explore_factors(table),
    }
    return {name: timed(step) for name, step in steps.items()}


def timed(step: Callable[[], object]) -> dict[str, float]:
    """Seconds by the clock and of the processor, and the peak memory so far."""
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    return {"wall s": time.perf_counter() - wall, "CPU s": time.process_time() - cpu, "peak GB": peak}


def by_pandas(path: Path) -> Found:
    """Means and covariances, and sums of products by group in two ways; each reads the file, as our step does."""
    import pandas as pd

    def read() -> tuple[pd.DataFrame, np.ndarray]:
        frame = pd.read_parquet(path).astype(float)
        return frame, np.random.default_rng(1).integers(0, 400, len(frame))

    def plain() -> None:
        frame, _ = read()
        frame.mean(), frame.cov()

    def matrices() -> None:
        frame, group = read()
        for _, rows in frame.groupby(group):
            rows.sum(), rows.T @ rows

    def columns() -> None:
        frame, group = read()
        frame.groupby(group).sum()
        for place, first in enumerate(ITEMS):
            for second in ITEMS[place:]:
                (frame[first] * frame[second]).groupby(group).sum()

    steps = {
        "means and covariances": plain,
        "matrix products of each group": matrices,
        "products of columns, grouped": columns,
    }
    return {name: timed(step) for name, step in steps.items()}


def by_spark(path: Path) -> Found:
    """The sums on Spark, and the largest relative difference of the moments and of their bootstrap from ours."""
    from pyspark.sql import SparkSession, functions

    from cxresearch.core.large import LargeTable

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    read = session.read.parquet(str(path))
    numbered = read.select(*ITEMS, functions.col("_metadata.row_index").alias("row"))
    table = LargeTable.of(numbered, ITEMS, row="row")
    spent = timed(table.totals)
    found = [(each.moments(), each.resample(200, seed=1)) for each in (large_table(path).totals(), table.totals())]
    gaps = [
        np.abs(getattr(b, part) / getattr(a, part) - 1).max()
        for a, b in zip(*found, strict=True)
        for part in ("mean", "cov")
    ]
    return {"moments": {"wall s": spent["wall s"], "largest relative difference": float(max(gaps))}}


def measured(kind: str, path: Path) -> Found:
    """What a process of its own says."""
    command = [sys.executable, __file__, "--one", kind, "--folder", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", nargs="*", type=float, default=[1e6])
    parser.add_argument("--pandas", type=float)
    parser.add_argument("--spark", type=float)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps({"us": by_us, "pandas": by_pandas, "spark": by_spark}[given.one](given.folder)))
        sys.stdout.flush()
        os._exit(0)  # a session of Spark would be waited for
    wanted = [("us", n) for n in dict.fromkeys([*([given.pandas] if given.pandas else []), *given.rows])]
    wanted += [(kind, n) for kind in ("pandas", "spark") if (n := getattr(given, kind))]
    for kind, n in sorted(wanted, key=lambda each: each[1]):
        path = given.folder / f"answers_{n:.0f}.parquet"
        if not path.exists():
            make(path, int(n))
        for step, numbers in measured(kind, path).items():
            told = " | ".join(f"{name} {value:.3g}" for name, value in numbers.items())
            print(f"| {n:,.0f} | {kind} | {step} | {told} |", flush=True)


if __name__ == "__main__":
    main()
