"""Picture and sound through a lossy codec and back, in memory: what posting a clip does to it.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from eval.clip import DEFAULT_LIMITS, AudioCN, Clip, FramesTCHW, SoundChunk
from eval.video.picture import RgbConverter
from eval.video.scheduling import ordinary_scheduling
from eval.video.sound import SoundTrack, resample
from eval.video.write import at_allowed_rate, sound_frames, sound_stream, yuv_frames

PictureCodec = Literal["h264", "h264-rgb", "h265", "av1", "vp9"]
SoundCodec = Literal["aac", "mp3", "opus"]


@dataclass(frozen=True, slots=True)
class _Codec:
    """A pair of encoder and decoder, with the options that make the encoder's bytes the same every time."""

    encoder: str
    decoder: str
    options: tuple[tuple[str, str], ...]
    pixels: str = "yuv420p"
    least: int = 16
    """Smaller pictures, and sizes that are no multiple of `step`, are padded by their edge and cut again."""
    step: int = 2


# x264's macroblock tree depends on memory that it never set (4 files from 14 encodes at 320×176): off, which is about
# 0.9 dB gentler than x264's default at the same CRF. x265 breaks the heap on pictures 40 to 48 wide, and pictures that
# are one coding block wide come out different every time with its wavefronts.
_X265 = "log-level=none:pools=none:frame-threads=1:no-wpp=1"
_CODECS: dict[PictureCodec, _Codec] = {
    "h264": _Codec("libx264", "h264", (("preset", "medium"), ("x264-params", "mbtree=0"))),
    "h264-rgb": _Codec("libx264rgb", "h264", (("preset", "medium"), ("x264-params", "mbtree=0")), pixels="rgb24"),
    "h265": _Codec("libx265", "hevc", (("preset", "medium"), ("x265-params", _X265)), least=128, step=8),
    "av1": _Codec("libsvtav1", "libdav1d", (("preset", "8"), ("svtav1-params", "lp=1")), least=64),
    "vp9": _Codec("libvpx-vp9", "vp9", (("b", "0"), ("deadline", "good"), ("cpu-used", "4"))),
}
MAX_CRF: dict[PictureCodec, int] = {"h264": 51, "h264-rgb": 51, "h265": 51, "av1": 63, "vp9": 63}

_MP3_HZ = {"low": 24_000, "least": 16_000}
"""MP3 below 32 kbit/s exists at 24 kHz and less only (MPEG-2); an mp4 holds none below 16 kHz (MPEG-2.5)."""


def recode_picture(
    frames_TCHW: FramesTCHW, fps: float, codec: PictureCodec, crf: float, *, keyframe_every: int | None = None
) -> FramesTCHW:
    """Frames encoded at a constant quality and decoded again: as many, of the same size, the same every time.

    crf: the encoder's own scale, 0 to MAX_CRF[codec], higher is worse. 4:2:0, BT.709, limited range, but "h264-rgb".
    keyframe_every: the longest distance of keyframes in frames (default: the encoder's).
    Raises ValueError for a quality off the scale, no frames, and what the codec cannot encode.
    """
    if not 0 <= crf <= MAX_CRF[codec]:
        raise ValueError(f"{codec}: crf {crf:g} is not within 0 to {MAX_CRF[codec]}")
    if not len(frames_TCHW):
        raise ValueError(f"{codec}: no frames to encode")
    height, width = frames_TCHW.shape[2:]
    kind = _CODECS[codec]
    padded_TCHW = _padded(frames_TCHW, kind)
    try:
        packets = list(_encoded(Clip(padded_TCHW, fps), kind, crf, keyframe_every))
        decoded_TCHW = _decoded(packets, kind)
    except av.FFmpegError as error:
        raise ValueError(f"{codec}: {width}×{height} cannot be encoded at crf {crf:g} ({error.strerror})") from error
    assert len(decoded_TCHW) == len(frames_TCHW), "a codec keeps every frame"
    return np.ascontiguousarray(decoded_TCHW[:, :, :height, :width])


def _padded(frames_TCHW: FramesTCHW, kind: _Codec) -> FramesTCHW:
    height, width = frames_TCHW.shape[2:]
    missing = [max(kind.least, -(-side // kind.step) * kind.step) - side for side in (height, width)]
    if not any(missing):
        return frames_TCHW
    return np.pad(frames_TCHW, ((0, 0), (0, 0), (0, missing[0]), (0, missing[1])), mode="edge")


def _encoded(clip: Clip, kind: _Codec, crf: float, keyframe_every: int | None) -> Iterator[Packet[VideoStream]]:
    context = av.CodecContext.create(kind.encoder, "w")
    assert isinstance(context, VideoCodecContext)
    context.height, context.width = clip.frames_TCHW.shape[2:]
    context.framerate = Fraction(clip.fps).limit_denominator(1001)
    context.time_base = 1 / context.framerate
    context.pix_fmt = kind.pixels
    context.thread_count = 1
    context.options = {**dict(kind.options), "crf": f"{crf:g}"}
    if keyframe_every is not None:
        context.gop_size = keyframe_every
    if kind.pixels != "rgb24":
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    with _quiet():
        with ordinary_scheduling():
            context.open()
        for frame in yuv_frames(clip, kind.pixels, Colorspace.ITU709):
            yield from context.encode(frame)
        yield from context.encode(None)


@contextmanager
def _quiet() -> Iterator[None]:
    """SVT-AV1 writes thirty lines to standard error per encode, and can be told not to by a variable alone."""
    before = os.environ.get("SVT_LOG")
    os.environ["SVT_LOG"] = "0" if before is None else before
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("SVT_LOG", None)


def _decoded(packets: list[Packet[VideoStream]], kind: _Codec) -> FramesTCHW:
    context = av.CodecContext.create(kind.decoder, "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    rgb = RgbConverter()
    frames: list[VideoFrame] = []
    for packet in (*packets, None):
        frames.extend(context.decode(packet))
    return np.stack([rgb(frame).transpose(2, 0, 1) for frame in frames])


def recode_sound(audio_CN: AudioCN, rate_hz: int, codec: SoundCodec, kbps: float) -> AudioCN:
    """Sound encoded and decoded again: the same rate and length, aligned to the sample, float32.

    kbps: kilobits a second of all channels together; an encoder that has no such rate takes its nearest.
    The codec's delay is written down in an mp4 and taken off as `open_clip` does. Rates that the codec cannot hold
    are resampled there and back. Raises ValueError for no samples, and what the codec cannot encode.
    """
    if kbps <= 0 or not audio_CN.shape[1]:
        raise ValueError(
            f"{codec}: needs sound and a positive bit rate; got {audio_CN.shape[1]} samples, {kbps:g} kbit/s"
        )
    held_CN, held_hz = _at_held_rate(audio_CN, rate_hz, codec, kbps)
    file = io.BytesIO()
    try:
        with av.open(file, "w", format="mp4", container_options={"fflags": "+bitexact"}) as container:
            stream = sound_stream(container, held_CN.shape[0], held_hz, codec, bit_rate_bps=round(kbps * 1000))
            for frame in sound_frames(held_CN, held_hz, codec):
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        file.seek(0)
        with av.open(file, "r", format="mp4") as container:
            decoded_CN, decoded_hz = _heard(container)
    except av.FFmpegError as error:
        raise ValueError(f"{codec}: cannot be encoded at {kbps:g} kbit/s ({error.strerror})") from error
    return _fitted(resample(decoded_CN, decoded_hz, rate_hz), audio_CN.shape[1])


def _at_held_rate(audio_CN: AudioCN, rate_hz: int, codec: SoundCodec, kbps: float) -> tuple[AudioCN, int]:
    """The sound at a rate that the codec has at this bit rate."""
    if codec == "mp3":
        most_hz = _MP3_HZ["low"] if kbps < 32 else rate_hz
        wanted_hz = max(min(rate_hz, most_hz), _MP3_HZ["least"])
        audio_CN, rate_hz = resample(audio_CN, rate_hz, wanted_hz), wanted_hz
    return at_allowed_rate(audio_CN, rate_hz, codec)


def _heard(container: InputContainer) -> tuple[AudioCN, int]:
    """All sound of a file on its own clock, and its rate."""
    track = SoundTrack("sound", Fraction(0), None, DEFAULT_LIMITS)
    chunks: list[SoundChunk] = []
    for frame in container.decode(audio=0):
        assert isinstance(frame, AudioFrame), "only sound is decoded"
        chunks.extend(track.push(frame))
    chunks.extend(track.finish())
    return np.concatenate([chunk.audio_CN for chunk in chunks], axis=1), chunks[0].rate_hz


def _fitted(audio_CN: AudioCN, samples: int) -> AudioCN:
    """Cut or filled with silence at the end: a codec pads to whole frames."""
    missing = max(0, samples - audio_CN.shape[1])
    return np.ascontiguousarray(np.pad(audio_CN[:, :samples], ((0, 0), (0, missing))))
