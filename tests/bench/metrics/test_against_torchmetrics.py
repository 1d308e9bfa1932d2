"""Another implementation of the same metrics: PSNR, SSIM and its map, LPIPS and its heads.

Its MS-SSIM is another metric: it averages the last scale with its border, and channels first.
"""

import math

import numpy as np
import pytest
import torch
from skimage import data
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)
from torchmetrics.functional.image.lpips import _LPIPS

from bench.metrics import METRICS
from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair
from bench.metrics.perceptual import Lpips


def pair_of(height, width, kind):
    photo = np.ascontiguousarray(data.astronaut()[40 : 40 + height, 100 : 100 + width])
    hole = np.zeros((height, width), np.bool_)
    hole[height // 4 : height // 2, width // 4 :] = True  # up to the border
    other = {
        "noise": np.random.default_rng(0).integers(0, 256, photo.shape, dtype=np.uint8),
        "rolled": np.roll(photo, 3, axis=0),
        "black": np.zeros_like(photo),
    }[kind]
    return Pair(np.where(hole[..., None], other, photo), Original(photo), hole)


def planes(picture, dtype=torch.float64):
    return torch.from_numpy(picture).permute(2, 0, 1)[None].to(dtype) / 255


@pytest.mark.parametrize("kind", ["noise", "rolled", "black"])
@pytest.mark.parametrize("size", [(96, 128), (51, 63)])
def test_psnr_and_ssim(size, kind):
    pair = pair_of(*size, kind)
    output, photo = planes(pair.output), planes(pair.original.photo)
    values = Meter(["psnr_db", "psnr_hole_db", "ssim"]).measure(pair).values
    assert values["psnr_db"] == pytest.approx(
        float(peak_signal_noise_ratio(output, photo, data_range=1.0)), abs=1e-5
    )
    inside = (torch.from_numpy(pair.hole).expand_as(photo),)
    assert values["psnr_hole_db"] == pytest.approx(
        float(peak_signal_noise_ratio(output[inside], photo[inside], data_range=1.0)), abs=1e-5
    )
    # Its mean is of a map with a border of mirrored pixels, which published SSIM leaves out.
    _, full = structural_similarity_index_measure(
        output, photo, data_range=1.0, return_full_image=True
    )
    assert values["ssim"] == pytest.approx(float(full[..., 5:-5, 5:-5].mean()), abs=1e-6)


@pytest.mark.parametrize("net", ["alex", pytest.param("vgg", marks=pytest.mark.slow), "squeeze"])
def test_lpips_of_the_same_backbone_by_its_own_copy_of_the_heads(net):
    ours = Lpips(None, net=net)
    theirs = _LPIPS(net=net, pnet_rand=True)
    for mine, layer in zip(convolutions(ours._model.net), convolutions(theirs.net), strict=True):
        layer.load_state_dict(mine.state_dict())
    pair = pair_of(64, 80, "noise")
    with torch.inference_mode():
        expected = float(
            theirs(
                *(planes(p, torch.float32) for p in (pair.output, pair.original.photo)),
                normalize=True,
            )
        )
    assert math.isfinite(expected)
    assert METRICS["lpips"].function(pair, ours) == pytest.approx(expected, rel=1e-5)


def convolutions(network):
    return [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
