"""Copy what attention points at: the second half of contextual attention.

Values are windows of twice the rate, one rate apart, and so are the places where they are put, so
that four windows overlap everywhere. Cut into cells of one rate, a cell of the output is a sum of
cells of the values, weighted by four shares each. Adding these up first leaves a quarter of the
multiplications of pasting windows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


class Canvas:
    """Where strips of attention are pasted.

    Args:
        values: ``(B, C, h' rate, w' rate)``.
        height: Rows of queries.
        width: Columns of queries.
        rate: How many pixels a step between neighbouring windows is.
    """

    def __init__(self, values: torch.Tensor, height: int, width: int, rate: int) -> None:
        """Cut the values into cells."""
        before = rate // 2
        self._crop = (slice(before, before + height * rate), slice(before, before + width * rate))
        self._rate = rate
        self._channels = values.shape[1]
        cells = F.pad(values, (before, rate - before, before, rate - before))
        cells = cells.unflatten(3, (-1, rate)).unflatten(2, (-1, rate))  # (B, C, y, r, x, r)
        self._cells = cells.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
        self._sums = values.new_zeros(
            len(values), self._channels, height + 1, rate, width + 1, rate
        )

    def paste(self, shares: torch.Tensor, first: int) -> None:
        """Add a strip.

        Args:
            shares: ``(B, rows, w, h', w')``, of queries from row ``first`` on.
            first: The first row.
        """
        rows = F.pad(shares, (0, 0, 0, 1, 0, 0, 0, 1))
        rows[:, 1:, :, 1:] += shares
        both = F.pad(rows, (0, 1, 0, 0, 0, 1))
        both[:, :, 1:, :, 1:] += rows
        del rows
        height, width = both.shape[1:3]
        cells = both.flatten(3).flatten(1, 2) @ self._cells
        cells = cells.view(-1, height, width, self._channels, self._rate, self._rate)
        self._sums[:, :, first : first + height] += cells.permute(0, 3, 1, 4, 2, 5)

    def picture(self, overlaps: bool) -> torch.Tensor:
        """Divide by the number of windows that overlap: ``(B, C, h rate, w rate)``.

        Args:
            overlaps: Whether they are counted, which matters at the border; otherwise by 4.
        """
        rows, columns = self._crop
        sums = self._sums.flatten(4).flatten(2, 3)[:, :, rows, columns]
        if not overlaps:
            return sums / 4
        return sums / (self._counts(2)[rows, None] * self._counts(4)[None, columns])

    def _counts(self, axis: int) -> torch.Tensor:
        """How many windows lie over each row or column: 1 in the outermost cells, else 2."""
        counts = self._sums.new_full((self._sums.shape[axis],), 2)
        counts[0] = counts[-1] = 1
        return counts.repeat_interleave(self._rate)
