"""A network in a file, run as the file describes it: what all kinds of such files share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch

from bench.errors import BenchError
from methods.adapters import probe
from methods.adapters.statement import stated
from methods.adapters.tensor_facts import Facts, Opened, checked, decode, encode
from methods.base import Inpainter


class TensorFile(Inpainter):
    """A network in a file, whose facts are stated or found by `probe`.

    Attributes:
        kind: By which it is asked for.
        path: The file.
        facts: What `load` found and the user stated.
    """

    kind: ClassVar[str]
    probed = True
    undifferentiable = "it is run from a file, which gives no gradients"
    facts: Facts

    def __init__(self, name: str = "", *, target: str, device: str = "cpu", **given: Any) -> None:
        """Read what is stated.

        Args:
            name: Of the method.
            target: The file, or the TOML file beside it.
            device: As torch writes it.
            given: Facts that override those of the TOML file.

        Raises:
            BenchError: If the file is not there, or what is stated are no facts.
        """
        super().__init__(name, device=device)
        statement = stated(self.kind, Path(target))
        of_file = checked(statement.facts, str(statement.path))
        self.stated = {**of_file, **checked(given, f"method {self.name!r}")}
        self.card = statement.card
        self.path = statement.file
        if not self.path.is_file():
            raise BenchError(f"{statement.path}: expected a file {self.path}, found none")
        self._statement = statement
        self.files = [self.path, *self.parts()]
        if statement.path.is_file():
            self.files.append(statement.path)

    @property
    def identity(self) -> str:
        """Code, file, what is stated; once loaded, all facts and what runs it."""
        found = f" ({self.facts}) {self._opened.by}".rstrip() if hasattr(self, "facts") else ""
        return f"{super().identity}{found}"

    @property
    def weights_note(self) -> str:
        """Which file it is."""
        return f"{self.path.name}: the user's own file"

    def parts(self) -> list[Path]:
        """Further files that the file is read with."""
        return []

    @abstractmethod
    def open(self) -> Opened:
        """Read the file.

        Raises:
            BenchError: If it is another kind of file, or what reads it is not installed.
        """

    def load(self) -> None:
        """Read the file and find out what is not stated.

        Raises:
            BenchError: If it is no such file, takes what no other network here takes, what is
                stated is not so, or the facts cannot be told.
        """
        self._opened = self.open()
        if self.found:
            found = probe.Found.again(self._opened, self.found)
        else:
            found = probe.find(self._opened, self.stated, self._statement, self.kind)
        self.found = found.text
        self.facts = found.facts
        card = self._statement.card
        made_by = ", ".join(filter(None, (card.implementation, self._opened.by)))
        self.card = replace(
            card, size=found.size, stochastic=found.stochastic, implementation=made_by
        )
        self.said = found.said

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Fill one picture after the other, as files often hold for one only."""
        with torch.random.fork_rng():
            torch.manual_seed(generator.initial_seed())
            return torch.cat(
                [
                    decode(self.facts, self._opened.call(encode(self.facts, image, mask)), image)
                    for image, mask in zip(images.split(1), masks.split(1), strict=True)
                ]
            )
