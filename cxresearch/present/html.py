"""What all pages have in common: templates of one look, and how an outcome is told."""

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from cxresearch.present.text import Text


class Outcome(Protocol):
    """What became of one notebook in a run."""

    @property
    def notebook(self) -> str:
        """Its name, as 01_reliability."""

    @property
    def status(self) -> str:
        """One of ok, skipped, failed."""

    @property
    def reason(self) -> str:
        """Why it was skipped or failed."""

    @property
    def missing(self) -> Sequence[str]:
        """Of a skipped one, the keys that the study file lacks."""

    @property
    def cell(self) -> int | None:
        """Of a failed one, the cell that stopped it."""


@cache
def template(name: str) -> Template:
    """One of templates/; what is filled in is escaped."""
    loader = PackageLoader("cxresearch.present", "templates")
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    return environment.get_template(name)


def reason_of(outcome: Outcome, text: Text) -> str:
    """Why a notebook was left out, in the study's language; the message of an error as it is."""
    if outcome.missing:
        return text.note("page.lacks", keys=[f"`{key}`" for key in outcome.missing])
    if outcome.cell is not None:
        error = outcome.reason.removeprefix(f"cell {outcome.cell}: ")
        return text.note("page.stopped", cell=outcome.cell, error=error)
    return outcome.reason


def with_code(message: str) -> str:
    """A message as HTML, what stands in backticks as code.

    >>> with_code("no `groups` < 2")
    'no <code>groups</code> &lt; 2'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(message))
