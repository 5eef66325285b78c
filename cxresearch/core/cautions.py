"""Reservations that several methods share."""

from cxresearch.core.results import Finding
from cxresearch.core.rules import RULES


def few_clusters(n_clusters: int | None) -> list[Finding]:
    """That standard errors rest on few clusters, where they do; `n_clusters` is None without clusters.

    >>> few_clusters(None), [caution.key for caution in few_clusters(12)]
    ([], ['design.few_clusters'])
    """
    rule = RULES["clusters"]
    if n_clusters is None or rule.met(n_clusters):
        return []
    return [Finding("design.few_clusters", {"clusters": n_clusters}, rule)]
