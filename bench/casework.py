"""The work on one case: read, fill, keep the picture, measure; the result is a row."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

import methods
from bench import memory, plan, shown, thumbnails
from bench.errors import (
    BenchError,
    ContractError,
    Declined,
    StoreError,
    describe,
    out_of_memory,
)
from bench.images import content_hash
from bench.jobs import Setup
from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair
from bench.metrics.pixel import drift
from bench.store import Item, RunFolder, method_folder, records
from methods.base import CaseKey, to_uint8
from methods.harness import CEILING, Filled, fill

# What a fill leaves in its row, besides what is measured on its picture.
FILL_COLUMNS = (
    "peak_bytes", "seconds", "cpu_seconds", "output", "output_sha", "drift", "counts",
    "pictures", "thumbnail",
)  # fmt: skip


class Casework:
    """A loaded method, the plan and the meter of one worker.

    Raises:
        WeightsMissing: If the method's weights are not here.
        StoreError: If the metrics' networks cannot be loaded, which is no method's fault.
    """

    def __init__(self, setup: Setup, method: str) -> None:
        """Load everything once."""
        self._setup = setup
        self._name = method
        self._store = RunFolder(setup.folder)
        table = self._store.read_table("plan.parquet")
        self._plan = records(table.assign(shown=shown.surely_shown(table)))
        try:
            self._meter = Meter(setup.metrics, setup.features, setup.weights, device=setup.device)
        except Exception as error:
            raise StoreError(f"the metrics cannot be loaded: {describe(error)}") from error
        self._method = methods.get(setup.methods[method], device=setup.device)
        self._method.load()
        self._features: dict[str, dict[str, np.ndarray]] = {}
        # Packing a PNG takes about as long as a quick fill, and can go on while it is measured.
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[str] | None = None
        self._photo_now: tuple[str, np.ndarray, Original] | None = None

    def row(self, item: Item, earlier: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Fill and measure one case; whatever goes wrong becomes its status and reason.

        Raises:
            StoreError: If the run folder cannot be read or written.
        """
        facts = self._plan[item.case]
        row = blank_row(facts, self._name, item, self._setup) | {"attempt": 1}
        try:
            row |= self._fill_and_measure(facts, item, earlier)
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
        self._finish_writing()
        if self._features:
            self._store.write_features(fragment, self._features)
            self._features = {}
        self._store.write_fragment(fragment, rows)

    def _fill_and_measure(
        self, facts: Mapping[str, Any], item: Item, earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        photo, original = self._photo(facts["photo_sha"])
        hole = plan.hole_of(facts, self._store)
        picture = self._reusable(earlier)
        if earlier is not None and picture is not None:
            row = {key: earlier.get(key, "") for key in FILL_COLUMNS}
        else:
            picture, row = self._fill(facts, item, photo, hole)
        start = time.perf_counter()
        pair = Pair(picture, original, hole)
        try:
            values = self._meter.measure(pair)
            features = self._meter.features(picture)
        except Exception as error:
            raise BenchError(f"measuring failed, not the fill: {describe(error)}") from error
        if features:
            self._features[row["output_sha"]] = features
        reasons = self._meter.reasons(pair)
        if not hole.any():
            reasons["seconds"] = "the hole is empty: nothing was filled"
        row["note"] = "; ".join(f"{name}: {why}" for name, why in reasons.items())
        row["measure_seconds"] = time.perf_counter() - start
        if self._writing is not None:
            row["thumbnail"] = self._finish_writing()
        # Drift was measured with the fill, on the raw output, which is not kept.
        return values | row

    def _fill(
        self, facts: Mapping[str, Any], item: Item, photo: np.ndarray, hole: np.ndarray
    ) -> tuple[np.ndarray, dict[str, Any]]:
        self._finish_writing()  # or its seconds would be charged to this fill
        key = CaseKey(facts["photo"], facts["tier"], int(facts["draw"]), item.sample)
        seed = plan.seed_of(self._setup.seed, facts, item.sample)
        memory.reset_peak()
        filled = fill(self._method, photo, hole, seed, key)
        peak = memory.peak_bytes()
        if self._method.name != self._name:
            raise ContractError(f"the method calls itself {self._method.name!r} now")
        sha = content_hash(filled.picture)
        row: dict[str, Any] = {
            "peak_bytes": peak,
            "seconds": filled.seconds if self._method.timed else math.nan,
            "cpu_seconds": filled.cpu_seconds if self._method.timed else math.nan,
            "output": "",
            "output_sha": sha,
            "drift": drift(filled.raw, photo, hole),
            "counts": json.dumps(dict(filled.counts)) if filled.counts else "",
            "pictures": "",
            "thumbnail": "",
        }
        if self._name == CEILING and sha == facts["photo_sha"]:
            row["output"] = plan.photo_file(sha)
        elif facts["keep"]:
            row["output"] = f"outputs/{method_folder(self._name)}/{key.file_name}"
            small = (photo, hole) if facts["shown"] and item.sample == 0 else None
            self._writing = self._writer.submit(self._keep, row["output"], filled.picture, small)
            row["pictures"] = self._further(filled, key)
        return filled.picture, row

    def _further(self, filled: Filled, key: CaseKey) -> str:
        """Keep what else the method showed; gives the paths by name, as JSON."""
        paths = {}
        for name, planes in filled.pictures.items():
            paths[name] = f"pictures/{method_folder(self._name)}/{name}/{key.file_name}"
            self._store.write_picture(paths[name], to_uint8(planes[None])[0])
        return json.dumps(paths) if paths else ""

    def _keep(
        self, name: str, picture: np.ndarray, small: tuple[np.ndarray, np.ndarray] | None
    ) -> str:
        """Write a fill, and its thumbnails if a report will need them; gives the path of these.

        Args:
            name: Of the fill.
            picture: The fill.
            small: Photo and hole, if there are to be thumbnails.
        """
        self._store.write_picture(name, picture)
        if small is None:
            return ""
        return self._store.write_named("thumbs", "webp", thumbnails.views(picture, *small))

    def _finish_writing(self) -> str:
        writing, self._writing = self._writing, None
        return "" if writing is None else writing.result()

    def _reusable(self, earlier: Mapping[str, Any] | None) -> np.ndarray | None:
        """The kept picture of an earlier fill, if it is still what it was."""
        if earlier is None:
            return None
        try:
            picture = self._store.read_picture(earlier["output"])
        except OSError:
            return None
        return picture if content_hash(picture) == earlier["output_sha"] else None

    def _photo(self, sha: str) -> tuple[np.ndarray, Original]:
        """The evaluated photo; cases of one photo follow each other, so the last one is kept."""
        if self._photo_now is None or self._photo_now[0] != sha:
            photo = plan.photo_of(sha, self._store)
            self._photo_now = (sha, photo, Original(photo))
        return self._photo_now[1], self._photo_now[2]


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
