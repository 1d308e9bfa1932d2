"""What was not completed or not used, in words, and what to do about it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

import pandas as pd

from bench.folder.read import Run
from bench.text.numbers import counted, joined
from reports.results import sentences

_RETRY = "--retry-failed"
_FETCH = re.compile(r"\binpaint-bench weights fetch(?: [A-Za-z0-9][\w.:-]*)?")
NEXT = {
    "declined": "The method says that it does not take such a case. Where it completed 95 % of a "
    "tier it is ranked all the same.",
    "oom": "Memory was too small for it: give fewer --workers, or smaller pictures; then retry.",
    "timeout": "Allow each case more seconds with --timeout; then retry.",
    "killed": "Something else ended the process, most often the system for want of memory: give "
    "fewer --workers; then retry.",
    "failed": "Mend what the reason names; then retry.",
    "unavailable": "Supply what the reason names; then retry.",
}
"""What to do next, by status."""


def in_words(
    run: Run, fills: pd.DataFrame, methods: Sequence[dict[str, Any]], files: pd.DataFrame
) -> str:
    """How much failed, as every page says it, such as ``1 method did not run: LaMa; 3 fills ...``.

    Args:
        run: The run.
        fills: Rows of ``cases`` that were not completed, of methods that did start.
        methods: Those that could not start.
        files: Rows of ``inputs`` that were not used.
    """
    names = [sentences.title(run, row["method"]) for row in methods]
    parts = [f"{counted(len(names), 'method')} did not run: {joined(names)}"] if names else []
    if len(fills):
        completed = set(run.cases.loc[run.cases["status"] == "ok", "method"])
        tried = [str(name) for name in run.methods.index if name in set(fills["method"])]
        nothing = [sentences.title(run, name) for name in tried if name not in completed]
        every = f", among them all of {joined(nothing)}" if nothing else ""
        parts.append(f"{counted(len(fills), 'fill')} {_were(len(fills))} not completed{every}")
    if len(files):
        parts.append(f"{counted(len(files), 'file')} {_were(len(files))} not used")
    return "; ".join(parts)


def retry(run: Run) -> str:
    """The command of the run's last start, which tries again what failed; empty if not known."""
    words = run.header.starts[-1].command if run.header.starts else []
    if not words or isinstance(words, str):
        return ""
    return shlex.join([*words, *([] if _RETRY in words else [_RETRY])])


def fetch(reason: str) -> str:
    """The command for weights that a reason names; empty if it names none."""
    found = _FETCH.search(reason)
    return found[0] if found else ""


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
