"""The command line: cxresearch run | check | summary | schema."""

import json
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from cxresearch import __version__
from cxresearch.errors import InputError

if TYPE_CHECKING:
    from cxresearch.batch.notebooks import NotebookFile
    from cxresearch.batch.plan import Plan
    from cxresearch.batch.warm import ForkServer
    from cxresearch.study.urls import Place

FAILED, BAD_INPUT, STOPPED = 1, 2, 130  # exit statuses
_FILES = click.Path(path_type=Path)


class _Place(click.ParamType):
    """A file or folder here or at a URL."""

    name = "file"

    def convert(self, value: "str | Place", *_: object) -> "Place":
        from cxresearch.study.urls import place

        return place(value) if isinstance(value, str) else value


_NOTEBOOKS = click.option(
    "--notebooks", type=_FILES, help="Folder of the notebooks; by default ./notebooks or the project's own."
)


class _Plainly(click.Group):
    """Tells the user what is wrong with the input, or that it was broken off, in words, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except InputError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(BAD_INPUT)
        except KeyboardInterrupt:
            click.echo("Stopped before the end.", err=True)
            ctx.exit(STOPPED)


@click.group(cls=_Plainly)
@click.version_option(__version__, prog_name="cxresearch")
def main() -> None:
    """Run studies of customer experience from their study files."""


@main.command()
@click.argument("files", nargs=-1, required=True, type=_Place())
@click.option("--only", metavar="01,06", default="", help="Run only these notebooks, by number or name.")
@click.option("--outputs", type=_Place(), default="outputs", show_default=True, help="Folder or URL of the outputs.")
@_NOTEBOOKS
@click.option("--jobs", type=click.IntRange(min=1), help="Notebooks to run at a time; by default one a core.")
@click.option(
    "--scheduler", metavar="tcp://HOST:PORT", help="Hand the notebooks to the workers of this Dask scheduler."
)
@click.option("--plain", is_flag=True, help="Start every kernel by itself; slower, and needed only to look for faults.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop a notebook whose cells take longer.",
)
@click.option(
    "--memory", metavar="4GB", default="", help="Stop a notebook that takes more memory, with all that it has started."
)
@click.option("--fail-fast", is_flag=True, help="Stop everything at the first failure.")
@click.option("--force", is_flag=True, help="Run also what is up to date.")
@click.option("--dry-run", is_flag=True, help="Say what would be run, and why, and run nothing.")
def run(
    files: "tuple[Place, ...]",
    only: str,
    outputs: "Place",
    notebooks: Path | None,
    jobs: int | None,
    scheduler: str | None,
    plain: bool,
    timeout: float | None,
    memory: str,
    fail_fast: bool,
    force: bool,
    dry_run: bool,
) -> None:
    """Run the notebooks over every study of FILES, paths or URLs; what is up to date is left alone.

    Exit status: 0 all well, 1 a notebook failed, 2 a study file is faulty (the others are run all the same), 130 broken off.
    """
    from cxresearch.batch.memory import bytes_of
    from cxresearch.batch.notebooks import find_folder, read_notebooks

    if scheduler and jobs:
        raise click.UsageError("--jobs is for this machine; on a cluster the threads of the workers decide.")
    limits = {"timeout": timeout, "memory": bytes_of(memory) if memory else None}
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = read_notebooks(find_folder(notebooks))
    is_surely_used = not (plain or dry_run or scheduler) and (force or _is_new(outputs)) and len(names or known) > 1
    with _forking(known) if is_surely_used else nullcontext() as server:
        options = {"scheduler": scheduler, "warm": not plain, "server": server, "fail_fast": fail_fast, **limits}
        status = _plan_and_run(files, known, outputs, jobs, dry_run, {"only": names, "force": force}, options)
    sys.exit(status)


def _plan_and_run(
    files: "tuple[Place, ...]",
    notebooks: "Mapping[str, NotebookFile]",
    outputs: "Place",
    jobs: int | None,
    dry_run: bool,
    wanted: dict[str, Any],
    options: dict[str, Any],
) -> int:
    """Plan what is wanted, tell what is wrong with study files, run or show the plan; the exit status."""
    from cxresearch.batch.outputs import destination
    from cxresearch.batch.plan import plan_run
    from cxresearch.batch.terminal import planned, refused, shown
    from cxresearch.study.urls import find_studies

    with destination(outputs) as goal:
        plan = plan_run(find_studies(files), notebooks, outputs=goal, **wanted)
        for file, faults in plan.faults.items():
            _tell_faults(shown(file), faults)
        status = 0
        if dry_run:
            click.echo(planned(plan.tasks))
        elif plan.tasks:
            status = _run_plan(plan, jobs, **options)
            if plan.faults:
                click.echo(refused(plan.faults), err=True)
    return BAD_INPUT if plan.faults and status != STOPPED else status


def _is_new(outputs: "Place") -> bool:
    """Whether no run has been at work in a folder of this machine."""
    return isinstance(outputs, Path) and not (outputs / "run.json").exists()


def _forking(notebooks: "Mapping[str, NotebookFile]") -> "AbstractContextManager[ForkServer | None]":
    """The server of warm kernels, which imports while the run is planned; none where that is not safe."""
    from cxresearch.batch.environment import kernel_environment
    from cxresearch.batch.warm import IS_SAFE, ForkServer, spared_by

    if not IS_SAFE:
        return nullcontext()
    return closing(ForkServer(kernel_environment(1), spared_by(each.path for each in notebooks.values())))


def _run_plan(plan: "Plan", jobs: int | None, **options: Any) -> int:
    """Run a plan, tell what became of it and return the exit status."""
    from cxresearch.batch.environment import count_cores
    from cxresearch.batch.run import run_plan
    from cxresearch.batch.terminal import Progress, shown, summary

    jobs = min(jobs or count_cores(), len(plan.tasks))
    with Progress(plan.tasks, jobs) as progress:
        result = run_plan(plan, jobs=jobs, progress=progress, **options)
    where = plan.outputs.shown
    click.echo(summary(result.in_order(), sorted(result.pages), where))
    if plan.outputs.left:
        click.echo(f"What could not be sent lies in {plan.outputs.left}: outputs as any, for --outputs.", err=True)
    if result.report.fault:
        click.echo(f"There is no report: {result.report.fault}", err=True)
    else:
        click.echo(f"report: {shown(where(result.report.page))}")
    if result.stopped:
        click.echo("Stopped before the end.", err=True)
        return STOPPED
    if result.failed and options["fail_fast"]:
        click.echo("Stopped at the first failure.", err=True)
    return FAILED if result.failed or result.report.fault else 0


@main.command()
@click.argument("files", nargs=-1, required=True, type=_Place())
@_NOTEBOOKS
def check(files: "tuple[Place, ...]", notebooks: Path | None) -> None:
    """List every fault of the study FILES and of their surveys without running anything.

    A note tells what looks odd, such as a scale that hardly fits. Exit status: 0 no faults, 2 some.
    """
    from cxresearch.batch.notebooks import find_folder, read_notebooks
    from cxresearch.batch.plan import check_file
    from cxresearch.batch.terminal import refused
    from cxresearch.study.urls import find_studies

    known = read_notebooks(find_folder(notebooks))
    checked = {file: check_file(file, known) for file in find_studies(files)}
    for file, found in checked.items():
        if found.faults:
            _tell_faults(str(file), found.faults)
        else:
            click.echo(f"{file}: no faults")
        for note in found.notes:
            click.echo(f"  note: {note}", err=bool(found.faults))
    faulty = {file: found.faults for file, found in checked.items() if found.faults}
    if faulty and (len(checked) > 1 or any(found.notes for found in checked.values())):
        click.echo(refused(faulty), err=True)
    sys.exit(BAD_INPUT if faulty else 0)


@main.command()
@click.argument("outputs", type=_Place())
@click.option("--language", type=click.Choice(["en", "zh"]), help="Of the summary; by default that of the studies.")
def summary(outputs: "Place", language: Literal["en", "zh"] | None) -> None:
    """Lay all studies of OUTPUTS, a folder or URL, side by side: headline numbers, what they come to together, ranks, failures."""
    from cxresearch.batch.summary import write_summary
    from cxresearch.batch.terminal import shown

    click.echo(shown(write_summary(outputs, language=language)))


@main.command()
@click.argument("file", required=False, type=_FILES)
def schema(file: Path | None) -> None:
    """Write the JSON Schema of study files to FILE or the terminal."""
    from cxresearch.study.file import json_schema

    text = json.dumps(json_schema(), ensure_ascii=False, indent=2)
    if file is None:
        click.echo(text)
    else:
        file.write_text(f"{text}\n", encoding="utf-8")


def _tell_faults(file: str, faults: list[str]) -> None:
    click.echo(f"{file}:", err=True)
    for fault in faults:
        click.echo(f"  {fault}", err=True)
