"""What goes to programs and comes back: folders of pictures, masks and fills, as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from bench.errors import InputError
from methods.adapters.names import listed
from methods.adapters.outputs import read_png


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
