"""Contextual attention against its plain form, on one thread: time and memory.

Run with ``pytest tests/speed --benchmark-enable -s``; ratios are printed and recorded, and only
agreement is asserted. Memory is what a process of its own takes at most beyond its inputs.
"""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest
import torch

from methods.contextual import contextual_attention
from tests.plain_attention import attention

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


def seconds_of(functions, rounds):
    """Median seconds of each; they take turns, so that both see the same load."""
    times = [[] for _ in functions]
    for _ in range(rounds):
        for function, taken in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            taken.append(time.perf_counter() - start)
    return [median(taken) for taken in times]


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("side", [64, 128])
def test_contextual_attention_against_the_plain_form(benchmark, one_thread, side):
    f, mask = inputs(side if benchmark.enabled else 32)
    with torch.inference_mode():
        assert (here(f, mask) - plain(f, mask)).abs().max() < 1e-5
        benchmark(here, f, mask)
        if benchmark.disabled:
            return
        ours, theirs = seconds_of(
            [lambda: here(f, mask), lambda: plain(f, mask)], 9 if side == 64 else 3
        )
    ratios = {"time": ours / theirs}
    words = f"\n{side}x{side}: plain {theirs * 1e3:.0f} ms, here {ours * 1e3:.0f} ms"
    if sys.platform == "linux":
        leaner, plainer = peak("here", side), peak("plain", side)
        ratios["memory"] = leaner / plainer
        words += f"; plain {plainer:.0f} MiB, here {leaner:.0f} MiB"
    benchmark.extra_info["share of the plain form"] = ratios
    shares = ", ".join(f"{name} {ratio:.0%}" for name, ratio in ratios.items())
    print(f"{words} ({shares})")
