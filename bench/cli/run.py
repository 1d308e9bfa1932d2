"""``inpaint-bench run``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli import photos, slurm
from bench.cli.arguments import (
    Commands,
    add_budget,
    completed,
    device,
    listed,
    methods_known,
    metrics_known,
    named,
    positive,
    taken,
)
from bench.cli.results import build_report, status, summarise
from bench.errors import BenchError
from bench.text.plain import one_line

if TYPE_CHECKING:
    from bench.run.request import Request

STATUSES = """exit status:
  0    every fill was completed or declined; what was given and could not be used is counted
  1    fills were lost (failed, timeout, killed, oom, unavailable), or a method completed no case
  2    an error: a wrong option, nothing to fill, not all usable with --strict, a full disk
  130  stopped by Ctrl-C; what was done is written, the same command continues
  143  stopped by SIGTERM, likewise; 129 by SIGHUP, as of a closed terminal
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    run = commands.add_parser(
        "run", help="fill, measure, report; an existing run folder is continued", epilog=STATUSES
    )
    run.set_defaults(command=_run)
    add_options(run)


def add_options(run: argparse.ArgumentParser) -> None:
    """Describe the options of a run."""
    run.add_argument("--out", type=Path, default=Path("runs/bench"), help="run folder")
    photos.add(run)
    _add_what(run)
    _add_how(run)


def _add_what(run: argparse.ArgumentParser) -> None:
    what = run.add_argument_group("methods and metrics")
    names = what.add_argument(
        "--methods",
        action="append",
        help="names, comma-separated; see list (default: all quick ones)",
    )
    completed(names, methods_known)
    what.add_argument(
        "--samples", type=positive, default=1, help="fills of a case by stochastic methods"
    )
    metrics = what.add_argument(
        "--metrics",
        type=named,
        help="names, comma-separated; see list; own ones as LABEL=module:function or "
        "LABEL=file.py:function (default: the usual ones)",
    )
    completed(metrics, metrics_known)
    what.add_argument(
        "--latency", action="store_true", help="time the methods afterwards, in a short pass"
    )
    add_budget(what)
    what.add_argument("--offline", action="store_true", help="fetch no weights")
    what.add_argument(
        "--weights",
        action="append",
        metavar="NAME=FILE",
        help="weight file of a metric's network, such as lpips-alex or fid-inception",
    )
    for name, network in (("--lpips-weights", "lpips-alex"), ("--fid-weights", "fid-inception")):
        what.add_argument(
            name,
            action="append",
            dest="weights",
            type=f"{network}={{}}".format,
            help=argparse.SUPPRESS,
        )


def _add_how(run: argparse.ArgumentParser) -> None:
    how = run.add_argument_group("how")
    how.add_argument(
        "--workers",
        type=positive,
        help="worker processes (default: as many as there are cores, or as a cluster has room for)",
    )
    how.add_argument("--threads", type=positive, default=1, help="threads of each worker")
    how.add_argument(
        "--executor",
        choices=("local", "inline", "ray", "slurm"),
        default="local",
        help="where methods run: in worker processes, in this one, on the nodes of a Ray cluster, "
        "or as jobs of Slurm",
    )
    how.add_argument(
        "--address",
        default="",
        metavar="HOST:PORT",
        help="Ray cluster to join, or auto (default: one of this machine, for this run alone)",
    )
    slurm.add(how)
    how.add_argument(
        "--device", type=device, default="cpu", help="torch device of methods and networks"
    )
    how.add_argument("--timeout", type=float, default=600.0, help="seconds for one case")
    how.add_argument("--shard", default="0/1", metavar="I/N", help="do part I (from 0) of N")
    how.add_argument("--retry-failed", action="store_true", help="try failed cases again")
    how.add_argument(
        "--strict", action="store_true", help="refuse to start unless every given file can be used"
    )
    how.add_argument("--no-report", action="store_true", help="tables only")


def _run(options: argparse.Namespace) -> int:
    request = asked(options)
    if options.executor == "slurm":
        return slurm.submit(options, request)
    if options.shards or options.sbatch is not None:
        raise BenchError("--shards and --sbatch: for --executor slurm only")

    from bench.run.progress import Progress

    with Progress() as progress:  # before what takes seconds to load
        from bench.run.runner import run

        header = run(request, progress)
    summarise(options.out, header, report=not (options.no_report or header.missing))
    for name, reason in header.made_anew.items():
        if name not in header.without_result:
            print(one_line(f"{name}: its fills will be made anew by the next start: {reason}"))
    if header.missing:
        print(f"{header.missing} fills belong to other shards; join them: inpaint-bench merge")
        return status(options.out, header)
    if options.latency:
        from bench.cli.latency import show
        from bench.run.brief_latency import measure_briefly

        show(measure_briefly(request, header), options.out)
    if not options.no_report:
        build_report(options.out, None, budget=options.budget_ms)
    return status(options.out, header)


def asked(options: argparse.Namespace) -> Request:
    """What these options ask for; loads nothing heavy.

    Raises:
        BenchError: If one is malformed.
    """
    if options.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's library is imported, so before it
    names = listed(options.methods)
    checked: dict[str, Any] = {
        "metrics": _metrics(options.metrics),
        "weights": _weights(options.weights),
        "shard": _shard(options.shard),
        "protocol": photos.protocol(options),
    }

    from bench.run.limits import Limits
    from bench.run.request import Request

    return Request(
        methods=tuple(names or _default_methods(options.protocol)),
        **checked,
        **taken(options, "out", "samples", "executor", "address", "threads", "device"),
        workers=options.workers or (0 if options.address else os.cpu_count() or 1),
        **taken(options, "retry_failed", "offline", "strict"),
        limits=Limits(timeout=options.timeout),
    )


def _metrics(asked: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The metrics asked for, as they are spelt; None for the usual ones."""
    if asked is None:
        return None
    from bench.metrics.plug_ins import name_of

    names = [(text, name_of(text)) for text in asked]
    return tuple(text if "=" in text else name for text, name in names)


def _weights(given: list[str] | None) -> dict[str, Path]:
    """Weight files by name of the network."""
    from bench.metrics.networks import check_names
    from methods.weights import hub

    found = {}
    for text in given or []:
        name, _, file = text.partition("=")
        if not file:
            raise BenchError(f"--weights: expected NAME=FILE, found {text!r}")
        found[name] = hub.local(file)
    check_names(found)
    for name, path in found.items():
        if not os.path.isfile(path):
            raise BenchError(f"--weights {name}: expected a file, found none at {path}")
    return found


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise BenchError(f"--shard: expected I/N with I from 0 to N-1, found {text!r}")
    return int(index), int(count)


def _default_methods(protocol: str = "") -> list[str]:
    """Those of a published protocol, or of the default job; says which plug-ins are broken."""
    import methods
    from bench.run.request import default_methods

    for name, reason in methods.inventory()[1].items():
        print(one_line(f"inpaint-bench: left out {name}: {reason}"), file=sys.stderr)
    return default_methods(protocol)
