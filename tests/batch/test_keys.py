"""A notebook's key holds what it reads of a study, and nothing else."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from batch.samples import write_notebook, write_study

import cxresearch as cx
from cxresearch.batch.freshness import key_of_study
from cxresearch.batch.notebooks import read_notebooks
from cxresearch.batch.plan import plan_run
from cxresearch.study.fields import Part
from cxresearch.study.file import StudyFile
from cxresearch.study.open import Study, open_study
from cxresearch.study.presence import files_read, parts_read
from cxresearch.study.yaml_file import read_yaml

ROOT = Path(__file__).parents[2]
NOTEBOOKS = read_notebooks(ROOT / "notebooks")
ROWS = 400
SMALL = {"n_bootstrap": 20, "n_random": 20}  # what makes a notebook slow has no say in what it reads
ANSWERED = ["00_data_quality", "01_reliability", "02_factor_analysis", "03_confirmatory", "06_service_drivers"]
ANSWERED += ["08_case_comparison"]


@pytest.fixture(scope="module")
def opened():
    return open_study(ROOT / "params" / "postal_demo.yaml")


@pytest.fixture
def copy(tmp_path):
    """The demo study's file, with the first rows of its data, in a folder of its own."""
    (tmp_path / "params").mkdir()
    (tmp_path / "data" / "postal_demo").mkdir(parents=True)
    for path in (ROOT / "data" / "postal_demo").glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines()[:ROWS]
        (tmp_path / "data" / "postal_demo" / path.name).write_text("\n".join(lines), encoding="utf-8")
    return Path(shutil.copy(ROOT / "params" / "postal_demo.yaml", tmp_path / "params"))


def recording(part, read, inside=""):
    """The part, which tells its path, and those of the parts in it, whenever somebody reads one of its fields."""
    values = {
        name: recording(value, read, f"{name}.") if not inside and isinstance(value, Part) else value
        for name, value in part
    }

    def tell(self, name):
        if name in type(part).model_fields:
            read.add(inside + name)
        return super(kind, self).__getattribute__(name)

    kind = type("Recording", (type(part),), {"__getattribute__": tell})
    return kind.model_construct(**values)


def run_cells(notebook, study, output_dir, monkeypatch):
    """The notebook's cells but the last, in this process, reading this study. Returns the names that they give."""
    monkeypatch.setattr(cx, "open_study", lambda _: study, raising=False)
    names = {"display": lambda *_: None}
    for cell in nbformat.read(notebook.path, as_version=4).cells:
        if cell.cell_type == "code" and cell.source != "report.finish()":
            exec(compile(cell.source, notebook.name, "exec"), names)
            if "parameters" in cell.metadata.get("tags", []):
                names |= {"output_dir": str(output_dir)} | {name: SMALL[name] for name in SMALL if name in names}
    return names


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_reads_nothing_that_its_key_does_not_hold(opened, copy, tmp_path, monkeypatch, name):
    read, reads = set(), NOTEBOOKS[name].reads
    used = key_of_study(opened, {}, reads)["data"]
    study = Study(recording(opened.file, read), copy)
    study.parts = opened.parts  # whether a part is there is looked at for every notebook
    for path in opened.sources().keys() - used.keys():
        (copy.parent / path).unlink()
    report = run_cells(NOTEBOOKS[name], study, tmp_path / "out", monkeypatch)["report"]
    seen = set(read)
    report.finish()  # asks where files are named in the whole study file
    known = {*parts_read(opened.file, reads), "survey.data"}  # whether these carry labels decides what is in the key
    begun = {part.partition(".")[0] for part in known}  # of these it is told which of their parts are read
    assert {part for part in seen if "." not in part} <= begun
    assert {part for part in seen if "." in part and part.partition(".")[0] not in known} <= known
    assert seen >= {"study", "language", "constructs"}
    page = json.loads((tmp_path / "out" / opened.name / "pages" / f"{name}.json").read_text())
    assert {copy.name, *used} == set(page["colophon"]["data"])


_BY_NOTEBOOKS = [  # top-level keys, and the notebooks that must run when one of them changes
    (["study", "title", "aim", "language", "seed", "constructs", "groups"], list(NOTEBOOKS)),
    (["outcome", "drivers", "recommend"], list(NOTEBOOKS)),
    (["survey", "cases", "privacy"], ANSWERED),
    (["tickets", "operations", "observations", "customers"], ["00_data_quality"]),
    (["experts"], ["04_ahp_weighting"]),
    (["choices", "pairs", "model", "weights", "evaluation", "indicators"], []),
    (["appraisal", "targets", "actions", "mechanisms"], []),
    (["notebooks"], []),  # each has its own parameters in its key
]
CHANGED = {key: names for keys, names in _BY_NOTEBOOKS for key in keys}


def test_every_key_of_the_study_file_is_thought_of():
    assert CHANGED.keys() == StudyFile.model_fields.keys()


@pytest.mark.parametrize("key", CHANGED)
def test_a_changed_key_concerns_those_who_read_it(opened, key):
    content = read_yaml(opened.path)
    assert changed(opened, content, {**content, key: "changed"}) == CHANGED[key]
    assert changed(opened, content, {**content, "no_such_key": 1}) == []


def changed(study, *contents):
    keys = [
        {name: key_of_study(study, content, file.reads) for name, file in NOTEBOOKS.items()} for content in contents
    ]
    return [name for name in NOTEBOOKS if len({json.dumps(key[name]) for key in keys}) > 1]


def test_a_changed_file_concerns_those_who_read_it(opened):
    concerned = {path: [] for path in opened.sources()}
    for name, file in NOTEBOOKS.items():
        for path in key_of_study(opened, {}, file.reads)["data"]:
            concerned[path].append(name)
    known = {"survey.csv": ANSWERED, "judgements.csv": ["04_ahp_weighting"]}
    for table in ("tickets", "operations", "inspections", "customers"):
        known[f"{table}.csv"] = ["00_data_quality"]
    assert {path.rpartition("/")[2]: names for path, names in concerned.items() if names} == known
    assert len(concerned) > len(known)


def test_a_notebook_that_does_not_say_what_it_reads_may_read_all(opened):
    content = read_yaml(opened.path)
    key = key_of_study(opened, content, None)
    assert key["study file"].keys() == content.keys() - {"notebooks"}
    assert key["data"] == opened.sources()


def test_labels_that_the_data_carry_are_on_every_page():
    file = StudyFile.model_validate({"study": "demo", "survey": {"data": "answers.sav"}})
    assert {"survey", "constructs"} <= set(parts_read(file, ["experts.judgements"]))
    assert files_read(file, ["experts.judgements"]) == [["answers.sav"]]
    assert files_read(file, ["tickets"]) == [["answers.sav"]]


def test_a_notebook_that_uses_what_no_study_has_is_refused(tmp_path):
    write_notebook(tmp_path / "notebooks", "01_one", "1", uses=["tockets"])
    found = plan_run([write_study(tmp_path, "post")], read_notebooks(tmp_path / "notebooks"), outputs=tmp_path / "out")
    assert [task.fault for task in found.tasks] == ["it names `tockets`, which is no part of a study"]
