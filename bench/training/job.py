"""What is asked of a training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingJob:
    """A training.

    Attributes:
        method: Name of a learnable method.
        images: Folders or archives of photos.
        out: Folder of the training.
        budget: Pictures to be seen by the network that fills; 0 where `rounds` says it.
        config: Name of a configuration on the method's card.
        seed: Of first weights and of the stream.
        batch: Pictures of a step.
        crop: Side of the squares, in pixels.
        block: Pictures of a row in the ledger; after each the state is saved.
        device: As torch writes it; the kind only, where there are several.
        devices: How many; each takes its share of every batch.
        precision: ``32-true`` or ``bf16-mixed``.
        workers: Processes that read ahead.
        terms_of_use: Of the photos, for the card.
        networks: Whether terms that need a downloaded network take part: ``found`` where it is
            here, ``fetch`` after getting it, ``none`` not at all.
        network_weights: Its file, or the folder that holds it, if not where weights usually are.
        start: Name of a method whose weights are gone on from; empty to draw the first ones.
        rounds: How often all photos are seen, instead of a budget.
    """

    method: str
    images: tuple[Path, ...]
    out: Path
    budget: int
    config: str = "small"
    seed: int = 0
    batch: int = 8
    crop: int = 128
    block: int = 800
    device: str = "cpu"
    devices: int = 1
    precision: str = "32-true"
    workers: int = 0
    terms_of_use: str = "not stated"
    networks: str = "found"
    network_weights: Path | None = None
    start: str = ""
    rounds: int = 0

    @property
    def weights(self) -> Path:
        """Where the weights will be."""
        return self.out / f"{self.method}-{self.config}.safetensors"

    @property
    def ledger(self) -> Path:
        """Where the ledger is kept."""
        return self.weights.with_suffix(".jsonl")
