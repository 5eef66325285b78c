import io
import re
import xml.etree.ElementTree as ET
from base64 import b64decode
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG

from cxresearch.present.drawing import PNG_DPI, draw_figure
from cxresearch.present.plots.style import available_cjk_fonts, axes_of

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
SCALE = PNG_DPI / 72
PLACE = 0.05  # pixels: the legend is as wide as its words, which are measured in 64ths of a pixel


def example(words: bool = True):
    """A figure with lines, points, an image, a patch, dashes and, if wanted, words in both scripts, level and turned."""
    ax = axes_of(None, width=3.1, height=2.07)
    ax.imshow(np.arange(6.0).reshape(2, 3), aspect="auto", alpha=0.4)
    ax.plot([0, 1, 2], [0, 1, 0.3], "o--", color="#0072b2", label="one")
    ax.hlines([0.2, 0.8], [0, 1], [2, 2])
    ax.axvspan(0.5, 1, color="#e69f00", alpha=0.5)
    if words:
        ax.set_title("Satisfaction · 满意度" if available_cjk_fonts() else "Satisfaction")
        ax.set_ylabel("Turned")
        ax.set_xticks([0, 1], ["first line\nsecond", "office"], rotation=30)
        ax.legend()
    else:
        ax.tick_params(labelbottom=False, labelleft=False)
    return ax.figure


def own_png(figure) -> np.ndarray:
    """What matplotlib itself draws at the same resolution."""
    figure.set_dpi(PNG_DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def own_svg(figure) -> str:
    file = io.BytesIO()
    figure.set_dpi(PNG_DPI)
    FigureCanvasAgg(figure).draw()
    figure.set_layout_engine("none")
    FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None})
    return file.getvalue().decode()


def opened(png: bytes) -> PIL.Image.Image:
    return PIL.Image.open(io.BytesIO(png))


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.mark.parametrize("words", [True, False])
def test_the_picture_is_that_of_matplotlib_pixel_by_pixel(words):
    png, _ = draw_figure(example(words))
    assert (np.asarray(opened(png).convert("RGBA")) == own_png(example(words))).all()
    assert opened(png).mode == "RGB"
    assert opened(png).info["dpi"] == pytest.approx((PNG_DPI, PNG_DPI), abs=0.01)


def test_the_svg_has_what_that_of_matplotlib_has_at_the_same_places():
    _, ours = draw_figure(example())
    ours, own = ET.fromstring(ours), ET.fromstring(own_svg(example()))
    counts = [Counter(element.tag for element in root.iter()) for root in (ours, own)]
    assert counts[0] == counts[1]
    assert [ours.get("width"), ours.get("height")] == [own.get("width"), own.get("height")] == ["223.2pt", "149.04pt"]
    assert ours.get("viewBox") == "0 0 620 414"
    for here, there in zip(ours.iter(f"{SVG}path"), own.iter(f"{SVG}path"), strict=True):
        scale = 1 if here.get("transform") else SCALE  # letters are defined in the unit of their font
        assert numbers(here.get("d")) == pytest.approx(scale * numbers(there.get("d")), abs=PLACE)
        steps, own_steps = (re.sub(r"[-\d.\s]", "", path.get("d") or "") for path in (here, there))
        assert steps == own_steps
    marks = [[(use.get("x"), use.get("y")) for use in root.iter(f"{SVG}use") if use.get("y")] for root in (ours, own)]
    assert np.array(marks[0], float) == pytest.approx(SCALE * np.array(marks[1], float), abs=PLACE)


def test_lines_of_the_svg_are_as_wide_and_as_dashed_as_in_that_of_matplotlib():
    widths, dashes = [], []
    for svg in (draw_figure(example())[1], own_svg(example())):
        styles = [look_of(element) for element in ET.fromstring(svg).iter() if "stroke" in (element.get("style") or "")]
        widths.append(np.array([float(style.get("stroke-width", 1)) for style in styles]))
        dashes.append(
            np.array([float(dash) for style in styles for dash in style.get("stroke-dasharray", "").split(",") if dash])
        )
    assert len(widths[0]) > 20
    assert widths[0] == pytest.approx(SCALE * widths[1], abs=1e-5)
    assert len(dashes[0]) == 4  # of the line and of its example in the legend
    assert dashes[0] == pytest.approx(SCALE * dashes[1], abs=1e-5)


def look_of(element: ET.Element) -> dict[str, str]:
    return dict(part.split(": ") for part in element.get("style").split("; "))


def test_letters_of_the_svg_stand_in_their_lines_as_in_that_of_matplotlib():
    here, there = (
        [(use.get(HREF), use.get("transform")) for use in ET.fromstring(svg).iter(f"{SVG}use") if not use.get("y")]
        for svg in (draw_figure(example())[1], own_svg(example()))
    )
    assert len(here) > 30
    assert here == there


def test_the_image_of_a_heat_map_is_that_of_matplotlib():
    images = []
    for svg in (draw_figure(example(words=False))[1], own_svg(example(words=False))):
        [image] = ET.fromstring(svg).iter(f"{SVG}image")
        images.append(np.asarray(opened(b64decode(image.get(HREF).split(",")[1])).convert("RGBA")))
    assert (images[0] == images[1]).all()


def test_words_of_the_svg_stand_where_and_as_large_as_in_that_of_matplotlib():
    _, ours = draw_figure(example())
    places = [
        [place(group) for group in root.iter(f"{SVG}g") if "scale(" in (group.get("transform") or "")]
        for root in (ET.fromstring(ours), ET.fromstring(own_svg(example())))
    ]
    (x, y, size), (own_x, own_y, own_size) = (np.array(each).T for each in places)
    assert size == pytest.approx(SCALE * own_size, rel=1e-5)
    assert x == pytest.approx(SCALE * own_x, abs=1.5)  # pixels; centred words are measured to whole ones
    assert y == pytest.approx(SCALE * own_y, abs=1.5)


def place(group: ET.Element) -> tuple[float, float, float]:
    """x, y and size of a line of text."""
    move, scale = (re.search(rf"{name}\(([^)]*)\)", group.get("transform")) for name in ("translate", "scale"))
    return *map(float, move[1].split()), float(scale[1].split()[0])


def numbers(path: str | None) -> np.ndarray:
    return np.array(re.findall(r"-?[\d.]+", path or ""), float)


def test_hatches_are_left_to_matplotlib():
    def hatched():
        figure = example(words=False)
        figure.axes[0].axvspan(1.2, 1.5, hatch="//", facecolor="none", edgecolor="black")
        return figure

    assert draw_figure(hatched())[1].decode() == own_svg(hatched())


def test_what_asks_to_be_a_picture_is_one_in_the_svg():
    figure = example(words=False)
    figure.axes[0].plot(np.linspace(0, 2, 500), np.linspace(0, 1, 500), ".", rasterized=True)
    svg = ET.fromstring(draw_figure(figure)[1])
    assert len(list(svg.iter(f"{SVG}image"))) == 2  # the heat map and the points
    assert len(list(svg.iter(f"{SVG}use"))) < 50


def test_each_figure_is_drawn_once(monkeypatch):
    figure, drawn = example(), []
    draw = type(figure).draw
    monkeypatch.setattr(type(figure), "draw", lambda self, renderer: drawn.append(renderer) or draw(self, renderer))
    draw_figure(figure)
    assert len(drawn) == 1


def test_the_same_figure_gives_the_same_files():
    assert draw_figure(example()) == draw_figure(example())


def test_a_transparent_figure_stays_so():
    figure = example(words=False)
    figure.patch.set_alpha(0)
    picture = opened(draw_figure(figure)[0])
    assert picture.mode == "RGBA"
    assert picture.getpixel((0, 0))[3] == 0
