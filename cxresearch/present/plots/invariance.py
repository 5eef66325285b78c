"""Figure of measurement invariance: what each step costs, against what the rules permit."""

from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cxresearch.core.results import Result
from cxresearch.core.rules import RULES, Rule
from cxresearch.present.numbers import write_decimals
from cxresearch.present.plots.style import ACCENT, INK, MUTED, WARN, axes_of, hide_marks, wrapped
from cxresearch.present.text import current_text

STEPS = {"metric": "invariance_loadings", "scalar": "invariance_intercepts"}
MARKERS = {"cfi": "o", "rmsea": "s"}
WORSE = {"cfi": -1, "rmsea": 1}  # the sign of a change for the worse
APART = 0.16  # of a line, between the marks of both indices


@dataclass(frozen=True, slots=True)
class _Mark:
    """The change of one index at one step, and the rule for it."""

    by: str
    level: str
    index: str
    change: float
    rule: Rule

    @property
    def share(self) -> float:
        """Of what the rule permits."""
        return WORSE[self.index] * self.change / abs(self.rule.value)


def plot_invariance(result: Result, *, ax: Axes | None = None) -> Axes:
    """Change in CFI and RMSEA at each step, of each grouping column, as a share of what the rule permits.

    Parameters
    ----------
    result : of `check_invariance`
    ax : axes to draw on; new ones, as tall as the columns need, by default
    """
    text, marks = current_text(), list(_marks(result))
    lines = list(dict.fromkeys((mark.by, mark.level) for mark in marks))
    ax = axes_of(ax, width=7.6, height=1.6 + 0.46 * max(len(lines), 2))
    if not marks:
        ax.set_axis_off()
        ax.text(0.5, 0.5, text.axis("invariance_none"), ha="center", va="center", transform=ax.transAxes, color=MUTED)
        return ax
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.axvline(1, color=MUTED, linestyle="--", linewidth=1.1)
    for mark in marks:
        y = lines.index((mark.by, mark.level)) + APART * (1 if mark.index == "rmsea" else -1)
        colour = ACCENT if mark.rule.met(mark.change) else WARN
        ax.plot(mark.share, y, MARKERS[mark.index], color=colour, markersize=6.5)
        shown = ("+" if round(mark.change, 3) > 0 else "") + write_decimals(mark.change, 3)
        side = "left" if mark.share >= 0 else "right"  # of the zero line, which no number may cross
        away = 7 if mark.share >= 0 else -7
        ax.annotate(
            shown, (mark.share, y), (away, 0), textcoords="offset points", ha=side, va="center_baseline", fontsize=8
        )
    names = [
        text.axis("invariance_step", by=wrapped(text.label(by), 26, 1), level=text.axis(STEPS[level]))
        for by, level in lines
    ]
    ax.set_yticks(range(len(lines)), names)
    ax.set_ylim(len(lines) - 0.45, -0.6)
    shares = [mark.share for mark in marks]
    ax.set_xlim(min(-0.35, min(shares) - 0.25), max(1.35, max(shares) * 1.12 + 0.1))
    hide_marks(ax)
    ax.grid(axis="x")
    ax.set_xlabel(text.axis("invariance_share"))
    _explain(ax, marks)
    return ax


def _marks(result: Result) -> Iterator[_Mark]:
    """Both indices of each step, by MLR where there is one."""
    small = RULES["invariance_small_sample"]
    for by in dict.fromkeys(method.rpartition("by ")[2] for method in result.table["method"]):
        estimator = "mlr" if len(result.pick("invariance_cfi", method=f"mlr; by {by}")) else "ml"
        for level in STEPS:
            for index in MARKERS:
                found = result.pick(f"invariance_{index}_change", method=f"{estimator}; by {by}", scale=level)
                for change, n in zip(found["estimate"], found["n"], strict=True):
                    of_chen = f"invariance_rmsea_{'small' if small.met(n) else 'large'}"
                    rule = RULES["invariance_cfi" if index == "cfi" else of_chen]
                    yield _Mark(by, level, index, change, rule)


def _explain(ax: Axes, marks: list[_Mark]) -> None:
    """A legend of both indices with the limits that were used."""
    text, used = current_text(), dict.fromkeys((mark.index, mark.rule.value, mark.rule.citation) for mark in marks)
    handles = [
        Line2D([], [], color=MUTED, marker=MARKERS[index], linestyle="", markersize=6.5,
               label=text.axis(f"invariance_{index}", value=abs(value), citation=citation))
        for index, value, citation in used
    ]  # fmt: skip
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.4, 1), ncols=min(len(handles), 2), fontsize=8)
