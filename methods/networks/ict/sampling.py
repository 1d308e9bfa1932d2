"""Draw the masked tokens from the transformer, in raster order."""

from __future__ import annotations

from collections.abc import Callable

import torch

from methods.networks.ict.transformer import Transformer

TOP_K = 40  # of the released models

Draw = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""From probabilities (float64 ``(n, V)``, on the CPU), the rows of the batch that they are for and
the number of each row's visit (both ``(n,)``, from 0) to tokens, ``(n,)``."""


def fill(
    network: Transformer,
    tokens: torch.Tensor,
    mask: torch.Tensor,
    draw: Draw,
    per_pass: int = 1,
    top_k: int = TOP_K,
) -> tuple[torch.Tensor, int]:
    """Replace masked tokens, each drawn once and known from then on.

    One token per pass is the published schedule, and there is no cheaper way to the same
    distribution: attention goes both ways, so each new token changes the features of all
    positions, and keys and values cannot be kept from pass to pass as causal models do. Several
    per pass, drawn independently of each other, are another distribution.

    Args:
        network: The transformer, in eval mode.
        tokens: ``(N, T)`` integers.
        mask: ``(N, T)`` bool, True where a token is to be drawn; rows may differ.
        draw: What chooses.
        per_pass: How many tokens of a row are drawn from one pass.
        top_k: Only the k likeliest colours can be drawn, with those that equal the last of them.

    Returns:
        Tokens ``(N, T)``, and the number of passes: of the row with most masked tokens, as rows
        that are finished leave the batch.
    """
    tokens, hidden = tokens.clone(), mask.clone()
    visits = mask.cumsum(1) - 1
    starts = range(0, int(mask.sum(1).max()), per_pass)
    for start in starts:
        due = mask & (visits >= start) & (visits < start + per_pass)
        busy = due.any(1).nonzero()[:, 0]
        places = _places(due[busy])
        logits = network(tokens[busy], hidden[busy], places)
        wanted = due[busy].gather(1, places)
        rows, columns = busy[:, None].expand_as(places)[wanted], places[wanted]
        chances = probabilities(logits[wanted], top_k)
        drawn = draw(chances.cpu().double(), rows.cpu(), visits[rows, columns].cpu())
        tokens[rows, columns] = drawn.to(tokens.device)
        hidden[rows, columns] = False
    return tokens, len(starts)


def probabilities(logits: torch.Tensor, top_k: int) -> torch.Tensor:
    """Softmax over the k largest of ``(n, V)``; all that equal the k-th stay."""
    least = logits.topk(min(top_k, logits.shape[-1])).values[:, -1:]
    return logits.masked_fill(logits < least, -torch.inf).softmax(-1)


def by_uniforms(uniforms: torch.Tensor) -> Draw:
    """Draw by inverting the cumulative distribution, in the order of the palette.

    Args:
        uniforms: float64 in ``[0, 1)``, ``(N, M)``: one number per row and visit.
    """

    def draw(chances: torch.Tensor, rows: torch.Tensor, visits: torch.Tensor) -> torch.Tensor:
        return (cumulative(chances) <= uniforms[rows, visits, None]).sum(-1)

    return draw


def cumulative(chances: torch.Tensor) -> torch.Tensor:
    """Cumulative distribution of ``(n, V)``, its last entry exactly 1."""
    sums = chances.cumsum(-1)
    return sums / sums[:, -1:]


def uniforms(mask: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw one uniform per masked token, row after row, in raster order within each.

    So the first row's numbers do not depend on the others.

    Args:
        mask: ``(N, T)`` bool.
        generator: On the CPU.

    Returns:
        float64 ``(N, M)``, M of the row with most masked tokens; the rest of a row is 0.
    """
    counts = mask.sum(1).tolist()
    numbers = torch.zeros(len(counts), max(counts), dtype=torch.float64)
    for row, count in zip(numbers, counts, strict=True):
        row[:count] = torch.rand(count, generator=generator, dtype=torch.float64)
    return numbers


def _places(due: torch.Tensor) -> torch.Tensor:
    """Positions that are due, ``(n, Q)``, in raster order; rows that have fewer are filled up."""
    most = int(due.sum(1).max())
    return due.int().sort(dim=1, descending=True, stable=True).indices[:, :most]
