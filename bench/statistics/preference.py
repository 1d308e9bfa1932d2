"""Which of several methods people prefer, from votes on pairs of their fills.

Strengths are those of Bradley and Terry ("Rank analysis of incomplete block designs", Biometrika
1952), a draw half a win of each, found by minorisation-maximisation (Hunter, "MM algorithms for
generalized Bradley-Terry models", Annals of Statistics 2004). A tenth of a drawn vote is added to
each pair, without which a method that won all its votes had no finite strength.

Intervals are over other photos and other voters: photos, voters and single votes are drawn with
replacement, each time a step of Newton's is made from the strengths of all, and the variances of
the first two add up less that of the third, which both hold (Cameron, Gelbach and Miller, "Robust
inference with multiway clustering", Journal of Business & Economic Statistics 2011); never less
than either alone, or than votes have that are independent. Fewer than five voters say nothing of
others: then the interval is of these voters, over other photos.

Pairs are tested by mean scores (wins less losses, by least squares), which at no difference is the
score test: votes that all agree give it no infinite ratio. p is adjusted for all pairs by the
largest ratio of them all, with Student's degrees of freedom of the fewer of photos and voters.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
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

_SHARES = ["method", "share", "low", "high"]
_PAIR = ["a", "b", "won", "drawn", "lost", "p", "significant", "verdict"]

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
    every = sorted({*votes["left"], *votes["right"]})
    cast = votes[votes["choice"].isin(_SCORES)]
    cast = cast.sort_values(["cluster", "voter", "left", "right", "choice"], kind="stable")
    names = [name for name, known in zip(every, _comparable(cast, every), strict=True) if known]
    own = cast[cast["left"].isin(names)]
    sample = _Sample(own, names, seed)
    rows = _methods(sample, names) if len(names) > 1 else pd.DataFrame(columns=_SHARES)
    pairs = _pairs(sample, own, names) if len(names) > 1 else pd.DataFrame(columns=_PAIR)
    ranges = rank_ranges(list(rows["method"]), pairs)
    rest = [name for name in every if name not in ranges]
    rows = rows.set_index("method").reindex([*ranges, *rest]).rename_axis("method").reset_index()
    places = [ranges.get(name, (np.nan, np.nan)) for name in rows["method"]]
    rows[["rank_first", "rank_last"]] = np.reshape(places, (-1, 2)).astype(float)
    counts = [_counts(cast, name) for name in rows["method"]]
    rows[["votes", "won", "drawn"]] = np.reshape(counts, (-1, 3)).astype(int)
    voters, photos = own["voter"].nunique(), own["cluster"].nunique()
    return Preference(rows, pairs, len(cast), voters, photos, _notes(own, names, rest))


def strengths(wins: _Matrix) -> _Matrix:
    """Logarithms of strengths, of sum 0, by Bradley and Terry.

    Args:
        wins: ``(k, k)``: how often that of the row was preferred to that of the column, draws half;
            the added draws are not among them.

    Returns:
        ``(k,)``.
    """
    wins = wins + PRIOR / 2 * (1 - np.eye(len(wins)))
    met, won = wins + wins.T, wins.sum(axis=1)
    found = np.zeros(len(wins))
    for _ in range(100_000):
        own = np.exp(found)
        new = np.log(won / (met / (own[:, None] + own)).sum(axis=1))
        new -= new.mean()
        step = np.abs(new - found).max(initial=0)
        found = new
        if step < 1e-9:
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


def _methods(sample: _Sample, names: list[str]) -> pd.DataFrame:
    """Shares with their intervals, the largest first."""
    log, same = strengths(sample.total), np.eye(len(names))
    at = special.expit(log[:, None] - log)
    weight = (sample.total + sample.total.T + PRIOR * (1 - same)) * at * (1 - at) / 2
    alone = np.asarray(np.linalg.pinv(_laplacian(weight), hermitian=True))

    def step(drawn: _Matrix) -> _Matrix:
        return np.asarray((drawn - (drawn + np.swapaxes(drawn, -1, -2)) * at).sum(axis=-1) @ alone)

    error = np.sqrt(sample.variances(step, same, alone))
    reach = special.stdtrit(sample.freedom, 1 - ALPHA / 2) * error
    ends = [special.expit(each) for each in (log, log - reach, log + reach)]
    found = pd.DataFrame(dict(zip(_SHARES, [names, *ends], strict=True)))
    return found.sort_values("share", ascending=False, kind="stable")


def _pairs(sample: _Sample, votes: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """All pairs, tested."""
    places = list(itertools.combinations(range(len(names)), 2))
    contrasts = np.array([np.eye(len(names))[a] - np.eye(len(names))[b] for a, b in places])
    spread = np.square(2 * votes["choice"].map(_SCORES).to_numpy() - 1).mean()
    even = np.asarray(np.linalg.pinv(_laplacian(sample.total), hermitian=True))
    gaps = contrasts @ _scores(sample.total)
    error = np.sqrt(sample.variances(_scores, contrasts, spread * even))
    ratio = np.divide(gaps, error, out=np.zeros(len(gaps)), where=error > 0)
    rows = []
    for (a, b), gap, p in zip(places, gaps, sample.adjusted(ratio, contrasts, even), strict=True):
        drawn = round(sample.drawn[a, b])
        won, lost = (round(sample.total[pair] - drawn / 2) for pair in ((a, b), (b, a)))
        word = ("a better" if gap > 0 else "b better") if p < ALPHA else "no difference shown"
        rows.append((names[a], names[b], won, drawn, lost, float(p), bool(p < ALPHA), word))
    return pd.DataFrame(rows, columns=_PAIR)


class _Sample:
    """Votes as tables of wins, and how photos, voters and votes are drawn from them."""

    def __init__(self, votes: pd.DataFrame, names: list[str], seed: int) -> None:
        place = {name: number for number, name in enumerate(names)}
        left, right = (votes[side].map(place).to_numpy(int) for side in ("left", "right"))
        score = votes["choice"].map(_SCORES).to_numpy(float)
        self._k, self._seed, rows = len(names), seed, np.arange(len(votes))
        self._table = np.zeros((len(votes), self._k**2))
        self._table[rows, left * self._k + right] = score
        self._table[rows, right * self._k + left] = 1 - score
        self.total = self._wins(np.ones((1, len(votes))))[0]
        self.drawn = self._wins((score == 0.5)[None].astype(float))[0] * 2
        photos, voters = (pd.factorize(votes[name])[0] for name in ("cluster", "voter"))
        few = len({*voters}) < FEW_VOTERS
        self._schemes = [photos] if few else [photos, voters, rows]
        self.freedom = max(0, min(len({*codes}) for codes in self._schemes[:2]) - 1)

    def _wins(self, weights: _Matrix) -> _Matrix:
        """Wins ``(b, k, k)`` of votes that count so often ``(b, n)``."""
        return (weights @ self._table).reshape(len(weights), self._k, self._k)

    def variances(
        self, estimate: Callable[[_Matrix], _Matrix], contrasts: _Matrix, least: _Matrix
    ) -> _Matrix:
        """Variances of contrasts ``(c, k)`` of an estimate; not below those of a covariance."""
        if not self.freedom:
            return np.full(len(contrasts), np.nan)
        rng = np.random.default_rng(self._seed)
        found = []
        for codes in self._schemes:
            count = int(codes.max()) + 1
            times = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)
            values = estimate(self._wins(times[:, codes].astype(float))) @ contrasts.T
            found.append(np.var(values, axis=0) * count / (count - 1))
        both = [found[0] + found[1] - found[2]] if len(found) == 3 else []
        alone = np.einsum("ck,kl,cl->c", contrasts, least, contrasts)
        return np.asarray(np.max([*found[:2], *both, alone], axis=0))

    def adjusted(self, ratio: _Matrix, contrasts: _Matrix, covariance: _Matrix) -> _Matrix:
        """p-values of ratios by the largest of all in draws without any difference."""
        if not self.freedom:
            return np.full(len(ratio), np.nan)
        rng = np.random.default_rng(self._seed)
        values, vectors = np.linalg.eigh(covariance)
        drawn = rng.normal(size=(_DRAWS, self._k)) @ (vectors * np.sqrt(np.clip(values, 0, None))).T
        drawn = drawn @ contrasts.T
        largest = np.abs(drawn / np.sqrt(np.square(drawn).mean(axis=0))).max(axis=1)
        largest /= np.sqrt(rng.chisquare(self.freedom, _DRAWS) / self.freedom)
        above = _DRAWS - np.searchsorted(np.sort(largest), np.abs(ratio))
        return np.asarray((1 + above) / (1 + _DRAWS))


def _comparable(votes: pd.DataFrame, names: list[str]) -> NDArray[np.bool_]:
    """Which methods votes link with each other: the group with most votes."""
    wins = _Sample(votes, names, 0).total
    if not len(votes):
        return np.zeros(len(names), bool)
    _, group = connected_components(wins + wins.T, directed=False)
    return np.asarray(group == np.bincount(group, weights=wins.sum(axis=1)).argmax())


def _counts(votes: pd.DataFrame, name: str) -> tuple[int, int, int]:
    """Votes of a method, and how many it won and drew."""
    left, right = (votes["choice"][votes[side] == name] for side in ("left", "right"))
    won = (left == "left").sum() + (right == "right").sum()
    return len(left) + len(right), int(won), int((pd.concat([left, right]) == "equal").sum())


def _notes(votes: pd.DataFrame, names: list[str], others: list[str]) -> tuple[str, ...]:
    """What these votes cannot say."""
    if votes.empty:
        return ()
    found = []
    voters = votes["voter"].nunique()
    if others:
        verb = "was" if len(others) == 1 else "were"
        found.append(f"{joined(others)} {verb} never compared with the others, nor with what these "
                     "were compared with: no place among them")  # fmt: skip
    if votes["cluster"].nunique() < 2:
        found.append("Votes on one photo say nothing of other photos: no intervals, no ranks")
    elif voters < FEW_VOTERS:
        found.append(f"{counted(voters, 'voter')}: intervals and ranks are of "
                     f"{'this voter' if voters == 1 else 'these voters'} on other photos, and say "
                     "nothing of other people")  # fmt: skip
    parts, _ = connected_components(_Sample(votes, names, 0).total, connection="strong")
    if parts > 1:
        found.append("Some methods won, or lost, every vote against some others: how far apart "
                     "these are has no finite estimate; a tenth of a drawn vote a pair, added to "
                     "all, keeps what is shown finite")  # fmt: skip
    return tuple(found)
