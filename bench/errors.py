"""The one family of errors that users see.

A message says what was expected, what was found, where, and what to do next. Only the
command line turns an error into an exit status. This is the one module that every part of
the house may import.
"""

import contextlib
import difflib
import errno
import itertools
import linecache
import os
import re
import traceback
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from types import CodeType

_LACKING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_REASON_LIMIT, _TRACEBACK_LIMIT = 2000, 10_000  # characters
_ROOT = Path(__file__).parents[1]
# Where code lies that is not the user's: this project, the standard library, installed packages.
_OURS = tuple(
    f"{_ROOT / room}{os.sep}" for room in ("bench", "inpaint_bench", "masks", "methods", "reports")
)
_LIBRARIES = re.compile(r"[\\/](?:site|dist)-packages[\\/]")
_STANDARD = os.path.dirname(os.__file__) + os.sep
_CELLS = ("<ipython-input", "<stdin>")  # files that are none, and yet the user's
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
    """Say what went wrong in a row: our own errors as they are, others with where they arose.

    Of other errors the deepest place in the user's code is named, then the deepest of all; and
    what they were raised from, or the first of a group.
    """
    said = _said(error)
    chain = _chain(error)
    if len(chain) > 1 and not isinstance(error, BenchError):
        said += f", from {_said(chain[-1])}"
    return writable(said)


def traced(error: BaseException) -> str:
    """The traceback as it is kept, the same for equal errors; empty where the reason says all.

    Addresses in memory are left out, marks under the lines, and the middle of a giant.
    """
    if isinstance(error, BenchError) and error.__cause__ is None:
        return ""
    text = "".join(traceback.TracebackException.from_exception(error).format())
    text = re.sub(r"\b0x[0-9a-fA-F]{4,}\b", "0x...", text)
    text = re.sub(r"^ *[~^]+ *$\n", "", text, flags=re.MULTILINE)  # which a fold would tear apart
    if (more := len(text) - _TRACEBACK_LIMIT) > 0:
        half = _TRACEBACK_LIMIT // 2
        text = f"{text[:half]}\n... {more:,} characters left out ...\n{text[-half:]}"
    return writable(text)


def _said(error: BaseException) -> str:
    """One error in words, with its place unless it is ours."""
    name, places, text = type(error).__name__, _places(error), _text(error)
    if isinstance(error, BenchError):
        return text[:_REASON_LIMIT] or f"{name}{places}"
    if not text.strip() and (end := _frames(error)[-1:]):  # as of an assertion
        text = linecache.getline(end[0][0].co_filename, end[0][1]).strip()
    if (more := len(text) - _REASON_LIMIT // 2) > 0:
        text = f"{text[:-more]} ... ({more:,} more characters)"
    return f"{name}: {text}{places}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as fault:  # the user's own __str__
        return f"(its text cannot be had: {type(fault).__name__})"


def _places(error: BaseException) -> str:
    """Where an error arose, such as `` (plug.py:7 in infer; raised at conv.py:560)``."""
    frames = _frames(error)
    if not frames:
        return ""
    own = [frame for frame in frames if _is_users(frame[0].co_filename)]
    code, line = (own or frames)[-1]
    where = f"{Path(code.co_filename).name}:{line}"
    if not own:
        return f" ({where})"
    last, last_line = frames[-1]
    raised = (
        f"; raised at {Path(last.co_filename).name}:{last_line}" if frames[-1] != own[-1] else ""
    )
    return f" ({where} in {code.co_name}{raised})"


def _frames(error: BaseException) -> list[tuple[CodeType, int]]:
    """Code and line of each frame; none where a mistake of syntax says its own place."""
    if isinstance(error, SyntaxError) and error.filename:
        return []
    return [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]


def _is_users(file: str) -> bool:
    if file.startswith("<"):
        return file.startswith(_CELLS)
    return not (file.startswith((_STANDARD, *_OURS)) or _LIBRARIES.search(file))


def _chain(error: BaseException | None) -> list[BaseException]:
    """An error, what it was raised from or while handling, or its first if it is a group."""
    found: list[BaseException] = []
    while error is not None and all(each is not error for each in found):  # it may be a ring
        found.append(error)
        group = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None
        handled = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or group or handled
    return found


def faults() -> tuple[type[BaseException], ...]:
    """What code of a user's may raise and is then its fault: also what would end this process.

    Where Ctrl-C is heard, which is in no child of ours, it stays what it is.
    """
    from multiprocessing import parent_process

    return (Exception, SystemExit) if parent_process() is None else (BaseException,)


def writable(text: str) -> str:
    """Text for a table, which takes valid UTF-8 only; names of files may hold anything."""
    return text.encode("utf-8", "backslashreplace").decode()


def out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out; torch has a class of its own for it, others only words."""
    chain = _chain(error)
    own = {"MemoryError", "OutOfMemoryError"} & {k.__name__ for e in chain for k in type(e).__mro__}
    texts = [_text(each).lower() for each in chain]
    return bool(own) or any(words in text for text in texts for words in _NO_MEMORY)


def lacking(error: BaseException) -> bool:
    """Whether file handles or memory ran out: what could not be read may be whole all the same."""
    return isinstance(error, MemoryError) or getattr(error, "errno", None) in _LACKING


def of_the_system(error: OSError | MemoryError) -> str:
    """What a disk, missing rights or a limit hindered, with the place where it is known."""
    if isinstance(error, MemoryError):
        return "out of memory; give more, or ask for less at once"
    where = " and ".join(str(each) for each in (error.filename, error.filename2) if each)
    return (
        f"{where or 'a file or standard output'}: {error.strerror or error}; make room, give "
        "access, or another place, and repeat the command"
    )


@contextlib.contextmanager
def writing(place: object) -> Iterator[None]:
    """Say of whatever hinders writing where that was.

    Raises:
        BenchError: In place of what the system or a library raised.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise BenchError(
            f"cannot write {place}: {why}; make room, give access, or another place"
        ) from error


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


def require_one_of(
    found: object, known: Iterable[str], what: str, kind: type[BenchError] = BenchError
) -> None:
    """See that something is what is known.

    Raises:
        BenchError: If it is not; of the kind given.
    """
    known = list(known)
    if found not in known:
        raise kind(
            f"{what}: expected one of {', '.join(known) or 'none'}, found {found!r}."
            f"{did_you_mean(str(found), known)}"
        )


def few(names: Collection[str], most: int) -> str:
    """The first of some names, such as ``a, b and 3 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(itertools.islice(names, most))}{more}"


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
