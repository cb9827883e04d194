"""The middle frames of equal parts of a clip, for networks that see a whole clip in a few frames.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from eval.clip import FramesTCHW, Window
from eval.encoders.runner import Runner, Ticket
from eval.feature import NotMeasurable, Pending

KEPT = 512
"""Frames kept, as small as the network sees them, until the clip's length is known. A longer clip keeps every second,
fourth, … frame, and the one nearest to the middle asked for stands for it: off by at most 1/500 of the clip."""


class MiddleFrames:
    """Hands a clip to a Runner as one item of `frames` frames.

    small: a frame as the network sees it, uint8 T,C,H,W → uint8 T,C,h,w, of one size for all clips.
    owed: makes the Pending from the ticket of that one item.
    finish raises NotMeasurable for a clip of fewer frames.
    """

    def __init__(
        self,
        runner: Runner,
        frames: int,
        small: Callable[[FramesTCHW], FramesTCHW],
        owed: Callable[[Ticket], Pending],
    ) -> None:
        self._runner, self._frames, self._small, self._owed = runner, frames, small, owed
        self._stride = 1
        self._count = 0
        self._kept: list[FramesTCHW] = []  # frames 0, stride, 2·stride, …

    def update(self, window: Window) -> None:
        for frame_CHW in window.frames_TCHW:
            if self._count % self._stride == 0:
                self._kept.append(self._small(frame_CHW[None]))
            self._count += 1
            if len(self._kept) > KEPT:
                self._kept = self._kept[::2]
                self._stride *= 2

    def finish(self) -> Pending:
        if self._count < self._frames:
            raise NotMeasurable(f"{self._runner.name} sees {self._frames} frames of a clip: this one has {self._count}")
        nearest = (middles(self._count, self._frames) + self._stride // 2) // self._stride
        clip_TCHW = np.concatenate([self._kept[min(index, len(self._kept) - 1)] for index in nearest])
        self._kept.clear()
        return self._owed(self._runner.submit(clip_TCHW[None]))


def middles(count: int, parts: int) -> npt.NDArray[np.int64]:
    """The number of the middle frame of each of `parts` equal parts of a clip of `count` ≥ parts frames."""
    edges = np.linspace(0, count, parts + 1).astype(np.int64)
    return np.asarray((edges[:-1] + edges[1:] - 1) // 2)
