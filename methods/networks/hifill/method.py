"""The method: the photo reduced, its hole filled, the photo's details carried into the fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from bench.errors import ContractError
from methods import sizes, weights
from methods.base import Fill, to_uint8
from methods.card import SizeRule, read
from methods.networks.hifill import aggregation, published
from methods.networks.hifill.aggregation import CELL, Grid
from methods.networks.hifill.network import HiFillNetwork
from methods.pretrained import Pretrained
from methods.weights import Checkpoint, frozen_graph

_NATIVE = "native-aspect"


@dataclass(frozen=True, kw_only=True)
class Attended(Fill):
    """A fill of the small pictures, with what the large ones take.

    Attributes:
        attention: ``(N, queries, keys)``.
        holes: The small masks, ``(N, 1, h, w)``.
    """

    attention: torch.Tensor
    holes: torch.Tensor


class HiFill(Pretrained):
    """The method: reduce the photo, fill it, carry the photo's details into the hole.

    The blank of the hole bleeds into nothing: a small pixel made of any of it is hole, patches
    near it are never copied, and pasting covers all of it.

    The variant ``native-aspect`` keeps the shape of the photo: its patches are about as many as
    in the published square grid, but square on the photo and of its own resolution.
    """

    card = read("hifill")
    unpublished: ClassVar = {_NATIVE: "in the photo's own shape"}

    def build(self, config: Mapping[str, Any]) -> HiFillNetwork:
        """Make the network."""
        return HiFillNetwork(**config)

    def tensors(self, path: Path, checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
        """Read the published frozen graph."""
        weights.verify(path, checkpoint)
        state = self.build(checkpoint.config).state_dict()
        expected = {key: tensor.shape for key, tensor in state.items()}
        return published.weights_of(frozen_graph.read(path), expected, str(path))

    def prepare(
        self, images: torch.Tensor, masks: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Reduce the photos; a small pixel that covers any hole is hole."""
        grid = self._grid(images)
        photos, holes = self._photos(images, masks, grid)
        small = np.stack([aggregation.reduced(photo, grid) for photo in photos])
        covered = np.stack([aggregation.reduced_hole(hole, grid) for hole in holes])
        small_masks = torch.from_numpy(covered[:, None]).to(torch.float32)
        small_images = torch.from_numpy(small).permute(0, 3, 1, 2) / 255 * (1 - small_masks)
        return small_images.to(self.device), small_masks.to(self.device)

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> Attended:
        """Fill the small pictures; the network works in BGR."""
        filling = self.network((images.flip(1) * 2 - 1) * (1 - masks), masks)
        small = (filling.refined.flip(1) + 1) / 2
        return Attended(small, attention=filling.attention, holes=masks)

    def finish(self, fill: Fill, images: torch.Tensor, masks: torch.Tensor) -> Fill:
        """Aggregate at the size of the photos.

        Raises:
            ContractError: If the fill is not one of `infer`.
        """
        if not isinstance(fill, Attended):
            raise ContractError(f"{self.name}: expected what infer gives, found {type(fill)}")
        height, width = images.shape[-2:]
        grid = self._grid(images)
        photos, holes = self._photos(images, masks, grid)
        small = fill.images.permute(0, 2, 3, 1).to("cpu", torch.float32).mul(255).numpy()
        shares = fill.attention.unflatten(1, (grid.rows, grid.columns)).cpu().numpy()
        # Enlarged linearly, a mask grown by one pixel is 1 all over the hole.
        paste = F.max_pool2d(fill.holes, 3, stride=1, padding=1)[:, 0].cpu().numpy()
        results = [
            aggregation.aggregate(*each, patch=grid.patch)
            for each in zip(photos, holes, small, shares, paste, strict=True)
        ]
        pictures = torch.from_numpy(np.stack(results)).permute(0, 3, 1, 2)[..., :height, :width]
        return Fill(pictures / 255, fill.counts, fill.pictures)

    def _grid(self, images: torch.Tensor) -> Grid:
        side = self.card.size.side // CELL
        if self.variant == _NATIVE:
            return aggregation.native_grid(images.shape[-2], images.shape[-1], side)
        return aggregation.square_grid(side=side)

    def _photos(
        self, images: torch.Tensor, masks: torch.Tensor, grid: Grid
    ) -> tuple[np.ndarray, np.ndarray]:
        """Photos as 8-bit pictures and bool holes; padded at the edges to a native grid."""
        if self.variant == _NATIVE:
            rule = SizeRule("multiple", of=grid.patch, padding="replicate")
            images, masks = sizes.fit(images, masks, rule)
        return to_uint8(images), masks[:, 0].numpy() > 0.5
