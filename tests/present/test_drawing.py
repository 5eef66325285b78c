import io
import re
import xml.etree.ElementTree as ET
from base64 import b64decode
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.font_manager import FontProperties

from cxresearch.present import drawing
from cxresearch.present.drawing import PNG_DPI, draw_figure
from cxresearch.present.letters import draw_line, room_of_lines
from cxresearch.present.plots.style import apply_style, available_cjk_fonts, axes_of
from cxresearch.present.png import write_png

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


def test_without_words_the_picture_is_that_of_matplotlib_pixel_by_pixel():
    png, _ = draw_figure(example(words=False))
    assert (np.asarray(opened(png).convert("RGBA")) == own_png(example(words=False))).all()
    assert opened(png).mode == "RGB"
    assert opened(png).info["dpi"] == pytest.approx((PNG_DPI, PNG_DPI), abs=0.01)


def test_with_words_the_picture_differs_from_that_of_matplotlib_by_less_than_a_pixel_of_place():
    png, _ = draw_figure(example())
    ours, own = np.asarray(opened(png)).mean(axis=2), own_png(example())[:, :, :3].mean(axis=2)
    assert ours.shape == own.shape
    in_fives = [picture[:410, :620].reshape(82, 5, 124, 5).mean(axis=(1, 3)) for picture in (ours, own)]
    assert np.abs(in_fives[0] - in_fives[1]).max() < 60  # of 255: a letter that is missing or elsewhere is 150 and more
    assert ours.mean() == pytest.approx(own.mean(), abs=0.3)


def test_the_svg_has_what_that_of_matplotlib_has_at_the_same_places():
    _, ours = draw_figure(example())
    ours, own = without_blanks(ET.fromstring(ours)), without_blanks(ET.fromstring(own_svg(example())))
    counts = [Counter(element.tag for element in root.iter()) for root in (ours, own)]
    assert counts[0] == counts[1]
    assert [ours.get("width"), ours.get("height")] == [own.get("width"), own.get("height")] == ["223.2pt", "149.04pt"]
    assert ours.get("viewBox") == "0 0 620 414"
    for here, there in zip(ours.iter(f"{SVG}path"), own.iter(f"{SVG}path"), strict=True):
        scale = 1 if here.get("transform") else SCALE  # letters are defined in the unit of their font
        assert numbers(here.get("d")) == pytest.approx(scale * numbers(there.get("d")), abs=PLACE)
        assert re.sub(r"[-\d. ]|\s", "", here.get("d")).upper() == re.sub(r"[-\d. ]|\s", "", there.get("d")).upper()
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
    _, ours = draw_figure(example())
    ours, own = without_blanks(ET.fromstring(ours)), without_blanks(ET.fromstring(own_svg(example())))
    here = [use for use in ours.iter(f"{SVG}use") if not use.get("y")]
    there = [use for use in own.iter(f"{SVG}use") if not use.get("y")]
    assert [use.get(HREF).replace("#_", "#") for use in here] == [use.get(HREF) for use in there]
    places = [re.search(r"translate\(([-\d.]+)", use.get("transform") or "") for use in there]
    assert np.array([use.get("x") for use in here], float) == pytest.approx(
        [float(place[1]) if place else 0 for place in places],
        abs=0.01,  # hundredths of a letter's size
    )


def without_blanks(svg: ET.Element) -> ET.Element:
    """Without letters that have no outline, which only matplotlib writes."""
    blank = {path.get("id") for path in svg.iter(f"{SVG}path") if path.get("id") and not path.get("d")}
    for parent in list(svg.iter()):
        for child in list(parent):
            if child.get("id") in blank or (child.get(HREF) or "#")[1:] in blank:
                parent.remove(child)
    return svg


def test_the_image_of_a_heat_map_is_that_of_matplotlib():
    images = []
    for svg in (draw_figure(example(words=False))[1], own_svg(example(words=False))):
        [image] = ET.fromstring(svg).iter(f"{SVG}image")
        images.append(np.asarray(opened(b64decode(image.get(HREF).split(",")[1])).convert("RGBA")))
    assert (images[0] == images[1][::-1]).all()  # matplotlib turns the image over


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


@pytest.mark.parametrize("opacity", [255, 128])
def test_a_png_holds_every_pixel(opacity):
    pixels = np.random.default_rng(1).integers(0, 256, (40, 30, 4)).astype(np.uint8)
    pixels[10:20] = pixels[9]  # lines that repeat
    pixels[:, :, 3] = opacity
    picture = opened(write_png(pixels, 100))
    assert (np.asarray(picture.convert("RGBA")) == pixels).all()
    assert picture.mode == ("RGB" if opacity == 255 else "RGBA")


@pytest.mark.parametrize("words", ["Staff gjpq", "0.35", "满意度 g", " ", "ﬁne"])
@pytest.mark.parametrize("size", [6.8, 9, 12])
def test_a_line_of_text_is_measured_and_drawn_as_by_matplotlib(words, size):
    apply_style()
    font, agg = FontProperties(size=size), RendererAgg(400, 100, PNG_DPI)
    if not available_cjk_fonts() and not words.isascii():
        pytest.skip("this machine has no Chinese font")
    line = draw_line(words, font, PNG_DPI)
    assert (line.width, line.height, line.descent) == agg.get_text_width_height_descent(words, font, False)
    gc = agg.new_gc()
    agg.draw_text(gc, 20, 60, words, font, 0)
    own = np.asarray(agg.buffer_rgba())[:, :, 3].astype(int)
    agg.clear()
    agg._renderer.draw_text_image(line.image, 20 + line.left, 60 + line.below, 0, gc)
    ours = np.asarray(agg.buffer_rgba())[:, :, 3].astype(int)
    assert ours.sum() == pytest.approx(own.sum(), rel=0.01)
    assert (ours != own).mean() < 0.01  # the first letter may stand a pixel further right
    assert (ours.any(axis=1) == own.any(axis=1)).all()  # the same rows: the baseline is the same


def test_lines_have_the_room_that_matplotlib_gives_them():
    apply_style()
    figure = example(words=False)
    text = figure.text(0.5, 0.5, "one\ntwo\nthree", va="baseline")
    figure.set_dpi(PNG_DPI)
    own = text.get_window_extent(RendererAgg(620, 414, PNG_DPI))
    ours = text.get_window_extent(drawing._Canvas(figure).get_renderer())
    assert ours.bounds == pytest.approx(own.bounds, abs=1e-9)
    above, below, gap = room_of_lines(text.get_fontproperties(), PNG_DPI)
    assert above > below > 0 <= gap
