"""A figure as a picture (PNG) and as lines and letters (SVG), laid out and drawn once for both."""

import io
import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import PIL.Image
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from cxresearch.present.vectors import Vectors

PNG_DPI = 200  # sharp on paper at the size drawn
_OPAQUE = 255
_LEVEL = 3  # of compression: higher ones take half as long again for a tenth of the size
_POINTS = 72  # an inch
_UNDATED = {"Date": None}  # the same figure gives the same file
_SIZE = re.compile(r'width="[\d.]+pt" height="[\d.]+pt"')  # of an SVG, as matplotlib writes it


def draw_figure(figure: Figure) -> tuple[bytes, bytes]:
    """The figure as PNG and as SVG; it is of no further use.

    `savefig` would lay it out and draw it twice for each file, which is most of what a figure costs.
    """
    figure.set_dpi(PNG_DPI)
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if not axis.label.get_text():
            axis.set_label_coords(0, 0)  # else a place is sought for it, beyond every tick label
    both = _Canvas(figure).get_renderer()
    figure.draw(both)
    svg = both.svg() if both.alike else _svg_alone(figure)
    return _png(np.asarray(both.picture.buffer_rgba())), svg


def _png(pixels: np.ndarray) -> bytes:
    picture, file = PIL.Image.fromarray(pixels), io.BytesIO()
    if (pixels[:, :, 3] == _OPAQUE).all():
        picture = picture.convert("RGB")
    picture.save(file, "png", dpi=(PNG_DPI, PNG_DPI), compress_level=_LEVEL)
    return file.getvalue()


def _svg_alone(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.set_layout_engine("none")  # what the first drawing has found stands
    FigureCanvasSVG(figure).print_svg(file, metadata=_UNDATED)
    return file.getvalue()


class _Canvas(FigureCanvasAgg):
    """Lets the layout measure with what draws, so that no text is measured twice."""

    _both: "_Both | None" = None

    def get_renderer(self) -> "_Both":
        if self._both is None:
            self._both = _Both(self.figure, *self.get_width_height(physical=True))
        return self._both


def _in_both(name: str) -> Callable[..., None]:
    """A method that draws in the picture and in the SVG."""

    def draw(self: "_Both", gc: GraphicsContextBase, *args: Any, **kwargs: Any) -> None:
        self.alike = self.alike and not gc.get_hatch()
        getattr(self.picture, name)(gc, *args, **kwargs)
        getattr(self.lines, name)(gc, *args, **kwargs)

    return draw


class _Both(RendererBase):
    """Draws in a picture and in an SVG, whose unit is the picture's pixel; measures as the picture does.

    Attributes
    ----------
    dpi : pixels an inch
    picture, lines : what is drawn so far
    alike : whether the SVG can count in pixels; the lines of hatches would be too close
    """

    def __init__(self, figure: Figure, width: int, height: int) -> None:
        super().__init__()
        self.dpi, self.alike = figure.dpi, True
        self._inches, self._size, self._file = figure.get_size_inches(), (width, height), io.StringIO()
        self.picture = RendererAgg(width, height, self.dpi)
        vectors = Vectors(width, height, self._file, self.dpi, metadata=_UNDATED)
        # makes pictures of parts that ask for it, as figures with very many points do
        self.lines = MixedModeRenderer(figure, *self._inches, self.dpi, vectors)  # type: ignore[call-arg]

    def svg(self) -> bytes:
        """End the SVG; it says its size in points, as those of matplotlib do."""
        self.lines.finalize()
        width, height = _POINTS * self._inches
        return _SIZE.sub(f'width="{width:g}pt" height="{height:g}pt"', self._file.getvalue(), count=1).encode()

    draw_path = _in_both("draw_path")
    draw_markers = _in_both("draw_markers")
    draw_path_collection = _in_both("draw_path_collection")
    draw_quad_mesh = _in_both("draw_quad_mesh")
    draw_gouraud_triangles = _in_both("draw_gouraud_triangles")
    draw_image = _in_both("draw_image")
    draw_tex = _in_both("draw_tex")

    draw_text = _in_both("draw_text")

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: bool | Literal["TeX"]
    ) -> tuple[float, float, float]:
        return self.picture.get_text_width_height_descent(s, prop, ismath)

    def points_to_pixels(self, points: Any) -> Any:
        return points * self.dpi / _POINTS

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self._size

    def open_group(self, s: str, gid: str | None = None) -> None:
        self.lines.open_group(s, gid)

    def close_group(self, s: str) -> None:
        self.lines.close_group(s)

    def start_rasterizing(self) -> None:
        self.lines.start_rasterizing()

    def stop_rasterizing(self) -> None:
        self.lines.stop_rasterizing()

    def start_filter(self) -> None:
        self.picture.start_filter()

    def stop_filter(self, filter_func: Any) -> None:
        self.picture.stop_filter(filter_func)
