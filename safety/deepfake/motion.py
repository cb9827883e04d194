"""Block `motion`: what the codec's motion vectors say of how a clip moves.

Shape legend: V vectors of one frame, T predicted frames, D numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from eval.video.motion_vectors import Floats, FrameVectors

NAMES = (
    "log_length",
    "spread_length",
    "moving_area",
    "between_pixels",
    "unpredicted_area",
    "across_over_down",
    "log_block_area",
    "uneven_over_time",
)
STILL = 0.1
"""Pixels."""
FLOOR = 0.05


def motion_numbers(frames: Iterable[FrameVectors]) -> Floats:
    """motion_D in the order of NAMES, from the predicted frames of a clip; finite also where nothing moves."""
    per_frame = [_of_frame(frame) for frame in frames]
    if not per_frame:
        return np.zeros(len(NAMES))
    table_TD = np.array(per_frame)
    lengths_T = 10 ** table_TD[:, 0]
    return np.append(table_TD.mean(axis=0), lengths_T.std() / lengths_T.mean())


def _of_frame(frame: FrameVectors) -> list[float]:
    """All numbers but the last."""
    covered = float(frame.area_V.sum())
    if covered <= 0:
        return [float(np.log10(FLOOR)), 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    share_V = frame.area_V / covered
    length_V = np.hypot(frame.across_V, frame.down_V)
    mean = float(share_V @ length_V)
    spread = float(np.sqrt(share_V @ (length_V - mean) ** 2))
    fraction_V = (frame.across_V % 1 != 0) | (frame.down_V % 1 != 0)
    across, down = float(share_V @ np.abs(frame.across_V)), float(share_V @ np.abs(frame.down_V))
    return [
        float(np.log10(mean + FLOOR)),
        spread / (mean + FLOOR),
        float(share_V @ (length_V > STILL)),
        float(share_V @ fraction_V),
        max(0.0, 1 - covered / frame.pixels),
        float(np.log10((across + FLOOR) / (down + FLOOR))),
        float(np.log10(frame.area_V.mean())),
    ]
