"""Quantisation index modulation in 8x8 cosine blocks of brightness (Chen and Wornell 2001), with the key's dither.

Every carrier is one coefficient of one block, in each frame anew: it is moved to the nearest point of one of two
lattices, half a step apart. The key decides where the lattices lie and which bit chooses between them.

Shape legend: T frames, H W pixels, K bits, N carriers.
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

SIDE = 8
PLACES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))
PER_BIT = 4
"""A bit needs so many carriers at least."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class QimDct:
    """step: between points of a lattice, in steps of 0-255 of a coefficient."""

    step: float = 24.0
    name: str = "qim-dct"
    version: int = 1
    bits: int = 32
    stream: Stream = "picture"
    summary: str = "dithered quantisation in 8x8 cosine blocks of brightness"
    source: str = "Chen and Wornell 2001"
    weights_sha256: str = ""

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        """See Mark."""
        check_message(message_K, self.bits)
        count = self._carriers(clip)
        dither_N = uniforms(key, f"{self.name}/dither", count).astype(np.float32)
        wanted_N = dither_N + message_K[owners(key, f"{self.name}/owners", count, self.bits)] / np.float32(2)

        def change(luma_HW: Floats) -> Floats:
            blocks = cosines(luma_HW, SIDE)
            moved = np.zeros_like(blocks)
            for place, offset in zip(PLACES, wanted_N.reshape(len(PLACES), *blocks.shape[:2]), strict=True):
                found = blocks[:, :, *place] / self.step
                moved[:, :, *place] = self.step * (np.rint(found - offset) + offset - found)
            return from_cosines(moved, *luma_HW.shape)

        return with_luma(clip, change)

    def detect(self, clip: Clip, *, key: int) -> Detection:
        """See Mark."""
        begun = time.perf_counter()
        count = self._carriers(clip)
        dither_N = uniforms(key, f"{self.name}/dither", count)
        owner_N = owners(key, f"{self.name}/owners", count, self.bits)
        back_N = np.exp(-2j * np.pi * dither_N)
        turned_TN = np.stack([self._read(luma(frame)) for frame in clip.frames_TCHW]) * back_N
        soft_K = phase_evidence(turned_TN.mean(axis=0), owner_N, self.bits)
        sure = surprise(float(np.square(soft_K).sum()), self.bits)
        bits_K = (soft_K > 0).astype(np.uint8)
        local_T = np.real(turned_TN) @ (1.0 - 2.0 * bits_K[owner_N]) / np.sqrt(count / 2)
        return Detection(bits_K, soft_K, sure, p_of(sure), 1, local_T, time.perf_counter() - begun)

    def _carriers(self, clip: Clip) -> int:
        height, width = clip.frames_TCHW.shape[2:]
        count = int(height // SIDE) * int(width // SIDE) * len(PLACES)
        smallest = SIDE * int(np.ceil(np.sqrt(self.bits * PER_BIT / len(PLACES))))
        check_room(clip, count, self.bits * PER_BIT, self.name, smallest)
        return count

    def _read(self, luma_HW: Floats) -> npt.NDArray[np.complex64]:
        """Where each carrier lies between two points of a lattice, as an angle on the unit circle, N."""
        blocks = cosines(luma_HW, SIDE)
        found_N = np.concatenate([blocks[:, :, u, v].ravel() for u, v in PLACES])
        turned_N: npt.NDArray[np.complex64] = np.exp((2j * np.pi / self.step) * found_N).astype(np.complex64)
        return turned_N


MARKS.add("qim-dct", QimDct())
