"""A study whose files lie elsewhere: in the memory of this process, in an archive, behind file://, on a failing server."""

import hashlib
import re
import zipfile

import fsspec
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import known_implementations
from fsspec.spec import AbstractFileSystem
from study.test_tables import WRITERS

from cxresearch.errors import InputError
from cxresearch.methods.reliability import check_reliability
from cxresearch.study.large_survey import LargeSurvey
from cxresearch.study.open import check_study, open_study
from cxresearch.study.tables import column_names, read_table
from cxresearch.study.urls import Url, find_studies, locate, place, without_secrets

SECRET = "https://me:word@host/data/survey.csv?token=abc"


class Broken(AbstractFileSystem):
    """A server that answers with an error of its own, in which the address stands."""

    protocol = "broken"

    def info(self, path, **_):
        raise RuntimeError("refused: broken://me:word@host/a.csv")


class Counted(MemoryFileSystem):
    """Tells how many bytes were read."""

    protocol = "counted"
    store, pseudo_dirs, read = {}, [""], 0

    @classmethod
    def _strip_protocol(cls, path):
        return MemoryFileSystem._strip_protocol(path.replace("counted://", "memory://"))

    def _open(self, path, mode="rb", **options):
        stream = super()._open(path, mode, **options)
        if mode == "rb":
            read = stream.read
            stream.read = lambda size=-1: self._count(read(size))
        return stream

    def _count(self, content):
        Counted.read += len(content)
        return content


@pytest.fixture(autouse=True, scope="module")
def protocols():
    for system in (Broken, Counted):
        fsspec.register_implementation(system.protocol, system, clobber=True)


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_is_read_by_url_as_from_here(tmp_path, memory, name):
    WRITERS[name](tmp_path / name)
    memory.pipe(f"/data/{name}", (tmp_path / name).read_bytes())
    near, far = (read_table(name, folder=folder) for folder in (tmp_path, Url("memory://data")))
    pd.testing.assert_frame_equal(far.frame, near.frame)
    assert (far.encoding, far.value_labels, far.variable_labels) == (
        near.encoding,
        near.value_labels,
        near.variable_labels,
    )
    assert [str(path) for path in far.paths] == [f"memory://data/{name}"]
    assert column_names(f"memory://data/{name}", folder=tmp_path) == list(near.frame.columns)


def test_a_whole_study_by_url_is_the_one_from_here(sample, memory):
    root = sample.path.parents[1]
    for path in root.rglob("*.*"):
        memory.pipe(f"/lab/{path.relative_to(root).as_posix()}", path.read_bytes())
    near, far = open_study(sample.path), open_study("memory://lab/params/postal_demo.yaml")
    pd.testing.assert_frame_equal(far.survey().answers, near.survey().answers)
    pd.testing.assert_frame_equal(far.judgements(), near.judgements())
    assert far.fingerprints() == near.fingerprints()
    assert next(iter(far.sources())) == "../data/survey.csv"
    assert str(far.data_files()[0]) == "memory://lab/data/survey.csv"


def test_a_large_table_by_url_is_left_where_it_lies(tmp_path, memory):
    for name in ("a", "b"):
        pd.DataFrame({"x": [1, 2, 5, 4], "y": [2, 2, 4, 5]}).to_parquet(tmp_path / f"{name}.parquet")
        memory.pipe(f"/big/{name}.parquet", (tmp_path / f"{name}.parquet").read_bytes())
    text = "study: big\nsurvey: {{data: '*.parquet', large: {large}}}\nconstructs: {{k: {{items: [x, y], scale: [1, 5]}}}}\n"
    alphas = []
    for large in ("yes", "no"):
        memory.pipe(f"/big/{large}.yaml", text.format(large=large).encode())
        survey = open_study(f"memory://big/{large}.yaml").survey()
        assert isinstance(survey, LargeSurvey) == (large == "yes")
        alphas.append(check_reliability(survey.answers, survey.scales, n_bootstrap=2).value("alpha", scale="k"))
    assert alphas[0] == pytest.approx(alphas[1], rel=1e-12)


def test_patterns_lists_and_archives(tmp_path, memory):
    for name in ("b", "a"):
        memory.pipe(f"/waves/{name}.csv", f"q,wave\n1,{name}\n".encode())
    with zipfile.ZipFile(tmp_path / "waves.zip", "w") as archive:
        archive.writestr("in/c.csv", "q,wave\n1,c\n")
    entries = ["memory://waves/*.csv", f"zip://in/*.csv::file://{tmp_path}/waves.zip"]
    assert read_table(entries, folder=tmp_path).frame["wave"].tolist() == ["a", "b", "c"]
    assert read_table("../waves/[ab].csv", folder=Url("memory://params")).frame["wave"].tolist() == ["a", "b"]
    inside = place(f"zip://in/c.csv::file://{tmp_path}/waves.zip")
    assert read_table("c.csv", folder=inside.parent).frame["wave"].tolist() == ["c"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("memory://waves/survy.csv", r"^no such file: memory://waves/survy\.csv\. Did you mean 'survey\.csv'\?$"),
        ("memory://waves/*.sav", "the pattern of a data file must find some; none fit 'memory://waves/"),
        (
            "nowhere://a.csv",
            "^nowhere://a.csv must begin with a protocol that fsspec knows; Protocol not known: nowhere$",
        ),
        (
            "broken://me:word@host/a.csv",
            r"^broken://host/a\.csv must be within reach; found RuntimeError: refused: broken://host/a\.csv$",
        ),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, memory, entry, message):
    memory.pipe("/waves/survey.csv", b"q\n1\n")
    with pytest.raises(InputError, match=message) as error:
        read_table(entry, folder=tmp_path)
    assert "word" not in str(error.value)


@pytest.mark.parametrize(
    "entry",
    [
        "memory://me:word@host/survey.duckdb::answers",
        "memory://me:word@host/survey.DB",
        "zip://in/survey.ddb::memory://waves.zip",
        "https://host/survey.duckdb?token=word",
        "../data/survey.duckdb::answers",
    ],
)
def test_a_database_must_lie_here(memory, entry):
    study = f"study: post\nsurvey: {{data: {entry!r}}}\nconstructs: {{a: {{items: [x, y], scale: [1, 5]}}}}\n"
    memory.pipe("/params/post.yaml", study.encode())
    faults = check_study("memory://params/post.yaml")
    assert len(faults) == 1
    assert re.search(
        r"^survey\.data: a database file must lie on this machine; found \S+\. Copy it here, or export", faults[0]
    )
    assert "word" not in faults[0]


def test_a_protocol_whose_package_is_missing_is_a_fault_among_the_others(tmp_path, monkeypatch):
    monkeypatch.setitem(known_implementations, "far", {"class": "no_such_package.Far", "err": "Install far"})
    file = tmp_path / "post.yaml"
    file.write_text("study: post\nsurvey: {data: far://bucket/survey.csv}\nconstructs: {a: {item: [x]}}\n")
    faults = check_study(file)
    assert (
        "survey.data: far://bucket/survey.csv needs a package that is not installed; Install far. Install it." in faults
    )
    assert any(fault.startswith("constructs.a") for fault in faults)


def test_a_study_file_that_is_not_there_is_a_fault(memory):
    assert check_study("memory://params/post.yaml") == ["no such file: memory://params/post.yaml"]


def test_the_names_of_columns_cost_no_more_than_the_head_of_a_file(tmp_path):
    content = b"q,wave\n" + b"1,2\n" * 500_000
    fsspec.filesystem("counted").pipe("/big.csv", content)
    Counted.read = 0
    assert column_names("counted://big.csv", folder=tmp_path) == ["q", "wave"]
    assert 0 < Counted.read < len(content) / 10


def test_a_hash_is_that_of_what_was_read(memory):
    url, first, second = Url("memory://a.csv"), b"q\n1\n", b"q\n2\n"
    memory.pipe("/a.csv", first)
    assert url.sha256() == hashlib.sha256(first).hexdigest()
    memory.pipe("/a.csv", second)
    assert url.sha256() == hashlib.sha256(first).hexdigest()
    with url.on_disk() as local:
        assert local.read_bytes() == second
        assert local.name == "a.csv"
    assert not local.exists()
    assert url.sha256() == hashlib.sha256(second).hexdigest()


@pytest.mark.parametrize(
    ("file", "folder", "shown"),
    [
        ("ftp://me:word@host/data/a.csv", "ftp://me:word@host/params", "../data/a.csv"),
        ("ftp://me:word@host/data/a.csv", "ftp://host/params", "ftp://host/data/a.csv"),
        ("ftp://me:word@other/data/a.csv", "ftp://me:word@host/params", "ftp://other/data/a.csv"),
        ("s3://answers/a.csv", "s3://studies/params", "s3://answers/a.csv"),
        ("file:///srv/a.csv", "file:///home/params", "../../srv/a.csv"),
        ("zip://data/a.csv::https://host/b.zip", "zip://params::https://host/b.zip", "../data/a.csv"),
    ],
)
def test_a_path_from_one_server_to_another_is_an_address_without_its_secrets(file, folder, shown):
    assert Url(file).relative_to(Url(folder)) == shown


def test_nothing_secret_is_shown():
    assert str(Url(SECRET)) == "https://host/data/survey.csv"
    assert str(Url(f"zip://a.csv::{SECRET}")) == "zip://a.csv::https://host/data/survey.csv"
    assert "word" not in str(Url(SECRET).parent)
    assert repr(Url(SECRET)) == "Url('https://host/data/survey.csv')"
    assert str(Url("ftp://me:p@ss:word@host/a.csv")) == "ftp://host/a.csv"
    assert str(Url("https://host/a.csv?Expires=10:20&Signature=word")) == "https://host/a.csv"
    assert without_secrets(SECRET) == "https://host/data/survey.csv"
    assert (without_secrets(3), without_secrets("a?b")) == (3, "a?b")


def test_paths_start_at_the_study_file(tmp_path):
    folder = Url("https://me:word@host/lab/params/post.yaml?token=abc").parent
    assert folder.address == "https://me:word@host/lab/params"
    assert locate(folder, "../data/a.csv").address == "https://me:word@host/lab/data/a.csv"
    assert locate(folder, "s3://bucket/a.csv") == Url("s3://bucket/a.csv")
    assert locate(tmp_path, "a.csv") == tmp_path / "a.csv"
    assert locate(folder, str(tmp_path)) == tmp_path
    assert Url("s3://bucket/a/b.csv.gz").suffixes == [".csv", ".gz"]


def test_a_pattern_of_study_files(tmp_path, memory):
    for name in ("b", "a"):
        memory.pipe(f"/params/{name}.yaml", b"study: a")
    here = tmp_path / "c.yaml"
    found = find_studies([here, Url("memory://params/*.yaml")])
    assert [path.name for path in found] == ["c.yaml", "a.yaml", "b.yaml"]
    with pytest.raises(
        InputError, match=r"the pattern of the study files must find some; none fit memory://no/\*\.yaml"
    ):
        find_studies([Url("memory://no/*.yaml")])
