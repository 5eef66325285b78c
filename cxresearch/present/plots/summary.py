"""Figures of the summary over studies."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from cxresearch.core.results import Result
from cxresearch.present.plots.style import ACCENT, INK, MUTED, axes_of, hide_marks, wrapped
from cxresearch.present.text import current_text

MOST_LINES = 40  # a figure with more is unreadable: those that differ most between studies are drawn


def plot_pooled(result: Result, *, ax: Axes | None = None) -> Axes:
    """Pooled numbers with their 95 % intervals over the interval where a new study is expected; each study is a small dot.

    Parameters
    ----------
    result : of `pool_studies`; of many numbers those are drawn that differ most between the studies
    ax : axes to draw on; new ones, as tall as the numbers need, by default
    """
    text = current_text()
    pooled, spread, far, studies = (
        result.pick(name).set_index(["scale", "term"])
        for name in ("pooled_estimate", "tau", "prediction", "study_estimate")
    )
    shown = pooled.loc[spread["estimate"].nlargest(MOST_LINES).index].sort_values(
        "estimate", ascending=False, kind="stable"
    )
    ax = axes_of(ax, height=1.5 + 0.36 * len(shown))
    lines = np.arange(len(shown))
    expected = far.reindex(shown.index)
    ax.hlines(
        lines,
        expected["conf_low"],
        expected["conf_high"],
        color=MUTED,
        linewidth=6,
        alpha=0.25,
        label=text.axis("pooled_prediction"),
    )
    places = {key: line for line, key in enumerate(shown.index)}
    dots = studies[studies.index.isin(shown.index)]
    ax.plot(
        dots["estimate"],
        [places[key] for key in dots.index],
        "o",
        color=INK,
        markersize=3.5,
        alpha=0.6,
        label=text.axis("pooled_study"),
    )
    ax.hlines(lines, shown["conf_low"], shown["conf_high"], color=ACCENT, linewidth=2)
    ax.plot(shown["estimate"], lines, "D", color=ACCENT, markersize=6, label=text.axis("pooled_together"))
    ax.set_yticks(lines, [_name(scale, term) for scale, term in shown.index])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    hide_marks(ax)
    quantity = result.pick("study_estimate")["method"].iloc[0].removeprefix("of ")
    cut = "" if len(shown) == len(pooled) else "\n" + text.axis("pooled_shown", shown=len(shown), every=len(pooled))
    drawn = _keep_in_sight(ax, [*dots["estimate"], *shown["estimate"]], [*shown["conf_low"], *shown["conf_high"]])
    ax.set_xlabel(text.quantity(quantity) + cut + ("" if drawn else "\n" + text.axis("pooled_cut")))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    ax.grid(axis="x")
    return ax


def _keep_in_sight(ax: Axes, estimates: Sequence[float], bounds: Sequence[float]) -> bool:
    """Cut the axis where intervals of a few studies run so far that the estimates could not be told apart; whether all is drawn."""
    low, high = min(estimates), max(estimates)
    room = 2 * max(high - low, 0.05 * max(abs(low), abs(high)))
    if low - room <= min(bounds) and max(bounds) <= high + room:
        return True
    ax.set_xlim(low - room, high + room)
    return False


def _name(scale: str, term: str) -> str:
    """The item or driver, with its scale where that says more."""
    text = current_text()
    parts = [term] if scale == "drivers" else [part for part in (scale, term) if part]
    return wrapped(" · ".join(text.label(part) for part in parts), 34, 1)
