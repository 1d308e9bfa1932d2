"""The time that is left, against a simulation of workers whose clock is made up."""

import heapq
import itertools
import random

import pandas as pd
import pytest

from bench.folder.store import Item
from bench.run.limits import Limits
from bench.run.messages import Event, Job
from bench.run.scheduler import Scheduler
from bench.run.time_left import Forecast, Left, seconds_a_fill
from bench.text.plain import duration

PLAN = [{}] * 500


class Simulated:
    """Workers that take made-up seconds; `next` sets the clock to its event."""

    def __init__(self, paces, capacity):
        self.paces, self.capacity = paces, capacity
        self.now, self.events, self.order = 0.0, [], itertools.count()

    def submit(self, job: Job) -> None:
        at = self.now
        self._push(at, Event(job.id, "loaded"))
        for item in job.items:
            self._push(at, Event(job.id, "started", item=item))
            at += self.paces[job.method]
        self._push(at, Event(job.id, "kept", kept=tuple((item, "ok") for item in job.items)))
        self._push(at, Event(job.id, "finished"))

    def _push(self, at, event):
        heapq.heappush(self.events, (at, next(self.order), event))

    def next(self, timeout: float) -> Event | None:
        self.now, _, event = heapq.heappop(self.events)
        return event

    def stop(self, job: int) -> None:
        raise AssertionError("nothing here takes too long")

    def close(self) -> None:
        pass


def simulated(paces, counts, workers, known):
    """What was foretold at each event: time, seconds left, the unknown; and the end."""
    executor = Simulated(paces, workers)
    forecast = Forecast(workers, known)
    told = []

    def watched(timeout):
        told.append((executor.now, *forecast.left()))
        return Simulated.next(executor, timeout)

    executor.next = watched
    limits = Limits(timeout=1e9, load_timeout=1e9)
    scheduler = Scheduler(executor, limits, lambda *_: None, forecast, lambda: executor.now)
    scheduler.run({name: [Item(i, 0) for i in range(n)] for name, n in counts.items()}, PLAN)
    assert forecast.left() == Left(0.0, ())
    return told, executor.now


@pytest.mark.parametrize("seed", range(30))
def test_with_known_paces_the_time_left_never_grows_and_is_at_most_a_fill_too_long(seed):
    draw = random.Random(seed)
    names = [f"m{number}" for number in range(draw.randint(1, 6))]
    paces = {name: 10 ** draw.uniform(-2, 2) for name in names}
    counts = {name: draw.randint(1, 300) for name in names}
    ordered = dict(sorted(counts.items(), key=lambda entry: -paces[entry[0]]))  # slow ones first
    told, end = simulated(paces, ordered, draw.randint(1, 4), paces)
    slowest = max(paces.values())
    for (_, before, _), (now, left, unknown) in itertools.pairwise(told):
        assert not unknown
        assert left <= before + 1e-6
        assert 0.6 * (end - now) - 1e-6 <= left <= end - now + slowest + 1e-6


def test_what_nothing_is_known_of_is_said_to_be_left_out():
    told, _ = simulated({"slow": 5.0, "quick": 0.01}, {"slow": 10, "quick": 400}, 1, {})
    first = [left for left in told if left[2]]
    assert first[0][2] == ("slow", "quick")
    assert {entry[2] for entry in first[12:]} == {("quick",)}
    assert str(Left(0.0, ("quick",))) == "time left unknown"
    assert str(Left(2.0, ("quick",))) == "over 2 s left"


def test_a_slow_method_at_the_end_counts_by_its_own_pace():
    forecast = Forecast(2, waiting={"quick": 1000, "slow": 10})
    forecast.begins(0, "quick", 1000)
    for _ in range(1000):
        forecast.ended(0, 0.01)
    forecast.over(0)
    forecast.begins(1, "slow", 8)
    forecast.ended(1, 60.0)
    # Of the mix, 1,001 of 1,010 fills in 70 s, less than a second would be left.
    assert forecast.left() == Left(7 * 60.0, ())
    assert forecast.of("slow") == 9 * 60.0
    assert forecast.of("quick") is None


def test_what_a_lost_worker_had_done_is_to_be_done_again():
    forecast = Forecast(1, waiting={"a": 10})
    forecast.begins(0, "a", 10)
    for _ in range(4):
        forecast.ended(0, 2.0)
    assert forecast.left_of("a") == 6
    forecast.over(0, again=10)
    assert (forecast.left_of("a"), forecast.left().seconds) == (10, 20.0)
    forecast.dropped("a", 10)
    assert forecast.left() == Left(0.0, ())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.1, "1 s"), (90, "90 s"), (91, "2 min"), (5400, "90 min"), (5401, "2 h")],
)
def test_durations_are_rounded_up(seconds, words):
    assert duration(seconds) == words


def test_a_pace_is_of_completed_fills_with_their_measuring():
    cases = pd.DataFrame(
        {
            "method": ["a", "a", "a", "b"],
            "status": ["ok", "ok", "failed", "ok"],
            "seconds": [1.0, 2.0, 100.0, float("nan")],
            "measure_seconds": [0.5, 0.5, 0.0, 0.25],
        }
    )
    assert seconds_a_fill(cases) == {"a": 2.0, "b": 0.25}
    assert seconds_a_fill(pd.DataFrame({"method": []})) == {}
