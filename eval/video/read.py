"""A file as a ClipSource: opened by content, decoded once from front to back in bounded windows.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from eval.clip import (
    DEFAULT_LIMITS,
    ClipError,
    ClipInfo,
    ClipSource,
    Limits,
    SoundChunk,
    StreamFacts,
    TimesT,
    Timestamps,
    Window,
    window_length,
)
from eval.hashing import file_sha256
from eval.video.container import (
    VIDEO_FORMATS,
    Progress,
    open_container,
    picture_decoder,
    picture_stream,
    reading,
    sound_stream,
)
from eval.video.picture import Orientation, RgbConverter
from eval.video.scan import Scan, check_size, scan
from eval.video.sound import SoundTrack

Item = Window | SoundChunk | StreamFacts


def open_clip(
    path: Path | str,
    limits: Limits = DEFAULT_LIMITS,
    *,
    fps: float | None = None,
    threads: int = 1,
    window: int | None = None,
) -> ClipSource:
    """Open a clip: a video file of any common kind, or a folder of PNG or JPEG pictures.

    The content decides, never the name. fps: for a folder of pictures only (default: its fps.txt, else 8).
    threads: decoding threads (the result is the same). window: frames per Window (default: by picture size).
    Raises ClipError, in one line, for anything that is not a whole clip within the limits.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            from eval.video.pictures import PictureSource

            return PictureSource(path, limits, fps=fps, window=window)
        if not stat.S_ISREG(mode):
            raise ClipError(f"{path.name}: neither a file nor a folder")
        return FileSource(path, limits, threads=threads, window=window)
    except OSError as error:
        raise ClipError(f"{path.name}: {(error.strerror or str(error)).lower()}; check the path") from error


class FileSource:
    """A video file as a ClipSource."""

    def __init__(
        self, path: Path, limits: Limits = DEFAULT_LIMITS, *, threads: int = 1, window: int | None = None
    ) -> None:
        size = path.stat().st_size
        if not size:
            raise ClipError(f"{path.name}: the file is empty")
        if size > limits.max_bytes:
            raise ClipError(f"{path.name}: {size} bytes, over the limit of {limits.max_bytes}; cut it")
        self._path, self._limits, self._threads = path, limits, threads
        self._scan = scan(path, limits)
        self._window = window or window_length(self._scan.width, self._scan.height)
        self._info = _info(path, self._scan)
        if self._info.duration_s > limits.max_seconds:
            raise ClipError(f"{path.name}: longer than the limit of {limits.max_seconds:g} seconds; cut it")

    @property
    def info(self) -> ClipInfo:
        return self._info

    def stream(self, *, picture: bool = True, sound: bool = True) -> Iterator[Item]:
        """Decode once, front to back; see ClipSource."""
        sound = sound and self._info.has_audio
        progress = Progress()
        with open_container(self._path, VIDEO_FORMATS) as container, reading(self._path.name, progress):
            video, audio = picture_stream(container), sound_stream(container)
            assert video is not None, "the scan found a picture"
            decoder = picture_decoder(video, self._limits, self._threads)
            pictures = _Pictures(self._path.name, self._scan, self._limits, video, self._window, progress)
            track = SoundTrack(self._path.name, self._scan.origin_s, _sound_end(audio), self._limits)
            streams = [*([video] if picture else []), *([audio] if sound else [])]
            for packet in container.demux(*streams) if streams else ():
                if packet.stream is video:
                    for frame in decoder.decode(packet):
                        yield from pictures.push(frame)
                else:
                    for heard in packet.decode():
                        assert isinstance(heard, AudioFrame), "only picture and sound are demuxed"
                        yield from track.push(heard)
            if picture:
                yield from pictures.finish()
            yield from track.finish()
        facts = pictures.facts() if picture else _facts_unseen(self._scan)
        yield StreamFacts(facts.frames, facts.timestamps, (*facts.notes, *track.notes))


class _Pictures:
    """Collects decoded frames into windows, each with its presentation time."""

    def __init__(
        self, name: str, scan: Scan, limits: Limits, video: VideoStream, window: int, progress: Progress
    ) -> None:
        self._name, self._scan, self._limits, self._length = name, scan, limits, window
        self._progress = progress
        self._clock = _Clock(scan, video.time_base or Fraction(0))
        self._rgb = RgbConverter()
        self._orientation: Orientation | None = None
        self._frames_THWC = np.empty((0, 0, 0, 3), np.uint8)
        self._times: list[float] = []
        self._damaged = 0

    def push(self, frame: VideoFrame) -> Iterator[Window]:
        if self._progress.frames >= self._limits.max_frames:
            raise ClipError(f"{self._name}: more than the limit of {self._limits.max_frames} frames; cut it")
        self._orientation = self._orientation or Orientation(frame)
        check_size(self._name, frame.width, frame.height, self._limits)
        picture_HWC = self._orientation.apply(self._rgb(frame))
        self._check_same_size(picture_HWC.shape[1], picture_HWC.shape[0])
        if not self._times:
            self._frames_THWC = np.empty((self._length, *picture_HWC.shape), np.uint8)
        self._frames_THWC[len(self._times)] = picture_HWC
        self._times.append(self._clock.time_s(frame))
        if self._times[-1] > self._limits.max_seconds:
            raise ClipError(f"{self._name}: longer than the limit of {self._limits.max_seconds:g} seconds")
        self._progress.frames += 1
        self._damaged += frame.is_corrupt
        if len(self._times) == self._length:
            yield self._window()

    def finish(self) -> Iterator[Window]:
        if self._times:
            yield self._window()
        if not self._progress.frames:
            raise ClipError(f"{self._name}: no frames in it")

    def facts(self) -> StreamFacts:
        notes = []
        if self._rgb.transparent:
            notes.append("transparent: shown on black")
        if self._damaged:
            notes.append(f"{self._damaged} damaged frames, patched up by the decoder")
        timestamps = self._scan.timeline.timestamps
        if self._clock.broken is not None:
            timestamps = self._clock.broken
            notes.append(f"frame times {timestamps} in places: spaced by the mean frame rate there")
        return StreamFacts(self._progress.frames, timestamps, tuple(notes))

    def _window(self) -> Window:
        frames_THWC, times = self._frames_THWC[: len(self._times)], self._times
        self._times = []
        return Window(frames_THWC.transpose(0, 3, 1, 2), np.asarray(times, np.float64))

    def _check_same_size(self, width: int, height: int) -> None:
        if (width, height) != (self._scan.width, self._scan.height):
            raise ClipError(
                f"{self._name}: changes size from {self._scan.width}×{self._scan.height} to {width}×{height} "
                f"at frame {self._progress.frames}; convert it to one size"
            )


class _Clock:
    """Presentation times of decoded frames, from the first frame; strictly increasing."""

    def __init__(self, scan: Scan, time_base: Fraction) -> None:
        self.broken: Timestamps | None = None
        self._line = scan.timeline
        self._by_index: TimesT | None = None
        if not self._line.usable:
            self._by_index = np.zeros(0)
        elif scan.from_dts:
            self._by_index = (self._line.ticks - self._line.ticks[0]) * float(time_base)
        self._time_base = time_base
        self._origin: int | None = None
        self._index = 0
        self._last_s = 0.0

    def time_s(self, frame: VideoFrame) -> float:
        time_s = self._indexed() if self._by_index is not None else self._stamped(frame.pts)
        self._index += 1
        self._last_s = time_s
        return time_s

    def _indexed(self) -> float:
        assert self._by_index is not None
        if self._index < len(self._by_index):
            return float(self._by_index[self._index])
        return self._index / self._line.fps

    def _stamped(self, pts: int | None) -> float:
        if self._origin is None:
            self._origin = pts
        if pts is not None and self._origin is not None:
            time_s = float((pts - self._origin) * self._time_base)
            if not self._index or time_s > self._last_s:
                return time_s
        self.broken = "missing" if pts is None else "not increasing"
        return self._last_s + 1 / self._line.fps if self._index else 0.0


def _info(path: Path, scan: Scan) -> ClipInfo:
    return ClipInfo(
        name=path.name,
        sha256=file_sha256(path),
        width=scan.width,
        height=scan.height,
        fps=scan.timeline.fps,
        duration_s=scan.frames / scan.timeline.fps,
        has_audio=scan.rate_hz is not None,
        rate_hz=scan.rate_hz,
        channels=scan.channels,
        container=scan.container,
        codec=scan.codec,
        notes=scan.notes,
        sdr=scan.sdr,
        path=path,
    )


def _sound_end(audio: AudioStream | None) -> Fraction | None:
    """Where an mp4 or mov says that its sound ends; the last packet's padding lies beyond."""
    if audio is None or audio.duration is None or audio.time_base is None:
        return None
    if not audio.container.format.name.startswith("mov"):
        return None
    return ((audio.start_time or 0) + audio.duration) * audio.time_base


def _facts_unseen(scan: Scan) -> StreamFacts:
    return StreamFacts(scan.frames, scan.timeline.timestamps)
