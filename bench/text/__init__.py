"""Numbers and texts as they are written for people and programs."""

from __future__ import annotations


class Ready(str):
    """Text that is mark-up already: the tables of `latex` and `markdown` do not escape it."""

    __slots__ = ()
