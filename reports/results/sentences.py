"""The result in words, made from the rankings."""

from __future__ import annotations

import math

from bench.folder.header import UNKNOWN, Header
from bench.folder.read import Run
from bench.text.numbers import (
    capital,
    counted,
    decimals_for,
    holes,
    interval,
    joined,
    number,
    p_value,
)
from reports.results.gaps import Gap
from reports.results.ranking import Ranking, Scores

_UNKNOWN = "The truth is unknown, so no method is ranked by fidelity"
_NO_HEADLINE = "No method is ranked: nothing was measured that tells good fills from blurred ones"


def headline(run: Run, rankings: list[Ranking]) -> str:
    """Say which method is best in which tier, or that nothing can be told apart."""
    unknown = run.header.truth == UNKNOWN
    if unknown and not run.headline.metric:
        return f"{_UNKNOWN}: look at the pictures."
    if rankings and not any(ranking.headline for ranking in rankings):
        return f"{_NO_HEADLINE}."
    compared = [r for r in rankings if r.best is not None and len(r.ranked) > 1]
    if not compared:
        return _nothing_compared(run, rankings)
    if rankings[0].reference:
        alike: dict[str, list[Ranking]] = {}
        for ranking in rankings:
            alike.setdefault(_against(run, ranking), []).append(ranking)
        parts = [f"on {tier_words(of)} {words}" for words, of in alike.items()]
        return f"Compared with {title(run, rankings[0].reference)}: {'; '.join(parts)}."
    alone = f", by {run.headline.metric} alone: the truth is unknown" if unknown else ""
    clear = [r for r in compared if r.won]
    slight = [r for r in compared if not r.tied and not r.won]
    shared = [r for r in compared if r.shared_lead]
    tied = [r for r in compared if r.tied and not r.shared_lead]
    if len(tied) == len(rankings):
        return f"No clear winner: {_tied(run, tied, everywhere=True)}{alone}."
    parts = [f"{name} is best on {tier_words(of)}" for name, of in _by_winner(run, clear).items()]
    parts += _shared(run, shared)
    for name, of in _by_winner(run, slight).items():
        parts.append(f"{name} leads on {tier_words(of)} by less than matters")
    if tied:
        parts.append(_tied(run, tied, everywhere=False))
    if len(compared) < len(rankings):
        rest = [r for r in rankings if all(r is not other for other in compared)]
        parts.append(f"on {tier_words(rest)} nothing can be compared")
    found = "; ".join(parts)
    sentence = found if clear or shared else f"no clear winner: {found}"
    return f"{capital(sentence)}{alone}."


def verdict(run: Run, ranking: Ranking, label: str, unit: str) -> str:
    """Say by how much the best method of a tier leads, whether that is chance, if it matters."""
    if run.header.truth == UNKNOWN and not ranking.headline:
        return f"{_UNKNOWN}."
    if not ranking.headline:
        return f"{_NO_HEADLINE}."
    best = ranking.best
    if best is None:
        return "No method was ranked in this tier."
    if len(ranking.ranked) == 1:
        return "The only ranked method of this tier, so there is nothing to compare it with."
    if ranking.reference:
        words = f"Compared with {title(run, ranking.reference)}: {_against(run, ranking)}"
        return f"{words}{_equal(run, ranking, unit)}."
    second = ranking.ranked[1]
    if second.gap is None or second.gap.interval.n == 0:
        return f"{title(run, second.method)} has no {label} on these cases."
    if second.gap.identical:
        words = f"Identical to {title(run, second.method)} on all photos"
        others = [s for s in ranking.tied if s is not second]
        return f"{words}{_but(run, ranking, others)}{_equal(run, ranking, unit)}."
    ahead = f"Ahead of {title(run, second.method)} by"
    if ranking.powerless:
        return f"{ahead} {_lead(ranking, second.gap, unit)[0]}, but {_chance(ranking)}."
    lead = f"{ahead} {_size(ranking, second.gap, unit)}"
    if not ranking.tied:
        return f"{lead}: {_weight(ranking, second.gap, unit)}."
    if ranking.tied == [second]:
        return f"{lead}: not significant{_equal(run, ranking, unit)}."
    return f"{lead}{_but(run, ranking, ranking.tied)}{_equal(run, ranking, unit)}."


def few(names: list[str]) -> str:
    """Up to four names; of more the first three, and how many others."""
    if len(names) <= 4:
        return joined(names)
    return f"{', '.join(names[:3])} and {len(names) - 3} others"


def differences(run: Run, ranking: Ranking) -> str:
    """Say in one sentence what the paired differences from the best method show."""
    best = ranking.best
    others = [s for s in ranking.ranked if s.gap is not None]
    if ranking.reference:
        return f"Compared with {title(run, ranking.reference)}: {_against(run, ranking)}."
    if best is None or not others:
        return "There is no difference to show."
    name = title(run, best.method)
    if ranking.powerless:
        return f"{capital(_chance(ranking))}."
    worse = [title(run, s.method) for s in others if s not in ranking.tied]
    level = [title(run, s.method) for s in others if s in ranking.tied]
    parts = [f"{joined(worse)} {_are(worse)} significantly worse than {name}"] if worse else []
    if level:
        parts.append(f"{joined(level)} {_are(level)} not significantly different from {name}")
    return f"{'; '.join(parts)}."


def margin(ranking: Ranking, unit: str = "") -> str:
    """The practical margin as a reader sees it, such as ``0.1 dB``; empty if none is stated."""
    if math.isnan(ranking.margin):
        return ""
    return f"{ranking.margin:g} {unit}".strip()


def _against(run: Run, ranking: Ranking) -> str:
    """Who is better and worse than the reference, and who is neither."""
    known = [(s, s.gap) for s in ranking.ranked if s.gap is not None and s.gap.interval.n]
    if ranking.base is None or not known:
        return "nothing can be compared"
    if ranking.powerless:
        return _chance(ranking)
    apart = [(s, ranking.sign * gap.interval.mean) for s, gap in known if gap.significant]
    said = {
        "better": [s for s, gain in apart if gain > 0],
        "worse": [s for s, gain in apart if gain < 0],
        "not significantly different": ranking.tied,
    }
    named = {
        word: sorted(title(run, s.method) for s in found) for word, found in said.items() if found
    }
    return ", ".join(f"{few(names)} {_are(names)} {word}" for word, names in named.items())


def _shared(run: Run, shared: list[Ranking]) -> list[str]:
    """Who leads together: nobody knows who of them is best, but they are better than the rest."""
    alike: dict[tuple[str, str], list[Ranking]] = {}
    for ranking in shared:
        leaders = [s.method for s in (*ranking.ranked[:1], *ranking.tied)]
        rest = ranking.ranked[len(leaders) :]
        than = f"the other {len(rest)}" if len(rest) > 1 else title(run, rest[0].method)
        between, each = ("between", "both") if len(leaders) == 2 else ("among", "all")
        names = few(sorted(title(run, name) for name in leaders))
        words = f"no significant difference {between} them, {each} significantly better than {than}"
        alike.setdefault((names, words), []).append(ranking)
    return [
        f"{names} share the lead on {tier_words(of)}: {words}"
        for (names, words), of in alike.items()
    ]


def _tied(run: Run, tied: list[Ranking], *, everywhere: bool) -> str:
    """Between whom there is no significant difference where; of all tiers alike they go unsaid."""
    level: dict[str, list[Ranking]] = {}
    few_photos: dict[str, list[Ranking]] = {}
    for ranking in tied:
        if ranking.powerless:
            few_photos.setdefault(_chance(ranking), []).append(ranking)
        else:
            level.setdefault(_between(run, ranking), []).append(ranking)
    if everywhere and len(level) + len(few_photos) == 1:
        return "".join(few_photos) or f"no significant difference {''.join(level)}"
    parts = [f"{words} on {tier_words(of)}" for words, of in few_photos.items()]
    if level:
        where = ", nor ".join(f"{words} on {tier_words(of)}" for words, of in level.items())
        parts.insert(0, f"no significant difference {where}")
    return "; ".join(parts)


def _between(run: Run, ranking: Ranking) -> str:
    """The best and those tied with it, such as ``between LaMa and DeepFill``."""
    leaders = [title(run, s.method) for s in (*ranking.ranked[:1], *ranking.tied)]
    if 3 < len(leaders) == len(ranking.ranked):
        return "between the best and any other method"
    if len(leaders) > 3:
        return f"between {leaders[0]} and {len(leaders) - 1} others"
    return f"{'between' if len(leaders) == 2 else 'among'} {joined(sorted(leaders))}"


def _chance(ranking: Ranking) -> str:
    """What so few photos allow, where `Ranking.powerless` says that it is nothing."""
    return f"with {counted(ranking.photos_tested, 'photo')} no difference can be significant"


def _but(run: Run, ranking: Ranking, tied: list[Scores]) -> str:
    """From whom else the best does not differ significantly; empty if from nobody."""
    if not tied:
        return ""
    every = 1 < len(tied) == len(ranking.ranked) - 1
    names = "any other" if every else few([title(run, s.method) for s in tied])
    return f"; no significant difference from {names}"


def _lead(ranking: Ranking, gap: Gap, unit: str) -> tuple[str, str]:
    """A lead as a positive number, such as ``0.3 dB``, and its joint interval, which may be ''."""
    low, high = gap.interval.low, gap.interval.high
    if ranking.higher_is_better:
        low, high = -high, -low
    decimals = decimals_for([gap.interval.half_width], unit=unit)
    return f"{number(abs(gap.interval.mean), decimals)} {unit}".strip(), interval(
        low, high, decimals
    )


def _size(ranking: Ranking, gap: Gap, unit: str) -> str:
    """``0.012 (joint 95 % interval [0.008, 0.016], p = 0.003)``, a lead as a positive number."""
    lead, ends = _lead(ranking, gap, unit)
    shown = f"joint 95 % interval {ends}" if ends else f"no interval: {gap.interval.note}"
    return f"{lead} ({', '.join(filter(None, [shown, p_value(gap.p)]))})"


def _weight(ranking: Ranking, gap: Gap, unit: str) -> str:
    """What a significant lead is worth, by the margin."""
    shown = margin(ranking, unit)
    if not shown:
        return "significant"
    if gap.equivalent:
        return f"significant, but smaller than the margin of {shown}, so of no practical weight"
    nearest = min(abs(gap.interval.low), abs(gap.interval.high))
    if nearest > ranking.margin:
        return f"significant, and larger than the margin of {shown}"
    return f"significant; whether it is larger than the margin of {shown} is open"


def _equal(run: Run, ranking: Ranking, unit: str) -> str:
    """Which of the tied methods are shown to be as good as the best."""
    same = [title(run, s.method) for s in ranking.tied if s.gap is not None and s.gap.equivalent]
    if not same:
        return ""
    by = "by its own 90 % interval" if len(same) == 1 else "each by its own 90 % interval"
    words = f"equivalent within the margin of {margin(ranking, unit)}, {by}"
    return f"; {joined(same)} {_are(same)} {words}"


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def title(run: Run, method: str) -> str:
    """Name of a method for readers; its full name where two share a title, or the user gave it."""
    name = str(run.methods.loc[method, "title"])
    named = run.header.methods.get(method, "").startswith(f"{method}=")
    return method if named or (run.methods["title"] == name).sum() > 1 else name


def _by_winner(run: Run, clear: list[Ranking]) -> dict[str, list[Ranking]]:
    winners: dict[str, list[Ranking]] = {}
    for ranking in clear:
        if ranking.best is not None:
            winners.setdefault(title(run, ranking.best.method), []).append(ranking)
    return winners


def tier_words(rankings: list[Ranking]) -> str:
    """``small and large holes``, of the tiers of these rankings."""
    names = [ranking.tier for ranking in rankings]
    if all(holes(name) == f"{name} holes" for name in names):
        return f"{joined(names)} holes"
    return joined(holes(name) for name in names)


def _nothing_compared(run: Run, rankings: list[Ranking]) -> str:
    names = {s.method for r in rankings for s in r.ranked}
    if not names:
        return "No method completed enough cases to be ranked."
    if len(names) == 1:
        return f"Only {title(run, names.pop())} was ranked, so nothing can be compared."
    return "No ranking: the headline metric was not measured."


def scored(header: Header) -> str:
    """Say which picture of a fill metrics saw."""
    ways = header.scored
    if len(ways) > 1:
        return f"The runs differ in which picture of a fill was scored: {', '.join(ways)}."
    paste, _, levels = ways[0].partition("-")
    also = {
        "known": "after the known pixels were pasted back",
        "raw": "as the method returned it, with all that it changed outside of the hole",
        "blended": "after the known pixels were pasted back, the hole's edge blended",
    }[paste]
    if "jpeg" in levels:
        also += ", and a JPEG was made of that, so that not even the truth is perfect"
    elif levels.endswith("truncated"):
        also += "; levels were cut to bytes, not rounded"
    return f"Metrics are measured on the 8-bit picture {also}."
