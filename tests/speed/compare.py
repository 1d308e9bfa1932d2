"""Compare the ratios of a run of the benchmarks with stored ones.

    python -m tests.speed.compare STORED FOUND          say what differs
    python -m tests.speed.compare STORED FOUND --store  keep the ratios found

FOUND is what pytest writes with ``--benchmark-json``. STORED holds names and ratios only: times
belong to a machine. A ratio may be far from the stored one on a busy or another machine, so what is
worse is listed and is no failure. A stored benchmark that was not found is one, since what is not
measured must not pass for what is as good as before.

Exit status: 0 all stored benchmarks were found; 2 a file cannot be read; 4 some were not found (as
the gate says "not measured").
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

MARGIN = 1.5  # how many times worse a ratio may be before it is listed
NAMES = ("ratio", "share")  # how many times faster; how much of a whole (see `turns`)
Figures = Mapping[str, tuple[str, float]]  # by benchmark: which of the two, and its value


def read_found(path: Path) -> Figures:
    """The figures of a report of pytest-benchmark; one without a figure was not measured."""
    return {
        each["fullname"]: (name, float(each["extra_info"][name]))
        for each in json.loads(path.read_text("utf-8"))["benchmarks"]
        for name in NAMES
        if name in each["extra_info"]
    }


def read_stored(path: Path) -> Figures:
    """The figures of a stored file."""
    return {
        benchmark: (name, float(value))
        for benchmark, figure in json.loads(path.read_text("utf-8")).items()
        for name, value in figure.items()
    }


def store(path: Path, found: Figures) -> None:
    """Write figures, three digits of each, in the order of their names."""
    rounded = {key: {name: float(f"{value:.3g}")} for key, (name, value) in sorted(found.items())}
    path.write_text(json.dumps(rounded, indent=1) + "\n", "utf-8")


def lines(stored: Figures, found: Figures) -> list[str]:
    """Say what vanished, what is new and what is worse than the margin allows."""
    told = [f"VANISHED   {key}: {shown(*stored[key])} stored" for key in stored if key not in found]
    told += [f"new        {key}: {shown(*found[key])}" for key in found if key not in stored]
    for key in stored.keys() & found.keys():
        (name, before), (other, now) = stored[key], found[key]
        if name != other:
            told.append(f"changed    {key}: {shown(name, before)} stored, {shown(other, now)} now")
        elif (before / now if name == "ratio" else now / before) > MARGIN:
            told.append(f"worse      {key}: {shown(name, before)} stored, {shown(name, now)} now")
    return sorted(told)


def shown(name: str, value: float) -> str:
    """A figure in words."""
    return f"{value:.2f} times as fast" if name == "ratio" else f"a share of {value:.1%}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison; return its exit status."""
    parser = argparse.ArgumentParser(description="Compare ratios of speed with stored ones.")
    parser.add_argument("stored", type=Path)
    parser.add_argument("found", type=Path)
    parser.add_argument("--store", action="store_true", help="write what was found to STORED")
    options = parser.parse_args(arguments)
    try:
        found = read_found(options.found)
        if options.store:
            store(options.stored, found)
            print(f"{len(found)} ratios are stored in {options.stored}")
            return 0
        stored = read_stored(options.stored)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"expected two files of benchmarks: {error!r}; see {__file__}", file=sys.stderr)
        return 2
    told = lines(stored, found)
    print("\n".join([*told, f"{len(stored.keys() & found.keys())} of {len(stored)} stored found"]))
    return 4 if stored.keys() - found.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
