"""Worker processes on the nodes of a Ray cluster.

Ray places actors and carries what is said, no more: it restarts nothing and tries nothing again.
Each actor holds one worker (`bench.run.executors.ray_host`). What it does is written here as a
course: a generator of calls to it, gone on with as each is answered, so that no actor waits for
another. Where a course fails, its actor is ended and its job lost.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import textwrap
import time
import uuid
from collections import Counter, deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import methods
from bench.errors import BenchError, Unhashable, describe
from bench.folder.store import RunFolder
from bench.machine import provenance
from bench.planning.pictures import mask_file, photo_file
from bench.run.executors import ray_host
from bench.run.messages import ENDS, Event, Job, Setup
from bench.run.request import Request
from methods import user_code
from methods.sources import files_behind

_STORE = 100 * 2**20  # bytes of shared memory; only pieces of files pass through it
_POLL = 0.5  # seconds that an actor waits for news before it can be told something
_LOOK = 2.0  # seconds between looks for nodes that came or went
_REACH = 10.0  # seconds for the first connection
_PATIENCE = 60.0  # seconds in which nodes should answer at first, and an actor stop a job
_DEATHS = 3  # of actors that were not at work yet, after which their node is not used
_ALL_NEED = ("run.json", "plan.parquet", "inputs.parquet")
_NEVER = float("inf")

Course = Generator[Any, Any, None]


@dataclass(eq=False)
class _Seat:
    """An actor as the driver sees it.

    Attributes:
        stage: ``new``; ``known``, its machine is; ``open`` for jobs.
        call: What it was asked and has not answered.
        folder: Where it keeps files; empty if it shares the run folder.
        overdue: When it must have stopped its job.
    """

    actor: Any
    node: str
    stage: str = "new"
    course: Course | None = None
    call: Any = None
    folder: str = ""
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
        self._request, self._cuda = request, request.device == "cuda"
        self._setup: Setup | None = None
        self._seats: list[_Seat] = []
        self._events: deque[Event] = deque()
        self._names: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._deaths: Counter[str] = Counter()
        self._looked = 0.0
        self._kinds: set[str] = set()
        self._ray = _joined(request)
        try:
            self._known = ray_host.facts(), provenance.collect()["packages"]
            self._wait("new", "known")
        except BaseException:
            self.close()
            raise

    @property
    def machines(self) -> tuple[str, ...]:
        """System, processor and accelerator of each kind of node."""
        return tuple(sorted(self._kinds))

    def begin(self, setup: Setup) -> None:
        """Make ready for jobs.

        Raises:
            BenchError: If no node can be used.
        """
        self._setup, self._store = setup, RunFolder(setup.folder)
        self._token = f".{uuid.uuid4().hex}.tmp"  # swept if this process is killed
        self._store.file(self._token).touch()
        self._needs = {str(path): ray_host.digest(path) for path in sorted(_needs(setup))}
        for seat in self._at("known"):
            self._start(seat, self._opening(seat))
        self._wait("known", "open")

    def submit(self, job: Job) -> None:
        """Give a job to a free actor, of its method if there is one."""
        free = [seat for seat in self._at("open") if seat.job is None]
        seat = min(free, key=lambda seat: seat.method != job.method)
        seat.job, seat.method = job.id, job.method
        self._start(seat, self._serving(seat, job))

    def next(self, timeout: float) -> Event | None:
        """Return the next event of any actor.

        Raises:
            BenchError: If no node is left.
            StoreError: If what came from a node cannot be written here.
        """
        if not self._events:
            self._go_on(timeout)
            if not self._events and not self._seats:
                raise BenchError(
                    f"no node of the Ray cluster is left{self._why()}; what was done so far is "
                    "kept: give the same command again once there is one"
                )
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
            self._store.file(self._token).unlink(missing_ok=True)

    # -- nodes and actors -------------------------------------------------------------------

    def _at(self, stage: str) -> list[_Seat]:
        return [seat for seat in self._seats if seat.stage == stage]

    def _why(self) -> str:
        return "".join(f"; {self._names[node]}: {why}" for node, why in self._refused.items())

    def _wait(self, before: str, after: str) -> None:
        """Wait until an actor has come to a stage, and a while for the others."""
        since, said = time.monotonic(), False
        while not self._at(after) or (self._at(before) and time.monotonic() - since < _PATIENCE):
            self._go_on(_POLL)
            if not self._seats:
                what = "a GPU and " * self._cuda + f"{self._request.threads} processors"
                why = self._why() or f"; none has {what} for a worker"
                raise BenchError(f"no node of the Ray cluster can be used{why}")
            if not said and time.monotonic() - since > _PATIENCE:
                said = True
                print("waiting for free processors or GPUs of the Ray cluster", file=sys.stderr)

    def _place(self) -> None:
        """Put an actor wherever there is room for one."""
        self._looked = time.monotonic()
        room: Counter[str] = Counter()
        for node in self._ray.nodes():
            name, has = node["NodeID"], node["Resources"]
            self._names[name] = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
            if node["Alive"] and name not in self._refused:
                room[name] = int(has.get("CPU", 0)) // self._request.threads
                if self._cuda:
                    room[name] = min(room[name], int(has.get("GPU", 0)))
        room.subtract(seat.node for seat in self._seats)
        while room and (not self._request.workers or len(self._seats) < self._request.workers):
            node, free = room.most_common(1)[0]
            if free < 1:
                return
            room[node] -= 1
            self._seats.append(self._seated(node))

    def _seated(self, node: str) -> _Seat:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        actor = self._ray.remote(ray_host.Host).options(
            num_cpus=self._request.threads,
            num_gpus=int(self._cuda),
            max_restarts=0,
            max_task_retries=0,
            max_concurrency=1,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )
        seat = _Seat(actor.remote(), node)
        self._start(seat, self._arriving(seat))
        return seat

    def _refuse(self, node: str, why: str) -> None:
        """Use a node no more."""
        self._refused[node] = why
        print(f"node {self._names[node]} is not used: {why}", file=sys.stderr)
        for seat in [seat for seat in self._seats if seat.node == node]:
            self._bury(seat, why)

    def _bury(self, seat: _Seat, why: str) -> None:
        """End an actor; the job that it was at is lost."""
        self._seats.remove(seat)
        with contextlib.suppress(Exception):
            self._ray.kill(seat.actor)
        self.capacity = len(self._at("open"))
        if seat.job is not None:
            reason = f"node {self._names[seat.node]}: {why}"
            self._events.append(Event(seat.job, "lost", reason=reason))
        self._looked = 0.0  # another may take its place at once

    # -- courses ----------------------------------------------------------------------------

    def _start(self, seat: _Seat, course: Course) -> None:
        seat.course, seat.call = course, next(course)

    def _go_on(self, timeout: float) -> None:
        """Let those go on whose calls are answered; wait for the first at most so long."""
        now = time.monotonic()
        if now - self._looked > _LOOK:
            self._place()
        for seat in [seat for seat in self._seats if now > seat.overdue]:
            self._bury(seat, "the actor did not answer")
        waiting = {seat.call: seat for seat in self._seats if seat.call is not None}
        if waiting and self._ray.wait(list(waiting), timeout=timeout)[0]:
            for call in self._ray.wait(list(waiting), num_returns=len(waiting), timeout=0)[0]:
                if waiting[call] in self._seats:
                    self._answered(waiting[call])
        if not self._seats:  # it may have died alone, and its node be well
            self._place()

    def _answered(self, seat: _Seat) -> None:
        call, seat.call = seat.call, None
        assert seat.course is not None
        try:
            answer = self._ray.get(call)
        except self._ray.exceptions.RayTaskError as error:
            self._refuse(seat.node, describe(error.cause))
        except self._ray.exceptions.RayError as error:
            self._died(seat, error)
        else:
            with contextlib.suppress(StopIteration):
                seat.call = seat.course.send(answer)

    def _died(self, seat: _Seat, error: Exception) -> None:
        alive = any(n["Alive"] for n in self._ray.nodes() if n["NodeID"] == seat.node)
        why = "its actor died" if alive else "it died"
        self._deaths[seat.node] += seat.stage != "open"
        said = textwrap.shorten(f"{why}: {error}", 300)
        if self._deaths[seat.node] < _DEATHS:
            print(f"node {self._names[seat.node]}: {said}", file=sys.stderr)
            self._bury(seat, why)
        else:
            self._refuse(seat.node, said)

    def _arriving(self, seat: _Seat) -> Course:
        """See that a node is as this machine is."""
        request = self._request
        kind = yield seat.actor.arrive.remote(*self._known, request.device, request.threads)
        if self._setup is not None and kind not in self._kinds:
            self._refuse(seat.node, f"found {kind}, expected what the run began with: "
                         f"{' or '.join(self.machines)}")  # fmt: skip
            return
        self._kinds.add(kind)
        seat.stage = "known"
        if self._setup is not None:
            yield from self._opening(seat)

    def _opening(self, seat: _Seat) -> Course:
        """Give what methods and metrics are made of, and see that they are what they are here."""
        begun = seat.actor.begin.remote(self._setup, self._token, os.getcwd(), self._needs)
        seat.folder, *needed = yield begun
        files = {name: Path(name.removeprefix("given")) for name in needed}
        if seat.folder:
            files |= {name: self._store.file(name) for name in _ALL_NEED}
        yield from self._giving(seat, files)
        yield seat.actor.open.remote()
        seat.stage = "open"
        self.capacity = len(self._at("open"))

    def _giving(self, seat: _Seat, files: dict[str, Path], *, lent: bool = False) -> Course:
        """Give an actor the files that no other of its node has, piece by piece."""
        beside = [each.folder for each in self._seats if each.node == seat.node and each.folder]
        missing = (yield seat.actor.lacks.remote(list(files), beside)) if files else []
        for name in missing:
            for piece, last in _pieces(files[name]):
                yield seat.actor.give.remote(name, piece, last, lent)

    def _serving(self, seat: _Seat, job: Job) -> Course:
        """Do a job; what comes back is in place before anybody hears of it."""
        if seat.folder:
            cases = job.cases.values()
            inputs = {photo_file(sha) for each in cases for sha in (each.photo_sha, each.truth_sha)}
            inputs |= {mask_file(each.mask_sha) for each in cases}
            yield from self._giving(seat, {n: self._store.file(n) for n in sorted(inputs)})
            kept = {each.output: self._store.file(each.output) for each in job.earlier.values()}
            there = {name: path for name, path in kept.items() if path.is_file()}
            yield from self._giving(seat, there, lent=True)
        yield seat.actor.submit.remote(job)
        while seat.job is not None:
            events, files = yield seat.actor.next.remote(_POLL)
            for name, content in files.items():
                if rows := name.startswith("fragments/"):  # what they speak of came before
                    self._store.flush()
                self._store.write_bytes(name, content, flush=rows)
            if any(event.kind in ENDS for event in events):
                seat.job, seat.overdue = None, _NEVER
            self._events.extend(events)


def _joined(request: Request) -> Any:
    """Ray, connected.

    Raises:
        BenchError: If it is not installed, or the cluster cannot be joined.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    where: dict[str, Any] = {"address": request.address}
    host, _, port = request.address.rpartition(":")
    if not request.address:
        # Whoever reaches its ports must know this; Ray would write one into the user's home.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        # Else it would end workers for the memory that others of this machine take.
        os.environ.setdefault("RAY_memory_monitor_refresh_ms", "0")
        where = {"address": "local", "num_cpus": request.workers * request.threads,
                 "object_store_memory": _STORE, "include_dashboard": False}  # fmt: skip
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        import ray

        if port.isdigit():  # else Ray would wait long, and end this process
            socket.create_connection((host.strip("[]"), int(port)), _REACH).close()
        ray.init(**where, log_to_driver=False, configure_logging=False, logging_level=logging.ERROR)
    except ImportError as error:
        raise BenchError(
            f"--executor ray: expected Ray, found {error}; pip install inpaint-bench[ray]"
        ) from error
    except Exception as error:
        place = f"the cluster at {request.address}" if request.address else "Ray on this machine"
        raise BenchError(
            f"--executor ray: {place} cannot be used: {' '.join(str(error).split())}"
        ) from error
    finally:
        with contextlib.suppress(ValueError):  # in another thread than the main one
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return ray


def _needs(setup: Setup) -> set[Path]:
    """The files that methods and metrics of the user's are made of, and weights of metrics."""
    named = list(setup.weights.values())
    written: list[Any] = []
    for name in setup.identities:
        spec = methods.parse(setup.methods[name])
        if spec.kind == "class":
            method = methods.get(spec)
            written += type(method).__mro__[:-1]
            files = method.files
            named += map(Path, [files] if isinstance(files, str | os.PathLike) else files)
        elif os.path.isabs(spec.target):  # weights, or outputs
            named.append(Path(spec.target))
    for text in setup.metrics:
        if "=" in text:
            written.append(user_code.module_of(text.partition("=")[2]))
    with contextlib.suppress(Unhashable):  # it may be there; whether it is, is checked
        named += files_behind(*written)
    files_of = ([path] if path.is_file() else path.rglob("*") for path in named)
    return {each.absolute() for files in files_of for each in files if each.is_file()}


def _pieces(path: Path) -> Iterator[tuple[bytes, bool]]:
    """A file in pieces, each with whether it is the last."""
    with path.open("rb") as file:
        last = False
        while not last:
            piece = file.read(ray_host.PIECE)
            last = len(piece) < ray_host.PIECE
            yield piece, last
