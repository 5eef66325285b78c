"""Pictures as PNG: for figures, mostly blank, twice as quick as Pillow and a little smaller."""

import struct
import zlib

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LEVEL = 3  # of zlib: higher ones take twice the time for a tenth of the size
_NONE, _UP = 0, 2  # filters of a line: as it is; as the difference from the line above
_RGB, _RGBA = 2, 6  # colour types
_METRE = 39.3701  # inches


def write_png(pixels: np.ndarray, dpi: float) -> bytes:
    """A picture as a PNG file (PNG specification, third edition, W3C 2025).

    Parameters
    ----------
    pixels : (height, width, 4) red, green, blue and opacity, 0 to 255; opacity is left out where all is opaque
    dpi : pixels an inch, told to programs that print
    """
    pixels = np.ascontiguousarray(pixels)
    height, width, _ = pixels.shape
    opaque = bool((pixels[:, :, 3] == 255).all())
    density = round(dpi * _METRE)
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, _RGB if opaque else _RGBA, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">2IB", density, density, 1)),
            _chunk(b"IDAT", zlib.compress(_lines(pixels, 3 if opaque else 4).data, _LEVEL)),
            _chunk(b"IEND", b""),
        ]
    )


def _lines(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Bytes of the lines, each after its filter; one that repeats the line above is all zero."""
    colours = pixels.view(np.uint32)[:, :, 0]
    new = np.ones(len(pixels), dtype=bool)
    new[1:] = (colours[1:] != colours[:-1]).any(axis=1)
    shown = pixels[new]
    kept = np.empty((*shown.shape[:2], channels), dtype=np.uint8)
    for channel in range(channels):  # three times as quick as all at once
        kept[:, :, channel] = shown[:, :, channel]
    lines = np.zeros((len(pixels), 1 + channels * pixels.shape[1]), dtype=np.uint8)
    lines[:, 0] = np.where(new, _NONE, _UP)
    lines[new, 1:] = kept.reshape(len(kept), -1)
    return lines


def _chunk(name: bytes, content: bytes) -> bytes:
    return b"".join(
        [struct.pack(">I", len(content)), name, content, struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))]
    )
