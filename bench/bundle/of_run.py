"""Making a bundle of a run folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.bundle.bundle import Bundle, Case, Fills, Machine, Mean, Method, MetricFacts
from bench.errors import InputError
from bench.folder.read import Run, read_run
from bench.folder.store import records
from bench.statistics.coverage import cap_infinite
from bench.statistics.intervals import known_intervals

_TABLES = ("plan", "cases", "sets", "metrics", "methods")


def bundle_of(folder: Path) -> Bundle:
    """Make a bundle of a run.

    Args:
        folder: The run folder.

    Raises:
        InputError: If the run is not complete, or cannot be read.
    """
    run = read_run(folder, _TABLES)
    if run.header.joined or not run.complete:
        raise InputError(
            f"{folder}: a bundle is of one complete run; this is "
            f"{'of several' if run.header.joined else run.state}"
        )
    header = run.header
    metrics = [_metric(row) for row in records(run.metrics[run.metrics["status"] == "ok"])]
    place = {key: number for number, key in enumerate(run.plan["case_key"])}
    by_method = dict(list(run.cases.groupby("method", sort=False)))
    return Bundle(
        protocol=str(header.protocol.get("published", "")),
        fingerprint=header.fingerprint,
        created=header.created,
        finished=header.finished,
        code=header.environment.code,
        machine=_machine(run),
        seed=int(header.protocol.get("seed", 0)),
        metrics=metrics,
        cases=[_case(row) for row in records(run.plan)],
        methods=[
            _method(run, str(name), by_method[name], metrics, place)
            for name in run.methods.index
            if name in by_method
        ],
    )


def means_of(fills: pd.DataFrame, metrics: Sequence[str], tiers: Sequence[str]) -> Iterator[Mean]:
    """Means of a method with their intervals, over its completed fills of each tier.

    Args:
        fills: One row per fill: ``tier``, ``cluster``, ``status`` and a column a metric.
        metrics: Names of case metrics.
        tiers: In their order.
    """
    done = fills[fills["status"] == "ok"]
    for tier in tiers:
        rows = done[done["tier"] == tier]
        table = pd.DataFrame({name: cap_infinite(rows[name])[0] for name in metrics})
        for name, found in known_intervals(table, rows["cluster"]).items():
            if found.n:
                yield Mean(tier, name, found.mean, found.n, _end(found.low), _end(found.high))


def _machine(run: Run) -> Machine:
    where = run.header.environment
    device = run.header.starts[-1].device if run.header.starts else "device unknown"
    names = ("system", "processor", "accelerator", "python", "packages", "cores", "memory_bytes")
    return Machine(device=device, **{name: getattr(where, name) for name in names})


def _metric(row: Mapping[str, Any]) -> MetricFacts:
    names = MetricFacts.__dataclass_fields__.keys() - {"name"}
    return MetricFacts(name=row["metric"], **{name: row[name] for name in names})


def _case(row: Mapping[str, Any]) -> Case:
    names = Case.__dataclass_fields__.keys() - {"key"}
    return Case(key=row["case_key"], **{name: row[name] for name in names})


def _method(
    run: Run,
    name: str,
    rows: pd.DataFrame,
    metrics: Sequence[MetricFacts],
    place: Mapping[str, int],
) -> Method:
    (facts,) = records(run.methods.loc[[name]])
    cases = [metric.name for metric in metrics if metric.scope == "case"]
    own = run.sets[(run.sets["method"] == name) & run.sets["value"].notna()]
    sets = [
        Mean(
            row["tier"], row["metric"], row["value"], row["n"], _end(row["low"]), _end(row["high"])
        )
        for row in records(own)
    ]
    files = json.loads(facts["files"] or "[]")
    return Method(
        name=name,
        title=facts["title"],
        family=facts["family"],
        identity=facts["identity"],
        fill_key=run.header.fill_keys.get(name, ""),
        licence=facts["licence"],
        weights={each["name"]: each["sha256"] for each in files},
        fills=_fills(rows, cases, place),
        means=[*means_of(rows, cases, run.tiers), *sets],
        paper=facts["paper"],
    )


def _fills(rows: pd.DataFrame, metrics: Sequence[str], place: Mapping[str, int]) -> Fills:
    values = {name: rows[name].to_numpy(float) for name in metrics}
    return Fills(
        case=[place[key] for key in rows["case_key"]],
        sample=list(map(int, rows["sample"])),
        status=list(rows["status"]),
        output_sha=list(rows["output_sha"]),
        seconds=list(map(_end, rows["seconds"])),
        values={name: list(map(_end, column)) for name, column in values.items()},
        infinite={
            name: np.flatnonzero(np.isposinf(column)).tolist()
            for name, column in values.items()
            if np.isposinf(column).any()
        },
    )


def _end(value: float) -> float | None:
    """A number, or None where it is not finite, which JSON has no word for."""
    return float(value) if np.isfinite(value) else None
