"""The work on one case: read, fill, keep the picture, measure; the result is a row."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

import methods
from bench.errors import (
    BenchError,
    ContractError,
    Declined,
    StoreError,
    describe,
    faults,
    out_of_memory,
)
from bench.folder import thumbnails
from bench.folder.read import Reader
from bench.folder.store import Item, RunFolder, method_folder
from bench.machine import memory
from bench.machine.settings import as_started
from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair
from bench.metrics.pixel import drift_of
from bench.planning.case import PlannedCase
from bench.planning.case_keys import case_keys
from bench.planning.images import content_hash
from bench.planning.pictures import hole_of, photo_file, photo_of
from bench.planning.scoring import USUAL
from bench.run.fill_row import FillRow, Kept
from bench.run.identities import check_unchanged, hears_all
from bench.run.messages import Job, Setup
from methods.base import CaseKey, Given, to_uint8
from methods.harness import CEILING, Filled, check_card, fill, shown


@dataclass(frozen=True)
class _Pictures:
    """What a case is about: the photo, what its fills are held against, the hole.

    And whether a fill that is scored keeps the photo's known pixels.
    """

    shas: tuple[str, str]
    photo: Original
    truth: Original
    hole: np.ndarray
    pasted: bool

    def pair(self, output: np.ndarray, raw: np.ndarray | None = None) -> Pair:
        """A fill beside them."""
        return Pair(output, self.truth, self.hole, raw, self.photo, pasted=self.pasted)


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
        if hears_all(self._method):
            self._method.expect(self._all_cases())
        if found := setup.found.get(method):
            self._method.found = found
        self._method.load()
        check_unchanged(self._method, setup.identities[method])
        self._features: dict[str, dict[str, np.ndarray]] = {}
        self._second = ThreadPoolExecutor(1)
        self._ahead: tuple[str, Future[_Pictures]] | None = None
        self._pictures_now: _Pictures | None = None
        self._lost: dict[Item, Exception] = {}
        self._told: Mapping[Item, str] = {}

    @property
    def in_jobs(self) -> bool:
        """Whether the method is to be given the cases of a job together."""
        return self._method.in_jobs

    def hear(self, job: Job) -> None:
        """Take what the method says of a job's cases elsewhere."""
        self._told = job.told

    def begin_job(self, job: Job) -> None:
        """Give the method the cases of a job; what it raises is the reason of all their rows.

        Raises:
            StoreError: If the run folder cannot be read.
        """
        try:
            self._method.begin_job(self._given(job))
        except StoreError:
            raise
        except Exception as error:
            self._lost = dict.fromkeys(job.items, error)

    def _given(self, job: Job) -> Iterator[Given]:
        """The cases of a job that are to be filled anew, as the harness will give them."""
        pictures: _Pictures | None = None
        for item in job.items:
            case = job.cases[item.case]
            if self._reusable(job.earlier.get(item)) is not None:
                continue
            pictures = self._read(case, pictures)
            with contextlib.suppress(Declined):
                check_card(self._method, pictures.hole)
                if pictures.hole.any():
                    given = shown(self._method, pictures.photo.photo, pictures.hole)
                    key = self._key(case, item)
                    yield Given(key, given, pictures.hole, self._seed(case, key))

    def row(
        self,
        item: Item,
        case: PlannedCase,
        earlier: Kept | None = None,
        following: PlannedCase | None = None,
    ) -> FillRow:
        """Fill and measure one case; whatever goes wrong becomes its status and reason.

        Args:
            item: The fill.
            case: What to fill.
            earlier: What stays of a fill of an earlier start that still holds.
            following: The case that comes next, if it is known.

        Raises:
            StoreError: If the run folder cannot be read or written.
        """
        row = replace(self._setup.blank_row(self._name, item, case), attempt=1)
        try:
            if item in self._lost:
                raise self._lost.pop(item)
            return self._fill_and_measure(row, earlier, following)
        except StoreError:
            raise
        except faults() as error:
            status = "declined" if isinstance(error, Declined) else "failed"
            return replace(
                row,
                status="oom" if out_of_memory(error) else status,
                reason=describe(error),
                traceback=self._store.write_traceback(error),
            )

    def write(self, fragment: str, rows: Sequence[FillRow]) -> None:
        """Write rows, and before them the pictures and features they belong to."""
        if self._features:
            self._store.write_features(fragment, self._features)
            self._features = {}
        self._store.write_fragment(fragment, [row.columns() for row in rows])

    def _all_cases(self) -> list[CaseKey]:
        """What the method was told of before the run started."""
        reader = Reader(self._store, ("plan", "inputs"))
        plan, inputs = map(reader.table, ("plan", "inputs"))
        header, samples = reader.header, reader.header.fills_per_case[self._name]
        return case_keys(plan, inputs, header.protocol, header.size_rule, samples)

    def _fill_and_measure(
        self, row: FillRow, earlier: Kept | None, following: PlannedCase | None
    ) -> FillRow:
        case = row.case
        pictures = self._pictures(case)
        output = self._reusable(earlier)
        keeping: Future[Kept] | None = None
        if earlier is not None and output is not None:
            kept = earlier
            row, pair = replace(row, kept=kept), pictures.pair(output)
        else:
            key = self._key(case, row.item)
            filled, kept = self._fill(case, key, pictures)
            pair = pictures.pair(filled.picture, filled.raw)
            keeping = self._second.submit(self._keep, case, key, filled, pictures, kept)
        if following is not None:
            reading = self._second.submit(self._read, following, pictures)
            self._ahead = following.case_key, reading
        try:
            row, features = self._measured(row, pair)
        finally:
            if keeping is not None:
                kept = keeping.result()
        if features:
            self._features[kept.output_sha] = features
            if self._name == CEILING:  # the other side of metrics of sets
                truth = pictures.pair(pictures.truth.photo, pictures.truth.unit)
                self._features[case.truth_sha] = self._meter.features(truth)
        return replace(row, kept=kept, note="; ".join(filter(None, [_of_batch(kept), row.note])))

    def _key(self, case: PlannedCase, item: Item) -> CaseKey:
        return case.key_of(item.sample, self._told.get(item, ""))

    def _seed(self, case: PlannedCase, key: CaseKey) -> int:
        return case.seed_of(self._setup.seed, key.sample)

    @as_started()  # whatever the method has set for its own sake
    def _measured(self, row: FillRow, pair: Pair) -> tuple[FillRow, dict[str, np.ndarray]]:
        """The row with what it says of a fill's quality, and the features for metrics of sets."""
        start = time.perf_counter()
        try:
            values, reasons = self._meter.measure(pair)
            if pair.raw is not None:
                # Measured with every fill, asked for or not, since the raw output is not kept.
                values["drift"] = drift_of(pair)
            elif math.isnan(row.kept.drift):
                reasons["drift"] = "measured by an earlier definition; needs a fill made anew"
            features = self._meter.features(pair)
        except Exception as error:
            raise BenchError(f"measuring failed, not the fill: {describe(error)}") from error
        if not pair.hole_pixels:
            reasons["seconds"] = "the hole is empty: nothing was filled"
        note = "; ".join(f"{name}: {why}" for name, why in reasons.items())
        seconds = time.perf_counter() - start
        return replace(row, values=values, note=note, measure_seconds=seconds), features

    def _fill(self, case: PlannedCase, key: CaseKey, pictures: _Pictures) -> tuple[Filled, Kept]:
        seed = self._seed(case, key)
        photo, scoring = pictures.photo.photo, self._setup.scoring
        if self._name == CEILING:  # what a perfect fill would show
            photo = scoring.joined(pictures.truth.photo, photo, pictures.hole)
        memory.reset_peak()
        filled = fill(self._method, photo, pictures.hole, seed, key)
        if scoring != USUAL:  # which is how a fill comes
            scored = scoring.picture(filled.raw, photo, pictures.hole)
            filled = replace(filled, picture=scored)
        peak = memory.peak_bytes()
        if self._method.name != self._name:
            raise ContractError(f"the method calls itself {self._method.name!r} now")
        return filled, Kept(
            peak_bytes=peak,
            seconds=filled.seconds if self._method.timed else math.nan,
            cpu_seconds=filled.cpu_seconds if self._method.timed else math.nan,
            counts=json.dumps(dict(filled.counts)) if filled.counts else "",
            flags=filled.flags,
        )

    def _keep(
        self, case: PlannedCase, key: CaseKey, filled: Filled, pictures: _Pictures, kept: Kept
    ) -> Kept:
        """Write a fill, if it is to be kept, and say where and which."""
        sha = content_hash(filled.picture)
        kept = kept._replace(output_sha=sha)
        if self._name == CEILING and sha in pictures.shas:
            return kept._replace(output=photo_file(sha))
        if not case.keep:
            return kept
        output = f"outputs/{method_folder(self._name)}/{key.file_name}"
        self._store.write_picture(output, filled.picture)
        kept = kept._replace(output=output, pictures=self._further(filled, key))
        if case.shown and key.sample == 0:
            small = thumbnails.small_patch(filled.picture, pictures.hole)
            kept = kept._replace(thumbnail=self._store.write_named("thumbs/{0:.2}/{0}.webp", small))
        return kept

    def _further(self, filled: Filled, key: CaseKey) -> str:
        """Keep what else the method showed; gives the paths by name, as JSON."""
        paths = {}
        for name, planes in filled.pictures.items():
            paths[name] = f"pictures/{method_folder(self._name)}/{name}/{key.file_name}"
            self._store.write_picture(paths[name], to_uint8(planes[None])[0])
        return json.dumps(paths) if paths else ""

    def _reusable(self, earlier: Kept | None) -> np.ndarray | None:
        """The kept picture of an earlier fill, if it is still what it was."""
        if earlier is None:
            return None
        try:
            picture = self._store.read_picture(earlier.output)
        except OSError:
            return None
        return picture if content_hash(picture) == earlier.output_sha else None

    def _pictures(self, case: PlannedCase) -> _Pictures:
        """Photo and hole of a case; cases of one photo follow each other, so it is kept."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            found = ahead[1].result()  # waited for in any case: it would disturb the fill
        if ahead is None or ahead[0] != case.case_key:
            found = self._read(case, self._pictures_now)
        self._pictures_now = found
        return found

    def _read(self, case: PlannedCase, before: _Pictures | None) -> _Pictures:
        hole = hole_of(case.mask_sha, self._store)
        shas = case.photo_sha, case.truth_sha
        if before is not None and before.shas == shas:
            return replace(before, hole=hole)
        found = {sha: Original(photo_of(sha, self._store)) for sha in {*shas}}
        return _Pictures(shas, found[shas[0]], found[shas[1]], hole, self._setup.scoring.keeps)


def _of_batch(kept: Kept) -> str:
    """What must be known of a fill's seconds, where several were made at once."""
    of = json.loads(kept.counts or "{}").get("batch_of")
    return f"seconds: a share of a batch of {of}" if of else ""
