"""Whether a bundle is what it says: everything that can be computed again is.

Recomputed from the bundle alone: keys of cases, the parts of the fingerprint that hash photos,
holes and truths, means and intervals, ranges of values, the ceiling. With the run folder also the
hashes of photos, holes and fills, and the rows.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from bench.bundle.bundle import Bundle, Method
from bench.bundle.of_run import bundle_of, means_of
from bench.errors import BenchError
from bench.folder.read import read_run
from bench.folder.store import records
from bench.metrics import METRICS
from bench.planning import fingerprints
from bench.planning.images import content_hash
from bench.planning.pictures import hole_of, photo_of
from bench.protocols.read import catalogue

_CLOSE = 1e-9  # relative; means of the same values on another processor


def complaints(bundle: Bundle) -> list[str]:
    """What of a bundle does not agree with the rest of it; nothing if all does."""
    return [
        *_of_cases(bundle),
        *_of_fingerprint(bundle),
        *(said for method in bundle.methods for said in _of_method(bundle, method)),
    ]


def complaints_of_run(bundle: Bundle, folder: Path) -> list[str]:
    """What of a bundle is not in the run folder that it is said to be of.

    Raises:
        InputError: If the folder cannot be read.
    """
    again = bundle_of(folder)
    found = [
        f"{name}: the run has another"
        for name in ("fingerprint", "created", "cases", "metrics", "methods")
        if getattr(again, name) != getattr(bundle, name)
    ]
    run = read_run(folder, ("plan", "cases"))
    for row in records(run.plan):
        for read, sha in ((photo_of, row["photo_sha"]), (hole_of, row["mask_sha"])):
            with contextlib.suppress(BenchError):
                read(sha, run.store)  # which looks at the hash of the pixels
                continue
            found.append(f"case {row['case_key']}: {sha} is not there, or not the picture hashed")
    kept = run.cases[run.cases["output"] != ""].drop_duplicates("output")
    for row in records(kept):
        own = content_hash(run.store.read_picture(row["output"]))
        if own != row["output_sha"]:
            found.append(f"{row['output']}: its pixels have the hash {own}")
    return found


def _of_cases(bundle: Bundle) -> Iterator[str]:
    twice = [key for key, count in Counter(case.key for case in bundle.cases).items() if count > 1]
    if twice:
        yield f"cases: {twice[0]} is there twice"
    for case in bundle.cases:
        parts = (case.photo, case.tier, case.draw, case.photo_sha, case.mask_sha)
        key = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]
        if key != case.key:
            yield f"case {case.key}: photo, tier, draw and hashes give {key}"
    published = catalogue().get(bundle.protocol)
    if bundle.protocol and published is None:
        yield f"protocol: no published protocol {bundle.protocol!r} is known here"


def _of_fingerprint(bundle: Bundle) -> Iterator[str]:
    """The parts that follow from the cases."""
    columns = {"photo": "photo", "photo_sha": "photo_sha", "case_key": "key", "truth": "truth"}
    plan = pd.DataFrame(
        {name: [getattr(case, own) for case in bundle.cases] for name, own in columns.items()}
    )
    said = bundle.fingerprint.parts
    for name, own in fingerprints.parts_of(plan).items():
        if said.get(name) != own:
            yield f"fingerprint: {name} is {said.get(name)}, the cases give {own}"
    if said.get("protocol", "") != bundle.protocol:
        yield f"fingerprint: protocol is {said.get('protocol', 'none')}, not {bundle.protocol}"


def _of_method(bundle: Bundle, method: Method) -> Iterator[str]:
    fills = method.fills
    names = ("case", "sample", "status", "output_sha", "seconds")
    columns = {**{name: getattr(fills, name) for name in names}, **fills.values}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1 or not all(0 <= c < len(bundle.cases) for c in fills.case):
        yield f"{method.name}: expected one value a fill in each column, found {lengths}"
        return
    table = pd.DataFrame(columns)
    for metric, places in fills.infinite.items():
        table.loc[list(places), metric] = math.inf
    table["tier"] = [bundle.cases[case].tier for case in fills.case]
    table["cluster"] = [bundle.cases[case].cluster for case in fills.case]
    if (table[table["status"] == "ok"]["output_sha"] == "").any():
        yield f"{method.name}: a completed fill has no hash"
    yield from _of_values(bundle, method, table)
    yield from _of_means(bundle, method, table)


def _of_values(bundle: Bundle, method: Method, table: pd.DataFrame) -> Iterator[str]:
    for metric in method.fills.values:
        values = table[metric].dropna()
        low, high = METRICS[metric].limits if metric in METRICS else (-math.inf, math.inf)
        if not values.between(low, high).all():
            worst = values[~values.between(low, high)].iloc[0]
            yield f"{method.name}: {metric} is {worst:g}, beyond {low:g} to {high:g}"
    if method.family != "ceiling":
        return
    for place, sha in zip(table["case"], table["output_sha"], strict=True):
        case = bundle.cases[place]
        if case.truth == "" and sha not in ("", case.photo_sha):
            yield f"{method.name}: the ceiling of case {case.key} is not its photo"
            return


def _of_means(bundle: Bundle, method: Method, table: pd.DataFrame) -> Iterator[str]:
    order = list(dict.fromkeys(case.tier for case in bundle.cases))
    sets = {metric.name for metric in bundle.metrics if metric.scope == "set"}
    said = {(mean.tier, mean.metric): mean for mean in method.means if mean.metric not in sets}
    again = {
        (mean.tier, mean.metric): mean for mean in means_of(table, list(method.fills.values), order)
    }
    if said.keys() != again.keys():
        odd = sorted(said.keys() ^ again.keys())[0]
        yield f"{method.name}: mean of {odd[1]} ({odd[0]}): there, or computed, but not both"
    for place in said.keys() & again.keys():
        mine, own = said[place], again[place]
        for name in ("value", "low", "high", "n"):
            a, b = getattr(mine, name), getattr(own, name)
            if (a is None) != (b is None) or (
                a is not None and not math.isclose(a, b, rel_tol=_CLOSE, abs_tol=1e-12)
            ):
                yield f"{method.name}: {place[1]} ({place[0]}), {name}: {a}, the values give {b}"
