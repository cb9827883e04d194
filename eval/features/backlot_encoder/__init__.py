"""Feature `backlot_encoding`: a clip, and each of its frames, as points near the texts that are true of them.

Shape legend: T frames, C channels, H height, W width, D numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval.clip import ClipInfo, FramesTCHW, Window
from eval.encoders.runner import Ticket
from eval.feature import FEATURES, Arrays, Feature, Sampling
from eval.features.backlot_encoder.weights import ENCODER, reference_set, shipped_encoder, weights_sha256
from eval.features.backlot_reader import FPS, FRAMES, SIZE, in_time, on_the_grid, squared
from eval.features.frame_view import PictureHWC, channels_last

COMPONENTS = 16
TOGETHER = 16
"""Frames that are encoded together, counted from the clip's start, however it is cut into windows."""


@dataclass(frozen=True, slots=True)
class OwedEncoding:
    """The rows of a clip and of its frames, when they are computed: a Pending."""

    clip: Ticket
    frames: tuple[Ticket, ...]
    times_T: tuple[float, ...]

    def result(self) -> Arrays:
        """clip_D: the first four seconds, float32 of length 1. frames_TD: each frame by itself, float32 of length 1.
        times_T: when it appears, s. set_D: principal components of what the clip shows, float32.
        """
        row_D = self.clip.result()[0]
        return {
            "clip_D": row_D[:-COMPONENTS],
            "set_D": row_D[-COMPONENTS:],
            "frames_TD": np.concatenate([ticket.result()[0] for ticket in self.frames]),
            "times_T": np.array(self.times_T),
        }


class BacklotEncoding:
    """Hands frames to the encoder as they come, and the first four seconds at the end."""

    def __init__(self, info: ClipInfo) -> None:
        self._network = shipped_encoder()
        self._step_s = 1.0 / info.fps
        self._first: list[PictureHWC] = []
        self._waiting: list[PictureHWC] = []
        self._tickets: list[Ticket] = []
        self._times_s: list[float] = []

    def update(self, window: Window) -> None:
        for frame_CHW, time_s in zip(window.frames_TCHW, window.times_s, strict=True):
            frame_HWC = squared(channels_last(frame_CHW))
            self._times_s.append(float(time_s))
            if in_time(float(time_s)):
                self._first.append(frame_HWC)
            self._waiting.append(frame_HWC)
            if len(self._waiting) == TOGETHER:
                self._hand_in()

    def _hand_in(self) -> None:
        self._tickets.append(self._network.frames.submit(_stacked(self._waiting)[None]))
        self._waiting = []

    def finish(self) -> OwedEncoding:
        if self._waiting:
            self._hand_in()
        grid = on_the_grid(self._times_s[: len(self._first)], self._step_s)
        clip = self._network.clips.submit(_stacked([self._first[index] for index in grid])[None])
        return OwedEncoding(clip, tuple(self._tickets), tuple(self._times_s))


def _stacked(frames: list[PictureHWC]) -> FramesTCHW:
    return np.stack(frames).transpose(0, 3, 1, 2)


FEATURES.add(
    "backlot_encoding",
    Feature(
        "backlot_encoding",
        1,
        "picture",
        BacklotEncoding,
        Sampling(fps=FPS, short_side=SIZE),
        encoder=ENCODER,
        weights=weights_sha256,
    ),
)

__all__ = ["COMPONENTS", "FRAMES", "BacklotEncoding", "reference_set"]
