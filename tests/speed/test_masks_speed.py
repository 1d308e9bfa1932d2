"""What a hole costs, against one distance transform of the same mask, side by side."""

import cv2
import numpy as np
import pytest

from masks.tiers import TIERS, describe, generate, seed_of
from tests.support.turns import keep, take_turns

COUNT = 60


@pytest.mark.parametrize("size", [256, 512])
@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: tier.name)
def test_generating_and_describing_against_a_distance_transform(benchmark, tier, size):
    seeds = [seed_of(0, "speed", tier.name, draw, size, size) for draw in range(COUNT)]
    masks = [generate(tier.name, size, size, seed).mask.view(np.uint8) for seed in seeds]
    seen = []

    def ours():
        seen[:] = [describe(generate(tier.name, size, size, seed).mask) for seed in seeds]

    def transforms():
        for mask in masks:
            cv2.distanceTransform(mask, cv2.DIST_L2, 5)

    # Blocks of the same work take turns, since a single hole is too short to time.
    forms = {"holes, generated and described": ours, "distance transforms": transforms}
    turns = take_turns(benchmark, forms, rounds=5)
    assert all(tier.low / 100 < hole.share <= tier.high / 100 for hole in seen)
    assert all(hole.width > 0 and hole.components > 0 for hole in seen)
    keep(benchmark, turns, *forms, f"{COUNT} holes, {tier.name}, {size} x {size}")
