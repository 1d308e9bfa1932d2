"""Contextual residual aggregation, against its plain form and by its properties."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from bench.errors import InputError
from methods.networks.hifill.aggregation import (
    Grid,
    aggregate,
    enlarged,
    native_grid,
    reduced,
    reduced_hole,
    square_grid,
)
from methods.networks.hifill.attention import AttentionScores, covered_cells
from tests.support import plain_aggregation


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def boxed(height, width):
    hole = np.zeros((height, width), bool)
    hole[height // 3 : height // 2, width // 4 : width // 2] = True
    return hole


def identity(grid):
    """Attention of every patch to itself."""
    return np.eye(grid.rows * grid.columns, dtype=np.float32).reshape(grid.rows, grid.columns, -1)


@pytest.mark.parametrize(("height", "width", "multiple"), [(700, 500, 2), (300, 1100, 1)])
def test_it_gives_what_the_plain_form_gives(height, width, multiple):
    photo, hole = noise(height, width), boxed(height, width)
    small_hole = cv2.resize(hole.astype(np.uint8), (512, 512), interpolation=0) > 0
    attention = plain_aggregation.some_attention(small_hole)
    filled = noise(512, 512, 1).astype(np.float32)
    paste = cv2.GaussianBlur(small_hole.astype(np.float32), (7, 7), 1)
    ours = aggregate(photo, hole, filled, attention, paste, 16 * multiple)
    plain = plain_aggregation.aggregate(photo, hole, filled, attention, paste, multiple)
    assert np.abs(ours - plain).max() < 1e-2  # of 255


@pytest.mark.parametrize("grid", [Grid(3, 5, 24), Grid(2, 2, 16), Grid(4, 3, 33)], ids=str)
def test_a_perfect_small_picture_and_its_own_residual_give_the_photo_back(grid):
    photo, nowhere = noise(*grid.canvas), np.zeros(grid.canvas, bool)
    everywhere = np.ones(grid.small, np.float32)
    result = aggregate(photo, nowhere, reduced(photo, grid), identity(grid), everywhere, grid.patch)
    assert np.abs(result - photo).max() < 1e-3


def test_without_attention_the_small_picture_is_enlarged_and_nothing_else():
    grid = Grid(3, 4, 40)
    photo, hole = noise(*grid.canvas), boxed(*grid.canvas)
    filled = noise(*grid.small, 1).astype(np.float32)
    nothing = np.zeros((3, 4, 12), np.float32)
    result = aggregate(photo, hole, filled, nothing, np.ones(grid.small, np.float32), grid.patch)
    expected = cv2.resize(filled, grid.canvas[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.abs(result - expected).max() < 1e-3


def test_details_come_from_the_patch_attended_to():
    grid = Grid(2, 2, 64)
    photo = np.full((*grid.canvas, 3), 128, np.uint8)
    checks = np.indices((64, 64)).sum(0) % 2 * 100
    photo[:64, :64] += checks[..., None].astype(np.uint8)
    attention = np.zeros((2, 2, 4), np.float32)
    attention[1, 1, 0] = 1  # the last patch looks at the first
    filled = np.full((*grid.small, 3), 60, np.float32)
    paste = np.zeros(grid.small, np.float32)
    paste[18:30, 18:30] = 1
    hole = np.zeros(grid.canvas, bool)
    result = aggregate(photo, hole, filled, attention, paste, grid.patch)
    inside = (slice(80, 112),) * 2
    assert np.ptp(result[inside]) == pytest.approx(100, abs=2)
    assert result[inside].mean() == pytest.approx(60, abs=1)
    assert np.array_equal(result[:64], photo[:64])


def test_what_the_hole_holds_is_not_seen():
    grid = square_grid(2, side=8)
    photo, hole = noise(200, 150), boxed(200, 150)
    small_hole = reduced_hole(hole, grid)
    covered = covered_cells(torch.from_numpy(small_hole[None, None]).float())[0, 0].numpy()
    attention = np.random.default_rng(2).random((8, 8, 64), np.float32) / 40
    attention *= 1 - covered.ravel()
    paste = cv2.dilate(small_hole.astype(np.float32), np.ones((3, 3)))
    filled = noise(*grid.small, 1).astype(np.float32)
    results = [
        aggregate(
            np.where(hole[..., None], other, photo), hole, filled, attention, paste, grid.patch
        )
        for other in (np.uint8(0), np.uint8(255))
    ]
    assert np.array_equal(*results)
    assert covered.mean() < 0.9


@pytest.mark.parametrize("size", [(40, 60), (512, 300), (3000, 90)])
def test_the_small_hole_holds_every_small_pixel_made_from_the_hole(size):
    grid = square_grid(2, side=4)
    hole = np.random.default_rng(0).random(size) < 0.002
    dark = np.where(hole, 0, 255)[..., None].repeat(3, -1).astype(np.uint8)
    touched = reduced(dark, grid)[..., 0] < 254.99
    found = reduced_hole(hole, grid)
    assert touched.any()
    assert not (touched & ~found).any()
    ys, xs = np.nonzero(hole)
    rows, columns = ((ys + 0.5) * 64 / size[0]).astype(int), ((xs + 0.5) * 64 / size[1]).astype(int)
    assert found[rows, columns].all()


def test_only_pasted_pixels_change():
    grid = square_grid(3, side=4)
    photo, hole = noise(250, 310), boxed(250, 310)
    paste = np.zeros(grid.small, np.float32)
    paste[20:30, 20:30] = 1
    filled = np.zeros((*grid.small, 3), np.float32)
    result = aggregate(photo, hole, filled, identity(grid), paste, grid.patch)
    weight = cv2.resize(paste, (310, 250))
    assert np.array_equal(result[weight == 0], photo[weight == 0])
    assert (result != photo).any()


@pytest.mark.parametrize(
    "size", [(4000, 6000), (512, 512), (513, 511), (100, 70), (1, 3), (40, 9000), (3, 200_000)]
)
def test_a_native_grid_holds_the_photo_and_little_more(size):
    grid = native_grid(*size)
    for side, canvas in zip(size, grid.canvas, strict=True):
        assert 0 <= canvas - side < grid.patch
    assert grid.rows * grid.columns <= 2048
    assert max(grid.rows, grid.columns) <= 1024


def test_a_native_grid_of_a_square_photo_is_the_published_one_without_enlarging():
    assert native_grid(4096, 4096) == square_grid(8)
    assert native_grid(512, 512) == square_grid(1)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"photo": noise(90, 80).astype(np.float32)}, "photo: expected uint8"),
        ({"hole": boxed(80, 90)}, r"hole: expected bool \(90, 80\)"),
        ({"hole": np.zeros((90, 80), np.uint8)}, "hole: expected bool"),
        ({"attention": np.zeros((2, 2, 5), np.float32)}, "attention: expected"),
        ({"filled": np.zeros((32, 30, 3), np.float32)}, "filled and paste: expected"),
        ({"filled": np.zeros((32, 32, 3))}, "filled and paste: expected float32"),
        ({"paste": np.zeros((16, 32), np.float32)}, "filled and paste: expected"),
        ({"patch": 15}, "patches of at least 16"),
    ],
)
def test_what_does_not_fit_together_is_refused(changed, words):
    grid = Grid(2, 2, 32)
    given = {
        "photo": noise(90, 80),
        "hole": boxed(90, 80),
        "filled": np.zeros((32, 32, 3), np.float32),
        "attention": identity(grid),
        "paste": np.zeros((32, 32), np.float32),
    }
    with pytest.raises(InputError, match=words):
        aggregate(**{**given, **changed})


def stand_in_attention(small, small_hole, grid):
    """Attention as the network computes it, but on the colours of the small picture."""
    planes = torch.from_numpy(small / 127.5 - 1).permute(2, 0, 1)[None]
    features = torch.nn.functional.pixel_unshuffle(planes, 8)
    features = features - features.mean((2, 3), keepdim=True)
    covered = covered_cells(torch.from_numpy(small_hole[None, None]).float())
    shares = AttentionScores()(features / features.std(), covered)
    return shares.view(grid.rows, grid.columns, -1).numpy()


def psnr(result, photo, where):
    error = np.square(result[where].astype(np.float32) - photo[where]).mean()
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def sharpness(picture, where):
    grey = cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F))[where].mean())


def padded(photo, hole, grid):
    pad = [(0, canvas - side) for canvas, side in zip(grid.canvas, hole.shape, strict=True)]
    return np.pad(photo, (*pad, (0, 0)), "edge"), np.pad(hole, pad, "edge")


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["hires_01", "hires_02", "hires_03", "hires_04", "hires_05"])
def test_photos_of_up_to_24_megapixels(shared_data, name):
    """The reduced photo stands in for the network's picture, in both modes."""
    photo = np.asarray(Image.open(shared_data / "eval_hires" / f"{name}.jpg").convert("RGB"))
    hole = np.asarray(Image.open(shared_data / "masks" / "hires" / f"{name}.png")) > 127
    height, width = hole.shape
    kept, ideal = {}, {}
    for mode, grid in {"square": square_grid(), "native": native_grid(height, width)}.items():
        shown, hidden = padded(photo, hole, grid) if mode == "native" else (photo, hole)
        blanked = shown * ~hidden[..., None]
        small, small_hole = reduced(shown, grid), reduced_hole(hidden, grid)
        paste = cv2.dilate(small_hole.astype(np.float32), np.ones((3, 3)))
        attention = stand_in_attention(small, small_hole, grid)
        rest = (paste, grid.patch)
        soft = aggregate(blanked, hidden, small, 0 * attention, *rest)[:height, :width]
        full = aggregate(blanked, hidden, small, attention, *rest)[:height, :width]
        own = aggregate(shown, np.zeros_like(hidden), small, identity(grid), *rest)
        own = own[:height, :width]
        away = cv2.resize(paste, shown.shape[1::-1])[:height, :width] == 0
        kept[mode] = sharpness(full, hole) / sharpness(photo, hole)
        ideal[mode] = psnr(own, photo, hole)
        print(
            f"\n{name} {mode}: in the hole {psnr(full, photo, hole):.2f} dB, "
            f"{psnr(soft, photo, hole):.2f} without details, {ideal[mode]:.2f} with its own; "
            f"{psnr(full, photo, ~hole):.2f} outside before pasting; sharpness {kept[mode]:.2f}"
        )
        assert np.array_equal(full[away], photo[away])
        assert sharpness(full, hole) > 1.5 * sharpness(soft, hole)
    assert ideal["native"] > 80 > 45 > ideal["square"]
    assert kept["native"] > kept["square"]


def test_the_canvas_is_resized_as_opencv_does():
    photo = noise(30, 50)
    grid = Grid(2, 3, 20)
    assert np.array_equal(enlarged(photo, grid), cv2.resize(photo.astype(np.float32), (60, 40)))


def test_it_needs_neither_torch_nor_the_network():
    code = "import sys, methods.networks.hifill.aggregation; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "cv2" in loaded
    assert "torch" not in loaded
