"""What does a batch of notebooks cost? The targets of the batch, measured in one run, with where the time goes.

    PYTHONPATH=. python benchmarks/batch.py [--rounds 3] [--studies params/*.yaml] [--parts ways cores again]

ways: all studies of params/ with all their notebooks into an empty folder, each way a process of its own
- one process: parameters and cells of all notebooks, one after the other, in one plain Python process; no notebook, no kernel. The limit:
  linear algebra has as many threads as in warm kernels, since on small matrices more take processor time and no less time.
- warm: `cxresearch run --jobs 1`, kernels forked from a server that has imported everything
- papermill: papermill.execute_notebook on each notebook, one after the other, packages and cxresearch compiled to bytecode before;
  nothing else is set, as for who uses it as it comes

cores: ten small studies (the demo study under other names and seeds, some of its rows, few resamples), warm, with `--jobs 1` on one core and
`--jobs 2` on two.

again: the same command once more when nothing has changed, and when one parameter of one notebook has.

Rounds alternate the ways, so that a busy machine is unfair to all alike; medians over rounds. Wall-clock time, and processor time of the
process with all that it started and waited for: a run waits for the server of its kernels, which waits for the kernels. Linux only.
"""

import argparse
import ast
import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median

import pandas as pd
import yaml

from cxresearch.batch.environment import kernel_environment

ROOT = Path(__file__).resolve().parents[1]
STUDIES = sorted((ROOT / "params").glob("*.yaml"))
DEMO = ROOT / "params" / "postal_demo.yaml"
RUN = ["-m", "cxresearch", "run"]
ONE = ["--jobs", "1"]
LIMIT = "one process"
WAYS: dict[str, list[str]] = {  # way -> words of the command, before the studies and the folder of outputs
    LIMIT: [__file__, "--way", LIMIT],
    "warm": [*RUN, *ONE],
    "papermill": [__file__, "--way", "papermill"],
}
PARTS = ("ways", "cores", "again")
N_SMALL, ROWS, RESAMPLES = 10, 400, 100
SMALL_NOTEBOOKS = "01,02,04,06"
CHANGED = ("01_reliability", "n_bootstrap")  # the parameter that is changed
Seconds = tuple[float, float]  # wall-clock, processor


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


def measure(
    words: Sequence[str | Path], cores: int | None = None, environment: Mapping[str, str] | None = None
) -> Seconds:
    """Seconds of one command, the processor's with all children; on so many cores, with more variables in its environment."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"failed: {' '.join(map(str, words))}")
    return seconds, used.ru_utime + used.ru_stime


def in_rounds(rounds: int, ways: dict[str, Callable[[Path], Seconds]]) -> dict[str, list[float]]:
    """Medians of each way, each time into an empty folder, in turns."""
    found: dict[str, list[Seconds]] = {way: [] for way in ways}
    for turn in range(rounds):
        for way in ways if turn % 2 else reversed(ways):
            with tempfile.TemporaryDirectory() as folder:
                found[way].append(ways[way](Path(folder)))
            print(f"round {turn + 1}, {way}: {found[way][-1][0]:.1f} s", file=sys.stderr, flush=True)
    return {way: [median(column) for column in zip(*each, strict=True)] for way, each in found.items()}


def compare_ways(rounds: int, studies: Sequence[Path]) -> str:
    for folder in (ROOT / "cxresearch", *(Path(place) for place in sys.path if place.endswith("site-packages"))):
        compileall.compile_dir(folder, quiet=2)
    profiles, threads = [], kernel_environment(jobs=1)

    def one(way: str, outputs: Path) -> Seconds:
        seconds = measure([*WAYS[way], *studies, "--outputs", outputs], environment=threads if way == LIMIT else None)
        written = sorted(path.parent for path in outputs.glob("*/results.csv"))
        if len(written) != len(studies):
            raise RuntimeError(f"{way} has written {len(written)} of {len(studies)} studies")
        if way == "warm":
            profiles[:] = [profile(written)]
        return seconds

    found = in_rounds(rounds, {way: lambda outputs, way=way: one(way, outputs) for way in WAYS})
    lines = ["| way | s | CPU s |", "|---|---:|---:|"]
    lines += [f"| {way} | {seconds:.1f} | {cpu:.1f} |" for way, (seconds, cpu) in found.items()]
    faster = found["papermill"][0] / found["warm"][0]
    dearer = found["warm"][1] / found[LIMIT][1]
    lines += ["", target("papermill, times the seconds of warm", f"{faster:.2f}", "2.5 or more")]
    lines += [target("warm, times the CPU seconds of one process", f"{dearer:.2f}", "1.3 or less")]
    return "\n".join([*lines, "", *profiles])


def compare_cores(rounds: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        studies = write_small(Path(folder))
        words = [*RUN, *studies, "--only", SMALL_NOTEBOOKS]
        found = in_rounds(
            rounds,
            {
                f"{jobs} at a time, {jobs} core(s)": lambda outputs, jobs=jobs: measure(
                    [*words, "--outputs", outputs, "--jobs", jobs], cores=jobs
                )
                for jobs in (1, 2)
            },
        )
    (alone, _), (both, _) = found.values()
    lines = [f"| {N_SMALL} small studies, notebooks {SMALL_NOTEBOOKS} | s | CPU s |", "|---|---:|---:|"]
    lines += [f"| {way} | {seconds:.1f} | {cpu:.1f} |" for way, (seconds, cpu) in found.items()]
    return "\n".join([*lines, "", target("one core, times the seconds of two", f"{alone / both:.2f}", "1.8 or more")])


def run_again(rounds: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        study, outputs = write_study(Path(folder), "again", 1), Path(folder, "out")
        words = [*RUN, study, "--outputs", outputs, "--only", SMALL_NOTEBOOKS]
        measure(words)
        seconds = median(measure(words)[0] for _ in range(rounds))
        content = yaml.safe_load(study.read_text(encoding="utf-8"))
        notebook, name = CHANGED
        content["notebooks"][notebook][name] += 1
        study.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
        measure(words)
        rows = json.loads((outputs / "run.json").read_text(encoding="utf-8"))["notebooks"]
    ran = ", ".join(row["notebook"] for row in rows if not row["cached"])
    lines = [target("seconds of a run when nothing has changed", f"{seconds:.2f}", "less than 2")]
    return "\n".join([*lines, target(f"run when {name} of {notebook} has changed", ran, notebook)])


def target(what: str, found: str, wanted: str) -> str:
    return f"- {what}: **{found}** (target: {wanted})"


def write_small(folder: Path) -> list[Path]:
    return [write_study(folder, f"small_{number:02d}", number) for number in range(N_SMALL)]


def write_study(folder: Path, name: str, seed: int) -> Path:
    """The demo study under another name, with about ROWS rows a table and few resamples. Returns its file."""
    data = folder / "data" / DEMO.stem
    if not data.exists():
        data.mkdir(parents=True)
        for path in (ROOT / "data" / DEMO.stem).glob("*.csv"):
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            table.iloc[:: max(1, len(table) // ROWS)].to_csv(data / path.name, index=False)
    content = yaml.safe_load(DEMO.read_text(encoding="utf-8")) | {"study": name, "seed": seed}
    few = {"01_reliability", "04_ahp_weighting", "06_service_drivers"}
    content["notebooks"] = {notebook: {"n_bootstrap": RESAMPLES} for notebook in sorted(few)}
    content["notebooks"]["02_factor_analysis"] = {"n_random": RESAMPLES}
    file = folder / "params" / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file


def profile(folders: Sequence[Path]) -> str:
    """Where the seconds of each notebook in the outputs of some studies went, from the times that papermill notes."""
    lines = [
        "Seconds by cell: `kernel` is from asking for it to the first cell, the wait for the notebook's turn included."
    ]
    lines += [
        "`study`: reading it; `tables`, `figures`: cells that show one, with what they compute; `end`: the kernel ends.",
        "",
    ]
    lines += ["| notebook, warm | kernel | study | tables | figures | rest | between cells | end |"]
    lines += ["|---|" + "---:|" * 7]
    for path in sorted(path for folder in folders for path in folder.glob("[0-9][0-9]_*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        lines.append(
            f"| {path.parent.name} {path.stem} | "
            + " | ".join(f"{seconds:.2f}" for seconds in seconds_of(notebook))
            + " |"
        )
    return "\n".join(lines)


def seconds_of(notebook: dict) -> list[float]:
    """Seconds to the first cell, of the cells by what they do, between them, and from the last one to the end."""
    cells = [
        (span(cell["metadata"]["papermill"]), "".join(cell["source"]))
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
    spent = dict.fromkeys(("cx.open_study", "report.table", "report.figure", ""), 0.0)
    for (begin, end), source in cells:
        spent[next(word for word in spent if word in source)] += end - begin
    whole = span(notebook["metadata"]["papermill"])
    first, last = cells[0][0][0], cells[-1][0][1]
    return [first - whole[0], *spent.values(), last - first - sum(spent.values()), whole[1] - last]


def span(times: dict[str, str]) -> tuple[float, float]:
    begin, end = (datetime.fromisoformat(times[name]).timestamp() for name in ("start_time", "end_time"))
    return begin, end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--studies", type=Path, nargs="+", default=STUDIES)
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--way", choices=[LIMIT, "papermill"], help=argparse.SUPPRESS)
    parser.add_argument("--outputs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("files", type=Path, nargs="*", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.way:
        {LIMIT: run_in_one_process, "papermill": run_papermill}[chosen.way](chosen.files, chosen.outputs)
        return
    studies = [path.resolve() for path in chosen.studies]
    measures = {
        "ways": lambda: compare_ways(chosen.rounds, studies),
        "cores": lambda: compare_cores(chosen.rounds),
        "again": lambda: run_again(chosen.rounds),
    }
    load = os.getloadavg()[0]
    found = [measures[part]() for part in PARTS if part in chosen.parts]
    print(
        f"{chosen.rounds} round(s), {os.cpu_count()} cores, load {load:.1f} before and {os.getloadavg()[0]:.1f} after\n"
    )
    print("\n\n".join(found))


if __name__ == "__main__":
    main()
