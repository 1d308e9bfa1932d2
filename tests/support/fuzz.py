"""Give readers damaged files until a time is over: ``python -m tests.support.fuzz SECONDS SEED``.

Of each reader only the project's own errors may come; no code of a file may run, no input may take
more than some seconds or some memory. What was found is printed as JSON. It is a process of its
own, because what watches it cannot be taken back, and a reader may bring it down: the input it was
at then lies in the folder.
"""

import argparse
import contextlib
import faulthandler
import io
import json
import random
import re
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from bench.errors import BenchError
from bench.machine import memory
from tests.support.fuzzed_readers import NAME, Reader, readers
from tests.support.mutations import mutated

SECONDS = 10.0  # of CPU time, for one input
LONGEST = 300  # seconds, even if this machine has other things to do
BYTES = 1 << 30  # of memory, besides what was there before
ADDRESSES = 8 << 30  # so that a bomb ends this process and not the machine
CODE = {
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
    "subprocess.Popen",
    "socket.connect",
    "pty.spawn",
    "webbrowser.open",
    "shutil.rmtree",
    "code.__new__",
}
_watched = False


class Slow(BaseException):
    """An input took too long."""


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse what no reader does."""
    if _watched and event in CODE:
        raise RuntimeError(f"CODE: {event} {arguments!r:.200}")


def overdue(*_: object) -> None:
    raise Slow


def attempt(reader: Reader, path: Path) -> str:
    """Let it read; gives how that ended, and a fault in words that are the same for equal ones."""
    global _watched
    memory.reset_peak()
    before = memory.resident_bytes()
    told = io.StringIO()
    faulthandler.dump_traceback_later(LONGEST, exit=True)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    _watched = True
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            reader.read(path)
        found = "read"
    except BenchError:
        found = "refused"
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)
        ours = [f"{Path(f.filename).name}:{f.lineno}" for f in place if _is_ours(f.filename)]
        said = re.sub(r"\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b", "#", str(error))[:90]
        found = f"FAULT {type(error).__name__} {said!r} at {ours[-1:] or place[-1:]}"
    finally:
        _watched = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
    if "code of a file was run" in told.getvalue():
        return "FAULT code of a file was run"
    if (taken := memory.peak_bytes() - before) > BYTES:
        return f"FAULT memory {taken / 2**30:.0f} GiB"
    return found


def _is_ours(file: str) -> bool:
    home = Path(__file__).parents[2]
    return Path(file).is_relative_to(home) and "site-packages" not in file and "tests" not in file


def fuzz(reader: Reader, folder: Path, seconds: float, least: int, dice: random.Random) -> dict:
    """Try inputs for so long, and at least so many; gives counts and the first of each fault."""
    counts: Counter[str] = Counter()
    faults: dict[str, str] = {}
    end = time.monotonic() + seconds
    names = list(reader.whole)
    number = whole = 0
    while number < least or time.monotonic() < end:
        name = names[number % len(names)]
        data = reader.whole[name] if number < len(names) else mutated(reader.whole[name], dice)
        place = folder / "input"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        path = place / f"{NAME}{name}"
        path.write_bytes(data)
        found = attempt(reader, path)
        counts[found] += 1
        whole += number < len(names) and found == "read"
        if found.startswith("FAULT") and found not in faults:
            kept = folder / f"fault-{len(list(folder.glob('fault-*')))}{name}"
            kept.write_bytes(data)
            faults[found] = str(kept)
        number += 1
    return {"inputs": number, "whole": whole, "counts": dict(counts), "faults": faults}


def main() -> None:
    options = argparse.ArgumentParser(allow_abbrev=False)
    options.add_argument("seconds", type=float, help="for each reader")
    options.add_argument("seed", type=int)
    options.add_argument("folder", type=Path, help="for the inputs")
    options.add_argument("--least", type=int, default=1, help="inputs of each reader")
    options.add_argument("--only", help="readers, comma-separated")
    asked = options.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    signal.signal(signal.SIGPROF, overdue)
    every = readers(asked.folder)
    sys.addaudithook(watch)
    for name in asked.only.split(",") if asked.only else every:
        dice = random.Random(f"{asked.seed} {name}")
        found = fuzz(every[name], asked.folder, asked.seconds, asked.least, dice)
        print(json.dumps({"reader": name, **found}), flush=True)


if __name__ == "__main__":
    main()
