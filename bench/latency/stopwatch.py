"""The clock in a process of its own, beside the one method or anchor that it is held to.

The runner asks and waits; between its questions the process does nothing, so that one method at a
time has the machine.
"""

from __future__ import annotations

import contextlib
import gc
import math
import time
from collections.abc import Sequence
from functools import partial
from multiprocessing.connection import Connection
from statistics import median

import numpy as np
import psutil
import torch

import methods
from bench.errors import describe, faults, status_of
from bench.latency import anchors, ceilings
from bench.latency.answers import NOT_TIMED, Call, Loaded, Refused, Subject
from bench.latency.inputs import Config
from bench.machine import flops, memory
from bench.machine.flops import Operations
from methods import execution, harness
from methods.base import CaseKey, Inpainter, find_device, to_float
from methods.harness import Spent
from methods.identity import in_words
from methods.pretrained import Pretrained

_NOTHING = Spent(math.nan, math.nan, math.nan)
_HELP = 0.05  # of the own CPU time, from which on that of other processes counts
_A_JOB = "each call is a job of one picture, the start of its program included"
_FINDS = "loading includes the runs that find out what the file takes"


class Stopwatch:
    """Times calls; what a call is, a subclass says."""

    def __init__(self, subject: Subject) -> None:
        """Keep the subject; nothing is loaded yet."""
        self.subject = subject
        self.device = find_device(subject.device)

    def call(self, index: int) -> Call:
        """Do the work once, on the input of that number."""
        raise NotImplementedError

    def warm_up(self, calls: int, seconds: float, limit: float) -> float:
        """Call until times settle: so many calls and seconds, then until two differ by < 10 %.

        Returns:
            Seconds of the last call.
        """
        start = time.perf_counter()
        taken: list[float] = []
        while True:
            taken.append(self._wall(len(taken)))
            spent = time.perf_counter() - start
            settled = len(taken) > 1 and abs(taken[-1] / taken[-2] - 1) < 0.1
            if spent > limit or (len(taken) >= calls and spent >= seconds and settled):
                return taken[-1]

    def sample(self, first: int, calls: int) -> list[Call]:
        """Time some calls in a row, from the input of that number on."""
        gc.collect()
        gc.disable()
        try:
            return [self.call(first + number) for number in range(calls)]
        finally:
            gc.enable()

    def _wall(self, index: int) -> float:
        call = self.call(index)
        return call.infer.wall if math.isnan(call.e2e.wall) else call.e2e.wall


class AnchorStopwatch(Stopwatch):
    """Times an anchor, which has a network only."""

    def load(self) -> Loaded:
        """Make the anchor and call it once."""
        start = time.perf_counter()
        work, words = anchors.make(self.subject.name, self.device)
        self._work = torch.inference_mode()(work)
        self.call(0)
        return Loaded(time.perf_counter() - start, {"words": words})

    def call(self, index: int) -> Call:
        """Do the work once."""
        return Call(_NOTHING, harness.timed(self.device, self._work)[1], math.nan)

    def ceilings(self) -> dict[str, float]:
        """What the device can do at best (see `bench.latency.ceilings`)."""
        return ceilings.measure(self.device)


class MethodStopwatch(Stopwatch):
    """Times a method, through the harness that also makes the fills of a run."""

    method: Inpainter
    _helped = False

    def load(self, config: Config, cases: Sequence[CaseKey] = ()) -> Loaded | Refused:
        """Make and load the method and let it fill once.

        Args:
            config: The photos and holes to begin with.
            cases: All that will be filled, for methods that look at them before.
        """
        start = time.perf_counter()
        self.method = methods.get(self.subject.text, device=self.subject.device)
        if not self.method.timed:
            return Refused(NOT_TIMED, "its fills are made elsewhere: their time says nothing")
        if type(self.method).expect is not Inpainter.expect:
            self.method.expect(cases)
        made = isinstance(self.method, Pretrained) and self.subject.by_rule
        if isinstance(self.method, Pretrained) and made:
            self.method.load_by_rule()
        else:
            self.method.load()
        self.use(config)
        self._resident = memory.resident_bytes()
        self.call(0)
        seconds = time.perf_counter() - start
        gc.freeze()  # what lives as long as the method is not looked at by each collection
        card = self.method.card
        return Loaded(
            seconds,
            {
                "title": card.called,
                "family": card.family,
                "identity": in_words(self.method),
                "weights": "made by rule: speed only" if made else self.method.weights_note,
                "note": _A_JOB if self.method.in_jobs else _FINDS if self.method.found else "",
                **self._sizes(),
            },
            self.method.said,
        )

    def use(self, config: Config) -> None:
        """Fill these photos and holes from now on."""
        self._photos, self._holes = config.read()
        # A fill is told no more of its case than in a run.
        self._cases = [key._replace(mask="", size=(0, 0), size_rule="") for key in config.cases]

    def call(self, index: int) -> Call:
        """Fill once."""
        photo, hole = self._pair(index)
        case = self._case(index)
        filled, e2e = harness.timed(
            self.device, lambda: harness.fill(self.method, photo, hole, index, case)
        )
        return Call(e2e, filled.steps["infer"], float(hole.mean()))

    def warm_up(self, calls: int, seconds: float, limit: float) -> float:
        """As any stopwatch, and see whether other processes of the method work meanwhile."""
        own, others = time.process_time(), _cpu_of_helpers()
        last = super().warm_up(calls, seconds, limit)
        own, others = time.process_time() - own, _cpu_of_helpers() - others
        self._helped = others > _HELP * own
        return last

    def helped(self) -> bool:
        """Whether processes that it keeps running work too: its CPU time leaves them out."""
        return self._helped

    def audit(self, inputs: int) -> float:
        """How much of its time the same input takes when it comes again, median of a few.

        Much less than 1 is a method that keeps results, or a clock that is held to caches.
        """
        ratios = []
        for index in range(inputs):
            self.call(index + inputs)
            first = self._wall(index)
            ratios.append(self._wall(index) / first)
        return median(ratios)

    def memory(self) -> dict[str, float]:
        """Peak bytes of a fill of the largest hole, besides what the loaded method takes.

        NaN where other processes do the work.
        """
        largest = int(np.argmax(self._holes.mean((1, 2))))
        if self.device.type != "cuda":
            memory.trim()  # of what earlier fills left with this process
            measured = memory.reset_peak()
            self.call(largest)
            peak = memory.peak_bytes() - self._resident
            known = measured and not (self.method.in_jobs or self._helped)
            return {"peak_bytes": max(peak, 0.0) if known else math.nan}
        torch.cuda.synchronize(self.device)
        torch.cuda.empty_cache()  # of what other questions left
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        self.call(largest)
        peak = float(torch.cuda.max_memory_allocated(self.device) - before)
        reserved = float(torch.cuda.max_memory_reserved(self.device) - before)
        # What recorded kernels work in is set aside once and never counted as allocated.
        recorded = isinstance(self.method, Pretrained) and "graph" in self.method.ways
        return {"peak_bytes": reserved if recorded else peak, "reserved_bytes": reserved}

    def operations(self) -> Operations | None:
        """Operations of `infer` on the first input; None for what is no network."""
        if not isinstance(self.method, Pretrained):
            return None
        self.method.begin(self._case(0))
        ready, generator = self._ready(1)
        plain = execution.one_by_one(self.method.network)
        with harness.running(self.method), plain:
            return flops.measure(lambda: self.method.infer(*ready, generator))[1]

    def throughput(self, batch: int, seconds: float) -> float:
        """Pictures a second through `infer`, so many at once, median over some seconds."""
        self.method.begin(self._case(0))
        ready, _ = self._ready(batch)
        taken: list[float] = []
        with harness.running(self.method):
            while len(taken) < 3 or (sum(taken) < seconds and len(taken) < 100):
                stream = torch.Generator().manual_seed(len(taken))
                infer = partial(self.method.infer, *ready, stream)
                taken.append(harness.timed(self.device, infer)[1].wall)
        return batch / median(taken[1:])

    def _case(self, index: int) -> CaseKey:
        return self._cases[index % len(self._cases)]

    def _pair(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        number = index % len(self._photos)
        return np.array(self._photos[number]), np.array(self._holes[number])

    def _ready(self, batch: int) -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Generator]:
        pairs = [self._pair(index) for index in range(batch)]
        images = to_float(np.stack([photo for photo, _ in pairs]))
        masks = torch.from_numpy(np.stack([hole for _, hole in pairs])[:, None]).float()
        with harness.running(self.method):
            ready = self.method.prepare(images * (1 - masks), masks)
        return ready, torch.Generator().manual_seed(0)

    def _sizes(self) -> dict[str, float]:
        """Parameters of the network as published, and bytes of what is held to run it."""
        if not isinstance(self.method, Pretrained):
            return {"parameters": math.nan, "weight_bytes": math.nan}
        with torch.device("meta"):
            published = self.method.build(self.method.config)
        held = (*self.method.network.parameters(), *self.method.network.buffers())
        return {
            "parameters": float(sum(each.numel() for each in published.parameters())),
            "weight_bytes": float(sum(each.nbytes for each in held)),
        }


def _cpu_of_helpers() -> float:
    """CPU seconds of the processes below this one that are running."""
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it ended meanwhile
            total += sum(child.cpu_times()[:2])
    return total


def serve(subject: Subject, pipe: Connection) -> None:
    """Be the process: answer questions until the pipe closes."""
    _limit_data(subject.data_limit)
    torch.backends.cudnn.benchmark = True  # a config has one size
    kind = MethodStopwatch if subject.text else AnchorStopwatch
    try:
        stopwatch: Stopwatch | None = None
        while True:
            question, arguments = pipe.recv()
            try:
                stopwatch = stopwatch or kind(subject)
                pipe.send(getattr(stopwatch, question)(*arguments))
            except faults() as error:  # a method runs any code
                pipe.send(Refused(status_of(error), describe(error)))
    except (EOFError, OSError):
        return


def _limit_data(limit: int) -> None:
    """Let this process fail, rather than the system end one that it chooses."""
    if limit:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
