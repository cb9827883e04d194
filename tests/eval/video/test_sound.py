"""Sound: an impulse written at time t is read at time t, in every codec and container."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.clip import SoundChunk
from eval.video import Resampler, open_clip, resample
from eval.video.sound import as_float

CLICKS_S = (0.25, 0.9, 1.5)
TOLERANCE_S = 0.0003
"""A lossy codec smears a half-millisecond click; its centre of energy moves by less than this."""


def offset_s(heard_N: Any, written_N: Any, rate_hz: int, at_s: float) -> float:
    """How much later the click's centre of energy is heard than written."""
    centres = []
    for signal in (heard_N, written_N):
        start, stop = int((at_s - 0.05) * rate_hz), int((at_s + 0.05) * rate_hz)
        energy = np.asarray(signal[start:stop], np.float64) ** 2
        energy[energy < 0.05 * energy.max()] = 0
        centres.append(float(np.sum(energy * np.arange(len(energy))) / np.sum(energy)))
    return (centres[0] - centres[1]) / rate_hz


@pytest.mark.parametrize(
    ("name", "video", "codec", "rate_hz", "extra"),
    [
        ("a.mp4", "libx264", "aac", 48_000, 0),
        ("a.mp4", "libx264", "aac", 16_000, 0),
        ("a.mov", "libx264", "aac", 44_100, 0),
        ("a.mkv", "libx264", "aac", 48_000, 1024),
        ("a.mp4", "libx264", "flac", 16_000, 0),
        ("a.mkv", "libx264", "flac", 48_000, 0),
        ("a.mp4", "libx264", "libopus", 48_000, 0),
        ("a.mkv", "libx264", "libopus", 48_000, 0),
        ("a.webm", "libvpx", "libopus", 48_000, 0),
        ("a.mp4", "libx264", "libmp3lame", 48_000, 0),
        ("a.mkv", "libx264", "libmp3lame", 44_100, 48),
        ("a.mov", "libx264", "pcm_s16le", 16_000, 0),
        ("a.avi", "mpeg4", "pcm_s16le", 16_000, 0),
    ],
)
def test_clicks_are_heard_when_they_were_written(
    build: Any, tmp_path: Path, name: str, video: str, codec: str, rate_hz: int, extra: int
) -> None:
    written = build.clicks(2.0, rate_hz, CLICKS_S)
    path = build.encode(tmp_path / name, codec=video, count=48, sound=codec, audio_CN=written, rate_hz=rate_hz)
    whole = build.read(open_clip(path))
    assert whole.info.rate_hz == rate_hz
    assert whole.info.channels == 2
    for at_s in CLICKS_S:
        assert abs(offset_s(whole.audio_CN[0], written[0], rate_hz, at_s)) < TOLERANCE_S + (
            0.006 if codec == "ac3" else 0
        )
    # mkv has no place for the padding at the end of AAC: there a frame at most may be left.
    assert written.shape[1] <= whole.audio_CN.shape[1] <= written.shape[1] + extra


def test_lossless_sound_is_exact(build: Any, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, (2, 20_000)).astype(np.float32)
    steps = (np.rint(noise * 32_767) / 32_768).astype(np.float32)
    path = build.encode(tmp_path / "a.mp4", sound="flac", audio_CN=steps, rate_hz=16_000)
    assert np.array_equal(build.read(open_clip(path)).audio_CN, steps)


@pytest.mark.parametrize("shift_s", [-0.5, 0.5])
def test_the_picture_sets_the_clock(build: Any, tmp_path: Path, shift_s: float) -> None:
    """Sound that starts later gains silence in front; sound from before the picture is dropped."""
    rate_hz, fps = 16_000, 24
    written = build.clicks(2.0, rate_hz, CLICKS_S)
    first = 0 if shift_s > 0 else 12
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=fps)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        audio: Any = container.add_stream("flac", rate=rate_hz, layout="stereo")
        for index, picture in enumerate(build.frames(30, 32, 32)):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = index + first, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        late = max(0, round(shift_s * rate_hz))
        heard = av.AudioFrame.from_ndarray(written, "fltp", "stereo")
        heard.sample_rate, heard.pts, heard.time_base = rate_hz, late, Fraction(1, rate_hz)
        container.mux(audio.encode(heard))
        container.mux(audio.encode(None))
    audio_CN = build.read(open_clip(path)).audio_CN
    shift = round(shift_s * rate_hz)
    expected = np.pad(written, ((0, 0), (shift, 0))) if shift > 0 else written[:, -shift:]
    assert audio_CN.shape == expected.shape
    np.testing.assert_allclose(audio_CN, expected, atol=1e-4)


def test_a_gap_becomes_silence_and_is_said(build: Any, tmp_path: Path) -> None:
    rate_hz = 8_000
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=24)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        audio: Any = container.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        frame = av.VideoFrame.from_ndarray(build.frames(1, 32, 32)[0], "rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, 24)
        container.mux([*video.encode(frame), *video.encode(None)])
        for start in (0, 800, 4000, 4800):
            heard = av.AudioFrame.from_ndarray(np.full((1, 800), 8192, np.int16), "s16", "mono")
            heard.sample_rate, heard.pts, heard.time_base = rate_hz, start, Fraction(1, rate_hz)
            container.mux(audio.encode(heard))
        container.mux(audio.encode(None))
    whole = build.read(open_clip(path))
    loud = np.flatnonzero(whole.audio_CN[0])
    assert whole.audio_CN.shape == (1, 5600)
    assert loud.tolist() == [*range(1600), *range(4000, 5600)]
    assert "sound has gaps: filled with silence" in whole.facts.notes


def test_long_sound_comes_in_chunks(build: Any, tmp_path: Path) -> None:
    sound = np.zeros((1, 8_000 * 25), np.float32)
    path = build.encode(tmp_path / "a.mp4", sound="flac", audio_CN=sound, rate_hz=8_000)
    chunks = [item for item in open_clip(path).stream() if isinstance(item, SoundChunk)]
    assert sum(chunk.audio_CN.shape[1] for chunk in chunks) == sound.shape[1]
    assert max(chunk.audio_CN.shape[1] for chunk in chunks) <= 8_000 * 2.1
    assert all(chunk.audio_CN.dtype == np.float32 for chunk in chunks)


@pytest.mark.parametrize(
    ("form", "values", "expected"),
    [
        ("u8", np.array([[0, 128, 255]], np.uint8), [-1, 0, 127 / 128]),
        ("s16", np.array([[-32768, 0, 16384]], np.int16), [-1, 0, 0.5]),
        ("s32", np.array([[-(2**31), 0, 2**30]], np.int32), [-1, 0, 0.5]),
        ("flt", np.array([[-1, 0, 0.5]], np.float32), [-1, 0, 0.5]),
        ("dblp", np.array([[-1, 0, 0.5]], np.float64), [-1, 0, 0.5]),
    ],
)
def test_sample_formats(form: str, values: Any, expected: list[float]) -> None:
    np.testing.assert_allclose(as_float(av.AudioFrame.from_ndarray(values, form, "mono")), [expected])


def test_packed_channels_are_separated() -> None:
    frame = av.AudioFrame.from_ndarray(np.array([[1, -1, 2, -2]], np.int16), "s16", "stereo")
    assert (as_float(frame) * 32768).tolist() == [[1, 2], [-1, -2]]


@pytest.mark.parametrize(("from_hz", "to_hz"), [(16_000, 48_000), (48_000, 16_000), (44_100, 48_000)])
def test_resampling_keeps_a_tone_in_place(from_hz: int, to_hz: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(from_hz) / from_hz).astype(np.float32)[None]
    out = resample(tone, from_hz, to_hz)
    exact = np.sin(2 * np.pi * 440 * np.arange(out.shape[1]) / to_hz)
    assert abs(out.shape[1] - to_hz) <= 1
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[0, 2000:-2000], exact[2000:-2000], atol=1e-4)


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(1, 15_999), max_size=6))
def test_streamed_resampling_equals_the_whole(cuts: list[int]) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, (2, 16_000)).astype(np.float32)
    stream = Resampler(16_000, 44_100, 2)
    edges = [0, *sorted(set(cuts)), 16_000]
    parts = [stream.push(noise[:, a:b], last=b == 16_000) for a, b in pairwise(edges)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), resample(noise, 16_000, 44_100), atol=1e-6)


def test_resampling_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="positive"):
        resample(np.zeros((1, 8), np.float32), 0, 8000)
    same = np.ones((1, 8), np.float32)
    assert resample(same, 8000, 8000) is same
