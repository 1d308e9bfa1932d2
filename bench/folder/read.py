"""Reading a run folder: the one reader of compare, gate, report, joined report and merge.

All of a folder is held to `bench.folder.schema` and `bench.folder.header` before anything of it is
used, whatever of it is asked for, so that a damaged folder gives the same error everywhere. Of
columns and types only the ends of the files are read; rows only of what is asked for, and keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from bench.errors import InputError
from bench.folder import checks, kept
from bench.folder import header as headers
from bench.folder.columns import TEXT, Column, Table
from bench.folder.header import UNKNOWN, Header
from bench.folder.schema import CASES, METHODS, METRICS, SAMPLES, SETS, TABLES
from bench.folder.store import RunFolder
from bench.statistics import Headline, headline_metric, headline_without_truth
from bench.statistics.notes import flagged

_NOT_YET = (
    "if the run was interrupted, give the same command again: it continues and then writes its "
    "tables"
)
# Not asked for, or of before there was such a table.
_OPTIONAL = frozenset({"samples", "training", "receptive", "latency", "latency-samples",
                       "votes"})  # fmt: skip
# What looks at several fills is computed last; an earlier end's would be of other fills.
_OF_THE_WHOLE = frozenset({SETS.name, SAMPLES.name})
_EVERY = tuple(name for name in TABLES if name != "latency-samples")


@dataclass(frozen=True)
class Run:
    """One run; columns as in ``docs/run-folder.md``. Tables that were not asked for are empty.

    Attributes:
        folder: The run folder.
        header: Content of ``run.json``.
        plan: One row per case.
        inputs: One row per file given.
        cases: One row per method, case and sample.
        sets: One row per method, tier and set metric; none unless the run is complete.
        samples: One row per method and case of a run with several samples of a case.
        metrics: One row per metric, measured or absent.
        methods: One row per method, index = full name.
        training: How networks were trained, one row per method, block and figure.
        receptive: One row per method whose receptive field was asked for.
        latency: One row per method, size, tier, region of the code and batch that was timed.
        votes: One row per vote of a person on two fills.
        folders: Of runs that were joined, by the name that begins the paths in the tables.
    """

    folder: Path
    header: Header
    plan: pd.DataFrame
    inputs: pd.DataFrame
    cases: pd.DataFrame
    sets: pd.DataFrame
    samples: pd.DataFrame
    metrics: pd.DataFrame
    methods: pd.DataFrame
    training: pd.DataFrame
    receptive: pd.DataFrame
    latency: pd.DataFrame
    votes: pd.DataFrame
    folders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def store(self) -> RunFolder:
        """The folder, for what is not in its tables."""
        return RunFolder(self.folder)

    @property
    def tiers(self) -> list[str]:
        """Tiers in the order of the plan."""
        return list(map(str, self.plan["tier"].unique()))

    @property
    def state(self) -> str:
        """``complete``, or how far the run is: ``running``, ``interrupted``, ``incomplete``."""
        return self.header.state

    @property
    def complete(self) -> bool:
        """Whether every fill of the run was tried."""
        return self.state == "complete"

    @property
    def missing(self) -> int:
        """Number of fills that were not tried; 0 also where the run ended too early to count."""
        return self.header.missing

    @property
    def differences(self) -> Sequence[str]:
        """What runs shown together differ in that should not, in words; empty for one run."""
        return self.header.joined.differences if self.header.joined else ()

    @property
    def headline(self) -> Headline:
        """The metric that ranks; an empty name where nothing can."""
        unknown = self.header.truth == UNKNOWN
        return headline_without_truth(self.metrics) if unknown else headline_metric(self.metrics)

    @cached_property
    def flagged(self) -> Mapping[str, str]:
        """Of methods with more than a few odd outputs, how many there are, and why most are."""
        return flagged(self.cases)

    @property
    def bundled(self) -> bool:
        """Whether the photos are those that ship with the project, in either size."""
        return self.header.photo_set in ("bundled", "bundled-512")

    def file(self, name: str) -> Path | None:
        """A file of the run by its path in the tables; None if it is not there.

        Tables may come from elsewhere: no file outside of the run's own folders is given.
        """
        label, _, rest = name.partition("/")
        if label in self.folders:
            places = [(self.folders[label], rest)]
        else:
            places = [(folder, name) for folder in (*self.folders.values(), self.folder)]
        for folder, inside in places:
            path = (folder / inside).resolve()
            if inside and path.is_relative_to(folder.resolve()) and path.is_file():
                return path
        return None


def read_run(
    path: Path,
    tables: Collection[str] = _EVERY,
    *,
    without: Collection[str] = (),
    categories: Sequence[str] = (),
    folders: Mapping[str, Path] | None = None,
) -> Run:
    """Read a run folder of this or an earlier format.

    Args:
        path: The folder.
        tables: Names of those to read; the others are checked if they are there, and empty.
        without: Columns to leave out of plan and cases, which of a large run are large.
        categories: Texts of few values, to be read as categories from plan, cases and inputs: a
            table of millions of rows then fits into memory.
        folders: Where the pictures of runs that were joined lie, by the name that begins their
            paths in the tables; photos and holes are looked for in all of them.

    Raises:
        NewerFormat: If a newer version of this project wrote it.
        InputError: If a table that is asked for is not there, or anything that is there is damaged.
    """
    return Reader(RunFolder(path)).run(
        tables, without=without, categories=categories, folders=folders
    )


class Reader:
    """Reads the tables of a run folder one by one, after a look at all of them.

    Attributes:
        folder: The run folder.
        header: Content of ``run.json``.
    """

    def __init__(self, folder: RunFolder, only: Collection[str] = TABLES) -> None:
        """Check what can be seen without reading rows.

        Args:
            folder: The run folder.
            only: Tables to check; a run that is continued writes the others anew.

        Raises:
            NewerFormat: If a newer version of this project wrote it.
            InputError: If ``run.json`` or a table is damaged.
        """
        self.folder = folder
        self.header = headers.read(folder)
        self._metrics: dict[str, bool] = {}  # of single cases; whether they were measured
        if METRICS.name in only and self._there(METRICS):
            self._check(METRICS)
            metrics = folder.read_table(METRICS.file).query("scope == 'case'")
            self._metrics = dict(zip(metrics["metric"], metrics["status"] == "ok", strict=True))
        for table in TABLES.values():
            if table.name in only and self._there(table):
                self._check(table)

    def run(
        self,
        tables: Collection[str],
        *,
        without: Collection[str] = (),
        categories: Sequence[str] = (),
        folders: Mapping[str, Path] | None = None,
    ) -> Run:
        """Read a run, as `read_run` does."""
        found = {name: self.table(name, without, categories) for name in tables if self.has(name)}
        self._check_rows(found)
        every = {name: found.get(name, TABLES[name].frame([])) for name in _EVERY}
        every["methods"] = every["methods"].set_axis(every["methods"]["method"].to_numpy())
        run = Run(self.folder.path, self.header, folders=folders or {}, **every)
        kept.say_lost(run)
        return run

    def has(self, name: str) -> bool:
        """Whether a table is there to be read.

        Raises:
            InputError: If it is not, and ought to be.
        """
        if name in _OF_THE_WHOLE and self.header.state != "complete":
            return False
        there = self._there(TABLES[name])
        if not there and name not in _OPTIONAL:
            raise self._not_yet(TABLES[name])
        return there

    def table(
        self,
        name: str,
        without: Collection[str] = (),
        categories: Sequence[str] = (),
        method: str | None = None,
    ) -> pd.DataFrame:
        """Read a table with all columns of today.

        Args:
            name: Its name.
            without: Columns to leave out, if it is plan, cases or inputs.
            categories: Texts to be read as categories, likewise.
            method: Whose rows to read; all if omitted.
        """
        table = TABLES[name]
        large = name in ("plan", "cases", "inputs")
        columns = [column for column in self.columns(table) if not large or column not in without]
        rows = self.folder.read_table(
            table.file, columns, categories=categories if large else (), method=method
        )
        return table.typed(rows, columns, without if large else ())

    def columns(self, table: Table) -> list[str]:
        """Names of the columns of a table, those of today that the file lacks last.

        Raises:
            InputError: If it is not there.
        """
        if not self._there(table):
            raise self._not_yet(table)
        there = pq.read_schema(self.folder.file(table.file)).names
        measured = [name for name, ok in self._metrics.items() if ok] if table is CASES else []
        found = [column.name for column in self._columns(table, dict.fromkeys([*there, *measured]))]
        return sorted(found, key=lambda name: name not in there)

    def _check_rows(self, read: Mapping[str, pd.DataFrame]) -> None:
        """Refuse rows that are there twice, and rows of methods that have no card.

        Args:
            read: Tables that were read already; of others that are there only keys are read.

        Raises:
            InputError: If there is such a row.
        """
        cards: set[str] | None = None
        mentioned: set[str] = set()
        for name, table in TABLES.items():
            if not table.keys or not self._there(table):
                continue
            rows = read.get(name)
            if rows is None or not {*table.keys} <= {*rows}:
                texts = [c.name for c in table.columns if c.type == TEXT and c.name in table.keys]
                rows = self.folder.read_table(table.file, table.keys, categories=texts)
            checks.refuse_repeated(rows, table, self.folder.file(table.file))
            if table is METHODS:
                cards = {*rows["method"]}
            elif name in ("cases", "receptive"):
                mentioned |= {*rows["method"].unique()}
        strangers = mentioned - (mentioned if cards is None else cards)
        if strangers:
            raise InputError(
                f"{self.folder.file(METHODS.file)}: expected a row for each method that other "
                f"tables mention, found none for {', '.join(sorted(strangers))}; {METHODS.anew}"
            )

    def _not_yet(self, table: Table) -> InputError:
        return InputError(f"expected {self.folder.file(table.file)}, found none; {_NOT_YET}")

    def _there(self, table: Table) -> bool:
        return self.folder.file(table.file).exists()

    def _check(self, table: Table) -> None:
        """Refuse a file whose columns, types or nulls are not as declared."""
        must: list[str] = []
        if table is CASES and self.header.state == "complete":
            must = [name for name, measured in self._metrics.items() if measured]
        checks.refuse_undeclared(
            self.folder.file(table.file),
            table,
            lambda there: self._columns(table, dict.fromkeys([*there, *must])),
        )

    def _columns(self, table: Table, there: Iterable[str]) -> list[Column]:
        """The columns that count of a table that has these, and those it must have."""
        columns = table.among(there)
        if table is not CASES:
            return columns
        return [each for each in columns if each in CASES.columns or each.name in self._metrics]
