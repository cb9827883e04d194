"""Feature `flow`: motion between sampled frames, and how well frames are explained by it.

Eight frames a second at a short side of 256, so that copies of a clip at other rates and sizes agree.

Shape legend: T sampled frames, P = T−1 pairs, R = T−2 triples, H height, W width, C channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, NotMeasurable, Sampling
from eval.features.dis_flow import DisFlow, FlowHWC, pixel_grid, sample, squared_length, visible
from eval.features.frame_view import channels_last

TOP = 0.05
"""Share of the pixels that `top_P` averages: VBench's dynamic_degree looks at the fastest twentieth."""


MEAN_RGB = np.full(3, 1 / 3, np.float32)


@dataclass(frozen=True)
class Frame:
    """One sampled frame in the two forms that flow needs."""

    rgb_HWC: npt.NDArray[np.uint8]

    @cached_property
    def grey(self) -> npt.NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(self.rgb_HWC, cv2.COLOR_RGB2GRAY), np.uint8)

    @cached_property
    def float(self) -> npt.NDArray[np.float32]:
        return self.rgb_HWC.astype(np.float32)


class FlowAccumulator:
    """Keeps two frames and one flow field. Flow is computed twice per pair (both ways) and once per triple."""

    def __init__(self, _info: ClipInfo) -> None:
        self._dis: DisFlow | None = None
        self._grid_HWC: FlowHWC = np.zeros((0, 0, 2), np.float32)
        self._before: list[Frame] = []
        self._velocity_back_HWC: FlowHWC | None = None
        self._times_T: list[float] = []
        self._rows: dict[str, list[float]] = {name: [] for name in ("mean_P", "top_P", "warp_error_P", "visible_P")}
        self._triples: dict[str, list[float]] = {name: [] for name in ("interpolation_error_R", "turn_R", "travel_R")}

    def update(self, window: Window) -> None:
        for frame_CHW, time_s in zip(window.frames_TCHW, window.times_s, strict=True):
            self._times_T.append(float(time_s))
            self._push(Frame(channels_last(frame_CHW).copy()))

    def _push(self, now: Frame) -> None:
        if self._dis is None:
            height, width = now.grey.shape
            self._dis = DisFlow(width, height)
            self._grid_HWC = pixel_grid(height, width)
        if self._before:
            self._pair(self._dis, self._before[-1], now)
        if len(self._before) == 2:
            first, middle = self._before
            self._triples["interpolation_error_R"].append(self._triple(self._dis, first, middle, now))
        self._before = [*self._before[-1:], now]

    def _pair(self, dis: DisFlow, before: Frame, now: Frame) -> None:
        forward_HWC = dis(before.grey, now.grey)
        backward_HWC = dis(now.grey, before.grey)
        mean, top = speeds(forward_HWC)
        seen_HW = visible(forward_HWC, backward_HWC, self._grid_HWC)
        error_HW = cv2.absdiff(before.float, sample(now.float, self._grid_HWC + forward_HWC)) @ MEAN_RGB
        values = (mean, top, float(error_HW[seen_HW].mean()) if seen_HW.any() else math.nan, float(seen_HW.mean()))
        for row, value in zip(self._rows.values(), values, strict=True):
            row.append(value)
        self._turn(forward_HWC, backward_HWC)

    def _turn(self, forward_HWC: FlowHWC, backward_HWC: FlowHWC) -> None:
        """How far the velocity at the frame between two pairs changes, and the two speeds that it could change by."""
        step_s = self._times_T[-1] - self._times_T[-2]
        if step_s <= 0:
            raise NotMeasurable(f"presentation times do not increase at {self._times_T[-1]:g} s")
        ahead_HWC, back_HWC = forward_HWC / np.float32(step_s), self._velocity_back_HWC
        if back_HWC is not None:  # steady motion has back = −ahead
            self._triples["turn_R"].append(speeds(ahead_HWC + back_HWC)[0])
            self._triples["travel_R"].append(speeds(ahead_HWC)[0] + speeds(back_HWC)[0])
        self._velocity_back_HWC = backward_HWC / np.float32(step_s)

    def _triple(self, dis: DisFlow, first: Frame, middle: Frame, last: Frame) -> float:
        """Mean error of the middle frame guessed from its neighbours: half-way along the flow between them."""
        half_HWC = 0.5 * dis(first.grey, last.grey)
        from_first_HWC = sample(first.float, self._grid_HWC - half_HWC)
        from_last_HWC = sample(last.float, self._grid_HWC + half_HWC)
        guess_HWC = 0.5 * (from_first_HWC + from_last_HWC)
        return float(cv2.absdiff(guess_HWC, middle.float).mean(dtype=np.float64))

    def finish(self) -> Arrays:
        """mean_P, top_P: mean speed, and mean of the fastest twentieth, in short sides per pair.
        warp_error_P: mean |I_t(x) − I_t+1(x + w)| over visible pixels and RGB, 0-255, NaN where nothing is visible.
        visible_P: share of visible pixels, 0-1. interpolation_error_R: 0-255. times_T: seconds.
        turn_R: mean |v⁺ + v⁻| and travel_R: mean |v⁺| + mean |v⁻|, short sides per second, with v⁺ the velocity to the
        next frame and v⁻ that to the one before, both on the middle frame's pixels.
        """
        arrays = {name: np.array(row, np.float64) for name, row in (self._rows | self._triples).items()}
        arrays["times_T"] = np.array(self._times_T, np.float64)
        return arrays


def speeds(flow_HWC: FlowHWC) -> tuple[float, float]:
    """Mean length of the flow and mean of its largest twentieth, both divided by the picture's short side."""
    length = np.sqrt(squared_length(flow_HWC)).ravel()
    top = max(1, math.ceil(TOP * length.size))
    fastest = np.partition(length, length.size - top)[-top:]
    short_side = min(flow_HWC.shape[:2])
    return float(length.mean(dtype=np.float64)) / short_side, float(fastest.mean(dtype=np.float64)) / short_side


FEATURES.add("flow", Feature("flow", 1, "picture", FlowAccumulator, Sampling(fps=8, short_side=256)))
