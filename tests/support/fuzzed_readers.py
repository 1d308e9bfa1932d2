"""Everything that reads a file or a text of a user's, with whole examples of what it reads."""

import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.cli import _parser as parser
from bench.cli import run as run_command
from bench.errors import BenchError
from bench.folder import latency_facts
from bench.folder.read import read_run
from bench.folder.store import RunFolder
from bench.gate import baseline, baseline_file
from bench.planning import images, pairs
from bench.planning.protocol import Protocol
from bench.training import ledger, photos
from masks import annotations, classes, files, listing
from masks.mask_file import MaskFile
from masks.picture import decode
from methods import naming
from methods.adapters import statement, tensor_facts
from methods.adapters.command import Command
from methods.card import trained
from methods.parameters import apart, parse
from methods.verification import case
from methods.weights import Checkpoint, frozen_graph, load, load_archive
from tests.support import annotation_files as annotated
from tests.support import frozen_graphs, gate_results, labelme, made_up_latency, sample_run

ANY = Checkpoint("any", "any.ckpt")
NAME = "it"  # of the file that is read, without its suffix


@dataclass(frozen=True)
class Reader:
    """What reads.

    Attributes:
        whole: Files that it can read, each by its suffix and a number.
        read: Reads a file of such a suffix; its folder holds nothing else.
    """

    whole: dict[str, bytes]
    read: Callable[[Path], object]


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


def drawn(path: Path) -> None:
    """Draw all that an annotation holds."""
    for mask in (annotations.entries(path) or {"": MaskFile(path)}).values():
        files.read(mask, files.Rules(), (60, 80))


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


def weights(path: Path) -> None:
    """Read it as a file of tensors, and as one that holds a network's among other things."""
    read = []
    for prefix in (None, "generator."):
        try:
            found = load(path, ANY) if prefix is None else load_archive(path, ANY, prefix)
            read.append(found)
        except BenchError as error:
            refused = error
    if not read:
        raise refused


def graph(path: Path) -> None:
    frozen_graph.constants(frozen_graph.read(path))


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


@cache
def run_files(folder: Path) -> dict[str, bytes]:
    """The files at the top of a run folder."""
    sample_run.write_run(folder / "run")
    made_up_latency.write(folder / "run")
    return {path.name: path.read_bytes() for path in (folder / "run").iterdir() if path.is_file()}


def run_file(name: str, folder: Path) -> Reader:
    """A file of a run folder whose other files are whole."""

    def read(path: Path) -> None:
        target = folder / "run" / name
        target.write_bytes(path.read_bytes())
        try:
            read_run(folder / "run")
            if name == "latency.json":
                latency_facts.read(RunFolder(folder / "run"))
        finally:
            target.write_bytes(run_files(folder)[name])

    return Reader({Path(name).suffix: run_files(folder)[name]}, read)


def features(path: Path) -> None:
    folder = path.parent / "features" / "net"
    folder.mkdir(parents=True, exist_ok=True)
    path.replace(folder / "it.npz")
    RunFolder(path.parent).read_features("net")


def features_of(rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, sha=np.array(["0123456789abcdef"] * 3), values=rng.random((3, 8)))
    return stream.getvalue()


def a_baseline(folder: Path) -> bytes:
    path = folder / "baseline.json"
    baseline_file.write(path, gate_results.results(gate_results.cases("a", "b")))
    return path.read_bytes()


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


def in_words(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def label(path: Path) -> None:
    words = in_words(path)
    naming.parse(words)
    parse(apart(words)[1])


def options(path: Path) -> None:
    words = in_words(path).split()
    try:
        found = parser().parse_args(["run", *words])
    except SystemExit as end:  # as argparse ends, after it said why
        if end.code != 2:
            raise
        raise BenchError from end
    run_command.asked(found)


def stated(kind: str) -> Callable[[Path], object]:
    """What is stated of a file; the file itself is read in a worker, as it is a program."""

    def read(path: Path) -> None:
        found = statement.stated(kind, path)
        tensor_facts.checked(found.facts, str(found.path))

    return read


def paired(path: Path) -> None:
    pairs.read_pairs(Protocol(photos=str(path.parent), pairs=str(path)))


def listed(path: Path) -> None:
    """A folder with a file of such a name."""
    words = path.read_bytes()[:200].replace(b"/", b"").replace(b"\0", b"").strip(b".")
    folder = path.parent / "masks"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")
    if words:
        (folder / words.decode("utf-8", "surrogateescape")).write_bytes(b"")
    listing.find_masks(folder)


def carded(path: Path) -> None:
    trained(path.parent)


def readers(folder: Path) -> dict[str, Reader]:
    """All readers by name.

    Args:
        folder: Where they may keep what is whole.
    """
    rng = np.random.default_rng(0)
    tables = ("plan", "cases", "metrics", "methods", "sets", "inputs", "latency")
    card = Path(__file__).parents[2] / "methods" / "small" / "pennet-small.json"
    blocks = card.with_suffix(".jsonl").read_bytes()
    return {
        "photo": Reader(pictures(), images.read),
        "mask": Reader(
            {name: data for name, data in pictures().items() if name in (".mask.png", ".npy")},
            lambda path: classes.hole(decode(path.read_bytes(), "x"), 128, (), "x"),
        ),
        **{name: Reader(whole, drawn) for name, whole in annotation_kinds().items()},
        "pairs": Reader({".csv": text(PAIRS)}, paired),
        "listing": Reader({".txt": b"photo_mask001.png"}, listed),
        "weights": Reader(weight_files(), weights),
        "frozen graph": Reader({".pb": graph_of(rng)}, graph),
        "golden": Reader({".npz": golden()}, case.read),
        "archive": Reader(
            {".tar": archive("w"), ".1.tar": archive("w:gz")},
            lambda path: photos.read([path], 8),
        ),
        "card": Reader({".json": card.read_bytes()}, carded),
        "ledger": Reader({".jsonl": blocks[:3000].rpartition(b"\n")[0]}, ledger.read),
        "command": Reader({".toml": text(COMMAND)}, lambda path: Command("it", str(path))),
        **{kind: Reader({".toml": text(facts)}, stated(kind)) for kind, facts in TENSORS.items()},
        "baseline": Reader({".json": a_baseline(folder)}, baseline.read),
        "run.json": run_file("run.json", folder),
        "latency.json": run_file("latency.json", folder),
        **{f"{name}.parquet": run_file(f"{name}.parquet", folder) for name in tables},
        "features": Reader({".npz": features_of(rng)}, features),
        "labels": Reader({f".{n}": text(each) for n, each in enumerate(LABELS)}, label),
        "options": Reader({f".{n}": text(each) for n, each in enumerate(OPTIONS)}, options),
    }
