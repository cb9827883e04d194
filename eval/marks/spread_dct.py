"""Spread spectrum in 8x8 cosine blocks of brightness (after Cox, Kilian, Leighton and Shamoon 1997).

Every carrier is one coefficient of one block, the same in all frames; the key decides its sign and its bit.

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
from eval.marks.chance import p_of, sign_evidence, surprise
from eval.marks.keys import signs
from eval.marks.mark import MARKS, Bits, Detection, Stream

SIDE = 8
PLACES = tuple((u, v) for u in range(5) for v in range(5) if 2 <= u + v <= 4)
"""The coefficients that carry: low enough to survive coding, high enough not to show as blotches."""
PER_BIT = 8
"""A bit needs so many carriers at least."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SpreadDct:
    """amplitude: of each coefficient's change, in steps of 0-255."""

    amplitude: float = 4.0
    name: str = "spread-dct"
    version: int = 1
    bits: int = 32
    stream: Stream = "picture"
    summary: str = "spread spectrum in 8x8 cosine blocks of brightness, the same in every frame"
    source: str = "Cox et al. 1997, in blocks"
    weights_sha256: str = ""

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        """See Mark."""
        check_message(message_K, self.bits)
        height, width = clip.frames_TCHW.shape[2:]
        count = self._carriers(clip)
        signs_N = signs(key, f"{self.name}/signs", count)
        owner_N = owners(key, f"{self.name}/owners", count, self.bits)
        blocks = np.zeros((height // SIDE, width // SIDE, SIDE, SIDE), np.float32)
        change_N = self.amplitude * signs_N * (message_K[owner_N] * 2.0 - 1.0)
        for place, change in zip(PLACES, change_N.reshape(len(PLACES), *blocks.shape[:2]), strict=True):
            blocks[:, :, *place] = change
        change_HW = from_cosines(blocks, height, width)
        return with_luma(clip, lambda _: change_HW)

    def detect(self, clip: Clip, *, key: int) -> Detection:
        """See Mark."""
        begun = time.perf_counter()
        count = self._carriers(clip)
        signs_N = signs(key, f"{self.name}/signs", count)
        owner_N = owners(key, f"{self.name}/owners", count, self.bits)
        found_TN = np.stack([self._read(luma(frame)) for frame in clip.frames_TCHW])
        soft_K = sign_evidence(_bounded(found_TN.mean(axis=0), self.amplitude) * signs_N, owner_N, self.bits)
        sure = surprise(float(np.square(soft_K).sum()), self.bits)
        bits_K = (soft_K > 0).astype(np.uint8)
        expected_N = signs_N * (bits_K[owner_N] * 2.0 - 1.0)
        bounded_TN = _bounded(found_TN, self.amplitude)
        local_T = bounded_TN @ expected_N / np.maximum(np.linalg.norm(bounded_TN, axis=1), 1e-9)
        return Detection(bits_K, soft_K, sure, p_of(sure), 1, local_T.astype(np.float64), time.perf_counter() - begun)

    def _carriers(self, clip: Clip) -> int:
        height, width = clip.frames_TCHW.shape[2:]
        count = int(height // SIDE) * int(width // SIDE) * len(PLACES)
        check_room(clip, count, self.bits * PER_BIT, self.name, _smallest(self.bits))
        return count

    @staticmethod
    def _read(luma_HW: Floats) -> Floats:
        blocks = cosines(luma_HW, SIDE)
        return np.concatenate([blocks[:, :, u, v].ravel() for u, v in PLACES])


def _bounded(found: Floats, amplitude: float) -> Floats:
    """Coefficients far beyond the mark's own are the picture's: they count no more than twice the mark's."""
    return np.clip(found, -2 * amplitude, 2 * amplitude)


def _smallest(bits: int) -> int:
    """Side in pixels of the smallest square frame that holds so many bits."""
    return SIDE * int(np.ceil(np.sqrt(bits * PER_BIT / len(PLACES))))


MARKS.add("spread-dct", SpreadDct())
