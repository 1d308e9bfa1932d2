"""Residual aggregation against its plain form, side by side: CPU time and peak memory.

Run with ``pytest tests/speed --benchmark-enable -s``; ratios are printed and recorded, and only
agreement is asserted.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from methods.hifill import aggregation
from tests import plain_aggregation

MEMORY = """
import json, sys
from bench.memory import peak_bytes, reset_peak
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
    spent = {form: [] for form in FORMS}
    results = {}

    def one_round():
        for form, run in FORMS.items():
            begin = time.process_time()
            results[form] = run(*given)
            spent[form].append(time.process_time() - begin)

    benchmark.pedantic(one_round, rounds=3 if benchmark.enabled else 1)
    assert np.abs(results["ours"] - results["plain"]).max() < 1e-2  # of 255
    if benchmark.enabled:
        seconds = {form: statistics.median(each) for form, each in spent.items()}
        memory = {form: peak_mebibytes(form, *size) for form in FORMS}
        ratio = seconds["ours"] / seconds["plain"]
        memory_ratio = memory["ours"][1] / memory["plain"][1]
        benchmark.extra_info.update(
            cpu_seconds=seconds,
            ratio=ratio,
            mebibytes_before_and_peak=memory,
            memory_ratio=memory_ratio,
        )
        print(
            f"\n{side} x {side}, multiple {multiple}: {seconds['ours']:.2f} CPU s, plain form "
            f"{seconds['plain']:.2f}, ratio {ratio:.2f}; peak {memory['ours'][1]} MiB "
            f"(before the call {memory['ours'][0]}), plain {memory['plain'][1]}, ratio "
            f"{memory_ratio:.2f}"
        )
