"""Worker processes on the nodes of a Ray cluster.

Ray places actors and carries what is said, no more: it restarts nothing and tries nothing again.
Each actor holds one worker (`bench.run.executors.ray_host`) and is asked one thing at a time, so
that none waits for another. Where it fails, it is ended and its job lost.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import methods
from bench.errors import BenchError, describe
from bench.folder.store import RunFolder
from bench.planning.pictures import mask_file, photo_file
from bench.run.executors import ray_cluster, ray_host
from bench.run.identities import hears_all
from bench.run.messages import ENDS, Event, Job, Setup
from bench.run.request import Request

_POLL = 0.5  # seconds that an actor waits for news before it can be told something
_LOOK = 2.0  # seconds between looks for nodes that came or went
_PATIENCE = 60.0  # seconds in which nodes should answer at first, and an actor stop a job
_OF_ALL_CASES = ("run.json", "plan.parquet", "inputs.parquet")
_NEVER = float("inf")


@dataclass(eq=False)
class _Seat:
    """An actor as the driver sees it.

    Attributes:
        call: What it was asked and has not answered.
        then: Hears the answer.
        stage: ``new``; ``known``, its machine is; ``open`` for jobs.
        shares: Whether it writes into the run folder itself.
        overdue: When it must have stopped its job.
    """

    actor: Any
    node: str
    call: Any
    then: Callable[[_Seat, Any], None]
    stage: str = "new"
    shares: bool = False
    job: int | None = None
    method: str = ""
    overdue: float = _NEVER


class RayExecutor:
    """As many actors as asked for, on nodes that are as this machine is."""

    def __init__(self, request: Request) -> None:
        """Join the cluster, or start one of this machine, and see which nodes can be used.

        Raises:
            BenchError: If Ray is not installed, the cluster cannot be joined or no node can be
                used.
        """
        if ":" in request.device:
            raise BenchError(f"--device {request.device}: a worker on Ray has one GPU; say cuda")
        self.capacity = 0
        self._request = request
        self._setup: Setup | None = None
        self._seats: list[_Seat] = []
        self._events: deque[Event] = deque()
        self._names: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._given: dict[tuple[str, ...], Any] = {}
        self._looked = 0.0
        self._kinds: set[str] = set()
        self._ray = ray_cluster.joined(request)
        try:
            self._known = ray_host.facts()
            self._wait("known")
        except BaseException:
            self.close()
            raise

    @property
    def machines(self) -> tuple[str, ...]:
        """System, processor and accelerator of each kind of node."""
        return tuple(sorted(self._kinds))

    @property
    def seats(self) -> int:
        """How many workers there are now."""
        return len(self._seats)

    def begin(self, setup: Setup) -> None:
        """Make ready for jobs.

        Raises:
            BenchError: If no node can be used.
        """
        self._setup, self._store = setup, RunFolder(setup.folder)
        self._token = self._store.file(f".{uuid.uuid4().hex}.tmp")  # swept if this is killed
        self._token.touch()
        self._needs = ray_host.needs(setup)
        texts = [setup.methods[name] for name in setup.identities]
        self._hear_all = any(hears_all(methods.get(text)) for text in texts)
        for seat in self._at("known"):
            self._look(seat)
        self._wait("open")

    def submit(self, job: Job) -> None:
        """Give a job to a free actor, of its method if there is one."""
        free = [seat for seat in self._at("open") if seat.job is None]
        seat = min(free, key=lambda seat: seat.method != job.method)
        seat.job, seat.method = job.id, job.method
        names: set[str] = set()
        if not seat.shares:
            names |= {kept.output for kept in job.earlier.values()}
            for case in job.cases.values():
                names |= {photo_file(case.photo_sha), photo_file(case.truth_sha)}
                names.add(mask_file(case.mask_sha))
        paths = {name: self._store.file(name) for name in names}
        files = _read({name: path for name, path in paths.items() if path.is_file()})
        seat.call, seat.then = seat.actor.submit.remote(job, files), self._heard

    def next(self, timeout: float) -> Event | None:
        """Return the next event of any actor.

        Raises:
            BenchError: If no node is left.
            StoreError: If what came from a node cannot be written here.
        """
        if not self._events:
            self._go_on(timeout)
        return self._events.popleft() if self._events else None

    def stop(self, job: int) -> None:
        """End the worker of a job."""
        for seat in self._seats:
            if seat.job == job:
                seat.actor.stop.remote(job)
                seat.overdue = time.monotonic() + _PATIENCE

    def wind_down(self) -> None:
        """Ask all workers to end their jobs after the fill they are at."""
        for seat in self._seats:
            if seat.job is not None:
                seat.actor.wind_down.remote()

    def close(self) -> None:
        """End all actors and leave the cluster, which ends if it was started here."""
        with contextlib.suppress(Exception):
            closing = [seat.actor.close.remote() for seat in self._seats]
            self._ray.wait(closing, num_returns=len(closing), timeout=10)
        self._ray.shutdown()  # and Ray ends actors with whoever made them
        if self._setup is not None:
            self._token.unlink(missing_ok=True)

    # -- nodes and actors -------------------------------------------------------------------

    def _at(self, stage: str) -> list[_Seat]:
        return [seat for seat in self._seats if seat.stage == stage]

    def _wait(self, stage: str) -> None:
        """Wait until an actor has come to a stage, and a while for the others."""
        until, said = time.monotonic() + _PATIENCE, False
        while len(there := self._at(stage)) < len(self._seats) or not there:
            if time.monotonic() > until and there:
                return
            if time.monotonic() > until and not said:
                said = True
                print("waiting for free processors or GPUs of the Ray cluster", file=sys.stderr)
            self._go_on(_POLL)

    def _place(self) -> None:
        """Put an actor wherever there is room for one."""
        self._looked = time.monotonic()
        nodes = ray_cluster.nodes(self._ray, self._request)
        self._names |= {node.id: node.name for node in nodes}
        room = Counter({node.id: node.room for node in nodes if node.id not in self._refused})
        room.subtract(seat.node for seat in self._seats)
        while room and (not self._request.workers or len(self._seats) < self._request.workers):
            ((node, free),) = room.most_common(1)
            if free < 1:
                return
            room[node] -= 1
            actor = ray_cluster.actor(self._ray, self._request, node)
            arriving = actor.arrive.remote(self._known)
            self._seats.append(_Seat(actor, node, arriving, self._arrived))

    def _bury(self, seat: _Seat, why: str, *, refused: bool = False) -> None:
        """End an actor; the job that it was at is lost. No other is made on a refused node."""
        name = self._names[seat.node]
        if seat.node not in self._refused:
            print(f"node {name}{' is not used' * refused}: {why}", file=sys.stderr)
        if refused:
            self._refused[seat.node] = why
        self._seats.remove(seat)
        with contextlib.suppress(Exception):
            self._ray.kill(seat.actor)
        self.capacity = len(self._at("open"))
        if seat.job is not None:
            self._events.append(Event(seat.job, "lost", reason=f"node {name}: {why}"))
        self._looked = 0.0  # another may take its place at once

    # -- what actors answer -----------------------------------------------------------------

    def _go_on(self, timeout: float) -> None:
        """Hear those that have answered; wait for the first at most so long."""
        now = time.monotonic()
        if now - self._looked > _LOOK:
            self._place()
        for seat in [seat for seat in self._seats if now > seat.overdue]:
            self._bury(seat, "the actor did not answer")
        waiting = {seat.call: seat for seat in self._seats if seat.call is not None}
        if waiting and self._ray.wait(list(waiting), timeout=timeout)[0]:
            for call in self._ray.wait(list(waiting), num_returns=len(waiting), timeout=0)[0]:
                self._answered(waiting[call])
        if not self._seats and not self._events:
            self._place()  # an actor may have died alone, and its node be well
        if not self._seats and not self._events:
            refused = (f"; {self._names[node]}: {why}" for node, why in self._refused.items())
            why = "".join(refused) or ray_cluster.wanted(self._request)
            raise BenchError(
                f"no node of the Ray cluster can be used{why}; "
                "what was done so far is kept: give the same command again once there is one"
            )

    def _answered(self, seat: _Seat) -> None:
        call, seat.call = seat.call, None
        try:
            answer = self._ray.get(call)
        except self._ray.exceptions.RayTaskError as error:
            self._bury(seat, describe(error.cause), refused=True)
        except self._ray.exceptions.RayError as error:  # who dies as it begins may do so for ever
            said = str(error).partition("\n")[0].rstrip(".")
            why = f"a worker died or cannot be reached: {said}"
            self._bury(seat, why, refused=seat.stage != "open")
        else:
            seat.then(seat, answer)

    def _arrived(self, seat: _Seat, kind: str) -> None:
        """See that a node that came later is of a kind that the run began with."""
        if self._setup is None:
            self._kinds.add(kind)
        elif kind not in self._kinds:
            expected = " or ".join(self.machines)
            why = f"found {kind}, expected what the run began with: {expected}"
            self._bury(seat, why, refused=True)
            return
        seat.stage = "known"
        if self._setup is not None:
            self._look(seat)

    def _look(self, seat: _Seat) -> None:
        seat.call, seat.then = seat.actor.look.remote(self._token, self._needs), self._seen

    def _seen(self, seat: _Seat, answer: tuple[bool, bool]) -> None:
        """Give what methods and metrics are made of, where it is not there."""
        seat.shares, same = answer
        files = {} if same else {ray_host.below(path): Path(path) for path in self._needs}
        if self._hear_all and not seat.shares:
            files |= {name: self._store.file(name) for name in _OF_ALL_CASES}
        if (key := tuple(files)) not in self._given:  # once for all actors of a node
            self._given[key] = self._ray.put(_read(files))
        opening = seat.actor.open.remote(self._setup, os.getcwd(), self._given[key])
        seat.call, seat.then = opening, self._opened

    def _opened(self, seat: _Seat, _: None) -> None:
        seat.stage = "open"
        self.capacity = len(self._at("open"))

    def _heard(self, seat: _Seat, answer: tuple[list[Event], dict[str, bytes]]) -> None:
        """Put what came back in place before anybody hears of it, rows last."""
        events, files = answer
        for name, content in files.items():
            if rows := name.startswith("fragments/"):
                self._store.flush()
            self._store.write_bytes(name, content, flush=rows)
        self._events.extend(events)
        if any(event.kind in ENDS for event in events):
            seat.job, seat.overdue = None, _NEVER
        else:
            seat.call, seat.then = seat.actor.next.remote(_POLL), self._heard


def _read(files: Mapping[str, Path]) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files.items()}
