"""Methods whose work a program does, in an environment of its own."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from bench.errors import BenchError, InputError, describe
from methods import harness
from methods.adapters.contract import Contract
from methods.adapters.exchange import Exchange, Missing
from methods.adapters.program import Running, ended
from methods.adapters.served import Served
from methods.adapters.workplace import Workplace
from methods.base import CaseKey, Fill, Given, PictureInpainter, to_float, to_uint8
from methods.card import Card
from methods.scene import scene
from methods.suspicions import ADVICE, refuse

_SIDE = 64  # pixels of the picture to try it on, unless the card asks for more
_SEEDS = 2**31  # more than which many programs do not take


class _Done(NamedTuple):
    """A fill that lies in a folder already.

    Attributes:
        exchange: Which.
        stem: Its name there.
        spent: Its share of the wall and CPU seconds of the call.
        of: Fills of that call.
    """

    exchange: Exchange
    stem: str
    spent: tuple[float, float]
    of: int


class ByProgram(PictureInpainter):
    """Writes pictures and masks, calls a program, reads its fills.

    In batch form it is called once for all cases of a job. What that leaves out, as all of it where
    the call fails, is tried once more case by case, so that only those at fault are lost.
    """

    probed = True

    def __init__(self, name: str, card: Card, contract: Contract, *, device: str = "cpu") -> None:
        """Keep what is stated; nothing is called yet.

        Raises:
            BenchError: If seeds are given to what is not stochastic.
        """
        super().__init__(name, device=device)
        self.card = card
        self.files = contract.files
        self.in_jobs = not contract.served
        self.prompted = contract.served
        self._contract = contract
        self._version = ""
        self._served: Served | None = None
        self._case: CaseKey | None = None
        self._done: dict[tuple[object, ...], _Done] = {}
        if card.stochastic and not contract.seeded:
            raise BenchError("stochastic = true: expected {seed} in the command, found none")
        if contract.seeded and not contract.served and not card.stochastic:
            raise BenchError("{seed} in the command: expected stochastic = true in [card]")

    @property
    def identity(self) -> str:
        """What is stated, files that the command names, and what its version command says."""
        return f"{super().identity} stated {self._contract.digest} {self._version}".rstrip()

    def load(self) -> None:
        """Ask for the version, and fill one small made-up picture.

        Raises:
            BenchError: If the program cannot be called, or what it gives is no fill.
        """
        self._work = Workplace()
        self._contract.program.require(self._work.path)
        self._version = self._ask_version()
        if self._version:
            made_by = f"{self.card.implementation}, {self._version}"
            self.card = replace(self.card, implementation=made_by)
        if self._contract.served:
            self._exchange = self._new_exchange()
            self._served = Served(self._contract.program, self._work.path, self._values())
        self.said = self._probe()

    def begin_job(self, given: Iterable[Given]) -> None:
        """Call the program for all cases at once, once for each of several samples."""
        self._done.clear()
        calls: dict[int, tuple[Exchange, int, list[tuple[CaseKey, str]]]] = {}
        for each in given:
            sample = each.case.sample
            if sample not in calls:
                calls[sample] = (self._new_exchange(), each.seed, [])
            exchange, _, cases = calls[sample]
            stem = f"c{len(cases):05d}"
            exchange.put(stem, *self._fitted(each.picture, each.hole))
            cases.append((each.case, stem))
        for exchange, seed, cases in calls.values():
            with contextlib.suppress(BenchError):  # each is tried alone, which says why
                _, spent = harness.timed(self.device, partial(self._call, exchange, seed))
                share = spent.wall / len(cases), spent.cpu / len(cases)
                self._done |= {
                    case[:4]: _Done(exchange, stem, share, len(cases))
                    for case, stem in cases
                    if exchange.output(stem).is_file()
                }

    def begin(self, case: CaseKey) -> None:
        """Remember which case comes next."""
        self._case = case

    def infer(self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator) -> Fill:
        """Take the fill of a batch, or let the program fill these."""
        case, self._case = self._case, None
        holes = masks[:, 0].cpu().numpy() > 0.5
        done = self._done.pop(case[:4], None) if case else None
        if done is not None:
            filled = done.exchange.take(done.stem, *holes.shape[1:])
            return Fill(to_float(filled[None]), {"batch_of": done.of}, ahead=done.spent)
        seed = generator.initial_seed()
        pairs = list(zip(to_uint8(images), holes, strict=True))
        if self._served is not None:
            prompt = case.prompt if case else ""
            return Fill(to_float(np.stack([self._serve(*pair, seed, prompt) for pair in pairs])))
        return Fill(to_float(np.stack(self._fill_now(pairs, seed))), {"batch_of": len(pairs)})

    def _fill_now(
        self, pairs: Sequence[tuple[np.ndarray, np.ndarray]], seed: int
    ) -> list[np.ndarray]:
        exchange = self._new_exchange()
        stems = [f"c{number:05d}" for number in range(len(pairs))]
        for stem, pair in zip(stems, pairs, strict=True):
            exchange.put(stem, *pair)
        running = self._call(exchange, seed)
        try:
            return [
                exchange.take(stem, *pair[1].shape) for stem, pair in zip(stems, pairs, strict=True)
            ]
        except Missing as error:
            raise InputError(f"{error}; exit status 0{running.last_words}") from error

    def _call(self, exchange: Exchange, seed: int) -> Running:
        """Call the program for what lies in its folders.

        Raises:
            BenchError: If it ends with another status than 0.
        """
        config = exchange.out.parent / "config.json"
        if self._contract.config:
            stated = json.dumps(self._contract.config)
            config.write_text(stated.replace('"{seed}"', str(seed % _SEEDS)))
        folders = {"images": exchange.images, "masks": exchange.masks, "out": exchange.out}
        named = {name: str(path) for name, path in {**folders, "config": config}.items()}
        values = {**self._values(), **named, "seed": str(seed % _SEEDS)}
        running = self._contract.program.start(self._work.path, values)
        status = running.wait()
        if status:
            raise BenchError(f"the program failed ({ended(status)}){running.last_words}")
        return running

    def _serve(self, picture: np.ndarray, hole: np.ndarray, seed: int, prompt: str) -> np.ndarray:
        assert self._served is not None
        image, mask = self._exchange.put("c", picture, hole)
        out = self._exchange.output("c")
        out.unlink(missing_ok=True)
        files = {"image": str(image), "mask": str(mask), "out": str(out)}
        self._served.ask({**files, "seed": seed % _SEEDS, "prompt": prompt})
        return self._exchange.take("c", *hole.shape)

    def _values(self) -> dict[str, str]:
        return {"device": str(self.device)}

    def _new_exchange(self) -> Exchange:
        return Exchange(self._work.folder(), self._contract.naming, self._contract.hole)

    def _fitted(self, picture: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A picture and its hole as `infer` gets them."""
        masks = torch.from_numpy(hole[None, None]).to(torch.float32)
        images, masks = self.prepare(to_float(picture[None]), masks)
        return to_uint8(images)[0], masks[0, 0].numpy() > 0.5

    def _ask_version(self) -> str:
        """The first line that its version command prints; empty without such a command."""
        if self._contract.version is None:
            return ""
        version = self._contract.version
        running = version.start(self._work.path, self._values(), served=True)
        said, status = running.listen(), running.wait()
        if status or not said.strip():
            raise BenchError(
                f"version: expected a line on standard output, found {said.strip()[:2000]!r} "
                f"({ended(status)}){running.last_words}"
            )
        return said.strip().splitlines()[0][:200]

    def _probe(self) -> str:
        """Fill a made-up picture; gives what was seen."""
        side = self.card.size.length(_SIDE)
        photo, hole = scene(side, side)
        start = time.perf_counter()
        tried = f"tried on a made-up picture of {side}x{side}"
        try:
            filled = harness.fill(self, photo, hole, seed=0, broken=True)
            other = 255 - self._contract.hole
            advice = {
                "hole": f"state hole = {other} if it takes masks the other way round",
                "channel order": "let it write red, green, blue, as pictures are given",
            }
            refuse(filled.suspicions, ADVICE | advice)
        except (BenchError, OSError) as error:
            raise BenchError(f"{tried}: {describe(error)}") from error
        seconds = time.perf_counter() - start
        drift = float(np.abs(filled.raw - photo / np.float32(255))[~hole].mean())
        said = [
            f"a made-up picture of {side}x{side} was filled in {seconds:.1f} s",
            f"known pixels moved by {drift:.4f} on average",
        ]
        said += [f"odd: {odd.words}" for odd in filled.suspicions]
        if not self._version:
            said.append("no version command: fills of another version are taken for this one's")
        if not self._contract.served:
            said.append("seconds are shares of batches; latency is of a call for one picture")
        return "; ".join(said)
