"""Several runs as one set of tables, for one report; pictures stay where they are.

Unlike `bench.run.merge`, which makes one run of the parts of one, this also puts runs beside each
other that did the same methods with different code, and, when told to, of different protocols.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from bench.errors import BenchError, InputError
from bench.folder import same_fills
from bench.folder.differences import environment_differences, protocol_differences
from bench.folder.header import Header, Joined, Origin
from bench.folder.read import Reader, Run
from bench.folder.schema import CASES, TABLES
from bench.folder.store import KEYS, RunFolder, method_folder
from bench.statistics import CASE

_PATHS = ("output", "thumbnail", "pictures", "traceback")
_OTHERS = ("sets", "samples", "training", "receptive", "latency")


@dataclass(frozen=True)
class _Part:
    """One run: its name for readers, the beginning of its paths, the methods under new names."""

    label: str
    prefix: str
    reader: Reader
    run: Run
    names: Mapping[str, str]


def join(target: Path, runs: Sequence[Path], *, anyway: bool = False) -> dict[str, Path]:
    """Write the tables of several runs as those of one.

    A method that was run with the same code and settings in several runs is one method, with the
    first completed row of each case. Otherwise it is one method per run, named for it. A metric
    counts only if every run measured it.

    Args:
        target: Folder to write, empty.
        runs: Run folders.
        anyway: Join runs of different protocols too; ``run.json`` then lists the ``differences``.

    Returns:
        Where pictures lie: the folder of each run, by the name that begins their paths.

    Raises:
        BenchError: If the protocols differ, or what is one method by all that is known of it gave
            different pictures.
        InputError: If a run cannot be read, or is given twice.
    """
    readers = [Reader(RunFolder(path)) for path in runs]
    found = [reader.run(("plan", "metrics", "methods", "inputs")) for reader in readers]
    labels = _labels(runs)
    differences = _differences(found, labels)
    if differences and not anyway:
        raise BenchError(
            f"these runs follow different protocols: {'; '.join(differences)}. Their numbers do "
            "not belong in one table; run one of them again with the other's options, or give "
            "--anyway"
        )
    odd = same_fills.check(found, anyway=anyway)
    names, notes = _names(found, labels)
    parts = [
        _Part(labels[number], f"run-{number}", readers[number], found[number], own)
        for number, own in enumerate(names)
    ]
    store = RunFolder(target)
    plan, more = _plan(parts)
    store.write_table("plan.parquet", plan)
    store.write_table("metrics.parquet", _metrics(parts))
    store.write_table("methods.parquet", _methods(parts))
    _write_cases(store, parts, plan)
    _write_others(store, parts)
    _header(parts, differences, [*notes, *odd, *more]).write(store)
    return {part.prefix: part.run.folder for part in parts}


def _labels(runs: Sequence[Path]) -> list[str]:
    """Names of the folders, with as much of their path as tells them apart."""
    places = [path.resolve() for path in runs]
    if len(set(places)) < len(places):
        raise InputError(f"a run is given twice: {', '.join(map(str, runs))}; give each once")
    for depth in itertools.count(1):
        labels = ["/".join(place.parts[-depth:]).lstrip("/") for place in places]
        if len(set(labels)) == len(labels):
            return labels
    raise AssertionError("different paths differ at some depth")


def _differences(runs: Sequence[Run], labels: Sequence[str]) -> list[str]:
    """Which parts of the protocol differ from the first run's, in words."""
    found = []
    measured = [set(run.metrics.loc[run.metrics["status"] == "ok", "metric"]) for run in runs]
    for run, label, own in zip(runs[1:], labels[1:], measured[1:], strict=True):
        if run.header.fingerprint == runs[0].header.fingerprint:
            continue
        both = [name for name in runs[0].metrics["metric"] if name in own & measured[0]]
        words = protocol_differences(runs[0], run, both)
        found += [f"{each} (A: {labels[0]}, B: {label})" for each in words]
    return found


def _names(runs: Sequence[Run], labels: Sequence[str]) -> tuple[list[dict[str, str]], list[str]]:
    """New names of each run's methods, and why some have a new one."""
    renamed: list[dict[str, str]] = [{} for _ in runs]
    notes = []
    for method in dict.fromkeys(name for run in runs for name in run.methods["method"]):
        having = [place for place, run in enumerate(runs) if method in set(run.methods["method"])]
        keys = {str(runs[place].header.fill_keys.get(method)) for place in having}
        for place in having:
            own = method if len(keys) == 1 else f"{method} ({labels[place]})"
            renamed[place][method] = own
        if len(keys) > 1:
            where = " and ".join(labels[place] for place in having)
            identities = {runs[place].methods.loc[method, "identity"] for place in having}
            why = "other code, weights or settings" if len(identities) > 1 else "other settings"
            notes.append(f"{method} was run with {why} in {where}: one method per run here")
        elif len(having) > 1:
            where = " and ".join(labels[place] for place in having)
            notes.append(f"{method} is the same in {where}: the first completed fill of each case")
    return renamed, notes


def _plan(parts: Sequence[_Part]) -> tuple[pd.DataFrame, list[str]]:
    """All cases, and a note for each run that has other content under a known name."""
    plan = parts[0].run.plan
    notes = []
    for part in parts[1:]:
        both = part.run.plan.merge(plan, on=CASE, suffixes=("", " before"))
        other = int((both["case_key"] != both["case_key before"]).sum())
        if other:
            notes.append(
                f"{other} cases of {part.label} have the name of a case before but another photo "
                "or hole: their numbers stand beside each other, their fills are not shown"
            )
        plan = pd.concat([plan, part.run.plan]).drop_duplicates(CASE)
    order = {tier: place for place, tier in enumerate(dict.fromkeys(plan["tier"]))}
    plan = plan.sort_values("tier", key=lambda tiers: tiers.map(order), kind="stable")
    return plan.assign(case=range(len(plan))), notes


def _metrics(parts: Sequence[_Part]) -> pd.DataFrame:
    every = pd.concat([part.run.metrics for part in parts], ignore_index=True)
    every = every.drop_duplicates("metric")
    for row, name in every["metric"].items():
        lacking = [part.label for part in parts if not _measured(part.run, name)]
        if 0 < len(lacking) < len(parts):
            why = f"not measured in {', '.join(lacking)}, so nobody is compared by it"
            every.loc[row, ["status", "reason"]] = ["absent", why]
    return every


def _measured(run: Run, metric: str) -> bool:
    return bool(((run.metrics["metric"] == metric) & (run.metrics["status"] == "ok")).any())


def _methods(parts: Sequence[_Part]) -> pd.DataFrame:
    tables = []
    for part in parts:
        table = part.run.methods
        new = table["method"].map(part.names)
        titles = table["title"].where(new == table["method"], table["title"] + f" ({part.label})")
        tables.append(table.assign(method=new, title=titles))
    every = pd.concat(tables)
    # One that was available anywhere is available.
    ordered = every.sort_values("status", key=lambda status: status != "ok", kind="stable")
    first = ordered.drop_duplicates("method").set_index("method")
    return first.loc[list(dict.fromkeys(every["method"]))].reset_index()


def _write_cases(store: RunFolder, parts: Sequence[_Part], plan: pd.DataFrame) -> None:
    """Write a method after the other, so that a large table is never whole in memory."""
    place = plan[[*CASE, "case", "case_key"]].rename(columns={"case_key": "planned"})
    names = dict.fromkeys(name for part in parts for name in part.names.values())
    columns = [column for part in parts for column in part.reader.columns(CASES)]
    empty = CASES.frame([], dict.fromkeys(columns))
    schema = CASES.arrow(empty).schema
    with pq.ParquetWriter(store.file(CASES.file), schema, write_page_checksum=True) as writer:
        for name in names:
            rows = pd.concat(list(_rows(parts, name)))
            rows = rows.merge(place, on=CASE, how="left")
            rows["late"] = rows["status"] != "ok"
            rows = rows.sort_values(["case", "sample", "late"], kind="stable")
            rows = rows.drop_duplicates(KEYS)
            foreign = rows["case_key"] != rows["planned"]
            for column in _PATHS:
                rows[column] = rows[column].mask(foreign, "")
            rows = CASES.typed(rows.drop(columns=["case", "planned", "late"]), empty.columns)
            writer.write_table(CASES.arrow(rows))


def _rows(parts: Sequence[_Part], name: str) -> Iterator[pd.DataFrame]:
    """Rows of a method in each run that has it, with paths that say in which."""
    for part in parts:
        for old in (old for old, new in part.names.items() if new == name):
            rows = part.reader.table("cases", method=old)
            for column in _PATHS:
                rows[column] = [_prefixed(text, part.prefix) for text in rows[column]]
            yield rows.assign(method=name)


def _prefixed(text: str, prefix: str) -> str:
    """A path, or paths by name as JSON, with the run's prefix; nothing stays nothing."""
    if text.startswith("{"):
        return json.dumps({name: f"{prefix}/{path}" for name, path in json.loads(text).items()})
    return f"{prefix}/{text}" if text else ""


def _write_others(store: RunFolder, parts: Sequence[_Part]) -> None:
    """Tables that look at several fills, and receptive fields with their maps."""
    for name in _OTHERS:
        tables = []
        for part in parts:
            if part.reader.has(name):
                table = part.reader.table(name)
                names = [part.names.get(name, name) for name in table["method"]]
                tables.append(table.assign(method=names))
        if tables:
            every = pd.concat([table for table in tables if len(table)] or tables[:1])
            declared = TABLES[name]
            store.write_table(declared.file, declared.typed(every.drop_duplicates(declared.keys)))
    for part in parts:
        for old, new in part.names.items():
            source = part.reader.folder.file(f"receptive/{method_folder(old)}.npy")
            place = store.file(f"receptive/{method_folder(new)}.npy")
            if source.exists() and not place.exists():
                place.parent.mkdir(exist_ok=True)
                shutil.copyfile(source, place)
    inputs = pd.concat([part.run.inputs for part in parts])
    store.write_table("inputs.parquet", inputs.drop_duplicates(["path", "kind", "sha256"]))


def _header(parts: Sequence[_Part], differences: Sequence[str], notes: Sequence[str]) -> Header:
    """What the runs have in common, and where each came from."""
    headers = [part.run.header for part in parts]
    states = [header.state for header in headers]
    photo_sets = {header.photo_set for header in headers}
    machines = [
        f"{part.label}: {words}"
        for part in parts[1:]
        for words in environment_differences(headers[0], part.run.header)
    ]
    runs = {
        part.label: Origin(
            str(part.run.folder), header.fingerprint, header.created, header.finished, header.state
        )
        for part, header in zip(parts, headers, strict=True)
    }
    return Header(
        state=next((state for state in states if state != "complete"), "complete"),
        created="",
        photo_set=photo_sets.pop() if len(photo_sets) == 1 else "several",
        protocol={
            key: value
            for key, value in headers[0].protocol.items()
            if all(header.protocol.get(key) == value for header in headers)
        },
        size_rule="",
        samples=max(header.samples for header in headers),
        methods={},
        fill_keys={},
        made_anew={},
        fills_per_case={},
        measurements={},
        measure_key="",
        features=[],
        environment=headers[0].environment,
        starts=[],
        fingerprint=headers[0].fingerprint,
        inputs_key="",
        missing=sum(header.missing for header in headers),
        finished="",
        counts={},
        without_result=[],
        non_deterministic=[],
        joined=Joined(differences, [*notes, *machines], runs),
    )
