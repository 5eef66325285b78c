"""One look for all figures: colour-blind safe, readable in print, Chinese labels included."""

import re
import unicodedata
from functools import cache
from typing import Literal

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes

INK = "#1f2933"
MUTED = "#7b8794"
ACCENT = "#0072b2"
WARN = "#d55e00"
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7b8794", "#f0e442")  # Okabe and Ito 2008
DIVERGING = "RdBu"
CJK_FONTS = ("Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei")


def apply_style() -> None:
    """Set fonts, sizes and colours for every figure of this process."""
    plt.rcParams.update(
        {
            "font.family": ["DejaVu Sans", *available_cjk_fonts()],
            "font.size": 9,
            "axes.titlesize": 10,
            "axes.titlelocation": "left",
            "axes.labelcolor": INK,
            "axes.edgecolor": MUTED,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.unicode_minus": False,
            "axes.prop_cycle": plt.cycler(color=PALETTE),
            "grid.color": "#e4e7eb",
            "xtick.color": INK,
            "ytick.color": INK,
            "text.color": INK,
            "text.hinting": "no_hinting",  # at 200 dots an inch letters look alike, and stand as in the SVG
            "legend.frameon": False,
            "figure.dpi": 110,
            "savefig.dpi": 200,
            "svg.fonttype": "path",
            "svg.hashsalt": "cxresearch",  # the same figure gives the same file
        }
    )


@cache
def available_cjk_fonts() -> tuple[str, ...]:
    """The Chinese font of this machine, else that of the optional package `pylopdf-fonts-zh-cn`; empty without either.

    One is enough: matplotlib would search every further one for each letter that all of them lack.
    """
    known = {font.name for font in font_manager.fontManager.ttflist}
    installed = [name for name in CJK_FONTS if name in known]
    return tuple(installed[:1]) or _packaged_font()


def _packaged_font() -> tuple[str, ...]:
    """Register the font of the optional package."""
    try:
        from pylopdf_fonts_zh_cn import sans_path
    except ImportError:
        return ()
    path = str(sans_path())
    font_manager.fontManager.addfont(path)
    return (font_manager.FontProperties(fname=path).get_name(),)


def axes_of(ax: Axes | None, *, width: float = 7.0, height: float = 4.0) -> Axes:
    """The axes to draw on: the one given, or new ones of this size in inches."""
    if ax is not None:
        return ax
    apply_style()
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def hide_marks(ax: Axes, axis: Literal["x", "y", "both"] = "y") -> None:
    """Leave the labels of an axis without marks; marks of no length would be drawn all the same."""
    ax.tick_params(axis=axis, which="both", length=0, left=False, right=False, bottom=False, top=False)


def wrapped(label: str, width: int = 34, lines: int = 2) -> str:
    """A label on at most `lines` lines of `width` letters, Chinese ones counted twice; what does not fit becomes "…".

    >>> print(wrapped("rel1 · Parcels arrive when promised, whatever the weather", width=22))
    rel1 · Parcels arrive
    when promised, whatev…
    """
    pieces = re.findall(r"[^\s\u2e80-\uffef]+\s*|[\u2e80-\uffef]\s*", label)  # words, and single Chinese letters
    rows = [""]
    for place, piece in enumerate(pieces):
        if not rows[-1] or _letters(rows[-1] + piece.rstrip()) <= width:
            rows[-1] += piece
        elif len(rows) < lines:
            rows.append(piece)
        else:
            rows[-1] += "".join(pieces[place:])
            break
    return "\n".join(_cut(row.rstrip(), width) for row in rows)


def _cut(row: str, width: int) -> str:
    if _letters(row) <= width:
        return row
    while _letters(row) > width - 1:
        row = row[:-1]
    return row.rstrip() + "…"


def _letters(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
