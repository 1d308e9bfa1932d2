"""Pictures of a report: photos, what fills lay on them, holes made visible; named by content."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from bench.folder import thumbnails
from bench.folder.thumbnails import outline
from reports.site.staging import take_over

_LIST = "assets/pictures.json"
# Twice as fast as the default for a tenth more bytes.
_PNG_LEVEL = 1
_TINT_SHARE = 0.45
# 64 colours of matplotlib's map viridis.
VIRIDIS = np.frombuffer(
    bytes.fromhex(
        "44015446075a470d6047136548186a481d6f482374482878472d7b46327e453781443b84424086404588"
        "3e49893d4e8a3a538b38588c365c8d34608d32648e31688e2f6c8e2d708e2c738e2a778e297b8e277f8e"
        "26828e24868e238a8d218e8d20928c1f968b1f9a8a1f9e891fa18721a58523a98326ad812ab07f2fb47c"
        "35b7793bbb7542be714ac16d52c5695ac86465cb5e6ece5877d15381d34d8bd64695d840a0da39aadc32"
        "b5de2bc0df25cae11fd5e21adfe318eae51af4e61efde725"
    ),
    np.uint8,
).reshape(64, 3)
_KEPT = ["PNG", "JPEG", "WEBP"]  # what a run folder may hold; some other kinds start programs


@dataclass(frozen=True)
class Shown:
    """A picture file of the report.

    Attributes:
        path: Relative to the report folder.
        width: Pixels.
        height: Pixels.
        below: Path of the picture that it is to lie on, the same size; empty if it is whole.
        truth: Path of the picture that it is to equal, the same size; empty if that is unknown.
        file: Path of a file that is all of it as it was measured; empty if the report has none.
    """

    path: str
    width: int
    height: int
    below: str = ""
    truth: str = ""
    file: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


class Album:
    """Where the pictures of a report go; each file is named by the hash of its bytes.

    What was made of the same pixels for the previous report is not made again: a list beside
    the pictures says which file came from which pixels.
    """

    def __init__(self, folder: Path, previous: Path | None = None, *, files: bool = False) -> None:
        """Start an empty album.

        Args:
            folder: Folder of the report being written.
            previous: Folder of the report that it replaces, if there is one.
            files: Whether pictures are to be there as measured too.
        """
        self.folder = folder
        self.files = files
        self._previous = previous
        self._before = _read_list(previous)
        self._made: dict[str, Shown] = {}

    def whole(self, pixels: np.ndarray, *, small: bool = False) -> Shown:
        """Write uint8 RGB ``(h, w, 3)`` as lossy WebP; at most 256 pixels a side if ``small``."""
        if small:
            pixels = thumbnails.squared(thumbnails.shrink(pixels))
        return self._once("whole", [pixels], lambda: self._webp(thumbnails.whole(pixels)))

    def patch(
        self, fill: np.ndarray, hole: np.ndarray, *, small: bool = False, made: Path | None = None
    ) -> Shown:
        """Write what a fill has in the hole as lossy WebP, to lie on its photo.

        Args:
            fill: uint8 RGB, ``(h, w, 3)``.
            hole: bool, ``(h, w)``.
            small: At most 256 pixels a side.
            made: Where the run may have the small one; what is gone, damaged or of another size is
                made anew.
        """
        size = thumbnails.small_size(*hole.shape)
        alike = size == hole.shape[::-1]
        if (small or alike) and (ready := self._ready(made, size)):
            return ready
        small = small and not alike
        make = thumbnails.small_patch if small else thumbnails.patch
        kind = "small patch" if small else "patch"
        return self._once(kind, [fill, hole], lambda: self._webp(make(fill, hole)))

    def _ready(self, path: Path | None, size: tuple[int, int]) -> Shown | None:
        try:
            data = path.read_bytes() if path is not None else b""
        except OSError:
            return None
        if path is None or path.stem != _digest(data):
            return None
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
            fits = image.size == size
        return self._webp(data, path) if fits else None

    def lossless(self, pixels: np.ndarray) -> Shown:
        """Write uint8 RGB ``(h, w, 3)`` or a bool mask ``(h, w)`` as PNG."""
        return self._once("lossless", [pixels], lambda: self._png(Image.fromarray(pixels), pixels))

    def kept(self, path: Path, pixels: np.ndarray) -> Shown:
        """Take over a picture of the run as it is, or as PNG if it is of another format.

        Args:
            path: File that `read_rgb` or `read_hole` read.
            pixels: What it gave.
        """
        if _header(path) in (("PNG", "RGB"), ("PNG", "1")):
            return self._write(path.read_bytes(), "png", pixels, path)
        return self.lossless(pixels)

    def with_file(self, shown: Shown, path: Path | None, pixels: np.ndarray) -> Shown:
        """Add the picture's file of the run, if the report is to have such files."""
        if not self.files or path is None:
            return shown
        return dataclasses.replace(shown, file=self.kept(path, pixels).path)

    def colour_bar(self) -> Shown:
        """Write the colours of maps from their smallest number (left) to their largest."""
        strip = np.repeat(np.repeat(VIRIDIS[None], 12, axis=0), 4, axis=1)
        return self.lossless(strip)

    def close(self) -> None:
        """Write the list of what was made of which pixels, for the next build."""
        entries = {key: dataclasses.astuple(self._made[key]) for key in sorted(self._made)}
        text = json.dumps({"made by": _maker(), "pictures": entries}, indent=0)
        target = self.folder / _LIST
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8", newline="\n")

    def _once(self, kind: str, pixels: Sequence[np.ndarray], make: Callable[[], Shown]) -> Shown:
        """Make a picture unless it was made of these pixels before, for this report or the last."""
        shapes = [array.shape for array in pixels]
        key = _digest(f"{kind}{shapes}".encode(), *(array.tobytes() for array in pixels))
        if key not in self._made:
            self._made[key] = self._again(self._before.get(key)) or make()
        return self._made[key]

    def _again(self, before: Shown | None) -> Shown | None:
        """Take over a picture of the previous report if it is still what it was."""
        if before is None or self._previous is None:
            return None
        path = self._previous / before.path
        try:
            intact = _digest(path.read_bytes()) == path.stem
        except OSError:
            return None
        if intact:
            take_over(path, self.folder / before.path)
        return before if intact else None

    def _webp(self, data: bytes, source: Path | None = None) -> Shown:
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
            size = np.empty((image.height, image.width))
        return self._write(data, "webp", size, source)

    def _png(self, image: Image.Image, pixels: np.ndarray) -> Shown:
        stream = io.BytesIO()
        image.save(stream, "PNG", compress_level=_PNG_LEVEL)
        return self._write(stream.getvalue(), "png", pixels)

    def _write(
        self, data: bytes, suffix: str, pixels: np.ndarray, source: Path | None = None
    ) -> Shown:
        """Write a file named by its content; ``source`` is a file with the same bytes."""
        name = _digest(data)
        path = f"pictures/{name[:1]}/{name}.{suffix}"
        target = self.folder / path
        before = self._previous / path if self._previous else None
        if before is not None and before.is_file() and before.read_bytes() == data:
            source = before
        if source is not None:
            take_over(source, target)
        elif not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        height, width = pixels.shape[:2]
        return Shown(path, width, height)


def _read_list(previous: Path | None) -> dict[str, Shown]:
    """What the previous report's pictures were made of; nothing if other code made them."""
    try:
        content = json.loads((previous / _LIST).read_text("utf-8")) if previous else {}
        entries = content["pictures"] if content.get("made by") == _maker() else {}
        return {str(key): Shown(*entry) for key, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


@cache
def _maker() -> str:
    """What decides the bytes of a picture besides its pixels: this code and its libraries."""
    code = [Path(__file__).read_bytes(), Path(thumbnails.__file__).read_bytes()]
    return f"{_digest(*code)} pillow {PIL.__version__} numpy {np.__version__}"


def _digest(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()[:16]


def error_colours() -> list[str]:
    """The colours of error maps from 0 to 0.5, as an SVG filter takes each of red, green, blue."""
    return [" ".join(f"{level / 255:.3g}" for level in VIRIDIS[::3, each]) for each in range(3)]


def read_rgb(path: Path) -> np.ndarray | None:
    """Read a picture as uint8 RGB; None if it is gone or damaged."""
    image = _read(path, "RGB")
    return None if image is None else np.array(image)


def read_hole(path: Path) -> np.ndarray | None:
    """Read a mask as bool, True in the hole; None if it is gone or damaged."""
    image = _read(path, "L")
    return None if image is None else np.array(image) > 127


def with_hole(photo: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Tint the hole and draw a dashed outline around it, visible on any content and in print.

    Args:
        photo: uint8 RGB, ``(H, W, 3)``.
        hole: bool, ``(H, W)``.
    """
    share = _TINT_SHARE * hole[..., None].astype(np.float32)
    tinted = photo * (1 - share) + thumbnails.MARK * share
    return outline(tinted.round().astype(np.uint8), hole)


def _header(path: Path) -> tuple[str | None, str]:
    with Image.open(path, formats=_KEPT) as image:
        return image.format, image.mode


def _read(path: Path, mode: str) -> Image.Image | None:
    try:
        with Image.open(path, formats=_KEPT) as image:
            return image.convert(mode)
    except (OSError, SyntaxError, ValueError):  # how Pillow reports damage
        return None
