import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.errors import BenchError
from bench.folder.store import RunFolder
from bench.metrics.inception import _inception, _random_state
from bench.planning.pictures import mask_file, photo_file
from bench.planning.protocol import Protocol
from bench.run.merge import merge
from bench.run.request import Request
from bench.run.runner import run
from methods import weights
from tests.support import commands

QUICK = ("psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "drift")


def request(out: Path, photos: Path, **changes) -> Request:
    standard = {
        "protocol": Protocol(photos=str(photos), size=96),
        "methods": ("telea", "mean"),
        "metrics": QUICK,
        "executor": "inline",
        "offline": True,
    }
    return Request(out, **{**standard, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory, photos) -> RunFolder:
    out = tmp_path_factory.mktemp("runner") / "out"
    run(request(out, photos, methods=("telea", "noise", "mean"), samples=2))
    return RunFolder(out)


def made(out: Path) -> pd.DataFrame:
    """All rows that workers wrote, in the order they were made."""
    return RunFolder(out).read_fragments().sort_values("written")


def test_there_is_one_row_for_every_method_case_and_sample(finished):
    rows = finished.read_table("cases.parquet")
    assert rows.groupby("method").size().to_dict() == {
        "telea": 9, "noise": 18, "mean": 9, "original": 9,
    }  # fmt: skip
    assert not rows.duplicated(commands.KEYS).any()
    assert finished.read_json()["state"] == "complete"


def test_the_ceiling_is_in_every_run_and_perfect(finished):
    own = finished.read_table("cases.parquet").query("method == 'original'")
    assert np.isinf(own[["psnr_db", "psnr_hole_db"]].to_numpy()).all()
    assert (own[["ssim", "ssim_hole"]].to_numpy() == 1).all()
    assert (own["drift"] == 0).all()


def test_scikit_image_finds_the_same_numbers_in_the_saved_pictures(finished):
    plan = finished.read_table("plan.parquet").set_index(["photo", "tier", "draw"])
    rows = finished.read_table("cases.parquet").query("method != 'original'")
    for row in rows.to_dict("records"):
        facts = plan.loc[(row["photo"], row["tier"], row["draw"])]
        photo = finished.read_picture(photo_file(facts["photo_sha"]))
        hole = finished.read_picture(mask_file(facts["mask_sha"]))
        output = finished.read_picture(row["output"])
        assert (output[~hole] == photo[~hole]).all()
        psnr = peak_signal_noise_ratio(photo, output, data_range=255)
        in_hole = peak_signal_noise_ratio(photo[hole], output[hole], data_range=255)
        ssim = structural_similarity(
            photo, output, data_range=255, channel_axis=-1, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )  # fmt: skip
        assert row["psnr_db"] == pytest.approx(psnr, abs=1e-4)
        assert row["psnr_hole_db"] == pytest.approx(in_hole, abs=1e-4)
        assert row["ssim"] == pytest.approx(ssim, abs=1e-5)


def test_samples_differ_and_come_back_the_same(finished, tmp_path, photos):
    rows = finished.read_table("cases.parquet").query("method == 'noise'")
    pairs = rows.groupby(["photo", "tier"])["output_sha"].nunique()
    assert (pairs == 2).all()
    run(request(tmp_path / "again", photos, methods=("noise",), samples=2))
    again = RunFolder(tmp_path / "again").read_table("cases.parquet").query("method == 'noise'")
    assert again["output_sha"].tolist() == rows["output_sha"].tolist()


def test_each_fill_has_its_seconds_and_memory(finished):
    rows = finished.read_table("cases.parquet")
    assert (rows[["seconds", "measure_seconds"]] > 0).all(axis=None)
    assert (rows["cpu_seconds"] >= 0).all()
    assert rows["peak_bytes"].between(5e7, 5e10).all()


def test_a_new_metric_never_repeats_a_fill(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos))
    store = RunFolder(out)
    before = store.read_table("cases.parquet").set_index(commands.KEYS)
    written = {path: path.stat().st_mtime_ns for path in store.file("outputs").rglob("*.png")}
    run(request(out, photos, metrics=(*QUICK, "gmsd")))
    after = store.read_table("cases.parquet").set_index(commands.KEYS)
    assert after["gmsd"].notna().all()
    same = ["seconds", "drift", "psnr_db", "output_sha"]
    pd.testing.assert_frame_equal(after[same], before[same])
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_a_lost_picture_is_filled_again_when_it_must_be_measured(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos))
    lost, changed = sorted((out / "outputs" / "telea").rglob("*.png"))[:2]
    lost.unlink()
    Image.new("RGB", (96, 96)).save(changed)
    run(request(out, photos, metrics=(*QUICK, "gmsd")))
    rows = RunFolder(out).read_table("cases.parquet")
    assert (rows["status"] == "ok").all()
    assert rows["gmsd"].notna().all()
    assert lost.exists()


def test_a_method_can_be_added_to_a_run(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos, methods=("mean",)))
    fragments = set((out / "fragments").iterdir())
    run(request(out, photos, methods=("telea",)))
    rows = RunFolder(out).read_table("cases.parquet")
    assert list(dict.fromkeys(rows["method"])) == ["mean", "original", "telea"]
    new = pd.concat(map(pd.read_parquet, set((out / "fragments").iterdir()) - fragments))
    # One kept fill is made again, to see whether it comes out the same.
    assert new["method"].value_counts().to_dict() == {"telea": 9, "mean": 1}


def test_another_protocol_is_refused_and_nothing_is_lost(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos))
    before = commands.quality(out)
    for protocol in (
        Protocol(photos=str(photos), size=64),
        Protocol(photos=str(photos), size=96, seed=1),
        Protocol(photos=str(photos / "a.png"), size=96),
    ):
        with pytest.raises(BenchError, match="another protocol"):
            run(request(out, photos, protocol=protocol))
    pd.testing.assert_frame_equal(commands.quality(out), before)
    assert len(RunFolder(out).read_table("plan.parquet")) == 9


def test_failures_are_kept_unless_asked_to_try_again(tmp_path, photos):
    out = tmp_path / "out"
    own = ("Raises=tests.support.faulty:Raises",)
    run(request(out, photos, methods=own))
    assert made(out)["status"].eq("failed").sum() == 1
    run(request(out, photos, methods=own))
    assert made(out)["status"].eq("failed").sum() == 1
    run(request(out, photos, methods=own, retry_failed=True))
    assert made(out)["status"].eq("failed").sum() == 2
    rows = RunFolder(out).read_table("cases.parquet")
    assert rows.query("status == 'failed'")["photo"].tolist() == ["b.png"]


def test_outputs_made_elsewhere_are_scored_alike_and_not_timed(finished, tmp_path, photos):
    theirs = finished.file("outputs/telea")
    out = tmp_path / "out"
    run(request(out, photos, methods=("telea", f"theirs=folder:{theirs}")))
    rows = commands.cases(out)
    scores = ["psnr_db", "ssim", "ssim_hole", "output_sha"]
    pd.testing.assert_frame_equal(rows.loc["theirs"][scores], rows.loc["telea"][scores])
    assert rows.loc["theirs"][["seconds", "cpu_seconds"]].isna().all(axis=None)


def test_a_folder_without_an_output_is_refused_before_any_work(tmp_path, photos):
    (tmp_path / "theirs").mkdir()
    with pytest.raises(BenchError, match=r"method .theirs.: .*found no file of any naming"):
        run(request(tmp_path / "out", photos, methods=(f"theirs=folder:{tmp_path / 'theirs'}",)))
    assert not (tmp_path / "out" / "run.json").exists()


def test_the_photos_themselves_are_no_outputs(tmp_path, photos):
    with pytest.raises(BenchError, match="its folder holds photos or masks of this run"):
        run(request(tmp_path / "out", photos, methods=(f"theirs=folder:{photos}",)))


def test_absent_weights_leave_a_nan_column_a_reason_and_the_stand_in(tmp_path, photos, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))
    out = tmp_path / "out"
    run(request(out, photos, methods=("mean",), metrics=("lpips", "fid", "psnr_db")))
    rows = commands.cases(out)
    assert rows["lpips"].isna().all()
    assert rows["lpips_untrained"].notna().all()
    metrics = RunFolder(out).read_table("metrics.parquet").set_index("metric")
    assert metrics["status"].to_dict() == {
        "psnr_db": "ok", "lpips": "absent", "lpips_untrained": "ok", "fid": "absent",
    }  # fmt: skip
    absent = metrics[metrics["status"] == "absent"]["reason"]
    assert absent.str.contains("inpaint-bench weights fetch").all()


@pytest.mark.slow
def test_set_metrics_use_the_ceilings_features_and_survive_a_resume(tmp_path, photos):
    out = tmp_path / "out"
    metrics = ("psnr_db", "fid_untrained", "kid_untrained")
    run(request(out, photos, methods=("mean",), metrics=metrics))
    sets = RunFolder(out).read_table("sets.parquet").set_index(["method", "tier", "metric"])
    assert (sets["n"] == 3).all()
    assert sets["note"].str.contains("below (?:2048|50)").all()
    perfect = sets.loc["original"].xs("fid_untrained", level="metric")["value"]
    filled = sets.loc["mean"].xs("fid_untrained", level="metric")["value"]
    # Against itself there is rounding only; the more of a picture is filled, the farther it is.
    assert perfect.abs().max() < 1e-3 < filled["small"] < filled["region"] < filled["large"]
    for path in (out / "features").rglob("*.npz"):
        path.unlink()
    run(request(out, photos, methods=("mean",), metrics=metrics))
    again = RunFolder(out).read_table("sets.parquet").set_index(["method", "tier", "metric"])
    pd.testing.assert_series_equal(again["value"], sets["value"], rtol=1e-5)


def test_every_odd_photo_has_a_row_and_refusals_a_reason(tmp_path, shared_data):
    out = tmp_path / "out"
    odd = shared_data / "odd"
    run(request(out, odd, protocol=Protocol(photos=str(odd), size=None), methods=("telea",)))
    inputs = RunFolder(out).read_table("inputs.parquet")
    given = sorted(path.name for path in odd.iterdir() if path.suffix != ".csv")
    assert sorted(inputs[inputs["kind"] == "photo"]["path"]) == given
    refused = inputs[inputs["status"] == "refused"]
    assert {"truncated.jpg", "truncated.png", "corrupt_crc.png", "zero_byte.png", "text.png",
            "header_bomb.png"} <= set(refused["path"])  # fmt: skip
    assert refused["reason"].str.len().gt(10).all()
    rows = commands.cases(out).reset_index()
    assert set(rows["status"]) == {"ok"}
    assert "été_画像.png" in set(rows["photo"])
    tall = rows[(rows["photo"] == "tall_16x2048.png") & (rows["method"] == "telea")]
    assert len(tall) == 3


def test_no_hole_and_nothing_but_hole_are_answered(tmp_path, shared_data):
    odd, masks = shared_data / "odd", tmp_path / "masks"
    masks.mkdir()
    for draw, name in enumerate(("mask_empty.png", "mask_full.png")):
        shutil.copy(odd / name, masks / f"rgba_mask00{draw}.png")
    protocol = Protocol(photos=str(odd / "rgba.png"), masks=str(masks), size=None)
    out = tmp_path / "out"
    run(request(out, odd, protocol=protocol, methods=("telea",)))
    rows = commands.cases(out).reset_index().query("method == 'telea'")
    empty, full = (row for _, row in rows.iterrows())
    assert (empty["hole_share"], empty["status"]) == (0, "ok")
    assert np.isinf(empty["psnr_db"])
    assert np.isnan(empty["psnr_hole_db"])
    assert (full["hole_share"], full["status"]) == (1, "declined")
    assert "no known pixel" in full["reason"]


def test_the_record_says_what_ran_where(finished):
    header = finished.read_json()
    environment = header["environment"]
    assert environment["packages"]["numpy"] == np.__version__
    assert environment["cores"] == os.cpu_count()
    assert header["protocol"]["seed"] == 0
    assert header["counts"] == {"ok": 45}
    assert header["non_deterministic"] == []
    assert json.dumps(header)


def test_a_method_that_gives_two_answers_is_named(tmp_path, photos, monkeypatch):
    out = tmp_path / "out"
    own = ("Fickle=tests.support.faulty:Fickle",)
    run(request(out, photos, methods=own, metrics=("psnr_db", "fid_untrained")[:1]))
    for path in (out / "outputs").rglob("*.png"):
        path.unlink()
    with pytest.raises(BenchError, match="same method, other pictures: Fickle on"):
        run(request(out, photos, methods=own, metrics=("psnr_db", "ssim")))
    header = RunFolder(out).read_json()
    assert len(header["non_deterministic"]) == 9
    assert header["non_deterministic"][0].startswith("Fickle")
    assert header["state"] == "complete"  # nothing that was made is lost


def test_an_edited_method_is_run_again(tmp_path, photos, monkeypatch):
    source = """
from methods.base import Inpainter
from methods.card import Card
class Grey(Inpainter):
    card = Card("grey", "Grey", "other")
    def infer(self, images, masks, generator):
        return images + 0.5 * masks
"""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    values = []
    for level in ("0.5", "0.9"):
        Path("edited_method.py").write_text(source.replace("0.5", level))
        done = commands.run(tmp_path / "out", photos, "--methods", "own=edited_method:Grey")
        assert done.returncode == 0, done.stderr
        values.append(commands.cases(tmp_path / "out").loc["own"]["psnr_db"].mean())
    assert values[0] != values[1]


def test_weights_that_arrive_later_are_used_by_the_same_command(tmp_path, photos, monkeypatch):
    weights = tmp_path / "weights"
    monkeypatch.setenv("WEIGHTS_FILE", str(weights))
    out = tmp_path / "out"
    own = ("WantsWeights=tests.support.faulty:WantsWeights",)
    header = run(request(out, photos, methods=own))
    assert header.without_result == ["WantsWeights"]
    methods = RunFolder(out).read_table("methods.parquet").set_index("method")
    assert methods.loc["WantsWeights", "status"] == "unavailable"
    weights.touch()
    assert run(request(out, photos, methods=own)).without_result == []
    assert (commands.cases(out)["status"] == "ok").all()


def test_fewer_samples_than_before_leave_a_complete_run(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos, methods=("noise",), samples=2))
    header = run(request(out, photos, methods=("noise",), samples=1))
    assert (header.state, header.missing) == ("complete", 0)
    assert len(commands.cases(out).loc["noise"]) == 9


def masked(folder: Path, holes: dict[str, np.ndarray]) -> str:
    folder.mkdir()
    for name, hole in holes.items():
        Image.fromarray(hole).save(folder / f"{name}_mask.png")
    return str(folder)


def test_photos_that_changed_places_are_another_protocol(tmp_path):
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for name in "ab"}
    hole = np.zeros((64, 64), bool)
    hole[20:40, 20:40] = True
    protocols = []
    for folder, names in (("one", "ab"), ("other", "ba")):
        (tmp_path / folder).mkdir()
        for name, picture in zip(names, pictures.values(), strict=True):
            Image.fromarray(picture).save(tmp_path / folder / f"{name}.png")
        masks = masked(tmp_path / f"{folder}-masks", {"a": hole, "b": hole})
        protocols.append(Protocol(photos=str(tmp_path / folder), masks=masks, size=None))
    out = tmp_path / "out"
    run(request(out, tmp_path, protocol=protocols[0]))
    with pytest.raises(BenchError, match="another protocol"):
        run(request(out, tmp_path, protocol=protocols[1]))
    run(request(tmp_path / "second", tmp_path, protocol=protocols[1]))
    with pytest.raises(BenchError, match="expected runs of one protocol"):
        merge(tmp_path / "merged", [out, tmp_path / "second"])


def test_drift_is_known_even_if_it_was_first_asked_for_later(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos, metrics=("psnr_db",)))
    written = {path: path.stat().st_mtime_ns for path in (out / "outputs").rglob("*.png")}
    run(request(out, photos, metrics=("psnr_db", "drift")))
    assert commands.cases(out)["drift"].notna().all()
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_a_drift_of_an_earlier_definition_is_not_taken_for_one_of_today(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos, metrics=("psnr_db",)))
    store = RunFolder(out)
    for path in store.file("fragments").glob("*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns("drift_version"), path)
    run(request(out, photos, metrics=("psnr_db", "drift")))
    rows = commands.cases(out)
    assert rows["drift"].isna().all()
    assert rows["psnr_db"].notna().all()
    assert rows["note"].eq("drift: measured by an earlier definition; needs a fill made anew").all()


def test_fewer_metrics_measure_nothing_again(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos))
    before = made(out)
    run(request(out, photos, metrics=("psnr_db",)))
    again = made(out).iloc[len(before) :]
    assert again["method"].value_counts().to_dict() == {"telea": 1, "mean": 1}  # to be compared
    assert "ssim" not in commands.cases(out)


def test_a_metric_without_a_value_says_why_in_the_row(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos, metrics=("psnr_db", "ms_ssim")))
    rows = commands.cases(out)
    assert rows["ms_ssim"].isna().all()
    assert rows["note"].str.contains("ms_ssim: needs sides of at least").all()


def test_a_photo_changed_in_the_run_folder_is_noticed(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos, methods=("mean",)))
    for path in (out / "photos").iterdir():
        Image.new("RGB", (96, 96)).save(path)
    with pytest.raises(BenchError, match="not what the plan says"):
        run(request(out, photos, methods=("telea",)))
    (out / "plan.parquet").unlink()
    assert run(request(out, photos, methods=("telea",))).state == "complete"


def test_an_output_lost_before_the_set_metrics_is_made_anew(tmp_path, photos):
    out = tmp_path / "out"
    protocol = Protocol(photos=str(photos), size=96, draws=4)
    run(request(out, photos, protocol=protocol, methods=("mean",)))
    lost, damaged = sorted((out / "outputs" / "mean" / "small").rglob("*.png"))[:2]
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-100])
    run(request(out, photos, protocol=protocol, methods=("mean",), metrics=(*QUICK, "swd")))
    sets = RunFolder(out).read_table("sets.parquet").set_index(["method", "tier"])
    assert (sets["n"] == 12).all()
    assert len(sets) == 2 * 3
    assert sets["value"].notna().all()


def test_a_run_inside_its_photos_folder_is_refused(photos):
    with pytest.raises(BenchError, match="inside the photos' folder"):
        run(request(photos / "out", photos))
    assert not (photos / "out" / "run.json").exists()


def test_two_methods_of_one_name_are_refused(tmp_path, photos):
    own = ("x=tests.support.faulty:Raises", "x=tests.support.faulty:Declines")
    with pytest.raises(BenchError, match="have one name"):
        run(request(tmp_path / "out", photos, methods=own))


def test_an_earlier_method_that_is_gone_keeps_its_rows(tmp_path, photos, finished):
    theirs = tmp_path / "theirs"
    shutil.copytree(finished.file("outputs/telea"), theirs)
    out = tmp_path / "out"
    run(request(out, photos, methods=(f"theirs=folder:{theirs}",)))
    shutil.rmtree(theirs)
    header = run(request(out, photos, methods=("mean",)))
    assert header.state == "complete"
    assert set(commands.cases(out).reset_index()["method"]) == {"theirs", "mean", "original"}


def test_a_photo_whose_name_is_not_unicode_is_refused(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (64, 64), "teal").save(folder / "good.png")
    (folder / "bad\udcff.png").write_bytes((folder / "good.png").read_bytes())
    (folder / "dangling.png").symlink_to(folder / "nowhere.png")
    out = tmp_path / "out"
    run(request(out, folder))
    inputs = RunFolder(out).read_table("inputs.parquet").set_index("path")
    assert inputs.loc["bad\\udcff.png", "reason"].startswith("the file name is not valid UTF-8")
    assert set(commands.cases(out).reset_index()["photo"]) == {"good.png"}


@pytest.mark.nightly
def test_each_fid_of_a_run_has_its_own_features_and_floats_are_filled_anew(
    tmp_path, photos, monkeypatch
):
    path = tmp_path / "inception.pth"
    torch.save(_random_state(_inception()), path)
    known = replace(
        weights.CHECKPOINTS["fid-inception"],
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        bytes=path.stat().st_size,
    )
    monkeypatch.setitem(weights.CHECKPOINTS, "fid-inception", known)
    out = tmp_path / "out"
    protocol = Protocol(photos=str(photos), size=96, tiers=("region",), limit=2)
    options = {"protocol": protocol, "methods": ("mean",), "weights": {"fid-inception": path}}
    bytes_ = ("fid_pytorch", "fid_clean", "u_ids")
    run(request(out, photos, metrics=bytes_, **options))
    run(request(out, photos, metrics=(*bytes_, "fid_pytorch_float"), **options))
    sets = RunFolder(out).read_table("sets.parquet").set_index(["method", "metric"])
    assert (sets["n"] == 2).all()
    values = sets.loc["mean", "value"]
    assert (
        sets.loc["original", "value"].drop("u_ids").abs().max() < 1e-3 < values.drop("u_ids").min()
    )
    assert values["fid_pytorch_float"] == pytest.approx(values["fid_pytorch"], rel=0.05)
    assert len({*values.drop("u_ids").round(9)}) == 3
    rows = made(out)
    assert rows[rows["method"] == "mean"].groupby("case_key").size().eq(2).all()
    assert rows.groupby(["method", "case_key"])["output_sha"].nunique().eq(1).all()
    assert RunFolder(out).has_features("fid-inception@float") == {*rows["output_sha"]}
