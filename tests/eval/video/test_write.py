"""Writing: reads back as it was, the same bytes every time, whole or not at all."""

from __future__ import annotations

import errno
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from eval.clip import Clip
from eval.video import open_clip, write_clip

FORMS = [
    # name, options, mean error of the picture in 8-bit steps, error of the sound
    ("a.mp4", {}, 3.0, 2**-16 + 1e-7),
    ("a.mp4", {"audio_codec": "aac"}, 3.0, 0.06),
    ("a.mov", {}, 3.0, 0.06),
    ("a.mkv", {}, 3.0, 2**-16 + 1e-7),
    ("a.mkv", {"codec": "ffv1"}, 0.0, 2**-16 + 1e-7),
    ("a.webm", {}, 3.5, None),
    ("a.webm", {"codec": "vp8"}, 4.0, None),
    ("folder", {}, 0.0, 0.0),
]


@pytest.mark.parametrize(("name", "options", "picture_error", "sound_error"), FORMS)
@pytest.mark.parametrize("size", [(64, 48), (65, 47)])
def test_round_trip(
    build: Any,
    tmp_path: Path,
    name: str,
    options: dict[str, str],
    picture_error: float,
    sound_error: float | None,
    size: tuple[int, int],
) -> None:
    clip = build.clip(width=size[0], height=size[1], channels=2)
    write_clip(clip, tmp_path / name, **options)
    whole = build.read(open_clip(tmp_path / name))
    assert whole.frames_TCHW.shape == clip.frames_TCHW.shape
    assert np.abs(whole.frames_TCHW.astype(int) - clip.frames_TCHW).mean() <= picture_error
    assert whole.info.fps == clip.fps
    assert whole.facts.timestamps == "regular"
    assert whole.info.notes == ()
    np.testing.assert_allclose(whole.times_s, np.arange(24) / 8, atol=0.0006)
    if sound_error is None:  # Opus always comes back at 48 kHz
        assert (whole.info.rate_hz, whole.audio_CN.shape) == (48_000, (2, 144_000))
    else:
        assert whole.audio_CN.shape == clip.audio_CN.shape
        assert np.abs(whole.audio_CN - clip.audio_CN).max() <= sound_error


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mp4", {"audio_codec": "aac"}),
        ("a.mp4", {"audio_codec": "opus"}),
        ("a.mov", {}),
        ("a.webm", {}),
    ],
)
def test_sound_stays_aligned(build: Any, tmp_path: Path, name: str, options: dict[str, str]) -> None:
    """An onset stays within 0.3 ms, whatever the codec."""
    silent = build.clip(rate_hz=None)
    audio_CN = build.clicks(3.0, 48_000, [1.0], channels=1)
    write_clip(Clip(silent.frames_TCHW, silent.fps, audio_CN, 48_000), tmp_path / name, **options)
    heard = build.read(open_clip(tmp_path / name)).audio_CN[0]
    energy = np.where(np.abs(heard) > 0.25 * np.abs(heard).max(), heard, 0).astype(np.float64) ** 2
    centre = np.sum(energy * np.arange(len(energy))) / energy.sum()
    assert abs(centre / 48_000 - 1.00025) < 0.0003


@pytest.mark.parametrize("fps", [8, 16, 23.976023976, 24, 25, 29.97002997, 30, 60, 12.5, 1])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "folder"])
def test_frame_rates_survive(build: Any, tmp_path: Path, fps: float, name: str) -> None:
    write_clip(build.clip(count=10, width=32, height=32, fps=fps, rate_hz=None), tmp_path / name)
    info = open_clip(tmp_path / name).info
    assert info.fps == pytest.approx(fps, rel=1e-6)
    assert info.has_audio is False


@pytest.mark.parametrize("fps", [8, 10, 24, 25])
def test_gif(build: Any, tmp_path: Path, fps: float) -> None:
    clip = build.clip(fps=fps, rate_hz=None)
    write_clip(clip, tmp_path / "a.gif")
    whole = build.read(open_clip(tmp_path / "a.gif"))
    assert whole.info.fps == pytest.approx(fps)
    assert whole.facts.notes == ()
    assert np.abs(whole.frames_TCHW.astype(int) - clip.frames_TCHW).mean() < 8


def test_flat_colours_survive_the_default(tmp_path: Path) -> None:
    """The default mp4 keeps a flat colour within 3 of 255 steps (swscale's 4:2:0 reader is 1.2 steps dark)."""
    rng = np.random.default_rng(5)
    colours = rng.integers(0, 256, (12, 3), dtype=np.uint8)
    frames_TCHW = np.broadcast_to(colours[:, :, None, None], (12, 3, 32, 32))
    write_clip(Clip(frames_TCHW, 8.0), tmp_path / "a.mp4")
    read = np.concatenate([w.frames_TCHW for w in open_clip(tmp_path / "a.mp4").stream() if hasattr(w, "frames_TCHW")])
    assert np.abs(read.astype(int) - frames_TCHW).max() <= 4


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mp4", {"audio_codec": "aac"}),
        ("a.mkv", {}),
        ("a.webm", {}),
        ("a.gif", {}),
    ],
)
def test_equal_clips_are_equal_files(build: Any, tmp_path: Path, name: str, options: dict[str, str]) -> None:
    clip = build.clip(width=64, height=64, rate_hz=None if name.endswith("gif") else 16_000)
    rng = np.random.default_rng(0)
    files = set()
    for _ in range(4):
        write_clip(clip, tmp_path / name, **options)
        files.add((tmp_path / name).read_bytes())
        [rng.integers(0, 255, 200_000) for _ in range(20)]  # stir the heap: x264's mbtree once read unset memory
    assert len(files) == 1


def test_the_default_is_what_browsers_play(build: Any, tmp_path: Path) -> None:
    write_clip(build.clip(), tmp_path / "a.mp4")
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "the index comes first, so that playing starts at once"
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert container.streams.video[0].codec_context.colorspace == 1
        assert container.streams.audio[0].codec_context.name == "flac"
        assert "encoder" not in container.metadata


def test_picture_and_sound_are_interleaved(build: Any, tmp_path: Path) -> None:
    write_clip(build.clip(count=200), tmp_path / "a.webm")
    with av.open(str(tmp_path / "a.webm")) as container:
        kinds = [packet.stream.type for packet in container.demux() if packet.size]
    assert "video" in kinds[: len(kinds) // 8]
    assert "audio" in kinds[: len(kinds) // 8]


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("a.xyz", {}, "unknown suffix .xyz; use .mp4"),
        ("a.webm", {"codec": "h264"}, "does not hold h264; use vp9"),
        ("a.webm", {"audio_codec": "flac"}, "does not hold flac; use opus"),
        ("a.gif", {}, "holds no sound"),
    ],
)
def test_impossible_combinations_name_the_remedy(
    build: Any, tmp_path: Path, name: str, options: dict[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        write_clip(build.clip(), tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_no_frames_and_too_many_channels(build: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without frames"):
        write_clip(Clip(np.zeros((0, 3, 8, 8), np.uint8), 8.0), tmp_path / "a.mp4")
    clip = build.clip(count=2, channels=9)
    with pytest.raises(ValueError, match="9 channels"):
        write_clip(clip, tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_replaced_only_by_a_whole_one(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old one")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("eval.video.write._interleave", fail)
    with pytest.raises(OSError, match="No space left"):
        write_clip(build.clip(), path)
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_never_overwritten(build: Any, tmp_path: Path) -> None:
    write_clip(build.clip(count=2), tmp_path / "clip")
    with pytest.raises(FileExistsError, match="never overwritten"):
        write_clip(build.clip(count=2), tmp_path / "clip")
    assert [path.name for path in tmp_path.iterdir()] == ["clip"]


FILLING = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from eval.clip import Clip
from eval.video import write_clip
noise = np.random.default_rng(0).integers(0, 256, (12, 3, 96, 96), dtype=np.uint8)
silence = np.zeros((1, 24000), np.float32)
clip = Clip(noise, 8.0) if sys.argv[1].endswith("gif") else Clip(noise, 8.0, silence, 16000)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    write_clip(clip, Path(sys.argv[1]))
except OSError as error:
    print("OSError", error.errno)
"""


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.gif", "folder"])
@pytest.mark.parametrize("room", [100, 10_000])
def test_no_room_is_an_os_error_and_leaves_nothing(tmp_path: Path, name: str, room: int) -> None:
    """A limit on file size stands in for a full disk: the same write fails in the same place."""
    assert hasattr(signal, "SIGXFSZ")
    assert resource.RLIMIT_FSIZE
    result = subprocess.run(
        [sys.executable, "-c", FILLING, str(tmp_path / name), str(room)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert result.stdout.split() == ["OSError", str(errno.EFBIG)], result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_os_error(build: Any, tmp_path: Path) -> None:
    for name in ("a.mp4", "folder"):
        with pytest.raises(FileNotFoundError):
            write_clip(build.clip(count=2), tmp_path / "none" / name)
