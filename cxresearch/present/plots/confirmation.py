"""Figures of a confirmatory factor analysis: the measurement model, factor correlations, residuals, distinctness."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, FancyBboxPatch

from cxresearch.core.results import Result
from cxresearch.core.rules import RULES
from cxresearch.present.plots.style import ACCENT, DIVERGING, INK, MUTED, PALETTE, WARN, axes_of, hide_marks, wrapped
from cxresearch.present.text import current_text

LINE = 0.34  # inches an item of the path diagram
GAP = 0.7  # lines between two constructs
ITEM, LOADING, CONSTRUCT = 3.0, 2.1, 1.9  # widths in a half of the path diagram: item box, arrow, construct
MIDDLE = 0.5  # room between both halves


def plot_measurement_model(result: Result, *, ax: Axes | None = None) -> Axes:
    """Constructs with arrows to their items and the standardised loadings on them, in two columns.

    Parameters
    ----------
    result : of `confirm_factors`
    ax : axes to draw on; new ones, as tall as the items need, by default
    """
    estimator = _estimator(result)
    rows = result.pick("standardized_loading", method=estimator)
    residuals = result.pick("residual_variance", method=estimator).set_index("term")["estimate"]
    constructs = {str(name): part for name, part in rows.groupby("scale", sort=False)}
    halves = _halves({name: len(part) for name, part in constructs.items()})
    lines = max((sum(len(constructs[name]) + GAP for name in half) for half in halves), default=1.0)
    ax = axes_of(ax, width=9.2 if halves[1:] else 5.2, height=0.6 + LINE * lines)
    ax.set_axis_off()
    if rows.empty:
        return _nothing(ax)
    for side, half in enumerate(halves):
        top = (lines - sum(len(constructs[name]) + GAP for name in half)) / 2
        for name in half:
            _draw_construct(ax, name, constructs[name], residuals, top, -1 if side == 0 else 1)
            top += len(constructs[name]) + GAP
    reach = MIDDLE / 2 + CONSTRUCT + LOADING + ITEM
    ax.set_xlim(-reach - 0.1, reach + 0.1 if halves[1:] else 0.1)
    ax.set_ylim(lines - 0.6, -0.7)
    rule = RULES["standardized_loading"]
    text = current_text()
    explained = text.axis("cfa_loading", estimator=text.label(estimator), value=rule.value, citation=rule.citation)
    ax.text(0.5, -0.01, explained, transform=ax.transAxes, ha="center", va="top", fontsize=8, color=INK)
    return ax


def _estimator(result: Result) -> str:
    """Whose estimates are drawn: those that the finding judges by; MLR has those of ML."""
    return "wlsmv" if getattr(result, "estimator", "ml") == "wlsmv" else "ml"


def _halves(sizes: dict[str, int]) -> list[list[str]]:
    """Constructs for the left and the right column, in their order, as equal in height as can be."""
    names = list(sizes)
    if len(names) < 2:
        return [names]
    heights = np.cumsum([sizes[name] + GAP for name in names])
    cut = 1 + int(np.abs(heights[:-1] - heights[-1] / 2).argmin())
    return [names[:cut], names[cut:]]


def _draw_construct(ax: Axes, name: str, rows: pd.DataFrame, residuals: pd.Series, top: float, side: int) -> None:
    """One construct with its items; side -1 has the items on the left."""
    text = current_text()
    middle, near = top + (len(rows) - 1) / 2, MIDDLE / 2 + CONSTRUCT / 2
    size = min(max(1.1, 0.55 * len(rows)), 1.9)
    ax.add_patch(
        Ellipse((side * near, middle), CONSTRUCT, size, facecolor="#e8f1f8", edgecolor=ACCENT, linewidth=1.4, zorder=3)
    )
    ax.text(
        side * near,
        middle,
        wrapped(text.label(name), 15, 3),
        ha="center",
        va="center",
        fontsize=8,
        zorder=4,
        in_layout=False,
    )
    rule = RULES["standardized_loading"]
    start, end = MIDDLE / 2 + CONSTRUCT, MIDDLE / 2 + CONSTRUCT + LOADING
    for line, (item, loading) in enumerate(zip(rows["term"], rows["estimate"], strict=True)):
        y, weak, improper = top + line, not rule.met(loading), residuals[item] < 0
        colour = WARN if weak or improper else INK
        shape = {
            "arrowstyle": "-|>",
            "color": colour,
            "linewidth": 0.5 + 1.3 * min(abs(loading), 1),
            "shrinkA": 0,
            "shrinkB": 0,
        }
        begin = (side * (start - 0.12), middle + 0.3 * (y - middle) * min(1, size / max(len(rows), 1)))
        ax.annotate("", (side * end, y), begin, arrowprops=shape, zorder=2, in_layout=False)
        share = 0.68
        at = (begin[0] + share * (side * end - begin[0]), begin[1] + share * (y - begin[1]))
        shown = f"{loading:.2f}".replace("-", "\u2212") + ("*" if improper else "")
        ax.text(*at, shown, ha="center", va="center", fontsize=8, color=colour, zorder=4,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, in_layout=False)  # fmt: skip
        _draw_item(ax, wrapped(text.label(item), 35, 2), side, end, y, colour)


def _draw_item(ax: Axes, label: str, side: int, end: float, y: float, colour: str) -> None:
    left = end if side > 0 else -end - ITEM
    edge = MUTED if colour == INK else colour
    ax.add_patch(FancyBboxPatch((left, y - 0.41), ITEM, 0.82, boxstyle="round,pad=0,rounding_size=0.06", facecolor="white",
                                edgecolor=edge, linewidth=0.9, zorder=3))  # fmt: skip
    ax.text(left + 0.1, y, label, ha="left", va="center", fontsize=6.8, linespacing=1.05, zorder=4, in_layout=False)


def plot_factor_correlations(result: Result, *, ax: Axes | None = None) -> Axes:
    """Correlations between the constructs as the lower triangle of a heat map.

    Parameters
    ----------
    result : of `confirm_factors`
    ax : axes to draw on; new ones, as large as the constructs need, by default
    """
    rows = result.pick("factor_correlation", method=_estimator(result))
    names = list(dict.fromkeys([*rows["scale"], *rows["term"]]))
    ax = axes_of(ax, width=2.6 + 0.75 * max(len(names), 3), height=1.7 + 0.5 * max(len(names), 3))
    if not names:
        return _nothing(ax)
    matrix = _triangle(rows, names)[1:, :-1]
    limit = max(1.0, float(np.nanmax(np.abs(matrix))))
    _heat(ax, matrix, limit, [names[1:], names[:-1]])
    for (line, column), value in np.ndenumerate(matrix):
        if not np.isnan(value):
            colour = "white" if abs(value) > 0.6 * limit else INK
            ax.text(column, line, _short(value), ha="center", va="center", fontsize=8.5, color=colour, in_layout=False)
    _bar(ax, current_text().axis("cfa_correlation"))
    return ax


def plot_residuals(result: Result, *, ax: Axes | None = None) -> Axes:
    """Residual correlations of all pairs of items; those beyond the limit are marked.

    Parameters
    ----------
    result : of `confirm_factors`
    ax : axes to draw on; new ones, as large as the items need, by default
    """
    text, rule = current_text(), RULES["residual_correlation"]
    rows = result.pick("residual_correlation", method=_estimator(result))
    names = list(dict.fromkeys([*rows["scale"], *rows["term"]]))
    ax = axes_of(ax, width=3.2 + 0.24 * max(len(names), 10), height=1.6 + 0.24 * max(len(names), 10))
    if not names:
        return _nothing(ax)
    matrix = _triangle(rows, names)[1:, :-1]
    limit = max(0.2, float(np.nanmax(np.abs(matrix))))
    _heat(ax, matrix, limit, [names[1:], names[:-1]], size=7, short=True)
    for (line, column), value in np.ndenumerate(matrix):
        if not np.isnan(value) and not rule.met(abs(value)):
            colour = "white" if abs(value) > 0.6 * limit else INK
            ax.plot(column, line, "o", color=colour, markersize=3)
    _bar(ax, text.axis("cfa_residual", value=rule.value, citation=rule.citation))
    return ax


def plot_distinctness(result: Result, *, ax: Axes | None = None) -> Axes:
    """Heterotrait-monotrait ratios of the pairs of constructs with 95 % intervals, largest first, against both limits.

    Parameters
    ----------
    result : of `check_validity`
    ax : axes to draw on; new ones, as tall as the pairs need, by default
    """
    text = current_text()
    rows = result.pick("htmt").sort_values("estimate", ascending=False, kind="stable")
    ax = axes_of(ax, width=7.2, height=1.3 + 0.24 * max(len(rows), 3))
    if rows.empty:
        return _nothing(ax)
    for key, style in (("htmt_strict", "--"), ("htmt_liberal", ":")):
        rule = RULES[key]
        label = text.axis("cfa_limit", value=rule.value, citation=rule.citation)
        ax.axvline(rule.value, color=MUTED, linestyle=style, linewidth=1.1, label=label)
    ax.axvline(1, color=INK, linewidth=0.8)
    at = np.arange(len(rows))
    over = ~RULES["htmt_strict"].met(rows["estimate"].to_numpy())
    for part, colour, key in ((~over, ACCENT, "cfa_distinct"), (over, WARN, "cfa_alike")):
        if part.any():
            ax.hlines(at[part], rows["conf_low"][part], rows["conf_high"][part], color=colour, linewidth=1.8)
            ax.plot(rows["estimate"][part], at[part], "o", color=colour, markersize=4.5, label=text.axis(key))
    pairs = [
        f"{wrapped(text.label(a), 22, 1)} – {wrapped(text.label(b), 22, 1)}"
        for a, b in zip(rows["scale"], rows["term"], strict=True)
    ]
    ax.set_yticks(at, pairs, fontsize=8)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    hide_marks(ax)
    ax.grid(axis="x")
    ax.set_xlabel(text.axis("cfa_htmt"))
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2, fontsize=8)
    return ax


def _triangle(rows: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Lower triangle of a matrix of pairs, nan elsewhere."""
    matrix = np.full((len(names), len(names)), np.nan)
    place = {name: number for number, name in enumerate(names)}
    for one, other, value in zip(rows["scale"], rows["term"], rows["estimate"], strict=True):
        matrix[max(place[one], place[other]), min(place[one], place[other])] = value
    return matrix


def _heat(
    ax: Axes, matrix: np.ndarray, limit: float, names: list[list[str]], *, size: float = 8.5, short: bool = False
) -> None:
    """A heat map with labels of lines and columns; `short` labels are codes only."""
    label = current_text().label
    lines, columns = ([wrapped(name if short else label(name), 22, 2) for name in part] for part in names)
    ax.imshow(matrix, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    ax.set_yticks(range(len(lines)), lines, fontsize=size)
    ax.set_xticks(
        range(len(columns)), columns, fontsize=size, rotation=90 if short else 30, ha="center" if short else "right"
    )
    hide_marks(ax, "both")
    ax.spines[:].set_visible(False)


def _bar(ax: Axes, label: str) -> None:
    bar = ax.figure.colorbar(ax.images[0], ax=ax, fraction=0.04, pad=0.02)
    bar.set_label(label, fontsize=8)
    bar.outline.set_visible(False)


def _short(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\u2212")


def _nothing(ax: Axes) -> Axes:
    """Axes that say that there is nothing to draw."""
    ax.set_axis_off()
    ax.text(
        0.5, 0.5, current_text().axis("cfa_none"), ha="center", va="center", transform=ax.transAxes, color=PALETTE[6]
    )
    return ax
