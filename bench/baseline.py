"""What a run is gated against: a reviewed file, or another run folder.

Both are read into the same `Results`. The file's layout is described in ``docs/gate.md``; it
has one case per line, sorted and rounded, so that a change of it can be reviewed as a diff.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import store
from bench.errors import InputError
from bench.store import KEYS, RunFolder, records
from bench.tolerances import decimals, require_tolerances

FORMAT = 1
CASE_KEYS = KEYS[1:]
_SIGNATURE = ["metric", "region", "implementation", "version", "weights"]


class NewerFormat(InputError):
    """A baseline or run folder written by a newer version of this project."""


@dataclass(frozen=True)
class Results:
    """What the gate needs of a run.

    Attributes:
        source: Where it was read.
        fingerprint: The line of the protocol.
        packages: Versions of the libraries it was made with.
        metrics: One row per case metric that was measured: ``metric``, ``direction``, ``unit``,
            ``signature`` (all that decides its values).
        methods: One row per method: ``method``, ``stochastic``, ``identity``.
        cases: One row per fill: the keys, ``cluster`` (run folders only), ``status``,
            ``reason``, and one column per metric.
        unfinished: Why the run is not whole; empty if it is.
    """

    source: str
    fingerprint: str
    packages: dict[str, str]
    metrics: pd.DataFrame
    methods: pd.DataFrame
    cases: pd.DataFrame
    unfinished: str = ""


def read(path: Path) -> Results:
    """Read a baseline file or a run folder.

    Raises:
        NewerFormat: If a newer version of this project wrote it.
        InputError: If it is missing or damaged.
    """
    return read_run(path) if path.is_dir() else _read_file(path)


def read_run(path: Path) -> Results:
    """Read the results of a run folder.

    Raises:
        NewerFormat: If a newer version of this project wrote it.
        InputError: If it is missing or damaged, or has no tables yet.
    """
    _refuse_newer(path / "run.json", store.FORMAT)
    folder = RunFolder(path)
    header = folder.read_json()
    metrics = folder.read_table("metrics.parquet")
    metrics = metrics[(metrics["scope"] == "case") & (metrics["status"] == "ok")]
    names = metrics["metric"].tolist()
    methods = folder.read_table("methods.parquet")[["method", "stochastic", "identity"]]
    cases = folder.read_table("cases.parquet")
    state = header["state"]
    return Results(
        source=str(path),
        fingerprint=header["fingerprint"],
        packages=header["environment"]["packages"],
        metrics=metrics[["metric", "direction", "unit"]].assign(
            signature=metrics[_SIGNATURE].agg("|".join, axis=1)
        ),
        methods=methods,
        cases=cases[[*KEYS, "cluster", "status", "reason", *names]],
        unfinished="" if state == "complete" else f"its state is {state}",
    )


def write(path: Path, run: Results) -> None:
    """Write the baseline file of a run.

    Raises:
        InputError: If the run is not complete, a fill of it was not measured for another reason
            than that the method declined it, or a metric has no tolerance.
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
    require_tolerances(run.metrics["metric"], run.source)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_lines(run)) + "\n", "utf-8")


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


def to_json(value: float) -> float | str | None:
    """A number as strict JSON can hold it: NaN becomes null, infinity the text ``inf``."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def _lines(run: Results) -> Iterator[str]:
    names = run.metrics["metric"].tolist()
    yield "{"
    yield f' "format": {FORMAT},'
    yield f' "fingerprint": {_text(run.fingerprint)},'
    yield ' "packages": {'
    yield from _separated(f"  {_text(k)}: {_text(v)}" for k, v in sorted(run.packages.items()))
    yield " },"
    yield ' "metrics": ['
    yield from _separated(f"  {_text(row)}" for row in records(run.metrics))
    yield " ],"
    yield ' "methods": {'
    methods = sorted(records(run.methods), key=lambda row: row["method"])
    for place, method in enumerate(methods):
        yield f"  {_text(method['method'])}: {{"
        yield f'   "stochastic": {_text(bool(method["stochastic"]))},'
        yield f'   "identity": {_text(method["identity"])},'
        yield '   "cases": {'
        own = run.cases[run.cases["method"] == method["method"]].sort_values(CASE_KEYS)
        yield from _separated(f"    {_case(row, names)}" for row in records(own))
        yield "   }"
        yield "  }" + ("," if place + 1 < len(methods) else "")
    yield " }"
    yield "}"


def _case(row: dict[str, Any], names: list[str]) -> str:
    values: Any = row["status"]
    if values == "ok":
        # Adding 0.0 turns -0.0 into 0.0, which would differ in a diff and nowhere else.
        values = [to_json(round(float(row[name]), decimals(name)) + 0.0) for name in names]
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


def _refuse_newer(path: Path, known: int) -> dict[str, Any]:
    """Read a JSON file whose format this code knows."""
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"))
        found = int(value["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: expected a baseline file or a run folder's run.json: {error!r}; make one "
            "with inpaint-bench baseline update or inpaint-bench run"
        ) from error
    if found > known:
        raise NewerFormat(f"{path}: format {found} is newer than {known}; update inpaint-bench")
    return value


def _read_file(path: Path) -> Results:
    value = _refuse_newer(path, FORMAT)
    try:
        metrics = pd.DataFrame(
            value["metrics"], columns=["metric", "direction", "unit", "signature"]
        )
        names = metrics["metric"].tolist()
        methods = [
            {"method": name, "stochastic": facts["stochastic"], "identity": facts["identity"]}
            for name, facts in value["methods"].items()
        ]
        rows = [
            _row(method, key, values, names)
            for method, facts in value["methods"].items()
            for key, values in facts["cases"].items()
        ]
        return Results(
            source=str(path),
            fingerprint=value["fingerprint"],
            packages=value["packages"],
            metrics=metrics,
            methods=pd.DataFrame(methods, columns=["method", "stochastic", "identity"]),
            cases=pd.DataFrame(rows, columns=[*KEYS, "status", "reason", *names]).astype(
                {"draw": "int64", "sample": "int64"} | dict.fromkeys(names, "float64")
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: damaged, or no baseline: {error!r}; restore it from version control, or "
            "delete it and write it anew with inpaint-bench baseline update RUN"
        ) from error


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
