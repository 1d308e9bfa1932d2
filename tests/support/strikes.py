"""Commands struck by a signal at a moment that is known by what they write and say."""

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import filelock
import numpy as np
import psutil

from tests.support import commands, phases

MARK = "CAMPAIGN_MARK"
LONGEST = 300  # seconds; a command of the campaign takes some ten
STOPPED = 1.0  # seconds
_GLANCE = 0.005  # seconds between two looks


@dataclass(frozen=True)
class Struck:
    """A command that is struck.

    Attributes:
        words: What is run.
        folder: What it writes.
        phase: Its phase, by its folder and what it said.
        phases: All of them, in their order.
        environment: Beside that of the test.
        statuses: With which it may end besides, by a key of `HOW`.
    """

    words: Sequence[str]
    folder: Path
    phase: Callable[[Path, str], str]
    phases: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, set[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Moment:
    """When and what to strike.

    Attributes:
        phase: In which phase.
        time: The how manieth time the command comes to it.
        share: How far into it, of its usual length.
        how: A key of `HOW`.
    """

    phase: str
    time: int
    share: float
    how: str

    def __str__(self) -> str:
        return f"{self.phase}-{self.how}".replace(" ", "_")


class Process:
    """A command at work, in a session of its own."""

    def __init__(self, struck: Struck, told: Path | None = None) -> None:
        """Start it; its plug-ins tell what they are at where it says what it says, or in `told`."""
        self.mark = uuid.uuid4().hex
        self._struck = struck
        self._loaded = False
        struck.folder.parent.mkdir(parents=True, exist_ok=True)
        self._log = struck.folder.with_name(f"{struck.folder.name}-{self.mark}.log")
        marked = {
            **os.environ,
            **struck.environment,
            MARK: self.mark,
            phases.TOLD: str(told or self._log),
        }
        with self._log.open("a") as log:  # it and its plug-ins append, each line as a whole
            self.popen = subprocess.Popen(
                struck.words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=marked,
                start_new_session=True, preexec_fn=commands.hear_interrupts,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._log.read_text("utf-8", "replace")

    @property
    def phase(self) -> str:
        """Its phase; ``python`` while that starts, ``ended`` once the command has ended."""
        if self.popen.poll() is None and self._hears():
            self._loaded = True
            return self._struck.phase(self._struck.folder, self.said)
        return "ended" if self._loaded or self.popen.poll() is not None else "python"

    def _hears(self) -> bool:
        """Whether the command takes SIGTERM itself, as it does from its beginning to its end."""
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self.popen.pid}/status").read_text()
            caught = int(status.partition("SigCgt:")[2].split(maxsplit=1)[0], 16)
            return bool(caught >> (signal.SIGTERM - 1) & 1)
        return False

    def phases(self, deadline: float) -> Iterator[str]:
        """Each phase as it begins, until the end; some begin again and again."""
        before = ""
        while (now := self.phase) != "ended":
            assert time.monotonic() < deadline, f"in phase {now} for ever: {self.said}"
            if now != before:
                yield now
            before = now
            time.sleep(_GLANCE)

    def below(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.popen.pid).children(recursive=True)
        return []

    def end(self) -> int:
        """Wait for its end and that of all it started; gives its exit status."""
        status = self.popen.wait(LONGEST)
        deadline = time.monotonic() + 30
        while left := marked(self.mark):
            assert time.monotonic() < deadline, f"left: {left}"
            time.sleep(0.05)
        return status


def marked(mark: str) -> list[psutil.Process]:
    """The processes that a command started, whoever their parent is now."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _parent(process: Process, number: int = signal.SIGKILL) -> bool:
    process.popen.send_signal(number)
    return True


def _group(process: Process, number: int = signal.SIGKILL) -> bool:
    os.killpg(process.popen.pid, number)
    return True


def _child(process: Process, wanted: Callable[[psutil.Process], bool]) -> bool:
    for each in process.below():
        with contextlib.suppress(psutil.NoSuchProcess):
            if wanted(each):
                each.kill()
                return True
    return False


def _serves(each: psutil.Process) -> bool:
    return "forkserver" in " ".join(each.cmdline())


def _works(each: psutil.Process) -> bool:
    """Whether it is at the end of a line of forks: fork server, keeper, worker."""
    parent = each.parent()
    above = parent.parent() if parent else None
    return above is not None and _serves(above) and not each.children()


def _stop(process: Process) -> bool:
    process.popen.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED)
    process.popen.send_signal(signal.SIGCONT)
    return True


HOW: dict[str, Callable[[Process], bool]] = {
    "parent killed": _parent,
    "group killed": _group,
    "parent terminated": lambda process: _parent(process, signal.SIGTERM),
    "group interrupted": lambda process: _group(process, signal.SIGINT),
    "parent stopped": _stop,
    "worker killed": lambda process: _child(process, _works),
    "fork server killed": lambda process: _child(process, _serves),
}
"""What is done, by name; each says whether there was what it strikes."""
OF_CHILDREN = ("worker killed", "fork server killed")
STATUSES = {
    "parent killed": {-signal.SIGKILL}, "group killed": {-signal.SIGKILL},
    "parent terminated": {128 + signal.SIGTERM}, "group interrupted": {128 + signal.SIGINT},
    "parent stopped": {0}, "worker killed": {0}, "fork server killed": {0},
}  # fmt: skip


def moments(phases: Sequence[str], count: int, repeated: Mapping[str, int]) -> list[Moment]:
    """As many moments: each phase in its turn and of each its ways, all else at random.

    Args:
        phases: To be struck.
        count: How many moments.
        repeated: How often the command comes to a phase, for those where children are at work.
    """
    rng = np.random.default_rng(0)
    whole = [how for how in HOW if how not in OF_CHILDREN]
    ways = {
        phase: [*(OF_CHILDREN if phase in repeated else ()), *rng.permutation(whole)]
        for phase in phases
    }
    found = []
    for number in range(count):
        phase = phases[number % len(phases)]
        how = str(ways[phase][number // len(phases) % len(ways[phase])])
        times = int(rng.integers(2, repeated[phase] + 1)) if repeated.get(phase, 1) > 1 else 1
        share = 0.0 if times > 1 else float(rng.uniform(0, 0.9))  # else the phase would be over
        found.append(Moment(phase, times, share, how))
    return found


def lengths(struck: Struck) -> dict[str, float]:
    """Run to the end unstruck; gives the longest stay in each phase, in seconds."""
    process = Process(struck)
    found: dict[str, float] = {}
    last, since = "", time.monotonic()
    for phase in process.phases(time.monotonic() + LONGEST):
        now = time.monotonic()
        found[last], last, since = max(found.get(last, 0), now - since), phase, now
    found[last] = max(found.get(last, 0), time.monotonic() - since)
    assert process.end() == 0, process.said
    missed = set(struck.phases) - set(found)
    assert not missed, f"phases {missed} were not seen"
    return {phase: found[phase] for phase in struck.phases}


def strike(struck: Struck, moment: Moment, usual: Mapping[str, float]) -> str:
    """Run and strike; gives the phase that was hit, after its end is found to be as it should."""
    process = Process(struck)
    deadline = time.monotonic() + LONGEST
    times = 0
    for phase in process.phases(deadline):
        times += phase == moment.phase
        if times == moment.time:
            break
    time.sleep(moment.share * usual[moment.phase])
    hit = process.phase
    while hit != "ended" and not HOW[moment.how](process):  # as before a worker is there
        assert time.monotonic() < deadline
        time.sleep(_GLANCE)
        hit = process.phase
    status = process.end()
    wanted = STATUSES[moment.how] | struck.statuses.get(moment.how, set())
    if hit in ("ended", struck.phases[-1]):  # it may come when all is done
        wanted |= {0, -signal.SIGINT, -signal.SIGTERM}
    assert status in wanted, f"{moment}, hit in {hit}: status {status}: {process.said}"
    assert "Traceback" not in process.said, f"{moment}, hit in {hit}: {process.said}"
    return hit


def again(struck: Struck) -> str:
    """Give the same command again, which must end well and leave nothing; gives what it said."""
    process = Process(struck)
    assert process.end() == 0, process.said
    assert "Traceback" not in process.said, process.said
    assert temporary(struck.folder) == []
    lock = struck.folder / ".lock"
    if lock.exists():
        with filelock.FileLock(lock, timeout=0):
            pass
    return process.said


def temporary(folder: Path) -> list[Path]:
    """Files and folders that are there only while something is written."""
    forms = ("**/.*.tmp", "**/.report.staging", "**/*.part")
    return [path for form in forms for path in folder.glob(form)]
