"""A short look at how long the methods of a run take, of the kind that ``--latency`` adds to it."""

from __future__ import annotations

from collections.abc import Callable

from bench.folder.header import Header
from bench.latency import measure
from bench.latency.bout import SHORT
from bench.run.request import Request
from methods.harness import CEILING


def measure_briefly(
    request: Request, header: Header, tell: Callable[[str], None] = print
) -> measure.Measured:
    """Time the methods of a run that completed a case, at its size, and put it into its folder.

    Args:
        request: What asked for the run.
        header: The content of its ``run.json``.
        tell: Called with lines of progress.

    Raises:
        BenchError: As `measure.measure_into`.
    """
    left_out = (CEILING, *header.without_result)
    names = [
        text
        for name, text in header.methods.items()
        if "=folder:" not in text and name not in left_out
    ]
    size = request.protocol.geometry
    asked = measure.LatencyRequest(
        methods=tuple(names),
        device=measure.fastest_device(),
        sizes=((size.words if size.rule == "cut" else size.height) or 256,),
        tiers=("region",),
        images=request.protocol.photos,
        shared=True,
        pace=SHORT,
        seed=request.protocol.seed,
        timeout=request.limits.load_timeout,  # what is asked first is to load and fill
        quiet=True,
    )
    return measure.measure_into(request.out, asked, tell)
