"""Figures of a factor analysis: how many factors, and which items belong to which."""

import numpy as np
from matplotlib.axes import Axes

from cxresearch.core.results import Result
from cxresearch.core.rules import RULES
from cxresearch.present.plots.style import ACCENT, DIVERGING, INK, MUTED, PALETTE, axes_of, hide_marks, wrapped
from cxresearch.present.text import current_text

LINE = 0.26  # inches an item


def plot_scree(result: Result, *, ax: Axes | None = None) -> Axes:
    """Eigenvalues of the items against those of random data, the empirical Kaiser criterion and 1.

    Parameters
    ----------
    result : of `explore_factors`
    ax : axes to draw on; new ones by default
    """
    text = current_text()
    observed = result.pick("eigenvalue")["estimate"].to_numpy()
    limits = result.pick("eigenvalue_random")["estimate"].to_numpy()
    ax = axes_of(ax, width=6.5, height=3.8)
    numbers = np.arange(1, len(observed) + 1)
    ax.axhline(1, color=MUTED, linewidth=1, linestyle=":", label=text.axis("scree_kaiser"))
    ax.plot(numbers, limits, "--", color=PALETTE[5], linewidth=1.5, label=text.axis("scree_random"))
    reference = result.pick("eigenvalue_reference")["estimate"].to_numpy()
    ax.plot(numbers, reference, "-.", color=PALETTE[2], linewidth=1.5, label=text.axis("scree_reference"))
    ax.plot(numbers, observed, "o-", color=ACCENT, markersize=4.5, linewidth=1.2, label=text.axis("scree_observed"))
    extracted = result.pick("loading")["scale"].nunique()
    ax.axvspan(0.4, extracted + 0.5, color=ACCENT, alpha=0.08, linewidth=0)
    ax.text(
        0.6,
        observed.max() * 1.03,
        text.axis("scree_extracted", n_factors=extracted),
        color=INK,
        va="bottom",
        fontsize=8,
    )
    ax.set_xlim(0.4, len(observed) + 0.6)
    ax.set_ylim(-0.03 * observed.max(), observed.max() * 1.14)
    ax.set_xticks(numbers if len(numbers) <= 15 else [1, *range(5, len(numbers) + 1, 5)])
    ax.set_xlabel(text.axis("scree_number"))
    ax.set_ylabel(text.axis("scree_value"))
    ax.legend(loc="upper right")
    return ax


def plot_loadings(result: Result, *, ax: Axes | None = None) -> Axes:
    """Loadings of the items (lines) on the factors (columns) as a heat map with its numbers.

    Parameters
    ----------
    result : of `explore_factors`
    ax : axes to draw on; new ones, as large as items and factors need, by default
    """
    text = current_text()
    rows = result.pick("loading")
    loadings = rows.pivot(index="term", columns="scale", values="estimate").loc[
        rows["term"].unique(), rows["scale"].unique()
    ]
    p, m = loadings.shape
    rule = RULES["loading_salient"]
    ax = axes_of(ax, width=3.6 + max(0.62 * m, 3.2), height=1.3 + LINE * p)
    drawn = ax.imshow(loadings.to_numpy(), cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto")
    for (line, column), value in np.ndenumerate(loadings.to_numpy()):
        salient = bool(rule.met(abs(value)))
        colour = "white" if abs(value) > 0.65 else INK if salient else MUTED
        written = f"{round(value, 2) + 0.0:.2f}".replace("-", "\u2212")
        ax.text(
            column,
            line,
            written,
            ha="center",
            va="center",
            fontsize=7.5,
            color=colour,
            fontweight="bold" if salient else "normal",
            in_layout=False,
        )
    shares = result.pick("variance_explained").set_index("scale")["estimate"]
    ax.set_xticks(range(m), [f"{name}\n{100 * shares[name]:.0f}%" for name in loadings.columns])
    ax.set_yticks(range(p), [wrapped(text.label(name), 40, 2) for name in loadings.index], fontsize=7.5)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set_xlabel(text.axis("loadings_factor"))
    hide_marks(ax, "both")
    ax.spines[:].set_visible(False)
    ax.hlines(np.arange(p + 1) - 0.5, -0.5, m - 0.5, color="white", linewidth=1.5)
    ax.vlines(np.arange(m + 1) - 0.5, -0.5, p - 0.5, color="white", linewidth=1.5)
    bar = ax.figure.colorbar(drawn, ax=ax, orientation="horizontal", fraction=0.03, pad=0.02, aspect=40)
    bar.set_ticks([-1, -0.5, 0, 0.5, 1])
    bar.set_label(text.axis("loadings_value", value=rule.value, citation=rule.citation), fontsize=8)
    bar.outline.set_visible(False)
    return ax
