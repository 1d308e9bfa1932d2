"""Reading the next item of a source while the last one is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def ahead(source: Iterator[_T]) -> Iterator[_T]:
    """Give the items of a source, each read in another thread while its user is at the last."""
    end = object()
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(next, source, end)
        while (item := reading.result()) is not end:
            reading = thread.submit(next, source, end)
            yield item  # type: ignore[misc]
