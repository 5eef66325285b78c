import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxresearch as cx
from cxresearch.core.results import RECORD_COLUMNS
from cxresearch.errors import InputError
from cxresearch.present.colophon import declared_names
from cxresearch.present.outputs import assemble_results
from cxresearch.present.plots.style import axes_of


@pytest.fixture
def report(study, tmp_path, words):
    return cx.start_report(study, "01_reliability", tmp_path / "outputs")


def results_of(report) -> pd.DataFrame:
    return pd.read_csv(report.folder / "results.csv", keep_default_na=False, na_values={"estimate": [""]})


def test_a_table_is_shown_rounded_and_written_exactly(report, example):
    shown = report.table(example, "example.scales")
    assert "0.87 [0.85, 0.89]" in shown._repr_html_()
    assert "0.87 [0.85, 0.89]" in repr(shown)
    written = pd.read_csv(report.folder / "tables" / "01_reliability_example_scales.csv")
    assert written["Alpha"].tolist() == [0.8712, 0.7]


def test_the_first_view_is_shown_unless_another_is_named(report, example):
    assert report.table(example).title == "Title of example.scales"


def test_an_unknown_view_is_refused(report, example):
    with pytest.raises(InputError, match=r"one of example\.scales, .*; found 'scales'"):
        report.table(example, "scales")


@pytest.mark.parametrize("name", ["reliability", "1_reliability", "01_Reliability", "01_reliability.ipynb", "../01_x"])
def test_a_notebook_name_of_another_form_is_refused(study, tmp_path, name):
    with pytest.raises(InputError, match="two digits and a name"):
        cx.start_report(study, name, tmp_path)


def test_a_figure_is_written_twice_and_closed(report):
    open_before = plt.get_fignums()
    ax = axes_of(None, width=5, height=2)
    ax.plot([1, 2])
    shown = report.figure(ax, "example.plot")
    assert plt.get_fignums() == open_before
    assert shown.width == 480
    assert (report.folder / "figures" / "01_reliability_example_plot.png").read_bytes() == shown.data
    assert "<svg" in (report.folder / "figures" / "01_reliability_example_plot.svg").read_text(encoding="utf-8")


def test_figures_arrays_of_axes_and_single_axes_are_drawn_alike(report):
    figure, grid = plt.subplots(1, 2)
    assert report.figure(grid, "example.plot").width == report.figure(figure, "example.plot").width


def test_a_finding_is_said_with_its_cautions(report, example):
    shown = report.finding(example)
    assert repr(shown) == "0.87 of Speed (Nunnally & Bernstein 1994).\nMind Price & fees, Speed."
    assert "Price &amp; fees" in shown._repr_html_()


def test_a_note_is_said_in_the_language_of_the_study(study, tmp_path):
    study.language = "zh"
    report = cx.start_report(study, "01_reliability", tmp_path)
    assert repr(report.note("table.n", n=3)) == "n = 3。"


def test_records_are_complete_exact_and_written_once(report, example):
    for view in example.views:
        report.table(example, view)
    report.finding(example)
    report.finish()
    results = results_of(report)
    assert list(results.columns) == list(RECORD_COLUMNS)
    assert len(results) == len(example.table)
    assert set(results["study"]) == {"postal"}
    assert set(results["notebook"]) == {"01_reliability"}
    np.testing.assert_array_equal(results["estimate"].to_numpy(), example.table["estimate"].to_numpy())


def test_a_number_computed_again_replaces_the_earlier_one(report, example):
    report.table(example)
    again = replace(example, table=example.table.assign(estimate=example.table["estimate"] + 1))
    report.table(again)
    report.finish()
    np.testing.assert_array_equal(results_of(report)["estimate"].to_numpy(), again.table["estimate"].to_numpy())
    assert len(json.loads((report.folder / "pages" / "01_reliability.json").read_text())["entries"]) == 1


def test_a_second_run_replaces_its_own_numbers_and_leaves_the_others(study, tmp_path, example):
    for name in ("06_service_drivers", "01_reliability"):
        report = cx.start_report(study, name, tmp_path)
        report.table(example)
        report.finish()
    report = cx.start_report(study, "01_reliability", tmp_path)
    assert set(results_of(report)["notebook"]) == {"06_service_drivers"}
    assert list((report.folder / "tables").iterdir()) == [
        report.folder / "tables" / "06_service_drivers_example_scales.csv"
    ]
    report.finding(example)
    report.finish()
    notebooks = results_of(report)["notebook"]
    assert notebooks.drop_duplicates().tolist() == ["01_reliability", "06_service_drivers"]
    assert (notebooks == "01_reliability").sum() == len(example.table)


def test_a_notebook_that_does_not_finish_leaves_no_records(report, example):
    report.table(example)
    assert list((report.folder / "records").iterdir()) == []
    assert list((report.folder / "pages").iterdir()) == []
    assert results_of(report).empty


def test_no_file_is_left_aside(report, example):
    report.table(example)
    report.finish()
    assert not list(report.folder.rglob("*.part"))


def test_notebooks_that_finish_at_the_same_time_all_stand_in_the_results(study, tmp_path, example):
    folder = tmp_path / "postal"
    report = cx.start_report(study, "01_reliability", tmp_path)
    report.table(example)
    report.finish()
    record = (folder / "records" / "01_reliability.csv").read_text()

    def finish(number: int) -> None:
        (folder / "records" / f"{number:02d}_other.csv").write_text(
            record.replace("01_reliability", f"{number:02d}_other")
        )
        assemble_results(folder)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(finish, range(2, 14)))
    assert results_of(report)["notebook"].nunique() == 13


def test_the_colophon_says_how_the_numbers_were_made(report, example):
    report.table(example)
    shown = report.finish()
    assert shown.loc["cxresearch", "Value"] == cx.__version__
    assert shown.loc["Random seed", "Value"] == "7"
    assert shown.loc["Rows used", "Value"] == "250"
    colophon = json.loads((report.folder / "pages" / "01_reliability.json").read_text())["colophon"]
    assert list(colophon["data"]) == ["postal.yaml", "data/survey.csv"]
    assert {len(code) for code in colophon["data"].values()} == {64}
    assert {"Python", "numpy", "pandas"} <= set(colophon["versions"])


def test_parameters_are_the_names_declared_with_a_type():
    source = (
        "study_file: str = 'a.yaml'  # the study\nn_bootstrap: int = 2000\nplain = 3\nunset: int\nobject.name: int = 4"
    )
    assert declared_names(source) == ["study_file", "n_bootstrap"]
    assert declared_names("%matplotlib inline\nx: int = 1") == []


def test_records_of_an_older_version_are_brought_to_the_present_columns(tmp_path):
    records = tmp_path / "records"
    records.mkdir()
    heading = ",".join(RECORD_COLUMNS)
    (records / "01_new.csv").write_text(f"{heading}\nparcels,01_new{',' * (len(RECORD_COLUMNS) - 2)}new\n")
    (records / "02_old.csv").write_text('notebook,value,study,method\n02_old,3,parcels,"a, b"\n')
    assemble_results(tmp_path)
    rows = pd.read_csv(tmp_path / "results.csv", dtype=str).set_index("notebook")
    assert list(pd.read_csv(tmp_path / "results.csv").columns) == list(RECORD_COLUMNS)
    assert rows.loc["02_old", ["study", "method"]].tolist() == ["parcels", "a, b"]
    assert rows.loc["01_new", "method"] == "new"


@pytest.mark.parametrize(("n", "is_told"), [(29, True), (30, False), (0, False), (1, True)])
def test_few_respondents_are_told_before_the_number(report, example, n, is_told):
    said = report.finding(replace(example, n_used=n))
    first = report.finding(example).sentences[0]
    noun = "respondent" if n == 1 else "respondents"
    told = f"Only {n} {noun}, too few to rely on (fewer than 30, Johanson & Brooks 2010). {first}" if is_told else first
    assert said.sentences[0] == told


def test_what_only_counts_the_rows_at_hand_is_never_too_small(report, example):
    counted = type("Counted", (type(example),), {"infers": False, "__slots__": ()})
    made = counted(table=example.table, n_used=5)
    assert report.finding(made).sentences == report.finding(example).sentences
