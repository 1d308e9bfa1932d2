import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from masks import raster, shapes, strokes
from masks.raster import SUB, TURN, UNIT, capsules, fill_polygons
from masks.tiers import TIERS, describe

FAMILIES = {family.name: (tier, family) for tier in TIERS for family in tier.families}
SIZES = [(64, 64), (97, 131), (131, 97), (256, 256)]


def one_polygon(corners, height, width):
    points = np.array(corners, dtype=np.int64)
    return fill_polygons(points[None, :, 0], points[None, :, 1], height, width)


def inside_even_odd(corners, height, width):
    """Ray casting with Python's integers, pixel by pixel."""
    mask = np.zeros((height, width), dtype=bool)
    for row in range(height):
        for column in range(width):
            x, y = SUB * column + SUB // 2, SUB * row + SUB // 2
            inside = False
            for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
                if (y0 <= y) != (y1 <= y):
                    # The crossing is at or left of the centre.
                    difference = (x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)
                    inside ^= difference >= 0 if y1 > y0 else difference <= 0
            mask[row, column] = inside
    return mask


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-90, 290), st.integers(-90, 290)), min_size=3, max_size=8),
    st.integers(1, 14),
    st.integers(1, 14),
)
def test_polygons_agree_with_ray_casting(corners, height, width):
    np.testing.assert_array_equal(
        one_polygon(corners, height, width), inside_even_odd(corners, height, width)
    )


def test_polygon_agrees_with_pillow_up_to_its_outline():
    corners = [(30, 200), (500, 20), (900, 480), (620, 940), (80, 700)]
    ours = one_polygon([(x * SUB // 4, y * SUB // 4) for x, y in corners], 256, 256)
    canvas = Image.new("L", (256, 256))
    ImageDraw.Draw(canvas).polygon([(x / 4, y / 4) for x, y in corners], fill=1)
    theirs = np.asarray(canvas) > 0
    assert (ours & theirs).sum() / (ours | theirs).sum() > 0.98


def test_neighbouring_polygons_share_no_pixel_and_leave_none_out():
    cut = [(100, -20), (170, 400)]
    left = one_polygon([(-50, -20), *cut, (-50, 400)], 20, 20)
    right = one_polygon([(900, -20), *cut, (900, 400)], 20, 20)
    assert not (left & right).any()
    assert (left | right).all()


def test_many_polygons_are_their_union_for_long_and_short_spans():
    rng = np.random.default_rng(0)
    for size in (3 * SUB, 60 * SUB):
        x = rng.integers(0, 100 * SUB, (20, 1)) + rng.integers(-size, size, (20, 5))
        y = rng.integers(0, 80 * SUB, (20, 1)) + rng.integers(-size, size, (20, 5))
        parts = [fill_polygons(x[i : i + 1], y[i : i + 1], 80, 100) for i in range(20)]
        np.testing.assert_array_equal(fill_polygons(x, y, 80, 100), np.any(parts, axis=0))


def test_capsule_holds_the_points_near_its_segment():
    ends = [np.array([v * SUB]) for v in (40, 30, 90, 70)]
    mask = fill_polygons(*capsules(*ends, np.array([9 * SUB]), sides=16), 100, 128)
    rows, columns = np.mgrid[:100, :128] + 0.5
    along = np.clip(((columns - 40) * 50 + (rows - 30) * 40) / (50**2 + 40**2), 0, 1)
    distance = np.hypot(columns - 40 - 50 * along, rows - 30 - 40 * along)
    assert mask[distance < 8.8].all()
    assert not mask[distance > 9.1].any()


def test_segment_without_length_is_a_disc():
    middle = np.array([50 * SUB])
    disc = capsules(middle, middle, middle, middle, np.array([20 * SUB]), sides=16)
    assert fill_polygons(*disc, 100, 100).sum() == pytest.approx(np.pi * 400, rel=0.02)


def test_thinnest_lines_have_no_gaps():
    rng = np.random.default_rng(1)
    for _ in range(100):
        ends = rng.integers(4 * SUB, 60 * SUB, (4, 1))
        mask = fill_polygons(*capsules(*ends, np.array([SUB * 5 // 8]), sides=2), 64, 64)
        assert describe(mask).components == 1


def test_table_of_directions_does_not_depend_on_the_last_bit():
    exact = UNIT * np.cos(2 * np.pi * np.arange(TURN) / TURN)
    assert np.abs(np.abs(exact - np.floor(exact)) - 0.5).min() > 1e-6
    lengths = np.hypot(raster.COSINE, raster.SINE)
    np.testing.assert_allclose(lengths, UNIT, atol=1)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_shape_comes_near_the_area_wanted(name, height, width):
    tier, family = FAMILIES[name]
    area = height * width * (tier.low + tier.high) // 200
    shares = []
    for seed in range(20):
        mask, parameters = family.draw(np.random.default_rng(seed), height, width, area)
        assert mask.shape == (height, width)
        assert mask.dtype == np.bool_
        assert parameters
        shares.append(mask.sum() / area)
    assert 0.6 < np.median(shares) < 1.3


@pytest.mark.parametrize("name", FAMILIES)
def test_same_seed_draws_the_same(name):
    _, family = FAMILIES[name]
    first, other = (family.draw(np.random.default_rng(5), 90, 120, 2000) for _ in range(2))
    np.testing.assert_array_equal(first[0], other[0])
    assert first[1] == other[1]


def test_lengths_scale_with_the_short_side():
    widths = {}
    for size in (128, 512):
        drawn = [
            strokes.strokes(
                np.random.default_rng(seed), size, size, size * size // 20,
                widths=(10, 10), lengths=(40, 60),
            )
            for seed in range(5)
        ]  # fmt: skip
        widths[size] = np.mean([parameters["widths"] for _, parameters in drawn])
    assert widths[512] == pytest.approx(4 * widths[128])


def test_blob_is_one_compact_piece():
    for seed in range(20):
        mask, _ = shapes.blobs(np.random.default_rng(seed), 128, 128, 3000, most=1)
        seen = describe(mask)
        assert seen.components == 1
        # A disc of that area would be 62 wide.
        assert 15 < seen.width <= 64


def test_polygon_has_straight_sides_and_one_piece():
    mask, parameters = shapes.polygons(np.random.default_rng(3), 128, 128, 3000, most=1)
    assert describe(mask).components == 1
    assert 5 <= parameters["corners"][0] <= 12


def test_text_has_about_as_many_pieces_as_letters():
    mask, parameters = strokes.text(np.random.default_rng(2), 256, 256, 3000)
    assert 0.5 * parameters["letters"] <= describe(mask).components <= 2 * parameters["letters"]


def test_scratches_are_thin_and_long():
    mask, parameters = strokes.scratches(np.random.default_rng(2), 256, 256, 1500)
    assert describe(mask).width <= 10
    assert np.ptp(np.argwhere(mask), axis=0).max() > 50
    assert parameters["scratches"] > 1


def test_border_leaves_one_window_known():
    for seed in range(30):
        mask, parameters = shapes.border(np.random.default_rng(seed), 60, 80, 2000)
        top, left, tall, wide = parameters["known_top_left_height_width"]
        assert not mask[top : top + tall, left : left + wide].any()
        assert mask.sum() == mask.size - tall * wide
        touched = [mask[0].all(), mask[-1].all(), mask[:, 0].all(), mask[:, -1].all()]
        assert touched == [bool(side) for side in parameters["sides"]]


def test_half_touches_its_side_and_not_the_other():
    for seed in range(20):
        mask, parameters = shapes.half(np.random.default_rng(seed), 60, 80, 2400)
        edges = {
            "left": mask[:, 0], "right": mask[:, -1], "top": mask[0], "bottom": mask[-1],
        }  # fmt: skip
        opposite = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
        assert edges[parameters["side"]].all()
        assert not edges[opposite[parameters["side"]]].any()
        assert mask.sum() == pytest.approx(2400, abs=60)


def test_small_boxes_respect_their_greatest_side():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        _, parameters = shapes.boxes(rng, 256, 256, 4000, most=5, side=32)
        corners = np.array(parameters["top_left_height_width"]).reshape(-1, 4)
        assert corners[:, 2:].max() <= 32
