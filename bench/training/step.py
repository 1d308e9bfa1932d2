"""One step: the critic learns, then the network that fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from bench.training import processes
from bench.training.recipe import Recipe, reconstruction
from bench.training.state import Average
from bench.training.stream import Batch

LARGEST_NORM = 1.0
"""Of a gradient; longer ones are shortened."""


@dataclass
class Learner:
    """A recipe with its optimisers.

    Attributes:
        recipe: Whose networks learn.
        optimiser: Of the network that fills.
        critic_optimiser: Of the critic, None without one.
        average: The weights that are shipped.
        fabric: Lightning Fabric, which knows about devices and precision.
    """

    recipe: Recipe
    optimiser: Any
    critic_optimiser: Any
    average: Average
    fabric: Any

    def step(self, batch: Batch) -> tuple[dict[str, float], bool]:
        """Learn from a batch.

        The critic learns first; where it cannot, the network does not either.

        Returns:
            All terms, weighted, and whether all of them and their gradients were finite, of all
            processes together. Terms and gradients that are not change no weight.
        """
        recipe = self.recipe
        # Running statistics change as soon as a batch is looked at.
        kept = self._copied_buffers()
        shown = recipe.show(batch)
        criticism: dict[str, torch.Tensor] = {}
        if recipe.critic is not None:
            recipe.critic.requires_grad_(True)
            criticism = recipe.critic_terms(batch, shown)
        taken = self._learn(self.critic_optimiser, criticism) if criticism else True
        if recipe.critic is not None:
            recipe.critic.requires_grad_(False)
        terms = recipe.terms(batch, shown)
        if shown.picture is not None:
            terms = reconstruction(batch, shown.picture) | terms
        if taken and self._learn(self.optimiser, terms):
            self.average.update(recipe.network)
        else:
            taken = False
            for buffers, before in kept:
                if buffers:
                    torch._foreach_copy_(buffers, before)
        every = terms | criticism
        # One transfer for all: each waits for the device.
        values = torch.stack([term.detach().float() for term in every.values()])
        return dict(zip(every, processes.mean(values).tolist(), strict=True)), taken

    def _copied_buffers(self) -> list[tuple[list[torch.Tensor], list[torch.Tensor]]]:
        """The buffers of both networks and copies of them, floats and counters apart."""
        networks = [each for each in (self.recipe.network, self.recipe.critic) if each is not None]
        every = [buffer for network in networks for buffer in network.buffers()]
        kinds = (
            [each for each in every if each.is_floating_point() == floats]
            for floats in (True, False)
        )
        pairs = [(buffers, [torch.empty_like(each) for each in buffers]) for buffers in kinds]
        for buffers, copies in pairs:
            if buffers:  # in one go: on a GPU, each call costs as much as all
                torch._foreach_copy_(copies, buffers)
        return pairs

    def _learn(self, optimiser: Any, terms: Mapping[str, torch.Tensor]) -> bool:
        optimiser.zero_grad()
        total = torch.stack(list(terms.values())).sum()
        self.fabric.backward(total)
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        total = total.detach()
        processes.average([total, *(each.grad for each in weights if each.grad is not None)])
        norm = torch.nn.utils.clip_grad_norm_(weights, LARGEST_NORM)
        if not torch.isfinite(norm + total):
            return False
        optimiser.step()
        return True

    def state(self) -> dict[str, Any]:
        """All that changes, by name."""
        parts = {
            "network": self.recipe.network,
            "critic": self.recipe.critic,
            "optimiser": self.optimiser,
            "critic_optimiser": self.critic_optimiser,
            "average": self.average.network,
        }
        tensors = {name: part.state_dict() for name, part in parts.items() if part is not None}
        return tensors | {"averaged_steps": self.average.steps}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self.recipe.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.network.load_state_dict(state["average"])
        self.average.steps = state["averaged_steps"]
        if self.recipe.critic is not None:
            self.recipe.critic.load_state_dict(state["critic"])
            self.critic_optimiser.load_state_dict(state["critic_optimiser"])
