"""From a file to numbers: its windows in canonical form, their traces, and the nuisances before and after.

Shape legend: N windows, D numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from eval.clip import Clip, ClipInfo, MemorySource, SoundChunk, Window
from eval.errors import UserError
from eval.feature import NotMeasurable
from eval.features.forensic_traces import PICTURE_BLOCKS, ForensicTraces
from eval.features.forensic_traces import sound as sound_block
from eval.video import open_clip
from eval.video.motion_vectors import motion_vectors
from safety.deepfake import motion
from safety.deepfake.canonical import WINDOWS, Change, Form, canonical, whole_clip

Side = Literal["fake", "real"]

BLOCKS: dict[str, tuple[str, ...]] = {
    **{name: block.names for name, block in PICTURE_BLOCKS.items()},
    "motion": motion.NAMES,
    "sound": sound_block.NAMES,
}
"""Block → the names of its numbers."""

BLOCK_SUMMARY = {
    "spectrum": "azimuthally averaged power spectrum and its peaks",
    "residual": "what a median filter takes away: its correlations in space, colour and time",
    "dct": "histograms of the 8 x 8 cosine transform",
    "temporal": "how fast and evenly it changes, temporal spectrum",
    "motion": "motion vectors that the codec chose",
    "sound": "spectrum, roll-off and phases of the sound",
}

BEFORE = ("duration_s", "fps", "width", "height", "bits_per_pixel", "has_sound")
AFTER = ("duration_s", "fps", "side", "bits_per_pixel", "brightness", "loudness_db")
NUISANCE_TITLE = {
    "duration_s": "length",
    "fps": "frame rate",
    "width": "width",
    "height": "height",
    "side": "size",
    "bits_per_pixel": "bit rate",
    "has_sound": "having sound",
    "brightness": "brightness",
    "loudness_db": "loudness",
}
NO_SOUND_DB = -100.0


@dataclass(frozen=True, slots=True)
class ClipRef:
    """A clip to look at. source: whose windows it holds, the file. group: clips of one group (a prompt, a source) are
    never on both sides of a split. set: which folder or generator it is from.
    """

    path: Path
    name: str
    side: Side
    set: str
    group: str
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """One window. traces: block → numbers. after: nuisances that canonicalising left."""

    traces: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]]
    after: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """One clip: its windows, or the reason why there are none. before: nuisances of the file as it came."""

    clip: ClipRef
    windows: tuple[Seen, ...] = ()
    before: tuple[float, ...] = ()
    reason: str = field(default="")


def observe(
    clip: ClipRef, form: Form, change: Change | None = None, whole: Change | None = None, most: int = WINDOWS
) -> Observed:
    """Look at one clip. Never raises for what the clip is: the reason is in the result.

    change: of each window before it is encoded. whole: of the clip as it came, before it is canonicalised.
    """
    try:
        source = open_clip(clip.path)
        facts = before(source.info, clip.path)
        if whole is not None:
            source = MemorySource(whole(whole_clip(source)), clip.name)
        windows = tuple(_look(path, form, window) for path, window in canonical(source, form, most, change))
        return Observed(clip, windows, facts)
    except (NotMeasurable, UserError) as reason:
        return Observed(clip, reason=str(reason))


def before(info: ClipInfo, path: Path) -> tuple[float, ...]:
    """The nuisances of a file as it came, in the order of BEFORE."""
    files = [path] if path.is_file() else [part for part in path.iterdir() if part.is_file()]
    bits = 8.0 * sum(part.stat().st_size for part in files)
    pixels = info.width * info.height * max(1.0, info.duration_s * info.fps)
    return (
        info.duration_s,
        info.fps,
        float(info.width),
        float(info.height),
        float(np.log10(bits / pixels)),
        float(info.has_audio),
    )


def _look(path: Path, form: Form, window: Clip) -> Seen:
    """The numbers of one encoded window."""
    source = open_clip(path)
    traces = ForensicTraces(source.info)
    sound = sound_block.Sound(source.info) if form.rate_hz is not None else None
    light: list[float] = []
    for item in source.stream():
        if isinstance(item, Window):
            traces.update(item)
            light.append(float(item.frames_TCHW.mean()))
        elif isinstance(item, SoundChunk) and sound is not None:
            sound.update(item)
    found = split(np.asarray(traces.finish()["traces_D"], np.float64))
    found["motion"] = motion.motion_numbers(motion_vectors(path))
    if sound is not None:
        arrays = sound.finish()
        assert isinstance(arrays, dict), "sound needs no network"
        found["sound"] = arrays["sound_D"]
    pixels = form.frames * form.side**2
    after = (
        form.seconds,
        form.fps,
        float(form.side),
        float(np.log10(8.0 * path.stat().st_size / pixels)),
        float(np.mean(light)),
        _loudness_db(window),
    )
    return Seen(found, after)


def split(
    traces_D: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The picture's traces by block."""
    ends = np.cumsum([len(block.names) for block in PICTURE_BLOCKS.values()])
    return dict(zip(PICTURE_BLOCKS, np.split(traces_D, ends[:-1]), strict=True))


def _loudness_db(window: Clip) -> float:
    if window.audio_CN is None:
        return NO_SOUND_DB
    power = float(np.square(window.audio_CN, dtype=np.float64).mean())
    return float(10 * np.log10(power + 10 ** (NO_SOUND_DB / 10)))
