"""Annotations as labelme writes them."""

import base64
import io
import json

from PIL import Image


def annotate(path, shapes, **content):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"imageHeight": 40, "imageWidth": 60, **content}
    content = {key: value for key, value in content.items() if value is not ...}
    path.write_text(json.dumps({"version": "5.7.0", "shapes": shapes, **content}), "utf-8")
    return path


def shape(kind, points, label="thing", **more):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, **more}


def encoded(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


SQUARE = shape("polygon", [[10, 10], [20, 10], [20, 20], [10, 20]])
