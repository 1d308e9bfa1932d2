"""Runs in which another picture is scored than the fill with known pixels pasted back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage.metrics import peak_signal_noise_ratio

from bench.errors import BenchError
from bench.folder.read import Run, read_run
from bench.folder.side_by_side import join
from bench.gate.judge_run import judge_run
from bench.planning.export import export
from bench.run.merge import merge
from bench.run.runner import run
from reports.build import build
from reports.results.sentences import scored
from tests.support import removals
from tests.support.commands import KEYS

BRIGHTER = """
from methods.base import Card, Inpainter

class Brighter(Inpainter):
    card = Card("brighter", "Brighter", "other")

    def infer(self, images, masks, generator):
        return images * 0.9 + 0.1 * (1 - masks) + 0.4037 * masks
"""
METRICS = ("psnr_db", "psnr_hole_db", "l1_hole", "drift", "swd", "mse_kept")
WAYS = {
    "known": {}, "raw": {"paste": "raw"}, "blended": {"paste": "blended-5", "quantise": "truncate"},
    "jpeg": {"paste": "raw", "quantise": "jpeg-75"},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return removals.write(tmp_path_factory.mktemp("scoring"), count=2)


def asked(folder: Path, way: str, out: str = "", **changes: object):
    """Fills of photos with objects that throw shadows, held against the same view without both."""
    (folder / "brighter.py").write_text(BRIGHTER)
    options = {"methods": ("telea", f"brighter={folder}/brighter.py:Brighter"), "metrics": METRICS}
    request = removals.request(
        folder / "runs" / (out or way), folder, "shaded", "truth", **(options | changes)
    )
    return replace(request, protocol=replace(request.protocol, **WAYS[way]))


@pytest.fixture(scope="module")
def runs(folder) -> dict[str, Run]:
    for way in WAYS:
        run(asked(folder, way))
    return {way: read_run(folder / "runs" / way) for way in WAYS}


def rows(found: Run, method: str) -> pd.DataFrame:
    return found.cases[found.cases["method"] == method].sort_values(KEYS).reset_index(drop=True)


def pictures(found: Run, method: str):
    """Of each case the kept fill, the photo, the truth and the hole."""
    plan, store = found.plan.set_index("case_key"), found.store
    for row in rows(found, method).to_dict("records"):
        facts = plan.loc[row["case_key"]]
        names = [f"photos/{facts['photo_sha']}.png", f"photos/{facts['truth']}.png"]
        hole = store.read_picture(f"masks/{facts['mask_sha']}.png")
        yield row, *map(store.read_picture, [row["output"], *names]), hole


@pytest.mark.parametrize("way", WAYS)
def test_the_picture_that_is_kept_is_the_one_that_is_scored(runs, way):
    for row, kept, photo, truth, hole in pictures(runs[way], "brighter"):
        psnr = peak_signal_noise_ratio(truth, kept, data_range=255)
        assert row["psnr_db"] == pytest.approx(psnr, abs=1e-4)
        assert (kept[~hole] == photo[~hole]).all() == (way == "known")
        if way != "jpeg":
            assert (kept[hole] == (102 if way == "blended" else 103)).all()  # 0.4037 * 255 = 102.9


def test_what_a_raw_picture_changes_outside_of_the_hole_counts_in_the_whole_picture(runs):
    known, raw = (rows(runs[way], "brighter") for way in ("known", "raw"))
    assert raw["psnr_hole_db"].equals(known["psnr_hole_db"])
    assert (raw["psnr_db"] < known["psnr_db"] - 0.8).all()
    assert raw["drift"].equals(known["drift"])
    assert (raw["drift"] > 0.01).all()
    pasted = (rows(runs[way], "telea") for way in ("known", "raw"))  # which changes nothing else
    pd.testing.assert_frame_equal(*(each[[*KEYS, *METRICS[:4]]] for each in pasted))


@pytest.mark.parametrize("way", ["raw", "blended", "jpeg"])
def test_what_is_kept_is_looked_at_in_the_picture_that_is_scored(runs, way):
    for row, kept, photo, _, hole in pictures(runs[way], "brighter"):
        change = (kept[~hole].astype(float) - photo[~hole]) / 255
        assert row["mse_kept"] == pytest.approx(np.square(change).mean(), rel=1e-9)
    ways = {each: rows(runs[each], "brighter")["mse_kept"] for each in ("known", "raw", way)}
    assert ways["known"].equals(ways["raw"])  # where nothing is to be seen after the paste
    assert (ways[way] > 0).all()


def test_the_ceiling_is_the_truth_joined_to_the_photo_as_fills_are(runs):
    """The shadow, outside of the hole, is the photo's; only a raw picture can lack it."""
    found = {way: rows(runs[way], "original")["psnr_db"] for way in WAYS}
    assert np.isinf(found["raw"]).all()
    assert np.isfinite(found["known"]).all()
    assert np.isfinite(found["blended"]).all()
    assert found["jpeg"].between(20, 45).all()
    for way in ("known", "raw", "blended"):
        assert np.isinf(rows(runs[way], "original")["psnr_hole_db"]).all(), way


def test_each_way_has_a_fingerprint_and_keys_of_fills_of_its_own(runs):
    shown = {way: found.header.fingerprint.parts["paste"] for way, found in runs.items()}
    assert shown == {
        "known": "known-8bit", "raw": "raw-8bit", "blended": "blended-5-truncated",
        "jpeg": "raw-jpeg-75",
    }  # fmt: skip
    assert len({found.header.fill_keys["telea"] for found in runs.values()}) == len(runs)


def test_kept_pictures_are_measured_again_and_not_made_again(folder, runs):
    request = asked(folder, "jpeg", "again", metrics=("psnr_db",))
    run(request)
    before = rows(read_run(request.out), "brighter")
    run(asked(folder, "jpeg", "again"))
    now = read_run(request.out)
    after = rows(now, "brighter")
    assert after["seconds"].equals(before["seconds"])  # of the same fills
    for name in ("psnr_hole_db", "l1_hole", "drift", "mse_kept"):
        assert after[name].equals(rows(runs["jpeg"], "brighter")[name]), name


def test_another_way_is_refused_in_a_folder(folder, runs):
    with pytest.raises(BenchError, match=r"another protocol \(paste: raw there, known now"):
        run(replace(asked(folder, "known"), out=runs["raw"].store.path))


def test_shards_are_joined_to_the_same_run(folder, runs):
    parts = [folder / "runs" / f"part{n}" for n in range(2)]
    for number, part in enumerate(parts):
        run(asked(folder, "jpeg", part.name, shard=(number, 2)))
    merge(folder / "runs" / "whole", parts)
    whole = read_run(folder / "runs" / "whole")
    for method in ("brighter", "original"):
        one, other = (rows(each, method)[[*KEYS, *METRICS[:4]]] for each in (whole, runs["jpeg"]))
        pd.testing.assert_frame_equal(one, other)
    with pytest.raises(BenchError, match="paste"):
        merge(folder / "runs" / "mixed", [parts[0], runs["raw"].store.path])


WORDS = {
    "known": "after the known pixels were pasted back.",
    "raw": "as the method returned it, with all that it changed outside of the hole.",
    "blended": "after the known pixels were pasted back, the hole's edge blended; levels were cut "
    "to bytes, not rounded.",
    "jpeg": "as the method returned it, with all that it changed outside of the hole, and a JPEG "
    "was made of that, so that not even the truth is perfect.",
}


def test_report_and_gate_know_which_picture_it_was(runs, tmp_path):
    for way, found in runs.items():
        assert scored(found.header) == f"Metrics are measured on the 8-bit picture {WORDS[way]}"
    build(runs["jpeg"].store.path, tmp_path)
    page = (tmp_path / "index.html").read_text("utf-8")
    assert WORDS["jpeg"] in page
    assert "Harness check" not in page  # which the truth as a JPEG would fail
    assert judge_run(runs["jpeg"].store.path, runs["jpeg"].store.path).outcome == "same or better"


def test_runs_side_by_side_say_that_they_differ_in_it(runs, tmp_path):
    both = [runs[way].store.path for way in ("known", "raw")]
    with pytest.raises(BenchError, match=r"different protocols: paste: known-8bit|paste: known in"):
        join(tmp_path / "refused", both)
    join(tmp_path / "both", both, anyway=True)
    said = scored(read_run(tmp_path / "both").header)
    assert said.endswith("in which picture of a fill was scored: known-8bit, raw-8bit.")


@pytest.mark.parametrize(
    ("way", "words"), [("blended", "Known pixels are pasted back"), ("raw", "scored as they are")]
)
def test_what_is_exported_for_other_programs_says_it(runs, way, words, tmp_path):
    export(runs[way].store.path, tmp_path / "out")
    assert words in next((tmp_path / "out").glob("README*")).read_text("utf-8")
