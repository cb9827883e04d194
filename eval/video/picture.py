"""Decoded frames to upright 8-bit RGB.

Shape legend: H height, W width, C channels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import ColorTrc, VideoReformatter

RgbHWC = npt.NDArray[np.uint8]

_KNOWN_MATRICES = frozenset((0, 1, 2, 4, 5, 6, 7, 9))
"""ITU-T H.273 matrix coefficients that swscale converts by; anything else is read as untagged (BT.601)."""

_HDR = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG"}


class Orientation:
    """How a file asks its frames to be turned and mirrored for display (ISO/IEC 14496-12, 8.2.2 matrix)."""

    def __init__(self, frame: VideoFrame) -> None:
        a, b, c, d = _display_matrix(frame)
        self.swaps = bool(b and c and not a and not d)
        self.upright = bool(a and d and not b and not c) or self.swaps
        self.flip_x = (c if self.swaps else a) < 0
        self.flip_y = (b if self.swaps else d) < 0

    @property
    def note(self) -> str | None:
        if not self.upright:
            return "asks to be shown at a slant: left as stored"
        if self.swaps or self.flip_x or self.flip_y:
            return "stored turned or mirrored: set upright as players do"
        return None

    def apply(self, picture_HWC: RgbHWC) -> RgbHWC:
        if not self.upright:
            return picture_HWC
        if self.swaps:
            picture_HWC = picture_HWC.transpose(1, 0, 2)
        return picture_HWC[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


def _display_matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, SideData):
        return 1, 0, 0, 1
    matrix = np.frombuffer(bytes(data)[:36], np.int32)
    return int(matrix[0]), int(matrix[1]), int(matrix[3]), int(matrix[4])


class RgbConverter:
    """Converts frames as swscale does, with each frame's own matrix and range; transparency goes onto black."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self.transparent = False

    def __call__(self, frame: VideoFrame) -> RgbHWC:
        """One frame as uint8 RGB, as stored (not turned). Equal to `frame.to_ndarray(format="rgb24")` if opaque."""
        if frame.colorspace not in _KNOWN_MATRICES:
            frame.colorspace = 2
        if not has_alpha(frame):
            return self._convert(frame, "rgb24")
        rgba_HWC = self._convert(frame, "rgba")
        alpha_HW1 = rgba_HWC[..., 3:].astype(np.uint16)
        if alpha_HW1.min() == 255:
            return rgba_HWC[..., :3]
        self.transparent = True
        return ((rgba_HWC[..., :3] * alpha_HW1 + 127) // 255).astype(np.uint8)

    def _convert(self, frame: VideoFrame, pixels: str) -> RgbHWC:
        # One swscale thread: the result is the same and every caller already runs one process per core.
        array = self._reformatter.reformat(frame, format=pixels, threads=1).to_ndarray()
        return np.asarray(array, np.uint8)


def has_alpha(frame: VideoFrame) -> bool:
    """Whether the pixel format can hold transparency."""
    pixels = frame.format
    return pixels.has_palette or any(component.is_alpha for component in pixels.components)


def is_hdr(frame: VideoFrame) -> bool:
    """Whether the transfer function is PQ or HLG (ITU-R BT.2100)."""
    return frame.color_trc in _HDR


def picture_notes(frame: VideoFrame) -> list[str]:
    """What a reader should know about a stream's pictures, from its first frame."""
    notes = []
    if is_hdr(frame):
        notes.append(f"HDR ({_HDR[ColorTrc(frame.color_trc)]}): not tone-mapped")
    depth = max((component.bits for component in frame.format.components), default=8)
    if depth > 8:
        notes.append(f"{depth} bits per channel: read as 8")
    if frame.format.name.startswith(("gray", "ya", "mono")):
        notes.append("greyscale")
    if frame.interlaced_frame:
        notes.append("interlaced: fields are not separated")
    if frame.colorspace not in _KNOWN_MATRICES:
        notes.append("unknown colour matrix: read as BT.601")
    return notes
