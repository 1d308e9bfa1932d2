"""Progress with the time left: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 20.0


class Progress:
    """Counts settled fills."""

    def __init__(self, total: int) -> None:
        """Start at nothing of ``total``."""
        self._total = total
        self._counts: Counter[str] = Counter()
        self._start = self._printed = time.monotonic()
        # Started without a console, standard error does not exist.
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._bar = tqdm(total=total, unit="fill", disable=not terminal)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def settled(self, statuses: Sequence[str]) -> None:
        """Count fills by their status."""
        self._counts.update(statuses)
        self._bar.update(len(statuses))
        troubled = {k: v for k, v in self._counts.items() if k != "ok"}
        self._bar.set_postfix(troubled, refresh=False)
        done, now = self._counts.total(), time.monotonic()
        if self._bar.disable and (
            done == self._total or now - self._printed > _SECONDS_BETWEEN_LINES
        ):
            self._printed = now
            left = (now - self._start) / done * (self._total - done)
            text = "".join(f", {count} {name}" for name, count in sorted(troubled.items()))
            print(f"{done} of {self._total} fills{text}; {left:.0f} s left", file=sys.stderr)
