"""What a reader of a layout is given, and what it gives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.errors import InputError
from bench.planning.pairs import Wanted
from bench.protocols.record import Published
from masks import kinds

Lost = tuple[str, str, str]
"""Path, kind and reason of a file that cannot be used."""


@dataclass(frozen=True)
class Laid:
    """The files of a protocol.

    Attributes:
        photos: Each with what belongs to it, in order.
        lost: What cannot be used.
    """

    photos: Sequence[Wanted]
    lost: Sequence[Lost] = ()


@dataclass(frozen=True)
class Place:
    """Where the files of a protocol lie.

    Attributes:
        folder: What is laid out.
        masks: Folder of the mask files, where they lie elsewhere.
    """

    folder: Path
    masks: Path | None = None

    def photos(self, pattern: str) -> list[str]:
        """Paths of pictures relative to the folder, with ``/``, in the order of code points.

        Raises:
            InputError: If there is none.
        """
        return [each.relative_to(self.folder).as_posix() for each in self._found(pattern, "photo")]

    def mask_files(self, pattern: str) -> list[Path]:
        """Mask pictures, likewise; of another folder the last part of the pattern.

        Raises:
            InputError: If there is none.
        """
        return self._found(pattern, "mask")

    def truth_files(self, pattern: str) -> list[Path]:
        """Truths, likewise."""
        return self._found(pattern, "truth")

    def file(self, name: str) -> Path:
        """A file of the layout.

        Raises:
            InputError: If it is not there.
        """
        path = self.folder / name
        if not path.is_file():
            raise InputError(f"expected the file {name} in {self.folder}, found none")
        return path

    def has(self, name: str) -> bool:
        """Whether there is a file of that name, and not outside of the folder."""
        inside = not name.startswith("/") and ".." not in name.split("/")
        return inside and os.path.isfile(self.folder / name)  # also of no name that can be

    def some(
        self, photos: Sequence[Wanted], published: Published, lost: Sequence[Lost] = ()
    ) -> Laid:
        """What was found.

        Raises:
            InputError: If it is nothing.
        """
        if photos:
            return Laid(photos, lost)
        first = "".join(f" First: {name}: {reason}." for name, _, reason in lost[:1])
        raise InputError(
            f"{self.folder}: nothing of it fits {published.name}. {published.data.about}{first} "
            f"All that is missing: inpaint-bench protocols check DIR --protocol {published.name}"
        )

    def _found(self, pattern: str, kind: str) -> list[Path]:
        base = self.folder
        if kind == "mask" and self.masks is not None:
            base, pattern = self.masks, PurePosixPath(pattern).name
        paths = (path for path in base.glob(pattern) if kinds.is_picture(path.name))
        shown = [path for path in paths if not path.name.startswith(".")]
        if not shown:
            raise InputError(f"expected {kind}s as {pattern} in {base}, found no picture there")
        return sorted(shown, key=lambda path: path.relative_to(base).as_posix())
