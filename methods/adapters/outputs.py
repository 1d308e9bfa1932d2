"""Outputs made elsewhere, scored by the same rules: a folder of PNG files as a method."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.errors import BenchError, ContractError, InputError
from methods.base import CaseKey, PictureInpainter
from methods.card import read

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SHOWN = 5


class Folder(PictureInpainter):
    """Look each fill up under `CaseKey.file_name`.

    The harness pastes the known pixels back as for any method; drift tells what the files
    changed outside the hole. The seconds of a fill would be those of reading a file, so this
    method is not timed.
    """

    card = read("folder")
    timed = False

    def __init__(self, name: str, path: str | Path, *, device: str = "cpu") -> None:
        """Point at the folder.

        Raises:
            BenchError: If it is not there.
        """
        super().__init__(name, device=device)
        self.path = Path(path)
        if not self.path.is_dir():
            raise BenchError(f"method {name!r}: expected a folder of outputs at {self.path}")
        self._file: Path | None = None

    @cached_property
    def identity(self) -> str:
        """Content of all PNG files, by name.

        Sizes and times of the files would be faster to read, but times change with a copy and
        may survive an edit; with the content, a resumed run measures again exactly when a file
        changed, on this machine or another.
        """
        digest = hashlib.sha256()
        for name in self._names():
            digest.update(name.encode() + b"\0")
            digest.update(hashlib.sha256((self.path / name).read_bytes()).digest())
        return f"{super().identity} {digest.hexdigest()[:16]}"

    def expect(self, cases: Sequence[CaseKey]) -> None:
        """Compare the folder with the plan, strictly: one file a case and no other PNG.

        Raises:
            BenchError: If files are missing or nobody asked for them.
        """
        wanted = {case.file_name for case in cases}
        found = set(self._names())
        if wanted != found:
            raise BenchError(
                f"method {self.name!r}: expected one PNG file for each of {len(wanted)} cases in "
                f"{self.path}; missing {_listed(wanted - found)}; unexpected "
                f"{_listed(found - wanted)}. Files are named <tier>/<photo>-<draw>.png"
            )

    def begin(self, case: CaseKey) -> None:
        """Remember which file comes next."""
        self._file = self.path / case.file_name

    def fill_picture(
        self, picture: np.ndarray, hole: np.ndarray, generator: torch.Generator
    ) -> np.ndarray:
        """Read the file.

        Raises:
            InputError: If it cannot be read, is not a lossless 8-bit RGB PNG, or has another
                size than the photo.
        """
        if self._file is None:
            raise ContractError(f"method {self.name!r}: a case must begin before it is filled")
        return read_png(self._file, picture.shape[1], picture.shape[0])

    def _names(self) -> list[str]:
        files = (path for path in self.path.rglob("*") if path.suffix.lower() == ".png")
        return sorted(path.relative_to(self.path).as_posix() for path in files)


def read_png(path: Path, width: int, height: int) -> np.ndarray:
    """Read a fill as it was saved.

    Returns:
        uint8 RGB ``(height, width, 3)``.

    Raises:
        InputError: If it is not a readable 8-bit RGB PNG of this size.
    """
    try:
        content = path.read_bytes()
        _check_lossless(path, content)
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.size != (width, height):
                raise InputError(
                    f"{path}: the output is {image.width}x{image.height} but the photo is "
                    f"{width}x{height}; outputs must have the size of the photo"
                )
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's three ways to refuse a file
        raise InputError(f"{path}: cannot be read as an output ({error})") from error


def _check_lossless(path: Path, content: bytes) -> None:
    """Look at the first bytes: the name says little, and Pillow hides 16 bits and palettes."""
    if not content.startswith(_SIGNATURE):
        kind = "JPEG" if content.startswith(b"\xff\xd8") else "no PNG"
        raise InputError(
            f"{path}: expected a PNG file, found {kind} under this name; lossy compression "
            "changes the score, so save outputs as PNG from the start"
        )
    depth, colour = content[24:26] if len(content) > 25 else (0, 0)
    if (depth, colour) != (8, 2):
        kinds = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
        raise InputError(
            f"{path}: expected 8-bit RGB, found {depth}-bit {kinds.get(colour, 'unknown')}; "
            "save the output as 8-bit RGB PNG"
        )


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    if not ordered:
        return "none"
    more = ", ..." if len(ordered) > _SHOWN else ""
    return f"{len(ordered)} ({', '.join(ordered[:_SHOWN])}{more})"
