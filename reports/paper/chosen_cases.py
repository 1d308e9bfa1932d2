"""Which cases a figure shows, and how they were chosen, in words that stand below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import BenchError, few, require_one_of
from bench.folder.read import Run
from bench.folder.shown_cases import case_hash
from bench.statistics import CASE
from bench.text import numbers
from reports.results import sentences, tables
from reports.results.orders import Key, orders
from reports.results.ranking import Ranking

RULES = ("random", "worst", "best", "disagreement")
ALL = "all"
_MOST = 60  # rows of a figure of all
_NAMED = 4


@dataclass(frozen=True)
class Chosen:
    """Cases in the order of their rows, and how they were chosen, as a sentence."""

    keys: list[Key]
    words: str


def spelled(key: Key) -> str:
    """``photo:tier:draw``."""
    return ":".join(map(str, key))


def by_name(run: Run, names: Sequence[str], photos: Sequence[str], tiers: Sequence[str]) -> Chosen:
    """The cases that somebody named.

    Args:
        run: The run.
        names: The page of a case in the report, or ``photo:tier:draw``, or how one of them begins.
        photos: Photos, each with all its cases.
        tiers: Only cases of these.

    Raises:
        BenchError: If a name fits none, or more than one.
    """
    plan = run.plan[run.plan["tier"].isin(tiers)]
    keys: list[Key] = list(plan[CASE].itertuples(index=False, name=None))
    found = [_named(keys, name) for name in names]
    for photo in photos:
        require_one_of(photo, dict.fromkeys(key[0] for key in keys), "--photo")
        found += [key for key in keys if key[0] == photo]
    found = list(dict.fromkeys(found))
    return Chosen(found, "chosen by name, not by a rule")


def every(run: Run, tiers: Sequence[str]) -> Chosen:
    """All cases of some tiers, tier by tier, in the order of the plan.

    Raises:
        BenchError: If they are too many for a figure.
    """
    keys: list[Key] = []
    for tier in tiers:
        keys += run.plan.loc[run.plan["tier"] == tier, CASE].itertuples(index=False, name=None)
    if len(keys) > _MOST:
        raise BenchError(
            f"--rule {ALL}: expected at most {_MOST} cases, found {len(keys):,}; name a --tier of "
            "few, photos, or another rule"
        )
    return Chosen(keys, f"all {len(keys)} of {numbers.joined(tiers)}")


def by_rule(
    run: Run, ranking: Ranking, rule: str, count: int, methods: Sequence[str], of: str = ""
) -> Chosen:
    """The first cases of an order of the report.

    Args:
        run: The run.
        ranking: Of their tier.
        rule: One of `RULES`.
        count: How many, at most.
        methods: Those with a column of pictures.
        of: Whose worst or best cases; of the best-ranked method if omitted.

    Raises:
        BenchError: If the rule needs a ranking and there is none, or it does not rank that method.
    """
    best = ranking.best
    if rule != "random" and best is None:
        raise BenchError(
            f"--rule {rule}: expected a metric that ranks the methods on "
            f"{numbers.holes(ranking.tier)}, found none; take --rule random, or name cases: "
            "--case PAGE"
        )
    ranked = [scores.method for scores in ranking.ranked]
    if of and rule in ("worst", "best"):
        require_one_of(of, ranked, f"--of, a method ranked on {numbers.holes(ranking.tier)}")
    lists = {order.name: order.keys for order in orders(run, ranking, methods, of=of)}
    if not lists.get(rule):
        raise BenchError(
            f"--rule {rule}: expected cases of {numbers.holes(ranking.tier)} that all "
            "ranked methods completed, found none; name cases: --case PAGE"
        )
    keys = lists[rule][:count]
    where = f"on {numbers.holes(ranking.tier)}"
    count = ranking.expected if rule == "random" else ranking.n
    planned = f"of {numbers.counted(count, 'case')}{_kept(run, ranking.tier)}"
    by = tables.metric_label(run, ranking.headline) if ranking.headline else ""
    if rule == "random":
        words = f"the first {len(keys)} {planned} {where} by their hash, which nobody chose"
    elif rule == "disagreement":
        words = (
            f"the {len(keys)} {planned} {where} on which the best and the worst of "
            f"{numbers.counted(len(ranked), 'ranked method')} are furthest apart by {by}"
        )
    else:
        name = sentences.title(run, of or (best.method if best else ""))
        words = f"the {len(keys)} {rule} {planned} {where} by {by} for {name}"
        words += "" if of else ", which ranks first"
    return Chosen(keys, f"{words}; chosen by this rule alone")


def _kept(run: Run, tier: str) -> str:
    """A remark where only those cases can be chosen whose pictures were kept."""
    rows = run.cases[(run.cases["tier"] == tier) & (run.cases["status"] == "ok")]
    return ", those with kept pictures," if (rows["output"] == "").any() else ""


def _named(keys: Sequence[Key], name: str) -> Key:
    def begins(key: Key) -> bool:
        return case_hash(*key).startswith(name) or spelled(key).startswith(name)

    exact = [key for key in keys if name in (case_hash(*key), spelled(key))]
    found = exact or ([key for key in keys if begins(key)] if name else [])
    if len(found) == 1:
        return found[0]
    what = "the 16 digits of a case's page in the report (cases/PAGE.html), or photo:tier:draw"
    if found:
        fits = few([spelled(key) for key in found], _NAMED)
        raise BenchError(f"--case {name}: expected {what}; it fits {fits}; write more of it")
    known = few([f"{case_hash(*key)} ({spelled(key)})" for key in keys], _NAMED)
    raise BenchError(f"--case {name}: expected {what}; found none of that name. Known: {known}")
