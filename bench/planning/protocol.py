"""What is compared on: the request of photos and holes that, with the files, decides the plan."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from bench.errors import BenchError, InputError, beside, did_you_mean, require_one_of, spelt_like
from bench.folder.header import UNKNOWN as UNKNOWN  # a truth that nobody has
from bench.planning import bundled, followed
from bench.planning.geometry import Geometry
from bench.planning.scoring import Scoring
from bench.protocols import read as protocols
from bench.protocols.record import Published
from masks import files, published, tiers

# Of what could not always be asked for; at its default it leaves the keys of older plans alone.
_LATER: Final = {"later": True}
_WAYS: Final = {"pairing": ["name", "order", "pool"], "clusters": ["photo", "folder"],
               "groups": ["none", "folder"]}  # fmt: skip
_TIERS: Final = tuple(tier.name for tier in tiers.ALL)


@dataclass(frozen=True)
class Protocol:
    """What a user asks to be compared on; together with the files it decides the plan.

    Attributes:
        photos: A folder, one picture, or a set of `bundled.SETS`.
        masks: A folder or file with masks; generated holes if None.
        mask_threshold: Least value of a mask file that is hole, 1 to 255.
        invert_masks: Whether black is hole in the mask files.
        size: What photos are brought to, as `Geometry.asked` takes it: the side of a square in
            pixels, ``WxH`` or ``fit:N``; None keeps native sizes.
        tiers: Tiers of generated holes.
        draws: Generated holes per photo and tier.
        seed: Seeds holes and stochastic methods.
        limit: Use only the first so many photos, if given.
        mask_labels: Which labels, classes or colours of annotations and class masks are hole; all
            that are none of the background if empty.
        pairs: CSV file that says which photo has which masks, truth, cluster, prompt, group and
            credit.
        pairing: How photos get their masks from a folder: by ``name``, by ``order`` of their
            sorted names, or from a ``pool`` by seeded choice.
        clusters: What statistics resample: each ``photo``, or each ``folder`` of photos.
        groups: What kind a photo is of: that in ``pairs``, or the ``folder`` it lies in.
        truth: What fills are held against: the photo if None, a folder of other pictures of the
            same names, or `UNKNOWN`.
        prompt: What to fill in where ``pairs`` says nothing, for methods that read it.
        published: Name of the published protocol that is followed; empty if none is.
        paste: Which picture is scored, as `Scoring` takes it.
        quantise: How its levels become bytes, likewise.
    """

    photos: str = bundled.BUNDLED
    masks: str | None = None
    mask_threshold: int = files.THRESHOLD
    invert_masks: bool = False
    size: int | str | None = 256
    tiers: tuple[str, ...] = tuple(tier.name for tier in tiers.TIERS)
    draws: int = 1
    seed: int = 0
    limit: int | None = None
    mask_labels: tuple[str, ...] = field(default=(), metadata=_LATER)
    pairs: str | None = field(default=None, metadata=_LATER)
    pairing: str = field(default="name", metadata=_LATER)
    clusters: str = field(default="photo", metadata=_LATER)
    groups: str = field(default="none", metadata=_LATER)
    truth: str | None = field(default=None, metadata=_LATER)
    prompt: str = field(default="", metadata=_LATER)
    published: str = field(default="", metadata=_LATER)
    paste: str = field(default=Scoring.paste, metadata=_LATER)
    quantise: str = field(default=Scoring.quantise, metadata=_LATER)

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
            photos: As the attribute; if ``bundled``, those of ``pairs`` are relative to its folder.
            masks: As the attribute.
            size: As `Geometry.asked` takes it.
            tiers: As the attribute.
            draws: Likewise.
            more: The other attributes.

        Raises:
            BenchError: If an option is malformed or would change nothing.
            InputError: If there is no such folder or file.
        """
        if name := more.pop("published", ""):
            given = {"size": size, "tiers": tiers, "draws": draws, **more}
            return cls._following(protocols.get(name), photos, masks, given)
        if photos == bundled.BUNDLED and more.get("pairs") is not None:
            photos = str(Path(more["pairs"]).parent)
        if photos in bundled.SETS and masks is not None:
            raise BenchError("--masks: the bundled photos have generated holes; give --images too")
        pool = more.get("pairing", cls.pairing) == "pool"
        if masks is not None and (tiers is not None or (draws is not None and not pool)):
            raise BenchError(
                "--tiers and --draws: for generated holes only, not with --masks"
                + (", but for --draws masks of a pool" if pool else "")
            )
        _require_paths({"images": photos, "masks": masks, **more})
        return cls(
            photos,
            masks,
            size=bundled.SETS.get(photos, cls.size) if size is None else Geometry.asked(size).words,
            tiers=cls.tiers if tiers is None else tuple(spelt_like(t, _TIERS) for t in tiers),
            draws=cls.draws if draws is None else draws,
            **more,
        )

    @classmethod
    def _following(
        cls, published: Published, photos: str, masks: str | None, given: Mapping[str, Any]
    ) -> Protocol:
        followed.refuse_more(published, given, {each.name: each.default for each in fields(cls)})
        asked = followed.fields_of(published, photos)
        if masks is not None and not published.data.masks:
            raise BenchError(
                f"--masks: protocol {published.name} has generated holes; leave it out"
            )
        _require_paths({"images": photos, "masks": masks})
        return cls(photos, masks, limit=given.get("limit"), **asked)

    def __post_init__(self) -> None:
        """Refuse what cannot be served before any file is read."""
        for name, count in (("draws", self.draws), ("limit", self.limit)):
            if count is not None and count < 1:
                raise InputError(f"--{name}: expected a number from 1, found {count}")
        for name, known in _WAYS.items():
            require_one_of(getattr(self, name), known, f"--{name}", InputError)
        files.Rules(self.mask_threshold)  # refuses what is none
        _ = self.scoring  # likewise
        if self.geometry.rule == "crop" and (
            self.masks is not None
            or len(self.tiers) * self.draws > 1
            or not ({*self.tiers} <= published.SETS.keys())
        ):
            raise InputError(
                f"--size {self.size}: a photo has one part, around its one generated hole; give "
                f"one tier of a published generator ({', '.join(published.SETS)}), no masks, and "
                "one draw"
            )
        if self.pairing != "name" and self.masks is None:
            raise InputError(f"--pairing {self.pairing}: give the folder of masks too, --masks")
        if self.photos in bundled.SETS and (
            self.clusters != "photo" or self.groups != "none" or self.pairs
        ):
            raise InputError(
                "--clusters, --groups and --pairs: not for the bundled photos; give --images"
            )
        if self.truth is not None and self.masks is None and self.pairs is None:
            raise InputError(
                "--truth: for objects to be removed, which --masks show; give --images and --masks "
                "too, or leave it out: of generated holes the photo is the truth"
            )
        unknown = [name for name in self.tiers if name not in _TIERS]
        if unknown or len(set(self.tiers)) != len(self.tiers) or not self.tiers:
            meant = did_you_mean(unknown[0], _TIERS) if unknown else ""
            raise InputError(
                f"--tiers: the tiers are {', '.join(_TIERS)}, each at most once; "
                f"found {','.join(self.tiers) or 'none'}.{meant}"
            )

    @property
    def geometry(self) -> Geometry:
        """The size rule."""
        return Geometry.asked(self.size)

    @property
    def scoring(self) -> Scoring:
        """Which picture of a fill is scored."""
        return Scoring(self.paste, self.quantise)

    @property
    def pooled(self) -> bool:
        """Whether masks were drawn on no photo, so that they are brought to the size of each."""
        if self.published:
            return protocols.get(self.published).holes.pairing == "pool"
        return self.pairing == "pool"

    @property
    def folder(self) -> Path:
        """The folder of photos, or the one picture."""
        return bundled.folder(self.photos)

    def key_text(self) -> str:
        """The request as one text, the same as ever for what could be asked for ever since."""
        shown = (
            f"{each.name}={getattr(self, each.name)!r}"
            for each in fields(self)
            if not each.metadata or getattr(self, each.name) != each.default
        )
        return f"Protocol({', '.join(shown)})"


def _require_paths(given: Mapping[str, Any]) -> None:
    """Refuse paths at which there is nothing."""
    for option in ("images", "masks", "truth", "pairs"):
        path = given.get(option)
        if path is None or path in (*bundled.SETS, UNKNOWN) or os.path.exists(path):
            continue
        raise InputError(
            f"--{option}: expected a folder or a file, found nothing at {path}.{beside(Path(path))}"
        )
