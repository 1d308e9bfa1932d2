"""Pluralistic's encoder, generator and discriminator.

Pictures are ``(N, 3, H, W)`` in ``[-1, 1]`` with sides in multiples of 32; ``valid`` is
``(N, 1, H, W)`` with 1 where known.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

from bench.errors import InputError
from methods.networks.pluralistic.blocks import (
    Attention,
    DecoderBlock,
    FirstBlock,
    ResidualBlock,
    ToPicture,
)
from methods.networks.pluralistic.spectral import SpectralConvolution

LEVELS = 5
ENCODED = 2  # which of the encoder's features attention reads
_PRIOR_BLOCKS = 6
_ATTENDED = 1  # the decoder that attention follows, and the first with a picture of its own


class Encoder(nn.Module):
    """Features of a picture, and the distribution of what its hole may hold.

    Args:
        base_width: Channels of the finest level; each further one has twice as many.
        largest_width: At most so many.
        latent: Channels of the latent code.
    """

    def __init__(self, base_width: int = 32, largest_width: int = 128, latent: int = 128) -> None:
        """Make all blocks."""
        super().__init__()
        widths = _widths(base_width, largest_width)
        self.block0 = FirstBlock(widths[0])
        for level in range(LEVELS - 1):
            block = ResidualBlock(widths[level], widths[level], widths[level + 1], halve=True)
            self.add_module(f"encoder{level}", block)
        deepest = widths[-1]
        for index in range(_PRIOR_BLOCKS):
            self.add_module(f"infer_prior{index}", ResidualBlock(deepest, deepest, deepest))
        self.posterior = ResidualBlock(deepest, deepest, 2 * latent)
        self.prior = ResidualBlock(deepest, deepest, 2 * latent)

    def forward(self, visible: torch.Tensor) -> tuple[Normal, list[torch.Tensor]]:
        """Encode what is known.

        Args:
            visible: Pictures, 0 in the hole.

        Returns:
            The conditional prior of the latent code, ``(N, latent, H / 32, W / 32)``; features
            from half the size down to 1/32.
        """
        features = self._features(visible)
        return self._conditional_prior(features[-1]), features

    def both_paths(
        self, visible: torch.Tensor, hidden: torch.Tensor
    ) -> tuple[Normal, Normal, list[torch.Tensor]]:
        """Encode for training (section 3.2).

        Args:
            visible: Pictures, 0 in the hole.
            hidden: The same pictures, 0 outside of the hole.

        Returns:
            The posterior, from what is hidden; the conditional prior and the features, from
            what is visible.
        """
        both = self._features(torch.cat([visible, hidden]))
        features = [each.chunk(2)[0] for each in both]
        posterior = _normal(self.posterior(both[-1].chunk(2)[1]))
        return posterior, self._conditional_prior(features[-1]), features

    def _features(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        features = [self.block0(pictures)]
        for level in range(LEVELS - 1):
            features.append(self.get_submodule(f"encoder{level}")(features[-1]))
        return features

    def _conditional_prior(self, maps: torch.Tensor) -> Normal:
        for index in range(_PRIOR_BLOCKS):
            maps = self.get_submodule(f"infer_prior{index}")(maps)
        return _normal(self.prior(maps))


class Generator(nn.Module):
    """A latent code and features to pictures.

    Args:
        base_width: Channels of the finest level.
        largest_width: Of the coarse levels, at most 4 x ``base_width``, since attention needs
            as many from the encoder as from the decoder.
        latent: Channels of the latent code.

    Raises:
        InputError: If ``largest_width`` is larger.
    """

    def __init__(self, base_width: int = 32, largest_width: int = 128, latent: int = 128) -> None:
        """Make all blocks, in the order of the checkpoints."""
        super().__init__()
        if largest_width > 4 * base_width:
            raise InputError(
                f"Pluralistic: expected largest_width up to 4 x base_width = {4 * base_width}, "
                f"found {largest_width}"
            )
        widths = _widths(base_width, largest_width)[::-1]
        self.generator = ResidualBlock(latent, widths[0], widths[0])
        incoming = widths[0]
        for level, width in enumerate(widths):
            self.add_module(f"decoder{level}", DecoderBlock(incoming, width))
            incoming = width
            if level >= _ATTENDED:
                self.add_module(f"out{level}", ToPicture(width))
                incoming += 3
            if level == _ATTENDED:
                self.attn1 = Attention(width)

    def forward(
        self,
        code: torch.Tensor,
        deepest: torch.Tensor,
        encoded: torch.Tensor,
        valid: torch.Tensor,
    ) -> list[torch.Tensor]:
        """Generate.

        Args:
            code: ``(N, latent, H / 32, W / 32)``.
            deepest: The encoder's last features.
            encoded: Its features at 1/8 of the size.
            valid: Of the full size.

        Returns:
            Pictures from 1/8 of the size up to the full one.
        """
        maps = self.generator(code) + deepest
        pictures: list[torch.Tensor] = []
        for level in range(LEVELS):
            coarser = pictures[-1:]
            maps = self.get_submodule(f"decoder{level}")(torch.cat([maps, *coarser], 1))
            if level == _ATTENDED:
                maps = self.attn1(maps, encoded, resized(valid, encoded))
            if level >= _ATTENDED:
                pictures.append(self.get_submodule(f"out{level}")(maps))
        return pictures


class Discriminator(nn.Module):
    """Scores how real pictures look, patch by patch.

    Args:
        base_width: Channels of the finest level.
        largest_width: At most so many.
    """

    def __init__(self, base_width: int = 32, largest_width: int = 128) -> None:
        """Make all blocks, in the order of the checkpoints."""
        super().__init__()
        widths = _widths(base_width, largest_width)
        self.block0 = FirstBlock(widths[0])
        for level in range(LEVELS - 1):
            if level == 2:
                self.attn2 = Attention(widths[level])
            block = ResidualBlock(widths[level], widths[level], widths[level + 1], halve=True)
            self.add_module(f"encoder{level}", block)
        self.block1 = ResidualBlock(widths[-1], widths[-1], widths[-1])
        self.nonlinearity = nn.LeakyReLU(0.1)
        self.conv = SpectralConvolution(widths[-1], 1, padding=0)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Score: ``(N, 1, H / 32 - 2, W / 32 - 2)``, trained towards 1 for real, 0 for fake."""
        maps = self.block0(pictures)
        for level in range(LEVELS - 1):
            if level == 2:
                maps = self.attn2.short_term(maps)
            maps = self.get_submodule(f"encoder{level}")(maps)
        scores: torch.Tensor = self.conv(self.nonlinearity(self.block1(maps)))
        return scores


class CompletionNetwork(nn.Module):
    """What fills a hole: encoder and generator.

    Args:
        base_width: See `Generator`.
        largest_width: Likewise.
        latent: Likewise.
    """

    def __init__(self, base_width: int = 32, largest_width: int = 128, latent: int = 128) -> None:
        """Make both."""
        super().__init__()
        self.encoder = Encoder(base_width, largest_width, latent)
        self.generator = Generator(base_width, largest_width, latent)

    def forward(
        self, visible: torch.Tensor, valid: torch.Tensor, noise: torch.Generator | None
    ) -> torch.Tensor:
        """Fill.

        Args:
            visible: Pictures, 0 in the hole.
            valid: 1 where known.
            noise: Where the latent code is drawn from; None takes the mean of its prior.

        Returns:
            Pictures.
        """
        prior, features = self.encoder(visible)
        code = prior.loc if noise is None else _drawn(prior, noise)
        pictures: list[torch.Tensor] = self.generator(code, features[-1], features[ENCODED], valid)
        return pictures[-1]

    def both_paths(
        self,
        visible: torch.Tensor,
        hidden: torch.Tensor,
        valid: torch.Tensor,
        noise: torch.Generator,
    ) -> tuple[Normal, Normal, list[torch.Tensor], list[torch.Tensor]]:
        """Fill for training, with codes of the posterior and of the prior (section 3.2).

        Args:
            visible: Pictures, 0 in the hole.
            hidden: The same pictures, 0 outside of the hole.
            valid: 1 where known.
            noise: Where both codes are drawn from.

        Returns:
            Posterior and prior; pictures from 1/8 of the size up to the full one of the
            reconstructive path, and those of the generative path.
        """
        posterior, prior, features = self.encoder.both_paths(visible, hidden)
        codes = torch.cat([_drawn(each, noise) for each in (posterior, prior)])
        given = (torch.cat([each, each]) for each in (features[-1], features[ENCODED], valid))
        halves = [each.chunk(2) for each in self.generator(codes, *given)]
        return posterior, prior, [rebuilt for rebuilt, _ in halves], [new for _, new in halves]


def resized(valid: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """``valid`` at the size of other maps, fractional at the hole's edge."""
    return F.interpolate(valid, like.shape[-2:], mode="bilinear", align_corners=True)


def target_scale(valid: torch.Tensor) -> torch.Tensor:
    """Standard deviation of the prior that training aims for: the smaller the hole, the smaller.

    Returns:
        ``(N,)``.
    """
    share = valid.mean((1, 2, 3)) - 1e-5
    return torch.sigmoid(-8 * (share - 0.8))


def _widths(base_width: int, largest_width: int) -> list[int]:
    """Channels from the finest level to the coarsest."""
    return [min(base_width * 2**level, largest_width) for level in range(LEVELS)]


def _normal(maps: torch.Tensor) -> Normal:
    mean, raw = maps.chunk(2, 1)
    return Normal(mean, F.softplus(raw), validate_args=False)


def _drawn(distribution: Normal, generator: torch.Generator) -> torch.Tensor:
    mean, scale = distribution.loc, distribution.scale
    noise = torch.randn(mean.shape, generator=generator, device=generator.device)
    return mean + scale * noise.to(mean)
