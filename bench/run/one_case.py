"""The work on one case: read, fill, keep the picture, measure; the result is a row."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

import methods
from bench.errors import BenchError, ContractError, Declined, StoreError, describe, out_of_memory
from bench.folder import thumbnails
from bench.folder.store import Item, RunFolder, method_folder
from bench.machine import memory
from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair
from bench.metrics.pixel import drift_of
from bench.planning import plan
from bench.planning.images import content_hash
from bench.run.messages import Setup
from methods.base import CaseKey, to_uint8
from methods.harness import CEILING, Filled, fill

# What a fill leaves in its row, besides what is measured on its picture.
FILL_COLUMNS = (
    "peak_bytes", "seconds", "cpu_seconds", "output", "output_sha", "drift", "counts",
    "pictures", "thumbnail",
)  # fmt: skip


@dataclass(frozen=True)
class _Pictures:
    """What a case is about."""

    sha: str
    original: Original
    hole: np.ndarray


class Casework:
    """A loaded method and the meter of one worker.

    While a fill is measured, a second thread packs and writes it and reads the pictures of the
    next case. While a method fills, nothing else runs in this process.

    Raises:
        WeightsMissing: If the method's weights are not here.
        StoreError: If the metrics' networks cannot be loaded, which is no method's fault.
    """

    def __init__(self, setup: Setup, method: str) -> None:
        """Load everything once."""
        self._setup = setup
        self._name = method
        self._store = RunFolder(setup.folder)
        try:
            self._meter = Meter(setup.metrics, setup.features, setup.weights, device=setup.device)
        except Exception as error:
            raise StoreError(f"the metrics cannot be loaded: {describe(error)}") from error
        self._method = methods.get(setup.methods[method], device=setup.device)
        self._method.load()
        self._features: dict[str, dict[str, np.ndarray]] = {}
        self._second = ThreadPoolExecutor(1)
        self._ahead: tuple[str, Future[_Pictures]] | None = None
        self._pictures_now: _Pictures | None = None

    def row(
        self,
        item: Item,
        facts: Mapping[str, Any],
        earlier: Mapping[str, Any] | None = None,
        following: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Fill and measure one case; whatever goes wrong becomes its status and reason.

        Args:
            item: The fill.
            facts: The case's row of the plan.
            earlier: The row of an earlier start whose fill still holds.
            following: The plan's row of the case that comes next, if it is known.

        Raises:
            StoreError: If the run folder cannot be read or written.
        """
        row = blank_row(facts, self._name, item, self._setup) | {"attempt": 1}
        try:
            row |= self._fill_and_measure(facts, item, earlier, following)
        except Declined as error:
            row |= {"status": "declined", "reason": describe(error)}
        except StoreError:
            raise
        except Exception as error:
            status = "oom" if out_of_memory(error) else "failed"
            row |= {"status": status, "reason": describe(error)}
        return row

    def write(self, fragment: str, rows: list[dict[str, Any]]) -> None:
        """Write rows, and before them the pictures and features they belong to."""
        if self._features:
            self._store.write_features(fragment, self._features)
            self._features = {}
        self._store.write_fragment(fragment, rows)

    def _fill_and_measure(
        self,
        facts: Mapping[str, Any],
        item: Item,
        earlier: Mapping[str, Any] | None,
        following: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        pictures = self._pictures(facts)
        output = self._reusable(earlier)
        keeping: Future[dict[str, Any]] | None = None
        if earlier is not None and output is not None:
            row = {key: earlier.get(key, "") for key in FILL_COLUMNS}
            pair = Pair(output, pictures.original, pictures.hole)
        else:
            key = CaseKey(facts["photo"], facts["tier"], int(facts["draw"]), item.sample)
            filled, row = self._fill(facts, key, pictures)
            pair = Pair(filled.picture, pictures.original, pictures.hole, filled.raw)
            keeping = self._second.submit(self._keep, facts, key, filled, pictures)
        if following is not None:
            reading = self._second.submit(self._read, following, pictures)
            self._ahead = following["case_key"], reading
        try:
            values, features = self._measure(pair)
        finally:
            if keeping is not None:
                row |= keeping.result()
        if features:
            self._features[row["output_sha"]] = features
        return row | values

    def _measure(self, pair: Pair) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What a row says of a fill's quality, and the features for metrics of sets."""
        start = time.perf_counter()
        try:
            found, reasons = self._meter.measure(pair)
            values: dict[str, Any] = dict(found)
            if pair.raw is not None:
                # Measured with every fill, asked for or not, since the raw output is not kept.
                values["drift"] = drift_of(pair)
            features = self._meter.features(pair)
        except Exception as error:
            raise BenchError(f"measuring failed, not the fill: {describe(error)}") from error
        if not pair.hole_pixels:
            reasons["seconds"] = "the hole is empty: nothing was filled"
        values["note"] = "; ".join(f"{name}: {why}" for name, why in reasons.items())
        values["measure_seconds"] = time.perf_counter() - start
        return values, features

    def _fill(
        self, facts: Mapping[str, Any], key: CaseKey, pictures: _Pictures
    ) -> tuple[Filled, dict[str, Any]]:
        seed = plan.seed_of(self._setup.seed, facts, key.sample)
        memory.reset_peak()
        filled = fill(self._method, pictures.original.photo, pictures.hole, seed, key)
        peak = memory.peak_bytes()
        if self._method.name != self._name:
            raise ContractError(f"the method calls itself {self._method.name!r} now")
        return filled, {
            "peak_bytes": peak,
            "seconds": filled.seconds if self._method.timed else math.nan,
            "cpu_seconds": filled.cpu_seconds if self._method.timed else math.nan,
            "counts": json.dumps(dict(filled.counts)) if filled.counts else "",
        }

    def _keep(
        self, facts: Mapping[str, Any], key: CaseKey, filled: Filled, pictures: _Pictures
    ) -> dict[str, str]:
        """Write a fill, if it is to be kept; gives the columns that say where and which."""
        sha = content_hash(filled.picture)
        row = {"output": "", "output_sha": sha, "pictures": "", "thumbnail": ""}
        if self._name == CEILING and sha == facts["photo_sha"]:
            row["output"] = plan.photo_file(sha)
        elif facts["keep"]:
            row["output"] = f"outputs/{method_folder(self._name)}/{key.file_name}"
            self._store.write_picture(row["output"], filled.picture)
            row["pictures"] = self._further(filled, key)
            if facts["shown"] and key.sample == 0:
                views = thumbnails.views(filled.picture, pictures.original.photo, pictures.hole)
                row["thumbnail"] = self._store.write_named("thumbs", "webp", views)
        return row

    def _further(self, filled: Filled, key: CaseKey) -> str:
        """Keep what else the method showed; gives the paths by name, as JSON."""
        paths = {}
        for name, planes in filled.pictures.items():
            paths[name] = f"pictures/{method_folder(self._name)}/{name}/{key.file_name}"
            self._store.write_picture(paths[name], to_uint8(planes[None])[0])
        return json.dumps(paths) if paths else ""

    def _reusable(self, earlier: Mapping[str, Any] | None) -> np.ndarray | None:
        """The kept picture of an earlier fill, if it is still what it was."""
        if earlier is None:
            return None
        try:
            picture = self._store.read_picture(earlier["output"])
        except OSError:
            return None
        return picture if content_hash(picture) == earlier["output_sha"] else None

    def _pictures(self, facts: Mapping[str, Any]) -> _Pictures:
        """Photo and hole of a case; cases of one photo follow each other, so it is kept."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            found = ahead[1].result()  # waited for in any case: it would disturb the fill
        if ahead is None or ahead[0] != facts["case_key"]:
            found = self._read(facts, self._pictures_now)
        self._pictures_now = found
        return found

    def _read(self, facts: Mapping[str, Any], before: _Pictures | None) -> _Pictures:
        sha = facts["photo_sha"]
        if before is not None and before.sha == sha:
            original = before.original
        else:
            original = Original(plan.photo_of(sha, self._store))
        return _Pictures(sha, original, plan.hole_of(facts, self._store))


def blank_row(facts: Mapping[str, Any], method: str, item: Item, setup: Setup) -> dict[str, Any]:
    """Return the row of a case before anything happened."""
    return {
        "case_key": facts["case_key"],
        "case": item.case,
        "method": method,
        "photo": facts["photo"],
        "tier": facts["tier"],
        "draw": int(facts["draw"]),
        "sample": item.sample,
        "cluster": facts["cluster"],
        "hole_share": facts["hole_share"],
        "hole_width": facts["hole_width"],
        "status": "ok",
        "reason": "",
        "note": "",
        "counts": "",
        "pictures": "",
        "thumbnail": "",
        "output": "",
        "output_sha": "",
        "fill_key": setup.fill_keys[method],
        "measure_key": setup.measure_key,
        "attempt": 0,
    }
