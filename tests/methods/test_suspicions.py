"""Faults of outputs are found, and nothing is found where there is none.

What a fault looks like is made from fills of real photos: by a method that keeps known pixels as
they are (Telea) and by one that changes all of them a little, as an autoencoder does.
"""

from functools import cache

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import ContractError
from masks.tiers import TIERS, generate
from methods.base import Inpainter
from methods.card import Card
from methods.harness import fill
from methods.suspicions import ADVICE, suspicions
from tests.support import bundled_photos

SEED = 7


@cache
def cases():
    """Photo, hole and Telea's fill, as floats, of some bundled photos in all tiers."""
    found = []
    for number, photo in enumerate(bundled_photos.every(8)):
        pixels = photo.pixels[:128, :128]
        for tier in TIERS:
            hole = generate(tier.name, 128, 128, SEED + number).mask
            filled = cv2.inpaint(
                np.where(hole[..., None], 0, pixels)[..., ::-1].copy(),
                hole.astype(np.uint8), 3, cv2.INPAINT_TELEA,
            )[..., ::-1]  # fmt: skip
            found.append((pixels, hole, unit(np.where(hole[..., None], filled, pixels))))
    return found


def unit(pixels):
    return (pixels / np.float32(255)).astype(np.float32)


def coded(raw):
    """As if it came out of an autoencoder: blurred, and all of it off by 0.03 or more."""
    small = cv2.resize(raw, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, raw.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 0.03, raw.shape)
    return np.clip(large + noise, 0, 1).astype(np.float32)


def seen(change, kept=True):
    """What is suspected of the changed fill of each case."""
    found = []
    for photo, hole, raw in cases():
        raw = np.ascontiguousarray(change(raw if kept else coded(raw)), np.float32)
        found.append(suspicions(raw, photo, hole))
    return found


def share(found, rule, certain=False):
    return np.mean([any(s.rule == rule and s.certain >= certain for s in each) for each in found])


WHOLE = {
    "bgr": ("channel order", "as BGR", lambda raw: raw[..., ::-1]),
    "gbr": ("channel order", "as GBR", lambda raw: raw[..., [1, 2, 0]]),
    "right": ("shift", "moved by a pixel right", lambda raw: np.roll(raw, 1, 1)),
    "up": ("shift", "moved by a pixel up", lambda raw: np.roll(raw, -1, 0)),
    "both": ("shift", "moved by a pixel down and left", lambda raw: np.roll(raw, (1, -1), (0, 1))),
    "transposed": ("shift", "transposed", lambda raw: raw.swapaxes(0, 1)),
    "mirrored": ("shift", "mirrored", lambda raw: raw[:, ::-1]),
    "upside down": ("shift", "upside down", lambda raw: raw[::-1]),
    "turned": ("shift", "turned by 180 degrees", lambda raw: raw[::-1, ::-1]),
    "quarter": ("shift", "turned left", lambda raw: np.rot90(raw)),
    "inverted": ("range", "as values of 1 to 0", lambda raw: 1 - raw),
    "255": ("range", "as values of 0 to 255", lambda raw: 255 * raw),
    "signed": ("range", "as values of -1 to 1", lambda raw: 2 * raw - 1),
    "dark": ("range", "as values of 0 to 0.00392", lambda raw: raw / 255),
}


@pytest.mark.parametrize("fault", WHOLE)
def test_a_fault_of_the_whole_picture_is_certain_where_known_pixels_are_exact_but_for_it(fault):
    rule, words, change = WHOLE[fault]
    found = seen(change)
    assert share(found, rule, certain=True) > 0.9
    assert all(words in each[0].words for each in found if each)
    assert {s.rule for each in found for s in each} == {rule}


@pytest.mark.parametrize("fault", [name for name in WHOLE if name not in ("right", "up", "both")])
def test_where_the_method_changes_all_pixels_a_fault_is_seen_and_is_not_certain(fault):
    rule, _, change = WHOLE[fault]
    found = seen(change, kept=False)
    assert share(found, rule) > 0.75
    if fault != "255":  # of which the hole alone is proof
        assert share(found, rule, certain=True) == 0


@pytest.mark.parametrize(
    ("fault", "least"), [("bgr", 0.5), ("inverted", 0.9), ("signed", 0.9), ("dark", 0.9)]
)
def test_of_a_fault_in_the_hole_alone_the_edge_tells_and_is_no_proof(fault, least):
    rule, _, change = WHOLE[fault]
    for outside in (1.0, 0.0):  # known pixels as they are, or blank
        found = [
            suspicions(np.where(hole[..., None], change(raw), outside * raw), photo, hole)
            for photo, hole, raw in cases()
        ]
        assert share(found, rule) > least
        assert share(found, rule, certain=True) == 0


BLACK = {
    "as it was given": lambda raw, hole: raw * ~hole,
    "known pixels were changed": lambda raw, hole: 0.5 * raw * ~hole,
    "whole picture is black": lambda raw, hole: 0 * raw,
}


@pytest.mark.parametrize("words", BLACK)
def test_a_hole_left_as_it_was_given_is_refused_where_all_around_is_bright(words):
    for photo, hole, raw in cases():
        photo = np.maximum(photo, 40)
        found = suspicions(BLACK[words](np.maximum(raw, unit(photo)), hole[..., None]), photo, hole)
        assert [(s.rule, s.certain) for s in found] == [("hole", True)]
        assert words in found[0].words


@pytest.mark.parametrize("words", BLACK)
def test_a_black_hole_on_a_dark_photo_is_nothing(words):
    for photo, hole, raw in cases():
        dark = photo // 8
        assert suspicions(BLACK[words](raw / 8, hole[..., None]), dark, hole) == []


def test_black_where_black_belongs_is_never_refused():
    """A black screen with a white frame, and the hole is just the screen."""
    photo = np.full((64, 64, 3), 255, np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[16:48, 16:48] = True
    photo[hole] = 0
    assert not any(each.certain for each in suspicions(unit(photo), photo, hole))


HONEST = {
    "as it is": lambda raw: raw,
    "changed": coded,
    "half the size": lambda raw: cv2.resize(
        cv2.resize(raw, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), raw.shape[1::-1]
    ),
    "too dark": lambda raw: raw**2.2,
    "grey": lambda raw: raw.mean(2, keepdims=True).repeat(3, 2),
    "blurred": lambda raw: cv2.blur(raw, (9, 9)),
    "a little beyond": lambda raw: 1.03 * raw - 0.015,
}


@pytest.mark.parametrize("change", HONEST)
def test_what_a_method_may_do_to_all_pixels_raises_no_suspicion(change):
    assert [each for each in seen(HONEST[change]) if each] == []


@pytest.mark.parametrize("times", [2, 3, 4])
def test_a_coarse_output_of_which_some_pixels_lie_beside_their_place_is_not_refused(times):
    """Every so many pixels, none of which the grid may follow, it is the photo's neighbour."""
    found = seen(lambda raw: np.kron(raw[::times, ::times], np.ones((times, times, 1)))[:128, :128])
    assert not any(s.certain for each in found for s in each)


def test_what_is_given_only_inside_of_the_hole_raises_no_suspicion():
    rng = np.random.default_rng(0)
    for photo, hole, raw in cases():
        for outside in (0 * raw, 0 * raw + 0.5, rng.random(raw.shape, np.float32)):
            assert suspicions(np.where(hole[..., None], raw, outside), photo, hole) == []


def test_one_colour_is_said_and_is_no_proof():
    for found in seen(lambda raw: 0 * raw + 0.3):
        assert [(s.words, s.certain) for s in found] == [
            ("the whole picture is of one colour", False)
        ]


def test_clipped_values_are_said_with_their_share_and_ends():
    photo, hole, raw = cases()[0]
    raw = raw.copy()
    raw[hole] = np.linspace(-0.5, 1, hole.sum())[:, None]
    (found,) = suspicions(raw, photo, hole)
    assert found.words == "values of the hole are clipped (32% of them, which go from -0.5 to 1)"
    assert not found.certain


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_or_grey_photo_has_no_order_of_channels_and_no_shift(level):
    hole = np.zeros((48, 48), bool)
    hole[10:30, 10:30] = True
    flat = np.full((48, 48, 3), level, np.uint8)
    assert suspicions(np.roll(unit(flat), 1, 0)[..., ::-1].copy(), flat, hole) == []
    grey = np.random.default_rng(0).integers(0, 256, (48, 48, 1), np.uint8).repeat(3, 2)
    assert suspicions(unit(grey)[..., ::-1].copy(), grey, hole) == []


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0.02, 0.98))
def test_photos_and_holes_of_any_size_are_looked_at_and_an_exact_output_is_never_odd(
    height, width, seed, dense
):
    rng = np.random.default_rng(seed)
    photo = rng.integers(33, 256, (height, width, 3), np.uint8)
    hole = rng.random((height, width)) < dense
    assert suspicions(unit(photo), photo, hole) == []
    for raw in (rng.normal(0.5, 2, photo.shape).astype(np.float32), unit(photo)[..., ::-1].copy()):
        for each in suspicions(raw, photo, hole):
            assert each.rule in ADVICE
            assert "; " not in each.words


class Gives(Inpainter):
    card = Card("gives", "Gives", "other")

    def __init__(self, give):
        super().__init__("gives")
        self.give = give

    def infer(self, images, masks, generator):
        return self.give(images + 0.5 * masks)


def test_the_harness_refuses_what_is_certain_with_what_to_do_and_keeps_what_is_odd():
    photo, hole, _ = cases()[0]
    with pytest.raises(ContractError, match=r"better as BGR.*return red, green, blue"):
        fill(Gives(lambda images: images.flip(1)), photo, hole, 0)
    broken = fill(Gives(lambda images: images.flip(1)), photo, hole, 0, broken=True)
    assert broken.suspicions[0].certain
    odd = fill(Gives(lambda images: images * 0 + 0.25), photo, hole, 0)
    assert odd.flags == "the whole picture is of one colour"
    assert fill(Gives(lambda images: images), photo, hole, 0).flags == ""


def test_a_floor_may_be_black_on_purpose_and_is_flagged():
    class Black(Gives):
        card = Card("black", "Black", "floor")

    photo, hole, _ = cases()[0]
    photo = np.maximum(photo, 40)
    assert (
        fill(Black(lambda images: 0 * images), photo, hole, 0).flags == "the whole picture is black"
    )
    with pytest.raises(ContractError, match=r'whole picture is black; .* of the family "floor"'):
        fill(Gives(lambda images: 0 * images), photo, hole, 0)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64, torch.bool])
def test_integers_are_refused_before_they_become_floats(kind):
    photo, hole, _ = cases()[0]
    with pytest.raises(ContractError, match=rf"found {kind}; of 8-bit values return images / 255"):
        fill(Gives(lambda images: (images * 255).to(kind)), photo, hole, 0)
