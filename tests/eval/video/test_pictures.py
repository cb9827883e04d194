"""Folders of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from eval.cache import FeatureCache
from eval.clip import ClipError, Limits
from eval.metric import METRICS
from eval.planner import score_clip
from eval.video import open_clip, write_clip


def save(folder: Path, names: list[str], frames_THWC: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame_HWC in zip(names, frames_THWC, strict=True):
        order = cv2.COLOR_RGB2BGR if frame_HWC.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        assert cv2.imwrite(str(folder / name), cv2.cvtColor(frame_HWC, order))
    return folder


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(ClipError) as caught:
        list(open_clip(path, **options).stream())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_natural_order(build: Any, tmp_path: Path) -> None:
    names = ["f1.png", "f2.png", "f10.png", "f11.PNG", "f100.png"]
    frames = build.frames(5, 24, 16)
    whole = build.read(open_clip(save(tmp_path / "clip", names, frames)))
    assert np.array_equal(whole.frames_TCHW.transpose(0, 2, 3, 1), frames)
    assert whole.info.fps == 8
    assert any("8 frames per second assumed" in note for note in whole.info.notes)
    np.testing.assert_allclose(whole.times_s, np.arange(5) / 8)


def test_the_rate_is_given_or_read(build: Any, tmp_path: Path) -> None:
    folder = save(tmp_path / "clip", ["1.png", "2.png"], build.frames(2, 8, 8))
    (folder / "fps.txt").write_text("24000/1001\n")
    assert open_clip(folder).info.fps == pytest.approx(23.976, abs=1e-3)
    assert open_clip(folder).info.notes == ()
    assert open_clip(folder, fps=12).info.fps == 12
    for text in ("fast", "1/0", "nan", "", "0", "-3", "1e9"):
        (folder / "fps.txt").write_text(text)
        assert "fps.txt" in refused(folder) or "frames per second" in refused(folder)


def test_jpeg_grey_and_windows(build: Any, tmp_path: Path) -> None:
    frames = build.frames(7, 32, 32)
    folder = save(tmp_path / "clip", [f"{index}.jpg" for index in range(7)], frames)
    whole = build.read(open_clip(folder, window=3))
    assert whole.windows == [3, 3, 1]
    assert np.abs(whole.frames_TCHW.transpose(0, 2, 3, 1).astype(int) - frames).mean() < 6
    cv2.imwrite(str(tmp_path / "grey.png"), frames[0, ..., 0])
    grey = tmp_path / "grey"
    grey.mkdir()
    (tmp_path / "grey.png").rename(grey / "1.png")
    assert "greyscale" in open_clip(grey).info.notes


def test_transparent_pictures(build: Any, tmp_path: Path) -> None:
    frame = np.full((1, 8, 8, 4), (200, 100, 50, 51), np.uint8)
    whole = build.read(open_clip(save(tmp_path / "clip", ["1.png"], frame)))
    assert whole.frames_TCHW[0, :, 0, 0].tolist() == [40, 20, 10]
    assert "transparent: shown on black" in whole.facts.notes


def test_sound_beside_the_pictures(build: Any, tmp_path: Path) -> None:
    clip = build.clip(channels=2)
    write_clip(clip, tmp_path / "clip")
    source = open_clip(tmp_path / "clip")
    assert (source.info.rate_hz, source.info.channels) == (16_000, 2)
    assert np.array_equal(build.read(source).audio_CN, clip.audio_CN)


def test_identity_follows_names_and_contents(build: Any, tmp_path: Path) -> None:
    frames = build.frames(2, 8, 8)
    hashes = {
        open_clip(save(tmp_path / "a", ["1.png", "2.png"], frames)).info.sha256,
        open_clip(save(tmp_path / "b", ["1.png", "2.png"], frames)).info.sha256,
    }
    assert len(hashes) == 1
    hashes.add(open_clip(save(tmp_path / "c", ["1.png", "3.png"], frames)).info.sha256)
    hashes.add(open_clip(save(tmp_path / "d", ["1.png", "2.png"], frames[::-1])).info.sha256)
    assert len(hashes) == 3


def test_identity_follows_the_rate_wherever_it_comes_from(build: Any, tmp_path: Path) -> None:
    folder = save(tmp_path / "a", ["1.png", "2.png"], build.frames(2, 8, 8))
    assumed, given = open_clip(folder).info.sha256, open_clip(folder, fps=24).info.sha256
    assert assumed == open_clip(folder, fps=8).info.sha256
    assert given != assumed
    (folder / "fps.txt").write_text("24")
    assert open_clip(folder).info.sha256 == given
    assert open_clip(folder, fps=8).info.sha256 == assumed


def test_the_cache_keeps_rates_apart(build: Any, tmp_path: Path) -> None:
    folder = save(tmp_path / "a", [f"{index}.png" for index in range(6)], build.frames(6, 64, 64))
    cache = FeatureCache(tmp_path / "cache")

    def magnitude(fps: float, cache: FeatureCache | None) -> float | None:
        return score_clip(open_clip(folder, fps=fps), [METRICS.get("motion_magnitude")], cache=cache).scores[0].value

    assert magnitude(8, cache) != magnitude(24, cache)
    assert magnitude(24, cache) == magnitude(24, None)


def test_bad_folders(build: Any, tmp_path: Path) -> None:
    folder = save(tmp_path / "clip", ["1.png", "2.png", "3.png"], build.frames(3, 24, 16))
    assert "limit of 2 frames" in refused(folder, limits=Limits(max_frames=2))
    assert "24 pixels wide" in refused(folder, limits=Limits(max_width=20))
    assert "limit of 10 bytes" in refused(folder, limits=Limits(max_bytes=10))
    assert "limit of 0.3 seconds" in refused(folder, limits=Limits(max_seconds=0.3))
    save(folder, ["2.png"], build.frames(1, 32, 16))
    assert "2.png is 32×16, the first picture 24×16" in refused(folder)
    (folder / "2.png").write_text("not a picture")
    assert "clip/2.png" in refused(folder).replace("2.png: not", "clip/2.png: not")
    (folder / "2.png").unlink()
    (folder / "audio.wav").write_text("not a sound")
    assert "audio.wav" in refused(folder)
    others = tmp_path / "others"
    others.mkdir()
    (others / "a.txt").write_text("x")
    assert "it holds 1 other files" in refused(others)


def test_a_picture_cut_short(build: Any, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    folder = save(tmp_path / "clip", ["1.png", "2.png"], frames)
    data = (folder / "2.png").read_bytes()
    (folder / "2.png").write_bytes(data[: len(data) // 2])
    assert "2.png" in refused(folder)
