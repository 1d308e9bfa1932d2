"""A method as the user asked for it, and what can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError, did_you_mean
from methods import execution
from methods.card import Card

Kind = Literal[
    "built-in", "plug-in", "class", "folder", "trained", "own weights",
    "torchscript", "onnx", "command", "iopaint", "diffusers",
]  # fmt: skip

TABLE = {
    "telea": "methods.classical:Telea",
    "navier_stokes": "methods.classical:NavierStokes",
    "biharmonic": "methods.classical:Biharmonic",
    "patchmatch": "methods.classical:PatchMatch",
    "shift_map": "methods.classical:ShiftMap",
    "context_encoder": "methods.networks.context_encoder.method:ContextEncoder",
    "context_encoder_any": "methods.networks.context_encoder.method:ContextEncoderAny",
    "pennet": "methods.networks.pennet.method:PENNet",
    "deepfill": "methods.networks.deepfill.method:DeepFill",
    "hifill": "methods.networks.hifill.method:HiFill",
    "pluralistic": "methods.networks.pluralistic.method:Pluralistic",
    "lama": "methods.networks.lama.method:LaMa",
    "relama": "methods.networks.lama.method:ReLaMa",
    "ict": "methods.networks.ict.method:ICT",
    "mean": "methods.floors:MeanFill",
    "noise": "methods.floors:NoiseFill",
    "original": "methods.floors:Original",
}

ADAPTERS: dict[Kind, str] = {
    "torchscript": "methods.adapters.torchscript:TorchScript",
    "onnx": "methods.adapters.onnx:Onnx",
    "command": "methods.adapters.command:Command",
    "iopaint": "methods.adapters.iopaint:IOPaint",
    "diffusers": "methods.adapters.diffusers:Diffusers",
}

PATHS: tuple[Literal["folder", "trained"], ...] = ("folder", "trained")
KINDS = (*PATHS, *ADAPTERS)  # of what a label may stand for, each before a colon
WORD = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"


@dataclass(frozen=True)
class Spec:
    """A method as the user asked for it.

    Attributes:
        text: The words of the user, such as ``theirs=folder:./outputs``; of what is built in, as it
            is spelt.
        base: Name in the table or label.
        kind: ``built-in``, ``plug-in`` (entry point), ``class`` (of a module or a file),
            ``folder``, ``trained``, ``own weights``, or a key of `ADAPTERS`.
        target: ``module:Class``, ``/path/file.py:Class``, the path of a folder, of weights or of
            a file, or a name that an adapter knows.
        weights: Which weights, empty for the method's own choice.
        variant: Which variant, likewise.
        parameters: What the class is made with besides name and device, sorted by name.
        network: Of own weights, the name of the built-in method.
        config: Of own weights, whose settings they are for; empty where tensors decide.
    """

    text: str
    base: str
    kind: Kind
    target: str
    weights: str = ""
    variant: str = ""
    parameters: tuple[tuple[str, Any], ...] = ()
    network: str = ""
    config: str = ""

    @property
    def name(self) -> str:
        """The full name used in tables and reports: all but what a label stands for."""
        weights = f":{self.weights}" if self.weights else ""
        variant = f"@{self.variant}" if self.variant else ""
        return f"{self.base}{weights}{variant}"

    @property
    def file_name(self) -> str:
        """The full name as part of a path, with ``:`` written ``--``."""
        return self.name.replace(":", "--")

    @property
    def arguments(self) -> str:
        """The parameters in canonical text, ``(ckpt='a.pt', steps=3)``; empty if there are none."""
        words = ", ".join(f"{name}={value!r}" for name, value in self.parameters)
        return f"({words})" if words else ""

    @property
    def asked(self) -> str:
        """What was asked for, in canonical text, whatever it is called and wherever it lies."""
        named = self.target.rpartition(":")[2]
        if self.kind in ADAPTERS:  # a file may lie anywhere; a name says what it is
            named = "" if Path(self.target).is_absolute() else self.target
        made = self.network or f"{named}{self.arguments}"
        chosen = {"config": self.config, "weights": self.weights, "variant": self.variant}
        words = [f"{choice} {name}" for choice, name in chosen.items() if name]
        return " ".join([self.kind, *([] if self.kind in PATHS else [made]), *words])

    @property
    def stored(self) -> str:
        """What asks for the same method from any directory."""
        variant = f"@{self.variant}" if self.variant else ""
        config = f"(config={self.config})" if self.config else ""
        kinds = {
            "class": f"{self.target}{self.arguments}",
            "folder": f"folder:{self.target}",
            "trained": f"trained:{self.target}",
            "own weights": f"{self.network}{variant}:{self.target}{config}",
            **{kind: f"{kind}:{self.target}{self.arguments}" for kind in ADAPTERS},
        }
        return f"{self.base}={kinds[self.kind]}" if self.kind in kinds else self.text


def check_choice(spec: Spec, facts: Card) -> None:
    """Refuse weights or a variant that the card does not list.

    Raises:
        BenchError: If it does not.
    """
    owner = spec.network or spec.base
    variant, ways = execution.split(spec.variant)
    runs = facts.checkpoints or facts.configs  # in one way or another
    if ways and not runs:
        raise BenchError(
            f"method {spec.text!r}: {', '.join(ways)} are ways to run a network; {owner} has none"
        )
    for kind, asked, known in (
        ("weights", spec.weights, choices(facts)),
        ("variant", variant, (*facts.variants, *(execution.EXECUTIONS if runs else ()))),
    ):
        if asked and asked not in known:
            listed = f"it has {', '.join(known)}" if known else "it has none to choose from"
            raise BenchError(
                f"method {spec.text!r}: {owner} has no {kind} {asked!r}; {listed}."
                f"{did_you_mean(asked, known)}"
            )


def choices(facts: Card) -> tuple[str, ...]:
    """The weights of a card that can be asked for."""
    files = dict.fromkeys(each.choice for each in facts.checkpoints if each.choice)
    return facts.weights or tuple(files)
