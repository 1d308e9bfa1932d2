"""How far a run is, from its first moment on: live on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bench.run.time_left import Forecast
from bench.text.plain import duration, visible

_SECONDS_BETWEEN_LINES = 20.0
_WIDE = 80  # columns of a terminal from which on there is room for bars and paces


class Progress:
    """Tells on standard error how far a run is; closed by the end of its context, or twice.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Say at once that there is a run."""
        self._clock = clock
        self._since = self._printed = clock()
        self._stage = "starting"
        self._forecast = Forecast(1)
        self._totals: Mapping[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._troubled: dict[str, Counter[str]] = {}
        self._stream = sys.stderr  # None where Python was started without a console
        self._console = Console(file=self._stream, force_jupyter=False)
        self._live = Live(
            get_renderable=self._screen,
            console=self._console,
            transient=True,
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )
        self._lines = False
        if self._stream is None:
            return
        # rich takes a file for a terminal where colours are forced.
        able = self._console.is_terminal and not self._console.is_dumb_terminal
        if able and self._stream.isatty():
            self._live.start(refresh=True)
        else:
            self._lines = True
            print("inpaint-bench: starting", file=self._stream, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stage = ""
        self._live.stop()

    def stage(self, text: str) -> None:
        """Say what is done now."""
        self._stage = text
        if self._live.is_started:
            self._live.refresh()

    def reading(self, done: int, total: int) -> None:
        """So many photos are read, and their holes made."""
        now = self._clock()
        text = f"reading photos: {done:,} of {total:,}"
        if not done:
            self._since = now
            self.stage(text)
            return
        left = (now - self._since) / done * (total - done)
        self._stage = f"{text}; {duration(left)} left"
        self._say(self._stage)

    def filling(self, totals: Mapping[str, int], forecast: Forecast) -> None:
        """From now on fills are made, so many by each method."""
        self._troubled = {method: Counter() for method in totals}
        self._forecast = forecast  # first, since another thread shows it
        self._totals = totals
        self._live.transient = False
        self.stage("")

    def settled(self, method: str, statuses: Sequence[str]) -> None:
        """Count fills by their status."""
        self._counts.update(statuses)
        self._troubled[method].update(status for status in statuses if status != "ok")
        done, total = self._counts.total(), sum(self._totals.values())
        counted = ", ".join([f"{done:,} of {total:,} fills", *_counted(self._counts)])
        self._say(f"{counted}; {self._forecast.left()}", at_once=done == total)

    def _say(self, text: str, *, at_once: bool = False) -> None:
        """Print a line where nothing is live, if the last one was a while ago."""
        now = self._clock()
        if self._lines and (at_once or now - self._printed > _SECONDS_BETWEEN_LINES):
            self._printed = now
            print(text, file=self._stream, flush=True)

    def _screen(self) -> Group:
        """What a terminal shows: the total, a line a method as far as there is room, the stage."""
        width, height = self._console.size
        left = {method: self._forecast.left_of(method) for method in self._totals}
        # Those at work first, then those that wait.
        first = sorted(left, key=lambda name: (not left[name], self._forecast.of(name) is None))
        shown = set(first[: max(height - 4, 1)])
        lines = Table.grid(padding=(0, 2, 0, 0))
        if left:
            total = sum(self._totals.values())
            time_left = str(self._forecast.left())
            lines.add_row(*_cells(width, "all", total - sum(left.values()), total, "", time_left))
        for name in filter(shown.__contains__, left):
            done, total = self._totals[name] - left[name], self._totals[name]
            pace = _pace(self._forecast.pace(name))
            lines.add_row(*_cells(width, name, done, total, pace, self._state(name)))
        hidden = len(left) - len(shown)
        notes = [f"and {hidden} more methods" if hidden else "", self._stage]
        texts = [Text(note, no_wrap=True, overflow="ellipsis") for note in notes if note]
        return Group(*([lines] if left else []), *texts)

    def _state(self, method: str) -> str:
        """Where a method stands, with what went wrong."""
        seconds = self._forecast.of(method)
        words = _counted(self._troubled[method])
        if seconds is not None:
            words.insert(0, f"{duration(seconds)} left")
        elif self._forecast.left_of(method):
            words.insert(0, "begun" if self._forecast.is_begun(method) else "waits")
        return ", ".join(words)


def _cells(
    width: int, name: str, done: int, total: int, pace: str, state: str
) -> list[RenderableType]:
    """A line of the screen; bar and pace only where there is room."""
    short = Text(visible(name)[: max(width // 3, 8)], no_wrap=True)
    count = Text(f"{done:,} of {total:,}", no_wrap=True, justify="right")
    if width < _WIDE:
        return [short, count, Text(state)]
    timed = Text(pace, no_wrap=True, justify="right")
    return [short, ProgressBar(total, done, width=20), count, timed, Text(state)]


def _counted(counts: Mapping[str, int]) -> list[str]:
    return [f"{count:,} {status}" for status, count in sorted(counts.items()) if status != "ok"]


def _pace(seconds: float | None) -> str:
    if not seconds:
        return ""
    return f"{seconds:.1f} s each" if seconds >= 0.5 else f"{1 / seconds:.0f} a second"
