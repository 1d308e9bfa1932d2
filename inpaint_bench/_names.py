"""Several names, or one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


def listed(names: Sequence[_T]) -> tuple[_T, ...]:
    """Take one name as a sequence of one: text is a sequence too, but of letters."""
    return (names,) if isinstance(names, str | type) else tuple(names)  # type: ignore[return-value]
