"""Every published generator against a plain one of the same settings, and against the settings."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from masks.patterns import PATTERNS
from masks.published import SETS, FreeForm, generate
from masks.tiers import ALL, describe
from tests.support import plain_holes
from tests.support.plain_holes import FREE_FORM, LAMA

COUNT = 200
# Of two samples of so many from one distribution, 1 in 10,000 is farther apart.
FARTHEST = 2.23 * (2 / COUNT) ** 0.5
DAILY = ("lama-thin", "lama-thick", "comodgan-h0", "mat-large")


def plain(name, size):
    """Holes of the plain generator, as many as are compared."""
    rng, found = np.random.default_rng(1), []
    while len(found) < COUNT:
        if (name, size) in FREE_FORM:
            found.append(plain_holes.free_form(rng, size, *FREE_FORM[name, size]))
        elif (hole := plain_holes.lama(rng, size, size, *LAMA[name, size])).mean() <= 0.5:
            found.append(hole)
    return found


def farthest(mine, theirs, what):
    """How far two distributions of shares, widths or components are apart, 0 to 1."""
    values = [[getattr(describe(hole), what) for hole in holes] for holes in (mine, theirs)]
    return kstest(*values, method="asymp").statistic


def test_every_generator_is_compared_with_a_plain_one_or_is_a_pattern():
    assert {name for name, _ in {**LAMA, **FREE_FORM}} | PATTERNS.keys() == SETS.keys()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        pytest.param(
            *each, marks=pytest.mark.nightly if each[0] not in DAILY or each[1] > 256 else ()
        )
        for each in (*LAMA, *FREE_FORM)
    ],
)
def test_shares_widths_and_pieces_are_those_of_a_plain_generator(name, size):
    mine, theirs = [generate(name, size, size, seed)[0] for seed in range(COUNT)], plain(name, size)
    for what in ("share", "width", "components"):
        assert farthest(mine, theirs, what) < FARTHEST, what


def test_a_generator_of_other_settings_is_told_apart():
    """The comparison can fail: wider strokes, and half as many boxes."""
    wide = {**LAMA, ("lama-thin", 256): (4, 50, 20, 40, None)}
    rng = np.random.default_rng(2)
    mine = [generate("lama-thin", 256, 256, seed)[0] for seed in range(COUNT)]
    other = [plain_holes.lama(rng, 256, 256, *wide["lama-thin", 256]) for _ in range(COUNT)]
    assert farthest(mine, [hole for hole in other if hole.mean() <= 0.5], "width") > FARTHEST
    mine = [generate("comodgan", 256, 256, seed)[0] for seed in range(COUNT)]
    other = [plain_holes.free_form(rng, 256, 5, 2, 20, 0, 1) for _ in range(COUNT)]
    assert farthest(mine, other, "share") > FARTHEST


@pytest.mark.parametrize("name", ["lama-thin", "lama-medium", "lama-thick"])
def test_numbers_of_strokes_and_boxes_are_those_of_the_settings(name):
    """All that can be drawn is drawn, and as often: the greatest number of strokes is one more."""
    least, most, *_, boxes = LAMA[name, 256]
    drawn = [SETS[name][256].draw(np.random.default_rng(n), 64, 64, 64)[2] for n in range(900)]
    strokes = [each["strokes"] for each in drawn if "strokes" in each]
    assert {*strokes} == {*range(least, most + 2)}
    assert np.mean(strokes) == pytest.approx((least + most + 1) / 2, rel=0.06)
    numbers = {each["boxes"] for each in drawn if "boxes" in each}
    assert numbers == ({*range(boxes[3], boxes[4] + 1)} if boxes else set())


@pytest.mark.parametrize("n", range(5))
def test_comodgan_by_fifths_draws_less_for_small_shares_and_stays_strictly_inside(n):
    name, low, high = f"comodgan-h{n}", Fraction(n, 5), Fraction(n + 1, 5)
    counts = [int(count * min(1, low + high)) for count in (10, 5, 20)]
    assert SETS[name][512] == FreeForm(*counts, int(100 * low), int(100 * high))
    shares = [generate(name, 64, 64, seed)[0].mean() for seed in range(60)]
    assert low < min(shares) < max(shares) <= high
    assert max(shares) - min(shares) > 0.15  # all of the fifth, not a corner of it


PARTS = {
    "every-2-lines": {0.5}, "nearest-2": {0.75}, "right-half": {0.5}, "expand": {0.25, 0.75},
    "expand-64": {0.9375},
}  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_have_the_share_that_their_names_say(name):
    holes = [generate(name, 256, 512, seed)[0] for seed in range(12)]
    assert {float(hole.mean()) for hole in holes} == PARTS[name]
    assert {hole.tobytes() for hole in holes} == {
        make(256, 512).tobytes() for make in PATTERNS[name].kinds.values()
    }


def test_patterns_are_what_their_names_say():
    lines, grid, half, far = (
        generate(name, 64, 48, 0)[0]
        for name in ("every-2-lines", "nearest-2", "right-half", "expand-64")
    )
    assert lines.all(axis=1).tolist() == [False, True] * 32
    assert (~grid[::2, ::2]).all()
    assert half[:, 24:].all()
    assert not half[:, :24].any()
    assert describe(lines).width == 2
    known = np.argwhere(~far)
    assert known.min(axis=0).tolist() == [24, 18]
    assert known.max(axis=0).tolist() == [39, 29]


def test_a_centre_is_kept_as_often_as_it_is_filled():
    kept = [generate("expand", 32, 32, seed)[1] == "centre_kept" for seed in range(300)]
    assert binomtest(sum(kept), 300).pvalue > 1e-4


@pytest.mark.parametrize(("height", "width"), [(256, 400), (300, 256), (256, 256)])
def test_squares_hold_a_part_of_the_hole_and_keep_the_limit(height, width):
    for seed in range(40):
        mask, _, drawn = generate("lama-thick", height, width, seed, square=True)
        assert mask.shape == (256, 256)
        assert 0 < mask.mean() <= 0.5
        assert 0 <= drawn["top"] <= height - 256
        assert 0 <= drawn["left"] <= width - 256


@pytest.mark.parametrize("name", ["lama-thick", "lama-medium"])
def test_squares_have_the_shares_and_widths_of_lamas_own_way(name):
    """Five holes on the whole picture; of those whose square holds at most a half, one."""
    rng, theirs = np.random.default_rng(3), []
    while len(theirs) < COUNT:
        square = plain_holes.lama_square(rng, 256, 384, *LAMA[name, 256])
        theirs += [] if square is None else [square]
    mine = [generate(name, 256, 384, seed, square=True)[0] for seed in range(COUNT)]
    for what in ("share", "width"):
        assert farthest(mine, theirs, what) < FARTHEST, what


def test_the_place_of_a_square_is_drawn_evenly_from_where_it_holds_a_part_of_the_hole():
    """Of the right half, which no square may lie in wholly."""
    places = [generate("right-half", 16, 48, n, square=True)[2]["left"] for n in range(2000)]
    assert {*places} == {*range(9, 24)}
    counts = np.bincount(places, minlength=24)[9:]
    assert counts.min() > 2000 / 15 * 0.6
    assert counts.max() < 2000 / 15 * 1.4


def test_tiers_say_the_limits_of_their_generators():
    found = {tier.name: (tier.low, tier.high) for tier in ALL if tier.name in SETS}
    assert found["comodgan-h3"] == (60, 80)
    assert found["lama-thin"] == (0, 50)
    assert found["nearest-2"] == (0, 100)
