"""XPSNR: PSNR weighted by how much eyes notice, with libavfilter's own implementation.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

import math
from fractions import Fraction

import av
import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace

from eval.clip import Clip, FramesTCHW
from eval.video.write import yuv_frames

LEAST_PX = 64
"""vf_xpsnr divides by zero on pictures under 2025 pixels."""

_PIXELS = "yuv444p"
_PLANES = ("y", "u", "v")


def xpsnr_db(reference_TCHW: FramesTCHW, changed_TCHW: FramesTCHW, fps: float = 24.0) -> float:
    """XPSNR of a clip against its reference in dB, higher is closer; infinite for equal clips.

    The least of the three planes (BT.709, full resolution), each over all frames as the filter's last line has it: the
    mean of the frames' weighted root errors. fps matters to its weights for motion. Frames need the same shape.
    Source: Helmrich et al., "XPSNR: a low-complexity extension of the perceptually weighted PSNR", 2020; vf_xpsnr.
    """
    assert reference_TCHW.shape == changed_TCHW.shape, "XPSNR compares frame by frame"
    assert len(reference_TCHW), "XPSNR needs a frame"
    reference_TCHW, changed_TCHW = _fitting(reference_TCHW), _fitting(changed_TCHW)
    per_frame = _decibels(Clip(reference_TCHW, fps), Clip(changed_TCHW, fps))
    errors_TC = 10 ** (-np.array(per_frame) / 20)
    worst = float(errors_TC.mean(axis=0).max())
    return float("inf") if worst == 0 else -20 * float(np.log10(worst))


def _fitting(frames_TCHW: FramesTCHW) -> FramesTCHW:
    """Frames of a size that the filter weighs rightly, mirrored at the lower and right edge where theirs is not.

    A block of one row or column has no texture that could mask anything, so that the filter gives it a weight that
    drowns all others: unrelated noise has 2.4 dB at 45×45 and 14.3 dB at 46×46.
    """
    height, width = (max(LEAST_PX, side) for side in frames_TCHW.shape[2:])
    while 1 in (height % _block_px(height, width), width % _block_px(height, width)):
        block = _block_px(height, width)
        height, width = height + (height % block == 1), width + (width % block == 1)
    missing = height - frames_TCHW.shape[2], width - frames_TCHW.shape[3]
    if not any(missing):
        return frames_TCHW
    return np.pad(frames_TCHW, ((0, 0), (0, 0), (0, missing[0]), (0, missing[1])), mode="symmetric")


def _block_px(height: int, width: int) -> int:
    """The side of the filter's blocks (vf_xpsnr.c, get_wsse)."""
    return max(4, 4 * int(32 * math.sqrt(height * width / (3840 * 2160)) + 0.5))


def _decibels(reference: Clip, changed: Clip) -> list[list[float]]:
    """Of every frame the XPSNR of every plane."""
    graph = av.filter.Graph()
    height, width = reference.frames_TCHW.shape[2:]
    step = 1 / Fraction(reference.fps).limit_denominator(1001)
    sources = [
        graph.add_buffer(width=width, height=height, format=VideoFormat(_PIXELS), time_base=step, name=name)
        for name in ("changed", "reference")
    ]
    compare, sink = graph.add("xpsnr"), graph.add("buffersink")
    for index, source in enumerate(sources):
        source.link_to(compare, input_idx=index)
    compare.link_to(sink)
    graph.configure()
    found = []
    frames = (yuv_frames(clip, _PIXELS, Colorspace.ITU709) for clip in (changed, reference))
    for pair in zip(*frames, strict=True):
        for source, frame in zip(sources, pair, strict=True):
            source.push(frame)
        compared = sink.pull()
        assert isinstance(compared, VideoFrame), "a picture filter gives pictures"
        found.append([float(compared.metadata[f"lavfi.xpsnr.xpsnr.{plane}"]) for plane in _PLANES])
    return found
