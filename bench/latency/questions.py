"""What methods are asked besides how long a fill takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.latency.answers import Loaded, Refused
from bench.latency.bout import Bout
from bench.latency.inputs import Config
from bench.latency.processes import NoAnswer, Process
from bench.latency.table import Side
from bench.text import numbers

_BATCHES = tuple(2**power for power in range(7))
_GAIN = 1.05  # of pictures a second, below which a larger batch is not tried
_THROUGHPUT_SECONDS = 0.5
SLOW: dict[int, float | Refused] = {1: Refused("not measured", "its calls take seconds")}


def load_all(
    processes: dict[str, Process],
    sides: dict[str, Side],
    bouts: Sequence[Bout],
    together: bool,
    quiet: bool,
    tell: Callable[[str], None],
) -> None:
    """Load the methods; one that fails is refused in every bout."""
    asked = "load", bouts[0].config, [key for bout in bouts for key in bout.config.cases]
    if together:
        for process in processes.values():
            process.tell(*asked)
    for name, process in processes.items():
        try:
            if not together:
                process.tell(*asked)
            loaded: Loaded = process.answer()
            if loaded.said and not quiet:
                tell(f"{name}: {loaded.said}")
            sides[name].loaded = replace(loaded, seconds=math.nan) if together else loaded
        except NoAnswer as error:
            tell(str(error))
            for bout in bouts:
                bout.refused[name] = error.refused


def look(process: Process, side: Side, bout: Bout, audited: int) -> None:
    """Learn what a bout needs to know of a method besides its times."""
    here = bout.config.side, bout.config.tier
    try:
        if process.ask("helped"):
            bout.helped.add(process.subject.name)
        side.memory[here] = process.ask("memory")
        if process.subject.name in bout.slow:
            return
        side.audits[here] = process.ask("audit", audited)
        if bout.config.side not in side.operations:
            counted = process.ask("operations")
            if counted is not None:
                side.operations[bout.config.side] = counted
    except NoAnswer as error:
        bout.refused[process.subject.name] = error.refused
        bout.calls.pop(process.subject.name, None)


def speeds(
    process: Process, config: Config, tell: Callable[[str], None]
) -> dict[int, float | Refused]:
    """Pictures a second at growing batches, until memory or the gain runs out, or it takes none."""
    found: dict[int, float | Refused] = {}
    before = 0.0
    try:
        process.ask("use", config)
        for batch in _BATCHES:
            speed = process.ask("throughput", batch, _THROUGHPUT_SECONDS)
            found[batch] = speed
            if speed < _GAIN * before:
                break
            before = speed
    except NoAnswer as error:
        batch = 2 * max(found, default=0) or 1
        found[batch] = error.refused
        tell(f"{numbers.counted(batch, 'picture')} at once: {error}")
    return found
