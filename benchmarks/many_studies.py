"""Two hundred small studies in one run: is any lost, does the runner's memory stay flat, is a killed run finished by the next?

    PYTHONPATH=. python benchmarks/many_studies.py [--studies 200] [--notebook 01]

Twice into an empty folder: one run from end to end; one that is killed (SIGKILL) when half of the notebooks are done, and the same command again. The
studies are synthetic, of 300 answers to eight items each. Every half second the memory of the runner (resident set) and all processes that it has started are noted.
Prints a table in Markdown; what is not as it should be is an error.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

ROOT = Path(__file__).resolve().parents[1]
STUDY = """
study: s{number:03d}
survey: {{data: s{number:03d}.csv}}
constructs:
  speed: {{items: [a1, a2, a3, a4], scale: [1, 5]}}
  staff: {{items: [b1, b2, b3, b4], scale: [1, 5]}}
notebooks: {{01_reliability: {{n_bootstrap: 200}}}}
"""
SECONDS_TO_END = 15  # for what a killed run has started


@dataclass
class Watched:
    """A run as it was seen from outside: (notebooks done, bytes) of the runner, processes that it has started, when it ended."""

    memory: list[tuple[int, int]] = field(default_factory=list)
    started: set[psutil.Process] = field(default_factory=set)
    status: int = 0
    seconds: float = 0.0

    def megabytes(self, low: float, high: float) -> float:
        """Mean memory of the runner while the share of this run's notebooks that were done lay between the two."""
        done, taken = np.array(self.memory).T
        share = (done - done.min()) / (done.max() - done.min())
        return float(taken[(share >= low) & (share <= high)].mean() / 1e6)


def write_studies(folder: Path, number: int) -> list[Path]:
    rng = np.random.default_rng(1)
    columns = [f"{construct}{item}" for construct in "ab" for item in range(1, 5)]
    files = []
    for index in range(number):
        factors = np.repeat(rng.normal(size=(300, 2)), 4, axis=1)
        answers = np.clip(np.rint(3 + 0.8 * factors + 0.7 * rng.normal(size=(300, 8))), 1, 5).astype(int)
        pd.DataFrame(answers, columns=columns).to_csv(folder / f"s{index:03d}.csv", index=False)
        files.append(folder / f"s{index:03d}.yaml")
        files[-1].write_text(STUDY.format(number=index))
    return files


def done_in(outputs: Path) -> set[str]:
    """The studies whose notebook has come to a good end, by their own memory."""
    found = {path.parent.name: json.loads(path.read_text()) for path in outputs.glob("*/status.json")}
    return {study for study, rows in found.items() if all(row["status"] == "ok" for row in rows)}


def watch_run(files: list[Path], outputs: Path, notebook: str, *, kill_at: int | None = None) -> Watched:
    seen, began = Watched(), time.monotonic()
    command = [
        sys.executable,
        "-m",
        "cxresearch",
        "run",
        *map(str, files),
        "--only",
        notebook,
        "--outputs",
        str(outputs),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    runner = psutil.Process(process.pid)
    while process.poll() is None:
        done = len(done_in(outputs))
        try:
            seen.memory.append((done, runner.memory_info().rss))
            seen.started |= set(runner.children(recursive=True))
        except psutil.NoSuchProcess:
            break
        if kill_at and done >= kill_at:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.5)
    seen.status, seen.seconds = process.wait(), time.monotonic() - began
    return seen


def check(condition: bool, words: str) -> None:
    if not condition:
        raise RuntimeError(words)


def check_whole(outputs: Path, names: set[str], seen: list[Watched]) -> None:
    """Nothing lost, nothing half-written, nothing left running."""
    report = json.loads((outputs / "run.json").read_text())
    check(report["end"] == "finished", "the report does not say that the run has ended")
    check({row["study"] for row in report["notebooks"] if row["status"] == "ok"} == names, "a study is lost")
    for name in ("index.html", "results.csv", "status.json"):
        check({path.parent.name for path in outputs.glob(f"*/{name}")} == names, f"a {name} is lost")
    check(not list(outputs.rglob(".*.part")), "something is half-written")
    _, alive = psutil.wait_procs({process for each in seen for process in each.started}, timeout=SECONDS_TO_END)
    check(not alive, f"processes are left: {alive}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--notebook", default="01")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        files = write_studies(Path(place), options.studies)
        names, outputs = {path.stem for path in files}, Path(place, "whole")
        whole = watch_run(files, outputs, options.notebook)
        check_whole(outputs, names, [whole])
        outputs = Path(place, "killed")
        killed = watch_run(files, outputs, options.notebook, kill_at=options.studies // 2)
        report = json.loads((outputs / "run.json").read_text())
        check(report["end"] is None, "the report of a killed run says that it has ended")
        before = done_in(outputs)
        rest = watch_run(files, outputs, options.notebook)
        check_whole(outputs, names, [killed, rest])
        told = {row["study"] for row in json.loads((outputs / "run.json").read_text())["notebooks"] if row["cached"]}
        check(told == before, "the next run did not do exactly the rest")
    print(f"| {options.studies} studies | from end to end | killed | the rest |\n|---|---:|---:|---:|")
    runs = [whole, killed, rest]
    rows = {
        "exit status": [str(each.status) for each in runs],
        "notebooks run": [str(len(names)), f"{len(before)} done", str(len(names) - len(before))],
        "seconds": [f"{each.seconds:.0f}" for each in runs],
        "processes seen": [str(len(each.started)) for each in runs],
        "of them left": ["0"] * 3,
        "memory of the runner, first tenth to third, MB": [f"{each.megabytes(0.1, 0.33):.0f}" for each in runs],
        "memory of the runner, last third, MB": [f"{each.megabytes(0.67, 1):.0f}" for each in runs],
    }
    for name, values in rows.items():
        print(f"| {name} | {' | '.join(values)} |")


if __name__ == "__main__":
    main()
