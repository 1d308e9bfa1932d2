"""What a run would do, told before anything is written: cases, fills, time, disk.

No method is loaded: what only a loaded one tells is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

import methods
from bench.folder import header as headers
from bench.folder.header import Fingerprint
from bench.folder.schema import CASES, LATENCY, PLAN
from bench.folder.store import RunFolder, records
from bench.gate.tolerances import CEILING
from bench.machine import children
from bench.machine.spread import Hands
from bench.planning import fingerprints
from bench.planning import plan as planning
from bench.planning.pairing import Tell
from bench.planning.pictures import Weight
from bench.planning.protocol import Protocol
from bench.run import disk, growth
from bench.run.disk import Disk
from bench.run.request import Request
from bench.run.time_left import Forecast, Left, seconds_a_fill
from methods.spec import Spec
from methods.weights import present


class Pace(NamedTuple):
    """How long a fill takes: in seconds, and how that is known."""

    seconds: float
    source: str


class Planned(NamedTuple):
    """What a method would do.

    Attributes:
        name: Its full name.
        fills: How many.
        kept: How many of them lie in the run folder; they stay if nothing they depend on changed.
        pace: How long one takes, if an earlier run tells.
        obstacle: Why it would not run.
    """

    name: str
    fills: int
    kept: int
    pace: Pace | None
    obstacle: str


@dataclass(frozen=True)
class Ahead:
    """What a run would do.

    Attributes:
        plan: Rows of ``plan.parquet``.
        inputs: Rows of ``inputs.parquet``.
        methods: What each method would do.
        left: How long the fills would take.
        disk: What the run folder would take.
        differs: In what the run folder holds another protocol, which a run would refuse.
    """

    plan: pd.DataFrame
    inputs: pd.DataFrame
    methods: list[Planned]
    left: Left
    disk: Disk
    differs: list[str]


def look(request: Request, earlier: Sequence[Path], tell: Tell) -> Ahead:
    """Read photos and holes, and see what there would be to do.

    Args:
        request: What is asked for.
        earlier: Run folders to take times from, besides that of the request.
        tell: Told how many of how many photos are read.

    Raises:
        BenchError: If the request cannot be served, as far as that shows without its methods, or
            an earlier run is none.
    """
    for path in earlier:
        headers.read(RunFolder(path))
    asked = map(methods.parse, dict.fromkeys([*request.methods, CEILING]))
    specs = [spec for spec in asked if spec.name != CEILING or request.truth_known]
    obstacles = {spec.name: obstacle(spec) for spec in specs}
    folder = RunFolder(request.out)
    weights: list[tuple[Weight, float]] = []
    plan, inputs = planning.make(
        request.protocol,
        folder,
        tell,
        hands=Hands(request.processes, partial(children.context, 1, [planning.__name__])),
        write=False,
        weighed=lambda *weight: weights.append(weight),
    )
    paces = _paces([request.out, *earlier], plan, request.device)
    kept = _kept(folder, plan)
    planned = [
        Planned(
            spec.name,
            len(plan) * request.fills_of(_stochastic(spec)),
            kept.get(spec.name, 0),
            paces.get(spec.name),
            obstacles[spec.name],
        )
        for spec in specs
    ]
    # A method that would not run is through at once.
    waiting = {
        m.name: max(m.fills - m.kept, 0) // request.shard[1] * (not m.obstacle) for m in planned
    }
    forecast = Forecast(
        request.workers or request.processes,
        {name: pace.seconds for name, pace in paces.items()},
        waiting,
    )
    made = sum(each.fills for each in planned if each.name != CEILING and not each.obstacle)
    return Ahead(
        plan,
        inputs,
        planned,
        forecast.left(),
        disk.needed(
            request.out, *weights[0], made // len(plan), len(plan), int(plan["keep"].sum())
        ),
        _differences(folder, plan, request),
    )


def _stochastic(spec: Spec) -> bool:
    """Whether a method is stochastic; False of a class of one's own, which only loading tells."""
    return spec.kind not in ("class", "plug-in") and methods.card(spec).stochastic


def obstacle(spec: Spec) -> str:
    """Which weights a method lacks, with the command that gets them.

    Raises:
        BenchError: If a file or folder that it names is not there.
    """
    if spec.kind == "built-in":
        files = methods.card(spec).files(spec.weights)
        missing = [file.command for file in files if not present(file)]
        return f"no weights here; run: {' && '.join(missing)}" if missing else ""
    methods.look_up(spec.text)
    return ""


def _differences(folder: RunFolder, plan: pd.DataFrame, request: Request) -> list[str]:
    if not folder.file(headers.FILE).exists():
        return []
    now = Fingerprint.parse(fingerprints.fingerprint(plan, request.protocol, ()))
    header = headers.read(folder)
    asked = asdict(Protocol()) | dict(header.protocol), asdict(request.protocol)
    if growth.continues(header, growth.plan_of(folder), now, asked, plan):
        return []
    parts = header.fingerprint.differences(now)
    return [part.name for part in parts if part.name != "metrics"]


def _kept(folder: RunFolder, plan: pd.DataFrame) -> dict[str, int]:
    """How many completed fills of these cases lie in a run folder, by method."""
    if not folder.file(CASES.file).exists():
        return {}
    rows = folder.read_table(CASES.file, ("method", "case_key", "status"))
    ok = rows["status"].eq("ok") & rows["case_key"].isin(plan["case_key"])
    return {
        str(method): int(count) for method, count in rows.loc[ok, "method"].value_counts().items()
    }


def _paces(folders: Sequence[Path], plan: pd.DataFrame, device: str) -> dict[str, Pace]:
    """Paces by method, of the first folder that has any; fills of runs before timings."""
    area = float((plan["height"] * plan["width"]).mean())
    found: dict[str, Pace] = {}
    for path in folders:
        folder = RunFolder(path)
        if folder.file(headers.FILE).exists():
            of_folder = {**_timed(folder, area, device), **_filled(folder, area, device)}
            found = {**of_folder, **found}
    return found


def _filled(folder: RunFolder, area: float, device: str) -> dict[str, Pace]:
    """Paces by the fills of a run that had one kind of device, and the same."""
    if not folder.file(CASES.file).exists():
        return {}
    devices = {start.device.partition(":")[0] for start in headers.read(folder).starts}
    if devices != {device.partition(":")[0]}:
        return {}
    rows = folder.read_table(CASES.file, ("method", "status", "seconds", "measure_seconds"))
    before = folder.read_table(PLAN.file, ("height", "width"))
    scale, words = _scaled(area, float((before["height"] * before["width"]).mean()))
    counts = rows.loc[rows["status"] == "ok", "method"].value_counts()
    return {
        method: Pace(seconds * scale, f"{counts[method]:,} fills in {folder.path}{words}")
        for method, seconds in seconds_a_fill(rows).items()
    }


def _timed(folder: RunFolder, area: float, device: str) -> dict[str, Pace]:
    """Paces by the timings of ``latency``, which are of fills alone."""
    if not folder.file(LATENCY.file).exists():
        return {}
    rows = folder.read_table(LATENCY.file)
    rows = rows[
        rows["region"].eq("e2e")
        & rows["device"].eq(device.partition(":")[0])
        & rows["p50_ms"].notna()
    ]
    nearest = rows.assign(off=(rows["side"] ** 2 - area).abs()).sort_values("off")
    found = {}
    for row in records(nearest.drop_duplicates("method")):
        scale, words = _scaled(area, float(row["side"] ** 2))
        source = f"{folder.file(LATENCY.file)}, without measuring{words}"
        found[row["method"]] = Pace(row["p50_ms"] / 1000 * scale, source)
    return found


def _scaled(area: float, before: float) -> tuple[float, str]:
    scale = area / before
    return scale, "" if abs(scale - 1) < 0.01 else f", times {scale:.2g} for the size of the photos"
