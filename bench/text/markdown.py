"""GitHub's Markdown: text that is shown as it is, tables, folded parts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from bench.text import Ready, plain

# What starts mark-up anywhere; links without brackets.
_SPECIAL = re.compile(r"[\\|*_`<>\[\]~#&@$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
# What makes a line an item of a list, a rule, or the line above it a heading.
_MARKER = re.compile(r"\A(\d{0,9})([-+=.)])(?=[-=\s]|\Z)")


def escaped(text: str, longest: int | None = None) -> Ready:
    """Text that Markdown shows as it is, on one line, without mentioning or linking anything.

    Args:
        text: The text; control characters are made visible.
        longest: Characters after which it is cut.
    """
    clean = plain.one_line(text)
    if longest is not None and len(clean) > longest:
        clean = f"{clean[:longest]}…"
    shown = _MARKER.sub(r"\1\\\2", _SPECIAL.sub(r"\\\g<0>", clean))
    # GitHub mentions people and issues even so; a space without width stops that.
    return Ready(re.sub("[@#]", "\\g<0>\N{ZERO WIDTH SPACE}", shown))


def table(header: Sequence[str], rows: Iterable[Sequence[object]], align: str = "") -> str:
    """A table.

    Args:
        header: Names of the columns.
        rows: Cells; texts are escaped where they are not `Ready`.
        align: A letter a column, ``l`` or ``r``; all ``l`` if omitted.
    """
    rule = [Ready("---:" if side == "r" else "---") for side in align or "l" * len(header)]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (header, rule, *rows))


def folded(title: str, body: str) -> str:
    """A part of which only the title is seen until it is opened."""
    return (
        f"<details><summary>{html.escape(plain.one_line(title))}</summary>\n\n{body}\n\n</details>"
    )


def _cell(value: object) -> str:
    return value if isinstance(value, Ready) else escaped(str(value))
