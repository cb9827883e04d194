"""A clip to a file: atomic, the same bytes every time, playable in a browser, aligned when read back.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from eval.clip import AudioCN, Clip
from eval.video.pictures import FPS_FILE, SOUND_FILE
from eval.video.sound import resample


@dataclass(frozen=True, slots=True)
class _Container:
    """How one kind of file is written. codecs and sounds: what it may hold, the default first."""

    format: str
    codecs: tuple[str, ...]
    sounds: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()


_FASTSTART = (("movflags", "+faststart"),)
_CONTAINERS = {
    ".mp4": _Container("mp4", ("h264",), ("flac", "aac", "opus", "mp3"), _FASTSTART),
    ".mov": _Container("mov", ("h264",), ("aac", "pcm"), _FASTSTART),
    ".mkv": _Container("matroska", ("h264", "vp9", "vp8", "ffv1"), ("flac", "aac", "opus", "mp3")),
    ".webm": _Container("webm", ("vp9", "vp8"), ("opus",)),
    ".gif": _Container("gif", ("gif",), ()),
}


@dataclass(frozen=True, slots=True)
class _Encoder:
    """An encoder's name, its default quality, and the options that make it deterministic and keep it quick."""

    name: str
    crf: float | None = None
    options: tuple[tuple[str, str], ...] = ()
    odd_sizes: bool = True
    """Whether 4:2:0 can hold an odd width or height; if not, odd sizes are written 4:4:4."""
    matrix: Colorspace = Colorspace.ITU709


_X264 = "mbtree=0"
"""x264's macroblock-tree reads memory that it never set when pictures are small: without this, 25 encodes of one
64×64 clip gave 21 different files. It matters little at near-lossless quality."""
_PICTURE = {
    "h264": _Encoder("libx264", 10, (("preset", "fast"), ("x264-params", _X264)), odd_sizes=False),
    "vp9": _Encoder("libvpx-vp9", 12, (("b", "0"), ("deadline", "good"), ("cpu-used", "4"))),
    "vp8": _Encoder("libvpx", 8, (("b", "20M"), ("deadline", "good"), ("cpu-used", "4")), matrix=Colorspace.ITU601),
    "ffv1": _Encoder("ffv1"),
    "gif": _Encoder("gif"),
}  # fmt: skip
_SOUND = {
    "flac": ("flac", "s16"),
    "aac": ("aac", "fltp"),
    "opus": ("libopus", "flt"),
    "mp3": ("libmp3lame", "fltp"),
    "pcm": ("pcm_s16le", "s16"),
    "float": ("pcm_f32le", "flt"),
}
_RATES_HZ = {
    "opus": (48_000, 24_000, 16_000, 12_000, 8_000),
    "aac": (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000),
    "mp3": (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000),
}
_DISK_ERRORS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS))
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def write_clip(
    clip: Clip,
    path: Path | str,
    *,
    codec: str | None = None,
    crf: float | None = None,
    gop: int | None = None,
    audio_codec: str | None = None,
) -> None:
    """Write a clip as mp4, mov, mkv, webm or gif by the path's suffix, or, without a suffix, as a folder of PNGs.

    The default mp4 is near-lossless H.264 (crf 10, 4:2:0, BT.709, moov first) with FLAC sound: it plays in
    Chromium and its sound reads back sample for sample, rounded to 16 bits. An odd width or height is written
    4:4:4, so that the size survives. A folder holds exact PNGs, fps.txt and exact float sound in audio.wav.
    codec: h264, vp9, vp8, ffv1; crf: the encoder's quality, lower is better; gop: frames from one key frame to the
    next at most; audio_codec: flac, aac, opus, mp3, pcm. Rates that a sound codec cannot hold are resampled to 48 kHz.
    The same clip gives the same bytes; x265 is not here because its bytes vary from run to run. The file appears
    complete or not at all; OSError is passed on.
    Raises ValueError for a combination that the container cannot hold.
    """
    path = Path(path)
    if not len(clip.frames_TCHW):
        raise ValueError(f"{path.name}: a clip without frames cannot be written")
    if not path.suffix:
        _write_folder(clip, path)
        return
    form, codec, sound = _plan(clip, path, codec, audio_codec)
    with _replacing(path) as temporary, _as_os_errors(path):
        _encode(clip, temporary, form, codec, crf, gop, sound)


def _plan(clip: Clip, path: Path, codec: str | None, audio_codec: str | None) -> tuple[_Container, str, str | None]:
    form = _CONTAINERS.get(path.suffix.lower())
    if form is None:
        raise ValueError(f"{path.name}: unknown suffix {path.suffix}; use {', '.join(_CONTAINERS)}")
    codec = codec or form.codecs[0]
    if codec not in form.codecs:
        raise ValueError(f"{path.name}: {path.suffix} does not hold {codec}; use {', '.join(form.codecs)}")
    if clip.audio_CN is None:
        return form, codec, None
    if not form.sounds:
        raise ValueError(f"{path.name}: {path.suffix} holds no sound; leave it out with Clip(frames, fps)")
    sound = audio_codec or form.sounds[0]
    if sound not in form.sounds:
        raise ValueError(f"{path.name}: {path.suffix} does not hold {sound}; use {', '.join(form.sounds)}")
    return form, codec, sound


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place when all went well, and vanishes when not."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}-", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _as_os_errors(path: Path) -> Iterator[None]:
    """A full disk must look like a full disk, whichever class PyAV gives it."""
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, OSError) or (error.errno or 0) in _DISK_ERRORS:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise ValueError(f"{path.name}: cannot be encoded ({error.strerror})") from error


def _encode(
    clip: Clip, path: Path, form: _Container, codec: str, crf: float | None, gop: int | None, sound: str | None
) -> None:
    # bitexact: no version strings and no random identifiers, so that equal clips are equal files.
    options = {"fflags": "+bitexact", **dict(form.options)}
    with av.open(f"file:{path}", "w", format=form.format, container_options=options) as container:
        video = _picture_stream(container, clip, _PICTURE[codec], crf, gop)
        audio: AudioStream | None = None
        sounds: Iterator[AudioFrame] = iter(())
        if clip.audio_CN is not None and clip.rate_hz is not None and sound is not None:
            audio_CN, rate_hz = at_allowed_rate(clip.audio_CN, clip.rate_hz, sound)
            audio = sound_stream(container, audio_CN.shape[0], rate_hz, sound)
            sounds = sound_frames(audio_CN, rate_hz, sound)
        frames = _gif_frames(clip) if codec == "gif" else yuv_frames(clip, str(video.pix_fmt), _PICTURE[codec].matrix)
        _interleave(container, video, frames, audio, sounds)


def _interleave(
    container: OutputContainer,
    video: VideoStream,
    frames: Iterator[VideoFrame],
    audio: AudioStream | None,
    sounds: Iterator[AudioFrame],
) -> None:
    """Encode picture and sound side by side, so that a player need not seek between them."""
    waiting = next(sounds, None)
    for frame in frames:
        shown_s = frame.time or 0.0
        while audio is not None and waiting is not None and (waiting.time or 0.0) <= shown_s:
            container.mux(audio.encode(waiting))
            waiting = next(sounds, None)
        container.mux(video.encode(frame))
    while audio is not None and waiting is not None:
        container.mux(audio.encode(waiting))
        waiting = next(sounds, None)
    container.mux(video.encode(None))
    if audio is not None:
        container.mux(audio.encode(None))


def _picture_stream(
    container: OutputContainer, clip: Clip, encoder: _Encoder, crf: float | None, gop: int | None
) -> VideoStream:
    height, width = clip.frames_TCHW.shape[2:]
    options = dict(encoder.options)
    quality = encoder.crf if crf is None else crf
    if quality is not None:
        options["crf"] = f"{quality:g}"
    if gop is not None:
        options["g"] = str(gop)
    video = container.add_stream(encoder.name, rate=_rate(clip.fps), options=options)
    assert isinstance(video, VideoStream)
    context = video.codec_context
    context.width, context.height = width, height
    context.thread_count = 1
    context.flags |= Flags.bitexact.value
    if encoder.name == "gif":
        context.pix_fmt = "pal8"
        return video
    if encoder.name == "ffv1":
        context.pix_fmt = "bgr0"
        return video
    odd = bool(width % 2 or height % 2) and not encoder.odd_sizes
    context.pix_fmt = "yuv444p" if odd else "yuv420p"
    # A VP8 stream has one matrix, BT.601 (RFC 6386, section 9.2); all others are tagged BT.709.
    context.colorspace, context.color_range = encoder.matrix, ColorRange.MPEG
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return video


def _rate(fps: float) -> Fraction:
    """23.976… as 24000/1001, 8.0 as 8."""
    return Fraction(fps).limit_denominator(1001)


def _rgb_frames(clip: Clip) -> Iterator[VideoFrame]:
    step = 1 / _rate(clip.fps)
    for index, frame_CHW in enumerate(clip.frames_TCHW):
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(frame_CHW.transpose(1, 2, 0)), "rgb24")
        frame.pts, frame.time_base = index, step
        yield frame


def yuv_frames(clip: Clip, pixels: str, matrix: Colorspace) -> Iterator[VideoFrame]:
    """A clip's frames in an encoder's pixel format, each with its time; RGB formats are converted as they are."""
    reformatter = VideoReformatter()
    for frame in _rgb_frames(clip):
        if not pixels.startswith("yuv"):
            converted = reformatter.reformat(frame, format=pixels, threads=1)
        else:
            converted = reformatter.reformat(
                frame,
                format=pixels,
                src_color_range=ColorRange.JPEG,
                dst_colorspace=matrix,
                dst_color_range=ColorRange.MPEG,
                interpolation=Interpolation.AREA | Interpolation.ACCURATE_RND,
                threads=1,
            )
        converted.pts, converted.time_base = frame.pts, frame.time_base
        yield converted


def _gif_frames(clip: Clip) -> Iterator[VideoFrame]:
    """Frames in one palette of 256 colours, made for this clip."""
    graph = av.filter.Graph()
    height, width = clip.frames_TCHW.shape[2:]
    source = graph.add_buffer(width=width, height=height, format=VideoFormat("rgb24"), time_base=1 / _rate(clip.fps))
    split = graph.add("split")
    palette = graph.add("palettegen", "reserve_transparent=0")
    use = graph.add("paletteuse", "dither=sierra2_4a")
    sink = graph.add("buffersink")
    source.link_to(split)
    split.link_to(palette, output_idx=0)
    split.link_to(use, output_idx=1, input_idx=0)
    palette.link_to(use, input_idx=1)
    use.link_to(sink)
    graph.configure()
    for frame in _rgb_frames(clip):
        graph.push(frame)
    graph.push(None)
    while True:
        try:
            chosen = sink.pull()
        except (av.EOFError, av.BlockingIOError):
            return
        assert isinstance(chosen, VideoFrame), "a picture filter gives pictures"
        yield chosen


def at_allowed_rate(audio_CN: AudioCN, rate_hz: int, sound: str) -> tuple[AudioCN, int]:
    """Sound at a rate that the codec can hold: its own, or 48 kHz."""
    if rate_hz in _RATES_HZ.get(sound, (rate_hz,)):
        return audio_CN, rate_hz
    return resample(audio_CN, rate_hz, 48_000), 48_000


def sound_stream(
    container: OutputContainer, channels: int, rate_hz: int, sound: str, *, bit_rate_bps: int | None = None
) -> AudioStream:
    """A stream for `sound_frames`. bit_rate_bps: of all channels together, for lossy codecs (default: 96k each)."""
    if channels not in _LAYOUTS:
        raise ValueError(f"{channels} channels of sound cannot be written; mix down to at most 8")
    name, samples = _SOUND[sound]
    stream = container.add_stream(name, rate=rate_hz, layout=_LAYOUTS[channels], format=samples)
    assert isinstance(stream, AudioStream)
    stream.codec_context.flags |= Flags.bitexact.value
    stream.codec_context.thread_count = 1
    if sound in ("aac", "opus", "mp3"):
        stream.codec_context.bit_rate = bit_rate_bps or 96_000 * channels
    return stream


def sound_frames(audio_CN: AudioCN, rate_hz: int, sound: str) -> Iterator[AudioFrame]:
    """Every frame carries its time: without it the encoder's delay is not written down, and AAC comes back late."""
    samples, layout = _SOUND[sound][1], _LAYOUTS[audio_CN.shape[0]]
    for start in range(0, audio_CN.shape[1], 1024):
        part = _encoded_form(audio_CN[:, start : start + 1024], samples)
        frame = AudioFrame.from_ndarray(part, samples, layout)
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        yield frame


def _encoded_form(audio_CN: AudioCN, samples: str) -> npt.NDArray[np.float32] | npt.NDArray[np.int16]:
    if samples == "s16":
        steps = np.clip(np.rint(audio_CN.astype(np.float64) * 32768), -32768, 32767)
        return np.ascontiguousarray(steps.astype(np.int16).T).reshape(1, -1)
    if samples == "flt":
        return np.ascontiguousarray(audio_CN.T).reshape(1, -1)
    return np.ascontiguousarray(audio_CN)


def _write_folder(clip: Clip, path: Path) -> None:
    """Exact PNGs, fps.txt and, where there is sound, audio.wav; the folder appears complete or not at all."""
    if path.exists():
        raise FileExistsError(errno.EEXIST, "a folder of pictures is never overwritten; remove it first", str(path))
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}-", suffix=".part", dir=path.parent))
    try:
        with _as_os_errors(path):
            _fill_folder(clip, temporary)
        temporary.chmod(0o755)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill_folder(clip: Clip, folder: Path) -> None:
    for index, frame in enumerate(_rgb_frames(clip)):
        context = av.CodecContext.create("png", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height = frame.width, frame.height
        context.pix_fmt, context.time_base = "rgb24", Fraction(1, 1)
        packets = [*context.encode(frame), *context.encode(None)]
        (folder / f"{index:06d}.png").write_bytes(b"".join(bytes(packet) for packet in packets))
    (folder / FPS_FILE).write_text(f"{_rate(clip.fps)}\n", encoding="utf-8")
    if clip.audio_CN is not None and clip.rate_hz is not None:
        _write_wav(clip.audio_CN, clip.rate_hz, folder / SOUND_FILE)


def _write_wav(audio_CN: AudioCN, rate_hz: int, path: Path) -> None:
    options = {"fflags": "+bitexact"}
    with av.open(f"file:{path}", "w", format="wav", container_options=options) as container:
        stream = sound_stream(container, audio_CN.shape[0], rate_hz, "float")
        for frame in sound_frames(audio_CN, rate_hz, "float"):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
