"""Damage that generators do and renderers do not: softness, noise, blocks, shifted colours, held frames.

Left and right, the order of frames and their pace stay as they are: they are what is read.

Shape legend: T frames, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

FramesTHWC = npt.NDArray[np.uint8]
Random = np.random.Generator

UNTOUCHED = 0.4
"""Share of clips that stay as they were rendered."""


def augmented(frames_THWC: FramesTHWC, random: Random) -> FramesTHWC:
    """The clip with each kind of damage at its own odds; uint8 of the same shape."""
    if random.random() < UNTOUCHED:
        return frames_THWC
    for odds, damage in DAMAGES:
        if random.random() < odds:
            frames_THWC = damage(frames_THWC, random)
    return frames_THWC


def shifted(pictures: FramesTHWC, by: npt.NDArray[np.int64], axis: int) -> FramesTHWC:
    """Pictures moved down and right by so many pixels, whose height and width are `axis` and the one after it.

    What comes into view repeats the edge.
    """
    for step, side in zip(by, (axis, axis + 1), strict=True):
        rows = np.clip(np.arange(pictures.shape[side]) - step, 0, pictures.shape[side] - 1)
        pictures = pictures.take(rows, axis=side)
    return pictures


def soften(frames_THWC: FramesTHWC, random: Random) -> FramesTHWC:
    """Shrunk and enlarged again, as an autoencoder loses detail."""
    height, width = frames_THWC.shape[1:3]
    share = random.uniform(0.35, 0.9)
    small = (max(1, round(width * share)), max(1, round(height * share)))
    back = cv2.INTER_CUBIC if random.random() < 0.5 else cv2.INTER_LINEAR
    return _each(
        frames_THWC,
        lambda one: cv2.resize(
            cv2.resize(one, small, interpolation=cv2.INTER_AREA), (width, height), interpolation=back
        ),
    )


def blur(frames_THWC: FramesTHWC, random: Random) -> FramesTHWC:
    """A Gaussian of up to 1.2 pixels."""
    sigma = random.uniform(0.3, 1.2)
    return _each(frames_THWC, lambda one: cv2.GaussianBlur(one, (0, 0), sigma))


def ghost(frames_THWC: FramesTHWC, random: Random) -> FramesTHWC:
    """Neighbouring frames shine through, as where latents cover several frames."""
    share = np.float32(random.uniform(0.1, 0.5))
    frames = frames_THWC.astype(np.float32)
    around = 0.5 * (frames[[0, *range(len(frames) - 1)]] + frames[[*range(1, len(frames)), len(frames) - 1]])
    return _bytes(frames + share * (around - frames))


def grain(frames_THWC: FramesTHWC, random: Random) -> FramesTHWC:
    """Noise of up to 8 grey levels."""
    noise = random.standard_normal(frames_THWC.shape, np.float32)
    return _bytes(frames_THWC + np.float32(random.uniform(1, 8)) * noise)


def compress(frames_THWC: FramesTHWC, random: Random) -> FramesTHWC:
    """JPEG at a quality of 20 to 90."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(20, 91))]
    return _each(frames_THWC, lambda one: cv2.imdecode(cv2.imencode(".jpg", one, quality)[1], cv2.IMREAD_COLOR))


def tint(frames_THWC: FramesTHWC, random: Random) -> FramesTHWC:
    """Up to 5% more or less of each colour, and up to 8 grey levels lighter or darker."""
    gain_C = random.uniform(0.95, 1.05, 3).astype(np.float32)
    return _bytes(frames_THWC * gain_C + np.float32(random.uniform(-8, 8)))


def hold(frames_THWC: FramesTHWC, random: Random) -> FramesTHWC:  # noqa: ARG001 - one signature for all
    """Every second frame shown twice: a clip of half the rate."""
    return np.repeat(frames_THWC[::2], 2, axis=0)[: len(frames_THWC)]


Damage = Callable[[FramesTHWC, Random], FramesTHWC]
DAMAGES: tuple[tuple[float, Damage], ...] = (
    (0.08, hold),
    (0.15, ghost),
    (0.45, soften),
    (0.2, blur),
    (0.4, tint),
    (0.2, grain),
    (0.2, compress),
)
"""Odds and damages, in the order in which they happen to a clip."""


def _each(frames_THWC: FramesTHWC, change: Callable[[FramesTHWC], object]) -> FramesTHWC:
    return np.stack([np.asarray(change(one), np.uint8) for one in frames_THWC])


def _bytes(frames: npt.NDArray[np.float32]) -> FramesTHWC:
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)
