"""``python -m bench`` is ``inpaint-bench``."""

import sys
from pathlib import Path


def main() -> int:
    """Load the command line and run it; gives its exit status, also if Ctrl-C ends the loading."""
    try:
        from bench.cli import main as command

        return command()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    # Python looks for modules in the current directory first, where a random.py may lie.
    if Path(sys.path[0]) == Path.cwd() != Path(__file__).parents[1]:
        del sys.path[0]
    sys.exit(main())
