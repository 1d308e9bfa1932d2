"""A catalogue of one made-up protocol, and runs that followed it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.protocols import read
from tests.support.reading import change_header

NAME = "made-up"
REQUEST = {"published": NAME, "size": "pad:512", "paste": "known", "quantise": "round"}
_FILE = """
[protocols.made-up]
title = "Made up"
paper = "Nobody, Nothing, 2020"
source = "nowhere"
task = "fill"
reproduces = "{reproduces}"
why = "Nobody has the photos."
expects = {expects}
size = "{size}"
metrics = ["psnr_db", "ssim"]
data = {{ reader = "folder", photos = "*.png" }}
holes = {{ generator = "lama-thin" }}
"""
_ROW = """
[[rows.made-up]]
title = "{title}"
method = "{method}"
figures = {{ {figures} }}
source = "{source}"
secondary = {secondary}
note = "{note}"
"""


@contextlib.contextmanager
def catalogue(
    folder: Path,
    *rows: dict[str, Any],
    expects: int = 3,
    reproduces: str = "exact",
    size: str = "pad:512",
) -> Iterator[None]:
    """Make a catalogue of this protocol the only one, for a while.

    Args:
        folder: Where its file goes.
        rows: What was published: figures, and what else a row has.
        expects: How many pictures are scored.
        reproduces: As of `Published`.
        size: Likewise.
    """
    parts = [_FILE.format(expects=expects, reproduces=reproduces, size=size)]
    for row in rows:
        figures = ", ".join(f"{name} = {value}" for name, value in row["figures"].items())
        known = {"title": "Theirs", "method": "telea", "source": "a paper, table 1", "note": "",
                 "secondary": "false"} | row | {"figures": figures}  # fmt: skip
        parts.append(_ROW.format(**known))
    (folder / "made_up.toml").write_text("".join(parts), "utf-8")
    before = read._FOLDER
    read._FOLDER = folder
    read.catalogue.cache_clear()
    try:
        yield
    finally:
        read._FOLDER = before
        read.catalogue.cache_clear()


def follow(run: Path, **changes: Any) -> Path:
    """Let the header of a run say that it followed the protocol, but for these changes."""
    change_header(run, protocol=REQUEST | changes)
    return run
