"""Reasons and tracebacks: whatever an error is like, one's own line is named, text stays small."""

import json
import traceback
from pathlib import Path

import pytest
import torch

from bench.errors import ContractError, Declined, describe, out_of_memory, traced


class Silent(Exception):
    def __str__(self):
        raise ValueError("no words")


def library():
    torch.nn.Conv2d(3, 8, 3)(torch.zeros(1, 5, 8, 8))


def chained():
    try:
        json.loads("{")
    except ValueError as error:
        raise RuntimeError("cannot read the prompts") from error


def ringed():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    raise first


def grouped():
    raise ExceptionGroup("of two threads", [KeyError("one"), ValueError("two")])


def silent():
    raise Silent


def empty():
    raise NotImplementedError


def giant():
    raise ValueError("m" * 1_000_000)


def misspelt():
    compile("a b", "own.py", "exec")


def endless():
    endless()


def ended():
    raise SystemExit(3)


def error_of(function):
    with pytest.raises(BaseException) as found:
        function()
    return found.value


@pytest.mark.parametrize(
    ("function", "begins", "ends"),
    [
        (library, "RuntimeError: Given groups=1", "in library; raised at conv.py:"),
        (chained, "RuntimeError: cannot read the prompts (test_errors.py:", "in chained), from "),
        (chained, "RuntimeError: ", "JSONDecodeError: Expecting property name"),
        (ringed, "ValueError: first (test_errors.py:", "in ringed)"),
        (grouped, "ExceptionGroup: of two threads (2 sub-exceptions)", "from KeyError: 'one'"),
        (silent, "Silent: (its text cannot be had: ValueError) (test_errors.py:", "in silent)"),
        (empty, "NotImplementedError: raise NotImplementedError (test_errors.py:", "in empty)"),
        (giant, "ValueError: mmm", "(999,000 more characters) (test_errors.py:"),
        (misspelt, "SyntaxError: invalid syntax (own.py, line 1)", ""),
        (endless, "RecursionError: ", "in endless"),
        (ended, "SystemExit: 3 (test_errors.py:", "in ended)"),
    ],
)
def test_a_reason_says_where_in_the_users_code(function, begins, ends):
    reason = describe(error_of(function))
    assert reason.startswith(begins)
    assert ends in reason
    assert len(reason) < 2500


def test_the_line_named_is_the_deepest_of_the_users_as_python_lists_it():
    error = error_of(library)
    own = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == __file__]
    assert f"({Path(__file__).name}:{own[-1].lineno} in library;" in describe(error)


def test_without_code_of_the_user_the_deepest_place_is_named():
    assert describe(KeyError("never raised")) == "KeyError: 'never raised'"
    deepest = error_of(library)
    while "site-packages" not in deepest.__traceback__.tb_frame.f_code.co_filename:
        deepest.__traceback__ = deepest.__traceback__.tb_next
    assert " (conv.py:" in describe(deepest)


def test_our_own_errors_are_said_as_they_are():
    assert describe(Declined("not to my taste")) == "not to my taste"
    assert describe(Declined()) == "Declined"
    assert traced(Declined("not to my taste")) == ""


@pytest.mark.parametrize("function", [library, chained, ringed, grouped, silent, giant, endless])
def test_a_traceback_shows_the_line_and_stays_small(function):
    text = traced(error_of(function))
    assert f"in {function.__name__}" in text
    assert len(text) < 11_000


def test_equal_errors_have_equal_tracebacks_wherever_objects_lie():
    def fails():
        raise ValueError(f"cannot use {object()} of {[object() for _ in range(9)][-1]}")

    assert len({traced(error_of(fails)) for _ in range(3)}) == 1


def test_what_an_error_of_ours_was_raised_from_is_kept():
    def wraps():
        try:
            library()
        except RuntimeError as error:
            raise ContractError("cannot be made") from error

    assert "in library" in traced(error_of(wraps))


def test_memory_that_ran_out_is_told_behind_an_error_raised_while_it_was_handled():
    def fails(*, silent):
        try:
            raise MemoryError
        except MemoryError:
            if silent:
                raise RuntimeError("cleaned up") from None
            raise RuntimeError("no fill")  # noqa: B904

    for silent in (False, True):
        with pytest.raises(RuntimeError) as caught:
            fails(silent=silent)
        assert out_of_memory(caught.value) is not silent
        assert ("MemoryError" in describe(caught.value)) is not silent
