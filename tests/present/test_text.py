import ast
import pkgutil
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

import cxresearch.methods
from cxresearch.core.results import Finding, Result
from cxresearch.core.rules import RULES
from cxresearch.present.text import SECTIONS, Text, catalogue

LABELS = {"speed": "Speed", "price": "Price & fees", "company=1": "Cedar"}
EVERY_TEXT = [(section, key) for section in SECTIONS for key in catalogue()[section]]


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize(("section", "key"), EVERY_TEXT, ids=map(".".join, EVERY_TEXT))
def test_every_text_stands_in_both_languages_with_the_same_placeholders(section, key):
    entry = catalogue()[section][key]
    assert set(entry) == {"en", "zh"}
    assert all(isinstance(words, str) and words.strip() for words in entry.values())
    assert placeholders(entry["en"]) == placeholders(entry["zh"])
    assert "" not in placeholders(entry["en"])


def every_result() -> list[type[Result]]:
    modules = [
        import_module(f"cxresearch.methods.{found.name}") for found in pkgutil.iter_modules(cxresearch.methods.__path__)
    ]
    classes = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    return sorted(
        (kind for kind in classes if issubclass(kind, Result) and kind is not Result), key=lambda kind: kind.__name__
    )


@pytest.mark.parametrize("kind", every_result(), ids=lambda kind: kind.__name__)
def test_views_have_headings_and_their_quantities_words(kind):
    assert kind.views
    assert set(kind.views) <= set(catalogue()["headings"])
    quantities = {quantity for view in kind.views.values() for quantity in view.quantities}
    assert quantities <= set(catalogue()["quantities"])


def test_every_finding_of_a_method_has_a_sentence():
    folder = Path(cxresearch.methods.__file__).parent
    calls = [
        node
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding"
    ]
    keys = {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)}
    assert keys
    assert keys <= set(catalogue()["findings"])


@pytest.mark.usefixtures("words")
class TestSentences:
    finding = Finding(
        "example.said",
        {"value": 0.8712, "name": "speed"},
        RULES["alpha_acceptable"],
        (Finding("example.caution", {"names": ["price", "x"]}),),
    )

    def test_english(self):
        assert (
            Text("en", LABELS).sentence(self.finding)
            == "0.87 of Speed (Nunnally & Bernstein 1994). Mind Price & fees, x."
        )

    def test_chinese(self):
        text = Text("zh", {"speed": "速度", "price": "价格"})
        assert text.sentence(self.finding) == "速度为 0.87（Nunnally & Bernstein 1994）。注意价格、x。"

    def test_one_by_one(self):
        assert Text("en", LABELS).sentences(self.finding)[1:] == ["Mind Price & fees, x."]


def test_labels_come_from_the_study_then_the_catalogue_then_the_code():
    text = Text("zh", {"all": "所有"})
    assert text.label("all") == "所有"
    assert Text("zh").label("weighted") == "加权"
    assert Text("zh").label("q17") == "q17"
    assert Text("en", LABELS).label("1", of="company") == "Cedar"
    assert Text("en", LABELS).label("3", of="company") == "3"


def test_pairs_are_shown_with_a_dash_that_is_no_hyphen():
    assert Text("en").label("18-29 - 60+", of="age") == "18-29 – 60+"
    assert Text("en", LABELS).label("1 - 3", of="company") == "Cedar – 3"
    assert Text("en", {"company=1 - 3": "own"}).label("1 - 3", of="company") == "own"


def test_a_key_may_have_its_own_heading_in_a_view(monkeypatch):
    monkeypatch.setitem(catalogue()["quantities"], "weights.term", {"en": "Criterion", "zh": "准则"})
    assert Text().quantity("term", view="weights") == "Criterion"
    assert Text().quantity("term", view="other") == Text().quantity("term")
    assert Text().quantity("no_such_quantity") == "no such quantity"


def test_an_unknown_heading_is_an_error():
    with pytest.raises(KeyError, match="no_such_heading"):
        Text().heading("no_such_heading")


def test_p_values_in_a_sentence_are_written_as_in_a_table(monkeypatch):
    monkeypatch.setitem(catalogue()["notes"], "example.p", {"en": "(p {p:p})", "zh": "（p {p:p}）"})
    assert [Text().note("example.p", p=p) for p in (0.034, 0.0002)] == ["(p = .034)", "(p < .001)"]


def test_levels_are_written_as_the_p_values_held_against_them():
    finding = Finding("factors.sphere", {"p_value": 0.2}, RULES["significance"])
    assert "(p = .200, level .05, " in Text().sentence(finding)


def test_chinese_terms_are_the_same_everywhere():
    words = [entry["zh"] for section in SECTIONS for entry in catalogue()[section].values()]
    assert not [text for text in words if any(term in text for term in ("题目", "量尺", "答案尺度", "总 ω"))]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_interval_in_a_sentence_never_collapses(language):
    """With very many respondents 29.2% (28.9% to 29.5%) would read 29% (29% to 29%)."""
    values = {
        "outcome": "price",
        "first": "speed",
        "r_squared": 0.2921,
        "r_squared_low": 0.2891,
        "r_squared_high": 0.2949,
    }
    said = Text(language).sentence(Finding("drivers.single", {**values, "n": 5_000_000}))
    for number in ("29.2%", "28.9%", "29.5%", "5,000,000"):
        assert number in said
    shares = {"first": "a", "by": "x", "low": 1.0, "high": 1.0}
    assert "1.0" not in Text(language).sentence(Finding("cases.rank_unsure", shares))


def test_a_bound_that_would_read_as_a_limit_gives_its_decimals_to_the_interval():
    values = {"by": "x", "pair": "a - b", "g": -0.14, "low": -0.48, "high": 0.196}
    said = Text().sentence(Finding("cases.effect_tiny", values, RULES["effect_small"]))
    assert "g = −0.140 (−0.480 to 0.196), less than small (Cohen 1988: 0.20)" in said


def test_limits_keep_their_decimals_beside_a_narrow_interval():
    values = {"pair": "a - b", "g": 0.2512, "low": 0.2503, "high": 0.2521}
    said = Text().sentence(Finding("cases.effect_small", values, RULES["effect_small"]))
    assert "g = 0.251 (0.250 to 0.252), small (Cohen 1988: 0.20 or more)" in said


@pytest.mark.parametrize(("n", "said"), [(1, "1 item, "), (2, "2 items, "), (0, "0 items, "), (1234, "1,234 items, ")])
def test_a_count_agrees_with_its_noun(n, said):
    values = {"count": 7, "most": 3, "item": "speed", "n_items": n}
    assert f"7 in {said}" in Text().sentence(Finding("quality.out_of_range", values))
