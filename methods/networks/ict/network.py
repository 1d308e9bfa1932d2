"""Both networks of ICT and the palette that lies between them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from methods.base import to_float, to_uint8
from methods.networks.ict import tokens
from methods.networks.ict.transformer import Transformer
from methods.networks.ict.upsampler import Upsampler


class Stages(nn.Module):
    """Both networks and the palette that lies between them.

    Args:
        grid: Tokens per side of a picture.
        layers: Of the transformer.
        width: Of the transformer.
        heads: Of the transformer.
        vocabulary: Number of colours.
        upsampler_width: Channels of the upsampler at full size.
        upsampler_blocks: Residual blocks of the upsampler.
    """

    palette: torch.Tensor

    def __init__(
        self,
        grid: int,
        layers: int,
        width: int,
        heads: int,
        vocabulary: int = 512,
        upsampler_width: int = 64,
        upsampler_blocks: int = 8,
    ) -> None:
        """Make the networks and a black palette."""
        super().__init__()
        self.grid = grid
        self.register_buffer("palette", torch.zeros(vocabulary, 3, dtype=torch.uint8))
        self.transformer = Transformer(grid**2, layers, width, heads, vocabulary)
        self.upsampler = Upsampler(upsampler_width, upsampler_blocks)

    def tokens_of(self, pictures: torch.Tensor) -> torch.Tensor:
        """Shrink ``(N, 3, H, W)`` in ``[0, 1]`` to indices of the palette, ``(N, T)``."""
        palette = self.palette.cpu().numpy()
        small = np.stack([tokens.squeezed(each, self.grid) for each in to_uint8(pictures)])
        found = torch.from_numpy(tokens.nearest_colours(small, palette))
        return found.flatten(1).to(pictures.device)

    def prior_of(self, drawn: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """The colours of tokens ``(N, T)``, enlarged to ``(N, 3, H, W)`` in ``[0, 1]``."""
        palette = self.palette.cpu().numpy()
        cells = drawn.unflatten(1, (self.grid, self.grid)).cpu().numpy()
        pictures = [tokens.prior(each, palette, height, width) for each in cells]
        return to_float(np.stack(pictures)).to(drawn.device)

    def predict(self, given: torch.Tensor, masked: torch.Tensor) -> torch.Tensor:
        """The transformer, see there."""
        logits: torch.Tensor = self.transformer(given, masked)
        return logits

    def upsample(
        self, images: torch.Tensor, masks: torch.Tensor, prior: torch.Tensor
    ) -> torch.Tensor:
        """The upsampler, see there."""
        picture: torch.Tensor = self.upsampler(images, masks, prior)
        return picture
