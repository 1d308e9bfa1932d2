"""ICT: Wan, Zhang, Chen, Liao, ICCV 2021, section 3."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from bench.errors import InputError
from bench.training import processes
from bench.training.critics import SpectralPatchCritic
from bench.training.features import ObjectFeatures
from bench.training.recipe import KNOWN, Recipe, Shown
from bench.training.stream import Batch
from methods import sizes
from methods.networks.ict import tokens

_TOKENS, _PICTURE = "transformer", "upsampler"
_ADVERSARIAL, _CONTENT, _STYLE = 0.1, 0.1, 250.0
_CONTENT_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
_STYLE_LAYERS = ("relu2_2", "relu3_4", "relu4_4", "relu5_2")
_DEVIATION = 0.02  # of the paper's first weights
_NEAR = 0.25  # of the range of a channel; colours that are so near are alike


class ICT(Recipe):
    """Cross-entropy of masked tokens; then a non-saturating adversarial term for the upsampler.

    With VGG-19, also content and style. The paper's L1 has the weight 1 / (share of the hole) over
    the whole picture, its adversarial and content terms 0.1, style 250; at 10 for known pixels, as
    here, these are 1, 1 and 2,500 times the share of the hole. Content and style are those of
    EdgeConnect (Nazeri et al., 2019, section 3.2), whose weights these are.
    """

    stages: ClassVar = {_TOKENS: 0.75, _PICTURE: 0.25}
    features_of: ClassVar = ObjectFeatures
    feature_terms: ClassVar = ("content", "style")
    notes: ClassVar = {
        "palette": "an even grid of RGB, where the paper has clusters of ImageNet's colours",
        "first weights": "embedding and head of the transformer are alike for like colours, and "
        "positions are sines, where the paper starts from noise",
        "hidden": "the upsampler learns with the photo's own tokens in the hole, as in the paper; "
        "the transformer is never shown them",
        "held_out": "filled with 8 tokens drawn per pass (variant step8), for speed",
    }
    variant: ClassVar = "step8"
    forward_methods: ClassVar = ("predict", "upsample")

    @classmethod
    def make(cls, network: nn.Module, seed: int) -> Self:
        """Set the palette, and what the transformer knows about it from the start."""
        stages: Any = network
        stages.palette.copy_(even_palette(len(stages.palette)))
        embedding, head = stages.transformer.tok_emb.weight, stages.transformer.head.weight
        features = alike(stages.palette, embedding.shape[1], seed)
        with torch.no_grad():
            for weight in (embedding, head):
                weight.copy_(features * _DEVIATION)
            positions = stages.transformer.pos_emb
            positions.copy_(_DEVIATION * sines(stages.grid, positions.shape[-1])[None])
        return cls(network, SpectralPatchCritic())

    def show(self, batch: Batch) -> Shown:
        """Predict all masked tokens at once, or draw a picture from the true ones."""
        smooth = sizes.from_neighbours(batch.blanked, batch.masks)
        known, true = self.network.tokens_of(smooth), self.network.tokens_of(batch.images)
        masked = self._masked(batch.masks)
        if self.stage(batch.progress) == _TOKENS:
            logits = self.network.predict(known, masked)
            return Shown(None, {"logits": logits[masked], "true": true[masked]})
        prior = self.network.prior_of(torch.where(masked, true, known), *batch.images.shape[-2:])
        return Shown(self.network.upsample(batch.blanked, batch.masks, prior))

    def terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Of the stage."""
        if shown.picture is None:
            logits, true = shown.parts["logits"], shown.parts["true"]
            count = processes.mean(torch.tensor(float(len(true)), device=true.device))
            return {"tokens": F.cross_entropy(logits, true, reduction="sum") / count}
        unit = KNOWN * processes.mean(batch.masks.mean())
        return {
            "adversarial": unit * _ADVERSARIAL * F.softplus(-self.critic(shown.picture)).mean(),
            **{name: unit * term for name, term in self._compared(batch, shown.picture).items()},
        }

    def _compared(self, batch: Batch, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        """Mean absolute distances of features, and of their products in the hole, by layer.

        How pictures are normalised before is not documented; here it is as the weights expect.
        """
        if self.features is None:
            return {}
        with torch.no_grad():
            wanted = self.features(batch.images)
            wanted_hole = self.features(batch.images * batch.masks)
        found, found_hole = self.features(picture), self.features(picture * batch.masks)
        content = [F.l1_loss(found[layer], wanted[layer]) for layer in _CONTENT_LAYERS]
        style = [
            F.l1_loss(gram(found_hole[layer]), gram(wanted_hole[layer])) for layer in _STYLE_LAYERS
        ]
        return {
            "content": _CONTENT * torch.stack(content).sum(),
            "style": _STYLE * torch.stack(style).sum(),
        }

    def critic_terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Photos and predictions told apart; the transformer has no critic."""
        if shown.picture is None:
            return {}
        return {
            "critic_real": F.softplus(-self.critic(batch.images)).mean() / 2,
            "critic_fake": F.softplus(self.critic(shown.picture.detach())).mean() / 2,
        }

    def _masked(self, masks: torch.Tensor) -> torch.Tensor:
        """Which tokens are masked, ``(N, T)``, by the rule that fills follow."""
        holes = masks[:, 0].cpu().numpy() > 0.5
        masked = np.stack([tokens.covering_mask(hole, self.network.grid) for hole in holes])
        return torch.from_numpy(masked).flatten(1).to(masks.device)


def gram(maps: torch.Tensor) -> torch.Tensor:
    """Products of each feature with each, averaged over ``(N, C, H, W)``: ``(N, C, C)``.

    Divided by C H W, as in Johnson et al., ECCV 2016, section 3.2.
    """
    rows = maps.flatten(2)
    return rows @ rows.transpose(1, 2) / maps[0].numel()


def even_palette(colours: int) -> torch.Tensor:
    """An even grid of RGB from black to white: uint8 ``(colours, 3)``.

    Raises:
        InputError: If ``colours`` is no cube of an integer above 1.
    """
    side = round(colours ** (1 / 3))
    if side < 2 or side**3 != colours:
        raise InputError(f"ICT's palette: expected a cube such as 512 colours, found {colours}")
    levels = torch.linspace(0, 255, side).round().to(torch.uint8)
    return torch.cartesian_prod(levels, levels, levels)


def alike(palette: torch.Tensor, width: int, seed: int) -> torch.Tensor:
    """Vectors whose products are the larger, the nearer the colours are.

    From noise, a transformer has to learn about each of hundreds of colours by itself; at a small
    budget that is most of what it learns.

    Args:
        palette: uint8 RGB, ``(V, 3)``.
        width: Of the vectors.
        seed: For the directions in which colours are looked at.

    Returns:
        Random Fourier features of a Gaussian kernel (Rahimi and Recht, NeurIPS 2007),
        ``(V, width)``, of mean square 1.
    """
    stream = torch.Generator().manual_seed(seed)
    directions = torch.randn(3, width, generator=stream) / _NEAR
    phases = 2 * torch.pi * torch.rand(width, generator=stream)
    return 2**0.5 * torch.cos(palette.cpu() / 255 @ directions + phases)


def sines(grid: int, width: int) -> torch.Tensor:
    """Positions on a square grid by sines and cosines, half of them for rows, half for columns.

    Returns:
        ``(grid * grid, width)``, of mean square 1 (Vaswani et al., NeurIPS 2017, section 3.5, with
        wavelengths from 2 pi to that many times the grid).
    """
    frequencies = grid ** -torch.linspace(0, 1, width // 4)
    angles = torch.arange(grid)[:, None] * frequencies
    line = torch.cat([angles.sin(), angles.cos()], 1)  # (grid, width / 2)
    rows = line[:, None].expand(grid, grid, -1)
    return 2**0.5 * torch.cat([rows, rows.transpose(0, 1)], 2).flatten(0, 1)
