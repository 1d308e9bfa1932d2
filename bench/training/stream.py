"""The stream of pictures and holes that every network is shown, a pure function of its seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from bench.training.photos import TrainingPhoto
from masks.tiers import generate, seed_of

# Each tier as often as its shapes were in the mix that the small weights were trained on.
_TIERS = ("small",) * 5 + ("region",) * 5 + ("large",) * 3 + ("outside",) * 2


@dataclass(frozen=True)
class Batch:
    """Pictures with holes.

    Attributes:
        images: The whole photos, ``(N, 3, S, S)`` in ``[0, 1]``; no network is given them.
        masks: ``(N, 1, S, S)``, 1 in the hole.
        start: Number of pictures seen before this batch, by all processes.
        progress: Share of the budget that is behind, 0 to 1.
        seed: For whatever is random in a step; it follows from seed and place in the stream.
        generator: For noise; it follows from the same.
    """

    images: torch.Tensor
    masks: torch.Tensor
    start: int
    progress: float
    seed: int
    generator: torch.Generator

    @property
    def blanked(self) -> torch.Tensor:
        """The photos with 0 in the hole."""
        return self.images * (1 - self.masks)

    def pasted(self, pictures: torch.Tensor) -> torch.Tensor:
        """Fills in ``[0, 1]`` in the hole, the photos' known pixels outside of it."""
        return self.blanked + pictures * self.masks


class Stream(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Photo after photo in a new order each round, cut, turned over, with a hole of any tier.

    Args:
        photos: What there is to see.
        crop: Side of the squares, in pixels.
        seed: Another seed is another order, other cuts and other holes.
    """

    def __init__(self, photos: Sequence[TrainingPhoto], crop: int, seed: int) -> None:
        """Keep these."""
        self._photos = photos
        self._crop = crop
        self.seed = seed
        self._shuffled: tuple[int, np.ndarray] = (-1, np.empty(0))

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The picture number ``index`` that is seen, and its hole, as uint8 and bool."""
        rounds, place = divmod(index, len(self._photos))
        photo = self._photos[self._order(rounds)[place]]
        rng = np.random.default_rng((self.seed, index))
        pixels = photo.pixels()
        top, left = (int(rng.integers(side - self._crop + 1)) for side in pixels.shape[:2])
        square = pixels[top : top + self._crop, left : left + self._crop]
        if rng.integers(2):
            square = square[:, ::-1]
        tier = _TIERS[int(rng.integers(len(_TIERS)))]
        seed = seed_of(self.seed, f"{photo.name}/{index}", tier, 0, self._crop, self._crop)
        hole = generate(tier, self._crop, self._crop, seed).mask
        planes = np.ascontiguousarray(square.transpose(2, 0, 1))
        return torch.from_numpy(planes), torch.from_numpy(hole[None])

    def _order(self, rounds: int) -> np.ndarray:
        """The order of a round; the last one is kept."""
        if self._shuffled[0] != rounds:
            rng = np.random.default_rng((self.seed, rounds))
            self._shuffled = (rounds, rng.permutation(len(self._photos)))
        return self._shuffled[1]


def batches(
    stream: Stream,
    first: int,
    budget: int,
    size: int,
    device: torch.device,
    workers: int = 0,
    share: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
    """Go through the stream.

    Args:
        stream: What is seen.
        first: Number of pictures seen before.
        budget: Number of pictures after which to stop; the last batch is filled up past it.
        size: Pictures of a batch.
        device: Where batches are put.
        workers: Processes that read ahead.
        share: Which of how many equal parts of each batch is wanted, counted from 0.
    """
    own = size // share[1]
    starts = range(first, budget, size)
    places = [start + share[0] * own for start in starts]
    picked = [list(range(place, place + own)) for place in places]
    loader = DataLoader(stream, batch_sampler=picked, num_workers=workers)
    for start, place, (images, masks) in zip(starts, places, loader, strict=True):
        seed = seed_of(stream.seed, "step", "", place, 0, 0)
        yield Batch(
            images.to(device).float() / 255,
            masks.to(device).float(),
            start,
            start / budget,
            seed,
            torch.Generator(device).manual_seed(seed + 1),
        )
