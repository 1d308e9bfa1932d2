"""Opening a run folder: check a request against what is there, before any work."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from bench.errors import BenchError, InputError, require_one_of
from bench.folder import header as headers
from bench.folder import kept
from bench.folder.differences import in_words
from bench.folder.header import Fingerprint, Header
from bench.folder.json_file import NewerFormat
from bench.folder.read import Reader
from bench.folder.store import RunFolder
from bench.machine.spread import Hands
from bench.metrics.meter import MetricStatus, resolve_metrics
from bench.planning import bundled, fingerprints
from bench.planning import plan as planning
from bench.planning.case import Cases
from bench.planning.pictures import Weight
from bench.planning.protocol import Protocol
from bench.run import choice, compaction, disk, growth, new_header, summary, training_table
from bench.run.executors.local import prepare
from bench.run.fills import Fills
from bench.run.identities import Identity, identities
from bench.run.methods_table import methods_table
from bench.run.progress import Progress
from bench.run.request import EXECUTORS, Request
from bench.text import plain
from methods.base import Inpainter
from methods.harness import CEILING
from methods.own import Unmade


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
        found: What a process found out of methods that are probed, by name.
        gone: Why methods of earlier starts cannot fill what came since, by name.
        telling: Methods that were shown all cases, and tell workers what they must know of each.
    """

    store: RunFolder
    header: Header
    plan: Cases
    metrics: list[MetricStatus]
    wanted: dict[str, Fills]
    deterministic: frozenset[str]
    identities: Mapping[str, str]
    found: Mapping[str, str]
    gone: Mapping[str, str]
    telling: Mapping[str, Inpainter]


class _Chosen(NamedTuple):
    """Methods by the text that asks for them; by name, what fills depend on, why some are gone."""

    methods: dict[str, Inpainter]
    known: dict[str, Identity]
    gone: dict[str, str]


def open_run(request: Request, store: RunFolder, progress: Progress) -> Opened:
    """Check everything that can be checked, then write what the run starts from.

    Raises:
        BenchError: If the request cannot be served, or not in this folder; nothing of what the
            folder holds is changed then.
    """
    check(request)
    before = _before(store)
    asked, unmade = choice.asked(request)
    metrics = resolve_metrics(
        request.measured,
        offline=request.offline,
        weights=request.weights,
        truth_known=request.truth_known,
    )
    key = fingerprints.inputs_key(request.protocol)
    there = growth.plan_of(store) if before else None
    fills = sum(request.fills_of(m.card.stochastic) for m in asked.values() if m.name != CEILING)
    plan, inputs = _plan(request, store, before, there, key, progress, fills)
    if request.strict:
        summary.refuse_any(inputs)
    progress.stage("preparing the methods")
    signatures = [entry.metric.signature for entry in metrics if entry.status == "ok"]
    fingerprint = Fingerprint.parse(fingerprints.fingerprint(plan, request.protocol, signatures))
    _same_protocol(store, before, there, fingerprint, request, plan)
    cases = Cases(plan)
    choice.none_sees_the_answer(asked.values(), plan)
    chosen, known, gone = _choose(request, before, asked, unmade, metrics, plan, inputs)
    prompts = list(zip(plan["case_key"], plan["prompt"], strict=True))
    header = new_header.begun(request, before, chosen, metrics, known, fingerprint, key, prompts)
    described = _described(store, header, list(chosen.values()), known)
    if unknown := header.fill_keys.keys() - {*described["method"]}:
        print(f"{', '.join(sorted(unknown))}: left out until asked for, since methods.parquet was "
              "damaged; their fills stay", file=sys.stderr)  # fmt: skip
        header = header.without(unknown)
        gone = {name: why for name, why in gone.items() if name not in unknown}
    tables = {
        "inputs": inputs,
        "plan": plan,
        "metrics": compaction.metrics_table(metrics),
        "methods": described,
        "training": training_table.table(list(chosen.values())),
    }
    _begin(store, before, header, tables)
    ordered = sorted(chosen.values(), key=lambda method: -method.card.cost)
    wanted = {
        method.name: Fills.of(len(cases), request.fills_of(method.card.stochastic))
        for method in ordered
    }
    steady = frozenset(
        method.name for method in ordered if not (method.card.stochastic or method.name == CEILING)
    )
    each = sum(header.fills_per_case[method.name] for method in ordered)
    if there is not None and (line := growth.said(there, plan, each)):
        print(line, file=sys.stderr)
    texts = {name: identity.text for name, identity in known.items()}
    told = {name: identity.found for name, identity in known.items() if identity.found}
    telling = {m.name: m for m in ordered if type(m).tell is not Inpainter.tell}
    return Opened(store, header, cases, metrics, wanted, steady, texts, told, gone, telling)


def _before(store: RunFolder) -> Header | None:
    """The header of earlier starts; a damaged one is set aside, and all but history made anew."""
    try:
        return headers.read(store) if store.file(headers.FILE).exists() else None
    except NewerFormat:
        raise
    except InputError as error:
        store.set_aside(headers.FILE)
        print(
            plain.lines(
                f"{error}\nIt is set aside, and written anew: earlier starts are no longer listed, "
                "and methods that are not asked for now are left out until they are. Fills stay"
            ),
            file=sys.stderr,
        )
        return None


def check(request: Request) -> None:
    """Refuse what no folder could serve.

    Raises:
        BenchError: If it is that.
    """
    photos = request.protocol.photos
    listed = request.protocol.pairs is not None  # no other picture becomes a photo
    if (
        photos not in bundled.SETS
        and not listed
        and request.out.resolve().is_relative_to(Path(photos).resolve())
    ):
        raise BenchError(
            f"--out {request.out} lies inside the photos' folder, so fills would become photos; "
            "give another --out"
        )
    if request.limits.timeout <= 0:
        raise BenchError(f"--timeout: expected seconds above 0, found {request.limits.timeout}")
    # A cluster that is joined says itself how many workers it has room for.
    for name, least in (("samples", 1), ("workers", 0 if request.address else 1), ("threads", 1)):
        if (found := getattr(request, name)) < least:
            raise BenchError(f"--{name}: expected a number from {least}, found {found}")
    index, count = request.shard
    if not 0 <= index < count:
        raise BenchError(f"--shard: expected I/N with I from 0 to N-1, found {index}/{count}")
    require_one_of(request.executor, EXECUTORS, "executor")
    if request.address and request.executor != "ray":
        raise BenchError(f"--address {request.address}: only --executor ray joins a cluster")


def _plan(
    request: Request,
    store: RunFolder,
    before: Header | None,
    there: pd.DataFrame | None,
    key: str,
    progress: Progress,
    fills: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the plan of an earlier start if its request and files are the same, else make it.

    What disk the run will take, with so many fills of a case, is told as soon as it can be.
    """

    def tell(weight: Weight, share: float) -> None:
        found = disk.needed(request.out, weight, share, fills, cases := round(weight.holes / share),
                            min(cases, planning.KEEP_ALL_UP_TO))  # fmt: skip
        if found.worth_saying:
            print(found, file=sys.stderr)

    if before is not None and there is not None and before.inputs_key == key:
        with contextlib.suppress(InputError):
            inputs = Reader(store, ("inputs",)).table("inputs")
            if not (damaged := kept.not_whole(store, planning.picture_files(there))):
                return there, inputs
            for name in damaged:  # made anew below
                store.set_aside(name)
    # Workers are forked from the same process later, so it loads all that they need.
    context = partial(prepare, request.threads, request.measured if request.truth_known else ())
    hands = Hands(request.processes, context) if request.executor != "inline" else None
    plan, inputs = planning.make(
        request.protocol, store, progress.reading, hands=hands, weighed=tell
    )
    if before is None or there is None or before.protocol.get("seed") != request.protocol.seed:
        return plan, inputs
    generated = plan["mask_source"].eq("generated").all()
    return growth.with_earlier_holes(there, plan) if generated else plan, inputs


def _choose(
    request: Request,
    before: Header | None,
    asked: Mapping[str, Inpainter],
    unmade: Mapping[str, Unmade],
    metrics: Sequence[MetricStatus],
    plan: pd.DataFrame,
    inputs: pd.DataFrame,
) -> _Chosen:
    """Show the methods what there is to fill, and learn what their fills depend on."""
    show = partial(choice.show, request, plan, inputs)
    for method in asked.values():
        if said := unmade.get(method.name) or show(method):
            print(plain.lines(f"{method.name}: {said}"), file=sys.stderr)
    found, gone = choice.still_there(before, asked, request, show)
    chosen = {**found, **asked}
    known = identities(chosen, request, [each.metric.name for each in metrics])
    for method in asked.values():
        if said := known[method.name].said:
            print(plain.lines(f"{method.name}: {said}"), file=sys.stderr)
    # What nobody asked for now must not lose its rows for what cannot be known of it today.
    gone |= {
        method.name: known[method.name].passing or "it cannot be loaded now"
        for text, method in found.items()
        if not known[method.name].lasting
    }
    chosen = {text: m for text, m in chosen.items() if m.name not in gone}
    return _Chosen(chosen, {m.name: known[m.name] for m in chosen.values()}, gone)


def _begin(
    store: RunFolder, before: Header | None, header: Header, tables: Mapping[str, pd.DataFrame]
) -> None:
    """Write what a run starts from."""
    if before is not None:  # what is complete until then has the tables of before
        # Without its key, so that this start, killed in between, leaves no plan of another's files.
        replace(before, state="running", inputs_key="").write(store)
    for name, table in tables.items():
        store.write_table(f"{name}.parquet", table)
    header.write(store)


def _same_protocol(
    store: RunFolder,
    before: Header | None,
    there: pd.DataFrame | None,
    fingerprint: Fingerprint,
    request: Request,
    plan: pd.DataFrame,
) -> None:
    """Refuse to mix two protocols in one folder.

    Another set of metrics is measured anew, and photos and holes may be added.
    """
    if before is None:
        return
    asked = asdict(Protocol()) | dict(before.protocol), asdict(request.protocol)
    if growth.continues(before, there, fingerprint, asked, plan):
        return
    parts = before.fingerprint.differences(fingerprint)
    differs = in_words(parts, asked, (plan if there is None else there, plan), ("there", "now"))
    raise BenchError(
        f"{store.path} holds a run with another protocol ({'; '.join(differs)}); give another "
        "--out, or the options of that run"
    )


def _described(
    store: RunFolder, header: Header, chosen: list[Inpainter], known: Mapping[str, Identity]
) -> pd.DataFrame:
    """Describe the methods that can run now; keep the description of the others."""
    table = methods_table(chosen, {name: identity.text for name, identity in known.items()})
    if store.file("methods.parquet").exists():
        try:
            before = Reader(store, ("methods",)).table("methods")
            table = pd.concat([before[~before["method"].isin(table["method"])], table])
        except InputError:
            store.set_aside("methods.parquet")
    order = list(header.fill_keys)
    return table.sort_values("method", key=lambda names: names.map(order.index), kind="stable")
