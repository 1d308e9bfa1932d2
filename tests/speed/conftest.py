import numpy as np
import pytest

from bench.machine import threads


@pytest.fixture(autouse=True)
def one_thread():
    with threads.held_to(1):
        yield


@pytest.fixture(autouse=True)
def grown_heap():
    """Memory as in a worker, which has loaded networks: what was freed is used again.

    In a young process glibc gives each large array back to the system, and taking it anew costs
    more than the arithmetic on it.
    """
    block = np.ones(31 * 2**17)  # 31 MiB: glibc learns from blocks of up to 32
    del block
