"""The study file: YAML as meant, types, and every fault with its place."""

from datetime import date
from pathlib import Path

import jsonschema
import pytest

from cxresearch.errors import InputError
from cxresearch.study import yaml_file
from cxresearch.study.faults import nearest, spelt
from cxresearch.study.fields import Duration
from cxresearch.study.file import StudyFile, json_schema
from cxresearch.study.open import check_study
from cxresearch.study.yaml_file import parse_yaml, read_yaml

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"study": "small", "survey": {"data": "x.csv"}}


def study_file(**fields: object) -> StudyFile:
    return StudyFile.model_validate(SMALL | fields)


# --- YAML -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("12:30:00", "12:30:00"),
        ("1:30", "1:30"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("0", 0),
        ("-99", -99),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        (".5", 0.5),
        (".inf", float("inf")),
        ("2026-06-30", date(2026, 6, 30)),
        ("2026-06", "2026-06"),
        ("2026Q4", "2026Q4"),
        ("1.5.2", "1.5.2"),
        ("-30%", "-30%"),
        ("1/3", "1/3"),
        ("~", None),
        ("", None),
        ("null", None),
        ('"1"', "1"),
        ("'2026-06-30'", "2026-06-30"),
        ("=", "="),
    ],
)
def test_plain_values_are_read_as_they_are_meant(written, read):
    value = parse_yaml(f"key: {written}")["key"]
    assert value == read
    assert type(value) is type(read)


def test_keys_are_always_text():
    content = parse_yaml("no: a\n2026: b\n2026-06-30: c\n1.10: d\ntrue: e")
    assert list(content) == ["no", "2026", "2026-06-30", "1.10", "true"]


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("params/*.yaml")) + sorted(ROOT.glob("data/*/*.yaml")), ids=lambda path: path.stem
)
def test_the_quick_parser_reads_what_the_careful_one_reads(path):
    text = path.read_text(encoding="utf-8")
    content, faults = yaml_file._load_with(yaml_file._QuickLoader, text)
    assert faults == []
    assert repr(content) == repr(yaml_file._load_with(yaml_file._Loader, text)[0])  # types and order too


def test_anchors_and_merges_work():
    content = parse_yaml("one: &scale {scale: [1, 5]}\ntwo: {<<: *scale, label: Two}")
    assert content["two"] == {"scale": [1, 5], "label": "Two"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", r"^line 3: the key 'a' stands twice \(first in line 1\)$"),
        ("a: {b: 1, b: 2}\nc: {d: 1, d: 1}", r"line 1: the key 'b' .*\nline 2: the key 'd'"),
        ("a: 1\nb: c: d", r"line 2, column 5: .*put a text that holds ': ' in quotes"),
        ("a:\n\tb: 1", r"line 2, column 1: .*indent with spaces"),
        ("a: [1, 2\nb: 3", r"line 2, column 2: .*a \[ is not closed"),
        ("a: {b: 1", r"a \{ is not closed"),
        ("a: 'b", r"line 1, .*quotation mark is not closed"),
        ("a: %b", r"begins with % in quotes"),
        ("a: @b", r"begins with @ in quotes"),
        ("a: `b` > 1", r"begins with ` in quotes"),
        ("a: *b", r"begins with \* in quotes"),
        ("a: &b [*b]", r"line 1, .*recursive"),
        ("a: !!python/object:os.system {}", r"line 1, .*could not determine a constructor"),
        ("a: 2026-02-30", r"line 1, column 4: 2026-02-30 is no date of the calendar"),
        ("a: 1\n---\nb: 2", r"line 2, .*take `---` out"),
        ("? [a, b]\n: 1", r"line 1, .*a key must be a text"),
        ("a: 1\nb: \x00", r"^line 2: found a character that no text may hold \(code 0\)"),
        ("", "line 1: a study file must hold .*; found nothing"),
        ("- a\n- b", "found a list"),
        ("study", "found 'study'"),
    ],
)
def test_wrong_yaml_is_told_with_its_line(text, message):
    with pytest.raises(InputError, match=message):
        parse_yaml(text)


def test_a_study_file_is_utf_8(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_bytes("study: a\ntitle: 满意度".encode("gb18030"))
    with pytest.raises(InputError, match="line 2: not UTF-8"):
        read_yaml(path)
    path.write_bytes("study: a\ntitle: 满意度".encode("utf-8-sig"))
    assert read_yaml(path) == {"study": "a", "title": "满意度"}


# --- types ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "items"),
    [
        ("rel1..rel3", {"rel1": "", "rel2": "", "rel3": ""}),
        ("q08..q10", {"q08": "", "q09": "", "q10": ""}),
        (["q9..q11", "sat"], {"q9": "", "q10": "", "q11": "", "sat": ""}),
        (["Q1..text."], {"Q1..text.": ""}),
        ("single", {"single": ""}),
        ([1, 2], {"1": "", "2": ""}),
        ({"rel1": "On time", "rel2": None}, {"rel1": "On time", "rel2": ""}),
    ],
)
def test_items_have_three_forms(written, items):
    file = study_file(constructs={"reliability": {"items": written}})
    assert file.constructs["reliability"].items == items
    assert file.scales == {"reliability": list(items)}


def test_units_of_time_and_change_are_read():
    file = study_file(
        tickets={"data": "t.csv", "promise": "5wd", "response_promise": "30 min", "repeat_window": "1.5d"},
        targets=[{"indicator": "a", "change": "-30%"}, {"indicator": "b", "change": "12.5 %"}],
    )
    assert file.tickets.promise == Duration(5, "wd")
    assert file.tickets.response_promise == Duration(30, "min")
    assert str(file.tickets.repeat_window) == "1.5d"
    assert [target.change for target in file.targets] == [-0.3, 0.125]


def test_one_value_stands_for_a_list_of_one():
    file = study_file(cases={"before": 2025, "after": ["2026Q1"]}, model={"a": "b"}, groups=["region"])
    assert file.cases.before == ["2025"]
    assert file.model == {"a": ["b"]}
    assert file.groups == {"region": ""}
    assert file.survey.data == ["x.csv"]


def test_codes_stay_numbers_or_texts():
    assert study_file(survey={"data": "x.csv", "missing": [-99, 9.5, "", "Blank"]}).survey.missing == [
        -99,
        9.5,
        "",
        "Blank",
    ]


def test_null_means_not_there():
    file = study_file(title=None, seed=None, cases=None, survey={"data": "x.csv", "where": None, "missing": None})
    assert (file.title, file.seed, file.cases, file.survey.where, file.survey.missing) == ("", 0, None, None, [])


def test_a_text_cut_at_its_comma_is_put_together_again():
    text = "{comfort: {label: Art, food and shops, items: [c1]}}"
    assert study_file(constructs=parse_yaml(text)).constructs["comfort"].label == "Art, food and shops"


def test_an_unknown_key_without_a_value_is_told(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("study: small\nsurvey:\n  wieght:\n  data: x.csv\n", encoding="utf-8")
    assert "survey.wieght: unknown key; did you mean 'weight'?" in check_study(path)


@pytest.mark.parametrize(
    ("fields", "drivers"),
    [
        ({"outcome": "c"}, ["a", "b"]),
        ({"outcome": "c1"}, ["a", "b"]),
        ({"outcome": "overall"}, ["a", "b", "c"]),
        ({"outcome": "c", "drivers": ["loyalty", "a"]}, ["loyalty", "a"]),
        ({}, []),
    ],
)
def test_drivers_are_all_other_constructs_but_loyalty(fields, drivers):
    constructs = {name: {"items": [f"{name}1", f"{name}2"]} for name in ("a", "b", "c", "loyalty")}
    assert study_file(constructs=constructs, **fields).drivers_used == drivers


def test_the_hierarchy_is_the_goal_and_the_constructs_if_none_is_given():
    constructs = {"a": {"items": "a1"}, "b": {"items": "b1"}}
    assert study_file(constructs=constructs).hierarchy == {"goal": ["a", "b"]}
    given = {"aim": ["a", "b"], "a": ["x", "y"]}
    assert study_file(constructs=constructs, experts={"hierarchy": given}).hierarchy == given


def test_types_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        study_file().seed = 3


# --- JSON Schema ----------------------------------------------------------------------------------------------------


def as_json(content):
    if isinstance(content, dict):
        return {key: as_json(value) for key, value in content.items() if value is not None}
    if isinstance(content, list):
        return [as_json(entry) for entry in content]
    return content.isoformat() if isinstance(content, date) else content


def test_the_schema_accepts_the_full_study_and_refuses_a_misspelt_key(sample):
    jsonschema.Draft202012Validator.check_schema(json_schema())
    validator = jsonschema.Draft202012Validator(json_schema())
    content = as_json(read_yaml(sample.path))
    assert list(validator.iter_errors(content)) == []
    content["survey"]["wieght"] = "w"
    assert "wieght" in next(validator.iter_errors(content)).message


def test_every_field_says_what_it_means():
    schema = json_schema()
    kinds = {"StudyFile": schema, **schema["$defs"]}
    mute = [
        f"{kind}.{key}"
        for kind in kinds
        for key, field in kinds[kind]["properties"].items()
        if not field.get("description")
    ]
    assert mute == []


# --- faults ---------------------------------------------------------------------------------------------------------


def test_the_full_study_is_sound(sample):
    assert check_study(sample.path) == []


FAULTS = [  # text in the full study, what stands there instead, the one fault told
    # shape
    ("study: postal_demo", "study: Postal Demo",
     "study: may hold only a-z, 0-9, _ and - (it names a folder), found 'Postal Demo'"),
    ("study: postal_demo", "study: summary",
     "study: may not be 'summary', which names the folder of the summary over studies"),
    ("study: postal_demo\n", "", "study: is required"),
    ("language: en", "language: fr", "language: must be 'en' or 'zh', found 'fr'"),
    ("language: en", "langauge: en", "langauge: unknown key; did you mean 'language'?"),
    ("seed: 20261121", "seed: 1.5", "seed: must be a whole number, found 1.5"),
    ("seed: 20261121", "seed: true", "seed: must be a whole number, found true"),
    ("seed: 20261121", "seed: -1", "seed: must be 0 or more, found -1"),
    ("seed: 20261121", "cluster: branch", "cluster: unknown key; did you mean 'survey.cluster' or 'customers'?"),
    ("  strata: region", "  stratum: region", "survey.stratum: unknown key; did you mean 'strata'?"),
    ("duplicates: keep", "duplicates: drp", "survey.duplicates: must be 'keep' or 'drop', found 'drp'"),
    ("missing_policy: drop", "missing_policy: mean", "survey.missing_policy: must be 'drop', 'em' or 'impute', found 'mean'"),
    ("missing: [-99, \"\"]", "missing: [-99, [1]]", "survey.missing: must be a number or a text (in quotes), found [1]"),
    ("missing: [-99, \"\"]", "missing: true", "survey.missing: must be a number or a text (in quotes), found true"),
    ("encoding: null", "encoding: utf-88", "survey.encoding: must be an encoding such as utf-8 or gb18030, found 'utf-88'"),
    ("scale: [1, 5]\n    reversed", "scale: [5, 1]\n    reversed",
     "constructs.reliability.scale: must be [lowest, highest], found [5, 1]"),
    ("scale: [1, 5]\n    reversed", "scale: [1, 3, 5]\n    reversed",
     "constructs.reliability.scale: must be [lowest, highest], such as [1, 5], found [1, 3, 5]"),
    ("items: loy1..loy3", "items: loy3..loy1",
     "constructs.loyalty.items: a short form must rise, such as rel1..rel5, found 'loy3..loy1'"),
    ("items: loy1..loy3", "items: {loy1..loy3: text}",
     "constructs.loyalty.items: a short form such as rel1..rel5 cannot have a text; write the names out"),
    ("items: [sat1, sat2, sat3]", "items: [sat1, sat2, sat1]", "constructs.satisfaction.items: each name may stand once, found 'sat1' again"),
    ("items: [sat1, sat2, sat3]", "items: []", "constructs.satisfaction.items: must have at least one entry, found an empty list"),
    ("items: [sat1, sat2, sat3]", "item: [sat1, sat2, sat3]", "constructs.satisfaction.item: unknown key; did you mean 'items'?"),
    ("{items: [sat1, sat2, sat3], scale: [1, 10]}", "[sat1, sat2]",
     "constructs.satisfaction: must be a mapping (key: value), found ['sat1', 'sat2']"),
    ("stage: during", "stage: later", "constructs.reliability.stage: must be 'before', 'during' or 'after', found 'later'"),
    ("非常满意: 5", "非常满意: 'five'", "constructs.speed.codes.非常满意: must be a number, found 'five'"),
    ("非常满意: 5", "非常满意: .nan", "constructs.speed.codes.非常满意: must be a finite number, found nan"),
    ("{satisfaction: 80}", "{satisfaction: high}", "cases.benchmark.satisfaction: must be a number, found 'high'"),
    ("lessons: ", "lesson: ", "cases.narrative.Cedar.lesson: unknown key; did you mean 'lessons'?"),
    ("reliability: 0.4, speed: 0.6", "reliability: 0.4, speed: 0.5", "weights.values: must sum to 1, found 0.9"),
    ("reliability: 0.4, speed: 0.6", "reliability: 1.4, speed: 0.6", "weights.values.reliability: must be 1 or less, found 1.4"),
    ("{very poor: 20, poor: 40", "{very poor: 40, poor: 20",
     "evaluation.grades: must be two or more grades whose scores all rise or all fall"),
    ("as_of: 2026-06-30", "as_of: 30.6.2026", "tickets.as_of: must be a date such as 2026-06-30, found '30.6.2026'"),
    ("promise: 7d", "promise: 7 days", "tickets.promise: must be a time such as 30min, 2h, 7d or 5wd (working days), found '7 days'"),
    ("promise: 7d", "promise: 0d", "tickets.promise: must be a time such as 30min, 2h, 7d or 5wd (working days), found '0d'"),
    ("promise: 7d", "promise: 7", "tickets.promise: must be a time such as 30min, 2h, 7d or 5wd (working days), found 7"),
    ("at: replied_at, limit: 24h", "limit: 24h", "tickets.stages[2].at: is required"),
    ("full: 20, deduct", "full: 0, deduct", "appraisal.items[2].full: must be above 0, found 0"),
    ("[0.95, 20], [0.90, 10]]", "[0.90, 20], [0.95, 10]]",
     "appraisal.items[1].steps: the thresholds must all rise or all fall, each standing once"),
    ("[[0.98, 30], [0.95, 20], [0.90, 10]]", "[0.98, 30]",
     "appraisal.items[1].steps: must be pairs [threshold, points], such as [[0.98, 30], [0.95, 20]], found [0.98, 30]"),
    ('change: "-30%"', "change: -30", 'targets[2].change: must be a percentage such as "-30%", found -30'),
    ("{min_group: 10}", "{min_group: 0}", "privacy.min_group: must be 1 or more, found 0"),
    ("{n_bootstrap: 2000}", "2000", "notebooks.01_reliability: must be a mapping (key: value), found 2000"),
    # what fields get wrong together: survey and constructs
    ("reversed: [rel3]", "reversed: [rel4]",
     "constructs.reliability.reversed: 'rel4' is not an item of 'reliability'; did you mean 'rel3'?"),
    ("    scale: [1, 5]\n    reversed", "    reversed", "constructs.reliability.scale: is required to reverse items"),
    ("items: [spd1, spd2]", "items: [spd1, rel1]",
     "constructs.speed.items: 'rel1' is an item of 'reliability' already; an item has one construct"),
    ("非常满意: 5", "非常满意: 7", "constructs.speed.codes: '非常满意' is 7, outside the scale [1, 5]"),
    ("weight: weight", "weight: rel1", "survey.weight: 'rel1' is an item of 'reliability'; a column cannot be both"),
    ("outcome: satisfaction", "outcome: satisfacton",
     "outcome: 'satisfacton' is no construct and no column of data/survey.csv; did you mean 'satisfaction'?"),
    ("drivers: [reliability, speed]", "drivers: [reliability, sped]",
     "drivers: 'sped' is no construct and no column of data/survey.csv; did you mean 'speed'?"),
    ("drivers: [reliability, speed]", "drivers: [satisfaction]", "drivers: 'satisfaction' is the outcome"),
    ("drivers: [reliability, speed]", "drivers: [speed, sat1]", "drivers: 'sat1' is an item of the outcome 'satisfaction'"),
    ("outcome: satisfaction", "outcome: rel1", "drivers: the outcome 'rel1' is an item of 'reliability'"),
    ("outcome: satisfaction\n", "", "drivers: needs an `outcome`"),
    ("satisfaction: [loyalty]", "satisfaction: [loyalty, reliability]",
     "model: paths may not run in a circle, found reliability -> satisfaction -> reliability"),
    ("satisfaction: [loyalty]", "satisfaction: [satisfaction]",
     "model: paths may not run in a circle, found satisfaction -> satisfaction"),
    ("satisfaction: [loyalty]", "satisfaction: [loyality]",
     "model.satisfaction: 'loyality' is no construct and no column of data/survey.csv; did you mean 'loyalty'?"),
    ("expectation: [e1, e2, e3]", "expectation: [e1, e2]",
     "pairs.reliability: must ask the same questions twice, found 2 and 3 items"),
    # cases and experts
    ("  period: quarter\n", "", "cases.period: is required with `before` and `after`"),
    ("  after: [2026Q1, 2026Q2]\n", "", "cases.after: `before` and `after` go together"),
    ("after: [2026Q1, 2026Q2]", "after: [2025Q4]", "cases.after: '2025Q4' is in `before` too"),
    ("  by: company\n  period", "  period", "cases.by: is required with `treated`"),
    ("{satisfaction: 80}", "{satisfacton: 80}",
     "cases.benchmark: 'satisfacton' is no construct and no column of data/survey.csv; did you mean 'satisfaction'?"),
    ("  judgements: ../data/judgements.csv\n  scores: ../data/scores.csv\n", "", "experts: must have `judgements` or `scores`"),
    ("{goal: [reliability, speed], reliability: [rel1, rel2, rel3]}", "{goal: [a, b], b: [c], c: [b]}",
     "experts.hierarchy: 'b' may stand under one parent, found 'goal' and 'c'"),
    ("{goal: [reliability, speed], reliability: [rel1, rel2, rel3]}", "{goal: [a, b], c: [d], d: [c]}",
     "experts.hierarchy: a hierarchy may not run in a circle, found one through 'c', 'd'"),
    ("{goal: [reliability, speed], reliability: [rel1, rel2, rel3]}", "{goal: [a, b], other: [c, d]}",
     "experts.hierarchy: one goal must stand at the top, found 'goal', 'other'"),
    ("{goal: [reliability, speed], reliability: [rel1, rel2, rel3]}", "{goal: [a, a]}",
     "experts.hierarchy.goal: each name may stand once, found 'a' again"),
    # tickets, indicators, notebooks
    ("  opened: opened_at\n", "", "tickets.opened: is required with `stages`, `closed`, `first_response`"),
    ("  closed: closed_at\n", "", "tickets.closed: is required with `promise`"),
    ("  text: text\n", "", "tickets.text: is required with `keywords`"),
    ("{name: reply, at", "{name: receive, at", "tickets.stages: each must have a name of its own, found 'receive' again"),
    ("{label: new, where", "{label: VIP, where", "customers.tiers: each must have a name of its own, found 'VIP' again"),
    ("{count: new_services}", "{count: new_services, hits: on_time}",
     "operations.indicators.new_services: must have one of `hits`, `sum`, `events`, `score`, `count`, found `hits` and `count`"),
    ("{count: new_services}", "{unit: 1}",
     "operations.indicators.new_services: must have one of `hits`, `sum`, `events`, `score`, `count`, found none"),
    ("{events: faults, per: machine_hours", "{events: faults", "operations.indicators.fault_rate: `events` needs `per`"),
    ("{count: new_services}", "{count: new_services, scale: [0, 1]}",
     "operations.indicators.new_services: `scale` does not go with `count`"),
    ("target: 0.95}", "target: 95}",
     "operations.indicators.on_time_rate: the `target` of a share lies between 0 and 1, found 95"),
    ("full: 30, steps", "full: 25, steps", "appraisal.items[1]: no step may give more than the full 25 points, found 30"),
    ("full: 20, deduct: 2, per: 0.001, cap: 20", "full: 20", "appraisal.items[2]: must have either `steps` or `deduct` with `per`"),
    ("deduct: 2, per: 0.001,", "deduct: 2,", "appraisal.items[2]: `deduct` and `per` go together"),
    ("[0.90, 10]]}", "[0.90, 10]], cap: 5}", "appraisal.items[1]: `cap` goes with `deduct`"),
    ("value: 0.95, due", 'value: 0.95, change: "5%", due', "targets[1]: must have either `value` or `change`"),
    ("01_reliability: {", "01_reliabilty: {",
     "notebooks.01_reliabilty: must name a notebook, such as 01_reliability; did you mean '01_reliability'?"),
    ("01_reliability: {", "reliable: {", "notebooks.reliable: must name a notebook, such as 01_reliability; did you mean '01_reliability'?"),
    ("{n_bootstrap: 2000}", "{output_dir: out}", "notebooks.01_reliability.output_dir: is set by the run; take it out"),
    # data
    ("weight: weight", "weight: WEIGT", "survey.weight: column 'WEIGT' is not in data/survey.csv; did you mean 'weight'?"),
    ("items: loy1..loy3", "items: [loy1, loy2, Loy3]",
     "constructs.loyalty.items: column 'Loy3' is not in data/survey.csv; did you mean 'loy3'?"),
    ("items: [sat1, sat2, sat3]", "items: sat1-sat3",
     "constructs.satisfaction.items: column 'sat1-sat3' is not in data/survey.csv; did you mean 'sat1..sat3'?"),
    ("items: [sat1, sat2, sat3]", "items: sat1..3",
     "constructs.satisfaction.items: column 'sat1..3' is not in data/survey.csv; did you mean 'sat1..sat3'?"),
    ("drivers: [reliability, speed]", "drivers: reliability, speed",
     "drivers: 'reliability, speed' is no construct and no column of data/survey.csv; "
     "did you mean '[reliability, speed]'?"),
    ("recommend: nps", "recommend: likely", "recommend: column 'likely' is not in data/survey.csv"),
    ("[c1, c2, c3]", "[c1, c2, ch4]", "choices.reasons: column 'ch4' is not in data/survey.csv"),
    ("expectation: [e1, e2, e3]", "expectation: [e1, e2, ex33]",
     "pairs.reliability.expectation: column 'ex33' is not in data/survey.csv; did you mean 'e3'?"),
    ("{company: Company, region", "{compny: Company, region",
     "groups: column 'compny' is not in data/survey.csv; did you mean 'company'?"),
    ("period: quarter", "period: quater", "cases.period: column 'quater' is not in data/survey.csv; did you mean 'quarter'?"),
    ("where: null", "where: regoin == 1", "survey.where: column 'regoin' is not in data/survey.csv; did you mean 'region'?"),
    ("closed: closed_at", "closed: close_at", "tickets.closed: column 'close_at' is not in data/tickets.csv; did you mean 'closed_at'?"),
    ("at: received_at", "at: receivd_at",
     "tickets.stages[1].at: column 'receivd_at' is not in data/tickets.csv; did you mean 'received_at'?"),
    ("sum_squares: wait_minutes_sq", "sum_squares: wait_sq",
     "operations.indicators.waiting_time.sum_squares: column 'wait_sq' is not in data/operations.csv; did you mean 'wait_minutes_sq'?"),
    ("items: [clean, lights]", "items: [clean, light]",
     "observations.items: column 'light' is not in data/inspections.csv; did you mean 'lights'?"),
    ("tenure: years", "tenure: year", "customers.tenure: column 'year' is not in data/customers.csv; did you mean 'years'?"),
    ("years < 1", "year < 1", "customers.tiers[3].where: column 'year' is not in data/customers.csv; did you mean 'years'?"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), FAULTS, ids=[fault for *_, fault in FAULTS])
def test_a_fault_is_told_with_its_place_and_nothing_else(sample, old, new, fault):
    assert check_study(sample.replace(old, new)) == [fault]


PRESENCE = [
    ("study: a", "a part with data is required: `survey` with `constructs`, `experts`, `tickets`, `operations`, `observations`, `customers` or `cases.published`"),
    ("study: a\nsurvey: {data: ../data/survey.csv}", "constructs: is required with `survey`"),
    ("study: a\nsurvey: {data: ../data/survey.csv}\nconstruct: {a: {items: rel1}}",
     "construct: unknown key; did you mean 'constructs'?"),
    ("study: a\nsurvey: {dta: ../data/survey.csv}\nconstructs: {a: {items: rel1}}", "survey.dta: unknown key; did you mean 'data'?"),
    ("study: a\ntickets: {data: ../data/tickets.csv}\nrecommend: nps", "recommend: needs a `survey`"),
    ("study: a\ntickets: {data: ../data/tickets.csv}\nconstructs: {a: {items: rel1}}", "constructs: needs a `survey`"),
    ("study: a\ntickets: {data: ../data/tickets.csv}\ncases: {by: company}", "cases: needs a `survey`"),
    ("study: a\nexperts: {judgements: ../data/judgements.csv}", "experts.hierarchy: is required where there are no `constructs`"),
    ("study: a\nsurvey: {data: ../data/survey.csv}\nconstructs: {all: {items: rel1}}",
     "constructs.all: the name 'all' is kept for all items together; choose another"),
    ("study: a\nsurvey: {data: ../data/survey.csv}\nconstructs: {a: {items: rel1}}\nweights: {values: {aa: 0.5, rel1: 0.5}}",
     "weights.values: 'aa' is no construct, item or criterion; did you mean 'a'?"),
    ("study: a\noperations: {data: ../data/operations.csv, indicators: {on_time: {count: on_time}}}\n"
     "targets: [{indicator: on_tine, value: 1}]",
     "targets[1].indicator: 'on_tine' is no indicator of `operations`; did you mean 'on_time'?"),
    ("study: a\ntickets: {data: ../data/tickets.csv}\nappraisal: {items: [{indicator: a, full: 1, steps: [[1, 1]]}]}",
     "appraisal: needs `operations` or `indicators`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), PRESENCE)
def test_parts_that_need_each_other(sample, text, fault):
    assert check_study(sample.write(text)) == [fault]


@pytest.mark.parametrize(
    "text",
    [
        "study: a\ncases: {published: ../data/published.csv}",
        "study: a\nexperts: {judgements: ../data/judgements.csv, hierarchy: {goal: [x, y]}}",
        "study: a\nexperts: {scores: ../data/scores.csv}",
        "study: a\nexperts: {judgements: ../data/judgements.csv}\nconstructs: {a: {items: a1}, b: {items: b1}}",
        "study: a\nsurvey: {data: ../data/survey.csv}\nconstructs: {nps: {items: nps}}\noutcome: nps\ndrivers: [rel1, weight]",
        "study: a\ntickets: {data: ../data/tickets.csv}\ntargets: [{indicator: kept_promise_rate, value: 0.9}]",
        "study: 1\ntickets: {data: ../data/tick*.csv}\ntitle: 2026",
    ],
)
def test_small_studies_are_sound(sample, text):
    assert check_study(sample.write(text)) == []


def test_every_fault_is_told_at_once_in_the_order_of_the_file(sample):
    sample.replace("study: postal_demo", "study: Postal")
    sample.replace("weight: weight", "weight: WEIGT")
    sample.replace("scale: [1, 5]\n    reversed", "scale: [5, 1]\n    reversed")
    sample.replace("outcome: satisfaction", "outcome: satisfacton")
    sample.replace("population: ../data/population.csv", "population: ../data/popluation.csv")
    sample.replace("promise: 7d", "promise: soon")
    (sample.data / "scores.csv").write_text("expert,criterion,point\n", encoding="utf-8")
    told = check_study(sample.path)
    assert [fault.split(":")[0] for fault in told] == [
        "study",
        "survey.population",
        "survey.weight",
        "constructs.reliability.scale",
        "outcome",
        "experts.scores",
        "tickets.promise",
    ]
    assert "popluation.csv. Did you mean 'population.csv'?" in told[1]


def test_one_fault_does_not_cause_others(sample):
    """A construct, an indicator and a step that are left out as faulty may still be referred to."""
    sample.replace("{items: [spd1, spd2], scale", "{itemz: [spd1, spd2], scale")
    sample.replace("{hits: on_time, of: delivered, target: 0.95}", "[on_time]")
    sample.replace("{name: receive, at: received_at,", "{name: receive,")
    sample.replace("at: replied_at, limit", "at: repliedat, limit")
    assert check_study(sample.path) == [
        "constructs.speed.itemz: unknown key; did you mean 'items'?",
        "tickets.stages[1].at: is required",
        "tickets.stages[2].at: column 'repliedat' is not in data/tickets.csv; did you mean 'replied_at'?",
        "operations.indicators.on_time_rate: must be a mapping (key: value), found ['on_time']",
    ]


def test_tables_of_fixed_form_need_their_columns(sample):
    (sample.data / "judgements.csv").write_text("expert,parent,left,right,value\n", encoding="utf-8")
    (sample.data / "actions.csv").write_text("id,measure,Due,note\n", encoding="utf-8")
    assert check_study(sample.path) == [
        "experts.judgements: column 'judgement' is not in data/judgements.csv",
        "actions: column 'due' is not in data/actions.csv; did you mean 'Due'?",
    ]


def test_names_that_are_meant():
    assert nearest("Weight", ["weight", "height"]) == "weight"
    assert nearest("rel_1", ["rel1", "rel2"]) == "rel1"
    assert nearest("x", ["weight"]) == ""
    assert spelt(("targets", 0, "due")) == "targets[1].due"
