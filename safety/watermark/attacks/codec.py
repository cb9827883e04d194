"""Attacks that any posted clip goes through: lossy codecs, and several platforms in a row.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from eval.clip import AudioCN, Clip, FramesTCHW
from eval.video.recode import PictureCodec, SoundCodec, recode_picture, recode_sound
from safety.watermark.attacks.attack import AttackError
from safety.watermark.attacks.declare import PICTURE, clip_attack, each_picture

CRF = (23, 28, 30, 35, 40, 50)
"""23, 30, 40 and 50 are Video Seal's and OmniSeal's."""
CRF_RGB = (23, 30, 40, 50)
CRF_63 = (20, 35, 50, 63)
"""AV1 and VP9 count to 63: 35 and 50 look like H.264's 23 and 35."""


def _register(name: str, codec: PictureCodec, ladder: tuple[float, ...], what: str, source: str) -> None:
    @clip_attack(name, "codec", unit="CRF", ladder=ladder, summary=what, source=source, streams=PICTURE)
    def coded(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:  # noqa: ARG001
        return replace(clip, frames_TCHW=through(clip.frames_TCHW, clip.fps, codec, strength))


def through(frames_TCHW: FramesTCHW, fps: float, codec: PictureCodec, crf: float) -> FramesTCHW:
    """`recode_picture`, whose refusals are an attack's."""
    try:
        return recode_picture(frames_TCHW, fps, codec, crf)
    except ValueError as error:
        raise AttackError(str(error)) from error


def sound_through(audio_CN: AudioCN, rate_hz: int, codec: SoundCodec, kbps: float) -> AudioCN:
    """`recode_sound`, whose refusals are an attack's."""
    try:
        return recode_sound(audio_CN, rate_hz, codec, kbps)
    except ValueError as error:
        raise AttackError(str(error)) from error


_register(
    "h264", "h264", CRF, "x264, preset medium, 4:2:0 (its macroblock tree off: repeatable)", "Video Seal, OmniSeal"
)
_register("h264-rgb", "h264-rgb", CRF_RGB, "x264 on RGB, no loss of colour resolution", "Video Seal, OmniSeal")
_register("h265", "h265", CRF, "x265, preset medium, 4:2:0", "Video Seal, OmniSeal")
_register("av1", "av1", CRF_63, "SVT-AV1, preset 8, 4:2:0", "Video Seal has the class, and does not run it")
_register("vp9", "vp9", CRF_63, "libvpx-vp9, good, speed 4, 4:2:0", "Video Seal (default quality)")


@dataclass(frozen=True, slots=True)
class Platform:
    """What one posting does: a codec at a quality, after the picture was made smaller; and the sound's codec.

    scale: of the clip's edges; what comes down is shown in the clip's size again.
    """

    codec: PictureCodec
    crf: int
    scale: float
    sound: SoundCodec
    kbps: int


_CODECS: dict[PictureCodec, tuple[float, int, int]] = {
    "h264": (0.55, 23, 33),
    "vp9": (0.2, 30, 42),
    "h265": (0.15, 24, 34),
    "av1": (0.1, 32, 48),
}
"""How often a platform codes so, and between which qualities; ours, in the range of what platforms deliver."""
_SCALES, _SCALE_ODDS = (1.0, 0.75, 0.5), (0.5, 0.3, 0.2)
_SOUNDS: tuple[tuple[SoundCodec, int], ...] = (("aac", 128), ("aac", 96), ("aac", 64), ("opus", 96), ("opus", 64))


def random_platform(rng: np.random.Generator) -> Platform:
    """The settings of some platform."""
    codecs = list(_CODECS)
    codec = codecs[rng.choice(len(codecs), p=[_CODECS[name][0] for name in codecs])]
    _, best, worst = _CODECS[codec]
    sound, kbps = _SOUNDS[rng.integers(len(_SOUNDS))]
    return Platform(codec, int(rng.integers(best, worst + 1)), float(rng.choice(_SCALES, p=_SCALE_ODDS)), sound, kbps)


def post(clip: Clip, platform: Platform) -> Clip:
    """A clip as it comes back from a platform: frames, size, rates and lengths stay."""
    height, width = clip.frames_TCHW.shape[2:]
    size = max(2, round(width * platform.scale)), max(2, round(height * platform.scale))
    frames_TCHW = clip.frames_TCHW
    if platform.scale != 1:
        frames_TCHW = each_picture(frames_TCHW, lambda picture: cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    frames_TCHW = through(frames_TCHW, clip.fps, platform.codec, platform.crf)
    if platform.scale != 1:
        frames_TCHW = each_picture(
            frames_TCHW, lambda picture: cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
        )
    posted = replace(clip, frames_TCHW=frames_TCHW)
    if clip.audio_CN is None or clip.rate_hz is None or not clip.audio_CN.size:
        return posted
    audio_CN = sound_through(clip.audio_CN, clip.rate_hz, platform.sound, platform.kbps)
    return replace(posted, audio_CN=np.clip(audio_CN, -1, 1))


def generations(clip: Clip, rng: np.random.Generator) -> Iterator[Clip]:
    """The clip after one posting, two, three, …, without end, each by a platform of its own. For survival curves: one
    chain is cheaper than one for each length, and a mark that is lost stays lost.
    """
    while True:
        clip = post(clip, random_platform(rng))
        yield clip


@clip_attack(
    "reshare",
    "codec",
    unit="generations",
    ladder=(1, 2, 3, 5, 8),
    identity=0,
    random=True,
    chain=True,
    summary="posted and saved again and again: each time another codec, quality, size and sound codec",
    source="ours",
)
def reshare(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    chain = generations(clip, rng)
    for _ in range(round(strength)):
        clip = next(chain)
    return clip
