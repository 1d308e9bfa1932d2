"""Methods that misbehave on purpose; run as plug-ins, in real worker processes."""

import ctypes
import os
import signal
import time
from pathlib import Path

import cv2
import torch

from bench.errors import Declined, WeightsMissing
from methods.base import CaseKey, Fill, Inpainter
from methods.card import Card

# Not by their names where they are read, as they change no fill: what is read by name is part of an
# identity.
PACE, STARTED, ALONE = "SLOW_SECONDS", "SLOW_STARTED", "SLOW_AND_ALONE"


class _Picky(Inpainter):
    """Fills with grey, but misbehaves on photo ``b.png`` in tier ``region``."""

    card = Card("faulty", "Faulty", "elsewhere")

    def begin(self, case: CaseKey) -> None:
        self.case = case

    def infer(self, images, masks, generator):
        if self.case.photo == "b.png" and self.case.tier == "region":
            self.misbehave()
        return images + 0.5 * masks

    def misbehave(self) -> None:
        raise NotImplementedError


class Crashes(_Picky):
    def misbehave(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class Hangs(_Picky):
    def misbehave(self):
        time.sleep(3600)


class Raises(_Picky):
    def misbehave(self):
        raise ValueError("no idea what to do with <b>this</b>")


class Declines(_Picky):
    def misbehave(self):
        raise Declined("this photo is not to my taste")


class OutOfMemory(_Picky):
    def misbehave(self):
        raise torch.OutOfMemoryError("tried to allocate a lot")


class NotFinite(_Picky):
    def infer(self, images, masks, generator):
        return images / 0 * 0


class AlwaysRaises(_Picky):
    def infer(self, images, masks, generator):
        raise ValueError("never works")


class TiresOut(_Picky):
    """Fills one case, and no other."""

    def infer(self, images, masks, generator):
        if (self.case.photo, self.case.tier, self.case.draw) != ("a.png", "small", 0):
            raise ValueError("no more")
        return images + 0.5 * masks


class NoWeights(_Picky):
    def load(self):
        raise WeightsMissing("weights absent; run: inpaint-bench weights fetch absent")


class DiesLoading(_Picky):
    def load(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Slow(_Picky):
    """Takes a second a case and tells in a file that it started, so that tests can strike."""

    def infer(self, images, masks, generator):
        marker = os.environ.get(STARTED)
        if marker:
            Path(marker).write_text(str(os.getpid()))
        seconds = float(os.environ.get(PACE, "1"))
        if os.environ.get(ALONE):  # no other thread of Python runs meanwhile
            ctypes.PyDLL(None).sleep(int(seconds))
        else:
            time.sleep(seconds)
        return images + 0.5 * masks


class CrashesOnce(_Picky):
    """Dies on its case the first time only."""

    def misbehave(self):
        marker = Path(os.environ["CRASHED_ONCE"])
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class Fickle(Inpainter):
    """Gives another answer each time, against the contract."""

    card = Card("fickle", "Fickle", "elsewhere")

    def infer(self, images, masks, generator):
        return images + masks * torch.rand(1)


class CountsThreads(Inpainter):
    """Tells on how many threads it runs."""

    card = Card("counts_threads", "Counts threads", "elsewhere")

    def infer(self, images, masks, generator):
        counts = {"torch": torch.get_num_threads(), "opencv": cv2.getNumThreads()}
        return Fill(images + 0.5 * masks, counts)


class WantsWeights(_Picky):
    """Unavailable until a file appears."""

    def load(self):
        if not Path(os.environ["WEIGHTS_FILE"]).exists():
            raise WeightsMissing("weights absent; run: inpaint-bench weights fetch absent")

    def misbehave(self):
        pass


class CallsItselfOriginal(_Picky):
    """Tries to see the photo under the ceiling's name."""

    def misbehave(self):
        pass

    def begin(self, case: CaseKey) -> None:
        super().begin(case)
        self._name = "original"

    def infer(self, images, masks, generator):
        return images + 0.5 * masks


class OneColour(_Picky):
    """Gives one colour for the whole picture on its case."""

    def infer(self, images, masks, generator):
        picked = self.case.photo == "b.png"
        return images * 0 + 0.5 if picked else images + 0.5 * masks


class ExchangesColours(_Picky):
    """Gives blue, green, red."""

    def infer(self, images, masks, generator):
        return (images + 0.5 * masks).flip(1)


class BadText(_Picky):
    """Fails with a text that is no valid Unicode."""

    def misbehave(self):
        raise ValueError("lone surrogate \ud800")
