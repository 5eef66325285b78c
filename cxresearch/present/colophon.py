"""How a notebook's numbers were made: software, parameters, data."""

import ast
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, Protocol

from cxresearch import __version__
from cxresearch.present.text import Text

PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "scikit-learn", "factor-analyzer", "matplotlib")
PLACES = ("study_file", "output_dir")  # parameters that say where, not how


class Reported(Protocol):
    """What is reported on: a study, or several together."""

    @property
    def name(self) -> str:
        """Of the folder of its outputs."""

    @property
    def title(self) -> str:
        """The title of the page."""

    @property
    def aim(self) -> str:
        """What it is to find, or ''."""

    @property
    def language(self) -> Literal["en", "zh"]:
        """Language of the outputs."""

    @property
    def labels(self) -> dict[str, str]:
        """Code -> label."""

    @property
    def seed(self) -> int:
        """Seed of everything random."""

    def fingerprints(self) -> dict[str, str]:
        """Every file that the numbers come from -> hash of its content."""


@dataclass(frozen=True, slots=True)
class Colophon:
    """What a reader needs to make the numbers again.

    Attributes
    ----------
    versions : software -> version
    parameters : name in the notebook's parameters cell -> value; where files lie is left out
    data : file as the study file names it -> sha256; the study file itself is the first
    rows : fewest and most rows behind a result, (0, 0) if there was none
    seed : of the study
    date : local time to the minute, ISO 8601
    """

    versions: dict[str, str]
    parameters: dict[str, Any]
    data: dict[str, str]
    rows: tuple[int, int]
    seed: int
    date: str


def make_colophon(study: Reported, rows: Iterable[int]) -> Colophon:
    """The colophon of this kernel now; `rows` are the n_used of all results shown."""
    sizes = list(rows) or [0]
    return Colophon(
        versions=dict(versions()),
        parameters={name: value for name, value in notebook_parameters().items() if name not in PLACES},
        data=study.fingerprints(),
        rows=(min(sizes), max(sizes)),
        seed=study.seed,
        date=datetime.now().astimezone().isoformat(timespec="minutes"),
    )


def notebook_parameters() -> dict[str, Any]:
    """Names and present values of the notebook's parameters.

    A parameters cell is the one place of a notebook where names are declared with a type (`n_bootstrap: int = 2000`). The cells run
    so far are read for such lines, so that the values are those in use, also where the batch has put others in.
    Outside a notebook there are none.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return {}
    names = dict.fromkeys(name for source in shell.user_ns.get("In", []) for name in declared_names(source))
    return {name: shell.user_ns[name] for name in names if name in shell.user_ns}


def declared_names(source: str) -> list[str]:
    """Names that a cell declares with a type and a value.

    >>> declared_names("n_bootstrap: int = 2000  # replicates\\nx = 3")
    ['n_bootstrap']
    """
    try:
        lines = ast.parse(source).body
    except SyntaxError:  # a cell with a %magic
        return []
    return [
        line.target.id
        for line in lines
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None
    ]


def colophon_rows(colophon: Colophon, text: Text) -> list[tuple[str, str]]:
    """The colophon as lines of a table, in the study's language."""
    low, high = colophon.rows
    return [
        *colophon.versions.items(),
        *((text.axis("colophon.parameter", name=name), str(value)) for name, value in colophon.parameters.items()),
        *((text.axis("colophon.data", name=name), code[:12]) for name, code in colophon.data.items()),
        (text.axis("colophon.rows"), f"{low:,}" if low == high else f"{low:,} – {high:,}"),
        (text.axis("colophon.seed"), str(colophon.seed)),
        (text.axis("colophon.date"), colophon.date),
    ]


@cache
def versions() -> dict[str, str]:
    """Software -> version, as installed when this process first asked: reading it takes long."""
    found = {"cxresearch": __version__, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # not needed by every notebook
            continue
    return found
