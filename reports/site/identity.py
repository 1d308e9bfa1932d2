"""What a report says of itself on every page: which run, when, how, and how to cite the tool."""

from __future__ import annotations

import itertools
import shlex
from pathlib import PurePath

from bench.folder.read import Run

_TITLE = "inpaint-bench: compare image-inpainting methods honestly"
_AUTHORS = "The authors of inpaint-bench"


def name(run: Run) -> str:
    """The run's name: that of the folder it was written to, wherever it lies now."""
    if run.header.joined:
        return " + ".join(map(str, run.header.joined.runs))
    command = list(run.header.starts[-1].command) if run.header.starts else []
    for word, following in itertools.pairwise([*command, ""]):
        option, _, value = word.partition("=")
        if option == "--out" and (found := PurePath(value or following).name):
            return found
    return run.folder.resolve().name


def identity(run: Run) -> dict[str, str]:
    """Facts of the run for the foot of a page; of those that its header lacks empty texts."""
    header = run.header
    start = header.starts[-1] if header.starts and not header.joined else None
    version = header.environment.packages.get("inpaint-bench", "")
    return {
        "name": name(run),
        "version": version,
        "date": (header.finished or header.created)[:10],
        "command": shlex.join(start.command) if start else "",
        "fingerprint": header.fingerprints,
        "bibtex": bibtex(version),
    }


def bibtex(version: str) -> str:
    """An entry for the tool, with the facts of ``CITATION.cff``."""
    fields = {"title": f"{{{_TITLE}}}", "author": f"{{{_AUTHORS}}}", "version": version}
    lines = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
    return "\n".join(["@software{inpaint_bench,", *lines, "}"])
