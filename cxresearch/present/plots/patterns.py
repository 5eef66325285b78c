"""Pictures of patterns: which marks (missing answers, flags) occur together, and how often."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from cxresearch.core.patterns import Patterns
from cxresearch.core.results import Result
from cxresearch.present.numbers import write_decimals, write_share
from cxresearch.present.plots.style import ACCENT, MUTED, WARN, axes_of, hide_marks, wrapped
from cxresearch.present.text import current_text

_LINE = 0.26  # inches a pattern takes
_EMPTY = "#e4e7eb"
_MANY = 10  # columns from which their labels stand upright
_MOST = 30  # columns whose wording still fits


def plot_missing_patterns(result: Result, *, ax: Axes | None = None) -> Axes:
    """The commonest patterns of missing answers: a line a pattern, a column an item, filled where the answer is missing.

    Items that nobody left out are not drawn.

    Parameters
    ----------
    result : of check_missing
    ax : axes to draw on; new ones where None

    Returns
    -------
    The axes.
    """
    return _draw(result.patterns, ACCENT, ax)  # type: ignore[attr-defined]


def plot_flag_overlap(result: Result, *, ax: Axes | None = None) -> Axes:
    """Which rules of careless answering flag the same respondents: a line a pattern, a column a rule.

    Parameters
    ----------
    result : of check_quality
    ax : axes to draw on; new ones where None

    Returns
    -------
    The axes.
    """
    return _draw(result.overlap, WARN, ax)  # type: ignore[attr-defined]


def _draw(patterns: Patterns, colour: str, ax: Axes | None) -> Axes:
    text = current_text()
    marks = patterns.marks.to_numpy(bool)
    if marks.size == 0:
        ax = axes_of(ax, height=1.2)
        ax.text(0.5, 0.5, text.axis("pattern_nothing"), ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()
        return ax
    n_lines, n_columns = marks.shape
    ax = axes_of(ax, height=2.2 + _LINE * n_lines)
    ax.pcolormesh(
        np.arange(n_columns + 1) - 0.5, np.arange(n_lines + 1) - 0.5, marks.astype(float),
        cmap=ListedColormap([_EMPTY, colour]), vmin=0, vmax=1, edgecolors="white", linewidth=2,
    )  # fmt: skip
    ax.invert_yaxis()
    shares = patterns.counts / patterns.n
    ax.set_yticks(
        np.arange(n_lines),
        [f"{write_decimals(n, 0)} ({write_share(share)})" for n, share in zip(patterns.counts, shares, strict=True)],
    )
    ax.set_ylabel(text.axis("pattern_count"))
    codes = [str(code) for code in patterns.marks]
    labels = codes if n_columns > _MOST else [wrapped(text.label(code), 30, lines=1) for code in codes]
    slant = {"rotation": 90} if n_columns > _MANY else {"rotation": 30, "ha": "left", "rotation_mode": "anchor"}
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(n_columns), labels, fontsize=min(8.0, 300 / n_columns), **slant)
    hide_marks(ax, "both")
    ax.spines[:].set_visible(False)
    if patterns.n_others:
        said = text.axis("pattern_others", n_patterns=patterns.n_patterns - n_lines, n=patterns.n_others)
        ax.set_xlabel(said, color=MUTED)
    return ax
