"""Attacks that want the mark gone and the clip kept, by somebody who has nothing but the clip.

Those that need a generative model are registered by `benchmarks`; those that need more clips are in group.py.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import signal

from eval.clip import AudioCN, FramesTCHW
from safety.watermark.attacks.declare import PictureHWC, each_picture, picture_attack, sound_attack

PATCH_PX, WINDOW_PX = 5, 11


@picture_attack(
    "denoise",
    "removal",
    unit="h of 255",
    ladder=(3, 6, 10, 15),
    summary="non-local means in every frame (patches of 5, windows of 11 pixels)",
    source="Buades et al. 2005 in OpenCV",
)
def denoise(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    def cleaned(picture_HWC: PictureHWC) -> PictureHWC:
        made = cv2.fastNlMeansDenoisingColored(picture_HWC, None, strength, strength, PATCH_PX, WINDOW_PX)
        return np.asarray(made, np.uint8)

    return each_picture(frames_TCHW, cleaned)


@picture_attack(
    "bilateral",
    "removal",
    unit="σ of 255",
    ladder=(10, 25, 50, 100),
    summary="bilateral filter in every frame (9 pixels): smooth inside edges, edges kept",
    source="Tomasi and Manduchi 1998 in OpenCV",
)
def bilateral(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    return each_picture(frames_TCHW, lambda picture: cv2.bilateralFilter(picture, 9, strength, 3.0))


@sound_attack(
    "sound-wiener",
    "removal",
    unit="samples",
    ladder=(5, 15, 45),
    identity=1,
    summary="Wiener filter along time: weak differences from the local mean are taken for noise",
    source="Lim 1990 in SciPy",
)
def sound_wiener(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    size = min(round(strength), audio_CN.shape[1])
    if size < 2:
        return audio_CN
    with np.errstate(divide="ignore", invalid="ignore"):  # silence has no variance to divide by
        cleaned_CN = np.stack([signal.wiener(channel_N.astype(np.float64), size) for channel_N in audio_CN])
    return np.where(np.isfinite(cleaned_CN), cleaned_CN, audio_CN).astype(np.float32)
