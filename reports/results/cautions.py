"""What a reader of a result is warned of: what ranks instead, floors ahead, too few photos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from bench.folder.read import Run
from bench.statistics import HEADLINES, Headline
from bench.statistics.floors import said
from bench.statistics.significance import FEW
from bench.text.numbers import capital, counted, number
from reports.results.ranking import Ranking
from reports.results.sentences import few, tier_words, title

FETCH = "inpaint-bench weights fetch lpips-alex"


def stands_in(headline: Headline, label: str) -> str:
    """What it means that another built-in metric than LPIPS in the hole ranks; else empty."""
    if headline.metric not in HEADLINES[1:]:
        return ""
    if headline.metric == "lpips":
        return (
            f"{label} is of whole pictures, so known pixels, equal in all fills, dilute it; LPIPS "
            "in the hole, which agrees better with what people see, needs no further weights"
        )
    instead = f"; with its weights ({FETCH}) LPIPS in the hole ranks instead"
    return (
        f"No metric that learnt from people was measured: {label} compares with the photo and "
        "knows nothing of what is shown, so a plausible fill that differs from it loses, and a "
        "ruined face costs no more than ruined grass. Trust wide gaps, look at the pictures where "
        f"it is close{'' if FETCH in headline.reason else instead}"
    )


def floors(run: Run, rankings: list[Ranking]) -> list[str]:
    """Which ranked methods a floor outranks: a sentence for the tiers of which the same holds."""
    alike: dict[str, list[Ranking]] = {}
    for ranking in rankings:
        for found in ranking.outranked:
            words = said(found, partial(title, run), few)
            alike.setdefault(words, []).append(ranking)
    return [capital(f"on {tier_words(of)} {words}.") for words, of in alike.items()]


def scale(run: Run, ranking: Ranking, decimals: int) -> str:
    """What the floors score on the headline, such as ``Mean colour 0.18, Noise 0.11``."""
    known = {
        s.method: s.values[ranking.headline].mean
        for s in ranking.marks
        if run.methods.loc[s.method, "family"] == "floor" and ranking.headline in s.values
    }
    return ", ".join(
        f"{title(run, name)} {number(mean, decimals)}"
        for name, mean in known.items()
        if math.isfinite(mean)
    )


def powerless(ranking: Ranking) -> str:
    """Why no difference of a tier can be significant, as a sentence; empty if one can."""
    return f"{capital(ranking.powerless)}." if ranking.powerless else ""


def equivalence(ranking: Ranking) -> str:
    """Where equivalence is out of reach, as a sentence after another; empty if nowhere."""
    return f" {capital(ranking.equivalence)}." if ranking.equivalence else ""


def few_photos(rankings: Sequence[Ranking], photos: int) -> str:
    """What so few photos can show, as sentences; empty where that needs no warning.

    Args:
        rankings: Of the tiers.
        photos: Number of photos of the run.
    """
    tested = [ranking for ranking in rankings if ranking.photos_tested]
    alike: dict[str, list[Ranking]] = {}
    for ranking in tested:
        if ranking.powerless:
            alike.setdefault(ranking.powerless, []).append(ranking)
    if len(alike) == 1 and len(tested) == sum(map(len, alike.values())):
        return powerless(tested[0])
    found = [f"On {tier_words(of)}, {words}." for words, of in alike.items()]
    if tested and photos < FEW:
        found.append(
            f"Of {counted(photos, 'photo')}, nearly all must agree on a difference for it to be "
            "significant."
        )
    return " ".join(found)


def without(run: Run, metrics: Sequence[str]) -> str:
    """What it means that these were not measured, as a sentence; empty where nothing follows."""
    measured = set(run.metrics.loc[run.metrics["status"] == "ok", "metric"])
    if not any(name in HEADLINES[:2] for name in metrics) or measured & {*HEADLINES[:2]}:
        return ""
    ranks = run.metrics.loc[run.metrics["metric"] == run.headline.metric, "label"]
    instead = f"{ranks.iloc[0]} ranks instead" if len(ranks) else "nothing ranks instead"
    return f"No perceptual metric, one that learnt from what people see, was measured: {instead}."
