"""The work on one case: read, fill, keep the picture, measure; the result is a row."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

import methods
from bench import memory, plan
from bench.errors import Declined, StoreError
from bench.images import content_hash
from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair
from bench.store import Item, RunFolder, method_folder, records
from bench.worker import Setup, describe
from methods.base import CaseKey
from methods.harness import fill


class Casework:
    """A loaded method, the plan and the meter of one worker.

    Raises:
        WeightsMissing: If the method's weights are not here.
    """

    def __init__(self, setup: Setup, method: str) -> None:
        """Load everything once."""
        self._setup = setup
        self._store = RunFolder(setup.folder)
        self._plan = records(self._store.read_table("plan.parquet"))
        self._method = methods.get(setup.methods[method], device=setup.device)
        self._method.load()
        self._meter = Meter(setup.metrics, setup.features, setup.weights, device=setup.device)
        self._features: list[tuple[Item, dict[str, np.ndarray]]] = []
        # Packing a PNG takes about as long as a quick fill, and can go on beside the next one.
        self._writer = ThreadPoolExecutor(1)
        self._writing: list[Future[None]] = []
        self._photo_now: tuple[str, np.ndarray, Original] | None = None

    def row(self, item: Item, earlier: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Fill and measure one case; whatever goes wrong becomes its status and reason.

        Raises:
            StoreError: If the run folder cannot be read or written.
        """
        facts = self._plan[item.case]
        row = blank_row(facts, self._method.name, item, self._setup)
        try:
            row |= self._fill_and_measure(facts, item, earlier)
        except Declined as error:
            row |= {"status": "declined", "reason": str(error)}
        except StoreError:
            raise
        except Exception as error:
            # torch's own class of this name is not a MemoryError
            full = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
            row |= {"status": "oom" if full else "failed", "reason": describe(error)}
        if row["status"] == "oom":
            gc.collect()
        return row

    def write(self, fragment: str, rows: list[dict[str, Any]]) -> None:
        """Write rows, and before them the pictures and features they belong to."""
        for picture in self._writing:
            picture.result()
        self._writing = []
        if self._features:
            self._store.write_features(self._method.name, fragment, self._features)
            self._features = []
        self._store.write_fragment(fragment, rows)

    def _fill_and_measure(
        self, facts: dict[str, Any], item: Item, earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        photo, original = self._photo(facts["photo_sha"])
        hole = plan.hole_of(facts, self._store)
        picture = self._reusable(earlier)
        if earlier is not None and picture is not None:
            raw, row = None, {key: earlier[key] for key in FILL_COLUMNS}
        else:
            picture, raw, row = self._fill(facts, item, photo, hole)
        start = time.perf_counter()
        pair = Pair(picture, original, hole, raw=raw)
        values = self._meter.measure(pair)
        if raw is None:
            values.pop("drift", None)  # was measured on the raw output, which is not kept
        row |= values
        features = self._meter.features(picture)
        if features:
            self._features.append((item, features))
        row["measure_seconds"] = time.perf_counter() - start
        return row

    def _fill(
        self, facts: dict[str, Any], item: Item, photo: np.ndarray, hole: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        key = CaseKey(facts["photo"], facts["tier"], int(facts["draw"]), item.sample)
        seed = plan.seed_of(self._setup.seed, facts, item.sample)
        memory.reset_peak()
        filled = fill(self._method, photo, hole, seed, key)
        timed = self._method.timed and bool(filled.seconds)
        row: dict[str, Any] = {
            "peak_bytes": memory.peak_bytes(),
            "seconds": sum(filled.seconds.values()) if timed else math.nan,
            "cpu_seconds": filled.cpu_seconds if timed else math.nan,
            "output": "",
            "output_sha": content_hash(filled.picture),
        }
        if row["output_sha"] == facts["photo_sha"]:  # the ceiling's fills are the photo
            row["output"] = plan.photo_file(facts["photo_sha"])
        elif facts["keep"]:
            row["output"] = f"outputs/{method_folder(self._method.name)}/{key.file_name}"
            self._writing.append(
                self._writer.submit(self._store.write_picture, row["output"], filled.picture)
            )
        return filled.picture, filled.raw, row

    def _reusable(self, earlier: Mapping[str, Any] | None) -> np.ndarray | None:
        """The kept picture of an earlier fill, if it is still what it was."""
        if earlier is None or "drift" not in earlier:
            return None
        try:
            picture = self._store.read_picture(earlier["output"])
        except OSError:
            return None
        return picture if content_hash(picture) == earlier["output_sha"] else None

    def _photo(self, sha: str) -> tuple[np.ndarray, Original]:
        """The evaluated photo; cases of one photo follow each other, so the last one is kept."""
        if self._photo_now is None or self._photo_now[0] != sha:
            photo = self._store.read_picture(plan.photo_file(sha))
            self._photo_now = (sha, photo, Original(photo))
        return self._photo_now[1], self._photo_now[2]


FILL_COLUMNS = ("peak_bytes", "seconds", "cpu_seconds", "output", "output_sha", "drift")


def blank_row(facts: Mapping[str, Any], method: str, item: Item, setup: Setup) -> dict[str, Any]:
    """Return the row of a case before anything happened."""
    return {
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
        "output": "",
        "output_sha": "",
        "fill_key": setup.fill_keys[method],
        "measure_key": setup.measure_key,
    }
