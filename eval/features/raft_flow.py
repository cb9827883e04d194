"""Feature `raft_flow`: how far the strongest twentieth of a picture moves, by RAFT, as VBench's dynamic degree has it.

VBench takes every round(fps / 8)-th frame, by number and not by time, at native size.

Shape legend: T frames, P pairs of sampled frames that follow each other, C channels, H height, W width.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from eval.clip import ClipInfo, FramesTCHW, Window
from eval.encoders.accumulators import Owed
from eval.encoders.networks.checkpoint import weights_sha256
from eval.encoders.open.runners import runner
from eval.encoders.runner import Runner, Ticket
from eval.feature import FEATURES, Feature, NotMeasurable

ENCODER = "raft-things"


class FlowOfPairs:
    """Hands each sampled frame in with the one before it."""

    def __init__(self, runner: Runner, fps: float) -> None:
        self._runner = runner
        self._stride = stride(fps)
        self._count = 0
        self._last: FramesTCHW | None = None
        self._tickets: list[Ticket] = []

    def update(self, window: Window) -> None:
        if self._tickets and self._tickets[-1].failed:
            self._tickets[-1].result()
        for frame_CHW in window.frames_TCHW:
            if self._count % self._stride == 0:
                if self._last is not None:
                    self._tickets.append(self._runner.submit(np.stack([self._last, frame_CHW])[None]))
                self._last = frame_CHW.copy(order="K")
            self._count += 1

    def finish(self) -> Owed:
        """strongest_P: float32, the mean length of the longest 5 % of the flow, in pixels of the clip."""
        if not self._tickets:
            raise NotMeasurable(
                f"flow needs two frames, of which every {self._stride}. is taken: the clip has {self._count}"
            )
        return Owed("strongest_P", self._tickets)


def stride(fps: float) -> int:
    """One of how many frames VBench takes: about eight a second, and every frame of slower clips."""
    return max(1, round(fps / 8))


def start(info: ClipInfo) -> FlowOfPairs:
    """Raises NotMeasurable where the user's program is missing."""
    return FlowOfPairs(runner(ENCODER), info.fps)


FEATURES.add(
    "raft_flow",
    Feature("raft_flow", 1, "picture", start, encoder=ENCODER, weights=partial(weights_sha256, ENCODER)),
)
