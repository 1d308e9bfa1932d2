"""What a published protocol is: its data, sizes, holes, scoring, metrics, and what was published.

A file of the catalogue describes a family: what its protocols share, and what each has of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

EXACT, STATISTICAL, NOT_REPRODUCIBLE = "exact", "statistical", "not reproducible"
REPRODUCES: Final = (EXACT, STATISTICAL, NOT_REPRODUCIBLE)

PAIRED: Final = {
    "name": "by name", "sorted": "by position", "listed": "as listed", "pool": "of a pool",
}  # fmt: skip
"""What readers are told of `Holes.pairing`."""


@dataclass(frozen=True)
class Data:
    """Which files a protocol expects below one folder.

    Attributes:
        reader: Which layout it is, by name of `bench.planning.layouts`.
        photos: Pattern of the photos, relative to the folder, with ``/``.
        masks: Likewise of the masks, or the file that lists them; empty where holes are generated.
        truth: Likewise of the truths; empty where these are the photos.
        names: File that lists which photos are used, if the authors published one.
        about: Where the data is had, under which terms, and what is to be put where.
    """

    reader: str
    photos: str
    masks: str = ""
    truth: str = ""
    names: str = ""
    about: str = ""


@dataclass(frozen=True)
class Holes:
    """Where holes come from.

    Attributes:
        generator: Tier of `masks.tiers`; empty where masks are files.
        pairing: How photos get their mask files: ``name``, ``sorted`` (by position in the order of
            code points), ``listed`` (a file says so), or ``pool`` (drawn on no photo, so that they
            are brought to the size of each).
        hole: Which colour is hole in the files, ``white`` or ``black``.
        threshold: Least level of a file's pixel that counts as white.
    """

    generator: str = ""
    pairing: Literal["name", "sorted", "listed", "pool"] = "name"
    hole: Literal["white", "black"] = "white"
    threshold: int = 128


@dataclass(frozen=True)
class Score:
    """Which picture is scored.

    Attributes:
        paste: ``known`` (known pixels pasted back), ``raw`` (as the method returned it) or
            ``blended-N`` (joined along the hole's edge, the mask blurred by a Gaussian of N x N).
        quantise: How levels become bytes: ``round``, ``truncate`` or ``jpeg-Q``.
    """

    paste: str = "known"
    quantise: str = "round"


@dataclass(frozen=True)
class Row:
    """Figures that were published of one method under this protocol.

    Attributes:
        title: The method as the source calls it.
        figures: Value by name of this project's metric, in its unit; only where both are the same.
        source: Where they stand.
        method: Full name of that method here, as in ``lama:big-lama``; empty if there is none.
        secondary: Whether they were read in somebody's copy, not in the source itself.
        note: What a reader must know.
        seen: When they were read there, as 2026-11.
        others: What else is stated, by the source's names: of metrics that are not measured here,
            or not known to be the same.
    """

    title: str
    figures: Mapping[str, float]
    source: str
    method: str = ""
    secondary: bool = False
    note: str = ""
    seen: str = "2026-11"
    others: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """A published protocol.

    Attributes:
        name: As in ``run --protocol``.
        title: Name in a report.
        paper: Who published it.
        source: Where its details were read.
        task: ``fill``, ``removal`` or ``text``.
        reproduces: One of `REPRODUCES`: whether numbers made here can be those of the authors.
        why: Why, and what differs.
        data: Its files.
        expects: How many pictures are scored; 0 if that was not stated.
        size: As ``run --size``.
        holes: Where they come from.
        score: Which picture is scored.
        metrics: Names of this project's metrics that are the authors'.
        elsewhere: Metrics of the authors that are not measured here, each with the reason.
        methods: What is compared if nothing else is asked for; empty for the usual ones.
        traps: What in the authors' evaluation moves numbers, and what is done about it here.
        rows: What was published.
        seed: Of the holes and of stochastic methods.
    """

    name: str
    title: str
    paper: str
    source: str
    task: Literal["fill", "removal", "text"]
    reproduces: str
    why: str
    data: Data
    expects: int
    size: str
    holes: Holes = field(default_factory=Holes)
    score: Score = field(default_factory=Score)
    metrics: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    seed: int = 0

    def short_of(self, cases: int) -> str:
        """Why a run of so many pictures compares with nothing published; empty if it may."""
        if self.expects in (0, cases):
            return ""
        return (
            f"expected {self.expects:,} pictures to score, found {cases:,}: a run on these is a "
            "run, and not comparable with what was published"
        )
