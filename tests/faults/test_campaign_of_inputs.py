"""Fuzzing of every reader of what users give: damaged files are read or refused.

``pytest tests/faults/test_campaign_of_inputs.py -m nightly -s`` gives each reader damaged files for
``CAMPAIGN_SECONDS`` (10 if it is not set) and prints how many there were, and how they ended;
``CAMPAIGN_SEED`` is that of the damages, else another each night, printed too.
"""

import json
import os
import random
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits of memory and time are Linux's"),
    pytest.mark.slow,
]


def fuzzed(folder, seconds: float, least: int, seed: int) -> list[dict]:
    words = [str(seconds), str(seed), str(folder), "--least", str(least)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fuzz", *words], capture_output=True, text=True
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for each in found:
        print(f"{each['reader']:16} {each['inputs']:7} {each['counts']}")
    print(f"{sum(each['inputs'] for each in found)} inputs, seed {seed}")
    assert done.returncode == 0, f"{folder / 'input'} ended it: {done.stderr[-3000:]}"
    assert {each["reader"]: each["faults"] for each in found if each["faults"]} == {}, seed
    assert all(each["whole"] for each in found)
    return found


def test_a_few_damaged_inputs_of_every_reader(tmp_path):
    assert len(fuzzed(tmp_path, 0, 12, 1)) > 25


@pytest.mark.nightly
def test_many_damaged_inputs_of_every_reader(tmp_path):
    seed = int(os.environ.get("CAMPAIGN_SEED") or random.SystemRandom().randrange(2**32))
    fuzzed(tmp_path, float(os.environ.get("CAMPAIGN_SECONDS", "10")), 100, seed)
