"""One look for all figures: colour-blind safe, readable in print, Chinese labels included."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes

INK = "#1f2933"
MUTED = "#7b8794"
ACCENT = "#0072b2"
WARN = "#d55e00"
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7b8794", "#f0e442")  # Okabe and Ito 2008
DIVERGING = "RdBu"
SEQUENTIAL = "Blues"
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
            "legend.frameon": False,
            "figure.dpi": 110,
            "savefig.dpi": 200,
            "svg.fonttype": "path",
        }
    )


def available_cjk_fonts() -> Sequence[str]:
    """Chinese fonts of this machine, best first; else those of the optional font package."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in CJK_FONTS if name in known]


def axes_of(ax: Axes | None, *, width: float = 7.0, height: float = 4.0) -> Axes:
    """The axes to draw on: the one given, or new ones of this size in inches."""
    if ax is not None:
        return ax
    apply_style()
    return plt.subplots(figsize=(width, height), layout="constrained")[1]
