"""Timing forms of one computation side by side, and keeping their ratio.

Each benchmark here times ours and what it is measured against in the same rounds, one after the
other, so that what else the machine does meets both. What it keeps in ``extra_info`` is a number
without a unit under one of two names, which `compare` reads: ``ratio``, how many times faster ours
is (higher is better), or ``share``, of a whole (lower is better).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Turns:
    """What each form took in each round, by name of the form, in seconds."""

    spent: Mapping[str, list[float]]

    def seconds(self, form: str) -> float:
        """Median over the rounds."""
        return median(self.spent[form])

    def ratio(self, form: str, other: str) -> float:
        """How many times faster a form is than another: the median over the rounds."""
        pairs = zip(self.spent[other], self.spent[form], strict=True)
        return median(slow / quick for slow, quick in pairs)


def take_turns(
    benchmark,
    forms: Mapping[str, Callable[[], object]],
    *,
    rounds: int = 9,
    clock: Callable[[], float] = time.perf_counter,
) -> Turns:
    """Run each form once a round; a first round is not counted.

    Without measuring (``--benchmark-disable``) there is one round, to see that all works.

    Args:
        benchmark: The fixture of pytest-benchmark.
        forms: What to run, by name.
        rounds: How often.
        clock: ``time.process_time`` where the processor's time is meant.
    """
    spent: dict[str, list[float]] = {name: [] for name in forms}

    def one_round() -> None:
        for name, form in forms.items():
            start = clock()
            form()
            spent[name].append(clock() - start)

    if benchmark.enabled:
        one_round()
        for seconds in spent.values():
            seconds.clear()
    benchmark.pedantic(one_round, rounds=rounds if benchmark.enabled else 1)
    return Turns(spent)


def keep(benchmark, turns: Turns, ours: str, other: str, what: str = "", **more: float) -> None:
    """Keep and print how many times faster ours is, with further figures; only if measured."""
    if not benchmark.enabled:
        return
    ratio = turns.ratio(ours, other)
    benchmark.extra_info.update(ratio=ratio, against=other, **more)
    times = ", ".join(f"{name} {1e3 * turns.seconds(name):.3g} ms" for name in turns.spent)
    further = "".join(f", {name.replace('_', ' ')} {value:.3g}" for name, value in more.items())
    print(f"\n{what or benchmark.name}: {times}: {ratio:.2f} times as fast as {other}{further}")
