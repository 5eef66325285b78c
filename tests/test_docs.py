"""What the documents say of files and keys is so."""

import re
from pathlib import Path

import pandas as pd
import pytest

from cxresearch.study.file import StudyFile
from cxresearch.study.yaml_file import parse_yaml

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("data/**/*.md"), *ROOT.glob("notebooks/*.md")]
)


def blocks(path: Path) -> list[str]:
    return [
        re.sub(r"^ {0,3}", "", text, flags=re.M) if text.startswith("   ") else text
        for text in re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    ]


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "docs/study_file.md"], ids=lambda path: path.name)
def test_study_files_in_the_documents_fit_the_schema(path):
    texts = [text for text in blocks(path) if "study:" in text]
    assert texts
    for text in texts:
        StudyFile.model_validate(parse_yaml(text))


def test_the_reference_of_the_study_file_names_every_key():
    [text] = blocks(ROOT / "docs/study_file.md")
    content = parse_yaml(text)
    assert set(StudyFile.model_fields) <= set(content)
    survey = StudyFile.model_fields["survey"].annotation.__args__[0]
    assert set(survey.model_fields) <= set(content["survey"])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8"))
    assert not [target for target in targets if "://" not in target and not (path.parent / target).exists()]


def test_every_quantity_of_the_demo_is_explained():
    said = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    truth = pd.read_json(ROOT / "data/postal_demo/truth.json", typ="series")
    quantities = {row["quantity"] for row in truth["population"]} - {"difference_in_differences"}
    assert quantities
    assert not [name for name in quantities if not re.search(rf"\b{name}\b", said)]
