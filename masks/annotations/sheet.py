"""What an annotation file says, photo by photo."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError, did_you_mean
from masks.annotations.shape import Shape, Size


@dataclass(frozen=True)
class Sheet:
    """What a file says about one photo; checked when it is asked for, and only then.

    Attributes:
        size: Gives the size that the file states, None if it states none.
        shapes: Gives the shapes on a photo of that size.
    """

    size: Callable[[], Size | None]
    shapes: Callable[[Size], Iterable[Shape]]


@dataclass(frozen=True)
class Annotation:
    """A whole file.

    Attributes:
        sheets: By the name of the photo, as the tool wrote it; by its own stem if it is on one.
        labels: All that the data set has, so that another is a mistake; None if it does not say.
        numbers: Numbers that stand for labels.
        outlined: Whether its tool counts outlines to the area, see `shape.draw`.
    """

    sheets: dict[str, Sheet]
    labels: frozenset[str] | None = None
    numbers: frozenset[str] = frozenset()
    outlined: bool = False


def add(sheets: dict[str, Sheet], name: object, sheet: Sheet, path: Path) -> None:
    """Add what is said on a photo; one that is listed twice is refused when it is asked for.

    Raises:
        InputError: If the name is none.
    """
    if not isinstance(name, str) or not name:
        raise InputError(f"annotation '{path}': expected every photo to have a name")

    def twice() -> Size | None:
        raise InputError(f"annotation '{path}' lists photo '{name}' more than once; merge these")

    sheets[name] = Sheet(twice, sheet.shapes) if name in sheets else sheet


def require(wanted: Collection[str], present: Collection[str], where: object) -> None:
    """Refuse a label that is not there: a typing error, no empty hole.

    Raises:
        InputError: If any is unknown.
    """
    for label in wanted:
        if label not in present:
            known = ", ".join(map(repr, sorted(present)[:50])) or "none"
            guess = did_you_mean(label, present)
            raise InputError(f"'{where}' has no label {label!r}; it has {known}.{guess}")
