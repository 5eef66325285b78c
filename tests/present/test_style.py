import matplotlib.pyplot as plt
import pytest
from matplotlib import font_manager

from cxresearch.present.plots import style

CHINESE = "服务质量（满意度）：快递、价格"


@pytest.fixture
def fonts_anew(monkeypatch):
    """Look for fonts again, and forget afterwards what was found."""
    style.available_cjk_fonts.cache_clear()
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
    yield monkeypatch
    style.available_cjk_fonts.cache_clear()


def draw() -> None:
    """Draw Chinese, Greek and a minus sign; a letter without a glyph is a warning, and warnings are errors here."""
    ax = style.axes_of(None, width=3, height=2)
    ax.set_title(CHINESE)
    ax.set_xlabel("ω² −0.3 [95%]")
    ax.figure.canvas.draw()
    plt.close(ax.figure)


def without_system_fonts(monkeypatch) -> None:
    left = [font for font in font_manager.fontManager.ttflist if font.name not in style.CJK_FONTS]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", left)


def test_chinese_labels_with_fonts_of_the_machine(fonts_anew):
    if not {font.name for font in font_manager.fontManager.ttflist} & set(style.CJK_FONTS):
        pytest.skip("this machine has no Chinese font")
    draw()


def test_chinese_labels_with_the_optional_package(fonts_anew):
    pytest.importorskip("pylopdf_fonts_zh_cn")
    without_system_fonts(fonts_anew)
    assert style.available_cjk_fonts() == ("Noto Sans SC",)
    draw()


def test_without_any_chinese_font_figures_are_drawn_all_the_same(fonts_anew):
    without_system_fonts(fonts_anew)
    fonts_anew.setitem(__import__("sys").modules, "pylopdf_fonts_zh_cn", None)
    assert style.available_cjk_fonts() == ()
    with pytest.warns(UserWarning, match="missing from font"):
        draw()


def test_the_same_figure_gives_the_same_svg(tmp_path):
    for name in ("a.svg", "b.svg"):
        ax = style.axes_of(None, width=2, height=2)
        ax.plot([1, 2], label="x")
        ax.figure.savefig(tmp_path / name, metadata={"Date": None})
        plt.close(ax.figure)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
