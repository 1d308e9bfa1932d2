import math

import cv2
import numpy as np
import pytest
import torch
from skimage import data
from skimage.color import rgb2gray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.metrics import DEFAULT, METRICS
from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair
from bench.metrics.protocol_table import PROTOCOLS
from methods.weights import rule

ALONE = [metric.name for metric in PROTOCOLS if not metric.network]


def measured(name, pair):
    return Meter([name]).measure(pair).values[name]


def pair_of(height=96, width=128, raw=None, **changes):
    photo = np.ascontiguousarray(data.astronaut()[40 : 40 + height, 100 : 100 + width])
    hole = np.zeros((height, width), np.bool_)
    hole[height // 3 : height // 3 * 2, width // 4 : width // 2] = True
    noise = np.random.default_rng(0).normal(0, 60, photo.shape)
    noisy = np.clip(photo + noise, 0, 255).astype(np.uint8)
    return Pair(np.where(hole[..., None], noisy, photo), Original(photo), hole, raw, **changes)


def test_none_of_them_is_measured_unasked():
    assert not {metric.name for metric in PROTOCOLS} & set(DEFAULT)


def padded_with_zeros(output, photo):
    """SSIM by torch's convolution, of pictures ``(H, W, 3)`` in [0, 1], all of the map."""
    offsets = torch.arange(11, dtype=torch.float64) - 5
    line = torch.exp(-(offsets**2) / (2 * 1.5**2))
    window = torch.outer(line, line)
    window = (window / window.sum()).expand(3, 1, 11, 11)
    x, y = (
        torch.from_numpy(np.asarray(picture, np.float64)).permute(2, 0, 1)[None]
        for picture in (output, photo)
    )

    def blurred(planes):
        return torch.nn.functional.conv2d(planes, window, padding=5, groups=3)

    mx, my = blurred(x), blurred(y)
    vx, vy, both = blurred(x * x) - mx**2, blurred(y * y) - my**2, blurred(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    alike = (2 * mx * my + c1) * (2 * both + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return float(alike.mean())


def test_ssim_lama_agrees_with_a_convolution_padded_with_zeros():
    pair = pair_of()
    expected = padded_with_zeros(pair.output / 255, pair.original.photo / 255)
    assert measured("ssim_lama", pair) == pytest.approx(expected, abs=1e-12)
    assert measured("ssim_lama", pair) != pytest.approx(measured("ssim", pair), abs=1e-4)


def check_pictures(height, width, seed):
    """Two pictures made by a rule, float32 ``(H, W, 3)``, and the same as a pair of bytes."""
    photo, other = (
        rule.image(height, width, each, 3).transpose(1, 2, 0) for each in (seed, seed + 1)
    )
    output = np.clip(photo + np.float32(0.1) * (other - np.float32(0.5)), 0, 1)
    levels = [np.rint(255 * each).astype(np.uint8) for each in (output, photo)]
    return output, photo, Pair(levels[0], Original(levels[1]), np.ones((height, width), np.bool_))


@pytest.mark.parametrize(
    ("size", "lama", "expected"),
    [
        ((64, 64, 0), 0.99296, (0.99231, 0.99504, 0.99487, 32.0456, 34.2853, 0.016822, 0.022332)),
        ((96, 128, 3), 0.99114, (0.99041, 0.99565, 0.99537, 32.0569, 34.4577, 0.016493, 0.022396)),
        ((256, 256, 5), 0.99316, (0.99247, 0.99245, 0.99809, 32.093, 34.7306, 0.016795, 0.022285)),
    ],
)
def test_agrees_with_the_check_values_of_each_evaluation(size, lama, expected):
    """By an independent program, to the digits that were noted down."""
    output, photo, pair = check_pictures(*size)
    names = ("ssim", "ssim51", "ssim_grey51", "psnr_db", "psnr_grey_db", "l1_relative_grey",
             "l1_relative")  # fmt: skip
    values = Meter(names).measure(pair).values
    for name, value, digits in zip(names, expected, (5, 5, 5, 4, 4, 6, 6), strict=True):
        assert values[name] == pytest.approx(value, abs=0.6 * 10**-digits), name
    # LaMa's is of pictures that were not rounded, as our pictures always are.
    assert padded_with_zeros(output, photo) == pytest.approx(lama, abs=6e-6)


@pytest.mark.parametrize(("name", "window"), [("ssim_grey", 7), ("ssim_grey51", 51)])
def test_grey_ssim_is_that_of_scikit_image(name, window):
    pair = pair_of()
    # From the pictures of 8 bits, where scikit-image's own constants are of another range.
    grey = [255 * rgb2gray(picture) for picture in (pair.original.photo, pair.output)]
    expected = structural_similarity(*grey, win_size=window, data_range=255)
    assert measured(name, pair) == pytest.approx(expected, abs=1e-9)
    small = pair_of(window - 1, 60)
    assert math.isnan(measured(name, small))


def test_grey_psnr_and_l1_are_those_of_grey_levels():
    pair = pair_of()
    photo, output = rgb2gray(pair.original.photo), rgb2gray(pair.output)
    expected = peak_signal_noise_ratio(photo, output, data_range=1)
    assert measured("psnr_grey_db", pair) == pytest.approx(expected, abs=1e-9)
    assert measured("l1_grey", pair) == pytest.approx(np.abs(photo - output).mean(), abs=1e-12)


def test_psnr_of_misato_is_psnr_but_for_what_is_nearly_equal():
    pair = pair_of()
    assert measured("psnr_misato_db", pair) == pytest.approx(measured("psnr_db", pair), abs=1e-2)
    mean = np.square(pair.output / 255 - pair.original.photo / 255).mean()
    assert measured("psnr_misato_db", pair) == pytest.approx(-10 * np.log10(mean + 1e-7), abs=1e-9)


def test_psnr_of_what_is_kept_is_of_the_raw_output_outside_of_the_hole():
    pair = pair_of()
    photo, known = pair.original.photo, ~pair.hole
    rng = np.random.default_rng(1)
    raw = (photo / 255 + rng.normal(0, 0.1, photo.shape)).astype(np.float32)  # beyond black, too
    pair = pair_of(raw=raw)
    saved = np.clip(np.rint(255 * raw), 0, 255).astype(np.float64)
    expected = peak_signal_noise_ratio(photo[known], saved[known].astype(np.uint8), data_range=255)
    kept, brushnet = (measured(name, pair) for name in ("psnr_kept_db", "psnr_brushnet_db"))
    assert kept == pytest.approx(expected, abs=1e-9)
    # As BrushNet's script has it: squares of three channels, divided by the number of pixels.
    masked = [picture / 255 * known[..., None] for picture in (saved, photo)]
    theirs = np.square(masked[0] - masked[1]).sum() / known.sum()
    assert brushnet == pytest.approx(-10 * np.log10(theirs), abs=1e-9)
    assert kept - brushnet == pytest.approx(4.77, abs=2e-3)


def test_equal_pictures_get_what_the_protocol_gives_them():
    photo = pair_of().original.photo
    pair = Pair(photo, Original(photo), pair_of().hole, photo / np.float32(255))
    values = Meter(ALONE).measure(pair).values
    assert values == {
        "ssim_lama": pytest.approx(1, abs=1e-12),
        "ssim_grey51": pytest.approx(1, abs=1e-12),
        "ssim_grey": pytest.approx(1, abs=1e-12),
        "ssim51": pytest.approx(1, abs=1e-12),
        "psnr_grey_db": math.inf,
        "l1_grey": 0,
        "l1_relative": 0,
        "l1_relative_grey": 0,
        "mse_kept": 0,
        "grad_misato": 0,
        "psnr_kept_db": math.inf,
        "psnr_brushnet_db": 1000,
        "psnr_misato_db": 70,
    }


def test_what_is_kept_is_not_known_of_a_fill_without_its_raw_output():
    for name in ("psnr_kept_db", "psnr_brushnet_db", "mse_kept"):
        found = Meter([name]).measure(pair_of())
        assert math.isnan(found.values[name])
        assert found.reasons[name] == "the method's raw output is not known"
        assert not METRICS[name].needs_truth


def raw_of(pair, sigma=0.1):
    photo = pair.original.photo
    noise = np.random.default_rng(1).normal(0, sigma, photo.shape)
    return (photo / 255 + noise).astype(np.float32)  # beyond black and white, too


def test_mean_square_of_what_is_kept_is_that_of_its_psnr_and_of_scikit_learn():
    from sklearn.metrics import mean_squared_error

    pair = pair_of(raw=raw_of(pair_of()))
    saved = np.clip(np.rint(255 * pair.raw), 0, 255).astype(np.float64)
    known = ~pair.hole
    expected = mean_squared_error(
        saved[known].ravel() / 255, pair.original.photo[known].ravel() / 255
    )
    assert measured("mse_kept", pair) == pytest.approx(expected, rel=1e-9)
    assert measured("psnr_kept_db", pair) == pytest.approx(-10 * np.log10(expected), abs=1e-9)


def test_of_a_picture_that_is_scored_unpasted_what_is_kept_is_its_own():
    """Such as one that went through a JPEG: no raw output is needed, and none is looked at."""
    photo, hole = pair_of().original.photo, pair_of().hole
    scored = np.clip(photo.astype(int) + 5, 0, 255).astype(np.uint8)
    expected = np.square((scored[~hole].astype(float) - photo[~hole]) / 255).mean()
    for raw in (None, photo / np.float32(255)):
        pair = Pair(scored, Original(photo), hole, raw, pasted=False)
        assert measured("mse_kept", pair) == pytest.approx(expected, rel=1e-9)
        assert measured("psnr_kept_db", pair) == pytest.approx(-10 * np.log10(expected), abs=1e-9)
    pair = Pair(scored, Original(photo), hole, None, pasted=False)
    assert Meter(["drift"]).measure(pair).reasons["drift"]  # which is of the raw output alone
    assert measured("mse_kept", Pair(photo, Original(photo), ~hole & False, raw)) == 0


def test_gradients_of_misato_agree_with_scipy_along_the_edge():
    from scipy import ndimage

    pair = pair_of()
    output, photo = (
        picture @ np.array([0.299, 0.587, 0.114]) for picture in (pair.output, pair.original.photo)
    )
    gradients = [
        [ndimage.sobel(grey, axis, mode="mirror") for axis in (0, 1)] for grey in (output, photo)
    ]
    apart = np.hypot(*np.subtract(*gradients))
    edges = cv2.Canny(255 * pair.hole.astype(np.uint8), 100, 200) > 0
    near = ndimage.binary_dilation(pair.hole) & ~ndimage.binary_erosion(pair.hole)
    assert edges.any()
    assert not (edges & ~near).any()
    assert measured("grad_misato", pair) == pytest.approx(apart[edges].mean(), rel=1e-5)


def test_gradients_of_misato_look_at_the_edge_alone():
    photo, hole = pair_of().original.photo, pair_of().hole
    inside = cv2.erode(hole.view(np.uint8), np.ones((7, 7))) > 0
    values = []
    for where in (inside, hole):
        output = np.where(where[..., None], 255 - photo, photo)
        values.append(measured("grad_misato", Pair(output, Original(photo), hole)))
    assert values[0] == 0
    assert 20 < values[1] <= METRICS["grad_misato"].limits[1]
    whole = Pair(photo, Original(photo), np.ones_like(hole))
    assert Meter(["grad_misato"]).measure(whole).reasons == {"grad_misato": "the hole has no edge"}


def test_relative_l1_is_of_both_pictures_and_0_of_two_black_ones():
    pair = pair_of()
    output, photo = (each.astype(float) for each in (pair.output, pair.original.photo))
    expected = np.abs(output - photo).sum() / (output + photo).sum()
    assert measured("l1_relative", pair) == pytest.approx(expected, rel=1e-9)
    black = np.zeros_like(pair.output)
    for other, value in ((black, 0), (black + 9, 1)):
        against = Pair(other, Original(black), pair.hole)
        for name in ("l1_relative", "l1_relative_grey"):
            assert measured(name, against) == pytest.approx(value, abs=1e-12)
