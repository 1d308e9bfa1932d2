"""What a hole costs, against one distance transform of the same mask, side by side."""

import time

import cv2
import numpy as np
import pytest

from masks.tiers import TIERS, describe, generate, seed_of

COUNT = 60


@pytest.mark.parametrize("size", [256, 512])
@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: tier.name)
def test_generating_and_describing_against_a_distance_transform(benchmark, tier, size):
    seeds = [seed_of(0, "speed", tier.name, draw, size, size) for draw in range(COUNT)]
    masks = [generate(tier.name, size, size, seed).mask.view(np.uint8) for seed in seeds]
    spent = {"ours": [], "transform": []}

    def one_round():
        # Blocks of the same work take turns, so that a busy machine slows both.
        begin = time.perf_counter()
        seen = [describe(generate(tier.name, size, size, seed).mask) for seed in seeds]
        middle = time.perf_counter()
        for mask in masks:
            cv2.distanceTransform(mask, cv2.DIST_L2, 5)
        spent["ours"].append(middle - begin)
        spent["transform"].append(time.perf_counter() - middle)
        return seen

    seen = benchmark.pedantic(one_round, rounds=5, warmup_rounds=1)
    assert all(tier.low / 100 < hole.share <= tier.high / 100 for hole in seen)
    assert all(hole.width > 0 and hole.components > 0 for hole in seen)
    ours, transform = (float(np.median(spent[key])) / COUNT for key in ("ours", "transform"))
    benchmark.extra_info.update(
        hole_us=round(1e6 * ours), transform_us=round(1e6 * transform), ratio=ours / transform
    )
    print(
        f"\n{tier.name} {size}: {1e6 * ours:.0f} us a hole, {1e6 * transform:.0f} us a distance "
        f"transform, ratio {ours / transform:.2f}"
    )
