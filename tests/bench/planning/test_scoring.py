"""Which picture of a fill is scored: pasted, raw, blended; rounded, truncated, through a JPEG."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import methods
from bench.errors import InputError
from bench.planning.fingerprints import inputs_key
from bench.planning.protocol import Protocol
from bench.planning.scoring import USUAL, Scoring
from methods.harness import fill

RNG = np.random.default_rng(0)
PHOTO = RNG.integers(256, size=(40, 56, 3), dtype=np.uint8)
RAW = RNG.uniform(-0.1, 1.1, (40, 56, 3)).astype(np.float32)
HOLE = np.zeros((40, 56), bool)
HOLE[10:30, 20:36] = True
ROUNDED = np.rint(RAW.clip(0, 1).astype(np.float64) * 255).astype(np.uint8)
CUT = np.floor(RAW.clip(0, 1).astype(np.float64) * 255).astype(np.uint8)


def pasted(filled):
    return np.where(HOLE[..., None], filled, PHOTO)


def test_as_a_fill_comes_it_is_scored_unless_more_is_asked():
    method = methods.get("telea")
    filled = fill(method, PHOTO, HOLE, 0)
    assert np.array_equal(USUAL.picture(filled.raw, PHOTO, HOLE), filled.picture)
    assert np.array_equal(USUAL.picture(RAW, PHOTO, HOLE), pasted(ROUNDED))


@pytest.mark.parametrize(
    ("paste", "quantise", "expected"),
    [("raw", "round", ROUNDED), ("raw", "truncate", CUT), ("known", "truncate", pasted(CUT))],
)
def test_a_picture_is_pasted_or_not_and_rounded_or_cut(paste, quantise, expected):
    assert np.array_equal(Scoring(paste, quantise).picture(RAW, PHOTO, HOLE), expected)


@pytest.mark.parametrize("scoring", [Scoring("raw", "truncate"), Scoring("blended-9")], ids=str)
def test_a_fill_that_is_the_photo_is_scored_as_the_photo(scoring):
    """Of all levels, so that none is cut to the one below."""
    photo = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    unit = photo.astype(np.float32) / 255
    assert np.array_equal(scoring.picture(unit, photo, HOLE[:16, 12:28]), photo)


@pytest.mark.parametrize("side", [3, 21])
def test_a_blend_weighs_the_fill_by_the_blurred_mask_outside_of_the_hole_alone(side):
    at = np.arange(side) - side // 2
    sigma = 0.3 * ((side - 1) / 2 - 1) + 0.8
    window = np.exp(-(at**2) / (2 * sigma**2))
    window = np.outer(window, window) / window.sum() ** 2
    padded = np.pad(HOLE.astype(float), side // 2, "reflect")
    blocks = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    weight = np.where(HOLE, 1, (blocks * window).sum(axis=(2, 3)))[..., None]
    expected = weight * ROUNDED + (1 - weight) * PHOTO
    found = Scoring(f"blended-{side}").picture(RAW, PHOTO, HOLE).astype(float)
    assert np.abs(found - expected).max() < 0.51
    assert (found[HOLE] == ROUNDED[HOLE]).all()
    assert (found != pasted(ROUNDED)).any()


def test_nothing_of_what_was_hidden_comes_back_by_a_blend():
    other = np.where(HOLE[..., None], 255 - PHOTO, PHOTO)
    blend = Scoring("blended-21")
    assert np.array_equal(blend.picture(RAW, PHOTO, HOLE), blend.picture(RAW, other, HOLE))


@pytest.mark.parametrize("paste", ["raw", "known", "blended-5"])
def test_a_jpeg_is_of_the_joined_picture_and_takes_known_pixels_with_it(paste):
    joined = Scoring(paste).picture(RAW, PHOTO, HOLE)
    file = BytesIO()
    Image.fromarray(joined).save(file, "JPEG", quality=80)  # whose default is halved colours
    expected = np.array(Image.open(file, formats=["JPEG"]))
    found = Scoring(paste, "jpeg-80").picture(RAW, PHOTO, HOLE)
    assert np.array_equal(found, expected)
    assert (found[~HOLE] != joined[~HOLE]).any()


@pytest.mark.parametrize(
    ("paste", "quantise", "shown"),
    [
        ("known", "round", "known-8bit"), ("raw", "round", "raw-8bit"),
        ("known", "truncate", "known-truncated"), ("blended-21", "round", "blended-21-8bit"),
        ("raw", "jpeg-75", "raw-jpeg-75"),
    ],
)  # fmt: skip
def test_the_fingerprint_shows_it(paste, quantise, shown):
    assert str(Scoring(paste, quantise)) == shown


@pytest.mark.parametrize(
    ("paste", "quantise"),
    [
        ("", "round"), ("Known", "round"), ("blended", "round"), ("blended-20", "round"),
        ("blended-1", "round"), ("blended-257", "round"), ("blended-²1", "round"),
        ("known", "none"), ("known", "jpeg"), ("known", "jpeg-0"), ("known", "jpeg-101"),
        ("known", "jpeg-\u0667"), ("known", "jpeg-75\n"), ("raw\n", "round"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_with_what_is(paste, quantise):
    wrong, right = ("quantise", "jpeg-Q") if paste == "known" else ("paste", "blended-N")
    with pytest.raises(InputError, match=rf"{wrong}: expected .*{right}.*, found '"):
        Protocol(paste=paste, quantise=quantise)


def test_a_request_as_ever_has_the_key_it_always_had():
    assert "paste" not in Protocol().key_text()
    raw = Protocol(paste="raw")
    assert inputs_key(raw) != inputs_key(Protocol())
    assert raw.scoring == Scoring("raw")
    assert replace(raw, paste="known") == Protocol()
