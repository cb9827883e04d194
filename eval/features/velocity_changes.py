"""Feature `velocity_changes`: how suddenly the fastest-changing part of the picture changes its motion, frame by frame.

For onsets: an impact, a start, a stop, a flash. Native rate, because a frame is all the time resolution there is.

Shape legend: T frames, H height, W width, C = 2 flow components.
"""

from __future__ import annotations

import numpy as np

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, NotMeasurable, Sampling
from eval.features.dis_flow import DisFlow, FlowHWC
from eval.features.flow import speeds
from eval.features.frame_view import PictureHW, grey


class VelocityChanges:
    """Keeps one small frame and one flow field.

    At frame t, w⁺ is the flow to t+1 and w⁻ the flow to t−1, both on the pixels of frame t. Steady motion has
    w⁻ = −w⁺, so |w⁺/Δt⁺ + w⁻/Δt⁻| is the change of velocity of what is at that pixel.
    """

    def __init__(self, _info: ClipInfo) -> None:
        self._dis: DisFlow | None = None
        self._before_HW: PictureHW | None = None
        self._velocity_back_HWC: FlowHWC | None = None
        self._times_T: list[float] = []
        self._change_T: list[float] = []

    def update(self, window: Window) -> None:
        for frame_CHW, time_s in zip(window.frames_TCHW, window.times_s, strict=True):
            self._push(grey(frame_CHW), float(time_s))

    def _push(self, now_HW: PictureHW, time_s: float) -> None:
        if self._dis is None:
            self._dis = DisFlow(now_HW.shape[1], now_HW.shape[0])
        if self._before_HW is not None:
            step_s = time_s - self._times_T[-1]
            if step_s <= 0:
                raise NotMeasurable(f"presentation times do not increase at {time_s:g} s")
            ahead_HWC = self._dis(self._before_HW, now_HW) / np.float32(step_s)
            if self._velocity_back_HWC is not None:
                self._change_T.append(speeds(ahead_HWC + self._velocity_back_HWC)[1])
            else:
                self._change_T.append(0.0)
            self._velocity_back_HWC = self._dis(now_HW, self._before_HW) / np.float32(step_s)
        self._before_HW = now_HW
        self._times_T.append(time_s)

    def finish(self) -> Arrays:
        """change_T: mean over the twentieth of the picture that changes most, short sides per second; 0 for the
        first and last frame, which have one neighbour. times_T: seconds.
        """
        return {
            "change_T": np.array([*self._change_T, 0.0], np.float64),
            "times_T": np.array(self._times_T, np.float64),
        }


FEATURES.add("velocity_changes", Feature("velocity_changes", 1, "picture", VelocityChanges, Sampling(short_side=96)))
