"""An environment of its own for `tests.support.programs`, and TOML files that state it."""

import shutil
import venv
from pathlib import Path

import numpy as np
import PIL

from tests.support import programs

BATCH = "programs.py {how} {{images}} {{masks}} {{out}}"


def furnish(folder: Path) -> Path:
    """Put an environment, which finds NumPy and Pillow elsewhere, and the program into a folder."""
    venv.create(folder / "env", with_pip=False, symlinks=True)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    elsewhere = {str(Path(module.__file__).parents[1]) for module in (np, PIL)}
    (packages / "more.pth").write_text("\n".join(elsewhere))
    shutil.copy(programs.__file__, folder)
    return folder


def state(folder: Path, command: str, *facts: str, python: str = "env/bin/python") -> str:
    """Write what is stated; gives what asks for it."""
    lines = [f'command = "{command}"', f'python = "{python}"' if python else "", *facts]
    (folder / "mine.toml").write_text("\n".join(lines))
    return f"mine=command:{folder / 'mine.toml'}"


def calls(folder: Path) -> list[str]:
    """What the program wrote down of itself."""
    path = folder / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []
