"""The fills of a method that are to be made: millions of them in little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import pandas as pd

from bench.folder.store import Item


class Fills(Sequence[Item]):
    """Fills by number, in order: ``case * samples + sample``; eight bytes each.

    Args:
        numbers: int64.
        samples: Fills of each case.
    """

    def __init__(self, numbers: np.ndarray, samples: int) -> None:
        """Take the numbers as they are."""
        self.numbers = numbers
        self.samples = samples

    @classmethod
    def of(cls, cases: int, samples: int) -> Fills:
        """All fills of so many cases."""
        return cls(np.arange(cases * samples), samples)

    def among(self, rows: pd.DataFrame) -> np.ndarray:
        """Which of them are among the fills of a table, by its columns; bool, a value a fill."""
        others = rows["case"] * self.samples + rows["sample"]
        return np.isin(self.numbers, others.to_numpy(np.int64))

    def where(self, which: np.ndarray) -> Fills:
        """Those of which a value each, bool, says so."""
        return Fills(self.numbers[which], self.samples)

    def of_cases(self, which: np.ndarray) -> Fills:
        """Those of cases of which a value each, bool, says so."""
        return self.where(which[self.numbers // self.samples])

    def __add__(self, others: Fills) -> Fills:
        return Fills(np.concatenate([self.numbers, others.numbers]), self.samples)

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Item]:
        return map(self._item, self.numbers.tolist())

    @overload
    def __getitem__(self, place: int) -> Item: ...

    @overload
    def __getitem__(self, place: slice) -> Fills: ...

    def __getitem__(self, place: int | slice) -> Item | Fills:
        if isinstance(place, slice):
            return Fills(self.numbers[place], self.samples)
        return self._item(int(self.numbers[place]))

    def _item(self, number: int) -> Item:
        return Item(*divmod(number, self.samples))
