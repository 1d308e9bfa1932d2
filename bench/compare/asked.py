"""The metrics and tiers that a comparison is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError, InputError, require_one_of, spelt_like
from bench.folder.read import Run, read_run
from bench.folder.store import records
from bench.statistics import Facts

ALL = "all"
# Most of a large table, and nothing of it is compared.
_UNREAD = ("hole_share", "hole_width", "seconds", "cpu_seconds", "measure_seconds", "peak_bytes",
           "traceback", "note", "counts", "pictures", "thumbnail", "output", "measure_key",
           "worker", "attempt", "parameters")  # fmt: skip
_REPEATED = ("method", "photo", "cluster", "tier")


def read(path: Path) -> Run:
    """Read what is compared of a run folder.

    Raises:
        InputError: If it is missing or damaged.
    """
    tables = ("plan", "cases", "metrics", "methods", "sets")
    return read_run(path, tables, without=_UNREAD, categories=_REPEATED)


def facts(run: Run, names: Sequence[str] | None) -> list[Facts]:
    """What a comparison must know of the metrics asked for.

    Args:
        run: The run.
        names: Names; ``all`` for every measured one; the headline metric if omitted, or where none
            leads all that were measured.

    Raises:
        BenchError: If one is unknown or was not measured.
    """
    table = run.metrics.set_index("metric", drop=False)
    if names is None:
        names = [run.headline.metric or ALL]
    if ALL in names:
        names = list(table.index[table["status"] == "ok"])
        if not names:
            raise BenchError(f"{run.folder}: no metric was measured that could be compared")
    found = []
    for name in dict.fromkeys(spelt_like(name, table.index) for name in names):
        require_one_of(name, table.index, "--metrics")
        row = records(table.loc[[name]])[0]
        if row["status"] != "ok":
            raise BenchError(f"{name} was not measured: {row['reason']}")
        found.append(Facts(name, row["direction"] == "higher", row["unit"], row["scope"]))
    return found


def tiers_of(runs: Sequence[Run], asked: Sequence[str] | None) -> list[str]:
    """The tiers asked for, of those that all runs have; all of these if omitted.

    Raises:
        BenchError: If one is unknown.
        InputError: If the runs share none.
    """
    shared = [tier for tier in runs[0].tiers if all(tier in run.tiers for run in runs)]
    if not shared:
        raise InputError(f"{' and '.join(str(r.folder) for r in runs)} have no tier in common")
    asked = None if asked is None else [spelt_like(tier, shared) for tier in asked]
    for tier in asked or []:
        require_one_of(tier, shared, "--tiers")
    return [tier for tier in shared if asked is None or tier in asked]
