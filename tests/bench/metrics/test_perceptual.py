import hashlib
import math
import warnings

import numpy as np
import pytest
import torch
from skimage import data

from bench.errors import BenchError, Declined
from bench.metrics import METRICS
from bench.metrics.pair import Original, Pair
from bench.metrics.perceptual import Lpips, gmsd_of, lpips_float_of, lpips_kept_of, ms_ssim_of
from methods.weights import Checkpoint

# Shapes of the convolutions of torchvision's AlexNet, by their place in ``features``.
ALEXNET = {
    0: (64, 3, 11, 11),
    3: (192, 64, 5, 5),
    6: (384, 192, 3, 3),
    8: (256, 384, 3, 3),
    10: (256, 256, 3, 3),
}


def photo(height, width):
    return np.ascontiguousarray(data.astronaut()[:height, 100 : 100 + width])


def whole(output, picture):
    return Pair(output, Original(picture), np.ones(picture.shape[:2], np.bool_))


def ms_ssim(output, picture):
    return ms_ssim_of(whole(output, picture))


def gmsd(output, picture):
    return gmsd_of(whole(output, picture))


def noisy(picture, sigma=40):
    noise = np.random.default_rng(0).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def box_hole(height, width):
    hole = np.zeros((height, width), np.bool_)
    hole[height // 3 : height // 3 * 2, width // 4 : width // 2] = True
    return hole


def tensor(picture):
    return torch.from_numpy(picture).permute(2, 0, 1)[None].to(torch.float32) / 255


def checkpoint_of(path):
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Checkpoint("some-backbone", path.name, (), digest, len(content), "none")


@pytest.fixture(scope="module")
def untrained():
    return Lpips(None)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    generator = torch.Generator().manual_seed(3)
    state = {"classifier.1.weight": torch.zeros(4, 4)}
    for place, shape in ALEXNET.items():
        scale = (2 / math.prod(shape[1:])) ** 0.5
        state[f"features.{place}.weight"] = torch.randn(shape, generator=generator) * scale
        state[f"features.{place}.bias"] = torch.randn(shape[0], generator=generator) * 0.1
    path = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    torch.save(state, path)
    return path


@pytest.mark.parametrize("size", [(161, 161), (161, 180), (172, 161), (256, 200)])
@pytest.mark.parametrize("where", ["everywhere", "hole"])
def test_ms_ssim_agrees_with_piq(size, where):
    import piq

    picture = photo(*size)
    output = noisy(picture)
    if where == "hole":
        output = np.where(box_hole(*size)[..., None], output, picture)
    expected = float(piq.multi_scale_ssim(tensor(output), tensor(picture)))
    assert ms_ssim(output, picture) == pytest.approx(expected, abs=2e-5)


def test_ms_ssim_of_an_inverted_picture_agrees_with_piq():
    import piq

    picture = photo(161, 170)
    expected = float(piq.multi_scale_ssim(tensor(255 - picture), tensor(picture)))
    assert ms_ssim(255 - picture, picture) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("size", [(64, 64), (65, 48), (33, 47)])
def test_gmsd_agrees_with_piq(size):
    import piq

    picture = photo(*size)
    output = noisy(picture)
    expected = float(piq.gmsd(tensor(output), tensor(picture)))
    assert gmsd(output, picture) == pytest.approx(expected, abs=1e-6)


def test_gmsd_is_the_same_wherever_pictures_lie_in_memory():
    picture = photo(64, 64)
    output = noisy(picture)
    values = set()
    for offset in range(0, 64, 4):
        place = np.empty(picture.nbytes + 64, np.uint8)[offset:]
        moved = place[: picture.nbytes].reshape(picture.shape)
        moved[...] = picture
        kept = np.empty(offset * 997, np.uint8)  # so that results lie elsewhere, too
        values.add(gmsd(output, moved))
        del kept
    assert len(values) == 1


def test_equal_pictures_are_perfect(untrained):
    picture = photo(170, 180)
    pair = Pair(picture, Original(picture), box_hole(170, 180))
    assert ms_ssim(picture, picture) == 1
    assert gmsd(picture, picture) == 0
    assert untrained.compare(pair)[0] == 0
    assert not untrained.compare(pair)[1].any()


def test_ms_ssim_of_a_small_picture_is_nan():
    assert math.isnan(ms_ssim(photo(160, 200), photo(160, 200)))


def test_lpips_with_a_backbone_file_equals_the_package_with_the_same_backbone(backbone):
    picture = photo(64, 80)
    hole, output = box_hole(64, 80), noisy(picture)
    network = Lpips(backbone, checkpoint=checkpoint_of(backbone))
    pair = Pair(output, Original(picture), hole)
    whole, spatial = reference_lpips(backbone, output, picture)
    assert METRICS["lpips"].function(pair, network) == pytest.approx(whole, rel=1e-6)
    assert METRICS["lpips_hole"].function(pair, network) == pytest.approx(
        spatial[hole].mean(), rel=1e-5
    )


def reference_lpips(path, output, picture):
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    state = torch.load(path, weights_only=True)
    for number in range(1, 6):
        for place, layer in getattr(model.net, f"slice{number}").named_children():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.data = state[f"features.{place}.weight"]
                layer.bias.data = state[f"features.{place}.bias"]
    with torch.inference_mode():
        whole = float(model(tensor(output), tensor(picture), normalize=True))
        model.spatial = True
        spatial = model(tensor(output), tensor(picture), normalize=True)
    return whole, spatial[0, 0].numpy()


def test_untrained_lpips_is_the_same_every_time_and_leaves_the_generator_alone(untrained):
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    again = Lpips(None)
    assert torch.equal(torch.rand(1), expected)
    picture = photo(48, 48)
    pairs = [Pair(noisy(picture), Original(picture), box_hole(48, 48)) for _ in range(2)]
    assert again.compare(pairs[0])[0] == untrained.compare(pairs[1])[0]


def test_untrained_lpips_grows_with_distortion_and_sees_it_where_it_is(untrained):
    picture = photo(96, 96)
    hole = box_hole(96, 96)
    original = Original(picture)
    values = []
    for sigma in (10, 30, 90):
        output = np.where(hole[..., None], noisy(picture, sigma), picture)
        whole, spatial = untrained.compare(Pair(output, original, hole))
        assert spatial[hole].mean() > spatial[~hole].mean()
        values.append(whole)
    assert values == sorted(values)
    assert values[0] > 0


def test_network_features_of_a_photo_are_computed_once(untrained):
    picture = photo(48, 48)
    original, hole = Original(picture), box_hole(48, 48)
    untrained.compare(Pair(noisy(picture), original, hole))
    features = original.features[untrained.name]
    untrained.compare(Pair(noisy(picture, 5), original, hole))
    assert original.features[untrained.name] is features


def test_a_picture_equal_to_its_photo_takes_no_pass_of_the_network(untrained, monkeypatch):
    picture = photo(48, 48)
    original, hole = Original(picture), box_hole(48, 48)
    untrained.compare(Pair(noisy(picture), original, hole))
    monkeypatch.setattr(untrained, "features", None)
    whole, spatial = untrained.compare(Pair(picture, original, hole))
    assert whole == 0
    assert not spatial.any()


def test_a_backbone_with_missing_or_misshapen_tensors_is_refused(backbone, tmp_path):
    state = torch.load(backbone, weights_only=True)
    del state["features.3.bias"]
    state["features.8.weight"] = torch.zeros(2, 2)
    path = tmp_path / "broken.pth"
    torch.save(state, path)
    with pytest.raises(BenchError, match=r"slice2\.3\.bias.*slice4\.8\.weight"):
        Lpips(path, checkpoint=checkpoint_of(path))


def test_a_backbone_with_another_hash_is_refused(backbone):
    right = checkpoint_of(backbone)
    wrong = Checkpoint("some-backbone", right.file, (), "0" * 64, right.bytes, "none")
    with pytest.raises(BenchError, match="expected SHA-256 0000"):
        Lpips(backbone, checkpoint=wrong)


def test_the_smallest_side_of_the_record_is_one_that_works(untrained):
    side = METRICS["lpips"].minimum_side
    picture = photo(side, side)
    pair = Pair(noisy(picture), Original(picture), box_hole(side, side))
    assert 0 < untrained.compare(pair)[0] < math.inf


def by_the_package(model, output, picture):
    """The distance of two pictures, float ``(H, W, 3)`` in [0, 1], as the package gives it."""
    planes = [
        torch.from_numpy(np.asarray(each, np.float32)).permute(2, 0, 1)[None] * 2 - 1
        for each in (output, picture)
    ]
    with torch.inference_mode():
        return float(model(*planes))


def test_lpips_of_floats_is_that_of_the_pasted_fill_before_it_is_rounded(untrained):
    picture, hole = photo(64, 80), box_hole(64, 80)
    raw = (picture / 255 + np.random.default_rng(1).normal(0, 0.3, picture.shape)).astype(
        np.float32
    )
    bytes_ = np.where(hole[..., None], np.rint(255 * np.clip(raw, 0, 1)), picture).astype(np.uint8)
    pair = Pair(bytes_, Original(picture), hole, raw)
    joined = np.where(hole[..., None], np.clip(raw, 0, 1), picture / np.float32(255))
    found = lpips_float_of(pair, untrained)
    expected = by_the_package(untrained._model, joined, picture / 255)
    assert found == pytest.approx(expected, rel=1e-5)
    rounded = untrained.compare(pair)[0]
    assert found == pytest.approx(rounded, rel=1e-2)
    assert found != pytest.approx(rounded, rel=1e-6)
    with pytest.raises(Declined, match="raw output is not known"):
        lpips_float_of(Pair(bytes_, Original(picture), hole), untrained)


def test_lpips_of_what_is_kept_has_the_hole_black_in_both(untrained):
    picture, hole = photo(64, 80), box_hole(64, 80)
    raw = noisy(picture, 20).astype(np.float32) / 255
    blackened = [np.where(hole[..., None], 0, each) for each in (raw, picture / 255)]
    expected = by_the_package(untrained._model, *blackened)
    shown = Original(picture)
    assert expected > 0
    for truth in (picture, 255 - picture):  # which it does not look at
        pair = Pair(picture, Original(truth), hole, raw, shown)
        assert lpips_kept_of(pair, untrained) == pytest.approx(expected, rel=1e-5)
    other = np.where(hole[..., None], 1 - raw, raw)  # nor at the fill
    assert lpips_kept_of(Pair(picture, shown, hole, other), untrained) == pytest.approx(
        expected, rel=1e-5
    )
    unpasted = Pair(noisy(picture, 20), shown, hole, pasted=False)
    assert lpips_kept_of(unpasted, untrained) == pytest.approx(expected, rel=1e-5)
    assert lpips_kept_of(Pair(picture, shown, hole, shown.unit), untrained) == 0
