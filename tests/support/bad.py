"""Forty methods that are bad on purpose, each in its own way, and what a run must say of each."""

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from methods.base import Card, CaseKey, Fill, Inpainter


class Grey(Inpainter):
    card = Card("bad", "Bad", "elsewhere")

    def begin(self, case: CaseKey) -> None:
        self.case = case

    def infer(self, images, masks, generator):
        self.misbehave()
        return images + 0.5 * masks

    def misbehave(self):
        pass


class RaisesMade(Grey):
    def __init__(self, name, *, device):
        super().__init__(name, device=device)
        self.settings = {}["settings"]


class RaisesLoading(Grey):
    def load(self):
        Path("/nowhere/weights").read_bytes()


class ExitsLoading(Grey):
    def load(self):
        sys.exit("no licence")


class DiesLoading(Grey):
    def load(self):
        os._exit(4)


class RaisesBeginning(Grey):
    def begin(self, case):
        raise LookupError(f"never heard of {case.tier}")


class RaisesPreparing(Grey):
    def prepare(self, images, masks):
        raise ValueError("unprepared")


class RaisesFilling(Grey):
    def misbehave(self):
        try:
            {}["prompt"]
        except KeyError as error:
            raise RuntimeError("no words for it") from error


class RaisesFinishing(Grey):
    def finish(self, fill, images, masks):
        raise ValueError("unfinished")


class RaisesInALibrary(Grey):
    def infer(self, images, masks, generator):
        return torch.nn.Conv2d(8, 3, 3)(images)


class RaisesAGroup(Grey):
    def misbehave(self):
        raise ExceptionGroup("in two threads", [ValueError("one"), ValueError("other")])


class RaisesSilently(Grey):
    class Silent(Exception):
        def __str__(self):
            raise ValueError

    def misbehave(self):
        raise self.Silent


class RaisesAGiant(Grey):
    def misbehave(self):
        raise ValueError("m" * 3_000_000)


class RaisesNoUnicode(Grey):
    def misbehave(self):
        raise ValueError("lone surrogate \ud800 and \0")


class RaisesItsOwnKind(Grey):
    class Stop(BaseException):
        pass

    def misbehave(self):
        raise self.Stop("enough")


class Exits(Grey):
    def misbehave(self):
        sys.exit(0)


class Interrupts(Grey):
    def misbehave(self):
        raise KeyboardInterrupt


class Recurses(Grey):
    def misbehave(self):
        self.misbehave()


class TooSmall(Grey):
    def finish(self, fill, images, masks):
        return Fill(fill.images[..., 1:])


class FourChannels(Grey):
    def infer(self, images, masks, generator):
        return torch.cat([images, masks], 1)


class NoBatch(Grey):
    def infer(self, images, masks, generator):
        return images[0]


class Integers(Grey):
    def finish(self, fill, images, masks):
        return Fill((255 * fill.images).to(torch.uint8))


class NotNumbers(Grey):
    def infer(self, images, masks, generator):
        return images + masks * torch.nan


class Infinite(Grey):
    def infer(self, images, masks, generator):
        return images + masks * torch.inf


class GivesAList(Grey):
    def infer(self, images, masks, generator):
        return images.tolist()


class GivesAnArray(Grey):
    def infer(self, images, masks, generator):
        return images.numpy()


class GivesATuple(Grey):
    def infer(self, images, masks, generator):
        return images, masks


class GivesNothing(Grey):
    def infer(self, images, masks, generator):
        images += 0.5 * masks


class OnNoDevice(Grey):
    def infer(self, images, masks, generator):
        return images.to("meta")


class OddCounts(Grey):
    def infer(self, images, masks, generator):
        return Fill(images + 0.5 * masks, {"passes": object()})


class OddPictures(Grey):
    def infer(self, images, masks, generator):
        return Fill(images + 0.5 * masks, {}, {"../../flow": images})


class Vanishes(Grey):
    def misbehave(self):
        os._exit(5)


class KillsItself(Grey):
    def misbehave(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Segfaults(Grey):
    def misbehave(self):
        ctypes.string_at(0)


class Aborts(Grey):
    def misbehave(self):
        os.abort()


class ClosesAll(Grey):
    def misbehave(self):
        os.closerange(3, 4096)
        os._exit(0)


class Hangs(Grey):
    def misbehave(self):
        time.sleep(3600)


class HangsAlone(Grey):
    """No other thread of Python runs meanwhile."""

    def misbehave(self):
        ctypes.PyDLL(None).sleep(3600)


class ForksAndHangs(Grey):
    def misbehave(self):
        fork_three()
        time.sleep(3600)


class ForksAndGoesOn(Grey):
    def misbehave(self):
        fork_three()


class LeaksThreads(Grey):
    def misbehave(self):
        for _ in range(20):
            threading.Thread(target=time.sleep, args=(3600,)).start()


class NeedsMemory(Grey):
    def misbehave(self):
        np.ones(1 << 50)


class ChangesDirectory(Grey):
    def load(self):
        os.chdir("/")


class PatchesLibraries(Grey):
    def misbehave(self):
        np.stack = torch.where = np.add = None


class CallsItselfTelea(Grey):
    def misbehave(self):
        self._name = "telea"


class ChangesItsCard(Grey):
    def misbehave(self):
        self.card = Card("original", "Original", "ceiling", stochastic=True)


class Prints(Grey):
    def misbehave(self):
        print("m" * 3_000_000)


class ForgetsItself(Grey):
    def misbehave(self):
        del sys.modules[__name__]


class Untouched(Grey):
    def infer(self, images, masks, generator):
        return images


class BlueFirst(Grey):
    def infer(self, images, masks, generator):
        return (images + 0.5 * masks).flip(1)


class OneAside(Grey):
    def infer(self, images, masks, generator):
        return (images + 0.5 * masks).roll(1, -1)


class ReadsThePhoto(Grey):
    """Nothing keeps it from the disk: its fills are perfect, and harm nobody."""

    def infer(self, images, masks, generator):
        with Image.open(Path(os.environ["BAD_PHOTOS"]) / self.case.photo, formats=["PNG"]) as image:
            photo = np.array(image.resize((64, 64), Image.Resampling.BOX))
        return torch.from_numpy(photo / 255).permute(2, 0, 1)[None].float()


class WritesIntoWhatItIsGiven(Grey):
    def infer(self, images, masks, generator):
        filled = images + 0.5 * masks
        images.zero_()
        masks.fill_(1)
        return filled


def fork_three():
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            time.sleep(3600)
            os._exit(0)


ENDS = {
    "RaisesMade": ("failed", "found KeyError: 'settings' (bad.py:"),
    "RaisesLoading": ("failed", "FileNotFoundError: [Errno 2]"),
    "ExitsLoading": ("failed", "SystemExit: no licence (bad.py:"),
    "DiesLoading": ("killed", "loading the method: ended by itself with exit status 4"),
    "RaisesBeginning": ("failed", "LookupError: never heard of region (bad.py:"),
    "RaisesPreparing": ("failed", "ValueError: unprepared (bad.py:"),
    "RaisesFilling": ("failed", "in misbehave), from KeyError: 'prompt' (bad.py:"),
    "RaisesFinishing": ("failed", "ValueError: unfinished (bad.py:"),
    "RaisesInALibrary": ("failed", "in infer; raised at conv.py:"),
    "RaisesAGroup": ("failed", "in two threads (2 sub-exceptions)"),
    "RaisesSilently": ("failed", "Silent: (its text cannot be had: ValueError) (bad.py:"),
    "RaisesAGiant": ("failed", "(2,999,000 more characters) (bad.py:"),
    "RaisesNoUnicode": ("failed", "lone surrogate"),
    "RaisesItsOwnKind": ("failed", "Stop: enough (bad.py:"),
    "Exits": ("failed", "SystemExit: 0 (bad.py:"),
    "Interrupts": ("failed", "KeyboardInterrupt: raise KeyboardInterrupt (bad.py:"),
    "Recurses": ("failed", "RecursionError: maximum recursion depth exceeded"),
    "TooSmall": ("failed", "output: expected a tensor (1, 3, 64, 64), found (1, 3, 64, 63)"),
    "FourChannels": ("failed", "output: expected a tensor (1, 3, 64, 64), found (1, 4, 64, 64)"),
    "NoBatch": ("failed", "output: expected a tensor (1, 3, 64, 64), found (3, 64, 64)"),
    "Integers": ("failed", "output: expected floats in [0, 1], found torch.uint8"),
    "NotNumbers": ("failed", "values are not finite"),
    "Infinite": ("failed", "values are not finite"),
    "GivesAList": ("failed", "found list; torch.as_tensor makes one"),
    "GivesAnArray": ("failed", "found ndarray float32 (1, 3, 64, 64); torch.as_tensor"),
    "GivesATuple": ("failed", "found tuple"),
    "GivesNothing": ("failed", "of floats in [0, 1], found None"),
    "OnNoDevice": ("failed", "Cannot copy out of meta tensor"),
    "OddCounts": ("failed", "object is not JSON serializable"),
    "OddPictures": ("failed", "found (1, 3, 64, 64) under '../../flow'"),
    "Vanishes": ("killed", "ended by itself with exit status 5; tried 2 times"),
    "KillsItself": ("killed", "killed by SIGKILL"),
    "Segfaults": ("killed", "killed by SIGSEGV"),
    "Aborts": ("killed", "killed by SIGABRT"),
    "ClosesAll": ("killed", "tried 2 times"),
    "Hangs": ("timeout", "took more than"),
    "HangsAlone": ("timeout", "took more than"),
    "ForksAndHangs": ("timeout", "took more than"),
    "ForksAndGoesOn": ("ok", ""),
    "LeaksThreads": ("ok", ""),
    "NeedsMemory": ("oom", "Unable to allocate 8.00 PiB"),
    "ChangesDirectory": ("ok", ""),
    "PatchesLibraries": ("failed", "TypeError: 'NoneType' object is not callable"),
    "CallsItselfTelea": ("failed", "the method calls itself 'telea' now"),
    "ChangesItsCard": ("ok", ""),
    "Prints": ("ok", ""),
    "ForgetsItself": ("ok", ""),
    "Untouched": ("failed", "hole"),
    "BlueFirst": ("failed", "BGR"),
    "OneAside": ("failed", "a pixel"),
    "ReadsThePhoto": ("ok", ""),
    "WritesIntoWhatItIsGiven": ("ok", ""),
}
"""Status, and a part of the reason, by name of the class."""
