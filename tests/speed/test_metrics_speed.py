"""Pixel metrics against a loop of scikit-image calls on the same pictures, on one thread.

Run with ``pytest tests/speed --benchmark-enable -s``; the ratio is printed and recorded, and
only agreement is asserted.
"""

import time
from statistics import median

import cv2
import numpy as np
import pytest
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair

NAMES = ("psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole")


@pytest.fixture
def one_thread():
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


def pictures(side, share):
    photo = cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(0).normal(0, 40, photo.shape)
    hole = np.zeros((side, side), np.bool_)
    edge = round(side * share**0.5)
    start = (side - edge) // 2
    hole[start : start + edge, start : start + edge] = True
    noisy = np.clip(photo + noise, 0, 255).astype(np.uint8)
    return np.where(hole[..., None], noisy, photo), photo, hole


def scikit_image(output, photo, hole):
    mean, full = structural_similarity(
        photo, output, data_range=255, channel_axis=-1, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    apart = np.abs(output.astype(np.float64) - photo) / 255
    return {
        "psnr_db": peak_signal_noise_ratio(photo, output, data_range=255),
        "psnr_hole_db": peak_signal_noise_ratio(photo[hole], output[hole], data_range=255),
        "ssim": mean,
        "ssim_hole": full[hole].mean(),
        "l1": apart.mean(),
        "l1_hole": apart[hole].mean(),
    }


def seconds_of(function, rounds):
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return median(times)


@pytest.mark.parametrize("side", [256, 512])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.45, 1.0])
def test_pixel_metrics_against_scikit_image(benchmark, one_thread, side, share):
    output, photo, hole = pictures(side, share)
    meter = Meter(NAMES)

    def ours():
        return meter.measure(Pair(output, Original(photo), hole))

    expected, found = scikit_image(output, photo, hole), ours()
    for name in NAMES:
        tolerance = 1e-4 if name.endswith("_db") else 1e-5
        assert found[name] == pytest.approx(expected[name], abs=tolerance)
    benchmark(ours)
    if benchmark.disabled:
        return
    original = Original(photo)
    theirs = seconds_of(lambda: scikit_image(output, photo, hole), 7)
    new_photo = seconds_of(ours, 15)
    same_photo = seconds_of(lambda: meter.measure(Pair(output, original, hole)), 15)
    benchmark.extra_info["scikit-image ms"] = theirs * 1e3
    benchmark.extra_info["ratio"] = theirs / new_photo
    benchmark.extra_info["ratio, photo measured before"] = theirs / same_photo
    print(
        f"\n{side}x{side}, hole {share:.0%}: scikit-image {theirs * 1e3:.1f} ms, here "
        f"{new_photo * 1e3:.1f} ms ({theirs / new_photo:.1f}x), photo measured before "
        f"{same_photo * 1e3:.1f} ms ({theirs / same_photo:.1f}x)"
    )
