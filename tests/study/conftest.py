"""A study file with every part and every field, and a small table for each file that it names."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cxresearch.study.tables import column_names, find_files

FULL = """\
study: postal_demo
title: Express delivery satisfaction, four companies
aim: Find what outlets should mend first
language: en
seed: 20261121

survey:
  data: ../data/survey.csv
  large: auto
  sheet: null
  encoding: null
  where: null
  id: respondent
  customer: customer
  weight: weight
  cluster: branch
  strata: region
  seconds: duration_s
  missing: [-99, ""]
  missing_policy: drop
  duplicates: keep
  careless: keep
  invited: ../data/invited.csv
  population: ../data/population.csv
  comment: comment

constructs:
  reliability:
    label: Reliability
    items: {rel1: "Parcels arrive when promised", rel2: "...", rel3: "..."}
    scale: [1, 5]
    reversed: [rel3]
    missing: [6]
    stage: during
  speed: {items: [spd1, spd2], scale: [1, 5], codes: {非常不满意: 1, 不满意: 2, 一般: 3, 满意: 4, 非常满意: 5}}
  satisfaction: {items: [sat1, sat2, sat3], scale: [1, 10]}
  loyalty: {items: loy1..loy3, scale: [1, 10]}

outcome: satisfaction
drivers: [reliability, speed]
recommend: nps
choices: {reasons: [c1, c2, c3]}
pairs: {reliability: {expectation: [e1, e2, e3], perception: [rel1, rel2, rel3]}}
model:
  reliability: [satisfaction]
  speed: [satisfaction]
  satisfaction: [loyalty]

groups: {company: Company, region: Region}
cases:
  by: company
  period: quarter
  before: [2025Q3, 2025Q4]
  after: [2026Q1, 2026Q2]
  treated: [Cedar]
  benchmark: {satisfaction: 80}
  published: ../data/published.csv
  narrative: {Cedar: {background: "...", problems: "...", measures: "...", results: "...", lessons: "..."}}

experts:
  judgements: ../data/judgements.csv
  scores: ../data/scores.csv
  hierarchy: {goal: [reliability, speed], reliability: [rel1, rel2, rel3]}
weights: {source: "board decision of May", values: {reliability: 0.4, speed: 0.6}}
evaluation:
  grades: {very poor: 20, poor: 40, fair: 60, good: 80, very good: 100}
indicators: ../data/indicators.csv

tickets:
  data: ../data/tickets.csv
  id: ticket
  opened: opened_at
  first_response: responded_at
  handled: handled_at
  replied: replied_at
  closed: closed_at
  as_of: 2026-06-30
  escalated: escalated_at
  contacts: contacts
  category: type
  subcategory: subtype
  cause: cause
  channel: channel
  unit: company
  region: region
  department: department
  customer: customer
  valid: valid
  resolved: resolved
  satisfied: satisfied
  remedy: remedy
  cost: cost
  text: text
  keywords: {delay: [延误, late], loss: [丢失, lost]}
  response_promise: 2h
  promise: 7d
  calendar: null
  stages:
    - {name: receive, at: received_at, limit: 30min, by: service centre}
    - {name: reply, at: replied_at, limit: 24h, by: outlet}
  repeat_window: 30d
operations:
  data: ../data/operations.csv
  unit: company
  period: month
  by: [region]
  exposure: parcels
  indicators:
    on_time_rate: {hits: on_time, of: delivered, target: 0.95}
    damage_rate: {hits: damaged, of: delivered, better: lower}
    waiting_time: {sum: wait_minutes, of: visits, sum_squares: wait_minutes_sq, unit: min, better: lower}
    fault_rate: {events: faults, per: machine_hours, better: lower}
    tidiness: {score: tidiness, scale: [0, 100], of: inspections}
    new_services: {count: new_services}
observations:
  {data: ../data/inspections.csv, unit: outlet, period: month, rater: inspector, items: [clean, lights], scale: [1, 5]}
appraisal:
  period: month
  items:
    - {indicator: on_time_rate, block: mailing, full: 30, steps: [[0.98, 30], [0.95, 20], [0.90, 10]]}
    - {indicator: damage_rate, block: parcels, full: 20, deduct: 2, per: 0.001, cap: 20}
customers:
  data: ../data/customers.csv
  id: customer
  value: spend
  frequency: orders
  recency: days_since_last
  tenure: years
  satisfaction: satisfaction
  churned: churned
  repurchased: repurchased
  recommended: recommended
  active: active
  updated: updated_at
  tiers: [{label: VIP, where: "spend >= 5000"}, {label: regular, where: "orders >= 2"}, {label: new, where: "years < 1"}]
targets:
  - {indicator: on_time_rate, value: 0.95, due: 2026Q4}
  - {indicator: waiting_time, change: "-30%", baseline: 2025Q4, due: 2026Q4}
actions: ../data/actions.csv
mechanisms: null
privacy: {min_group: 10}

notebooks:
  01_reliability: {n_bootstrap: 2000}
  02_factor_analysis: {rotation: oblimin, correlation: polychoric}
"""

TABLES = {
    "survey": "respondent customer weight branch region duration_s comment rel1 rel2 rel3 spd1 spd2 sat1 sat2 sat3 "
    "loy1 loy2 loy3 nps c1 c2 c3 e1 e2 e3 company quarter",
    "invited": "group value invited",
    "population": "group value share",
    "published": "unit period measure value n source",
    "judgements": "expert parent left right judgement",
    "scores": "expert criterion points",
    "indicators": "dimension indicator label definition table unit better floor full weight target stage",
    "tickets": "ticket opened_at received_at responded_at handled_at replied_at closed_at escalated_at contacts type "
    "subtype cause channel company region department customer valid resolved satisfied remedy cost text",
    "operations": "company month region parcels on_time delivered damaged wait_minutes wait_minutes_sq visits faults "
    "machine_hours tidiness inspections new_services",
    "inspections": "outlet month inspector clean lights",
    "customers": "customer spend orders days_since_last years satisfaction churned repurchased recommended active updated_at",
    "actions": "id problem indicator unit measure responsible start due done status",
}


class Sample:
    """The full study in a folder of its own; `write` puts another text in its place."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "params" / "postal_demo.yaml"
        self.data = folder / "data"
        self.path.parent.mkdir()
        self.data.mkdir()
        for name, columns in TABLES.items():
            rows = ["Cedar,2025Q3", "Cedar,2025Q4", "Aspen,2026Q1", "Aspen,2026Q2"] if name == "survey" else []
            filled = [",".join(["1"] * (len(columns.split()) - 2) + [row]) for row in rows]
            (self.data / f"{name}.csv").write_text(
                "\n".join([",".join(columns.split()), *filled, ""]), encoding="utf-8"
            )
        self.write(FULL)

    def write(self, text: str) -> Path:
        self.path.write_text(text, encoding="utf-8")
        return self.path

    def replace(self, old: str, new: str) -> Path:
        text = self.path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"'{old}' stands {text.count(old)} times in the sample"
        return self.write(text.replace(old, new))


@cache
def _columns_of(name: str, content: bytes, encoding: str | None, sheet: str | None) -> list[str]:
    with TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        return column_names(name, folder=Path(folder), encoding=encoding, sheet=sheet)


def _remembered(data: list[str], *, folder: Path, encoding: str | None = None, sheet: str | None = None) -> list[str]:
    """`column_names`, reading the same content once only: a hundred faults are tried on the same tables."""
    path = find_files(data, folder)[0]
    return _columns_of(path.name, path.read_bytes(), encoding, sheet)


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    monkeypatch.setattr("cxresearch.study.data_checks.column_names", _remembered)
    return Sample(tmp_path)
