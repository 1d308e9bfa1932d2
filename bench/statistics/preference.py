"""Which of several methods people prefer, from votes on pairs of their fills.

Strengths are those of Bradley and Terry ("Rank analysis of incomplete block designs", Biometrika
1952), a draw half a win of each, found by minorisation-maximisation (Hunter, "MM algorithms for
generalized Bradley-Terry models", Annals of Statistics 2004). A tenth of a drawn vote is added to
each pair, without which a method that won all its votes had no finite strength.

Intervals are over other photos and other voters: photos, voters and single votes are resampled
apart, and variances of the first two add up less the third, which both hold (Cameron, Gelbach and
Miller, "Robust inference with multiway clustering", Journal of Business & Economic Statistics
2011); never less than either alone, or than the votes had if they were independent. Fewer than
five voters say nothing of others: then the interval is of these voters, over other photos.

Pairs are tested by mean scores (wins less losses, by least squares), which at no difference is the
score test: votes that all agree give it no infinite ratio. p is adjusted for all pairs by the
largest ratio of them all, with Student's degrees of freedom of the fewer of photos and voters.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special
from scipy.sparse.csgraph import connected_components

from bench.statistics.equivalence import ALPHA
from bench.statistics.ties import rank_ranges
from bench.text.numbers import counted, joined

PRIOR = 0.1  # drawn votes added to each pair
FEW_VOTERS = 5  # below, voters are not a sample of people
RESAMPLES = 1000
_DRAWS = 20_000
_SCORES = {"left": 1.0, "equal": 0.5, "right": 0.0}

_Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Preference:
    """What votes say of the methods.

    Attributes:
        methods: A row a method, the most preferred first: ``method``, ``share`` (probability to be
            preferred to an average method of these, 0 to 1) with its 95 % interval ``low``,
            ``high``, ``rank_first`` to ``rank_last`` (1 plus those significantly better), ``votes``
            and the ``won``, ``drawn`` of them. Those that cannot be compared with the others
            have votes only and come last.
        pairs: A row a pair that can be compared: ``a``, ``b``, ``won`` by a, ``drawn``, ``lost``,
            ``p`` adjusted, ``significant``, ``verdict``.
        votes: How many count: those that were not skipped.
        voters: How many voters.
        photos: How many photos.
        notes: What cannot be said, as sentences.
    """

    methods: pd.DataFrame
    pairs: pd.DataFrame
    votes: int
    voters: int
    photos: int
    notes: tuple[str, ...]


def preference(votes: pd.DataFrame, seed: int = 0) -> Preference:
    """Compare methods by votes.

    Args:
        votes: ``left``, ``right``: methods; ``choice``: left, right, equal or skip, which does not
            count; ``voter``; ``cluster``: the photo.
        seed: Of the resampling.
    """
    every = [str(name) for name in pd.unique(votes[["left", "right"]].to_numpy().ravel())]
    cast = votes[votes["choice"].isin(_SCORES)]
    tally = _tally(cast, every)
    group = _comparable(tally)
    names = [name for place, name in enumerate(every) if group[place]]
    own = cast[cast["left"].isin(names) & cast["right"].isin(names)]
    notes = _notes(own, names, [name for name in every if name not in names])
    table, pairs = _fitted(own, names, seed) if len(names) > 1 else ([], [])
    columns = ["a", "b", "won", "drawn", "lost", "p", "significant", "verdict"]
    found = pd.DataFrame(pairs, columns=columns)
    rows = pd.DataFrame(table, columns=["method", "share", "low", "high"])
    rows = rows.sort_values("share", ascending=False, kind="stable")
    ranges = rank_ranges(list(rows["method"]), found)
    rows = pd.concat([rows, pd.DataFrame({"method": [n for n in every if n not in set(names)]})])
    rows["rank_first"] = [ranges.get(n, (np.nan, 0))[0] for n in rows["method"]]
    rows["rank_last"] = [ranges.get(n, (0, np.nan))[1] for n in rows["method"]]
    rows["votes"] = [int((cast[["left", "right"]] == n).sum().sum()) for n in rows["method"]]
    rows["drawn"] = [_drawn(cast, n) for n in rows["method"]]
    won = tally.sum(axis=1) if len(every) else np.zeros(0)
    of = dict(zip(every, won, strict=True))
    rows["won"] = [round(of[n] - d / 2) for n, d in zip(rows["method"], rows["drawn"], strict=True)]
    return Preference(
        rows.reset_index(drop=True), found, len(cast), own["voter"].nunique(),
        own["cluster"].nunique(), notes,
    )  # fmt: skip


def strengths(wins: _Matrix) -> _Matrix:
    """Logarithms of strengths, of sum 0, by Bradley and Terry.

    Args:
        wins: ``(..., k, k)``: how often that of the row was preferred to that of the column, draws
            half; the added draws are not among them.

    Returns:
        ``(..., k)``.
    """
    k = wins.shape[-1]
    wins = wins + PRIOR / 2 * (1 - np.eye(k))
    met, won = wins + np.swapaxes(wins, -1, -2), wins.sum(axis=-1)
    found = np.zeros(won.shape)
    for _ in range(5000):
        own = np.exp(found)
        new = np.log(won / (met / (own[..., :, None] + own[..., None, :])).sum(axis=-1))
        new -= new.mean(axis=-1, keepdims=True)
        step = np.abs(new - found).max(initial=0)
        found = new
        if step < 1e-7:
            break
    return found


def _scores(wins: _Matrix) -> _Matrix:
    """Mean scores of sum 0 by least squares: of a vote 1 if won, 0 if drawn, -1 if lost."""
    inverse = np.linalg.pinv(_laplacian(wins), hermitian=True)
    balance = (wins - np.swapaxes(wins, -1, -2)).sum(axis=-1)
    return np.asarray((inverse @ balance[..., None])[..., 0])


def _laplacian(wins: _Matrix) -> _Matrix:
    met = wins + np.swapaxes(wins, -1, -2)
    return np.asarray(met.sum(axis=-1)[..., None] * np.eye(wins.shape[-1]) - met)


def _fitted(
    votes: pd.DataFrame, names: list[str], seed: int
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Rows of the methods, and of their pairs."""
    sample = _Sample(votes, names, seed)
    wins = sample.wins(np.ones((1, len(votes))))[0]
    log, scores = strengths(wins), _scores(wins)
    share = special.expit(log)
    prior = PRIOR * (1 - np.eye(len(names)))
    met = wins + wins.T + prior
    at = special.expit(log[:, None] - log)
    fisher = np.linalg.pinv(_laplacian(met * at * (1 - at) / 2), hermitian=True)
    error = np.sqrt(sample.variances(strengths, np.eye(len(names)), fisher))
    reach = special.stdtrit(sample.freedom, 1 - ALPHA / 2) * error
    low, high = special.expit(log - reach), special.expit(log + reach)
    places = list(itertools.combinations(range(len(names)), 2))
    contrasts = np.array([np.eye(len(names))[a] - np.eye(len(names))[b] for a, b in places])
    spread = np.square(2 * votes["choice"].map(_SCORES) - 1).mean()
    alone = spread * np.linalg.pinv(_laplacian(wins), hermitian=True)
    error = np.sqrt(sample.variances(_scores, contrasts, alone))
    ratio = np.divide(contrasts @ scores, error, out=np.zeros(len(places)), where=error > 0)
    p = _adjusted(ratio, contrasts, alone, sample.freedom, seed)
    pairs = []
    for (a, b), value, chance in zip(places, ratio, p, strict=True):
        both = votes[votes["left"].isin([names[a], names[b]])
                     & votes["right"].isin([names[a], names[b]])]  # fmt: skip
        drawn = int((both["choice"] == "equal").sum())
        count = (round(float(wins[a, b]) - drawn / 2), drawn, round(float(wins[b, a]) - drawn / 2))
        sure = bool(chance < ALPHA)
        word = ("a better" if value > 0 else "b better") if sure else "no difference shown"
        pairs.append((names[a], names[b], *count, float(chance), sure, word))
    return list(zip(names, share, low, high, strict=True)), pairs


class _Sample:
    """Votes, and how photos, voters and votes are drawn from them."""

    def __init__(self, votes: pd.DataFrame, names: list[str], seed: int) -> None:
        place = {name: number for number, name in enumerate(names)}
        left, right = votes["left"].map(place), votes["right"].map(place)
        score = votes["choice"].map(_SCORES).to_numpy()
        self._k, self._seed = len(names), seed
        self._table = np.zeros((len(votes), self._k**2))
        rows = np.arange(len(votes))
        self._table[rows, left * self._k + right] = score
        self._table[rows, right * self._k + left] = 1 - score
        codes = [pd.factorize(votes[name])[0] for name in ("cluster", "voter")]
        counts = [int(each.max(initial=-1)) + 1 for each in codes]
        self._schemes = [codes[0]] + ([codes[1], rows] if counts[1] >= FEW_VOTERS else [])
        self.freedom = max(0, min([counts[0], *counts[1:][: len(self._schemes) - 1]]) - 1)

    def wins(self, weights: _Matrix) -> _Matrix:
        """Wins ``(b, k, k)`` of votes that count so often ``(b, n)``."""
        return (weights @ self._table).reshape(-1, self._k, self._k)

    def variances(self, estimate: object, contrasts: _Matrix, least: _Matrix) -> _Matrix:
        """Variances of contrasts ``(c, k)`` of an estimate; not below those of a covariance."""
        rng = np.random.default_rng(self._seed)
        found = []
        for codes in self._schemes:
            count = int(codes.max()) + 1
            drawn = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)
            values = estimate(self.wins(drawn[:, codes].astype(float)))  # type: ignore[operator]
            found.append(np.var(values @ contrasts.T, axis=0, ddof=1) * count / max(count - 1, 1))
        parts = [*found[:2], np.einsum("ck,kl,cl->c", contrasts, least, contrasts)]
        if len(found) == 3:
            parts.append(found[0] + found[1] - found[2])
        whole = np.max(parts, axis=0)
        return np.asarray(whole if self.freedom else np.full(len(contrasts), np.nan))


def _adjusted(
    ratio: _Matrix, contrasts: _Matrix, covariance: _Matrix, freedom: int, seed: int
) -> _Matrix:
    """p-values of ratios, adjusted by the largest of all in draws without any difference."""
    if not freedom:
        return np.full(len(ratio), np.nan)
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    drawn = rng.normal(size=(_DRAWS, len(root))) @ root.T @ contrasts.T
    own = np.sqrt(np.einsum("ck,kl,cl->c", contrasts, covariance, contrasts))
    drawn = np.abs(np.divide(drawn, own, out=np.zeros_like(drawn), where=own > 0)).max(axis=1)
    largest = np.sort(drawn / np.sqrt(rng.chisquare(freedom, _DRAWS) / freedom))
    above = _DRAWS - np.searchsorted(largest, np.abs(ratio))
    return np.asarray((1 + above) / (1 + _DRAWS))


def _tally(votes: pd.DataFrame, names: list[str]) -> _Matrix:
    return _Sample(votes, names, 0).wins(np.ones((1, len(votes))))[0] if len(votes) else np.zeros(
        (len(names), len(names))
    )  # fmt: skip


def _comparable(wins: _Matrix) -> NDArray[np.bool_]:
    """Which methods votes link with each other: the group with most votes."""
    if not len(wins):
        return np.zeros(0, bool)
    _, group = connected_components(wins + wins.T > 0, directed=False)
    weights = np.bincount(group, weights=wins.sum(axis=1))
    return np.asarray(group == weights.argmax())


def _drawn(votes: pd.DataFrame, name: str) -> int:
    own = (votes["left"] == name) | (votes["right"] == name)
    return int((own & (votes["choice"] == "equal")).sum())


def _notes(votes: pd.DataFrame, names: list[str], others: list[str]) -> tuple[str, ...]:
    """What these votes cannot say."""
    found = []
    voters, photos = votes["voter"].nunique(), votes["cluster"].nunique()
    if others:
        verb = "was" if len(others) == 1 else "were"
        found.append(f"{joined(others)} {verb} never compared with the others, directly or by way "
                     "of a third: no place among them")  # fmt: skip
    if photos < 2:
        found.append("Votes on one photo say nothing of other photos: no intervals, no ranks")
    if 0 < voters < FEW_VOTERS:
        found.append(f"{counted(voters, 'voter')}: intervals and ranks are of "
                     f"{'this voter' if voters == 1 else 'these voters'} on other photos and say "
                     "nothing of other people")  # fmt: skip
    if names and len(votes):
        parts, group = connected_components(_tally(votes, names) > 0, connection="strong")
        if parts > 1:
            sole = [n for n, g in zip(names, group, strict=True) if (group == g).sum() == 1]
            who = f" ({joined(sole)})" if sole and len(sole) < len(names) else ""
            found.append(f"Some methods{who} won or lost all of their votes against others: how "
                         "far apart they are has no finite estimate, and what is shown is held "
                         f"finite by {PRIOR:g} of a drawn vote a pair")  # fmt: skip
    return tuple(found)
