"""Both sets in one form: size, frame rate, length, codec, sound. What is left to tell them apart is not the packing.

Every clip is cut to its middle square, shrunk by area averaging, thinned to one frame rate, cut into windows of one
length, brought to one loudness, and encoded anew: H.264 at one quality with one distance of key frames, AAC sound.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eval.clip import AudioCN, Clip, ClipInfo, ClipSource, FramesTCHW, SoundChunk, Window, concatenate
from eval.feature import NotMeasurable, Sampling
from eval.features.forensic_traces import FEWEST_FRAMES
from eval.features.forensic_traces.look import MIN_SIDE
from eval.sampling import Sampler
from eval.video import Resampler, write_clip
from safety.deepfake.errors import DeepfakeError

CRF, GOP = 23.0, 16
"""As VidAudit's protocol P1 has it."""
MOST_SIDE, MOST_FPS, MOST_SECONDS = 256, 30.0, 4.0
FEWEST_WINDOW_FRAMES = 8
"""A clip that has fewer at the common rate is left out, so that it does not shorten all others."""
WINDOWS = 8
"""At most from one clip: a long film must not be the whole real side."""
LEVEL_DB = -26.0
"""Root mean square of a window's sound after levelling, in dB of full scale."""
SILENT_DB = -70.0
"""Sound below this is left as it is: levelling would only lift noise."""

MOST_BYTES = 1 << 30
"""Of frames, where a clip must be held as a whole."""

Change = Callable[[Clip], Clip]
"""A deliberate change: of a window before it is encoded (a planted fault), or of a whole clip (a mark)."""


@dataclass(frozen=True, slots=True)
class Form:
    """The common form. side: of the square picture. rate_hz: of the sound; None: sound is left out of both sets."""

    side: int
    fps: float
    frames: int
    rate_hz: int | None = None
    crf: float = CRF
    gop: int = GOP

    @property
    def seconds(self) -> float:
        return self.frames / self.fps


def common_form(
    infos: Sequence[ClipInfo], *, side: int | None = None, fps: float | None = None, seconds: float | None = None
) -> Form:
    """The largest form that nearly every clip can be brought to without inventing pixels or frames.

    What is given is taken. Sound is kept where nine of ten clips have it. Raises DeepfakeError for a form that is too
    small to measure.
    """
    if not infos:
        raise DeepfakeError("no readable clips: an audit needs clips of both sides")
    rate = fps or min(MOST_FPS, *(info.fps for info in infos))
    short = min(min(info.width, info.height) for info in infos)
    chosen = side or min(MOST_SIDE, short) // 8 * 8
    if chosen < MIN_SIDE:
        raise DeepfakeError(f"the smallest clip has {short} pixels on its short side, and {MIN_SIDE} are needed")
    fewest = FEWEST_WINDOW_FRAMES / rate
    usable = [info.duration_s for info in infos if info.duration_s >= fewest - 1e-6] or [fewest]
    length = seconds or min(MOST_SECONDS, *usable)
    frames = int(length * rate + 1e-6)
    if frames < FEWEST_FRAMES:
        raise DeepfakeError(
            f"{length:g} seconds at {rate:g} frames per second are {frames} frames: at least 4 are needed"
        )
    heard = [info.rate_hz for info in infos if info.has_audio and info.rate_hz]
    sound = min(16_000, *heard) if heard and len(heard) >= 0.9 * len(infos) else None
    return Form(chosen, rate, frames, sound)


def windows_of(source: ClipSource, form: Form, most: int = WINDOWS) -> list[Clip]:
    """Windows of one length without overlap, spread over the clip; uint8 T,3,side,side, mono sound.

    Raises NotMeasurable for a clip that is too small or too short, or has no sound where the form has, and ClipError.
    """
    info = source.info
    if min(info.width, info.height) < form.side:
        raise NotMeasurable(f"{info.width}x{info.height}: smaller than the common {form.side} pixels")
    if form.rate_hz is not None and not info.has_audio:
        raise NotMeasurable("no sound, and sound is compared: leave it out with --no-sound")
    total = int(info.duration_s * form.fps + 1e-3)
    whole = total // form.frames
    if not whole:
        raise NotMeasurable(f"{info.duration_s:.2f} s: shorter than the common {form.seconds:.2f} s")
    wanted = np.unique(np.linspace(0, whole - 1, min(most, whole)).round().astype(int))
    pictures, sound_CN = _read(source, form, set(wanted.tolist()))
    found = []
    for number in wanted:
        frames_TCHW = pictures.get(int(number))
        if frames_TCHW is None or len(frames_TCHW) < form.frames:
            continue  # the container promised more frames than there are
        found.append(_with_sound(frames_TCHW, form, sound_CN, int(number)))
    if not found:
        raise NotMeasurable(f"fewer frames than the common {form.frames}")
    return found


def encoded(clip: Clip, form: Form, folder: Path, change: Change | None = None) -> Path:
    """The window as a file in the common codec."""
    path = folder / "window.mp4"
    write_clip(clip if change is None else change(clip), path, crf=form.crf, gop=form.gop, audio_codec=_sound(clip))
    return path


def canonical(
    source: ClipSource, form: Form, most: int = WINDOWS, change: Change | None = None
) -> Iterator[tuple[Path, Clip]]:
    """Every window of a clip: (encoded file, which vanishes with the next step; the window before encoding).

    Raises what `windows_of` raises.
    """
    windows = windows_of(source, form, most)
    with tempfile.TemporaryDirectory(prefix="moviegen-deepfake-") as folder:
        for window in windows:
            yield encoded(window, form, Path(folder), change), window


def whole_clip(source: ClipSource) -> Clip:
    """All of a clip in memory. Raises NotMeasurable for one that is too large, and ClipError."""
    info = source.info
    if 3 * info.width * info.height * info.duration_s * info.fps > MOST_BYTES:
        raise NotMeasurable("too large to be changed as a whole; cut it")
    windows: list[Window] = []
    sounds: list[SoundChunk] = []
    for item in source.stream():
        if isinstance(item, Window):
            windows.append(item)
        elif isinstance(item, SoundChunk):
            sounds.append(item)
    frames_TCHW = concatenate(windows).frames_TCHW
    if not sounds:
        return Clip(frames_TCHW, info.fps)
    return Clip(frames_TCHW, info.fps, np.concatenate([one.audio_CN for one in sounds], axis=1), sounds[0].rate_hz)


def _read(source: ClipSource, form: Form, wanted: set[int]) -> tuple[dict[int, FramesTCHW], AudioCN | None]:
    """The frames of the wanted windows, and all sound as mono at the form's rate."""
    sampler = Sampler(Sampling(form.fps, form.side), source.info)
    held: dict[int, list[FramesTCHW]] = {}
    sounds: list[AudioCN] = []
    resampler: Resampler | None = None
    count = 0

    def keep(windows: Iterable[Window]) -> None:
        nonlocal count
        for window in windows:
            for frame_CHW in window.frames_TCHW:
                if count // form.frames in wanted:
                    held.setdefault(count // form.frames, []).append(_middle(frame_CHW, form.side))
                count += 1

    for item in source.stream(sound=form.rate_hz is not None):
        if isinstance(item, Window):
            keep(sampler.push(item))
        elif isinstance(item, SoundChunk) and form.rate_hz is not None:
            resampler = resampler or Resampler(item.rate_hz, form.rate_hz, 1)
            mono_CN = item.audio_CN.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
            sounds.append(resampler.push(mono_CN))
    keep(sampler.finish())
    if resampler is not None:
        sounds.append(resampler.push(np.zeros((1, 0), np.float32), last=True))
    pictures = {number: np.stack(frames) for number, frames in held.items()}
    return pictures, np.concatenate(sounds, axis=1) if sounds else None


def _middle(frame_CHW: FramesTCHW, side: int) -> FramesTCHW:
    height, width = frame_CHW.shape[1:]
    top, left = (height - side) // 2, (width - side) // 2
    return frame_CHW[:, top : top + side, left : left + side].copy()


def _with_sound(frames_TCHW: FramesTCHW, form: Form, sound_CN: AudioCN | None, number: int) -> Clip:
    clip = Clip(frames_TCHW, form.fps)
    if sound_CN is None or form.rate_hz is None:
        return clip
    length = int(form.seconds * form.rate_hz)
    part_CN = sound_CN[:, number * length : (number + 1) * length]
    padded_CN = np.pad(part_CN, ((0, 0), (0, length - part_CN.shape[1])))
    return replace(clip, audio_CN=levelled(padded_CN), rate_hz=form.rate_hz)


def levelled(sound_CN: AudioCN) -> AudioCN:
    """Sound at LEVEL_DB, its peaks held below full scale; silence stays silence."""
    rms, peak = float(np.sqrt(np.square(sound_CN, dtype=np.float64).mean())), float(np.abs(sound_CN).max())
    if rms < 10 ** (SILENT_DB / 20):
        return sound_CN
    return (sound_CN * min(10 ** (LEVEL_DB / 20) / rms, 0.99 / peak)).astype(np.float32)


def _sound(clip: Clip) -> str | None:
    return None if clip.audio_CN is None else "aac"
