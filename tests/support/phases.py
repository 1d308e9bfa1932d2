"""A method and a metric that tell in a file what they are at, so that a test can strike then."""

import os
import time
from pathlib import Path

from bench.metrics.record import case_metric
from methods.base import Fill, Inpainter
from methods.card import Card

# Not by its name where it is read: what is read by name is part of an identity.
TOLD = "PHASES_TOLD"


def tell(phase: str) -> None:
    """Add a line, as whoever reads the file sees it: whole or not at all."""
    if path := os.environ.get(TOLD):
        with Path(path).open("a") as file:
            file.write(f"{phase}\n")
        time.sleep(0.1)  # so that the phase can be hit


class Tells(Inpainter):
    """Fills with the mean colour, slowly, and shows a picture beside."""

    card = Card("tells", "Tells", "elsewhere")

    def infer(self, images, masks, generator):
        tell("filling")
        mean = images.mean((2, 3), keepdim=True)
        return Fill(images + masks * mean, {"passes": 7}, {"mean": mean.expand_as(images)})


@case_metric(direction="lower")
def told(output, photo, hole):
    """Mean level of the fill, slowly."""
    tell("measuring")
    return float(output[hole].mean())
