"""A small study and a result with every layout, in words that stand in no topic file."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from cxresearch.core.results import Finding, Result, View, gather, tidy
from cxresearch.core.rules import RULES
from cxresearch.present.text import Text, catalogue, use_text

LABELS = {"speed": "Speed", "price": "Price & fees", "spd1": "spd1 · Quick", "company=1": "Cedar", "company=2": "Birch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Result):
    views: ClassVar[Mapping[str, View]] = {
        "example.scales": View(("alpha", "omega_total")),
        "example.tests": View(("coefficient",), rows=("term",), columns="numbers"),
        "example.matrix": View(("loading",), rows=("term",), columns="scale"),
    }

    def finding(self) -> Finding:
        caution = Finding("example.caution", {"names": ["price", "speed"]})
        return Finding("example.said", {"value": 0.8712, "name": "speed"}, RULES["alpha_acceptable"], (caution,))


@pytest.fixture
def words(monkeypatch):
    """The words of the example."""
    for view in Example.views:
        monkeypatch.setitem(catalogue()["headings"], view, {"en": f"Title of {view}", "zh": f"标题 {view}"})
    monkeypatch.setitem(catalogue()["headings"], "example.plot", {"en": "A <plot>", "zh": "图形"})
    said = {
        "example.said": {
            "en": "{value:.2f} of {name:label} ({rule.citation}).",
            "zh": "{name:label}为 {value:.2f}（{rule.citation}）。",
        },
        "example.caution": {"en": "Mind {names:label}.", "zh": "注意{names:label}。"},
    }
    for key, sentence in said.items():
        monkeypatch.setitem(catalogue()["findings"], key, sentence)
    monkeypatch.setitem(catalogue()["quantities"], "alpha", {"en": "Alpha", "zh": "α 系数"})
    monkeypatch.setitem(catalogue()["quantities"], "omega_total", {"en": "Omega", "zh": "ω 系数"})
    yield
    use_text(Text())


@pytest.fixture
def example(words) -> Example:
    rows = [
        tidy("alpha", [0.8712, 0.7], scale=["speed", "price"], conf_low=[0.85, 0.66], conf_high=[0.89, 0.74], n=250),
        tidy("omega_total", 0.88, scale="speed", conf_low=0.86, conf_high=0.9, n=250),
        tidy(
            "coefficient",
            [0.5, -0.001],
            scale="drivers",
            term=["speed", "price"],
            std_error=[0.04, 0.05],
            statistic=[12.5, -0.02],
            df=245,
            p_value=[1e-9, 0.984],
            conf_low=[0.42, -0.1],
            conf_high=[0.58, 0.098],
            n=250,
            method="ols; hc3",
        ),
        tidy("loading", [0.5, -0.1, 0.8], scale=["F1", "F1", "F2"], term=["spd1", "fee1", "fee1"], n=250, method="ml"),
    ]
    return Example(table=gather(rows), n_used=250)


@pytest.fixture
def study(tmp_path: Path) -> SimpleNamespace:
    path = tmp_path / "postal.yaml"
    path.write_text("study: postal\n")
    return SimpleNamespace(
        name="postal",
        title="Parcels & letters",
        aim="Find what to mend <first>.",
        language="en",
        seed=7,
        labels=LABELS,
        path=path,
        fingerprints=lambda: {path.name: sha256(path.read_bytes()).hexdigest(), "data/survey.csv": "ab" * 32},
    )
