"""The SVG of a figure, counted in the pixels of its picture."""

from typing import Any, Literal

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

_POINTS = 72  # an inch


class Vectors(RendererSVG):
    """An SVG whose unit is the pixel of a picture: what matplotlib tells in points is scaled.

    Parameters
    ----------
    width, height : in pixels
    file : is written to
    dpi : pixels an inch
    options : of RendererSVG
    """

    def __init__(self, width: float, height: float, file: Any, dpi: float, **options: Any) -> None:
        super().__init__(width, height, file, **options)
        self._scale = dpi / _POINTS

    def _get_style_dict(self, gc: GraphicsContextBase, rgbFace: Any) -> dict[str, str]:
        """Widths and dashes of lines."""
        wide = self.new_gc()
        wide.copy_properties(gc)
        wide.set_linewidth(self._scale * gc.get_linewidth())
        offset, dashes = gc.get_dashes()
        if dashes is not None:
            wide.set_dashes(self._scale * (offset or 0), self._scale * np.asarray(dashes))
        return super()._get_style_dict(wide, rgbFace)

    def draw_text(
        self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties, angle: float,
        ismath: bool | Literal["TeX"] = False, mtext: Text | None = None,
    ) -> None:  # fmt: skip
        """Write a line of text as the outlines of its letters."""
        super().draw_text(gc, x, y, s, self._in_pixels(prop), angle, ismath, mtext)

    def draw_tex(
        self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties, *args: Any, **kwargs: Any
    ) -> None:
        """Write a line that LaTeX sets."""
        super().draw_tex(gc, x, y, s, self._in_pixels(prop), *args, **kwargs)

    def _in_pixels(self, font: FontProperties) -> FontProperties:
        scaled = font.copy()
        scaled.set_size(self._scale * font.get_size_in_points())
        return scaled
