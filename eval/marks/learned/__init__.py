"""The learned mark: waves whose loudness, mask, filter and weights were trained with real codecs in the loop.

Shape legend: T frames, C channels, H W pixels, K bits.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eval.clip import Clip, FramesTCHW
from eval.hashing import file_sha256
from eval.marks.bits import check_message
from eval.marks.chance import p_of
from eval.marks.learned.alignment import Alignment
from eval.marks.learned.embed import write
from eval.marks.learned.lattice import Floats, pattern, secret_of, spectrum
from eval.marks.learned.residual import SMALL, common, residual, shrunk
from eval.marks.learned.search import find
from eval.marks.learned.statistic import Reader
from eval.marks.learned.weights import BITS, Trained, load_trained, shipped_path
from eval.marks.mark import MARKS, Bits, Detection, MarkError, Stream
from eval.weights import WeightsError

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALLEST = 32
"""A frame's side below which the waves do not fit, in pixels."""


@dataclass(frozen=True)
class LearnedMark:
    """A mark from a file of weights; the shipped one where `path` is None. Weights are read when first needed."""

    path: Path | None = None
    name: str = "learned"
    version: int = 1
    bits: int = BITS
    stream: Stream = "picture"
    summary: str = "waves under a mask, trained against codecs; finds itself in cuts, resized and mirrored clips"
    source: str = "ours; mask after Yang et al. 2005, codecs in the loop after Video Seal (arXiv 2412.09492)"

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the file of weights; empty where there is none yet."""
        try:
            return file_sha256(self.path or shipped_path())
        except (WeightsError, OSError):
            return ""

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        """The marked clip: see Mark."""
        check_message(message_K, self.bits)
        height, width = _check_size(clip)
        pen = self._trained().pen
        plain_HW = pattern(secret_of(key, self.bits), message_K, pen.amplitude_F, height, width)
        return Clip(write(clip.frames_TCHW, plain_HW, pen), clip.fps, clip.audio_CN, clip.rate_hz)

    def detect(self, clip: Clip, *, key: int) -> Detection:
        """What is read: see Mark. `searched` is 1 though many alignments are: they are chosen by what says nothing
        about the message (eval/marks/chance.py), and p_presence takes their number into account.
        """
        begun = time.perf_counter()
        _check_size(clip)
        trained = self._trained()
        reader = reader_of(trained, key)
        found = find(whitened(trained, common(clip.frames_TCHW)), reader)
        bits_K = (found.evidence_K > 0).astype(np.uint8)
        local_T = frame_evidence(clip.frames_TCHW, reader, found.alignment, bits_K)
        return Detection(
            bits_K=bits_K,
            soft_K=found.evidence_K,
            score=found.surprise,
            p_presence=p_of(found.surprise),
            searched=1,
            local_T=local_T,
            seconds=time.perf_counter() - begun,
        )

    def _trained(self) -> Trained:
        return load_trained(self.path or shipped_path())


def reader_of(trained: Trained, key: int) -> Reader:
    """What reads a key's waves."""
    return Reader(secret_of(key, BITS), BITS, trained.weight_F, trained.power)


def whitened(trained: Trained, common_CHW: Floats) -> Floats:
    """What a clip has in common over time, without what is left of the picture, H, W."""
    import torch

    with torch.inference_mode():
        image_HW: Floats = trained.network.whitener(torch.from_numpy(common_CHW)[None])[0].numpy()
    return image_HW


def frame_evidence(
    frames_TCHW: FramesTCHW | Sequence[npt.NDArray[np.uint8]], reader: Reader, lies: Alignment, bits_K: Bits
) -> npt.NDArray[np.float64]:
    """How surely each frame alone carries the message that was read, T, in standard deviations of chance."""
    signs_K = bits_K * 2.0 - 1.0
    found = np.empty(len(frames_TCHW))
    for t, frame_CHW in enumerate(frames_TCHW):
        detail_HW = np.clip(residual(shrunk(frame_CHW)), -SMALL, SMALL)
        table_YX = spectrum(detail_HW, lies.tiles_y, lies.tiles_x)
        evidence_K = reader.evidence(table_YX, lies.shift_y, lies.shift_x, mirrored=lies.mirrored)
        found[t] = float(evidence_K @ signs_K) / np.sqrt(len(signs_K))
    return found


def _check_size(clip: Clip) -> tuple[int, int]:
    frames, _, height, width = clip.frames_TCHW.shape
    if frames == 0:
        raise MarkError("a clip without frames carries no mark: give one with a frame at least")
    if min(height, width) < SMALLEST:
        raise MarkError(
            f"{width}x{height} pixels are too small for the learned mark: {SMALLEST} a side at least; mark the clip "
            "before it is shrunk"
        )
    return height, width


MARKS.add("learned", LearnedMark())
