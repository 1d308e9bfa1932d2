"""Building reports at three scales: time, time again when nothing changed, and peak memory.

Run with ``pytest tests/speed/test_report_speed.py --benchmark-enable -s``. The ratios are printed
and recorded; what is asserted is memory, which does not depend on what else a machine does.
Made-up runs hold no thumbnails, as runs of before workers made them: the slow case.
"""

import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.support.large_run import TIERS, write_large_run

METHODS = 12
# By name: photos, and whether there are pictures. A draw of each tier a photo.
SCALES = {"60 cases": (20, True), "1,000 cases": (334, True), "109,500 cases": (36_500, False)}
_BUILD = """
import sys, time
from pathlib import Path
start = time.perf_counter()
from reports.build import build
build(Path(sys.argv[1]))
seconds = time.perf_counter() - start
from bench.machine.memory import peak_bytes
print(seconds, peak_bytes())
"""


@dataclass
class Built:
    """Seconds and peak bytes of one build in a process of its own."""

    seconds: float
    peak: float


def build(run) -> Built:
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, str(run)], capture_output=True, text=True, check=True
    )
    return Built(*map(float, done.stdout.split()))


@pytest.mark.parametrize("scale", SCALES)
def test_time_and_memory_of_a_report(benchmark, tmp_path, scale):
    photos, pictures = SCALES[scale]
    methods = METHODS
    if not benchmark.enabled:  # just large enough to work
        if scale != next(iter(SCALES)):
            pytest.skip("measured with --benchmark-enable only: it takes minutes")
        photos, methods = 3, 4
    small = write_large_run(tmp_path / "small", photos=2, methods=methods, pictures=pictures)
    run = write_large_run(tmp_path / "run", photos=photos, methods=methods, pictures=pictures)
    least = build(small)
    first = benchmark.pedantic(build, args=(run,), rounds=1)
    again = build(run)
    rows = photos * len(TIERS) * methods
    grown = max(0.0, max(first.peak, again.peak) - least.peak)
    if photos <= 1000:
        assert max(first.peak, again.peak) < 1e9
    # Statistics of any number of photos need some blocks of numbers; beyond them it is rows.
    assert grown < 300e6 + 600 * rows
    ratios = {"rows": rows, "build, s": first.seconds, "rebuild / build":
              again.seconds / first.seconds, "peak, MB": first.peak / 1e6,
              "bytes a row above the smallest": grown / rows}  # fmt: skip
    benchmark.extra_info |= ratios
    shown = ", ".join(f"{name} {value:.3g}" for name, value in ratios.items())
    print(f"\n{scale} by {methods} methods: {shown}")
