"""What ``run.json`` holds when a start begins: what is asked for now beside what was before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from bench.folder.fill_keys import of_run
from bench.folder.header import Environment, Fingerprint, Header, Start
from bench.machine import provenance
from bench.metrics.meter import MetricStatus
from bench.planning import bundled
from bench.planning.scoring import USUAL
from bench.run.identities import Identity, fill_key
from bench.run.request import Request
from methods.base import Inpainter
from methods.harness import CEILING


def begun(
    request: Request,
    before: Header | None,
    chosen: Mapping[str, Inpainter],
    metrics: list[MetricStatus],
    known: Mapping[str, Identity],
    fingerprint: Fingerprint,
    inputs_key: str,
    prompts: Iterable[tuple[str, str]],
) -> Header:
    """The header of a start.

    Args:
        request: What is asked for.
        before: The header that is there, if any.
        chosen: Methods by the text that asks for them from anywhere.
        metrics: What can be measured, and what cannot.
        known: What the fills of each method depend on.
        fingerprint: Of this start.
        inputs_key: Likewise.
        prompts: Keys of all cases, each with its prompt.
    """
    present = [entry.metric for entry in metrics if entry.status == "ok"]
    signatures = sorted(metric.signature for metric in present if metric.scope == "case")
    measure_key = digest(*signatures)
    # Seed, kind of device and scoring change the pictures kept, and belong to no method.
    setting = [str(request.protocol.seed), request.device.partition(":")[0]]
    if (scoring := request.protocol.scoring) != USUAL:
        setting.append(str(scoring))
    # The one method whose fills depend on a truth that is not the photo.
    truth = {CEILING: (fingerprint.parts["truth"],)} if "truth" in fingerprint.parts else {}
    keys = {
        name: fill_key(digest(name, each.text, *setting, *truth.get(name, ())), each)
        for name, each in known.items()
    }
    keys |= {m.name: of_run(keys[m.name], prompts) for m in chosen.values() if m.prompted}
    now: dict[str, Any] = {
        "methods": {method.name: text for text, method in chosen.items()},
        "fill_keys": keys,
        "fills_per_case": {m.name: request.fills_of(m.card.stochastic) for m in chosen.values()},
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
        nodes=request.nodes,
        **{name: getattr(request, name) for name in ("workers", "threads", "device", "offline")},
        shard="/".join(map(str, request.shard)),
        limits=asdict(request.limits),
    )
    return Header(
        state="running",
        created=before.created if before else start.time,
        photo_set=photos if (photos := request.protocol.photos) in bundled.SETS else "own photos",
        protocol=asdict(request.protocol),
        size_rule=str(request.protocol.geometry),
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


def digest(*parts: str) -> str:
    """First 16 hex digits of the SHA-256 of some texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
