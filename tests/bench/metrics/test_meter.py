import dataclasses
import hashlib
import math
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from bench.errors import BenchError
from bench.metrics import DEFAULT, METRICS, networks
from bench.metrics.meter import Meter, resolve_metrics, undefined
from bench.metrics.pair import Original, Pair
from methods import weights

COLUMNS = {
    "psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole", "lpips", "lpips_hole",
    "ms_ssim", "gmsd", "seam", "seam_visible", "drift", "lpips_untrained", "lpips_untrained_hole",
    "swd_hole", "cw_ssim_hole", "texture_structure",
    "lpips_vgg", "lpips_vgg_hole", "lpips_squeeze", "lpips_squeeze_hole", "ssim_lama",
    "ssim_grey51", "ssim_grey", "psnr_grey_db", "l1_grey", "psnr_kept_db", "psnr_brushnet_db",
    "psnr_misato_db", "ssim51", "l1_relative", "l1_relative_grey", "mse_kept", "lpips_kept_squeeze",
    "lpips_float", "grad_misato", "clip_similarity", "rc_s", "rc_s_vitl",
    "self_consistency", "self_consistency_untrained",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_weights(tmp_path, monkeypatch):
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def pair_of(height, width, *, hole=None, raw=True):
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
    if hole is None:
        hole = np.zeros((height, width), np.bool_)
        hole[height // 3 : height // 2, width // 3 : width // 2] = True
    output = np.where(hole[..., None], 255 - photo, photo)
    return Pair(output, Original(photo), hole, output.astype(np.float32) / 255 if raw else None)


def case_metrics(names):
    return [METRICS[name] for name in names if METRICS[name].scope == "case"]


def test_case_metrics_have_exactly_the_columns_of_the_tables():
    assert {m.name for m in METRICS.values() if m.scope == "case"} == COLUMNS
    assert {m.name for m in case_metrics(METRICS)} == COLUMNS


def test_defaults_are_known_and_untrained_features_are_not_among_them():
    assert set(DEFAULT) <= set(METRICS)
    assert not any("untrained" in name for name in DEFAULT)


def test_records_are_complete_distinct_and_can_be_sent_to_a_worker():
    signatures = {m.signature for m in METRICS.values()}
    assert len(signatures) == len(METRICS)
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.label
        assert metric.version
        assert ("untrained features" in metric.note) == ("untrained" in name)
        assert bool(metric.weights) == bool(metric.network)
        assert pickle.loads(pickle.dumps(metric)).signature == metric.signature


def test_networks_with_published_weights_are_named_as_their_checkpoint():
    for metric in METRICS.values():
        if metric.network and "untrained" not in metric.name:
            assert "+".join(networks.parts(metric.network)) == metric.network.partition("@")[0]
            for part in networks.parts(metric.network):
                assert networks.checkpoint(part).name == part
                assert networks.checkpoint(part).sha256 in metric.weights


def test_reading_the_table_loads_no_heavy_library():
    code = (
        "import sys, bench.metrics.meter; heavy = {'torch', 'torchvision', 'lpips', 'cv2', "
        "'torch_fidelity', 'scipy', 'pandas'}; sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (found.returncode, found.stderr.strip()) == (0, "")


def test_the_meter_measures_what_it_was_asked_for():
    names = [m.name for m in case_metrics(METRICS) if not m.network]
    pair = pair_of(176, 180)
    pair.raw *= np.float32(0.9)  # so that what was to be kept changed, too
    values = Meter(names).measure(pair).values
    assert list(values) == names
    assert all(math.isfinite(value) for value in values.values())


def test_the_ceiling_scores_perfectly():
    pair = pair_of(176, 180)
    photo = pair.original.photo
    perfect = Pair(photo, pair.original, pair.hole, photo.astype(np.float32) / 255)
    values = Meter([m.name for m in case_metrics(DEFAULT) if not m.network]).measure(perfect).values
    assert values.pop("psnr_db") == values.pop("psnr_hole_db") == math.inf
    for name, value in values.items():
        assert value == (1 if METRICS[name].direction == "higher" else 0)


def test_what_is_undefined_is_nan_and_has_its_reason():
    empty, full = np.zeros((20, 20), np.bool_), np.ones((20, 20), np.bool_)
    for pair, name, reason in (
        (pair_of(10, 30), "ssim", "needs sides of at least 11 pixels, found 30x10"),
        (pair_of(160, 200), "ms_ssim", "needs sides of at least 161 pixels, found 200x160"),
        (pair_of(20, 20, hole=empty), "l1_hole", "the hole is empty"),
        (pair_of(20, 20, hole=full), "seam", "the hole has no edge"),
        (pair_of(20, 20, raw=False), "drift", "the method's raw output is not known"),
    ):
        assert undefined(METRICS[name], pair) == reason
        measured = Meter([name]).measure(pair)
        assert math.isnan(measured.values[name])
        assert measured.reasons == {name: reason}


def test_any_other_value_that_is_not_finite_is_an_error_with_the_metric():
    pair = pair_of(20, 20)
    pair.raw = np.full((20, 20, 3), np.nan, np.float32)
    with pytest.raises(BenchError, match="metric drift: expected a finite value, found nan"):
        Meter(["drift"]).measure(pair)


def test_features_of_outputs_equal_to_their_photo_are_computed_once(monkeypatch):
    passes = []
    monkeypatch.setattr(
        "bench.metrics.inception.InceptionFeatures",
        lambda path, network, device: (
            lambda picture: passes.append(picture) or picture.mean((0, 1))
        ),
    )
    meter, other = Meter([], ["fid-untrained"]), pair_of(40, 40)
    equal = [Pair(other.original.photo, other.original, other.hole) for _ in range(3)]
    found = [meter.features(pair)["fid-untrained"] for pair in (*equal, other, other)]
    assert len(passes) == 3
    assert all((features == found[0]).all() for features in found[:3])
    assert (found[3] == other.output.mean((0, 1))).all()


def test_features_of_floats_are_of_the_pasted_fill_and_of_none_that_is_known_in_bytes_alone(
    monkeypatch,
):
    monkeypatch.setattr(
        "bench.metrics.inception.InceptionFeatures",
        lambda path, network, device: lambda picture: picture.mean((0, 1)),
    )
    files = {"fid-inception": "there.pth"}
    meter = Meter([], ["fid-inception@float", "fid-inception@clean"], files)
    pair = pair_of(40, 40)
    photo = pair.original.photo
    pair.raw = pair.raw + np.float32(0.4 / 255)
    found = meter.features(pair)
    joined = np.where(pair.hole[..., None], np.clip(pair.raw, 0, 1), photo / np.float32(255))
    assert found["fid-inception@float"] == pytest.approx(joined.mean((0, 1)), rel=1e-6)
    assert (found["fid-inception@clean"] == pair.output.mean((0, 1))).all()
    # Bytes that are those of the photo may have been other floats.
    nearly = Pair(photo, pair.original, pair.hole, photo / np.float32(255) + np.float32(1e-3))
    equal = Pair(photo, pair.original, pair.hole, photo / np.float32(255))
    values = [meter.features(each)["fid-inception@float"] for each in (nearly, equal)]
    assert (values[0] > values[1]).all()
    assert list(meter.features(pair_of(40, 40, raw=False))) == ["fid-inception@clean"]


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(BenchError, match="did you mean ssim_hole"):
        resolve_metrics(["ssim_holes"])
    with pytest.raises(BenchError, match="measured on sets"):
        Meter(["fid"])


def test_offline_lpips_is_absent_with_the_command_and_the_untrained_stands_in():
    statuses = {s.metric.name: s for s in resolve_metrics(DEFAULT, offline=True)}
    assert set(statuses) == {*DEFAULT, "lpips_untrained", "lpips_untrained_hole"}
    for name, status in statuses.items():
        needs_weights = name in ("lpips", "lpips_hole", "fid", "kid")
        assert status.status == ("absent" if needs_weights else "ok")
    assert "alexnet-owt-7be5be79.pth" in statuses["lpips"].reason
    assert "inpaint-bench weights fetch lpips-alex" in statuses["lpips"].reason
    assert statuses["ssim"].reason == ""


def test_the_stand_in_comes_only_for_what_was_asked():
    names = [s.metric.name for s in resolve_metrics(["lpips", "fid"], offline=True)]
    assert names == ["lpips", "lpips_untrained", "fid"]
    alone = resolve_metrics(["lpips_untrained", "fid_untrained"], offline=True)
    assert [(s.metric.name, s.status) for s in alone] == [
        ("lpips_untrained", "ok"),
        ("fid_untrained", "ok"),
    ]


def test_a_failed_fetch_is_the_reason(monkeypatch):
    monkeypatch.setitem(weights.CHECKPOINTS, "lpips-alex", unreachable("lpips-alex"))
    (lpips, _) = resolve_metrics(["lpips"])
    assert lpips.status == "absent"
    assert "could not be fetched" in lpips.reason
    assert "inpaint-bench weights add lpips-alex" in lpips.reason


def unreachable(name):
    known = weights.CHECKPOINTS[name]
    return dataclasses.replace(known, urls=("http://127.0.0.1:9/nobody-listens",))


def test_a_file_given_by_mistake_is_an_error_not_an_absence(tmp_path):
    wrong = tmp_path / "alexnet.pth"
    wrong.write_bytes(b"wrong")
    with pytest.raises(BenchError, match="expected about"):
        resolve_metrics(["lpips"], weights={"lpips-alex": wrong})


def test_a_damaged_file_in_the_cache_is_the_reason():
    folder = weights.cache_folder()
    folder.mkdir(parents=True)
    (folder / weights.CHECKPOINTS["fid-inception"].file).write_bytes(b"cut off")
    (fid,) = resolve_metrics(["fid"], offline=True)
    assert fid.status == "absent"
    assert "expected about 95,628,359 bytes" in fid.reason
    assert "weights fetch fid-inception" in fid.reason


@pytest.mark.parametrize("net", ["alex", pytest.param("vgg", marks=pytest.mark.slow), "squeeze"])
def test_found_weights_are_verified_and_used(net, tmp_path, monkeypatch):
    """Files of the true names, keys and shapes, but of other numbers and so another hash."""
    network, metric = f"lpips-{net}", "lpips" if net == "alex" else f"lpips_{net}"
    path = tmp_path / weights.CHECKPOINTS[network].file
    torch.save(rule_filled(net), path)
    with pytest.raises(BenchError, match=r"expected (about|SHA-256)"):  # not the published one
        resolve_metrics([metric], weights={network: path})
    content = path.read_bytes()
    known = dataclasses.replace(
        weights.CHECKPOINTS[network],
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
    )
    monkeypatch.setitem(weights.CHECKPOINTS, network, known)
    names = [metric, f"{metric}_hole"]
    statuses = resolve_metrics(names, offline=True, weights={network: path})
    assert [(s.metric.name, s.status, s.weights) for s in statuses] == [
        (name, "ok", {network: path}) for name in names
    ]
    pair = pair_of(40, 40)
    values = Meter(names, weight_files={network: str(path)}).measure(pair).values
    whole, spatial = by_the_package(net, path, pair)
    assert values[metric] == pytest.approx(whole, rel=1e-5)
    assert values[f"{metric}_hole"] == pytest.approx(spatial[pair.hole].mean(), rel=1e-5)
    assert values[f"{metric}_hole"] > values[metric] > 0


def rule_filled(net):
    """What torchvision's file of a backbone holds, without the classifier: other numbers."""
    import torchvision

    models = torchvision.models
    made = {"alex": models.alexnet, "vgg": models.vgg16, "squeeze": models.squeezenet1_1}[net]()
    generator = torch.Generator().manual_seed(0)
    return {
        f"features.{key}": torch.randn(value.shape, generator=generator)
        * (2 / math.prod(value.shape[1:])) ** 0.5
        for key, value in made.features.state_dict().items()
    }


def by_the_package(net, path, pair):
    """LPIPS and its map by the package, whose backbone takes its file layer by layer."""
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of torchvision's older ways
        model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    state = torch.load(path, weights_only=True)
    for name, value in model.net.state_dict().items():
        value.copy_(state[f"features.{name.partition('.')[2]}"])
    planes = [
        torch.from_numpy(picture).permute(2, 0, 1)[None] / 127.5 - 1
        for picture in (pair.output, pair.original.photo)
    ]
    with torch.inference_mode():
        whole = float(model(*planes))
        model.spatial = True
        return whole, model(*planes)[0, 0].numpy()


@pytest.mark.parametrize("name", ["lpips_vgg", "lpips_squeeze_hole"])
def test_other_backbones_are_absent_offline_and_nothing_stands_in(name):
    (status,) = resolve_metrics([name], offline=True)
    network = METRICS[name].network
    assert status.status == "absent"
    assert f"inpaint-bench weights fetch {network}" in status.reason
    with pytest.raises(BenchError, match=rf"network {network}: .*weights fetch {network}"):
        Meter([name])


def test_a_meter_never_replaces_published_weights_by_random_ones():
    with pytest.raises(BenchError, match=r"network lpips-alex: .*weights fetch lpips-alex"):
        Meter(["lpips"])
    with pytest.raises(BenchError, match="network 'resnet' is unknown"):
        Meter([], ["resnet"])
