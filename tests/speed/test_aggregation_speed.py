"""Residual aggregation against its plain form, side by side: CPU time and peak memory.

Only agreement is asserted.
"""

import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from methods.networks.hifill import aggregation
from tests.support import plain_aggregation
from tests.support.turns import keep, take_turns

MEMORY = """
import json, sys
from bench.machine.memory import peak_bytes, reset_peak
from tests.speed.test_aggregation_speed import FORMS, inputs
given = inputs(*map(int, sys.argv[2:]))
reset_peak()
before = peak_bytes()
FORMS[sys.argv[1]](*given)
print(json.dumps([before, peak_bytes()]))
"""


def ours(photo, hole, filled, attention, paste, multiple):
    return aggregation.aggregate(photo, hole, filled, attention, paste, 16 * multiple)


FORMS = {"ours": ours, "plain": plain_aggregation.aggregate}


def inputs(side, multiple):
    """A square photo, a box of a seventh of it as hole, attention to all clear patches."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    photo = cv2.resize(coarse, (side, side))
    hole = np.zeros((side, side), bool)
    hole[side // 4 : 3 * side // 5, side // 3 : 11 * side // 15] = True
    paste = cv2.resize(hole.astype(np.float32), (512, 512), interpolation=cv2.INTER_NEAREST)
    attention = plain_aggregation.some_attention(paste > 0)
    filled = rng.uniform(0, 255, (512, 512, 3)).astype(np.float32)
    return photo, hole, filled, attention, paste, multiple


def peak_mebibytes(form, side, multiple):
    """Of a process that does nothing else, with what it had before the call."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, form, str(side), str(multiple)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    before, peak = json.loads(done.stdout)
    return round(before / 2**20), round(peak / 2**20)


@pytest.mark.parametrize(("side", "multiple"), [(4096, 8), (4096, 6), (2048, 6)])
def test_aggregation_against_its_plain_form(benchmark, side, multiple):
    # Without measuring, just large enough to work.
    size = (side, multiple) if benchmark.enabled else (side // 4, multiple // 4)
    given = inputs(*size)
    results = {}

    def run(form):
        results[form] = FORMS[form](*given)

    forms = {form: partial(run, form) for form in FORMS}
    turns = take_turns(benchmark, forms, rounds=3, clock=time.process_time)
    assert np.abs(results["ours"] - results["plain"]).max() < 1e-2  # of 255
    if benchmark.enabled:
        mebibytes = {form: peak_mebibytes(form, *size)[1] for form in FORMS}
        what = f"{side} x {side}, multiple {multiple}, CPU time"
        share = mebibytes["ours"] / mebibytes["plain"]
        keep(benchmark, turns, "ours", "plain", what, share_of_peak_memory=share)
