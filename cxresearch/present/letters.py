"""Lines of text as pictures: measured and drawn in one go, where matplotlib shapes each line twice and each letter three times."""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor

import numpy as np
from matplotlib.backends.backend_agg import get_hinting_flag
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font

_UNIT = 1 / 64  # pixels; what FreeType counts in
_POINTS = 72  # an inch


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, measured and drawn.

    Attributes
    ----------
    width, height, descent : in pixels; the descent is the part of the height below the baseline
    image : (rows, columns) how much of each pixel is covered, 0 to 255
    left, below : from the start of the baseline to the left edge and to the lower edge of the image, in pixels
    """

    width: float
    height: float
    descent: float
    image: np.ndarray
    left: int
    below: int


@lru_cache(1024)
def draw_line(words: str, font: FontProperties, dpi: float) -> Line:
    """A line of text at so many pixels an inch; letters that the font lacks are taken from the next font of its family."""
    letters = _letters(font, dpi)
    letters.set_text(words, 0.0, flags=get_hinting_flag())
    width, height = (_UNIT * length for length in letters.get_width_height())
    descent = _UNIT * letters.get_descent()
    letters.draw_glyphs_to_bitmap(antialiased=True)
    image = letters.get_image().copy()
    above = floor(height - descent) + 1  # rows over the baseline
    left = ceil(_UNIT * letters.get_bitmap_offset()[0])
    return Line(width, height, descent, image, left, len(image) - above)


@lru_cache(256)
def room_of_lines(font: FontProperties, dpi: float) -> tuple[float, float, float] | tuple[None, None, None]:
    """How far lines reach above and below the baseline, and the gap between them, in pixels, as the font says; or nothing."""
    letters = _letters(font, dpi)
    table = letters.get_sfnt_table("OS/2")
    if not table:
        return None, None, None
    scale = font.get_size_in_points() * dpi / _POINTS / letters.units_per_EM
    return scale * table["sTypoAscender"], -scale * table["sTypoDescender"], scale * table["sTypoLineGap"]


def _letters(font: FontProperties, dpi: float) -> FT2Font:
    letters = get_font(find_files(font))
    letters.set_size(font.get_size_in_points(), dpi)
    return letters


@lru_cache(256)
def find_files(font: FontProperties) -> list:
    """Files of a font, one a family, those of families that are not there left out."""
    found = []
    for family in font.get_family():
        one = font.copy()
        one.set_family(family)
        with suppress(ValueError):
            found.append(findfont(one, fallback_to_default=False))
    return found or [findfont(font)]
