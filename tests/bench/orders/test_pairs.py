"""The fills of the sixteen pairs."""

import re
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from bench.metrics import METRICS
from bench.metrics.networks import PUBLISHED
from bench.metrics.pair import Original, Pair
from bench.metrics.pixel import psnr_of
from bench.orders.pairs import METHODS, ORDERS, fills
from bench.statistics import HEADLINES
from masks.tiers import generate

PHOTO, OTHER = data.astronaut()[:256, :256], data.coffee()[:256, :256]


def made(tier: str = "region", photo=PHOTO, other=OTHER) -> tuple[np.ndarray, dict]:
    hole = generate(tier, *photo.shape[:2], 3).mask
    # Stand-ins for the methods: what is made of their fills is what is looked at here.
    own = {name: np.roll(photo, 20 * n, 0) for n, name in enumerate(METHODS, 1)}
    return hole, fills(photo, hole, other, own.__getitem__)


def test_there_are_sixteen_each_with_its_reason():
    assert len({order.name for order in ORDERS}) == len(ORDERS) == 16
    assert all(order.why for order in ORDERS)


@pytest.mark.parametrize("tier", ["small", "region", "large"])
def test_all_fills_are_in_pairs_keep_the_known_and_differ(tier):
    hole, found = made(tier)
    assert set(found) == {name for order in ORDERS for name in order[:2]}
    for name, picture in found.items():
        assert picture.dtype == np.uint8, name
        assert np.array_equal(picture[~hole], PHOTO[~hole]), name
    for order in ORDERS:
        assert not np.array_equal(found[order.better], found[order.worse]), order.name


def test_they_are_the_same_each_time_and_of_any_size():
    photo, other = PHOTO[:90, :133], OTHER[:201, :77]
    (_, first), (_, second) = (made("large", photo, other) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert {picture.shape for picture in first.values()} == {photo.shape}


def test_each_harm_is_what_its_name_says():
    hole, found = made("large")
    inside = np.argwhere(hole & np.roll(hole, 3, 1) & (np.arange(256) >= 3))
    rows, columns = inside.T
    shifted = found["truth shifted 3 px"]
    assert np.array_equal(shifted[rows, columns], PHOTO[rows, columns - 3])
    assert np.array_equal(found["truth upside down"][hole], PHOTO[::-1, ::-1][hole])
    assert np.array_equal(found["another photo"][hole], OTHER[hole])
    quarter = (found["truth with a flat quarter"] != PHOTO).any(2)
    assert np.count_nonzero(quarter) == pytest.approx(np.count_nonzero(hole) / 4, rel=0.02)
    apart = found["truth with noise 6"][hole] - PHOTO[hole].astype(float)
    assert apart.std() == pytest.approx(6, rel=0.1)
    warmer = found["truth warmer by 6"][hole].astype(int) - PHOTO[hole]
    assert np.median(warmer, axis=0).tolist() == [6, 0, -6]
    tile = found["truth in tiles of 8"][hole]
    assert len(np.unique(tile, axis=0)) <= 32 * 32


def test_the_more_harmed_of_one_kind_is_further_from_the_truth():
    hole, found = made()
    original = Original(PHOTO)
    psnr = {name: psnr_of(Pair(p, original, hole), "hole") for name, p in found.items()}
    for less, more in (("truth blurred 1", "truth blurred 4"),
                       ("truth as jpeg 50", "truth as jpeg 5")):  # fmt: skip
        assert psnr[less] > psnr[more] + 2


def test_the_page_names_every_pair_and_what_may_lead():
    page = (Path(__file__).parents[3] / "docs/right-orders.md").read_text("utf-8")
    for better, worse, why in ORDERS:
        assert f"| {better} | {worse} | {why} |" in page
    rows = re.findall(r"^\| (\w+) \|.*\| (may(?: not)? lead) \|$", page, re.MULTILINE)
    verdicts = dict(rows)
    assert {name for name in HEADLINES if METRICS[name].network not in PUBLISHED} <= {
        name for name, verdict in verdicts.items() if verdict == "may lead"
    }
    assert verdicts["ssim_hole"] == verdicts["psnr_hole_db"] == "may not lead"
