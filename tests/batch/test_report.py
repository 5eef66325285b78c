"""run.json and run.html are true at every moment of a run."""

import json
import os
import re
import socket
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cxresearch.batch.lock import hold
from cxresearch.batch.notebooks import read_notebooks
from cxresearch.batch.outcome import Outcome
from cxresearch.batch.plan import plan_run
from cxresearch.batch.report import RunReport
from cxresearch.present.run_page import write_run_page

SAID = {"jobs": 2, "warm": True, "timeout": None, "memory": None}
FAILED = "cell 3: ValueError: <no> rows in `tickets.csv`"


class Page(HTMLParser):
    """Text and links of a page, and whether its tags are closed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open, self.links, self.text = [], [], ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("href", "src")]
        if tag not in ("meta", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if "style" not in self.open else ""


@pytest.fixture
def outputs(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def plan(study_file, notebooks, outputs):
    for name in ("01_one", "02_two"):
        folder = notebooks(name)
    bad = study_file("bad")
    bad.write_text(bad.read_text().replace("[a, b]", "[a, c]"))
    files = [study_file("post"), study_file("bank"), bad]
    return plan_run(files, read_notebooks(folder), outputs=outputs)


def some_outcomes(outputs: Path) -> list[Outcome]:
    kept = outputs / "post" / "02_two.failed.ipynb"
    return [
        Outcome("post", "01_one", "ok", seconds=4.25, memory=312_000_000, retried="the kernel did not start"),
        Outcome("post", "02_two", "failed", FAILED, 2.0, cell=3, memory=90_000_000, kept=kept),
        Outcome("bank", "01_one", "ok", seconds=1.5, cached=True),
    ]


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_run_that_has_not_ended_says_so_and_what_was_not_run(plan, outputs):
    told = []
    with RunReport(plan, lambda: (list(told), []), **SAID) as report:
        assert {row["status"] for row in read(outputs / "run.json")["notebooks"]} == {"not run"}
        told += some_outcomes(outputs)
        report.note()
        deadline = time.monotonic() + 10
        while "1 failed" not in (outputs / "run.html").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        content, page = read(outputs / "run.json"), Page(outputs / "run.html")
    assert content["end"] is None
    assert (content["process"], content["host"]) == (os.getpid(), socket.gethostname())
    assert [(row["study"], row["notebook"], row["status"]) for row in content["notebooks"]] == [
        ("post", "01_one", "ok"),
        ("post", "02_two", "failed"),
        ("bank", "01_one", "ok"),
        ("bank", "02_two", "not run"),
    ]
    assert f"not ended: process {os.getpid()} on {socket.gethostname()} was at work" in page.text
    assert "1 ok · 1 up to date · 1 failed · 1 not run" in page.text


@pytest.mark.parametrize(
    ("end", "words"), [("finished", "finished after"), ("stopped", "by hand"), ("first failure", "--fail-fast")]
)
def test_a_run_that_has_ended_says_how(plan, outputs, end, words):
    with RunReport(plan, lambda: (some_outcomes(outputs), [outputs / "post" / "index.html"]), **SAID) as report:
        report.end = end
    assert read(outputs / "run.json")["end"] == end
    assert words in Page(report.page).text
    assert sorted(path.name for path in outputs.iterdir()) == ["run.html", "run.json"]


def test_an_error_of_the_run_itself_is_told(plan, outputs):
    with pytest.raises(ZeroDivisionError), RunReport(plan, lambda: ([], []), **SAID):
        raise ZeroDivisionError
    assert read(outputs / "run.json")["end"] == "broken"
    assert "broken off by an error" in Page(outputs / "run.html").text


def test_the_page_needs_nothing_else_and_links_what_there_is(plan, outputs):
    with RunReport(plan, lambda: (some_outcomes(outputs), [outputs / "post" / "index.html"]), **SAID) as report:
        pass
    page = Page(report.page)
    assert page.open == []
    assert set(page.links) == {"post/index.html", "post/01_one.ipynb", "post/02_two.failed.ipynb", "bank/01_one.ipynb"}
    assert not re.search(r"https?:|@import|url\(|<script|<link", page.source)
    for words in ("cell 3 stopped: ValueError: <no> rows in tickets.csv", "4.2", "312", "started a second time", "'c'"):
        assert words in page.text
    assert "proportional set size" in page.text or "resident set size" in page.text


def test_a_chinese_page(plan, outputs):
    with RunReport(plan, lambda: (some_outcomes(outputs), []), **SAID) as report:
        pass
    page = Page(write_run_page(outputs / "zh.html", read(report.page.with_suffix(".json")), "zh"))
    for words in ("批量运行", "运行失败的部分", "第 3 个单元格出错：ValueError", "未运行", "内存峰值"):
        assert words in page.text
    assert "zh-Hans" in page.source


def test_a_second_run_on_the_same_outputs_keeps_its_own_report(plan, outputs):
    with hold(outputs):
        with RunReport(plan, lambda: (some_outcomes(outputs), []), **SAID) as report:
            pass
        assert not (outputs / "run.json").exists()
    assert re.fullmatch(rf"run-\w+-{os.getpid()}\.html", report.page.name)
    assert read(report.page.with_suffix(".json"))["end"] == "finished"


def test_writing_takes_little_time_however_many_outcomes_come(plan, outputs, monkeypatch):
    written = []
    monkeypatch.setattr("cxresearch.batch.report.write_run_page", lambda *_: written.append(1))
    with RunReport(plan, lambda: ([], []), **SAID) as report:
        for _ in range(200):
            report.note()
            time.sleep(0.001)
    assert 2 <= len(written) <= 4


def test_a_report_that_cannot_be_written_is_a_fault_and_no_error(plan, outputs):
    outputs.write_text("a file, no folder")
    with RunReport(plan, lambda: ([], []), **SAID) as report:
        report.note()
    assert "File exists" in report.fault or "Not a directory" in report.fault
