"""Figures of expert weights: who weighs what, who judges consistently, and what weighs most over all levels."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxresearch.core.results import Result, choices
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError
from cxresearch.present.plots.style import ACCENT, INK, MUTED, PALETTE, WARN, axes_of, hide_marks, wrapped
from cxresearch.present.text import current_text

LINE = 0.26  # inches a line of the figure
MOST_EXPERTS = 40  # one line an expert up to here, one line a parent beyond
TOGETHER = (  # words of method, key of the legend, marker, colour, offset from the middle of the line
    ("aij", "ahp_together_aij", "D", ACCENT, -0.3),
    ("aip; geometric", "ahp_together_aip", "s", PALETTE[2], 0.3),
    ("aip; arithmetic", "ahp_together_mean", "s", PALETTE[3], 0.4),
)


def plot_weights(result: Result, *, parent: str = "", ax: Axes | None = None) -> Axes:
    """Local weights of each expert as dots, and of the experts together with 95 % intervals.

    Parameters
    ----------
    result : of `weigh_experts`
    parent : below which criterion; the goal where not given
    """
    text = current_text()
    parent = parent or str(result.table["scale"].iloc[0])
    rows = result.pick("weight_local", scale=parent)
    main = result.pick("weight_local", scale=parent, method="main result").sort_values("estimate")
    if main.empty:
        raise InputError("`parent` must have criteria below it", f"found {parent}", "See the hierarchy of the study.")
    places = {term: float(place) for place, term in enumerate(main["term"])}
    ax = axes_of(ax, width=7.2, height=1.3 + 0.5 * len(places))
    alone = rows[rows["group"] != ""]
    together = rows[(rows["group"] == "") & ~rows["method"].str.contains("other treatment")]
    ratios = result.pick("consistency_ratio", scale=parent)
    over = ratios.loc[~RULES["consistency_ratio"].met(ratios["estimate"].to_numpy()), "group"]
    _draw_experts(ax, alone, places, set(over))
    for words, key, marker, colour, offset in TOGETHER:
        if words == "aip; arithmetic" and not choices(words) <= choices(main["method"].iloc[0]):
            continue
        part = together.loc[[choices(words) <= choices(method) for method in together["method"]]]
        at = part["term"].map(places) + offset
        ax.hlines(at, part["conf_low"], part["conf_high"], color=colour, linewidth=1.8)
        ax.plot(part["estimate"], at, marker, color=colour, markersize=5, label=text.axis(key))
    ax.set_yticks(list(places.values()), [wrapped(text.label(term)) for term in places])
    ax.set_ylim(-0.6, len(places) - 0.4)
    ax.set_xlim(left=0)
    ax.grid(axis="y")
    ax.set_xlabel(text.axis("ahp_weight" if main["conf_low"].notna().any() else "ahp_weight_plain"))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8)
    return ax


def _draw_experts(ax: Axes, alone: pd.DataFrame, places: dict[str, float], over: set[str]) -> None:
    """One dot an expert, spread over the height of the line; those above the limit of consistency stand out."""
    text = current_text()
    experts = {name: place for place, name in enumerate(alone["group"].unique())}
    spread = alone["group"].map(experts) / max(len(experts) - 1, 1) * 0.36 - 0.18
    at = alone["term"].map(places) + spread
    within = ~alone["group"].isin(over)
    looks = [(within, "o", MUTED, "ahp_expert"), (~within, "X", WARN, "ahp_expert_over")]
    size = 4 if len(experts) <= MOST_EXPERTS else 2
    for some, marker, colour, key in looks:
        if some.any():
            ax.plot(
                alone.loc[some, "estimate"],
                at[some],
                marker,
                color=colour,
                markersize=size,
                alpha=0.75,
                label=text.axis(key, value=RULES["consistency_ratio"].value),
            )


def plot_consistency(result: Result, *, ax: Axes | None = None) -> Axes:
    """Consistency ratio of each expert below each parent, with the limit of Saaty (1980).

    Parameters
    ----------
    result : of `weigh_experts`; with more than 40 experts, a line is a parent instead of an expert
    """
    text = current_text()
    rows = result.pick("consistency_ratio", method="one expert")
    line, other = ("group", "scale") if rows["group"].nunique() <= MOST_EXPERTS else ("scale", "group")
    places = {name: float(-place) for place, name in enumerate(rows[line].unique())}
    ax = axes_of(ax, width=7.2, height=1.3 + LINE * len(places))
    rule = RULES["consistency_ratio"]
    label = text.axis("ahp_rule", value=rule.value, citation=rule.citation)
    ax.axvline(rule.value, color=INK, linewidth=1, linestyle="--", label=label, zorder=1)
    within = rule.met(rows["estimate"].to_numpy())
    at = rows[line].map(places).to_numpy(float)
    if line == "scale":
        at = at + np.random.default_rng(0).uniform(-0.25, 0.25, len(at))  # so that dots do not hide each other
    for some, colour, key in ((within, ACCENT, "ahp_within"), (~within, WARN, "ahp_over")):
        if some.any():
            ax.plot(rows["estimate"][some], at[some], "o", color=colour, markersize=5, alpha=0.7, label=text.axis(key))
    if line == "group":
        over = rows[~within].sort_values("estimate")
        for name, part in over.groupby(line, sort=False):  # one note a line, so that names do not lie on each other
            end = (part["estimate"].iloc[-1], places[name])
            said = text.listed(part[other])
            ax.annotate(said, end, (5, 4), textcoords="offset points", ha="right", fontsize=7, color=WARN)
    ax.set_yticks(list(places.values()), [wrapped(text.label(name)) for name in places])
    ax.set_xlim(left=-0.005)
    ax.margins(y=0.05)
    ax.grid(axis="y")
    ax.set_xlabel(text.axis("ahp_ratio"))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8)
    return ax


def plot_global_weights(result: Result, *, ax: Axes | None = None) -> Axes:
    """Global weights of all criteria with 95 % intervals, from the goal downwards.

    Parameters
    ----------
    result : of `weigh_experts`
    """
    text = current_text()
    rows = result.pick("weight_global", method="main result")
    rows = rows[~(rows["term"].duplicated(keep=False) & (rows["scale"] != rows["scale"].iloc[0]))]
    lines = _downwards(rows, str(rows["scale"].iloc[0]))
    ax = axes_of(ax, width=7.5, height=1.3 + LINE * len(lines))
    parents = set(rows["scale"])
    at = {term: float(-place) for place, (term, _) in enumerate(lines)}
    for upper, colour, marker, key in ((True, INK, "D", "ahp_global_parent"), (False, ACCENT, "o", "ahp_global_leaf")):
        part = rows[rows["term"].isin(parents) == upper]
        if len(part):
            height = part["term"].map(at)
            ax.hlines(height, part["conf_low"], part["conf_high"], color=colour, linewidth=1.8)
            ax.plot(part["estimate"], height, marker, color=colour, markersize=5, label=text.axis(key))
    ax.set_yticks(list(at.values()), [wrapped(text.label(term), 44, 1) + "   " * depth for term, depth in lines])
    for tick, (term, _) in zip(ax.get_yticklabels(), lines, strict=True):
        tick.set(fontweight="bold" if term in parents else "normal", fontsize=8)
    hide_marks(ax)
    ax.set_xlim(left=0)
    ax.margins(y=0.02)
    ax.grid(axis="both")
    ax.set_xlabel(text.axis("ahp_global" if rows["conf_low"].notna().any() else "ahp_global_plain"))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8)
    return ax


def _downwards(rows: pd.DataFrame, parent: str, depth: int = 0) -> list[tuple[str, int]]:
    """(criterion, how deep below the first level), each followed by those below it."""
    found = []
    for term in rows.loc[rows["scale"] == parent, "term"]:
        found += [(str(term), depth), *_downwards(rows, str(term), depth + 1)]
    return found
