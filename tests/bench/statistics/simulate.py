"""The figures of ``docs/statistics.md``: intervals and tests on made-up data whose truth is known.

    python -m tests.bench.statistics.simulate --draws 4000

prints its tables as Markdown. Differences have a mean of 0 in units of their own spread.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np
import pandas as pd
from scipy import stats

from bench.statistics import by_kind, column_intervals, differences_tested
from bench.text import markdown

PHOTOS = (5, 6, 8, 10, 15, 20, 30, 100)
KINDS = ("normal", "heavy tails", "skewed", "very skewed", "1 to 8 holes", "one photo a third")
OF_A_KIND = (8, 8, 8, 7, 6, 6, 4, 1)
WIDE = "one kind spreads 3 times"
_AT_ONCE = 500


def differences(kind: str, photos: int, draws: int, rng: np.random.Generator):
    """Differences ``(n, draws)`` of mean 0, and the photo of each case."""
    holes = np.ones(photos, int)
    if kind == "1 to 8 holes":
        holes = 1 + np.arange(photos) * 8 // photos
    elif kind == "one photo a third":  # of all cases, where the others have two each
        holes = np.append(np.full(photos - 1, 2), photos - 1)
    labels = np.repeat(np.arange(photos), holes)
    shape = (photos, draws)
    if kind == "skewed":  # 2.8, as differences of methods may be
        shared = rng.gamma(0.5, size=shape) - 0.5
    elif kind == "very skewed":
        shared = rng.lognormal(size=shape) - np.exp(0.5)
    elif kind == "heavy tails":
        shared = rng.standard_t(3, size=shape)
    else:
        shared = rng.normal(size=shape)
    own = 0.5 * rng.normal(size=(len(labels), draws)) if holes.max() > 1 else 0
    return shared[labels] + own, labels


def sign_flips(columns: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """p-values of flipping the signs of photos at random, for comparison."""
    sums = np.array([columns[labels == label].sum(axis=0) for label in np.unique(labels)])
    signs = rng.choice([-1.0, 1.0], (1999, len(sums)))
    reached = np.abs(signs @ sums) >= np.abs(sums.sum(axis=0)) * (1 - 1e-12)
    return (1 + reached.sum(axis=0)) / 2000


def students(columns: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """p-values of Student's test with the error of a ratio, for comparison."""
    sums = np.array([columns[labels == label].sum(axis=0) for label in np.unique(labels)])
    counts = np.bincount(labels)[:, None]
    k, n = len(counts), counts.sum()
    mean = sums.sum(axis=0) / n
    error = np.sqrt(k / (k - 1) * np.square(sums - mean * counts).sum(axis=0)) / n
    return 2 * stats.t.sf(np.abs(mean) / error, k - 1)


def rejected(kind: str, photos: int, draws: int) -> np.ndarray:
    """Share below 5 % of p alone, of sign flips, of Student's test; and what intervals miss."""
    found = []
    for part in range(0, draws, _AT_ONCE):
        rng = np.random.default_rng([photos, KINDS.index(kind), part])
        columns, labels = differences(kind, photos, min(_AT_ONCE, draws - part), rng)
        p = differences_tested(columns, labels, resamples=1999, seed=part).p
        (intervals,) = column_intervals(columns, labels, resamples=1999, seed=part)
        missed = [not at.low <= 0 <= at.high for at in intervals]
        flipped = sign_flips(columns, labels, rng)
        found.append([p < 0.05, flipped < 0.05, students(columns, labels) < 0.05, missed])
    return np.concatenate(found, axis=1).mean(axis=1)


def family(
    kind: str, photos: int, draws: int, methods: int = 12, *, reference: bool = False
) -> tuple[float, float, float]:
    """Of a family without any difference: how often it finds one, and what it could find.

    Returns:
        The share of draws in which a pair is significant; in which one is by Holm's adjustment of
        each pair's own p; the gain that is found with 80 % power, in standard deviations.
    """
    pairs = [(0, b) for b in range(1, methods)]
    if not reference:
        pairs = list(itertools.combinations(range(methods), 2))
    found, holm, gains = [], [], []
    for draw in range(draws):
        rng = np.random.default_rng([photos, KINDS.index(kind), methods, draw])
        values, labels = differences(kind, photos, methods, rng)
        values = values * np.linspace(0.2, 1, methods)  # of unequal spread differences stay skewed
        gaps = np.column_stack([values[:, a] - values[:, b] for a, b in pairs])
        tested = differences_tested(gaps, labels, resamples=1999, seed=draw)
        found.append((tested.p_adjusted < 0.05).any())
        holm.append(tested.p.min() * len(pairs) < 0.05)  # Holm finds one where Bonferroni does
        # Where a pair's mean rises by its joint interval's lower half, it becomes significant.
        gains.append(-tested.low / gaps.std(axis=0, ddof=1))
    return float(np.mean(found)), float(np.mean(holm)), float(np.quantile(gains, 0.8))


def equivalent(photos: int, spread: float, margin: float, draws: int) -> float:
    """Share of draws in which methods without a difference are shown to be equivalent."""
    columns = spread * np.random.default_rng(photos).normal(size=(photos, draws))
    (intervals,) = column_intervals(columns, np.arange(photos), confidences=(0.9,), resamples=1999)
    return float(np.mean([-margin < at.low and at.high < margin for at in intervals]))


def photos_for_equivalence(spread: float, margin: float) -> float:
    """How many photos show equal methods to be equivalent with 80 % power."""
    return float(((stats.norm.ppf(0.95) + stats.norm.ppf(0.9)) * spread / margin) ** 2)


def kind_leads(law: str, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Series]:
    """Leads of the best of 6 equal methods on the second, in 3 tiers of the bundled photos."""
    of = pd.Series(np.repeat(np.arange(len(OF_A_KIND)), OF_A_KIND).astype(str))
    leads = {}
    for tier in ("small", "region", "large"):
        values, _ = differences("normal" if law == WIDE else law, len(of), 6, rng)
        values[of == "0"] *= 3 if law == WIDE else 1
        second, first = np.argsort(values.mean(axis=0))[-2:]
        leads[tier] = (values[:, first] - values[:, second]) / np.sqrt(2)
    return pd.DataFrame(leads), of


def kinds(law: str, draws: int) -> np.ndarray:
    """What `by_kind` says of kinds: with none apart, and with one apart by 1 and 1.5 spreads.

    Returns:
        Shares of draws: a kind is said to be apart; the order is said to turn; one as far apart
        as ``seen`` of other photos is found; with one apart by 1, it is found, its interval misses
        the truth, another is said to be apart on the same side; with one apart by 1.5, it is found.
    """
    found = []
    for draw in range(draws):
        leads, of = kind_leads(law, np.random.default_rng([draw, len(law)]))
        table = by_kind(leads, of, seed=draw)
        said = [(table["p"] < 0.05).any(), ((table["p_lead"] < 0.05) & (table["lead"] < 0)).any()]
        seen = float(table.loc[(table["kind"] == "1") & (table["tier"] == "large"), "seen"].item())
        leads, of = kind_leads(law, np.random.default_rng([draw, len(law), 1]))
        for shift in (seen, 1.0, 1.5):
            moved = leads.assign(large=leads["large"] - shift * (of == "1"))
            table = by_kind(moved, of, seed=draw)
            own = (table["kind"] == "1") & (table["tier"] == "large")
            one = table[own].iloc[0]
            said += [one["p"] < 0.05]
            if shift == 1.0:
                others = table[~own & (table["apart"] < 0)]
                said += [not one["low"] <= -shift <= one["high"], (others["p"] < 0.05).any()]
        found.append(said)
    return np.mean(found, axis=0)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def print_rates(draws: int) -> None:
    """Tables of error rates and coverage."""
    rates = {(kind, k): rejected(kind, k, draws) for kind in KINDS for k in PHOTOS}
    heads = ("p of this project", "sign flips", "Student's test", "not covered by the interval")
    for place, head in enumerate(heads):
        rows = [[kind, *(_percent(rates[kind, k][place]) for k in PHOTOS)] for kind in KINDS]
        print(f"\n{head}, % of {draws} draws\n")
        print(markdown.table(["photos", *map(str, PHOTOS)], rows, "l" + "r" * len(PHOTOS)))


def print_families(draws: int) -> None:
    """Table of what is found among 12 methods."""
    rows = []
    for kind, photos in itertools.product(("normal", "skewed"), (10, 30, 100)):
        (all_, holm, gain), (one, _, alone) = (
            family(kind, photos, draws, reference=reference) for reference in (False, True)
        )
        rows.append([kind, str(photos), _percent(all_), _percent(holm), _percent(one),
                     f"{gain:.2f}", f"{alone:.2f}"])  # fmt: skip
    head = ["", "photos", "66 pairs, %", "the same by Holm, %", "11 with a reference, %",
            "gain found, 66 pairs", "gain found, 11"]  # fmt: skip
    print(f"\nFamilies of 12 methods without a difference, {draws} draws\n")
    print(markdown.table(head, rows, "lrrrrrr"))


def print_equivalence(draws: int) -> None:
    """Table of how many photos show two equal methods to be equivalent."""
    spread, margin = 0.057, 0.005
    counts = (100, 300, round(photos_for_equivalence(spread, margin)))
    rows = [[str(n), _percent(equivalent(n, spread, margin, draws))] for n in counts]
    print(f"\nEquivalence within {margin} of equal methods, spread {spread}, {draws} draws\n")
    print(markdown.table(["photos", "shown, %"], rows, "rr"))


def print_kinds(draws: int) -> None:
    """Table of what is said of kinds of photo."""
    rows = [[law, *map(_percent, kinds(law, draws))] for law in (*KINDS[:4], WIDE)]
    head = ["", "a kind apart", "order turned", "as far as said found", "1 SD found",
            "1 SD missed by its interval", "another accused", "1.5 SD found"]  # fmt: skip
    print(f"\nKinds of photo, % of {draws} draws\n")
    print(markdown.table(head, rows, "lrrrrrrr"))


def main(arguments: list[str] | None = None) -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--families", type=int, default=300, help="draws of families")
    parser.add_argument("--kinds", type=int, default=600, help="draws of kinds of photo")
    options = parser.parse_args(arguments)
    print_rates(options.draws)
    print_families(options.families)
    print_equivalence(min(options.draws, 1000))
    print_kinds(options.kinds)


if __name__ == "__main__":
    main()
