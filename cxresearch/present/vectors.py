"""The SVG of a figure: letters and images as matplotlib writes them, in a fraction of the time."""

from base64 import b64encode
from functools import lru_cache
from io import StringIO
from typing import Any, Literal

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.colors import to_hex
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import TextToPath

from cxresearch.present.letters import find_files
from cxresearch.present.png import write_png

_POINTS = 72  # an inch
_FINE = 64  # steps of FreeType in a unit of an outline
_MANY = 4096  # lines that are remembered
_STEPS = {  # of an outline: how SVG calls it, and how many points it has
    int(Path.MOVETO): ("M", 1),
    int(Path.LINETO): ("L", 1),
    int(Path.CURVE3): ("Q", 2),
    int(Path.CURVE4): ("C", 3),
}
_outlines: dict[str, Any] = {}  # letter of a font -> its outline in SVG's words, once it was needed


class Vectors(RendererSVG):
    """An SVG that counts in the pixels of a picture; lines of text are remembered from figure to figure.

    Parameters
    ----------
    width, height : in pixels
    file : is written to
    dpi : pixels an inch
    options : of RendererSVG
    """

    def __init__(self, width: float, height: float, file: StringIO, dpi: float, **options: Any) -> None:
        super().__init__(width, height, file, **options)
        self._file, self._dpi = file, dpi
        self._defined: set[str] = set()

    def _get_style_dict(self, gc: GraphicsContextBase, rgbFace: Any) -> dict[str, str]:
        """Widths and dashes of lines, which are told in points."""
        scale, wide = self._dpi / _POINTS, self.new_gc()
        wide.copy_properties(gc)
        wide.set_linewidth(scale * gc.get_linewidth())
        offset, dashes = gc.get_dashes()
        if dashes is not None:
            wide.set_dashes(scale * (offset or 0), scale * np.asarray(dashes))
        return super()._get_style_dict(wide, rgbFace)

    def draw_text(
        self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties, angle: float,
        ismath: bool | Literal["TeX"] = False, mtext: Text | None = None,
    ) -> None:  # fmt: skip
        """Write a line of text as the outlines of its letters."""
        if ismath or gc.get_url() or self._get_clip_attrs(gc):
            super().draw_text(gc, x, y, s, self._in_pixels(prop), angle, ismath, mtext)
            return
        letters, written = _spell(s, _of_size(TextToPath.FONT_SCALE, prop))
        self._define(letters)
        scale = prop.get_size_in_points() * self._dpi / _POINTS / TextToPath.FONT_SCALE
        turn = f"rotate({-angle:g}) " if angle else ""
        moved = f"translate({x:.7g} {y:.7g}) {turn}scale({scale:.6g} {-scale:.6g})"
        self.writer.start("g", style=_look(gc), transform=moved)
        self.writer.comment(s)
        self._file.write(written)
        self.writer.end("g")

    def _define(self, letters: tuple[str, ...]) -> None:
        new = [letter for letter in letters if letter not in self._defined]
        if new:
            self._defined.update(new)
            self.writer.start("defs")
            for letter in new:
                self.writer.element("path", id=_id(letter), d=_outlines[letter], transform=f"scale({1 / _FINE})")
            self.writer.end("defs")

    def draw_tex(
        self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties, *args: Any, **kwargs: Any
    ) -> None:
        """Write a line that LaTeX sets."""
        super().draw_tex(gc, x, y, s, self._in_pixels(prop), *args, **kwargs)

    def _in_pixels(self, font: FontProperties) -> FontProperties:
        return _of_size(font.get_size_in_points() * self._dpi / _POINTS, font)

    def draw_image(self, gc: GraphicsContextBase, x: float, y: float, im: Any, transform: Any = None) -> None:
        """Write an image (height, width, 4), its lowest line first."""
        if transform is not None or gc.get_url() or not im.size:
            super().draw_image(gc, x, y, im, transform)
            return
        height, width, _ = im.shape
        place = {"x": f"{x:g}", "y": f"{self.height - y - height:g}", "width": str(width), "height": str(height)}
        picture = b64encode(write_png(im[::-1], self._dpi)).decode()
        self.writer.start("g", **self._get_clip_attrs(gc))
        self.writer.element("image", attrib=place | {"xlink:href": f"data:image/png;base64,{picture}"})
        self.writer.end("g")


def _of_size(size: float, font: FontProperties) -> FontProperties:
    other = font.copy()
    other.set_size(size)
    return other


def _look(gc: GraphicsContextBase) -> str:
    """Colour and opacity of a text; black and opaque are understood."""
    colour, opacity = to_hex(gc.get_rgb()), gc.get_alpha() if gc.get_forced_alpha() else gc.get_rgb()[3]
    look = {"fill": colour if colour != "#000000" else "", "opacity": f"{opacity:g}" if opacity != 1 else ""}
    return "; ".join(f"{name}: {value}" for name, value in look.items() if value)


@lru_cache(_MANY)
def _spell(words: str, font: FontProperties) -> tuple[tuple[str, ...], str]:
    """The letters of a line, each once, and the line in SVG's words, in units of the font's outlines."""
    shapes = get_font(find_files(font))
    shapes.set_size(TextToPath.FONT_SCALE, TextToPath.DPI)
    placed, new, _ = TextToPath().get_glyphs_with_font(shapes, words, glyph_map=_outlines, return_new_glyphs_only=True)
    _outlines.update({name: _outline(*path) for name, path in new.items()})
    seen = [(name, x, y) for name, x, y, _ in placed if _outlines[name]]  # blanks have no outline
    written = [
        f'<use xlink:href="#{_id(name)}" x="{x:.6g}"' + (f' y="{y:.6g}"/>' if y else "/>") for name, x, y in seen
    ]
    return tuple(dict.fromkeys(name for name, _, _ in seen)), "\n".join([*written, ""])


def _id(letter: str) -> str:
    """The name of a letter in a file; begins unlike those that matplotlib gives to letters of formulas."""
    return "_" + letter.replace("%", "_")


def _outline(points: np.ndarray, codes: np.ndarray) -> str:
    """An outline in SVG's words."""
    places, at, words = np.rint(_FINE * points).astype(int).tolist(), 0, []
    while at < len(places):
        step, count = _STEPS.get(int(codes[at]), ("Z", 0))
        words.append(step + " ".join(f"{x} {y}" for x, y in places[at : at + count]))
        at += max(count, 1)
    return "".join(words)
