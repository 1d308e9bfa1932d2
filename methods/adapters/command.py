"""``LABEL=command:FILE.toml``: any program, as a TOML file states it."""

from __future__ import annotations

from pathlib import Path

from bench.errors import BenchError
from methods.adapters.by_program import ByProgram
from methods.adapters.contract import FACTS, TYPES, contract
from methods.adapters.statement import require_types, stated
from methods.base import find_device
from methods.card import read


class Command(ByProgram):
    """A program of any environment."""

    card = read("command")

    def __init__(self, name: str, target: str, *, device: str = "cpu") -> None:
        """Read the file.

        Raises:
            BenchError: If it is not there, or something in it is wrong.
        """
        found = stated("command", Path(target))
        if not found.path.is_file():
            raise BenchError(
                f"{target}: expected a TOML file that says how the program is called, such as "
                f"{found.path}; docs/methods/command.md has examples"
            )
        facts = found.only(FACTS)
        require_types(found.path, facts, TYPES)
        try:
            agreed = contract(facts, found.path.parent, gpu=find_device(device).type == "cuda")
            super().__init__(name, found.card, agreed, device=device)
        except BenchError as error:
            raise BenchError(f"{found.path}: {error}") from error
