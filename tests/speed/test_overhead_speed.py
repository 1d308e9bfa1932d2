"""Harness overhead: the share of a run that is work of no method and no metric.

Defined as the wall time of a run in this process, less the seconds of prepare, infer and finish
and of the metrics' arithmetic, over that wall time: reading, checking, packing, writing, the plan
and the tables are overhead. The ceiling, whose fills take no time but are measured, is a part of
each run; so are the plan and its holes, which all methods of a run share. What a further method
adds to a run is therefore kept, too.
"""

import time
from pathlib import Path
from statistics import median

import pytest

from bench.folder.store import RunFolder
from bench.planning.protocol import Protocol
from bench.run.request import Request
from bench.run.runner import run

# Long enough to stand for a run; without measuring, just long enough to work.
LONG, SHORT = Protocol(draws=6), Protocol(limit=1)


def spent(out: Path, protocol: Protocol, *methods: str) -> tuple[float, float]:
    """Seconds of overhead of a run, and of all of it."""
    start = time.perf_counter()
    run(Request(out, protocol, methods=methods, executor="inline", offline=True))
    wall = time.perf_counter() - start
    rows = RunFolder(out).read_table("cases.parquet")
    sets = RunFolder(out).read_table("sets.parquet")
    assert rows[rows["method"].isin(methods)]["seconds"].gt(0).all()
    counted = rows[["seconds", "measure_seconds"]].to_numpy().sum() + sets["seconds"].sum()
    return float(wall - counted), wall


@pytest.mark.parametrize("method", ["telea", "lama:small"])
def test_overhead(benchmark, tmp_path, method):
    protocol = LONG if benchmark.enabled else SHORT
    shares = []

    def measure() -> None:
        overhead, wall = spent(tmp_path / str(len(shares)), protocol, method)
        shares.append(overhead / wall)

    measure()  # loads libraries and networks
    benchmark.pedantic(measure, rounds=3 if benchmark.enabled else 1)
    assert all(0 < share < 1 for share in shares)
    keep(benchmark, shares[1:], f"overhead of a run with {method}")


def test_overhead_of_a_further_method(benchmark, tmp_path):
    protocol = LONG if benchmark.enabled else SHORT
    added = []

    def measure() -> None:
        alone = spent(tmp_path / f"alone-{len(added)}", protocol, "telea")
        both = spent(tmp_path / f"both-{len(added)}", protocol, "telea", "lama:small")
        added.append((both[0] - alone[0], both[1] - alone[1]))

    measure()
    benchmark.pedantic(measure, rounds=3 if benchmark.enabled else 1)
    shares = [overhead / wall for overhead, wall in added[1:]]
    keep(benchmark, shares, "overhead of what lama:small adds to a run with telea")


def keep(benchmark, shares: list[float], what: str) -> None:
    """Keep and print the median of the rounds; only if measured."""
    if benchmark.enabled:
        benchmark.extra_info["share"] = median(shares)
        print(f"\n{what}: {median(shares):.1%}, of {', '.join(f'{each:.1%}' for each in shares)}")
