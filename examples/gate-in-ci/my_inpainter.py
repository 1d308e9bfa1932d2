"""The method of this project: what the gate watches over."""

import cv2
import numpy as np

from methods.base import PictureInpainter
from methods.card import Card


class MyInpainter(PictureInpainter):
    """Fills from the border of the hole inwards."""

    card = Card("mine", "My inpainter", "diffusion-based")
    radius = 3

    def fill_picture(self, picture, hole, generator):
        """Fill one picture, uint8 ``(H, W, 3)``, in the hole, bool ``(H, W)``."""
        return cv2.inpaint(picture, hole.astype(np.uint8), self.radius, cv2.INPAINT_TELEA)
