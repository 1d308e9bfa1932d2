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
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from bench.cli.arguments import Commands
from bench.errors import describe
from bench.text.plain import one_line

_ROOM = 1.0  # GB that the default job and the weights of its metrics take at most
_OWN = "inpaint-bench"


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        part: What it belongs to.
        name: What it is.
        state: ``missing`` is what one can do without; ``broken`` what one cannot.
        detail: What was found.
        mend: The command that mends it.
    """

    part: str
    name: str
    state: Literal["ok", "missing", "broken"]
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
    findings.append(_browser())
    if options.json:
        print(json.dumps([asdict(each) for each in findings], indent=1))
    else:
        width = max(len(each.name) for each in findings)
        for each in findings:
            mend = f"; run: {each.mend}" if each.mend else ""
            line = (
                f"{each.state:8} {each.part:8} {each.name:{width}}  {one_line(each.detail)}{mend}"
            )
            print(line.rstrip())
    broken = sum(each.state == "broken" for each in findings)
    if not options.json:
        missing = sum(each.state == "missing" for each in findings)
        print(f"{broken} broken, {missing} missing that can be done without")
    return 1 if broken else 0


def _packages() -> Iterator[Finding]:
    """Each package that is needed: here, in the range asked for, and loading."""
    from packaging.requirements import Requirement

    yield Finding("python", "python", "ok", platform.python_version())
    modules = {
        _plain(package): module
        for module, packages in metadata.packages_distributions().items()
        for package in packages
        if not module.startswith("_")
    }
    for text in metadata.requires(_OWN) or ():
        asked = Requirement(text)
        if asked.marker and not asked.marker.evaluate({"extra": ""}):
            continue
        name, mend = asked.name, f"pip install '{asked.name}{asked.specifier}'"
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(
                "package", name, "broken", f"not installed, needs {asked.specifier}", mend
            )
            continue
        if not asked.specifier.contains(version, prereleases=True):
            yield Finding("package", name, "broken", f"{version}, needs {asked.specifier}", mend)
            continue
        try:
            importlib.import_module(modules.get(_plain(name), name))
            yield Finding("package", name, "ok", version)
        except Exception as error:  # whatever a half-installed library does
            why = f"{version} does not load: {describe(error)}"
            mend = f"pip install --force-reinstall '{name}=={version}'"
            yield Finding("package", name, "broken", why, mend)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _machine() -> Iterator[Finding]:
    import psutil

    yield Finding("machine", "cores", "ok", str(os.cpu_count()))
    memory = psutil.virtual_memory()
    words = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    yield Finding("machine", "memory", "ok", words)


def _devices() -> Iterator[Finding]:
    try:
        import torch
    except Exception:  # said of the package
        return
    yield Finding("device", "cpu", "ok", f"{torch.get_num_threads()} threads")
    count = torch.cuda.device_count()
    for index in range(count):
        facts = torch.cuda.get_device_properties(index)
        words = f"{facts.name}, {facts.total_memory / 1e9:.0f} GB"
        yield Finding("device", f"cuda:{index}", "ok", words)
    if not count:
        card = shutil.which("nvidia-smi")
        made = f"torch {torch.__version__} is made for CUDA {torch.version.cuda or '(none)'}"
        words = f"{made}; {'nvidia-smi is here' if card else 'there is no driver'}"
        # With a driver but a torch that cannot use it, torch is the wrong one.
        mend = "pip install --force-reinstall torch torchvision" if card else ""
        yield Finding("device", "cuda", "missing", words, mend)
    if platform.system() == "Darwin":
        here = torch.backends.mps.is_available()
        yield Finding("device", "mps", "ok" if here else "missing", "Metal")


def _folders(out: Path) -> Iterator[Finding]:
    """Whether runs and weights can be written, and how much room there is."""
    from methods.weights import FOLDER_VARIABLE, cache_folder

    for name, folder, mend in (
        ("runs", out, "inpaint-bench doctor --out ANOTHER_FOLDER"),
        ("weights", cache_folder(), f"export {FOLDER_VARIABLE}=FOLDER"),
    ):
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                free = shutil.disk_usage(there).free / 1e9
        except OSError as error:
            yield Finding("disk", name, "broken", f"{folder} cannot be written: {error}", mend)
            continue
        state: Literal["ok", "broken"] = "ok" if free >= _ROOM else "broken"
        least = "" if state == "ok" else f", of at least {_ROOM:.0f}"
        yield Finding("disk", name, state, f"{folder}: {free:.1f} GB free{least}",
                      "" if state == "ok" else mend)  # fmt: skip


def _weights() -> Iterator[Finding]:
    """Networks of metrics and methods, and every file of theirs that is here but damaged."""
    import methods
    from methods.weights import CHECKPOINTS, folders, present
    from methods.weights.files import mismatch

    files = list(CHECKPOINTS.values())
    for each in files:
        state: Literal["ok", "missing"] = "ok" if present(each) else "missing"
        yield Finding("weights", each.name, state, each.file, "" if present(each) else each.command)
    for name, card in methods.inventory()[0].items():
        files += card.checkpoints
        if card.checkpoints or card.training:
            facts = methods.facts(name, card)
            mend = facts["fetch"] or facts["train"]
            words = f"here: {', '.join(facts['weights']) or 'none'}"
            yield Finding("weights", name, "missing" if mend else "ok", words, mend)
    for each in files:
        for path in (folder / each.file for folder in folders()):
            if path.is_file() and (wrong := mismatch(path, each)):
                yield Finding("weights", each.name, "broken", f"{path}: {wrong}", each.command)


def _browser() -> Finding:
    """Only tests of reports need one that is driven; reports open in any."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return Finding("browser", "chromium", "ok", found)
    mend = "apt install chromium" if shutil.which("apt") else ""
    return Finding("browser", "chromium", "missing", "only the tests of reports need it", mend)
