"""Failures, provenance, downloads."""

from __future__ import annotations

import html5lib
import numpy as np
import pandas as pd

from bench.folder.store import RunFolder
from reports.build import build
from tests.support import every_page
from tests.support.reading import XHTML, change_header, edit, texts


def test_failures_are_grouped_and_counted(report):
    page = texts(html5lib.parse((report / "failures.html").read_bytes()))
    assert "Failures: 5" in page
    assert "takes sides of at least 512 pixels" in page
    assert "the file ends early" in page
    assert "weights fetch lama:big-lama" in page


def test_one_cause_is_told_once_with_what_to_do_and_the_command_to_retry(copy):
    def fail(cases: pd.DataFrame) -> pd.DataFrame:
        hit = cases["method"].isin(["telea", "ns"]) & (cases["tier"] == "large")
        return cases.assign(
            status=cases["status"].mask(hit, "oom"), reason=cases["reason"].mask(hit, "too large")
        )

    edit(copy, "cases", fail)
    command = ["inpaint-bench", "run", "--out", "my x"]
    start = {
        "time": "2024-01-01T00:00:00+00:00", "command": command, "device": "cpu", "workers": 2,
        "threads": 1, "executor": "local", "offline": True,
        "environment": {"python": "3.12.0", "cores": 2, "packages": {}},
    }  # fmt: skip
    change_header(copy, starts=[start])
    tree = html5lib.parse((build(copy).parent / "failures.html").read_bytes())
    page = texts(tree)
    assert page.count("too large") == 1
    assert "give fewer --workers" in page
    main = tree.find(f".//{XHTML}main")
    commands = {button.get("data-copy") for button in main.iter(f"{XHTML}button")}
    retry = "inpaint-bench run --out 'my x' --retry-failed"
    assert commands == {retry, "inpaint-bench weights fetch lama:big-lama"}
    assert commands <= {texts(code) for code in tree.iter(f"{XHTML}code")}  # seen without script


def test_tracebacks_are_folded_beside_reasons_and_escaped(copy):
    store = RunFolder(copy)
    every_page.with_tracebacks(store)
    cases = store.read_table("cases.parquet")
    failed = cases[cases["traceback"] != ""]
    report = build(copy).parent
    pages = [report / "failures.html", *(report / "cases").glob("*.html")]
    found = [html5lib.parse(page.read_bytes()).findall(f".//{XHTML}main//{XHTML}pre")
             for page in pages]  # fmt: skip
    assert len(found[0]) == failed.groupby(["status", "reason"]).ngroups
    assert sum(map(len, found[1:])) > 0
    text = store.file(failed["traceback"].iloc[0]).read_text()
    assert {pre.text for some in found for pre in some} == {text}
    assert b"<script>x" not in b"".join(page.read_bytes() for page in pages)


def test_a_traceback_of_a_path_outside_of_the_run_is_not_shown(copy):
    store = RunFolder(copy)
    secret = copy.parent / "secret.txt"
    secret.write_text("Traceback: secret")
    cases = store.read_table("cases.parquet")
    cases["traceback"] = np.where(cases["status"] == "ok", "", "../secret.txt")
    store.write_table("cases.parquet", cases)
    page = (build(copy).parent / "failures.html").read_text()
    assert "secret" not in page
    assert "<pre>" not in page.partition("</main>")[0]


def test_provenance_shows_everything_recorded(report):
    page = texts(html5lib.parse((report / "provenance.html").read_bytes()))
    assert "photos:0123456789/3 size:sample paste:known-8bit" in page
    assert "<b>folder</b>" in page
    for recorded in ("numpy2.0", "python3.12.0", "2024-01-02T03:04:05+00:00", "bundled"):
        assert recorded in page.replace(" ", "")


def test_every_start_of_a_run_is_told_with_a_command_to_paste(copy):
    here = {"python": "3.12.0", "cores": 2, "packages": {"numpy": "2.0"}}
    first = {"time": "2024-01-01T00:00:00+00:00", "command": ["run", "--out", "my runs/a"],
             "device": "cpu", "workers": 2, "threads": 1, "executor": "local", "offline": True,
             "environment": here}  # fmt: skip
    second = first | {"environment": here | {"packages": {"numpy": "2.1"}}, "device": "cuda"}
    change_header(copy, environment=here, starts=[first, second])
    tree = html5lib.parse((build(copy).parent / "provenance.html").read_bytes())
    starts = tree.find(f".//{XHTML}section[@aria-labelledby='starts']")
    assert texts(starts).count("run --out 'my runs/a'") == 2
    assert "cpu, 2 workers of 1 thread, executor local" in texts(starts)
    settings = [texts(d) for d in starts.findall(f".//{XHTML}details")]
    assert "numpy" not in settings[0]  # as the run has it
    assert "packages.numpy2.1" in settings[1].replace(" ", "")


def test_downloads_hold_every_case_and_mean_and_no_formula(report, hostile):
    cases = pd.read_csv(report / "data" / "cases.csv")
    assert len(cases) == 3 * 3 * 6
    summary = pd.read_csv(report / "data" / "summary.csv")
    assert {"mean", "low_95", "high_95", "n", "capped_at_100_db"} <= set(summary)
    assert "'=HYPERLINK(1).png" in (hostile / "data" / "cases.csv").read_text("utf-8")


def test_reasons_that_differ_in_numbers_are_one_row_and_shares_of_calls_are_told(copy):
    store = RunFolder(copy)
    cases = store.read_table("cases.parquet")
    odd, shared = cases["method"] == "ns", cases["method"] == "telea"
    reasons = [f"off by 0.{number} in 'a{number}.png'" for number in range(len(cases))]
    cases["status"] = cases["status"].where(~odd, "failed")
    cases["reason"] = cases["reason"].where(~odd, pd.Series(reasons, cases.index))
    cases["counts"] = cases["counts"].where(~shared, '{"batch_of": 8}')
    store.write_table("cases.parquet", cases)
    report = build(copy).parent
    page = (report / "failures.html").read_text()
    assert page.count("off by 0.") == 1
    index, cards = (
        texts(html5lib.parse((report / name).read_bytes()))
        for name in ("index.html", "methods.html")
    )
    first = next(reason for reason, row in zip(reasons, odd, strict=True) if row)
    assert f"failed: {first} ({odd.sum() // cases['tier'].nunique()} of " in index
    assert "a share of a call for several cases" in index
    assert "completed nothing" in cards
