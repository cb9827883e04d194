"""How much like the clip before is the clip after: of pictures PSNR, SSIM and XPSNR, of sound signal over noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval.clip import Clip
from eval.marks.mark import Stream
from safety.watermark.quality import SAME_DB, NotComparable, quality


@dataclass(frozen=True, slots=True)
class Likeness:
    """db: PSNR over all pixels, peak 255, or signal over noise; at most SAME_DB. None: sizes or lengths differ, or
    there is no such measure.
    """

    db: float | None = None
    ssim: float | None = None
    xpsnr: float | None = None


NOTHING = Likeness()


def compare(before: Clip, after: Clip, stream: Stream) -> Likeness:
    """Compare two clips in one stream; nothing where they cannot be compared sample by sample."""
    if stream == "sound":
        return Likeness(_signal_over_noise(before, after))
    try:
        found = quality(before, after)
    except NotComparable:
        return NOTHING
    return Likeness(found["psnr_db"], found["ssim"], found["xpsnr_db"])


def _signal_over_noise(before: Clip, after: Clip) -> float | None:
    if before.audio_CN is None or after.audio_CN is None or before.audio_CN.shape != after.audio_CN.shape:
        return None
    noise = float(np.square(before.audio_CN - after.audio_CN, dtype=np.float64).sum())
    signal = float(np.square(before.audio_CN, dtype=np.float64).sum())
    if signal == 0:
        return None
    return SAME_DB if noise == 0 else min(SAME_DB, 10 * float(np.log10(signal / noise)))
