"""Training photos: picture files of folders and tar archives, some of them held out."""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import InputError
from bench.planning import images
from masks import kinds
from masks.picture import picture_size, read_bytes

_HELD_OUT = 40  # one photo in so many
_LARGEST = 256 << 20  # bytes of a picture file in an archive


@dataclass(frozen=True)
class TrainingPhoto:
    """A picture file in memory.

    Attributes:
        name: Path within its folder or archive.
        data: The file's bytes; they are decoded when they are seen, which keeps memory small.
    """

    name: str
    data: bytes

    def pixels(self) -> np.ndarray:
        """Decode: uint8 RGB ``(H, W, 3)``."""
        return images.read(io.BytesIO(self.data))[0]


@dataclass(frozen=True)
class PhotoSet:
    """All training photos.

    Attributes:
        train: Those that are trained on, sorted by name.
        held_out: Those that are only filled to see how training goes; a hash of the name chooses
            them and their order, so that the first few are of all kinds.
        left_out: Why other files are not used, one line each.
        sources: Folders and archives by name, with the number of photos of each.
    """

    train: tuple[TrainingPhoto, ...]
    held_out: tuple[TrainingPhoto, ...]
    left_out: tuple[str, ...]
    sources: dict[str, int]

    @property
    def sha(self) -> str:
        """16 hex digits that identify names and contents of all photos used."""
        digest = hashlib.sha256()
        for photo in (*self.train, *self.held_out):
            digest.update(photo.name.encode() + b"\0" + hashlib.sha256(photo.data).digest())
        return digest.hexdigest()[:16]


def read(paths: Sequence[Path], smallest: int) -> PhotoSet:
    """Read all picture files.

    Args:
        paths: Folders of pictures or of ``.tar`` archives of pictures, or such archives.
        smallest: Photos with a shorter side are left out.

    Raises:
        InputError: If a path is not there, or fewer than two photos can be used.
    """
    photos: dict[str, TrainingPhoto] = {}
    left_out: list[str] = []
    sources: dict[str, int] = {}
    for source in (each for path in paths for each in _sources(path)):
        for name, found in _files(source):
            try:
                data = _data(found)
                reason = _unfit(data, smallest)
            except InputError as error:
                reason = str(error)
            if not reason and name in photos:
                reason = "another photo has this name"
            if reason:
                left_out.append(f"{source.name}/{name}: {reason}")
                continue
            photos[name] = TrainingPhoto(name, data)
            sources[source.name] = sources.get(source.name, 0) + 1
    ordered = [photos[name] for name in sorted(photos)]
    train = tuple(photo for photo in ordered if _hash(photo.name) % _HELD_OUT)
    rest = (photo for photo in ordered if _hash(photo.name) % _HELD_OUT == 0)
    held_out = tuple(sorted(rest, key=lambda photo: _hash(photo.name)))
    if not train or not held_out:
        raise InputError(
            f"training photos: expected at least {_HELD_OUT} or so with sides from {smallest} "
            f"pixels, found {len(ordered)} in {', '.join(map(str, paths))}, {len(held_out)} of "
            f"them to be held out (one in {_HELD_OUT}, by a hash of its name); add photos"
            + (f"; left out: {left_out[0]}" if left_out else "")
        )
    return PhotoSet(train, held_out, tuple(left_out), sources)


def _sources(path: Path) -> list[Path]:
    if path.is_dir():
        archives = sorted(path.glob("*.tar"))
        return archives or [path]
    if path.suffix == ".tar" and path.is_file():
        return [path]
    raise InputError(f"training photos: expected a folder or a .tar archive, found {path}")


def _files(source: Path) -> Iterator[tuple[str, bytes | Path | None]]:
    """Names with contents, with where these are, or with None if they are too large."""
    if source.is_dir():
        for name in images.find(source):
            yield name, source / name
        return
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                if kinds.is_picture(member.name) and member.isfile():
                    # A few bytes may stand for any number of equal ones.
                    large = member.size > _LARGEST or member.issparse()
                    file = None if large else archive.extractfile(member)
                    yield member.name, file.read() if file is not None else None
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise InputError(
            f"{source}: expected a tar archive of pictures: {error}; pack it again"
        ) from error


def _data(found: bytes | Path | None) -> bytes:
    if found is None:
        raise InputError(f"expected a picture file up to {_LARGEST >> 20} MiB, none with gaps")
    return read_bytes(found) if isinstance(found, Path) else found


def _unfit(data: bytes, smallest: int) -> str:
    """Why a file cannot be trained on; reads no more than its head."""
    height, width = picture_size(data, "picture")
    return "" if min(height, width) >= smallest else f"{width}x{height} is smaller than {smallest}"


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
