import threading

import pytest

from bench.machine.read_ahead import ahead


def test_gives_all_in_order():
    assert list(ahead(iter(range(5)))) == [0, 1, 2, 3, 4]
    assert list(ahead(iter(()))) == []


def test_the_next_is_read_while_its_user_is_at_the_last():
    begun = [threading.Event() for _ in range(3)]

    def source():
        for number, event in enumerate(begun):
            event.set()
            yield number

    items = ahead(source())
    assert next(items) == 0
    assert begun[1].wait(10)
    assert not begun[2].is_set()
    assert list(items) == [1, 2]


def test_an_error_comes_where_its_item_would_have():
    def source():
        yield 1
        raise OSError("gone")

    items = ahead(source())
    assert next(items) == 1
    with pytest.raises(OSError, match="gone"):
        next(items)
