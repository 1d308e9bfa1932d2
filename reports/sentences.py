"""The result in words, made from the rankings."""

from __future__ import annotations

from reports.numbers import decimals_for, holes, interval, joined, number
from reports.ranking import Ranking
from reports.run import Run


def headline(run: Run, rankings: list[Ranking]) -> str:
    """Say which method is best in which tier, or that nothing can be told apart."""
    compared = [r for r in rankings if r.best is not None and len(r.ranked) > 1]
    if not compared:
        return _nothing_compared(run, rankings)
    clear = [r for r in compared if not r.tied]
    tied = [r for r in compared if r.tied]
    if not clear and len(tied) == len(rankings):
        return "No clear winner: on these photos, the leading methods cannot be told apart."
    parts = [f"{name} is best on {_tiers(of)}" for name, of in _by_winner(run, clear).items()]
    if tied:
        parts.append(f"on {_tiers(tied)} the leaders cannot be told apart")
    if len(compared) < len(rankings):
        rest = [r for r in rankings if all(r is not other for other in compared)]
        parts.append(f"on {_tiers(rest)} nothing can be compared")
    sentence = "; ".join(parts) if clear else f"no clear winner: {'; '.join(parts)}"
    return f"{sentence[0].upper()}{sentence[1:]}."


def verdict(run: Run, ranking: Ranking, label: str, unit: str) -> str:
    """Say by how much the best method of a tier leads, and whether that is more than chance."""
    best = ranking.best
    if best is None:
        return "No method was ranked in this tier."
    if len(ranking.ranked) == 1:
        return "The only ranked method of this tier, so there is nothing to compare it with."
    second = ranking.ranked[1]
    if second.difference is None or second.difference.n == 0:
        return f"{title(run, second.method)} has no {label} on these cases."
    gap = second.difference
    low, high = (-gap.high, -gap.low) if ranking.higher_is_better else (gap.low, gap.high)
    decimals = decimals_for([gap.half_width], unit=unit)
    size = f"{number(abs(gap.mean), decimals)}{' ' + unit if unit else ''}"
    ends = interval(low, high, decimals)
    shown = f"{size} (95 % interval {ends})" if ends else f"{size} (no interval: {gap.note})"
    if ranking.tied:
        names = joined(title(run, scores.method) for scores in ranking.tied)
        return (
            f"Ahead of {title(run, second.method)} by {shown}, "
            f"but not separable from {names}: a paired difference includes zero."
        )
    return (
        f"Ahead of {title(run, second.method)} by {shown}: separable, the interval excludes zero."
    )


def title(run: Run, method: str) -> str:
    """Name of a method for readers; its full name where two share a title."""
    name = str(run.methods.loc[method, "title"])
    return method if (run.methods["title"] == name).sum() > 1 else name


def _by_winner(run: Run, clear: list[Ranking]) -> dict[str, list[Ranking]]:
    winners: dict[str, list[Ranking]] = {}
    for ranking in clear:
        if ranking.best is not None:
            winners.setdefault(title(run, ranking.best.method), []).append(ranking)
    return winners


def _tiers(rankings: list[Ranking]) -> str:
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
