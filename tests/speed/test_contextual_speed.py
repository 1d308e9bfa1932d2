"""Contextual attention against its plain form, on one thread: time and memory.

Only agreement is asserted. Memory is what a process of its own takes at most beyond its inputs.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from methods.layers.contextual import contextual_attention
from tests.support.plain_attention import attention
from tests.support.turns import keep, take_turns

ROOT = Path(__file__).parents[2]
CHANNELS, RATE = 128, 2


def here(f, mask):
    return contextual_attention(f, f, mask, rate=RATE)[0]


def plain(f, mask):
    return attention(f, f, mask, rate=RATE)[0]


def inputs(side):
    generator = torch.Generator().manual_seed(0)
    f = torch.randn(1, CHANNELS, side, side, generator=generator) * 0.1
    mask = torch.zeros(1, 1, side, side)
    mask[..., side // 4 : side // 2, side // 4 : side // 2] = 1
    return f, mask


def status(field):
    """A field of the process's memory in MiB; Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def print_peak(name, side):
    """Print how many MiB a call takes; to be called in a process of its own."""
    torch.set_num_threads(1)
    function = {"here": here, "plain": plain}[name]
    f, mask = inputs(side)
    with torch.inference_mode():
        function(f[..., :16, :16], mask[..., :16, :16])
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the imports
        before = status("VmRSS")
        function(f, mask)
        print(status("VmHWM") - before)


def peak(name, side):
    code = f"from tests.speed.test_contextual_speed import print_peak; print_peak({name!r}, {side})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return float(done.stdout)


@pytest.mark.parametrize("side", [64, 128])
def test_contextual_attention_against_the_plain_form(benchmark, side):
    f, mask = inputs(side if benchmark.enabled else 32)
    with torch.inference_mode():
        assert (here(f, mask) - plain(f, mask)).abs().max() < 1e-5
        forms = {"here": lambda: here(f, mask), "plain": lambda: plain(f, mask)}
        turns = take_turns(benchmark, forms, rounds=9 if side == 64 else 3)
    memory = {}
    if benchmark.enabled and sys.platform == "linux":
        memory["share_of_peak_memory"] = peak("here", side) / peak("plain", side)
    keep(benchmark, turns, "here", "plain", f"attention at {side} x {side}", **memory)
