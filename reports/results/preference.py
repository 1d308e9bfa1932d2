"""What people preferred in blind votes, in words and as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.folder import votes
from bench.folder.header import UNKNOWN
from bench.folder.read import Run
from bench.statistics.preference import Preference, preference
from bench.text import numbers
from reports.results import sentences, tables
from reports.results.heat import Shaded
from reports.results.ranking import Ranking
from reports.results.tables import Cell, Label


@dataclass(frozen=True)
class Shown:
    """The votes of a run as a page shows them.

    Attributes:
        sentence: The result.
        rows: Rank, method, how often preferred to an average one, and its votes, won and drawn.
        wins: Who beats whom, a row a method.
        remarks: What these votes cannot say, as sentences.
    """

    sentence: str
    rows: list[tuple[str, Label, Cell, list[int]]]
    wins: list[tuple[Label, list[Shaded]]]
    remarks: list[str]


def headline(run: Run, rankings: Sequence[Ranking]) -> str:
    """The result in a sentence: that of votes where there are some and the truth is unknown."""
    if run.header.truth == UNKNOWN and (found := _counted(run)) is not None:
        return f"{sentence(run, found)}. The truth is unknown."
    return sentences.headline(run, list(rankings))


def shown(run: Run) -> Shown | None:
    """The votes of a run; None without any that counts."""
    found = _counted(run)
    if found is None:
        return None
    _, gone = votes.current(run)
    remarks = [*found.notes]
    if gone:
        verb = "is" if gone == 1 else "are"
        remarks.append(f"{numbers.counted(gone, 'vote')} {verb} left out: on fills that were made "
                       "anew since")  # fmt: skip
    rows = []
    for row in found.methods.to_dict("records"):
        known = row["share"] == row["share"]
        place = numbers.places(int(row["rank_first"]), int(row["rank_last"])) if known else ""
        ends = numbers.interval(100 * row["low"], 100 * row["high"], 0)
        share = Cell(numbers.number(100 * row["share"], 0), ends, sort=repr(row["share"]))
        counts = [row["votes"], row["won"], row["drawn"]]
        rows.append((place, tables.label(run, row["method"]), share, counts))
    return Shown(f"{sentence(run, found)}.", rows, _wins(run, found), [f"{r}." for r in remarks])


def sentence(run: Run, found: Preference) -> str:
    """Who is preferred, as far as that is significant; without a full stop."""
    by = f"By {numbers.counted(found.votes, 'vote')} of {numbers.counted(found.voters, 'voter')}"
    ranked = found.methods.dropna(subset="share")
    if len(ranked) < 2:
        return f"{by}, nothing can be compared"
    names = [str(name) for name in ranked["method"]]
    pairs = found.pairs[found.pairs["significant"]]
    better = pairs["a"].where(pairs["verdict"] == "a better", pairs["b"])
    worse = pairs["b"].where(pairs["verdict"] == "a better", pairs["a"])
    titles = {name: sentences.title(run, name) for name in names}
    for best in names:
        beaten = [titles[name] for name in names if name in {*worse[better == best]}]
        if not beaten:
            continue
        if len(beaten) == len(names) - 1 and len(beaten) > 1:
            return f"{by}, {titles[best]} is preferred, significantly over each of the others"
        return f"{by}, {titles[best]} is preferred, significantly over {sentences.few(beaten)}"
    return f"{by}, no method is significantly preferred"


def _counted(run: Run) -> Preference | None:
    if run.votes.empty or run.header.joined:
        return None
    found = preference(votes.current(run)[0])
    return found if found.votes else None


def _wins(run: Run, found: Preference) -> list[tuple[Label, list[Shaded]]]:
    """Votes won and lost of each method against each; shaded by the share won, draws half."""
    of = {}
    for row in found.pairs.to_dict("records"):
        star = "*" if row["significant"] else ""
        for a, b, won, lost in ((row["a"], row["b"], row["won"], row["lost"]),
                                (row["b"], row["a"], row["lost"], row["won"])):  # fmt: skip
            total = won + lost + row["drawn"]
            step = round(10 * (won + row["drawn"] / 2) / total) if total else None
            of[a, b] = Shaded(f"{won}{numbers.TO}{lost}{star}" if total else "", step)
    names = [str(name) for name in found.methods.dropna(subset="share")["method"]]
    blank = Shaded("", None)
    return [(tables.label(run, a), [of.get((a, b), blank) for b in names]) for a in names]
