"""Strangers' files: each gives frames or one line that says what is wrong, never anything else."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eval.clip import ClipError, Limits
from eval.video import open_clip


def refused(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(ClipError) as caught:
        for _ in open_clip(path, limits or Limits()).stream():
            pass
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


def test_missing_empty_and_not_a_video(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.mp4")
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.write_bytes(b"")
    text.write_text("Dear all,\nplease find the clip attached.\n" * 50)
    assert "empty" in refused(empty)
    assert "not a clip" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
        "\x1b[31mANSI art\x1b[0m",
    ],
)
def test_playlists_and_text_open_nothing_else(build: Any, tmp_path: Path, text: str) -> None:
    inner = build.encode(tmp_path / "inner.mp4")
    for suffix in ("m3u8", "ffconcat", "ans", "mp4"):
        path = tmp_path / f"list.{suffix}"
        path.write_text(text.format(inner))
        assert "not a clip" in refused(path)


def test_sound_alone_is_no_clip(build: Any, tmp_path: Path) -> None:
    for name, codec in (("a.mp4", "aac"), ("a.mkv", "flac")):
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            audio: Any = container.add_stream(codec, rate=48_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
        assert "no picture in it, only sound" in refused(path)


def test_no_frames(tmp_path: Path) -> None:
    """A header that promises picture and sound, and only sound after it."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=24)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio: Any = container.add_stream("flac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    assert "no frames" in refused(path)


def test_a_folder_and_a_device_are_not_files(tmp_path: Path) -> None:
    assert "without PNG or JPEG pictures (it holds nothing)" in refused(tmp_path)
    fifo = tmp_path / "pipe.mp4"
    os.mkfifo(fifo)
    assert "neither a file nor a folder" in refused(fifo)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file: no permission to be denied")
def test_no_permission(build: Any, tmp_path: Path) -> None:
    path = build.encode(tmp_path / "a.mp4")
    path.chmod(0)
    assert "permission denied" in refused(path)


def test_permission_errors_become_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", deny)
    assert "permission denied" in refused(path)


def test_ten_thousand_pixels_wide(build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build.encode(tmp_path / "wide.mp4", width=10_000, height=16, count=2)

    def no_decoding(*_: object) -> None:
        raise AssertionError("decoded before the limit was checked")

    monkeypatch.setattr("eval.video.scan.picture_decoder", no_decoding)
    message = refused(path)
    assert "10000 pixels wide" in message
    assert "8192" in message


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(max_bytes=1000), "limit of 1000"),
        (Limits(max_width=63), "64 pixels wide, over the limit of 63"),
        (Limits(max_height=47), "48 pixels high, over the limit of 47"),
        (Limits(max_pixels=64 * 48 - 1), "limit of 3071 pixels"),
        (Limits(max_frames=11), "limit of 11 frames"),
        (Limits(max_seconds=0.4), "limit of 0.4 seconds"),
    ],
)
def test_limits_are_named(build: Any, tmp_path: Path, limits: Limits, says: str) -> None:
    path = build.encode(tmp_path / "a.mp4")
    assert says in refused(path, limits)
    assert open_clip(path, Limits(max_frames=12, max_seconds=0.51, max_width=64, max_height=48)).info.width == 64


def test_a_lying_header_does_not_beat_the_limits(build: Any, tmp_path: Path) -> None:
    """The movie header, track header and media header all claim a hundredth of the true length."""
    path = build.encode(tmp_path / "a.mp4", count=60)
    data = bytearray(path.read_bytes())
    for box, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        at = data.index(box) + offset
        data[at : at + 4] = (1).to_bytes(4, "big")
    path.write_bytes(data)
    assert "limit of 2 seconds" in refused(path, Limits(max_seconds=2))
    assert "limit of 59 frames" in refused(path, Limits(max_frames=59))


def test_sound_far_longer_than_the_picture_is_limited(build: Any, tmp_path: Path) -> None:
    path = build.encode(tmp_path / "a.mkv", sound="flac", audio_CN=np.zeros((1, 8_000 * 30), np.float32), rate_hz=8_000)
    assert "limit of 10 seconds" in refused(path, Limits(max_seconds=10))


def test_a_change_of_size_midway(build: Any, tmp_path: Path) -> None:
    parts = [build.encode(tmp_path / f"{w}.h264", form="h264", width=w, count=6) for w in (64, 96)]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert "changes size from 64×48 to 96×48 at frame 6" in refused(path)


CONTAINERS = [
    ("front.mp4", "libx264", {"movflags": "+faststart"}),
    ("back.mp4", "libx264", {}),
    ("fragments.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    ("a.mkv", "libx264", {}),
    ("a.webm", "libvpx-vp9", {}),
    ("a.avi", "mpeg4", {}),
    ("a.gif", "gif", {}),
]


@pytest.mark.parametrize(("name", "codec", "options"), CONTAINERS)
def test_a_clip_that_breaks_off(build: Any, tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    """Cut anywhere: a clean refusal. Only bytes after all that is needed may be missing unnoticed."""
    path = build.encode(
        tmp_path / name, codec=codec, options=options, pixels="rgb8" if codec == "gif" else "yuv420p", count=30
    )
    data, cut = path.read_bytes(), tmp_path / f"cut-{name}"
    for position in np.random.default_rng(7).integers(1, len(data) - 1, 40):
        cut.write_bytes(data[: int(position)])
        message = refused(cut)
        assert "breaks off after" in message or "not a clip" in message or "no frames" in message, message


@pytest.mark.parametrize(("name", "codec"), [("a.ts", "libx264"), ("a.h264", "libx264"), ("a.mpg", "mpeg2video")])
def test_endless_formats_that_break_off(build: Any, tmp_path: Path, name: str, codec: str) -> None:
    """Streams without a length cannot tell: they give what is there, or a clean refusal."""
    path = build.encode(tmp_path / name, codec=codec, count=30)
    data, cut = path.read_bytes(), tmp_path / f"cut-{name}"
    for position in np.random.default_rng(7).integers(1, len(data) - 1, 25):
        cut.write_bytes(data[: int(position)])
        survives(cut, most=31)


def test_frames_lost_in_front_of_the_end_are_counted(build: Any, tmp_path: Path) -> None:
    path = build.encode(tmp_path / "a.mp4", options={"movflags": "+faststart"}, count=30)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[:-600])
    message = refused(cut)
    frames = int(message.split("breaks off after ")[1].split(" ")[0])
    assert 0 < frames < 30


def survives(path: Path, most: int) -> None:
    """Either frames or a ClipError; anything else fails the test."""
    frames = 0
    try:
        for item in open_clip(path, Limits(max_frames=2000)).stream():
            frames += len(getattr(item, "times_s", ()))
    except ClipError:
        return
    assert 0 < frames <= most


@pytest.mark.parametrize(("name", "codec", "options"), CONTAINERS)
def test_flipped_bytes(build: Any, tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    path = build.encode(
        tmp_path / name, codec=codec, options=options, pixels="rgb8" if codec == "gif" else "yuv420p", count=10
    )
    data, bad = path.read_bytes(), tmp_path / f"bad-{name}"
    rng = np.random.default_rng(3)
    for _ in range(40):
        damaged = bytearray(data)
        for position in rng.integers(0, len(data), rng.integers(1, 12)):
            damaged[position] = rng.integers(0, 256)
        bad.write_bytes(damaged)
        survives(bad, most=2000)


HEADS = [
    b"",
    b"\x00\x00\x00\x18ftypmp42",
    b"\x1a\x45\xdf\xa3\x93",
    b"RIFF\x00\x01\x00\x00AVI LIST",
    b"GIF89a",
    b"\x00\x00\x01\xb3",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.sampled_from(HEADS), body=st.binary(max_size=2000))
def test_random_bytes(tmp_path: Path, head: bytes, body: bytes) -> None:
    path = tmp_path / "random.mp4"
    path.write_bytes(head + body)
    survives(path, most=2000)
