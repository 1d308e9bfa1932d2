"""Whether two plans are comparable, and whether one still holds for the files it was made of."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from bench.planning import bundled
from bench.planning.pairs import read_pairs
from bench.planning.protocol import UNKNOWN, Protocol
from bench.protocols import read as protocols
from masks.kinds import visible


def inputs_key(protocol: Protocol) -> str:
    """Hash of the request and of the listing of its files, to see whether a plan still holds."""
    text = protocol.key_text()
    folders: tuple[str | Path | None, ...] = (protocol.photos, protocol.masks, protocol.truth)
    if protocol.pairs is not None:
        folders = (protocol.pairs, *folders[1:], *read_pairs(protocol).files)
        text += f"\n{hashlib.sha256(Path(protocol.pairs).read_bytes()).hexdigest()}"
    if protocol.photos in bundled.SETS:
        text += f"\n{bundled.facts()}"
    if protocol.published:  # which another version may read in another way
        published = protocols.get(protocol.published)
        text += f"\n{replace(published.data, about='')}{published.holes}"
    for folder in folders:
        if folder is not None and folder not in (*bundled.SETS, UNKNOWN):
            paths = [Path(folder)] if Path(folder).is_file() else visible(Path(folder))
            for path in paths:
                with contextlib.suppress(OSError):  # a link to nowhere is no file
                    stat = path.stat()
                    text += f"\n{path}|{stat.st_size}|{stat.st_mtime_ns}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def fingerprint(plan: pd.DataFrame, protocol: Protocol, metric_signatures: Sequence[str]) -> str:
    """One printable line for the protocol: photos, masks, truth, size rule, scoring, metrics.

    Nothing is said of a truth that is the photo itself, nor of a published protocol where none is
    followed.
    """
    parts = {
        **parts_of(plan),
        "size": str(protocol.geometry),
        "paste": str(protocol.scoring),
        "metrics": _digest(sorted(metric_signatures)),
    }
    if protocol.published:
        parts["protocol"] = protocol.published
    return " ".join(f"{name}:{part}" for name, part in parts.items())


def parts_of(plan: pd.DataFrame) -> dict[str, str]:
    """The parts that follow from the cases: photos, masks, and the truth where it is another.

    Args:
        plan: Columns ``photo``, ``photo_sha``, ``case_key``, ``truth``.
    """
    photos = _pairs(plan[["photo", "photo_sha"]])
    return {
        "photos": f"{_digest(sorted(photos))}/{len(photos)}",
        "masks": f"{_digest(sorted(plan['case_key']))}/{len(plan)}",
        **dict(_truth_part(plan)),
    }


def _truth_part(plan: pd.DataFrame) -> Iterator[tuple[str, str]]:
    other = plan.loc[plan["truth"] != "", ["photo", "truth"]].drop_duplicates()
    if (other["truth"] == UNKNOWN).any():
        yield "truth", UNKNOWN
    elif len(other):
        yield "truth", f"{_digest(sorted(_pairs(other)))}/{len(other)}"


def _pairs(table: pd.DataFrame) -> list[str]:
    """The different rows of a table of texts, each in one."""
    return ["|".join(row) for row in table.drop_duplicates().itertuples(index=False, name=None)]


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:10]
