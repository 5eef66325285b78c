import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

import cxresearch as cx
from cxresearch.present.plots.style import axes_of
from cxresearch.present.site import write_page

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page: faults in its nesting, ids, references, headings and text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open, self.faults, self.ids, self.references, self.images, self.headings = [], [], [], [], [], []
        self.text = ""
        self.language = None
        self.feed(source)
        self.close()
        self.faults += self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.language = attributes.get("lang", self.language)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.references += [
            attributes[name] for name in ("href", "src", "action", "data", "srcset") if name in attributes
        ]
        self.images += [attributes] if tag == "img" else []
        self.headings += [tag] if re.fullmatch(r"h\d", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"/{tag}")

    def handle_data(self, data):
        self.text += data if "style" not in self.open else ""


def outcome(notebook, status, reason="", missing=(), cell=None):
    return SimpleNamespace(notebook=notebook, status=status, reason=reason, missing=missing, cell=cell)


@pytest.fixture
def folder(study, tmp_path, example):
    for name in ("06_service_drivers", "01_reliability"):
        report = cx.start_report(study, name, tmp_path / "outputs")
        report.table(example, "example.scales")
        ax = axes_of(None, width=2, height=1)
        ax.plot([1, 2])
        report.figure(ax, "example.plot")
        report.finding(example)
        report.note("table.n", n=5)
        report.finish()
    return report.folder


@pytest.fixture
def source(study, folder) -> str:
    left_out = [
        outcome("04_ahp_weighting", "skipped", "no `experts` there", ("experts",)),
        outcome("08_case_comparison", "failed", "cell 3: <oops>", cell=3),
        outcome("09_complaints", "failed", "it needs `tocket`"),
    ]
    return write_page(study, folder, [outcome("01_reliability", "ok"), *left_out]).read_text(encoding="utf-8")


def test_the_page_is_well_formed(source):
    page = Page(source)
    assert page.faults == []
    assert len(page.ids) == len(set(page.ids))
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1


def test_nothing_outside_the_page_is_needed(source, folder):
    page = Page(source)
    for reference in page.references:
        if reference.startswith("#"):
            assert reference[1:] in page.ids
        elif not reference.startswith("data:image/png;base64,"):
            assert (folder / reference).exists()
    without_figures = re.sub(r"data:image/png;base64,[^\"]+", "", source)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<iframe|<link", without_figures)


def test_figures_stand_inside_the_page_and_have_words_for_those_who_do_not_see_them(source):
    images = Page(source).images
    assert len(images) == 2
    assert all(image["src"].startswith("data:image/png;base64,") and image["alt"] == "A <plot>" for image in images)


def test_findings_come_first_answers_before_quality(source):
    text = Page(source).text
    order = [
        "Findings",
        "What the study says",
        "Drivers of satisfaction",
        "How far the data carry it",
        "Contents",
        "Table 1",
        "Random seed",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_notebooks_stand_in_their_order_and_tables_are_numbered_through(source):
    page = Page(source)
    ids = [name for name in page.ids if re.match(r"\d\d_", name)]
    assert ids == ["01_reliability", "06_service_drivers"]
    assert re.findall(r"(?:Table|Figure) \d", page.text) == ["Table 1", "Figure 1", "Table 2", "Figure 2"]


def test_what_is_left_out_is_told_with_its_reason(source):
    text = Page(source).text
    assert re.search(r"Expert weights \(AHP\) · Skipped: the study file has no experts", text)
    assert re.search(r"Comparison of groups · Failed: cell 3 stopped: <oops>", text)
    assert re.search(r"Complaints · Failed: it needs tocket", text)


def test_a_chinese_page_tells_in_chinese_what_is_left_out(study, folder):
    study.language = "zh"
    left_out = [
        outcome(
            "04_ahp_weighting", "skipped", "the study file has no `groups` and no `cases.by`", ("groups", "cases.by")
        ),
        outcome("08_case_comparison", "failed", "cell 3: 没有数据", cell=3),
    ]
    source = write_page(study, folder, left_out).read_text(encoding="utf-8")
    assert "研究文件中没有 <code>groups</code>、<code>cases.by</code>" in source
    assert "第 3 个单元格出错：没有数据" in source
    assert "the study file" not in source


def test_title_aim_and_labels_are_escaped(source):
    assert "<title>Parcels &amp; letters</title>" in source
    assert "Find what to mend &lt;first&gt;." in source
    assert "Price &amp; fees" in source


def test_how_it_was_made(source):
    text = Page(source).text
    for words in ("postal.yaml", "data/survey.csv", "ab" * 32, "numpy", cx.__version__, "Nunnally, J. C., & Bernstein"):
        assert words in text


def test_a_chinese_study_has_a_chinese_page(study, folder):
    study.language, study.title = "zh", "快递满意度"
    page = Page(write_page(study, folder).read_text(encoding="utf-8"))
    assert page.language == "zh-Hans"
    for words in ("快递满意度", "主要发现", "目录", "信度分析", "表 1", "结果如何得出"):
        assert words in page.text


def test_a_study_without_any_finished_notebook_still_has_a_page(study, tmp_path):
    (tmp_path / "empty").mkdir()
    page = Page(
        write_page(study, tmp_path / "empty", [outcome("01_reliability", "failed", "it raised")]).read_text(
            encoding="utf-8"
        )
    )
    assert page.faults == []
    assert "No notebook of this study" in page.text
    assert "it raised" in page.text


def test_executed_notebooks_are_linked(study, folder):
    (folder / "01_reliability.ipynb").write_text("{}")
    assert "01_reliability.ipynb" in Page(write_page(study, folder).read_text(encoding="utf-8")).references


def test_cautions_are_folded_in_the_summary_and_open_below(source):
    assert source.count("Mind Price &amp; fees, Speed.") == 4
    assert source.count("<details") == 2
    assert source.index("<details") < source.index("<main>") < source.rindex("Mind Price")
