"""Opening files from strangers: only real video containers, never the network, never a second file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from eval.clip import ClipError, Limits
from eval.video.ending import missing_bytes

VIDEO_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "gif", "apng", "mpegts", "mpeg", "mpegvideo", "flv", "asf",
    "ogg", "ivf", "yuv4mpegpipe", "h264", "hevc", "obu", "av1", "mjpeg", "mxf", "nut", "dv", "webp_anim", "m4v",
)  # fmt: skip
PICTURE_FORMATS = ("png_pipe", "jpeg_pipe")
SOUND_FORMATS = ("wav", "flac", "mp3", "ogg", "aac", "aiff", "w64", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""Demuxers by libavformat's names. Playlists (HLS, DASH, concat) are left out: they open other files and URLs.
So are subtitle, text and device demuxers, which take any text file for a picture."""

_MAKE_UP_TIMES = 0x0001
"""libavformat's AVFMT_FLAG_GENPTS, which PyAV sets: invents missing time stamps, and buffers the file meanwhile."""


class _Nameless:
    """An open file that shows libavformat its bytes but not its name, which would sway what it is taken for."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


@contextmanager
def open_container(path: Path, formats: tuple[str, ...]) -> Iterator[InputContainer]:
    """Open a file by its content. Raises ClipError when it is none of `formats`."""
    options = {"format_whitelist": ",".join(formats), "protocol_whitelist": "none"}
    with path.open("rb") as file, _opened(path, file, options) as container:
        yield container


def refuse_if_cut(path: Path, frames: int) -> None:
    """Raise ClipError when the file ends before its own container says so. frames: how many could be read."""
    missing = missing_bytes(path)
    if missing:
        raise ClipError(
            f"{path.name}: breaks off after {frames} frames, {missing} bytes short of its end; copy or make it again"
        )


@contextmanager
def _opened(path: Path, file: BinaryIO, options: dict[str, str]) -> Iterator[InputContainer]:
    try:
        container = av.open(_Nameless(file), "r", container_options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        refuse_if_cut(path, 0)
        raise ClipError(f"{path.name}: not a clip that can be read ({_reason(error)}); convert it to mp4") from error
    with container:
        container.flags &= ~_MAKE_UP_TIMES
        yield container


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The first stream of moving pictures; cover art does not count."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The first stream of sound."""
    return next(iter(container.streams.audio), None)


@contextmanager
def reading(name: str, progress: Progress) -> Iterator[None]:
    """Turn whatever the decoder says into one ClipError that tells how far reading came."""
    try:
        yield
    except av.FFmpegError as error:
        raise ClipError(
            f"{name}: breaks off after {progress.frames} frames ({_reason(error)}); make or copy it again"
        ) from error


_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""The default decoders of these leave the transparency of a webm out."""


class Progress:
    """How many frames have been read."""

    def __init__(self) -> None:
        self.frames = 0


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().lower()


def picture_decoder(video: VideoStream, limits: Limits, threads: int) -> VideoCodecContext:
    """The decoder of a stream, told to refuse larger pictures than allowed, whatever the headers said."""
    context = video.codec_context
    if context.name in _WITH_ALPHA and video.metadata.get("alpha_mode") == "1":
        other = av.CodecContext.create(_WITH_ALPHA[context.name], "r")
        assert isinstance(other, VideoCodecContext), "these are names of picture decoders"
        context = other
    context.options = {"max_pixels": str(limits.max_pixels)}
    context.thread_count = threads
    context.thread_type = "AUTO" if threads > 1 else "NONE"
    return context
