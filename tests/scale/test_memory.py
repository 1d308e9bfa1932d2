"""What is held of a case, and what is sent to a worker, does not grow with the plan."""

import gc
import pickle
import tracemalloc
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from bench.folder.store import Item
from bench.planning.case import Cases, PlannedCase
from bench.run.fills import Fills
from bench.run.limits import Limits
from bench.run.messages import Event
from bench.run.scheduler import Scheduler
from tests.support import run_builder

METHODS = [f"method {number}" for number in range(10)]
SMALL, LARGE = 2000, 20_000


def plan_of(cases: int) -> pd.DataFrame:
    names = [f"photos/{number:06d}.png" for number in range(cases)]
    return run_builder.plan(names)


class Holds:
    """Takes jobs and does nothing; the run ends there."""

    capacity = 2

    def __init__(self):
        self.jobs = []

    def submit(self, job):
        self.jobs.append(job)

    def next(self, timeout):
        raise KeyboardInterrupt

    def stop(self, job):
        raise AssertionError("nothing takes long")

    def wind_down(self):
        raise AssertionError("nobody asked")

    def close(self):
        pass


def begun(cases: Cases):
    """A run of ten methods that is at its first jobs: who holds what there is of it."""
    executor = Holds()
    scheduler = Scheduler(executor, Limits(), lambda method, settled: None)
    with pytest.raises(KeyboardInterrupt):
        scheduler.run({name: Fills.of(len(cases), 1) for name in METHODS}, cases)
    return scheduler, executor


def bytes_held(cases: int) -> int:
    planned = Cases(plan_of(cases))
    gc.collect()
    tracemalloc.start()
    held = begun(planned)
    gc.collect()
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held
    return now + sum(column.nbytes for column in planned._columns)


def test_a_case_takes_few_bytes_of_the_driver_however_many_there_are():
    small, large = bytes_held(SMALL), bytes_held(LARGE)
    a_case = (large - small) / (LARGE - SMALL)
    assert a_case < 600  # of which ten methods take half
    assert large < 1.1 * small * LARGE / SMALL


def test_what_is_sent_to_a_worker_does_not_grow_with_the_plan():
    sizes = []
    for cases in (SMALL, LARGE):
        _, executor = begun(Cases(plan_of(cases)))
        job = executor.jobs[0]
        sizes.append(len(pickle.dumps(job)) / len(job.items))
        assert isinstance(job.items, tuple)
        assert len(job.cases) == len(job.items)
    assert sizes[1] < 1.05 * sizes[0]


def test_cases_are_those_of_the_plan():
    plan = plan_of(300).assign(prompt="ein Stück Käse", hole_width=np.nan, hole_share=0.25)
    cases = Cases(plan)
    assert len(cases) == 300
    assert cases.keys == plan["case_key"].tolist()
    for case, row in zip(cases, plan.itertuples(), strict=True):
        said = {name: getattr(row, name) for name in PlannedCase._fields if name != "shown"}
        found = case._asdict()
        assert 40 <= sum(each.shown for each in cases[:300]) <= 100
        assert {type(value) for value in found.values()} <= {str, int, float, bool}
        assert np.isnan(found.pop("hole_width"))
        assert np.isnan(said.pop("hole_width"))
        assert {name: found[name] for name in said} == said
        break
    assert [case.photo for case in cases] == plan["photo"].tolist()


def test_fills_are_a_sequence_of_items():
    fills = Fills.of(5, 3)
    every = [Item(case, sample) for case in range(5) for sample in range(3)]
    assert list(fills) == every
    assert list(fills[2:9:3]) == every[2:9:3]
    assert fills[-1] == every[-1]
    assert not Fills.of(0, 3)
    rows = pd.DataFrame({"case": [4, 0, 7], "sample": [1, 2, 0]})
    assert list(fills.where(fills.among(rows))) == [Item(0, 2), Item(4, 1)]
    some = np.array([True, False, False, False, True])
    assert Counter(item.case for item in fills.of_cases(some)) == {0: 3, 4: 3}
    assert list(fills[:1] + fills[3:4]) == [every[0], every[3]]
    assert not len(fills.where(~fills.among(pd.DataFrame(every, columns=["case", "sample"]))))


def test_a_scheduler_that_ends_has_settled_what_it_was_given():
    class Keeps(Holds):
        def next(self, timeout):
            job = self.jobs.pop()
            self.jobs.insert(0, job)
            done.append(job.id)
            return Event(job.id, "finished") if done.count(job.id) > 1 else Event(
                job.id, "kept", kept=tuple((item, "ok") for item in job.items)
            )  # fmt: skip

        def submit(self, job):
            self.jobs.append(job)

    done: list[int] = []
    settled = Counter()
    scheduler = Scheduler(
        Keeps(), Limits(), lambda method, ended: settled.update(e.item for e in ended)
    )
    scheduler.run({"a": Fills.of(100, 2)}, Cases(plan_of(100)))
    assert settled == Counter(Fills.of(100, 2))
