"""How an attack is declared: a decorator around what it does to pictures, to sound, or to a whole clip.

    @picture_attack("blur", "photometric", unit="px", ladder=(3, 5, 9), summary="…", identity=1)
    def blur(frames_TCHW, strength, rng): ...

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.clip import AudioCN, Clip, FramesTCHW
from safety.watermark.attacks.attack import ATTACKS, Attack, AttackError, Family, Stream

PICTURE: frozenset[Stream] = frozenset({"picture"})
SOUND: frozenset[Stream] = frozenset({"sound"})

PictureHWC = npt.NDArray[np.uint8]
ChangePictures = Callable[[FramesTCHW, float, np.random.Generator], FramesTCHW]
ChangeSound = Callable[[AudioCN, int, float, np.random.Generator], AudioCN]
ChangeClip = Callable[[Clip, float, np.random.Generator], Clip]


def picture_attack(
    name: str,
    family: Family,
    *,
    unit: str,
    ladder: tuple[float, ...],
    summary: str,
    source: str = "",
    identity: float | None = None,
    random: bool = False,
) -> Callable[[ChangePictures], ChangePictures]:
    """Register what is done to the frames alone; sound and frame rate stay."""

    def register(change: ChangePictures) -> ChangePictures:
        def apply(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
            _check_frames(name, clip)
            return replace(clip, frames_TCHW=_own(change(clip.frames_TCHW, strength, rng), clip.frames_TCHW))

        ATTACKS.add(name, Attack(name, family, unit, ladder, summary, PICTURE, apply, identity, source, random))
        return change

    return register


def sound_attack(
    name: str,
    family: Family = "sound",
    *,
    unit: str,
    ladder: tuple[float, ...],
    summary: str,
    source: str = "",
    identity: float | None = None,
    random: bool = False,
) -> Callable[[ChangeSound], ChangeSound]:
    """Register what is done to the sound alone; the frames stay. Clips without sound give AttackError."""

    def register(change: ChangeSound) -> ChangeSound:
        def apply(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
            if clip.audio_CN is None or clip.rate_hz is None or not clip.audio_CN.size:
                raise AttackError(f"{name}: the clip has no sound; attack clips with sound")
            changed_CN = change(clip.audio_CN, clip.rate_hz, strength, rng)
            within_CN = np.clip(changed_CN, -1, 1).astype(np.float32)
            return replace(clip, audio_CN=_own(within_CN, clip.audio_CN))

        ATTACKS.add(name, Attack(name, family, unit, ladder, summary, SOUND, apply, identity, source, random))
        return change

    return register


def clip_attack(
    name: str,
    family: Family,
    *,
    unit: str,
    ladder: tuple[float, ...],
    summary: str,
    source: str = "",
    identity: float | None = None,
    random: bool = False,
    chain: bool = False,
    streams: frozenset[Stream] = PICTURE | SOUND,
) -> Callable[[ChangeClip], ChangeClip]:
    """Register what is done to a whole clip: frames, their rate, and the sound that goes with them."""

    def register(change: ChangeClip) -> ChangeClip:
        def apply(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
            _check_frames(name, clip)
            changed = change(clip, strength, rng)
            frames_TCHW = _own(changed.frames_TCHW, clip.frames_TCHW)
            if changed.audio_CN is None or clip.audio_CN is None:
                return replace(changed, frames_TCHW=frames_TCHW)
            return replace(changed, frames_TCHW=frames_TCHW, audio_CN=_own(changed.audio_CN, clip.audio_CN))

        attack = Attack(name, family, unit, ladder, summary, streams, apply, identity, source, random, chain)
        ATTACKS.add(name, attack)
        return change

    return register


def each_picture(frames_TCHW: FramesTCHW, change: Callable[[PictureHWC], npt.NDArray[Any]]) -> FramesTCHW:
    """The same change of every frame, given as OpenCV likes it (H, W, 3, contiguous); results are rounded to uint8."""
    changed = [as_uint8(change(np.ascontiguousarray(frame_CHW.transpose(1, 2, 0)))) for frame_CHW in frames_TCHW]
    return np.ascontiguousarray(np.stack(changed).transpose(0, 3, 1, 2))


def as_uint8(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Rounded and clipped to 0-255."""
    if values.dtype == np.uint8:
        return values
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _check_frames(name: str, clip: Clip) -> None:
    if not len(clip.frames_TCHW):
        raise AttackError(f"{name}: the clip has no frames")


def _own(changed: npt.NDArray[Any], before: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The result in memory of its own: whoever changes it must not change the clip that was attacked."""
    return changed.copy() if np.may_share_memory(changed, before) else np.ascontiguousarray(changed)
