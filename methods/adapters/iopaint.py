"""``LABEL=iopaint:MODEL``: a model of IOPaint, which lives in an environment of its own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from methods.adapters.by_program import ByProgram
from methods.adapters.contract import contract
from methods.base import find_device
from methods.card import read

# Names that are short for those of IOPaint's own settings.
_SHORT = {
    "steps": "sd_steps", "guidance": "sd_guidance_scale", "sampler": "sd_sampler",
    "seed": "sd_seed", "strategy": "hd_strategy",
}  # fmt: skip
# IOPaint's own defaults, which change fills, but for the strategy: by default it crops.
_SETTINGS = {
    "hd_strategy": "Original", "ldm_steps": 20, "sd_steps": 50, "sd_guidance_scale": 7.5,
    "sd_sampler": "UniPC", "sd_seed": 42, "sd_mask_blur": 11, "sd_keep_unmasked_area": True,
}  # fmt: skip
# Its version, once it knows all the settings, as it passes over others in silence.
_VERSION = (
    "import sys; from importlib.metadata import version; "
    "from iopaint.schema import InpaintRequest as R; "
    "no = [n for n in sys.argv[1:] if n not in R.model_fields]; "
    "print(f'IOPaint knows no {no[0]}; it knows', *R.model_fields) if no "
    "else print(version('iopaint')); sys.exit(bool(no))"
)


class IOPaint(ByProgram):
    """A model of IOPaint, called by ``iopaint run``."""

    card = read("iopaint")

    def __init__(
        self, name: str, target: str, *, python: str = "", device: str = "cpu", **settings: Any
    ) -> None:
        """Say which model, and how.

        Args:
            name: The full name.
            target: Name of the model, as IOPaint knows it.
            python: The interpreter of its environment; that of ``iopaint`` on PATH if empty.
            device: As torch writes it.
            settings: Of IOPaint, by its own names or by short ones (``steps``, ``guidance``,
                ``sampler``, ``seed``, ``strategy``); ``seed=None`` gives each fill its own, which
                makes the method stochastic.

        Raises:
            BenchError: If IOPaint is not there.
        """
        settings = _SETTINGS | {_SHORT.get(key, key): each for key, each in settings.items()}
        stochastic = settings["sd_seed"] is None
        if stochastic:
            settings["sd_seed"] = "{seed}"
        python = str(Path(python).expanduser().absolute()) if python else _interpreter()
        folders = ["--image", "{images}", "--mask", "{masks}", "--output", "{out}"]
        run = ["run", "--model", target, *folders, "--config", "{config}", "--device", "{device}"]
        facts = {
            "python": python,
            "command": ["-m", "iopaint", *run],
            "version": ["-c", _VERSION, *settings],
            "config": settings,
        }
        agreed = contract(facts, Path.cwd(), gpu=find_device(device).type == "cuda")
        said = ", ".join(f"{key} {each}" for key, each in settings.items())
        card = replace(
            type(self).card, title=f"{target} (IOPaint)", stochastic=stochastic, summary=f"{said}."
        )
        super().__init__(name, card, agreed, device=device)


def _interpreter() -> str:
    """The interpreter beside the ``iopaint`` of PATH."""
    found = shutil.which("iopaint")
    python = Path(found).resolve().with_name("python") if found else Path()
    if not python.is_file():
        raise BenchError(
            "iopaint: expected IOPaint in an environment of its own, found no iopaint on PATH; "
            "install it:\npython3 -m venv iopaint-env\niopaint-env/bin/pip install iopaint\n"
            "then write LABEL=iopaint:MODEL(python=iopaint-env/bin/python)"
        )
    return str(python)
