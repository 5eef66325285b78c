"""What does a batch of notebooks cost? The demo studies with all their notebooks, five ways, in one run.

    PYTHONPATH=. python benchmarks/batch.py [--rounds 3] [--studies params/*.yaml]

- one process: parameters and cells of all notebooks, one after the other, in one plain Python process; no notebook, no kernel. The limit.
- warm: `cxresearch run`, kernels forked from a server that has imported everything, one notebook at a time
- warm, all cores: the same, as many at a time as there are cores
- plain: `cxresearch run --plain`, a fresh kernel each, one at a time
- papermill: papermill.execute_notebook on each notebook, one after the other

Each way is a process of its own and writes to an empty folder. Rounds alternate the ways, so that a busy machine is unfair to all alike;
medians over rounds. Wall-clock time, and processor time of the process with all that it started. Prints a table in Markdown.
"""

import argparse
import ast
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
RUN = ["-m", "cxresearch", "run"]
ONE = ["--jobs", "1"]
LIMIT = "one process"
WAYS: dict[str, list[str]] = {  # way -> words of the command, before the studies and the folder of outputs
    LIMIT: [__file__, "--way", LIMIT],
    "warm": [*RUN, *ONE],
    "warm, all cores": RUN,
    "plain": [*RUN, *ONE, "--plain"],
    "papermill": [__file__, "--way", "papermill"],
}


def tasks_of(studies: Sequence[Path], outputs: Path) -> list:
    from cxresearch.batch.notebooks import find_folder, read_notebooks
    from cxresearch.batch.plan import plan_run

    tasks = plan_run(studies, read_notebooks(find_folder(None)), outputs=outputs).tasks
    return [task for task in tasks if not task.skip and not task.fault]


def run_in_one_process(studies: Sequence[Path], outputs: Path) -> None:
    """The cells of every notebook as they stand, each notebook with names of its own."""
    import matplotlib as mpl
    import nbformat

    mpl.use("agg")
    for task in tasks_of(studies, outputs):
        os.chdir(task.source.parent)
        names: dict = {"display": lambda *_: None}  # what a kernel shows
        for cell in nbformat.read(task.source, as_version=4).cells:
            if cell.cell_type == "code":
                exec(compile(ast.parse(cell.source), task.notebook, "exec"), names)
                names |= task.parameters if "parameters" in cell.metadata.get("tags", []) else {}


def run_papermill(studies: Sequence[Path], outputs: Path) -> None:
    import papermill

    for task in tasks_of(studies, outputs):
        task.folder.mkdir(parents=True, exist_ok=True)
        papermill.execute_notebook(
            task.source,
            task.folder / task.source.name,
            parameters=dict(task.parameters),
            cwd=task.source.parent,
            kernel_name="python3",
            progress_bar=False,
        )


def measure(way: str, studies: Sequence[Path]) -> tuple[float, float]:
    """Wall-clock and processor seconds of one way, the processor's with all children."""
    with tempfile.TemporaryDirectory() as folder:
        options = [*map(str, studies), "--outputs", folder]
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *WAYS[way], *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode or not list(Path(folder).glob("*/results.csv")):
            raise RuntimeError(f"{way} has failed")
    return seconds, used.ru_utime + used.ru_stime


def table(measured: dict[str, list[tuple[float, float]]]) -> str:
    lines = ["| way | s | CPU s | s, of papermill | CPU s, of one process |", "|---|---|---|---|---|"]
    medians = {way: [median(column) for column in zip(*found, strict=True)] for way, found in measured.items()}
    for way, (seconds, cpu) in medians.items():
        faster, dearer = medians["papermill"][0] / seconds, cpu / medians[LIMIT][1]
        lines.append(f"| {way} | {seconds:.1f} | {cpu:.1f} | {faster:.2f} x faster | {dearer:.2f} x |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--studies", type=Path, nargs="+", default=sorted((ROOT / "params").glob("*.yaml")))
    parser.add_argument("--way", choices=[LIMIT, "papermill"], help=argparse.SUPPRESS)
    parser.add_argument("--outputs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("files", type=Path, nargs="*", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.way:
        {LIMIT: run_in_one_process, "papermill": run_papermill}[chosen.way](chosen.files, chosen.outputs)
        return
    studies = [path.resolve() for path in chosen.studies]
    measured: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for turn in range(chosen.rounds):
        for way in WAYS if turn % 2 else reversed(WAYS):
            measured[way].append(measure(way, studies))
            print(f"round {turn + 1}, {way}: {measured[way][-1][0]:.1f} s", file=sys.stderr, flush=True)
    print(table(measured))


if __name__ == "__main__":
    main()
