"""``inpaint-bench votes``."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import Commands
from bench.errors import BenchError, InputError
from bench.text import numbers, plain

if TYPE_CHECKING:
    from bench.folder.votes import Taken
    from bench.statistics.preference import Preference


def add(commands: Commands) -> None:
    """Describe the command."""
    votes = commands.add_parser(
        "votes",
        help="take in votes that people saved on a report's page, and say whom they prefer",
        description="Adds the votes to RUN/votes.parquet, each once, and prints strengths by "
        "Bradley and Terry with intervals over photos and voters. The report of the run shows "
        "them when it is built again. Without files: of the votes there are.",
        epilog="exit status: 0 all files were taken in, 1 some were not, 2 any error",
    )
    votes.set_defaults(command=_votes)
    votes.add_argument("run", type=Path, help="run folder")
    votes.add_argument("files", type=Path, nargs="*", metavar="FILE", help="saved by votes.html")
    votes.add_argument("--out", type=Path, metavar="FILE", help="write the table as CSV, too")


def _votes(options: argparse.Namespace) -> int:
    from bench.folder import votes
    from bench.folder.read import read_run
    from bench.statistics.preference import preference
    from bench.text import csv

    tables = ("plan", "methods", "votes")
    run = read_run(options.run, tables)
    refused = 0
    for file, became in votes.take(run, options.files):
        if isinstance(became, InputError):
            refused += 1
            print(f"inpaint-bench: {plain.lines(str(became))}", file=sys.stderr)
        else:
            print(f"{plain.one_line(str(file))}: {_words(became)}")
    kept, gone = votes.current(read_run(options.run, tables))
    if gone:
        print(f"{numbers.counted(gone, 'vote')} on fills that were made anew since: not counted")
    result = preference(kept)
    print(as_text(result))
    if options.out is not None:
        try:
            options.out.write_text(csv.written(result.methods), "utf-8")
        except OSError as error:
            raise BenchError(f"cannot write {options.out}: {error}; give another --out") from error
    return int(bool(refused))


def _words(taken: Taken) -> str:
    parts = [numbers.counted(taken.new, "new vote")]
    if taken.again:
        parts.append(f"{taken.again} on pairs that the voter had judged before, counted once")
    if taken.gone:
        parts.append(f"{taken.gone} left out, on fills that this run does not have")
    return "; ".join(parts)


def _place(first: float, last: float) -> str:
    return "-" if math.isnan(first) else numbers.places(int(first), int(last))


def as_text(found: Preference) -> str:
    """A row a method, the most preferred first, and what cannot be said."""
    head = (
        f"{numbers.counted(found.votes, 'vote')} of {numbers.counted(found.voters, 'voter')} on "
        f"{numbers.counted(found.photos, 'photo')}"
    )
    rows = [
        [
            _place(row["rank_first"], row["rank_last"]),
            row["method"], numbers.number(row["share"], 2),
            numbers.interval(row["low"], row["high"], 2), str(row["votes"]), str(row["won"]),
            str(row["drawn"]),
        ]
        for row in found.methods.to_dict("records")
    ]  # fmt: skip
    header = ["rank", "method", "preferred", "95 %", "votes", "won", "drawn"]
    table = plain.table(header, rows, "llrrrrr")
    return "\n".join([head, table, *(f"note: {note}" for note in found.notes)])
