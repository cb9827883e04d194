"""The view of a clip that a feature asks for: frames on a regular time grid, at a wanted short side.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, FramesTCHW, TimesT, Window
from eval.feature import Sampling

SLACK = 0.05
"""A frame may be this share of a grid step late and still count as on time: 24 fps in a millisecond time base
lands up to half a millisecond off a grid of 8 fps."""


class Sampler:
    """Maps native Windows to the Windows of one Sampling, streaming.

    Grid time k/fps gets the latest frame shown at or before it; a frame is never given twice, so a slower clip
    keeps its own frames. The given times are the frames' own presentation times. Frames are shrunk by area
    averaging, never enlarged. The result does not depend on how the clip was cut into windows.
    """

    def __init__(self, sampling: Sampling, info: ClipInfo) -> None:
        if sampling.fps is not None and sampling.fps <= 0:
            raise ValueError(f"sampling fps must be positive; got {sampling.fps}")
        self._fps = sampling.fps
        self._size = target_size(info.width, info.height, sampling.short_side)
        self._shrinks = self._size != (info.width, info.height)
        self._native_fps = info.fps
        self._held: Window | None = None  # the latest frame: what follows decides whether it is wanted

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames given."""
        return self._size

    def push(self, window: Window) -> Iterator[Window]:
        """Take the next native window; give the sampled frames that it settles, if any."""
        if self._fps is None:
            yield self._shrink(window)
            return
        if not len(window.times_s):
            return
        steps = self._steps(window.times_s)
        if self._held is not None and self._steps(self._held.times_s)[0] < steps[0]:
            yield self._shrink(self._held)
        chosen = np.flatnonzero(steps[:-1] < steps[1:])
        if len(chosen):
            yield self._shrink(Window(window.frames_TCHW[chosen], window.times_s[chosen]))
        # A copy, so that one waiting frame does not keep its whole window alive.
        self._held = Window(window.frames_TCHW[-1:].copy(), window.times_s[-1:].copy())

    def finish(self) -> Iterator[Window]:
        """Give the last frame when a grid time falls while it is shown."""
        held, self._held = self._held, None
        if held is not None:
            end = self._steps(held.times_s + 1 / self._native_fps)[0]
            if self._steps(held.times_s)[0] < end:
                yield self._shrink(held)

    def _steps(self, times_s: TimesT) -> npt.NDArray[np.float64]:
        """The first grid step that each frame could serve."""
        assert self._fps is not None
        return np.asarray(np.ceil(times_s * self._fps - SLACK), np.float64)

    def _shrink(self, window: Window) -> Window:
        if not self._shrinks:
            return window
        return Window(shrink(window.frames_TCHW, self._size), window.times_s)


def shrink(frames_TCHW: FramesTCHW, size: tuple[int, int]) -> FramesTCHW:
    """Frames area-averaged to `size` (width, height), which must not be larger. Returns T,3,H,W (a view of T,H,W,3)."""
    width, height = size
    out_THWC = np.empty((len(frames_TCHW), height, width, 3), np.uint8)
    for out_HWC, frame_CHW in zip(out_THWC, frames_TCHW, strict=True):
        cv2.resize(np.ascontiguousarray(frame_CHW.transpose(1, 2, 0)), size, out_HWC, interpolation=cv2.INTER_AREA)
    return out_THWC.transpose(0, 3, 1, 2)


def target_size(width: int, height: int, short_side: int | None) -> tuple[int, int]:
    """Width and height once the short side is at most `short_side`, in proportion, rounded, at least 1."""
    if short_side is None or min(width, height) <= short_side:
        return width, height
    scale = short_side / min(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
