"""Plain text for terminals and logs: whatever names hold, nothing acts on the terminal."""

from __future__ import annotations

import math
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence

# What differs between reasons of one kind: names in quotes, numbers, sizes.
_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d.,x]*")
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_NO_CHARACTERS = "\ufffe\uffff"  # forbidden in XML, too
_TYPED = str.maketrans(
    {"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{LESS-THAN OR EQUAL TO}": "<=",
     "\N{INFINITY}": "inf"}
)  # fmt: skip


def visible(text: str) -> str:
    r"""Control characters as escapes, such as a bell or a change of direction in a file's name.

    >>> visible("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in _INVISIBLE or char in _NO_CHARACTERS
        else char
        for char in text
    )


def one_line(text: str) -> str:
    """`visible`, with every run of spaces and line breaks as one space."""
    return visible(" ".join(text.split()))


def lines(text: str) -> str:
    """`visible`, line by line: messages of several lines keep them."""
    return "\n".join(map(visible, text.split("\n")))


def wrapped(line: str) -> str:
    """A line as standard output shows it best: cut between words on a terminal, else as it is."""
    if not sys.stdout.isatty():
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(
        line, max(shutil.get_terminal_size().columns, 20), subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def kind_of(reason: str) -> str:
    """What reasons of one kind share; behind a semicolon is advice, which may be given once.

    >>> kind_of("off by 0.1 in 'a.png'; return floats") == kind_of("off by 0.25 in 'b.png'")
    True
    """
    return _VARIES.sub("", reason.partition("; ")[0])


def duration(seconds: float) -> str:
    """Seconds in words, rounded up, with no more digits than they deserve."""
    size, unit = (1, "s") if seconds <= 90 else (60, "min") if seconds <= 5400 else (3600, "h")
    return f"{math.ceil(seconds / size):,} {unit}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """Aligned columns.

    Args:
        header: Names of the columns.
        rows: Cells.
        align: A letter a column: ``l`` for words, ``r`` for numbers, whose true minus signs and
            dashes become those of a keyboard.
    """
    cells = [
        [visible(text.translate(_TYPED) if side == "r" else text)
         for text, side in zip(row, align, strict=True)]
        for row in (header, *rows)
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if side == "r" else text.ljust(width)
            for text, width, side in zip(row, widths, align, strict=True)
        ).rstrip()
        for row in cells
    )
