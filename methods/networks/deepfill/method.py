"""The method: pictures padded to a multiple of 8, all of each seen by the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from methods import sizes
from methods.base import Fill
from methods.card import read
from methods.layers.contextual import enlarge, flow_to_image
from methods.networks.deepfill import names
from methods.networks.deepfill.network import Generator
from methods.pretrained import Pretrained
from methods.weights import Checkpoint

_CELL = 8  # pixels of a picture for each query of the attention


class DeepFill(Pretrained):
    """The method: pictures padded to a multiple of 8, all of each seen by the network."""

    card = read("deepfill")
    wrapper = "state_dict"

    def build(self, config: Mapping[str, Any]) -> Generator:
        """Make the generator; the order of channels is not its concern."""
        return Generator(**{key: config[key] for key in config if key != "channels"})

    def tensors(self, path: Path, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Read a file of any of the code bases."""
        return names.port_names(super().tensors(path, checkpoint))

    def infer(self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator) -> Fill:
        """Fill; known pixels stay as they are. The flow shows where attention copied from."""
        masked = self._ordered((images * 2 - 1) * (1 - masks))
        _, fine, moved = self.network(masked, masks)
        filled = self._ordered(fine * masks + masked)
        # Each picture's colours are its own: they may not depend on what else is in the batch.
        picture = enlarge(flow_to_image(moved, "item"), _CELL, corners=False)
        return Fill((filled + 1) / 2, pictures={"flow": picture})

    def finish(self, fill: Fill, images: torch.Tensor, masks: torch.Tensor) -> Fill:
        """Cut the padding off, from the flow too."""
        done = super().finish(fill, images, masks)
        height, width = images.shape[-2:]
        picture = sizes.unfit(done.pictures["flow"], height, width, self.card.size)
        return Fill(done.images, done.counts, {"flow": picture})

    def _ordered(self, pictures: torch.Tensor) -> torch.Tensor:
        """Change between RGB and the order of channels that the weights were trained with."""
        return pictures.flip(1) if self.config.get("channels", "RGB") == "BGR" else pictures
