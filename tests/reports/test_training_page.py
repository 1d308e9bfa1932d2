"""The report's page on training."""

import json
import re
import shutil

import pandas as pd
import pytest

from bench.folder.store import RunFolder
from bench.planning.protocol import Protocol
from bench.run.merge import merge
from bench.run.request import Request
from bench.run.runner import run
from bench.training import ledger
from reports.build import build


@pytest.fixture(scope="module")
def finished(tmp_path_factory, photos, job, trained):
    out = tmp_path_factory.mktemp("report") / "out"
    protocol = Protocol(photos=str(photos), size=64, tiers=("large",))
    methods = (f"first=trained:{job.out}", f"second=trained:{job.out}", "mean")
    run(Request(out, protocol, methods=methods, metrics=("ssim_hole",), executor="inline"))
    return RunFolder(out)


def test_the_run_holds_the_ledger_of_each_trained_network(finished, job):
    table = finished.read_table("training.parquet")
    assert set(table["method"]) == {"first", "second"}
    blocks = ledger.read(job.ledger)
    own = table[(table["method"] == "first") & (table["kind"] == "held out")]
    for block in blocks:
        found = own[own["pictures"] == block.pictures].set_index("quantity")["value"].to_dict()
        assert found == block.held_out
    cards = finished.read_table("methods.parquet").set_index("method")["training"]
    assert json.loads(cards["first"])["training"]["pictures"] == 16
    assert cards["mean"] == ""


def test_the_page_tells_budget_curves_and_ends(finished, job):
    build(finished.path, finished.path / "report")
    page = (finished.path / "report" / "training.html").read_text("utf-8")
    assert "1,635,087" in page
    assert "needs the downloaded segmentation network" in page
    last = ledger.read(job.ledger)[-1]
    for value in (*last.held_out.values(), last.terms["l1_known"]):
        assert f"{value:.4f}" in page
    assert "Not all alike" not in page
    assert "All: pictures seen " in page
    assert (finished.path / "report" / "data" / "training.csv").exists()
    plots = re.findall(r'src="(plots/training-\w+.svg)"', page)
    assert len(plots) == 3
    for plot in plots:
        drawn = (finished.path / "report" / plot).read_text("utf-8")
        assert ">first</text>" in drawn
        assert ">second</text>" in drawn
    assert page.count('alt="Mean absolute error') == 3


def test_without_trained_networks_there_is_no_such_page(tmp_path, photos):
    protocol = Protocol(photos=str(photos), size=64, tiers=("large",))
    out = tmp_path / "out"
    run(Request(out, protocol, methods=("mean",), metrics=("ssim_hole",), executor="inline"))
    build(out, out / "report")
    assert not (out / "report" / "training.html").exists()
    assert "training.html" not in (out / "report" / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("pictures", 99, "pictures seen"),
        ("networks", {"vgg19": "12ab34cd56"}, "downloaded networks"),
        ("devices", 2, "devices that share a batch"),
    ],
)
def test_trainings_that_were_not_alike_are_told_apart(finished, tmp_path, key, value, words):
    out = tmp_path / "unlike"
    shutil.copytree(finished.path, out)
    store = RunFolder(out)
    table = store.read_table("methods.parquet")
    card = json.loads(table.set_index("method")["training"]["second"])
    card["training"][key] = value
    table.loc[table["method"] == "second", "training"] = json.dumps(card)
    store.write_table("methods.parquet", table)
    build(out, out / "report")
    page = (out / "report" / "training.html").read_text("utf-8")
    assert f"These trainings differ in: {words}." in page
    assert ("with vgg19 (12ab34cd)" in page) == (key == "networks")
    assert "all alike: the same photos" not in page


def test_merging_keeps_trainings_and_takes_runs_from_before_there_were_any(finished, tmp_path):
    expected = finished.read_table("training.parquet")
    old = tmp_path / "old"
    shutil.copytree(finished.path, old)
    (old / "training.parquet").unlink()
    merge(tmp_path / "merged", [old, finished.path])
    pd.testing.assert_frame_equal(
        RunFolder(tmp_path / "merged").read_table("training.parquet"), expected
    )
    merge(tmp_path / "both old", [old, old])
    assert not (tmp_path / "both old" / "training.parquet").exists()
