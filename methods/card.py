"""Cards: the facts about a method as data, read without torch."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, fields, replace
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Any, Final

from bench.errors import BenchError, require_one_of
from methods.weights import SMALL, Checkpoint

FAMILIES = (
    "floor", "ceiling", "diffusion-based", "patch-based", "CNN", "GAN", "transformer", "Fourier",
    "other", "elsewhere",
)  # fmt: skip
BLANKED, VISIBLE = "blanked", "visible"
PADDINGS = ("reflect", "symmetric", "replicate", "constant")
UNTRAINED = "untrained"  # in the name of weights that nobody should get without asking for them
_FOLDER = Path(__file__).parent / "cards"


@dataclass(frozen=True)
class SizeRule:
    """Which picture sizes a method takes.

    Attributes:
        kind: ``any``; ``multiple`` (padded to a multiple of ``of``); ``fixed`` (resized to
            ``side`` x ``side``).
        of: The multiple.
        padding: ``reflect``, ``symmetric`` (which repeats the edge), ``replicate`` or
            ``constant`` (zeros).
        side: The fixed side, in pixels.
        minimum: Smallest side taken; smaller pictures are declined.
        maximum_pixels: Largest area taken, if there is a limit.
    """

    kind: str = "any"
    of: int = 1
    padding: str = "reflect"
    side: int = 0
    minimum: int = 1
    maximum_pixels: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no picture could be fitted to."""
        _require_types(self, "size rule")
        usable = {
            "any": True,
            "multiple": self.of > 1 and self.padding in PADDINGS,
            "fixed": self.side > 0,
        }
        if not usable.get(self.kind, False):
            raise BenchError(
                "size rule: expected kind any, multiple (with of > 1 and padding out of "
                f"{', '.join(PADDINGS)}) or fixed (with side > 0), found {self!r}"
            )

    def length(self, least: int) -> int:
        """The least length of a side, from so many pixels on, that it takes without resizing."""
        return self.side or -(-max(least, self.minimum) // self.of) * self.of

    def __str__(self) -> str:
        """The rule in words, for readers of a report."""
        words = {
            "any": "any size",
            "multiple": f"padded to a multiple of {self.of} ({self.padding})",
            "fixed": f"resized to {self.side} x {self.side}",
        }[self.kind]
        if self.minimum > 1:
            words += f", sides from {self.minimum} pixels"
        if self.maximum_pixels is not None:
            words += f", up to {self.maximum_pixels} pixels"
        return words


_TYPES: Final[dict[str, tuple[str, Any]]] = {
    "str": ("a text", str), "bool": ("True or False", bool), "float": ("a number", Real),
    "int": ("a whole number", Integral), "int | None": ("a whole number", (Integral, NoneType)),
    "SizeRule": ("a SizeRule", SizeRule),
}  # fmt: skip


def _require_types(facts: SizeRule | Card, what: str) -> None:
    """Refuse facts of other types, as users may state them: all who read them rely on that."""
    for each in fields(facts):
        words, types = _TYPES.get(str(each.type), ("", object))
        found = getattr(facts, each.name)
        if not isinstance(found, types):
            raise BenchError(f"{what}: {each.name}: expected {words}, found {found!r}")


@dataclass(frozen=True)
class Published:
    """Figures that somebody published about a method, and how they were measured.

    Attributes:
        on: Photos, sizes and holes.
        protocol: How it was measured, and what differs from how this project does it.
        source: Where the figures stand.
        figures: Value by name of the metric; a name of this project's metrics only where both
            mean the same.
        weights: What they are of, if not of the method as such.
    """

    on: str
    protocol: str
    source: str
    figures: dict[str, float]
    weights: str = ""


@dataclass(frozen=True)
class Card:
    """What is known about a method.

    Attributes:
        name: Name in the table of methods.
        title: Name in a report.
        family: One of `FAMILIES`.
        summary: One sentence on how it fills a hole.
        paper: Authors, title, venue, year; empty if there is none.
        url: Where the paper or the library is.
        implementation: Which code does the work.
        licence: Licence of that code.
        size: Which sizes it takes.
        stochastic: Whether another seed gives another fill.
        sees: `BLANKED`, or `VISIBLE` where it is shown what lies under the hole, as methods that
            remove objects may want; such a method can only be run where that is not the answer.
        default: Whether the default job runs it.
        cost: Rough seconds for a 256 x 256 picture on one core; only orders the work.
        limits: Known limits, for the reader of a report.
        verified: What the implementation was checked against.
        weights: Names of weights to choose from, as in ``NAME:WEIGHTS``; those of the checkpoints.
            The first is the default; what is named untrained comes last.
        variants: Names of variants to choose from, as in ``NAME@VARIANT``.
        checkpoints: The weight files; those of the first choice are the default.
        published: Figures of the paper or of others; never of this project.
        configs: Settings of the network by name, to be trained with.
        sizes: Which sizes it takes with those settings, where that differs from ``size``.
    """

    name: str
    title: str
    family: str
    summary: str = ""
    paper: str = ""
    url: str = ""
    implementation: str = ""
    licence: str = ""
    size: SizeRule = field(default_factory=SizeRule)
    stochastic: bool = False
    sees: str = BLANKED
    default: bool = False
    cost: float = 0.1
    limits: str = ""
    verified: str = ""
    weights: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    published: tuple[Published, ...] = ()
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    sizes: dict[str, SizeRule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a family that reports would not know how to show, and what it cannot see."""
        _require_types(self, f"card {self.name!r}")
        if self.family not in FAMILIES:
            raise BenchError(
                f"card {self.name!r}: family {self.family!r} is none of {', '.join(FAMILIES)}"
            )
        if self.sees not in (BLANKED, VISIBLE):
            raise BenchError(
                f"card {self.name!r}: sees: expected {BLANKED} or {VISIBLE}, found {self.sees!r}"
            )

    @property
    def called(self) -> str:
        """The title, with what every reader must know beside it."""
        return f"{self.title} (sees the object)" if self.sees == VISIBLE else self.title

    @property
    def training(self) -> str:
        """What makes weights for a network that has none yet; empty for all others."""
        if self.checkpoints or not self.configs:
            return ""
        return f"inpaint-bench train {self.name} --images PHOTOS --budget PICTURES --out FOLDER"

    def fitted(self, choice: str) -> Card:
        """The card of a choice of weights: with its sizes."""
        return replace(self, size=self.sizes[choice]) if choice in self.sizes else self

    def with_own_weights(self, path: Path) -> Card:
        """The card of the network with weights of the user's, of which nothing is published."""
        title = f"{self.title} (own weights, {path.name})"
        return replace(self, title=title, published=())

    def config(self, name: str) -> dict[str, Any]:
        """The settings of the network of that name.

        Raises:
            BenchError: If the card has none.
        """
        require_one_of(name, self.configs, f"{self.name}: configuration")
        return self.configs[name]

    def files(self, choice: str = "") -> tuple[Checkpoint, ...]:
        """The weight files of a choice, or of the first one; nothing if the card has none.

        Raises:
            BenchError: If there are none of that choice.
        """
        choice = choice or next(iter(self.weights), "")
        found = tuple(each for each in self.checkpoints if each.choice == choice)
        if choice and not found:
            raise BenchError(
                f"card {self.name!r}: expected weights out of {', '.join(self.weights) or 'none'}, "
                f"found {choice!r}"
            )
        return found


def read(name: str) -> Card:
    """Read the card of a built-in method.

    Raises:
        BenchError: If there is no card, or its fields are not those of `Card` and `SizeRule`.
    """
    path = _FOLDER / f"{name}.toml"
    try:
        facts: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BenchError(f"card of method {name!r}: {error}") from error
    unknown = facts.keys() - {f.name for f in fields(Card)}
    if unknown:
        raise BenchError(f"{path.name}: unknown fields {', '.join(sorted(unknown))}")
    facts["variants"] = tuple(facts.get("variants", ()))
    try:
        facts["published"] = tuple(Published(**each) for each in facts.get("published", ()))
        files = [*(Checkpoint(**each) for each in facts.get("checkpoints", ())), *_small(name)]
        files.sort(key=lambda each: UNTRAINED in each.choice)
        facts["checkpoints"] = tuple(files)
        facts["weights"] = tuple(dict.fromkeys(each.choice for each in files))
        size = SizeRule(**facts.pop("size", {}))
        facts["sizes"] = {each: SizeRule(**rule) for each, rule in facts.get("sizes", {}).items()}
        return Card(**{"name": name, **facts, "size": size})
    except TypeError as error:  # a field too few, or one that nothing here knows
        raise BenchError(f"{path.name}: {error}") from error


def trained(folder: Path) -> tuple[str, Checkpoint]:
    """Read what a training left in its folder: the name of the method, and its weights.

    Raises:
        BenchError: If it is no such folder.
    """
    cards = sorted(folder.glob("*.json"))
    if len(cards) != 1:
        raise BenchError(
            f"{folder}: expected the folder of a finished training, with one card (METHOD-CONFIG"
            f".json) beside the weights, found {len(cards)}"
        )
    method, checkpoint = _trained(cards[0])
    return method, replace(checkpoint, listed=False)


def _small(name: str) -> tuple[Checkpoint, ...]:
    """The weights that come with this project."""
    path = SMALL / f"{name}-small.json"
    return (_trained(path)[1],) if path.exists() else ()


def _trained(path: Path) -> tuple[str, Checkpoint]:
    try:
        facts = json.loads(path.read_text("utf-8"))
        training, data = facts["training"], facts["data"]
        return facts["method"], Checkpoint(
            name=path.stem,
            file=path.with_suffix(".safetensors").name,
            sha256=facts["sha256"],
            bytes=facts["bytes"],
            licence=f"terms of the photos: {data['terms_of_use']}",
            origin=f"trained on the equal-budget track: {facts['parameters']:,} parameters, "
            f"{training['pictures']:,} pictures seen out of {data['photos']:,} photos, "
            f"{training['crop']}-pixel squares, seed {training['seed']}",
            choice=path.stem.rpartition("-")[2],
            config=facts["config"],
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BenchError(f"{path}: expected the card of a training: {error!r}") from error
