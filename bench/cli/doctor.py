"""``inpaint-bench doctor``: what is here, what is missing, and what mends it."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from bench.cli.arguments import Commands
from bench.errors import describe
from bench.text.plain import one_line

_ROOM = 1.0  # GB that the default job and the weights of its metrics take at most


class Finding(NamedTuple):
    """One thing looked at, and the command that mends it.

    Its state is ``ok``, ``missing`` (one can do without) or ``broken``.
    """

    part: str
    name: str
    state: str
    detail: str
    mend: str = ""


def add(commands: Commands) -> None:
    """Describe the command."""
    doctor = commands.add_parser(
        "doctor",
        help="look at packages, devices, disk and weights; say what mends what is wrong",
        epilog="exit status: 0 nothing is broken, 1 something is",
    )
    doctor.set_defaults(command=_doctor)
    doctor.add_argument("--out", type=Path, default=Path("runs"), help="where runs are to go")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")


def _doctor(options: argparse.Namespace) -> int:
    findings = [*_packages(), *_machine(), *_devices(), *_folders(options.out), *_weights()]
    states = [each.state for each in findings]
    if options.json:
        print(json.dumps([each._asdict() for each in findings], indent=1))
    else:
        width = max(len(each.name) for each in findings)
        for part, name, state, detail, mend in findings:
            mended = f"; run: {mend}" if mend else ""
            print(f"{state:8} {part:8} {name:{width}}  {one_line(detail)}{mended}")
        missing = states.count("missing")
        print(f"{states.count('broken')} broken, {missing} missing that can be done without")
    return 1 if "broken" in states else 0


def _packages() -> Iterator[Finding]:
    """Each package that is needed: here, in the range asked for, and loading."""
    from packaging.requirements import Requirement

    modules = {
        re.sub(r"[-_.]+", "-", package).lower(): module
        for module, packages in metadata.packages_distributions().items()
        for package in packages
        if not module.startswith("_")
    }
    for asked in map(Requirement, metadata.requires("inpaint-bench") or ()):
        if asked.marker and not asked.marker.evaluate({"extra": ""}):
            continue
        try:
            version, why = metadata.version(asked.name), ""
            if not asked.specifier.contains(version, prereleases=True):
                why = f"expected {asked.specifier}, found {version}"
            importlib.import_module(modules.get(asked.name.lower(), asked.name))
        except metadata.PackageNotFoundError:
            why = f"expected {asked.specifier}, not installed"
        except Exception as error:  # whatever a half-installed library does
            why = f"{version} does not load: {describe(error)}"
        if why:
            mend = f"pip install --force-reinstall '{asked.name}{asked.specifier}'"
            yield Finding("package", asked.name, "broken", why, mend)
        else:
            yield Finding("package", asked.name, "ok", version)


def _machine() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    free = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    yield Finding("machine", "python", "ok", platform.python_version())
    yield Finding("machine", "cores", "ok", str(os.cpu_count()))
    yield Finding("machine", "memory", "ok", free)
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    mend = "apt install chromium" if shutil.which("apt") and not browser else ""
    words = browser or "only the tests of reports need it"
    yield Finding("browser", "chromium", "ok" if browser else "missing", words, mend)


def _devices() -> Iterator[Finding]:
    try:
        import torch
    except Exception:  # said of the package
        return
    yield Finding("device", "cpu", "ok", f"{torch.get_num_threads()} threads")
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        words = f"{card.name}, {card.total_memory / 1e9:.0f} GB"
        yield Finding("device", f"cuda:{index}", "ok", words)
    if not torch.cuda.device_count():
        driver = shutil.which("nvidia-smi")
        words = (
            f"torch is made for CUDA {torch.version.cuda or '(none)'}, driver: {driver or 'none'}"
        )
        # With a driver but a torch that cannot use it, torch is the wrong one.
        mend = "pip install --force-reinstall torch torchvision" if driver else ""
        yield Finding("device", "cuda", "missing", words, mend)
    if platform.system() == "Darwin":
        here = torch.backends.mps.is_available()
        yield Finding("device", "mps", "ok" if here else "missing", "Metal")


def _folders(out: Path) -> Iterator[Finding]:
    """Whether runs and weights can be written, and how much room there is."""
    from methods.weights import FOLDER_VARIABLE, cache_folder

    for name, folder, mend in (
        ("runs", out, "inpaint-bench doctor --out ANOTHER_FOLDER"),
        ("weights", cache_folder(), f"export {FOLDER_VARIABLE}=ANOTHER_FOLDER"),
    ):
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                free = shutil.disk_usage(there).free / 1e9
        except OSError as error:
            yield Finding("disk", name, "broken", f"{folder} cannot be written: {error}", mend)
        else:
            enough = free >= _ROOM
            words = f"{folder}: {free:.1f} GB free; {_ROOM:.0f} GB should be"
            yield Finding("disk", name, *(("ok", words) if enough else ("broken", words, mend)))


def _weights() -> Iterator[Finding]:
    """Networks of metrics and methods, and every file of theirs that is here but damaged."""
    import methods
    from methods.weights import CHECKPOINTS, folders, present
    from methods.weights.files import mismatch

    files = list(CHECKPOINTS.values())
    mends = {each.name: (each.file, "" if present(each) else each.command) for each in files}
    for name, card in methods.inventory()[0].items():
        files += card.checkpoints
        if card.checkpoints or card.training:
            facts = methods.facts(name, card)
            here = f"here: {', '.join(facts['weights']) or 'none'}"
            mends[name] = here, facts["fetch"] or facts["train"]
    for name, (words, mend) in mends.items():
        yield Finding("weights", name, "missing" if mend else "ok", words, mend)
    for each in files:
        for path in (folder / each.file for folder in folders()):
            if path.is_file() and (wrong := mismatch(path, each)):
                yield Finding("weights", each.name, "broken", f"{path}: {wrong}", each.command)
