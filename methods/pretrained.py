"""What all networks have in common: weights from files that the card names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import nn

from bench.errors import BenchError, WeightsMissing
from methods import weights
from methods.base import Inpainter
from methods.weights import Checkpoint


class Pretrained(Inpainter):
    """A method whose network is of no use without its weights.

    A subclass makes the network (`build`) and, where published files name tensors otherwise than
    the network does, translates them (`tensors`). Files written by this project (``.safetensors``)
    hold the network's own names.

    Attributes:
        wrapper: Key under which published files may hold their tensors.
        checkpoints: The files of the weights asked for, ``NAME:WEIGHTS``, or of the card's first.
        config: The settings of the network that those files are for.
        network: What `load` made, in eval mode.
    """

    wrapper: ClassVar[str] = ""
    network: nn.Module

    def __init__(self, name: str = "", *, device: str = "cpu") -> None:
        """Choose the weights."""
        super().__init__(name or self.card.name, device=device)
        self.checkpoints: tuple[Checkpoint, ...] = self.card.files(
            self.name.partition("@")[0].partition(":")[2]
        )
        self.config: Mapping[str, Any] = {}
        if self.checkpoints:
            self.config = self.checkpoints[0].config
            self._take_size(self.checkpoints[0].choice)

    @classmethod
    def untrained(cls, config: Mapping[str, Any], name: str, *, device: str = "cpu") -> Self:
        """Make a method without weights, whose `network` is to be set by whoever trains it."""
        method = cls.__new__(cls)
        Inpainter.__init__(method, name, device=device)
        method.checkpoints = ()
        method.config = config
        for known, settings in cls.card.configs.items():
            if settings == config:
                method._take_size(known)
        return method

    def _take_size(self, config: str) -> None:
        if config in self.card.sizes:
            self.card = replace(self.card, size=self.card.sizes[config])

    @property
    def identity(self) -> str:
        """Code, library, settings and weights."""
        files = (f"{each.name} {_digest(each)} {dict(each.config)}" for each in self.checkpoints)
        return " ".join([super().identity, "torch", torch.__version__, *files])

    @property
    def weights_note(self) -> str:
        """Name, origin and licence of each file."""
        return "; ".join(
            f"{each.name}: {each.origin}; licence: {each.licence}" for each in self.checkpoints
        )

    def build(self, config: Mapping[str, Any]) -> nn.Module:
        """Make the network, its weights of no account.

        Args:
            config: Settings of the checkpoint.
        """
        raise NotImplementedError

    def tensors(self, path: Path, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Read a published file; the names are those of the network."""
        return weights.load(path, checkpoint, wrapper=self.wrapper)

    def load(self) -> None:
        """Read the weights.

        Raises:
            WeightsMissing: If they are not here, or nobody has published any.
            BenchError: If a file is not that of this network.
        """
        if not self.checkpoints:
            raise WeightsMissing(
                f"{self.name}: no weights are published; to make some, run: {self.card.training}"
            )
        paths = [weights.need(each, self.name) for each in self.checkpoints]
        network = self.build(self.config)
        found: dict[str, torch.Tensor] = {}
        for path, checkpoint in zip(paths, self.checkpoints, strict=True):
            own = path.suffix == ".safetensors"
            tensors = weights.load(path, checkpoint) if own else self.tensors(path, checkpoint)
            twice = found.keys() & tensors.keys()
            if twice:
                raise BenchError(f"{path}: {', '.join(sorted(twice))} are in another file too")
            found |= tensors
        weights.put(found, network, ", ".join(map(str, paths)))
        self.network = network.to(self.device).eval()


def _digest(checkpoint: Checkpoint) -> str:
    found = weights.find(checkpoint)
    return weights.digest(found)[:8] if found else "missing"
