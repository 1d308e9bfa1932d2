"""Outputs made elsewhere, scored by the same rules: a folder of PNG files as a method."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.errors import BenchError, ContractError, Declined, InputError, writable
from methods.adapters.names import choose, composed, listed
from methods.base import CaseKey, PictureInpainter
from methods.card import read

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD = 26  # bytes that hold signature, size, depth and kind of a PNG
# What is taken for an output by its name; its content decides whether it is one.
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}


class Folder(PictureInpainter):
    """Look each fill up under its name; how files are named is found by `expect`.

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
        self._expected: dict[tuple[object, ...], tuple[str, str]] = {}
        self._case: CaseKey | None = None

    @cached_property
    def identity(self) -> str:
        """Content of all pictures, by name.

        Sizes and times of the files would be faster to read, but times change with a copy and
        may survive an edit; with the content, a resumed run measures again exactly when a file
        changed, on this machine or another.
        """
        digest = hashlib.sha256()
        for name in self._pictures:
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
            digest.update(hashlib.sha256((self.path / name).read_bytes()).digest())
        return f"{super().identity} {digest.hexdigest()[:16]}"

    def expect(self, cases: Sequence[CaseKey]) -> str:
        """Find how the files are named and which cases have one; the card's limits say it, too.

        Raises:
            BenchError: If names fit no naming or several, or no file can be scored.
        """
        try:
            pattern, names = choose(cases, self._files)
        except InputError as error:
            raise BenchError(f"method {self.name!r}: {self.path}: {error}") from error
        named = list(zip(cases, names, strict=True))
        self._expected = {case[:4]: (name, case.size_rule) for case, name in named}
        found = {name: case for case, name in named if name in self._files}
        refused = [why for name, case in found.items() if (why := self._refusal(name, case))]
        if len(refused) == len(found):
            raise BenchError(
                f"method {self.name!r}: none of {len(found)} outputs fits: {refused[0]}"
            )
        named_as = f"{pattern}.png ({min(found)}.png)"
        said = [f"{len(found)} of {len(cases)} cases have a file, named {named_as}"]
        if missing := [f"{name}.png" for name in names if name not in self._files]:
            said.append(f"missing {listed(missing)}")
        used = {self._files[name] for name in found}
        if others := [name for name in self._pictures if name not in used]:
            said.append(f"not used {listed(others)}")
        if refused:
            said.append(f"{len(refused)} files cannot be scored, the first: {refused[0]}")
        text = writable("; ".join(said))
        self.card = replace(self.card, limits=f"{type(self).card.limits} {text}.")
        return text

    def tell(self, case: CaseKey) -> str:
        """The name of its file without suffix, and how the photo came to its size."""
        return "\n".join(self._expected.get(case[:4], ()))

    def begin(self, case: CaseKey) -> None:
        """Remember which file comes next."""
        self._case = case

    def fill_picture(
        self, picture: np.ndarray, hole: np.ndarray, generator: torch.Generator
    ) -> np.ndarray:
        """Read the file.

        Raises:
            Declined: If there is none.
            InputError: If it cannot be read exactly, or has another size than the photo.
        """
        if self._case is None:
            raise ContractError(f"method {self.name!r}: a case must begin before it is filled")
        # Outside of a run nothing was expected.
        name, _, rule = (self._case.told or self.tell(self._case)).rpartition("\n")
        name = name or self._case.file_name.removesuffix(".png")
        if name not in self._files:
            raise Declined(f"no output file '{name}.png'")
        height, width = hole.shape
        return read_png(self.path / self._files[name], height, width, rule)

    @cached_property
    def _pictures(self) -> list[str]:
        """All that may be outputs."""
        found = (path for path in self.path.rglob("*") if path.suffix.lower() in _PICTURES)
        names = sorted(path.relative_to(self.path).as_posix() for path in found)
        return [name for name in names if not any(p.startswith(".") for p in name.split("/"))]

    @cached_property
    def _files(self) -> dict[str, str]:
        """Them by their name without suffix; where several share it, a PNG goes first."""
        png_last = sorted(self._pictures, key=lambda name: name.lower().endswith(".png"))
        return {composed(name.rpartition(".")[0]): name for name in png_last}

    def _refusal(self, name: str, case: CaseKey) -> str:
        """Why a file cannot be scored, as far as its first bytes tell; empty if it can."""
        path = self.path / self._files[name]
        try:
            with path.open("rb") as file:
                _check_head(path, file.read(_HEAD), *case.size, case.size_rule)
        except (OSError, InputError) as error:
            return str(error)
        return ""


def read_png(
    path: Path, height: int, width: int, size_rule: str = "", advice: str = ""
) -> np.ndarray:
    """Read a fill exactly as it was saved: grey, palettes and opaque alpha lose nothing.

    Args:
        path: The file.
        height: That it must have.
        width: Likewise.
        size_rule: How the photo came to that size, for messages.
        advice: What to do about another size; the usual if empty.

    Returns:
        uint8 RGB ``(height, width, 3)``.

    Raises:
        InputError: If it is not a readable opaque PNG of up to 8 bits a channel and of this size.
    """
    try:
        content = path.read_bytes()
        _check_head(path, content[:_HEAD], height, width, size_rule, advice)
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.has_transparency_data:
                pixels = np.array(image.convert("RGBA"))
                if clear := int((pixels[..., 3] < 255).sum()):
                    raise InputError(
                        f"{path}: {clear} pixels are transparent, so their colour is not known; "
                        "save the output without alpha"
                    )
                return np.ascontiguousarray(pixels[..., :3])
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's three ways to refuse a file
        raise InputError(f"{path}: cannot be read as an output ({error})") from error


def _check_head(
    path: Path, head: bytes, height: int, width: int, size_rule: str, advice: str = ""
) -> None:
    """Look at the first bytes: the name says little, and Pillow hides 16 bits.

    Raises:
        InputError: If they are not those of a PNG of this size with up to 8 bits a channel.
    """
    if not head.startswith(_SIGNATURE):
        kind = "JPEG" if head.startswith(b"\xff\xd8") else "no PNG"
        raise InputError(
            f"{path}: expected a PNG file, found {kind} under this name; lossy compression "
            "changes the score, so save outputs as PNG from the start"
        )
    if len(head) < _HEAD:
        raise InputError(f"{path}: cannot be read as an output (it ends after {len(head)} bytes)")
    found_width, found_height, depth = struct.unpack(">IIB", head[16:25])
    if depth > 8:
        raise InputError(
            f"{path}: expected 8 bits a channel, found {depth}; save the output as 8-bit PNG"
        )
    if (found_height, found_width) != (height, width):
        found = f"{found_width}x{found_height}"
        rule = f" (size rule {size_rule})" if size_rule else ""
        further = ""
        if f" {found} " in size_rule:
            further = ", or run with --size native"
        elif found_height % 8 == found_width % 8 == 0:
            further = "; a program that cuts sides to multiples of 8 needs such a --size"
        raise InputError(
            f"{path}: the output is {found}, the case {width}x{height}{rule}; "
            f"{advice or f'fill what inpaint-bench export writes{further}'}"
        )
