import math
from functools import partial

import numpy as np
import pytest
from scipy import ndimage
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import methods
from bench.errors import InputError
from bench.metrics.pair import Original, Pair
from bench.metrics.pixel import drift_of, l1_of, psnr_of, seam_of, seam_visible_of, ssim_of
from masks.tiers import generate
from methods.harness import fill


def of_region(metric, output, picture, hole=None):
    """A metric of pictures, over the whole or over the hole."""
    if hole is None:
        everywhere = np.ones(picture.shape[:2], np.bool_)
        return metric(Pair(output, Original(picture), everywhere), "picture")
    return metric(Pair(output, Original(picture), hole), "hole")


psnr, l1, ssim = (partial(of_region, metric) for metric in (psnr_of, l1_of, ssim_of))


def seam(output, picture, hole):
    return seam_of(Pair(output, Original(picture), hole))


def seam_visible(output, hole):
    """In grey levels; the truth is something else altogether."""
    return 255 * seam_visible_of(Pair(output, Original(255 - output), hole))


def drift(raw, picture, hole):
    return drift_of(Pair(picture, Original(picture), hole, raw))


def photo(height, width):
    return np.ascontiguousarray(data.astronaut()[40 : 40 + height, 100 : 100 + width])


def distorted(picture, kind):
    rng = np.random.default_rng(0)
    if kind == "noise":
        return np.clip(picture + rng.normal(0, 60, picture.shape), 0, 255).astype(np.uint8)
    if kind == "inverted":
        return 255 - picture
    if kind == "black":
        return np.zeros_like(picture)
    if kind == "brighter":
        return np.clip(picture.astype(int) + 40, 0, 255).astype(np.uint8)
    return np.roll(picture, 7, axis=1)


def box_hole(height, width):
    hole = np.zeros((height, width), np.bool_)
    hole[height // 3 : height // 3 * 2, width // 4 : width // 2] = True
    return hole


def reference_ssim(output, picture):
    return structural_similarity(
        picture, output, data_range=255, channel_axis=-1, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip


KINDS = ("noise", "inverted", "black", "brighter", "rolled")
SIZES = ((96, 128), (11, 11), (13, 40))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_scikit_image_when_the_whole_picture_changes(size, kind):
    picture = photo(*size)
    output = distorted(picture, kind)
    expected, full = reference_ssim(output, picture)
    hole = box_hole(*size)
    assert ssim(output, picture) == pytest.approx(expected, abs=1e-5)
    assert ssim(output, picture, hole) == pytest.approx(full[hole].mean(), abs=1e-5)
    assert psnr(output, picture) == pytest.approx(
        peak_signal_noise_ratio(picture, output, data_range=255), abs=1e-4
    )
    assert psnr(output, picture, hole) == pytest.approx(
        peak_signal_noise_ratio(picture[hole], output[hole], data_range=255), abs=1e-4
    )


@pytest.mark.parametrize("corner", [(0, 0), (3, 60), (40, 90), (70, 100)])
def test_agrees_with_scikit_image_when_only_the_hole_changes(corner):
    picture = photo(96, 128)
    hole = np.zeros((96, 128), np.bool_)
    hole[corner[0] : corner[0] + 26, corner[1] : corner[1] + 28] = True
    output = np.where(hole[..., None], distorted(picture, "noise"), picture)
    expected, full = reference_ssim(output, picture)
    assert ssim(output, picture) == pytest.approx(expected, abs=1e-6)
    assert ssim(output, picture, hole) == pytest.approx(full[hole].mean(), abs=1e-6)


def test_known_pixels_that_differ_are_seen():
    picture = photo(64, 64)
    hole = box_hole(64, 64)
    output = picture.copy()
    output[60, 3] = 255 - output[60, 3]
    expected, full = reference_ssim(output, picture)
    assert ssim(output, picture) == pytest.approx(expected, abs=1e-6)
    assert ssim(output, picture, hole) == pytest.approx(full[hole].mean(), abs=1e-6)
    assert math.isfinite(psnr(output, picture))
    assert psnr(output, picture, hole) == math.inf


@pytest.mark.parametrize("values", [(0, 1), (0, 255), (255, 254), (128, 128)])
def test_flat_pictures_agree_with_scikit_image(values):
    picture, output = (np.full((32, 32, 3), value, np.uint8) for value in values)
    assert ssim(output, picture) == pytest.approx(reference_ssim(output, picture)[0], abs=1e-5)


def test_black_and_white_stripes_agree_with_scikit_image():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 32:] = 255
    output = np.roll(picture, 3, axis=1)
    assert ssim(output, picture) == pytest.approx(reference_ssim(output, picture)[0], abs=1e-5)


def test_agrees_with_the_published_check_values(shared_data):
    # Values of the same pictures by an independent program: PSNR over RGB, SSIM cropped by 5.
    rule_image = _rule_image(shared_data)
    for height, width, seed, expected_ssim, expected_psnr in (
        (64, 64, 0, 0.99231, 32.0456),
        (96, 128, 3, 0.99041, 32.0569),
        (256, 256, 5, 0.99247, 32.0930),
    ):
        first = rule_image(height, width, seed)
        second = first + np.float32(0.1) * (rule_image(height, width, seed + 1) - np.float32(0.5))
        pictures = [
            np.round(255 * np.clip(planes, 0, 1)).astype(np.uint8).transpose(1, 2, 0)
            for planes in (first, second)
        ]
        assert ssim(*pictures) == pytest.approx(expected_ssim, abs=6e-6)
        assert psnr(*pictures) == pytest.approx(expected_psnr, abs=6e-5)


def _rule_image(shared_data):
    import importlib.util

    path = shared_data.parent / "tools" / "rulefill.py"
    if not path.is_file():
        pytest.skip(f"no rule for check pictures at {path}")
    spec = importlib.util.spec_from_file_location("rulefill", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.rule_image


def test_equal_pictures_are_perfect():
    picture, hole = photo(40, 48), box_hole(40, 48)
    assert psnr(picture, picture) == math.inf
    assert psnr(picture, picture, hole) == math.inf
    assert ssim(picture, picture) == 1
    assert ssim(picture, picture, hole) == 1
    assert l1(picture, picture) == l1(picture, picture, hole) == 0
    assert seam(picture, picture, hole) == 0


def test_whole_picture_and_hole_values_follow_from_each_other():
    picture, hole = photo(96, 128), box_hole(96, 128)
    output = np.where(hole[..., None], distorted(picture, "noise"), picture)
    share = hole.mean()
    assert psnr(output, picture, hole) == pytest.approx(
        psnr(output, picture) + 10 * math.log10(share), abs=1e-9
    )
    assert l1(output, picture) == pytest.approx(l1(output, picture, hole) * share)


def test_l1_is_the_mean_absolute_difference():
    picture, hole = photo(40, 48), box_hole(40, 48)
    output = distorted(picture, "rolled")
    apart = np.abs(output.astype(float) - picture) / 255
    assert l1(output, picture) == pytest.approx(apart.mean(), abs=1e-12)
    assert l1(output, picture, hole) == pytest.approx(apart[hole].mean(), abs=1e-12)


def test_what_is_not_defined_is_nan():
    picture = photo(40, 48)
    empty, full = np.zeros((40, 48), np.bool_), np.ones((40, 48), np.bool_)
    output = distorted(picture, "noise")
    for function in (psnr, ssim, l1, seam):
        assert math.isnan(function(output, picture, empty))
    assert math.isnan(seam(output, picture, full))
    assert math.isnan(seam_visible(output, empty))
    assert math.isnan(seam_visible(output, full))
    assert math.isnan(ssim(output[:10], picture[:10]))


def stepped(picture, hole, levels=8):
    return np.where(hole[..., None], picture + np.uint8(levels), picture)


@pytest.mark.parametrize("side", ["inside", "at the border", "but a row"])
def test_a_step_of_8_grey_levels_is_a_visible_seam_of_8(side):
    picture, hole = np.full((64, 64, 3), 100, np.uint8), box_hole(64, 64)
    hole[:, :20] |= side == "at the border"
    hole[: {"but a row": 63}.get(side, 0)] = True
    assert seam_visible(picture, hole) == 0
    assert seam_visible(stepped(picture, hole), hole) == pytest.approx(8, abs=1e-4)


def test_a_smooth_fill_has_a_lower_visible_seam_than_a_step_on_it():
    slope = np.repeat(np.arange(50, 114, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, 2)
    hole = box_hole(64, 64)
    assert seam_visible(slope, hole) < 4  # one level a pixel, bands of 4 on either side
    assert seam_visible(stepped(slope, hole), hole) > 6


def test_texture_that_goes_on_is_a_lower_visible_seam_than_a_step():
    rng = np.random.default_rng(0)
    grain = rng.normal(120, 20, (64, 64, 3)).clip(0, 240).astype(np.uint8)
    hole = box_hole(64, 64)
    other = np.where(hole[..., None], np.roll(grain, 31, axis=0), grain)
    assert seam_visible(other, hole) < 6 < seam_visible(stepped(grain, hole, 16), hole)
    assert 255 * seam(other, grain, hole) < 3 < 255 * seam(stepped(grain, hole, 16), grain, hole)


def test_seams_agree_with_a_loop_over_places():
    rng = np.random.default_rng(1)
    picture, hole = photo(37, 41), np.kron(rng.random((5, 6)) > 0.6, np.ones((8, 7)))[:37, :41] > 0
    output = np.where(hole[..., None], distorted(picture, "rolled"), picture)
    mine, own = jumps_by_loop(output, hole), jumps_by_loop(picture, hole)
    assert seam_visible(output, hole) == pytest.approx(mine.mean(), abs=1e-4)
    assert 255 * seam(output, picture, hole) == pytest.approx(
        np.maximum(mine - own, 0).mean(), abs=1e-4
    )


def jumps_by_loop(picture, hole):
    """Their sizes, in grey levels."""

    def around(row, column, reach):
        return np.s_[
            max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1
        ]

    near = np.array([
        [(hole[around(row, column, 4)] != hole[row, column]).any() for column in range(41)]
        for row in range(37)
    ])  # fmt: skip
    found = []
    for row, column in np.argwhere(hole):
        beside = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        if any(0 <= r < 37 and 0 <= c < 41 and not hole[r, c] for r, c in beside):
            window = around(row, column, 4)
            means = [
                picture[window][near[window] & (hole[window] == side)].astype(float).mean(axis=0)
                for side in (True, False)
            ]
            found.append(np.abs(means[0] - means[1]))
    return np.array(found)


def holes_in_photos():
    """Three photos of scikit-image, each with a hole of strokes' width and a wide one."""
    crops = (
        data.astronaut()[:256, 60:316],
        data.chelsea()[20:276, 100:356],
        data.coffee()[:256, :256],
    )
    for number, picture in enumerate(crops):
        for tier in ("region", "large"):
            yield np.ascontiguousarray(picture), generate(tier, 256, 256, number).mask


def with_ring(fill, picture, hole, width):
    """A fill whose pixels nearest to the known ones are copies of these."""
    distance, (rows, columns) = ndimage.distance_transform_edt(hole, return_indices=True)
    return np.where((distance <= width)[..., None], picture[rows, columns], fill)


def test_a_seam_is_what_is_seen_not_what_differs():
    for picture, hole in holes_in_photos():
        inside = hole[..., None]
        step = np.where(inside, np.clip(picture.astype(int) + 8, 0, 255), picture).astype(np.uint8)
        shifted = np.where(inside, np.roll(picture, 1, axis=1), picture)
        mean = np.where(inside, picture[~hole].mean(axis=0).round(), picture).astype(np.uint8)
        telea = fill(methods.get("telea"), picture, hole, seed=0).picture
        value = {
            name: 255 * seam(output, picture, hole)
            for name, output in (
                ("step", step),
                ("shifted", shifted),
                ("telea", telea),
                ("mean", mean),
            )
        }
        assert seam(picture, picture, hole) == 0
        assert 2 * max(value["shifted"], value["telea"]) < value["step"] < 8
        assert 3 * value["step"] < value["mean"]
        for width in (1, 2):
            ring = 255 * seam(with_ring(mean, picture, hole, width), picture, hole)
            assert ring > max(value["step"], value["mean"] / 4)


def test_an_edge_that_is_smeared_away_is_no_seam_and_makes_up_for_none():
    picture = np.zeros((40, 64, 3), np.uint8)
    hole = np.zeros((40, 64), np.bool_)
    hole[:, 16:48] = True
    picture[:, 16:] = 200  # an edge of the photo on the left, none on the right
    assert seam(np.where(hole[..., None], np.uint8(0), picture), picture, hole) == pytest.approx(
        200 / 255 / 2
    )


def test_drift_is_zero_for_kept_pixels_and_counts_only_these():
    picture, hole = photo(40, 48), box_hole(40, 48)
    raw = picture.astype(np.float32) / 255
    raw[hole] = 0.5
    assert drift(raw, picture, hole) == 0
    assert drift(raw, picture, np.ones_like(hole)) == 0
    grey = np.full((40, 48, 3), 100, np.uint8)
    for far in (0.25, 3, -3):  # beyond black and white, too
        moved = np.full((40, 48, 3), 100 / 255 + far, np.float32)
        assert drift(moved, grey, hole) == pytest.approx(abs(far), abs=1e-6)


def test_drift_without_a_raw_output_is_nan():
    from bench.metrics import METRICS

    picture, hole = photo(40, 48), box_hole(40, 48)
    assert math.isnan(METRICS["drift"].function(Pair(picture, Original(picture), hole)))


def test_work_on_the_photo_is_shared_by_its_pairs():
    original = Original(photo(64, 64))
    hole = box_hole(64, 64)
    first = Pair(distorted(original.photo, "noise"), original, hole)
    second = Pair(distorted(original.photo, "black"), original, hole)
    assert not first.structure.box.empty
    blurred = original.scale.mean
    assert second.structure.similarity.shape == (64, 64, 3)
    assert original.scale.mean is blurred


@pytest.mark.parametrize(
    ("output", "hole", "what"),
    [
        (np.zeros((8, 8, 3), np.float32), np.ones((8, 8), np.bool_), "output: expected uint8"),
        (np.zeros((8, 9, 3), np.uint8), np.ones((8, 8), np.bool_), "as the photo"),
        (np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), np.float32), "hole: expected bool"),
        (np.zeros((8, 8, 3), np.uint8), np.ones((4, 8), np.bool_), "hole: expected bool"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(output, hole, what):
    with pytest.raises(InputError, match=what):
        psnr(output, np.zeros((8, 8, 3), np.uint8), hole)
