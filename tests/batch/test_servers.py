"""Outputs and inputs on a real server over real sockets: whole, locked, masked, and what happens as it goes away."""

import re
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import fsspec
import pytest
from batch.ftp_server import PASSWORD, Server, served
from batch.samples import WRITE, write_notebook, write_study
from batch.test_summary import numbers_of
from batch.test_summary import write_study as write_outputs
from click.testing import CliRunner, Result

from cxresearch.batch.remote_files import entries, fetch, stamps
from cxresearch.batch.summary import write_summary
from cxresearch.cli import main
from cxresearch.errors import InputError
from cxresearch.study.tables import read_table
from cxresearch.study.urls import Url


@pytest.fixture
def server(tmp_path):
    (tmp_path / "server").mkdir()
    with served(tmp_path / "server") as server:
        yield server
    fsspec.get_filesystem_class("ftp").clear_instance_cache()


def run(place: Path, server: Server, *more: str, file: str = "") -> Result:
    words = ["run", file or place / "post.yaml", "--notebooks", place / "notebooks", "--plain"]
    return CliRunner().invoke(main, [str(word) for word in [*words, "--outputs", f"{server.url}/out", *more]])


def left(server: Server) -> set[str]:
    folder = server.root / "out" / "post"
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_study_from_a_server_and_back_to_it(place, server):
    for name in ("post.yaml", "answers.csv"):
        (place / name).rename(server.root / name)
    first = run(place, server, file=f"{server.url}/*.yaml")
    assert first.exit_code == 0, first.output
    assert f"page: ftp://127.0.0.1:{server.server_address[1]}/out/post/index.html" in first.stdout
    assert {"01_one.ipynb", "02_two.ipynb", "results.csv", "index.html", "status.json"} < left(server)
    assert not [name for name in left(server) if name.endswith((".part", ".lock"))]
    assert "Everything is up to date." in run(place, server, file=f"{server.url}/*.yaml").stdout
    (server.root / "answers.csv").write_text("a,b\n1,2\n3,4\n5,5\n2,3\n")
    again = run(place, server, "--only", "1", file=f"{server.url}/*.yaml")
    assert "01_one  ok" in again.stdout
    assert (server.root / "out" / "post" / "results.csv").read_text().replace(",,,,", ",").count("rows,10") == 2


def test_no_password_is_printed_or_written(place, server):
    for name in ("post.yaml", "answers.csv"):
        (place / name).rename(server.root / name)
    write_notebook(place / "notebooks", "02_two", "print(study_file); open(study_file)")
    result = run(place, server, file=f"{server.url}/post.yaml")
    assert result.exit_code == 1
    assert "02_two  failed" in result.stdout
    assert PASSWORD not in result.output
    for path in server.root.rglob("*"):
        assert not path.is_file() or PASSWORD not in path.read_text(errors="replace"), path
    refused = CliRunner().invoke(main, ["summary", server.url.replace(PASSWORD, "guessed")])
    assert refused.exit_code == 2
    assert re.search(r"found error_perm: 530", refused.stderr)
    assert "guessed" not in refused.output


def test_a_connection_that_was_idle_is_made_anew(place, server):
    server.idle = 0.4
    write_notebook(place / "notebooks", "01_one", "import time; time.sleep(1.2)", WRITE.format(name="01_one"))
    result = run(place, server, "--only", "1")
    assert result.exit_code == 0, result.output
    assert server.logins > 1
    assert {"01_one.ipynb", "tables/01_one_rows.csv", "index.html"} < left(server)


def test_a_cut_line_is_never_taken_for_a_file_that_is_not_there(server):
    server.idle = 0.2
    (server.root / "data").mkdir()
    (server.root / "data" / "a.csv").write_text("q\n1\n")
    folder = Url(f"{server.url}/data")
    for ask in (
        lambda: (folder / "a.csv").read_bytes() == b"q\n1\n",
        lambda: (folder / "a.csv").is_file(),
        lambda: [found.name for found in folder.glob("*.csv")] == ["a.csv"],
        lambda: list(stamps(folder)) == ["a.csv"],
        lambda: fetch(folder / "a.csv", 1) == b"q",
        lambda: read_table("a.csv", folder=folder).frame["q"].tolist() == [1],
    ):
        assert ask()
        time.sleep(0.5)
        assert ask()
    server.die()
    for ask in (lambda: (folder / "a.csv").read_bytes(), lambda: folder.glob("*.csv"), lambda: entries(folder)):
        with pytest.raises(InputError, match=r"^ftp://127\.0\.0\.1:\d+/data\S* must be within reach; found \w+"):
            ask()


def test_the_summary_of_a_server_is_written_to_it(tmp_path, server):
    for name, shift in (("north", 0.0), ("south", 0.1)):
        write_outputs(server.root / "lab", name, numbers_of(shift, 100))
    page = write_summary(Url(f"{server.url}/lab"))
    assert str(page) == f"ftp://127.0.0.1:{server.server_address[1]}/lab/summary/index.html"
    assert "Summary over 2 studies" in (server.root / "lab" / "summary" / "index.html").read_text()
    assert not list(server.root.rglob("*.part"))


def when(condition: Callable[[], bool], *then: Callable[[], object]) -> threading.Thread:
    """Do something in a thread as soon as something is so."""

    def wait() -> None:
        for _ in range(3000):
            if condition():
                break
            time.sleep(0.01)
        for act in then:
            act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_server_that_goes_away_in_mid_run(place, server):
    write_notebook(place / "notebooks", "02_two", "import time; time.sleep(1)", WRITE.format(name="02_two"))
    thread = when(lambda: (server.root / "out" / "post" / "01_one.ipynb").exists(), server.die)
    result = run(place, server, "--jobs", "1")
    thread.join()
    assert result.exit_code == 1
    assert "02_two      ok" in result.stdout
    assert re.search(r"index\.html  failed +ftp://\S+ must be within reach; found \w+Error", result.stdout)
    assert re.search(r"There is no report: ftp://\S+ must be within reach", result.stderr)
    assert PASSWORD not in result.output
    assert "index.html" not in left(server)
    kept = Path(re.search(r"What could not be sent lies in (\S+):", result.stderr)[1])
    words = ["run", place / "post.yaml", "--notebooks", place / "notebooks", "--outputs", kept]
    again = CliRunner().invoke(main, [str(word) for word in words])
    assert "Everything is up to date." in again.stdout
    assert (kept / "post" / "results.csv").read_text().replace(",,,,", ",").count("rows,10") == 2


def test_a_server_that_comes_back_before_the_end_gets_everything(place, server):
    write_study(place, "late")
    port, flags = server.server_address[1], {name: place / name for name in ("begun", "gone", "waiting", "back")}
    wait = f"""
import pathlib, time
begin, end = ("begun", "gone") if pathlib.Path(study_file).stem == "post" else ("waiting", "back")
(pathlib.Path({str(place)!r}) / begin).touch()
while not (pathlib.Path({str(place)!r}) / end).exists(): time.sleep(0.01)
"""
    write_notebook(place / "notebooks", "01_one", wait, WRITE.format(name="01_one"))
    (place / "notebooks" / "02_two.ipynb").unlink()
    with ExitStack() as again:
        away = when(flags["begun"].exists, server.die, flags["gone"].touch)
        serve = partial(again.enter_context, served(server.root, port))
        back = when(flags["waiting"].exists, partial(time.sleep, 1), serve, flags["back"].touch)
        result = run(place, server, "--jobs", "1", str(place / "late.yaml"))
        away.join()
        back.join()
        assert result.exit_code == 0, result.output
        assert {"01_one.ipynb", "results.csv", "index.html"} < left(server)
        assert (server.root / "out" / "late" / "index.html").exists()
        assert "Everything is up to date." in run(place, server).stdout
