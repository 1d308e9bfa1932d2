"""``inpaint-bench run --executor slurm``: what is asked for is looked at, then given to Slurm."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.cli.arguments import positive
from bench.errors import BenchError, InputError

if TYPE_CHECKING:
    from bench.run.request import Request

_SHARDS = 8


def add(group: argparse._ActionsContainer) -> None:
    """Describe the options."""
    group.add_argument(
        "--shards", type=positive, metavar="N", help=f"with slurm: how many jobs ({_SHARDS})"
    )
    group.add_argument(
        "--sbatch",
        metavar="OPTIONS",
        help='with slurm: what its jobs need, such as --sbatch="--partition=gpu --gres=gpu:1"',
    )


def submit(options: argparse.Namespace, request: Request) -> int:
    """Look at what is asked for, write both scripts, and submit them where Slurm is.

    Raises:
        BenchError: If the shards could not do it, as far as that shows at once, or Slurm refuses.
    """
    from bench.run import slurm

    if options.latency:
        raise BenchError(
            "--latency: times need a machine that does nothing else; after the merge give "
            f"sbatch --exclusive --wrap='inpaint-bench latency --out {options.out}'"
        )
    if request.shard != (0, 1):
        raise BenchError("--shard: each job has its own; --shards says how many")
    sbatch = slurm.options(options.sbatch or "")
    count = options.shards or _SHARDS
    slurm.require_free(request.out, count)
    _look(request)
    run, workers = _words(options.given)
    merge = ["--no-report"] if options.no_report else []
    if options.budget_ms is not None:
        merge += ["--budget-ms", str(options.budget_ms)]
    threads = None if workers else request.threads
    scripts = slurm.write(request.out, run, merge, count=count, sbatch=sbatch, threads=threads)
    print(f"scripts: {scripts.shards}, {scripts.merge.name} beside it")
    jobs = slurm.submit(scripts)
    if jobs is None:
        shards, joined = shlex.quote(str(scripts.shards)), shlex.quote(str(scripts.merge))
        print(
            f"there is no sbatch here; where it is: id=$(sbatch --parsable {shards}) && "
            f"sbatch --dependency=afterany:$id {joined}\n"
            f"by hand: bash {shards} 0, likewise each further number, then bash {joined}"
        )
    else:
        print(f"submitted: shards {jobs[0]}, merge {jobs[1]} once they have ended")
        print(f"watch: squeue --name={scripts.name}; logs beside the scripts")
    return 0


def _words(given: list[str]) -> tuple[list[str], bool]:
    """The words of a shard's command, and whether they say how many workers it has."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--executor", "--shard", "--shards", "--sbatch", "--out", "--workers"):
        parser.add_argument(name)
    parser.add_argument("--no-report", action="store_true")
    found, words = parser.parse_known_args(given)
    more = ["--workers", found.workers] if found.workers else []
    return [*words, *more], bool(more)


def _look(request: Request) -> None:
    """Find at once what every shard would refuse; one photo is read, no method is loaded."""
    import methods
    from bench.metrics.plug_ins import resolve
    from bench.planning.pairing import Inputs, read_photos
    from bench.run.ahead import obstacle
    from bench.run.resume import check

    check(replace(request, executor="local"))
    for metric in request.measured:
        resolve(metric)
    for method in request.methods:
        if said := obstacle(methods.parse(method)):
            print(f"{method} would not run: {said}", file=sys.stderr)
    inputs = Inputs()
    if next(read_photos(request.protocol, inputs), None) is None:
        raise InputError(f"no photo can be used: {inputs.rows[0]['reason']}")
