"""Runs in which fills are held against another picture than the photo, or against none."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from bench.compare.runs import compare_within
from bench.errors import BenchError, InputError
from bench.folder.read import Run, read_run
from bench.folder.store import RunFolder
from bench.gate.judge_run import judge_run
from bench.metrics import METRICS as TABLE
from bench.planning.protocol import UNKNOWN, Protocol
from bench.run.merge import merge
from bench.run.runner import run
from bench.statistics.coverage import HEADLINES_WITHOUT_TRUTH
from methods import weights
from tests.support import removals
from tests.support.commands import KEYS
from tests.support.removals import METRICS, request

OF_FIDELITY = ("psnr_db", "psnr_hole_db", "ssim_hole", "l1_hole", "seam")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return removals.write(tmp_path_factory.mktemp("removal"))


@pytest.fixture(scope="module")
def runs(folder) -> dict[str, Run]:
    """Runs of clean photos; and of photos with objects, held against these and against nothing."""
    asked = {
        "clean": {"photos": "truth"},
        "given": {"truth": "truth"},
        "shaded": {"photos": "shaded", "truth": "truth"},
        "unknown": {"truth": UNKNOWN, "methods": ("telea", "mean")},
    }
    for name, options in asked.items():
        run(request(folder / "runs" / name, folder, **options))
    return {name: read_run(folder / "runs" / name) for name in asked}


def numbers(found: Run, method: str) -> pd.DataFrame:
    rows = found.cases[found.cases["method"] == method].sort_values(KEYS)
    return rows[[*KEYS, *(name for name in METRICS if name in rows)]].reset_index(drop=True)


@pytest.mark.parametrize("method", ["telea", "noise", "mean", "original"])
def test_an_object_under_the_hole_changes_no_number_where_the_truth_is_given(runs, method):
    pd.testing.assert_frame_equal(numbers(runs["given"], method), numbers(runs["clean"], method))


@pytest.mark.parametrize("method", ["telea", "noise", "mean", "original"])
def test_sets_of_fills_are_held_against_the_truth(runs, method):
    given, clean = (
        found.sets[found.sets["method"] == method].set_index("tier")["value"]
        for found in (runs["given"], runs["clean"])
    )
    # Which patches are drawn depends on the photo, which is another here.
    assert given.to_dict() == pytest.approx(clean.to_dict(), rel=0.1)
    assert len(given) == 1
    assert (given == 0).all() == (method == "original")


def test_features_of_the_truth_are_there_where_no_fill_is_the_truth(folder, tmp_path):
    options = {"photos": "shaded", "truth": "truth", "methods": ("mean",)}
    asked = request(tmp_path / "out", folder, metrics=("fid_untrained",), **options)
    run(replace(asked, protocol=replace(asked.protocol, limit=2)))
    found = read_run(tmp_path / "out")
    assert {*found.plan["truth"]} <= found.store.read_features("fid-untrained").keys()
    values = found.sets.set_index("method")
    assert (values["n"] == 2).all()
    assert values.loc["mean", "value"] > values.loc["original", "value"] > 0


def test_no_method_sees_object_or_truth(runs):
    fills = [
        found.cases[found.cases["method"] == "telea"].set_index(KEYS)["output_sha"]
        for found in runs.values()
    ]
    assert fills[0].equals(fills[1])
    assert fills[0].equals(fills[3])
    assert not fills[0].equals(fills[2])  # the shadow is seen


def test_fills_are_held_against_the_truth_and_drift_against_the_photo(folder, runs):
    rows = runs["shaded"].cases.query("method != 'original'")
    plan = runs["shaded"].plan.set_index("photo")
    store = runs["shaded"].store
    for row in rows.to_dict("records"):
        facts = plan.loc[row["photo"]]
        truth, photo, output = (
            store.read_picture(name)
            for name in (
                f"photos/{facts['truth']}.png", f"photos/{facts['photo_sha']}.png", row["output"]
            )
        )  # fmt: skip
        assert np.array_equal(truth, np.array(Image.open(folder / "truth" / row["photo"])))
        hole = store.read_picture(f"masks/{facts['mask_sha']}.png")
        assert (output[~hole] == photo[~hole]).all()
        assert row["psnr_db"] == pytest.approx(
            peak_signal_noise_ratio(truth, output, data_range=255), abs=1e-4
        )
        assert row["drift"] == 0


def test_the_ceiling_shows_the_truth_in_the_hole_and_the_photo_around_it(runs):
    own = runs["shaded"].cases.query("method == 'original'")
    assert np.isinf(own["psnr_hole_db"]).all()
    assert np.isfinite(own["psnr_db"]).all()  # of the shadow, which no fill can mend
    assert (own["l1_hole"] == 0).all()
    assert (own["drift"] == 0).all()
    assert np.isinf(runs["given"].cases.query("method == 'original'")["psnr_db"]).all()


def test_with_an_unknown_truth_there_is_no_ceiling_and_no_number_of_fidelity(runs):
    found = runs["unknown"]
    assert list(found.methods["method"]) == ["telea", "mean"]
    assert set(found.cases["method"]) == {"telea", "mean"}
    assert (found.plan["truth"] == UNKNOWN).all()
    status = found.metrics.set_index("metric")[["status", "reason"]]
    assert (status.loc[[*OF_FIDELITY, "swd"], "status"] == "absent").all()
    assert (status.loc[[*OF_FIDELITY, "swd"], "reason"] == "the truth is unknown").all()
    assert (status.loc[["seam_visible", "drift"], "status"] == "ok").all()
    assert found.cases[[*OF_FIDELITY]].isna().all(axis=None)
    assert found.sets.empty
    assert found.cases[["seam_visible", "drift", "seconds"]].notna().all(axis=None)
    assert found.headline.metric == ""


@pytest.mark.parametrize("name", ["rc_s", "self_consistency"])
def test_a_measure_without_reference_leads_with_its_caveat_where_the_truth_is_unknown(runs, name):
    found = runs["unknown"]
    row = {"metric": name, "label": TABLE[name].label, "note": TABLE[name].note}
    last = pd.DataFrame([{**row, "status": "ok", "scope": "case"}])
    both = replace(found, metrics=pd.concat([found.metrics, last], ignore_index=True))
    assert both.headline.metric == name
    assert both.headline.reason.startswith("the truth is unknown")
    assert both.headline.reason.endswith(TABLE[name].note)
    absent = replace(both, metrics=both.metrics.assign(status="absent"))
    assert absent.headline == found.headline
    known = replace(both, header=runs["clean"].header)
    assert known.headline.metric not in HEADLINES_WITHOUT_TRUTH


def test_what_needs_no_truth_is_the_same_whether_there_is_one(runs):
    kept = [*KEYS, "seam_visible", "drift"]
    given, unknown = (numbers(runs[name], "telea")[kept] for name in ("given", "unknown"))
    pd.testing.assert_frame_equal(given, unknown)


def test_the_fingerprint_says_of_the_truth_only_where_it_is_not_the_photo(runs):
    parts = {name: found.header.fingerprint.parts for name, found in runs.items()}
    assert "truth" not in parts["clean"]
    assert parts["unknown"]["truth"] == UNKNOWN
    assert parts["given"]["truth"].endswith("/12")
    assert {name: found.header.truth for name, found in runs.items()} == {
        "clean": "photo", "given": "given", "shaded": "given", "unknown": UNKNOWN,
    }  # fmt: skip


def test_another_truth_is_another_protocol(folder, runs, tmp_path):
    out = Path(shutil.copytree(folder / "runs/unknown", tmp_path / "out"))
    with pytest.raises(BenchError, match=r"\(truth: unknown there, [^;]*truth now\)"):
        run(request(out, folder, truth="truth"))
    with pytest.raises(BenchError, match=r"\(truth: unknown there, the photo now\)"):
        run(request(out, folder))
    again = run(request(out, folder, truth=UNKNOWN, methods=("telea", "mean")))
    assert again.counts == {"ok": 24}


def test_metrics_that_need_a_truth_may_all_be_absent(folder, tmp_path):
    asked = request(
        tmp_path / "out", folder, truth=UNKNOWN, metrics=("lpips", "fid"), methods=("mean",)
    )
    assert run(asked).counts == {"ok": 12}
    with pytest.raises(BenchError, match="no metric was measured"):
        compare_within(read_run(tmp_path / "out"))
    with pytest.raises(InputError, match="a baseline with measured values"):
        judge_run(tmp_path / "out", tmp_path / "out")


def test_own_metrics_say_whether_they_need_a_truth(folder, tmp_path):
    (tmp_path / "own.py").write_text(
        "from bench.metrics.record import case_metric\n"
        "@case_metric(direction='lower', needs_truth=False)\n"
        "def object_left(output, photo, hole):\n"
        "    return float((photo[hole] == (250, 20, 200)).mean())\n"
        "@case_metric(direction='lower')\n"
        "def apart(output, photo, hole): return float((output != photo).mean())\n"
    )
    own = [f"{name}={tmp_path}/own.py:{name}" for name in ("object_left", "apart")]
    for truth in (UNKNOWN, "truth"):
        out = tmp_path / truth
        run(request(out, folder, truth=truth, metrics=tuple(own), methods=("mean",)))
        found = read_run(out)
        assert (found.cases.query("method == 'mean'")["object_left"] == 1).all()
        apart = found.metrics.set_index("metric").loc["apart", "status"]
        assert apart == ("absent" if truth == UNKNOWN else "ok")


def test_the_gate_asks_for_a_ceiling_only_where_there_can_be_one(folder, runs, tmp_path):
    for name in ("given", "shaded", "unknown"):
        assert judge_run(folder / "runs" / name, folder / "runs" / name).outcome == "same or better"
    assert judge_run(folder / "runs/given", folder / "runs/unknown").outcome == "not comparable"
    broken = Path(shutil.copytree(folder / "runs/shaded", tmp_path / "broken"))
    cases = RunFolder(broken).read_table("cases.parquet")
    ceiling = cases["method"] == "original"
    RunFolder(broken).write_table("cases.parquet", cases.assign(
        l1_hole=cases["l1_hole"].mask(ceiling, 0.01)
    ))  # fmt: skip
    assert judge_run(broken, broken).outcome == "regressed"
    RunFolder(broken).write_table("cases.parquet", cases[~ceiling])
    assert judge_run(broken, broken).outcome == "not measured"


def test_runs_with_an_unknown_truth_compare_and_merge(folder, runs, tmp_path):
    found = compare_within(runs["unknown"])
    assert set(found.ranks["metric"]) == {"seam_visible", "drift"}
    assert any("the truth is unknown" in note for note in found.notes)
    run(request(tmp_path / "other", folder, truth=UNKNOWN, methods=("noise",)))
    merged = merge(tmp_path / "both", [folder / "runs/unknown", tmp_path / "other"])
    assert merged.counts == {"ok": 36}
    assert merged.truth == UNKNOWN


def test_samples_of_an_unknown_truth_have_a_distance_from_each_other(folder, tmp_path, monkeypatch):
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    asked = request(
        tmp_path / "out", folder, truth=UNKNOWN, methods=("noise",), samples=2,
        metrics=("lpips", "drift"),
    )  # fmt: skip
    run(replace(asked, protocol=replace(asked.protocol, limit=2)))
    table = read_run(tmp_path / "out").samples
    distances = ["diversity_l1_hole", "diversity_lpips_untrained_hole"]
    assert (table[distances] > 0).all(axis=None)
    assert len(table) == 2


@pytest.mark.parametrize("truth", [UNKNOWN, "somewhere"])
def test_a_truth_needs_masks_of_what_is_removed(truth):
    with pytest.raises(InputError, match="--truth: for objects to be removed, which --masks show"):
        Protocol(photos="photos", truth=truth)


def test_the_ceiling_alone_cannot_be_run_without_a_truth(folder, tmp_path):
    with pytest.raises(BenchError, match="only the ceiling"):
        run(request(tmp_path / "out", folder, truth=UNKNOWN, methods=("original",)))
