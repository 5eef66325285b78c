"""Reservations that several methods share."""

import re

from cxresearch.core.results import Finding
from cxresearch.core.rules import RULES

_DRAWN = re.compile(r"random sample of (\d+) of (\d+) rows")


def sample_numbers(said: str) -> dict[str, int]:
    """Rows of a random sample, and of the table it was drawn from, as `method` says them; {} where it says of none.

    >>> sample_numbers("weighted; random sample of 5 of 500 rows"), sample_numbers("weighted")
    ({'n': 5, 'total': 500}, {})
    """
    found = _DRAWN.search(said)
    return {"n": int(found[1]), "total": int(found[2])} if found else {}


def few_clusters(n_clusters: int | None) -> list[Finding]:
    """That standard errors rest on few clusters, where they do; `n_clusters` is None without clusters.

    >>> few_clusters(None), [caution.key for caution in few_clusters(12)]
    ([], ['design.few_clusters'])
    """
    rule = RULES["clusters"]
    if n_clusters is None or rule.met(n_clusters):
        return []
    return [Finding("design.few_clusters", {"clusters": n_clusters}, rule)]
