from pathlib import Path

import pytest

from cxresearch.batch.notebooks import read_notebooks
from cxresearch.batch.plan import check_file, plan_run
from cxresearch.errors import InputError


@pytest.fixture
def plan(notebooks, tmp_path):
    """Plans a run of study files over three notebooks: two that fit every study, one for experts."""
    notebooks("01_one")
    notebooks("02_two", needs=("survey", "constructs"))
    folder = notebooks("04_experts", needs=("survey", "experts.judgements", "experts.scores"))

    def plan_files(*files: Path, only=()):
        return plan_run(files, read_notebooks(folder), outputs=tmp_path / "outputs", only=only)

    return plan_files


def test_one_task_a_study_and_notebook_with_absolute_places(plan, study_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = study_file("post", choices="{01_one: {n_bootstrap: 3}}")
    tasks = plan(Path(file.name)).tasks
    assert [(task.study, task.notebook, task.fault) for task in tasks] == [
        ("post", name, "") for name in ("01_one", "02_two", "04_experts")
    ]
    places = {"study_file": str(file), "output_dir": str(tmp_path / "outputs")}
    assert [task.parameters for task in tasks] == [{**places, "n_bootstrap": 3}, places, places]
    assert {task.folder for task in tasks} == {tmp_path / "outputs" / "post"}


def test_skips_what_the_study_has_no_part_for_and_says_why_once(plan, study_file):
    skips = {task.notebook: task.skip for task in plan(study_file("post")).tasks}
    assert skips == {"01_one": "", "02_two": "", "04_experts": "the study file has no `experts`"}
    missing = {task.notebook: task.missing for task in plan(study_file("post")).tasks}
    assert missing == {"01_one": (), "02_two": (), "04_experts": ("experts",)}


def test_only_some_notebooks(plan, study_file):
    assert [task.notebook for task in plan(study_file("post"), only=["2"]).tasks] == ["02_two"]
    with pytest.raises(InputError, match="`--only` must name notebooks"):
        plan(study_file("post"), only=["07"])


def test_a_faulty_study_does_not_stop_the_others(plan, study_file, tmp_path):
    bad = study_file("bad")
    bad.write_text(bad.read_text().replace("[a, b]", "[a, c]"))
    odd = study_file("odd", choices="{01_one: {n_bootstrp: 3}, 03_three: {}}")
    missing = tmp_path / "missing.yaml"
    found = plan(bad, odd, study_file("good"), missing)
    assert list(found.studies) == ["good"]
    assert {task.study for task in found.tasks} == {"good"}
    assert list(found.faults) == [bad, odd, missing]
    assert "'c'" in found.faults[bad][0]
    assert found.faults[odd] == [
        "notebooks.01_one.n_bootstrp: the notebook has no such parameter; did you mean 'n_bootstrap'?",
        "notebooks.03_three: there is no such notebook (there are 01_one, 02_two, 04_experts)",
    ]


def test_data_that_cannot_be_used_are_told_once_and_nothing_is_run(plan, study_file, tmp_path):
    path = study_file("post")
    (tmp_path / "answers.csv").write_text("a,b\n1,good\n2,3\n")
    made = plan(path)
    assert made.tasks == []
    [fault] = made.faults[path]
    assert fault.startswith("survey: answers must be numbers; found text in 1 of 2 columns (b: 'good' (1), row 2;")


def test_faults_of_data_and_of_choices_are_told_together(study_file, notebooks, tmp_path):
    path = study_file("post", choices="{01_one: {n_bootstrap: many}}")
    (tmp_path / "answers.csv").write_text("a,b\n1,good\n")
    faults, notes = check_file(path, read_notebooks(notebooks("01_one", "1")))
    assert [fault.partition(":")[0] for fault in faults] == ["survey", "notebooks.01_one.n_bootstrap"]
    assert notes == []


def test_planned_studies_do_not_keep_their_survey(plan, study_file):
    [study] = plan(study_file("post")).studies.values()
    assert "_survey" not in vars(study)
    assert len(study.survey().frame) == 4


def test_two_files_with_the_name_of_one_study_are_both_faulty(plan, study_file):
    one, two = study_file("post", file="one"), study_file("post", file="two")
    found = plan(one, two, study_file("bank"))
    assert list(found.studies) == ["bank"]
    assert found.faults == {
        one: [f"study: {two} is called 'post' too; give each study a name of its own"],
        two: [f"study: {one} is called 'post' too; give each study a name of its own"],
    }


def test_a_file_named_twice_counts_once(plan, study_file):
    file = study_file("post")
    found = plan(file, file.parent / "." / file.name)
    assert not found.faults
    assert len(found.tasks) == 3


def test_a_notebook_that_can_run_for_no_study_is_a_fault_of_the_task(plan, study_file, notebooks):
    folder = notebooks("05_bare", parameters=None)
    notebooks("06_odd", needs=("survy",))
    tasks = {
        task.notebook: task for task in plan_run([study_file("post")], read_notebooks(folder), outputs=folder).tasks
    }
    assert tasks["05_bare"].fault == "it has no code cell with the tag `parameters`"
    assert tasks["06_odd"].fault == "it names `survy`, which is no part of a study"
    assert not any(task.skip for task in tasks.values() if task.notebook != "04_experts")
