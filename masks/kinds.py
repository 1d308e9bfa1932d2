"""Which files are pictures that can be read: one list for photos, masks and truth."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image

from bench.errors import InputError

# Of what Pillow opens: drawings, films and tables of numbers, some of them by running a program.
_NO_PIXELS = {"EPS", "WMF", "MPEG", "FLI", "BUFR", "GRIB", "HDF5", "IPTC"}
_OF_THE_SYSTEM = {"thumbs.db", "desktop.ini", "__macosx"}
_REASONS = {
    ".heic .heif .hif": "needs a package more: pip install 'inpaint-bench[heic]'",
    ".mp4 .mov .avi .mkv .webm .m4v .mpg .mpeg .fli .flc": "is a film; export its frames as PNG",
    ".cr2 .cr3 .nef .arw .dng .raf .orf .rw2": "is a raw photo; develop it to PNG or TIFF",
    ".pdf .eps .ps .svg .ai .wmf .emf": "is a drawing; export it as PNG",
    ".npz .mat .pkl .pt .h5 .hdf .hdf5": "holds several arrays; save one a file, with numpy.save",
    ".zip .tar .gz .tgz .7z .rar": "is an archive; unpack it",
}


def _formats() -> dict[str, str]:
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    known = Image.registered_extensions()
    opened = {suffix: kind for suffix, kind in known.items() if kind in Image.OPEN}
    pixels = {suffix: kind for suffix, kind in opened.items() if kind not in _NO_PIXELS}
    return pixels | {".mpo": "JPEG"}  # which it begins with


_FORMATS = _formats()
FORMATS: Final = tuple(sorted(set(_FORMATS.values())))
"""Names that Pillow has for the formats of pictures of pixels; HEIF where its package is."""

PICTURES: Final = frozenset({*_FORMATS, ".npy"})
"""What pictures and arrays of pixels end in, in lower case."""


def is_picture(name: str) -> bool:
    """Tell by its suffix, in any case, whether a file is a picture or an array of pixels."""
    return os.path.splitext(name)[1].lower() in PICTURES


def unread(path: Path) -> str:
    """Why a file, or a folder that `visible` gives, is not read."""
    if os.path.isdir(path):
        try:
            os.listdir(path)
        except OSError as error:
            return f"a folder that cannot be listed: {error.strerror}"
        return "a link to a folder that it lies in"
    if not os.path.isfile(path):
        return "no file: a pipe, a device, or a link to nowhere"
    suffix = path.suffix.lower()
    for suffixes, reason in _REASONS.items():
        if suffix in suffixes.split():
            return f"{suffix} {reason}"
    return f"{suffix or 'a name without a suffix'} is no kind that is read; pictures are, and .npy"


def visible(folder: Path) -> Iterator[Path]:
    """All files below a folder, sorted, but hidden ones and what systems leave behind.

    Links are followed, also to folders. What is no file counts too, since reading it says what it
    is: links to nowhere, pipes, folders that cannot be listed or lead back to where they lie.

    Raises:
        InputError: If the folder itself cannot be listed.
    """
    found: list[Path] = []

    def unlisted(error: OSError) -> None:
        if str(error.filename) == str(folder):
            raise InputError(f"'{folder}' cannot be listed: {error.strerror}") from error
        found.append(Path(error.filename))

    above: dict[str, tuple[str, ...]] = {str(folder): ()}
    for place, folders, names in os.walk(folder, onerror=unlisted, followlinks=True):
        here = (*above.pop(place), os.path.realpath(place))
        folders[:] = filter(_is_ours, folders)
        back = [name for name in folders if _back(place, name, here)]
        found += (Path(place, name) for name in back)
        folders[:] = (name for name in folders if name not in back)
        above.update((os.path.join(place, name), here) for name in folders)
        found += (Path(place, name) for name in names if _is_ours(name))
    return iter(sorted(found))


def _is_ours(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in _OF_THE_SYSTEM


def _back(place: str, name: str, here: tuple[str, ...]) -> bool:
    """Whether a folder is, or holds, one of those that lead to it."""
    real = os.path.realpath(os.path.join(place, name))
    return any(os.path.commonpath((real, each)) == real for each in here)
