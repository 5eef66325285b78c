"""Small notebooks and studies for the tests of the batch."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import nbformat

from cxresearch.batch.environment import kernel_environment
from cxresearch.batch.kernels import KernelPool
from cxresearch.batch.warm import IS_SAFE, ForkServer

PARAMETERS = """
study_file: str = ""  # the study
output_dir: str = ""  # where outputs go
n_bootstrap: int = 10  # replicates
"""
STUDY = """
study: {name}
survey: {{data: answers.csv}}
constructs: {{speed: {{items: [a, b], scale: [1, 5]}}}}
notebooks: {choices}
"""
WRITE = """
import pathlib
folder = pathlib.Path(output_dir) / pathlib.Path(study_file).stem
for name in ("tables/{name}_rows", "tables/{name}_more", "records/{name}"):
    (folder / name).with_suffix(".csv").write_text(f"study,notebook,quantity,estimate\\n{{folder.name}},{name},rows,{{n_bootstrap}}\\n")
"""  # what a report does, without importing the stack


def write_notebook(
    folder: Path,
    name: str,
    *cells: str,
    needs: tuple[str, ...] = ("survey",),
    uses: list[str] | None = None,
    parameters: str | None = PARAMETERS,
) -> Path:
    """Put a notebook into a folder; its kernel's name is one that Jupyter does not know. Returns the folder."""
    tagged = [] if parameters is None else [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"# {name}"), *tagged, *map(nbformat.v4.new_code_cell, cells)],
        metadata={
            "cxresearch": {"needs": list(needs)} | ({} if uses is None else {"uses": uses}),
            "kernelspec": {"name": "no-such-kernel", "display_name": "Elsewhere", "language": "python"},
        },
    )
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


def write_study(folder: Path, name: str, choices: str = "{}", file: str = "") -> Path:
    """Put a study of two items into a folder. Returns its file."""
    (folder / "answers.csv").write_text("a,b\n1,2\n3,4\n5,5\n2,2\n")
    path = folder / f"{file or name}.yaml"
    path.write_text(STUDY.format(name=name, choices=choices))
    return path


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Break off what takes longer, as it hangs."""

    def give_up(*_):
        raise TimeoutError(f"this hangs: {seconds} s are over")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def pool_of(*, warm: bool, memory: int | None = None) -> Iterator[KernelPool]:
    """Kernels, one at a time; warm ones, where that is safe, from a server of their own."""
    with ExitStack() as held:
        server = held.enter_context(closing(ForkServer(kernel_environment(1)))) if warm and IS_SAFE else None
        yield held.enter_context(KernelPool(jobs=1, server=server, memory=memory))
