"""The scheduler against an executor that follows a script instead of doing work."""

from collections import Counter, deque

import pytest

from bench.errors import StoreError
from bench.folder.store import Item
from bench.run.limits import Limits
from bench.run.messages import Event, Job
from bench.run.scheduler import Scheduler

PLAN = [{"case_key": f"case {number}"} for number in range(200)]


class Scripted:
    """Keeps every item, but for those that a script says kill their worker or fail."""

    def __init__(self, deadly=(), failing=(), refusing=(), capacity=2):
        self.capacity = capacity
        self.deadly, self.failing, self.refusing = set(deadly), set(failing), set(refusing)
        self.events: deque[Event] = deque()
        self.jobs: list[Job] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        if job.method in self.refusing:
            event = Event(job.id, "refused", status="unavailable", reason="no weights")
            self.events.append(event)
            return
        self.events.append(Event(job.id, "loaded"))
        kept = []
        for item in job.items:
            self.events.append(Event(job.id, "started", item=item))
            if item in self.deadly:
                self.events.append(Event(job.id, "lost", reason="killed by SIGSEGV"))
                return
            kept.append((item, "failed" if item in self.failing else "ok"))
        self.events.append(Event(job.id, "kept", kept=tuple(kept)))
        self.events.append(Event(job.id, "finished"))

    def next(self, timeout: float) -> Event | None:
        return self.events.popleft() if self.events else None

    def stop(self, job: int) -> None:
        raise AssertionError("nothing here takes long")

    def wind_down(self) -> None:
        self.jobs.append("wind down")

    def close(self) -> None:
        pass


def settle_all(executor, work, limits=None):
    settled = []

    def settle(method, ended):
        settled.extend((method, *entry[:4]) for entry in ended)

    Scheduler(executor, limits or Limits(), settle).run(work, PLAN)
    counts = Counter((method, item) for method, item, *_ in settled)
    assert set(counts.values()) <= {1}, "an item was settled twice"
    assert counts.keys() == {(m, i) for m, items in work.items() for i in items}
    return settled


def items(count):
    return [Item(case, 0) for case in range(count)]


def test_every_item_is_settled_once():
    settled = settle_all(Scripted(), {"a": items(40), "b": items(3)})
    assert all(status == "ok" and written for *_, status, _, written in settled)


@pytest.mark.parametrize("deadly", [0, 7, 15, 39])
def test_a_deadly_item_is_found_tried_again_and_costs_only_itself(deadly):
    executor = Scripted(deadly=[Item(deadly, 0)])
    settled = settle_all(executor, {"a": items(40)}, Limits(retries=2))
    bad = [entry for entry in settled if entry[2] != "ok"]
    assert bad == [("a", Item(deadly, 0), "killed", "killed by SIGSEGV; tried 3 times", False)]
    tries = sum(job.items[0] == Item(deadly, 0) and len(job.items) == 1 for job in executor.jobs)
    assert tries >= 2


def test_several_deadly_items_are_each_found():
    deadly = [Item(3, 0), Item(4, 0), Item(20, 0)]
    settled = settle_all(Scripted(deadly=deadly), {"a": items(40)})
    assert sorted(item for _, item, status, *_ in settled if status == "killed") == deadly


def test_a_hopeless_method_is_suspended_and_others_go_on():
    executor = Scripted(failing=items(200))
    work = {"a": items(200), "b": [Item(case, 1) for case in range(30)]}
    settled = settle_all(executor, work, Limits(suspend_after=20))
    not_tried = [entry for entry in settled if "not tried" in entry[3]]
    assert {method for method, *_ in not_tried} == {"a"}
    assert len(not_tried) >= 100
    assert all(status == "ok" for method, _, status, *_ in settled if method == "b")


def test_a_method_that_cannot_load_settles_all_its_items():
    settled = settle_all(Scripted(refusing=["a"]), {"a": items(40), "b": items(2)})
    assert {(s, r) for m, _, s, r, _ in settled if m == "a"} == {("unavailable", "no weights")}
    assert {s for m, _, s, *_ in settled if m == "b"} == {"ok"}


def test_a_folder_that_cannot_be_written_stops_the_run():
    class Broken(Scripted):
        def submit(self, job):
            self.events.append(Event(job.id, "broken", reason="disk full"))

    with pytest.raises(StoreError, match="disk full"):
        settle_all(Broken(), {"a": items(3)})


class Worn(Scripted):
    """Each worker does so many items and then ends at each further one, in its way.

    What it did since it last finished a job is not written when it dies.
    """

    def __init__(self, endures, way, **more):
        super().__init__(**more)
        self.endures, self.way, self.workers = endures, way, {}

    def submit(self, job):
        self.jobs.append(job)
        if job.fresh:
            self.workers.pop(job.method, None)
        self.events.append(Event(job.id, "loaded"))
        kept = []
        for item in job.items:
            self.events.append(Event(job.id, "started", item=item))
            done = self.workers[job.method] = self.workers.get(job.method, 0) + 1
            if done > self.endures or item in self.deadly:
                del self.workers[job.method]
                if self.way == "spoilt":
                    if kept:
                        self.events.append(Event(job.id, "kept", kept=tuple(kept)))
                    facts = {"status": "oom", "reason": "out of memory", "item": item}
                    self.events.append(Event(job.id, "spoilt", **facts))
                else:
                    self.events.append(Event(job.id, self.way, reason="killed by SIGKILL"))
                return
            kept.append((item, "ok"))
        self.events.append(Event(job.id, "kept", kept=tuple(kept)))
        self.events.append(Event(job.id, "finished"))


@pytest.mark.parametrize("way", ["lost", "spoilt", "broken"])
@pytest.mark.parametrize("endures", [1, 5])
def test_what_only_a_worn_worker_cannot_do_is_done_by_fresh_ones(way, endures):
    executor = Worn(endures, way, capacity=1)
    settled = settle_all(executor, {"a": items(100)})
    assert {status for _, _, status, *_ in settled} == {"ok"}
    # It is the only item of the first job of its worker.
    assert any(job.fresh for job in executor.jobs)
    assert all(len(job.items) == 1 for job in executor.jobs if job.fresh)
    assert sum(len(job.items) for job in executor.jobs if not job.fresh) < 100 * 32


def test_an_item_too_big_for_memory_costs_only_itself():
    executor = Worn(1000, "spoilt", deadly=[Item(7, 0)])
    settled = settle_all(executor, {"a": items(40)})
    bad = [entry for entry in settled if entry[2] != "ok"]
    assert bad == [("a", Item(7, 0), "oom", "out of memory; tried 2 times", False)]


def test_a_method_for_which_memory_is_never_enough_is_suspended():
    executor = Worn(0, "spoilt", capacity=1)
    settled = settle_all(executor, {"a": items(100)}, Limits(suspend_after=20))
    assert Counter(status for _, _, status, *_ in settled) == {"oom": 20, "failed": 80}


def test_a_worker_that_cannot_load_does_not_end_a_method_that_another_loaded():
    class SecondRefuses(Scripted):
        def submit(self, job):
            self.refusing = {"a"} if len(self.jobs) == 1 else set()
            super().submit(job)

    settled = settle_all(SecondRefuses(), {"a": items(100)})
    assert {status for _, _, status, *_ in settled} == {"ok"}


def test_deaths_at_loading_count_anew_after_a_success():
    class DiesEachOtherLoad(Scripted):
        def submit(self, job):
            self.jobs.append(job)
            if len(self.jobs) % 2:
                self.events.append(Event(job.id, "lost", reason="killed by SIGKILL"))
            else:
                self.jobs.append(job)
                super().submit(job)

    settled = settle_all(DiesEachOtherLoad(capacity=1), {"a": items(100)}, Limits(retries=1))
    assert {status for _, _, status, *_ in settled} == {"ok"}


def test_a_worker_lost_between_two_cases_costs_none():
    class DiesAfterKeeping(Scripted):
        def submit(self, job):
            self.events.append(Event(job.id, "loaded"))
            self.events.append(Event(job.id, "started", item=job.items[0]))
            self.events.append(Event(job.id, "kept", kept=((job.items[0], "ok"),)))
            self.events.append(Event(job.id, "lost", reason="killed by SIGKILL"))

    settled = settle_all(DiesAfterKeeping(), {"a": items(20)})
    assert {status for _, _, status, *_ in settled} == {"ok"}


def test_earlier_rows_travel_with_their_items_only():
    executor = Scripted()
    earlier = {"a": {Item(0, 0): {"output": "x"}, Item(30, 0): {"output": "y"}}}
    Scheduler(executor, Limits(), lambda *_: None).run({"a": items(40)}, PLAN, earlier)
    travelled = {item: row for job in executor.jobs for item, row in job.earlier.items()}
    assert travelled == earlier["a"]
    assert all(set(job.earlier) <= set(job.items) for job in executor.jobs)


def test_the_plan_travels_with_the_cases_it_is_about_only():
    executor = Scripted()
    settle_all(executor, {"a": items(40), "b": items(40)})
    for job in executor.jobs:
        assert job.cases == {item.case: PLAN[item.case] for item in job.items}


def test_each_worker_keeps_to_a_method_until_the_last_ones_are_shared():
    executor = Scripted(capacity=2)
    settle_all(executor, {"a": items(64), "b": items(64), "c": items(96)}, Limits(chunk=32))
    order = "".join(job.method for job in executor.jobs)
    assert order.rstrip("c") == "ab" * 5
    shared = [len(job.items) for job in executor.jobs if job.method == "c"]
    assert max(shared) <= 96 // 4
    assert max(shared[-2:]) <= 4


def test_one_worker_shares_with_nobody():
    executor = Scripted(capacity=1)
    settle_all(executor, {"a": items(64), "b": items(40)}, Limits(chunk=32))
    assert [len(job.items) for job in executor.jobs] == [4, 8, 16, 32, 4, 4, 8, 16, 12]


def test_jobs_are_not_cut_into_smaller_ones_than_pay():
    executor = Scripted(capacity=8)
    settle_all(executor, {"a": items(10)})
    assert [len(job.items) for job in executor.jobs] == [4, 4, 2]


def test_a_job_worked_on_together_that_is_lost_is_tried_case_by_case():
    class DiesTogether(Scripted):
        def submit(self, job):
            if len(job.items) == 1:
                super().submit(job)
                return
            self.jobs.append(job)
            self.events.append(Event(job.id, "loaded"))
            self.events.append(Event(job.id, "together"))
            self.events.append(Event(job.id, "lost", reason="killed by SIGKILL"))

    executor = DiesTogether(deadly=[Item(3, 0)], capacity=1)
    settled = settle_all(executor, {"a": items(10)})
    assert [item for _, item, status, *_ in settled if status != "ok"] == [Item(3, 0)]
    assert sum(len(job.items) > 1 for job in executor.jobs) == 2


def test_a_job_worked_on_together_may_take_as_long_as_its_cases():
    class Waits(Scripted):
        stopped_at = None

        def submit(self, job):
            self.events.append(Event(job.id, "loaded"))
            self.events.append(Event(job.id, "together"))

        def next(self, timeout):
            clock.append(clock[-1] + 1.0)
            return super().next(timeout)

        def stop(self, job):
            self.stopped_at = clock[-1]
            raise KeyboardInterrupt

    clock = [0.0]
    executor = Waits(capacity=1)
    scheduler = Scheduler(executor, Limits(timeout=5), lambda *_: None, clock=lambda: clock[-1])
    with pytest.raises(KeyboardInterrupt):
        scheduler.run({"a": items(4)}, PLAN)
    assert 5 * 4 < executor.stopped_at < 5 * 5


class Interrupted(Scripted):
    """Is interrupted once its workers began; what they did they keep when they are to wind down."""

    def __init__(self, hangs=False):
        super().__init__()
        self.hangs, self.at = hangs, []

    def submit(self, job):
        self.events += [Event(job.id, "loaded"), Event(job.id, "started", item=job.items[0])]
        self.at.append(job)

    def next(self, timeout):
        clock.append(clock[-1] + timeout)
        if not self.events and not self.jobs:
            raise KeyboardInterrupt
        return super().next(timeout)

    def wind_down(self):
        super().wind_down()
        for job in self.at[self.hangs :]:
            self.events.append(Event(job.id, "kept", kept=((job.items[0], "ok"),)))
            self.events.append(Event(job.id, "finished"))


clock = [0.0]


@pytest.mark.parametrize("hangs", [False, True])
def test_what_is_finished_is_kept_when_a_run_is_interrupted(hangs):
    kept = []
    executor = Interrupted(hangs)
    scheduler = Scheduler(
        executor, Limits(), lambda *ended: kept.append(ended), clock=lambda: clock[-1]
    )
    with pytest.raises(KeyboardInterrupt):
        scheduler.run({"a": items(40), "b": items(40)}, PLAN)
    since = clock[-1]
    scheduler.wind_down()
    assert [method for method, _ in kept] == ["a", "b"][hangs:]
    assert (clock[-1] - since > 4) == hangs  # a fill that hangs is waited for a little only
    assert clock[-1] - since < 6


def test_a_job_that_its_worker_left_early_is_gone_on_with():
    class LeavesHalf(Scripted):
        def submit(self, job):
            self.jobs.append(job)
            half = job.items[: (len(job.items) + 1) // 2]
            self.events.append(Event(job.id, "loaded"))
            for item in half:
                self.events.append(Event(job.id, "started", item=item))
            self.events.append(Event(job.id, "kept", kept=tuple((item, "ok") for item in half)))
            self.events.append(Event(job.id, "finished"))

    settle_all(LeavesHalf(), {"a": items(40), "b": items(3)})
