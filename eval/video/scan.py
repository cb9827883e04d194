"""One quick pass over a file's packets before any scoring: how many frames, when, and is it whole?

Nothing but the first frame is decoded. The headers are believed only where the packets bear them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from eval.clip import ClipError, Limits
from eval.video.container import (
    VIDEO_FORMATS,
    Progress,
    open_container,
    picture_decoder,
    picture_stream,
    reading,
    refuse_if_cut,
    sound_stream,
)
from eval.video.picture import Orientation, has_alpha, is_hdr, picture_notes
from eval.video.timeline import Timeline, judge


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass over the packets tells of a file."""

    container: str
    codec: str
    width: int
    height: int
    frames: int
    timeline: Timeline
    from_dts: bool
    """The container stores one time per packet in decoding order (avi); the k-th frame shown gets the k-th."""
    origin_s: Fraction
    """When the first frame appears, on the container's clock."""
    rate_hz: int | None
    channels: int | None
    sdr: bool
    maybe_transparent: bool
    notes: tuple[str, ...]


def scan(path: Path, limits: Limits) -> Scan:
    """Read every packet once. Raises ClipError for a file without pictures, over a limit or cut short."""
    name = path.name
    with open_container(path, VIDEO_FORMATS) as container:
        video = picture_stream(container)
        if video is None:
            refuse_if_cut(path, 0)
            raise ClipError(f"{name}: no picture in it{', only sound' if sound_stream(container) else ''}")
        if getattr(video, "codec_context", None) is None:
            refuse_if_cut(path, 0)
            raise ClipError(f"{name}: no decoder for its picture; convert it to mp4 with H.264")
        check_size(name, video.codec_context.width, video.codec_context.height, limits)
        audio = sound_stream(container)
        tally = _Tally(name, video, limits)
        with reading(name, tally.progress):
            streams: list[Stream] = [video] if audio is None else [video, audio]
            for packet in container.demux(*streams):
                tally.add(packet)
        _check_whole(path, tally.progress.frames, video)
        if tally.first is None:
            raise ClipError(f"{name}: no frames in it")
        suffix_note = _suffix_note(path, container.format.extensions)
        return _conclude(container.format.name, video, audio, tally, tally.first, suffix_note)


def check_size(name: str, width: int, height: int, limits: Limits) -> None:
    """Raise ClipError when pictures are larger than the limits allow."""
    for what, size, limit in (("wide", width, limits.max_width), ("high", height, limits.max_height)):
        if size > limit:
            raise ClipError(f"{name}: {size} pixels {what}, over the limit of {limit}; make it smaller")
    if width * height > limits.max_pixels:
        raise ClipError(f"{name}: {width}×{height} is over the limit of {limits.max_pixels} pixels; make it smaller")


_WITHOUT_RATE = ("gif", "apng")
"""These declare no frame rate: what libavformat gives is its own estimate from the first times."""


class _Tally:
    """Counts packets and their times against the limits, and decodes up to the first frame."""

    def __init__(self, name: str, video: VideoStream, limits: Limits) -> None:
        self._name, self._video, self._limits = name, video, limits
        self._decoder = picture_decoder(video, limits, threads=1)
        self.progress = Progress()
        self.pts: list[int | None] = []
        self.dts: list[int | None] = []
        self.sound_packets = 0
        self.first: VideoFrame | None = None

    def add(self, packet: Packet[Stream]) -> None:
        if packet.stream is self._video:
            self._decode_first(packet)
        if not packet.size or packet.is_discard:
            return
        if packet.stream is not self._video:
            self.sound_packets += 1
            return
        if _hidden(self._video, packet):
            return
        self.pts.append(packet.pts)
        self.dts.append(packet.dts)
        self.progress.frames += not packet.is_corrupt
        if len(self.pts) > self._limits.max_frames:
            raise ClipError(f"{self._name}: more than the limit of {self._limits.max_frames} frames; cut it")

    def _decode_first(self, packet: Packet[Stream]) -> None:
        if self.first is None:
            frames = self._decoder.decode(packet if packet.size else None)
            self.first = frames[0] if frames else None


def _hidden(video: VideoStream, packet: Packet[Stream]) -> bool:
    """Whether a VP8 packet only updates a reference and shows nothing (RFC 6386, section 9.1)."""
    return video.codec_context.name in ("vp8", "libvpx") and not bytes(packet)[0] & 0x10


def _check_whole(path: Path, frames: int, video: VideoStream) -> None:
    refuse_if_cut(path, frames)
    if video.container.format.name.startswith("mov") and frames < video.frames:
        raise ClipError(f"{path.name}: breaks off after {frames} of {video.frames} frames; copy or make it again")


def _suffix_note(path: Path, extensions: set[str]) -> str | None:
    suffix = path.suffix.lstrip(".").lower()
    if suffix in extensions or not extensions:
        return None
    return f"wrongly named: it holds {min(sorted(extensions), key=len)} rather than {suffix or 'a bare name'}"


def _timeline(video: VideoStream, tally: _Tally) -> tuple[Timeline, bool]:
    """The verdict on presentation times; on decoding times where the container stores only those."""
    context = video.codec_context
    declared: tuple[Fraction | None, ...]
    declared = (video.guessed_rate, video.average_rate, context.framerate, video.base_rate)
    if video.container.format.name in _WITHOUT_RATE:
        declared = ()
    assert video.time_base is not None, "every stream that libavformat gives has a time base"
    dts = [tick for tick in tally.dts if tick is not None]
    only_dts = None in tally.pts and len(dts) == len(tally.dts) and bool((np.diff(dts) > 0).all())
    known = sorted(tick for tick in tally.pts if tick is not None)
    ticks: list[int | None] = [*(dts if only_dts else known)]
    if not only_dts and len(known) < len(tally.pts):
        ticks.append(None)
    return judge(ticks, video.time_base, declared), only_dts


def _conclude(
    container: str,
    video: VideoStream,
    audio: AudioStream | None,
    tally: _Tally,
    first: VideoFrame,
    suffix_note: str | None,
) -> Scan:
    timeline, from_dts = _timeline(video, tally)
    orientation = Orientation(first)
    width, height = (first.height, first.width) if orientation.swaps else (first.width, first.height)
    notes = [suffix_note, orientation.note, *picture_notes(first), *timeline.notes, _aspect_note(video)]
    sound = _sound_context(audio) if tally.sound_packets else None
    if tally.sound_packets and sound is None:
        notes.append("its sound cannot be decoded: left out")
    tick = first.pts if timeline.usable and not from_dts else None
    if tick is None:
        tick = int(timeline.ticks[0]) if timeline.usable else 0
    return Scan(
        container=container,
        codec=video.codec_context.codec.canonical_name,
        width=width,
        height=height,
        frames=len(tally.pts),
        timeline=timeline,
        from_dts=from_dts,
        origin_s=tick * (video.time_base or Fraction(0)),
        rate_hz=sound.sample_rate if sound else None,
        channels=sound.channels if sound else None,
        sdr=not is_hdr(first),
        maybe_transparent=has_alpha(first),
        notes=tuple(note for note in notes if note),
    )


def _sound_context(audio: AudioStream | None) -> AudioCodecContext | None:
    # PyAV leaves the context out, whatever its type says, when there is no decoder.
    return getattr(audio, "codec_context", None)


def _aspect_note(video: VideoStream) -> str | None:
    aspect = video.sample_aspect_ratio
    if not aspect or aspect == 1:
        return None
    return f"pixels are not square ({aspect.numerator}:{aspect.denominator}): read as stored"
