"""Harness overhead: the share of a run that is work of no method and no metric.

Defined as the wall time of a run in this process, less the seconds of prepare, infer and finish
and of the metrics' arithmetic, over that wall time: reading, checking, packing, writing, the plan
and the tables are overhead. A first run loads libraries and networks. The ceiling, whose fills
take no time but are measured, is a part of each run.
"""

import time
from statistics import median

import pytest

from bench.protocol import Protocol
from bench.request import Request
from bench.runner import run
from bench.store import RunFolder


@pytest.mark.parametrize(("method", "draws"), [("telea", 6), ("lama:small", 3)])
def test_overhead(benchmark, tmp_path, method, draws):
    # Long enough to stand for a run; without measuring, just long enough to work.
    protocol = Protocol(draws=draws) if benchmark.enabled else Protocol(limit=1)
    shares = []

    def measure() -> None:
        out = tmp_path / str(len(shares))
        request = Request(out, protocol, methods=(method,), executor="inline", offline=True)
        start = time.perf_counter()
        run(request)
        wall = time.perf_counter() - start
        rows = RunFolder(out).read_table("cases.parquet")
        sets = RunFolder(out).read_table("sets.parquet")
        counted = rows[["seconds", "measure_seconds"]].to_numpy().sum() + sets["seconds"].sum()
        assert rows.query("method == @method")["seconds"].gt(0).all()
        shares.append(float(1 - counted / wall))

    measure()
    benchmark.pedantic(measure, rounds=3 if benchmark.enabled else 1)
    share = median(shares[1:])
    assert 0 < share < 1
    if benchmark.enabled:
        benchmark.extra_info["share"] = share
        print(f"\nharness overhead with {method}: {share:.1%} of the run, of {shares[1:]}")
