"""Feature `amt_interpolation`: how well AMT-S guesses every odd frame from its neighbours.

It is what VBench's motion smoothness is made of.

All frames, at native rate and size. VBench shrinks large frames on GPUs with little memory; here they are never shrunk.

Shape legend: T frames, P odd frames with an even one on both sides, C channels, H height, W width.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, Window
from eval.encoders.accumulators import Owed
from eval.encoders.networks.checkpoint import weights_sha256
from eval.encoders.open.runners import runner
from eval.encoders.runner import Runner, Ticket
from eval.feature import FEATURES, Feature, NotMeasurable

ENCODER = "amt-s"


class GuessedFrames:
    """Hands every odd frame in between its even neighbours."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._count = 0
        self._kept: list[npt.NDArray[np.uint8]] = []  # the last even frame, and the odd one behind it
        self._tickets: list[Ticket] = []

    def update(self, window: Window) -> None:
        if self._tickets and self._tickets[-1].failed:
            self._tickets[-1].result()
        for frame_CHW in window.frames_TCHW:
            self._kept.append(frame_CHW.copy(order="K"))
            self._count += 1
            if len(self._kept) == 3:
                self._tickets.append(self._runner.submit(np.stack(self._kept)[None]))
                self._kept = self._kept[2:]

    def finish(self) -> Owed:
        """difference_P: float32, mean |guess − frame| / 255 over pixels and RGB, 0-1."""
        if not self._tickets:
            raise NotMeasurable(f"a frame is guessed from those on both sides: the clip has {self._count}")
        return Owed("difference_P", self._tickets)


def start(_info: ClipInfo) -> GuessedFrames:
    """Raises NotMeasurable where the user's program is missing."""
    return GuessedFrames(runner(ENCODER))


FEATURES.add(
    "amt_interpolation",
    Feature("amt_interpolation", 1, "picture", start, encoder=ENCODER, weights=partial(weights_sha256, ENCODER)),
)
