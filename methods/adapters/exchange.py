"""What goes to programs and comes back: folders of pictures, masks and fills, as PNG.

They lie in a temporary folder of this process, which is removed as it ends. Where it was killed,
the next that makes such a folder removes it: an open file that was locked tells who is alive.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from multiprocessing.util import Finalize  # heard in child processes, too
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from bench.errors import InputError
from methods.adapters.names import listed
from methods.adapters.outputs import read_png

_PREFIX, _LOCK = "inpaint-bench-program-", "lock"


class Naming(NamedTuple):
    """What files are called; ``{stem}`` stands for what all files of a case share.

    Attributes:
        mask: That of the mask of ``{stem}.png``.
        output: That of the fill.
        together: Whether masks lie among the pictures.
    """

    mask: str = "{stem}.png"
    output: str = "{stem}.png"
    together: bool = False


NAMINGS = {
    "stem": Naming(),
    "lama": Naming("{stem}_mask000.png", "{stem}_mask000.png", together=True),
}


class Missing(InputError):
    """A fill that a program did not write."""


class Exchange:
    """The folders of one call: ``images``, ``masks``, ``out``.

    Args:
        path: Where they are made.
        naming: What their files are called.
        hole: What the mask is in the hole, 255 or 0; known pixels get the other.
    """

    def __init__(self, path: Path, naming: Naming, hole: int) -> None:
        """Make the folders."""
        self._naming, self._hole = naming, hole
        self.images, self.out = path / "images", path / "out"
        self.masks = self.images if naming.together else path / "masks"
        for folder in (self.images, self.masks, self.out):
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, stem: str, picture: np.ndarray, hole: np.ndarray) -> tuple[Path, Path]:
        """Write a picture, uint8 RGB ``(H, W, 3)``, and its hole, bool ``(H, W)``.

        Returns:
            Both files.
        """
        image = self.images / f"{stem}.png"
        mask = self.masks / self._naming.mask.format(stem=stem)
        Image.fromarray(picture).save(image, compress_level=1)
        shown = np.where(hole, self._hole, 255 - self._hole).astype(np.uint8)
        Image.fromarray(shown).save(mask, compress_level=1)
        return image, mask

    def output(self, stem: str) -> Path:
        """Where the fill is expected."""
        return self.out / self._naming.output.format(stem=stem)

    def take(self, stem: str, height: int, width: int) -> np.ndarray:
        """Read the fill, uint8 RGB ``(height, width, 3)``, and remove the files of the case.

        Raises:
            Missing: If it was not written.
            InputError: If it cannot be read exactly, or has another size.
        """
        path = self.output(stem)
        if not path.is_file():
            there = [f"{each.relative_to(self.out)}" for each in self.out.rglob("*")]
            raise Missing(f"expected the fill {path.name} in {{out}}, found {listed(there)}")
        try:
            return read_png(path, height, width, advice="state a [size] that the program keeps")
        finally:
            for each in (path, self.images / f"{stem}.png",
                         self.masks / self._naming.mask.format(stem=stem)):  # fmt: skip
                each.unlink(missing_ok=True)


class Workplace:
    """The temporary folder of a process."""

    def __init__(self) -> None:
        """Make it, and remove those of processes that were killed.

        Raises:
            OSError: If there is no place for it.
        """
        import fcntl

        for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
            with contextlib.suppress(OSError), lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody's any more
                shutil.rmtree(lock.parent, ignore_errors=True)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        # Locked before it has its name, as what has it and is not locked is removed.
        held = os.open(self.path / "new", os.O_CREAT | os.O_WRONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        os.rename(self.path / "new", self.path / _LOCK)
        self._numbers = itertools.count()
        Finalize(self, _remove, (self.path, held), exitpriority=0)

    def folder(self) -> Path:
        """Make a folder in it."""
        path = self.path / f"{next(self._numbers)}"
        path.mkdir()
        return path


def _remove(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)
