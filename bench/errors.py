"""The one family of errors that users see.

A message says what was expected, what was found, where, and what to do next. Only the
command line turns an error into an exit status. This is the one module that every part of
the house may import.
"""

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path

_REASON_LIMIT = 2000
# As PyTorch, CUDA, cuBLAS, OpenCV and ONNX Runtime say it.
_NO_MEMORY = ("can't allocate memory", "out of memory", "alloc_failed", "insufficient memory",
              "failed to allocate memory")  # fmt: skip


class BenchError(Exception):
    """A mistake or an obstacle that the user can do something about."""


class InputError(BenchError):
    """A photo, mask or file that cannot be used."""


class ContractError(BenchError):
    """A method that broke the contract of ``methods.base``."""


class Declined(BenchError):
    """A method that refuses a case, with the reason."""


class WeightsMissing(BenchError):
    """A network whose weights are not here, with the command that fixes it."""


class StoreError(BenchError):
    """A run folder that cannot be read or written; no case's fault, so the run stops."""


class Unhashable(BenchError):
    """Something that a fill or a number may depend on cannot be hashed."""


def describe(error: BaseException) -> str:
    """Say what went wrong in a row: our own errors as they are, others with where they arose."""
    if isinstance(error, BenchError):
        text = str(error)
    else:
        frames = traceback.extract_tb(error.__traceback__)
        where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
        text = f"{type(error).__name__}: {error}{where}"
    return writable(text[:_REASON_LIMIT])


def faults() -> tuple[type[BaseException], ...]:
    """What code of a user's may raise and is then its fault: also what would end this process.

    Where Ctrl-C is heard, which is in no child of ours, it stays what it is.
    """
    from multiprocessing import parent_process

    ends = (Exception, SystemExit)
    return ends if parent_process() is None else (*ends, KeyboardInterrupt)


def writable(text: str) -> str:
    """Text for a table, which takes valid UTF-8 only; names of files may hold anything."""
    return text.encode("utf-8", "backslashreplace").decode()


def out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out; torch has a class of its own for it, others only words."""
    if error.__cause__ is not None and out_of_memory(error.__cause__):
        return True
    own = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    text = str(error).lower()
    return own or any(words in text for words in _NO_MEMORY)


def status_of(error: BaseException) -> str:
    """The status of a row that ended with this error."""
    if out_of_memory(error):
        return "oom"
    if isinstance(error, WeightsMissing):
        return "unavailable"
    return "declined" if isinstance(error, Declined) else "failed"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question after what was meant, such as `` Did you mean lama?``; empty without a guess."""
    known = list(known)
    exact = word.casefold() in (each.casefold() for each in known)
    found = nearest(word, known, 1 if exact else 3)
    return f" Did you mean {' or '.join(found)}?" if found else ""


def beside(path: Path) -> str:
    """As `did_you_mean`, of what lies beside a path that is not there."""
    return did_you_mean(path.name, [each.name for each in path.absolute().parent.glob("*")])


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known names that a mistyped or shortened one may have meant, whatever its case."""
    spelt = {each.casefold(): each for each in known}
    word = name.casefold()
    begun = [each for each in spelt if len(word) > 1 and each.startswith(word)]
    close = difflib.get_close_matches(word, spelt, n=most, cutoff=0.8)
    found = [*begun, *close] or difflib.get_close_matches(word, spelt, n=1)
    return [spelt[each] for each in dict.fromkeys(found)][:most]


def spelt_like(name: str, known: Iterable[str]) -> str:
    """The one known name that differs by case at most; what was given if there is none such."""
    alike = {each for each in known if each.casefold() == name.casefold()}
    return name if name in alike or len(alike) != 1 else alike.pop()
