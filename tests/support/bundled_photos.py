"""Some of the photos that ship with the project."""

from __future__ import annotations

from bench.planning.images import Photo
from bench.planning.pairing import Inputs, read_photos
from bench.planning.protocol import Protocol


def every(step: int) -> list[Photo]:
    """One in so many."""
    return [given.photo for given in read_photos(Protocol(), Inputs())][::step]
