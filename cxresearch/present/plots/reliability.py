"""Figures of reliability: scales with their intervals and items within, and how each item was answered."""

from collections import Counter
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from cxresearch.core.results import Result
from cxresearch.core.rules import RULES
from cxresearch.present.plots.style import ACCENT, DIVERGING, INK, MUTED, PALETTE, WARN, axes_of, hide_marks, wrapped
from cxresearch.present.text import current_text

LINE = 0.24  # inches a line of the figure
OFFSET = 0.2  # of alpha above and omega below the middle of a line


def plot_reliability(result: Result, *, ax: Axes | None = None) -> Axes:
    """Alpha and omega of each scale with 95 % intervals; below, alpha without each of its items.

    Parameters
    ----------
    result : of `check_reliability`
    ax : axes to draw on; new ones, as tall as the scales need, by default
    """
    text = current_text()
    scales, omegas, items = (result.pick(name) for name in ("alpha", "omega_total", "alpha_if_dropped"))
    places = _places(scales, items)
    ax = axes_of(ax, width=7.5, height=1.4 + LINE * len(places))
    rule = RULES["alpha_acceptable"]
    label = text.axis("reliability_rule", value=rule.value, citation=rule.citation)
    ax.axvline(rule.value, color=MUTED, linewidth=1, linestyle="--", zorder=1, label=label)
    _draw_scales(ax, scales, places, -OFFSET, (ACCENT, "o", "reliability_alpha"))
    doubtful = omegas["method"].str.contains("heywood case")
    _draw_scales(ax, omegas[~doubtful], places, OFFSET, (PALETTE[1], "D", "reliability_omega"))
    if doubtful.any():
        _draw_scales(ax, omegas[doubtful], places, OFFSET, (PALETTE[1], "D", "reliability_heywood"), fill="none")
    own = items["scale"].map(scales.set_index("scale")["estimate"]).astype(float)  # of no items: not text
    raises = items["estimate"] > own
    for part, colour, key in (
        (items[~raises], MUTED, "reliability_dropped"),
        (items[raises], WARN, "reliability_raises"),
    ):
        at = [places[key] for key in zip(part["scale"], part["term"], strict=True)]
        ax.plot(part["estimate"], at, "o", color=colour, markersize=4, fillstyle="none", label=text.axis(key))
    _label_lines(ax, places)
    ends = pd.concat([scales, omegas])[["estimate", "conf_low", "conf_high"]].to_numpy()
    low = min(0.0, float(np.nanmin(ends)), float(items["estimate"].min()) if len(items) else 0.0)
    ax.set_xlim(low - 0.02, max(1.0, float(np.nanmax(ends))) + 0.02)
    ax.set_xlabel(text.axis("reliability"))
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=8)
    return ax


def _draw_scales(
    ax: Axes,
    rows: pd.DataFrame,
    places: dict[tuple[str, str], float],
    offset: float,
    look: tuple[str, str, str],
    fill: Literal["full", "none"] = "full",
) -> None:
    """One coefficient of each scale with its interval, where it has one; look: colour, marker, key of the legend."""
    colour, marker, key = look
    at = np.array([places[scale, ""] + offset for scale in rows["scale"]])
    ax.hlines(at, rows["conf_low"], rows["conf_high"], color=colour, linewidth=1.8, zorder=2)
    label = current_text().axis(key)
    ax.plot(rows["estimate"], at, marker, color=colour, markersize=5, fillstyle=fill, zorder=3, label=label)


def _places(scales: pd.DataFrame, items: pd.DataFrame) -> dict[tuple[str, str], float]:
    """(scale, item) -> line; the scale itself has item ""; half a line of room after each scale."""
    places, line = {}, 0.0
    for scale in scales["scale"]:
        for term in ["", *items.loc[items["scale"] == scale, "term"]]:
            places[str(scale), str(term)] = line
            line += 1
        line += 0.4
    return places


def _label_lines(ax: Axes, places: dict[tuple[str, str], float]) -> None:
    """Scales in bold and items indented, first at the top."""
    text = current_text()
    ax.set_yticks(list(places.values()))
    ax.set_yticklabels([wrapped(text.label(term or scale), 44, 1) + ("  " if term else "") for scale, term in places])
    for label, (_, term) in zip(ax.get_yticklabels(), places, strict=True):
        label.set(fontweight="normal" if term else "bold", color=MUTED if term else INK, fontsize=7.5 if term else 8.5)
    hide_marks(ax)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(max(places.values()) + 0.7, -1)
    ax.grid(axis="x")


def plot_answers(result: Result, *, ax: Axes | None = None) -> Axes:
    """Shares of the answers to each item, as bars that diverge from the middle of the answer scale.

    Parameters
    ----------
    result : of `check_items`
    ax : axes to draw on; new ones, as tall as the items need, by default

    Notes
    -----
    Colours show the place of an answer on the item's own scale, so that items with 5 and with 10 answers can stand side by side;
    then the legend tells places rather than answers, and labels name the scales that differ from the usual one.
    """
    text = current_text()
    shares = result.pick("item_share").drop_duplicates(["term", "group"])
    items = {str(term): rows for term, rows in shares.groupby("term", sort=False)}
    ax = axes_of(ax, width=7.5, height=1.4 + 0.3 * len(items))
    if not items:
        ax.set_axis_off()
        ax.text(0.5, 0.5, text.axis("answers_none"), ha="center", transform=ax.transAxes)
        return ax
    _draw_answers(ax, [100 * rows["estimate"].to_numpy() for rows in items.values()])
    scales = {term: tuple(rows["group"]) for term, rows in items.items()}
    usual = Counter(scales.values()).most_common(1)[0][0]
    ends = {term: "" if scale == usual else f" ({scale[0]}\u2013{scale[-1]})" for term, scale in scales.items()}
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(items)), [wrapped(text.label(term), 40) + ends[term] for term in items], fontsize=7.5)
    hide_marks(ax)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(len(items) - 0.4, -0.6)
    ax.set_xlim(-100, 100)
    ax.set_xticks(range(-100, 101, 25), [f"{abs(tick)}" for tick in range(-100, 101, 25)])
    ax.set_xlabel(text.axis("answers_share"))
    if any(ends.values()):
        places = [text.axis(f"answers_{place}") for place in ("lowest", "low", "middle", "high", "highest")]
        _explain_answers(ax, places, text.axis("answers_usual", low=usual[0], high=usual[-1]))
    else:
        _explain_answers(ax, list(usual), text.axis("answers_answer"))
    return ax


def _draw_answers(ax: Axes, shares: list[np.ndarray]) -> None:
    """A bar an item, of the percentages of its answers; a middle answer stands half to the left and half to the right."""
    lefts = []
    for percentages in shares:
        k = len(percentages)
        middle = percentages[: k // 2].sum() + (percentages[k // 2] / 2 if k % 2 else 0)
        lefts.append(np.concatenate([[0], np.cumsum(percentages)[:-1]]) - middle)
    ks = [len(percentages) for percentages in shares]
    lines, colours = np.repeat(np.arange(len(ks)), ks), np.concatenate([_tones(k) for k in ks])
    ax.barh(lines, np.concatenate(shares), left=np.concatenate(lefts), height=0.75, color=colours, linewidth=0)


def _explain_answers(ax: Axes, answers: list[str], title: str) -> None:
    """A legend above the axes."""
    patches = [Patch(color=colour, label=answer) for colour, answer in zip(_tones(len(answers)), answers, strict=True)]
    ax.legend(
        handles=patches,
        title=title,
        title_fontsize=8,
        ncols=len(answers),
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        handlelength=1,
        handletextpad=0.4,
        columnspacing=1,
        fontsize=8,
    )


def _tones(k: int) -> np.ndarray:
    """Colours of k answers, lowest first; the outermost tones of the map are too dark to tell apart."""
    return plt.get_cmap(DIVERGING)(np.linspace(0.12, 0.88, k) if k > 1 else np.array([0.5]))
