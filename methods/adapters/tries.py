"""Runs of a network whose facts are being found out: each once only, however often it is asked."""

from __future__ import annotations

import torch

from methods.adapters.scenes import Scene
from methods.adapters.tensor_facts import Facts, Opened, decode, encode, is_picture

PASTED = 0.01  # by which known pixels that are pasted differ at most
_EQUAL = 0.004  # fills that differ by less are one


class Tries:
    """What a network gave for scenes, by what it was given.

    Attributes:
        opened: The file.
    """

    def __init__(self, opened: Opened) -> None:
        """Run nothing yet."""
        self.opened = opened
        self._kept: dict[tuple[Facts, Scene], dict[str, torch.Tensor]] = {}

    def outputs(self, facts: Facts, scene: Scene) -> dict[str, torch.Tensor]:
        """Its outputs that can be fills, on the CPU, by name; chance is the same each time.

        Raises:
            ValueError: If there is none. What the network raises passes.
        """
        key = facts.given, scene
        if key not in self._kept:
            self._kept[key] = self.anew(facts, scene, 0)
        return self._kept[key]

    def anew(self, facts: Facts, scene: Scene, seed: int) -> dict[str, torch.Tensor]:
        """The same of one more run, with other random numbers."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            outputs = self.opened.call(encode(facts, *scene))
        height, width = scene.mask.shape[-2:]
        found = {name: each.cpu() for name, each in outputs.items()
                 if is_picture(each, height, width)}  # fmt: skip
        if not found:
            shapes = {name: tuple(each.shape) for name, each in outputs.items()}
            raise ValueError(f"outputs {shapes} hold no picture of {height} x {width}")
        return found

    def fill(self, facts: Facts, scene: Scene) -> torch.Tensor:
        """Its fill of a scene, ``(1, 3, H, W)``."""
        return decode(facts, self.outputs(facts, scene), scene.image)

    def off(self, facts: Facts, scene: Scene) -> tuple[float, float]:
        """Mean difference of its fill to the scene in the hole, and elsewhere."""
        return scene.off(self.fill(facts, scene))

    def looks(self, facts: Facts, scene: Scene) -> bool:
        """Whether what lies under the hole changes what it gives, but for rounding."""
        one, other = (self.outputs(facts.but(blank=each), scene) for each in ("black", "white"))
        return not same(one, other)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether all outputs of two runs are equal but for rounding."""
    pairs = [(each.float(), other[name].float()) for name, each in one.items()]
    return all(
        float((now - then).abs().mean()) <= 1e-4 * float(then.abs().max()) for now, then in pairs
    )


def alike(one: torch.Tensor, other: torch.Tensor, mask: torch.Tensor) -> bool:
    """Whether two fills are one where the mask is 1."""
    return float(((one - other).abs().mean(1, keepdim=True) * mask).sum() / mask.sum()) <= _EQUAL
