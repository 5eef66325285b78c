"""The summary over studies: what is read, pooled, ranked and said, and what is refused."""

import io
import json
import re

import fsspec
import pandas as pd
import pytest
from click.testing import CliRunner

from cxresearch.batch.collect import collect
from cxresearch.batch.destination import Destination
from cxresearch.batch.lock import hold
from cxresearch.batch.remote_lock import RemoteLocks
from cxresearch.batch.summary import write_summary
from cxresearch.cli import main
from cxresearch.core.results import RECORD_COLUMNS
from cxresearch.errors import InputError
from cxresearch.methods.meta import pool_studies
from cxresearch.study.urls import Url


def number(notebook, quantity, estimate, error=None, *, scale="", term="", group="", n=100, method=""):
    bounds = {} if error is None else {"conf_low": estimate - 2 * error, "conf_high": estimate + 2 * error}
    keys = {"notebook": notebook, "quantity": quantity, "scale": scale, "term": term, "group": group, "method": method}
    return {**keys, "estimate": estimate, "std_error": error, "n": n, **bounds}


def numbers_of(shift, n):
    """A study whose alphas, loadings, slopes and performances lie `shift` above those of the first."""
    cfa = {"scale": "speed", "n": n}
    return [
        number("00_data_quality", "rows_used", n),
        number("06_service_drivers", "construct_score", 62.5 + 25 * shift, 0.5, scale="sat", n=n, method="mean, 0 to 100; percentile bootstrap"),
        number("01_reliability", "alpha", 0.8 + shift, 0.02, scale="speed", n=n),
        number("01_reliability", "alpha", 0.7, 0.02, scale="all", n=n),
        number("03_confirmatory", "cfi", 0.95, scale="cfa", method="mlr"),
        number("03_confirmatory", "standardized_loading", 0.7 + shift, 0.03, term="spd1", method="ml", **cfa),
        number("03_confirmatory", "standardized_loading", 0.7 + shift, 0.05, term="spd1", method="mlr", **cfa),
        number("06_service_drivers", "beta", 0.3 + shift, 0.04, scale="drivers", term="speed", n=n, method="ols"),
        number("06_service_drivers", "coefficient", 0.4 + shift, 0.06, scale="drivers", term="speed", n=n, method="ols; hc3"),
        number("06_service_drivers", "performance", 60 + 100 * shift, 1.0, scale="drivers", term="speed", n=n,
               method="mean, 0 to 100; percentile bootstrap"),
        number("06_service_drivers", "r_squared", 0.4 + shift, 0.03, scale="drivers", n=n, method="ols"),
    ]  # fmt: skip


def write_study(outputs, name, rows, *, outcomes=(), language="en"):
    folder = outputs / name
    folder.mkdir(parents=True)
    frame = pd.DataFrame(rows).reindex(columns=list(RECORD_COLUMNS)).assign(study=name)
    frame.to_csv(folder / "results.csv", index=False)
    told = [{"study": name, "kept": None, "missing": [], **outcome} for outcome in outcomes]
    (folder / "status.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "index.html").write_text(f'<!DOCTYPE html>\n<html lang="{language}">', encoding="utf-8")


@pytest.fixture
def outputs(tmp_path):
    failed = {"notebook": "08_case_comparison", "status": "failed", "reason": "cell 3: one group only"}
    write_study(tmp_path, "north", numbers_of(0.0, 100))
    write_study(tmp_path, "south", numbers_of(0.1, 200), outcomes=[failed])
    write_study(tmp_path, "west", numbers_of(-0.05, 300))
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    return tmp_path


def summary_of(outputs):
    write_summary(outputs)
    return pd.read_csv(outputs / "summary" / "results.csv", keep_default_na=False)


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()


def one(table, quantity, **keys):
    found = table[table["quantity"] == quantity]
    for key, value in keys.items():
        found = found[found[key] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_headlines_stand_side_by_side(outputs):
    table = summary_of(outputs)
    assert one(table, "rows_used", group="south")["estimate"] == 200
    assert one(table, "outcome_score", group="west")["estimate"] == pytest.approx(61.25)
    assert one(table, "cfi", group="north")["estimate"] == 0.95
    assert one(table, "lowest_alpha", group="south")["estimate"] == pytest.approx(
        0.9
    )  # that of all items is no scale's


def test_alphas_loadings_and_slopes_are_pooled_and_robust_loadings_preferred(outputs):
    table = summary_of(outputs)
    loadings = pd.DataFrame(
        {
            "study": ["north", "south", "west"],
            "quantity": "standardized_loading",
            "scale": "speed",
            "term": "spd1",
            "estimate": [0.7, 0.8, 0.65],
            "std_error": 0.05,
            "conf_low": None,
            "conf_high": None,
            "n": [100, 200, 300],
        }
    )
    pooled = one(table, "pooled_estimate", notebook="22_pooled_loadings", scale="speed", term="spd1")
    assert pooled["estimate"] == pytest.approx(pool_studies(loadings).value("pooled_estimate"), rel=1e-12)
    assert float(pooled["n"]) == 600
    assert one(table, "pooled_estimate", notebook="21_pooled_reliability", scale="speed")["method"].endswith(
        "log of 1 - x"
    )
    assert one(table, "pooled_estimate", notebook="23_pooled_drivers", term="speed")["estimate"] == pytest.approx(
        0.317, abs=0.01
    )
    assert one(table, "pooled_estimate", notebook="24_pooled_slopes", term="speed")["estimate"] == pytest.approx(
        0.417, abs=0.01
    )


def test_studies_are_ranked(outputs):
    table = summary_of(outputs)
    ranks = table[(table["quantity"] == "rank") & (table["notebook"] == "26_performance_ranks")].set_index("group")
    assert ranks["estimate"].to_dict() == {"north": 2, "south": 1, "west": 3}
    outcome = table[(table["quantity"] == "rank") & (table["notebook"] == "25_outcome_ranks")].set_index("group")
    assert outcome["estimate"].to_dict() == {"north": 2, "south": 1, "west": 3}
    assert ranks.loc["south", ["conf_low", "conf_high"]].tolist() == ["1.0", "1.0"]


def test_failures_are_told_on_the_page(outputs):
    page = write_summary(outputs).read_text(encoding="utf-8")
    assert "cell 3: one group only" in page
    assert "Summary over 3 studies" in page
    assert "http" not in page.split("</style>")[0]  # offline


def test_chinese_studies_have_a_chinese_summary(tmp_path):
    write_study(tmp_path, "a", numbers_of(0.0, 100), language="zh-Hans")
    write_study(tmp_path, "b", numbers_of(0.1, 100), language="zh-Hans")
    assert "2 项研究汇总" in write_summary(tmp_path).read_text(encoding="utf-8")
    assert "Summary over 2 studies" in write_summary(tmp_path, language="en").read_text(encoding="utf-8")


def test_studies_that_share_nothing_are_told_so(tmp_path):
    write_study(tmp_path, "a", numbers_of(0.0, 100))
    page = write_summary(tmp_path).read_text(encoding="utf-8")
    assert page.count("No two studies share such a number.") == 7


def test_the_same_data_under_two_names_count_once(tmp_path):
    write_study(tmp_path / "both", "a", numbers_of(0.0, 100))
    write_study(tmp_path / "both", "b", numbers_of(0.0, 100))
    write_study(tmp_path / "both", "c", numbers_of(0.05, 100))
    write_study(tmp_path / "one", "a", numbers_of(0.0, 100))
    write_study(tmp_path / "one", "c", numbers_of(0.05, 100))
    both, one_each = summary_of(tmp_path / "both"), summary_of(tmp_path / "one")
    is_listed = (both["group"] == "b") & both["quantity"].isin(["study_estimate", "study_weight"])
    pd.testing.assert_frame_equal(both[both["group"] != "b"].reset_index(drop=True), one_each, check_exact=True)
    assert set(both.loc[(both["group"] == "b") & (both["quantity"] == "study_weight"), "estimate"]) == {0.0}
    assert len(both[is_listed]) == 2 * 4  # one number of each pooled quantity
    assert not len(both[(both["group"] == "b") & (both["quantity"] == "rank")])
    page = (tmp_path / "both" / "summary" / "index.html").read_text(encoding="utf-8")
    assert "Summary over 2 studies" in page
    assert "2, with 200 rows used" in page
    assert "are counted once: b = a." in page


def test_a_data_set_and_its_copy_alone_pool_nothing(tmp_path):
    for name in "ab":
        write_study(tmp_path, name, numbers_of(0.0, 100))
    page = write_summary(tmp_path).read_text(encoding="utf-8")
    assert page.count("No two studies share such a number.") == 7
    assert "are counted once: b = a." in page


def test_a_summary_made_again_is_the_same_and_no_study(outputs):
    first = summary_of(outputs)
    pd.testing.assert_frame_equal(summary_of(outputs), first)
    assert list(collect(Destination(outputs)).outcomes) == ["north", "south", "west"]


def test_a_folder_without_studies_is_refused_at_the_command_line(tmp_path):
    ran = CliRunner().invoke(main, ["summary", str(tmp_path)])
    assert ran.exit_code == 2
    assert "must hold the outputs of studies" in ran.stderr
    assert "cxresearch run" in ran.stderr


def test_a_study_named_summary_is_not_overwritten(tmp_path):
    write_study(tmp_path, "summary", numbers_of(0.0, 100))
    with pytest.raises(InputError, match="no study may be named 'summary'"):
        write_summary(tmp_path)


def test_the_command_prints_where_the_page_is(outputs):
    ran = CliRunner().invoke(main, ["summary", str(outputs)])
    assert ran.exit_code == 0
    assert ran.stdout.strip() == str(outputs / "summary" / "index.html")


def test_outputs_at_a_url_have_the_same_summary_there(outputs, memory):
    near = summary_of(outputs)
    memory.put(f"{outputs}/", "/lab/out", recursive=True)
    memory.rm("/lab/out/summary", recursive=True)
    memory.pipe("/lab/out/summary/pages/19_old.json", b"{}")  # of an older version
    ran = CliRunner().invoke(main, ["summary", "memory://lab/out"])
    assert (ran.exit_code, ran.stdout) == (0, "memory://lab/out/summary/index.html\n")
    far = pd.read_csv(io.BytesIO(memory.cat("/lab/out/summary/results.csv")), keep_default_na=False)
    pd.testing.assert_frame_equal(far, near)
    names = {path.removeprefix("/lab/out/summary/") for path in memory.find("/lab/out/summary")}
    assert names == {path.relative_to(outputs / "summary").as_posix() for path in (outputs / "summary").rglob("*.*")}
    assert b"cell 3: one group only" in memory.cat("/lab/out/summary/index.html")


def test_chinese_studies_at_a_url_have_a_chinese_summary(tmp_path, memory):
    for name, shift in (("a", 0.0), ("b", 0.1)):
        write_study(tmp_path, name, numbers_of(shift, 100), language="zh-Hans")
    memory.put(f"{tmp_path}/", "/out", recursive=True)
    write_summary(Url("memory://out"))
    assert "2 项研究汇总" in memory.cat("/out/summary/index.html").decode()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("memory://empty", r"found none in memory://empty\. Run them first"),
        ("nowhere://me:word@out", "nowhere://out must begin with a protocol that fsspec knows"),
    ],
)
def test_a_url_without_studies_is_refused(memory, place, message):
    ran = CliRunner().invoke(main, ["summary", place])
    assert ran.exit_code == 2
    assert re.search(message, ran.stderr)
    assert "word" not in ran.output
    assert not memory.find("/empty")


def test_one_summary_at_a_time(outputs, memory):
    memory.put(f"{outputs}/", "/out", recursive=True)
    locks = RemoteLocks()
    with hold(outputs / "summary"), locks.hold(Url("memory://out/summary")):
        for place in (outputs, Url("memory://out")):
            with pytest.raises(InputError, match=r"found that another run is writing there \(process \d+ on "):
                write_summary(place)
    locks.close()
    write_summary(outputs)


def test_a_spoilt_table_is_named(outputs):
    (outputs / "south" / "results.csv").write_text("study,notebook\n")
    with pytest.raises(
        InputError, match=r"south/results\.csv must hold the numbers of a study .* found KeyError: 'estimate'"
    ):
        write_summary(outputs)


def test_a_summary_that_cannot_be_written_says_so(outputs):
    (outputs / "summary").write_text("no folder")
    ran = CliRunner().invoke(main, ["summary", str(outputs)])
    assert ran.exit_code == 2
    assert "outputs cannot be written to" in ran.stderr


def test_a_copied_folder_is_no_other_study_though_its_numbers_have_aged(outputs):
    reference = summary_of(outputs)
    write_study(outputs, "north_2025", [{**row, "n": 90} for row in numbers_of(-0.01, 90)])
    old = pd.read_csv(outputs / "north_2025" / "results.csv").assign(study="north")
    old.to_csv(outputs / "north_2025" / "results.csv", index=False)
    table = summary_of(outputs)
    pooled, before = (one(each, "pooled_estimate", notebook="23_pooled_drivers") for each in (table, reference))
    assert pooled["estimate"] == before["estimate"]
    assert one(table, "rows_used", group="north_2025")["estimate"] == 90
    page = (outputs / "summary" / "index.html").read_text(encoding="utf-8")
    assert "are counted once: north_2025 = north." in page
    assert "Summary over 3 studies" in page


def test_a_folder_that_was_renamed_is_a_study(outputs):
    (outputs / "north").rename(outputs / "moved")
    assert one(summary_of(outputs), "rows_used", group="moved")["estimate"] == 100


def test_a_study_without_results_is_told(outputs):
    (outputs / "west" / "results.csv").unlink()
    (outputs / "south" / "results.csv").write_text(",".join(RECORD_COLUMNS) + "\n")  # all its notebooks have failed
    page = write_summary(outputs).read_text(encoding="utf-8")
    assert "did not write their results: west." in page
    assert "cell 3: one group only" in page
    assert page.count("No two studies share such a number.") == 7


def test_studies_without_any_number_have_a_summary(tmp_path):
    write_study(tmp_path, "north", [])
    assert "Summary over 1 study" in write_summary(tmp_path).read_text(encoding="utf-8")
