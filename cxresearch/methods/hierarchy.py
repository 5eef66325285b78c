"""The tree of criteria: its checks, its order, and weights over all its levels."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from cxresearch.errors import InputError

Hierarchy = dict[str, list[str]]


def order_hierarchy(hierarchy: Mapping[str, Iterable[object]]) -> Hierarchy:
    """The hierarchy from the goal downwards, each parent before its children; the goal is the first key.

    A criterion may stand below several parents on one level, as alternatives do that are compared under each criterion.

    Raises
    ------
    InputError
        If there is no single goal, a circle, a parent without criteria, or a criterion twice below one parent.

    >>> order_hierarchy({"price": ["fair", "clear"], "goal": ["price", "speed"]})
    {'goal': ['price', 'speed'], 'price': ['fair', 'clear']}
    """
    children = {str(parent): [str(child) for child in below] for parent, below in hierarchy.items()}
    goals = [parent for parent in children if not any(parent in below for below in children.values())]
    ordered: Hierarchy = {}
    while ready := [parent for parent in children if parent not in ordered and _is_ready(parent, children, ordered)]:
        ordered |= {parent: children[parent] for parent in ready}
    faults = [f"{parent} has no criteria" for parent, below in children.items() if not below]
    faults += [
        f"{child} stands {count} times below {parent}"
        for parent, below in children.items()
        for child, count in Counter(below).items()
        if count > 1
    ]
    circle = [parent for parent in children if parent not in ordered]
    if circle:
        faults.append(f"a circle through {', '.join(circle)}")
    if len(goals) != 1 and not circle:
        faults.append(f"{len(goals)} goals: {', '.join(goals)}" if goals else "no criteria at all")
    if len(goals) == 1:
        faults += [
            f"{child} stands below {goals[0]} and below {parent}"
            for parent, below in children.items()
            for child in below
            if parent != goals[0] and child in children[goals[0]]
        ]
    if faults:
        raise InputError(
            "`hierarchy` must be a tree of criteria below one goal",
            f"found {'; '.join(faults)}",
            "Write each parent with the criteria below it, e.g. {goal: [speed, price], speed: [waiting, handling]}.",
        )
    return ordered


def _is_ready(parent: str, children: Hierarchy, ordered: Hierarchy) -> bool:
    return all(above in ordered for above, below in children.items() if parent in below)


def leaves(hierarchy: Hierarchy) -> list[str]:
    """The criteria that have none below them, each once."""
    return list(dict.fromkeys(child for below in hierarchy.values() for child in below if child not in hierarchy))


def global_weights(hierarchy: Hierarchy, local: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Global weights by parent: the share of the goal that each criterion receives through this parent.

    Parameters
    ----------
    hierarchy : as `order_hierarchy` returns it
    local : parent -> (..., k) weights of its criteria

    >>> weights = {"goal": np.array([0.6, 0.4]), "price": np.array([0.5, 0.5])}
    >>> global_weights({"goal": ["price", "speed"], "price": ["fair", "clear"]}, weights)["price"]
    array([0.3, 0.3])
    """
    received: dict[str, np.ndarray] = {next(iter(hierarchy)): np.asarray(1.0)}
    shares = {}
    for parent, below in hierarchy.items():
        shares[parent] = received[parent][..., None] * local[parent]
        for place, child in enumerate(below):
            received[child] = received.get(child, np.asarray(0.0)) + shares[parent][..., place]
    return shares


def shared_totals(hierarchy: Hierarchy, shares: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The whole global weight of each criterion that stands below several parents: the sum of what it receives.

    >>> hierarchy = {"goal": ["cost", "style"], "cost": ["car", "van"], "style": ["car", "van"]}
    >>> shares = {"cost": np.array([0.4, 0.2]), "style": np.array([0.1, 0.3])}
    >>> {name: float(weight) for name, weight in shared_totals(hierarchy, shares).items()}
    {'car': 0.5, 'van': 0.5}
    """
    counts = Counter(child for below in hierarchy.values() for child in below)
    totals: dict[str, np.ndarray] = {}
    for parent, below in hierarchy.items():
        for place, child in enumerate(below):
            if counts[child] > 1:
                totals[child] = totals.get(child, np.asarray(0.0)) + shares[parent][..., place]
    return totals
