"""The layouts of published data sets: which photo has which masks, truth and prompt.

Each reader takes `bench.protocols.record.Data` and the folder that is laid out so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bench.errors import BenchError, InputError
from bench.planning.layouts import folders, source_report, texts
from bench.planning.layouts.laid import Laid, Place
from bench.protocols.record import Published

Reader = Callable[[Published, Place], Laid]

READERS: Final[Mapping[str, Reader]] = {
    "folder": folders.photos_only,
    "folders": folders.photos_and_masks,
    "marked": folders.marked,
    "cycle": folders.cycled,
    "bins": folders.binned,
    "misato": folders.misato,
    "removal": folders.removal,
    "numbered": source_report.numbered,
    "brushbench": texts.brushbench,
    "hdpainter": texts.hdpainter,
}
"""By name, as in a protocol's ``[data]``."""

TOGETHER: Final = frozenset({"marked", "brushbench", "hdpainter"})
"""Those whose masks cannot lie elsewhere."""


def laid_out(published: Published, photos: Path, masks: Path | None = None) -> Laid:
    """What the files of a protocol are.

    Args:
        published: The protocol.
        photos: The folder that is laid out as its ``[data]`` says.
        masks: Folder of the mask files, where they lie elsewhere.

    Raises:
        InputError: If no photo is there, or what is there cannot be paired.
    """
    if published.data.reader not in READERS:
        raise BenchError(f"protocol {published.name}: no layout {published.data.reader!r}")
    if masks is not None and published.data.reader in TOGETHER:
        raise InputError(
            f"--masks: the masks of {published.name} lie in its own folder, as "
            f"{published.data.masks}; leave --masks out"
        )
    return READERS[published.data.reader](published, Place(photos, masks))
