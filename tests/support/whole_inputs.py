"""Whole examples of all that is read, whose damaged forms readers are fuzzed with."""

import io
import json
import pickle
import tarfile
import zipfile
from functools import cache

import numpy as np
import torch
from PIL import Image

from tests.support import annotation_files as annotated
from tests.support import frozen_graphs, labelme


def picture(kind: str, pixels: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


@cache
def pictures() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    hole = (colour[..., 0] > 128).astype(np.uint8) * 255
    stream = io.BytesIO()
    np.save(stream, hole > 0)
    kinds = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")
    found = {f".{kind.lower()}": picture(kind, colour) for kind in kinds}
    return found | {".mask.png": picture("PNG", hole), ".npy": stream.getvalue()}


def text(content: object) -> bytes:
    return (content if isinstance(content, str) else json.dumps(content)).encode()


@cache
def annotation_kinds() -> dict[str, dict[str, bytes]]:
    star = annotated.star(1)
    flat = star.ravel().round(1).tolist()
    shapes = [labelme.SQUARE, labelme.shape("circle", [[20, 20], [25, 20]]),
              labelme.shape("rectangle", [[1, 2], [9, 9]]), labelme.shape("line", [[1, 2], [9, 9]]),
              labelme.shape("mask", [[1, 2], [4, 5]], mask=labelme.encoded(np.ones((4, 4), bool)))
              ]  # fmt: skip
    sheet = {"version": "5.7.0", "shapes": shapes, "imageHeight": 40, "imageWidth": 60}
    records = [{"segmentation": [flat]}, {"bbox": [1, 2, 30, 40], "category_id": 2},
               {"segmentation": {"size": [300, 400], "counts": [10, 20, 119_970]}, "iscrowd": 1}
               ]  # fmt: skip
    regions = [(annotated.via_polygon(star), {"kind": "cat"}),
               ({"name": "circle", "cx": 9, "cy": 8, "r": 7}, {}),
               ({"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}, {})]  # fmt: skip
    table = (
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
        'region_attributes\nit.png,1,"{}",1,0,"{""name"":""rect"",""x"":1,""y"":2,""width"":3,'
        '""height"":4}","{}"\n'
    )
    polygon = f'<polygon label="cat" points="{annotated.cvat_points(star)}" occluded="0"/>'
    box = '<box label="dog" xtl="1.5" ytl="2" xbr="30" ybr="40" rotation="10"/>'
    mask = '<mask label="cat" rle="3, 5, 4" left="2" top="2" width="4" height="3"/>'
    return {
        "labelme": {".json": text(sheet)},
        "coco": {".json": text(annotated.coco({"it.png": records, "other.png": records[:1]}))},
        "via": {".json": text(annotated.via({"it.png": regions})), ".csv": text(table)},
        "cvat": {".xml": text(annotated.cvat({"it.png": [polygon, box, mask]}))},
        "yolo": {".txt": b"0 0.5 0.5 0.2 0.3\n1 0.1 0.1 0.4 0.1 0.3 0.5\n"},
    }


class Runs:
    """What a hostile pickle calls."""

    def __reduce__(self):
        return (print, ("code of a file was run",))


@cache
def weight_files() -> dict[str, bytes]:
    from safetensors.torch import save

    tensors = {"module.a.weight": torch.arange(12.0).reshape(3, 4), "b": torch.ones(2).half()}
    new, old, checkpoint = io.BytesIO(), io.BytesIO(), io.BytesIO()
    torch.save(tensors, new)
    torch.save(tensors, old, _use_new_zipfile_serialization=False)
    torch.save({"state_dict": {f"generator.{n}": t for n, t in tensors.items()}}, checkpoint)
    array, packed = io.BytesIO(), io.BytesIO()
    np.save(array, np.arange(6.0))
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("best.ckpt", checkpoint.getvalue())
    hostile = {".2.pt": pickle.dumps({"a": Runs()}), ".3.pt": pickle.dumps(Runs(), 0)}
    return {".pt": new.getvalue(), ".1.pt": old.getvalue(), ".ckpt": checkpoint.getvalue(),
            ".safetensors": save(tensors), ".npy": array.getvalue(), ".zip": packed.getvalue(),
            **hostile}  # fmt: skip


def graph_of(rng: np.random.Generator) -> bytes:
    kernel, bias = rng.random((3, 3, 2, 4), np.float32), rng.random(4, np.float32)
    return frozen_graphs.frozen({"a/kernel": kernel, "a/bias": bias})


@cache
def golden() -> bytes:
    stream = io.BytesIO()
    cases = {"one": {"inputs": [{"array": "x"}], "arrays": ["x"]}}
    meta = {"format": 1, "method": "m", "reference": "r", "cases": cases}
    np.savez(stream, meta=json.dumps(meta), x=np.ones((2, 3)))
    return stream.getvalue()


def archive(mode: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:
        for number in range(50):
            data = picture("PNG", np.full((9, 9, 3), number, np.uint8))
            member = tarfile.TarInfo(f"{number}.jpg")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def features_of(rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, sha=np.array(["0123456789abcdef"] * 3), values=rng.random((3, 8)))
    return stream.getvalue()


PAIRS = "photo,mask,truth,cluster,prompt,group\na.png,m.png,a.png,one,a cat,animals\n"
COMMAND = """command = "python3 fill.py {images} {masks} {out}"
form = "batch"
env = {A = "b"}
[card]
title = "Mine"
summary = "fills"
[size]
kind = "multiple"
of = 8
"""
TENSORS = dict.fromkeys(("onnx", "torchscript"), 'file = "net"\nlayout = "NHWC"\nvalues = "0..1"\n'
                        'hole = 1\npastes = true\n[card]\ntitle = "Mine"\n')  # fmt: skip
LABELS = ("mine=lama:best.ckpt", "a=module:Class(x=1, y='z')", "f=folder:./outputs", "telea",
          "lama:big-lama", 'c=command:x.toml(timeout=3, t="a,b")')  # fmt: skip
OPTIONS = (
    "--methods telea,noise --images . --size 64 --tiers small,region --shard 1/3 --workers 2",
    "--metrics psnr_db,x=y:z --samples 3 --seed 3 --draws 2 --tiers large --limit 4",
    "--images . --masks . --mask-threshold 3 --pairing name --device cuda:1 --timeout 5",
)
