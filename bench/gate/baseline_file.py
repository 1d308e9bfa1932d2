"""Writing the baseline file: one case a line, sorted and rounded, for reviewable diffs.

The layout is described in ``docs/gate.md``; `bench.gate.baseline` reads it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

from bench.errors import InputError
from bench.folder.store import records
from bench.gate.baseline import CASE_KEYS, FORMAT, Results, case_name, read, refuse_unfinished
from bench.gate.judge import judge
from bench.gate.rules import Rules
from bench.gate.tolerances import CEILING, decimals
from bench.gate.verdict import Verdict
from bench.latency.compare import PLACE, Timings

_DIGITS = 6  # as many as a ratio is worth


def update_baseline(file: Path, run: Results, asked: Sequence[str] = ()) -> Verdict | None:
    """Write a run as the baseline file, after looking at what that changes.

    Rules and tolerances that the file has stay as they are, but for the rules that are asked for.

    Args:
        file: The file.
        run: What it is to hold.
        asked: ``METHOD=RULE``, or ``RULE`` for all methods.

    Returns:
        The run against the file as it was; None if there was none.

    Raises:
        InputError: If the run cannot be a baseline: see `write`; or its ceiling is
            missing or not perfect, so that the harness or a metric is broken; or the file that is
            there cannot be read.
        BenchError: If there is no such rule or method.
    """
    before = read(file) if os.path.exists(file) else None
    methods = [name for name in run.methods["method"] if name != CEILING]
    run = replace(run, rules=(before.rules if before else Rules()).asked(asked, methods))
    flaws = judge(run, run).findings
    if len(flaws):
        _refuse_flaw(run.source, records(flaws)[0])
    changed = judge(before, run) if before else None
    write(file, run)
    return changed


def write(path: Path, run: Results) -> None:
    """Write the baseline file of a run.

    Raises:
        InputError: If the run is not complete, a fill of it was not measured for another reason
            than that the method declined it, or the file cannot be written.
    """
    refuse_unfinished(run)
    odd = run.cases[~run.cases["status"].isin(["ok", "declined"])]
    if len(odd):
        first = odd.iloc[0]
        raise InputError(
            f"{run.source}: expected every fill measured or declined, found {len(odd)} others, "
            f"such as {first['method']} {case_name(first)}: {first['status']}, {first['reason']}; "
            "run again with --retry-failed, or without this method"
        )
    _replace(path, "\n".join(_lines(run)) + "\n")


def to_json(value: float) -> float | str | None:
    """A number as strict JSON can hold it: NaN becomes null, infinity the text ``inf``."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def plain(row: Mapping[str, Any], digits: int | None = None) -> dict[str, Any]:
    """Values that JSON can hold, numpy's numbers as Python's; rounded if digits are given."""
    values = {name: getattr(value, "tolist", lambda v=value: v)() for name, value in row.items()}
    return {
        name: to_json(value if digits is None else float(f"{value:.{digits}g}"))
        if isinstance(value, float)
        else value
        for name, value in values.items()
    }


def _refuse_flaw(source: str, flaw: dict[str, Any]) -> NoReturn:
    """Refuse a run that would not pass against itself."""
    if flaw["method"] != CEILING:
        raise InputError(f"{source}: no baseline: {flaw['method']}: {flaw['reason']}")
    where = case_name(flaw) if flaw["photo"] else f"tier {flaw['tier']}"
    found = flaw["reason"] or f"{flaw['metric']} = {flaw['new']}"
    if flaw["reason"] and flaw["metric"]:
        found = f"{flaw['metric']}: {found}"
    raise InputError(
        f"{source}: expected the ceiling to be perfect, found {found} for {where}; repair the "
        "harness or the metric"
    )


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader, or a full disk, never leaves half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, "utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error}; give another --file") from error


def _lines(run: Results) -> Iterator[str]:
    metrics = run.rules.gated(run.metrics)
    names = metrics["metric"].tolist()
    rules = run.rules.written(run.methods, names, run.lead)
    yield "{"
    yield f' "format": {FORMAT},'
    yield f' "lead": {_text(rules.lead)},'
    yield from _block("rules", rules.rules)
    yield from _block("tolerances", rules.tolerances)
    yield f' "made_from": {_text({"finished": run.finished, "cases": run.cases_hash})},'
    yield f' "fingerprint": {_text(run.fingerprint)},'
    yield f' "machine": {_text(asdict(run.machine))},'
    yield from _block("packages", dict(sorted(run.packages.items())))
    yield ' "metrics": ['
    yield from _separated(f"  {_text(row)}" for row in records(metrics))
    yield " ],"
    yield ' "methods": {'
    methods = sorted(records(run.methods), key=lambda row: row["method"])
    for place, method in enumerate(methods):
        yield f"  {_text(method['method'])}: {{"
        yield f'   "stochastic": {_text(bool(method["stochastic"]))},'
        yield f'   "identity": {_text(method["identity"])},'
        yield f'   "fills": {_text(method["fills"])},'
        if method["numbers"]:
            yield f'   "numbers": {_text(method["numbers"])},'
        yield '   "cases": {'
        own = run.cases[run.cases["method"] == method["method"]].sort_values(CASE_KEYS)
        yield from _separated(f"    {_case(row, names, rules)}" for row in records(own))
        yield "   }"
        yield "  }" + ("," if place + 1 < len(methods) else "")
    yield " }" + ("," if run.latency else "")
    if run.latency:
        yield from _latency(run.latency)
    yield "}"


def _block(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield f" {_text(name)}: {{"
    yield from _separated(f"  {_text(key)}: {_text(value)}" for key, value in values.items())
    yield " },"


def _latency(timings: Timings) -> Iterator[str]:
    """Ratios to the anchor, a method, size, tier and region a line."""
    yield ' "latency": {'
    yield f'  "anchor": {_text(asdict(timings.anchor))},'
    yield f'  "kind": {_text(timings.kind)},'
    tests = [plain(asdict(test), _DIGITS) for test in timings.self_tests]
    yield f'  "self_tests": {_text(tests)},'
    yield '  "rows": ['
    rows = (plain(row, _DIGITS) for row in records(timings.rows.sort_values(PLACE)))
    yield from _separated(f"   {_text(row)}" for row in rows)
    yield "  ]"
    yield " }"


def _case(row: dict[str, Any], names: list[str], rules: Rules) -> str:
    values: Any = row["status"]
    if values == "ok":
        # Adding 0.0 turns -0.0 into 0.0, which would differ in a diff and nowhere else.
        values = [
            to_json(round(float(row[name]), decimals(rules.tolerance(name))) + 0.0)
            for name in names
        ]
    return f"{_text(case_name(row))}: {_text(values)}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _separated(lines: Iterator[str]) -> Iterator[str]:
    """Put a comma behind every line but the last."""
    previous = next(lines, None)
    for line in lines:
        yield f"{previous},"
        previous = line
    if previous is not None:
        yield previous
