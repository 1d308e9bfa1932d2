"""The page on latency: numbers of the table, what a few calls support, what could not be timed."""

from __future__ import annotations

import re

import html5lib
import numpy as np
import pandas as pd
import pytest

from bench.folder.store import RunFolder
from bench.latency.anchors import ANCHOR
from reports.build import build
from tests.support import made_up_latency
from tests.support.reading import XHTML, texts
from tests.support.sample_run import write_run

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    run = write_run(tmp_path_factory.mktemp("timed") / "run")
    made_up_latency.write(run)
    build(run)
    return run


@pytest.fixture(scope="module")
def page(folder):
    parser = html5lib.HTMLParser(strict=True)
    return parser.parse((folder / "report" / "latency.html").read_bytes())


def rows(page, number: int = 0) -> dict[str, list[str]]:
    """Cells by method of a table of times."""
    table = page.findall(f".//{XHTML}table[@data-sortable]")[number]
    return {
        texts(row.find(f"{XHTML}th")): [texts(cell).strip() for cell in row.findall(f"{XHTML}td")]
        for row in table.find(f"{XHTML}tbody")
        if row.tag == f"{XHTML}tr"
    }


def first_number(cell: str) -> float:
    found = re.match(r"[\d.]+", cell)
    assert found, cell
    return float(found[0])


def test_each_size_and_tier_has_its_table_fastest_first(page):
    assert len(page.findall(f".//{XHTML}table[@data-sortable]")) == 4
    names = [name.split(" ")[0] for name in rows(page)]
    assert names == ["Mean", "Telea", "Navier\N{EN DASH}Stokes", "NetX"]
    assert "128 px, large holes" in texts(page)


def test_numbers_are_those_of_the_table(page, folder):
    table = pd.read_parquet(folder / "latency.parquet")
    here = (table["side"] == 64) & (table["tier"] == "small")
    (network,) = (cells for name, cells in rows(page).items() if "NetX" in name)
    inner = table[here & (table["region"] == "infer")].set_index("method")
    row = inner.loc[made_up_latency.STRANGER]
    whole = table[here & (table["region"] == "e2e")].set_index("method")
    times = whole.loc[made_up_latency.STRANGER, ["p50_low_ms", "p50_ms", "p50_high_ms", "p90_ms"]]
    low, middle, high, late = times
    assert low < middle < high < late
    shown = [float(word) for word in re.findall(r"\d+\.\d+", network[0])]
    assert shown == pytest.approx([middle, low, high, late], rel=0.01)
    assert network[2] == "32"
    assert network[4] == f"{row['p50_ms']:.2f}"
    assert first_number(network[5]) == pytest.approx(8 / 40, rel=0.05)
    assert "[" in network[5]
    assert network[6] == "2.5 s"  # to the end of the first fill
    assert network[7] == "1.50"
    reached = 2.001e9 / (row["p50_ms"] / 1e3) / 1e12
    assert network[8] == f"2.0{100 * reached:.1f} %"


def test_a_method_that_is_no_network_has_dashes_and_quality_stands_beside(page):
    (telea,) = (cells for name, cells in rows(page).items() if "Telea" in name)
    assert telea[7] == telea[8] == "\N{EN DASH}"
    assert first_number(telea[3]) > 0
    (network,) = (cells for name, cells in rows(page).items() if "NetX" in name)
    assert "not in this run" in network[3]


def test_what_could_not_be_timed_is_named_with_its_reason_and_harmless(page):
    said = texts(page)
    assert "oom: tried to allocate <lots>" in said
    assert "Without a time" in said


def test_throughput_marks_the_most(page):
    table = page.findall(f".//{XHTML}table")
    (found,) = (each for each in table if "Pictures a second" in texts(each))
    assert [texts(each) for each in found.iter(f"{XHTML}strong")] == ["40", "152"]
    assert "failed" in texts(found)


def test_a_hole_that_matters_is_shown_and_one_that_does_not_is_not(page):
    (figure,) = (each for each in page.iter(f"{XHTML}figure") if "Time and hole" in texts(each))
    assert "Telea" in texts(figure)
    assert "Navier" not in texts(figure)


def test_what_is_gone_at_a_size_is_named(page):
    (figure,) = (each for each in page.iter(f"{XHTML}figure") if "Time and size" in texts(each))
    assert "oom" in texts(figure)


def test_the_page_says_what_it_was_measured_on(page):
    said = texts(page)
    assert "a processor, 1 thread a process" in said
    assert "others used this machine" in said
    assert "CPU time of the process" in said
    assert "1 TFLOP/s" in said
    assert "too noisy" not in said


def test_a_noisy_machine_is_said_to_be_one(tmp_path):
    run = write_run(tmp_path / "run")
    made_up_latency.write(run, twice=1.2)
    build(run)
    said = (run / "report" / "latency.html").read_text("utf-8")
    assert "too noisy for comparisons" in said
    assert "too noisy for any comparison" in said
    assert "noisy:" not in said


def test_few_calls_have_no_percentile(tmp_path):
    run = write_run(tmp_path / "run")
    made_up_latency.write(run)
    store = RunFolder(run)
    table = store.read_table("latency.parquet")
    none = dict.fromkeys(["p50_ms", "p50_low_ms", "p50_high_ms", "p90_ms"], np.nan)
    store.write_table("latency.parquet", table.assign(**none))
    build(run)
    said = (run / "report" / "latency.html").read_text("utf-8")
    assert "of 66 calls" in said  # in place of an interval
    assert not re.search(r"\bnan\b", said)
    shown = rows(html5lib.parse(said))
    samples = store.read_table("latency-samples.parquet").query("side == 64 and tier == 'small'")
    for name, method in (("Telea", "telea"), ("NetX", made_up_latency.STRANGER)):
        (cells,) = (cells for title, cells in shown.items() if name in title)
        own = samples.loc[samples["method"] == method, "e2e_wall"]
        assert first_number(cells[0]) == pytest.approx(1e3 * np.median(own), abs=0.006)


def test_rows_fall_by_what_is_shown_and_bars_are_the_same_figures(page, folder):
    times = [first_number(cells[0]) for cells in rows(page).values()]
    assert times == sorted(times)
    chart = page.find(f".//{SVG}svg[@class='chart']")
    said = texts(chart)
    for name, time in zip(rows(page), times, strict=True):
        assert name.split(" ")[0] in said
        assert f", {time:.2f} ms" in said
    table = pd.read_parquet(folder / "latency.parquet")
    here = table[(table["side"] == 64) & (table["tier"] == "small") & (table["region"] == "e2e")]
    fastest = 1e3 / here["p50_ms"].min()
    assert f"{float(f'{fastest:.3g}'):,g} /s" in said
    ends = [float(re.search(r"L([\d.]+)", each.get("d"))[1])
            for each in chart.iter(f"{SVG}path") if each.get("class") == "rate"]  # fmt: skip
    assert len(ends) == len(times)
    assert ends == sorted(ends, reverse=True)


def test_a_run_without_latency_has_no_page(tmp_path):
    run = write_run(tmp_path / "run")
    build(run)
    assert not (run / "report" / "latency.html").exists()
    assert "latency.html" not in (run / "report" / "index.html").read_text("utf-8")


def test_the_made_up_anchor_is_as_fast_as_said(folder):
    samples = pd.read_parquet(folder / "latency-samples.parquet")
    anchor = samples.loc[samples["method"] == ANCHOR, "infer_wall"]
    assert anchor.median() == pytest.approx(0.04, rel=0.02)
