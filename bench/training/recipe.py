"""What is common to the training of all networks, and what a recipe adds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import torch
from torch import nn

from bench.training import processes
from bench.training.features import Features
from bench.training.stream import Batch
from methods import weights

HOLE, KNOWN = 60.0, 10.0
"""Weights of the common term. That of known pixels is LaMa's (section 3.2 of its paper); holes
count six times as much, as in Liu et al. (ECCV 2018)."""

RATE, CRITIC_RATE, BETAS = 5e-4, 1e-4, (0.5, 0.99)
"""One optimiser for all, Adam, constant rates: at a small budget the papers' own rates would be
what is compared."""


@dataclass(frozen=True)
class Shown:
    """What a network made of a batch.

    Attributes:
        picture: ``(N, 3, S, S)``, values in ``[0, 1]`` but for what is clipped at the end; None
            where a stage makes none.
        parts: Whatever else the recipe's terms look at.
    """

    picture: torch.Tensor | None
    parts: Mapping[str, Any] = field(default_factory=dict)


class Recipe:
    """How one network is trained: its paper's terms, in proportion to the common one.

    The terms of a paper keep their weights relative to the paper's reconstruction term, which the
    common one replaces.

    Attributes:
        network: What fills; called by `show` only.
        critic: What judges, or None.
        stages: Names of stages with their shares of the budget, one after another.
        features_of: A network made elsewhere that terms of the paper need, if there is one.
        feature_terms: The terms that need it.
        features: That network, where its weights are there; else the terms are left out.
        notes: What a reader of the weights' card must know besides, by topic. The topic ``hidden``
            is for a `show` that looks at the photo under the hole, as some papers' training does.
        side: Of the only squares that the critic takes; 0 if it takes any.
        variant: Of the method, to fill held-out photos with; empty for the method as it is.
        forward_methods: Of the network, besides ``forward``, that `show` calls.
    """

    stages: ClassVar[Mapping[str, float]] = {"all": 1.0}
    features_of: ClassVar[type[Features] | None] = None
    feature_terms: ClassVar[tuple[str, ...]] = ()
    notes: ClassVar[Mapping[str, str]] = {}
    side: ClassVar[int] = 0
    variant: ClassVar[str] = ""
    forward_methods: ClassVar[tuple[str, ...]] = ()

    def __init__(self, network: nn.Module, critic: nn.Module | None = None) -> None:
        """Keep the two."""
        self.network: Any = network
        self.critic: Any = critic
        self.features: Features | None = None

    @property
    def without(self) -> dict[str, str]:
        """Terms of the paper that are left out, with the reason."""
        if self.features_of is None or self.features is not None:
            return {}
        return dict.fromkeys(self.feature_terms, self.features_of.needed)

    @property
    def bare_critic(self) -> Any:
        """The critic in full precision, which a gradient of a gradient needs."""
        return getattr(self.critic, "module", self.critic)

    @classmethod
    def make(cls, network: nn.Module, seed: int) -> Self:
        """Make the recipe for a network whose weights are still those of its constructor.

        Args:
            network: What is to fill.
            seed: For first weights; torch's own generator is seeded too.
        """
        raise NotImplementedError

    def start(self, trained: nn.Module, source: str) -> None:
        """Take the weights of a trained network of the same kind, before anything is learned.

        Raises:
            BenchError: If they do not fit; the message names ``source``.
        """
        weights.put(trained.state_dict(), self.network, source)

    def stage(self, progress: float) -> str:
        """The stage that trains when this share of the budget is behind."""
        for name, share in self.stages.items():
            if progress < share:
                return name
            progress -= share
        return name

    def show(self, batch: Batch) -> Shown:
        """Let the network fill, in training mode."""
        raise NotImplementedError

    def terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """The paper's terms for the network, weighted."""
        return {}

    def critic_terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """The paper's terms for the critic, weighted; it must not reach into the network."""
        raise NotImplementedError


def reconstruction(batch: Batch, picture: torch.Tensor) -> dict[str, torch.Tensor]:
    """The common term: mean absolute difference in the hole and outside of it, weighted."""
    error = difference(batch, picture)
    return {
        "l1_hole": HOLE * mean_over(error, batch.masks),
        "l1_known": KNOWN * mean_over(error, 1 - batch.masks),
    }


def difference(batch: Batch, picture: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference from the photo at each pixel, ``(N, 1, S, S)``."""
    return (picture - batch.images).abs().mean(1, keepdim=True)


def mean_over(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Mean of ``(N, 1, H, W)`` over the pixels where the other, of that shape, is 1; 0 if none.

    Where several processes share a batch, their mean is that of the whole: each divides by the
    pixels that a share has on average, not by its own.
    """
    return (values * where).sum() / processes.mean(where.sum()).clamp_min(1e-6)


def initialise_by_name(network: nn.Module, seed: int) -> None:
    """Draw the first weights of each layer from a stream of its own.

    Layers of one name get the same weights in two networks, even if one of them has more layers.
    """
    for name, module in network.named_modules():
        reset: Callable[[], None] | None = getattr(module, "reset_parameters", None)
        if reset is not None:
            digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(int.from_bytes(digest[:8], "big") >> 1)
                reset()
