"""Everything that reads a file or a text of a user's, with whole examples of what it reads."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bench.cli import _parser as parser
from bench.cli import run as run_command
from bench.compare import asked
from bench.compare.runs import compare_within
from bench.errors import BenchError
from bench.folder import latency_facts
from bench.folder.read import read_run
from bench.folder.store import RunFolder
from bench.gate import baseline, baseline_file
from bench.planning import images, pairs
from bench.planning.layouts import laid_out
from bench.planning.protocol import Protocol
from bench.protocols.read import _FOLDER, get, parsed
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
from tests.support import gate_results, made_up_latency, protocol_folders, sample_run
from tests.support import whole_inputs as whole

ANY = Checkpoint("any", "any.ckpt")
FAMILIES = sorted(_FOLDER.glob("*.toml"))[::5]
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


def drawn(path: Path) -> None:
    """Draw all that an annotation holds."""
    for mask in (annotations.entries(path) or {"": MaskFile(path)}).values():
        files.read(mask, files.Rules(), (60, 80))


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
            if name in ("cases.parquet", "metrics.parquet", "run.json"):
                compare_within(asked.read(folder / "run"))
                baseline.read_run(folder / "run")
            if name == "latency.json":
                latency_facts.read(RunFolder(folder / "run"))
        finally:
            target.write_bytes(run_files(folder)[name])

    data = run_files(folder)[name]
    if name == "run.json":  # without it edits are read
        facts = json.loads(data)
        del facts["checksum"]
        data = whole.text(facts)
    return Reader({Path(name).suffix: data}, read)


def features(path: Path) -> None:
    folder = path.parent / "features" / "net"
    folder.mkdir(parents=True, exist_ok=True)
    path.replace(folder / "it.npz")
    RunFolder(path.parent).read_features("net")


def a_baseline(folder: Path) -> bytes:
    path = folder / "baseline.json"
    baseline_file.write(path, gate_results.results(gate_results.cases("a", "b")))
    return path.read_bytes()


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


def family(path: Path) -> None:
    """Published protocols, in whichever letters."""
    for published in parsed(path.read_bytes().decode("utf-8", "replace"), path.name):
        assert published.name


def laid(name: str, file: str, folder: Path) -> Reader:
    """A list of a published layout, whose other files are whole."""
    published = get(name)
    home = folder / f"{name}-{Path(file).name}"
    shutil.rmtree(home, ignore_errors=True)
    protocol_folders.write(published, home)
    target = home / file

    def read(path: Path) -> None:
        target.write_bytes(path.read_bytes())
        for photo in laid_out(published, home).photos:
            for mask in photo.masks or ():
                files.read(mask, files.Rules(), (72, 64))

    return Reader({Path(file).suffix: target.read_bytes()}, read)


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
        "photo": Reader(whole.pictures(), images.read),
        "mask": Reader(
            {
                name: data
                for name, data in whole.pictures().items()
                if name in (".mask.png", ".npy")
            },
            lambda path: classes.hole(decode(path.read_bytes(), "x"), 128, (), "x"),
        ),
        **{name: Reader(whole, drawn) for name, whole in whole.annotation_kinds().items()},
        "pairs": Reader({".csv": whole.text(whole.PAIRS)}, paired),
        "protocols": Reader(
            {f".{n}.toml": path.read_bytes() for n, path in enumerate(FAMILIES)}, family
        ),
        **{
            f"{name} {Path(file).suffix}": laid(name, file, folder)
            for name, file in (
                ("brushbench-inside", "mapping_file.json"),
                ("hdpainter-coco", get("hdpainter-coco").data.masks),
                ("hdpainter-coco", get("hdpainter-coco").data.names),
                ("zits-places", get("zits-places").data.names),
            )
        },
        "listing": Reader({".txt": b"photo_mask001.png"}, listed),
        "weights": Reader(whole.weight_files(), weights),
        "frozen graph": Reader({".pb": whole.graph_of(rng)}, graph),
        "golden": Reader({".npz": whole.golden()}, case.read),
        "archive": Reader(
            {".tar": whole.archive("w"), ".1.tar": whole.archive("w:gz")},
            lambda path: photos.read([path], 8),
        ),
        "card": Reader({".json": card.read_bytes()}, carded),
        "ledger": Reader({".jsonl": blocks[:3000].rpartition(b"\n")[0]}, ledger.read),
        "command": Reader(
            {".toml": whole.text(whole.COMMAND)}, lambda path: Command("it", str(path))
        ),
        **{
            kind: Reader({".toml": whole.text(facts)}, stated(kind))
            for kind, facts in whole.TENSORS.items()
        },
        "baseline": Reader({".json": a_baseline(folder)}, baseline.read),
        "run.json": run_file("run.json", folder),
        "latency.json": run_file("latency.json", folder),
        **{f"{name}.parquet": run_file(f"{name}.parquet", folder) for name in tables},
        "features": Reader({".npz": whole.features_of(rng)}, features),
        "labels": Reader({f".{n}": whole.text(each) for n, each in enumerate(whole.LABELS)}, label),
        "options": Reader(
            {f".{n}": whole.text(each) for n, each in enumerate(whole.OPTIONS)}, options
        ),
    }
