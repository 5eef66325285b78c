"""Rates of whole, valid and up-to-date records, and personal data by column."""

import numpy as np
import pandas as pd
import pytest

from cxresearch.core.records import Records
from cxresearch.errors import InputError
from cxresearch.methods.records import check_records
from cxresearch.methods.shares import wilson_share
from cxresearch.present.tables import lay_out
from cxresearch.present.text import Text, catalogue

TEXTS = pd.DataFrame(
    {"note": ["a@b.org", "13800138000, c@d.org", None, "fine"], "kind": ["x"] * 4, "more": ["e@f.org"] + ["-"] * 3}
)


def records(name="tickets", **changes) -> Records:
    filled = pd.DataFrame({"id": [True] * 4, "when": [True, False, True, True], "who": [False, False, True, True]})
    valid = pd.DataFrame({"id": [True, True, False, False], "when": [True, True, False, True], "cost": [True] * 4})
    parts = {"frame": TEXTS, "filled": filled, "valid": valid, "texts": TEXTS}
    return Records(name=name, **{**parts, **changes})


@pytest.fixture(scope="module")
def result():
    customers = records("customers", age_days=pd.Series([0.0, 90, 91, np.nan]), texts=TEXTS[["kind"]])
    return check_records([records(), customers], update_window_days=90)


def test_a_record_is_whole_and_valid_where_every_cell_is(result):
    for quantity, whole, columns in (
        ("complete_records_rate", 0.5, {"id": 1.0, "when": 0.75, "who": 0.5}),
        ("valid_records_rate", 0.5, {"id": 0.5, "when": 0.75, "cost": 1.0}),
    ):
        own = result.pick(quantity, scale="tickets").set_index("term")
        assert own["estimate"].to_dict() == {"": whole, **columns}
        assert set(own["n"]) == {4}
        two = wilson_share(np.array([2]), 4)
        assert own.loc["", ["std_error", "conf_low", "conf_high"]].tolist() == [
            two.std_error[0],
            two.low[0],
            two.high[0],
        ]
        assert own.loc["", "method"] == "wilson"
        assert own.loc["id", "method"] == "column; wilson"
    assert result.n_used == 8


def test_up_to_date_is_what_was_updated_within_the_window(result):
    [row] = result.pick("updated_records_rate").to_dict("records")
    assert (row["scale"], row["estimate"], row["n"], row["method"]) == ("customers", 0.5, 4, "within 90 days; wilson")


def test_personal_data_are_shares_of_the_records_by_column_and_kind(result):
    found = result.pick("personal_data_share")
    shares = {(row.scale, row.term, row.group): row.estimate for row in found.itertuples()}
    assert shares == {
        ("tickets", "note", "email"): 0.5,
        ("tickets", "note", "phone"): 0.25,
        ("tickets", "more", "email"): 0.25,
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_finding_names_what_is_wanting(result, language):
    finding = result.finding()
    assert finding.values == {"tables": ["tickets", "customers"], "scale": "tickets", "share": 0.5}
    keys = [caution.key for caution in finding.cautions]
    assert keys == ["records.invalid", "records.invalid", "records.updated", "records.personal"]
    assert finding.cautions[0].values == {"scale": "tickets", "share": 0.5, "terms": ["id", "when"], "count": 2}
    assert finding.cautions[2].values == {"scale": "customers", "share": 0.5, "days": 90}
    personal = finding.cautions[3].values
    assert personal == {"count": 4, "kinds": ["email", "phone"], "places": ["tickets.note", "tickets.more"]}
    said = Text(language).sentence(finding)
    assert "tickets.note" in said
    assert {"en": "masked in all outputs", "zh": "所有输出均已屏蔽"}[language] in said
    clean = check_records([records(texts=TEXTS[["kind"]], valid=pd.DataFrame({"id": [True] * 4}))]).finding()
    assert [caution.key for caution in clean.cautions] == ["records.no_personal"]
    assert clean.cautions[0].values == {"n_columns": 1, "tables": ["tickets"]}


def test_tables_show_tables_and_columns(result):
    layout = lay_out(result.table, result.views["records"], "records", Text("zh"))
    assert [row[0] for row in layout.rows] == ["投诉与工单", "客户档案"]
    assert layout.rows[0][-1] == "–"
    assert any("90 天以内" in note for note in layout.notes)
    personal = lay_out(result.table, result.views["personal"], "personal", Text("en"))
    assert personal.rows[0][:3] == ("Tickets", "note", "e-mail addresses")
    columns = lay_out(result.table, result.views["record_columns"], "record_columns", Text("en"))
    assert ("Tickets", "cost", "–") in [row[:3] for row in columns.rows]


def test_every_word_of_a_method_is_in_the_catalogue(result):
    words = {word for method in result.table["method"] for word in method.split("; ")} - {"within 90 days"}
    assert words <= catalogue()["codes"].keys()
    assert {"survey", "tickets", "operations", "observations", "customers"} <= catalogue()["codes"].keys()


def test_no_tables_and_no_window_are_refused():
    with pytest.raises(InputError, match=r"there must be a table.*found 0 tables"):
        check_records([])
    with pytest.raises(InputError, match="`update_window_days` above 0; found 1 tables and 0"):
        check_records([records()], update_window_days=0)


def test_a_sample_of_a_large_survey_says_so():
    ids, marks = pd.DataFrame({"id": ["1", "2"]}), pd.DataFrame({"id": [True, False]})
    parts = {"name": "survey", "frame": ids, "filled": marks, "valid": marks, "texts": ids}
    drawn = check_records([Records(**parts, sampled="random sample of 2 of 80 rows")]).finding()
    [told] = [caution for caution in drawn.cautions if caution.key == "records.sampled"]
    assert told.values == {"scale": "survey", "n": 2, "total": 80}
    assert "records.sampled" not in [caution.key for caution in check_records([Records(**parts)]).finding().cautions]
