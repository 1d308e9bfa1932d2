"""ICT's first stage: a transformer that sees all colour tokens at once, the known and the masked.

Wan, Zhang, Chen, Liao, High-Fidelity Pluralistic Image Completion with Transformers, ICCV 2021,
section 3.1. Names of modules are those of the published checkpoints.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

_INITIAL_DEVIATION = 0.02


class SigmoidGELU(nn.Module):
    """The approximation ``x sigmoid(1.702 x)``, which all released weights were trained with."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply it to each element."""
        return x * torch.sigmoid(1.702 * x)


ACTIVATIONS: dict[str, type[nn.Module]] = {"sigmoid GELU": SigmoidGELU, "erf GELU": nn.GELU}


class Attention(nn.Module):
    """Attention of several heads, every position to every position: nothing is hidden.

    Args:
        width: Of the features; a multiple of ``heads``.
        heads: How many.
    """

    def __init__(self, width: int, heads: int) -> None:
        """Make the four maps."""
        super().__init__()
        self.heads = heads
        self.key = nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.proj = nn.Linear(width, width)

    def forward(self, asking: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """Attend.

        Args:
            asking: ``(N, Q, C)``, positions to answer for.
            context: ``(N, T, C)``, positions to look at.

        Returns:
            ``(N, Q, C)``.
        """
        query = self._heads(self.query(asking))
        key, value = self._heads(self.key(context)), self._heads(self.value(context))
        # Fused: the T x T scores, 170 MB a layer at 48 x 48 tokens, are never stored.
        answers = F.scaled_dot_product_attention(query, key, value)
        return self.proj(answers.transpose(1, 2).flatten(2))

    def _heads(self, features: torch.Tensor) -> torch.Tensor:
        return features.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """Attention and a two-layer network, each added to its normalised input.

    Args:
        width: Of the features.
        heads: Of the attention.
        activation: One of `ACTIVATIONS`.
    """

    def __init__(self, width: int, heads: int, activation: str) -> None:
        """Make the layers, in the order of the checkpoints."""
        super().__init__()
        self.ln1 = nn.LayerNorm(width)
        self.ln2 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), ACTIVATIONS[activation](), nn.Linear(4 * width, width)
        )

    def forward(self, x: torch.Tensor, places: torch.Tensor | None = None) -> torch.Tensor:
        """Transform ``(N, T, C)``; with ``places``, ``(N, Q)``, give those positions only."""
        normal = self.ln1(x)
        if places is None:
            x = x + self.attn(normal, normal)
        else:
            here = places[..., None]
            x = x.take_along_dim(here, 1) + self.attn(normal.take_along_dim(here, 1), normal)
        return x + self.mlp(self.ln2(x))


class Transformer(nn.Module):
    """Predict the colour token of each masked position from all others.

    Args:
        positions: Longest sequence.
        layers: Number of blocks.
        width: Of the features.
        heads: Of the attention.
        vocabulary: Number of colours.
        activation: One of `ACTIVATIONS`.
    """

    def __init__(
        self,
        positions: int,
        layers: int,
        width: int,
        heads: int,
        vocabulary: int = 512,
        activation: str = "sigmoid GELU",
    ) -> None:
        """Make the layers, in the order of the checkpoints, with the values training starts from.

        The published files hold a causal mask per layer besides, which nothing ever used.
        """
        super().__init__()
        self.pos_emb = nn.Parameter(torch.empty(1, positions, width))
        self.tok_emb = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads, activation) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.apply(_initialise)
        nn.init.normal_(self.pos_emb, std=_INITIAL_DEVIATION)

    def embed(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Give the input of the first block: ``(N, T, C)``; a masked position is its place only."""
        known = self.tok_emb(tokens) * ~mask[..., None]
        return known + self.pos_emb[:, : tokens.shape[1]]

    def forward(
        self, tokens: torch.Tensor, mask: torch.Tensor, places: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Predict.

        Args:
            tokens: ``(N, T)`` integers; under the mask they are of no account.
            mask: ``(N, T)`` bool, True where the token is masked. T may be less than ``positions``.
            places: ``(N, Q)``, positions wanted; all if omitted. The last block then leaves the
                others out, which saves about 3 %; earlier blocks need every position.

        Returns:
            Logits ``(N, T or Q, vocabulary)``.
        """
        x = self.embed(tokens, mask)
        *earlier, last = self.blocks
        for block in earlier:
            x = block(x)
        return self.head(self.ln_f(last(x, places)))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=_INITIAL_DEVIATION)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
