"""What is compared on: the request of photos and holes that, with the files, decides the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.errors import BenchError, InputError
from bench.planning import images
from masks import files, tiers


@dataclass(frozen=True)
class Protocol:
    """What a user asks to be compared on; together with the files it decides the plan.

    Attributes:
        photos: A folder, one picture, or ``bundled``.
        masks: A folder or file with masks; generated holes if None.
        mask_threshold: Least value of a mask file that is hole, 1 to 255.
        invert_masks: Whether black is hole in the mask files.
        size: Side of the evaluated square in pixels; None keeps native sizes.
        tiers: Tiers of generated holes.
        draws: Generated holes per photo and tier.
        seed: Seeds holes and stochastic methods.
        limit: Use only the first so many photos, if given.
    """

    photos: str = images.BUNDLED
    masks: str | None = None
    mask_threshold: int = files.THRESHOLD
    invert_masks: bool = False
    size: int | None = 256
    tiers: tuple[str, ...] = tuple(tier.name for tier in tiers.TIERS)
    draws: int = 1
    seed: int = 0
    limit: int | None = None

    @classmethod
    def asked(
        cls,
        photos: str,
        masks: str | None,
        *,
        size: int | str | None = None,
        tiers: Sequence[str] | None = None,
        draws: int | None = None,
        **more: Any,
    ) -> Protocol:
        """Make one of a user's words, in which None is what was not asked for.

        Args:
            photos: As the attribute.
            masks: Likewise.
            size: Pixels, as a number or its digits, or ``native``.
            tiers: As the attribute.
            draws: Likewise.
            more: The other attributes.

        Raises:
            BenchError: If an option is malformed or would change nothing.
        """
        if photos == images.BUNDLED and size is not None:
            raise BenchError("--size: the bundled tiles are 256 x 256; give --images too")
        if masks is not None and (tiers is not None or draws is not None):
            raise BenchError("--tiers and --draws: for generated holes only, not with --masks")
        return cls(
            photos,
            masks,
            size=cls.size if size is None else _side(size),
            tiers=cls.tiers if tiers is None else tuple(tiers),
            draws=cls.draws if draws is None else draws,
            **more,
        )

    def __post_init__(self) -> None:
        """Refuse what cannot be served before any file is read."""
        for name, count in (("draws", self.draws), ("limit", self.limit)):
            if count is not None and count < 1:
                raise InputError(f"--{name}: expected a number from 1, found {count}")
        known = [tier.name for tier in tiers.TIERS]
        unknown = [name for name in self.tiers if name not in known]
        if unknown or len(set(self.tiers)) != len(self.tiers) or not self.tiers:
            raise InputError(
                f"--tiers: the tiers are {', '.join(known)}, each at most once; "
                f"found {','.join(self.tiers) or 'none'}"
            )

    @property
    def geometry(self) -> str:
        """The size rule in one word, for the fingerprint."""
        if self.photos == images.BUNDLED:
            return "tiles-256"
        return "native" if self.size is None else f"short-{self.size}-centre"


def _side(size: int | str) -> int | None:
    if size == "native":
        return None
    if not str(size).isdigit() or int(size) < 1:
        raise BenchError(f"--size: expected a number of pixels or 'native', found {size!r}")
    return int(size)
