"""Labels of points that keep clear of each other."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

from cxresearch.present.plots.style import INK, MUTED

_DIRECTIONS = np.radians(np.arange(0, 360, 22.5))
_MARGIN = np.array([-0.6, -0.6, 0.6, 0.6])  # points between a label and a line that it does not cross
_DISTANCES = (10, 18, 28, 40, 54)  # points from the middle of the mark to the nearest edge of the label


def label_points(
    ax: Axes,
    x: Sequence[float],
    y: Sequence[float],
    labels: Sequence[str],
    *,
    avoid: Sequence[Text] = (),
    lines: np.ndarray | None = None,
    size: float = 8,
) -> None:
    """Write a label beside each point, where it covers no other label, no mark and none of `avoid`, nor, if it can be
    helped, one of `lines`: (m, 4) upright or level lines as x0, y0, x1, y1.

    Labels are placed one after the other, the most crowded point first, each at the nearest free place around its point; a
    thin line leads to labels that stand further off. The limits of the axes must be set before.
    """
    figure = ax.figure.get_figure(root=True)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)  # the places of all that is there
    scale = figure.dpi / 72
    marks = ax.transData.transform(np.column_stack([x, y]))
    boxes = [_box(text) for text in avoid]
    strokes = np.zeros((0, 4)) if lines is None else _in_pixels(ax, lines)
    frame = ax.get_window_extent()
    gaps = np.linalg.norm(marks[:, None] - marks, axis=-1) + np.where(np.eye(len(marks)), np.inf, 0)
    for place in np.argsort(gaps.min(axis=1)):
        written = ax.annotate(labels[place], (x[place], y[place]), (0, 0), textcoords="offset points", fontsize=size,
                              color=INK, ha="center", va="center", linespacing=1.1)  # fmt: skip
        half = (_box(written)[2:] - _box(written)[:2]) / 2
        offset, cost = (0.0, 0.0), np.inf
        for distance in _DISTANCES:
            for angle in _DIRECTIONS:
                toward = np.array([np.cos(angle), np.sin(angle)])
                centre = marks[place] + toward * (distance * scale + half)
                box = np.concatenate([centre - half, centre + half])
                price = _price(box, boxes, marks, place, (frame.x0, frame.y0, frame.x1, frame.y1), 4 * scale)
                price += distance + 15 * _crossed(box + _MARGIN * scale, strokes)
                if price < cost:
                    offset, cost = tuple((centre - marks[place]) / scale), price
        written.set_position(offset)
        boxes.append(_box(written))
        if np.hypot(*offset) > _DISTANCES[1] + np.hypot(*half) / scale:
            written.arrow_patch = None
            ax.annotate("", (x[place], y[place]), offset, textcoords="offset points",
                        arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.6}, zorder=1)  # fmt: skip


def _box(text: Text) -> np.ndarray:
    """(x0, y0, x1, y1) of a text in pixels."""
    extent = text.get_window_extent()
    return np.array([extent.x0, extent.y0, extent.x1, extent.y1])


def _in_pixels(ax: Axes, lines: np.ndarray) -> np.ndarray:
    return np.hstack([ax.transData.transform(lines[:, :2]), ax.transData.transform(lines[:, 2:])])


def _crossed(box: np.ndarray, strokes: np.ndarray) -> int:
    """How many upright or level lines touch a box."""
    return int(((strokes[:, 2:] > box[:2]) & (strokes[:, :2] < box[2:])).all(axis=1).sum())


def _price(
    box: np.ndarray, boxes: list[np.ndarray], marks: np.ndarray, own: int, frame: tuple[float, ...], room: float
) -> float:
    """How bad a place is: what it covers of others, how far it leaves the frame."""
    price = 0.0
    for other in boxes:
        width, height = np.minimum(box[2:], other[2:] + room) - np.maximum(box[:2], other[:2] - room)
        price += 1000 + width * height if width > 0 and height > 0 else 0.0
    others = np.delete(marks, own, axis=0)
    inside = ((others > box[:2] - room) & (others < box[2:] + room)).all(axis=1)
    outside = np.maximum(np.array(frame[:2]) - box[:2], 0).sum() + np.maximum(box[2:] - np.array(frame[2:]), 0).sum()
    return float(price + 500 * inside.sum() + 50 * outside)
