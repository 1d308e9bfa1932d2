"""``inpaint-bench run``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import Commands, positive
from bench.cli.results import build_report, counted
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.folder.header import Header


class _Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Show defaults but those that are only the absence of a choice."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.const is True:
            return action.help
        return super()._get_help_string(action)


def add(commands: Commands) -> None:
    """Describe the command."""
    run = commands.add_parser(
        "run",
        help="fill, measure, report; an existing run folder is continued",
        formatter_class=_Defaults,
    )
    run.set_defaults(command=_run)
    run.add_argument("--out", type=Path, default=Path("runs/bench"), help="run folder")
    inputs = run.add_argument_group("photos and holes")
    inputs.add_argument("--images", default="bundled", help="folder of photos, or 'bundled'")
    inputs.add_argument("--masks", help="folder of masks, one or more a photo, paired by name")
    inputs.add_argument(
        "--invert-masks", action="store_true", help="black is hole in the mask files"
    )
    inputs.add_argument(
        "--mask-threshold", type=positive, default=128, help="least value that is hole"
    )
    inputs.add_argument("--size", help="side of the evaluated square (256), or 'native'")
    inputs.add_argument("--tiers", help="tiers of generated holes (small,region,large)")
    inputs.add_argument("--draws", type=positive, help="generated holes a tier (1)")
    inputs.add_argument("--limit", type=positive, help="only the first so many photos")
    inputs.add_argument("--seed", type=int, default=0, help="seed of holes and stochastic methods")
    what = run.add_argument_group("methods and metrics")
    what.add_argument(
        "--methods", action="append", help="names, comma-separated; default: all quick ones"
    )
    what.add_argument("--samples", type=positive, default=1, help="fills of stochastic methods")
    what.add_argument("--metrics", help="names, comma-separated; default: all usual ones")
    what.add_argument(
        "--latency", action="store_true", help="time the methods afterwards, in a short pass"
    )
    what.add_argument("--offline", action="store_true", help="fetch no weights")
    what.add_argument("--lpips-weights", type=Path, help="backbone file of LPIPS")
    what.add_argument("--fid-weights", type=Path, help="Inception file of FID and KID")
    how = run.add_argument_group("how")
    how.add_argument("--workers", type=positive, default=os.cpu_count() or 1, help="processes")
    how.add_argument("--threads", type=positive, default=1, help="threads of each worker")
    how.add_argument("--executor", choices=("local", "inline"), default="local")
    how.add_argument("--device", default="cpu", help="torch device of methods and networks")
    how.add_argument("--timeout", type=float, default=600.0, help="seconds for one case")
    how.add_argument("--shard", default="0/1", metavar="I/N", help="do part I (from 0) of N")
    how.add_argument("--retry-failed", action="store_true", help="try failed cases again")
    how.add_argument("--no-report", action="store_true", help="tables only")


def _run(options: argparse.Namespace) -> int:
    from bench.planning.protocol import Protocol
    from bench.run.request import Request
    from bench.run.runner import run
    from bench.run.scheduler import Limits

    _refuse_idle(options)
    protocol = Protocol(
        photos=options.images,
        masks=options.masks,
        mask_threshold=options.mask_threshold,
        invert_masks=options.invert_masks,
        size=_size(options.size or "256"),
        tiers=tuple((options.tiers or "small,region,large").split(",")),
        draws=options.draws or 1,
        seed=options.seed,
        limit=options.limit,
    )
    names = ",".join(options.methods or default_methods()).split(",")
    request = Request(
        out=options.out,
        protocol=protocol,
        methods=tuple(name for name in names if name),
        metrics=tuple(options.metrics.split(",")) if options.metrics else None,
        samples=options.samples,
        executor=options.executor,
        workers=options.workers,
        threads=options.threads,
        device=options.device,
        shard=_shard(options.shard),
        retry_failed=options.retry_failed,
        offline=options.offline,
        lpips_weights=options.lpips_weights,
        fid_weights=options.fid_weights,
        limits=Limits(timeout=options.timeout),
    )
    header = run(request)
    print(f"{options.out}: {header.state}; {counted(header.counts)}")
    print(f"fingerprint {header.fingerprint}")
    if header.missing:
        print(f"{header.missing} fills belong to other shards; join them: inpaint-bench merge")
        return _status(header)
    if options.latency:
        _short_latency(options, header)
    if not options.no_report:
        build_report(options.out, None)
    return _status(header)


def _short_latency(options: argparse.Namespace, header: Header) -> None:
    """Time the methods of the run that completed a case, at its size."""
    from bench.cli.latency import fastest_device, show
    from bench.latency import measure
    from bench.latency.rounds import SHORT
    from methods.harness import CEILING

    names = [
        text
        for name, text in header.methods.items()
        if "=folder:" not in text and name not in (CEILING, *header.without_result)
    ]
    request = measure.Request(
        methods=tuple(names),
        device=fastest_device(),
        sides=(_size(options.size or "256") or 256,),
        tiers=("region",),
        images=options.images,
        shared=True,
        pace=SHORT,
        seed=options.seed,
        timeout=options.timeout,
    )
    show(measure.measure_into(options.out, request), options.out)


def _status(header: Header) -> int:
    for name in header.without_result:
        print(f"inpaint-bench: {name} completed no case; its rows say why", file=sys.stderr)
    return 1 if header.without_result else 0


def _refuse_idle(options: argparse.Namespace) -> None:
    """Refuse options that would change nothing."""
    if options.images == "bundled" and options.size is not None:
        raise BenchError("--size: the bundled tiles are 256 x 256; give --images too")
    if options.masks is not None and (options.tiers or options.draws):
        raise BenchError("--tiers and --draws: for generated holes only, not with --masks")


def default_methods() -> list[str]:
    """What the default job runs: quick methods, and the small weights of all networks."""
    import methods

    cards = {name: methods.card(name) for name in methods.names()}
    quick = [name for name, card in cards.items() if card.default]
    return quick + [f"{name}:small" for name, card in cards.items() if "small" in card.weights]


def _size(text: str) -> int | None:
    if text == "native":
        return None
    if not text.isdigit() or int(text) < 1:
        raise BenchError(f"--size: expected a number of pixels or 'native', found {text!r}")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise BenchError(f"--shard: expected I/N with I from 0 to N-1, found {text!r}")
    return int(index), int(count)
