"""Inception networks: how each way shows them a picture, and what they find in it."""

import hashlib

import numpy as np
import pytest
import torch
from skimage import data
from torchvision.models import inception_v3
from torchvision.models.feature_extraction import create_feature_extractor

from bench.errors import BenchError
from bench.metrics import METRICS, networks
from bench.metrics.inception import _SEEN, InceptionFeatures
from methods.weights import CHECKPOINTS, Checkpoint, rule


def planes(height=200, width=310):
    picture = np.ascontiguousarray(data.astronaut()[60 : 60 + height, 90 : 90 + width])
    return torch.from_numpy(picture).permute(2, 0, 1)[None]


def bilinear(plane, offset):
    """Samples of a plane ``(h, w)`` by the textbook's formula, pixel centres moved by an offset."""
    for axis in (0, 1):
        length = plane.shape[axis]
        at = np.clip((np.arange(299) + offset) * length / 299 - offset, 0, length - 1)
        low = np.floor(at).astype(int)
        high, part = np.minimum(low + 1, length - 1), at - low
        shape = (-1, 1) if axis == 0 else (1, -1)
        first, second = (plane.take(places, axis) for places in (low, high))
        plane = first + part.reshape(shape) * (second - first)
    return plane


@pytest.mark.parametrize("size", [(200, 310), (400, 380), (299, 299)])
def test_pytorch_fid_samples_pixel_centres_and_tensorflow_their_corners(size):
    levels = planes(*size)
    exact = levels[0].numpy().astype(np.float64)
    expected = np.stack([bilinear(plane, 0.5) for plane in exact]) / 127.5 - 1
    np.testing.assert_allclose(_SEEN["pytorch"](levels)[0].numpy(), expected, rtol=0, atol=1e-4)
    corners = (np.stack([bilinear(plane, 0.0) for plane in exact]) - 128) / 128
    np.testing.assert_allclose(_SEEN[""](levels)[0].numpy(), corners, rtol=0, atol=1e-4)
    moved = np.abs(expected - corners).max()
    assert (moved < 0.01) == (size == (299, 299))  # the same picture, but for its scale


def test_floats_are_seen_as_the_bytes_that_they_are_and_not_rounded():
    levels = planes()
    unit = levels.to(torch.float32) / 255
    assert torch.equal(_SEEN["float"](unit), _SEEN["pytorch"](levels))
    finer = (unit + 0.3 / 255).clamp(0, 1)
    assert not torch.equal(_SEEN["float"](finer), _SEEN["float"](unit))


@pytest.mark.parametrize("size", [(200, 310), (400, 380)])
def test_clean_fid_smooths_as_the_antialiased_bicubic_of_torch_does(size):
    levels = planes(*size)
    found = _SEEN["clean"](levels)
    expected = torch.nn.functional.interpolate(
        levels.to(torch.float32), size=(299, 299), mode="bicubic", antialias=True
    )
    expected = (expected.clamp(0, 255) - 128) / 128
    assert torch.allclose(found, expected, atol=1e-4)
    assert found.min() >= -1
    assert found.max() <= 127 / 128
    assert not torch.allclose(found, _SEEN[""](levels), atol=0.1)


def state_of_torchvision():
    """Names and shapes of its file, filled by rule."""
    with torch.device("meta"):
        shapes = inception_v3(weights=None, init_weights=False).state_dict()
    return {
        name: torch.zeros(shape.shape, dtype=shape.dtype)
        if name.endswith("num_batches_tracked")
        else torch.from_numpy(rule.tensor(name, tuple(shape.shape)))
        for name, shape in shapes.items()
    }


def saved(path, state):
    torch.save(state, path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Checkpoint("inception", path.name, (), digest, len(content), "none")


@pytest.mark.slow
def test_features_of_torchvision_are_those_of_its_last_pooling(tmp_path):
    path, state = tmp_path / "inception.pth", state_of_torchvision()
    known = saved(path, state)
    assert known.bytes == pytest.approx(CHECKPOINTS[networks.TORCHVISION].bytes, rel=5e-3)
    pictures = planes().permute(0, 2, 3, 1).numpy()
    found = InceptionFeatures(path, network=networks.TORCHVISION, checkpoint=known).batch(pictures)
    theirs = inception_v3(weights=None, init_weights=False)
    theirs.load_state_dict(state)
    pooled = create_feature_extractor(theirs.eval(), ["avgpool"], suppress_diff_warning=True)
    with torch.inference_mode():
        expected = pooled(_SEEN["pytorch"](planes()))["avgpool"].flatten(1)
    assert found.shape == (1, 2048)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-5)
    state.pop("Mixed_7c.branch1x1.conv.weight")
    known = saved(path, state)
    with pytest.raises(BenchError, match=r"missing: Mixed_7c\.branch1x1\.conv\.weight"):
        InceptionFeatures(path, network=networks.TORCHVISION, checkpoint=known)


@pytest.mark.slow
def test_each_way_of_seeing_a_picture_has_its_own_features():
    picture = planes().permute(0, 2, 3, 1).numpy()[0]
    ways = (networks.FID_UNTRAINED, networks.FID_PYTORCH, networks.FID_CLEAN)
    found = [InceptionFeatures(None, network=way)(picture) for way in ways]
    for first, second in ((0, 1), (1, 2), (0, 2)):
        apart = np.abs(found[first] - found[second]).max()
        assert 1e-4 < apart / np.abs(found[0]).max() < 1


def test_a_metric_says_which_network_it_needs_and_how_that_sees_pictures():
    ways = {name: METRICS[name].network for name in METRICS if name.startswith("fid")}
    assert ways["fid_pytorch"] == networks.FID_PYTORCH == "fid-inception@pytorch"
    assert len(set(ways.values())) == len(ways)
    assert {networks.parts(way) for name, way in ways.items() if "untrained" not in name} == {
        ("fid-inception",), ("inception-torchvision",)
    }  # fmt: skip
    assert "weights fetch fid-inception" in networks.missing(networks.FID_CLEAN)
    with pytest.raises(BenchError, match="network fid-inception: no weight file given"):
        networks.extractor(networks.FID_CLEAN, {}, "cpu")
    with pytest.raises(BenchError, match="network 'fid-inception@other' is unknown"):
        networks.extractor("fid-inception@other", {}, "cpu")
