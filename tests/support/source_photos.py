"""Photos and labelme's masks as the source report has them: five, of three cases."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.support.labelme import annotate, shape

BOXES = {  # as left, top, right and lower pixel, both of them hole
    "test_1_1": (10, 10, 14, 14),
    "test_1_2": (30, 5, 35, 9),
    "test_2_1": (10, 10, 30, 25),
    "test_2_2": (20, 8, 45, 30),
    "test_3_1": (2, 2, 55, 30),
}
_EXPORTED = {"test_1_2": "mask.png", "test_2_2": "label.png"}


def write_source_photos(folder: Path) -> Path:
    """Three photos with annotations, two exports, one of them with a copy of the photo only."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, (left, top, right, lower)) in enumerate(BOXES.items()):
        rng = np.random.default_rng(number)
        photo = Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8))
        if (file := _EXPORTED.get(name)) is None:
            photo.save(folder / f"{name}.png")
            corners = [[left, top], [right, lower]]
            annotate(folder / f"{name}.json", [shape("rectangle", corners)])
            continue
        own = folder / f"{name}_json"
        own.mkdir()
        photo.save(own / "img.png")
        photo.save(own / "label_viz.png")
        classes = np.zeros((40, 60), np.uint8)
        classes[top : lower + 1, left : right + 1] = 255 if file == "mask.png" else 1
        mask = Image.fromarray(classes)
        if file == "label.png":
            mask.putpalette([0, 0, 0, 128, 0, 0])
        mask.save(own / file)
    return folder
