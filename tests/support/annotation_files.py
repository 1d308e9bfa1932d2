"""Annotations of many tools: one star, box, disc, ... written in every form."""

import json

import numpy as np

HEIGHT, WIDTH = 300, 400
SIZE = (HEIGHT, WIDTH)


def star(seed, corners=24):
    """A simple polygon, reaching beyond the picture for some seeds."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(50, 130, corners)
    centre = rng.uniform((100, 80), (300, 220))
    return centre + np.stack((np.cos(angle), np.sin(angle)), 1) * radius[:, None]


def coco(photos, categories=("cat", "dog")):
    """``photos``: name to records without ids; ``category`` counts from 1."""
    images, annotations = [], []
    for number, (name, records) in enumerate(photos.items()):
        images.append({"id": number, "file_name": name, "height": HEIGHT, "width": WIDTH})
        annotations += [
            {"id": len(annotations) + at, "image_id": number, "category_id": 1, "iscrowd": 0} | each
            for at, each in enumerate(records)
        ]
    named = [{"id": number, "name": name} for number, name in enumerate(categories, 1)]
    return {"images": images, "annotations": annotations, "categories": named}


def via(photos):
    """``photos``: name to pairs of shape attributes and region attributes."""
    return {
        f"{name}123": {
            "filename": name,
            "size": 123,
            "regions": [
                {"shape_attributes": shape, "region_attributes": region}
                for shape, region in regions
            ],
            "file_attributes": {},
        }
        for name, regions in photos.items()
    }


def via_polygon(points):
    x, y = np.asarray(points).T.tolist()
    return {"name": "polygon", "all_points_x": x, "all_points_y": y}


def cvat(photos):
    """``photos``: name to elements as text."""
    images = "".join(
        f'<image id="{number}" name="{name}" width="{WIDTH}" height="{HEIGHT}">'
        + "".join(elements)
        + "</image>"
        for number, (name, elements) in enumerate(photos.items())
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta><task>'
        "<labels><label><name>cat</name></label><label><name>dog</name></label></labels>"
        f"</task></meta>{images}</annotations>"
    )


def cvat_points(points):
    return ";".join(f"{x:.2f},{y:.2f}" for x, y in points)


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path
