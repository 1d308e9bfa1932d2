"""What a method shows beside its fill: kept in the run, shown on the case's page."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from bench.folder.store import RunFolder
from bench.planning.protocol import Protocol
from bench.run.request import Request
from bench.run.runner import run
from methods.base import Fill, Inpainter
from methods.card import Card
from reports.build import build


class Shows(Inpainter):
    card = Card("shows", "Shows", "other")
    shown = "flow"

    def infer(self, images, masks, generator):
        gradient = torch.linspace(0, 1, 12).expand(len(images), 3, 8, 12)
        return Fill(images + masks / 2, {"passes": 7, "share": 0.25}, {self.shown: gradient})


class ShowsOutside(Shows):
    card = Card("shows", "Shows", "other")
    shown = "../../outside"


@pytest.fixture(scope="module")
def finished(tmp_path_factory, photos):
    out = tmp_path_factory.mktemp("further") / "out"
    names = (
        "a=tests.bench.run.test_further_pictures:Shows",
        "b=tests.bench.run.test_further_pictures:ShowsOutside",
    )
    protocol = Protocol(photos=str(photos), size=64, tiers=("region",))
    run(Request(out, protocol, methods=names, metrics=("ssim_hole",), executor="inline"))
    return RunFolder(out)


def test_pictures_and_counts_are_kept_with_the_fill(finished):
    rows = finished.read_table("cases.parquet").query("method == 'a'")
    assert len(rows) > 0
    assert (rows["status"] == "ok").all()
    for row in rows.itertuples():
        assert json.loads(row.counts) == {"passes": 7, "share": 0.25}
        (path,) = json.loads(row.pictures).values()
        with Image.open(finished.file(path)) as image:
            pixels = np.asarray(image)
        assert pixels.shape == (8, 12, 3)
        assert (pixels[0, :, 0] == np.rint(np.linspace(0, 255, 12))).all()


def test_a_name_that_leads_elsewhere_is_the_methods_failure(finished):
    rows = finished.read_table("cases.parquet").query("method == 'b'")
    assert (rows["status"] == "failed").all()
    assert rows["reason"].str.contains("name of lower-case letters").all()
    assert not list(finished.path.parent.rglob("outside*"))


def test_the_case_page_shows_them_and_says_what_a_flow_is(finished):
    build(finished.path, finished.path / "report")
    pages = [p.read_text("utf-8") for p in (finished.path / "report" / "cases").glob("*.html")]
    assert pages
    for page in pages:
        assert "also shown: flow, where it copied from" in page
        assert page.count('alt="also shown: flow') == 1
        assert "passes: 7" in page
        assert "share: 0.25" in page


def test_a_run_from_before_there_were_any_is_still_shown(finished, tmp_path):
    rows = finished.read_table("cases.parquet").drop(columns=["pictures", "counts"])
    old = tmp_path / "old"
    old.mkdir()
    for name in (
        "run.json",
        "plan.parquet",
        "metrics.parquet",
        "methods.parquet",
        "sets.parquet",
        "inputs.parquet",
    ):
        (old / name).write_bytes(finished.file(name).read_bytes())
    pd.DataFrame(rows).to_parquet(old / "cases.parquet")
    build(old, old / "report")
    assert list((old / "report" / "cases").glob("*.html"))
