"""Telea, Navier-Stokes, biharmonic, PatchMatch, shift-map and the mean fill in figures.

The reference table was made apart from this project, with the libraries called by hand.
"""

import zlib
from functools import cache

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import methods
from bench.errors import BenchError, Declined
from methods.harness import fill

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
PHOTO_CRCS = {
    256: ("ac104407", "f4ce38ed", "bafe8106", "2146e458"),
    512: ("fdcaa55f", "31811d98", "0630be34", "6868e532"),
}
MASK_CRCS = {
    (256, "small"): "20bb0af8",
    (256, "region"): "0dff095f",
    (256, "large"): "fc87f3fb",
    (512, "small"): "7c38f820",
    (512, "region"): "0e218942",
    (512, "large"): "60b9fe38",
}
# PSNR in dB and SSIM (Gaussian window) over the whole picture, for the four photos.
TABLE = {
    ("mean", 256, "small"): "23.52/0.933 30.07/0.951 24.51/0.925 27.58/0.956",
    ("telea", 256, "small"): "28.94/0.971 38.46/0.980 33.35/0.984 35.29/0.984",
    ("navier_stokes", 256, "small"): "28.88/0.972 38.26/0.980 33.47/0.984 35.25/0.984",
    ("biharmonic", 256, "small"): "30.26/0.976 39.49/0.984 34.35/0.987 35.06/0.985",
    ("mean", 256, "region"): "18.08/0.859 24.32/0.887 19.50/0.890 28.79/0.962",
    ("telea", 256, "region"): "20.78/0.889 26.53/0.896 22.04/0.908 32.39/0.973",
    ("navier_stokes", 256, "region"): "20.57/0.889 26.39/0.899 21.58/0.906 31.39/0.972",
    ("biharmonic", 256, "region"): "21.36/0.883 27.00/0.903 22.31/0.915 31.22/0.974",
    ("mean", 256, "large"): "13.56/0.635 21.28/0.738 17.27/0.723 23.39/0.884",
    ("telea", 256, "large"): "15.34/0.723 23.31/0.780 20.95/0.822 30.35/0.940",
    ("navier_stokes", 256, "large"): "15.56/0.729 23.06/0.777 20.41/0.816 31.50/0.945",
    ("biharmonic", 256, "large"): "15.84/0.722 21.43/0.783 20.98/0.815 30.67/0.946",
    ("mean", 512, "small"): "23.44/0.946 30.07/0.965 24.46/0.944 27.46/0.968",
    ("telea", 512, "small"): "28.73/0.972 38.57/0.982 33.35/0.984 34.72/0.984",
    ("navier_stokes", 512, "small"): "28.99/0.973 38.35/0.983 33.26/0.984 34.74/0.984",
    ("biharmonic", 512, "small"): "30.52/0.976 40.12/0.986 34.52/0.987 34.19/0.985",
    ("mean", 512, "region"): "18.03/0.881 24.29/0.908 19.47/0.914 28.60/0.973",
    ("telea", 512, "region"): "20.49/0.903 26.23/0.913 21.92/0.931 31.77/0.977",
    ("navier_stokes", 512, "region"): "20.36/0.902 26.11/0.914 21.31/0.929 31.09/0.977",
    ("biharmonic", 512, "region"): "21.79/0.901 26.99/0.920 17.84/0.912 31.45/0.979",
    ("mean", 512, "large"): "13.52/0.686 21.27/0.803 17.24/0.775 23.32/0.911",
    ("telea", 512, "large"): "15.16/0.753 23.30/0.829 20.81/0.848 29.72/0.948",
    ("navier_stokes", 512, "large"): "15.48/0.764 22.93/0.823 20.27/0.842 31.37/0.954",
    ("biharmonic", 512, "large"): "16.04/0.754 21.38/0.827 21.27/0.842 27.66/0.951",
}
# The randomised one, to be met within 0.5 dB and 0.005.
PATCHMATCH = {
    (256, "small"): "29.31/0.969 38.77/0.979 33.91/0.986 34.97/0.982",
    (256, "region"): "19.52/0.876 25.34/0.876 21.64/0.895 30.57/0.972",
    (256, "large"): "15.08/0.704 22.98/0.712 20.13/0.802 32.09/0.943",
}


def thick_segment(mask, p, q, radius):
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    d = q - p
    t = np.clip(((y - p[0]) * d[0] + (x - p[1]) * d[1]) / max(float(d @ d), 1e-9), 0, 1)
    mask |= (y - p[0] - t * d[0]) ** 2 + (x - p[1] - t * d[1]) ** 2 <= radius * radius


def strokes(n, share, radius, seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros((n, n), bool)
    while mask.mean() < share:
        p, angle = rng.uniform(0, n, 2), rng.uniform(0, 2 * np.pi)
        for _ in range(4):
            angle += rng.uniform(-0.8, 0.8)
            q = np.clip(p + 0.12 * n * np.array([np.sin(angle), np.cos(angle)]), 0, n - 1)
            thick_segment(mask, p, q, radius)
            p = q
            if mask.mean() >= share:
                break
    return mask


def blob(n, share, seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:n, :n]
    cy, cx = n * rng.uniform(0.4, 0.6, 2)
    angle, radius = np.arctan2(y - cy, x - cx), np.hypot(y - cy, x - cx)
    bumps = sum(0.12 * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (2, 3, 5))
    scaled = radius / (1 + bumps)
    return scaled <= np.quantile(scaled, share)


@cache
def hole(n, tier):
    if tier == "region":
        return blob(n, 0.15, 11)
    return strokes(n, 0.05, n / 64, 10) if tier == "small" else strokes(n, 0.40, n / 16, 12)


@cache
def photo(name, n):
    """The centred square, resized with Lanczos."""
    picture = getattr(skimage.data, name)()
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(picture[top : top + side, left : left + side])
    return np.array(square if side == n else square.resize((n, n), Image.Resampling.LANCZOS))


@cache
def loaded(name):
    method = methods.get(name)
    method.load()
    return method


def figures(method, n, tier, name):
    truth = photo(name, n)
    out = fill(loaded(method), truth, hole(n, tier), seed=0).picture
    ssim = structural_similarity(
        truth,
        out,
        data_range=255,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return peak_signal_noise_ratio(truth, out, data_range=255), ssim


def cell(method, n, tier, name):
    quick = name == "chelsea" and n == 256
    return pytest.param(method, n, tier, name, marks=() if quick else pytest.mark.slow)


def crc(array):
    return f"{zlib.crc32(np.ascontiguousarray(array).astype(np.uint8).tobytes()):08x}"


@pytest.mark.parametrize(("n", "tier"), MASK_CRCS)
def test_the_holes_are_those_of_the_table(n, tier):
    assert crc(hole(n, tier)) == MASK_CRCS[n, tier]


@pytest.mark.parametrize("n", [256, 512])
def test_the_photos_are_those_of_the_table(n):
    assert tuple(crc(photo(name, n)) for name in PHOTOS) == PHOTO_CRCS[n]


@pytest.mark.parametrize(
    ("method", "n", "tier", "name"), [cell(*row, name) for row in TABLE for name in PHOTOS]
)
def test_psnr_and_ssim_agree_with_the_table_to_the_last_digit(method, n, tier, name):
    psnr, ssim = figures(method, n, tier, name)
    # The table was rounded twice, to one digit more first; that shows in 6 of its 96 cells.
    found = f"{round(psnr, 3):.2f}/{round(ssim, 4):.3f}"
    assert found == TABLE[method, n, tier].split()[PHOTOS.index(name)]


@pytest.mark.slow
@pytest.mark.parametrize(("n", "tier"), PATCHMATCH)
def test_patchmatch_agrees_with_the_table_as_a_randomised_method_can(n, tier):
    for name in PHOTOS:
        psnr, ssim = figures("patchmatch", n, tier, name)
        wanted = PATCHMATCH[n, tier].split()[PHOTOS.index(name)].split("/")
        assert psnr == pytest.approx(float(wanted[0]), abs=0.5)
        assert ssim == pytest.approx(float(wanted[1]), abs=0.005)


def test_telea_keeps_to_eight_bits_where_floats_break_it():
    truth = photo("chelsea", 256)
    raw = fill(loaded("telea"), truth, hole(256, "region"), seed=0).raw
    assert raw.min() >= 0
    assert raw.max() <= 1
    blanked = np.where(hole(256, "region")[..., None], 0, truth)[..., 0].astype(np.float32) / 255
    broken = cv2.inpaint(blanked, hole(256, "region").astype(np.uint8), 3, cv2.INPAINT_TELEA)
    assert broken.max() > 1.1  # the trap is still there in this OpenCV


def test_patchmatch_does_not_depend_on_earlier_calls():
    truth, small = photo("chelsea", 256)[:96, :96], hole(256, "region")[90:186, 90:186]
    method = loaded("patchmatch")
    first = fill(method, truth, small, seed=0).picture
    method._library.set_random_seed(99)
    assert np.array_equal(fill(method, truth, small, seed=5).picture, first)


def test_patchmatch_without_its_compiled_part_says_how_to_get_it(monkeypatch):
    import patchmatch

    monkeypatch.setattr(patchmatch, "patchmatch_available", False)
    with pytest.raises(BenchError, match="only-binary"):
        methods.get("patchmatch").load()


def test_shift_map_copies_colours_of_the_known_area():
    truth = np.zeros((80, 96, 3), np.uint8)
    truth[:, :48], truth[:, 48:] = (200, 60, 30), (40, 90, 220)
    middle = np.zeros((80, 96), bool)
    middle[30:50, 20:76] = True
    out = fill(loaded("shift_map"), truth, middle, seed=0).picture.astype(int)
    distance = np.abs(out[middle][:, None] - [(200, 60, 30), (40, 90, 220)]).max(-1).min(-1)
    assert (distance <= 3).mean() > 0.9  # Lab and back moves a colour by a level or two


def test_shift_map_declines_what_the_library_leaves_unfilled():
    truth = photo("chelsea", 256)[:64, :64]
    nearly_all = np.ones((64, 64), bool)
    nearly_all[0] = False
    with pytest.raises(Declined, match="unfilled"):
        fill(loaded("shift_map"), truth, nearly_all, seed=0)


@pytest.mark.parametrize("side", [16, 63])
def test_shift_map_declines_small_pictures_which_may_crash_the_library(side):
    truth = np.full((side, 200, 3), 120, np.uint8)
    spot = np.zeros((side, 200), bool)
    spot[4:8, 4:8] = True
    with pytest.raises(Declined, match="at least 64 pixels"):
        fill(loaded("shift_map"), truth, spot, seed=0)


def test_biharmonic_declines_pictures_whose_system_would_not_fit():
    truth = np.full((769, 768, 3), 120, np.uint8)
    spot = np.zeros((769, 768), bool)
    spot[4:8, 4:8] = True
    with pytest.raises(Declined, match="589824 pixels"):
        fill(loaded("biharmonic"), truth, spot, seed=0)


@pytest.mark.parametrize("name", ["telea", "navier_stokes", "biharmonic", "patchmatch"])
def test_the_identity_names_the_library_version(name):
    identity = methods.get(name).identity
    assert any(part[0].isdigit() and "." in part for part in identity.split()[1:])
