"""Tables as records: what is read, and what is found wanting."""

import pandas as pd
import pytest
import yaml

from cxresearch.errors import InputError
from cxresearch.study.open import open_study
from cxresearch.study.record_cells import as_floats, as_times, as_truths, is_filled

TICKETS = """id,opened,answered,closed,escalated,logged,contacts,cost,valid,category,phone,text
T1,2026-06-01 08:00,2026-06-01 09:00,2026-06-02 10:00,,2026-06-01 08:10,1,10.5,true,delay,13800138000,call 13800138000
T2,2026-06-02 08:00,2026-06-02 07:00,,,2026-06-02 08:10,two,-3,maybe,,13900139000,
T3,2026-06-03 08:00,,2026-07-01 10:00,soon,2026-06-03 08:10,2,0,否,loss,13700137000,fine
T3,not a day,2026-06-05,,,2026-06-30 23:59,1,,1,loss,13600136000,
"""
CUSTOMERS = """id,spend,orders,years,churned,updated
C1,100,2,1.5,false,2026-06-30
C2,-5,1,,true,2025-06-30
C3,20,x,2,,2026-07-05
"""
OPERATIONS = """unit,month,parcels,hits,of,score
A,2026-05,100,90,100,80
B,2026-05,-1,101,100,101
,2026-06,50,,60,50
"""
INSPECTIONS = "unit,month,rater,clean,lights\nA,2026-05,I1,5,9\nB,2026-05,,4,\n"
STUDY = {
    "study": "demo",
    "tickets": {
        "data": "tickets.csv", "id": "id", "opened": "opened", "first_response": "answered", "closed": "closed",
        "escalated": "escalated", "contacts": "contacts", "cost": "cost", "valid": "valid", "category": "category",
        "text": "text", "as_of": "2026-06-30", "stages": [{"name": "log", "at": "logged", "limit": "30min"}],
    },
    "customers": {
        "data": "customers.csv", "id": "id", "value": "spend", "frequency": "orders", "tenure": "years",
        "churned": "churned", "updated": "updated",
    },
    "operations": {
        "data": "operations.csv", "unit": "unit", "period": "month", "exposure": "parcels",
        "indicators": {"on_time": {"hits": "hits", "of": "of"}, "tidy": {"score": "score", "scale": [0, 100]}},
    },
    "observations": {
        "data": "inspections.csv", "unit": "unit", "period": "month", "rater": "rater", "items": ["clean", "lights"],
        "scale": [1, 5],
    },
}  # fmt: skip
TABLES = {"tickets": TICKETS, "customers": CUSTOMERS, "operations": OPERATIONS, "inspections": INSPECTIONS}


@pytest.fixture
def study(tmp_path):
    for name, content in TABLES.items():
        (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump(STUDY, allow_unicode=True), encoding="utf-8")
    return open_study(path)


def bad(marks: pd.DataFrame) -> dict[str, list[int]]:
    return {str(name): marks.index[~marks[name]].tolist() for name in marks if not marks[name].all()}


def test_tickets_are_typed_and_judged(study):
    tickets = study.table("tickets")
    assert tickets.frame["opened"].dt.day.tolist()[:3] == [1, 2, 3]
    assert tickets.frame["valid"].tolist()[0] == 1.0
    assert tickets.frame["valid"].tolist()[2:] == [0.0, 1.0]
    assert tickets.frame["cost"].tolist()[:3] == [10.5, -3.0, 0.0]
    assert bad(tickets.filled) == {"category": [1]}
    assert bad(tickets.valid) == {
        "opened": [3],  # no time
        "answered": [1],  # before it was opened
        "closed": [2],  # after the extract
        "escalated": [2],  # no time
        "contacts": [1],  # no number
        "cost": [1],  # below 0
        "valid": [1],  # neither true nor false
        "id": [2, 3],  # the same number
    }
    assert list(tickets.texts) == ["id", "category", "phone", "text"]
    assert tickets.age_days is None


def test_customers_are_as_old_as_their_last_update(study):
    customers = study.table("customers")
    assert bad(customers.valid) == {"spend": [1], "orders": [2], "updated": [2]}
    assert bad(customers.filled) == {"years": [1], "churned": [2]}
    assert customers.age_days.tolist() == [1, 366, -4]  # from the end of the day of the extract


def test_without_a_date_of_the_extract_age_counts_from_the_last_date(study):
    content = {"study": "demo", "customers": STUDY["customers"]}
    study.path.write_text(yaml.safe_dump(content), encoding="utf-8")
    customers = open_study(study.path).table("customers")
    assert customers.age_days.tolist() == [5, 370, 0]
    assert "updated" not in bad(customers.valid)


def test_service_records_and_inspections_keep_their_limits(study):
    assert bad(study.table("operations").valid) == {"parcels": [1], "hits": [1], "score": [1]}
    assert bad(study.table("operations").filled) == {"unit": [2], "hits": [2]}
    assert bad(study.table("observations").valid) == {"lights": [0]}
    assert bad(study.table("observations").filled) == {"rater": [1], "lights": [1]}


def test_every_table_is_read_once(study):
    assert [table.name for table in study.records()] == ["tickets", "operations", "observations", "customers"]
    assert study.table("tickets") is study.table("tickets")


def test_tables_that_are_not_there_are_refused(study):
    with pytest.raises(InputError, match=r"the study must have `survey`; the study file has no `survey`"):
        study.table("survey")
    with pytest.raises(InputError, match=r"`name` must be one of survey, tickets, .*; found 'ticket'"):
        study.table("ticket")


def test_the_survey_as_records(tmp_path):
    (tmp_path / "s.csv").write_text(
        "id,q1,q2,region,comment\n1,4,5,N,a@b.org\n2,9,,S,\n2,-99,3,,fine\n,1,2,N,\n", encoding="utf-8"
    )
    content = {
        "study": "demo",
        "survey": {"data": "s.csv", "id": "id", "missing": [-99], "comment": "comment"},
        "constructs": {"speed": {"items": ["q1", "q2"], "scale": [1, 5], "reversed": ["q2"]}},
        "groups": {"region": "Region"},
    }
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    survey = open_study(path).table("survey")
    assert bad(survey.filled) == {"q1": [2], "q2": [1], "region": [2]}
    assert bad(survey.valid) == {"q1": [1], "id": [1, 2]}
    assert list(survey.texts) == ["region", "comment"]


def test_times_numbers_and_truths_are_read_as_people_write_them():
    times = as_times(pd.Series(["2026-06-30", "2026-06-30T14:05:00Z", "30.06.2026", 20260630, "then", None, " "]))
    assert times.dt.strftime("%d%H%M").fillna("").tolist() == ["300000", "301405", "300000", "300000", "", "", ""]
    stamps = pd.Series(pd.to_datetime(["2026-06-30 08:00+08:00"]))
    assert as_times(stamps).dt.tz is None
    assert as_floats(pd.Series(["1.5", "inf", "x", None])).fillna(-1).tolist() == [1.5, -1, -1, -1]
    assert as_truths(pd.Series([True, False, 1.0, 0, "Y", "假"])).tolist() == [1, 0, 1, 0, 1, 0]
    assert is_filled(pd.Series(["a", " ", None, 0])).tolist() == [True, False, False, True]
