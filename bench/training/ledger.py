"""The ledger of a training: a row for each block of steps, to be read while it is written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.errors import InputError, writing


@dataclass(frozen=True)
class Block:
    """What happened in a block of steps.

    Attributes:
        pictures: Seen since the start of the training.
        stage: The stage that was trained.
        seconds: Wall seconds spent on training since its start, validation left out.
        flops: Floating-point operations since the start, as `bench.machine.flops` counts them, on
            all devices together.
        peak_bytes: Most memory that was taken in the block; with several devices, of the first.
        skipped: Steps of the block that were not taken because a term or gradient was not finite.
        terms: Means of all loss terms over the block, weighted as they were added up.
        held_out: Figures on the held-out photos by name, such as ``l1_hole_large``; empty before
            the last stage, when what fills has not begun to learn.
    """

    pictures: int
    stage: str
    seconds: float
    flops: float
    peak_bytes: float
    skipped: int
    terms: Mapping[str, float]
    held_out: Mapping[str, float]


def read(path: Path) -> list[Block]:
    """Read a ledger; empty if there is no such file.

    Raises:
        InputError: If it is no ledger.
    """
    if not path.exists():
        return []
    try:
        return [Block(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: expected a training ledger: {error}") from error


def write(path: Path, blocks: Iterable[Block]) -> None:
    """Replace the ledger as a whole, so that a kill leaves the old or the new one."""
    part = path.with_suffix(".part")
    with writing(path):
        part.write_text("".join(json.dumps(asdict(block)) + "\n" for block in blocks), "utf-8")
        os.replace(part, path)
