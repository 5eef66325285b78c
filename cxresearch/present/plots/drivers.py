"""Figures of the service drivers: importance with intervals, importance-performance map."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

from cxresearch.core.results import Result
from cxresearch.errors import InputError
from cxresearch.present.plots.labels import label_points
from cxresearch.present.plots.style import ACCENT, MUTED, PALETTE, axes_of, hide_marks, wrapped
from cxresearch.present.text import current_text

CORNERS = {1: (0.01, 0.985, "left", "top"), 2: (0.99, 0.985, "right", "top"),
           3: (0.01, 0.015, "left", "bottom"), 4: (0.99, 0.015, "right", "bottom")}  # fmt: skip
MANY_LETTERS = 22  # width of a label on the map


def plot_importance(result: Result, *, ax: Axes | None = None) -> Axes:
    """Share of R² of each driver: LMG as bars with 95 % intervals, Johnson's relative weights as diamonds.

    Parameters
    ----------
    result : of `regress_drivers`; with too many drivers for LMG, Johnson's weights are the bars
    ax : axes to draw on; new ones, as tall as the drivers need, by default
    """
    text = current_text()
    main, other = result.pick("importance_lmg"), result.pick("importance_johnson")
    key = "drivers_lmg"
    if main.empty:
        main, other, key = other, main, "drivers_johnson_interval"
    main = main.sort_values("estimate", ascending=False)
    lines = np.arange(len(main))
    ax = axes_of(ax, height=1.5 + 0.42 * len(main))
    drawn: list[Any] = [
        ax.barh(lines, main["estimate"], height=0.62, color=ACCENT, alpha=0.75, linewidth=0, label=text.axis(key))
    ]
    ax.hlines(lines, main["conf_low"], main["conf_high"], color="black", linewidth=1.4)
    if len(other):
        at = other.set_index("term").loc[main["term"], "estimate"]
        look: dict[str, Any] = {"color": PALETTE[1], "markeredgecolor": "black", "markersize": 5.5}
        drawn += ax.plot(at, lines, "D", label=text.axis("drivers_johnson"), **look)
    ax.set_yticks(lines, [wrapped(text.label(term), 36, 2) for term in main["term"]])
    hide_marks(ax)
    ax.set_ylim(len(main) - 0.4, -0.6)
    ax.set_xlim(left=0)
    outcome = text.label(result.pick("correlation")["scale"].iloc[0])
    ax.set_xlabel(wrapped(text.axis("drivers_share", outcome=outcome, total=result.value("r_squared")), 54, 3))
    ax.legend(handles=drawn, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    ax.grid(axis="x")
    return ax


def plot_importance_performance(result: Result, *, ax: Axes | None = None) -> Axes:
    """Importance-performance map: each driver by its mean and its share of R², with 95 % intervals of both.

    Parameters
    ----------
    result : of `regress_drivers`; its `crosshair` is where the quadrants meet, if there are any
    ax : axes to draw on; new ones by default

    References
    ----------
    Martilla and James (1977) Journal of Marketing 41:77-79, doi:10.1177/002224297704100112.
    """
    text = current_text()
    x = result.pick("performance").set_index("term")
    if x.empty:
        raise InputError(
            "the map needs the means of the drivers", "found none", "Give `mean` to the moments, or the rows."
        )
    y = result.pick(f"importance_{result.importance}").set_index("term").loc[x.index]  # type: ignore[attr-defined]
    middle = result.crosshair  # type: ignore[attr-defined]
    ax = axes_of(ax, width=7.2, height=5.6)
    faint: dict[str, Any] = {"color": MUTED, "linewidth": 1, "alpha": 0.45, "zorder": 1}
    ax.hlines(y["estimate"], x["conf_low"], x["conf_high"], **faint)
    ax.vlines(x["estimate"], y["conf_low"], y["conf_high"], **faint)
    ax.plot(x["estimate"], y["estimate"], "o", color=ACCENT, markersize=7, zorder=3)
    for rows, limits in ((x, ax.set_xlim), (y, ax.set_ylim)):
        ends = rows[["estimate", "conf_low", "conf_high"]].to_numpy()
        low, high = np.nanmin(ends), np.nanmax(ends)
        room = 0.12 * (high - low) or 1.0
        limits(low - room, high + room)
    corners = _draw_quadrants(ax, middle) if middle else []
    ax.set_xlabel(text.axis("drivers_performance_100" if result.on_hundred else "drivers_performance"))  # type: ignore[attr-defined]
    ax.set_ylabel(text.axis("drivers_importance"))
    labels = [wrapped(text.label(term), MANY_LETTERS, 2) for term in x.index]
    lines = np.vstack(
        [
            np.column_stack([x["conf_low"], y["estimate"], x["conf_high"], y["estimate"]]),
            np.column_stack([x["estimate"], y["conf_low"], x["estimate"], y["conf_high"]]),
        ]
    )
    if middle:
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        lines = np.vstack([lines, [[middle[0], bottom, middle[0], top], [left, middle[1], right, middle[1]]]])
    label_points(ax, x["estimate"].to_list(), y["estimate"].to_list(), labels, avoid=corners, lines=lines)
    return ax


def _draw_quadrants(ax: Axes, middle: tuple[float, float]) -> list[Text]:
    """The lines of the map; returns the names of its corners."""
    ax.axvline(middle[0], color=MUTED, linewidth=0.9, linestyle="--", zorder=1)
    ax.axhline(middle[1], color=MUTED, linewidth=0.9, linestyle="--", zorder=1)
    return [
        ax.text(left, top, _headed(current_text().label(f"quadrant.{quadrant}")), transform=ax.transAxes, ha=across,
                va=along, color=MUTED, fontsize=9.5, fontstyle="normal", fontweight="bold")
        for quadrant, (left, top, across, along) in CORNERS.items()
    ]  # fmt: skip


def _headed(words: str) -> str:
    """Words with a capital first letter."""
    return words[:1].upper() + words[1:]
