"""``python -m bench`` is ``inpaint-bench``."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Python looks for modules in the current directory first, where a random.py may lie.
    if Path(sys.path[0]) == Path.cwd() != Path(__file__).parents[1]:
        del sys.path[0]

    from bench.cli import main

    sys.exit(main())
