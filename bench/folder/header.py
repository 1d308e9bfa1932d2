"""The content of ``run.json``, typed; and the fingerprint of a protocol."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

from bench.errors import InputError
from bench.folder import typed_json, upgrade
from bench.folder.columns import FORMAT
from bench.folder.json_file import CHECKSUM
from bench.folder.store import RunFolder
from bench.folder.typed_json import Parsed, WrongValue

FILE = "run.json"
PHOTO: Final = "photo"
GIVEN: Final = "given"
UNKNOWN: Final = "unknown"
ANEW = "delete it and give the run's command again, which writes it anew"


class Part(NamedTuple):
    """A part of what is compared that differs, as each side has it."""

    name: str
    mine: str
    theirs: str


def differing(mine: Mapping[str, str], theirs: Mapping[str, str]) -> list[Part]:
    """What two sides do not have alike; ``none`` stands for what one of them lacks."""
    names = dict.fromkeys([*mine, *theirs])
    found = (Part(name, mine.get(name, "none"), theirs.get(name, "none")) for name in names)
    return [part for part in found if part.mine != part.theirs]


@dataclass(frozen=True)
class Fingerprint(Parsed):
    """What numbers must have in common to be compared, part by part.

    Attributes:
        parts: ``photos``, ``masks``, ``truth`` unless that is the photo, ``size``, ``paste``,
            ``metrics``, and ``protocol`` where a published one is followed, by name, in order.
    """

    parts: Mapping[str, str]

    @property
    def truth(self) -> str:
        """What fills were held against: the `PHOTO`, another `GIVEN` picture, or `UNKNOWN`."""
        found = self.parts.get("truth", PHOTO)
        return found if found in (PHOTO, UNKNOWN) else GIVEN

    @property
    def scored(self) -> str:
        """Which picture of a fill was scored, such as ``raw-jpeg-75``."""
        return self.parts.get("paste", "known-8bit")

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """Read a line such as ``photos:0123456789/3 size:native``.

        Raises:
            ValueError: If it is none.
        """
        pairs = [part.partition(":") for part in text.split()]
        if not pairs or not all(name and value for name, _, value in pairs):
            raise ValueError(f"expected parts such as photos:0123456789/3, found {text!r:.80}")
        return cls({name: value for name, _, value in pairs})

    def __str__(self) -> str:
        """The line."""
        return " ".join(f"{name}:{value}" for name, value in self.parts.items())

    def differences(self, other: Fingerprint) -> list[Part]:
        """The parts that are not the same; ``none`` stands for one that a side lacks."""
        sides = ({"truth": PHOTO, **each.parts} for each in (self, other))
        return differing(*sides)


@dataclass(frozen=True)
class Environment:
    """Machine, versions and code state. Older runs lack some of it."""

    packages: Mapping[str, str]
    python: str = ""
    system: str = ""
    processor: str = ""
    cores: int | None = None
    memory_bytes: int | None = None
    accelerator: str = ""
    code: str = ""


@dataclass(frozen=True)
class Start:
    """One start of a run. Older runs lack some of it."""

    time: str
    command: Sequence[str]
    environment: Environment
    executor: str = "unknown"
    nodes: Sequence[str] = ()  # system, processor and accelerator of those of a cluster
    workers: int = 1
    threads: int = 1
    device: str = "device unknown"
    offline: bool = False
    shard: str = "0/1"
    limits: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """One of several runs whose tables were put side by side."""

    folder: str
    fingerprint: Fingerprint
    created: str
    finished: str
    state: str


@dataclass(frozen=True)
class Joined:
    """What is to be known of runs side by side."""

    differences: Sequence[str]
    notes: Sequence[str]
    runs: Mapping[str, Origin]


@dataclass(frozen=True)
class Header:
    """The content of ``run.json``; what each key holds is in its field."""

    state: Annotated[str, "running, interrupted, incomplete (fills are missing), complete"]
    created: Annotated[str, "when the run was first started"]
    photo_set: Annotated[
        str, "`bundled`, `bundled-512`, `own photos`; `several` of runs side by side"
    ]
    protocol: Annotated[Mapping[str, Any], "the request for photos and holes"]
    size_rule: Annotated[str, "how photos become evaluated photos"]
    samples: Annotated[int, "fills of a case by stochastic methods"]
    methods: Annotated[Mapping[str, str], "what asks for each method, by full name"]
    fill_keys: Annotated[
        Mapping[str, str], "hash of all that decides a method's fills, by full name"
    ]
    made_anew: Annotated[
        Mapping[str, str], "why a method's fills hold only for the start that made them"
    ]
    fills_per_case: Annotated[Mapping[str, int], "samples by full name"]
    measurements: Annotated[
        Mapping[str, Sequence[str]], "signatures of case metrics, by their hash"
    ]
    measure_key: Annotated[str, "which of them this run has"]
    features: Annotated[Sequence[str], "networks whose features set metrics need"]
    environment: Annotated[
        Environment, "packages, Python, system, processor, code of the last start"
    ]
    starts: Annotated[Sequence[Start], "each start: time, command, where, with what settings"]
    fingerprint: Annotated[
        Fingerprint, "one line for the protocol: runs with the same may be merged"
    ]
    inputs_key: Annotated[str, "hash of the request and the listing of its files"]
    missing: Annotated[int, "fills that were not tried; 0 as long as nobody counted"]
    finished: Annotated[str, "when it ended last; empty while it runs"]
    counts: Annotated[Mapping[str, int], "fills by status"]
    without_result: Annotated[Sequence[str], "methods that completed no case"]
    non_deterministic: Annotated[
        Sequence[str], "fills that came out differently a second time, from the same code"
    ]
    merged_from: Annotated[Sequence[str], "folders of a merged run"] = ()
    joined: Annotated[Joined | None, "of runs side by side: where they differ"] = None

    @property
    def truth(self) -> str:
        """As that of its fingerprint; of runs side by side what leaves the fewest metrics."""
        runs = self.joined.runs.values() if self.joined else [self]
        kinds = {run.fingerprint.truth for run in runs}
        return next(kind for kind in (UNKNOWN, GIVEN, PHOTO) if kind in kinds)

    @property
    def scored(self) -> list[str]:
        """Which picture of a fill was scored; of runs side by side all ways."""
        runs = self.joined.runs.values() if self.joined else [self]
        return list(dict.fromkeys(run.fingerprint.scored for run in runs))

    @property
    def fingerprints(self) -> str:
        """The fingerprint; of runs side by side all of them."""
        runs = self.joined.runs.values() if self.joined else [self]
        return " | ".join(dict.fromkeys(str(run.fingerprint) for run in runs))

    def without(self, methods: Collection[str]) -> Header:
        """All but what is said of some methods."""
        names = ("methods", "fill_keys", "fills_per_case", "made_anew")
        left: dict[str, Any] = {
            name: {key: each for key, each in getattr(self, name).items() if key not in methods}
            for name in names
        }
        return dataclasses.replace(self, **left)

    def as_json(self) -> dict[str, Any]:
        """The content of the file."""
        return {"format": FORMAT, **typed_json.plain(self)}

    def write(self, folder: RunFolder) -> None:
        """Write ``run.json``."""
        folder.write_json(FILE, self.as_json())


def read(folder: RunFolder) -> Header:
    """Read ``run.json``, of this or an earlier format.

    Raises:
        NewerFormat: If a newer version of this project wrote it.
        InputError: If it is missing or damaged.
    """
    value = folder.read_json(FILE)
    try:
        return typed_json.made(Header, upgrade.header(value))
    except WrongValue as error:
        raise InputError(f"{folder.file(FILE)}: expected {error}; {ANEW}") from None


def described() -> Iterator[tuple[str, str]]:
    """The keys and what they hold."""
    yield "format", f"version of the layout, {FORMAT}"
    for name, kind in get_type_hints(Header, include_extras=True).items():
        yield name, kind.__metadata__[0]
    yield CHECKSUM, "of all the rest; may be taken out"
