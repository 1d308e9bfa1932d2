"""Opening a run folder: check a request against what is there, before any work."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

import methods
from bench.errors import BenchError, InputError, describe
from bench.folder import header as headers
from bench.folder.differences import in_words
from bench.folder.header import Environment, Fingerprint, Header, Start
from bench.folder.read import Reader
from bench.folder.store import Item, RunFolder
from bench.machine import provenance
from bench.metrics.meter import MetricStatus, resolve_metrics
from bench.planning import plan as planning
from bench.planning.case import PlannedCase, planned
from bench.planning.case_keys import case_keys
from bench.planning.images import BUNDLED
from bench.planning.protocol import Protocol
from bench.run import compaction, summary, training_table
from bench.run.identities import Identity, fill_key, identities
from bench.run.methods_table import methods_table
from bench.run.progress import Progress
from bench.run.request import Request
from bench.text import plain
from methods.base import CaseKey, Inpainter
from methods.harness import CEILING

_T = TypeVar("_T")


@dataclass(frozen=True)
class Opened:
    """A run folder ready for work.

    Attributes:
        store: The folder.
        header: The content of ``run.json``.
        plan: The cases, by number.
        metrics: What can be measured, and what cannot.
        wanted: All fills of the run by method, slow methods first.
        deterministic: Methods whose fills must be the same whenever they are made.
        identities: What the fills of each method depend on, in one line.
    """

    store: RunFolder
    header: Header
    plan: list[PlannedCase]
    metrics: list[MetricStatus]
    wanted: dict[str, list[Item]]
    deterministic: frozenset[str]
    identities: Mapping[str, str]


def open_run(request: Request, store: RunFolder, progress: Progress) -> Opened:
    """Check everything that can be checked, then write what the run starts from.

    Raises:
        BenchError: If the request cannot be served, or not in this folder; nothing of what the
            folder holds is changed then.
    """
    _check(request)
    before = headers.read(store) if store.file(headers.FILE).exists() else None
    asked = _asked(request)
    metrics = resolve_metrics(
        request.measured,
        offline=request.offline,
        weights=request.weights,
        truth_known=request.truth_known,
    )
    key = planning.inputs_key(request.protocol)
    plan, inputs = _plan(request, store, before, key, progress)
    if request.strict:
        summary.refuse_any(inputs)
    progress.stage("preparing the methods")
    signatures = [entry.metric.signature for entry in metrics if entry.status == "ok"]
    fingerprint = Fingerprint.parse(planning.fingerprint(plan, request.protocol, signatures))
    _same_protocol(store, before, fingerprint, request, plan)
    cases = planned(plan)
    keys = partial(case_keys, plan, inputs, asdict(request.protocol), request.protocol.size_rule)
    for method in asked.values():
        if said := _guarded(method.name, method.expect, keys(_samples(method, request))):
            print(plain.lines(f"{method.name}: {said}"), file=sys.stderr)
    chosen = {**_still_there(before, asked, request, keys), **asked}
    known = identities(chosen, request, [each.metric.name for each in metrics])
    # What nobody asked for now must not lose its rows for what cannot be known of it today.
    chosen = {text: m for text, m in chosen.items() if text in asked or known[m.name].lasting}
    known = {method.name: known[method.name] for method in chosen.values()}
    header = _header(request, before, chosen, metrics, known, fingerprint, key)
    described = _described(store, header, list(chosen.values()), known)
    if before is not None:  # what is complete until then has the tables of before
        replace(before, state="running").write(store)
    store.write_table("inputs.parquet", inputs)
    store.write_table("plan.parquet", plan)
    store.write_table("metrics.parquet", compaction.metrics_table(metrics))
    store.write_table("methods.parquet", described)
    store.write_table("training.parquet", training_table.table(list(chosen.values())))
    header.write(store)
    ordered = sorted(chosen.values(), key=lambda method: -method.card.cost)
    wanted = {method.name: _items(cases, method, request) for method in ordered}
    steady = frozenset(
        method.name for method in ordered if not (method.card.stochastic or method.name == CEILING)
    )
    texts = {name: identity.text for name, identity in known.items()}
    return Opened(store, header, cases, metrics, wanted, steady, texts)


def digest(*parts: str) -> str:
    """First 16 hex digits of the SHA-256 of some texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _check(request: Request) -> None:
    photos = request.protocol.photos
    listed = request.protocol.pairs is not None  # no other picture becomes a photo
    if (
        photos != BUNDLED
        and not listed
        and request.out.resolve().is_relative_to(Path(photos).resolve())
    ):
        raise BenchError(
            f"--out {request.out} lies inside the photos' folder, so fills would become photos; "
            "give another --out"
        )
    if request.limits.timeout <= 0:
        raise BenchError(f"--timeout: expected seconds above 0, found {request.limits.timeout}")
    for name in ("samples", "workers", "threads"):
        if getattr(request, name) < 1:
            raise BenchError(f"--{name}: expected a number from 1, found {getattr(request, name)}")
    index, count = request.shard
    if not 0 <= index < count:
        raise BenchError(f"--shard: expected I/N with I from 0 to N-1, found {index}/{count}")
    if request.executor not in ("local", "inline"):
        raise BenchError(f"executor: expected local or inline, found {request.executor!r}")


def _asked(request: Request) -> dict[str, Inpainter]:
    """The methods asked for and the ceiling, by the text that asks for them from anywhere."""
    found: dict[str, Inpainter] = {}
    names: dict[str, str] = {}
    protocol = request.protocol
    given_folders = [Path(each).resolve() for each in (protocol.photos, protocol.masks) if each]
    for given in [*request.methods, CEILING]:
        spec = methods.parse(given)
        if spec.name == CEILING and not request.truth_known:
            continue
        text = spec.stored
        if names.setdefault(spec.name, text) != text:
            raise BenchError(
                f"methods: {names[spec.name]!r} and {text!r} have one name; give another label"
            )
        if spec.kind == "folder" and Path(spec.target) in given_folders:
            raise BenchError(f"method {given!r}: its folder holds photos or masks of this run")
        if text not in found:
            found[text] = _guarded(spec.name, partial(methods.get, text, device=request.device))
    if not found:
        raise BenchError("methods: expected one, found only the ceiling, which shows the truth; "
                         "where that is unknown it cannot be run")  # fmt: skip
    return found


def _guarded(name: str, call: Callable[..., _T], *arguments: object) -> _T:
    """Call a method's code; whatever it raises is a message."""
    try:
        return call(*arguments)
    except BenchError:
        raise
    except Exception as error:
        raise BenchError(f"method {name!r} cannot be prepared: {describe(error)}") from error


def _still_there(
    before: Header | None,
    asked: Mapping[str, Inpainter],
    request: Request,
    keys: Callable[[int], list[CaseKey]],
) -> dict[str, Inpainter]:
    """Earlier methods that can still run; the rows of others stay as they are."""
    found: dict[str, Inpainter] = {}
    names = {method.name for method in asked.values()}
    for name, text in (before.methods if before else {}).items():
        if name in names:
            continue
        with contextlib.suppress(BenchError):
            method = _guarded(name, partial(methods.get, text, device=request.device))
            _guarded(name, method.expect, keys(_samples(method, request)))
            found[text] = method
    return found


def _plan(
    request: Request, store: RunFolder, before: Header | None, key: str, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the plan of an earlier start if its request and files are the same, else make it."""
    earlier = None
    if before is not None:
        with contextlib.suppress(InputError):
            reader = Reader(store, ("plan", "inputs"))
            earlier, inputs = reader.table("plan"), reader.table("inputs")
            if before.inputs_key == key:
                return earlier, inputs
    plan, inputs = planning.make(request.protocol, store, progress.reading)
    generated = plan["mask_source"].eq("generated").all()
    if before is not None and earlier is not None and generated:
        # Photos that only moved keep the holes that an earlier version drew for them.
        place = ["photo", "photo_sha", "tier", "draw"]
        same_seed = before.protocol.get("seed") == request.protocol.seed
        if same_seed and earlier[place].equals(plan[place]):
            said = {name: plan[name] for name in ("cluster", "prompt", "group")}
            return earlier.assign(**said), inputs
    return plan, inputs


def _same_protocol(
    store: RunFolder,
    before: Header | None,
    fingerprint: Fingerprint,
    request: Request,
    plan: pd.DataFrame,
) -> None:
    """Refuse to mix two protocols in one folder; another set of metrics is measured anew."""
    parts = before.fingerprint.differences(fingerprint) if before else []
    if before is None or all(part.name == "metrics" for part in parts):
        return
    there = plan
    with contextlib.suppress(InputError):
        there = Reader(store, ("plan",)).table("plan")
    asked = asdict(Protocol()) | dict(before.protocol), asdict(request.protocol)
    differs = in_words(parts, asked, (there, plan), ("there", "now"))
    raise BenchError(
        f"{store.path} holds a run with another protocol ({'; '.join(differs)}); give another "
        "--out, or the options of that run"
    )


def _items(cases: list[PlannedCase], method: Inpainter, request: Request) -> list[Item]:
    samples = range(_samples(method, request))
    return [Item(case, sample) for case in range(len(cases)) for sample in samples]


def _samples(method: Inpainter, request: Request) -> int:
    return request.samples if method.card.stochastic else 1


def _described(
    store: RunFolder, header: Header, chosen: list[Inpainter], known: Mapping[str, Identity]
) -> pd.DataFrame:
    """Describe the methods that can run now; keep the description of the others."""
    table = methods_table(chosen, {name: identity.text for name, identity in known.items()})
    if store.file("methods.parquet").exists():
        before = Reader(store, ("methods",)).table("methods")
        table = pd.concat([before[~before["method"].isin(table["method"])], table])
    order = list(header.fill_keys)
    return table.sort_values("method", key=lambda names: names.map(order.index), kind="stable")


def _header(
    request: Request,
    before: Header | None,
    chosen: Mapping[str, Inpainter],
    metrics: list[MetricStatus],
    known: Mapping[str, Identity],
    fingerprint: Fingerprint,
    inputs_key: str,
) -> Header:
    """The content of ``run.json`` before any work."""
    present = [entry.metric for entry in metrics if entry.status == "ok"]
    signatures = sorted(metric.signature for metric in present if metric.scope == "case")
    measure_key = digest(*signatures)
    # Seed and kind of device change fills, and belong to no method.
    setting = (str(request.protocol.seed), request.device.partition(":")[0])
    # The one method whose fills depend on a truth that is not the photo.
    truth = {CEILING: (fingerprint.parts["truth"],)} if "truth" in fingerprint.parts else {}
    now: dict[str, Any] = {
        "methods": {method.name: text for text, method in chosen.items()},
        "fill_keys": {
            method.name: fill_key(
                digest(method.name, known[method.name].text, *setting, *truth.get(method.name, ())),
                known[method.name],
            )
            for method in chosen.values()
        },
        "fills_per_case": {m.name: _samples(m, request) for m in chosen.values()},
        "measurements": {measure_key: signatures},
    }
    for name in now:
        now[name] = {**(getattr(before, name) if before else {}), **now[name]}
    collected = provenance.collect()
    command = collected.pop("command")
    environment = Environment(**collected)
    start = Start(
        time=provenance.now(),
        command=command,
        environment=environment,
        executor=request.executor,
        **{name: getattr(request, name) for name in ("workers", "threads", "device", "offline")},
        shard="/".join(map(str, request.shard)),
        limits=asdict(request.limits),
    )
    return Header(
        state="running",
        created=before.created if before else start.time,
        photo_set=BUNDLED if request.protocol.photos == BUNDLED else "own photos",
        protocol=asdict(request.protocol),
        size_rule=request.protocol.size_rule,
        samples=request.samples,
        **now,
        measure_key=measure_key,
        features=sorted({m.network for m in present if m.scope == "set" and m.network}),
        environment=environment,
        starts=[*(before.starts if before else ()), start],
        made_anew={
            **{n: why for n, why in (before.made_anew if before else {}).items() if n not in known},
            **{n: each.passing for n, each in known.items() if each.passing},
        },
        fingerprint=fingerprint,
        inputs_key=inputs_key,
        missing=0,
        finished="",
        counts={},
        without_result=[],
        non_deterministic=[],
    )
