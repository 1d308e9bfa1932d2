import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import label

from bench.errors import InputError
from masks.pack import COLUMNS, contact_sheet, make_pack
from masks.patterns import PATTERNS
from masks.tiers import (
    ALL,
    OWN,
    SMALLEST_PICTURE,
    TIERS,
    describe,
    generate,
    mask_hash,
    seed_of,
    tier_of,
)
from tests.support.mask_files import read_mask

GOLDENS = Path(__file__).parents[1] / "goldens" / "mask_hashes.json"
NAMES = [tier.name for tier in OWN]


def holes(tier, height, width, count):
    for draw in range(count):
        seed = seed_of(0, "photo.png", tier.name, draw, height, width)
        yield generate(tier.name, height, width, seed)


@pytest.mark.parametrize("tier", OWN, ids=NAMES)
@pytest.mark.parametrize(
    ("height", "width", "count"),
    [(64, 64, 150), (97, 131, 150), (256, 256, 150), (512, 512, 60), (16, 2048, 40),
     (2048, 16, 40), (9, 33, 60), (4, 4, 30), (1, 10, 20)],
)  # fmt: skip
def test_share_always_lies_in_the_interval(tier, height, width, count):
    for hole in holes(tier, height, width, count):
        share = hole.mask.sum() / (height * width)
        assert tier.low / 100 < share <= tier.high / 100
        assert hole.mask.shape == (height, width)
        assert hole.mask.dtype == np.bool_


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(OWN), st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**63 - 1))
def test_share_lies_in_the_interval_at_any_size(tier, height, width, seed):
    if height * width < SMALLEST_PICTURE:
        with pytest.raises(InputError, match="at least 10 pixels"):
            generate(tier.name, height, width, seed)
        return
    hole = generate(tier.name, height, width, seed)
    assert tier.holds(int(hole.mask.sum()), height * width)


@pytest.mark.parametrize("tier", OWN, ids=NAMES)
def test_interval_is_used_broadly_and_last_resort_is_not_needed(tier):
    drawn = list(holes(tier, 128, 128, 200))
    shares = np.array([hole.mask.mean() for hole in drawn])
    counts, _ = np.histogram(shares, bins=4, range=(tier.low / 100, tier.high / 100))
    assert (counts > 10).all()
    assert {hole.family for hole in drawn} == {family.name for family in tier.families}
    assert np.mean([hole.parameters["attempts"] for hole in drawn]) < 1.5


def test_draws_do_not_depend_on_their_order():
    names = [tier.name for tier in ALL if tier.name not in PATTERNS]  # which have one hole, or two
    keys = [(name, draw) for name in names for draw in range(6)]
    shuffled = random.Random(3).sample(keys, len(keys))

    def hashes(order):
        return {
            (tier, draw): mask_hash(
                generate(tier, 64, 96, seed_of(7, "a/b.jpg", tier, draw, 64, 96)).mask
            )
            for tier, draw in order
        }

    assert hashes(keys) == hashes(shuffled)
    assert len(set(hashes(keys).values())) == len(keys)


def test_global_generator_is_neither_used_nor_changed():
    before = np.random.get_state()[1].copy()
    generate("small", 64, 64, 1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_masks_are_those_that_were_pinned():
    pinned = json.loads(GOLDENS.read_text("utf-8"))
    assert len(pinned) >= 40
    families = set()
    for key, expected in pinned.items():
        tier, size, draw = key.split("/")
        height, width = map(int, size.split("x"))
        hole = generate(tier, height, width, seed_of(0, "pinned", tier, int(draw), height, width))
        families.add(hole.family)
        assert mask_hash(hole.mask) == expected, key
    assert families >= {name for tier in ALL for name in tier.shapes()}


def test_another_process_draws_the_same():
    code = "from masks.tiers import *; print(mask_hash(generate('region', 80, 70, 11).mask))"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert printed == mask_hash(generate("region", 80, 70, 11).mask)


def test_seed_depends_on_every_part_of_the_identity():
    base = (0, "a.jpg", "small", 0, 64, 96)
    others = [
        (1, "a.jpg", "small", 0, 64, 96), (0, "b.jpg", "small", 0, 64, 96),
        (0, "a.jpg", "large", 0, 64, 96), (0, "a.jpg", "small", 1, 64, 96),
        (0, "a.jpg", "small", 0, 65, 96), (0, "a.jpg", "small", 0, 64, 97),
        (0, "a.jpg", "small", 0, 96, 64),
    ]  # fmt: skip
    seeds = {seed_of(*identity) for identity in [base, *others]}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_of(*base) == 7554746117888263647


def test_parameters_can_be_written_as_json():
    for tier in ALL:
        for hole in holes(tier, 64, 64, 15):
            assert json.loads(json.dumps(hole.parameters)) == hole.parameters


@pytest.mark.parametrize("tier", OWN, ids=NAMES)
def test_description_agrees_with_scipy_and_scikit_image(tier):
    for hole in holes(tier, 61, 83, 12):
        seen = describe(hole.mask)
        exact = 2 * ndimage.distance_transform_edt(hole.mask).max()
        edges = np.concatenate([hole.mask[[0, -1]].ravel(), hole.mask[:, [0, -1]].ravel()])
        assert seen.share == hole.mask.mean()
        assert seen.width == pytest.approx(exact, rel=0.03)
        assert seen.components == label(hole.mask, connectivity=2).max()
        assert seen.border == edges.any()


def test_description_of_no_hole_and_of_nothing_but_hole():
    none, full = describe(np.zeros((20, 30), bool)), describe(np.ones((20, 30), bool))
    assert (none.share, none.width, none.components, none.border) == (0, 0, 0, False)
    assert (full.share, full.components, full.border) == (1, 1, True)
    assert full.width == pytest.approx(2 * np.hypot(20, 30), abs=0.01)


def test_the_edge_of_the_picture_is_nothing_known_so_a_hole_there_is_as_wide_as_mirrored():
    for hole in holes(OWN[-1], 48, 64, 12):
        mirrored = np.pad(hole.mask, ((48, 48), (64, 64)), "symmetric")
        inner = ndimage.distance_transform_edt(mirrored)[48:-48, 64:-64]
        assert describe(hole.mask).width == pytest.approx(2 * inner.max(), rel=0.03)


def test_objects_are_as_wide_as_those_of_real_masks_and_in_one_piece():
    seen = [describe(hole.mask) for hole in holes(OWN[3], 256, 256, 300)]
    # Widths of real object masks at 10, 50 and 90 %, brought to 256.
    found = np.percentile([each.width for each in seen], (10, 50, 90))
    np.testing.assert_allclose(found, (28, 38, 58), rtol=0.25)
    assert {each.components for each in seen} == {1}
    assert np.mean([each.border for each in seen]) < 0.3


def test_what_is_outside_reaches_the_edge_and_the_other_tiers_hold_no_such_shapes():
    assert all(describe(hole.mask).border for hole in holes(OWN[-1], 60, 90, 60))
    inner = {name for tier in OWN[:-1] for name in tier.shapes()}
    assert inner.isdisjoint(OWN[-1].shapes())


def test_description_takes_a_view_that_is_not_contiguous():
    mask = generate("region", 50, 70, 4).mask
    assert describe(mask[:, ::-1]).share == describe(mask).share
    assert describe(mask.T).components == describe(mask).components


def test_hash_tells_shapes_apart():
    flat = np.zeros((4, 6), bool)
    assert mask_hash(flat) != mask_hash(flat.reshape(6, 4))
    assert mask_hash(flat) == mask_hash(np.asfortranarray(flat))
    assert len(mask_hash(flat)) == 16


@pytest.mark.parametrize(
    ("share", "tier"),
    [(0, "small"), (0.005, "small"), (0.1, "small"), (0.11, "region"), (0.3, "region"),
     (0.31, "large"), (0.6, "large"), (0.9, "large"), (1, "large")],
)  # fmt: skip
def test_tier_of_a_share(share, tier):
    assert tier_of(share) == tier


def test_tier_of_generated_holes_is_their_own():
    for tier in TIERS:
        for hole in holes(tier, 40, 50, 20):
            assert tier_of(describe(hole.mask).share) == tier.name


@pytest.mark.parametrize(("height", "width"), [(3, 3), (1, 9), (0, 50), (-4, -4)])
def test_too_small_a_picture_is_refused(height, width):
    with pytest.raises(InputError, match=f"at least 10 pixels, found {width}x{height}"):
        generate("small", height, width, 0)


def test_unknown_tier_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="'medium'; the tiers are small, region, large"):
        generate("medium", 64, 64, 0)


def test_pack_holds_masks_numbers_and_a_sheet(tmp_path):
    drawn = make_pack(
        tmp_path / "pack", tiers=["small", "large"], count=3, height=48, width=64, seed=5
    )
    lines = (tmp_path / "pack" / "masks.csv").read_text("utf-8").splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 1 + len(drawn) == 7
    read = read_mask(tmp_path / "pack" / "large" / "large-0002.png")
    np.testing.assert_array_equal(read, drawn[5].mask)
    assert mask_hash(read) in lines[6]
    assert (tmp_path / "pack" / "contact-sheet.png").is_file()


def test_pack_with_another_seed_has_other_masks(tmp_path):
    first, other = (
        make_pack(tmp_path / str(seed), tiers=["region"], count=2, height=32, width=32, seed=seed)
        for seed in (0, 1)
    )
    assert {mask_hash(h.mask) for h in first}.isdisjoint(mask_hash(h.mask) for h in other)


def test_contact_sheet_grows_with_the_masks_and_shows_them():
    drawn = [hole for tier in ALL for hole in holes(tier, 64, 64, 3)]
    small, all_ = contact_sheet(drawn[:3], columns=3), contact_sheet(drawn, columns=3)
    assert small.width == all_.width
    assert all_.height > 2.5 * small.height
    colours = {colour for _, colour in small.getcolors(1 << 20)}
    assert {(255, 255, 255), (217, 222, 228), (31, 58, 95)} <= colours


@pytest.mark.parametrize(("tiers", "count"), [(["small"], 0), ([], 3)])
def test_empty_pack_is_refused(tmp_path, tiers, count):
    with pytest.raises(InputError, match="at least one tier"):
        make_pack(tmp_path, tiers=tiers, count=count, height=32, width=32, seed=0)


def test_empty_sheet_is_refused():
    with pytest.raises(InputError, match="at least one mask"):
        contact_sheet([], columns=3)
