"""The plan of a run: cases = photos x tiers x draws, their holes, and the protocol fingerprint."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import images
from bench.errors import InputError, StoreError
from bench.images import Photo
from bench.store import RunFolder
from masks import files, tiers

KEEP_ALL_UP_TO = 5000
NO_HOLE = "no-hole"


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


@dataclass
class Inputs:
    """Rows on every file that was read or refused."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def ok(self, path: str, kind: str, pixels: np.ndarray, note: str = "") -> None:
        """Record a file that can be used."""
        height, width = pixels.shape[:2]
        self._add(path, kind, "ok", "", note, images.content_hash(pixels), height, width)

    def refused(self, path: str, kind: str, reason: str) -> None:
        """Record a file that cannot be used, and why."""
        self._add(path, kind, "refused", reason, "", "", 0, 0)

    def table(self) -> pd.DataFrame:
        """All rows."""
        columns = ["path", "kind", "status", "reason", "note", "sha256", "height", "width"]
        return pd.DataFrame(self.rows, columns=columns)

    def _add(self, *values: object) -> None:
        names = ("path", "kind", "status", "reason", "note", "sha256", "height", "width")
        self.rows.append(dict(zip(names, values, strict=True)))


def make(protocol: Protocol, store: RunFolder) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the photos, and draw or read their holes.

    Photos and holes go to the run folder under their content's name; the two tables are the
    caller's to write, once it knows that they belong there.

    Returns:
        The plan, one row per case, and the inputs, one row per file (columns in
        ``docs/run-folder.md``).

    Raises:
        InputError: If no photo can be used.
    """
    inputs = Inputs()
    rows: list[dict[str, Any]] = []
    for photo, mask_paths in _photos(protocol, inputs):
        cases = list(_cases(photo, mask_paths, protocol, store, inputs))
        if cases:
            store.write_picture(photo_file(photo.sha), photo.pixels, flush=True)
        rows.extend(cases)
    if not rows:
        reasons = [row["reason"] for row in inputs.rows if row["reason"]]
        raise InputError(f"no photo with a hole to fill: {'; '.join(reasons[:3]) or 'none given'}")
    plan = pd.DataFrame(rows)
    plan.insert(0, "case", np.arange(len(plan)))
    plan["keep"] = _kept(plan)
    return plan, inputs.table()


def photo_file(sha: str) -> str:
    """Where an evaluated photo lies in the run folder."""
    return f"photos/{sha}.png"


def mask_file(sha: str) -> str:
    """Where a hole lies in the run folder."""
    return f"masks/{sha}.png"


def photo_of(sha: str, store: RunFolder) -> np.ndarray:
    """Read an evaluated photo, uint8 RGB ``(height, width, 3)``.

    Raises:
        StoreError: If it is not there or not the photo of the plan, bit for bit.
    """
    return _verified(store, photo_file(sha), images.content_hash, sha)


def hole_of(case: Mapping[str, Any], store: RunFolder) -> np.ndarray:
    """Read the hole of a case, bool ``(height, width)``.

    Raises:
        StoreError: If it is not there or not the hole of the plan, bit for bit.
    """
    sha = str(case["mask_sha"])
    return _verified(store, mask_file(sha), tiers.mask_hash, sha)


def _verified(
    store: RunFolder, name: str, content: Callable[[np.ndarray], str], sha: str
) -> np.ndarray:
    path = store.file(name)
    try:
        pixels = store.read_picture(name)
        problem = "" if content(pixels) == sha else "is not what the plan says"
    except Exception as error:  # a damaged picture makes Pillow raise errors of any kind
        problem = f"cannot be read ({error})"
    if problem:
        raise StoreError(
            f"{path}: {problem}; delete {store.file('plan.parquet')} and give the same command "
            "again, which writes photos and holes anew"
        )
    return pixels


def seed_of(seed: int, case: Mapping[str, Any], sample: int) -> int:
    """Seed of a method's generator: the same for every method, whatever runs before."""
    text = f"fill|{seed}|{case['photo']}|{case['tier']}|{case['draw']}|{sample}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def inputs_key(protocol: Protocol) -> str:
    """Hash of the request and of the listing of its files, to see whether a plan still holds."""
    text = repr(protocol)
    for folder in (protocol.photos, protocol.masks):
        if folder is not None and folder != images.BUNDLED:
            paths = [Path(folder)] if Path(folder).is_file() else sorted(Path(folder).rglob("*"))
            for path in paths:
                with contextlib.suppress(OSError):  # a link to nowhere is no file
                    stat = path.stat()
                    text += f"\n{path}|{stat.st_size}|{stat.st_mtime_ns}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def fingerprint(plan: pd.DataFrame, protocol: Protocol, metric_signatures: Sequence[str]) -> str:
    """One printable line for the protocol: photos, masks, size rule, paste-back, metrics."""
    photos = plan[["photo", "photo_sha"]].drop_duplicates().agg("|".join, axis=1)
    return " ".join(
        (
            f"photos:{_digest(sorted(photos))}/{len(photos)}",
            f"masks:{_digest(sorted(plan['case_key']))}/{len(plan)}",
            f"size:{protocol.geometry}",
            "paste:known-8bit",
            f"metrics:{_digest(sorted(metric_signatures))}",
        )
    )


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:10]


def _photos(protocol: Protocol, inputs: Inputs) -> Iterator[tuple[Photo, list[Path] | None]]:
    """Read the photos, each with its mask files, or None if its holes are to be generated."""
    if protocol.photos == images.BUNDLED:
        if protocol.masks is not None:
            raise InputError("--masks: the bundled photos have generated holes; give --images too")
        for photo in list(images.bundled())[: protocol.limit]:
            inputs.ok(photo.id, "photo", photo.pixels)
            yield photo, None
        return
    folder = Path(protocol.photos)
    names = images.find(folder)
    paired = _mask_files(names, folder, protocol, inputs)
    if paired is not None:
        names = [name for name in names if name in paired]
    for name in names[: protocol.limit]:
        if (shown := name.encode("utf-8", "backslashreplace").decode()) != name:
            inputs.refused(shown, "photo", "the file name is not valid UTF-8; rename the file")
            continue
        try:
            pixels, note = images.read(folder if folder.is_file() else folder / name)
        except InputError as error:
            inputs.refused(name, "photo", str(error))
            continue
        if protocol.size is not None and min(pixels.shape[:2]) < protocol.size:
            note = "; ".join(filter(None, (note, "enlarged, which flatters every method")))
        inputs.ok(name, "photo", pixels, note)
        evaluated = images.evaluated(pixels, protocol.size)
        photo = Photo(name, name, evaluated, pixels.shape[:2], note)
        yield photo, None if paired is None else paired[name]


def _mask_files(
    names: list[str], folder: Path, protocol: Protocol, inputs: Inputs
) -> dict[str, list[Path]] | None:
    """Mask files by photo; what has no partner is refused. None if holes are generated."""
    if protocol.masks is None:
        return None
    given = Path(protocol.masks)
    if given.is_file():
        return {name: [given] for name in names}
    pairing = files.pair(names, given)
    photos = {(folder / name).resolve(): name for name in names}
    # Photos and masks may share a folder: no photo is its own mask, no mask is a photo.
    paired = {
        name: [path for path in paths if photos.get(path.resolve()) != name]
        for name, paths in pairing.masks.items()
    }
    used = {path.resolve() for paths in paired.values() for path in paths}
    for path, name in photos.items():
        if not paired.get(name) and path not in used:
            inputs.refused(name, "photo", f"no mask in {given} is named after this photo")
    for path in pairing.unused:
        if path.resolve() not in photos:
            inputs.refused(str(path), "mask", "no photo has the name of this mask")
    return {name: paths for name, paths in paired.items() if paths}


def _cases(
    photo: Photo,
    mask_paths: list[Path] | None,
    protocol: Protocol,
    store: RunFolder,
    inputs: Inputs,
) -> Iterator[dict[str, Any]]:
    if mask_paths is None:
        yield from _generated(photo, protocol, store, inputs)
        return
    draws: Counter[str] = Counter()
    for path in mask_paths:
        try:
            mask = files.read_mask(
                path, threshold=protocol.mask_threshold, invert=protocol.invert_masks
            )
            if mask.shape != photo.pixels.shape[:2]:
                files.require_size(mask, path, *photo.original_size, photo.id)
                mask = images.evaluated(mask, protocol.size, mask=True)
        except InputError as error:
            inputs.refused(str(path), "mask", str(error))
            continue
        share = float(mask.mean())
        # A case without a hole is perfect for every method: it must not enter a tier's means.
        tier = tiers.tier_of(share) if share else NO_HOLE
        odd = "no hole" if share == 0 else "more than 90 % hole" if share > 0.9 else ""
        inputs.ok(str(path), "mask", mask, odd)
        yield _row(store, photo, tier, draws[tier], mask, str(path), "file", {})
        draws[tier] += 1


def _generated(
    photo: Photo, protocol: Protocol, store: RunFolder, inputs: Inputs
) -> Iterator[dict[str, Any]]:
    height, width = photo.pixels.shape[:2]
    for tier in protocol.tiers:
        for draw in range(protocol.draws):
            seed = tiers.seed_of(protocol.seed, photo.id, tier, draw, height, width)
            try:
                hole = tiers.generate(tier, height, width, seed)
            except InputError as error:
                inputs.refused(photo.id, "mask", f"{photo.id}: {error}")
                continue
            yield _row(
                store, photo, tier, draw, hole.mask, "generated", hole.family, hole.parameters
            )


def _row(
    store: RunFolder,
    photo: Photo,
    tier: str,
    draw: int,
    mask: np.ndarray,
    source: str,
    family: str,
    parameters: dict[str, Any],
) -> dict[str, Any]:
    facts = tiers.describe(mask)
    sha = tiers.mask_hash(mask)
    store.write_picture(mask_file(sha), mask, flush=True)
    identity = f"{photo.id}|{tier}|{draw}|{photo.sha}|{sha}"
    return {
        "case_key": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "photo": photo.id,
        "cluster": photo.cluster,
        "tier": tier,
        "draw": draw,
        "height": mask.shape[0],
        "width": mask.shape[1],
        "photo_sha": photo.sha,
        "mask_sha": sha,
        "mask_source": source,
        "family": family,
        "parameters": json.dumps(parameters, sort_keys=True),
        "hole_share": facts.share,
        "hole_width": facts.width,
        "components": facts.components,
        "border": facts.border,
    }


def _kept(plan: pd.DataFrame) -> list[bool]:
    """Mark whose fills are kept as pictures: all, or a sample that depends on the keys alone."""
    if len(plan) <= KEEP_ALL_UP_TO:
        return [True] * len(plan)
    keys = plan[["photo", "tier", "draw"]].astype(str).agg("|".join, axis=1)
    order = keys.map(lambda key: hashlib.sha256(key.encode()).hexdigest())
    return list(order.rank() <= KEEP_ALL_UP_TO)
