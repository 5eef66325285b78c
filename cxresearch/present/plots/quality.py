"""Figures of data quality: what is missing, and who answered."""

from unicodedata import east_asian_width

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxresearch.core.results import Result
from cxresearch.core.rules import RULES
from cxresearch.present.plots.style import ACCENT, INK, MUTED, WARN, axes_of
from cxresearch.present.text import current_text

_LINE = 0.22  # inches a line of a figure takes
_LABEL = 46  # letters of a label that fit beside the axis


def plot_missing(result: Result, *, ax: Axes | None = None) -> Axes:
    """Share of missing answers of each item with its interval, and the part outside the scale.

    Parameters
    ----------
    result : of check_quality
    ax : axes to draw on; new ones where None

    Returns
    -------
    The axes.
    """
    text = current_text()
    shares = result.pick("missing_share").set_index("term")
    outside = result.pick("out_of_range").set_index("term")["estimate"].reindex(shares.index)
    places = np.arange(len(shares))
    ax = axes_of(ax, height=1.4 + _LINE * len(shares))
    ax.barh(places, 100 * shares["estimate"], 0.7, color=ACCENT, label=text.axis("missing_all"))
    if outside.gt(0).any():
        ax.barh(places, 100 * outside, 0.7, color=WARN, label=text.axis("missing_outside"))
    ax.errorbar(100 * shares["estimate"], places, xerr=_arms(shares), fmt="none", ecolor=INK, elinewidth=0.8, capsize=2)
    rule = RULES["missing_share"]
    said = text.axis("missing_rule", value=rule.value, citation=rule.citation)
    ax.axvline(100 * rule.value, color=MUTED, linestyle="--", linewidth=1, label=said)
    ax.set_yticks(places, [_short(text.label(item)) for item in shares.index])
    ax.set_ylim(len(shares) - 0.4, -0.6)
    ax.set_xlim(0, max(1.15 * 100 * rule.value, 100 * shares["conf_high"].max() * 1.03))
    ax.set_xlabel(text.axis("missing_share"))
    ax.grid(axis="x")
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)
    return ax


def plot_sample(result: Result, *, ax: Axes | None = None) -> Axes:
    """Share of each group with its interval, by grouping column; hollow points are unweighted where there are weights.

    Parameters
    ----------
    result : of check_sample
    ax : axes to draw on; new ones where None

    Returns
    -------
    The axes.
    """
    text = current_text()
    rows = result.pick("group_share")
    if rows.empty:
        ax = axes_of(ax, height=1.2)
        ax.text(0.5, 0.5, text.axis("sample_no_groups"), ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()
        return ax
    places = np.arange(len(rows)) + 1.4 * rows["term"].ne(rows["term"].shift()).cumsum().to_numpy() - 0.4
    ax = axes_of(ax, height=0.8 + _LINE * (places[-1] + 1))
    ax.errorbar(
        100 * rows["estimate"], places, xerr=_arms(rows), fmt="o", color=ACCENT, markersize=4, elinewidth=1.2, capsize=2,
        label=text.axis("sample_weighted"),
    )  # fmt: skip
    _add_unweighted(ax, result, rows, places)
    ax.set_yticks(
        places, [_short(text.label(group, of=term)) for term, group in zip(rows["term"], rows["group"], strict=True)]
    )
    for term in rows["term"].unique():
        first = places[(rows["term"] == term).to_numpy()][0]
        ax.text(
            0, first - 1, text.label(term), weight="bold", ha="left", va="center", transform=ax.get_yaxis_transform()
        )
    ax.set_ylim(places[-1] + 0.6, places[0] - 1.6)
    ax.set_xlim(0, None)
    ax.set_xlabel(text.axis("sample_share"))
    ax.grid(axis="x")
    return ax


def _add_unweighted(ax: Axes, result: Result, rows: pd.DataFrame, places: np.ndarray) -> None:
    plain = result.records()
    plain = plain[plain["method"].str.startswith("unweighted") & (plain["quantity"] == "group_share")]
    if plain.empty:
        return
    by_group = plain.set_index(["term", "group"])["estimate"].loc[list(zip(rows["term"], rows["group"], strict=True))]
    ax.plot(
        100 * by_group, places, "o", color=MUTED, markerfacecolor="none", markersize=6,
        label=current_text().axis("sample_unweighted"),
    )  # fmt: skip
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)


def _arms(rows: pd.DataFrame) -> np.ndarray:
    """Lengths of the arms of the intervals (2, m), in percent; none where there is no interval."""
    below = rows["estimate"] - rows["conf_low"]
    above = rows["conf_high"] - rows["estimate"]
    return 100 * np.nan_to_num(np.clip([below, above], 0, None))


def _short(label: str) -> str:
    """A label that fits beside the axis; Chinese characters take the room of two."""
    room = _LABEL
    for place, letter in enumerate(label):
        room -= 2 if east_asian_width(letter) in "WF" else 1
        if room < 0:
            return f"{label[:place].rstrip()}…"
    return label
