"""``inpaint-bench latency``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import (
    Commands,
    add_budget,
    completed,
    device,
    listed,
    methods_known,
    positive,
    taken,
    tiers,
)
from bench.errors import BenchError
from bench.text import plain

if TYPE_CHECKING:
    import pandas as pd

    from bench.latency.bout import Pace
    from bench.latency.measure import Measured


def add(commands: Commands) -> None:
    """Describe the command."""
    latency = commands.add_parser(
        "latency", help="measure how long methods take, in turns, against anchors of the same run"
    )
    latency.set_defaults(command=_latency)
    latency.add_argument(
        "--out", type=Path, default=Path("runs/bench"), help="run folder whose report is to show it"
    )
    names = latency.add_argument(
        "--methods", action="append", help="names, comma-separated (default: those of the run)"
    )
    completed(names, methods_known)
    latency.add_argument(
        "--device", type=device, help="torch device (default: cuda where there is one)"
    )
    latency.add_argument(
        "--sizes", default="256", help="of the photos, comma-separated: N (square) or WxH"
    )
    latency.add_argument(
        "--tiers", type=tiers, help="tiers of generated holes (default: small,region,large)"
    )
    latency.add_argument("--images", default="bundled", help="folder of photos, or a bundled set")
    latency.add_argument("--masks", help="your own holes in their place: as of run")
    latency.add_argument(
        "--shared", action="store_true", help="others use this machine: one thread, wider margins"
    )
    latency.add_argument(
        "--threads", type=positive, help="of each process (default: physical cores; --shared: 1)"
    )
    latency.add_argument("--batches", action="store_true", help="throughput at growing batches too")
    latency.add_argument("--short", action="store_true", help="a quick look, too short for a gate")
    latency.add_argument(
        "--limit", type=float, help="seconds of a size and tier after which to end (default: 120)"
    )
    latency.add_argument(
        "--weights-by-rule",
        action="store_true",
        help="make all weights by rule: speed only, for networks whose weights are not here",
    )
    latency.add_argument(
        "--load-together", action="store_true", help="sooner, but leaves out how long loading takes"
    )
    latency.add_argument("--timeout", type=float, default=600.0, help="seconds for one call")
    latency.add_argument("--seed", type=int, default=0, help="of holes and of the order")
    latency.add_argument("--no-report", action="store_true", help="tables only")
    add_budget(latency)
    latency.add_argument(
        "--self-test", action="store_true", help="say whether this machine sees 10 percent"
    )


def _latency(options: argparse.Namespace) -> int:
    # Before what takes seconds to load.
    from bench.latency.inputs import geometries

    sizes = [size.strip() for size in options.sizes.split(",")]
    geometries(sizes)
    if options.masks and options.tiers:
        raise BenchError("--tiers: for generated holes only, not with --masks")
    asked = [] if options.self_test else _names(options)

    from bench.latency import measure
    from bench.run.lock import require_run_folder

    device = options.device or measure.fastest_device()
    threads = options.threads or (1 if options.shared else measure.threads_here())
    if options.self_test:
        return _self_test(device, threads, _pace(options))
    request = measure.LatencyRequest(
        methods=tuple(asked),
        device=device,
        sizes=tuple(sizes),
        tiers=tuple(options.tiers or ("small", "region", "large")),
        threads=threads,
        pace=_pace(options),
        by_rule=options.weights_by_rule,
        together=options.load_together,
        **taken(options, "images", "masks", "shared", "batches", "seed", "timeout"),
    )
    require_run_folder(options.out)
    measured = measure.measure_into(options.out, request)
    show(measured, options.out)
    if not options.no_report and (options.out / "run.json").exists():
        from bench.cli.results import build_report

        build_report(options.out, None, budget=options.budget_ms)
    return 1 if measured.failed else 0


def show(measured: Measured, out: Path) -> None:
    """Print what was measured, and what could not be."""
    from bench.folder.latency_facts import apart, sizes
    from bench.latency.answers import NOT_TIMED

    size = sizes(measured.table)
    tests = {(test.side, test.tier): test for test in measured.facts.self_tests}
    calls = measured.table[measured.table["region"].isin(["e2e", "infer"])]
    for side, tier in calls[["side", "tier"]].drop_duplicates().itertuples(index=False, name=None):
        test = tests.get((side, tier))
        noisy = "" if test is None or test.trusted else ": too noisy for any verdict"
        twice = "" if test is None else f"; the anchor is {test.ratio:.3f} times itself{noisy}"
        print(f"{size[side]}, {tier}{twice}")
        print(_shown(calls[(calls["side"] == side) & (calls["tier"] == tier)]))
    for name in apart(measured.table, measured.facts):
        print(f"{name}: ratios by wall time: it waits, or works in several threads or processes")
    for name, note in calls.loc[calls["note"] != "", ["method", "note"]].drop_duplicates().values:
        print(plain.one_line(f"{name}: {note}"))
    print(f"{out}: latency.parquet, latency-samples.parquet, latency.json")
    for name, refused in measured.untimed.items():
        left_out = refused.status == NOT_TIMED
        what = "is left out" if left_out else f"could not be timed: {refused.status}"
        said = plain.one_line(f"inpaint-bench: {name} {what}: {refused.reason}")
        print(said, file=sys.stderr)


def _self_test(device: str, threads: int, pace: Pace) -> int:
    from bench.latency import self_test

    found = self_test.run(device, threads, pace)
    for what, ratio, true in (
        ("the anchor over itself", found.same, 1.0),
        ("the anchor with more work over the anchor", found.slower, self_test.MORE_WORK),
    ):
        print(
            f"{what}: {ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}], work {true:.3f}, "
            f"{ratio.n} rounds"
        )
    said = "sees" if found.sees else "does not see"
    print(f"in {found.seconds:.0f} s this machine {said} a difference of 10 %")
    return 0 if found.sees else 1


def _shown(rows: pd.DataFrame) -> str:
    """The calls of a size and tier, as text of 100 columns but for long names."""
    rows = rows.assign(MiB=rows["peak_bytes"] / 2**20)
    rows = rows.rename(columns={"ratio_low": "low", "ratio_high": "high"})
    columns = ["method", "region", "n", "p50_ms", "p90_ms", "mean_ms", "MiB", "basis",
               "ratio", "low", "high", "status"]  # fmt: skip
    text: str = rows[columns].to_string(
        index=False, na_rep="-", float_format="%.4g", formatters={"MiB": "{:,.0f}".format}
    )
    return plain.lines(text)


def _names(options: argparse.Namespace) -> list[str]:
    """The methods asked for, those of the run, or the default ones."""
    if options.methods:
        return listed(options.methods)
    if (options.out / "run.json").exists():
        from bench.folder import header
        from bench.folder.store import RunFolder
        from methods.harness import CEILING

        known = header.read(RunFolder(options.out)).methods
        return [text for name, text in known.items() if "=folder:" not in text and name != CEILING]
    from bench.run.request import default_methods

    return default_methods()


def _pace(options: argparse.Namespace) -> Pace:
    from dataclasses import replace

    from bench.latency.bout import SHORT, Pace

    pace = SHORT if options.short else Pace()
    half_width = 0.05 if options.shared or options.short else pace.half_width
    return replace(pace, limit=options.limit or pace.limit, half_width=half_width)
