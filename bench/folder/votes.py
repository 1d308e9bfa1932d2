"""Votes on pairs of fills: files as the report's page saves them, and their table in a run folder.

A vote names two fills by hashes that hold their case, method and pixels, so it is of these very
fills: made anew, they have other names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from bench.errors import InputError
from bench.folder.lock import held
from bench.folder.read import Run
from bench.folder.schema import CASES, VOTES
from bench.folder.store import records
from bench.statistics import CASE
from bench.text.numbers import counted, printable, short_hash

FORMAT = "inpaint-bench votes 1"
CHOICES = ("left", "right", "equal", "skip")
_LARGEST = 20_000_000  # bytes; a vote takes some 150
_MOST_LETTERS = 60  # of a voter's name
_HASH = re.compile(r"[0-9a-f]{16}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_PERHAPS = "save the votes anew on the page votes.html of this run's report"


@dataclass(frozen=True)
class Taken:
    """What became of the votes of a file.

    Attributes:
        new: Votes that were not there.
        again: Votes of a voter on two fills that this voter had judged before: the later counts.
        gone: Votes on fills that this run does not have.
    """

    new: int
    again: int
    gone: int


def fills(run: Run, photos: Collection[str]) -> pd.DataFrame:
    """Completed first samples of some photos: case, ``method``, and ``fill``, which names them."""
    columns = [*CASE, "method", "case_key", "output_sha"]
    # By Arrow, since of a large run these texts take more memory than all the rest.
    wanted = [("status", "==", "ok"), ("sample", "==", 0), ("photo", "in", list(photos))]
    table = pq.read_table(run.folder / CASES.file, columns=columns, filters=wanted)
    rows: pd.DataFrame = table.to_pandas()
    keys = zip(rows["case_key"], rows["method"], rows["output_sha"], strict=True)
    return rows.assign(fill=[short_hash(*key) for key in keys])


def current(run: Run) -> tuple[pd.DataFrame, int]:
    """The votes of a run on fills that it still has, and how many are on others."""
    votes = run.votes
    if votes.empty:
        return votes, 0
    there = {*fills(run, votes["photo"].unique())["fill"]}
    holds = votes["left_fill"].isin(there) & votes["right_fill"].isin(there)
    return votes[holds], int((~holds).sum())


def take(run: Run, files: Sequence[Path]) -> Iterator[tuple[Path, Taken | InputError]]:
    """Add the votes of files to the run's table; gives of each what became of it.

    A file that cannot be used adds nothing, and hinders no other.

    Raises:
        BenchError: If the table cannot be written or another process writes it.
    """
    if not files:
        return
    busy = f"{run.folder}: votes are being written there; wait, then give the command again"
    with held(run.folder / ".votes.lock", busy, 60):
        store = run.store
        there = store.file(VOTES.file).exists()
        votes = records(VOTES.typed(store.read_table(VOTES.file))) if there else []
        known = {_key(row): row for row in votes}
        named = {row["fill"]: row for row in records(fills(run, run.plan["photo"].unique()))}
        clusters = run.plan.drop_duplicates("photo").set_index("photo")["cluster"]
        for file in files:
            try:
                read, gone = _read(file, named, str(run.header.fingerprint))
            except InputError as error:
                yield file, error
                continue
            new = again = 0
            for row in read:
                row["cluster"] = str(clusters[row["photo"]])
                before = known.get(_key(row))
                new, again = new + (before is None), again + (before is not None)
                if before is None or row["at"] >= before["at"]:
                    known[_key(row)] = row
            store.write_table(VOTES.file, VOTES.frame(known.values()))
            yield file, Taken(new, again, gone)


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Who judged which two fills, whatever their sides."""
    return row["voter"], *sorted((row["left_fill"], row["right_fill"]))


def _read(
    file: Path, named: Mapping[str, dict[str, Any]], fingerprint: str
) -> tuple[list[dict[str, Any]], int]:
    """Rows of a file, and how many of its votes are on fills that are not there.

    Raises:
        InputError: If it is no file of votes, or of another run.
    """
    content = _parsed(file)
    session, seed = content["session"], content["seed"]
    name = printable(" ".join(content["voter"].split()))
    voter = name or f"anonymous {session[:6]}"
    rows, gone = [], 0
    for number, vote in enumerate(content["votes"]):
        left, right = (named.get(vote[side]) for side in ("left", "right"))
        if left is None or right is None:
            gone += 1
            continue
        if vote["left"] == vote["right"] or any(left[name] != right[name] for name in CASE):
            raise InputError(f"{file}: vote {number}: expected two fills of one case; {_PERHAPS}")
        rows.append({
            **{name: left[name] for name in CASE}, "voter": voter, "session": session,
            "number": number, "left": left["method"], "right": right["method"],
            "left_fill": vote["left"], "right_fill": vote["right"], "choice": vote["choice"],
            "milliseconds": float(vote["ms"]), "at": vote["at"], "seed": seed,
        })  # fmt: skip
    if gone and not rows:
        other = content["run"] != fingerprint
        raise InputError(
            f"{file}: none of its {counted(gone, 'vote')} is on fills that this run has: "
            + (f"it is of another run ({content['run'][:200]}, here {fingerprint})" if other else
               "they were made anew since")
            + f"; {_PERHAPS}"
        )  # fmt: skip
    return rows, gone


def _parsed(file: Path) -> dict[str, Any]:
    """The content of a file, every value of its type.

    Raises:
        InputError: If it is not so.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise InputError(f"{file}: expected votes, found more than {_LARGEST // 10**6} MB")
        content = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: expected votes as JSON: {error}; {_PERHAPS}") from error
    problem = next(_problems(content), "")
    if problem:
        raise InputError(f"{file}: expected {problem}; {_PERHAPS}")
    found: dict[str, Any] = content
    return found


def _problems(content: Any) -> Iterator[str]:
    """What is not as `docs/removal.md` has it, the gravest first."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        yield f"{FORMAT!r} as its format, found {found!r:.80}"
        return
    if not isinstance(content.get("run"), str):
        yield "the run's fingerprint"
    voter = content.get("voter")
    if not isinstance(voter, str) or len(voter) > _MOST_LETTERS:
        yield f"a voter of at most {_MOST_LETTERS} letters, found {voter!r:.80}"
    if not _hash(content.get("session")):
        yield f"a session of 16 hex digits, found {content.get('session')!r:.80}"
    if not _whole(content.get("seed")):
        yield f"a seed from 0 to 4294967295, found {content.get('seed')!r:.80}"
    votes = content.get("votes")
    if not isinstance(votes, list):
        yield f"a list of votes, found {type(votes).__name__}"
        return
    for number, vote in enumerate(votes):
        if not isinstance(vote, dict) or not all(_hash(vote.get(k)) for k in ("left", "right")):
            yield f"left and right in vote {number}, found {vote!r:.80}"
        elif vote.get("choice") not in CHOICES:
            yield f"{', '.join(CHOICES)} in vote {number}, found {vote.get('choice')!r:.80}"
        elif not _whole(vote.get("ms")):
            yield f"whole milliseconds in vote {number}, found {vote.get('ms')!r:.80}"
        elif not isinstance(vote.get("at"), str) or not _TIME.fullmatch(vote["at"]):
            yield f"a time in UTC in vote {number}, found {vote.get('at')!r:.80}"


def _hash(value: Any) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**32
