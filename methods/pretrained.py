"""What all networks have in common: weights from files that the card names."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import nn

from bench.errors import BenchError, WeightsMissing
from methods import execution, own_weights, weights
from methods.base import Inpainter
from methods.card import trained
from methods.weights import Checkpoint, rule

if TYPE_CHECKING:
    from methods.weights.tensors import Tensors

_GAIN = 0.7  # of weights made by rule: signals neither grow nor fade much in any of the networks


class Pretrained(Inpainter):
    """A method whose network is of no use without its weights.

    A subclass makes the network (`build`) and, where published files name tensors otherwise than
    the network does, translates them (`tensors`). Files written by this project (``.safetensors``)
    hold the network's own names.

    Attributes:
        wrapper: Key under which published files may hold their tensors.
        unpublished: Variants that are no published mode, and what they do, for the title.
        checkpoints: The files of the weights asked for, ``NAME:WEIGHTS``, or of the card's first.
        config: The settings of the network that those files are for.
        network: What `load` made, in eval mode.
        folder: Where the weights are, if not where published ones are looked for.
    """

    wrapper: ClassVar[str] = ""
    unpublished: ClassVar[Mapping[str, str]] = {}
    network: nn.Module
    folder: Path | None = None
    checkpoints: tuple[Checkpoint, ...]
    config: Mapping[str, Any]

    def __init__(self, name: str = "", *, device: str = "cpu") -> None:
        """Choose the weights."""
        super().__init__(name or self.card.name, device=device)
        self._use(self.card.files(self.name.partition("@")[0].partition(":")[2]))

    @classmethod
    def untrained(cls, config: str, name: str, *, device: str = "cpu") -> Self:
        """Make a method without weights, whose `network` is to be set by whoever trains it.

        Args:
            config: Name of a configuration on the card.
            name: Of the method.
            device: As torch writes it.
        """
        method = cls.__new__(cls)
        Inpainter.__init__(method, name, device=device)
        method._use(())
        method.config = method.card.config(config)
        method.card = method.card.fitted(config)
        return method

    @classmethod
    def trained(cls, folder: Path, name: str, *, device: str = "cpu") -> Self:
        """Make a method with the weights that a training left in its folder."""
        method = cls.__new__(cls)
        Inpainter.__init__(method, name, device=device)
        method._use((trained(folder)[1],))
        method.folder = folder
        return method

    @classmethod
    def with_own_weights(
        cls, path: Path, name: str, *, config: str = "", device: str = "cpu"
    ) -> Self:
        """Make a method with weights of the user's, once it is known that they fit.

        Args:
            path: The file; a folder where published weights are several files, each named by its
                part, such as ``transformer.pth``.
            name: Of the method.
            config: Whose settings they are for, out of the weights and configurations of the
                card; found out by names and shapes of the tensors if empty.
            device: As torch writes it.

        Raises:
            BenchError: If the files cannot be read, fit none of the settings, or fit several.
        """
        method = cls.__new__(cls)
        Inpainter.__init__(method, name, device=device)
        method.folder = path if path.is_dir() else path.parent
        files = own_weights.files(path, cls.card)
        settings = own_weights.settings(cls.card, config)
        differing = {choice: method._differing(files, settings[choice]) for choice in settings}
        choice = own_weights.chosen(path, cls.card, differing)
        method.card = cls.card.fitted(choice).with_own_weights(path)
        method._use(tuple(replace(each, config=settings[choice]) for each in files))
        return method

    def _differing(
        self, files: tuple[Checkpoint, ...], config: Mapping[str, Any]
    ) -> dict[str, list[str]]:
        """What in the files is not as the network of these settings has it."""
        self.checkpoints = tuple(replace(each, config=config) for each in files)
        self.config = config
        try:
            return weights.differences(self._read(), self._shapes())
        except BenchError as error:
            if isinstance(error, weights.Ambiguous):
                raise
            return {own_weights.UNREADABLE: [str(error)]}

    def _shapes(self) -> dict[str, torch.Tensor]:
        """The tensors of the network without their values."""
        with torch.device("meta"):  # no memory, hardly any time
            return self.build(self.config).state_dict()

    @classmethod
    def check_file(cls, path: Path, checkpoint: Checkpoint) -> None:
        """See that a published file has the tensors of the network, or of the part, that it is for.

        Raises:
            BenchError: If it has not; it names those that differ.
        """
        method = cls(f"{cls.card.name}:{checkpoint.choice}")
        part = f"{checkpoint.part}." if checkpoint.part else ""
        own = {n: each for n, each in method._shapes().items() if f"{n}.".startswith(part)}
        weights.fit(method._read_published(path, checkpoint), own, str(path), cls.card.title)

    def _use(self, checkpoints: tuple[Checkpoint, ...]) -> None:
        self.checkpoints = checkpoints
        self.config = checkpoints[0].config if checkpoints else {}
        choice = checkpoints[0].choice if checkpoints else ""  # none for weights of the user's
        self.card = self.card.fitted(choice)
        if choice and checkpoints[0].file.endswith(".safetensors"):
            # Nobody may take weights of the equal-budget track for the published ones.
            self.card = replace(self.card, title=f"{self.card.title} ({choice})")
        if self.variant in self.unpublished:
            words = f"{self.unpublished[self.variant]} (not a published mode)"
            self.card = replace(self.card, title=f"{self.card.title}, {words}")
        if self.ways:
            title = f"{self.card.title}, {execution.in_words(self.ways)}"
            self.card = replace(self.card, title=title)

    @property
    def variant(self) -> str:
        """Which of the card's variants was asked for; empty for the method as it is."""
        return execution.split(self.name.partition("@")[2])[0]

    @property
    def ways(self) -> tuple[str, ...]:
        """How the network is to be run, out of `methods.execution.EXECUTIONS`."""
        return execution.split(self.name.partition("@")[2])[1]

    @property
    def identity(self) -> str:
        """Code, libraries, settings and weights."""
        files = (
            f"{each.name} {self._digest(each)} {dict(each.config)}" for each in self.checkpoints
        )
        return " ".join([super().identity, *files])

    @property
    def digests(self) -> dict[str, str]:
        """First 16 digits of the SHA-256 of each file, by the name of the weights."""
        return {each.name: self._digest(each) for each in self.checkpoints}

    @property
    def weights_note(self) -> str:
        """Name, origin and licence of each file."""
        return "; ".join(
            f"{each.name}: {each.origin}; licence: {each.licence}" for each in self.checkpoints
        )

    @property
    def ledger(self) -> Path | None:
        """Where the training of the weights is told block by block, if this project made them."""
        if not self.checkpoints:
            return None
        path = (self.folder or weights.SMALL) / Path(self.checkpoints[0].file).with_suffix(".jsonl")
        return path if path.exists() else None

    @property
    def training(self) -> str:
        """The card that the training left, as JSON; empty for weights made elsewhere."""
        if self.ledger is None:
            return ""
        return self.ledger.with_suffix(".json").read_text("utf-8")

    def build(self, config: Mapping[str, Any]) -> nn.Module:
        """Make the network, its weights of no account.

        Args:
            config: Settings of the checkpoint.
        """
        raise NotImplementedError

    def tensors(self, path: Path, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Read a published file; the names are those of the network."""
        return weights.load(path, checkpoint, wrapper=self.wrapper)

    def streamlined(self, network: nn.Module) -> nn.Module:
        """The form of the loaded network, on its device, that fills; it may change the network."""
        return network

    def running(self) -> contextlib.AbstractContextManager[None]:
        """Number formats as asked for by the name."""
        return execution.running(self.ways, self.device)

    def load(self) -> None:
        """Read the weights.

        Raises:
            WeightsMissing: If they are not here, or nobody has published any.
            BenchError: If a file is not that of this network.
        """
        self._take(self.plain())

    def plain(self) -> nn.Module:
        """The network as it is trained, with its weights, on the CPU; errors as of `load`."""
        if not self.checkpoints:
            raise WeightsMissing(
                f"{self.name}: no weights are published; to make some, run: {self.card.training}"
            )
        network = self.build(self.config)
        weights.put(self._read(), network, ", ".join(map(str, self._files())))
        return network

    def _read(self) -> Tensors:
        """The tensors of all files, by the names of the network."""
        found: dict[str, Any] = {}
        for path, checkpoint in zip(self._files(), self.checkpoints, strict=True):
            read = self._read_published if checkpoint.choice else self._read_own
            tensors = read(path, checkpoint)
            twice = found.keys() & tensors.keys()
            if twice:
                raise BenchError(f"{path}: {', '.join(sorted(twice))} are in another file too")
            found |= tensors
        return found

    def _read_published(self, path: Path, checkpoint: Checkpoint) -> Tensors:
        if path.suffix == ".safetensors":
            return weights.load(path, checkpoint)
        try:
            return self.tensors(path, checkpoint)
        except KeyError as error:
            raise BenchError(f"{path}: expected a tensor named {error}, found none") from error

    def _read_own(self, path: Path, checkpoint: Checkpoint) -> Tensors:
        """Tensors of a user's file as the network or published files name them, or the nearest."""
        part = f"{checkpoint.part}." if checkpoint.part else ""
        own = {n.removeprefix(part): t for n, t in self._shapes().items() if n.startswith(part)}
        try:
            found = weights.one_way(weights.read(path, checkpoint), own, path)
        except weights.Ambiguous:
            raise
        except BenchError:  # no file of torch's, but perhaps of the kind that is published
            return self._read_published(path, checkpoint)
        named = {f"{part}{name}": tensor for name, tensor in found.items()}
        whole = not part and any(each.part for each in self.card.checkpoints)
        if whole or not weights.differences(found, own):
            return named
        with contextlib.suppress(BenchError):
            return self._read_published(path, checkpoint)
        return named

    def load_by_rule(self) -> None:
        """Give the network weights made by rule: they say nothing but how fast it is."""
        network = self.build(self.config)
        rule.fill(network, lambda name, shape: torch.from_numpy(rule.tensor(name, shape, _GAIN)))
        self._take(network)

    def _take(self, network: nn.Module) -> None:
        network = self.streamlined(network.to(self.device).eval().requires_grad_(False))
        self.network = execution.apply(network, self.ways, self.device)

    def _files(self) -> list[Path]:
        if self.folder is None:
            known = not self.asked.startswith("class ")  # as weights add knows the table's alone
            return weights.need([replace(e, listed=known) for e in self.checkpoints], self.name)
        paths = [self.folder / each.file for each in self.checkpoints]
        for path, checkpoint in zip(paths, self.checkpoints, strict=True):
            weights.verify(path, checkpoint)
        return paths

    def _digest(self, checkpoint: Checkpoint) -> str:
        try:
            found = weights.find(checkpoint, self.folder)
        except BenchError:  # loading says why; other methods of the run are none the worse
            return "broken"
        return weights.digest(found)[:16] if found else "missing"
