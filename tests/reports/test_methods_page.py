"""The page of the methods, and the table it is made of."""

from __future__ import annotations

import json
import re
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd
import pytest

import methods
from bench.folder.schema import LATENCY
from bench.folder.store import RunFolder
from bench.run.methods_table import methods_table, parameters
from bench.text.numbers import slug
from methods.card import read as read_card
from reports.build import build, read_run
from reports.results.pair_rows import against
from reports.results.ranking import rank
from reports.site.gallery import page_name
from tests.support.reading import XHTML, edit, texts

PUBLISHED = [
    {
        "on": "3 photos",
        "weights": "big",
        "protocol": "Other holes.",
        "source": "table 9",
        "figures": {"SSIM": 0.75, "LPIPS (VGG)": 0.1},
    }
]


def cards_of(report: Path) -> dict[str, str]:
    trees = (html5lib.parse(path.read_bytes()) for path in (report / "methods").iterdir())
    cards = [article for tree in trees for article in tree.iter(f"{XHTML}article")]
    return {texts(a.find(f"{XHTML}p/{XHTML}code")): texts(a) for a in cards}


def test_nothing_is_left_empty(report):
    cards = cards_of(report)
    assert "not documented" in cards["fussy"]  # whose card says little
    assert "not documented" not in cards["telea"]
    table = html5lib.parse((report / "methods.html").read_bytes()).find(f".//{XHTML}table")
    assert all(texts(cell).strip() for cell in table.iter(f"{XHTML}td"))


def test_published_figures_stand_beside_this_runs_with_their_protocol(copy):
    files = [{"name": "telea-9", "sha256": "ab" * 32, "licence": "", "origin": "somewhere"}]
    edit(
        copy,
        "methods",
        lambda t: t.assign(
            files=["[]" if name != "telea" else json.dumps(files) for name in t["method"]],
            parameters=[np.nan if name != "telea" else 1234567.0 for name in t["method"]],
            published=["[]" if name != "telea" else json.dumps(PUBLISHED) for name in t["method"]],
        ),
    )
    cards = cards_of(build(copy).parent)
    assert "1,234,567" in cards["telea"]
    assert "ab" * 32 in cards["telea"]
    assert "Licence: not documented" in cards["telea"]
    assert "not measured" in cards["telea"]  # operations
    assert "Other holes." in cards["telea"]
    assert "Source: table 9" in cards["telea"]
    own = pd.read_parquet(copy / "cases.parquet").query("method == 'telea' and tier == 'large'")
    assert f"large {own['ssim'].mean():.3f}" in cards["telea"]
    assert "LPIPS (VGG)0.1no such metric here" in cards["telea"]
    assert "Published figures" not in cards["ns"]


def test_operations_are_those_of_the_table_of_latencies(copy):
    rows = [
        {"method": "telea", "side": side, "tier": "large", "region": "infer", "batch": 1,
         "device": "cpu", "p50_ms": 5.0, "ratio": 1.0, "ratio_low": 1.0, "ratio_high": 1.0, "n": 30,
         "status": "converged", "products": 2e9 * side, "fourier": 1e9}
        for side in (128, 256)
    ]  # fmt: skip
    RunFolder(copy).write_table("latency.parquet", LATENCY.frame(rows))
    edit(copy, "methods", lambda t: t.assign(parameters=1.0))
    cards = cards_of(build(copy).parent)
    assert "257 G at 128 px; 513 G at 256 px" in cards["telea"]
    assert "not measured" in cards["ns"]


def test_parameters_are_counted_without_weights():
    assert parameters(methods.get("lama")) == 50_975_875  # as published, 51 M
    assert np.isnan(parameters(methods.get("telea")))
    small = methods.get("pennet:small")
    small.load()
    assert parameters(small) == sum(each.numel() for each in small.network.parameters())


def test_the_table_says_which_files_are_used():
    chosen = [methods.get("telea"), methods.get("lama:small")]
    table = methods_table(chosen, dict.fromkeys(("telea", "lama:small"), "")).set_index("method")
    assert table.loc["telea", "files"] == "[]"
    (file,) = json.loads(table.loc["lama:small", "files"])
    assert file["name"] == "lama-small"
    assert len(file["sha256"]) == 64
    assert "non-commercial" in file["licence"]


@pytest.mark.parametrize("name", methods.names())
def test_published_figures_have_a_protocol_and_a_source(name):
    facts = read_card(name)
    for each in facts.published:
        assert each.figures
        assert all(np.isfinite(value) for value in each.figures.values())
        assert each.on
        assert each.protocol.endswith(".")
        assert each.source
        assert each.weights in ("", *facts.weights)


def test_lamas_published_figures_are_those_of_its_paper():
    found = {each.on: each.figures for each in read_card("lama").published}
    assert found["Places, 30,000 validation photos of 512 x 512, wide masks"] == {
        "FID": 2.21,
        "LPIPS (VGG)": 0.135,
    }


def test_a_methods_page_shows_its_worst_and_best_cases_and_every_rival(report, sample):
    run = read_run(sample)
    tree = html5lib.parse((report / "methods" / "telea.html").read_bytes())
    own = run.cases[(run.cases["method"] == "telea") & (run.cases["tier"] == "large")]
    own = own.sort_values("texture_structure")
    expected = [page_name(row) for row in own.to_dict("records")]
    panel = next(s for s in tree.iter(f"{XHTML}section") if s.get("class") == "panel p3")
    links = [a.get("href") for li in panel.iter(f"{XHTML}li") for a in li.iter(f"{XHTML}a")]
    assert [re.search(r"cases/(\w+)\.html\?b=\d+$", link)[1] for link in links] == [
        *expected[:2], expected[2]  # no case is among both
    ]  # fmt: skip
    for link in links:
        page, number = re.search(r"(cases/\w+\.html)\?b=(\d+)$", link).groups()
        case = html5lib.parse((report / page).read_bytes())
        item = next(e for e in case.iter(f"{XHTML}li") if e.get("id") == f"fill-{number}")
        assert "Telea" in texts(item)
    for method, pair in against(run, rank(run, "large", run.headline), "telea", ""):
        assert pair.a == "Telea"
        assert pair.b in texts(panel), method


def test_a_pair_seen_from_its_other_method_is_the_same_pair(sample):
    run = read_run(sample)
    ranking = rank(run, "large", run.headline)
    for row in ranking.pairs.to_dict("records"):
        back = dict(against(run, ranking, row["b"], ""))[row["a"]]
        assert float(back.difference.sort) == -row["difference"]
        assert back.win_rate == f"{100 * (1 - row['win_rate']):.0f} %"


def test_every_method_has_a_page_whatever_its_name_and_state(report, copy):
    assert len(list((report / "methods").iterdir())) == len(read_run(copy).methods)
    assert "weights fetch" in (report / f"methods/{slug('lama:big-lama')}.html").read_text("utf-8")
    assert "takes sides of at least" in (report / "methods/fussy.html").read_text("utf-8")
    evil = "../<script>alert(1)</script>"
    for table in ("methods", "cases", "sets"):
        edit(copy, table, lambda t: t.assign(method=t["method"].replace("ns", evil)))
    again = build(copy).parent
    page = (again / "methods" / f"{slug(evil)}.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert f'href="methods/{slug(evil)}.html"' in (again / "index.html").read_text("utf-8")
