"""Where a result comes from: machine, versions, code state, command."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = (
    "inpaint-bench", "torch", "torchvision", "numpy", "pandas", "pyarrow", "scipy",
    "scikit-image", "opencv-contrib-python-headless", "pillow", "pypatchmatch", "lpips",
    "torch-fidelity", "matplotlib",
)  # fmt: skip


def collect() -> dict[str, Any]:
    """Describe this machine and this code, in plain JSON values."""
    import psutil

    return {
        "command": [*_program(), *sys.argv[1:]],
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "accelerator": _accelerator(),
        "packages": {name: version_of(name) for name in _PACKAGES},
        "code": _git_state(Path(__file__).resolve().parents[2]),
    }


def _program() -> list[str]:
    """What this was started as, to be pasted again."""
    name = Path(sys.argv[0]).name
    return ["python", "-m", "bench"] if name == "__main__.py" else [name]


def now() -> str:
    """The time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def version_of(package: str) -> str:
    """The version of an installed package, which is not loaded."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _accelerator() -> str:
    import torch

    if not torch.cuda.is_available():
        return "none"
    return torch.cuda.get_device_name()


def _git_state(folder: Path) -> str:
    """Commit and whether the tree was changed, if the code runs from a checkout."""
    if not (folder / ".git").exists():
        return "not a checkout"
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError) as error:
        return f"unknown: {error}"
    return commit + (" with changes" if changed else "")


def _git(folder: Path, *words: str) -> str:
    result = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=10
    )
    return result.stdout.strip()
