"""Delete-a-group jackknife: intervals for numbers of whole sets, such as FID and KID.

Resampling pictures with replacement inflates FID, so it is not bootstrapped. Photos are put into
20 groups in order of a hash of their id; the number is computed again without each group. Two
methods have the same groups, so the difference of their numbers has an interval of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

GROUPS = 20
JACKKNIFE = "jackknife"  # note of pairs compared so


@dataclass(frozen=True)
class Estimate:
    """A number of a set, and the same without each group.

    Attributes:
        value: On the whole set.
        without: ``(g,)``, without each of the groups that have a member.
        sizes: ``(g,)`` members of those groups.
        n: Number of members of the whole set.
    """

    value: float
    without: NDArray[np.float64]
    sizes: NDArray[np.int64]
    n: int

    def __sub__(self, other: Estimate) -> Estimate:
        """Difference of the numbers of two methods on the same cases."""
        return Estimate(self.value - other.value, self.without - other.without, self.sizes, self.n)

    @classmethod
    def stored(cls, row: Mapping[str, Any]) -> Estimate:
        """That of a row of the table ``sets``, which has what `text` wrote beside the number."""
        found = json.loads(row["jackknife"])
        sizes = np.array(found["sizes"], np.int64)
        without = np.array(found["without"], float)
        return cls(float(row["value"]), without, sizes, int(sizes.sum()))

    def text(self, cases: Iterable[str]) -> str:
        """What a run folder keeps beside the number, as JSON.

        Args:
            cases: Keys of the members: numbers of the same cases can be compared.
        """
        digest = hashlib.sha256("\n".join(sorted(cases)).encode()).hexdigest()[:16]
        kept = {"cases": digest, "sizes": self.sizes.tolist(), "without": self.without.tolist()}
        return json.dumps(kept)

    @property
    def error(self) -> float:
        """Standard error, for groups of unequal size.

        Busing, Meijer and van der Leeden, "Delete-m jackknife for unequal m", Statistics and
        Computing 1999.
        """
        times = self.n / self.sizes
        pseudo = times * self.value - (times - 1) * self.without
        centre = len(times) * self.value - np.sum((1 - self.sizes / self.n) * self.without)
        return float(np.sqrt(np.mean((pseudo - centre) ** 2 / (times - 1))))

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Student's interval with one degree of freedom less than there are groups."""
        reach = self.error * special.stdtrit(len(self.sizes) - 1, 0.5 + confidence / 2)
        return self.value - float(reach), self.value + float(reach)

    @property
    def p(self) -> float:
        """Two-sided p-value that the number is 0; 1 where it is, without spread."""
        if self.error == 0:
            return 1.0 if self.value == 0 else 0.0
        return float(2 * special.stdtr(len(self.sizes) - 1, -abs(self.value) / self.error))


def group_of(labels: Iterable[str]) -> NDArray[np.int64]:
    """Group of each photo, 0 to 19, in order of the hash of its id: the same on every machine.

    Groups are as even as can be, and none is empty from 20 photos on.
    """
    names = list(labels)
    order = sorted({*names}, key=lambda name: hashlib.sha256(name.encode()).digest())
    place = {name: rank % GROUPS for rank, name in enumerate(order)}
    return np.array([place[name] for name in names], dtype=np.int64)


def rows_of(sets: pd.DataFrame, tier: str, metric: str) -> dict[str, Any]:
    """The rows of the table ``sets`` of one tier and metric, by method."""
    rows = sets[(sets["tier"] == tier) & (sets["metric"] == metric)]
    return {str(row["method"]): row for row in rows.to_dict("records")}


def same_cases(rows: Mapping[str, Any], deciding: Iterable[str]) -> list[str]:
    """Names of stored numbers that are of the same cases as most of the deciding ones.

    Args:
        rows: Of the table ``sets``, by name; ``jackknife`` is empty where nothing was kept.
        deciding: Some of the names.
    """
    texts = {name: row["jackknife"] for name, row in rows.items()}
    cases = {name: json.loads(text)["cases"] for name, text in texts.items() if text}
    counts = Counter(cases[name] for name in deciding if name in cases)
    return [name for name in cases if cases[name] == counts.most_common(1)[0][0]] if counts else []
