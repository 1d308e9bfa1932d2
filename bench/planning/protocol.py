"""What is compared on: the request of photos and holes that, with the files, decides the plan."""

from __future__ import annotations

from dataclasses import dataclass

from bench.errors import InputError
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

    def __post_init__(self) -> None:
        """Refuse tiers that do not exist before any file is read."""
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
