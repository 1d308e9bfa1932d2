"""Metrics against loops of calls of the libraries that define them, on one thread.

Only agreement is asserted.
"""

import warnings

import cv2
import lpips
import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair
from bench.metrics.perceptual import Lpips
from bench.metrics.sliced import Photos, swd
from bench.metrics.texture import texture_structure_of
from tests.support.turns import keep, take_turns

NAMES = ("psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole")


def pictures(side, share):
    photo = cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(0).normal(0, 40, photo.shape)
    hole = np.zeros((side, side), np.bool_)
    edge = round(side * share**0.5)
    start = (side - edge) // 2
    hole[start : start + edge, start : start + edge] = True
    noisy = np.clip(photo + noise, 0, 255).astype(np.uint8)
    return np.where(hole[..., None], noisy, photo), photo, hole


def scikit_image(output, photo, hole, *, ssim_alone=False):
    mean, full = structural_similarity(
        photo, output, data_range=255, channel_axis=-1, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    if ssim_alone:
        return full[hole].mean()
    apart = np.abs(output.astype(np.float64) - photo) / 255
    return {
        "psnr_db": peak_signal_noise_ratio(photo, output, data_range=255),
        "psnr_hole_db": peak_signal_noise_ratio(photo[hole], output[hole], data_range=255),
        "ssim": mean,
        "ssim_hole": full[hole].mean(),
        "l1": apart.mean(),
        "l1_hole": apart[hole].mean(),
    }


@pytest.mark.parametrize("side", [256, 512])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.45, 1.0])
def test_pixel_metrics_against_scikit_image(benchmark, side, share):
    output, photo, hole = pictures(side, share)
    meter, known = Meter(NAMES), Original(photo)
    forms = {
        "ours": lambda: meter.measure(Pair(output, Original(photo), hole)).values,
        "scikit-image": lambda: scikit_image(output, photo, hole),
        "ours, photo measured before": lambda: meter.measure(Pair(output, known, hole)).values,
    }
    expected, found = forms["scikit-image"](), forms["ours"]()
    for name in NAMES:
        tolerance = 1e-4 if name.endswith("_db") else 1e-5
        assert found[name] == pytest.approx(expected[name], abs=tolerance, nan_ok=True)
    turns = take_turns(benchmark, forms, rounds=11)
    again = turns.ratio("ours, photo measured before", "scikit-image")
    what = f"{side} x {side}, hole {share:.0%}"
    keep(benchmark, turns, "ours", "scikit-image", what, ratio_if_photo_measured_before=again)


@pytest.mark.parametrize("side", [256, 512])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.45, 1.0])
def test_texture_and_structure_beside_the_ssim_of_scikit_image(benchmark, side, share):
    output, photo, hole = pictures(side, share)
    known = Original(photo)
    forms = {
        "texture and structure": lambda: texture_structure_of(Pair(output, Original(photo), hole)),
        "SSIM": lambda: scikit_image(output, photo, hole, ssim_alone=True),
        "photo measured before": lambda: texture_structure_of(Pair(output, known, hole)),
    }
    assert forms["photo measured before"]() == pytest.approx(forms["texture and structure"]())
    turns = take_turns(benchmark, forms, rounds=11)
    again = turns.ratio("photo measured before", "SSIM")
    what = f"{side} x {side}, hole {share:.0%}"
    keep(benchmark, turns, "texture and structure", "SSIM", what, if_photo_measured_before=again)


@pytest.mark.parametrize("side", [256, 512])
def test_lpips_of_the_fills_of_a_photo_against_the_package(benchmark, side):
    side = side if benchmark.enabled else 64
    photo = pictures(side, 0)[1]
    holes = [pictures(side, share)[::2] for share in (0.05, 0.2, 0.45)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of torchvision's older ways
        package = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    ours = Lpips(None)
    package.load_state_dict(ours._model.state_dict())

    def planes(picture):
        return torch.from_numpy(picture).permute(2, 0, 1)[None] / 127.5 - 1

    def theirs():
        """The value and the map are two calls, each with two passes of the network."""
        found = []
        for output, hole in holes:
            pair = planes(output), planes(photo)
            package.spatial = False
            whole = float(package(*pair))
            package.spatial = True
            found.append((whole, float(package(*pair)[0, 0].numpy()[hole].mean())))
        return found

    def here():
        original, found = Original(photo), []
        for output, hole in holes:
            whole, spatial = ours.compare(Pair(output, original, hole))
            found.append((whole, float(spatial[hole].mean())))
        return found

    with torch.inference_mode():
        for mine, expected in zip(here(), theirs(), strict=True):
            assert mine == pytest.approx(expected, rel=1e-4)
        turns = take_turns(benchmark, {"ours": here, "lpips package": theirs}, rounds=5)
    keep(benchmark, turns, "ours", "lpips package", f"LPIPS of 3 fills of a photo of {side}")


def test_set_metrics_of_several_methods_against_one_at_a_time(benchmark):
    side, methods = (256, 6) if benchmark.enabled else (64, 2)
    _, photo, hole = pictures(side, 0.2)
    cases = [(f"{n}", np.roll(photo, 5 * n, axis=1), hole) for n in range(10)]
    fills = [
        [np.where(hole[..., None], picture // (2 + shade), picture) for _, picture, _ in cases]
        for shade in range(methods)
    ]

    def together():
        photos = Photos(cases)
        return [swd(photos, photos.cut(outputs)) for outputs in fills]

    def alone():
        found = []
        for outputs in fills:
            photos = Photos(cases)
            found.append(swd(photos, photos.cut(outputs)))
        return found

    assert together() == alone()
    turns = take_turns(benchmark, {"together": together, "each alone": alone}, rounds=3)
    keep(benchmark, turns, "together", "each alone", f"sliced Wasserstein of {methods} methods")
