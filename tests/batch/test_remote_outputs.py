"""Outputs at a URL, here in the memory of this process, over which only the run itself goes."""

import errno
import io
import json
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from batch.samples import WRITE, write_notebook, write_study
from click.testing import CliRunner, Result
from fsspec.implementations.memory import MemoryFileSystem

from cxresearch.batch import remote_lock
from cxresearch.batch.kernels import KernelPool
from cxresearch.batch.lock import InUseError
from cxresearch.batch.notebooks import read_notebooks
from cxresearch.batch.outputs import destination
from cxresearch.batch.plan import plan_run
from cxresearch.batch.remote_lock import RemoteLocks
from cxresearch.batch.run import run_plan
from cxresearch.batch.terminal import Progress
from cxresearch.batch.workers import run_task
from cxresearch.cli import main
from cxresearch.errors import InputError
from cxresearch.study.urls import Url


class Flaky(MemoryFileSystem):
    """Breaks off in the middle of a file, from the one on whose name fits `bad`."""

    protocol = "flaky"
    store, pseudo_dirs, bad = {}, [""], ""

    @classmethod
    def _strip_protocol(cls, path):
        return MemoryFileSystem._strip_protocol(path.replace("flaky://", "memory://"))

    def pipe_file(self, path, value, mode="overwrite", **options):
        if Flaky.bad and re.search(Flaky.bad, path):
            super().pipe_file(path, value[: len(value) // 2], mode=mode, **options)
            raise OSError("the line is dead")
        super().pipe_file(path, value, mode=mode, **options)


class Share(MemoryFileSystem):
    """Has the habits of smb and webdav: moves nothing over a file, knows no mode of writing, has errors of its own."""

    protocol = "share"
    store, pseudo_dirs = {}, [""]

    @classmethod
    def _strip_protocol(cls, path):
        return MemoryFileSystem._strip_protocol(path.replace("share://", "memory://"))

    def pipe_file(self, path, value):
        super().pipe_file(path, value)

    def mv(self, path1, path2):
        if self.exists(path2):
            raise ShareError(errno.EEXIST, "File exists")
        super().mv(path1, path2)

    def cat_file(self, path, start=None, end=None, **options):
        if not self.exists(path):
            raise ShareError(errno.ENOENT, "No such file")
        return super().cat_file(path, start, end, **options)

    def ls(self, path, detail=True, **options):
        if not self.exists(path):
            raise ShareError(errno.ENOENT, "No such file")
        return super().ls(path, detail, **options)


class ShareError(OSError):
    """No FileNotFoundError, whatever its number."""


class Closed(MemoryFileSystem):
    """Can be read, not written to."""

    protocol = "closed"
    store, pseudo_dirs = {}, [""]

    @classmethod
    def _strip_protocol(cls, path):
        return MemoryFileSystem._strip_protocol(path.replace("closed://", "memory://"))

    def pipe_file(self, path, value, mode="overwrite", **options):
        raise FileNotFoundError("The specified bucket does not exist")


@pytest.fixture(autouse=True)
def memory():
    for kind in (Flaky, Share, Closed):
        fsspec.register_implementation(kind.protocol, kind, clobber=True)
    system = fsspec.filesystem("memory")
    yield system
    for store in (system.store, Flaky.store, Share.store):
        store.clear()
    Flaky.bad = ""


def run(place: Path, *more: str, outputs: str = "memory://lab/out") -> Result:
    words = ["run", place / "post.yaml", "--notebooks", place / "notebooks", "--outputs", outputs, "--plain", *more]
    return CliRunner().invoke(main, [str(word) for word in words])


def there(system, folder: str = "/lab/out/post") -> set[str]:
    return {path.removeprefix(f"{folder}/") for path in system.find(folder)}


def test_a_run_sends_everything_and_the_next_one_only_what_has_changed(place, memory):
    first = run(place)
    assert first.exit_code == 0, first.output
    assert "page: memory://lab/out/post/index.html" in first.stdout
    made = {"01_one.ipynb", "02_two.ipynb", "results.csv", "index.html", "status.json", ".sent.json"}
    made |= {
        f"{name}.csv"
        for one in ("01_one", "02_two")
        for name in (f"tables/{one}_rows", f"tables/{one}_more", f"records/{one}")
    }
    assert there(memory) == made
    assert {"run.json", "run.html"} <= there(memory, "/lab/out")
    executed = json.loads(memory.cat("/lab/out/post/01_one.ipynb"))
    assert any('output_dir = "memory://lab/out"' in "".join(cell["source"]) for cell in executed["cells"])
    assert "Everything is up to date." in run(place).stdout

    memory.pipe("/lab/out/post/tables/02_two_rows.csv", b"edited")
    assert "02_two  run: outputs are gone: 02_two_rows.csv" in run(place, "--dry-run").stdout
    memory.rm("/lab/out/post/tables/01_one_more.csv")
    write_notebook(place / "notebooks", "02_two", WRITE.format(name="02_two").replace('"tables/02_two_more", ', ""))
    again = run(place, "--only", "2")
    assert again.exit_code == 0, again.output
    assert there(memory) == made - {"tables/01_one_more.csv", "tables/02_two_more.csv"}
    assert memory.cat("/lab/out/post/results.csv").replace(b",,,,", b",").count(b"rows,10") == 2
    assert "01_one  run: outputs are gone: 01_one_more.csv" in run(place, "--dry-run").stdout


def test_a_study_file_by_url_reaches_the_kernel(place, memory):
    read = "from cxresearch.study.urls import place; print(place(study_file).name, len(place(study_file).read_bytes()) > 9)"
    write_notebook(place / "notebooks", "01_one", read)
    words = [
        "run",
        f"file://{place}/p*.yaml",
        "--notebooks",
        place / "notebooks",
        "--outputs",
        place / "out",
        "--plain",
    ]
    result = CliRunner().invoke(main, [str(word) for word in [*words, "--only", "1"]])
    assert result.exit_code == 0, result.output
    assert '"post.yaml True\\n"' in (place / "out" / "post" / "01_one.ipynb").read_text()


def test_what_is_secret_in_an_address_is_not_in_the_notebook(place):
    task = plan_run([place / "post.yaml"], read_notebooks(place / "notebooks"), outputs=place / "out").tasks[0]
    given = {**task.parameters, "study_file": "https://me:word@host/post.yaml?token=opensesame"}
    write_notebook(place / "notebooks", "01_one", "1")
    with KernelPool(jobs=1) as pool:
        assert run_task(replace(task, parameters=given), pool).status == "ok"
    executed = (place / "out" / "post" / "01_one.ipynb").read_text()
    assert "https://host/post.yaml" in executed
    assert "word" not in executed
    assert "opensesame" not in executed


def test_a_page_that_is_gone_is_made_again_without_running(place, memory):
    run(place)
    pages = [memory.cat(f"/lab/out/post/{name}") for name in ("results.csv", "index.html")]
    memory.rm("/lab/out/post/index.html")
    assert "Everything is up to date." in run(place).stdout
    assert [memory.cat(f"/lab/out/post/{name}") for name in ("results.csv", "index.html")] == pages


def test_a_notebook_that_fails_leaves_none_of_its_earlier_files(place, memory):
    run(place)
    write_notebook(place / "notebooks", "02_two", WRITE.format(name="02_two"), "1 / 0")
    result = run(place)
    assert result.exit_code == 1
    assert "kept at memory://lab/out/post/02_two.failed.ipynb" in result.stdout
    assert {name for name in there(memory) if "02_two" in name} == {"02_two.failed.ipynb"}
    assert memory.cat("/lab/out/post/results.csv").replace(b",,,,", b",").count(b"rows,10") == 1


@pytest.mark.parametrize("bad", ["01_one_rows", r"/\.index\.html", r"/\.status\.json"])
def test_nothing_is_ever_half_there(place, bad):
    system = fsspec.filesystem("flaky")
    (place / "notebooks" / "02_two.ipynb").unlink()
    assert run(place, outputs="flaky://out").exit_code == 0
    whole = {name: system.cat(f"/out/post/{name}") for name in there(system, "/out/post")}
    write_study(place, "post", choices="{01_one: {n_bootstrap: 7}}")
    Flaky.bad = bad
    broken = run(place, outputs="flaky://out")
    assert broken.exit_code == 1
    assert "the line is dead" in broken.stdout
    left = {name for name in there(system, "/out/post") if not name.endswith(".part")}
    assert left == whole.keys()
    for name in left:  # each is the one from before, or a whole new one
        content = system.cat(f"/out/post/{name}")
        assert content == whole[name] or content.endswith((b"\n", b"}", b"]", b"</html>")), name
    Flaky.bad = ""
    mended = run(place, outputs="flaky://out")
    assert mended.exit_code == 0
    assert there(system, "/out/post") == whole.keys()
    assert system.cat("/out/post/results.csv").replace(b",,,,", b",").count(b"rows,7") == 1
    assert "Everything is up to date." in run(place, outputs="flaky://out").stdout


def test_a_share_that_moves_nothing_over_a_file(place):
    (place / "notebooks" / "02_two.ipynb").unlink()
    system = fsspec.filesystem("share")
    for choices in ("{}", "{01_one: {n_bootstrap: 7}}"):
        write_study(place, "post", choices=choices)
        result = run(place, outputs="share://out")
        assert result.exit_code == 0, result.output
    assert system.cat("/out/post/results.csv").replace(b",,,,", b",").count(b"rows,7") == 1
    assert "Everything is up to date." in run(place, outputs="share://out").stdout
    assert not [name for name in there(system, "/out") if name.endswith((".part", ".lock"))]
    locks = RemoteLocks()
    with locks.hold(Url("share://out/post")):
        assert "another run is writing there" in run(place, "--force", outputs="share://out").stdout
    locks.close()


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ("closed://out", "closed://out/post/.lock must lie where it can be written; found no such place"),
        ("nowhere://out", "nowhere://out/post/status.json must begin with a protocol that fsspec knows"),
        (
            "zip://out::file://{}/no.zip",
            "zip://out/post/status.json::file://{}/no.zip must be within reach; found no such file",
        ),
    ],
)
def test_a_place_out_of_reach_is_told_before_anything_is_run(place, outputs, message):
    result = run(place, outputs=outputs.format(place))
    assert result.exit_code == 2
    assert message.format(place) in result.stderr
    assert "01_one" not in result.output


def test_two_runs_do_not_mix(place, memory):
    locks = RemoteLocks()
    with locks.hold(Url("memory://lab/out/post")):
        result = run(place)
        with pytest.raises(InUseError, match=r"^another run is writing there \(process \d+ on .+, for 0 min\)$"):
            RemoteLocks()._take(Url("memory://lab/out/post/.lock"))
        assert there(memory) == {".lock"}
    locks.close()
    assert result.exit_code == 1
    assert re.search(r"post  01_one  failed +another run is writing there \(process \d+ on ", result.stdout)
    assert there(memory) == set()
    assert run(place).exit_code == 0


def test_an_owner_gives_signs_of_life_and_is_lost_without_them(memory, monkeypatch):
    monkeypatch.setattr(remote_lock, "SECONDS_BETWEEN_SIGNS", 0.02)
    locks, place = RemoteLocks(), Url("memory://lab/out/post")
    with locks.hold(place):
        first = json.loads(memory.cat("/lab/out/post/.lock"))
        time.sleep(0.2)
        second = json.loads(memory.cat("/lab/out/post/.lock"))
        assert second["alive"] > first["alive"]
        assert second["since"] == first["since"]
    locks.close()
    locks._thread.join()
    assert "locks" not in [thread.name for thread in threading.enumerate()]
    lost = {**first, "alive": first["alive"] - remote_lock.SECONDS_OF_SILENCE}
    memory.pipe("/lab/out/post/.lock", json.dumps(lost).encode())
    other = RemoteLocks()
    with other.hold(place):
        assert json.loads(memory.cat("/lab/out/post/.lock"))["token"] != first["token"]
    other.close()


def test_a_run_that_was_asleep_does_not_write_over_its_successor(memory, monkeypatch):
    sleeper, place = RemoteLocks(), Url("memory://lab/out/post")
    with sleeper.hold(place):
        sleeper.confirm(place)
        sleeper._held[place / ".lock"] -= remote_lock.SECONDS_OF_SILENCE
        sleeper.confirm(place)  # nobody has come
        stale = {**json.loads(memory.cat("/lab/out/post/.lock")), "token": "other"}
        memory.pipe("/lab/out/post/.lock", json.dumps(stale).encode())
        with pytest.raises(InUseError, match="another run is writing there"):
            sleeper.confirm(place)
    sleeper.close()
    assert json.loads(memory.cat("/lab/out/post/.lock"))["token"] == "other"


def test_a_lock_that_another_run_is_just_writing_is_asked_for_again(memory, monkeypatch):
    said = iter([InputError("used by another process")])
    create = remote_lock.create

    def busy(*given):
        for error in said:
            raise error
        return create(*given)

    monkeypatch.setattr(remote_lock, "create", busy)
    locks = RemoteLocks()
    with locks.hold(Url("memory://lab/out/post")):
        assert json.loads(memory.cat("/lab/out/post/.lock"))["token"] == locks._owner["token"]
    locks.close()


def test_a_lock_that_could_not_be_read_back_at_first_is_no_other_run(memory, monkeypatch):
    read, busy = remote_lock._read, InputError("used by another process")
    answers = iter([None, busy])

    def look(file):
        answer = next(answers, read)
        if answer is busy:
            raise busy
        return read(file)

    monkeypatch.setattr(remote_lock, "_read", look)
    locks = RemoteLocks()
    with locks.hold(Url("memory://lab/out/post")):
        assert json.loads(memory.cat("/lab/out/post/.lock"))["token"] == locks._owner["token"]
    locks.close()
    assert not memory.exists("/lab/out/post/.lock")


def test_of_two_runs_that_begin_at_once_one_holds(monkeypatch):
    share, other = (
        fsspec.filesystem("share"),
        {"process": 7, "host": "elsewhere", "since": time.time(), "token": "other"},
    )
    waited = []

    def meanwhile(seconds):
        waited.append(seconds)
        share.pipe("/out/race/.lock", json.dumps({**other, "alive": time.time()}).encode())

    locks = RemoteLocks()
    monkeypatch.setattr("time.sleep", meanwhile)
    with pytest.raises(InUseError, match="process 7 on elsewhere"), locks.hold(Url("share://out/race")):
        pytest.fail("both hold it")
    monkeypatch.undo()
    locks.close()
    assert len(waited) == 1
    assert waited[0] >= 0.1


def test_an_unreachable_lock_is_not_taken_for_none():
    with pytest.raises(InputError, match="must begin with a protocol that fsspec knows"):
        remote_lock._read(Url("nowhere://out/.lock"))


def test_what_another_run_has_written_since_the_plan_stays_on_the_page(place, memory):
    known = read_notebooks(place / "notebooks")
    with destination(Url("memory://lab/out")) as late:
        plan = plan_run([place / "post.yaml"], known, outputs=late, only=["1"])
        assert run(place, "--only", "2").exit_code == 0
        with Progress(plan.tasks, 1, io.StringIO()) as progress:
            assert not run_plan(plan, jobs=1, progress=progress, warm=False).failed
    assert memory.cat("/lab/out/post/results.csv").replace(b",,,,", b",").count(b"rows,10") == 2


def test_what_a_killed_run_has_left_half_sent_is_removed(place, memory):
    memory.pipe("/lab/out/post/tables/.01_one_rows.csv.abc.part", b"hal")
    assert run(place).exit_code == 0
    assert not [name for name in there(memory) if name.endswith(".part")]
