"""Figures of case comparisons: groups with intervals, differences of pairs with intervals."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxresearch.core.results import PAIR, Result
from cxresearch.present.numbers import write_decimals
from cxresearch.present.plots.style import ACCENT, INK, MUTED, axes_of, hide_marks, wrapped
from cxresearch.present.text import SHOWN_PAIR, current_text

MOST_PAIRS = 40  # a figure with more is unreadable: the clearest are drawn


def plot_groups(result: Result, *, ax: Axes | None = None) -> Axes:
    """Means of the groups with 95 % intervals, the highest at the top.

    Parameters
    ----------
    result : of `compare_cases`; its first measure is drawn
    ax : axes to draw on; new ones, as tall as the groups need, by default
    """
    text = current_text()
    measure, by = result.measures[0], result.by  # type: ignore[attr-defined]
    means = result.pick("group_mean", scale=measure)
    means = means[["unweighted" not in method.split("; ") for method in means["method"]]].sort_values(
        "estimate", ascending=False, kind="stable"
    )
    ax = axes_of(ax, height=1.2 + 0.42 * len(means))
    lines = np.arange(len(means))
    ax.hlines(lines, means["conf_low"], means["conf_high"], color=ACCENT, linewidth=2)
    ax.plot(means["estimate"], lines, "o", color=ACCENT, markersize=7)
    _write_values(ax, means, lines)
    names = [
        text.axis("cases_group", group=wrapped(text.label(group, of=by), 34, 2), n=n)
        for group, n in zip(means["group"], means["n"], strict=True)
    ]
    ax.set_yticks(lines, names)
    ax.set_ylim(len(means) - 0.4, -0.75)
    hide_marks(ax)
    ax.set_xlabel(wrapped(text.axis("cases_mean", measure=text.label(measure)), 54, 3))
    ax.grid(axis="x")
    return ax


def plot_pairs(result: Result, *, ax: Axes | None = None) -> Axes:
    """Differences of pairs of groups with simultaneous 95 % intervals; pairs whose interval leaves out zero stand out.

    Parameters
    ----------
    result : of `compare_cases`; its first measure is drawn, of many pairs the clearest, the largest difference at the top
    ax : axes to draw on; new ones, as tall as the pairs need, by default
    """
    text = current_text()
    measure, by = result.measures[0], result.by  # type: ignore[attr-defined]
    pairs = result.pick("mean_difference", scale=measure)
    every = len(pairs)
    if every > MOST_PAIRS:
        pairs = pairs.loc[pairs["statistic"].abs().nlargest(MOST_PAIRS).index]
    pairs = pairs.sort_values("estimate", ascending=False, kind="stable")
    ax = axes_of(ax, height=1.5 + 0.34 * max(len(pairs), 1))
    lines = np.arange(len(pairs))
    clear = ((pairs["conf_low"] > 0) | (pairs["conf_high"] < 0)).to_numpy()
    ax.axvline(0, color=INK, linewidth=0.9, zorder=1)
    for chosen, colour, key in ((clear, ACCENT, "cases_clear"), (~clear, MUTED, "cases_unclear")):
        part, at = pairs[chosen], lines[chosen]
        ax.hlines(at, part["conf_low"], part["conf_high"], color=colour, linewidth=2)
        if len(part):
            ax.plot(part["estimate"], at, "o", color=colour, markersize=6, label=text.axis(key))
    ax.set_yticks(lines, [_pair_label(pair, by) for pair in pairs["term"]])
    ax.set_ylim(len(pairs) - 0.4, -0.6)
    hide_marks(ax)
    label = text.axis("cases_difference", measure=text.label(measure))
    shown = "" if len(pairs) == every else "\n" + text.axis("cases_shown", shown=len(pairs), every=every)
    ax.set_xlabel(wrapped(label, 50, 3) + shown)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    ax.grid(axis="x")
    return ax


def _write_values(ax: Axes, means: pd.DataFrame, lines: np.ndarray) -> None:
    for line, estimate in zip(lines, means["estimate"], strict=True):
        ax.annotate(
            write_decimals(estimate, 2), (estimate, line), (0, 6), textcoords="offset points", ha="center", fontsize=8
        )


def _pair_label(pair: str, by: str) -> str:
    """Both groups on one line if they fit, else one below the other."""
    parts = [wrapped(current_text().label(code, of=by), 40, 1) for code in pair.split(PAIR)]
    together = SHOWN_PAIR.join(parts)
    return together if wrapped(together, 40, 1) == together else f"{SHOWN_PAIR.rstrip()}\n".join(parts)
