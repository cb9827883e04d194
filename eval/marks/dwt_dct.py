"""Quantising the largest cosine of blocks in a Haar wavelet's low band (after the tool invisible-watermark).

That tool hands the inverse transform its horizontal and vertical bands in the wrong order, which alone costs 11 dB, and
marks a colour plane that codecs halve. Here the bands keep their order, brightness is marked, and a key decides where
each block's lattice lies and which bit it carries.

Shape legend: T frames, H W pixels, K bits, N blocks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.clip import Clip
from eval.marks.bits import check_message
from eval.marks.blocks import check_room, cosines, from_cosines, luma, owners, with_luma
from eval.marks.chance import p_of, phase_evidence, surprise
from eval.marks.keys import uniforms
from eval.marks.mark import MARKS, Bits, Detection, Stream

SIDE = 4
"""Of a block in the low band; 8 pixels of the frame."""
PER_BIT = 2
"""A bit needs so many blocks at least."""

Floats = npt.NDArray[np.float32]
Bands = tuple[Floats, Floats, Floats, Floats]


def haar(image_HW: Floats) -> Bands:
    """One level of the orthonormal Haar transform of the even part of an image: low, and what changes across, down and
    in both directions; H/2, W/2 each.
    """
    height, width = (size // 2 * 2 for size in image_HW.shape)
    even, odd = image_HW[0:height:2, :width], image_HW[1:height:2, :width]
    low, down = (even + odd) * np.float32(0.5), (even - odd) * np.float32(0.5)
    return (
        low[:, ::2] + low[:, 1::2],
        low[:, ::2] - low[:, 1::2],
        down[:, ::2] + down[:, 1::2],
        down[:, ::2] - down[:, 1::2],
    )


def unhaar(bands: Bands, height: int, width: int) -> Floats:
    """The image of four bands, H, W; an odd last row or column is 0."""
    low, across, down, both = bands
    image_HW = np.zeros((height, width), np.float32)
    rows, columns = low.shape[0] * 2, low.shape[1] * 2
    image_HW[0:rows:2, 0:columns:2] = (low + across + down + both) / 2
    image_HW[0:rows:2, 1:columns:2] = (low - across + down - both) / 2
    image_HW[1:rows:2, 0:columns:2] = (low + across - down - both) / 2
    image_HW[1:rows:2, 1:columns:2] = (low - across - down + both) / 2
    return image_HW


@dataclass(frozen=True)
class DwtDct:
    """step: between points of a lattice, in steps of 0-255 of a coefficient."""

    step: float = 36.0
    name: str = "dwt-dct"
    version: int = 1
    bits: int = 32
    stream: Stream = "picture"
    summary: str = "quantised largest cosine of blocks in a Haar low band of brightness"
    source: str = "invisible-watermark (dwtDct), bands in order, keyed"
    weights_sha256: str = ""

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        """See Mark."""
        check_message(message_K, self.bits)
        count = self._blocks(clip)
        dither_N = uniforms(key, f"{self.name}/dither", count).astype(np.float32)
        wanted_N = dither_N + message_K[owners(key, f"{self.name}/owners", count, self.bits)] / np.float32(2)

        def change(luma_HW: Floats) -> Floats:
            low = haar(luma_HW)[0]
            blocks = cosines(low, SIDE)
            flat_NS = blocks.reshape(count, SIDE * SIDE)
            largest_N = _largest(flat_NS)
            found_N = flat_NS[np.arange(count), largest_N] / self.step
            moved_NS = np.zeros_like(flat_NS)
            moved_NS[np.arange(count), largest_N] = self.step * (np.rint(found_N - wanted_N) + wanted_N - found_N)
            change_low = from_cosines(moved_NS.reshape(blocks.shape), *low.shape)
            nothing = np.zeros_like(change_low)
            return unhaar((change_low, nothing, nothing, nothing), *luma_HW.shape)

        return with_luma(clip, change)

    def detect(self, clip: Clip, *, key: int) -> Detection:
        """See Mark."""
        begun = time.perf_counter()
        count = self._blocks(clip)
        dither_N = uniforms(key, f"{self.name}/dither", count)
        owner_N = owners(key, f"{self.name}/owners", count, self.bits)
        turned_TN = np.stack([self._read(luma(frame)) for frame in clip.frames_TCHW]) * np.exp(-2j * np.pi * dither_N)
        soft_K = phase_evidence(turned_TN.mean(axis=0), owner_N, self.bits)
        sure = surprise(float(np.square(soft_K).sum()), self.bits)
        bits_K = (soft_K > 0).astype(np.uint8)
        local_T = np.real(turned_TN) @ (1.0 - 2.0 * bits_K[owner_N]) / np.sqrt(count / 2)
        return Detection(bits_K, soft_K, sure, p_of(sure), 1, local_T, time.perf_counter() - begun)

    def _blocks(self, clip: Clip) -> int:
        height, width = clip.frames_TCHW.shape[2:]
        count = int(height // 2 // SIDE) * int(width // 2 // SIDE)
        smallest = 2 * SIDE * int(np.ceil(np.sqrt(self.bits * PER_BIT)))
        check_room(clip, count, self.bits * PER_BIT, self.name, smallest)
        return count

    def _read(self, luma_HW: Floats) -> npt.NDArray[np.complex64]:
        """Where each block's largest coefficient lies between two points of a lattice, on the unit circle, N."""
        flat_NS = cosines(haar(luma_HW)[0], SIDE).reshape(-1, SIDE * SIDE)
        found_N = flat_NS[np.arange(len(flat_NS)), _largest(flat_NS)]
        turned_N: npt.NDArray[np.complex64] = np.exp((2j * np.pi / self.step) * found_N).astype(np.complex64)
        return turned_N


def _largest(flat_NS: Floats) -> npt.NDArray[np.int64]:
    """Index of each block's largest coefficient but the mean."""
    largest_N: npt.NDArray[np.int64] = 1 + np.abs(flat_NS[:, 1:]).argmax(axis=1)
    return largest_N


MARKS.add("dwt-dct", DwtDct())
