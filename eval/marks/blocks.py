"""Brightness in blocks of cosines, and writing a change of brightness back into RGB.

Shape legend: T frames, C channels, H W pixels, R rows of blocks, L blocks in a row, S S a block's own places.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from scipy import fft

from eval.clip import Clip
from eval.marks.keys import uniforms
from eval.marks.mark import MarkError

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def luma(frame_CHW: npt.NDArray[np.uint8]) -> Floats:
    """Brightness of an RGB frame, 0-255, H, W (ITU-R BT.601)."""
    red, green, blue = frame_CHW
    found: Floats = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    return found


def with_luma(clip: Clip, change: Callable[[Floats], Floats]) -> Clip:
    """The clip with change(luma_HW) added to every frame's brightness: the same in red, green and blue."""
    marked = np.empty(clip.frames_TCHW.shape, np.uint8)
    for frame_CHW, out_CHW in zip(clip.frames_TCHW, marked, strict=True):
        add_luma(frame_CHW, change(luma(frame_CHW)), out_CHW)
    return Clip(marked, clip.fps, clip.audio_CN, clip.rate_hz)


def add_luma(frame_CHW: npt.NDArray[np.uint8], change_HW: Floats, out_CHW: npt.NDArray[np.uint8]) -> None:
    """Write the frame with its brightness changed into `out_CHW`, cut at black and white."""
    whole_HW = np.rint(change_HW).astype(np.int16)
    for channel_HW, out_HW in zip(frame_CHW, out_CHW, strict=True):
        cv2.add(np.ascontiguousarray(channel_HW), whole_HW, dst=out_HW, dtype=cv2.CV_8U)


def cosines(image_HW: Floats, side: int) -> Floats:
    """Orthonormal cosine transform of all whole blocks of `side` pixels: R, L, S, S. Margins are left out."""
    rows, columns = image_HW.shape[0] // side, image_HW.shape[1] // side
    inside = image_HW[: rows * side, : columns * side].reshape(rows, side, columns, side).transpose(0, 2, 1, 3)
    found: Floats = fft.dctn(inside, axes=(2, 3), norm="ortho")
    return found


def from_cosines(blocks_RLSS: Floats, height: int, width: int) -> Floats:
    """The image of such blocks, H, W; its margins are 0."""
    rows, columns, side, _ = blocks_RLSS.shape
    image_HW = np.zeros((height, width), np.float32)
    inside = fft.idctn(blocks_RLSS, axes=(2, 3), norm="ortho").transpose(0, 2, 1, 3)
    image_HW[: rows * side, : columns * side] = inside.reshape(rows * side, columns * side)
    return image_HW


def owners(key: int, purpose: str, carriers: int, bits: int) -> Integers:
    """The bit that each carrier belongs to: every bit gets as many as any other, or one more, in the key's order."""
    order = np.argsort(uniforms(key, purpose, carriers), kind="stable")
    owner_N = np.empty(carriers, np.int64)
    owner_N[order] = np.arange(carriers) % bits
    return owner_N


def check_room(clip: Clip, carriers: int, needed: int, name: str, smallest: int) -> None:
    """Raises MarkError for a clip without frames, or frames too small for the message."""
    frames, _, height, width = clip.frames_TCHW.shape
    if frames == 0:
        raise MarkError("a clip without frames carries no mark: give one with a frame at least")
    if carriers < needed:
        raise MarkError(
            f"{width}x{height} pixels are too small for {name}: its message needs {smallest}x{smallest} or more; "
            "mark the clip before it is shrunk"
        )
