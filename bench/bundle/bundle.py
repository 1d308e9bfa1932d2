"""What a bundle holds, and reading and writing it.

A bundle is one JSON file (``*.bundle.json``) with all numbers of a run, case by case, the hashes of
its photos, holes, truths and fills, and where and by what it was made; no pictures, and nothing of
the machine's folders. Everything in it is said in `schema.json` beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.errors import InputError, require_one_of, writing
from bench.folder import typed_json
from bench.folder.header import Fingerprint
from bench.folder.json_file import CHECKSUM, checksum, read_json
from bench.folder.typed_json import WrongValue

FORMAT: Final = 1
SUFFIX: Final = ".bundle.json"


@dataclass(frozen=True)
class Machine:
    """Where it was made, as far as that may change numbers.

    Attributes:
        system: Kernel and C library.
        processor: Its name.
        accelerator: Likewise; ``none`` without one.
        device: What methods ran on, as torch calls it.
        cores: Of the processor.
        memory_bytes: Of the machine.
        python: Version.
        packages: Versions by name.
    """

    system: str
    processor: str
    accelerator: str
    device: str
    python: str
    packages: Mapping[str, str]
    cores: int | None = None
    memory_bytes: int | None = None

    @property
    def hardware(self) -> tuple[str, str, int | None, int]:
        """What tells machines apart; no version of anything that can be installed."""
        gibibytes = round((self.memory_bytes or 0) / 2**30)
        return self.processor, self.accelerator, self.cores, gibibytes


@dataclass(frozen=True)
class Case:
    """A photo and a hole.

    Attributes:
        key: Hash of photo name, tier, draw and both contents.
        photo: Name of the photo.
        tier: Of the hole.
        draw: Number of the hole.
        cluster: What statistics resample.
        height: In pixels.
        width: Likewise.
        hole_share: Share of the picture that is hole.
        photo_sha: 16 hex digits of SHA-256 of the photo's pixels.
        mask_sha: Likewise of the hole.
        truth: Likewise of the truth; ``unknown``, or empty where it is the photo.
    """

    key: str
    photo: str
    tier: str
    draw: int
    cluster: str
    height: int
    width: int
    hole_share: float
    photo_sha: str
    mask_sha: str
    truth: str = ""


@dataclass(frozen=True)
class MetricFacts:
    """A metric that was measured; fields as in ``metrics.parquet``."""

    name: str
    label: str
    unit: str
    direction: str
    scope: str
    region: str
    implementation: str
    version: str
    weights: str
    definition: str = ""
    range: str = ""
    note: str = ""


@dataclass(frozen=True)
class Mean:
    """A method's mean of a metric over its completed cases of a tier, with its 95 % interval.

    Attributes:
        tier: Of the holes.
        metric: Name.
        value: The mean; infinite decibels count as 100. Of a set metric its value.
        n: Number of fills.
        low: End of the interval; None if there is none.
        high: Likewise.
    """

    tier: str
    metric: str
    value: float
    n: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Fills:
    """The fills of a method, column by column; places in ``cases`` come first.

    Attributes:
        case: Place of the case of each fill.
        sample: Number of the fill of a stochastic method.
        status: ``ok``, or what became of it.
        output_sha: 16 hex digits of SHA-256 of its pixels; empty if there is none.
        seconds: Wall time; None if it is not known.
        values: By metric, a value a fill; None where there is none.
        infinite: By metric, the places of fills whose value is infinite (None above).
    """

    case: Sequence[int]
    sample: Sequence[int]
    status: Sequence[str]
    output_sha: Sequence[str]
    seconds: Sequence[float | None]
    values: Mapping[str, Sequence[float | None]]
    infinite: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Method:
    """A method and all that was measured of it.

    Attributes:
        name: Full name.
        title: For readers.
        family: Kind of method.
        identity: What it was made of, as text.
        fill_key: Hash of all that decides its fills.
        licence: Of the code.
        weights: SHA-256 of each weight file by name.
        fills: Case by case.
        means: By tier and metric, sets' too.
        paper: Citation.
    """

    name: str
    title: str
    family: str
    identity: str
    fill_key: str
    licence: str
    weights: Mapping[str, str]
    fills: Fills
    means: Sequence[Mean]
    paper: str = ""


@dataclass(frozen=True)
class Correction:
    """What was found to be wrong after the bundle was handed on; what it corrects stays.

    Attributes:
        date: When it was added, as 2026-11-30.
        text: What is wrong and why.
        method: Full name of the method it is about; empty for all.
    """

    date: str
    text: str
    method: str = ""


@dataclass(frozen=True)
class Bundle:
    """A whole bundle.

    Attributes:
        protocol: Name of the published protocol that was followed; empty if none was.
        fingerprint: What numbers must have in common to be compared.
        created: When the run was started.
        finished: When it ended.
        code: State of this project's code.
        machine: Where it ran.
        seed: Of holes and stochastic methods.
        metrics: What was measured.
        cases: Photos and holes.
        methods: What was measured of each.
        corrections: In the order they were made.
    """

    protocol: str
    fingerprint: Fingerprint
    created: str
    finished: str
    code: str
    machine: Machine
    seed: int
    metrics: Sequence[MetricFacts]
    cases: Sequence[Case]
    methods: Sequence[Method]
    corrections: Sequence[Correction] = ()

    def as_json(self) -> dict[str, Any]:
        """The content of the file."""
        value = {"format": FORMAT, **typed_json.plain(self)}
        return value | {CHECKSUM: checksum(value)}

    @property
    def checksum(self) -> str:
        """A hash of all of it but the corrections, which tells bundles apart."""
        return checksum(replace(self, corrections=()).as_json())


def corrected(bundle: Bundle, text: str, method: str = "") -> Bundle:
    """A bundle with a correction of today; its values stay as they are.

    Raises:
        InputError: If it has no such method, or nothing is said.
    """
    names = [each.name for each in bundle.methods]
    if method:
        require_one_of(method, names, "--method", InputError)
    if not text.strip():
        raise InputError("--correct: expected what is wrong and why, found no words")
    today = datetime.now(UTC).date().isoformat()
    return replace(bundle, corrections=[*bundle.corrections, Correction(today, text, method)])


def write(bundle: Bundle, path: Path) -> None:
    """Write a bundle; the same run gives the same bytes.

    Raises:
        BenchError: If it cannot be written.
    """
    text = json.dumps(bundle.as_json(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(',"', ',\n"') + "\n", "utf-8")


def read(path: Path) -> Bundle:
    """Read a bundle; what it says is checked by `bench.bundle.check`.

    Raises:
        NewerFormat: If a newer version of this project wrote it.
        InputError: If it is none, or damaged.
    """
    value = read_json(path, FORMAT, "a bundle, as inpaint-bench bundle RUN writes it")
    try:
        return typed_json.made(Bundle, value)
    except WrongValue as error:
        raise InputError(f"{path}: no bundle: expected {error}") from None
