from collections import Counter

import pytest


@pytest.fixture(scope="package")
def tally():
    """How often each phase of each command was hit, printed at the end."""
    counts: Counter[tuple[str, str, str]] = Counter()
    yield counts
    for (command, phase, how), count in sorted(counts.items()):
        print(f"\n{command:8} {phase:12} {how:20} {count}", end="")
    if counts:
        print(f"\n{counts.total()} strikes, after which the same command ended equal")
