"""What a run is gated against: a reviewed file, or another run folder.

Both are read into the same `Results`. The file's layout is described in ``docs/gate.md``; it
has one case per line, sorted and rounded, so that a change of it can be reviewed as a diff.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.folder import read as folders
from bench.folder import typed_json
from bench.folder.header import UNKNOWN, Fingerprint
from bench.folder.json_file import read_json
from bench.folder.latency_facts import AnchorPlace, AnchorTwice
from bench.folder.read import Run
from bench.folder.schema import CASES
from bench.folder.store import KEYS
from bench.gate import machine, rules
from bench.gate.machine import Machine
from bench.gate.rules import Rules
from bench.latency import compare
from bench.latency.compare import Timings

FORMAT = 2
CASE_KEYS = KEYS[1:]
# Direction and unit decide what a value means, as the rest decides what it is.
_SIGNATURE = ["metric", "region", "implementation", "version", "weights", "direction", "unit"]
_METRIC = ["metric", "direction", "unit", "signature"]
_METHOD = ["method", "stochastic", "identity", "fills", "numbers"]
# Most of a large table, and nothing of it is judged.
_UNREAD = ("hole_share", "hole_width", "seconds", "cpu_seconds", "measure_seconds", "peak_bytes",
           "traceback", "note", "flags", "counts", "pictures", "thumbnail", "output", "case_key",
           "fill_key", "measure_key", "worker", "attempt")  # fmt: skip
_TEXTS = ["method", "photo", "tier", "status"]
_WHAT = (
    "a baseline file or a run folder's run.json; make one with inpaint-bench baseline update or "
    "inpaint-bench run"
)
_DAMAGED = (
    "; restore it from version control, or delete it and write it anew with inpaint-bench "
    "baseline update RUN"
)


@dataclass(frozen=True)
class Results:
    """What the gate needs of a run.

    Attributes:
        source: Where it was read.
        fingerprint: The line of the protocol.
        packages: Versions of the libraries it was made with.
        metrics: One row per case metric that was measured: ``metric``, ``direction``, ``unit``,
            ``signature`` (all that decides its values).
        methods: One row per method: ``method``, ``stochastic``, ``identity``, ``fills`` (hash of
            all its pictures; empty where not known, or where its identity tells nothing),
            ``numbers`` (format that it was asked for in).
        cases: One row per fill: the keys, ``cluster`` (run folders only), ``status``,
            ``reason``, and one column per metric.
        unfinished: Why the run is not whole; empty if it is.
        finished: When the run was finished, as ``run.json`` says.
        cases_hash: 16 hex digits of SHA-256 of the bytes of ``cases.parquet``.
        set_metrics: Metrics of whole sets, which are not gated.
        unavailable: Methods that could not be run at all and have no fill.
        not_bundled: Why it is not a run on the whole bundled set; empty if it is.
        latency: What was measured of it; None where nothing was.
        rules: How it is to be judged against: of a baseline file what it says.
        lead: The headline metric of a run.
        machine: Where the fills were made.
    """

    source: str
    fingerprint: str
    packages: dict[str, str]
    metrics: pd.DataFrame
    methods: pd.DataFrame
    cases: pd.DataFrame
    unfinished: str = ""
    finished: str = ""
    cases_hash: str = ""
    set_metrics: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    not_bundled: str = ""
    latency: Timings | None = None
    rules: Rules = field(default_factory=Rules)
    lead: str = ""
    machine: Machine = field(default_factory=Machine)


def read(path: Path) -> Results:
    """Read a baseline file or a run folder.

    Raises:
        NewerFormat: If a newer version of this project wrote it.
        InputError: If it is missing or damaged.
    """
    return read_run(path) if path.is_dir() else _read_file(path)


def unread(path: Path) -> Results:
    """Stand in for something whose format this code cannot read."""
    nothing = pd.DataFrame()
    return Results(str(path), "", {}, metrics=nothing, methods=nothing, cases=nothing)


def read_run(path: Path) -> Results:
    """Read the results of a run folder.

    Raises:
        NewerFormat: If a newer version of this project wrote it.
        InputError: If it is missing or damaged, or has no tables yet.
    """
    tables = ("metrics", "methods", "cases", "latency")
    categories = (*_TEXTS, "cluster", "reason")
    run = folders.read_run(path, tables, without=_UNREAD, categories=categories)
    return replace(of_run(run), cases_hash=_hash(path / CASES.file))


def of_run(run: Run) -> Results:
    """The results of a run that was read."""
    measured = run.metrics[run.metrics["status"] == "ok"]
    metrics = measured[measured["scope"] == "case"]
    methods = run.methods.reset_index(drop=True)
    gone = (methods["status"] == "unavailable") & ~methods["method"].isin(
        run.cases["method"].unique()
    )
    return Results(
        source=str(run.folder),
        fingerprint=str(run.header.fingerprint),
        packages=dict(run.header.environment.packages),
        metrics=metrics[["metric", "direction", "unit"]].assign(
            signature=["|".join(map(str, row)) for row in metrics[_SIGNATURE].to_numpy()]
        ),
        methods=_with_facts(run, methods[~gone])[_METHOD],
        cases=run.cases[[*KEYS, "cluster", "status", "reason", *metrics["metric"]]],
        unfinished="" if run.complete else f"its state is {run.state}",
        finished=run.header.finished,
        set_metrics=tuple(measured.loc[measured["scope"] == "set", "metric"]),
        unavailable=tuple(methods.loc[gone, "method"]),
        not_bundled=_not_bundled(run),
        latency=compare.read(run),
        lead=run.headline.metric,
        machine=machine.of_run(run.header),
    )


def _with_facts(run: Run, methods: pd.DataFrame) -> pd.DataFrame:
    """What tells whether a method is another, and whether its pictures are."""
    shown = run.cases[[*KEYS, "output_sha"]].sort_values(KEYS)
    shas = shown.groupby("method")["output_sha"].agg("\n".join)
    names = methods["method"]
    asked = run.header.methods
    told = set(shas.index) - run.header.made_anew.keys()
    return methods.assign(
        fills=[hash_of(shas[name].encode()) if name in told else "" for name in names],
        numbers=[machine.numbers(asked[name]) if name in asked else UNKNOWN for name in names],
    )


def _not_bundled(run: Run) -> str:
    if run.header.photo_set != "bundled":
        return f"its photos are {run.header.photo_set}"
    limit = run.header.protocol.get("limit", "unknown")
    return "" if limit is None else f"its --limit is {limit}"


def _hash(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}; {CASES.anew}") from error


def hash_of(content: bytes) -> str:
    """16 hex digits of SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


def _typed(cases: pd.DataFrame, names: list[str], where: Path) -> pd.DataFrame:
    """Cases with the types that comparing needs, each named once."""
    try:
        kinds = {"draw": "int64", "sample": "int64"} | dict.fromkeys(names, "float64")
        cases = cases.astype(kinds)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: expected numbers: {error}{_DAMAGED}") from error
    if cases[_TEXTS].isna().to_numpy().any():
        raise InputError(f"{where}: expected {', '.join(_TEXTS)} in every row{_DAMAGED}")
    twice = cases[cases.duplicated(KEYS)]
    if len(twice):
        raise InputError(f"{where}: {case_name(twice.iloc[0])} is there twice{_DAMAGED}")
    return cases


def _require(holder: Any, names: Sequence[str], where: object) -> None:
    """Refuse a table without these columns, or what is no JSON object with these keys."""
    if not isinstance(holder, dict | pd.DataFrame):
        raise InputError(f"{where}: expected a JSON object, found {holder!r:.40}{_DAMAGED}")
    lacking = [name for name in names if name not in holder]
    if lacking:
        raise InputError(
            f"{where}: expected {', '.join(names)}, found no {', '.join(lacking)}{_DAMAGED}"
        )


def refuse_unfinished(run: Results) -> None:
    """Refuse a run as a baseline whose missing cases would not be gated.

    Raises:
        InputError: If the run is not complete.
    """
    if run.unfinished:
        raise InputError(
            f"{run.source}: expected a complete run as a baseline, but {run.unfinished}; "
            "give its run command again to finish it"
        )


def case_name(row: Any) -> str:
    """A case and its sample in one word, ``photo|tier|draw|sample``."""
    return "|".join(str(row[key]) for key in CASE_KEYS)


def _read_file(path: Path) -> Results:
    value = read_json(path, FORMAT, _WHAT)
    _require(value, ["made_from", "fingerprint", "packages", "metrics", "methods"], path)
    if value["format"] > 1:
        _require(value, ["lead", "rules", "tolerances", "machine"], path)
    _require(value["made_from"], ["finished", "cases"], f"{path}: made_from")
    _require(value["packages"], [], f"{path}: packages")
    _require(value["methods"], [], f"{path}: methods")
    for name, facts in value["methods"].items():
        _require(facts, ["stochastic", "identity", "cases"], f"{path}: {name}")
        _require(facts["cases"], [], f"{path}: {name}: cases")
    try:
        return _of_file(path, value)
    except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: damaged, or no baseline: {error!r}{_DAMAGED}") from error


def _of_file(path: Path, value: dict[str, Any]) -> Results:
    for metric in value["metrics"]:
        _require(metric, _METRIC, f"{path}: metrics")
    metrics = pd.DataFrame(value["metrics"], columns=_METRIC)
    names = metrics["metric"].tolist()
    known = value["format"] > 1  # what older files do not say
    methods = [
        (name, facts["stochastic"], facts["identity"], facts.get("fills", ""),
         facts.get("numbers", "" if known else UNKNOWN))
        for name, facts in value["methods"].items()
    ]  # fmt: skip
    rows = [
        _row(method, key, values, names)
        for method, facts in value["methods"].items()
        for key, values in facts["cases"].items()
    ]
    cases = pd.DataFrame(rows, columns=[*KEYS, "status", "reason", *names])
    return Results(
        source=str(path),
        fingerprint=str(Fingerprint.parse(value["fingerprint"])),
        packages=value["packages"],
        metrics=metrics,
        methods=pd.DataFrame(methods, columns=_METHOD).astype({"stochastic": bool}),
        cases=_typed(cases, names, path),
        finished=value["made_from"]["finished"],
        cases_hash=value["made_from"]["cases"],
        latency=_timings(value["latency"]) if "latency" in value else None,
        rules=rules.read(value, path, names),
        machine=typed_json.made(Machine, value.get("machine", {})),
    )


def _timings(value: dict[str, Any]) -> Timings:
    rows = pd.DataFrame(value["rows"], columns=compare.ROW)
    rows["basis"] = rows["basis"].fillna("")  # older files do not say
    numbers = rows[compare.NUMBERS].astype(float)
    anchor = typed_json.made(AnchorPlace, value["anchor"])
    twice = [
        typed_json.made(AnchorTwice, {n: math.nan if v is None else v for n, v in test.items()})
        for test in value["self_tests"]
    ]
    return Timings(rows.assign(**numbers), anchor, value["kind"], twice)


def _row(method: str, key: str, values: Any, names: list[str]) -> dict[str, Any]:
    photo, tier, draw, sample = key.rsplit("|", 3)
    status = values if isinstance(values, str) else "ok"
    numbers = [np.nan] * len(names) if status != "ok" else [_number(value) for value in values]
    return {
        "method": method, "photo": photo, "tier": tier, "draw": int(draw), "sample": int(sample),
        "status": status, "reason": "", **dict(zip(names, numbers, strict=True)),
    }  # fmt: skip


def _number(value: float | str | None) -> float:
    return math.nan if value is None else float(value)
