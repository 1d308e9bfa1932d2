"""Methods that do to their process what they should not; run as plug-ins, in real workers."""

import contextlib
import multiprocessing as mp
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import torch

from methods.base import Inpainter
from methods.card import Card


class Rude(Inpainter):
    """Fills with grey; does what it is asked to with its second fill, or when it is loaded."""

    card = Card("rude", "Rude", "elsewhere")

    def __init__(self, name="", *, device="cpu", does="nothing", at="infer"):
        super().__init__(name, device=device)
        self.does, self.at, self.fills = does, at, 0

    def load(self):
        if self.at == "load":
            getattr(self, self.does)()

    def infer(self, images, masks, generator):
        self.fills += 1
        if self.at == "infer" and self.fills == 2:
            getattr(self, self.does)()
        return images + 0.5 * masks

    def goes_away(self):
        os.chdir(Path.cwd().root)

    def exits(self):
        sys.exit("bye")

    def dies(self):
        os._exit(0)

    def interrupts(self):
        raise KeyboardInterrupt

    def closes_output(self):
        sys.stdout.close()
        os.close(2)

    def closes_all(self):
        os.closerange(3, 500)

    def asks(self):
        input("well? ")

    def reads(self):
        assert not subprocess.run(["cat"], check=True, capture_output=True).stdout

    def leaves_a_thread(self):
        threading.Thread(target=time.sleep, args=(600,)).start()

    def is_deaf(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)

    def clears_environment(self):
        os.environ.clear()

    def sets_all(self):
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.use_deterministic_algorithms(True)
        torch.set_num_threads(3)
        np.random.seed(0)
        np.seterr(all="raise")
        warnings.simplefilter("error")

    def prints(self):
        print("x" * (1 << 20))

    def breaks_built_ins(self):
        import builtins

        builtins.len = lambda _: 7

    def takes_all_files(self):
        with contextlib.suppress(OSError):
            while True:
                os.open(os.devnull, os.O_RDONLY)

    def is_two(self):
        os.fork()


class Pools(Inpainter):
    """Fills with what a pool of processes gives, and reads by a loader with workers."""

    card = Card("pools", "Pools", "elsewhere")

    def __init__(self, name="", *, device="cpu", start="fork"):
        super().__init__(name, device=device)
        self.start = start

    def load(self):
        self.pool = mp.get_context(self.start).Pool(1)

    def infer(self, images, masks, generator):
        from torch.utils.data import DataLoader

        loader = DataLoader(images, num_workers=1, generator=generator,
                            multiprocessing_context=self.start)  # fmt: skip
        assert all(torch.equal(*pair) for pair in zip(loader, images[:, None], strict=True))
        return images + self.pool.map(half, [1.0])[0] * masks


def half(number: float) -> float:
    return number / 2


class Fills(Inpainter):
    """A process of it does one fill only."""

    card = Card("fills", "Fills", "elsewhere")
    fills = 0

    def infer(self, images, masks, generator):
        self.fills += 1
        if self.fills > 1:
            self.end()
        return images + 0.5 * masks

    def end(self):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


class FillsAndDies(Fills):
    def end(self):
        os.kill(os.getpid(), signal.SIGKILL)


class FillsAndSpoils(Fills):
    def end(self):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
