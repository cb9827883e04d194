"""A folder of numbered pictures as a clip.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from eval.clip import DEFAULT_LIMITS, ClipError, ClipInfo, Limits, SoundChunk, StreamFacts, Window, window_length
from eval.hashing import file_sha256
from eval.video.container import (
    PICTURE_FORMATS,
    SOUND_FORMATS,
    Progress,
    open_container,
    picture_decoder,
    reading,
    sound_stream,
)
from eval.video.picture import Orientation, RgbConverter, RgbHWC, has_alpha, picture_notes
from eval.video.scan import check_size
from eval.video.sound import SoundTrack
from eval.video.timeline import MAX_FPS

PICTURES = (".png", ".jpg", ".jpeg")
DEFAULT_FPS = 8.0
FPS_FILE = "fps.txt"
SOUND_FILE = "audio.wav"


class PictureSource:
    """A folder of PNG or JPEG pictures, in natural order (2 before 10), as a ClipSource.

    fps: given, else the number in fps.txt, else 8 with a note. A file audio.wav beside the pictures is the sound.
    The rate is part of `info.sha256`: the same pictures at another rate are another clip.
    """

    def __init__(
        self, folder: Path, limits: Limits = DEFAULT_LIMITS, *, fps: float | None = None, window: int | None = None
    ) -> None:
        self._folder, self._limits = folder, limits
        self._pictures = _pictures(folder, limits)
        self._read = _PictureReader(limits)
        first_HWC = self._read(self._pictures[0])
        height, width = first_HWC.shape[:2]
        rate, notes = (fps, ()) if fps is not None else _folder_fps(folder)
        if not 0 < rate <= MAX_FPS:
            raise ClipError(f"{folder.name}: {rate:g} frames per second is not between 0 and {MAX_FPS:g}")
        form = _sound_form(folder)
        self._info = ClipInfo(
            name=folder.name,
            sha256=_folder_sha256(folder, self._pictures, float(rate)),
            width=width,
            height=height,
            fps=float(rate),
            duration_s=len(self._pictures) / rate,
            has_audio=form is not None,
            rate_hz=form[0] if form else None,
            channels=form[1] if form else None,
            container="folder of pictures",
            codec=self._pictures[0].suffix.lower().lstrip("."),
            notes=(*notes, *self._read.notes),
        )
        if self._info.duration_s > limits.max_seconds:
            raise ClipError(f"{folder.name}: longer than the limit of {limits.max_seconds:g} seconds")
        self._window = window or window_length(width, height)

    @property
    def info(self) -> ClipInfo:
        return self._info

    def stream(self, *, picture: bool = True, sound: bool = True) -> Iterator[Window | SoundChunk | StreamFacts]:
        """Decode once, front to back; see ClipSource."""
        read = _PictureReader(self._limits)
        if picture:
            for start in range(0, len(self._pictures), self._window):
                yield self._windowed(read, start)
        notes: tuple[str, ...] = ()
        if sound and self._info.has_audio:
            track = SoundTrack(self._folder.name, Fraction(0), None, self._limits)
            yield from _sound(self._folder / SOUND_FILE, track)
            notes = track.notes
        if read.transparent:
            notes = (*notes, "transparent: shown on black")
        yield StreamFacts(len(self._pictures), "regular", notes)

    def _windowed(self, read: _PictureReader, start: int) -> Window:
        paths = self._pictures[start : start + self._window]
        frames_THWC = np.empty((len(paths), self._info.height, self._info.width, 3), np.uint8)
        for out_HWC, path in zip(frames_THWC, paths, strict=True):
            picture_HWC = read(path)
            if picture_HWC.shape != out_HWC.shape:
                height, width = picture_HWC.shape[:2]
                raise ClipError(
                    f"{self._folder.name}: {path.name} is {width}×{height}, the first picture "
                    f"{self._info.width}×{self._info.height}; make them one size"
                )
            out_HWC[:] = picture_HWC
        times_s = np.arange(start, start + len(paths)) / self._info.fps
        return Window(frames_THWC.transpose(0, 3, 1, 2), times_s)


def read_picture(path: Path, limits: Limits = DEFAULT_LIMITS) -> RgbHWC:
    """One picture file (PNG, JPEG), upright, uint8 RGB H,W,3. Raises ClipError in one line, and OSError."""
    return _PictureReader(limits)(path)


class _PictureReader:
    """Reads one picture file at a time, within the limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rgb = RgbConverter()
        self.notes: tuple[str, ...] = ()

    @property
    def transparent(self) -> bool:
        return self._rgb.transparent

    def __call__(self, path: Path) -> RgbHWC:
        name = f"{path.parent.name}/{path.name}"
        if path.stat().st_size > self._limits.max_bytes:
            raise ClipError(f"{name}: over the limit of {self._limits.max_bytes} bytes")
        with open_container(path, PICTURE_FORMATS) as container, reading(name, Progress()):
            video = container.streams.video[0]
            check_size(name, video.codec_context.width, video.codec_context.height, self._limits)
            decoder = picture_decoder(video, self._limits, threads=1)
            frame = next((frame for packet in container.demux(video) for frame in decoder.decode(packet)), None)
            if frame is None or frame.is_corrupt:
                raise ClipError(f"{name}: the picture is damaged; make or copy it again")
            self.notes = tuple(picture_notes(frame)) if not has_alpha(frame) else self.notes
            return Orientation(frame).apply(self._rgb(frame))


def _pictures(folder: Path, limits: Limits) -> list[Path]:
    names = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    pictures = sorted((path for path in names if path.suffix.lower() in PICTURES), key=_natural)
    if not pictures:
        holds = f"{len(names)} other files" if names else "nothing"
        raise ClipError(f"{folder.name}: a folder without PNG or JPEG pictures (it holds {holds})")
    if len(pictures) > limits.max_frames:
        raise ClipError(f"{folder.name}: more than the limit of {limits.max_frames} frames")
    if sum(path.stat().st_size for path in pictures) > limits.max_bytes:
        raise ClipError(f"{folder.name}: over the limit of {limits.max_bytes} bytes")
    return pictures


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key: runs of digits as numbers; the name itself settles 7 against 007."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [*((int(part), "") if part.isdecimal() else (-1, part) for part in parts), (-1, path.name)]


def _folder_fps(folder: Path) -> tuple[float, tuple[str, ...]]:
    file = folder / FPS_FILE
    if not file.is_file():
        return DEFAULT_FPS, (f"no {FPS_FILE} in the folder: {DEFAULT_FPS:g} frames per second assumed",)
    text = file.read_bytes()[:64].decode("utf-8", "replace").strip()
    try:
        return float(Fraction(text)), ()
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise ClipError(f"{folder.name}: {FPS_FILE} must hold one number, not {text!r}") from error


def _folder_sha256(folder: Path, pictures: list[Path], fps: float) -> str:
    """The hash of the sorted names and hashes of everything that the clip is made of, and of its frame rate.

    The rate itself, not fps.txt: a rate that is given or assumed changes what is measured as much as one that is read.
    """
    sound = folder / SOUND_FILE
    files = [*pictures, *([sound] if sound.is_file() else [])]
    lines = [*sorted(f"{path.name}\0{file_sha256(path)}\n" for path in files), f"fps\0{fps!r}\n"]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _sound_form(folder: Path) -> tuple[int, int] | None:
    """Rate and channels of the sound file beside the pictures, if there is one."""
    path = folder / SOUND_FILE
    if not path.is_file():
        return None
    with open_container(path, SOUND_FORMATS) as container:
        audio = sound_stream(container)
        if audio is None or audio.codec_context is None:
            raise ClipError(f"{folder.name}: {SOUND_FILE} holds no sound that can be decoded")
        return audio.codec_context.sample_rate, audio.codec_context.channels


def _sound(path: Path, track: SoundTrack) -> Iterator[SoundChunk]:
    with open_container(path, SOUND_FORMATS) as container, reading(path.name, Progress()):
        for frame in container.decode(container.streams.audio[0]):
            yield from track.push(frame)
    yield from track.finish()
